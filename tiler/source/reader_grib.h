// SPDX-License-Identifier: Apache-2.0
// GRIB 1 and 2 shown as a netCDF file: what the reader_grib_*.c share. One thread. A file is scanned once, message by message,
// without reading values; what was found is a `grib_index`, which may be lent back later. From the index alone come the
// grids (reader_grib_grid.c), the hypercubes (reader_grib_cube.c) and what is listed (reader_grib_view.c); values are decoded
// by ecCodes, one field at a time (reader_grib_field.c).
#ifndef VIRGA_SOURCE_READER_GRIB_H
#define VIRGA_SOURCE_READER_GRIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum {
    GRIB_FIELDS_MAX = 1 << 19,
    GRIB_SECTION_MAX = 1 << 16,   // bytes of any section but those of the bitmap and the numbers
    GRIB_GRIDS_MAX = 256, GRIB_PARAMETERS_MAX = 4000, GRIB_PV_MAX = 64, GRIB_NOTES_MAX = 500,
    GRIB_NONE = -1,
};

// --- what a file holds -----------------------------------------------------------------------------------------------

enum grib_vertical {  // what a type of level means
    GRIB_SINGLE,      // a place of its own (surface, tropopause, a layer): no axis
    GRIB_PRESSURE,    // Pa
    GRIB_HEIGHT,      // metres above ground
    GRIB_ALTITUDE,    // metres above sea
    GRIB_DEPTH,       // metres
    GRIB_SIGMA,
    GRIB_HYBRID,      // level number; coefficients in pv
    GRIB_HYBRID_HEIGHT,  // level number
    GRIB_THETA,       // K
    GRIB_NUMBER,      // a plain number
};

// One parameter on one type of level: what the messages of a variable have in common. Text is never NULL.
struct grib_parameter {
    char *short_name, *cf_var_name, *name, *units, *standard_name, *type_of_level, *step_type;
    int64_t param_id;              // 0: not in ecCodes' tables
    int32_t edition, discipline, category, number;  // GRIB1: discipline is the table, category the centre
    int32_t statistic;             // code table 4.10, or -1
    int32_t kind;                  // enum grib_vertical
    bool layer;                    // between two levels
    char *suffix;                  // what else tells it from others of its short name ("mean", "p90"), or ""
    char *described;               // the same in words, or ""
};

struct grib_field {
    uint64_t offset;               // of its message in the file
    uint32_t bytes;                // of the message
    uint32_t message;              // number of the message, from 1
    uint32_t sections[8];          // GRIB2: where 1 to 7 begin in the message (0: none); [0]: the bitmap's own section 6
    uint8_t edition, precise;      // precise: stored with more than 24 bits
    uint32_t parameter, grid;      // indices in the index
    int32_t pv;                    // likewise, or -1
    double level, level2;          // in the units of grib_vertical; level2: the other side of a layer, else NaN
    int64_t reference, valid;      // seconds since 1970
    int64_t interval;              // seconds that a statistic covers, or 0
    int32_t member;                // or -1
};

struct grib_section {              // a grid definition as stored: GRIB1 section 2, GRIB2 section 3
    uint8_t *bytes;
    uint32_t size;
    uint8_t edition;
};

struct grib_pv {
    double *values;
    uint32_t count;
};

struct grib_index {
    struct arena arena;            // holds all text and sections
    struct grib_field *fields;     // malloc
    size_t field_count, field_room;
    struct grib_parameter *parameters;
    size_t parameter_count;
    struct grib_section *grids;
    size_t grid_count;
    struct grib_pv *pvs;
    size_t pv_count;
    char **notes;
    size_t note_count;
    int32_t centre, stream_class;  // of its first field: common code table C-11, 0 unknown; ECMWF's class (operations, a reanalysis, a learned model …), 0 none
};

int grib_index_init(struct grib_index *index, size_t memory);
void grib_index_destroy(struct grib_index *index);  // of a half-built one too
// "what: why", once each; the count of fields it holds for is added when the index is complete.
void grib_index_note(struct grib_index *index, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The index as bytes to keep: *bytes is malloced. And back: VIRGA_INVALID where they are no index of a file of this size.
int grib_index_encode(const struct grib_index *index, uint8_t **bytes, size_t *size);
int grib_index_decode(struct grib_index *index, const uint8_t *bytes, size_t size, uint64_t file_bytes, size_t memory);

// Walks the file's messages into an index that is empty. VIRGA_OK also where some were left out (then there are notes).
int grib_scan(int fd, uint64_t file_bytes, size_t memory, struct grib_index *index, struct failure *failure);

// Adds what ecCodes and the stored numbers say of one field, whose message without its values is given. VIRGA_UNSUPPORTED where it
// cannot be used: then a note says why.
struct grib_headers {
    const uint8_t *message;        // a whole message, its numbers cut off
    size_t bytes;
    const uint8_t *grid;           // NULL where there is none
    size_t grid_bytes;
    const uint8_t *section4;       // edition 2 only
    size_t section4_bytes;
    const uint8_t *pv;             // stored coefficients, or NULL
    size_t pv_count;
    int edition;
};
int grib_describe(struct grib_index *index, const struct grib_headers *headers, struct grib_field *field, struct failure *failure);

// --- grids -------------------------------------------------------------------------------------------------------------

enum grib_projection {
    GRIB_LATLON, GRIB_ROTATED, GRIB_LAMBERT, GRIB_POLAR, GRIB_MERCATOR, GRIB_EQUAL_AREA, GRIB_TRANSVERSE, GRIB_SPACE_VIEW,
};

struct grib_grid {
    bool usable;
    char why[160];                 // not usable
    char note[200];                // usable, but something in it contradicts itself; or ""
    enum grib_projection projection;
    size_t nx, ny;
    double *x, *y;                 // both increasing; degrees, or metres on projections; in the arena
    double major, minor;           // metres; equal on a sphere
    double origin_latitude, origin_longitude, parallel[2];  // degrees; by projection
    double scale, false_east, false_north;                  // transverse Mercator
    double pole_latitude, pole_longitude;                   // rotated: of the grid's north pole
    bool winds_on_grid;            // components are along the grid's axes
    // How numbers are stored: the first along x at the east end, along y at the north end; columns before rows; every other row back
    bool from_east, from_north, columns_first, alternating;
};

// Never fails but for memory: a section that cannot be used says why.
int grib_grid_parse(struct arena *arena, const struct grib_section *section, size_t points_max, struct grib_grid *grid);
// Same columns at the same places (whatever the order in which they are stored).
bool grib_grid_equal(const struct grib_grid *a, const struct grib_grid *b);
// Metres on the grid's projection, by the closed formulas of Snyder (1987), Map projections: a working manual.
void grib_project(const struct grib_grid *grid, double latitude, double longitude, double *x, double *y);
// The 2 n Gaussian latitudes, north to south.
int grib_gaussian_latitudes(size_t n, double *latitudes);

// --- values ------------------------------------------------------------------------------------------------------------

// Decodes a field into `out` (nx * ny doubles, south to north and west to east), NaN where missing. memory: what this may take.
int grib_field_decode(int fd, uint64_t file_bytes, const struct grib_field *field, const struct grib_grid *grid, double *out,
                      size_t memory, struct failure *failure);

#endif
