// SPDX-License-Identifier: Apache-2.0
// What the parts of the basemap share.
#ifndef VIRGA_RENDER_BASEMAP_PRIVATE_H
#define VIRGA_RENDER_BASEMAP_PRIVATE_H

#include "render/basemap.h"
#include "render/basemap_places.h"
#include "render/ground_mesh.h"
#include "render/ground_sketch.h"
#include "render/land_map.h"
#include "render/map_lines.h"

struct basemap {
    struct grid *grid;
    atomic_int more;                   // references besides the first
    struct basemap_places places;
    struct ground_mesh ground, around;
    double depth;                      // km, shown: of the block's sides
    struct land_map land;
    struct map_lines lines[MAP_LINES]; // in the order that they are drawn in
    struct basemap_degree *degrees;
    size_t degree_count;
    struct ground_sketches sketches;
};

#endif
