// SPDX-License-Identifier: Apache-2.0
// Vertical coordinates: which kind a dimension's levels are of, and their order upward.
#include "field/cf_vertical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "field/cf_helpers.h"
#include "field/cf_units.h"
#include "field/cf_vertical_private.h"

static bool named(const struct source_variable *v, const char *const *list) {
    for (; *list; list++)
        if (cf_text_is(v, "standard_name", *list) || strcasecmp(cf_base_name(v->name), *list) == 0) return true;
    return false;
}

static bool mentions(const struct source_variable *v, const char *word) {
    return strcasestr(cf_text_or_empty(v, "long_name"), word) || strcasestr(v->name, word);
}

int cf_vertical_on_dimension(const struct source *source, int dimension, const char *const *names) {
    const struct source_inventory *inventory = source_inventory(source);
    for (; dimension >= 0 && *names; names++)
        for (size_t v = 0; v < inventory->variable_count; v++) {
            const struct source_variable *c = &inventory->variables[v];
            bool here = c->rank == 1 && c->dimensions[0] == (size_t)dimension && c->type <= SOURCE_F64;
            if (here && (strcasecmp(cf_base_name(c->name), *names) == 0 || cf_text_is(c, "standard_name", *names) || cf_text_is(c, "long_name", *names))) return (int)v;
        }
    return CF_NO_VARIABLE;
}

int cf_vertical_numbers(struct cf_file *file, const struct cf_vertical *v, int index, double scale, double **numbers, struct failure *failure) {
    size_t count = 0;
    const char *name = cf_base_name(cf_file_variable(file, (size_t)index)->name);
    int status = cf_file_numbers(file->source, (size_t)index, VERTICAL_LEVELS_MAX, numbers, &count, failure);
    if (status) return status;
    if (count != v->level_count) return failure_set(failure, VIRGA_UNSUPPORTED, "its level coordinate has %zu values for %zu levels", count, v->level_count);
    for (size_t k = 0; k < count; k++) {
        if (!isfinite((*numbers)[k])) return failure_set(failure, VIRGA_UNSUPPORTED, "its level coordinate %.60s has missing values", name);
        (*numbers)[k] *= scale;
    }
    return VIRGA_OK;
}

// --- levels told by one number each ------------------------------------------------------------------------------------

// Whether these are the usual pressures in hPa: round ones, and not the numbers of model levels.
static bool are_usual_pressures(const double *values, size_t n) {
    double highest = 0;
    for (size_t k = 0; k < n; k++) {
        bool high_up = values[k] == 1 || values[k] == 2 || values[k] == 3 || values[k] == 5 || values[k] == 7;
        if (!(values[k] > 0) || values[k] > 1100 || !(high_up || fmod(values[k], values[k] < 100 ? 10 : 25) == 0)) return false;
        highest = fmax(highest, values[k]);
    }
    return highest >= 200;
}

// Pa for each unit of a coordinate that has no units but a name of pressure levels and their numbers; 0 for any other.
static double habitual_pressure(struct cf_file *file, const struct source_variable *c, int index) {
    static const char *const sure[] = {"plev", "plevs", "pressure", "pressure_level", "pressure_levels", "isobaric", "isobaricInhPa",
                                       "air_pressure", "pres", NULL};
    static const char *const maybe[] = {"level", "levels", "lev", NULL}, *const others[] = {"height", "altitude", "hybrid", "sigma", "model", NULL};
    const bool is_pressure = named(c, sure) || mentions(c, "pressure") || mentions(c, "isobaric");
    const char *units = cf_text_or_empty(c, "units");
    double *values = NULL, scale = 0, highest = 0;
    size_t n = 0;
    if ((*units && strcmp(units, "1") != 0) || !(is_pressure || named(c, maybe))) return 0;
    for (const char *const *word = others; *word; word++)
        if (mentions(c, *word)) return 0;
    if (cf_file_numbers(file->source, (size_t)index, VERTICAL_LEVELS_MAX, &values, &n, NULL)) return 0;
    for (size_t k = 0; k < n; k++) highest = fmax(highest, values[k]);
    if (are_usual_pressures(values, n)) scale = 100;
    else if (is_pressure && highest > 2000 && highest < 120000) scale = 1;
    free(values);
    return scale;
}

