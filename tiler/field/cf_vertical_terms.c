// SPDX-License-Identifier: Apache-2.0
// Levels told by coefficients: the parametric coordinates of CF's appendix D, by formula_terms or by the habits of models.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_helpers.h"
#include "field/cf_units.h"
#include "field/cf_vertical_private.h"

static const double usual_p0 = 100000;

static const struct source_variable *at(const struct cf_file *file, int index) { return cf_file_variable(file, (size_t)index); }

static int find_by_text(const struct source *source, const struct source_variable *from, const char *name) {
    return name && *name ? cf_find_variable(source, from, name, strlen(name)) : CF_NO_VARIABLE;
}

static int term(const struct cf_file *file, int index, const char *name) { return cf_term(file->source, at(file, index), "formula_terms", name); }

// A term by formula_terms, else by an attribute that names a variable ("A_var"), else a variable of one of these names.
static int term_or_habit(const struct cf_file *file, int index, const char *name, const char *attribute, const char *const *names) {
    int found = name ? term(file, index, name) : CF_NO_VARIABLE;
    if (found == CF_NO_VARIABLE && attribute) found = find_by_text(file->source, at(file, index), cf_text(at(file, index), attribute));
    for (; found == CF_NO_VARIABLE && names && *names; names++) found = find_by_text(file->source, at(file, index), *names);
    return found;
}

// One number of a scalar variable, or of an attribute of the coordinate or the file, in `units`.
static bool one_number(const struct cf_file *file, int variable, const char *units, double *value) {
    double *values = NULL, scale = 1, offset = 0;
    size_t count = 0;
    if (variable == CF_NO_VARIABLE || cf_file_numbers(file->source, (size_t)variable, 1, &values, &count, NULL)) return false;
    bool found = count == 1 && isfinite(values[0]);
    if (found) *value = values[0];
    free(values);
    const char *text = cf_units_of(at(file, variable));
    if (found && *text && cf_units_convert(text, units, &scale, &offset) == VIRGA_OK) *value = *value * scale + offset;
    return found;
}

static bool attribute_number(const struct cf_file *file, int index, const char *const *names, double *value) {
    const struct source_inventory *inventory = source_inventory(file->source);
    for (; *names; names++) {
        if (cf_number(at(file, index), *names, value)) return true;
        const struct source_attribute *a = source_find_attribute(inventory->attributes, inventory->attribute_count, *names);
        if (a && a->numbers && a->count > 0 && isfinite(a->numbers[0])) return *value = a->numbers[0], true;
    }
    return false;
}

static bool is_plane(const struct cf_file *file, int index) { return index != CF_NO_VARIABLE && at(file, index)->rank >= 2; }

static int find_with_helper(const struct cf_file *file, enum cf_helper a, enum cf_helper b) {
    const struct source_inventory *inventory = source_inventory(file->source);
    double scale, offset;
    for (size_t n = 0; n < inventory->variable_count; n++) {
        const struct source_variable *v = &inventory->variables[n];
        if (v->rank < 2 || v->rank > 4 || v->type > SOURCE_F64) continue;
        enum cf_helper helper = cf_helper_of(v, false, false, &scale, &offset);
        if (helper == a || helper == b) return (int)n;
    }
    return CF_NO_VARIABLE;
}

static int find_orography(const struct cf_file *file) {
    const struct source_inventory *inventory = source_inventory(file->source);
    for (size_t v = 0; v < inventory->variable_count; v++)
        if (inventory->variables[v].rank >= 2 && cf_text_is(&inventory->variables[v], "standard_name", "surface_altitude")) return (int)v;
    return find_with_helper(file, HELPER_GROUND, HELPER_GROUND);
}

static int in_range(const double *numbers, size_t n, double low, double high, const char *what, struct failure *failure) {
    for (size_t k = 0; k < n; k++)
        if (!(numbers[k] >= low && numbers[k] <= high)) return failure_set(failure, VIRGA_UNSUPPORTED, "its %s is missing or out of range: %g", what, numbers[k]);
    return VIRGA_OK;
}

