// SPDX-License-Identifier: Apache-2.0
#include "source/reader_grib_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTES_MAX = 24, NAME = 300 };

static const char time_units[] = "seconds since 1970-01-01 00:00:00";

struct making {
    struct arena *arena;
    struct grib_index *index;
    const struct grib_cubes *cubes;
    struct grib_view *view;
    size_t dimension_room, variable_room;
    bool failed;                 // out of room: said once, at the end
    size_t *x, *y, *mapping;     // [grids] dimension of x and y, variable of the mapping
    size_t *times, *members;     // dimensions
    size_t *levels;
};

struct coordinate {  // a variable being described
    struct making *m;
    struct grib_view_variable *v;
};

// --- pieces ----------------------------------------------------------------------------------------------------------------

static double *numbers_of(struct making *m, size_t count) {
    double *values = m->failed ? NULL : arena_new(m->arena, count, sizeof *values);
    if (!values) m->failed = true;
    return values;
}

static char *text_of(struct making *m, const char *text) {
    char *copy = m->failed ? NULL : arena_text(m->arena, text, strlen(text));
    if (!copy) m->failed = true;
    return copy;
}

static bool name_is_taken(const struct making *m, const char *name) {
    for (size_t n = 0; n < m->view->variable_count; n++)
        if (m->view->variables[n].listed.name && !strcmp(m->view->variables[n].listed.name, name)) return true;
    for (size_t n = 0; n < m->cubes->variable_count; n++)
        if (!strcmp(m->cubes->variables[n].name, name)) return true;
    for (size_t n = 0; n < m->view->dimension_count; n++)
        if (!strcmp(m->view->dimensions[n].name, name)) return true;
    return false;
}

// `wanted`, or with a number after it.
static void free_name(const struct making *m, const char *wanted, char out[NAME]) {
    snprintf(out, NAME, "%.200s", wanted);
    for (int n = 1; name_is_taken(m, out) && n < 100000; n++) snprintf(out, NAME, "%.200s_%d", wanted, n);
}

static size_t add_dimension(struct making *m, const char *name, size_t length) {
    struct grib_view *view = m->view;
    if (view->dimension_count == m->dimension_room || m->failed) return m->failed = true, 0;
    view->dimensions[view->dimension_count] = (struct source_dimension){.name = text_of(m, name), .length = length};
    if (m->failed) return 0;
    return view->dimension_count++;
}

static struct coordinate add_variable(struct making *m, const char *name, enum source_type type) {
    static struct grib_view_variable nothing;
    static struct source_attribute no_attributes[ATTRIBUTES_MAX];
    struct coordinate c = {m, &nothing};
    nothing = (struct grib_view_variable){.listed = {.attributes = no_attributes}};
    struct grib_view *view = m->view;
    if (view->variable_count == m->variable_room) m->failed = true;
    char *copy = text_of(m, name);
    struct source_attribute *attributes = m->failed ? NULL : arena_new(m->arena, ATTRIBUTES_MAX, sizeof *attributes);
    if (!attributes) return m->failed = true, c;
    c.v = &view->variables[view->variable_count++];
    *c.v = (struct grib_view_variable){.listed = {.name = copy, .type = type, .netcdf_fill = NAN, .attributes = attributes}, .time = -1, .member = -1, .level = -1};
    return c;
}

static void add_axis(struct coordinate c, size_t dimension, size_t chunk) {
    struct source_variable *v = &c.v->listed;
    if (c.m->failed) return;
    size_t length = c.m->view->dimensions[dimension].length;
    v->dimensions[v->rank] = dimension;
    v->chunk[v->rank] = chunk ? chunk : length;
    c.v->lengths[v->rank++] = length;
}

static struct source_attribute *next_attribute(struct coordinate c, const char *name, enum source_type type) {
    struct source_variable *v = &c.v->listed;
    if (v->attribute_count == ATTRIBUTES_MAX) return NULL;
    struct source_attribute *a = &v->attributes[v->attribute_count];
    *a = (struct source_attribute){.name = text_of(c.m, name), .type = type};
    if (!c.m->failed) v->attribute_count++;
    return a;
}

static void set_text(struct coordinate c, const char *name, const char *value) {
    struct source_attribute *a = *value ? next_attribute(c, name, SOURCE_CHAR) : NULL;
    if (!a) return;
    a->text = text_of(c.m, value);
    a->count = strlen(value);
}

