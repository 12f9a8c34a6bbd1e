// SPDX-License-Identifier: Apache-2.0
// Between which lattice integers the values of a field lie, for each voxel of its coarsest level: enough for a step table that holds for every
// level, before the finer ones are there. Means lie between the values they are of, so one bound serves all levels. The table is the same
// whichever level the numbers came with. One thread at a time.
#ifndef VIRGA_BRICK_STEP_BOUNDS_H
#define VIRGA_BRICK_STEP_BOUNDS_H

#include "base/status.h"
#include "brick/brick_key.h"
#include "brick/step_table.h"
#include "brick/step_volume.h"

struct step_bounds;

struct step_bounds *step_bounds_new(const struct pyramid_shape *shape);  // NULL when out of memory
void step_bounds_free(struct step_bounds *bounds);                       // NULL is allowed
size_t step_bounds_memory(const struct pyramid_shape *shape);            // bytes
// Adds a box of a level, each voxel once: least and most of its level-0 values as lattice_from_values leaves them, and how many are present.
void step_bounds_add(struct step_bounds *bounds, uint32_t level, const struct voxel_box *box, const double *least, const double *most,
                     const uint32_t *present);
// Fills a table of the same shape. Kinds are what is certain: wholly missing where nothing is present, constant where all is and has one
// lattice value; else all present, or with a mask.
void step_bounds_fill(const struct step_bounds *bounds, struct step_table *table);

#endif
