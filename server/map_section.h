// SPDX-License-Identifier: Apache-2.0
// Values above places and along lines: vertical profiles, time series, trajectories and transects. Each is the value at a place of level_map.h and volume_sample.h, from the
// brick store: what `virga sample` calls "bricks".
#ifndef VIRGA_SERVER_MAP_SECTION_H
#define VIRGA_SERVER_MAP_SECTION_H

#include "brick/brick_store.h"
#include "field/catalog.h"

// --- Lines. Pure, any thread.

struct section_point {
    double lon, lat;  // degrees
    double height;    // metres above the datum; NaN: none of its own
    double seconds;   // a time as catalog_time has it; NaN: likewise
    double distance;  // metres along the line from its start, on a sphere
};

struct section_line {
    size_t count;
    struct section_point *points;
};

// The vertices and places between them, evenly on each stretch, so that neighbours are no further apart than columns of the grid, but at most `most` (≥ vertex_count) in all.
// Between vertices longitude, latitude, height and time are linear, the shorter way round where they are more than 180° apart. vertex_count ≥ 1; `distance` is not looked at.
// VIRGA_OK or VIRGA_NO_MEMORY.
int section_line_init(struct section_line *line, const struct grid *grid, const struct section_point *vertices, size_t vertex_count, size_t most);
// `count` places evenly along the same line, each in the middle of its piece. marks: distances of the vertices, [vertex_count]. VIRGA_OK or VIRGA_NO_MEMORY.
int section_line_even(struct section_line *line, const struct section_point *vertices, size_t vertex_count, size_t count, double *marks);
void section_line_destroy(struct section_line *line);

// --- Values above points.

enum section_rows_kind {
    SECTION_LEVELS,   // each model level, from the lowest up; a 2-D variable has one
    SECTION_HEIGHTS,  // heights in metres above the variable's datum, the same at each point
    SECTION_OWN,      // each point's own height: one row
};

struct section_rows {
    enum section_rows_kind kind;
    size_t count;           // SECTION_HEIGHTS
    const double *heights;
};

struct section {
    size_t points, rows;
    double *values;   // [points][rows], in the variable's units; NaN where missing, below the ground, above the top and outside the grid
    double *heights;  // [points][rows] metres above the datum: of levels as the level map has them; NaN outside the grid and for 2-D variables
    double *ground;   // [points] metres above the datum; NaN outside the grid; 0 where no ground is known
};

enum { SECTION_VALUES = 1 << 20 };  // values that a section may have

// Blocks while files are read and bricks are made: not on the service thread, nor on a worker of the store's pool. Rows of a 2-D variable are always one. VIRGA_OK;
// VIRGA_TOO_LARGE; VIRGA_CANCELLED once *field->stop is true; or what reading failed with.
int section_read(struct catalog *catalog, struct brick_store *bricks, const struct field_ref *field, const struct section_point *points, size_t count,
                 const struct section_rows *rows, struct section *section, struct failure *failure);
void section_destroy(struct section *section);  // a zeroed one is allowed

// Heights of a column's levels as its files say, not as the level map has them: [nz of the variable], from the lowest up, NaN outside. Blocks.
int section_exact_heights(const struct field_ref *field, double lon, double lat, double *heights, struct failure *failure);

#endif
