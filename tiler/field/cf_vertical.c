// SPDX-License-Identifier: Apache-2.0
// Vertical coordinates: which kind a dimension's levels are of, and their order upward.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"
#include "field/cf_units.h"

enum { LEVELS_MAX = 4096 };

struct candidate {
    int variable;
    enum cf_vertical_kind kind;
    double scale, offset;  // to metres or Pa
    int sigma, orography;  // hybrid height
    const char *why_not;   // refused, or NULL
};

static bool named(const struct source_variable *v, const char *const *list) {
    for (; *list; list++)
        if (cf_text_is(v, "standard_name", *list) || strcasecmp(cf_base_name(v->name), *list) == 0) return true;
    return false;
}

static bool mentions(const struct source_variable *v, const char *word) {
    return strcasestr(cf_text_or_empty(v, "long_name"), word) || strcasestr(v->name, word);
}

static int find_on_dimension(const struct source *source, size_t dimension, const char *const *names) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t v = 0; v < inventory->variable_count; v++) {
        const struct source_variable *c = &inventory->variables[v];
        if (c->rank == 1 && c->dimensions[0] == dimension && (named(c, names) || (cf_text(c, "long_name") && cf_text_is(c, "long_name", names[0]))))
            return (int)v;
    }
    return CF_NO_VARIABLE;
}

static int find_surface_altitude(const struct source *source) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t v = 0; v < inventory->variable_count; v++)
        if (inventory->variables[v].rank >= 2 && cf_text_is(&inventory->variables[v], "standard_name", "surface_altitude")) return (int)v;
    return CF_NO_VARIABLE;
}

// Hybrid height: by formula_terms, or as Iris writes the Unified Model's, by names.
static bool hybrid_height(const struct source *source, const struct source_variable *c, int index, struct candidate *out) {
    static const char *const sigma[] = {"sigma", NULL};
    bool by_name = cf_text_is(c, "standard_name", "atmosphere_hybrid_height_coordinate");
    bool terms = cf_term(source, c, "formula_terms", "orog") != CF_NO_VARIABLE && cf_term(source, c, "formula_terms", "b") != CF_NO_VARIABLE;
    if (!by_name && !terms && strcmp(cf_base_name(c->name), "level_height") != 0) return false;
    int a = cf_term(source, c, "formula_terms", "a"), b = cf_term(source, c, "formula_terms", "b");
    out->orography = cf_term(source, c, "formula_terms", "orog");
    if (a == CF_NO_VARIABLE) a = index;
    if (b == CF_NO_VARIABLE && c->rank == 1) b = find_on_dimension(source, c->dimensions[0], sigma);
    if (out->orography == CF_NO_VARIABLE) out->orography = find_surface_altitude(source);
    if (b == CF_NO_VARIABLE) return false;
    const struct source_variable *height = &source_inventory(source)->variables[a];
    const char *units = cf_text(height, "units");
    out->variable = a;
    out->sigma = b;
    out->kind = VERTICAL_HYBRID_HEIGHT;
    if (units && (cf_units_convert(units, "m", &out->scale, &out->offset) || out->offset != 0)) return false;
    return true;
}

static bool pressure(const struct source_variable *c, struct candidate *out) {
    const char *units = cf_text(c, "units");
    out->kind = VERTICAL_PRESSURE;
    return units && cf_units_convert(units, "Pa", &out->scale, &out->offset) == VIRGA_OK && out->offset == 0;
}

static bool length(const struct source_variable *c, struct candidate *out) {
    static const char *const sea[] = {"altitude", "geopotential_height", "height_above_geopotential_datum", "height_above_mean_sea_level",
                                      "height_above_reference_ellipsoid", NULL};
    const char *units = cf_text(c, "units");
    if (!units || cf_units_convert(units, "m", &out->scale, &out->offset) || out->offset != 0) return false;
    if (cf_text_is(c, "standard_name", "depth") || cf_text_is(c, "positive", "down")) out->why_not = "its levels are depths below a surface";
    bool above_sea = named(c, sea) || (!cf_text_is(c, "standard_name", "height") && !cf_text_is(c, "datum", "ground") &&
                                       (mentions(c, "sea level") || mentions(c, "altitude") || mentions(c, "msl")));
    out->kind = above_sea ? VERTICAL_ALTITUDE : VERTICAL_HEIGHT;
    return true;
}

