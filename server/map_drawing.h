// SPDX-License-Identifier: Apache-2.0
// What a picture of a map is made of, its name, and its bytes once the planes are there.
#ifndef VIRGA_SERVER_MAP_DRAWING_H
#define VIRGA_SERVER_MAP_DRAWING_H

#include "base/shared_bytes.h"
#include "render/map_legend.h"
#include "render/map_picture.h"
#include "server/map_layer.h"
#include "tile/map_frame.h"
#include "tile/plane.h"

struct map_drawing {
    size_t count;
    struct map_layer layers[MAP_PICTURE_LAYERS];  // from the bottom to the top
    bool is_legend;                     // of the first layer; then `frame` and `options` are not used
    struct map_frame frame;             // holds a reference to its CRS
    struct map_picture_options options;
    struct map_legend_options legend;   // its title is the variable's
};
void map_drawing_destroy(struct map_drawing *drawing);  // also of a zeroed one
// What all of its bytes depend on: two drawings with the same key are the same picture. Good as a strong ETag.
void map_drawing_key(const struct map_drawing *drawing, char key[MAP_KEY]);
// Pixels of the picture.
size_t map_drawing_pixels(const struct map_drawing *drawing);

// Planes of a layer's field and of its partner; NULL where they are not needed, or not there yet.
struct map_planes { struct plane *plane, *partner; };
// Whether a layer needs the plane of its field (or its partner) for the drawing.
bool map_drawing_needs_plane(const struct map_drawing *drawing, size_t layer, bool partner);
// Computes: seconds at most, where the drawing is large. *bytes gets one reference. Codes of map_picture_draw and map_legend_draw.
int map_drawing_draw(const struct map_drawing *drawing, const struct map_planes *planes, struct shared_bytes **bytes, struct failure *failure);

// "image/png" or "image/jpeg".
const char *map_drawing_type(const struct map_drawing *drawing);

#endif