static int plain_pressure(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    double scale, offset;
    const struct source_variable *c = cf_file_variable(file, (size_t)index);
    if (cf_units_convert(cf_units_of(c), "Pa", &scale, &offset) || offset != 0) {
        if (!((scale = habitual_pressure(file, c, index)) > 0)) return VERTICAL_IS_NOT;
        v->assumed = scale == 100 ? "its levels, which have no units, taken for hPa" : "its levels, which have no units, taken for Pa";
    }
    int status = cf_vertical_numbers(file, v, index, scale, &v->a, failure);
    if (status) return status;
    for (size_t k = 0; k < v->level_count; k++)
        if (!(v->a[k] > 0)) return failure_set(failure, VIRGA_UNSUPPORTED, "its pressure levels are not above zero");
    v->kind = VERTICAL_PRESSURE;
    v->name = "pressure";
    v->coordinate = index;
    return VERTICAL_IS;
}

static int plain_height(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    static const char *const sea[] = {"altitude", "geopotential_height", "height_above_geopotential_datum", "height_above_mean_sea_level",
                                      "height_above_reference_ellipsoid", NULL};
    double scale, offset;
    const struct source_variable *c = cf_file_variable(file, (size_t)index);
    if (cf_units_convert(cf_units_of(c), "m", &scale, &offset) || offset != 0) return VERTICAL_IS_NOT;
    if (cf_text_is(c, "standard_name", "depth") || cf_text_is(c, "positive", "down"))
        return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are depths below a surface");
    int status = cf_vertical_numbers(file, v, index, scale, &v->a, failure);
    if (status) return status;
    bool above_sea = named(c, sea) || (!cf_text_is(c, "standard_name", "height") && !cf_text_is(c, "datum", "ground") &&
                                       (mentions(c, "sea level") || mentions(c, "altitude") || mentions(c, "msl")));
    v->kind = above_sea ? VERTICAL_ALTITUDE : VERTICAL_HEIGHT;
    v->name = above_sea ? "altitude" : "height";
    v->coordinate = index;
    return VERTICAL_IS;
}

// What is known and cannot be placed is named.
static int other_kind(struct cf_file *file, int index, struct failure *failure) {
    const struct source_variable *c = cf_file_variable(file, (size_t)index);
    const char *name = cf_text_or_empty(c, "standard_name"), *units = cf_units_of(c);
    if (strstr(name, "sigma") || strstr(units, "sigma") || strstr(units, "hybrid"))
        return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are sigma or hybrid levels, and their coefficients are not in the file");
    if (strstr(name, "ln_pressure")) return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are logarithms of pressure, and the reference pressure p0 is not in the file");
    if (strstr(name, "potential_temperature"))
        return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are surfaces of potential temperature, which are not placed");
    return VERTICAL_IS_NOT;
}

// --- which of the variables on a dimension tells its levels ------------------------------------------------------------

typedef int (*recognise)(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure);

static void forget(struct cf_vertical *v) {
    free(v->a);
    free(v->b);
    free(v->c);
    free(v->half_a);
    free(v->half_b);
    free(v->order);
    v->a = v->b = v->c = v->half_a = v->half_b = NULL;
    v->order = NULL;
    v->orography = v->smooth = v->surface_pressure = CF_NO_VARIABLE;
    v->field = (struct cf_level_field){.variables = {CF_NO_VARIABLE, CF_NO_VARIABLE}};
    v->name = v->assumed = NULL;
}

static int attempt(struct cf_file *file, struct cf_vertical *v, int index, recognise kind, struct failure *why) {
    struct failure failure = {0};
    if (cf_file_variable(file, (size_t)index)->type > SOURCE_F64) return VERTICAL_IS_NOT;
    int status = kind(file, v, index, &failure);
    if (status == VERTICAL_IS) return status;
    forget(v);
    if (status < 0 && !why->status) *why = failure;
    return status == VIRGA_NO_MEMORY ? status : VERTICAL_IS_NOT;
}

static bool is_bounds(const struct source *source, const char *name) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t v = 0; v < inventory->variable_count; v++)
        if (cf_text_is(&inventory->variables[v], "bounds", name)) return true;
    return false;
}

