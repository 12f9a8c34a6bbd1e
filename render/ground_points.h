// SPDX-License-Identifier: Apache-2.0
// Points of the ground that a camera sees in a tile of its picture: all of them that light, fields and shadows do not change. Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_POINTS_H
#define VIRGA_RENDER_GROUND_POINTS_H

#include "render/ground_raster.h"

enum { GROUND_AROUND_KIND = GROUND_SIDE + 1 };  // of the world around

// Arrays of `room`.
struct ground_points {
    size_t count, room;
    uint32_t *pixel;               // whose they are, in the tile
    uint8_t *kind;                 // enum ground_kind or GROUND_AROUND_KIND
    float *weight;                 // share of the pixel
    float *over;                   // share of what was laid before in the pixel that it lies over
    float *x, *y, *near;           // pixels from the picture's top left, 1 / depth; NULL in copies
    float *at[3];                  // scene km, the height not exaggerated; these and the following by ground_place
    float *slope[2], *land;        // of the ground along X and Y; share of land
    float *floats;                 // all of them
};
int ground_points_init(struct ground_points *points, size_t room);                             // VIRGA_OK or VIRGA_NO_MEMORY
int ground_points_copy(const struct ground_points *points, struct ground_points *copy);        // with no more room than it needs; likewise
void ground_points_destroy(struct ground_points *points);                                      // a zeroed one is allowed
size_t ground_points_memory(const struct ground_points *points);                               // bytes

#endif
