// SPDX-License-Identifier: Apache-2.0
#include "field/cf_wrf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"

enum { TIMES_MAX = 1 << 16, AXIS_MAX = 1 << 20 };
static const double earth_radius = 6370000;

// --- what it is --------------------------------------------------------------------------------------------------------

static bool global_number(const struct source *source, const char *name, double *value) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_attribute *a = source_find_attribute(inventory->attributes, inventory->attribute_count, name);
    if (!a || !a->numbers || a->count == 0 || !isfinite(a->numbers[0])) return false;
    *value = a->numbers[0];
    return true;
}

static double number_or(const struct source *source, const char *name, double otherwise) {
    double value;
    return global_number(source, name, &value) ? value : otherwise;
}

static int find_dimension(const struct source *source, const char *name) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t d = 0; d < inventory->dimension_count; d++)
        if (strcmp(inventory->dimensions[d].name, name) == 0) return (int)d;
    return -1;
}

static int find_variable(const struct source *source, const char *name) { return cf_find_variable(source, NULL, name, strlen(name)); }

bool cf_is_wrf(const struct source *source) {
    double projection;
    int x = find_dimension(source, "west_east"), y = find_dimension(source, "south_north");
    if (x < 0) x = find_dimension(source, "west_east_stag");
    if (y < 0) y = find_dimension(source, "south_north_stag");
    // Where the dimensions have coordinates somebody has made a CF file of it.
    return x >= 0 && y >= 0 && global_number(source, "MAP_PROJ", &projection) && cf_coordinate_variable(source, (size_t)x) == CF_NO_VARIABLE &&
           cf_coordinate_variable(source, (size_t)y) == CF_NO_VARIABLE;
}

enum cf_role cf_wrf_role(const struct source *source, size_t dimension) {
    static const struct { const char *name; enum cf_role role; } names[] = {
        {"west_east", ROLE_X}, {"west_east_stag", ROLE_X}, {"south_north", ROLE_Y}, {"south_north_stag", ROLE_Y},
        {"bottom_top", ROLE_Z}, {"bottom_top_stag", ROLE_Z}, {"Time", ROLE_T}};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (strcmp(source_inventory(source)->dimensions[dimension].name, names[n].name) == 0) return names[n].role;
    return ROLE_NONE;
}

const char *cf_wrf_start(const struct source *source) {
    const char *start = cf_global_text(source, "SIMULATION_START_DATE");
    return start ? start : cf_global_text(source, "START_DATE");
}

// --- the projection ----------------------------------------------------------------------------------------------------

// A CF grid mapping in the words of CF.
struct mapping {
    struct source_variable variable;
    struct source_attribute attributes[8];
    double numbers[8][2];
    char names[8][48], text[48];
};

static void add_numbers(struct mapping *m, const char *name, double first, double second, size_t count) {
    size_t n = m->variable.attribute_count++;
    snprintf(m->names[n], sizeof m->names[n], "%s", name);
    m->numbers[n][0] = first, m->numbers[n][1] = second;
    m->attributes[n] = (struct source_attribute){.name = m->names[n], .type = SOURCE_F64, .count = count, .numbers = m->numbers[n]};
}

static void add_number(struct mapping *m, const char *name, double value) { add_numbers(m, name, value, 0, 1); }

static void begin_mapping(struct mapping *m, const char *name) {
    *m = (struct mapping){0};
    snprintf(m->text, sizeof m->text, "%s", name);
    snprintf(m->names[0], sizeof m->names[0], "grid_mapping_name");
    m->attributes[0] = (struct source_attribute){.name = m->names[0], .type = SOURCE_CHAR, .count = strlen(m->text), .text = m->text};
    m->variable = (struct source_variable){.name = m->text, .attributes = m->attributes, .attribute_count = 1};
    add_number(m, "earth_radius", earth_radius);
}

static void rotated_mapping(const struct source *source, struct mapping *m) {
    begin_mapping(m, "rotated_latitude_longitude");
    add_number(m, "grid_north_pole_latitude", number_or(source, "POLE_LAT", 90));
    add_number(m, "grid_north_pole_longitude", remainder(180 - number_or(source, "STAND_LON", 0), 360));
    add_number(m, "north_pole_grid_longitude", number_or(source, "POLE_LON", 0));
}

