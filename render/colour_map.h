// SPDX-License-Identifier: Apache-2.0
// The colour maps of assets/colour_maps, which the program carries with it. Immutable, any thread.
#ifndef VIRGA_RENDER_COLOUR_MAP_H
#define VIRGA_RENDER_COLOUR_MAP_H

#include <stddef.h>

enum { COLOUR_MAP_POINTS = 256 };

struct colour_map {
    char name[64], title[64];
    size_t count;
    double points[COLOUR_MAP_POINTS][4];  // position 0 to 1 (rising), red, green, blue 0 to 255
};

// NULL where there is no map of that name.
const struct colour_map *colour_map_find(const char *name);
// Names in the order of the page's list; NULL beyond the last.
const char *colour_map_name(size_t index);
// Red, green, blue, 0 to 255 and not rounded, at a position 0 to 1; linear between points, held beyond the ends.
void colour_map_at(const struct colour_map *map, double position, double rgb[3]);

#endif
