// SPDX-License-Identifier: Apache-2.0
// Packets of rays through the volumes: web/shaders/march.frag.glsl, where the rendering equation stands in words, and
// light.frag.glsl. A file that includes this defines PACKET_WIDTH, PACKET_ISA and PACKET_CODE (the name of its struct march_code).
// Lanes do not know of each other, so the numbers are the same for any width. Private to render/.
#ifndef VIRGA_RENDER_RAY_PACKET_H
#define VIRGA_RENDER_RAY_PACKET_H

#include "render/packet_geometry.h"
#include "render/packet_vector.h"
#include "render/packet_volume.h"
#include "render/ray_marcher_private.h"

#ifndef PACKET_CODE
#define PACKET_CODE march_code_portable
#define PACKET_ISA "portable"
#endif

struct ray_packet {
    vf x, y, z;                 // direction, of length 1
    vf t, end, ds;              // ds 0: a sample where a step is to begin
    vf jitter, through, red, green, blue;
    vf cell[3], cells[3], km[3];  // where the ray begins in the skip grid, cells a km, km a cell …
    vf behind[3];               // … and 1 where a cell's end on the way is its lower one
};

struct packet_row {
    struct packet_lanes at;
    vf share;                   // of the next entry
};

// Of what a difference takes away: its bricks, and of the step being made.
struct ray_minus {
    struct packet_brick brick;
    struct packet_place place;
    struct packet_lanes number;
    struct packet_cell cell;
};

struct ray_volume {
    struct packet_brick brick;  // of the first time slot
    vf before;                  // entry of the transfer table at the last sample …
    vi had;                     // … where it had one
    vf integral[4];             // up to there
    vf from[3], rate[3], reach; // where march_lines apply: indices where the ray begins and a km of it; km a step
    // Of the step being made:
    struct packet_place place;
    struct packet_lanes number; // of the bricks at the place
    struct packet_cell cell;
    struct packet_row row;      // of the integral
    vf q, entry, since[4];      // lattice integer, its entry, and the integral between the last sample's and that
    vi has;                     // whether there is a value
    bool may_show;
    struct ray_minus minus;
};

// A packet on its way, and the step that it is making.
struct ray_flight {
    vi px, py, wanted;
    struct ray_packet rays;
    struct ray_volume volumes[SCENE_VOLUMES_MAX];
    vf shortest;
    int turns;
    bool busy, stepping;
    vi live, steps;             // rays not at their end; those of them that make a step, and do not leap
    vf s, kilometres, reach;    // where the step ends, its length, km a step in full light
};

// One number of a table's row between entries, by texture filtering: held beyond the ends. part: 0 … 3.
PACKET vf packet_look(const float (*table)[4], vf entry, int32_t part) {
    const vf at = vf_clamp(entry, 0, TRANSFER_ENTRIES - 1), first = vf_least(vf_floor(at), vf_all(TRANSFER_ENTRIES - 2));
    const vi index = vi_of(first) * 4 + part;
    return vf_mix(vf_gather(&table[0][0], index), vf_gather(&table[0][0], index + 4), at - first);
}

// Where rows of a table's numbers and changes begin, and how far entries are on to the next; held beyond the ends.
PACKET void packet_row_begin(vf entry, struct packet_row *row) {
    const vf at = vf_clamp(entry, 0, TRANSFER_ENTRIES - 1);
    const vi first = vi_of(vf_least(at, vf_all(TRANSFER_ENTRIES - 2)));
    vi_lanes(first * 8, &row->at);
    row->share = at - vf_of(first);
}

// The integral up to a fractional entry, whose row is at hand; beyond the table's ends their values go on.
PACKET void packet_integral(const struct march_volume *v, vf entry, const struct packet_row *row, vf sum[4]) {
    const vf beyond = entry - vf_clamp(entry, 0, TRANSFER_ENTRIES - 1);
    vf_rows_changed(v->integral[0], &row->at, row->share, sum);
    if (!vi_any((vi)(beyond != 0))) return;
    for (int c = 0; c < 4; c++) sum[c] += beyond * vf_pick((vi)(entry < 0), vf_all(v->before_first[c]), vf_all(v->after_last[c]));
}

