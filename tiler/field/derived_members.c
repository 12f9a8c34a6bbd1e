// SPDX-License-Identifier: Apache-2.0
// Mean and spread of an ensemble, for every variable that has members. Members are read one after the other, box by box.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_units.h"
#include "field/derived.h"

// Sums over members, a number each place.
struct member_sums {
    size_t size;
    double *means, *squares;  // squares: of deviations, NULL where only the mean is wanted
    unsigned short *present;
};

static void member_sums_destroy(struct member_sums *sums) {
    free(sums->means);
    free(sums->squares);
    free(sums->present);
    *sums = (struct member_sums){0};
}

static int member_sums_init(struct member_sums *sums, size_t size, bool squares) {
    *sums = (struct member_sums){.size = size, .means = calloc(size, sizeof(double)), .present = calloc(size, sizeof(unsigned short))};
    if (squares) sums->squares = calloc(size, sizeof(double));
    if (sums->means && sums->present && (sums->squares || !squares)) return VIRGA_OK;
    member_sums_destroy(sums);
    return VIRGA_NO_MEMORY;
}

// Welford's recurrence (Technometrics 4, 1962, 419-420): large means do not eat small deviations.
static void member_sums_add(struct member_sums *sums, const double *values) {
    for (size_t n = 0; n < sums->size; n++) {
        if (isnan(values[n])) continue;
        double away = values[n] - sums->means[n];
        sums->means[n] += away / ++sums->present[n];
        if (sums->squares) sums->squares[n] += away * (values[n] - sums->means[n]);
    }
}

// Absent where fewer than half of the members are present.
static void member_sums_mean(const struct member_sums *sums, size_t members, double *values) {
    for (size_t n = 0; n < sums->size; n++) values[n] = sums->present[n] > 0 && 2u * sums->present[n] >= members ? sums->means[n] : NAN;
}

static void member_sums_spread(const struct member_sums *sums, size_t members, double *values) {
    for (size_t n = 0; n < sums->size; n++) {
        unsigned present = sums->present[n];
        values[n] = present > 1 && 2 * present >= members ? sqrt(sums->squares[n] / (present - 1)) : NAN;
    }
}

int field_read_members(const struct field_ref *field, const struct field_box *box, bool spread, double *values, struct failure *failure) {
    size_t members = field->dataset->variables[field->variable].member_count;
    size_t there = 0;  // a lagged ensemble's run has only some
    struct field_ref member = *field;
    struct member_sums sums;
    int status = VIRGA_OK;
    if (member_sums_init(&sums, box->nx * box->ny * box->nz, spread)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (member.member = 0; !status && member.member < members; member.member++) {
        if (!catalog_has_member(&member)) continue;
        there++;
        status = field_read(&member, box, values, failure);
        if (!status) member_sums_add(&sums, values);
    }
    if (!status && spread) member_sums_spread(&sums, there, values);
    else if (!status) member_sums_mean(&sums, there, values);
    member_sums_destroy(&sums);
    return status;
}

static int read_mean(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    struct field_ref input = field_input(field, false);
    return field_read_members(&input, box, false, values, failure);
}

static int read_spread(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    struct field_ref input = field_input(field, false);
    return field_read_members(&input, box, true, values, failure);
}

const struct derived_kind derived_member_mean = {"member mean", 1, true, "mean", NULL, read_mean};
const struct derived_kind derived_member_spread = {"member spread", 1, true, "spread", NULL, read_spread};

// Directions go round: between 350 and 10 degrees lies 0. An angle without a name may be one.
static bool goes_round(const struct catalog_variable *v) {
    if (v->from->derived == &derived_wind_direction) return true;
    if (*v->standard_name) return strstr(v->standard_name, "direction") || strstr(v->standard_name, "azimuth") || strstr(v->standard_name, "longitude");
    return strncasecmp(v->units, "degree", 6) == 0 && cf_units_dimensionless(v->units);
}

// Codes stand for kinds, which have no mean.
static bool has_categories(const struct catalog_dataset *d, const struct catalog_variable *v) {
    for (size_t r = 0; !v->derived && r < d->run_count; r++)
        if (v->from->runs[r].step_count > 0) return v->from->runs[r].steps[0].variable->categories;
    return false;
}

// But for those that the dataset has by itself: an engine may have computed them on its cluster.
static int add_statistics(struct catalog_dataset *d, int index) {
    const struct catalog_variable v = d->variables[index];  // a copy: adding moves the variables, not their texts
    char name[2][SOURCE_MAX_NAME + 16], long_name[2][1200];
    char words[512];
    snprintf(words, sizeof words, "%s", *v.standard_name ? v.standard_name : v.name);
    for (char *c = words; *c; c++)
        if (*c == '_') *c = ' ';
    const char *called = *v.long_name && !v.derived ? v.long_name : words;
    snprintf(name[0], sizeof name[0], "%s_mean", v.name);
    snprintf(name[1], sizeof name[1], "%s_spread", v.name);
    snprintf(long_name[0], sizeof long_name[0], "%.1000s, mean of %zu members", called, v.member_count);
    snprintf(long_name[1], sizeof long_name[1], "%.1000s, standard deviation of %zu members (n - 1)", called, v.member_count);
    const char *of_difference = strcmp(cf_units_canonical(v.units), "degC") == 0 ? "K" : v.units;
    struct derived_texts mean = {name[0], v.standard_name, long_name[0], v.units}, spread = {name[1], "", long_name[1], of_difference};
    int status = derived_name_is_taken(d, name[0]) ? VIRGA_OK : derived_add(d, &derived_member_mean, index, NO_VARIABLE, &mean, NULL);
    if (status || derived_name_is_taken(d, name[1])) return status;
    return derived_add(d, &derived_member_spread, index, NO_VARIABLE, &spread, NULL);
}

int derived_add_member_statistics(struct catalog_dataset *d) {
    int status = VIRGA_OK;
    for (size_t n = 0, count = d->variable_count; !status && n < count; n++)
        if (d->variables[n].member_count > 1 && !d->variables[n].hidden && !goes_round(&d->variables[n]) &&
            !has_categories(d, &d->variables[n]))
            status = add_statistics(d, (int)n);
    return status;
}