static void conic_mapping(const struct source *source, struct mapping *m) {
    double one = number_or(source, "TRUELAT1", NAN), two = number_or(source, "TRUELAT2", one), middle = number_or(source, "MOAD_CEN_LAT", one);
    begin_mapping(m, "lambert_conformal_conic");
    add_numbers(m, "standard_parallel", one, fabs(two) <= 90 ? two : one, 2);
    add_number(m, "latitude_of_projection_origin", fabs(middle) <= 90 ? middle : one);
    add_number(m, "longitude_of_central_meridian", number_or(source, "STAND_LON", NAN));
}

// middle: a longitude inside the grid, far from which the plane is cut open where the projection leaves that free.
static int find_mapping(const struct source *source, double middle, struct mapping *m, struct failure *failure) {
    double projection = number_or(source, "MAP_PROJ", 0), latitude = number_or(source, "TRUELAT1", NAN);
    if (projection == 1) return conic_mapping(source, m), VIRGA_OK;
    if (projection == 2) {
        begin_mapping(m, "polar_stereographic");
        add_number(m, "latitude_of_projection_origin", latitude < 0 ? -90 : 90);
        add_number(m, "straight_vertical_longitude_from_pole", number_or(source, "STAND_LON", NAN));
        add_number(m, "standard_parallel", latitude);
        return VIRGA_OK;
    }
    if (projection == 3) {
        double standard = number_or(source, "STAND_LON", middle);
        begin_mapping(m, "mercator");
        add_number(m, "longitude_of_projection_origin", fabs(remainder(middle - standard, 360)) < 60 ? standard : middle);
        add_number(m, "standard_parallel", latitude);
        return VIRGA_OK;
    }
    if (projection == 6 && fabs(number_or(source, "POLE_LAT", 90)) > 90 - 1e-4) return begin_mapping(m, "latitude_longitude"), VIRGA_OK;
    if (projection == 6) return rotated_mapping(source, m), VIRGA_OK;
    if (projection == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "it is an idealised case without a place on Earth (MAP_PROJ 0)");
    return failure_set(failure, VIRGA_NOT_FOUND, "its map projection MAP_PROJ %g is not known", projection);
}

// --- corners -----------------------------------------------------------------------------------------------------------

struct corners { double lon[2][2], lat[2][2]; };  // [south, north][west, east]