// Tries a kind on the dimension's own coordinate first, then on other one-dimensional variables that stand on it.
static int attempt_all(struct cf_file *file, struct cf_vertical *v, int own, recognise kind, struct failure *why) {
    const struct source_inventory *inventory = source_inventory(file->source);
    int status = own != CF_NO_VARIABLE ? attempt(file, v, own, kind, why) : VERTICAL_IS_NOT;
    for (size_t n = 0; v->dimension >= 0 && !status && n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        if (c->rank != 1 || c->dimensions[0] != (size_t)v->dimension || (int)n == own || is_bounds(file->source, c->name)) continue;
        status = attempt(file, v, (int)n, kind, why);
    }
    return status;
}

static int find_kind(struct cf_file *file, struct cf_vertical *v, const struct source_variable *of, struct failure *why) {
    // Coordinates with coefficients tell more than the plain numbers beside them.
    static const recognise rich[] = {cf_vertical_hybrid_height, cf_vertical_hybrid_pressure, cf_vertical_sleve, cf_vertical_ln_pressure, cf_vertical_sigma};
    static const recognise plain[] = {plain_pressure, plain_height};
    int own = v->dimension >= 0 ? cf_coordinate_variable(file->source, (size_t)v->dimension) : v->coordinate, status = VERTICAL_IS_NOT;
    for (size_t n = 0; !status && n < sizeof rich / sizeof *rich; n++) status = attempt_all(file, v, own, rich[n], why);
    if (!status && !why->status && own != CF_NO_VARIABLE)
        for (size_t n = 0; !status && n < 2; n++) status = attempt(file, v, own, plain[n], why);
    if (!status && v->dimension >= 0) {
        struct failure field_why = {0};
        status = cf_vertical_field(file, v, of, &field_why);
        if (status < 0) forget(v);
        if (status < 0 && !why->status) *why = field_why;
        status = status == VERTICAL_IS || status == VIRGA_NO_MEMORY ? status : VERTICAL_IS_NOT;
    }
    for (size_t n = 0; !status && !why->status && n < 2; n++) status = attempt_all(file, v, own, plain[n], why);
    if (!status && !why->status && own != CF_NO_VARIABLE) other_kind(file, own, why);
    return status;
}

// --- order -------------------------------------------------------------------------------------------------------------

// Rises with height, over ground at sea level.
static double upward(const struct cf_vertical *v, size_t k) {
    switch (v->kind) {
        case VERTICAL_PRESSURE: return -v->a[k];
        case VERTICAL_HYBRID_PRESSURE: return -(v->a[k] + v->b[k] * 101325);
        default: return v->a[k];
    }
}

static double *in_order(double *numbers, const size_t *order, size_t n, size_t each) {
    double *sorted = numbers ? malloc(n * each * sizeof *sorted) : NULL;
    for (size_t k = 0; sorted && k < n; k++) memcpy(sorted + k * each, numbers + order[k] * each, each * sizeof *sorted);
    free(numbers);
    return sorted;
}

