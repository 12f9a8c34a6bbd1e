// SPDX-License-Identifier: Apache-2.0
// Cameras that move from picture to picture: smoothly through key frames, and around their target. Pure, any thread.
#ifndef VIRGA_RENDER_CAMERA_PATH_H
#define VIRGA_RENDER_CAMERA_PATH_H

#include <stddef.h>

#include "render/view.h"

struct camera_key {
    double at;  // on whatever counts the way, such as frames; rising strictly from key to key
    struct view_camera camera;
};

// The camera at a place of the way. At a key it is that key's, exactly; before the first and after the last one it rests. Between keys each
// number of eye, target, up and field of view goes by a cubic with a continuous slope that stays within the values of the two keys and is
// constant where they are equal (M. Steffen, A simple method for monotonic interpolation in one dimension, 1990). The mode is that of
// the key before. count ≥ 1.
void camera_path_at(const struct camera_key *keys, size_t count, double at, struct view_camera *camera);

// Turns eye and up around the vertical through the target, anticlockwise seen from above. Heights stay, so exaggeration does not matter.
void camera_path_turn(struct view_camera *camera, double degrees);

#endif
