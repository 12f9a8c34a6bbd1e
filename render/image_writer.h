// SPDX-License-Identifier: Apache-2.0
// A file format of pictures; one source file each. For image.c and the formats only.
#ifndef VIRGA_RENDER_IMAGE_WRITER_H
#define VIRGA_RENDER_IMAGE_WRITER_H

#include <stdbool.h>

#include "render/image.h"

// Bytes that grow.
struct image_bytes {
    uint8_t *data;
    size_t size, capacity;
};

// False when out of memory; what was there stays.
bool image_bytes_append(struct image_bytes *bytes, const void *data, size_t n);

// What image_encode refuses. VIRGA_OK or VIRGA_INVALID.
int image_check(unsigned width, unsigned height, const struct image_options *options, struct failure *failure);

struct image_writer {
    const char *suffix, *type;
    // Appends the file. The arguments have been checked; result as image_encode, with the caller to free what was appended.
    int (*encode)(const struct image *image, const struct image_options *options, struct image_bytes *bytes,
                  struct failure *failure);
};

extern const struct image_writer image_png, image_jpeg;

#endif
