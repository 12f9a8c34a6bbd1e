// SPDX-License-Identifier: Apache-2.0
// The coarse levels of a pyramid: means in double of the source's values that are present, where at least half of the
// voxels covered are. Boxes of level 0 come in any order, each voxel once; what is not complete is held as sums and counts
// in bands of rows, so that boxes in order need little memory. The result does not depend on the order.
// One thread at a time.
#ifndef VIRGA_BRICK_PYRAMID_H
#define VIRGA_BRICK_PYRAMID_H

#include "brick/brick_key.h"
#include "brick/step_volume.h"

struct pyramid;

// Takes finished voxels of a coarse level. Not VIRGA_OK: pyramid_add returns the same.
typedef int (*pyramid_emit)(void *user, uint32_t level, const struct voxel_box *box, const int32_t *q, int32_t lowest,
                            int32_t highest, struct failure *failure);

struct pyramid *pyramid_new(const struct pyramid_shape *shape, pyramid_emit emit, void *user);  // NULL: out of memory
void pyramid_free(struct pyramid *pyramid);
// A box of level 0: scaled and q as lattice_from_values leaves them.
int pyramid_add(struct pyramid *pyramid, const struct voxel_box *box, const double *scaled, const int32_t *q,
                struct failure *failure);
bool pyramid_complete(const struct pyramid *pyramid);
size_t pyramid_memory(const struct pyramid *pyramid);  // bytes of sums and counts now held

#endif
