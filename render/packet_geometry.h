// SPDX-License-Identifier: Apache-2.0
// From places in the scene to fractional indices, a packet at a time: web/shaders/layer.glsl, line by line. Private to render/.
#ifndef VIRGA_RENDER_PACKET_GEOMETRY_H
#define VIRGA_RENDER_PACKET_GEOMETRY_H

#include "render/layer_geometry_private.h"
#include "render/packet_vector.h"

struct packet_place {
    vf i, j, k;     // fractional indices, clamped into the grid
    vf di, dj, dk;  // voxels a km along X, Y and (not exaggerated) Z
    vi inside;
};

PACKET vf packet_axis(const struct layer_axis *axis, vf at, vf *density) {
    if (!axis->values) {
        *density = vf_all(axis->rate);
        return at * axis->rate + axis->offset;
    }
    const int32_t last = axis->n > 2 ? axis->n - 2 : 0;
    vi i = vi_gather(axis->guesses, vi_of(vf_clamp((at - axis->first) * axis->per_km, 0, AXIS_GUESSES - 1)));
    vf low = vf_gather(axis->values, i), high = vf_gather(axis->values, i + 1);
    for (int turn = 0; turn < AXIS_TURNS; turn++) {
        const vi up = (vi)(at >= high) & (vi)(i < last), down = (vi)(at < low) & (vi)(i > 0);
        if (!vi_any(up | down)) break;
        i += down - up;  // truth is -1
        low = vf_gather(axis->values, i), high = vf_gather(axis->values, i + 1);
    }
    *density = 1.0f / (high - low);
    return vf_of(i) + (at - low) * *density;
}

// Columns only: (i, j) and voxels a km; whether inside the grid's edges.
PACKET vi packet_column(const struct layer_geometry *g, vf x, vf y, struct packet_place *place) {
    const float nx = (float)g->x.n, ny = (float)g->y.n;
    vf i = packet_axis(&g->x, x, &place->di), j = packet_axis(&g->y, y, &place->dj);
    vi inside;
    if (g->wraps) {
        i = i - vf_floor(i / nx) * nx;
        inside = (vi)(j >= -1e-4f) & (vi)(j <= ny - 1 + 1e-4f);
        place->i = vf_clamp(i, 0, nx);
    } else {
        const float reach_x = g->x.n > 1 ? 1e-4f : 0.5f, reach_y = g->y.n > 1 ? 1e-4f : 0.5f;
        inside = (vi)(i >= -reach_x) & (vi)(i <= nx - 1 + reach_x) & (vi)(j >= -reach_y) & (vi)(j <= ny - 1 + reach_y);
        place->i = vf_clamp(i, 0, nx - 1);
    }
    place->j = vf_clamp(j, 0, ny - 1);
    return inside;
}

struct packet_corners {
    vi at[4];  // column numbers: (i0, j0), (i1, j0), (i0, j1), (i1, j1)
    vf f, g;   // shares of i1 and j1
};

PACKET vf packet_bilinear(const float *base, const struct packet_corners *c) {
    const vf low = vf_mix(vf_gather(base, c->at[0]), vf_gather(base, c->at[1]), c->f);
    const vf high = vf_mix(vf_gather(base, c->at[2]), vf_gather(base, c->at[3]), c->f);
    return vf_mix(low, high, c->g);
}

// Base, parameter and ground at fractional (i, j).
PACKET void packet_columns(const struct layer_geometry *g, vf i, vf j, vf found[3]) {
    if (!g->column_parts) {
        found[0] = found[1] = found[2] = vf_all(0);
        return;
    }
    const int32_t nx = g->x.n, ny = g->y.n;
    vf i0 = vf_floor(i);
    const vf j0 = vf_clamp(vf_floor(j), 0, (float)(ny > 2 ? ny - 2 : 0));
    const vi b0 = vi_of(j0), b1 = vi_pick((vi)(b0 + 1 < ny), b0 + 1, b0);
    struct packet_corners c;
    vi a0, a1;
    if (g->wraps) {
        i0 = vf_clamp(i0, 0, (float)(nx - 1));
        a0 = vi_of(i0);
        a1 = vi_pick((vi)(a0 + 1 < nx), a0 + 1, vi_all(0));
    } else {
        i0 = vf_clamp(i0, 0, (float)(nx > 2 ? nx - 2 : 0));
        a0 = vi_of(i0);
        a1 = vi_pick((vi)(a0 + 1 < nx), a0 + 1, a0);
    }
    c.f = vf_clamp(i - i0, 0, 1);
    c.g = vf_clamp(j - j0, 0, 1);
    c.at[0] = b0 * nx + a0, c.at[1] = b0 * nx + a1, c.at[2] = b1 * nx + a0, c.at[3] = b1 * nx + a1;
    if (g->column_parts == 1) {
        found[0] = found[1] = found[2] = packet_bilinear(g->columns, &c);
        return;
    }
    vf corners[4][4];
    for (int corner = 0; corner < 4; corner++) vf_rows(g->columns, c.at[corner], corners[corner]);
    for (int part = 0; part < 3; part++)
        found[part] = vf_mix(vf_mix(corners[0][part], corners[1][part], c.f), vf_mix(corners[2][part], corners[3][part], c.f), c.g);
}

