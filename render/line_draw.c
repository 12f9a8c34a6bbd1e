// SPDX-License-Identifier: Apache-2.0
#include "render/line_draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- where segments are ------------------------------------------------------------------------------------------------

size_t shown_lines_runs(const struct shown_lines *shown) { return (shown->count + SHOWN_RUN - 1) / SHOWN_RUN; }

int shown_lines_init(struct shown_lines *shown, const struct map_lines *lines) {
    *shown = (struct shown_lines){.count = lines->count};
    shown->segments = malloc((shown->count + 1) * sizeof *shown->segments);
    shown->runs = malloc((shown_lines_runs(shown) + 1) * sizeof *shown->runs);
    return shown->segments && shown->runs ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void shown_lines_destroy(struct shown_lines *shown) {
    free(shown->segments);
    free(shown->runs);
    *shown = (struct shown_lines){0};
}

// Cut at the near plane, so that the division by depth stays sound. False where nothing is in front of it.
static bool place_segment(const struct ground_camera *camera, const float ends[2][3], double exaggeration,
                          struct shown_segment *segment) {
    double clip[2][3], least = 1e-3 / camera->nearest;
    for (int e = 0; e < 2; e++) {
        const double shown[] = {(double)ends[e][0], (double)ends[e][1], (double)ends[e][2] * exaggeration};
        struct ground_point point;
        ground_camera_point(camera, shown, &point);
        memcpy(clip[e], point.clip, sizeof clip[e]);
    }
    if (clip[0][2] < least && clip[1][2] < least) return false;
    for (int e = 0; e < 2; e++) {
        double *this = clip[e], *other = clip[1 - e];
        if (this[2] >= least) continue;
        double share = (least - this[2]) / (other[2] - this[2]);
        for (int d = 0; d < 3; d++) this[d] += share * (other[d] - this[d]);
    }
    for (int e = 0; e < 2; e++) {
        segment->x[e] = (float)((clip[e][0] / clip[e][2] * 0.5 + 0.5) * camera->width);
        segment->y[e] = (float)((0.5 - clip[e][1] / clip[e][2] * 0.5) * camera->height);
        segment->near[e] = (float)(1 / clip[e][2]);
    }
    return true;
}

void shown_lines_place(struct shown_lines *shown, const struct map_lines *lines, const struct ground_camera *camera,
                       double exaggeration, size_t run) {
    struct shown_run *r = &shown->runs[run];
    struct shown_segment *segments = shown->segments + run * SHOWN_RUN;
    *r = (struct shown_run){.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    for (size_t n = run * SHOWN_RUN; n < (run + 1) * SHOWN_RUN && n < shown->count; n++) {
        struct shown_segment *s = &segments[r->count];
        if (!place_segment(camera, (const float (*)[3])lines->segments[n], exaggeration, s)) continue;
        r->count++;
        r->low[0] = fminf(r->low[0], fminf(s->x[0], s->x[1])), r->high[0] = fmaxf(r->high[0], fmaxf(s->x[0], s->x[1]));
        r->low[1] = fminf(r->low[1], fminf(s->y[0], s->y[1])), r->high[1] = fmaxf(r->high[1], fmaxf(s->y[0], s->y[1]));
    }
}

// --- drawing -----------------------------------------------------------------------------------------------------------

struct pen {
    const struct ground_camera *camera;
    const struct ground_raster *raster;
    float width, reach, lift;  // pixels, pixels to where nothing is left, 1 / depth that lines are nearer than they are
    float *share;
    bool used;
};

// Samples of a pixel that a line is not hidden from. The ground counts as deeper by its slope over a pixel, as the page has it, so
// that lines that lie on it are seen.
static float seen(const struct pen *pen, size_t x, size_t y, float near) {
    const struct ground_raster *r = pen->raster;
    size_t across = r->across, row = r->width * across, count = 0;
    for (size_t j = 0; j < across; j++)
        for (size_t i = 0; i < across; i++) {
            size_t at = (y * across + j) * row + x * across + i;
            count += r->kind[at] == GROUND_NONE || near + pen->lift >= r->near[at] - r->slope[at];
        }
    return (float)count / (float)(across * across);
}

static float between(float low, float high, float v) { return v < low ? low : v > high ? high : v; }

static void draw_segment(struct pen *pen, const struct shown_segment *s) {
    const struct ground_raster *r = pen->raster;
    float dx = s->x[1] - s->x[0], dy = s->y[1] - s->y[0], squared = dx * dx + dy * dy, inverse = squared > 1e-12f ? 1 / squared : 0;
    float left = (float)r->x, top = (float)r->y, wide = (float)r->width, tall = (float)r->height;
    float y0 = fminf(s->y[0], s->y[1]) - pen->reach - top, y1 = fmaxf(s->y[0], s->y[1]) + pen->reach - top;
    if (!(y0 < tall && y1 >= 0)) return;
    for (size_t y = (size_t)fmaxf(y0, 0); y < r->height && (float)y <= y1; y++) {
        float py = top + (float)y + 0.5f, x0 = fminf(s->x[0], s->x[1]), x1 = fmaxf(s->x[0], s->x[1]);
        if (fabsf(dy) > 1e-3f) {  // where the line passes this row, and as far around as it is wide there
            float at = s->x[0] + (py - s->y[0]) * dx / dy, around = pen->reach * sqrtf(squared) / fabsf(dy);
            x0 = fmaxf(x0, at - around), x1 = fminf(x1, at + around);
        }
        x0 -= pen->reach + left, x1 += pen->reach - left;
        if (!(x0 < wide && x1 >= 0)) continue;
        for (size_t x = (size_t)fmaxf(x0, 0); x < r->width && (float)x <= x1; x++) {
            float px = left + (float)x + 0.5f, t = between(0, 1, ((px - s->x[0]) * dx + (py - s->y[0]) * dy) * inverse);
            float ax = px - s->x[0] - t * dx, ay = py - s->y[0] - t * dy;
            float across = sqrtf(ax * ax + ay * ay), cover = between(0, 1, pen->width + 0.5f - 2 * across);
            float *share = &pen->share[y * r->width + x];
            if (!(cover > *share)) continue;
            cover *= seen(pen, x, y, s->near[0] + t * (s->near[1] - s->near[0]));
            if (cover > *share) *share = cover;
        }
    }
}

static bool begin(struct pen *pen) {
    if (!pen->used) memset(pen->share, 0, pen->raster->width * pen->raster->height * sizeof *pen->share);
    return pen->used = true;
}

static void lay_ink(const struct pen *pen, const struct line_style *style, float *ink, bool over) {
    const size_t pixels = pen->raster->width * pen->raster->height;
    if (!over) memset(ink, 0, 4 * pixels * sizeof *ink);
    for (size_t n = 0; n < pixels; n++) {
        const float alpha = style->ink[3] * pen->share[n];
        float *out = ink + 4 * n;
        if (alpha > 0)
            for (int c = 0; c < 4; c++) out[c] = out[c] * (1 - alpha) + (c < 3 ? style->ink[c] : 1) * alpha;
    }
}

bool line_draw(const struct shown_lines *shown, const struct line_style *style, const struct ground_camera *camera,
               const struct ground_raster *raster, float *share, float *ink, bool over) {
    struct pen pen = {camera, raster, style->width, style->width / 2 + 0.25f, (float)(2e-5 * camera->step), share, false};
    float left = (float)raster->x - pen.reach, right = (float)(raster->x + raster->width) + pen.reach;
    float top = (float)raster->y - pen.reach, bottom = (float)(raster->y + raster->height) + pen.reach;
    for (size_t n = 0; n < shown_lines_runs(shown); n++) {
        const struct shown_run *run = &shown->runs[n];
        if (run->low[0] > right || run->high[0] < left || run->low[1] > bottom || run->high[1] < top || !run->count) continue;
        begin(&pen);
        for (size_t k = 0; k < run->count; k++) draw_segment(&pen, &shown->segments[n * SHOWN_RUN + k]);
    }
    if (pen.used) lay_ink(&pen, style, ink, over);
    return pen.used;
}
