// SPDX-License-Identifier: Apache-2.0
// The share of sunlight that arrives in the scene through the volumes: a grid over the box, each slice made from the one above
// (web/shaders/light.frag.glsl). Made by the team, then read by any thread.
#ifndef VIRGA_RENDER_LIGHT_GRID_H
#define VIRGA_RENDER_LIGHT_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "render/render_team.h"

struct scene;

enum { LIGHT_CELLS_X = 160, LIGHT_CELLS_Y = 160, LIGHT_CELLS_Z = 40 };

struct light_grid {
    double low[3], rate[3];  // of the shown box, and 1 / its size
    float *share;            // [z][y][x], 0 to 1
};

// For the scene's volumes and light; scene->shade is not looked at. VIRGA_OK or VIRGA_NO_MEMORY.
int light_grid_cast(struct render_team *team, const struct scene *scene, struct light_grid *grid);
void light_grid_destroy(struct light_grid *grid);  // a zeroed one is allowed
// At a place of the shown scene, trilinear between cell middles, held beyond the edges.
float light_grid_at(const struct light_grid *grid, const float shown[3]);

#endif
