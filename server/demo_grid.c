// SPDX-License-Identifier: Apache-2.0
#include "server/demo_grid.h"

#include <math.h>
#include <stdlib.h>

#include "server/demo_land.h"

const double demo_pole_latitude = 37.5, demo_pole_longitude = 177.5, demo_earth_radius = 6371229.0;
static const double width = 621 * 0.0135, height = 810 * 0.0135, middle_rlat = 2.05;  // degrees; the UK model's 1.5 km columns
static const double radian = 0.017453292519943295;

static double km_per_degree(void) { return demo_earth_radius * radian / 1000; }

// Rotation of the sphere, as in CF 1.8 appendix F ("rotated_latitude_longitude"), north_pole_grid_longitude 0.
static void rotated_to_true(double rlon, double rlat, double *lon, double *lat) {
    double l = rlon * radian, p = rlat * radian, pole = demo_pole_latitude * radian;
    *lat = asin(sin(pole) * sin(p) + cos(pole) * cos(p) * cos(l)) / radian;
    *lon = demo_pole_longitude - 180 + atan2(cos(p) * sin(l), sin(pole) * cos(p) * cos(l) - cos(pole) * sin(p)) / radian;
    if (*lon < -180) *lon += 360;
}

static void true_to_rotated(double lon, double lat, double *rlon, double *rlat) {
    double l = (lon - demo_pole_longitude + 180) * radian, p = lat * radian, pole = demo_pole_latitude * radian;
    *rlat = asin(sin(pole) * sin(p) - cos(pole) * cos(p) * cos(l)) / radian;
    *rlon = atan2(cos(p) * sin(l), cos(pole) * sin(p) + sin(pole) * cos(p) * cos(l)) / radian;
}

void demo_grid_to_plane(double lon, double lat, double *x, double *y) {
    double rlon, rlat;
    true_to_rotated(lon, lat, &rlon, &rlat);
    *x = rlon * km_per_degree();
    *y = (rlat - middle_rlat) * km_per_degree();
}

void demo_grid_to_true(double x, double y, double *lon, double *lat) {
    rotated_to_true(x / km_per_degree(), y / km_per_degree() + middle_rlat, lon, lat);
}

void demo_grid_extent(double *half_width, double *half_height) {
    *half_width = width / 2 * km_per_degree();
    *half_height = height / 2 * km_per_degree();
}

// Quadratic levels as the Met Office's: spacing grows linearly with the level; b falls to 0 at 10 km, so no level crosses
// another over any hill below 5 km.
static void levels(struct demo_grid *grid) {
    int extra = grid->nk < 45 ? 0 : grid->nk > 70 ? 25 : grid->nk - 45;
    grid->top = 18000 + 880 * extra;
    for (int k = 0; k < grid->nk; k++) {
        double s = grid->nk > 1 ? (double)k / (grid->nk - 1) : 0;
        double z = 10 + (grid->top - 10) * s * (0.08 + 0.92 * s), flat = 1 - z / 10000;
        grid->a[k] = (float)z;
        grid->b[k] = flat > 0 ? (float)(flat * flat) : 0;
    }
}

static int allocate(struct demo_grid *grid) {
    size_t columns = (size_t)grid->nx * (size_t)grid->ny;
    grid->rlon = malloc((size_t)grid->nx * sizeof *grid->rlon);
    grid->rlat = malloc((size_t)grid->ny * sizeof *grid->rlat);
    grid->x = malloc((size_t)grid->nx * sizeof *grid->x);
    grid->y = malloc((size_t)grid->ny * sizeof *grid->y);
    grid->lon = malloc(columns * sizeof(float));
    grid->lat = malloc(columns * sizeof(float));
    grid->orography = malloc(columns * sizeof(float));
    grid->land_fraction = malloc(columns * sizeof(float));
    grid->a = malloc((size_t)grid->nk * sizeof(float));
    grid->b = malloc((size_t)grid->nk * sizeof(float));
    return grid->rlon && grid->rlat && grid->x && grid->y && grid->lon && grid->lat && grid->orography && grid->land_fraction &&
                   grid->a && grid->b
               ? 0
               : -1;
}

static void axes(struct demo_grid *grid) {
    for (int i = 0; i < grid->nx; i++) {
        grid->rlon[i] = width * ((i + 0.5) / grid->nx - 0.5);
        grid->x[i] = (float)(grid->rlon[i] * km_per_degree());
    }
    for (int j = 0; j < grid->ny; j++) {
        grid->rlat[j] = middle_rlat + height * ((j + 0.5) / grid->ny - 0.5);
        grid->y[j] = (float)((grid->rlat[j] - middle_rlat) * km_per_degree());
    }
}

static void columns(struct demo_grid *grid, const struct demo_land *land) {
    for (int j = 0; j < grid->ny; j++)
        for (int i = 0; i < grid->nx; i++) {
            size_t at = (size_t)j * (size_t)grid->nx + (size_t)i;
            double lon, lat;
            rotated_to_true(grid->rlon[i], grid->rlat[j], &lon, &lat);
            grid->lon[at] = (float)lon;
            grid->lat[at] = (float)lat;
            grid->orography[at] = demo_land_height(land, grid->x[i], grid->y[j], &grid->land_fraction[at]);
        }
}

struct demo_grid *demo_grid_new(int nx, int ny, int nk, const struct demo_noise *noise) {
    struct demo_grid *grid = calloc(1, sizeof *grid);
    struct demo_land *land = NULL;
    if (!grid) return NULL;
    grid->nx = nx, grid->ny = ny, grid->nk = nk;
    if (allocate(grid) < 0) goto fail;
    axes(grid);
    levels(grid);
    land = demo_land_new(noise, width * km_per_degree() / nx);
    if (!land) goto fail;
    columns(grid, land);
    demo_land_free(land);
    return grid;
fail:
    demo_grid_free(grid);
    return NULL;
}

void demo_grid_free(struct demo_grid *grid) {
    if (!grid) return;
    free(grid->rlon), free(grid->rlat), free(grid->x), free(grid->y);
    free(grid->lon), free(grid->lat), free(grid->orography), free(grid->land_fraction);
    free(grid->a), free(grid->b);
    free(grid);
}
