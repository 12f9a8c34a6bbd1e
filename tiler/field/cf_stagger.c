// SPDX-License-Identifier: Apache-2.0
// Staggered grids: models keep wind components on the faces of their cells, half a cell off the mass points where everything
// else stands (Arakawa and Lamb 1977, grid C). The components stay listed where they are; besides, they are averaged to
// the mass points, where wind is formed from them. The other way around, what tells the heights of levels and of the ground on
// the mass points is averaged to the staggered ones.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"

enum { GRIDS_MAX = 16 };  // a file of more is no model's
static const double same_point = 1e-4, half_way = 0.01;  // shares of a cell

// How many whole points the target axis lies from the stored one: point n of the target is about point n + *shift of the stored.
static bool first_shift(const struct grid_axis *target, const struct grid_axis *stored, int *shift) {
    size_t middle = target->n / 2;
    double c = target->values[middle];
    for (size_t n = 0; n + 1 < stored->n; n++)
        if (c >= stored->values[n] && c <= stored->values[n + 1]) {
            ptrdiff_t difference = (ptrdiff_t)n - (ptrdiff_t)middle;
            *shift = (int)difference;
            return difference >= -1 && difference <= 1;
        }
    return false;
}

static bool equal_axes(const struct grid_axis *a, const struct grid_axis *b) {
    if (a->n != b->n) return false;
    for (size_t n = 0; n < a->n; n++) {
        double cell = n > 0 ? a->values[n] - a->values[n - 1] : a->n > 1 ? a->values[1] - a->values[0] : 1;
        if (fabs(a->values[n] - b->values[n]) > same_point * cell) return false;
    }
    return true;
}

// Whether every point of the target axis is a stored point (no averaging) or lies between two; beyond the ends one may be missing.
static bool relate(const struct grid_axis *target, const struct grid_axis *stored, bool wraps, struct cf_average *average) {
    *average = (struct cf_average){0};
    if (equal_axes(target, stored)) return true;
    ptrdiff_t last = (ptrdiff_t)stored->n - 1, between = 0;
    int shift = 0;
    if (stored->n < 2 || target->n > stored->n + 1 || stored->n > target->n + 1 || !first_shift(target, stored, &shift)) return false;
    for (size_t n = 0; n < target->n; n++) {
        ptrdiff_t low = (ptrdiff_t)n + shift;
        if (low < -1 || low > last) return false;
        if (low < 0 || low == last) continue;
        double a = stored->values[low], b = stored->values[low + 1];
        if (fabs(target->values[n] - 0.5 * (a + b)) > half_way * (b - a)) return false;
        between++;
    }
    *average = (struct cf_average){.on = true, .wraps = wraps, .shift = shift};
    return between > 0;
}

// --- the same for columns known one by one -----------------------------------------------------------------------------

struct place { double x, y, z; };

static struct place place_of(const struct grid *g, ptrdiff_t i, ptrdiff_t j) {
    size_t at = (size_t)j * g->x.n + (size_t)i;
    double lon = g->lon[at] / 57.29577951308232, lat = g->lat[at] / 57.29577951308232;
    return (struct place){cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)};
}

static double distance(struct place a, struct place b) { return sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y) + (a.z - b.z) * (a.z - b.z)); }

// Whether a column lies amid the stored ones that would be averaged. 1 it does, 0 not, -1 that cannot be told.
static int amid(const struct grid *target, const struct grid *stored, const struct cf_average x_y[2], size_t i, size_t j) {
    struct place sum = {0, 0, 0}, first = {0, 0, 0}, here = place_of(target, (ptrdiff_t)i, (ptrdiff_t)j);
    double cell = 0;
    for (int corner = 0; corner < 4; corner++) {
        ptrdiff_t x = (ptrdiff_t)i + (x_y[0].on ? x_y[0].shift + corner % 2 : 0), y = (ptrdiff_t)j + (x_y[1].on ? x_y[1].shift + corner / 2 : 0);
        if (x < 0 || y < 0 || x >= (ptrdiff_t)stored->x.n || y >= (ptrdiff_t)stored->y.n) return -1;
        struct place p = place_of(stored, x, y);
        if (corner == 0) first = p;
        cell = fmax(cell, distance(first, p));
        sum = (struct place){sum.x + p.x / 4, sum.y + p.y / 4, sum.z + p.z / 4};
    }
    double away = distance(sum, here);
    return isnan(away) ? -1 : away <= 0.05 * cell + 0.02 * cell * cell;  // on the globe the chord's middle lies deeper
}

// Shifts that lengths allow: none (2), or -1 or 0. False where there are no more.
static bool next_shift(const struct grid_axis *target, const struct grid_axis *stored, int *option, struct cf_average *average) {
    static const int equal[] = {2, -1, 0};
    bool same = target->n == stored->n;
    if (*option >= (same ? 3 : 1) || target->n > stored->n + 1 || stored->n > target->n + 1) return false;
    int shift = same ? equal[*option] : target->n > stored->n ? -1 : 0;
    *average = (struct cf_average){.on = shift != 2, .shift = shift == 2 ? 0 : shift};
    ++*option;
    return true;
}

