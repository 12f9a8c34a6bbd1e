// SPDX-License-Identifier: Apache-2.0
#include "tile/map_places.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tile/map_places_private.h"

// --- One place.

// Fractional index on an axis that goes on beyond its ends as it was there.
static double axis_index(const struct grid_axis *axis, bool wraps, double coordinate) {
    if (axis->n == 1) return fabs(coordinate - axis->values[0]) <= 1e-9 * fabs(axis->values[0]) ? 0 : NAN;
    if (axis->regular) return (coordinate - axis->start) / axis->step;
    const size_t last = axis->n - 1;
    if (wraps && coordinate > axis->values[last])
        return (double)last + (coordinate - axis->values[last]) / (axis->values[0] + 360 - axis->values[last]);
    const size_t i = grid_interval(axis->values, axis->n, coordinate);
    return (double)i + (coordinate - axis->values[i]) / (axis->values[i + 1] - axis->values[i]);
}

bool map_places_find(const struct map_places_maker *maker, double x, double y, double *i, double *j) {
    const struct grid *grid = maker->grid;
    double lon, lat, u = x, v = y;
    if (!maker->own) {
        if (map_crs_to_lonlat(maker->frame->crs, x, y, &lon, &lat) != VIRGA_OK) return false;
        if (grid_from_lonlat(grid, lon, lat, &u, &v) != VIRGA_OK) return false;
    }
    *i = axis_index(&grid->x, grid->wraps, u);
    *j = axis_index(&grid->y, false, v);
    return isfinite(*i) && isfinite(*j);
}

// The inside of the grid, with a little tolerance at its edges.
static bool settle_i(const struct map_places *places, double *i) {
    const double n = (double)places->nx, tolerance = 1e-6;
    if (places->wraps) {
        *i -= n * floor(*i / n);
        if (*i >= n) *i = 0;
        return true;
    }
    if (!(*i >= -tolerance && *i <= n - 1 + tolerance)) return false;
    *i = fmax(0, fmin(n - 1, *i));
    return true;
}

static bool settle_j(const struct map_places_maker *maker, double *j) {
    const double last = (double)maker->places->ny - 1, tolerance = 1e-6;
    if (!(*j >= -tolerance - maker->beyond[0] && *j <= last + tolerance + maker->beyond[1])) return false;
    *j = fmax(0, fmin(last, *j));
    return true;
}

bool map_places_settle(const struct map_places_maker *maker, double *i, double *j) { return settle_i(maker->places, i) && settle_j(maker, j); }

// How far the last rows of a global grid hold, in rows: to the poles, where no more than a row is missing there.
static void find_beyond(struct map_places_maker *maker) {
    const struct grid *grid = maker->grid;
    const struct grid_axis *y = &grid->y;
    if (!grid->angular || !grid->wraps || grid_is_curvilinear(grid) || y->n < 2) return;
    const double south = (y->values[0] + 90) / (y->values[1] - y->values[0]);
    const double north = (90 - y->values[y->n - 1]) / (y->values[y->n - 1] - y->values[y->n - 2]);
    if (south > 0 && south <= 1.01) maker->beyond[0] = south;
    if (north > 0 && north <= 1.01) maker->beyond[1] = north;
}

// --- Where columns of pixels are columns of the grid.

static bool cylindrical(const struct grid *grid) {
    return !grid_is_curvilinear(grid) &&
           (grid_is_lonlat(grid) || strncmp(grid->proj, "+proj=merc", 10) == 0 || strncmp(grid->proj, "+proj=cea", 9) == 0);
}

// A coordinate along x of the frame's own turn of a grid's own coordinates.
static double own_turn(const struct map_places_maker *maker, double x) {
    const double period = map_crs_period(maker->frame->crs);
    const double first = maker->grid->x.values[0];
    return period > 0 ? x - period * floor((x - first) / period) : x;
}

