// SPDX-License-Identifier: Apache-2.0
#include "render/slice_mesh.h"

#include <math.h>
#include <stdlib.h>

#include "render/basemap_places.h"
#include "render/slice_draw.h"

static size_t corners_along(size_t n) { return n < 2 ? 2 : n < SLICE_CORNERS ? n : SLICE_CORNERS; }

static int place_axis(struct slice_mesh *mesh, const struct scene *scene, const struct grid *grid, int axis) {
    const struct grid_axis *along = axis ? &grid->y : &grid->x;
    const size_t n = axis ? mesh->ny : mesh->nx;
    const double last = (double)(along->n - 1) + (!axis && grid->wraps);
    mesh->low[axis] = scene->box.low[axis];
    mesh->step[axis] = (scene->box.high[axis] - scene->box.low[axis]) / (double)(n - 1);
    if (!(mesh->index[axis] = malloc(n * sizeof *mesh->index[axis]))) return VIRGA_NO_MEMORY;
    for (size_t c = 0; c < n; c++) {
        const double km = mesh->low[axis] + mesh->step[axis] * (double)c;
        const double index = basemap_axis_index(along, km / grid->km_per_unit[axis] + grid->centre[axis]);
        mesh->index[axis][c] = index > 0 ? index < last ? index : last : 0;
    }
    return VIRGA_OK;
}

// The mean of a corner's neighbours that are there.
static float beside(const struct slice_mesh *mesh, const float *heights, size_t x, size_t y) {
    double sum = 0;
    int count = 0;
    for (size_t j = y ? y - 1 : 0; j <= y + 1 && j < mesh->ny; j++)
        for (size_t i = x ? x - 1 : 0; i <= x + 1 && i < mesh->nx; i++)
            if (!isnan(heights[j * mesh->nx + i])) sum += (double)heights[j * mesh->nx + i], count++;
    return count ? (float)(sum / count) : NAN;
}

static void place_corners(struct slice_mesh *mesh, const struct plane *plane, float *found) {
    const size_t level = plane_level_of(plane, SLICE_MOST), count = mesh->nx * mesh->ny;
    double sum = 0;
    size_t present = 0;
    for (size_t c = 0; c < count; c++) {
        found[c] = (float)(plane_sample_level(plane, level, mesh->index[0][c % mesh->nx], mesh->index[1][c / mesh->nx]) / 1000);
        if (!isnan(found[c])) sum += (double)found[c], present++;
    }
    mesh->height = present ? sum / (double)present : 0;
    for (size_t c = 0; c < count; c++) mesh->heights[c] = isnan(found[c]) ? beside(mesh, found, c % mesh->nx, c / mesh->nx) : found[c];
}

int slice_mesh_init(struct slice_mesh *mesh, const struct scene *scene, const struct scene_slice *slice) {
    *mesh = (struct slice_mesh){.nx = corners_along(slice->grid->x.n), .ny = corners_along(slice->grid->y.n)};
    float *found = malloc(mesh->nx * mesh->ny * sizeof *found);
    mesh->heights = malloc(mesh->nx * mesh->ny * sizeof *mesh->heights);
    const bool room = found && mesh->heights && !place_axis(mesh, scene, slice->grid, 0) && !place_axis(mesh, scene, slice->grid, 1);
    if (room) place_corners(mesh, slice->heights, found);
    free(found);
    return room ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void slice_mesh_destroy(struct slice_mesh *mesh) {
    free(mesh->index[0]);
    free(mesh->index[1]);
    free(mesh->heights);
    *mesh = (struct slice_mesh){0};
}

double slice_mesh_index(const struct slice_mesh *mesh, int axis, double at) {
    const size_t n = axis ? mesh->ny : mesh->nx;
    double place = (at - mesh->low[axis]) / mesh->step[axis];
    place = place > 0 ? place < (double)(n - 1) ? place : (double)(n - 1) : 0;
    const size_t first = (size_t)place < n - 1 ? (size_t)place : n - 2;
    const double *index = mesh->index[axis];
    return index[first] + (index[first + 1] - index[first]) * (place - (double)first);
}
