// SPDX-License-Identifier: Apache-2.0
// Values at fractional indices, a packet at a time (web/shaders/layer.glsl, brickOf and valueAt). Private to render/.
#ifndef VIRGA_RENDER_PACKET_VOLUME_H
#define VIRGA_RENDER_PACKET_VOLUME_H

#include "render/brick_volume_private.h"
#include "render/packet_vector.h"

// The bricks that the lanes read.
struct packet_brick {
    vi at;                  // number of the finest level's brick; −1: none yet
    vi values, presence, kind;
    vf rx, ry, rz, middle, unit;
};

// The last half cell of a globe belongs to the first brick's border, so that one brick holds all eight neighbours.
PACKET vf packet_wrapped(const struct brick_volume *v, vf i) {
    const float n = (float)v->shape.levels[0].n[0];
    return v->shape.wraps_x ? vf_pick((vi)(i >= n - 0.5f), i - n, i) : i;
}

// For indices inside the grid (wrapped).
PACKET void packet_brick_number(const struct brick_volume *v, vf i, vf j, vf k, struct packet_lanes *numbers) {
    const uint32_t *n = v->shape.levels[0].bricks;
    const float rate = 1.0f / BRICK_CORE;
    const vi x = vi_of((i + 0.5f) * rate), y = vi_of((j + 0.5f) * rate), z = vi_of((k + 0.5f) * rate);
    vi_lanes((z * (int32_t)n[1] + y) * (int32_t)n[0] + x, numbers);
}

// No bricks yet. What all bricks have alike is taken here.
PACKET void packet_brick_begin(const struct brick_volume *v, struct packet_brick *brick) {
    const float *rate = v->pages->rate;
    *brick = (struct packet_brick){.at = vi_all(-1)};
    brick->rx = vf_all(rate[0]), brick->ry = vf_all(rate[1]), brick->rz = vf_all(rate[2]), brick->kind = vi_all(v->pages->kind);
    brick->unit = vf_all(v->pages->unit);
}

// Takes up the bricks of these numbers. One row is taken faster than it is found out whether it is another than before.
PACKET void packet_brick_take(const struct brick_volume *v, const struct packet_lanes *numbers, struct packet_brick *brick) {
    const vi number = vi_of_lanes(numbers);
    if (!v->alike && !vi_any((vi)(number != brick->at))) return;
    brick->at = number;
    if (v->plain) {
        vf values;
        vf_pairs_at((const float *)(const void *)v->starts, numbers, &values, &brick->middle);
        brick->values = (vi)values;
        return;
    }
    const float *rows = (const float *)(const void *)v->pages;
    const vi at = number * (BRICK_PAGE_WORDS / 4);
    vf row[4];
    vf_rows(rows, at, row);
    brick->values = (vi)row[0], brick->presence = (vi)row[1], brick->middle = row[2], brick->unit = row[3];
    if (v->alike) return;
    vf_rows(rows + 4, at, row);
    brick->rx = row[0], brick->ry = row[1], brick->rz = row[2], brick->kind = (vi)row[3];
}

// Voxels of the bricks' levels, as struct brick_page counts them.
PACKET vf packet_voxel(vf index, vf rate) { return (index + 0.5f) * rate + 0.5f; }

// The eight voxels around places.
struct packet_cell {
    struct packet_lanes values, presence;  // where the first ones lie; presence only in volumes that are masked
    vi weights;                            // of them and the next along x
    vf fy, fz;
};

// Around voxels x, y, z, which the slot holds with the next ones.
PACKET void packet_cell_begin(const struct brick_volume *v, const struct packet_brick *brick, vf x, vf y, vf z,
                              struct packet_cell *c) {
    const vi x0 = vi_of(x), y0 = vi_of(y), z0 = vi_of(z);  // whole parts, for they are not negative
    const vi at = (z0 * BRICK_ROW + y0) * BRICK_ROW + x0, second = vi_of((x - vf_of(x0)) * PAIR_ONE + 0.5f);
    vi_lanes(brick->values + at, &c->values);
    if (v->masked) vi_lanes(brick->presence + at, &c->presence);
    c->weights = (second << 16) - second + PAIR_ONE;
    c->fy = y - vf_of(y0);
    c->fz = z - vf_of(z0);
}

