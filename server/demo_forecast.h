// SPDX-License-Identifier: Apache-2.0
// Writes the demonstration forecast: one netCDF-4 file a run, virga-demo_YYYYMMDDTHHMMZ.nc, CF 1.8, always the same
// numbers for the same options and build. Main thread; threads of its own compute while the caller's writes.
#ifndef VIRGA_SERVER_DEMO_FORECAST_H
#define VIRGA_SERVER_DEMO_FORECAST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/status.h"
#include "server/demo_columns.h"

struct demo_plan {
    int nx, ny, nk, nt, runs;           // columns, levels, hourly steps, runs; all ≥ 1
    int run_spacing;                    // hours between runs
    bool wanted[DEMO_VARIABLE_COUNT];   // at least one
    int deflate;                        // 0 none to 9
    time_t start;                       // reference time of the first run, a whole hour
    int threads;                        // that compute, ≥ 1
    const char *folder;                 // made if it is absent
    bool force;                         // replace another demonstration in the folder
};

enum demo_outcome { DEMO_WRITTEN, DEMO_ALREADY_THERE };

// Called from the main thread after each step is written; may be NULL. False stops the writing.
typedef bool demo_progress(void *context, const char *file, int run, int step);

// One line that says everything the files depend on; kept in each file as the attribute virga_demo.
void demo_plan_describe(const struct demo_plan *plan, char *text, size_t size);

// VIRGA_OK and *outcome; VIRGA_IO (disk full, not writable, folder holds something else), VIRGA_NO_MEMORY, VIRGA_CANCELLED.
// Files appear under their names only when complete; a part of one is removed on failure.
int demo_forecast_write(const struct demo_plan *plan, demo_progress *progress, void *context, enum demo_outcome *outcome,
                        struct failure *failure);

// Computes one step of one run into `fields`, for tests: arrays as in demo_columns.h, for plan->wanted variables.
struct demo_fields *demo_forecast_step(const struct demo_plan *plan, const struct demo_grid *grid, int run, int step);
void demo_fields_free(struct demo_fields *fields);

#endif