// The two table columns around an index, and the share of the second.
PACKET void packet_coarse(float step, int32_t count, int32_t n, vf index, vi *c0, vi *c1, vf *share) {
    const vf a = vf_clamp(vf_floor(index / step), 0, (float)(count > 2 ? count - 2 : 0)), b = vf_least(a + 1.0f, vf_all((float)(count - 1)));
    const vf end = vf_all((float)(n - 1)), last_column = vf_all((float)(count - 1));
    const vf first = vf_pick((vi)(a == last_column), end, a * step), last = vf_pick((vi)(b == last_column), end, b * step);
    *c0 = vi_of(a), *c1 = vi_of(b);
    *share = vf_pick((vi)(last > first), vf_clamp((index - first) / (last - first), 0, 1), vf_all(0));
}

// Height of a whole level over the base and its distance from the next one, between four columns of the table.
PACKET vf packet_height(const struct layer_geometry *g, vf level, const struct packet_corners *c, vf *distance) {
    const vi block = vi_of(level) * (g->across * g->columns_y);
    vf height[4], next[4];
    for (int corner = 0; corner < 4; corner++) vf_pairs(g->levels, c->at[corner] + block, &height[corner], &next[corner]);
    *distance = vf_mix(vf_mix(next[0], next[1], c->f), vf_mix(next[2], next[3], c->f), c->g);
    return vf_mix(vf_mix(height[0], height[1], c->f), vf_mix(height[2], height[3], c->f), c->g);
}

// Fractional level of a height r over the base, and its change a metre of r: from a guess by the mean column to the level below r.
PACKET vf packet_search(const struct layer_geometry *g, vf r, vf i, vf j, vf *change) {
    struct packet_corners c;
    vi a0, a1, b0, b1;
    packet_coarse(g->coarse_step, g->columns_x, g->x.n, i, &a0, &a1, &c.f);
    if (g->wraps) {  // the first column follows the last
        const vi around = (vi)(i > (float)(g->x.n - 1));
        a0 = vi_pick(around, vi_all(g->columns_x - 1), a0), a1 = vi_pick(around, vi_all(g->columns_x), a1);
        c.f = vf_pick(around, vf_clamp(i - (float)(g->x.n - 1), 0, 1), c.f);
    }
    packet_coarse(g->coarse_step, g->columns_y, g->y.n, j, &b0, &b1, &c.g);
    c.at[0] = b0 * g->across + a0, c.at[1] = b0 * g->across + a1, c.at[2] = b1 * g->across + a0, c.at[3] = b1 * g->across + a1;
    const vf from = vf_clamp(1.0f + (r - g->bottom) * g->rate, 1e-6f, 1e30f);
    vf level = vf_gather(g->guesses, vi_of(vf_clamp(vf_log(from) * g->log_rate, 0, LEVEL_GUESSES - 1)));
    vf low = vf_all(0), high = vf_all((float)(g->nz > 2 ? g->nz - 2 : 0)), height = low, distance = low, more = low;
    for (int turn = 0; turn < LEVEL_TURNS; turn++) {
        height = packet_height(g, level, &c, &distance);
        more = vf_clamp((r - height) / vf_most(distance, vf_all(1e-6f)), -1e6f, 1e6f);
        const vi down = (vi)(more < 0) & (vi)(level > low), up = (vi)(more >= 1) & (vi)(level < high);
        if (!vi_any(down | up)) break;
        high = vf_pick(down, level - 1.0f, high);
        low = vf_pick(up, level + 1.0f, low);
        level = vf_pick(down | up, vf_least(vf_most(level + vf_floor(more), low), high), level);
    }
    *change = 1.0f / vf_most(distance, vf_all(1e-6f));
    return level + more;
}

// x, y, z: scene km, height not exaggerated.
PACKET void packet_place(const struct layer_geometry *g, vf x, vf y, vf z, struct packet_place *place) {
    place->inside = packet_column(g, x, y, place);
    place->k = place->dk = vf_all(0);
    if (g->kind == LAYER_COLUMNS_ONLY) return;
    vf column[3], k;
    packet_columns(g, place->i, place->j, column);
    const vf h = z * 1000.0f;
    if (g->kind == LAYER_EVEN) {
        k = (h - column[0]) * g->level_rate + g->level_offset;
        place->dk = vf_all(1000.0f * g->level_rate);
    } else if (g->kind == LAYER_COARSE) {
        vf change;
        k = packet_search(g, (h - column[0]) / column[1], place->i, place->j, &change);
        place->dk = 1000.0f * change / column[1];
    } else {
        const vf r = 1.0f + (h - column[0] - g->bottom) * g->rate, held = vf_clamp(r, 1, g->r_top);
        const vi node = ((vi)held - 0x3f800000) >> g->node_shift;  // bits of numbers from 1.0 on
        vf a, b;
        if (g->kind == LAYER_FLAT) vf_pairs(g->levels, node, &a, &b);
        else {
            const vf c = vf_clamp((column[1] - g->parameter_start) * g->parameter_rate, 0, (float)(g->columns_x - 1));
            const vi c0 = vi_of(vf_least(c, vf_all((float)(g->columns_x > 2 ? g->columns_x - 2 : 0))));
            const vi c1 = vi_pick((vi)(c0 + 1 < g->columns_x), c0 + 1, c0);
            const vf share = c - vf_of(c0);
            vf a1, b1;
            vf_pairs(g->levels, c0 * g->nodes + node, &a, &b);
            vf_pairs(g->levels, c1 * g->nodes + node, &a1, &b1);
            a = vf_mix(a, a1, share), b = vf_mix(b, b1, share);
        }
        k = a + b * held;
        place->dk = b * (1000.0f * g->rate);
        place->inside &= (vi)(r < g->r_top * 1.00001f);  // the table ends there
    }
    const float top = (float)(g->nz - 1);
    place->inside &= (vi)(h >= column[2] - 0.01f) & (vi)(k <= top + 1e-4f);
    place->k = vf_clamp(k, 0, top);
}

#endif
