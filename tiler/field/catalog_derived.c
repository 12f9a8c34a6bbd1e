// SPDX-License-Identifier: Apache-2.0
// Wind speed and direction from pairs of components. Direction is where the wind comes from, clockwise from true north.
// Between voxels a direction is interpolated as a number, so across north (359 and 1 degree) the value between is not a
// direction between; at grid points it is exact.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/catalog_group.h"
#include "field/cf_units.h"

enum wind_kind { WIND_NONE, WIND_TRUE, WIND_GRID, WIND_GRIB };

static const char grib_u[] = "u-component_of_wind", grib_v[] = "v-component_of_wind";

static enum wind_kind u_kind(const struct catalog_dataset *d, const struct catalog_variable *v) {
    if (!cf_units_convertible(v->units, "m s-1")) return WIND_NONE;
    if (strcmp(v->standard_name, "eastward_wind") == 0) return WIND_TRUE;
    if (strcmp(v->standard_name, "x_wind") == 0 || strcmp(v->standard_name, "grid_eastward_wind") == 0) return WIND_GRID;
    // Without a standard name GRIB's components are known to be true only where the grid's own axes are.
    bool plain = grid_is_lonlat(d->grid);
    if (!*v->standard_name && plain && strncasecmp(v->name, grib_u, sizeof grib_u - 1) == 0) return WIND_GRIB;
    return WIND_NONE;
}

static bool is_partner(const struct catalog_variable *u, enum wind_kind kind, const struct catalog_variable *v) {
    if (kind == WIND_TRUE) return strcmp(v->standard_name, "northward_wind") == 0;
    if (kind == WIND_GRID) return strcmp(v->standard_name, strcmp(u->standard_name, "x_wind") == 0 ? "y_wind" : "grid_northward_wind") == 0;
    return !*v->standard_name && strncasecmp(v->name, grib_v, sizeof grib_v - 1) == 0 && strcasecmp(u->name + sizeof grib_u - 1, v->name + sizeof grib_v - 1) == 0;
}

static const struct field_step *first_step(const struct catalog_dataset *d, const struct catalog_variable *v) {
    for (size_t r = d->run_count; r-- > 0;)
        if (v->from->runs[r].step_count > 0) return &v->from->runs[r].steps[0];
    return NULL;
}

static uint64_t level_key(const struct catalog_dataset *d, const struct catalog_variable *v) {
    const struct field_step *step = first_step(d, v);
    return step && step->variable->vertical >= 0 ? step->file->verticals[step->variable->vertical].key : 0;
}

// How many letters two names share at their ends: u_10m goes with v_10m rather than with v_100m.
static size_t likeness(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), same = 0;
    while (same < n && same < m && a[n - 1 - same] == b[m - 1 - same]) same++;
    return same;
}

static int find_partner(const struct catalog_dataset *d, size_t u, enum wind_kind kind) {
    const struct catalog_variable *a = &d->variables[u];
    int best = NO_VARIABLE;
    size_t best_likeness = 0;
    for (size_t n = 0; n < d->variable_count; n++) {
        const struct catalog_variable *b = &d->variables[n];
        if (b->derived || !is_partner(a, kind, b) || b->nz != a->nz || b->member_count != a->member_count || strcmp(a->units, b->units) != 0 ||
            strcmp(a->calendar, b->calendar) != 0 || a->from->constant != b->from->constant || level_key(d, a) != level_key(d, b))
            continue;
        size_t like = likeness(a->name, b->name) + 1;
        if (like > best_likeness) best = (int)n, best_likeness = like;
    }
    return best;
}