static bool relate_columns(const struct grid *target, const struct grid *stored, struct cf_average x_y[2]) {
    for (int x_option = 0; next_shift(&target->x, &stored->x, &x_option, &x_y[0]);)
        for (int y_option = 0; next_shift(&target->y, &stored->y, &y_option, &x_y[1]);) {
            size_t step_x = target->x.n / 24 + 1, step_y = target->y.n / 24 + 1, told = 0;
            bool fits = x_y[0].on || x_y[1].on;
            for (size_t j = 0; j < target->y.n && fits; j += step_y)
                for (size_t i = 0; i < target->x.n && fits; i += step_x) {
                    int answer = amid(target, stored, x_y, i, j);
                    fits = answer != 0;
                    told += answer == 1;
                }
            x_y[0].wraps = x_y[0].on && target->wraps && stored->wraps;
            if (fits && told > 0) return true;
        }
    return false;
}

static bool relate_grids(const struct grid *target, const struct grid *stored, struct cf_average x_y[2]) {
    if (target->lon && stored->lon) return relate_columns(target, stored, x_y);
    return *target->proj && target->angular == stored->angular && strcmp(target->proj, stored->proj) == 0 &&
           relate(&target->x, &stored->x, target->wraps && stored->wraps, &x_y[0]) && relate(&target->y, &stored->y, false, &x_y[1]);
}

// --- wind on mass points -----------------------------------------------------------------------------------------------

static const char *partner_name(const char *u) {
    static const char *const pairs[][2] = {{"x_wind", "y_wind"}, {"grid_eastward_wind", "grid_northward_wind"}, {"eastward_wind", "northward_wind"}};
    for (size_t n = 0; n < sizeof pairs / sizeof *pairs; n++)
        if (strcmp(u, pairs[n][0]) == 0) return pairs[n][1];
    return NULL;
}

static uint64_t level_key(const struct cf_file *file, const struct cf_variable *v) { return v->vertical >= 0 ? file->verticals[v->vertical].key : 0; }

// How many letters two names share at their ends.
static size_t likeness(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), same = 0;
    while (same < n && same < m && a[n - 1 - same] == b[m - 1 - same]) same++;
    return same;
}

// The other component on a grid of its own; -1.
static int find_partner(const struct cf_file *file, size_t u, size_t count) {
    const struct cf_variable *a = &file->variables[u];
    struct cf_texts mine = cf_variable_texts(file, a);
    const char *wanted = partner_name(mine.standard_name);
    int best = -1;
    size_t best_likeness = 0;
    for (size_t n = 0; wanted && n < count; n++) {
        const struct cf_variable *b = &file->variables[n];
        struct cf_texts theirs = cf_variable_texts(file, b);
        if (b->made || strcmp(theirs.standard_name, wanted) != 0 || strcmp(theirs.units, mine.units) != 0 || b->level_count != a->level_count ||
            b->member_count != a->member_count || b->time != a->time || level_key(file, a) != level_key(file, b))
            continue;
        if (b->grid == a->grid) return -1;  // they stand together already
        size_t like = likeness(mine.name, theirs.name) + 1;
        if (like > best_likeness) best = (int)n, best_likeness = like;
    }
    return best;
}

// The grid with the columns of one and the rows of another: one that is there, else made of their coordinates. -1: none; -2: no memory.
static int find_mass_grid(struct cf_file *file, const struct cf_variable *u, const struct cf_variable *v) {
    const struct grid *gu = file->grids[u->grid].grid, *gv = file->grids[v->grid].grid;
    for (size_t n = 0; n < file->grid_count && gu->lon && gv->lon; n++) {
        const struct grid *g = file->grids[n].grid;
        struct cf_average of_u[2], of_v[2];
        if (g && g->lon && relate_grids(g, gu, of_u) && relate_grids(g, gv, of_v) && of_u[0].on && !of_u[1].on && !of_v[0].on && of_v[1].on) return (int)n;
    }
    if (!*gu->proj || strcmp(gu->proj, gv->proj) != 0) return -1;
    for (size_t n = 0; n < file->grid_count; n++) {
        const struct grid *g = file->grids[n].grid;
        if (g && strcmp(g->proj, gu->proj) == 0 && equal_axes(&g->x, &gv->x) && equal_axes(&g->y, &gu->y)) return (int)n;
    }
    int x = file->grids[v->grid].x_variable, y = file->grids[u->grid].y_variable;
    if (x < 0 || y < 0 || cf_file_variable(file, (size_t)x)->rank != 1 || cf_file_variable(file, (size_t)y)->rank != 1) return -1;
    int made = cf_grid_find(file, cf_file_variable(file, u->index), x, y);
    return made < 0 ? -2 : file->grids[made].grid ? made : -1;
}

