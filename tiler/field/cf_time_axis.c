// SPDX-License-Identifier: Apache-2.0
// A variable's valid times and the forecast reference time they belong to.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"
#include "field/cf_units.h"

enum { TIMES_MAX = 1 << 17 };
static const double longest_lead = 60 * 86400.0;

static bool is_scalar_like(const struct source *source, const struct source_variable *c) {
    const struct source_inventory *inventory = source_inventory(source);
    return c->rank == 0 || (c->rank == 1 && inventory->dimensions[c->dimensions[0]].length == 1);
}

// A coordinate with this standard name that fits the variable: named by it first, else any in the file if `anywhere`.
static int find_coordinate(const struct source *source, const struct source_variable *v, int dimension, const char *standard_name, bool anywhere) {
    const struct source_inventory *inventory = source_inventory(source);
    const char *at = cf_text_or_empty(v, "coordinates");
    size_t length;
    for (const char *word; (word = cf_next_word(&at, &length));) {
        int n = cf_find_variable(source, v, word, length);
        if (n != CF_NO_VARIABLE && cf_text_is(&inventory->variables[n], "standard_name", standard_name)) return n;
    }
    for (size_t n = 0; anywhere && n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        if (!cf_text_is(c, "standard_name", standard_name)) continue;
        if (is_scalar_like(source, c) || (dimension >= 0 && c->rank == 1 && c->dimensions[0] == (size_t)dimension)) return (int)n;
    }
    return CF_NO_VARIABLE;
}

static int find_time(const struct source *source, const struct source_variable *v, int dimension) {
    const struct source_inventory *inventory = source_inventory(source);
    if (dimension < 0) {
        int n = find_coordinate(source, v, -1, "time", false);
        return n != CF_NO_VARIABLE && is_scalar_like(source, &inventory->variables[n]) ? n : CF_NO_VARIABLE;
    }
    int own = cf_coordinate_variable(source, (size_t)dimension);
    if (own != CF_NO_VARIABLE && cf_time_units_like(cf_text(&inventory->variables[own], "units"))) return own;
    int fallback = own;
    for (size_t n = 0; n < inventory->variable_count; n++) {  // an auxiliary time on the dimension
        const struct source_variable *c = &inventory->variables[n];
        if (c->rank == 1 && c->dimensions[0] == (size_t)dimension && cf_role_of(source, c) == ROLE_T && cf_time_units_like(cf_text(c, "units"))) return (int)n;
    }
    return fallback;
}

static int read_times(struct cf_file *file, int variable, enum cf_calendar *calendar, struct cf_time_units *units, double **seconds, size_t *count,
                      struct failure *failure) {
    const struct source_variable *v = cf_file_variable(file, (size_t)variable);
    const char *text = cf_text(v, "units"), *name = cf_text(v, "calendar");
    if (!text) return failure_set(failure, VIRGA_UNSUPPORTED, "its time coordinate %.60s has no units", v->name);
    if (cf_calendar_parse(name, calendar)) return failure_set(failure, VIRGA_UNSUPPORTED, "its calendar \"%.40s\" is not known", name);
    if (cf_time_units_parse(text, *calendar, units)) return failure_set(failure, VIRGA_UNSUPPORTED, "its time units \"%.60s\" are not understood", text);
    int status = cf_file_numbers(file->source, (size_t)variable, TIMES_MAX, seconds, count, failure);
    for (size_t n = 0; !status && n < *count; n++) (*seconds)[n] = cf_time_seconds(units, (*seconds)[n]);
    return status;
}

// Reference times by a forecast_reference_time coordinate, else by forecast_period. False: unknown.
static bool find_runs(struct cf_file *file, struct cf_time_axis *axis) {
    double *values = NULL, scale, offset;
    size_t count = 0;
    bool found = false;
    if (axis->reference != CF_NO_VARIABLE) {
        enum cf_calendar calendar;
        struct cf_time_units units;
        if (read_times(file, axis->reference, &calendar, &units, &values, &count, NULL) == VIRGA_OK && calendar == axis->calendar)
            found = count == 1 || count == axis->count;
        for (size_t n = 0; found && n < axis->count; n++) axis->run[n] = values[count == 1 ? 0 : n];
    } else if (axis->period != CF_NO_VARIABLE) {
        const char *units = cf_text(cf_file_variable(file, (size_t)axis->period), "units");
        found = units && cf_units_convert(units, "s", &scale, &offset) == VIRGA_OK &&
                cf_file_numbers(file->source, (size_t)axis->period, TIMES_MAX, &values, &count, NULL) == VIRGA_OK &&
                (count == 1 || count == axis->count) && (count == 1 ? axis->count == 1 : true);
        for (size_t n = 0; found && n < axis->count; n++) axis->run[n] = round((axis->seconds[n] - values[n] * scale) * 1000) / 1000;
    }
    free(values);
    return found;
}

static int fill(struct cf_file *file, struct cf_time_axis *axis, int dimension, struct failure *failure) {
    struct cf_time_units units;
    if (axis->time == CF_NO_VARIABLE) return failure_set(failure, VIRGA_UNSUPPORTED, "its time dimension has no coordinate");
    int status = read_times(file, axis->time, &axis->calendar, &units, &axis->seconds, &axis->count, failure);
    if (status) return status;
    size_t expected = dimension >= 0 ? source_inventory(file->source)->dimensions[dimension].length : 1;
    if (axis->count != expected) return failure_set(failure, VIRGA_UNSUPPORTED, "its time coordinate has %zu values for %zu steps", axis->count, expected);
    if (axis->count == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "its time dimension has no steps");
    if (!(axis->run = calloc(axis->count, sizeof *axis->run))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    double first = INFINITY;
    for (size_t n = 0; n < axis->count; n++)
        if (axis->seconds[n] < first) first = axis->seconds[n];
    if (!isfinite(first)) return failure_set(failure, VIRGA_UNSUPPORTED, "its times are all missing or out of range");
    if (find_runs(file, axis)) return VIRGA_OK;
    // "hours since" the run's own start is the habit of GRIB readers; an epoch long ago is only an epoch. One time at the
    // epoch itself says nothing.
    bool by_epoch = first >= units.epoch && first - units.epoch <= longest_lead && (axis->count > 1 || first > units.epoch);
    for (size_t n = 0; n < axis->count; n++) axis->run[n] = by_epoch ? units.epoch : NAN;
    return VIRGA_OK;
}

int cf_time_find(struct cf_file *file, const struct source_variable *v, int dimension, struct failure *failure) {
    int time = find_time(file->source, v, dimension);
    if (time == CF_NO_VARIABLE && dimension < 0) return -1;
    int reference = find_coordinate(file->source, v, dimension, "forecast_reference_time", true);
    int period = find_coordinate(file->source, v, dimension, "forecast_period", true);
    for (size_t n = 0; n < file->time_count; n++) {
        const struct cf_time_axis *t = &file->times[n];
        if (t->time == time && t->reference == reference && t->period == period && time != CF_NO_VARIABLE) return (int)n;
    }
    struct cf_time_axis *grown = cf_grow(file->times, file->time_count, sizeof *grown);
    if (!grown) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    file->times = grown;
    struct cf_time_axis *axis = &grown[file->time_count];
    *axis = (struct cf_time_axis){.time = time, .reference = reference, .period = period};
    axis->refused = fill(file, axis, dimension, &axis->failure) != VIRGA_OK;
    return (int)file->time_count++;
}
