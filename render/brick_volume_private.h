// SPDX-License-Identifier: Apache-2.0
// How brick_volume.c lays voxels out and packet_volume.h reads them.
#ifndef VIRGA_RENDER_BRICK_VOLUME_PRIVATE_H
#define VIRGA_RENDER_BRICK_VOLUME_PRIVATE_H

#include "render/brick_volume.h"

enum { BRICK_ROW = BRICK_MAX_SIDE, BRICK_PLANE = BRICK_ROW * BRICK_ROW };

// Slots of BRICK_PLANE × depth voxels, x fastest, in one piece so that 32 bits index all of it.
struct voxel_pool {
    int16_t *voxels;
    uint32_t count, capacity;  // slots in use or free; slots that there is room for
    uint32_t *free;            // [capacity] numbers of slots to use again
    uint32_t free_count;
};

// What to read for a brick of the finest level, in rows of four words that packets take at once.
struct brick_page {
    int32_t values;     // index into values.voxels where voxel −1, −1, −1 of the whole level would be: residuals; where absent, 0
    int32_t presence;   // likewise into presence.voxels: 1 or 0
    float middle, unit; // lattice integer = middle + unit × residual × PAIR_ONE
    float rate[3];      // 1 / scale of the pyramid level; its voxel, counted from −1 = (finest level's index + 0.5) × rate + 0.5
    int32_t kind;       // enum page_kind
    float origin[3];    // the slot's first voxel, likewise
    int32_t level;
};
enum { BRICK_PAGE_WORDS = 12 };
enum page_kind { PAGE_NOTHING, PAGE_CONSTANT, PAGE_TEXELS };

// The same where all is there at one pyramid level, in as little memory as can be: packets take it up each step.
struct brick_start {
    int32_t values;
    float middle;
};

struct brick_slot {
    uint32_t values, presence;  // slots; values 0: not here; presence 0: all is present
    int32_t middle;
    uint32_t shift;             // unit = 1 << shift
};

struct brick_volume {
    struct pyramid_shape shape;
    uint32_t depth;                               // planes of a slot
    struct voxel_pool values, presence;           // slot 0: all zero; all ones
    struct brick_slot *slots[PYRAMID_MAX_LEVELS]; // z, y, x order
    struct brick_page *pages;                     // of the finest level, z, y, x order
    struct brick_start *starts;                   // likewise, of use where plain
    bool alike;                                   // all pages have one rate and are PAGE_TEXELS
    bool plain;                                   // and one unit, and nothing is masked
    uint32_t masked;                              // bricks that have a presence of their own
};

#endif
