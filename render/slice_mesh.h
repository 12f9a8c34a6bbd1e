// SPDX-License-Identifier: Apache-2.0
// The corners of a slice's sheet. Private to slice_draw. Immutable once made; any thread.
#ifndef VIRGA_RENDER_SLICE_MESH_H
#define VIRGA_RENDER_SLICE_MESH_H

#include "render/scene.h"

struct slice_mesh {
    size_t nx, ny;
    double low[2], step[2];  // scene km
    double *index[2];        // [nx] and [ny]: of the grid, fractional
    float *heights;          // [ny][nx] km, not exaggerated; NaN: no sheet there
    double height;           // mean of those present, km; 0 where there is none
};

// VIRGA_OK or VIRGA_NO_MEMORY; slice_mesh_destroy either way.
int slice_mesh_init(struct slice_mesh *mesh, const struct scene *scene, const struct scene_slice *slice);
void slice_mesh_destroy(struct slice_mesh *mesh);
// The grid's fractional index along an axis at scene X or Y, as linear between corners.
double slice_mesh_index(const struct slice_mesh *mesh, int axis, double at);

#endif