// --- hybrid height: a + b orography ------------------------------------------------------------------------------------

// By formula_terms, or as Iris writes the Unified Model's, by names.
int cf_vertical_hybrid_height(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    static const char *const sigma[] = {"sigma", NULL};
    const struct source_variable *c = at(file, index);
    double scale = 1, offset = 0;
    bool by_name = cf_text_is(c, "standard_name", "atmosphere_hybrid_height_coordinate");
    int a = term(file, index, "a"), b = term(file, index, "b");
    v->orography = term(file, index, "orog");
    if (!by_name && (v->orography == CF_NO_VARIABLE || b == CF_NO_VARIABLE) && strcmp(cf_base_name(c->name), "level_height") != 0) return VERTICAL_IS_NOT;
    if (a == CF_NO_VARIABLE) a = index;
    if (b == CF_NO_VARIABLE) b = cf_vertical_on_dimension(file->source, v->dimension, sigma);
    if (v->orography == CF_NO_VARIABLE) v->orography = find_orography(file);
    if (b == CF_NO_VARIABLE) return VERTICAL_IS_NOT;
    const char *units = cf_units_of(at(file, a));
    if (*units && (cf_units_convert(units, "m", &scale, &offset) || offset != 0)) return VERTICAL_IS_NOT;
    v->kind = VERTICAL_HYBRID_HEIGHT;
    v->name = "hybrid_height";
    v->coordinate = index;
    int status = cf_vertical_numbers(file, v, a, scale, &v->a, failure);
    if (!status) status = cf_vertical_numbers(file, v, b, 1, &v->b, failure);
    if (!status) status = in_range(v->b, v->level_count, -2, 2, "hybrid coefficient b", failure);
    return status ? status : VERTICAL_IS;
}

// --- SLEVE: a ztop + b1 zsurf1 + b2 zsurf2 (Schaer et al. 2002; CF, appendix D) -------------------------------------------

int cf_vertical_sleve(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    double top = 0;
    if (!cf_text_is(at(file, index), "standard_name", "atmosphere_sleve_coordinate")) return VERTICAL_IS_NOT;
    int a = term(file, index, "a"), b1 = term(file, index, "b1"), b2 = term(file, index, "b2");
    v->orography = term(file, index, "zsurf1");
    v->smooth = term(file, index, "zsurf2");
    if (a < 0 || b1 < 0 || b2 < 0 || !is_plane(file, v->orography) || !is_plane(file, v->smooth) || !one_number(file, term(file, index, "ztop"), "m", &top))
        return failure_set(failure, VIRGA_UNSUPPORTED, "its SLEVE levels lack one of a, b1, b2, ztop, zsurf1 and zsurf2");
    v->kind = VERTICAL_HYBRID_HEIGHT;
    v->name = "sleve";
    v->coordinate = index;
    int status = cf_vertical_numbers(file, v, a, top, &v->a, failure);
    if (!status) status = cf_vertical_numbers(file, v, b1, 1, &v->b, failure);
    if (!status) status = cf_vertical_numbers(file, v, b2, 1, &v->c, failure);
    if (!status) status = in_range(v->b, v->level_count, -2, 2, "coefficient b1", failure);
    if (!status) status = in_range(v->c, v->level_count, -2, 2, "coefficient b2", failure);
    return status ? status : VERTICAL_IS;
}

// --- pressure from a logarithm: p0 exp(-lev) ----------------------------------------------------------------------------