static void set_numbers(struct coordinate c, const char *name, const double *values, size_t count) {
    struct source_attribute *a = next_attribute(c, name, SOURCE_F64);
    if (!a) return;
    a->numbers = numbers_of(c.m, count);
    a->count = count;
    if (a->numbers) memcpy(a->numbers, values, count * sizeof *values);
}

static void set_number(struct coordinate c, const char *name, double value) { set_numbers(c, name, &value, 1); }

static void set_integer(struct coordinate c, const char *name, int64_t value) {
    struct source_attribute *a = next_attribute(c, name, SOURCE_I64);
    if (!a) return;
    a->numbers = numbers_of(c.m, 1);
    a->integers = c.m->failed ? NULL : arena_new(c.m->arena, 1, sizeof *a->integers);
    if (!a->integers) {
        c.m->failed = true;
        return;
    }
    a->count = 1;
    a->integers[0] = value;
    a->numbers[0] = (double)value;
}

static void describe(struct coordinate c, const char *standard_name, const char *long_name, const char *units) {
    set_text(c, "standard_name", standard_name);
    set_text(c, "long_name", long_name);
    set_text(c, "units", units);
}

// --- grids -----------------------------------------------------------------------------------------------------------------

static void add_mapping(struct making *m, size_t n) {
    static const char *const names[] = {
        "latitude_longitude", "rotated_latitude_longitude", "lambert_conformal_conic", "polar_stereographic", "mercator", "lambert_azimuthal_equal_area",
        "transverse_mercator", "vertical_perspective"};
    const struct grib_grid *g = &m->cubes->grids[n];
    char name[NAME];
    static const double zero = 0;
    free_name(m, "projection", name);
    struct coordinate c = add_variable(m, name, SOURCE_I32);
    m->mapping[n] = m->view->variable_count - 1;
    c.v->numbers = &zero;
    set_text(c, "grid_mapping_name", names[g->projection]);
    if (g->major == g->minor) {
        set_number(c, "earth_radius", g->major);
    } else {
        set_number(c, "semi_major_axis", g->major);
        set_number(c, "semi_minor_axis", g->minor);
    }
    switch (g->projection) {
    case GRIB_ROTATED:
        set_number(c, "grid_north_pole_latitude", g->pole_latitude);
        set_number(c, "grid_north_pole_longitude", g->pole_longitude);
        break;
    case GRIB_LAMBERT:
        set_numbers(c, "standard_parallel", g->parallel, g->parallel[0] == g->parallel[1] ? 1 : 2);
        set_number(c, "latitude_of_projection_origin", g->origin_latitude);
        set_number(c, "longitude_of_central_meridian", g->origin_longitude);
        break;
    case GRIB_POLAR:
        set_number(c, "latitude_of_projection_origin", g->origin_latitude);
        set_number(c, "straight_vertical_longitude_from_pole", g->origin_longitude);
        set_number(c, "standard_parallel", g->parallel[0]);
        break;
    case GRIB_MERCATOR:
        set_number(c, "standard_parallel", g->parallel[0]);
        set_number(c, "longitude_of_projection_origin", g->origin_longitude);
        break;
    case GRIB_EQUAL_AREA:
        set_number(c, "latitude_of_projection_origin", g->origin_latitude);
        set_number(c, "longitude_of_projection_origin", g->origin_longitude);
        break;
    case GRIB_TRANSVERSE:
        set_number(c, "latitude_of_projection_origin", g->origin_latitude);
        set_number(c, "longitude_of_central_meridian", g->origin_longitude);
        set_number(c, "scale_factor_at_central_meridian", g->scale);
        set_number(c, "false_easting", g->false_east);
        set_number(c, "false_northing", g->false_north);
        break;
    default: break;
    }
}

static size_t add_horizontal(struct making *m, const char *wanted, const double *values, size_t count, const char *standard_name, const char *units, const char *axis) {
    char name[NAME];
    free_name(m, wanted, name);
    size_t dimension = add_dimension(m, name, count);
    struct coordinate c = add_variable(m, name, SOURCE_F64);
    add_axis(c, dimension, 0);
    c.v->numbers = values;
    describe(c, standard_name, "", units);
    set_text(c, "axis", axis);
    return dimension;
}

