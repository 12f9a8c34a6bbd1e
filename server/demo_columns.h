// SPDX-License-Identifier: Apache-2.0
// The demonstration forecast at the grid's own columns and levels: the large-scale weather with fine texture, showers,
// stratocumulus, hills and friction added, and cloud, water and rain diagnosed from it.
#ifndef VIRGA_SERVER_DEMO_COLUMNS_H
#define VIRGA_SERVER_DEMO_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/demo_grid.h"
#include "server/demo_weather.h"

enum demo_variable {
    DEMO_CLOUD, DEMO_LIQUID, DEMO_RAIN, DEMO_TEMPERATURE, DEMO_HUMIDITY, DEMO_SPECIFIC_HUMIDITY,
    DEMO_X_WIND, DEMO_Y_WIND, DEMO_UPWARD, DEMO_PRESSURE, DEMO_RAIN_FLUX, DEMO_VARIABLE_COUNT
};

struct demo_variable_spec {
    const char *name, *long_name, *units;  // the name in the file is the CF standard name
    bool flat;                             // (rlat, rlon) only
    float quantum;                         // stored numbers are multiples of this power of two, so that they deflate well
};
extern const struct demo_variable_spec demo_variables[DEMO_VARIABLE_COUNT];

struct demo_fields {  // one time; [level][rlat][rlon], or [rlat][rlon]; NULL where not wanted
    float *of[DEMO_VARIABLE_COUNT];
};

enum { DEMO_MAX_CELLS = 8192 };
struct demo_cell {
    float x, y, radius, top, strength;  // km, km, km, m, 0 to 1
};
struct demo_cells {  // the showers of one time
    int count;
    struct demo_cell cell[DEMO_MAX_CELLS];
};
// Showers are born, grow and die on a hashed lattice that drifts with the wind, where the weather favours them.
void demo_cells_place(struct demo_cells *cells, const struct demo_grid *grid, const struct demo_weather *weather);

struct demo_row_work;  // one thread's scratch
struct demo_row_work *demo_row_work_new(const struct demo_grid *grid, const struct demo_weather *weather);  // NULL: no memory
void demo_row_work_free(struct demo_row_work *work);

// Fills row j of all wanted fields. Any thread, each with its own work.
void demo_columns_fill_row(const struct demo_grid *grid, const struct demo_weather *weather, const struct demo_cells *cells,
                           const struct demo_noise *noise, struct demo_row_work *work, int j, const struct demo_fields *fields);

#endif
