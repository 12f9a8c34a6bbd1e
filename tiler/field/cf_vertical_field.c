// SPDX-License-Identifier: Apache-2.0
// Levels whose heights or pressures stand in variables of two or more dimensions.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_helpers.h"
#include "field/cf_units.h"
#include "field/cf_vertical_private.h"
#include "field/cf_wrf.h"
#include "field/hydrostatic.h"

struct field_name { const char *name; bool pressure, above_ground; };

// In order of preference.
static const struct field_name standard_names[] = {
    {"altitude", false, false}, {"geopotential_height", false, false}, {"geopotential", false, false}, {"height_above_mean_sea_level", false, false},
    {"height_above_geopotential_datum", false, false}, {"height_above_reference_ellipsoid", false, false},
    // Names that ICON and GEOS write, though CF has none of them.
    {"geometric_height_at_full_level_center", false, false}, {"geometric_height_at_half_level_center", false, false}, {"mid_layer_heights", false, false},
    {"height", false, true}, {"air_pressure", true, false}, {"mid_level_pressure", true, false}, {NULL, false, false}};
static const struct field_name habits[] = {
    {"z_mc", false, false}, {"hhl", false, false}, {"z_ifc", false, false}, {"zg", false, false}, {"gh", false, false}, {"hgt", false, false}, {"altitude", false, false},
    {"geopotential_height", false, false}, {"height_agl", false, true}, {"pressure", true, false}, {"pres", true, false}, {"p", true, false}, {NULL, false, false}};

static int position_of(const struct source_variable *v, size_t dimension) {
    for (int d = 0; d < v->rank; d++)
        if (v->dimensions[d] == dimension) return d;
    return -1;
}

static bool shares(const struct source_variable *v, const struct source_variable *of, int but) {
    int shared = 0;
    for (int d = 0; d < of->rank; d++)
        if (d != but && position_of(v, of->dimensions[d]) >= 0) shared++;
    return shared >= 2;  // both horizontal axes
}

// The dimension of v's levels when it can tell those of `of`: the same; one of equal numbers; or one longer (half levels).
static int level_position(const struct cf_file *file, const struct cf_vertical *levels, const struct source_variable *v, const struct source_variable *of, bool *halves) {
    const struct source_inventory *inventory = source_inventory(file->source);
    int mine = position_of(of, (size_t)levels->dimension), same = position_of(v, (size_t)levels->dimension);
    *halves = false;
    if (v->rank < 3 || v->type > SOURCE_F64 || !shares(v, of, mine)) return -1;
    if (same >= 0) return same;
    for (int d = 0; d < v->rank; d++) {
        size_t length = inventory->dimensions[v->dimensions[d]].length;
        if (position_of(of, v->dimensions[d]) >= 0) continue;
        if (length == levels->level_count + 1) return *halves = true, d;
        int a = cf_coordinate_variable(file->source, v->dimensions[d]), b = cf_coordinate_variable(file->source, (size_t)levels->dimension);
        if (length != levels->level_count || a < 0 || b < 0) continue;
        double *x = NULL, *y = NULL;
        size_t m = 0, n = 0;
        bool equal = !cf_file_numbers(file->source, (size_t)a, VERTICAL_LEVELS_MAX, &x, &m, NULL) && !cf_file_numbers(file->source, (size_t)b, VERTICAL_LEVELS_MAX, &y, &n, NULL) && m == n;
        for (size_t k = 0; equal && k < n; k++) equal = x[k] == y[k];
        free(x);
        free(y);
        if (equal) return d;
    }
    return -1;
}

static bool has_name(const struct source_variable *v, const struct field_name *name, bool standard) {
    const char *have = cf_text(v, "standard_name");
    if (standard) return have && strcasecmp(have, name->name) == 0;
    return (!have || !*have) && strcasecmp(cf_base_name(v->name), name->name) == 0;
}

static bool scale_of(const struct source_variable *v, bool pressure, double *factor) {
    double offset;
    const char *units = cf_units_of(v);
    if (cf_units_convert(units, pressure ? "Pa" : "m", factor, &offset) == VIRGA_OK) return offset == 0;
    if (pressure || cf_units_convert(units, "m2 s-2", factor, &offset) || offset != 0) return false;
    *factor /= HYDROSTATIC_GRAVITY;
    return true;
}

// A pair of WRF's whose sum tells where its levels are.
static int find_wrf_pair(const struct cf_file *file, struct cf_vertical *levels, const char *perturbation, const char *base, double factor, bool pressure, int *position) {
    const struct source_inventory *inventory = source_inventory(file->source);
    int a = cf_find_variable(file->source, NULL, perturbation, strlen(perturbation)), b = cf_find_variable(file->source, NULL, base, strlen(base));
    if (a == CF_NO_VARIABLE || b == CF_NO_VARIABLE || inventory->variables[a].type > SOURCE_F64 || inventory->variables[b].type > SOURCE_F64) return CF_NO_VARIABLE;
    const struct source_variable *v = &inventory->variables[a], *too = &inventory->variables[b];
    bool alike = v->rank == too->rank && memcmp(v->dimensions, too->dimensions, (size_t)v->rank * sizeof *v->dimensions) == 0;
    for (int d = 0; alike && d < v->rank; d++) {
        size_t length = inventory->dimensions[v->dimensions[d]].length;
        bool same = v->dimensions[d] == (size_t)levels->dimension;
        if (!same && (pressure || cf_wrf_role(file->source, v->dimensions[d]) != ROLE_Z || length != levels->level_count + 1)) continue;
        *position = d;
        levels->field = (struct cf_level_field){{a, b}, factor, pressure, false, !same};
        return a;
    }
    return CF_NO_VARIABLE;
}

