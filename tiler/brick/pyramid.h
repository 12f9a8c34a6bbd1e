// SPDX-License-Identifier: Apache-2.0
// The coarse levels of a pyramid: means in double of the source's values that are present, where at least half of the
// voxels covered are. Boxes of level 0, or sums of a coarser one, come in any order, each voxel once; what is not complete is held as
// sums and counts in bands of rows, so that boxes in order need little memory. The result does not depend on the order.
// One thread at a time.
#ifndef VIRGA_BRICK_PYRAMID_H
#define VIRGA_BRICK_PYRAMID_H

#include "brick/brick_key.h"
#include "brick/step_volume.h"

struct pyramid;

// Takes finished voxels of a coarse level. Not VIRGA_OK: pyramid_add_sums returns the same.
typedef int (*pyramid_emit)(void *user, uint32_t level, const struct voxel_box *box, const int32_t *q, int32_t lowest,
                            int32_t highest, struct failure *failure);

// base: the level that boxes are of; those above it are made. NULL: out of memory.
struct pyramid *pyramid_new(const struct pyramid_shape *shape, uint32_t base, pyramid_emit emit, void *user);
void pyramid_free(struct pyramid *pyramid);
// A box of level `base`: sums of the level-0 values that are present, as lattice_from_values leaves those, and how many they are.
int pyramid_add_sums(struct pyramid *pyramid, const struct voxel_box *box, const double *sum, const uint32_t *present, struct failure *failure);
// The voxel of a mean: LATTICE_MISSING where fewer than half of the `covered` level-0 voxels are present.
int32_t pyramid_voxel(double sum, uint64_t present, uint64_t covered);
bool pyramid_complete(const struct pyramid *pyramid);
size_t pyramid_memory(const struct pyramid *pyramid);  // bytes of sums and counts now held

#endif
