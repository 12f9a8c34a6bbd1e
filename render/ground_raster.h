// SPDX-License-Identifier: Apache-2.0
// Triangles to samples of a tile: which surface is nearest, and how far. Corners of neighbouring triangles fall on the same points
// of a fine lattice and edges belong to one side only, so that no sample is missed or taken twice. Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_RASTER_H
#define VIRGA_RENDER_GROUND_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/scene.h"

// A picture's camera in pixels from the top left. A place's depth is its distance from the eye along the line of sight; 1 / depth,
// "near" below, is linear over the picture where a surface is flat.
struct ground_camera {
    double eye[3];                     // shown
    double ray[3], ray_x[3], ray_y[3]; // place of depth 1 at pixel (x, y): eye + ray + x ray_x + y ray_y
    double all[16];
    double width, height;              // pixels
    double nearest, farthest;          // 1 / depth of the clipping planes
    double step;                       // of 1 / depth, that a change of 1 of the depth in WebGL's clip space is
};
void ground_camera_init(struct ground_camera *camera, const struct scene *scene);

struct ground_point {
    double clip[3];    // x, y, depth before the division
    double x, y, near; // pixels, 1 / depth; not set where `cut`
    bool cut;          // must be clipped before it is drawn
};
void ground_camera_point(const struct ground_camera *camera, const double shown[3], struct ground_point *point);

enum ground_kind { GROUND_NONE, GROUND_TOP, GROUND_SIDE };

// Samples of a tile, `across` along each axis of a pixel.
struct ground_raster {
    size_t x, y, width, height;  // pixels
    size_t across;
    float *near;                 // [height × across][width × across] 1 / depth, 0 for nothing
    float *slope;                // its largest change to a neighbouring pixel
    uint8_t *kind;
};
// Room for tiles of so many pixels. VIRGA_OK or VIRGA_NO_MEMORY.
int ground_raster_init(struct ground_raster *raster, size_t width, size_t height, size_t across);
void ground_raster_destroy(struct ground_raster *raster);  // a zeroed one is allowed
void ground_raster_clear(struct ground_raster *raster, size_t x, size_t y, size_t width, size_t height);
void ground_raster_triangle(struct ground_raster *raster, const struct ground_camera *camera, const struct ground_point *a,
                            const struct ground_point *b, const struct ground_point *c, enum ground_kind kind);

#endif