static void add_grid(struct making *m, size_t n) {
    const struct grib_grid *g = &m->cubes->grids[n];
    if (g->projection == GRIB_LATLON) {
        m->y[n] = add_horizontal(m, "latitude", g->y, g->ny, "latitude", "degrees_north", "Y");
        m->x[n] = add_horizontal(m, "longitude", g->x, g->nx, "longitude", "degrees_east", "X");
    } else if (g->projection == GRIB_ROTATED) {
        m->y[n] = add_horizontal(m, "rlat", g->y, g->ny, "grid_latitude", "degrees", "Y");
        m->x[n] = add_horizontal(m, "rlon", g->x, g->nx, "grid_longitude", "degrees", "X");
    } else {
        m->y[n] = add_horizontal(m, "y", g->y, g->ny, "projection_y_coordinate", "m", "Y");
        m->x[n] = add_horizontal(m, "x", g->x, g->nx, "projection_x_coordinate", "m", "X");
    }
    add_mapping(m, n);
}

static void add_grids(struct making *m) {
    for (size_t n = 0; n < m->index->grid_count; n++) {
        bool used = false;
        for (size_t v = 0; v < m->cubes->variable_count && !used; v++) used = m->cubes->variables[v].grid == n;
        if (used) add_grid(m, n);
    }
}

// --- times, members ----------------------------------------------------------------------------------------------------------

static void add_times(struct making *m, size_t n) {
    const struct grib_times *t = &m->cubes->times[n];
    char name[NAME], other[NAME];
    double *valid = numbers_of(m, t->count), *reference = numbers_of(m, t->count), *period = numbers_of(m, t->count);
    if (m->failed) return;
    for (size_t i = 0; i < t->count; i++) {
        valid[i] = (double)t->valid[i];
        reference[i] = (double)t->reference[i];
        period[i] = (double)(t->valid[i] - t->reference[i]) / 3600;
    }
    free_name(m, "time", name);
    m->times[n] = add_dimension(m, name, t->count);
    struct coordinate c = add_variable(m, name, SOURCE_F64);
    add_axis(c, m->times[n], 0);
    c.v->numbers = valid;
    describe(c, "time", "", time_units);
    set_text(c, "calendar", "standard");
    set_text(c, "axis", "T");
    snprintf(other, sizeof other, "forecast_reference_%.200s", name);
    c = add_variable(m, other, SOURCE_F64);
    add_axis(c, m->times[n], 0);
    c.v->numbers = reference;
    describe(c, "forecast_reference_time", "", time_units);
    set_text(c, "calendar", "standard");
    snprintf(other, sizeof other, "forecast_period_%.200s", name);
    c = add_variable(m, other, SOURCE_F64);
    add_axis(c, m->times[n], 0);
    c.v->numbers = period;
    describe(c, "forecast_period", "", "hours");
}

static void add_members(struct making *m, size_t n) {
    const struct grib_members *members = &m->cubes->members[n];
    char name[NAME];
    double *numbers = numbers_of(m, members->count);
    if (m->failed) return;
    for (size_t i = 0; i < members->count; i++) numbers[i] = members->numbers[i];
    free_name(m, "number", name);
    m->members[n] = add_dimension(m, name, members->count);
    struct coordinate c = add_variable(m, name, SOURCE_I32);
    add_axis(c, m->members[n], 0);
    c.v->numbers = numbers;
    describe(c, "realization", "ensemble member", "1");
    set_text(c, "axis", "E");
}

// A scalar: the one member or level that a variable has. Its name is in `name`.
static struct coordinate add_scalar(struct making *m, const char *wanted, const double value, char name[NAME]) {
    double *number = numbers_of(m, 1);
    free_name(m, wanted, name);
    struct coordinate c = add_variable(m, name, SOURCE_F64);
    if (!m->failed) *number = value;
    c.v->numbers = number;
    return c;
}

// --- levels --------------------------------------------------------------------------------------------------------------------

static void describe_levels(struct coordinate c, enum grib_vertical kind, bool layer, const char *type_of_level) {
    static const struct { const char *standard_name, *units, *positive; } kinds[] = {
        [GRIB_SINGLE] = {"", "1", ""}, [GRIB_PRESSURE] = {"air_pressure", "hPa", "down"}, [GRIB_HEIGHT] = {"height", "m", "up"}, [GRIB_ALTITUDE] = {"altitude", "m", "up"},
        [GRIB_DEPTH] = {"depth", "m", "down"}, [GRIB_SIGMA] = {"atmosphere_sigma_coordinate", "1", "down"},
        [GRIB_HYBRID] = {"atmosphere_hybrid_sigma_pressure_coordinate", "1", "down"}, [GRIB_HYBRID_HEIGHT] = {"model_level_number", "1", "up"},
        [GRIB_THETA] = {"air_potential_temperature", "K", "up"}, [GRIB_NUMBER] = {"", "1", ""},
    };
    char words[NAME];
    snprintf(words, sizeof words, "%.200s%s", type_of_level, layer ? " (middle of each layer)" : "");
    describe(c, layer && (kind == GRIB_HYBRID || kind == GRIB_SIGMA) ? "" : kinds[kind].standard_name, words, kinds[kind].units);
    set_text(c, "positive", kinds[kind].positive);
    set_text(c, "axis", "Z");
}