int cf_vertical_ln_pressure(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    double p0 = 0;
    if (!cf_text_is(at(file, index), "standard_name", "atmosphere_ln_pressure_coordinate")) return VERTICAL_IS_NOT;
    int lev = term(file, index, "lev");
    if (!one_number(file, term(file, index, "p0"), "Pa", &p0) || !(p0 > 0))
        return failure_set(failure, VIRGA_UNSUPPORTED, "its levels are logarithms of pressure, and the reference pressure p0 is not in the file");
    int status = cf_vertical_numbers(file, v, lev == CF_NO_VARIABLE ? index : lev, 1, &v->a, failure);
    if (!status) status = in_range(v->a, v->level_count, -1, 20, "logarithm of pressure", failure);
    for (size_t k = 0; !status && k < v->level_count; k++) v->a[k] = p0 * exp(-v->a[k]);
    v->kind = VERTICAL_PRESSURE;
    v->name = "ln_pressure";
    v->coordinate = index;
    return status ? status : VERTICAL_IS;
}

// --- hybrid sigma-pressure: a p0 + b ps, or ap + b ps -------------------------------------------------------------------

static const char *const surface_names[] = {"PS", "ps", "sp", "lnsp", "surface_pressure", "surface_air_pressure", NULL};

static int find_surface_pressure(const struct cf_file *file, int index) {
    int found = term_or_habit(file, index, "ps", "PS_var", surface_names);
    return is_plane(file, found) ? found : find_with_helper(file, HELPER_SURFACE_PRESSURE, HELPER_LOG_SURFACE_PRESSURE);
}

// What the coefficients a are multiplied with to be Pa: units of pressure tell; without units numbers far over one do.
static double a_scale(const struct cf_file *file, struct cf_vertical *v, int index, int a, bool is_pressure) {
    static const char *const names[] = {"P0", "p0", NULL};
    double scale, offset, p0, *numbers = NULL;
    size_t count = 0;
    bool large = false;
    const char *units = cf_units_of(at(file, a));
    if (cf_units_convert(units, "Pa", &scale, &offset) == VIRGA_OK && offset == 0) return scale;
    if (!cf_file_numbers(file->source, (size_t)a, VERTICAL_LEVELS_MAX + 1, &numbers, &count, NULL))
        for (size_t k = 0; k < count; k++) large |= fabs(numbers[k]) > 10;
    free(numbers);
    if (is_pressure || large) return 1;
    if (one_number(file, term_or_habit(file, index, "p0", "P0_var", names), "Pa", &p0) && p0 > 0) return p0;
    v->assumed = "with the reference pressure P0 of 100000 Pa that the file does not tell";
    return usual_p0;
}

// Pairs of numbers at the lower and upper face of each level in the file's order, from a bounds variable [level][2].
static double *pairs(const struct cf_file *file, const struct cf_vertical *v, int bounds, double scale) {
    double *numbers = NULL;
    size_t count = 0;
    if (bounds == CF_NO_VARIABLE || cf_file_numbers(file->source, (size_t)bounds, 2 * VERTICAL_LEVELS_MAX, &numbers, &count, NULL)) return NULL;
    bool good = count == 2 * v->level_count && at(file, bounds)->rank == 2 && source_inventory(file->source)->dimensions[at(file, bounds)->dimensions[1]].length == 2;
    for (size_t n = 0; good && n < count; n++) good = isfinite(numbers[n] *= scale);
    if (good) return numbers;
    free(numbers);
    return NULL;
}

// Likewise from one more half level than there are levels (hyai, hybi).
static double *between(const struct cf_file *file, const struct cf_vertical *v, int halves, double scale) {
    double *numbers = NULL, *twice = malloc(2 * v->level_count * sizeof *twice);
    size_t count = 0;
    bool good = twice && halves != CF_NO_VARIABLE && at(file, halves)->rank == 1 &&
                !cf_file_numbers(file->source, (size_t)halves, VERTICAL_LEVELS_MAX + 1, &numbers, &count, NULL) && count == v->level_count + 1;
    for (size_t k = 0; good && k < v->level_count; k++)
        for (int side = 0; side < 2; side++) good = good && isfinite(twice[2 * k + (size_t)side] = numbers[k + (size_t)side] * scale);
    free(numbers);
    if (good) return twice;
    free(twice);
    return NULL;
}