// The value in a cell of the first time slot, and around the same indices (wrapped) in the second where there is one, blended.
PACKET vi packet_blended(const struct brick_volume *const steps[2], float blend, const struct packet_brick *brick, const struct packet_cell *cell,
                         const struct packet_place *place, vf *q) {
    const vi present = packet_value(steps[0], brick, cell, q);
    if (!steps[1]) return present;
    struct packet_brick later_brick;
    struct packet_cell later_cell;
    packet_volume_at(steps[1], place->i, place->j, place->k, &later_brick, &later_cell);
    vf later;
    const vi also = packet_value(steps[1], &later_brick, &later_cell, &later);
    *q = vf_pick(also, vf_pick(present, vf_mix(*q, later, vf_all(blend)), later), *q);
    return blend < 0.5f ? present : also;
}

// Takes away what a difference takes away, where it is there.
PACKET vi packet_less(const struct march_volume *v, const struct ray_minus *minus, vf *q) {
    vf less;
    const vi present = packet_blended(v->minus.steps, v->blend, &minus->brick, &minus->cell, &minus->place, &less);
    *q -= less * v->minus.ratio;
    return present & minus->place.inside;
}

// Where that is at a place of the scene (height not exaggerated) whose indices in the layer are known.
PACKET void packet_minus_place(const struct march_volume *v, const struct packet_place *own, vf x, vf y, vf z, struct ray_minus *minus) {
    minus->place = *own;
    if (v->minus.geometry) {
        packet_place(v->minus.geometry, x, y, z, &minus->place);
        minus->place.i = packet_wrapped(v->minus.steps[0], minus->place.i);
    }
    packet_brick_number(v->minus.steps[0], minus->place.i, minus->place.j, minus->place.k, &minus->number);
}

PACKET void packet_minus_brick(const struct march_volume *v, struct ray_minus *minus) {
    packet_brick_take(v->minus.steps[0], &minus->number, &minus->brick);
    packet_cell_around(v->minus.steps[0], &minus->brick, minus->place.i, minus->place.j, minus->place.k, &minus->cell);
}

// --- light and shade --------------------------------------------------------------------------------------------------

// Share of sunlight at places of the shown scene.
PACKET vf packet_light(const float *share, vf x, vf y, vf z) {
    x = vf_clamp(x * LIGHT_CELLS_X - 0.5f, 0, LIGHT_CELLS_X - 1);
    y = vf_clamp(y * LIGHT_CELLS_Y - 0.5f, 0, LIGHT_CELLS_Y - 1);
    z = vf_clamp(z * LIGHT_CELLS_Z - 0.5f, 0, LIGHT_CELLS_Z - 1);
    const vf x0 = vf_least(vf_floor(x), vf_all(LIGHT_CELLS_X - 2)), y0 = vf_least(vf_floor(y), vf_all(LIGHT_CELLS_Y - 2));
    const vf z0 = vf_least(vf_floor(z), vf_all(LIGHT_CELLS_Z - 2));
    const vi at = (vi_of(z0) * LIGHT_CELLS_Y + vi_of(y0)) * LIGHT_CELLS_X + vi_of(x0);
    struct packet_corners c = {{at, at + 1, at + LIGHT_CELLS_X, at + LIGHT_CELLS_X + 1}, x - x0, y - y0};
    const vf low = packet_bilinear(share, &c);
    for (int corner = 0; corner < 4; corner++) c.at[corner] += LIGHT_CELLS_Y * LIGHT_CELLS_X;
    return vf_mix(low, packet_bilinear(share, &c), z - z0);
}

// A place in the slots of the bricks that hold it.
struct ray_slot {
    struct packet_brick brick;
    vf at[3];
};

PACKET void packet_slot(const struct brick_volume *volume, const struct packet_brick *b, const struct packet_place *p, struct ray_slot *slot) {
    *slot = (struct ray_slot){*b, {packet_voxel(p->i, b->rx), packet_voxel(p->j, b->ry), packet_voxel(p->k, b->rz)}};
    packet_in_slot(volume, &slot->brick, slot->at);
}