static double level_scale(enum grib_vertical kind) { return kind == GRIB_PRESSURE ? 0.01 : 1; }  // Pa to hPa

static size_t bounds_dimension(struct making *m) {
    for (size_t n = 0; n < m->view->dimension_count; n++)
        if (!strcmp(m->view->dimensions[n].name, "bnds") && m->view->dimensions[n].length == 2) return n;
    return add_dimension(m, "bnds", 2);
}

static void add_bounds(struct making *m, const char *name, size_t dimension, const double *values) {
    struct coordinate c = add_variable(m, name, SOURCE_F64);
    add_axis(c, dimension, 0);
    add_axis(c, bounds_dimension(m), 0);
    c.v->numbers = values;
}

// The variable of surface pressure on this grid, or "".
static const char *surface_pressure(const struct making *m, size_t grid) {
    static const int ids[] = {134, 152};
    for (int i = 0; i < 2; i++)
        for (size_t n = 0; n < m->cubes->variable_count; n++) {
            const struct grib_variable *v = &m->cubes->variables[n];
            const struct grib_parameter *p = &m->index->parameters[v->parameter];
            if (p->param_id == ids[i] && v->grid == grid && v->levels < 0 && !*p->suffix && !strcmp(p->step_type, "instant")) return v->name;
        }
    return "";
}

// Coefficients at full levels, the mean of the half levels above and below, which are the bounds: level n lies between half levels n - 1 and n.
static bool add_coefficients(struct making *m, const struct grib_levels *l, struct coordinate level, size_t dimension, const char *name) {
    const struct grib_pv *pv = &m->index->pvs[l->pv];
    size_t half = pv->count / 2;
    char names[4][NAME], terms[4 * NAME];
    static const char *const wanted[] = {"ap", "b", "ap_bnds", "b_bnds"};
    double *full[2], *bounds[2];
    for (size_t k = 0; k < l->count; k++)
        if (!(l->values[k] >= 1) || l->values[k] >= (double)half || l->values[k] != floor(l->values[k])) return false;
    for (int t = 0; t < 2; t++) {
        full[t] = numbers_of(m, l->count);
        bounds[t] = numbers_of(m, l->count * 2);
        for (size_t k = 0; k < l->count && !m->failed; k++) {
            size_t n = (size_t)l->values[k];
            const double *half_levels = pv->values + (size_t)t * half;
            bounds[t][2 * k] = half_levels[n - 1];
            bounds[t][2 * k + 1] = half_levels[n];
            full[t][k] = (half_levels[n - 1] + half_levels[n]) / 2;
        }
    }
    for (int i = 0; i < 4; i++) {
        char own[NAME];
        snprintf(own, sizeof own, "%s%s%.100s", wanted[i], strcmp(name, "hybrid") ? "_" : "", strcmp(name, "hybrid") ? name : "");
        free_name(m, own, names[i]);
    }
    for (int t = 0; t < 2; t++) {
        struct coordinate c = add_variable(m, names[t], SOURCE_F64);
        add_axis(c, dimension, 0);
        c.v->numbers = full[t];
        describe(c, "", t ? "hybrid coefficient b at full levels" : "hybrid coefficient a times reference pressure at full levels", t ? "1" : "Pa");
        set_text(c, "bounds", names[2 + t]);
        add_bounds(m, names[2 + t], dimension, bounds[t]);
    }
    const char *ps = surface_pressure(m, l->grid);
    snprintf(terms, sizeof terms, "ap: %s b: %s%s%s", names[0], names[1], *ps ? " ps: " : "", ps);
    set_text(level, "formula_terms", terms);
    return true;
}