// Steps that both components have.
static int join_steps(struct catalog_dataset *d, size_t index, size_t u, size_t v) {
    struct variable_source *from = d->variables[index].from;
    for (size_t r = 0; r < d->run_count; r++) {
        const struct catalog_series *a = &d->runs[r].series[u], *b = &d->runs[r].series[v];
        struct catalog_series *series = &d->runs[r].series[index];
        struct run_source *run = &from->runs[r];
        size_t most = a->time_count < b->time_count ? a->time_count : b->time_count;
        if (most == 0) continue;
        series->times = calloc(most, sizeof *series->times);
        run->steps = calloc(most, sizeof *run->steps);
        if (!series->times || !run->steps) return VIRGA_NO_MEMORY;
        for (size_t s = 0, t = 0; s < a->time_count && t < b->time_count;) {
            double difference = a->times[s].seconds - b->times[t].seconds;
            if (difference == 0) {
                run->steps[series->time_count] = (struct field_step){NULL, NULL, 0, s, t};
                series->times[series->time_count++] = a->times[s];
            }
            if (difference <= 0) s++;
            if (difference >= 0) t++;
        }
        run->step_count = series->time_count;
        series->present = series->time_count > 0;
        run->map = level_map_ref(d->variables[u].from->runs[r].map);
    }
    return VIRGA_OK;
}

static bool has_own(const struct catalog_dataset *d, const struct catalog_variable *like, const char *standard_name) {
    for (size_t n = 0; n < d->variable_count; n++)
        if (!d->variables[n].derived && strcmp(d->variables[n].standard_name, standard_name) == 0 && level_key(d, &d->variables[n]) == level_key(d, like) &&
            d->variables[n].nz == like->nz)
            return true;
    return false;
}

static int add_one(struct catalog_dataset *d, size_t u, size_t v, enum wind_kind kind, enum derived_kind derived) {
    bool speed = derived == DERIVED_WIND_SPEED;
    const char *standard_name = speed ? "wind_speed" : "wind_from_direction";
    if (has_own(d, &d->variables[u], standard_name)) return VIRGA_OK;
    struct catalog_variable *w = catalog_add_variable(d, d->variables[u].from->shared);
    if (!w) return VIRGA_NO_MEMORY;
    const struct catalog_variable *a = &d->variables[u], *b = &d->variables[v];
    size_t index = d->variable_count - 1;
    const char *suffix = kind == WIND_GRIB ? a->name + sizeof grib_u - 1 : "";
    char name[SOURCE_MAX_NAME + 32];
    snprintf(name, sizeof name, "%s%s", standard_name, suffix);
    w->id = catalog_variable_id(d, name);
    w->name = strdup(name);
    w->standard_name = strdup(standard_name);
    if (asprintf(&w->long_name, "%s from %s and %s", speed ? "wind speed" : "direction the wind comes from", a->name, b->name) < 0) w->long_name = NULL;
    w->units = strdup(speed ? a->units : "degree");
    w->calendar = strdup(a->calendar);
    w->members = calloc(a->member_count, sizeof *w->members);
    if (!w->id || !w->name || !w->standard_name || !w->long_name || !w->units || !w->calendar || !w->members) return VIRGA_NO_MEMORY;
    for (w->member_count = 0; w->member_count < a->member_count; w->member_count++)
        if (!(w->members[w->member_count] = strdup(a->members[w->member_count]))) return VIRGA_NO_MEMORY;
    w->derived = true;
    w->vertical = a->vertical;
    w->nx = a->nx, w->ny = a->ny, w->nz = a->nz;
    w->level_map = level_map_ref(a->level_map);
    w->from->derived = derived;
    w->from->u = (int)u, w->from->v = (int)v;
    w->from->grid_winds = kind == WIND_GRID;
    w->from->constant = a->from->constant;
    int status = join_steps(d, index, u, v);
    bool any = false;
    for (size_t r = 0; r < d->run_count; r++) any |= d->runs[r].series[index].present;
    if (!status && !any) catalog_remove_variable(d, index);
    return status;
}

int catalog_add_derived(struct catalog_dataset *d) {
    size_t count = d->variable_count;
    for (size_t u = 0; u < count; u++) {
        enum wind_kind kind = u_kind(d, &d->variables[u]);
        int v = kind == WIND_NONE ? NO_VARIABLE : find_partner(d, u, kind), status;
        if (v < 0) continue;
        if ((status = add_one(d, u, (size_t)v, kind, DERIVED_WIND_SPEED)) || (status = add_one(d, u, (size_t)v, kind, DERIVED_WIND_DIRECTION))) return status;
    }
    return VIRGA_OK;
}

