// SPDX-License-Identifier: Apache-2.0
// From a field's boxes to its step volume and step table: quantises, masks, averages into the pyramid, surveys bricks.
#ifndef VIRGA_BRICK_VOLUME_TILER_H
#define VIRGA_BRICK_VOLUME_TILER_H

#include "brick/brick_codec.h"
#include "brick/step_table.h"
#include "brick/step_volume.h"
#include "field/catalog.h"
#include "field/field_reduce.h"

struct volume_tiler;

enum tiler_table {
    TABLE_OF_BRICKS,  // each brick's own range; of a volume that has all levels
    TABLE_OF_BOUNDS,  // what bounds every level (step_bounds.h), whichever the volume begins with
    TABLE_NONE,
};
// The tiler owns `volume` from then on, also on failure (NULL: out of memory).
struct volume_tiler *volume_tiler_new(const struct lattice_spec *lattice, struct step_volume *volume, enum tiler_table table);
void volume_tiler_free(struct volume_tiler *tiler);  // and the volume, unless taken; NULL is allowed
// Adds one box's values (x fastest; NaN where missing), each voxel of level 0 once, in any order. values are used up.
// Any thread, several at a time.
int volume_tiler_add(struct volume_tiler *tiler, const struct field_box *box, double *values, struct failure *failure);
// The same for a volume that begins with a coarser level: boxes of that level's voxels, as field_reduce makes them with its scale. VIRGA_UNSUPPORTED
// where some value has no lattice integer: means have it in them, and the field is to be read whole.
int volume_tiler_add_blocks(struct volume_tiler *tiler, const struct field_box *box, const struct field_blocks *blocks, struct failure *failure);
// When all boxes were added: the table (NULL with TABLE_NONE), and the volume, which now belong to the caller. One thread, once.
int volume_tiler_finish(struct volume_tiler *tiler, struct step_table **table, struct step_volume **volume,
                        struct failure *failure);
size_t volume_tiler_lost(struct volume_tiler *tiler);  // how many values so far were numbers that the lattice cannot hold: they are missing
size_t volume_tiler_memory(struct volume_tiler *tiler);  // bytes of the volume in memory, and of unfinished means

// The voxels of one brick, border included, into q[BRICK_MAX_VOXELS]. Any thread.
int volume_tiler_brick(struct step_volume *volume, uint32_t level, uint32_t x, uint32_t y, uint32_t z, uint32_t size[3],
                       int32_t *q, struct failure *failure);

#endif
