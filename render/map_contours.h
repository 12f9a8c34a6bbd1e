// SPDX-License-Identifier: Apache-2.0
// Lines of equal value over a lattice of values, as chains of points. Pure, any thread.
#ifndef VIRGA_RENDER_MAP_CONTOURS_H
#define VIRGA_RENDER_MAP_CONTOURS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct map_lattice {
    const float *values;  // [ny][nx], NaN where missing
    size_t nx, ny;
    double first[2], step[2];  // pixels: where value [0][0] stands, and from one to the next
};

struct map_contour {
    long number;           // its value is number × interval + base
    bool closed;
    size_t first, count;   // points; a closed one does not repeat its first
};

struct map_contours {
    double interval;  // that was asked for, or a multiple of it
    size_t count, capacity;
    struct map_contour *lines;
    size_t point_count, point_capacity;
    float (*points)[2];  // pixels
};

// Lines at base + n interval (none where that is not above 0), none across cells with a missing corner. Between lattice points values are linear along the cells' sides; two lines through
// one cell keep apart by the mean of its corners. On all lines higher values are on the same side. Where there would be more than MAP_CONTOURS_VALUES values, or on
// average more than one line through each cell, interval is 5, 25, … times as long, so that what is left are lines of a neighbouring picture, too.
// stop: once true it is given up, VIRGA_CANCELLED; or NULL. VIRGA_OK or VIRGA_NO_MEMORY; *contours is to be destroyed whatever comes.
enum { MAP_CONTOURS_VALUES = 200 };
int map_contours_trace(const struct map_lattice *lattice, double base, double interval, const atomic_bool *stop, struct map_contours *contours);
void map_contours_destroy(struct map_contours *contours);  // a zeroed one is allowed

#endif