// Insertion sort: few levels, nearly always in order already.
static int sort_upward(struct cf_vertical *v, struct failure *failure) {
    size_t n = v->level_count;
    bool had[] = {v->b, v->c, v->half_a, v->half_b};
    if (!(v->order = calloc(n, sizeof *v->order))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t k = 0; k < n; k++) {
        size_t at = k;
        for (; at > 0 && upward(v, v->order[at - 1]) > upward(v, k); at--) v->order[at] = v->order[at - 1];
        v->order[at] = k;
    }
    for (size_t k = 1; k < n; k++)
        if (upward(v, v->order[k]) == upward(v, v->order[k - 1])) return failure_set(failure, VIRGA_UNSUPPORTED, "it has the level %g twice", v->a[v->order[k]]);
    v->a = in_order(v->a, v->order, n, 1);
    v->b = in_order(v->b, v->order, n, 1);
    v->c = in_order(v->c, v->order, n, 1);
    v->half_a = in_order(v->half_a, v->order, n, 2);
    v->half_b = in_order(v->half_b, v->order, n, 2);
    if (!v->a || (had[0] && !v->b) || (had[1] && !v->c) || (had[2] && !v->half_a) || (had[3] && !v->half_b)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    return VIRGA_OK;
}

static uint64_t hash_levels(const struct cf_vertical *v) {
    size_t bytes = v->level_count * sizeof *v->a;
    uint64_t key = XXH3_64bits_withSeed(v->a ? v->a : (double[1]){0}, v->a ? bytes : 0, (uint64_t)v->kind + 1);
    if (v->b) key = XXH3_64bits_withSeed(v->b, bytes, key);
    return v->c ? XXH3_64bits_withSeed(v->c, bytes, key) : key;
}

static int fill(struct cf_file *file, struct cf_vertical *v, const struct source_variable *of, struct failure *failure) {
    if (v->level_count > VERTICAL_LEVELS_MAX) return failure_set(failure, VIRGA_UNSUPPORTED, "it has more than %d levels", VERTICAL_LEVELS_MAX);
    struct failure why = {0};
    int status = find_kind(file, v, of, &why);
    if (status < 0) return failure_set(failure, status, "out of memory");
    if (status == VERTICAL_IS_NOT && why.status) return *failure = why, why.status;
    if (status == VERTICAL_IS_NOT)
        return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are plain numbers: no height, pressure or hybrid height tells where they are");
    status = v->order ? VIRGA_OK : sort_upward(v, failure);
    v->key = hash_levels(v);
    return status;
}

int cf_vertical_find(struct cf_file *file, const struct source_variable *variable, int dimension, int scalar, struct failure *failure) {
    for (size_t n = 0; n < file->vertical_count; n++)
        if (dimension >= 0 ? file->verticals[n].dimension == dimension : file->verticals[n].dimension < 0 && file->verticals[n].coordinate == scalar)
            return (int)n;
    struct cf_vertical *grown = cf_grow(file->verticals, file->vertical_count, sizeof *grown);
    if (!grown) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    file->verticals = grown;
    struct cf_vertical *v = &grown[file->vertical_count];
    forget(v);
    v->dimension = dimension;
    v->coordinate = scalar;
    v->level_count = dimension >= 0 ? source_inventory(file->source)->dimensions[dimension].length : 1;
    int status = fill(file, v, variable, &v->failure);
    if (status == VIRGA_NO_MEMORY) failure_set(failure, status, "out of memory");
    v->refused = status != VIRGA_OK;
    file->vertical_count++;
    return status == VIRGA_NO_MEMORY ? status : (int)file->vertical_count - 1;
}

void cf_vertical_destroy(struct cf_vertical *v) { forget(v); }

int cf_vertical_of_levels(const struct cf_vertical *one, const double *levels, size_t count, struct cf_vertical *all) {
    struct failure failure = {0};
    *all = (struct cf_vertical){0};
    forget(all);
    all->dimension = -1;
    all->coordinate = one->coordinate;
    all->kind = one->kind;
    all->name = one->name;
    all->assumed = one->assumed;
    all->level_count = count;
    if (!(all->a = malloc(count * sizeof *all->a))) return VIRGA_NO_MEMORY;
    memcpy(all->a, levels, count * sizeof *all->a);
    if (sort_upward(all, &failure)) {
        forget(all);
        return VIRGA_NO_MEMORY;
    }
    for (size_t k = 0; k < count; k++) all->order[k] = k;
    all->key = hash_levels(all);
    return VIRGA_OK;
}

// --- levels of two variables -------------------------------------------------------------------------------------------

static bool near(double a, double b, double least) { return fabs(a - b) <= 1e-5 * fabs(a) + least; }

static bool same_level(const struct cf_vertical *mine, size_t k, const struct cf_vertical *theirs, size_t at) {
    double least = mine->kind == VERTICAL_HYBRID_PRESSURE ? 1e-3 : 0;
    return near(mine->a[k], theirs->a[at], least) && (!mine->b || near(mine->b[k], theirs->b[at], 1e-7)) && (!mine->c || near(mine->c[k], theirs->c[at], 1e-7));
}

bool cf_vertical_match(const struct cf_vertical *mine, const struct cf_vertical *their_levels, size_t *theirs) {
    size_t at = 0;
    if (mine->refused || their_levels->refused || mine->kind != their_levels->kind) return false;
    if ((mine->b != NULL) != (their_levels->b != NULL) || (mine->c != NULL) != (their_levels->c != NULL)) return false;
    if (mine->kind == VERTICAL_FIELD && (mine->field.pressure != their_levels->field.pressure || mine->level_count != their_levels->level_count)) return false;
    for (size_t k = 0; k < mine->level_count; k++) {
        while (at < their_levels->level_count && !same_level(mine, k, their_levels, at)) at++;
        if (at == their_levels->level_count) return false;
        theirs[k] = at;
    }
    return true;
}
