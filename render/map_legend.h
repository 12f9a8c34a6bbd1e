// SPDX-License-Identifier: Apache-2.0
// The legend of one style as a picture of its own: name and units, colours with ticks and pointed ends for what lies beyond the range, the interval of
// contours, what barbs or arrows mean. Dark letters on white, or on nothing where `transparent`.
#ifndef VIRGA_RENDER_MAP_LEGEND_H
#define VIRGA_RENDER_MAP_LEGEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/image.h"
#include "render/map_style.h"

enum { MAP_LEGEND_SIDE_MIN = 1, MAP_LEGEND_SIDE_MAX = 2048, MAP_LEGEND_SCALE_MAX = 4 };

struct map_legend_options {
    unsigned width, height;  // pixels, MAP_LEGEND_SIDE_MIN to MAP_LEGEND_SIDE_MAX; 0: as wide or high as suits it
    bool horizontal;         // the colour bar; else it is upright
    bool bar_only;           // no words: the colour bar fills the picture
    bool transparent;        // PNG alone
    double scale;            // of letters and lines: 1, or 2 for screens of twice the pixels (1 to MAP_LEGEND_SCALE_MAX)
    const char *title;       // UTF-8; NULL: the variable's
    enum image_format format;
    int quality;             // JPEG
};

// Pixels of the legend that map_legend_draw makes of a complete style. VIRGA_OK, VIRGA_INVALID (a size or scale outside its limits; the message says which).
int map_legend_size(const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options,
                    unsigned size[2], struct failure *failure);
// *bytes is the caller's, freed with free(); NULL where it failed. What does not fit a size that is asked for is left out, words before colours.
// VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INVALID. Any thread.
int map_legend_draw(const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options,
                    uint8_t **bytes, size_t *size, struct failure *failure);
// The same as an image, for pictures that a legend is a part of: zeroed where it failed; else image_destroy it.
int map_legend_image(const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options, struct image *image,
                     struct failure *failure);

#endif
