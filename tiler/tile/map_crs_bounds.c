// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "tile/map_crs.h"

enum { SAMPLES = 65 };  // places along each axis of a grid: the box of its columns to a thousandth of its size

struct bounds {
    const struct map_crs *crs;
    double period, middle;  // x of a turn; of a periodic system, the x of the grid's middle, around which others are laid
    double box[4];
    size_t count;
};

static void take(struct bounds *bounds, double lon, double lat) {
    double range[4], x, y;
    map_crs_range(bounds->crs, range);
    if (map_crs_from_lonlat(bounds->crs, lon, lat, &x, &y) != VIRGA_OK) {
        if (bounds->period <= 0 || !(fabs(lat) > 80)) return;
        if (map_crs_from_lonlat(bounds->crs, lon, copysign(80, lat), &x, &y) != VIRGA_OK) return;
        y = lat > 0 ? range[3] : range[1];  // a pole, which Mercator has not
    }
    if (bounds->period > 0) {
        if (bounds->count == 0) bounds->middle = x;
        x = bounds->middle + remainder(x - bounds->middle, bounds->period);
        y = fmax(range[1], fmin(range[3], y));
    } else {
        x = fmax(range[0], fmin(range[2], x));
        y = fmax(range[1], fmin(range[3], y));
    }
    double *box = bounds->box;
    if (bounds->count++ == 0) box[0] = box[2] = x, box[1] = box[3] = y;
    box[0] = fmin(box[0], x);
    box[1] = fmin(box[1], y);
    box[2] = fmax(box[2], x);
    box[3] = fmax(box[3], y);
}

// The coordinate of one of SAMPLES places along an axis.
static double along(const struct grid_axis *axis, int sample) {
    const double place = (double)(axis->n - 1) * sample / (SAMPLES - 1);
    const size_t i = (size_t)place;
    if (i + 1 >= axis->n) return axis->values[axis->n - 1];
    return axis->values[i] + (place - (double)i) * (axis->values[i + 1] - axis->values[i]);
}

static void take_column(struct bounds *bounds, const struct grid *grid, int i, int j) {
    double lon, lat;
    if (grid_to_lonlat(grid, along(&grid->x, i), along(&grid->y, j), &lon, &lat) == VIRGA_OK) take(bounds, lon, lat);
}

static bool has_pole(const struct grid *grid, double lat) {
    double i, j;
    return grid_locate(grid, 0, lat, &i, &j);
}

int map_crs_bounds(const struct map_crs *crs, const struct grid *grid, double box[4]) {
    struct bounds bounds = {.crs = crs, .period = map_crs_period(crs)};
    if (map_crs_grid(crs) == grid) {
        map_crs_range(crs, box);
        return VIRGA_OK;
    }
    take_column(&bounds, grid, SAMPLES / 2, SAMPLES / 2);
    for (int j = 0; j < SAMPLES; j++)
        for (int i = 0; i < SAMPLES; i++) take_column(&bounds, grid, i, j);
    const bool north = has_pole(grid, 90), south = has_pole(grid, -90);
    if (north) take(&bounds, 0, 90);
    if (south) take(&bounds, 0, -90);
    if (bounds.count == 0) return VIRGA_UNSUPPORTED;
    if (bounds.period > 0) {
        double range[4];
        map_crs_range(crs, range);
        const bool around = grid->wraps || north || south || bounds.box[2] - bounds.box[0] >= bounds.period * (1 - 2.0 / SAMPLES);
        const double turns = around ? 0 : floor((bounds.box[0] - range[0]) / bounds.period);
        bounds.box[0] = around ? range[0] : bounds.box[0] - turns * bounds.period;
        bounds.box[2] = around ? range[2] : bounds.box[2] - turns * bounds.period;
    }
    for (int a = 0; a < 4; a++) box[a] = bounds.box[a];
    return box[2] > box[0] && box[3] > box[1] ? VIRGA_OK : VIRGA_UNSUPPORTED;
}

void map_crs_bounds_degrees(const struct grid *grid, double box[4]) {
    const struct map_crs *crs = map_crs_find("CRS:84");
    if (map_crs_bounds(crs, grid, box)) map_crs_range(crs, box);
}
