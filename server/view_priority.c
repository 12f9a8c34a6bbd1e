// SPDX-License-Identifier: Apache-2.0
#include "server/view_priority.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double opacity_curve_max(const struct opacity_curve *curve, double lo, double hi) {
    if (!(lo <= hi)) return 0;
    if (curve->all) return 1;
    const double *v = curve->value, *o = curve->opacity;
    size_t n = curve->count;
    double most = 0;
    if (lo < v[0]) most = fmax(most, o[0]);
    if (hi > v[n - 1]) most = fmax(most, o[n - 1]);
    for (size_t i = 0; i < n; i++)
        if (v[i] >= lo && v[i] <= hi) most = fmax(most, o[i]);
    for (size_t i = 0; i + 1 < n; i++) {  // the ends of the range within a segment
        if (!(v[i + 1] > v[i])) continue;
        double slope = (o[i + 1] - o[i]) / (v[i + 1] - v[i]);
        if (lo > v[i] && lo < v[i + 1]) most = fmax(most, o[i] + (lo - v[i]) * slope);
        if (hi > v[i] && hi < v[i + 1]) most = fmax(most, o[i] + (hi - v[i]) * slope);
    }
    return most;
}

static double dot(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static void cross(const double a[3], const double b[3], double out[3]) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static bool normalise(double a[3]) {
    double length = sqrt(dot(a, a));
    if (!(length > 1e-12)) return false;
    for (int i = 0; i < 3; i++) a[i] /= length;
    return true;
}

static void side_plane(struct view_frustum *f, int which, const double side[3], double tangent) {
    double n[3];  // inside: dot(side, p - eye) + tangent * dot(forward, p - eye) ≥ 0
    for (int i = 0; i < 3; i++) n[i] = side[i] + tangent * f->forward[i];
    normalise(n);
    memcpy(f->plane[which], n, sizeof n);
    f->plane[which][3] = -dot(n, f->eye);
}

void view_frustum_init(struct view_frustum *f, const struct view_priority_camera *c) {
    *f = (struct view_frustum){.whole = c->whole, .exaggeration = 1};
    if (c->whole) return;
    double target[3], up[3], right[3], above[3];
    f->exaggeration = c->exaggeration;
    for (int i = 0; i < 3; i++) {
        double by = i == 2 ? c->exaggeration : 1;
        f->eye[i] = c->eye[i] * by;
        target[i] = c->target[i] * by;
        up[i] = c->up[i];
        f->forward[i] = target[i] - f->eye[i];
    }
    if (!normalise(f->forward)) f->forward[0] = 0, f->forward[1] = 0, f->forward[2] = -1;
    cross(f->forward, up, right);
    if (!normalise(right)) {  // looking along `up`: any side will do
        double other[3] = {fabs(f->forward[0]) < 0.9, fabs(f->forward[0]) >= 0.9, 0};
        cross(f->forward, other, right);
        normalise(right);
    }
    cross(right, f->forward, above);
    f->tangent = tan(c->fov * M_PI / 360);
    f->aspect = c->width / c->height;
    f->pixels = c->height / (2 * f->tangent);
    double left[3], below[3];
    for (int i = 0; i < 3; i++) left[i] = -right[i], below[i] = -above[i];
    side_plane(f, 0, right, f->tangent * f->aspect);
    side_plane(f, 1, left, f->tangent * f->aspect);
    side_plane(f, 2, above, f->tangent);
    side_plane(f, 3, below, f->tangent);
}

static void stretch(const struct view_frustum *f, const struct scene_box *box, struct scene_box *out) {
    *out = *box;
    out->lo[2] *= f->exaggeration;
    out->hi[2] *= f->exaggeration;
}

// Whether the farthest corner along a normal is on its inner side.
static bool reaches(const struct scene_box *box, const double n[3], double offset) {
    double d = offset;
    for (int i = 0; i < 3; i++) d += n[i] * (n[i] > 0 ? box->hi[i] : box->lo[i]);
    return d >= 0;
}

static bool sees_stretched(const struct view_frustum *f, const struct scene_box *box) {
    if (!reaches(box, f->forward, -dot(f->forward, f->eye))) return false;
    for (int p = 0; p < 4; p++)
        if (!reaches(box, f->plane[p], f->plane[p][3])) return false;
    return true;
}

bool view_frustum_sees(const struct view_frustum *f, const struct scene_box *box) {
    if (f->whole) return true;
    struct scene_box stretched;
    stretch(f, box, &stretched);
    return sees_stretched(f, &stretched);
}

static double distance(const struct view_frustum *f, const struct scene_box *box) {
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double d = fmax(0, fmax(box->lo[i] - f->eye[i], f->eye[i] - box->hi[i]));
        sum += d * d;
    }
    return sqrt(sum);
}

// 1 in the middle of the picture, falling to a quarter at its corners and beyond.
static double centredness(const struct view_frustum *f, const struct scene_box *box) {
    double to[3], middle[3];
    for (int i = 0; i < 3; i++) {
        middle[i] = (box->lo[i] + box->hi[i]) / 2;
        to[i] = middle[i] - f->eye[i];
    }
    double along = dot(f->forward, to), all = sqrt(dot(to, to));
    if (!(along > 0)) return 0.25;
    double off = sqrt(fmax(0, all * all - along * along)) / along / (f->tangent * hypot(1, f->aspect));
    return 1 / (1 + 3 * fmin(1, off * off));
}

struct selection {
    const struct view_frustum *frustum;
    const struct view_field *field;
    double above, up_to;
    struct view_list *list;
};