static void fill_separable(const struct map_places_maker *maker) {
    struct map_places *places = maker->places;
    const struct map_frame *frame = maker->frame;
    const struct grid *grid = maker->grid;
    double x, y, i, j, lon = 0, lat = 0;
    if (!maker->own) grid_to_lonlat(grid, grid->centre[0], grid->centre[1], &lon, &lat);
    for (unsigned column = 0; column < places->width; column++) {
        map_frame_place(frame, column + 0.5, 0.5, &x, &y);
        bool inside;
        if (maker->own) {
            i = axis_index(&grid->x, grid->wraps, own_turn(maker, x));
            inside = isfinite(i);
        } else {
            double grid_x, grid_y, turned, any;
            inside = map_crs_to_lonlat(frame->crs, x, 0, &turned, &any) == VIRGA_OK && grid_from_lonlat(grid, turned, lat, &grid_x, &grid_y) == VIRGA_OK;
            i = inside ? axis_index(&grid->x, grid->wraps, grid_x) : NAN;
        }
        places->i[column] = inside && settle_i(places, &i) ? i : NAN;
    }
    for (unsigned row = 0; row < places->height; row++) {
        map_frame_place(frame, 0.5, row + 0.5, &x, &y);
        bool inside;
        if (maker->own) {
            j = axis_index(&grid->y, false, y);
            inside = isfinite(j);
        } else {
            double grid_x, grid_y, any, turned;
            inside = map_crs_to_lonlat(frame->crs, 0, y, &any, &turned) == VIRGA_OK && grid_from_lonlat(grid, lon, turned, &grid_x, &grid_y) == VIRGA_OK;
            j = inside ? axis_index(&grid->y, false, grid_y) : NAN;
        }
        places->j[row] = inside && settle_j(maker, &j) ? j : NAN;
    }
}

// The median step between neighbours of at most 65 of them.
static int rising(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double median(double *values, size_t n) {
    if (n == 0) return 0;
    qsort(values, n, sizeof *values, rising);
    return values[n / 2];
}

static double median_step(const double *at, size_t n, double period) {
    double steps[65];
    size_t count = 0;
    const size_t stride = n / 65 + 1;
    for (size_t k = 0; k + 1 < n && count < 65; k += stride) {
        const double step = fabs(at[k + 1] - at[k]);
        if (!isnan(step)) steps[count++] = period > 0 && step > 0.5 * period ? period - step : step;
    }
    return median(steps, count);
}

// --- Making.

static bool reserve(struct map_places *places) {
    const size_t pixels = (size_t)places->width * places->height;
    places->memory = sizeof *places + (places->separable ? ((size_t)places->width + places->height) * sizeof(double) : pixels * sizeof *places->at);
    if (!places->separable) return (places->at = malloc(pixels * sizeof *places->at)) != NULL;
    places->i = malloc(places->width * sizeof *places->i);
    places->j = malloc(places->height * sizeof *places->j);
    return places->i && places->j;
}

int map_places_new(const struct grid *grid, const struct map_frame *frame, struct map_places **result, struct failure *failure) {
    const struct grid *owner = map_crs_grid(frame->crs);
    *result = NULL;
    if (owner && owner != grid) return failure_set(failure, VIRGA_INVALID, "these are the coordinates of another model's grid");
    struct map_places *places = calloc(1, sizeof *places);
    if (!places) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    struct map_places_maker maker = {.grid = grid, .frame = frame, .places = places, .own = owner != NULL};
    places->width = frame->width;
    places->height = frame->height;
    places->nx = grid->x.n;
    places->ny = grid->y.n;
    places->wraps = grid->wraps;
    places->separable = maker.own || (map_crs_period(frame->crs) > 0 && cylindrical(grid));
    find_beyond(&maker);
    bool fine = reserve(places);
    if (fine && places->separable) {
        fill_separable(&maker);
        const double across = median_step(places->i, places->width, places->wraps ? (double)places->nx : 0);
        places->spacing = fmax(across, median_step(places->j, places->height, 0));
    } else if (fine) {
        fine = map_places_fill(&maker);
    }
    if (!fine) {
        map_places_free(places);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    *result = places;
    return VIRGA_OK;
}

void map_places_free(struct map_places *places) {
    if (!places) return;
    free(places->i);
    free(places->j);
    free(places->at);
    free(places);
}

bool map_places_at(const struct map_places *places, unsigned column, unsigned row, double *i, double *j) {
    if (places->separable) {
        *i = places->i[column];
        *j = places->j[row];
    } else {
        const float *at = places->at[(size_t)row * places->width + column];
        *i = places->base[0] + (double)at[0];
        *j = places->base[1] + (double)at[1];
    }
    return !isnan(*i) && !isnan(*j);
}