// A neighbour's value, or the middle's where it has none.
PACKET vf packet_beside(const struct march_volume *v, const struct ray_slot *own, const struct ray_slot *minus, float x, float y, float z, vf q) {
    vf beside, less;
    vi present = packet_texel_beside(v->steps[0], &own->brick, own->at[0] + x, own->at[1] + y, own->at[2] + z, &beside);
    if (v->minus.steps[0]) {
        present &= packet_texel_beside(v->minus.steps[0], &minus->brick, minus->at[0] + x, minus->at[1] + y, minus->at[2] + z, &less);
        present &= (vi)(own->brick.kind != PAGE_NOTHING) & (vi)(minus->brick.kind != PAGE_NOTHING);
        beside -= less * v->minus.ratio;
    }
    return vf_pick(present, beside, q);
}

// Share of direct light by the gradient: differences over half a voxel on each side, turned towards thinner matter.
PACKET vf packet_diffuse(const struct march *m, const struct march_volume *v, const struct ray_volume *rv, vf q, vf tau) {
    const struct packet_brick *b = &rv->brick;
    const struct packet_place *p = &rv->place;
    struct ray_slot own, minus;
    packet_slot(v->steps[0], b, p, &own);
    minus = own;
    if (v->minus.steps[0]) packet_slot(v->minus.steps[0], &rv->minus.brick, &rv->minus.place, &minus);
    const vf sx = packet_beside(v, &own, &minus, 0.5f, 0, 0, q) - packet_beside(v, &own, &minus, -0.5f, 0, 0, q);
    const vf sy = packet_beside(v, &own, &minus, 0, 0.5f, 0, q) - packet_beside(v, &own, &minus, 0, -0.5f, 0, q);
    const vf sz = packet_beside(v, &own, &minus, 0, 0, 0.5f, q) - packet_beside(v, &own, &minus, 0, 0, -0.5f, q);
    const vf gx = sx * p->di * b->rx, gy = sy * p->dj * b->ry, gz = sz * p->dk * b->rz * m->shrink;
    // How opacity answers to a higher value says which way is out.
    const vf range = vf_most(vf_abs(sx) + vf_abs(sy) + vf_abs(sz), vf_all(1e-6f)) * v->gain, entry = q * v->gain + v->bias;
    const vf rise = packet_look(v->data, entry + 0.5f * range, 3) - packet_look(v->data, entry - 0.5f * range, 3);
    const vf contrast = vf_clamp(vf_abs(rise) / (tau + vf_abs(rise)) * 2.0f, 0, 1);
    const vf out = vf_pick((vi)(rise > 0), vf_all(-1), vf_pick((vi)(rise < 0), vf_all(1), vf_all(0)));
    const vf size = vf_most(vf_sqrt(gx * gx + gy * gy + gz * gz), vf_all(1e-9f));
    const vf facing = (gx * m->light[0] + gy * m->light[1] + gz * m->light[2]) * out / size;
    return 1.0f + (0.35f + 0.75f * vf_clamp(facing * 0.5f + 0.5f, 0, 1) - 1.0f) * contrast;
}

// --- steps ------------------------------------------------------------------------------------------------------------

// In phases, each for all flights before the next: what waits for memory or for a long sum in one does not hold up the others, for
// a processor looks a few hundred instructions ahead and a phase has fewer. What is read in one has its indices from the one before.

// Lanes that stand in cells where nothing shows leap.
PACKET void phase_leap(const struct march *m, struct ray_flight *f) {
    struct ray_packet *r = &f->rays;
    f->steps = f->live;
    if (!m->skip) return;
    vf cell[3];
    vi here[3];  // whole parts, for they are not negative
    for (int a = 0; a < 3; a++) {
        cell[a] = r->cell[a] + r->cells[a] * r->t;
        here[a] = vi_of(vf_clamp(cell[a], 0, (float)(m->skip_size[a] - 1)));
    }
    const vi found = vi_gather_byte(m->skip, (here[2] * m->skip_size[1] + here[1]) * m->skip_size[0] + here[0]);
    const vi leaps = (vi)(found != 0) & f->live;
    if (!vi_any(leaps)) return;
    const vf empty = vf_of(found);
    vf way = vf_all(INFINITY);
    for (int a = 0; a < 3; a++)
        way = vf_least((vf_of(here[a]) - cell[a] + r->behind[a]) * r->km[a] + empty * vf_abs(r->km[a]), way);
    r->t = vf_pick(leaps, r->t + vf_most(way, vf_all(0)) + f->shortest * 0.05f, r->t);
    r->ds = vf_pick(leaps, vf_all(0), r->ds);
    f->steps = f->live & ~leaps;
}

