// SPDX-License-Identifier: Apache-2.0
#include "render/ground_raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 256 };                    // points of the lattice between two samples
static const double farthest_out = 12;  // widths and heights of the picture that points may lie beyond it, undivided by their depth

void ground_camera_init(struct ground_camera *camera, const struct scene *scene) {
    const double *v = scene->matrices.view, *p = scene->matrices.projection;
    *camera = (struct ground_camera){.width = scene->width, .height = scene->height};
    memcpy(camera->eye, scene->matrices.eye, sizeof camera->eye);
    memcpy(camera->all, scene->matrices.all, sizeof camera->all);
    for (int n = 0; n < 3; n++) {
        double right = v[4 * n] / p[0], top = v[4 * n + 1] / p[5], back = v[4 * n + 2];
        camera->ray[n] = -back - right + top;
        camera->ray_x[n] = 2 * right / camera->width;
        camera->ray_y[n] = -2 * top / camera->height;
    }
    camera->nearest = 1 / scene->matrices.near;
    camera->farthest = 1 / scene->matrices.far;
    camera->step = 1 / fabs(p[14]);
}

// By its depth: from `clip` to the picture.
static void divide(const struct ground_camera *camera, struct ground_point *point) {
    point->near = 1 / point->clip[2];
    point->x = (point->clip[0] * point->near * 0.5 + 0.5) * camera->width;
    point->y = (0.5 - point->clip[1] * point->near * 0.5) * camera->height;
}

void ground_camera_point(const struct ground_camera *camera, const double shown[3], struct ground_point *point) {
    const double *m = camera->all;
    double x = m[0] * shown[0] + m[4] * shown[1] + m[8] * shown[2] + m[12];
    double y = m[1] * shown[0] + m[5] * shown[1] + m[9] * shown[2] + m[13];
    double w = m[3] * shown[0] + m[7] * shown[1] + m[11] * shown[2] + m[15];
    *point = (struct ground_point){.clip = {x, y, w}};
    point->cut = !(w * camera->nearest >= 1 && fabs(x) <= farthest_out * w && fabs(y) <= farthest_out * w);
    if (!point->cut) divide(camera, point);
}

// --- samples -----------------------------------------------------------------------------------------------------------

