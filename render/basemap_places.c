// SPDX-License-Identifier: Apache-2.0
#include "render/basemap_places.h"

#include <math.h>

#include "render/scene_axis.h"

static const double radian = 0.017453292519943295;

// Into −180 … 180.
static double wrap(double degrees) {
    return degrees >= -180 && degrees <= 180 ? degrees : degrees - 360 * floor((degrees + 180) / 360);
}

// --- axes --------------------------------------------------------------------------------------------------------------

double basemap_axis_index(const struct grid_axis *axis, double coordinate) {
    if (axis->n == 1) return 0;
    if (axis->regular) return (coordinate - axis->start) / (axis->step != 0 ? axis->step : 1);
    size_t low = grid_interval(axis->values, axis->n, coordinate);
    return (double)low + (coordinate - axis->values[low]) / (axis->values[low + 1] - axis->values[low]);
}

// --- the projection ----------------------------------------------------------------------------------------------------

// Rows beyond a pole of the axes' own are rows on its other side; plain latitudes just go on, as on the page.
static bool inverse(const struct basemap_places *p, double x, double y, double *lon, double *lat) {
    if (p->grid->angular && fabs(y) > 90) {
        if (grid_is_lonlat(p->grid)) {
            *lon = wrap(x), *lat = y;
            return true;
        }
        x = wrap(x + 180);
        y = copysign(180, y) - y;
    }
    if (grid_to_lonlat(p->grid, x, y, lon, lat) == VIRGA_OK) return true;
    return p->beyond && beyond_to_lonlat(p->beyond, x, y, lon, lat);
}

static bool forward(const struct basemap_places *p, double lon, double lat, double *x, double *y) {
    if (grid_from_lonlat(p->grid, lon, lat, x, y) == VIRGA_OK) return true;
    return p->beyond && beyond_from_lonlat(p->beyond, lon, lat, x, y);
}

static void lonlat_at(const struct basemap_places *p, double X, double Y, double *lon, double *lat) {
    double x = X / p->grid->km_per_unit[0] + p->grid->centre[0], y = Y / p->grid->km_per_unit[1] + p->grid->centre[1];
    if (p->plain_globe) {
        *lon = x, *lat = y;
    } else if (inverse(p, x, y, lon, lat)) {
        *lon = wrap(*lon - p->middle[0]) + p->middle[0];
    } else {
        *lon = p->middle[0], *lat = p->middle[1];
    }
}

// Where the middle is no place on Earth, some other part of the domain is.
static void find_middle(struct basemap_places *p) {
    double x = (p->x[0] + p->x[1]) / 2, y = (p->y[0] + p->y[1]) / 2;
    p->middle[0] = x, p->middle[1] = y;
    if (p->plain_globe || inverse(p, x, y, &p->middle[0], &p->middle[1])) return;
    for (int n = 0; n < 400; n++) {
        x = p->x[0] + (p->x[1] - p->x[0]) * (n % 20 + 0.5) / 20;
        y = p->y[0] + (p->y[1] - p->y[0]) * (n / 20 + 0.5) / 20;
        if (inverse(p, x, y, &p->middle[0], &p->middle[1])) return;
    }
    p->middle[0] = p->middle[1] = 0;
}

// --- bounds ------------------------------------------------------------------------------------------------------------

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

