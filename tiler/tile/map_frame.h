// SPDX-License-Identifier: Apache-2.0
// What a map shows: a box of a coordinate reference system, and so many pixels. Pure, any thread.
#ifndef VIRGA_TILE_MAP_FRAME_H
#define VIRGA_TILE_MAP_FRAME_H

#include "base/status.h"
#include "tile/map_crs.h"

enum { MAP_SIDE_MAX = 16384 };  // pixels

struct map_frame {
    const struct map_crs *crs;      // borrowed, or referenced by whoever keeps the frame
    double box[4];                  // outer edges: west, south, east, north, in units of the CRS
    unsigned width, height;         // pixels; row 0 is the northernmost
};

// VIRGA_OK, or VIRGA_INVALID: a side of 0 or over MAP_SIDE_MAX pixels, a box that is not finite or has no area, or one of a size that no map has.
int map_frame_check(const struct map_frame *frame, struct failure *failure);
// The place of a fractional pixel: pixel n's centre is n + 0.5.
void map_frame_place(const struct map_frame *frame, double column, double row, double *x, double *y);
void map_frame_pixel(const struct map_frame *frame, double x, double y, double *column, double *row);
// The frame with so many pixels more on every side.
struct map_frame map_frame_grown(const struct map_frame *frame, unsigned margin);

#endif