// --- directions of the grid's axes -------------------------------------------------------------------------------------

// East and north parts of the unit vector from one place to another.
static bool heading(const double lon[2], const double lat[2], float *east, float *north) {
    double middle = 0.5 * (lat[0] + lat[1]) * 0.017453292519943295;
    double e = remainder(lon[1] - lon[0], 360) * cos(middle), n = lat[1] - lat[0], length = hypot(e, n);
    if (!(length > 0)) return false;
    *east = (float)(e / length);
    *north = (float)(n / length);
    return true;
}

// Along an axis at (x, y), by central differences over a small step.
static bool along(const struct grid *grid, double x, double y, double dx, double dy, float *east, float *north) {
    double lon[2], lat[2];
    if (grid_to_lonlat(grid, x - dx, y - dy, &lon[0], &lat[0]) || grid_to_lonlat(grid, x + dx, y + dy, &lon[1], &lat[1])) return false;
    return heading(lon, lat, east, north);
}

// Along an axis of a curvilinear grid: from the column before to the one after, or from the column itself at an edge.
static bool along_columns(const struct grid *grid, size_t i, size_t j, bool x_axis, float *east, float *north) {
    size_t nx = grid->x.n, ny = grid->y.n, from[2] = {i, j}, to[2] = {i, j};
    int axis = x_axis ? 0 : 1;
    bool turns = x_axis && grid->wraps;
    size_t n = x_axis ? nx : ny;
    if (from[axis] > 0) from[axis]--;
    else if (turns) from[axis] = n - 1;
    if (to[axis] + 1 < n) to[axis]++;
    else if (turns) to[axis] = 0;
    size_t here = j * nx + i, a = from[1] * nx + from[0], b = to[1] * nx + to[0];
    if (isnan(grid->lon[a])) a = here;
    if (isnan(grid->lon[b])) b = here;
    const double lon[] = {grid->lon[a], grid->lon[b]}, lat[] = {grid->lat[a], grid->lat[b]};
    return heading(lon, lat, east, north);
}

static float *make_directions(const struct grid *grid, bool grid_winds) {
    size_t nx = grid->x.n, ny = grid->y.n;
    float *all = malloc(nx * ny * 4 * sizeof *all);
    bool plain = !grid_winds || grid_is_lonlat(grid), curvilinear = grid_is_curvilinear(grid);
    double step = grid->angular ? 1e-3 : 100;
    for (size_t c = 0; all && c < nx * ny; c++) {
        float *at = all + 4 * c;
        double x = grid->x.values[c % nx], y = grid->y.values[c / nx];
        double inward = grid->angular && fabs(y) + step > 90 ? (y > 0 ? -2 : 2) * step : 0;  // at the grid's own poles
        at[0] = 1, at[1] = 0, at[2] = 0, at[3] = 1;
        if (plain) continue;
        bool fine = curvilinear ? along_columns(grid, c % nx, c / nx, true, &at[0], &at[1]) && along_columns(grid, c % nx, c / nx, false, &at[2], &at[3])
                                : along(grid, x, y + inward, step, 0, &at[0], &at[1]) && along(grid, x, y + inward, 0, step, &at[2], &at[3]);
        if (!fine) at[0] = at[1] = at[2] = at[3] = NAN;
    }
    return all;
}

int wind_directions(const struct field_ref *field, const float **directions, struct failure *failure) {
    const struct variable_source *from = field->dataset->variables[field->variable].from;
    struct dataset_shared *shared = from->shared;
    float **slot = from->grid_winds ? &shared->directions : &shared->plain_directions;
    pthread_mutex_lock(&shared->lock);
    if (!*slot) *slot = make_directions(field->dataset->grid, from->grid_winds);
    *directions = *slot;
    pthread_mutex_unlock(&shared->lock);
    return *directions ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}
