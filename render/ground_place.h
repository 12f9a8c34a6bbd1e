// SPDX-License-Identifier: Apache-2.0
// Where the points of a picture's ground are on Earth: their height and slope, and whether there is land. Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_PLACE_H
#define VIRGA_RENDER_GROUND_PLACE_H

#include <stdbool.h>

#include "render/ground_mesh.h"
#include "render/ground_points.h"
#include "render/land_map.h"

// What holds for a whole picture.
struct ground_sight {
    const struct ground_mesh *ground, *around;
    const struct land_map *land;
    float depth;     // km, shown: how far down the block's sides go
    float meridian;  // of the first axis where places are directions
    bool spherical;
    // By ground_sight_init:
    float eye[3], ray[3], ray_x[3], ray_y[3];  // of ground_camera
    float stretch;                             // exaggeration
};
void ground_sight_init(struct ground_sight *sight, const struct ground_camera *camera, double exaggeration);

void ground_place(const struct ground_sight *sight, struct ground_points *points);

#endif
