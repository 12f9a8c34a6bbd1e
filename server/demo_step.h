// SPDX-License-Identifier: Apache-2.0
// Computes one time of the demonstration forecast on several threads.
#ifndef VIRGA_SERVER_DEMO_STEP_H
#define VIRGA_SERVER_DEMO_STEP_H

#include "server/demo_columns.h"

struct demo_step;  // the scratch of one computation; one caller at a time

// Keeps pointers to grid and noise, which must outlive it. NULL when out of memory. Free with demo_step_free (NULL is allowed).
struct demo_step *demo_step_new(const struct demo_grid *grid, const struct demo_noise *noise, int threads);
void demo_step_free(struct demo_step *step);
// Fills the arrays of `fields` that are not NULL; the same numbers for any number of threads.
void demo_step_compute(struct demo_step *step, double hours, int run, double lead_hours, const struct demo_fields *fields);

#endif
