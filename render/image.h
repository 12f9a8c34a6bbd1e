// SPDX-License-Identifier: Apache-2.0
// A finished picture, and files of it.
#ifndef VIRGA_RENDER_IMAGE_H
#define VIRGA_RENDER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct image {
    unsigned width, height;
    uint8_t *pixels;  // [height][width][4], top row first: red, green, blue (sRGB), alpha, not multiplied
};

enum { IMAGE_SIDE_MAX = 16384 };  // pixels

// Transparent black. VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INVALID (a side of 0 or over IMAGE_SIDE_MAX); *image is zeroed where it
// failed.
int image_init(struct image *image, unsigned width, unsigned height);
void image_destroy(struct image *image);  // a zeroed one is allowed

enum image_format { IMAGE_PNG, IMAGE_JPEG };

struct image_text { const char *key, *value; };  // key: 1 to 79 printable ASCII characters; value: UTF-8

struct image_options {
    enum image_format format;
    int quality;                    // JPEG, 1 to 100
    const struct image_text *texts; // PNG text chunks (JPEG: a comment "key: value" each, continued in further ones where it is long)
    size_t text_count;
};

// The file's bytes, always the same ones for the same image, options and libraries. A PNG of an opaque picture has no alpha; a
// JPEG never has any: it is the picture over black. *bytes is the caller's, freed with free(), NULL where it failed. VIRGA_OK,
// VIRGA_NO_MEMORY, VIRGA_INVALID (options; the message says which). Any thread.
int image_encode(const struct image *image, const struct image_options *options, uint8_t **bytes, size_t *size,
                 struct failure *failure);
const char *image_suffix(enum image_format format);  // "png", "jpg"
const char *image_type(enum image_format format);    // "image/png", "image/jpeg"

#endif
