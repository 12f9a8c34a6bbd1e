// SPDX-License-Identifier: Apache-2.0
// One run of the demonstration forecast as a netCDF-4 file after CF 1.8. Uses libnetcdf for writing only: one thread at a time.
#ifndef VIRGA_SERVER_DEMO_NETCDF_H
#define VIRGA_SERVER_DEMO_NETCDF_H

#include "base/status.h"
#include "server/demo_columns.h"
#include "server/demo_forecast.h"

struct demo_file;

// Creates `path`, writes everything but the fields of the steps. On success *file is the caller's, to be closed.
// VIRGA_IO or VIRGA_NO_MEMORY.
int demo_file_create(const char *path, const struct demo_plan *plan, const struct demo_grid *grid, int run,
                     struct demo_file **file, struct failure *failure);
// Writes one step. VIRGA_IO.
int demo_file_put(struct demo_file *file, int step, const struct demo_fields *fields, struct failure *failure);
// Closes and frees, also after a failure; NULL is allowed. VIRGA_IO if what was buffered could not be written.
int demo_file_close(struct demo_file *file, struct failure *failure);
// Whether `path` is a whole file that was written for a plan so described.
bool demo_file_matches(const char *path, const char *description);

#endif
