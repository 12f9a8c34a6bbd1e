// SPDX-License-Identifier: Apache-2.0
// The pyramid levels of one field from a base level on as lattice integers, in memory or in an unlinked temporary file. In memory a voxel
// takes two bytes while the field's range allows and four from then on; in a file made from the start, four.
// Any thread; callers put each voxel once, and get what has been put.
#ifndef VIRGA_BRICK_STEP_VOLUME_H
#define VIRGA_BRICK_STEP_VOLUME_H

#include "base/status.h"
#include "brick/brick_key.h"

struct step_volume;

struct voxel_box {
    int64_t lo[3];  // x, y, z
    uint32_t size[3];
};

// Voxels of the levels from base on.
size_t step_volume_voxels(const struct pyramid_shape *shape, uint32_t base);
// spool_dir: NULL for memory. VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_TOO_LARGE, or VIRGA_IO (disk full and the like).
int step_volume_new(const struct pyramid_shape *shape, uint32_t base, const char *spool_dir, struct step_volume **volume,
                    struct failure *failure);
struct step_volume *step_volume_ref(struct step_volume *volume);  // one more reference
void step_volume_free(struct step_volume *volume);  // gives one reference back, the volume with the last; NULL is allowed

// Puts a box that lies in the level; lowest and highest bound its present voxels (lowest > highest if none is).
int step_volume_put(struct step_volume *volume, uint32_t level, const struct voxel_box *box, const int32_t *q,
                    int32_t lowest, int32_t highest, struct failure *failure);
// Gets a box that lies in the level but for x, which may be one column beyond either edge of a grid that wraps.
int step_volume_get(struct step_volume *volume, uint32_t level, const struct voxel_box *box, int32_t *q,
                    struct failure *failure);
// Moves what is in memory to a file in `dir`; on failure it stays in memory.
int step_volume_spool(struct step_volume *volume, const char *dir, struct failure *failure);

size_t step_volume_memory(struct step_volume *volume);   // bytes in memory
size_t step_volume_spooled(struct step_volume *volume);  // bytes in the file
const struct pyramid_shape *step_volume_shape(const struct step_volume *volume);
uint32_t step_volume_base(const struct step_volume *volume);  // the finest level that it holds

#endif
