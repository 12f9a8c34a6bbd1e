// SPDX-License-Identifier: Apache-2.0
// Marches rays through the volumes of a scene: emission and absorption as web/shaders/march.frag.glsl writes them down, in packets of
// rays for the widest vectors of this processor. The same scene gives the same numbers with any number of threads.
#ifndef VIRGA_RENDER_RAY_MARCHER_H
#define VIRGA_RENDER_RAY_MARCHER_H

#include "render/render_team.h"
#include "render/scene.h"

// Fills rgba[height][width][4], top row first: colour times alpha, and alpha. distance[height][width]: km of the shown scene from the eye to
// where the ray meets the ground (INFINITY where it does not), or NULL for no ground.
void ray_marcher_draw(struct render_team *team, const struct scene *scene, const float *distance, float *rgba);

// Which code this processor runs: "x86-64-v4", "x86-64-v3", "x86-64-v2", "aarch64", "portable". VIRGA_RENDER_ISA in the environment names a lesser one
// (for tests); one that this processor lacks is not obeyed.
const char *ray_marcher_isa(void);

#endif
