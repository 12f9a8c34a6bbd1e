// SPDX-License-Identifier: Apache-2.0
#include "render/ground_mesh.h"

#include <math.h>
#include <stdlib.h>

static size_t held(double index, size_t n) {
    return index > 0 ? index < (double)(n - 1) ? (size_t)index : n - 1 : 0;
}

// Bilinear between the columns of the grid; i in [n − 1, n) of one that wraps is between its last column and the first.
static double ground_at(const struct grid *grid, const float *ground, double i, double j) {
    size_t nx = grid->x.n, ny = grid->y.n, i0, i1;
    double a;
    if (grid->wraps) {
        double whole = floor(i);
        i0 = (size_t)(whole - (double)nx * floor(whole / (double)nx)) % nx, i1 = (i0 + 1) % nx, a = i - whole;
    } else {
        i0 = held(floor(i), nx > 1 ? nx - 1 : 1), i1 = i0 + 1 < nx ? i0 + 1 : i0, a = fmin(fmax(i - (double)i0, 0), 1);
    }
    size_t j0 = held(floor(j), ny > 1 ? ny - 1 : 1), j1 = j0 + 1 < ny ? j0 + 1 : j0;
    double b = fmin(fmax(j - (double)j0, 0), 1);
    double low = (double)ground[j0 * nx + i0] * (1 - a) + (double)ground[j0 * nx + i1] * a;
    double high = (double)ground[j1 * nx + i0] * (1 - a) + (double)ground[j1 * nx + i1] * a;
    return low * (1 - b) + high * b;
}

static int mesh_new(struct ground_mesh *mesh, size_t nx, size_t ny) {
    *mesh = (struct ground_mesh){.nx = nx, .ny = ny, .corners = calloc(nx * ny, sizeof *mesh->corners)};
    return mesh->corners ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static void find_slopes(struct ground_mesh *mesh) {
    for (size_t y = 0; y < mesh->ny; y++)
        for (size_t x = 0; x < mesh->nx; x++) {
            struct ground_corner *c = mesh->corners + y * mesh->nx + x;
            const struct ground_corner *left = x ? c - 1 : c, *right = x + 1 < mesh->nx ? c + 1 : c;
            const struct ground_corner *below = y ? c - mesh->nx : c, *above = y + 1 < mesh->ny ? c + mesh->nx : c;
            c->slope[0] = (right->height - left->height) / (float)(2 * mesh->step[0]);
            c->slope[1] = (above->height - below->height) / (float)(2 * mesh->step[1]);
        }
}

static size_t corners_along(size_t n) {
    return n < 2 ? 2 : n < GROUND_MOST ? n : GROUND_MOST;
}

int ground_mesh_init(struct ground_mesh *mesh, const struct basemap_places *places, const float *ground) {
    const struct grid *grid = places->grid;
    if (mesh_new(mesh, corners_along(grid->x.n), corners_along(grid->y.n)) != VIRGA_OK) return VIRGA_NO_MEMORY;
    for (int n = 0; n < 2; n++) {
        const double *edges = n ? places->y : places->x;
        mesh->low[n] = (edges[0] - grid->centre[n]) * grid->km_per_unit[n];
        mesh->step[n] = (edges[1] - edges[0]) * grid->km_per_unit[n] / (double)((n ? mesh->ny : mesh->nx) - 1);
    }
    double last_i = (double)(grid->wraps ? grid->x.n : grid->x.n - 1), last_j = (double)(grid->y.n - 1);
    for (size_t y = 0; y < mesh->ny; y++)
        for (size_t x = 0; x < mesh->nx; x++) {
            struct ground_corner *c = mesh->corners + y * mesh->nx + x;
            double X = mesh->low[0] + mesh->step[0] * (double)x, Y = mesh->low[1] + mesh->step[1] * (double)y;
            double i = basemap_axis_index(&grid->x, X / grid->km_per_unit[0] + grid->centre[0]);
            double j = basemap_axis_index(&grid->y, Y / grid->km_per_unit[1] + grid->centre[1]);
            double height = ground ? ground_at(grid, ground, fmin(fmax(i, 0), last_i), fmin(fmax(j, 0), last_j)) / 1000 : 0;
            c->height = isfinite(height) ? (float)height : 0;
            basemap_places_at(places, X, Y, c->place);
        }
    find_slopes(mesh);
    return VIRGA_OK;
}

int ground_mesh_init_around(struct ground_mesh *mesh, const struct basemap_places *places) {
    if (mesh_new(mesh, GROUND_AROUND, GROUND_AROUND) != VIRGA_OK) return VIRGA_NO_MEMORY;
    double margin = BASEMAP_AROUND * fmax(places->size[0], places->size[1]);
    for (int n = 0; n < 2; n++) {
        mesh->low[n] = places->box.low[n] - margin;
        mesh->step[n] = (places->size[n] + 2 * margin) / (GROUND_AROUND - 1);
    }
    for (size_t y = 0; y < mesh->ny; y++)
        for (size_t x = 0; x < mesh->nx; x++) {
            struct ground_corner *c = mesh->corners + y * mesh->nx + x;
            c->height = (float)GROUND_AROUND_HEIGHT;
            double X = mesh->low[0] + mesh->step[0] * (double)x, Y = mesh->low[1] + mesh->step[1] * (double)y;
            basemap_places_at(places, X, Y, c->place);
        }
    return VIRGA_OK;
}

void ground_mesh_destroy(struct ground_mesh *mesh) {
    free(mesh->corners);
    *mesh = (struct ground_mesh){0};
}

double ground_mesh_height(const struct ground_mesh *mesh, const double at[2]) {
    struct ground_spot s;
    ground_mesh_spot(mesh, (float)at[0], (float)at[1], &s);
    double base = (double)s.corner[0]->height;
    return base + (double)s.a * ((double)s.corner[1]->height - base) + (double)s.b * ((double)s.corner[2]->height - base);
}
