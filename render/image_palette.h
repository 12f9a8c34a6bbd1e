// SPDX-License-Identifier: Apache-2.0
// A picture of at most 256 colours, and files of it: what maps are, as long as nothing is drawn over them.
#ifndef VIRGA_RENDER_IMAGE_PALETTE_H
#define VIRGA_RENDER_IMAGE_PALETTE_H

#include "render/image.h"

enum { IMAGE_PALETTE_COLOURS = 256 };

struct image_palette {
    unsigned width, height;
    const uint8_t *indices;                     // [height][width], top row first, each below count
    uint8_t colours[IMAGE_PALETTE_COLOURS][4];  // red, green, blue (sRGB), alpha, not multiplied
    unsigned count;                             // 1 to IMAGE_PALETTE_COLOURS
};

// As image_encode; a PNG is one with an 8-bit palette. A JPEG is over black: put the colours over a background before.
int image_palette_encode(const struct image_palette *palette, const struct image_options *options, uint8_t **bytes, size_t *size,
                         struct failure *failure);
// The same picture pixel by pixel, over what `image` shows (of the same size).
void image_palette_draw(const struct image_palette *palette, struct image *image);

#endif