static int add_averaged(struct cf_file *file, size_t index, int grid, const struct cf_average x_y[2], bool for_heights) {
    static const char *const where[] = {"mass points", "staggered points"};
    struct cf_variable *v = cf_variable_copy(file, index);
    if (!v) return VIRGA_NO_MEMORY;
    struct cf_texts texts = cf_variable_texts(file, v);
    char *name = NULL, *long_name = NULL;
    if (asprintf(&name, "%s_at_%s_points", texts.name, for_heights ? "staggered" : "mass") < 0) name = NULL;
    if (asprintf(&long_name, "%s at %s", *texts.long_name ? texts.long_name : texts.name, where[for_heights]) < 0) long_name = NULL;
    free(v->name);
    free(v->long_name);
    v->name = name, v->long_name = long_name;
    v->grid = grid;
    v->made = true;
    v->hidden = for_heights && v->helper != HELPER_GROUND;  // the ground is shown
    for (int a = 0; a < 2; a++)
        if (x_y[a].on) v->average[a] = x_y[a], v->average[a].hold = for_heights;
    return name && long_name ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static int add_winds(struct cf_file *file, size_t count) {
    for (size_t u = 0; u < count; u++) {
        struct cf_average of_u[2], of_v[2];
        if (file->variables[u].made) continue;
        int v = find_partner(file, u, count), status = VIRGA_OK;
        int mass = v < 0 ? -1 : find_mass_grid(file, &file->variables[u], &file->variables[v]);
        if (mass == -2) return VIRGA_NO_MEMORY;
        if (mass < 0) continue;
        int gu = file->variables[u].grid, gv = file->variables[v].grid;
        if (!relate_grids(file->grids[mass].grid, file->grids[gu].grid, of_u) || !relate_grids(file->grids[mass].grid, file->grids[gv].grid, of_v)) continue;
        if (gu != mass) file->grids[gu].staggered = true, status = add_averaged(file, u, mass, of_u, false);
        if (!status && gv != mass) file->grids[gv].staggered = true, status = add_averaged(file, (size_t)v, mass, of_v, false);
        if (status) return status;
    }
    return VIRGA_OK;
}

// --- heights on staggered points ---------------------------------------------------------------------------------------

// Whether levels or the ground of other variables are placed by this one.
static bool places_others(const struct cf_file *file, const struct cf_variable *v) {
    bool air = v->helper == HELPER_TEMPERATURE || v->helper == HELPER_SPECIFIC_HUMIDITY || v->helper == HELPER_MIXING_RATIO;
    if (air) return v->vertical >= 0 && (file->verticals[v->vertical].kind == VERTICAL_HYBRID_PRESSURE || file->verticals[v->vertical].kind == VERTICAL_FIELD);
    if (v->helper != HELPER_NONE) return true;
    for (size_t n = 0; n < file->vertical_count; n++) {
        const struct cf_vertical *vertical = &file->verticals[n];
        const int named[] = {vertical->orography, vertical->smooth, vertical->surface_pressure, vertical->field.variables[0], vertical->field.variables[1]};
        for (size_t i = 0; i < sizeof named / sizeof *named; i++)
            if (named[i] == (int)v->index) return true;
    }
    return false;
}

static bool has_levels(const struct cf_file *file, int grid, size_t count) {
    for (size_t n = 0; n < count; n++)
        if (file->variables[n].grid == grid && file->variables[n].level_count > 1 && !file->variables[n].hidden) return true;
    return false;
}

static bool stands_on(const struct cf_file *file, const struct cf_variable *v, int grid) {
    for (size_t n = 0; n < file->variable_count; n++) {
        const struct cf_variable *other = &file->variables[n];
        bool same_role = other->helper != HELPER_NONE && other->helper == v->helper && level_key(file, other) == level_key(file, v);
        if (other->grid == grid && (same_role || (other->index == v->index && other->plus == v->plus))) return true;
    }
    return false;
}

static int add_helpers_on(struct cf_file *file, int grid, int from, size_t count, const struct cf_average x_y[2]) {
    for (size_t n = 0; n < count; n++) {
        const struct cf_variable *v = &file->variables[n];
        bool again = (x_y[0].on && v->average[0].on) || (x_y[1].on && v->average[1].on);
        if (v->grid != from || again || !places_others(file, v) || stands_on(file, v, grid)) continue;
        int status = add_averaged(file, n, grid, x_y, true);
        if (status) return status;
    }
    return VIRGA_OK;
}

static int add_helpers(struct cf_file *file) {
    size_t count = file->variable_count;
    for (size_t g = 0; g < file->grid_count; g++)
        for (size_t from = 0; from < file->grid_count; from++) {
            const struct grid *target = file->grids[g].grid, *stored = file->grids[from].grid;
            struct cf_average x_y[2];
            if (from == g || !target || !stored || !has_levels(file, (int)g, count) || !relate_grids(target, stored, x_y) || (!x_y[0].on && !x_y[1].on)) continue;
            int status = add_helpers_on(file, (int)g, (int)from, count, x_y);
            if (status) return status;
        }
    return VIRGA_OK;
}

int cf_stagger_add(struct cf_file *file) {
    if (file->grid_count > GRIDS_MAX) return VIRGA_OK;
    int status = add_winds(file, file->variable_count);
    return status ? status : add_helpers(file);
}