// The corners of a variable at some of its times, each `every` after the other: numbers[*times][south, north][west, east].
// The caller frees them.
static int read_corner_numbers(struct source *source, int index, size_t every, double **numbers, size_t *times, struct failure *failure) {
    const struct source_inventory *inventory = source_inventory(source);
    const struct source_variable *v = &inventory->variables[index];
    struct source_slab_request request = {.variable = (size_t)index, .rank = v->rank, .reduction = REDUCE_STRIDE, .scale = 1};
    struct source_slab slab = {0};
    struct cf_packing packing;
    size_t n[3] = {1, 1, 1};
    if (cf_packing_init(&packing, v)) return failure_set(failure, VIRGA_UNSUPPORTED, "%.60s does not hold numbers", v->name);
    for (int d = 0; d < v->rank; d++) {
        size_t length = inventory->dimensions[v->dimensions[d]].length;
        bool time = d < v->rank - 2;
        if (length == 0) return failure_set(failure, VIRGA_UNSUPPORTED, "%.60s holds no numbers", v->name);
        request.count[d] = length;
        request.block[d] = time ? every : length > 1 ? length - 1 : 1;
        n[3 - v->rank + d] = (length + request.block[d] - 1) / request.block[d];
    }
    if (n[0] > TIMES_MAX) return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d times", TIMES_MAX);
    double *stored = malloc(4 * n[0] * sizeof *stored);
    if (!(*numbers = malloc(4 * n[0] * sizeof **numbers)) || !stored) {
        free(stored);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    int status = source_read(source, &request, &slab, failure);
    if (!status && slab.elements < n[0] * n[1] * n[2]) status = failure_set(failure, VIRGA_INTERNAL, "a short answer for %.60s", v->name);
    if (!status) cf_packing_decode(&packing, slab.data, 1, n[0] * n[1] * n[2], stored);
    for (size_t at = 0; !status && at < 4 * n[0]; at++) {
        size_t y = at / 2 % 2, x = at % 2;
        (*numbers)[at] = stored[(at / 4 * n[1] + (y < n[1] ? y : 0)) * n[2] + (x < n[2] ? x : 0)];
    }
    source_slab_release(&slab);
    free(stored);
    *times = n[0];
    return status;
}

// Latitude or longitude on these dimensions, time before them or not.
static int find_coordinate(const struct source *source, const char *const *names, size_t y, size_t x) {
    for (; *names; names++) {
        int n = find_variable(source, *names);
        const struct source_variable *v = n < 0 ? NULL : &source_inventory(source)->variables[n];
        bool time = v && v->rank == 3 && cf_wrf_role(source, v->dimensions[0]) == ROLE_T;
        if (v && v->type <= SOURCE_F64 && (v->rank == 2 || time) && v->dimensions[v->rank - 2] == y && v->dimensions[v->rank - 1] == x) return n;
    }
    return CF_NO_VARIABLE;
}

static bool is_place(const struct corners *c) {
    bool any = false;
    for (int n = 0; n < 4; n++) {
        if (!(fabs(c->lat[n / 2][n % 2]) <= 90.001) || !(fabs(c->lon[n / 2][n % 2]) <= 720)) return false;
        any |= c->lat[n / 2][n % 2] != 0 || c->lon[n / 2][n % 2] != 0;
    }
    return any;
}

static bool same_place(const struct corners *a, const struct corners *b) {
    for (int n = 0; n < 4; n++)
        if (fabs(a->lat[n / 2][n % 2] - b->lat[n / 2][n % 2]) > 1e-4 || fabs(remainder(a->lon[n / 2][n % 2] - b->lon[n / 2][n % 2], 360)) > 1e-4) return false;
    return true;
}

// all[*count] corners at each of some times. The caller frees them.
static int read_corners_at(struct source *source, int lat, int lon, size_t every, struct corners **all, size_t *count, struct failure *failure) {
    double *lats = NULL, *lons = NULL;
    size_t other = 0;
    *all = NULL;
    int status = read_corner_numbers(source, lat, every, &lats, count, failure);
    if (!status) status = read_corner_numbers(source, lon, every, &lons, &other, failure);
    if (!status && other != *count) status = failure_set(failure, VIRGA_UNSUPPORTED, "its latitudes and longitudes are of different times");
    if (!status && !(*all = calloc(*count, sizeof **all))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; !status && n < 4 * *count; n++) (*all)[n / 4].lat[n / 2 % 2][n % 2] = lats[n], (*all)[n / 4].lon[n / 2 % 2][n % 2] = lons[n];
    free(lats);
    free(lons);
    return status;
}

// VIRGA_NOT_FOUND where the file does not tell them. One where the grid stands, else one a time. The caller frees *all.
static int read_corners(struct source *source, size_t y, size_t x, struct corners **all, size_t *count, struct failure *failure) {
    static const char *const lats[] = {"XLAT", "XLAT_M", "XLAT_U", "XLAT_V", NULL}, *const lons[] = {"XLONG", "XLONG_M", "XLONG_U", "XLONG_V", NULL};
    int lat = find_coordinate(source, lats, y, x), lon = find_coordinate(source, lons, y, x);
    *all = NULL;
    if (lat < 0 || lon < 0) return failure_set(failure, VIRGA_NOT_FOUND, "it has no XLAT and XLONG");
    const struct source_variable *v = &source_inventory(source)->variables[lat];
    size_t times = v->rank == 3 ? source_inventory(source)->dimensions[v->dimensions[0]].length : 1;
    // The first, one in the middle, and the last: grids that stand need no more.
    int status = read_corners_at(source, lat, lon, times > 2 ? (times - 1) / 2 : 1, all, count, failure);
    if (status) return status;
    if (!is_place(*all))
        return failure_set(failure, VIRGA_UNSUPPORTED, "its latitudes and longitudes are missing at the corners, or all 0: an idealised case without a place on Earth?");
    bool stands = true;
    for (size_t n = 1; n < *count; n++) stands = stands && (same_place(*all, *all + n) || !is_place(*all + n));  // some write them once only
    if (stands) return *count = 1, VIRGA_OK;
    free(*all);
    return read_corners_at(source, lat, lon, 1, all, count, failure);
}

// --- the grid ----------------------------------------------------------------------------------------------------------

struct place { double start, step; size_t n; };  // of an axis

// A grid of the mapping with these axes.
static int make_grid(const struct mapping *m, const struct place *x, const struct place *y, struct grid **grid, struct cf_axis_order *x_order,
                     struct cf_axis_order *y_order, struct failure *failure) {
    bool angular = strstr(m->text, "latitude_longitude") != NULL;
    const struct place *at[] = {x, y};
    double *values[2] = {NULL, NULL};
    int status = VIRGA_OK;
    *grid = NULL;
    for (int a = 0; a < 2 && !status; a++) {
        if (at[a]->n > AXIS_MAX) status = failure_set(failure, VIRGA_TOO_LARGE, "its grid has more columns than can be placed");
        else if (!(values[a] = malloc((at[a]->n + 1) * sizeof *values[a]))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        for (size_t n = 0; !status && n < at[a]->n; n++) values[a][n] = at[a]->start + (double)n * at[a]->step;
        // A row at a pole is there, and not beyond it by a rounding error.
        for (size_t n = 0; !status && angular && a == 1 && n < at[a]->n; n++)
            if (fabs(values[a][n]) > 90 && fabs(values[a][n]) < 90.01) values[a][n] = values[a][n] > 0 ? 90 : -90;
    }
    struct cf_axis_input inputs[2] = {{values[0], x->n, angular ? "degree" : "m", false, angular}, {values[1], y->n, angular ? "degree" : "m", false, angular}};
    if (!status) status = cf_grid_new(&m->variable, &inputs[0], &inputs[1], grid, x_order, y_order, failure);
    free(values[0]);
    free(values[1]);
    return status;
}

// Start and step of an axis from where its ends lie on the projection, seen from both ends of the other axis. `given`: the
// step that the attributes tell, in metres, which is more exact than latitudes and longitudes of single precision.
static bool fit(const double low[2], const double high[2], double given, struct place *axis) {
    double measured = axis->n > 1 ? 0.5 * (high[0] + high[1] - low[0] - low[1]) / (double)(axis->n - 1) : given;
    axis->step = given > 0 && fabs(measured - given) < 1e-3 * given ? given : measured;
    double from_low = 0.5 * (low[0] + low[1]), from_high = 0.5 * (high[0] + high[1]) - (double)(axis->n - 1) * axis->step;
    axis->start = axis->n > 1 ? 0.5 * (from_low + from_high) : from_low;
    for (int side = 0; side < 2; side++) {
        if (fabs(low[side] - axis->start) > 0.05 * axis->step) return false;
        if (axis->n > 1 && fabs(high[side] - axis->start - (double)(axis->n - 1) * axis->step) > 0.05 * axis->step) return false;
    }
    return axis->step > 0;
}

// The corners on the projection; longitudes that jump run on.
static int project_corners(const struct mapping *m, const struct corners *c, double x[2][2], double y[2][2], struct failure *failure) {
    const struct place unit = {0, 1, 2};
    struct cf_axis_order order[2];
    struct grid *plane;
    int status = make_grid(m, &unit, &unit, &plane, &order[0], &order[1], failure);
    if (status) return status;
    for (int n = 0; n < 4 && !status; n++) status = grid_from_lonlat(plane, c->lon[n / 2][n % 2], c->lat[n / 2][n % 2], &x[n / 2][n % 2], &y[n / 2][n % 2]);
    if (status) status = failure_set(failure, VIRGA_NOT_FOUND, "its corners do not lie on the projection that its attributes tell");
    for (int row = 0; row < 2 && !status && plane->angular; row++) {
        if (row == 1) x[1][0] = x[0][0] + remainder(x[1][0] - x[0][0], 360);
        while (x[row][1] <= x[row][0]) x[row][1] += 360;
    }
    grid_free(plane);
    return status;
}

static int place_by_corners(const struct source *source, const struct mapping *m, const struct corners *c, struct place *x, struct place *y,
                            struct failure *failure) {
    double px[2][2], py[2][2];
    int status = project_corners(m, c, px, py, failure);
    if (status) return status;
    bool angular = strstr(m->text, "latitude_longitude") != NULL;
    const double west[] = {px[0][0], px[1][0]}, east[] = {px[0][1], px[1][1]}, south[] = {py[0][0], py[0][1]}, north[] = {py[1][0], py[1][1]};
    if (!fit(west, east, angular ? 0 : number_or(source, "DX", 0), x) || !fit(south, north, angular ? 0 : number_or(source, "DY", 0), y))
        return failure_set(failure, VIRGA_NOT_FOUND, "its XLAT and XLONG do not lie on the projection that its attributes tell");
    return VIRGA_OK;
}

// Without latitudes and longitudes: around the centre, where all of the domain is there.
static int place_by_centre(const struct source *source, const struct mapping *m, struct place *x, struct place *y, struct failure *failure) {
    double lon = number_or(source, "CEN_LON", NAN), lat = number_or(source, "CEN_LAT", NAN), px[2][2], py[2][2];
    bool whole = number_or(source, "WEST-EAST_GRID_DIMENSION", 0) - 1 == (double)x->n && number_or(source, "SOUTH-NORTH_GRID_DIMENSION", 0) - 1 == (double)y->n;
    x->step = number_or(source, "DX", 0), y->step = number_or(source, "DY", 0);
    if (!whole || !(x->step > 0) || !(y->step > 0) || strstr(m->text, "latitude_longitude"))
        return failure_set(failure, VIRGA_NOT_FOUND, "it has no XLAT and XLONG that say where its grid lies");
    const struct corners c = {{{lon, lon}, {lon, lon}}, {{lat, lat}, {lat, lat}}};
    int status = project_corners(m, &c, px, py, failure);
    x->start = px[0][0] - 0.5 * (double)(x->n - 1) * x->step;
    y->start = py[0][0] - 0.5 * (double)(y->n - 1) * y->step;
    return status;
}

// The mass dimension of a staggered one that has a point more, or the dimension itself.
static size_t mass_dimension(const struct source *source, size_t dimension) {
    const struct source_dimension *all = source_inventory(source)->dimensions;
    const char *name = all[dimension].name;
    bool x = strcmp(name, "west_east_stag") == 0, y = strcmp(name, "south_north_stag") == 0;
    int mass = x || y ? find_dimension(source, x ? "west_east" : "south_north") : -1;
    return mass >= 0 && all[mass].length + 1 == all[dimension].length && all[mass].length > 1 ? (size_t)mass : dimension;
}

static void stagger(struct place *axis) {
    axis->start -= 0.5 * axis->step;
    axis->n++;
}

// Where a nest that moves lies at each time among the cells of all its places: the axes grow to hold them.
static int follow_moves(const struct source *source, const struct mapping *m, const struct corners *all, size_t count, struct place *x, struct place *y,
                        struct cf_move **moves, struct failure *failure) {
    struct cf_move low = {0, 0}, high = {0, 0};
    int status = VIRGA_OK;
    if (!(*moves = calloc(count, sizeof **moves))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t t = 1; t < count && !status; t++) {
        struct place at_x = {.n = x->n}, at_y = {.n = y->n};
        if (!is_place(&all[t])) status = failure_set(failure, VIRGA_UNSUPPORTED, "its latitudes and longitudes are missing at some times");
        if (!status) status = place_by_corners(source, m, &all[t], &at_x, &at_y, failure);
        if (status) break;
        double dx = (at_x.start - x->start) / x->step, dy = (at_y.start - y->start) / y->step;
        if (!(fabs(dx) < AXIS_MAX && fabs(dy) < AXIS_MAX) || fabs(dx - round(dx)) > 0.05 || fabs(dy - round(dy)) > 0.05)
            return failure_set(failure, VIRGA_UNSUPPORTED, "its grid moves by parts of a cell, which is not placed");
        (*moves)[t] = (struct cf_move){(int)round(dx), (int)round(dy)};
        low.x = (*moves)[t].x < low.x ? (*moves)[t].x : low.x, low.y = (*moves)[t].y < low.y ? (*moves)[t].y : low.y;
        high.x = (*moves)[t].x > high.x ? (*moves)[t].x : high.x, high.y = (*moves)[t].y > high.y ? (*moves)[t].y : high.y;
    }
    for (size_t t = 0; t < count && !status; t++) (*moves)[t].x -= low.x, (*moves)[t].y -= low.y;
    x->start += low.x * x->step, y->start += low.y * y->step;
    x->n += (size_t)(high.x - low.x), y->n += (size_t)(high.y - low.y);
    return status;
}

struct grid_out { struct grid **grid; struct cf_axis_order *x_order, *y_order; struct cf_move **moves; size_t *move_count; };

static int place_grid(struct source *source, const struct corners *all, size_t count, const size_t mass[2], const size_t dimension[2], const struct grid_out *out,
                      struct failure *failure) {
    const struct source_dimension *dimensions = source_inventory(source)->dimensions;
    double middle = all ? all->lon[0][0] + 0.5 * (remainder(all->lon[0][1] - all->lon[0][0] - 180, 360) + 180) : number_or(source, "CEN_LON", 0);
    struct place x = {.n = dimensions[mass[0]].length}, y = {.n = dimensions[mass[1]].length};
    struct mapping mapping;
    int status = find_mapping(source, remainder(middle, 360), &mapping, failure);
    if (status) return status;
    status = all ? place_by_corners(source, &mapping, all, &x, &y, failure) : place_by_centre(source, &mapping, &x, &y, failure);
    if (!status && count > 1) {
        *out->move_count = count;
        if ((status = follow_moves(source, &mapping, all, count, &x, &y, out->moves, failure))) return status;
    }
    if (mass[0] != dimension[0]) stagger(&x);
    if (mass[1] != dimension[1]) stagger(&y);
    if (!status) status = make_grid(&mapping, &x, &y, out->grid, out->x_order, out->y_order, failure);
    // What is not on the projection may be placed column by column; not so a grid that moves.
    return status == VIRGA_UNSUPPORTED && count <= 1 ? failure->status = VIRGA_NOT_FOUND : status;
}

int cf_wrf_grid(struct source *source, size_t x_dimension, size_t y_dimension, struct grid **grid, struct cf_axis_order *x_order, struct cf_axis_order *y_order,
                struct cf_move **moves, size_t *move_count, struct failure *failure) {
    const size_t dimension[2] = {x_dimension, y_dimension};
    size_t mass[2] = {mass_dimension(source, x_dimension), mass_dimension(source, y_dimension)}, count = 0;
    const struct grid_out out = {grid, x_order, y_order, moves, move_count};
    struct corners *all = NULL;
    struct failure unheard;
    if (!failure) failure = &unheard;
    *grid = NULL;
    *moves = NULL;
    *move_count = 0;
    int found = read_corners(source, mass[1], mass[0], &all, &count, failure);
    if (found == VIRGA_NOT_FOUND && (mass[0] != x_dimension || mass[1] != y_dimension)) {
        // A file of staggered variables alone: their own latitudes and longitudes.
        mass[0] = x_dimension, mass[1] = y_dimension;
        found = read_corners(source, mass[1], mass[0], &all, &count, failure);
    }
    int status = found && found != VIRGA_NOT_FOUND ? found : place_grid(source, found ? NULL : all, count, mass, dimension, &out, failure);
    free(all);
    return status;
}
