// SPDX-License-Identifier: Apache-2.0
// The fields that pictures are made from: step table, decoded bricks and what their cells hold, kept between pictures within a cap. One
// thread calls; its team decodes.
#ifndef VIRGA_RENDER_FIELD_VOLUME_H
#define VIRGA_RENDER_FIELD_VOLUME_H

#include "render/brick_fetch.h"
#include "render/brick_select.h"
#include "render/brick_volume.h"
#include "render/cell_heights.h"
#include "render/render_team.h"

struct brick_cells;

struct field_volume {
    struct field_ref field;
    struct pyramid_shape shape;
    struct step_table *table;
    struct brick_volume *volume;
    uint64_t version;  // of the bricks in it: two of all fields and times with the same version hold the same
    // Private:
    char edition[33];
    struct brick_cells **cells[PYRAMID_MAX_LEVELS];  // [brick], NULL where the brick is not here
    size_t memory;
    uint64_t used;
    struct field_volume *next;
};

struct field_volumes;

// memory: bytes, about. What `fetch` names and the team must outlive it. NULL when out of memory.
struct field_volumes *field_volumes_new(const struct brick_fetch_options *fetch, struct render_team *team, size_t memory);
void field_volumes_free(struct field_volumes *volumes);  // NULL is allowed

// The field, with its table and whatever bricks there are of it. *volume stays until the next field_volumes_trim. The codes of the store.
int field_volumes_get(struct field_volumes *volumes, const struct field_ref *field, struct field_volume **volume, struct failure *failure);
// Sees to it that exactly these bricks are in a volume, but for those under which finer ones of them lie everywhere, and chooses what is
// read where. The codes of the store; a brick that cannot be decoded is named.
int field_volumes_fill(struct field_volumes *volumes, struct field_volume *volume, const struct brick_choice *choices, size_t count,
                       struct failure *failure);
// Lets the store make ready what will soon be asked for: the bricks that are in a volume, of another step.
void field_volumes_ahead(struct field_volumes *volumes, const struct field_volume *like, size_t step);
void field_volumes_ahead_stop(struct field_volumes *volumes);  // what is not begun is not wanted any more
// After each picture: drops what was used longest ago, beyond the cap, but nothing that was got since the last call.
void field_volumes_trim(struct field_volumes *volumes);
size_t field_volumes_memory(const struct field_volumes *volumes);  // bytes now held

// Which cells may show something, from the bricks that are read there: visible[z][y][x], cells of 8 × 8 × 8 voxels of the finest level. What
// is visible already stays so.
void field_volume_visible(const struct field_volume *volume, brick_shows shows, const void *user, uint8_t *visible);
// The lattice integers between which each of those cells lies: low[z][y][x], high likewise; low > high where nothing is.
void field_volume_ranges(const struct field_volume *volume, int32_t *low, int32_t *high);

#endif
