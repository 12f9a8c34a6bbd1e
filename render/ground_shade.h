// SPDX-License-Identifier: Apache-2.0
// Colours of points of the ground (web/shaders/ground.frag.glsl): land and sea, fields that lie on it, shadows, light. Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_SHADE_H
#define VIRGA_RENDER_GROUND_SHADE_H

#include <stdbool.h>

#include "render/ground_points.h"

// One a point.
struct ground_colours {
    float *colour[3], *alpha;
    float *sun;     // kept meanwhile: the share of sunlight
    float *floats;  // all of them
};
int ground_colours_init(struct ground_colours *colours, size_t room);  // VIRGA_OK or VIRGA_NO_MEMORY
void ground_colours_destroy(struct ground_colours *colours);           // a zeroed one is allowed

// terrain: land is tinted by its height.
void ground_shade(const struct scene *scene, bool terrain, const struct ground_points *points, struct ground_colours *colours);

#endif