static void add_sigma_terms(struct making *m, const struct grib_levels *l, struct coordinate level, const char *name) {
    char top[NAME], terms[3 * NAME], wanted[NAME];
    const char *ps = surface_pressure(m, l->grid);
    snprintf(wanted, sizeof wanted, "%.100s_ptop", name);
    struct coordinate c = add_scalar(m, wanted, 0, top);
    describe(c, "", "pressure at the top of the sigma coordinate", "Pa");
    snprintf(terms, sizeof terms, "sigma: %s ptop: %s%s%s", name, top, *ps ? " ps: " : "", ps);
    set_text(level, "formula_terms", terms);
}

static void add_levels(struct making *m, size_t n) {
    const struct grib_levels *l = &m->cubes->levels[n];
    char name[NAME], bounds[NAME];
    double *values = numbers_of(m, l->count), *edges = l->layer ? numbers_of(m, l->count * 2) : NULL, scale = level_scale(l->kind);
    if (m->failed) return;
    for (size_t k = 0; k < l->count; k++) {
        values[k] = (l->layer ? (l->values[k] + l->values2[k]) / 2 : l->values[k]) * scale;
        if (l->layer) edges[2 * k] = l->values[k] * scale, edges[2 * k + 1] = l->values2[k] * scale;
    }
    free_name(m, l->type_of_level, name);
    m->levels[n] = add_dimension(m, name, l->count);
    struct coordinate c = add_variable(m, name, SOURCE_F64);
    add_axis(c, m->levels[n], 0);
    c.v->numbers = values;
    describe_levels(c, l->kind, l->layer, l->type_of_level);
    if (l->layer) {
        snprintf(bounds, sizeof bounds, "%.200s_bnds", name);
        set_text(c, "bounds", bounds);
        add_bounds(m, bounds, m->levels[n], edges);
    }
    if (l->kind == GRIB_SIGMA && !l->layer) add_sigma_terms(m, l, c, name);
    if (l->kind == GRIB_HYBRID && !l->layer && l->pv >= 0 && !add_coefficients(m, l, c, m->levels[n], name))
        grib_index_note(m->index, "%s: its list of coefficients (%u numbers) does not reach its levels", name, m->index->pvs[l->pv].count);
}

// The level of a variable that has but one. Its coordinate's name goes to `name`; "" where it says nothing.
static void add_one_level(struct making *m, const struct grib_variable *v, char name[NAME]) {
    const struct grib_parameter *p = &m->index->parameters[v->parameter];
    enum grib_vertical kind = (enum grib_vertical)p->kind;
    char wanted[NAME];
    *name = 0;
    if (!v->has_level || p->layer || kind == GRIB_SINGLE) return;
    double value = v->level * level_scale(kind);
    snprintf(wanted, sizeof wanted, "%.150s_%.6g", p->type_of_level, value);
    for (size_t n = 0; n < m->view->variable_count; n++) {  // shared by all that lie on it
        const struct grib_view_variable *have = &m->view->variables[n];
        if (have->listed.rank == 0 && have->numbers && *have->numbers == value && !strcmp(have->listed.name, wanted)) {
            snprintf(name, NAME, "%s", wanted);
            return;
        }
    }
    describe_levels(add_scalar(m, wanted, value, name), kind, false, p->type_of_level);
}

// --- data ------------------------------------------------------------------------------------------------------------------------

static void set_cell_methods(struct coordinate c, const struct grib_parameter *p) {
    static const char *const statistics[] = {"mean", "sum", "maximum", "minimum", NULL, NULL, "standard_deviation"};
    char text[128] = "";
    const char *step = p->statistic >= 0 && p->statistic <= 6 ? statistics[p->statistic] : NULL;
    if (!step && !strcmp(p->step_type, "max")) step = "maximum";
    if (!step && !strcmp(p->step_type, "min")) step = "minimum";
    if (step) snprintf(text, sizeof text, "time: %s", step);
    const char *members = !strcmp(p->suffix, "mean") ? "realization: mean" : !strcmp(p->suffix, "spread") ? "realization: standard_deviation" : "";
    if (*members) snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? " " : "", members);
    set_text(c, "cell_methods", text);
}

