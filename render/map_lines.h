// SPDX-License-Identifier: Apache-2.0
// Sets of line segments in the scene: coasts, borders, graticule, box (web/layers/coastlines.js, web/gl/line_pass.js). Private to
// the basemap.
#ifndef VIRGA_RENDER_MAP_LINES_H
#define VIRGA_RENDER_MAP_LINES_H

#include "render/basemap_places.h"
#include "render/ground_mesh.h"
#include "render/world_atlas.h"

enum map_line_kind { MAP_OUTER, MAP_GRATICULE, MAP_BORDER, MAP_COAST, MAP_BOX, MAP_LINES };  // in the order that they are drawn in

struct map_lines {
    size_t count, room;       // segments
    float (*segments)[2][3];  // both ends, scene km before exaggeration
};

// All of these append. VIRGA_OK or VIRGA_NO_MEMORY.
void map_lines_destroy(struct map_lines *lines);  // a zeroed one is allowed
int map_lines_add_box(struct map_lines *lines, const struct scene_bounds *box);

struct map_cut {
    const struct basemap_places *places;
    const struct ground_mesh *ground;  // that lines lie on; NULL: they lie at the sea
    bool beyond;                       // what is around the domain instead of what is in it
    bool anywhere;                     // all points are worth looking up
    double longest, shortest;          // km of a segment
};
// Lines of degrees, cut at the domain.
int map_lines_add_degrees(struct map_lines *lines, const struct map_cut *cut, const struct atlas_lines *degrees);

#endif