int ground_raster_init(struct ground_raster *raster, size_t width, size_t height, size_t across) {
    size_t count = width * height * across * across;
    *raster = (struct ground_raster){.across = across};
    raster->near = malloc(count * sizeof *raster->near);
    raster->slope = malloc(count * sizeof *raster->slope);
    raster->kind = malloc(count);
    return raster->near && raster->slope && raster->kind ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void ground_raster_destroy(struct ground_raster *raster) {
    free(raster->near);
    free(raster->slope);
    free(raster->kind);
    *raster = (struct ground_raster){0};
}

void ground_raster_clear(struct ground_raster *raster, size_t x, size_t y, size_t width, size_t height) {
    size_t count = width * height * raster->across * raster->across;
    raster->x = x, raster->y = y, raster->width = width, raster->height = height;
    memset(raster->near, 0, count * sizeof *raster->near);
    memset(raster->kind, GROUND_NONE, count);
}

// --- one triangle ------------------------------------------------------------------------------------------------------

static double least(double a, double b, double c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }
static double most(double a, double b, double c) { return a > b ? (a > c ? a : c) : (b > c ? b : c); }

// 1 / depth over the picture, by the corners as they are; held near what the corners have, where an edge-on triangle's would run away.
struct depth_plane { double at, along_x, along_y, low, high; float slope; };

static struct depth_plane plane_of(const struct ground_point *a, const struct ground_point *b, const struct ground_point *c,
                             double least_slope) {
    double bx = b->x - a->x, by = b->y - a->y, cx = c->x - a->x, cy = c->y - a->y, area = bx * cy - by * cx;
    double bn = b->near - a->near, cn = c->near - a->near;
    struct depth_plane p = {.at = a->near};
    if (fabs(area) > 1e-9) {
        p.along_x = (bn * cy - cn * by) / area;
        p.along_y = (cn * bx - bn * cx) / area;
    }
    double low = least(a->near, b->near, c->near), high = most(a->near, b->near, c->near), spare = 0.02 * (high - low);
    double slope_x = fabs(p.along_x), slope_y = fabs(p.along_y);
    p.at -= p.along_x * a->x + p.along_y * a->y;
    p.low = low - spare, p.high = high + spare;
    p.slope = (float)((slope_x > slope_y ? slope_x : slope_y) + least_slope);
    return p;
}

struct lattice_point { int64_t x, y; };

static struct lattice_point lattice_of(const struct ground_raster *r, const struct ground_point *p) {
    double scale = (double)(r->across * FINE);
    return (struct lattice_point){llrint((p->x - (double)r->x) * scale), llrint((p->y - (double)r->y) * scale)};
}

// Positive on the inner side; on the edge itself only where it is a top or a left one.
struct edge { int64_t value, along_x, along_y; };

static struct edge edge_of(struct lattice_point a, struct lattice_point b, int64_t x, int64_t y) {
    int64_t dx = b.x - a.x, dy = b.y - a.y;
    bool owned = dy < 0 || (dy == 0 && dx > 0);
    return (struct edge){dx * (y - a.y) - dy * (x - a.x) - !owned, -dy * FINE, dx * FINE};
}

static int64_t first_of(int64_t a, int64_t b, int64_t c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }
static int64_t last_of(int64_t a, int64_t b, int64_t c) { return a > b ? (a > c ? a : c) : (b > c ? b : c); }
static int64_t below(int64_t value) { return value >= 0 ? value / FINE : -((-value + FINE - 1) / FINE); }

static void take(struct ground_raster *r, size_t at, float near, const struct depth_plane *plane, enum ground_kind kind) {
    if (!(near >= r->near[at])) return;
    r->near[at] = near;
    r->slope[at] = plane->slope;
    r->kind[at] = (uint8_t)kind;
}

static void fill(struct ground_raster *r, const struct ground_camera *camera, const struct ground_point *pa, const struct ground_point *pb,
                 const struct ground_point *pc, enum ground_kind kind) {
    struct lattice_point a = lattice_of(r, pa), b = lattice_of(r, pb), c = lattice_of(r, pc);
    int64_t area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    int64_t wide = (int64_t)(r->width * r->across), tall = (int64_t)(r->height * r->across);
    if (area == 0) return;
    if (area < 0) {
        struct lattice_point swap = b;
        b = c, c = swap;
    }
    int64_t x0 = below(first_of(a.x, b.x, c.x) + FINE / 2 - 1), x1 = below(last_of(a.x, b.x, c.x) - FINE / 2);
    int64_t y0 = below(first_of(a.y, b.y, c.y) + FINE / 2 - 1), y1 = below(last_of(a.y, b.y, c.y) - FINE / 2);
    x0 = x0 > 0 ? x0 : 0, y0 = y0 > 0 ? y0 : 0, x1 = x1 < wide ? x1 : wide - 1, y1 = y1 < tall ? y1 : tall - 1;
    if (x0 > x1 || y0 > y1) return;
    int64_t x = x0 * FINE + FINE / 2, y = y0 * FINE + FINE / 2;
    struct edge ab = edge_of(a, b, x, y), bc = edge_of(b, c, x, y), ca = edge_of(c, a, x, y);
    struct depth_plane plane = plane_of(pa, pb, pc, 2 * camera->step * 0x1p-23);
    double pixel = 1 / (double)r->across, start = plane.at + plane.along_x * ((double)r->x + ((double)x0 + 0.5) * pixel);
    for (int64_t j = y0; j <= y1; j++) {
        int64_t e0 = ab.value, e1 = bc.value, e2 = ca.value;
        double row = start + plane.along_y * ((double)r->y + ((double)j + 0.5) * pixel), along = plane.along_x * pixel;
        for (int64_t i = x0; i <= x1; i++, e0 += ab.along_x, e1 += bc.along_x, e2 += ca.along_x) {
            if ((e0 | e1 | e2) < 0) continue;
            double near = row + along * (double)(i - x0);
            near = near < plane.low ? plane.low : near > plane.high ? plane.high : near;
            if (near >= camera->farthest) take(r, (size_t)(j * wide + i), (float)near, &plane, kind);
        }
        ab.value += ab.along_y, bc.value += bc.along_y, ca.value += ca.along_y;
    }
}

// --- clipping ----------------------------------------------------------------------------------------------------------

enum { PLANES = 5, CORNERS = 3 + PLANES };

// How far inside a clipping plane a point is: the near one, and four far around the picture.
static double inside(const struct ground_camera *camera, const double clip[3], int plane) {
    switch (plane) {
    case 0: return clip[2] - 1 / camera->nearest;
    case 1: return farthest_out * clip[2] - clip[0];
    case 2: return farthest_out * clip[2] + clip[0];
    case 3: return farthest_out * clip[2] - clip[1];
    default: return farthest_out * clip[2] + clip[1];
    }
}

// One plane; neighbours that share an edge get the same new point, since it is always made from the inner end.
static size_t clip_by(const struct ground_camera *camera, int plane, double (*corners)[3], size_t count) {
    double out[CORNERS][3];
    size_t n = 0;
    for (size_t c = 0; c < count && n + 2 <= CORNERS; c++) {
        const double *from = corners[c], *to = corners[(c + 1) % count];
        double a = inside(camera, from, plane), b = inside(camera, to, plane);
        if (a >= 0) memcpy(out[n++], from, sizeof out[0]);
        if ((a >= 0) == (b >= 0)) continue;
        const double *good = a >= 0 ? from : to, *bad = a >= 0 ? to : from;
        double share = a >= 0 ? a / (a - b) : b / (b - a);
        for (int d = 0; d < 3; d++) out[n][d] = good[d] + share * (bad[d] - good[d]);
        n++;
    }
    memcpy(corners, out, n * sizeof out[0]);
    return n;
}

static void fill_clipped(struct ground_raster *r, const struct ground_camera *camera, const struct ground_point *const points[3],
                         enum ground_kind kind) {
    double corners[CORNERS][3];
    struct ground_point p[CORNERS];
    size_t count = 3;
    for (int n = 0; n < 3; n++) memcpy(corners[n], points[n]->clip, sizeof corners[0]);
    for (int plane = 0; plane < PLANES && count >= 3; plane++) count = clip_by(camera, plane, corners, count);
    for (size_t n = 0; n < count && count >= 3; n++) {
        memcpy(p[n].clip, corners[n], sizeof p[n].clip);
        divide(camera, &p[n]);
    }
    for (size_t n = 2; n < count; n++) fill(r, camera, &p[0], &p[n - 1], &p[n], kind);
}

void ground_raster_triangle(struct ground_raster *raster, const struct ground_camera *camera, const struct ground_point *a,
                            const struct ground_point *b, const struct ground_point *c, enum ground_kind kind) {
    if (a->cut || b->cut || c->cut) {
        const struct ground_point *const points[] = {a, b, c};
        fill_clipped(raster, camera, points, kind);
        return;
    }
    if (most(a->x, b->x, c->x) < (double)raster->x || least(a->x, b->x, c->x) > (double)(raster->x + raster->width)) return;
    if (most(a->y, b->y, c->y) < (double)raster->y || least(a->y, b->y, c->y) > (double)(raster->y + raster->height)) return;
    fill(raster, camera, a, b, c, kind);
}