// What does not change on the way of a packet through a volume where march_lines apply.
PACKET void packet_lines_begin(const struct march *m, const struct march_volume *v, const struct ray_packet *r,
                               struct ray_volume *rv) {
    const struct march_lines *l = &v->lines;
    const vf ray[3] = {r->x, r->y, r->z};
    vf per_km = vf_all(1e-6f);
    for (int a = 0; a < 3; a++) {
        rv->from[a] = vf_all(m->eye[a] * l->rate[a] + l->offset[a]);
        rv->rate[a] = ray[a] * l->rate[a];
        per_km = vf_most(vf_abs(ray[a]) * l->density[a], per_km);
    }
    rv->reach = m->step / per_km;
    rv->place.di = vf_all(l->rate[0]), rv->place.dj = vf_all(l->rate[1]), rv->place.dk = vf_all(l->rate[2] * m->exaggeration);
}

PACKET void packet_lines_place(const struct march_volume *v, vf s, struct ray_volume *rv) {
    const struct march_lines *l = &v->lines;
    vf at[3];
    vi inside = vi_all(-1);
    for (int a = 0; a < 3; a++) {
        const vf index = rv->from[a] + rv->rate[a] * s;
        inside &= (vi)(index >= l->low[a]) & (vi)(index <= l->high[a]);
        at[a] = vf_clamp(index, 0, l->last[a]);
    }
    rv->place.i = at[0], rv->place.j = at[1], rv->place.k = at[2];
    rv->place.inside = inside;
}

// Where the step ends, in each volume.
PACKET void phase_place(const struct march *m, struct ray_flight *f) {
    const struct ray_packet *r = &f->rays;
    f->s = vf_least(r->t + r->ds, r->end);
    f->kilometres = (f->s - r->t) * m->shrink;
    for (int n = 0; n < m->volume_count; n++) {
        const struct march_volume *v = &m->volumes[n];
        struct ray_volume *rv = &f->volumes[n];
        struct packet_place *p = &rv->place;
        if (v->lines.apply) {
            packet_lines_place(v, f->s, rv);
        } else {
            packet_place(v->geometry, m->eye[0] + r->x * f->s, m->eye[1] + r->y * f->s, (m->eye[2] + r->z * f->s) * m->shrink, p);
            p->i = packet_wrapped(v->steps[0], p->i);
        }
        packet_brick_number(v->steps[0], p->i, p->j, p->k, &rv->number);
        if (v->minus.steps[0])
            packet_minus_place(v, p, m->eye[0] + r->x * f->s, m->eye[1] + r->y * f->s, (m->eye[2] + r->z * f->s) * m->shrink, &rv->minus);
    }
}

// Kilometres of a step in full light.
PACKET vf packet_reach(const struct march *m, const struct ray_packet *r, const struct packet_place *p, const struct packet_brick *b) {
    const vf x = vf_abs(r->x * p->di) * b->rx, y = vf_abs(r->y * p->dj) * b->ry, z = vf_abs(r->z * p->dk) * b->rz * m->shrink;
    return m->step / vf_most(vf_most(x, vf_most(y, z)), vf_all(1e-6f));
}

PACKET void phase_brick(const struct march *m, struct ray_flight *f) {
    f->reach = vf_all(INFINITY);
    for (int n = 0; n < m->volume_count; n++) {
        const struct march_volume *v = &m->volumes[n];
        struct ray_volume *rv = &f->volumes[n];
        packet_brick_take(v->steps[0], &rv->number, &rv->brick);
        packet_cell_around(v->steps[0], &rv->brick, rv->place.i, rv->place.j, rv->place.k, &rv->cell);
        f->reach = vf_least(v->lines.apply ? rv->reach : packet_reach(m, &f->rays, &rv->place, &rv->brick), f->reach);
        if (!v->minus.steps[0]) continue;
        packet_minus_brick(v, &rv->minus);
        f->reach = vf_least(packet_reach(m, &f->rays, &rv->minus.place, &rv->minus.brick), f->reach);
    }
}

