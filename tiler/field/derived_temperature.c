// SPDX-License-Identifier: Apache-2.0
// Temperature where a model tells potential temperature and pressure instead: T = theta (p / p0)^(R / cp), with p0 = 1000 hPa and
// R / cp = 2 / 7 (Wallace and Hobbs, Atmospheric Science, section 3.4).
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "field/cf_units.h"
#include "field/derived.h"

static bool stand_together(const struct catalog_dataset *d, const struct catalog_variable *a, const struct catalog_variable *b) {
    return a->nz == b->nz && a->vertical == b->vertical && a->member_count == b->member_count && strcmp(a->calendar, b->calendar) == 0 &&
           a->from->constant == b->from->constant && derived_level_key(d, a) == derived_level_key(d, b);
}

static int find_on_levels(const struct catalog_dataset *d, const struct catalog_variable *like, const char *standard_name, const char *units) {
    for (size_t n = 0; n < d->variable_count; n++) {
        const struct catalog_variable *v = &d->variables[n];
        if (!v->derived && !v->hidden && strcmp(v->standard_name, standard_name) == 0 &&
            cf_units_convertible(v->units, units) && stand_together(d, like, v)) return (int)n;
    }
    return NO_VARIABLE;
}

static int read_temperature(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    struct field_ref theta = field_input(field, false), pressure = field_input(field, true);
    const char *units = field->dataset->variables[pressure.variable].units;
    size_t total = box->nx * box->ny * box->nz;
    double to_standard, offset;
    if (cf_units_convert(units, "Pa", &to_standard, &offset)) return failure_set(failure, VIRGA_INTERNAL, "\"%.40s\" is no pressure", units);
    int status = field_read(&theta, box, values, failure);
    if (status) return status;
    double *other = memory_new_aligned(64, total, sizeof *other);
    if (!other) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    status = field_read(&pressure, box, other, failure);
    for (size_t n = 0; !status && n < total; n++) values[n] = other[n] > 0 ? values[n] * pow(other[n] * to_standard / 1e5, 2.0 / 7) : NAN;
    free(other);
    return status;
}

const struct derived_kind derived_temperature = {.name = "temperature by potential temperature and pressure", .inputs = 2, .read = read_temperature};

int derived_add_temperatures(struct catalog_dataset *d) {
    for (size_t n = 0, count = d->variable_count; n < count; n++) {
        const struct catalog_variable *theta = &d->variables[n];
        // Near the ground a level of its own would have to say where the pressure is told.
        if (!theta->vertical || theta->hidden || theta->derived ||
            strcmp(theta->standard_name, "air_potential_temperature") != 0 || strcmp(theta->units, "K") != 0) continue;
        int pressure = find_on_levels(d, theta, "air_pressure", "Pa");
        if (pressure < 0 || find_on_levels(d, theta, "air_temperature", "K") >= 0) continue;
        char long_name[2 * SOURCE_MAX_NAME + 32];
        snprintf(long_name, sizeof long_name, "temperature by %s and %s", theta->name, d->variables[pressure].name);
        struct derived_texts texts = {"air_temperature", "air_temperature", long_name, "K"};
        int status = derived_add(d, &derived_temperature, (int)n, pressure, &texts, NULL);
        if (status) return status;
    }
    return VIRGA_OK;
}