static const char *other_kind(const struct source_variable *c) {
    const char *name = cf_text_or_empty(c, "standard_name"), *units = cf_text_or_empty(c, "units");
    if (strstr(name, "sigma") || strstr(name, "ln_pressure") || strstr(units, "sigma") || strstr(units, "hybrid"))
        return "its levels are sigma or hybrid pressure levels, which are not placed yet";
    if (strstr(name, "potential_temperature")) return "its levels are surfaces of potential temperature, which are not placed";
    return NULL;
}

// 2 a kind that tells heights, 1 a kind that is known and refused, 0 nothing.
static int judge(const struct source *source, int index, struct candidate *out) {
    const struct source_variable *c = &source_inventory(source)->variables[index];
    *out = (struct candidate){.variable = index, .scale = 1, .sigma = CF_NO_VARIABLE, .orography = CF_NO_VARIABLE};
    if (c->type > SOURCE_F64) return 0;
    if (hybrid_height(source, c, index, out)) return 4;
    *out = (struct candidate){.variable = index, .scale = 1, .sigma = CF_NO_VARIABLE, .orography = CF_NO_VARIABLE};
    if ((out->why_not = other_kind(c))) return 1;
    if (pressure(c, out)) return 2;
    if (length(c, out)) return out->why_not ? 1 : 3;
    return 0;
}

static bool is_bounds(const struct source *source, const char *name) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t v = 0; v < inventory->variable_count; v++)
        if (cf_text_is(&inventory->variables[v], "bounds", name)) return true;
    return false;
}

static int best_candidate(const struct source *source, int dimension, int scalar, struct candidate *best) {
    const struct source_inventory *inventory = source_inventory(source);
    int best_rank = 0;
    if (dimension < 0) return judge(source, scalar, best);
    int own = cf_coordinate_variable(source, (size_t)dimension);
    if (own != CF_NO_VARIABLE) best_rank = judge(source, own, best);
    // A height dimension's own coordinate stands; other one-dimensional variables on it may tell more than plain numbers.
    for (size_t v = 0; v < inventory->variable_count && (best_rank < 2 || best_rank == 3); v++) {
        const struct source_variable *c = &inventory->variables[v];
        struct candidate one;
        if (c->rank != 1 || c->dimensions[0] != (size_t)dimension || (int)v == own || is_bounds(source, c->name)) continue;
        int rank = judge(source, (int)v, &one);
        if (rank == 4 || (rank > best_rank && best_rank < 2)) *best = one, best_rank = rank;
    }
    return best_rank;
}

static int take_numbers(struct source *source, const struct candidate *c, size_t n, double **a, double **b, struct failure *failure) {
    size_t count = 0;
    int status = cf_file_numbers(source, (size_t)c->variable, LEVELS_MAX, a, &count, failure);
    if (status) return status;
    if (count != n) return failure_set(failure, VIRGA_UNSUPPORTED, "its level coordinate has %zu values for %zu levels", count, n);
    for (size_t k = 0; k < n; k++) {
        (*a)[k] = (*a)[k] * c->scale + c->offset;
        if (!isfinite((*a)[k])) return failure_set(failure, VIRGA_UNSUPPORTED, "its level coordinate has missing values");
        if (c->kind == VERTICAL_PRESSURE && !((*a)[k] > 0)) return failure_set(failure, VIRGA_UNSUPPORTED, "its pressure levels are not above zero");
    }
    if (c->sigma == CF_NO_VARIABLE || c->kind != VERTICAL_HYBRID_HEIGHT) return VIRGA_OK;
    if ((status = cf_file_numbers(source, (size_t)c->sigma, LEVELS_MAX, b, &count, failure))) return status;
    if (count != n) return failure_set(failure, VIRGA_UNSUPPORTED, "its hybrid coefficient b has %zu values for %zu levels", count, n);
    for (size_t k = 0; k < n; k++)
        if (!isfinite((*b)[k]) || fabs((*b)[k]) > 2) return failure_set(failure, VIRGA_UNSUPPORTED, "its hybrid coefficient b is missing or out of range");
    return VIRGA_OK;
}

