// SPDX-License-Identifier: Apache-2.0
// The voxels of one field at one time, at the pyramid levels that a picture wants: decoded bricks laid out for fast trilinear reads,
// and for each brick of the finest level which brick to read. Filled by one thread, then read by any.
#ifndef VIRGA_RENDER_BRICK_VOLUME_H
#define VIRGA_RENDER_BRICK_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "brick/brick_key.h"
#include "brick/step_table.h"

struct brick_volume;

// All missing. VIRGA_OK or VIRGA_NO_MEMORY.
int brick_volume_new(const struct pyramid_shape *shape, struct brick_volume **volume);
void brick_volume_free(struct brick_volume *volume);  // NULL is allowed

// Takes in a brick that has bytes (BRICK_FULL, BRICK_MASKED): q[z][y][x] of its stored box (brick_box_init), LATTICE_MISSING where missing. A brick that
// spans more than 65,535 lattice steps is kept with its low bits dropped. VIRGA_OK, VIRGA_NO_MEMORY.
int brick_volume_put(struct brick_volume *volume, uint32_t level, uint32_t x, uint32_t y, uint32_t z, const int32_t *q);
bool brick_volume_has(const struct brick_volume *volume, uint32_t level, uint32_t x, uint32_t y, uint32_t z);
void brick_volume_drop(struct brick_volume *volume, uint32_t level, uint32_t x, uint32_t y, uint32_t z);

// Chooses for each brick of the finest level what is read there: from the finest level up the first that the table calls missing or
// constant, or that has been put. To be called after bricks were put or dropped and before values are read.
void brick_volume_finish(struct brick_volume *volume, const struct step_table *table);
// The level chosen for a brick of the finest level.
uint32_t brick_volume_level(const struct brick_volume *volume, uint32_t x, uint32_t y, uint32_t z);

// Lattice integer (fractional) at fractional level-0 indices: trilinear over the voxels present; false where their share of the weights is
// under one half.
bool brick_volume_value(const struct brick_volume *volume, const float ijk[3], float *q);
size_t brick_volume_memory(const struct brick_volume *volume);  // bytes

#endif