PACKET void phase_sample(const struct march *m, struct ray_flight *f) {
    for (int n = 0; n < m->volume_count; n++) {
        const struct march_volume *v = &m->volumes[n];
        struct ray_volume *rv = &f->volumes[n];
        rv->has = packet_blended(v->steps, v->blend, &rv->brick, &rv->cell, &rv->place, &rv->q) & rv->place.inside;
        if (v->minus.steps[0]) rv->has &= packet_less(v, &rv->minus, &rv->q);
        rv->entry = rv->q * v->gain + v->bias;
        packet_row_begin(rv->entry, &rv->row);
    }
}

PACKET void phase_integral(const struct march *m, struct ray_flight *f) {
    for (int n = 0; n < m->volume_count; n++) {
        struct ray_volume *rv = &f->volumes[n];
        const float clear = m->volumes[n].clear;
        rv->may_show = vi_any((vi)(rv->entry > clear) | (vi)(rv->before > clear));
        if (!rv->may_show) continue;  // nothing shows, nor did it; the integrals are 0
        vf integral[4];
        packet_integral(&m->volumes[n], rv->entry, &rv->row, integral);
        for (int c = 0; c < 4; c++) {
            rv->since[c] = integral[c] - rv->integral[c];
            rv->integral[c] = vf_pick(f->steps, integral[c], rv->integral[c]);
        }
    }
}

// Adds what one volume gives in a step: tau, and colour × tau.
struct ray_mix { vf tau, red, green, blue; };

PACKET void packet_emit(const struct march *m, const struct march_volume *v, const struct ray_volume *rv, const struct ray_flight *f,
                        const vf sun[3], struct ray_mix *mix) {
    const struct ray_packet *r = &f->rays;
    const vf entry = rv->entry, before = rv->before;
    const vi starts = (vi)(r->ds == 0), has = rv->has, had = rv->had & ~starts, both = has & had;
    const vi counts = (has | had) & f->steps & ~starts;  // a sample where a step begins has no length yet
    const vf change = entry - before, one = vf_pick(has, entry, before);
    const vi close = ~both | (vi)(vf_abs(change) < 2.0f), points = close & counts & (vi)(one > v->clear);
    vf row[4], share = vf_all(1);  // colours × tau and tau
    // Where one end has no value the edge lies somewhere between: half of the step, on average. The ground ends it.
    if (vi_any(~both)) share = vf_pick(both | ((vi)(f->s >= r->end) & ~has), share, vf_all(0.5f));
    const vf rate = vf_pick(close, vf_all(0), share / vf_pick(close, vf_all(1), change));
    for (int c = 0; c < 4; c++) row[c] = rv->since[c] * rate;
    row[3] = vf_pick((vi)(row[3] > 1e-6f), row[3], vf_all(0));
    if (vi_any(points)) {
        vf point[4];
        struct packet_row of_one;
        const struct packet_row *there = &rv->row;  // that of the integral, but where it is of the step's beginning
        if (vi_any(~has)) packet_row_begin(one, &of_one), there = &of_one;
        vf_rows_changed(v->rows[0], &there->at, there->share, point);
        point[3] = point[3] * share;
        row[3] = vf_pick(points, point[3], row[3]);
        for (int c = 0; c < 3; c++) row[c] = vf_pick(points, point[c] * point[3], row[c]);
    }
    const vi shows = (vi)(row[3] > 0) & counts;
    if (!vi_any(shows)) return;
    const vf tau = vf_pick(shows, row[3], vf_all(0));
    vf diffuse = vf_all(1);
    if (v->shading) {
        const vf alpha = r->through * (1.0f - vf_exp(-tau * f->kilometres));
        vi texels = (vi)(rv->brick.kind == PAGE_TEXELS);
        if (v->minus.steps[0]) texels |= (vi)(rv->minus.brick.kind == PAGE_TEXELS);
        const vi lit = shows & (vi)(alpha > 0.025f) & texels;
        if (vi_any(lit)) {
            const vf middle = vf_pick(has, rv->q, (before - v->bias) / v->gain);
            diffuse = vf_pick(lit, packet_diffuse(m, v, rv, middle, tau), diffuse);
        }
    }
    vf *to[3] = {&mix->red, &mix->green, &mix->blue};
    for (int c = 0; c < 3; c++) *to[c] += vf_pick(shows, row[c] * (m->ambient[c] + sun[c] * diffuse), vf_all(0));
    mix->tau += tau;
}