// Insertion sort: few levels, nearly always in order already.
static int sort_upward(struct cf_vertical *v, double *a, double *b, struct failure *failure) {
    size_t n = v->level_count;
    v->order = calloc(n, sizeof *v->order);
    v->a = calloc(n, sizeof *v->a);
    if (b) v->b = calloc(n, sizeof *v->b);
    if (!v->order || !v->a || (b && !v->b)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    double sign = v->kind == VERTICAL_PRESSURE ? -1 : 1;
    for (size_t k = 0; k < n; k++) {
        size_t at = k;
        for (; at > 0 && sign * a[v->order[at - 1]] > sign * a[k]; at--) v->order[at] = v->order[at - 1];
        v->order[at] = k;
    }
    for (size_t k = 0; k < n; k++) {
        v->a[k] = a[v->order[k]];
        if (b) v->b[k] = b[v->order[k]];
        if (k > 0 && v->a[k] == v->a[k - 1]) return failure_set(failure, VIRGA_UNSUPPORTED, "it has the level %g twice", v->a[k]);
    }
    return VIRGA_OK;
}

static int fill(struct cf_file *file, struct cf_vertical *v, struct failure *failure) {
    struct candidate best = {0};
    double *a = NULL, *b = NULL;
    int rank = best_candidate(file->source, v->dimension, v->coordinate, &best), status;
    if (rank == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are plain numbers: no height, pressure or hybrid height tells where they are");
    if (best.why_not) return failure_set(failure, VIRGA_UNSUPPORTED, "%s", best.why_not);
    v->coordinate = best.variable;
    v->kind = best.kind;
    v->orography = best.orography;
    if (v->level_count > LEVELS_MAX) return failure_set(failure, VIRGA_UNSUPPORTED, "it has more than %d levels", LEVELS_MAX);
    if (!(status = take_numbers(file->source, &best, v->level_count, &a, &b, failure))) status = sort_upward(v, a, b, failure);
    free(a);
    free(b);
    v->key = XXH3_64bits_withSeed(v->a ? v->a : (double[1]){0}, v->a ? v->level_count * sizeof *v->a : 0, (uint64_t)v->kind + 1);
    if (v->b) v->key = XXH3_64bits_withSeed(v->b, v->level_count * sizeof *v->b, v->key);
    return status;
}

int cf_vertical_find(struct cf_file *file, const struct source_variable *variable, int dimension, int scalar, struct failure *failure) {
    (void)variable;
    for (size_t n = 0; n < file->vertical_count; n++)
        if (dimension >= 0 ? file->verticals[n].dimension == dimension : file->verticals[n].dimension < 0 && file->verticals[n].coordinate == scalar)
            return (int)n;
    struct cf_vertical *grown = cf_grow(file->verticals, file->vertical_count, sizeof *grown);
    if (!grown) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    file->verticals = grown;
    struct cf_vertical *v = &grown[file->vertical_count];
    v->dimension = dimension;
    v->coordinate = scalar;
    v->orography = CF_NO_VARIABLE;
    v->level_count = dimension >= 0 ? source_inventory(file->source)->dimensions[dimension].length : 1;
    int status = fill(file, v, &v->failure);
    if (status == VIRGA_NO_MEMORY) failure_set(failure, status, "out of memory");
    v->refused = status != VIRGA_OK;
    return status == VIRGA_NO_MEMORY ? status : (int)file->vertical_count++;
}
