// SPDX-License-Identifier: Apache-2.0
// PNG through libpng.
#include <zlib.h>

#include "render/image_png_stream.h"

struct content {
    const struct image *image;
    const struct image_options *options;
};

static bool is_opaque(const struct image *image) {
    const size_t n = (size_t)image->width * image->height;
    for (size_t i = 0; i < n; i++)
        if (image->pixels[4 * i + 3] != 255) return false;
    return true;
}

// For rendered pictures, smooth with the grain of the jitter. Of filters, levels and strategies measured on them these gave the
// best bytes for their time: 24 ms of one processor for 1280 × 720; level 4 makes files 12 % smaller in 1.7 times as long, level
// 6 13 % in 5 times.
static void set_compression(png_struct *png) {
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_compression_level(png, 1);
    png_set_compression_strategy(png, Z_DEFAULT_STRATEGY);
    png_set_compression_buffer_size(png, 1 << 16);
}

static void write_body(png_struct *png, png_info *info, const void *user) {
    const struct content *content = user;
    const struct image *image = content->image;
    const bool opaque = is_opaque(image);
    png_set_IHDR(png, info, image->width, image->height, 8, opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    image_png_texts(png, info, content->options);
    set_compression(png);
    png_write_info(png, info);
    if (opaque) png_set_filler(png, 0, PNG_FILLER_AFTER);
    for (unsigned y = 0; y < image->height; y++) png_write_row(png, image->pixels + (size_t)y * image->width * 4);
}

static int encode(const struct image *image, const struct image_options *options, struct image_bytes *bytes,
                  struct failure *failure) {
    return image_png_stream(bytes, write_body, &(struct content){image, options}, failure);
}

const struct image_writer image_png = {.suffix = "png", .type = "image/png", .encode = encode};
