// SPDX-License-Identifier: Apache-2.0
// Sketches the tiles of one picture: triangles to samples, samples to a few points a pixel, lines over them. Private to the basemap.
#ifndef VIRGA_RENDER_GROUND_SKETCHER_H
#define VIRGA_RENDER_GROUND_SKETCHER_H

#include "render/ground_sketch.h"

struct ground_sketcher;

// The scene's camera and size are the key's. VIRGA_OK or VIRGA_NO_MEMORY; the map is kept by the caller.
int ground_sketcher_new(const struct basemap *map, const struct ground_sketch_key *key, const struct scene *scene, size_t threads,
                        struct ground_sketcher **sketcher);
void ground_sketcher_free(struct ground_sketcher *sketcher);  // NULL is allowed
// Places corners and lines in the picture; before any tile.
void ground_sketcher_place(struct ground_sketcher *sketcher, struct render_team *team);
// One tile, good until the same thread (0 to threads - 1) asks for another.
const struct ground_tile *ground_sketcher_tile(struct ground_sketcher *sketcher, size_t index, size_t thread);
size_t ground_sketcher_points(const struct ground_sketcher *sketcher);  // as many as a tile may have

#endif
