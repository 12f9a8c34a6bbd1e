// SPDX-License-Identifier: Apache-2.0
// Tile matrix sets: how the globe is cut into tiles at each zoom. OGC 17-083r4, annex D. Pure, any thread.
#ifndef VIRGA_TILE_TILE_MATRIX_H
#define VIRGA_TILE_TILE_MATRIX_H

#include "tile/map_frame.h"

enum { TILE_ZOOM_MAX = 24 };

struct tile_matrix_set {
    const char *name, *title, *uri;  // "WebMercatorQuad"; "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
    const char *crs_name;
    unsigned columns, rows;          // of zoom 0: 1 × 1, or 2 × 1; each zoom doubles both
    double box[4];                   // west, south, east, north of the whole
};

// "WebMercatorQuad", "WorldCRS84Quad"; letters in either case; NULL for none.
const struct tile_matrix_set *tile_matrix_find(const char *name);
const struct tile_matrix_set *tile_matrix_at(size_t index);  // NULL beyond the last

// The frame of a tile of 256 or 512 pixels. VIRGA_OK, VIRGA_NOT_FOUND (no such zoom, column or row), VIRGA_INVALID (size).
int tile_matrix_frame(const struct tile_matrix_set *set, unsigned zoom, unsigned column, unsigned row, unsigned size, struct map_frame *frame,
                      struct failure *failure);
// Units of the CRS for a pixel of a tile of 256, and OGC's scale denominator (pixels of 0.28 mm).
double tile_matrix_cell(const struct tile_matrix_set *set, unsigned zoom);
double tile_matrix_scale(const struct tile_matrix_set *set, unsigned zoom);
// The zoom beyond which tiles show no more of a grid: its columns are eight pixels or more.
unsigned tile_matrix_zoom_max(const struct tile_matrix_set *set, const struct grid *grid);

#endif
