// SPDX-License-Identifier: Apache-2.0
// Horizontal slices as sheets at their surface's own heights, over the ground (web/gl/slice_pass.js).
//
// A sheet is an even grid of corners over the scene, two flat triangles a cell, like the ground; a corner whose height is missing takes the mean of
// those beside it, and a triangle that still lacks one is left out. Its colour at a point is that of the value there, lit evenly; what is missing is
// clear. What lies behind a sheet shows through it as far as it was drawn before: ground, lines and sheets farther away. Volumes end at the sheet.
#ifndef VIRGA_RENDER_SLICE_DRAW_H
#define VIRGA_RENDER_SLICE_DRAW_H

#include "render/render_team.h"
#include "render/scene.h"

enum { SLICE_CORNERS = 320 };        // along an axis, at most
#define SLICE_MOST ((size_t)1 << 20) // values of a plane that are shown; of larger ones the level that has as many

// Lays the scene's slices, the farthest first, over rgba and brings distance to them where they show: both as basemap_draw leaves them. samples: as
// there. VIRGA_OK or VIRGA_NO_MEMORY.
int slice_draw(struct render_team *team, const struct scene *scene, unsigned samples, float *rgba, float *distance);

#endif