// The bounds of a coefficient: its own, or those that the coordinate's bounds variable names in its formula_terms.
static int bounds_of(const struct cf_file *file, int index, int coefficient, const char *const *names) {
    int found = find_by_text(file->source, at(file, coefficient), cf_text(at(file, coefficient), "bounds"));
    int bounds = find_by_text(file->source, at(file, index), cf_text(at(file, index), "bounds"));
    for (; found == CF_NO_VARIABLE && bounds != CF_NO_VARIABLE && *names; names++) found = cf_term(file->source, at(file, bounds), "formula_terms", *names);
    return found;
}

static void take_halves(const struct cf_file *file, struct cf_vertical *v, int index, int a, int b, double scale) {
    static const char *const a_terms[] = {"ap", "a", NULL}, *const b_terms[] = {"b", NULL}, *const hyai[] = {"hyai", NULL}, *const hybi[] = {"hybi", NULL};
    v->half_a = pairs(file, v, bounds_of(file, index, a, a_terms), scale);
    v->half_b = pairs(file, v, bounds_of(file, index, b, b_terms), 1);
    if (!v->half_a || !v->half_b) {
        free(v->half_a);
        free(v->half_b);
        v->half_a = between(file, v, term_or_habit(file, index, NULL, NULL, hyai), scale);
        v->half_b = between(file, v, term_or_habit(file, index, NULL, NULL, hybi), 1);
    }
    bool good = v->half_a && v->half_b;
    for (size_t k = 0; good && k < v->level_count; k++) {  // below first, and around the level
        double *ha = v->half_a + 2 * k, *hb = v->half_b + 2 * k, full = v->a[k] + v->b[k] * 101325, p[2];
        for (int side = 0; side < 2; side++) p[side] = ha[side] + hb[side] * 101325;
        if (p[0] < p[1]) {
            double swap_a = ha[0], swap_b = hb[0];
            ha[0] = ha[1], hb[0] = hb[1], ha[1] = swap_a, hb[1] = swap_b;
        }
        good = fmax(p[0], p[1]) > full && full > fmin(p[0], p[1]) && fmin(p[0], p[1]) >= 0;
    }
    if (good) return;
    free(v->half_a);
    free(v->half_b);
    v->half_a = v->half_b = NULL;
}

int cf_vertical_hybrid_pressure(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    static const char *const hyam[] = {"hyam", "hyai", "ap", "a_hybrid", NULL}, *const hybm[] = {"hybm", "hybi", "b", "b_hybrid", NULL};
    const struct source_variable *c = at(file, index);
    bool by_name = cf_text_is(c, "standard_name", "atmosphere_hybrid_sigma_pressure_coordinate") || strstr(cf_units_of(c), "hybrid");
    int a = term(file, index, "ap"), b = term(file, index, "b");
    bool is_pressure = a != CF_NO_VARIABLE;
    if (!by_name && term(file, index, "orog") != CF_NO_VARIABLE) return VERTICAL_IS_NOT;
    if (a == CF_NO_VARIABLE) a = term_or_habit(file, index, "a", "A_var", NULL);
    if (b == CF_NO_VARIABLE) b = term_or_habit(file, index, NULL, "B_var", NULL);
    if (a == CF_NO_VARIABLE) a = cf_vertical_on_dimension(file->source, v->dimension, hyam);
    if (b == CF_NO_VARIABLE) b = cf_vertical_on_dimension(file->source, v->dimension, hybm);
    if (a == CF_NO_VARIABLE || b == CF_NO_VARIABLE)
        return by_name ? failure_set(failure, VIRGA_UNSUPPORTED, "its levels are hybrid sigma-pressure levels, and their coefficients a and b are not in the file") : VERTICAL_IS_NOT;
    double scale = a_scale(file, v, index, a, is_pressure);
    int status = cf_vertical_numbers(file, v, a, scale, &v->a, failure);
    if (!status) status = cf_vertical_numbers(file, v, b, 1, &v->b, failure);
    if (!status) status = in_range(v->a, v->level_count, -20000, 120000, "hybrid coefficient a", failure);
    if (!status) status = in_range(v->b, v->level_count, -0.01, 1.01, "hybrid coefficient b", failure);
    for (size_t k = 0; !status && k < v->level_count; k++)
        if (!(v->a[k] + v->b[k] * 101325 > 0)) status = failure_set(failure, VIRGA_UNSUPPORTED, "its hybrid levels have a pressure that is not above zero");
    if (status) return status;
    take_halves(file, v, index, a, b, scale);
    v->surface_pressure = find_surface_pressure(file, index);
    v->orography = find_orography(file);
    v->kind = VERTICAL_HYBRID_PRESSURE;
    v->name = "hybrid_sigma_pressure";
    v->coordinate = index;
    return VERTICAL_IS;
}