// Share of sunlight in the middle of the step.
PACKET vf packet_arrives(const struct march *m, const struct ray_flight *f) {
    if (!m->shade) return vf_all(1);
    const struct ray_packet *r = &f->rays;
    const vf half = 0.5f * (r->t + f->s);
    return packet_light(m->shade->share, (m->eye[0] + r->x * half - m->light_low[0]) * m->light_rate[0],
                        (m->eye[1] + r->y * half - m->light_low[1]) * m->light_rate[1],
                        (m->eye[2] + r->z * half - m->light_low[2]) * m->light_rate[2]);
}

PACKET void packet_gather_light(const struct march *m, struct ray_flight *f) {
    struct ray_packet *r = &f->rays;
    struct ray_mix mix = {vf_all(0), vf_all(0), vf_all(0), vf_all(0)};
    vf sun[3];
    const vf arrives = packet_arrives(m, f);
    for (int c = 0; c < 3; c++) sun[c] = m->colour[c] * arrives;
    for (int n = 0; n < m->volume_count; n++)
        if (f->volumes[n].may_show) packet_emit(m, &m->volumes[n], &f->volumes[n], f, sun, &mix);
    const vi shows = (vi)(mix.tau > 0);
    if (!vi_any(shows)) return;
    const vf alpha = 1.0f - vf_exp(-mix.tau * f->kilometres);
    const vf weight = vf_pick(shows, r->through * alpha / mix.tau, vf_all(0));
    r->red += weight * mix.red;
    r->green += weight * mix.green;
    r->blue += weight * mix.blue;
    r->through = vf_pick(shows, r->through * (1.0f - alpha), r->through);
    r->through = vf_pick((vi)(r->through < 0.008f), vf_all(0), r->through);
}

PACKET void phase_light(const struct march *m, struct ray_flight *f) {
    struct ray_packet *r = &f->rays;
    bool any = false;
    for (int n = 0; n < m->volume_count; n++) any |= f->volumes[n].may_show;
    if (any) packet_gather_light(m, f);
    for (int n = 0; n < m->volume_count; n++) {
        struct ray_volume *rv = &f->volumes[n];
        rv->before = vf_pick(f->steps, rv->entry, rv->before);
        rv->had = vi_pick(f->steps, rv->has, rv->had);
    }
    const vf first = vf_pick((vi)(r->ds == 0), vf_most(r->jitter, vf_all(0.01f)), vf_all(1));
    const vf next = vf_most(f->reach * (1.9f - 0.9f * r->through), f->shortest) * first;
    r->t = vf_pick(f->steps, f->s, r->t);
    r->ds = vf_pick(f->steps, next, r->ds);
}

// --- pixels -----------------------------------------------------------------------------------------------------------

// The jitter: a whole-number hash of the pixel, whose rows are counted from the bottom.
PACKET vf packet_jitter(const struct march *m, vi px, vi py) {
    const vu h = (vu)px * 0xC13FA9A9u + (vu)((int32_t)m->height - 1 - py) * 0x91E10DA5u;
    return vf_of((vi)(h >> 8)) * (1.0f / 16777216.0f);
}

PACKET void packet_begin(const struct march *m, vi px, vi py, vf ground, struct ray_packet *r) {
    const vf u = vf_of(px) + 0.5f, v = vf_of(py) + 0.5f;
    vf far[4];
    for (int c = 0; c < 4; c++) far[c] = m->corner[c] + u * m->across[c] + v * m->down[c];
    r->x = far[0] / far[3], r->y = far[1] / far[3], r->z = far[2] / far[3];
    const vf length = vf_sqrt(r->x * r->x + r->y * r->y + r->z * r->z);
    r->x /= length, r->y /= length, r->z /= length;
    const vf ray[3] = {r->x, r->y, r->z};
    r->t = vf_all(0);
    r->end = vf_least(ground, length);
    for (int a = 0; a < 3; a++) {
        const vf safe = vf_pick((vi)(vf_abs(ray[a]) > 1e-9f), ray[a], vf_all(1e-9f));
        const vf one = (m->low[a] - m->eye[a]) / safe, other = (m->high[a] - m->eye[a]) / safe;
        r->t = vf_most(vf_least(one, other), r->t);
        r->end = vf_least(vf_most(one, other), r->end);
        r->cell[a] = vf_all((m->eye[a] - m->skip_low[a]) * m->skip_rate[a]);
        r->cells[a] = ray[a] * m->skip_rate[a];
        r->km[a] = 1.0f / (safe * m->skip_rate[a]);
        r->behind[a] = vf_pick((vi)(ray[a] < 0), vf_all(1), vf_all(0));
    }
    r->jitter = packet_jitter(m, px, py);
    r->through = vf_all(1);
    r->ds = r->red = r->green = r->blue = vf_all(0);
}

