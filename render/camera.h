// SPDX-License-Identifier: Apache-2.0
// The camera of a picture; the page's is web/view/camera.js. Places are scene kilometres (server/PROTOCOL.md, "Geometry"): "scene" before
// exaggeration, "shown" with heights exaggerated. Matrices are 4 × 4, column major, as WebGL has them. Pure, any thread.
#ifndef VIRGA_RENDER_CAMERA_H
#define VIRGA_RENDER_CAMERA_H

#include <stdbool.h>

#include "render/view.h"

struct scene_bounds {
    double low[3], high[3];  // scene km
};

struct camera_matrices {
    double eye[3];  // shown
    double view[16], projection[16];
    double all[16];       // shown to clip
    double relative[16];  // clip to shown, as seen from the eye (without its position)
    double near, far;     // km
};

// Frames the whole box from the south, a little from above.
void camera_frame(struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect);
// From straight above, nearly parallel.
void camera_frame_top(struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect);
void camera_matrices(const struct view_camera *camera, const struct scene_bounds *box, double exaggeration, double aspect,
                     struct camera_matrices *matrices);
// Where a place of the shown scene is in the picture: x right and y down, 0 to 1. False behind the eye.
bool camera_project(const struct camera_matrices *matrices, const double shown[3], double at[2]);

#endif
