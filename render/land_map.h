// SPDX-License-Identifier: Apache-2.0
// The share of land over longitude and latitude, as a picture of it with smaller ones for views from afar. Private to the
// basemap. Immutable once made; any thread.
#ifndef VIRGA_RENDER_LAND_MAP_H
#define VIRGA_RENDER_LAND_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "render/basemap_places.h"
#include "render/world_atlas.h"

// Texels along the longer side: twice as many as the page has, for pictures larger than screens are.
enum { LAND_MAP_SIZE = 4096, LAND_MAP_LEVELS = 13, LAND_MAP_BLOCK = 32 };

struct land_level {
    size_t width, height;
    uint8_t *share;  // [height][width], north first
};

struct land_map {
    struct degree_bounds bounds;
    float texels[2];     // of the finest level in a degree
    size_t level_count;  // 0: there is no map
    struct land_level levels[LAND_MAP_LEVELS];
    size_t blocks[2];    // along both sides, of LAND_MAP_BLOCK texels
    uint8_t *even;       // [blocks[1]][blocks[0]] 0 or 255 where they and those around are all sea or all land, else 1
};

// VIRGA_OK or VIRGA_NO_MEMORY.
int land_map_init(struct land_map *map, const struct world_atlas *atlas, const struct degree_bounds *bounds);
void land_map_destroy(struct land_map *map);  // a zeroed one is allowed

// 0 to 1 at a place (held at the edges). pixel: texels of the finest level in a pixel, squared; up to 1 for the finest.
float land_map_at(const struct land_map *map, float lon, float lat, float pixel);
// 0 or 1 where all around there is only sea or only land, else −1.
float land_map_even(const struct land_map *map, float lon, float lat);

#endif
