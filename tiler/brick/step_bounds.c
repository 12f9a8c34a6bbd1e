// SPDX-License-Identifier: Apache-2.0
#include "brick/step_bounds.h"

#include <math.h>
#include <stdlib.h>

#include "brick/lattice.h"

struct bound {  // of one voxel of the coarsest level
    double least, most;  // in 1/LATTICE_FRACTION of a step; least > most while nothing is present
    uint64_t present;    // level-0 values
};

struct step_bounds {
    struct pyramid_shape shape;
    const struct pyramid_level *coarsest;  // in it
    struct bound at[];                     // z, y, x order, x fastest
};

static size_t voxels_of(const struct pyramid_shape *shape) {
    const struct pyramid_level *l = &shape->levels[shape->level_count - 1];
    return (size_t)l->n[0] * l->n[1] * l->n[2];
}

size_t step_bounds_memory(const struct pyramid_shape *shape) { return sizeof(struct step_bounds) + voxels_of(shape) * sizeof(struct bound); }

struct step_bounds *step_bounds_new(const struct pyramid_shape *shape) {
    struct step_bounds *b = malloc(step_bounds_memory(shape));
    if (!b) return NULL;
    b->shape = *shape;
    b->coarsest = &b->shape.levels[shape->level_count - 1];
    for (size_t n = 0; n < voxels_of(shape); n++) b->at[n] = (struct bound){.least = INFINITY, .most = -INFINITY};
    return b;
}

void step_bounds_free(struct step_bounds *bounds) { free(bounds); }

// The coarsest voxel that voxel `at` of a level is in, along an axis: voxels of each level cover whole ones of the finer levels.
static size_t coarse_of(const struct step_bounds *b, uint32_t level, int axis, int64_t at) {
    return (size_t)at / (b->coarsest->scale[axis] / b->shape.levels[level].scale[axis]);
}

void step_bounds_add(struct step_bounds *b, uint32_t level, const struct voxel_box *box, const double *least, const double *most,
                     const uint32_t *present) {
    const uint32_t *n = b->coarsest->n, run = b->coarsest->scale[0] / b->shape.levels[level].scale[0];
    size_t i = 0;
    for (uint32_t z = 0; z < box->size[2]; z++)
        for (uint32_t y = 0; y < box->size[1]; y++) {
            struct bound *row = b->at + (coarse_of(b, level, 2, box->lo[2] + z) * n[1] + coarse_of(b, level, 1, box->lo[1] + y)) * n[0];
            uint32_t along = (uint32_t)((uint64_t)box->lo[0] % run);
            struct bound *to = row + coarse_of(b, level, 0, box->lo[0]);
            for (uint32_t x = 0; x < box->size[0]; x++, i++) {
                if (present[i]) {
                    if (least[i] < to->least) to->least = least[i];
                    if (most[i] > to->most) to->most = most[i];
                    to->present += present[i];
                }
                if (++along == run) along = 0, to++;
            }
        }
}

// --- The table.

struct range { size_t from, to; };  // coarsest voxels from … to

// What a brick's stored box lies in along an axis; along x of a grid that wraps perhaps another one beyond its edge.
static struct range range_of(const struct step_bounds *b, uint32_t level, int axis, const struct brick_box *box, struct range *beyond) {
    const int64_t n = b->shape.levels[level].n[axis];
    int64_t from = box->lo[axis], to = from + box->size[axis] - 1;
    const bool before = from < 0, after = to >= n;
    if (before) from = 0;
    if (after) to = n - 1;
    const struct range inside = {coarse_of(b, level, axis, from), coarse_of(b, level, axis, to)};
    beyond[0] = before ? (struct range){coarse_of(b, level, axis, n - 1), coarse_of(b, level, axis, n - 1)} : inside;
    beyond[1] = after ? (struct range){0, 0} : inside;
    return inside;
}

struct found {
    double least, most;
    bool all;  // present
};

static void look(const struct step_bounds *b, struct range x, struct range y, struct range z, struct found *found) {
    const uint32_t last = b->shape.level_count - 1;
    for (size_t k = z.from; k <= z.to; k++)
        for (size_t j = y.from; j <= y.to; j++) {
            const uint64_t area = (uint64_t)pyramid_cover(&b->shape, last, 2, (uint32_t)k) * pyramid_cover(&b->shape, last, 1, (uint32_t)j);
            const struct bound *row = b->at + (k * b->coarsest->n[1] + j) * b->coarsest->n[0];
            for (size_t i = x.from; i <= x.to; i++) {
                if (row[i].least < found->least) found->least = row[i].least;
                if (row[i].most > found->most) found->most = row[i].most;
                found->all &= row[i].present == area * pyramid_cover(&b->shape, last, 0, (uint32_t)i);
            }
        }
}

// A value is rounded to 1/LATTICE_FRACTION of a step before means are made of it, and these are rounded once more: a little room keeps what
// lies half way between two lattice integers within.
static int32_t nearest(double scaled, double room) {
    const double q = rint(scaled / LATTICE_FRACTION + room);
    return q > INT32_MAX ? INT32_MAX : q < -INT32_MAX ? -INT32_MAX : (int32_t)q;
}

static struct step_table_entry entry_of(const struct found *found) {
    static const double room = 2 / LATTICE_FRACTION;
    if (found->least > found->most) return (struct step_table_entry){.kind = BRICK_MISSING};
    struct step_table_entry e = {.lowest = nearest(found->least, -room), .highest = nearest(found->most, room)};
    e.kind = !found->all ? BRICK_MASKED : e.lowest == e.highest ? BRICK_CONSTANT : BRICK_FULL;
    return e;
}

static struct step_table_entry entry_at(const struct step_bounds *b, uint32_t level, const uint32_t at[3]) {
    struct brick_box box;
    struct range beyond[2], unused[2];
    brick_box_init(&box, &b->shape, level, at[0], at[1], at[2]);
    const struct range z = range_of(b, level, 2, &box, unused), y = range_of(b, level, 1, &box, unused), x = range_of(b, level, 0, &box, beyond);
    struct found found = {INFINITY, -INFINITY, true};
    look(b, x, y, z, &found);
    for (int side = 0; side < 2; side++)
        if (beyond[side].from != x.from || beyond[side].to != x.to) look(b, beyond[side], y, z, &found);
    return entry_of(&found);
}

void step_bounds_fill(const struct step_bounds *b, struct step_table *table) {
    for (uint32_t level = 0; level < table->level_count; level++)
        for (uint32_t z = 0; z < table->levels[level].bricks[2]; z++)
            for (uint32_t y = 0; y < table->levels[level].bricks[1]; y++)
                for (uint32_t x = 0; x < table->levels[level].bricks[0]; x++)
                    *step_table_at(table, level, x, y, z) = entry_at(b, level, (const uint32_t[3]){x, y, z});
}