// Its geopotential stands on the half levels, for a gravity of 9.81 m/s2; its pressure on the levels themselves.
static int find_wrf_field(const struct cf_file *file, struct cf_vertical *levels, int *position) {
    int found = find_wrf_pair(file, levels, "PH", "PHB", 1 / 9.81, false, position);
    return found != CF_NO_VARIABLE ? found : find_wrf_pair(file, levels, "P", "PB", 1, true, position);
}

static int find_field(const struct cf_file *file, struct cf_vertical *levels, const struct source_variable *of, int *position) {
    const struct source_inventory *inventory = source_inventory(file->source);
    for (int pass = 0; pass < 4; pass++)  // by standard name, then by habit; whole levels before half levels
        for (const struct field_name *name = pass % 2 ? habits : standard_names; name->name; name++)
            for (size_t n = 0; n < inventory->variable_count; n++) {
                const struct source_variable *v = &inventory->variables[n];
                bool halves;
                double factor;
                if (!has_name(v, name, pass % 2 == 0) || !scale_of(v, name->pressure, &factor) || (*position = level_position(file, levels, v, of, &halves)) < 0) continue;
                if (halves != (pass >= 2)) continue;
                levels->field = (struct cf_level_field){{(int)n, CF_NO_VARIABLE}, factor, name->pressure, name->above_ground, halves};
                return (int)n;
            }
    return CF_NO_VARIABLE;
}

// One column of the field, in the middle of everything else: which way its levels go.
static int read_column(const struct cf_file *file, int index, int position, double *column, size_t n, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(file->source);
    const struct source_variable *v = &inventory->variables[index];
    struct source_slab_request request = {.variable = (size_t)index, .rank = v->rank, .scale = 1};
    struct source_slab slab = {0};
    struct cf_packing packing;
    if (cf_packing_init(&packing, v)) return failure_set(failure, VIRGA_UNSUPPORTED, "%.60s, which tells its levels, does not hold numbers", v->name);
    for (int d = 0; d < v->rank; d++) {
        size_t length = inventory->dimensions[v->dimensions[d]].length;
        if (length == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "%.60s, which tells its levels, is empty", v->name);
        request.block[d] = request.count[d] = 1;
        request.start[d] = d == position ? 0 : d >= v->rank - 2 ? length / 2 : 0;
    }
    request.count[position] = n;
    int status = source_read(file->source, &request, &slab, failure);
    if (!status && slab.bytes < n * source_type_size(v->type)) status = failure_set(failure, VIRGA_INTERNAL, "a short answer for %.80s", v->name);
    if (!status) cf_packing_decode(&packing, slab.data, 1, n, column);
    source_slab_release(&slab);
    return status;
}

// Upward or downward, as a whole.
static int order_levels(struct cf_vertical *v, const double *column, size_t n, struct failure *failure) {
    double first = NAN, last = NAN;
    for (size_t k = 0; k < n; k++)
        if (isfinite(column[k])) last = column[k], first = isnan(first) ? last : first;
    if (!(first != last) || isnan(first)) return failure_set(failure, VIRGA_UNSUPPORTED, "the %s that should tell its levels are missing, or the same at all of them", v->field.pressure ? "pressures" : "heights");
    bool up = (last > first) != v->field.pressure;
    for (size_t k = 0; k < v->level_count; k++) v->order[k] = up ? k : v->level_count - 1 - k;
    return VIRGA_OK;
}

// The levels' numbers where a coordinate has them, else their places.
static void number_levels(struct cf_file *file, struct cf_vertical *v) {
    double *numbers = NULL;
    int own = cf_coordinate_variable(file->source, (size_t)v->dimension);
    if (own != CF_NO_VARIABLE && cf_vertical_numbers(file, v, own, 1, &numbers, NULL)) {
        free(numbers);
        numbers = NULL;
    }
    for (size_t k = 0; k < v->level_count; k++) v->a[k] = numbers ? numbers[v->order[k]] : (double)v->order[k];
    free(numbers);
    v->coordinate = own;
}

int cf_vertical_field(struct cf_file *file, struct cf_vertical *v, const struct source_variable *of, struct failure *failure) {
    int position, index = file->wrf ? find_wrf_field(file, v, &position) : find_field(file, v, of, &position);
    if (index == CF_NO_VARIABLE) return VERTICAL_IS_NOT;
    size_t n = v->level_count + (v->field.halves ? 1 : 0);
    double *column = malloc(n * sizeof *column), *second = malloc(n * sizeof *second);
    v->order = calloc(v->level_count, sizeof *v->order);
    v->a = calloc(v->level_count, sizeof *v->a);
    int status = column && second && v->order && v->a ? read_column(file, index, position, column, n, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status && v->field.variables[1] != CF_NO_VARIABLE) status = read_column(file, v->field.variables[1], position, second, n, failure);
    for (size_t k = 0; !status && v->field.variables[1] != CF_NO_VARIABLE && k < n; k++) column[k] += second[k];
    if (!status) status = order_levels(v, column, n, failure);
    free(column);
    free(second);
    if (status) return status;
    number_levels(file, v);
    v->kind = VERTICAL_FIELD;
    v->name = file->wrf ? "wrf_eta" : v->field.pressure ? "pressure_field" : "height_field";
    v->orography = CF_NO_VARIABLE;
    return VERTICAL_IS;
}