static void add(struct view_list *list, const struct view_brick *brick) {
    if (list->count < list->capacity) list->items[list->count++] = *brick;
    else list->overflowed = true;
}

static double value_of(const struct view_field *field, int32_t q) { return field->v0 + q * field->step; }

static double curve_max(const struct view_field *field, int32_t lo, int32_t hi) {
    if (lo > hi) return 0;
    return opacity_curve_max(field->curve, value_of(field, lo), value_of(field, hi));
}

// How much of a ray a slab of this opacity and thickness takes, with a floor so that thin things still come in turn.
static double weight(double opacity, const struct scene_box *box) {
    double thick = fmax(0.1, box->hi[2] - box->lo[2]);
    return 0.05 + 0.95 * (1 - exp(-opacity * thick));
}

// Pixels of a voxel of `level` at the box's nearest point. Without a camera every level has a size of its own, all above any
// threshold.
static double voxel_pixels(const struct selection *s, uint32_t level, const struct scene_box *stretched) {
    double size[2];
    if (s->frustum->whole) return 1e6 * (level + 1.0);
    brick_boxes_voxel(s->field->boxes, level, size);
    double km = fmax(size[0], size[1] * s->frustum->exaggeration);
    return km * s->frustum->pixels / fmax(distance(s->frustum, stretched), km / 8);
}

static void select_node(const struct selection *s, uint32_t l, uint32_t x, uint32_t y, uint32_t z) {
    const struct view_field *field = s->field;
    const struct view_table_level *level = &field->table->levels[l];
    size_t at = ((size_t)z * level->bricks[1] + y) * level->bricks[0] + x;
    if (!(curve_max(field, level->deep_min[at], level->deep_max[at]) > 0)) return;
    struct scene_box box = {{0}, {0}}, stretched = {{0}, {0}};
    if (!s->frustum->whole) {
        brick_boxes_get(field->boxes, l, x, y, z, &box);
        stretch(s->frustum, &box, &stretched);
        if (!sees_stretched(s->frustum, &stretched)) return;
    }
    bool coarsest = l + 1 == field->table->level_count;
    double error = coarsest ? INFINITY : voxel_pixels(s, l + 1, &stretched);
    if (error <= s->above) return;  // finer ones show even less
    double opacity = curve_max(field, level->min[at], level->max[at]);
    if (!coarsest && error <= s->up_to && level->kind[at] >= BRICK_FULL && opacity > 0) {
        double score = error * (s->frustum->whole ? opacity : weight(opacity, &box) * centredness(s->frustum, &stretched));
        add(s->list, &(struct view_brick){.score = (float)score, .layer = field->layer, .level = (uint8_t)l, .x = (uint16_t)x,
                                          .y = (uint16_t)y, .z = (uint16_t)z});
    }
    if (l <= field->max_level || l == 0) return;
    const struct view_table_level *fine = level - 1;
    const uint32_t *scale = field->shape->levels[l].scale, *fine_scale = field->shape->levels[l - 1].scale;
    uint32_t by[3];
    for (int a = 0; a < 3; a++) by[a] = scale[a] / fine_scale[a];
    for (uint32_t cz = z * by[2]; cz < (z + 1) * by[2] && cz < fine->bricks[2]; cz++)
        for (uint32_t cy = y * by[1]; cy < (y + 1) * by[1] && cy < fine->bricks[1]; cy++)
            for (uint32_t cx = x * by[0]; cx < (x + 1) * by[0] && cx < fine->bricks[0]; cx++) select_node(s, l - 1, cx, cy, cz);
}

void view_select_visible(const struct view_frustum *frustum, const struct view_field *field, double above, double up_to,
                         struct view_list *list) {
    const uint32_t top = field->table->level_count - 1, *bricks = field->table->levels[top].bricks;
    const struct selection s = {.frustum = frustum, .field = field, .above = above, .up_to = up_to, .list = list};
    for (uint32_t z = 0; z < bricks[2]; z++)
        for (uint32_t y = 0; y < bricks[1]; y++)
            for (uint32_t x = 0; x < bricks[0]; x++) select_node(&s, top, x, y, z);
}

void view_select_coarsest(const struct view_frustum *frustum, const struct view_field *field, struct view_list *list) {
    const uint32_t top = field->table->level_count - 1;
    const struct view_table_level *level = &field->table->levels[top];
    size_t at = 0;
    for (uint32_t z = 0; z < level->bricks[2]; z++)
        for (uint32_t y = 0; y < level->bricks[1]; y++)
            for (uint32_t x = 0; x < level->bricks[0]; x++, at++) {
                if (level->kind[at] < BRICK_FULL) continue;
                double score = 1 + curve_max(field, level->min[at], level->max[at]);
                if (field->boxes && !frustum->whole) {
                    struct scene_box box, stretched;
                    brick_boxes_get(field->boxes, top, x, y, z, &box);
                    stretch(frustum, &box, &stretched);
                    score *= sees_stretched(frustum, &stretched) ? 1 + centredness(frustum, &stretched) : 1;
                }
                add(list, &(struct view_brick){.score = (float)score, .layer = field->layer, .level = (uint8_t)top,
                                               .x = (uint16_t)x, .y = (uint16_t)y, .z = (uint16_t)z});
            }
}

static int compare(const void *a, const void *b) {
    const struct view_brick *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    if (p->level != q->level) return p->level > q->level ? -1 : 1;
    if (p->layer != q->layer) return p->layer < q->layer ? -1 : 1;
    if (p->z != q->z) return p->z < q->z ? -1 : 1;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return p->x < q->x ? -1 : p->x > q->x;
}

void view_list_sort(struct view_list *list) { qsort(list->items, list->count, sizeof *list->items, compare); }
