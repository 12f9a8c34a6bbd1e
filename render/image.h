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

int image_init(struct image *image, unsigned width, unsigned height);  // transparent black; VIRGA_OK or VIRGA_NO_MEMORY
void image_destroy(struct image *image);                                // a zeroed one is allowed

enum image_format { IMAGE_PNG, IMAGE_JPEG };

struct image_text { const char *key, *value; };  // UTF-8; keys of 1 to 79 bytes of Latin-1, as PNG wants them

struct image_options {
    enum image_format format;
    int quality;                    // JPEG, 1 to 100
    const struct image_text *texts; // PNG text chunks (JPEG: one comment "key: value" each)
    size_t text_count;
};

// The file's bytes, always the same ones for the same image and options. JPEG has no alpha: what is transparent is black. *bytes is the
// caller's, freed with free(). VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INVALID (options).
int image_encode(const struct image *image, const struct image_options *options, uint8_t **bytes, size_t *size, struct failure *failure);
const char *image_suffix(enum image_format format);  // "png", "jpg"
const char *image_type(enum image_format format);    // "image/png", "image/jpeg"

#endif