// The same around fractional indices of the finest level (wrapped).
PACKET void packet_cell_around(const struct brick_volume *v, const struct packet_brick *brick, vf i, vf j, vf k,
                               struct packet_cell *c) {
    packet_cell_begin(v, brick, packet_voxel(i, brick->rx), packet_voxel(j, brick->ry), packet_voxel(k, brick->rz), c);
}

// In parts of 1 / PAIR_ONE.
PACKET vf packet_trilinear(const int16_t *voxels, const struct packet_lanes *at, const struct packet_cell *c) {
    vi pairs[4];
    vi_pairs_around(voxels, at, BRICK_ROW, BRICK_PLANE, pairs);
    const vf low = vf_mix(vf_of(vi_pair_sum(pairs[0], c->weights)), vf_of(vi_pair_sum(pairs[1], c->weights)), c->fy);
    const vf high = vf_mix(vf_of(vi_pair_sum(pairs[2], c->weights)), vf_of(vi_pair_sum(pairs[3], c->weights)), c->fy);
    return vf_mix(low, high, c->fz);
}

// True where at least half of the weight is present.
PACKET vi packet_texel(const struct brick_volume *v, const struct packet_brick *brick, const struct packet_cell *cell, vf *q) {
    vf value = packet_trilinear(v->values.voxels, &cell->values, cell);
    vi present = vi_all(-1);
    if (v->masked) {
        const vf share = packet_trilinear(v->presence.voxels, &cell->presence, cell) * (1.0f / PAIR_ONE);
        present = (vi)(share >= 0.5f);
        value = value / vf_most(share, vf_all(1e-3f));
    }
    *q = brick->middle + brick->unit * value;
    return present;
}

// The bricks and places in them, with voxels counted from their slots' first ones.
PACKET void packet_in_slot(const struct brick_volume *v, struct packet_brick *brick, vf place[3]) {
    vf origin[4];
    vf_rows((const float *)(const void *)v->pages + 8, brick->at * (BRICK_PAGE_WORDS / 4), origin);
    const vi before = (vi_of(origin[2]) * BRICK_ROW + vi_of(origin[1])) * BRICK_ROW + vi_of(origin[0]);
    brick->values += before;
    brick->presence += before;
    for (int a = 0; a < 3; a++) place[a] -= origin[a];
}

// Beside a place in the slot: up to its last voxel.
PACKET vi packet_texel_beside(const struct brick_volume *v, const struct packet_brick *brick, vf x, vf y, vf z, vf *q) {
    const float most = BRICK_ROW - 1 - 1e-4f;
    struct packet_cell cell;
    packet_cell_begin(v, brick, vf_clamp(x, 0, most), vf_clamp(y, 0, most), vf_clamp(z, 0, (float)(v->depth - 1) - 1e-4f), &cell);
    return packet_texel(v, brick, &cell, q);
}

// The value in the bricks at hand, as a lattice integer.
PACKET vi packet_value(const struct brick_volume *v, const struct packet_brick *brick, const struct packet_cell *cell, vf *q) {
    return packet_texel(v, brick, cell, q) & (vi)(brick->kind != PAGE_NOTHING);
}

// Takes up the bricks at fractional indices of the finest level (wrapped), and the voxels around.
PACKET void packet_volume_at(const struct brick_volume *v, vf i, vf j, vf k, struct packet_brick *brick,
                             struct packet_cell *cell) {
    struct packet_lanes numbers;
    packet_brick_number(v, i, j, k, &numbers);
    packet_brick_begin(v, brick);
    packet_brick_take(v, &numbers, brick);
    packet_cell_around(v, brick, i, j, k, cell);
}

#endif
