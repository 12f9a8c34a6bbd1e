// SPDX-License-Identifier: Apache-2.0
// A picture that holds words in the place of a map, or nothing.
#ifndef VIRGA_RENDER_MAP_MESSAGE_H
#define VIRGA_RENDER_MAP_MESSAGE_H

#include "render/map_picture.h"

// text: UTF-8, in lines that are broken between words; NULL: an empty picture. Format, quality, transparent and background are looked at. *bytes is the caller's, freed with
// free(); NULL where it failed. VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INVALID (a side of 0 or over IMAGE_SIDE_MAX pixels). Any thread.
int map_message_draw(unsigned width, unsigned height, const char *text, const struct map_picture_options *options, uint8_t **bytes, size_t *size, struct failure *failure);

#endif