// Every second bit of a number: packets are small squares of a tile in Z-order.
static unsigned every_second(unsigned n) {
    n &= 0x5555;
    n = (n | n >> 1) & 0x3333;
    n = (n | n >> 2) & 0x0f0f;
    return (n | n >> 4) & 0x00ff;
}

// Takes up the tile's next packet, which begins with pixel *next in Z-order; false where none is left.
PACKET bool packet_launch(const struct march *m, unsigned x, unsigned y, unsigned *next, struct ray_flight *f) {
    static const int32_t across[16] = {0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3};
    static const int32_t down[16] = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3};
    vi px, py, wanted;
    do {
        if (*next >= MARCH_TILE * MARCH_TILE) return false;
        memcpy(&px, across, sizeof px);
        memcpy(&py, down, sizeof py);
        px += (int32_t)(x + every_second(*next));
        py += (int32_t)(y + every_second(*next >> 1));
        wanted = (vi)(px < (int32_t)m->width) & (vi)(py < (int32_t)m->height);
        *next += PACKET_WIDTH;
    } while (!vi_any(wanted));
    vf ground = vf_all(INFINITY);
    for (unsigned lane = 0; m->distance && lane < PACKET_WIDTH; lane++)
        if (wanted[lane]) ground[lane] = m->distance[(size_t)py[lane] * m->width + (size_t)px[lane]];
    f->px = px, f->py = py, f->wanted = wanted;
    packet_begin(m, px, py, ground, &f->rays);
    f->shortest = (f->rays.end - f->rays.t) * (1.0f / 4000.0f);
    f->turns = 0;
    for (int n = 0; n < m->volume_count; n++) {
        packet_brick_begin(m->volumes[n].steps[0], &f->volumes[n].brick);
        if (m->volumes[n].minus.steps[0]) packet_brick_begin(m->volumes[n].minus.steps[0], &f->volumes[n].minus.brick);
        f->volumes[n].had = vi_all(0);
        f->volumes[n].before = vf_all(0);
        for (int c = 0; c < 4; c++) f->volumes[n].integral[c] = vf_all(0);
        if (m->volumes[n].lines.apply) packet_lines_begin(m, &m->volumes[n], &f->rays, &f->volumes[n]);
    }
    return true;
}

PACKET void packet_land(const struct march *m, const struct ray_flight *f) {
    const struct ray_packet *r = &f->rays;
    const vf rgba[4] = {r->red, r->green, r->blue, 1.0f - r->through};
    float numbers[4][PACKET_WIDTH];
    int32_t px[PACKET_WIDTH], py[PACKET_WIDTH];
    memcpy(numbers, rgba, sizeof numbers);
    memcpy(px, &f->px, sizeof px);
    memcpy(py, &f->py, sizeof py);
    for (unsigned lane = 0; lane < PACKET_WIDTH; lane++) {
        if ((unsigned)px[lane] >= m->width || (unsigned)py[lane] >= m->height) continue;
        const float pixel[4] = {numbers[0][lane], numbers[1][lane], numbers[2][lane], numbers[3][lane]};
        memcpy(m->rgba + ((size_t)py[lane] * m->width + (size_t)px[lane]) * 4, pixel, sizeof pixel);
    }
}

