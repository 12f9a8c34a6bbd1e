// SPDX-License-Identifier: Apache-2.0
// A map picture while it is being drawn. For the map_picture_* files; one thread.
#ifndef VIRGA_RENDER_MAP_PICTURE_PRIVATE_H
#define VIRGA_RENDER_MAP_PICTURE_PRIVATE_H

#include "render/map_colours.h"
#include "render/map_picture.h"

struct map_drawing {
    const struct map_frame *frame;
    const struct map_picture_options *options;
    struct image *image;  // of the frame's size
};

// VIRGA_CANCELLED where the picture is to be given up, else VIRGA_OK.
int map_drawing_stopped(const struct map_drawing *drawing, struct failure *failure);

// Values of several planes of one grid at the pixels of a frame: [height][width] each, the caller's, freed with free(); all NULL where it failed.
int map_drawing_rasters(const struct map_frame *frame, const struct grid *grid, const struct plane *const *planes, size_t count, float **rasters,
                        struct failure *failure);

// One layer over the image. colours: of its style.
int map_picture_lines(const struct map_drawing *drawing, const struct map_picture_layer *layer, struct failure *failure);
int map_picture_wind(const struct map_drawing *drawing, const struct map_picture_layer *layer, const struct map_colours *colours, struct failure *failure);

// Whether a picture is of one ink over nothing, and its file then.
bool map_picture_is_ink(const struct map_picture_layer *layers, size_t count, const struct map_picture_options *options);
int map_picture_encode_ink(const struct image *image, const struct map_picture_layer *layers, const struct image_options *options, uint8_t **bytes, size_t *size,
                           struct failure *failure);

#endif
