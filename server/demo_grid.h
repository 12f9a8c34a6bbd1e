// SPDX-License-Identifier: Apache-2.0
// The demonstration forecast's grid: a rotated pole over the British Isles (grid north pole 37.5N 177.5E, as the Met
// Office's UK models use), always the same area at any number of columns, and hybrid heights dense near the ground.
// Positions in the plane are km along grid longitude (x) and grid latitude (y) from the middle of the area.
#ifndef VIRGA_SERVER_DEMO_GRID_H
#define VIRGA_SERVER_DEMO_GRID_H

struct demo_noise;

extern const double demo_pole_latitude, demo_pole_longitude;  // degrees
extern const double demo_earth_radius;                        // m, a sphere

struct demo_grid {  // immutable once made
    int nx, ny, nk;
    double *rlon, *rlat;   // degrees, ascending: nx and ny of them
    float *x, *y;          // km in the plane: nx and ny of them
    float *lon, *lat;      // true degrees, ny × nx
    float *a, *b;          // height in m = a + b × orography: nk of them, a ascending
    float *orography;      // m, ny × nx, 0 over sea
    float *land_fraction;  // 0 to 1, ny × nx
    double top;            // m, of the highest level
};

// Returns NULL when out of memory. nx, ny, nk ≥ 1. Free with demo_grid_free (NULL is allowed).
struct demo_grid *demo_grid_new(int nx, int ny, int nk, const struct demo_noise *noise);
void demo_grid_free(struct demo_grid *grid);

// True degrees to km in the plane and back.
void demo_grid_to_plane(double lon, double lat, double *x, double *y);
void demo_grid_to_true(double x, double y, double *lon, double *lat);
void demo_grid_extent(double *half_width, double *half_height);  // km

#endif
