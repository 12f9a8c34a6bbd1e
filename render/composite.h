// SPDX-License-Identifier: Apache-2.0
// Sky, ground and volume to one picture (web/shaders/composite.frag.glsl).
#ifndef VIRGA_RENDER_COMPOSITE_H
#define VIRGA_RENDER_COMPOSITE_H

#include <stdbool.h>

#include "render/image.h"
#include "render/render_team.h"
#include "render/scene.h"

// ground, volume: rgba[height][width][4], top row first, colour times alpha; either may be NULL for nothing. transparent: no sky, the
// picture keeps its alpha. image: already made, of the scene's size.
void composite_draw(struct render_team *team, const struct scene *scene, const float *ground, const float *volume, bool transparent,
                    struct image *image);

#endif