static void describe_data(struct coordinate c, const struct grib_variable *v) {
    const struct grib_parameter *p = &c.m->index->parameters[v->parameter];
    char units[128], standard_name[128], words[400];
    bool at_surface = v->levels < 0 && (!strcmp(p->type_of_level, "surface") || p->kind == GRIB_HYBRID);
    grib_units(p->units, units);
    grib_standard_name(p, c.m->cubes->grids[v->section].winds_on_grid, at_surface, standard_name);
    if (at_surface && !strcmp(standard_name, "surface_altitude") && !strcmp(units, "gpm")) strcpy(units, "m");
    if (!strncmp(p->suffix, "probability", 11)) strcpy(units, "%");
    const char *name = *p->name ? p->name : p->short_name;
    snprintf(words, sizeof words, "%.200s%s%.150s", name, *p->described ? ", " : "", p->described);
    describe(c, standard_name, words, units);
    set_cell_methods(c, p);
    set_text(c, "GRIB_shortName", p->short_name);
    set_text(c, "GRIB_typeOfLevel", p->type_of_level);
    set_text(c, "GRIB_stepType", p->step_type);
    if (p->param_id) set_integer(c, "GRIB_paramId", p->param_id);
    set_integer(c, "GRIB_edition", p->edition);
}

static void add_data(struct making *m, const struct grib_variable *v) {
    char level[NAME] = "", member[NAME] = "", text[4 * NAME];
    add_one_level(m, v, level);
    if (v->members < 0 && v->member >= 0) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "number_%d", v->member);
        bool have = false;
        for (size_t n = 0; n < m->view->variable_count && !have; n++) have = !strcmp(m->view->variables[n].listed.name, wanted);
        if (have) snprintf(member, sizeof member, "%s", wanted);
        else describe(add_scalar(m, wanted, v->member, member), "realization", "ensemble member", "1");
    }
    struct coordinate c = add_variable(m, v->name, v->precise ? SOURCE_F64 : SOURCE_F32);
    if (m->failed) return;
    c.v->cube = v;
    c.v->listed.chunked = true;
    c.v->time = c.v->listed.rank;
    add_axis(c, m->times[v->times], 1);
    if (v->members >= 0) c.v->member = c.v->listed.rank, add_axis(c, m->members[v->members], 1);
    if (v->levels >= 0) c.v->level = c.v->listed.rank, add_axis(c, m->levels[v->levels], 1);
    add_axis(c, m->y[v->grid], 0);
    add_axis(c, m->x[v->grid], 0);
    describe_data(c, v);
    const char *time = m->view->dimensions[m->times[v->times]].name;
    snprintf(text, sizeof text, "forecast_reference_%s forecast_period_%s%s%s%s%s", time, time, *level ? " " : "", level, *member ? " " : "", member);
    set_text(c, "coordinates", text);
    set_text(c, "grid_mapping", m->view->variables[m->mapping[v->grid]].listed.name);
}

int grib_view_make(struct arena *arena, struct grib_index *index, const struct grib_cubes *cubes, struct grib_view *view, struct failure *failure) {
    struct making m = {.arena = arena, .index = index, .cubes = cubes, .view = view};
    size_t axes = cubes->times_count + cubes->members_count + cubes->levels_count;
    *view = (struct grib_view){0};
    m.dimension_room = axes + 2 * index->grid_count + 1;
    m.variable_room = 3 * cubes->variable_count + 3 * axes + 5 * cubes->levels_count + 3 * index->grid_count;
    view->dimensions = arena_new(arena, m.dimension_room, sizeof *view->dimensions);
    view->variables = arena_new(arena, m.variable_room, sizeof *view->variables);
    m.x = arena_new(arena, index->grid_count, sizeof *m.x);
    m.y = arena_new(arena, index->grid_count, sizeof *m.y);
    m.mapping = arena_new(arena, index->grid_count, sizeof *m.mapping);
    m.times = arena_new(arena, cubes->times_count, sizeof *m.times);
    m.members = arena_new(arena, cubes->members_count, sizeof *m.members);
    m.levels = arena_new(arena, cubes->levels_count, sizeof *m.levels);
    m.failed = !view->dimensions || !view->variables || !m.x || !m.y || !m.mapping || !m.times || !m.members || !m.levels;
    if (!m.failed) add_grids(&m);
    for (size_t n = 0; n < cubes->times_count && !m.failed; n++) add_times(&m, n);
    for (size_t n = 0; n < cubes->members_count && !m.failed; n++) add_members(&m, n);
    for (size_t n = 0; n < cubes->levels_count && !m.failed; n++) add_levels(&m, n);
    for (size_t n = 0; n < cubes->variable_count && !m.failed; n++) add_data(&m, &cubes->variables[n]);
    return m.failed ? failure_set(failure, VIRGA_TOO_LARGE, "its list of contents is larger than a reader may hold") : VIRGA_OK;
}
