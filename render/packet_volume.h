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
    vf ox, oy, oz, rx, ry, rz, middle, unit;
};

// The last half cell of a globe belongs to the first brick's border, so that one brick holds all eight neighbours.
PACKET vf packet_wrapped(const struct brick_volume *v, vf i) {
    const float n = (float)v->shape.levels[0].n[0];
    return v->shape.wraps_x ? vf_pick((vi)(i >= n - 0.5f), i - n, i) : i;
}

PACKET vi packet_brick_number(const struct brick_volume *v, vf i, vf j, vf k) {
    const uint32_t *n = v->shape.levels[0].bricks;
    const vi x = vi_of(vf_clamp((i + 0.5f) * (1.0f / BRICK_CORE), 0, (float)(n[0] - 1)));
    const vi y = vi_of(vf_clamp((j + 0.5f) * (1.0f / BRICK_CORE), 0, (float)(n[1] - 1)));
    const vi z = vi_of(vf_clamp((k + 0.5f) * (1.0f / BRICK_CORE), 0, (float)(n[2] - 1)));
    return (z * (int32_t)n[1] + y) * (int32_t)n[0] + x;
}

// Takes up the bricks of these numbers, where they are others than before.
PACKET void packet_brick_take(const struct brick_volume *v, vi number, struct packet_brick *brick) {
    if (!vi_any((vi)(number != brick->at))) return;
    const int32_t *words = (const int32_t *)(const void *)v->pages;
    const vi at = number * BRICK_PAGE_WORDS;
    brick->at = number;
    brick->values = vi_gather(words, at);
    brick->presence = vi_gather(words, at + 1);
    brick->ox = (vf)vi_gather(words, at + 2);
    brick->oy = (vf)vi_gather(words, at + 3);
    brick->oz = (vf)vi_gather(words, at + 4);
    brick->rx = (vf)vi_gather(words, at + 5);
    brick->ry = (vf)vi_gather(words, at + 6);
    brick->rz = (vf)vi_gather(words, at + 7);
    brick->middle = (vf)vi_gather(words, at + 8);
    brick->unit = (vf)vi_gather(words, at + 9);
    brick->kind = vi_gather(words, at + 10);
}

PACKET vf packet_line(const int16_t *voxels, vi at, vf f) {
    const vi pair = vi_gather_pair(voxels, at);
    return vf_mix(vf_of((pair << 16) >> 16), vf_of(pair >> 16), f);
}

PACKET vf packet_trilinear(const int16_t *voxels, vi at, vf fx, vf fy, vf fz) {
    const vf low = vf_mix(packet_line(voxels, at, fx), packet_line(voxels, at + BRICK_ROW, fx), fy);
    const vf high = vf_mix(packet_line(voxels, at + BRICK_PLANE, fx), packet_line(voxels, at + (BRICK_PLANE + BRICK_ROW), fx), fy);
    return vf_mix(low, high, fz);
}

// Voxels of the slot: x, y, z. True where at least half of the weight is present.
PACKET vi packet_texel(const struct brick_volume *v, const struct packet_brick *brick, vf x, vf y, vf z, vf *q) {
    x = vf_clamp(x, 0, BRICK_ROW - 1);
    y = vf_clamp(y, 0, BRICK_ROW - 1);
    z = vf_clamp(z, 0, (float)(v->depth - 1));
    const vf x0 = vf_least(vf_floor(x), vf_all(BRICK_ROW - 2)), y0 = vf_least(vf_floor(y), vf_all(BRICK_ROW - 2));
    const vf z0 = vf_least(vf_floor(z), vf_all((float)(v->depth - 2)));
    const vf fx = x - x0, fy = y - y0, fz = z - z0;
    const vi at = (vi_of(z0) * BRICK_ROW + vi_of(y0)) * BRICK_ROW + vi_of(x0);
    vf value = packet_trilinear(v->values.voxels, brick->values + at, fx, fy, fz);
    vi present = vi_all(-1);
    if (v->masked) {
        const vf share = packet_trilinear(v->presence.voxels, brick->presence + at, fx, fy, fz);
        present = (vi)(share >= 0.5f);
        value = value / vf_most(share, vf_all(1e-3f));
    }
    *q = brick->middle + brick->unit * value;
    return present;
}

// The value in the bricks at hand, at fractional indices of the finest level (wrapped), as a lattice integer.
PACKET vi packet_value(const struct brick_volume *v, const struct packet_brick *brick, vf i, vf j, vf k, vf *q) {
    const vf x = (i + 0.5f) * brick->rx + brick->ox, y = (j + 0.5f) * brick->ry + brick->oy, z = (k + 0.5f) * brick->rz + brick->oz;
    return packet_texel(v, brick, x, y, z, q) & (vi)(brick->kind != PAGE_NOTHING);
}

#endif
