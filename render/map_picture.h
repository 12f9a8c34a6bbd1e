// SPDX-License-Identifier: Apache-2.0
// A map as the bytes of a picture: planes of one or several fields on one frame, each in its style, the first at the bottom.
//
// Pictures meet without seams where their frames do: lines and symbols are drawn with what lies around the frame, on lattices that are
// fixed in the CRS for each size of pixel; labels of contours stand only where they are whole.
//
// One layer that only fills, as PNG, is made of palette indices straight from the field. A layer of style `values` stands alone and is a PNG of
// 8-bit red, green, blue and alpha: value = offset + scale (65536 red + 256 green + blue) where alpha is 255, missing where it is 0; scale and
// offset are map_values_scale's.
#ifndef VIRGA_RENDER_MAP_PICTURE_H
#define VIRGA_RENDER_MAP_PICTURE_H

#include <stdatomic.h>

#include "field/catalog.h"
#include "render/image.h"
#include "render/map_style.h"
#include "render/map_wind.h"
#include "tile/map_frame.h"
#include "tile/plane.h"

enum { MAP_PICTURE_LAYERS = 16, MAP_PICTURE_SCALE_MAX = 4 };

struct map_picture_layer {
    const struct grid *grid;
    const struct catalog_variable *variable;
    const struct plane *plane;
    // Of barbs and arrows: the other field of the wind on the same grid, and what the two are; else NULL.
    const struct catalog_variable *partner_variable;
    const struct plane *partner;
    enum map_wind_kind wind;
    const struct map_style *style;
};

struct map_picture_options {
    enum image_format format;
    int quality;            // JPEG, 1 to 100
    bool transparent;       // PNG: what nothing covers is clear; else it is the background
    uint8_t background[3];
    double scale;           // of lines, letters and symbols: pixels of the picture for one of the screen that it is shown on, 1 to 4
    const struct image_text *texts;  // PNG text chunks; NULL with a count of 0
    size_t text_count;
    const atomic_bool *stop;         // once true, the picture is given up: VIRGA_CANCELLED. Or NULL
};

// *bytes is the caller's, freed with free(); NULL where it failed. VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INVALID (options, a style that
// cannot be drawn of these fields; the message says which). Any thread.
int map_picture_draw(const struct map_frame *frame, const struct map_picture_layer *layers, size_t count,
                     const struct map_picture_options *options, uint8_t **bytes, size_t *size, struct failure *failure);

// Offset and scale of a variable's numeric pictures: the same for all its times and levels.
void map_values_scale(const struct catalog_variable *variable, double *offset, double *scale);

#endif