// Finds out which rays go on; where none does, the next packet takes the place. False where none is left.
PACKET bool packet_goes_on(const struct march *m, unsigned x, unsigned y, unsigned *next, struct ray_flight *f) {
    while (f->busy) {
        f->live = f->wanted & (vi)(f->rays.t < f->rays.end) & (vi)(f->rays.through > 0);
        if (vi_any(f->live) && f->turns++ < MARCH_TURNS) return true;
        packet_land(m, f);
        f->busy = packet_launch(m, x, y, next, f);
    }
    f->live = vi_all(0);
    return false;
}

enum { FLIGHTS = 4 };

static void march_tile(const struct march *m, unsigned x, unsigned y) {
    struct ray_flight flights[FLIGHTS];
    unsigned next = 0;
    memset(flights, 0, sizeof flights);
    for (int n = 0; n < FLIGHTS; n++) flights[n].busy = packet_launch(m, x, y, &next, &flights[n]);
    for (;;) {
        bool any = false;
        for (int n = 0; n < FLIGHTS; n++) any |= packet_goes_on(m, x, y, &next, &flights[n]);
        if (!any) return;
        for (int n = 0; n < FLIGHTS; n++) {
            if (flights[n].busy) phase_leap(m, &flights[n]);
            flights[n].stepping = flights[n].busy && vi_any(flights[n].steps);
            if (flights[n].stepping) phase_place(m, &flights[n]);
        }
        for (int n = 0; n < FLIGHTS; n++) if (flights[n].stepping) phase_brick(m, &flights[n]);
        for (int n = 0; n < FLIGHTS; n++) if (flights[n].stepping) phase_sample(m, &flights[n]);
        for (int n = 0; n < FLIGHTS; n++) if (flights[n].stepping) phase_integral(m, &flights[n]), phase_light(m, &flights[n]);
    }
}

// --- the light grid ---------------------------------------------------------------------------------------------------

// tau per km of all volumes at places of the scene (not exaggerated).
PACKET vf packet_tau(const struct march *m, vf x, vf y, vf z) {
    vf tau = vf_all(0);
    for (int n = 0; n < m->volume_count; n++) {
        const struct march_volume *v = &m->volumes[n];
        struct packet_brick brick;
        struct packet_cell cell;
        struct packet_place p;
        vf q;
        packet_place(v->geometry, x, y, z, &p);
        p.i = packet_wrapped(v->steps[0], p.i);
        packet_volume_at(v->steps[0], p.i, p.j, p.k, &brick, &cell);
        vi has = packet_blended(v->steps, v->blend, &brick, &cell, &p, &q) & p.inside;
        if (v->minus.steps[0]) {
            struct ray_minus minus;
            packet_minus_place(v, &p, x, y, z, &minus);
            packet_brick_begin(v->minus.steps[0], &minus.brick);
            packet_minus_brick(v, &minus);
            has &= packet_less(v, &minus, &q);
        }
        if (vi_any(has)) tau += vf_pick(has, packet_look(v->data, q * v->gain + v->bias, 3), vf_all(0));
    }
    return tau;
}

static void march_light_row(const struct march *m, unsigned y, unsigned z) {
    const float size[3] = {m->high[0] - m->low[0], m->high[1] - m->low[1], m->high[2] - m->low[2]};
    const float way = size[2] / LIGHT_CELLS_Z / m->light[2], half = 0.5f * way;
    float *row = m->share + ((size_t)z * LIGHT_CELLS_Y + y) * LIGHT_CELLS_X;
    const vf at_y = vf_all(m->low[1] + ((float)y + 0.5f) / LIGHT_CELLS_Y * size[1] + m->light[1] * half);
    const vf at_z = vf_all((m->low[2] + ((float)z + 0.5f) / LIGHT_CELLS_Z * size[2] + m->light[2] * half) / m->exaggeration);
    for (unsigned x = 0; x < LIGHT_CELLS_X; x += PACKET_WIDTH) {
        vf at;
        for (unsigned lane = 0; lane < PACKET_WIDTH; lane++) at[lane] = (float)(x + lane) + 0.5f;
        at = m->low[0] + at / LIGHT_CELLS_X * size[0] + m->light[0] * half;
        const vf passes = vf_exp(packet_tau(m, at, at_y, at_z) * -(way / m->exaggeration * 0.6f));
        memcpy(row + x, &passes, sizeof passes);
    }
}

const struct march_code PACKET_CODE = {PACKET_ISA, march_tile, march_light_row};

#endif