// Longitudes jump within a domain that holds a pole or goes around the globe on axes of its own: then all of them are in it.
static bool find_bounds(const struct basemap_places *p, double margin, struct degree_bounds *out) {
    enum { PARTS = 24 };
    double before[PARTS + 1], lon, lat;
    bool jumps = false;
    *out = (struct degree_bounds){INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (int a = 0; a <= PARTS; a++) {
        double last = 0;
        for (int b = 0; b <= PARTS; b++) {
            double X = p->box.low[0] - margin + (p->size[0] + 2 * margin) * a / PARTS;
            double Y = p->box.low[1] - margin + (p->size[1] + 2 * margin) * b / PARTS;
            lonlat_at(p, X, Y, &lon, &lat);
            out->west = least(out->west, lon), out->east = most(out->east, lon);
            out->south = least(out->south, lat), out->north = most(out->north, lat);
            jumps = jumps || (b > 0 && fabs(lon - last) > 180) || (a > 0 && fabs(lon - before[b]) > 180);
            last = before[b] = lon;
        }
    }
    if (!jumps || p->plain_globe) return jumps;
    double far = 2 * (out->north - out->south) / PARTS;
    out->west = p->middle[0] - 180, out->east = p->middle[0] + 180;
    if (out->north + far > 90) out->north = 90;
    if (out->south - far < -90) out->south = -90;
    return jumps;
}

static void find_all_bounds(struct basemap_places *p) {
    double longer = most(p->size[0], p->size[1]);
    find_bounds(p, 0, &p->bounds);
    struct degree_bounds *wide = &p->wide;
    p->spherical = find_bounds(p, p->around ? BASEMAP_AROUND * longer : 0, wide) && !p->plain_globe;
    double pad = 0.02 * (wide->east - wide->west + wide->north - wide->south);
    if (!p->spherical) wide->west -= pad, wide->east += pad;
    wide->south = most(-90, wide->south - pad), wide->north = least(90, wide->north + pad);
}

int basemap_places_init(struct basemap_places *places, const struct grid *grid, const struct scene_bounds *box) {
    struct basemap_places *p = places;
    *p = (struct basemap_places){.grid = grid, .box = *box, .around = !grid->wraps};
    for (int n = 0; n < 2; n++) p->size[n] = box->high[n] - box->low[n];
    p->plain_globe = grid->wraps && grid_is_lonlat(grid);
    scene_axis_edges(grid, 0, p->x);
    scene_axis_edges(grid, 1, p->y);
    if (grid_is_curvilinear(grid) && p->around) {
        double reach[2], longer = 0;
        for (int n = 0; n < 2; n++) longer = most(longer, (double)((n ? grid->y.n : grid->x.n) - 1) * grid->km_per_unit[n]);
        for (int n = 0; n < 2; n++) reach[n] = 1.05 * BASEMAP_AROUND * longer / grid->km_per_unit[n];
        if (beyond_new(grid, reach, &p->beyond) != VIRGA_OK) return VIRGA_NO_MEMORY;
    }
    find_middle(p);
    find_all_bounds(p);
    return VIRGA_OK;
}

void basemap_places_destroy(struct basemap_places *places) {
    beyond_free(places->beyond);
    places->beyond = NULL;
}

// --- answers -----------------------------------------------------------------------------------------------------------

bool basemap_places_scene(const struct basemap_places *p, double lon, double lat, double at[2]) {
    const struct grid *grid = p->grid;
    double x, y, middle = (p->x[0] + p->x[1]) / 2;
    if (p->plain_globe) {
        x = p->x[0] + (lon - p->x[0] - 360 * floor((lon - p->x[0]) / 360)), y = lat;
    } else {
        if (!forward(p, lon, lat, &x, &y)) return false;
        if (grid->angular) x = middle + wrap(x - middle);
    }
    at[0] = (x - grid->centre[0]) * grid->km_per_unit[0];
    at[1] = (y - grid->centre[1]) * grid->km_per_unit[1];
    return isfinite(at[0]) && isfinite(at[1]);
}

void basemap_places_at(const struct basemap_places *p, double X, double Y, float place[3]) {
    double lon, lat;
    lonlat_at(p, X, Y, &lon, &lat);
    if (!p->spherical) {
        place[0] = (float)lon, place[1] = (float)lat, place[2] = 0;
        return;
    }
    double l = (lon - p->middle[0]) * radian, f = lat * radian;
    place[0] = (float)(cos(f) * cos(l)), place[1] = (float)(cos(f) * sin(l)), place[2] = (float)sin(f);
}

bool basemap_places_near(const struct basemap_places *p, double lon, double lat) {
    const struct degree_bounds *wide = &p->wide;
    if (!(lat >= wide->south - 2 && lat <= wide->north + 2)) return false;
    for (int turn = -360; turn <= 360; turn += 360)
        if (lon + turn >= wide->west - 2 && lon + turn <= wide->east + 2) return true;
    return false;
}

bool basemap_places_inside(const struct basemap_places *p, const double at[2]) {
    const struct scene_bounds *box = &p->box;
    for (int n = 0; n < 2; n++)
        if (!(at[n] >= box->low[n] - 1e-6 && at[n] <= box->high[n] + 1e-6)) return false;
    return true;
}

double basemap_places_north(const struct basemap_places *p) {
    double a[2], b[2], lon = p->middle[0], lat = p->middle[1];
    if (!forward(p, lon, lat - 0.05, &a[0], &a[1]) || !forward(p, lon, lat + 0.05, &b[0], &b[1])) return 0;
    return atan2((b[0] - a[0]) * p->grid->km_per_unit[0], (b[1] - a[1]) * p->grid->km_per_unit[1]) / radian;
}
