// SPDX-License-Identifier: Apache-2.0
// The colours of a complete map style (map_style_complete): entries of a palette, as map_scale_indices has them. Pure, any thread.
#ifndef VIRGA_RENDER_MAP_COLOURS_H
#define VIRGA_RENDER_MAP_COLOURS_H

#include <stdint.h>

#include "render/map_style.h"
#include "tile/map_scale.h"

enum { MAP_COLOURS_ENTRIES = 256 };

struct map_colours {
    struct map_scale scale;
    uint8_t palette[MAP_COLOURS_ENTRIES][4];  // red, green, blue, alpha, not multiplied; beyond the scale's last entry clear
};

// Of n bands, the first and last have the colour map's end colours. Without bands there are as many as a palette holds. A style without a colour map has its ink.
void map_colours_make(const struct map_style *style, struct map_colours *colours);
const uint8_t *map_colours_at(const struct map_colours *colours, double value);  // NaN: missing

// What lines and symbols are drawn in.
void map_colours_ink(const struct map_style *style, uint8_t rgb[3]);

#endif
