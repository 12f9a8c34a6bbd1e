// SPDX-License-Identifier: Apache-2.0
// Colours of points of the ground (web/shaders/ground.frag.glsl). Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_SHADE_H
#define VIRGA_RENDER_GROUND_SHADE_H

#include <stdbool.h>

#include "render/ground_mesh.h"
#include "render/ground_raster.h"
#include "render/land_map.h"
#include "render/scene.h"

enum { GROUND_AROUND_KIND = GROUND_SIDE + 1 };

// What holds for a whole picture.
struct ground_light {
    const struct scene *scene;
    const struct ground_mesh *ground, *around;
    const struct land_map *land;
    float depth;     // km, shown: how far down the block's sides go
    float meridian;  // of the first axis where places are directions
    bool spherical, terrain;
    // By ground_light_init:
    float eye[3], ray[3], ray_x[3], ray_y[3];  // of ground_camera
    float stretch;                             // exaggeration
};
void ground_light_init(struct ground_light *light, const struct ground_camera *camera);

// Points to be coloured, all arrays of `room`.
struct ground_points {
    size_t count, room;
    // Set by the caller:
    uint32_t *pixel;         // whose they are
    uint8_t *kind;           // enum ground_kind or GROUND_AROUND_KIND
    float *x, *y, *near;     // pixels from the picture's top left, 1 / depth
    float *weight;           // share of the pixel
    float *over;             // share of what was laid before in the pixel that it lies over
    // Made by ground_shade, and what it keeps meanwhile:
    float *colour[3], *alpha;
    float *at[3], *slope[2], *land;
    float *floats;           // all of them
};
int ground_points_init(struct ground_points *points, size_t room);  // VIRGA_OK or VIRGA_NO_MEMORY
void ground_points_destroy(struct ground_points *points);           // a zeroed one is allowed

void ground_shade(const struct ground_light *light, struct ground_points *points);

#endif