// --- sigma: ptop + sigma (ps - ptop); or over height: sigma (ztop - orog) + orog -----------------------------------------

static bool is_sigma(const struct source_variable *c) {
    const char *name = cf_text_or_empty(c, "standard_name"), *units = cf_units_of(c), *base = cf_base_name(c->name);
    if (strcasecmp(name, "atmosphere_sigma_coordinate") == 0 || strcasecmp(name, "sigma_coordinate") == 0) return true;
    if (*name) return false;
    return strncasecmp(units, "sigma", 5) == 0 || ((strcasecmp(base, "sigma") == 0 || strcasecmp(base, "sig") == 0 || strcasecmp(base, "kz") == 0) && (!*units || cf_units_dimensionless(units)));
}

int cf_vertical_sigma(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure) {
    static const char *const ptop_names[] = {"ptop", "PTOP", "P_TOP", "p_top", NULL}, *const ztop_names[] = {"ztop", "ZTOP", "z_top", "zmax", NULL};
    double top = 0;
    int term_sigma = term(file, index, "sigma");
    if (!is_sigma(at(file, index)) && (term_sigma == CF_NO_VARIABLE || term(file, index, "ps") == CF_NO_VARIABLE)) return VERTICAL_IS_NOT;
    v->orography = find_orography(file);
    v->coordinate = index;
    int status = cf_vertical_numbers(file, v, term_sigma == CF_NO_VARIABLE ? index : term_sigma, 1, &v->a, failure);
    if (!status) status = in_range(v->a, v->level_count, 0, 1.001, "sigma", failure);
    if (status) return status;
    if (!(v->b = malloc(v->level_count * sizeof *v->b))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    bool by_pressure = one_number(file, term_or_habit(file, index, "ptop", NULL, ptop_names), "Pa", &top) || attribute_number(file, index, ptop_names, &top);
    bool by_height = !by_pressure && (one_number(file, term_or_habit(file, index, "ztop", NULL, ztop_names), "m", &top) || attribute_number(file, index, ztop_names, &top));
    if (!by_pressure && !by_height)
        return failure_set(failure, VIRGA_UNSUPPORTED, "its sigma levels need the pressure at the model's top (ptop), which the file does not tell");
    if (by_height ? !(top > 0 && top < 2e5) : !(top >= 0 && top < 60000)) return failure_set(failure, VIRGA_UNSUPPORTED, "its model top of %g %s is out of range", top, by_height ? "m" : "Pa");
    for (size_t k = 0; k < v->level_count; k++) {
        double sigma = v->a[k];
        v->b[k] = by_pressure ? sigma : 1 - sigma;
        v->a[k] = by_pressure ? (1 - sigma) * top : sigma * top;
        if (by_pressure && !(v->a[k] + v->b[k] * 101325 > 0)) return failure_set(failure, VIRGA_UNSUPPORTED, "its sigma levels have a pressure that is not above zero");
    }
    v->kind = by_pressure ? VERTICAL_HYBRID_PRESSURE : VERTICAL_HYBRID_HEIGHT;
    v->name = by_pressure ? "sigma" : "sigma_height";
    if (by_pressure) v->surface_pressure = find_surface_pressure(file, index);
    return VERTICAL_IS;
}
