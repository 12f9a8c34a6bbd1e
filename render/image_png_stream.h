// SPDX-License-Identifier: Apache-2.0
// What all PNG files share: libpng's errors and memory, and where its bytes go. For the PNG formats only.
#ifndef VIRGA_RENDER_IMAGE_PNG_STREAM_H
#define VIRGA_RENDER_IMAGE_PNG_STREAM_H

#include <png.h>

#include "render/image_writer.h"

// Writes everything between png_set_IHDR and png_write_end. libpng's errors leave it by longjmp: it must own nothing.
typedef void (*image_png_body)(png_struct *png, png_info *info, const void *user);

// Appends the file. VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INTERNAL; what was appended before a failure is the caller's to free.
int image_png_stream(struct image_bytes *bytes, image_png_body body, const void *user, struct failure *failure);
// The options' texts as chunks.
void image_png_texts(png_struct *png, png_info *info, const struct image_options *options);

#endif
