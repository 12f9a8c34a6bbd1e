// SPDX-License-Identifier: Apache-2.0
// Wind speed and direction from pairs of components. Direction is where the wind comes from, clockwise from true north.
// Between voxels a direction is interpolated as a number, so across north (359 and 1 degree) the value between is not a
// direction between; at grid points it is exact.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "field/catalog_group.h"
#include "field/cf_units.h"
#include "field/derived.h"

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
            strcmp(a->calendar, b->calendar) != 0 || a->from->constant != b->from->constant || derived_level_key(d, a) != derived_level_key(d, b))
            continue;
        size_t like = likeness(a->name, b->name) + 1;
        if (like > best_likeness) best = (int)n, best_likeness = like;
    }
    return best;
}

static bool has_own(const struct catalog_dataset *d, const struct catalog_variable *like, const char *standard_name) {
    for (size_t n = 0; n < d->variable_count; n++)
        if (!d->variables[n].derived && strcmp(d->variables[n].standard_name, standard_name) == 0 && derived_level_key(d, &d->variables[n]) == derived_level_key(d, like) &&
            d->variables[n].nz == like->nz)
            return true;
    return false;
}

// What tells a pair's place in both names, behind any "wind": "10", "tropopause"; "" for none.
static const char *place_in_names(const char *u, const char *v) {
    const char *place = u + strlen(u) - likeness(u, v), *wind = strcasestr(place, "wind");
    if (wind && (wind[4] || *place != '_')) place = wind + 4;  // not "_maxWind"
    return place + strspn(place, "_- ");
}

static int add_one(struct catalog_dataset *d, size_t u, size_t v, enum wind_kind kind, bool speed) {
    const char *standard_name = speed ? "wind_speed" : "wind_from_direction";
    const struct catalog_variable *a = &d->variables[u], *b = &d->variables[v];
    if (has_own(d, a, standard_name)) return VIRGA_OK;
    char name[SOURCE_MAX_NAME + 32], long_name[2 * SOURCE_MAX_NAME + 64];
    snprintf(name, sizeof name, "%s%s", standard_name, kind == WIND_GRIB ? a->name + sizeof grib_u - 1 : "");
    const char *place = place_in_names(a->name, b->name);
    if (*place && derived_name_is_taken(d, name)) snprintf(name, sizeof name, "%s_%s", standard_name, place);
    snprintf(long_name, sizeof long_name, "%s by %s and %s", speed ? "wind speed" : "direction the wind comes from", a->name, b->name);
    struct derived_texts texts = {name, standard_name, long_name, speed ? a->units : "degree"};
    struct variable_source *added;
    int status = derived_add(d, speed ? &derived_wind_speed : &derived_wind_direction, (int)u, (int)v, &texts, &added);
    if (added) added->grid_winds = kind == WIND_GRID;
    return status;
}

int derived_add_winds(struct catalog_dataset *d) {
    size_t count = d->variable_count;
    for (size_t turn = 0; turn < 2 * count; turn++) {  // volumes first: the plain name is theirs
        size_t u = turn % count;
        if (d->variables[u].vertical != (turn < count)) continue;
        enum wind_kind kind = u_kind(d, &d->variables[u]);
        int v = kind == WIND_NONE ? NO_VARIABLE : find_partner(d, u, kind), status;
        if (v < 0) continue;
        if ((status = add_one(d, u, (size_t)v, kind, true)) || (status = add_one(d, u, (size_t)v, kind, false))) return status;
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
// Components blow along the upright axes, in whatever order the columns are stored: column numbers have no direction of their own.
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

// [ny][nx][4]: east and north parts of unit vectors along the grid's x and y axes. Owned by the dataset.
static int wind_directions(const struct field_ref *field, const float **directions, struct failure *failure) {
    const struct variable_source *from = field->dataset->variables[field->variable].from;
    struct dataset_shared *shared = from->shared;
    float **slot = from->grid_winds ? &shared->directions : &shared->plain_directions;
    pthread_mutex_lock(&shared->lock);
    if (!*slot) *slot = make_directions(field->dataset->grid, from->grid_winds);
    *directions = *slot;
    pthread_mutex_unlock(&shared->lock);
    return *directions ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

// --- values ------------------------------------------------------------------------------------------------------------

static double wind_direction(double u, double v, const float *d) {
    double east = u * (double)d[0] + v * (double)d[2], north = u * (double)d[1] + v * (double)d[3];
    if (isnan(east) || isnan(north)) return NAN;
    double from = atan2(-east, -north) * 57.29577951308232;
    if (from < 0) from += 360;
    return from >= 360 ? 0 : from;
}

static int read_wind(const struct field_ref *field, const struct field_box *box, bool speed, double *values, struct failure *failure) {
    struct field_ref u = field_input(field, false), v = field_input(field, true);
    size_t row = box->nx, rows = box->ny * box->nz;
    const float *directions = NULL;
    int status = field_read(&u, box, values, failure);
    if (status) return status;
    double *other = memory_new_aligned(64, row * rows, sizeof *other);
    if (!other) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    status = field_read(&v, box, other, failure);
    if (!status && !speed) status = wind_directions(field, &directions, failure);
    for (size_t r = 0; !status && r < rows; r++) {
        double *a = values + r * row;
        const double *b = other + r * row;
        if (speed) {
            for (size_t i = 0; i < row; i++) a[i] = sqrt(a[i] * a[i] + b[i] * b[i]);
        } else {
            const float *place = directions + 4 * ((box->y0 + r % box->ny) * field->dataset->grid->x.n + box->x0);
            for (size_t i = 0; i < row; i++) a[i] = wind_direction(a[i], b[i], place + 4 * i);
        }
    }
    free(other);
    return status;
}

static int read_speed(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    return read_wind(field, box, true, values, failure);
}

static int read_direction(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure) {
    return read_wind(field, box, false, values, failure);
}

const struct derived_kind derived_wind_speed = {"wind speed", 2, false, NULL, NULL, read_speed};
const struct derived_kind derived_wind_direction = {
    "wind direction", 2, false, NULL, catalog_direction_note, read_direction};
