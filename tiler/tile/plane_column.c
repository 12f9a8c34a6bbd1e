// SPDX-License-Identifier: Apache-2.0
// Quantities of whole columns. Levels below the ground do not count.
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tile/plane_place.h"

struct column_walk {
    struct plane_work *work;
    double threshold;
    float *lowest;     // see plane_work_lowest
    float *now, *last; // values of the level, and of the one before
    float *values;     // what comes out; fractional levels for TOP and BASE
};

static bool counts(const struct column_walk *w, size_t c, size_t k) { return !w->lowest || (float)k >= w->lowest[c]; }

static void take_maximum(struct column_walk *w, size_t c, size_t k) {
    (void)k;
    if (!(w->values[c] >= w->now[c])) w->values[c] = isnan(w->now[c]) ? w->values[c] : w->now[c];
}

static void take_sum(struct column_walk *w, size_t c, size_t k) {
    (void)k;
    if (!isnan(w->now[c])) w->values[c] = isnan(w->values[c]) ? w->now[c] : w->values[c] + w->now[c];
}

// Where between the level before and this one the threshold lies; this one itself where nothing is known of the one before.
static float crossing(const struct column_walk *w, size_t c, size_t k) {
    const double a = (double)w->last[c], b = (double)w->now[c];
    return (float)(isnan(a) || a == b ? (double)k : (double)k - 1 + (w->threshold - a) / (b - a));
}

static void take_top(struct column_walk *w, size_t c, size_t k) {
    if ((double)w->now[c] >= w->threshold) w->values[c] = (float)k;
    else if (!isnan(w->now[c]) && (double)w->last[c] >= w->threshold) w->values[c] = crossing(w, c, k);
}

// Down to the ground where the lowest level has it: level −1 stands for the ground.
static void take_base(struct column_walk *w, size_t c, size_t k) {
    if (!isnan(w->values[c]) || !((double)w->now[c] >= w->threshold)) return;
    const bool first = k == 0 || !counts(w, c, k - 1);
    w->values[c] = first ? -1 : crossing(w, c, k);
}

static void to_heights(const struct column_walk *w) {
    for (size_t c = 0; c < w->work->columns.count; c++)
        w->values[c] = (float)(w->values[c] < 0 ? plane_work_ground(w->work, c) : plane_work_height(w->work, c, (double)w->values[c]));
}

static int walk(struct column_walk *w, struct plane_reader *reader, struct failure *failure) {
    static void (*const takes[SURFACE_KINDS])(struct column_walk *, size_t, size_t) = {
        [SURFACE_MAXIMUM] = take_maximum, [SURFACE_SUM] = take_sum, [SURFACE_TOP] = take_top, [SURFACE_BASE] = take_base};
    void (*const take)(struct column_walk *, size_t, size_t) = takes[w->work->surface->kind];
    const size_t count = w->work->columns.count, levels = w->work->coordinate.count;
    for (size_t c = 0; c < count; c++) w->values[c] = w->last[c] = NAN;
    for (size_t k = 0; k < levels; k++) {
        const int status = plane_reader_level(reader, k, w->now, failure);
        if (status) return status;
        for (size_t c = 0; c < count; c++) {
            if (counts(w, c, k)) take(w, c, k);
            else w->now[c] = NAN;
        }
        float *const passed = w->last;
        w->last = w->now, w->now = passed;
    }
    if (surface_gives_heights(w->work->surface)) to_heights(w);
    return VIRGA_OK;
}

int plane_column_values(struct plane_work *work, float *values, struct failure *failure) {
    const struct catalog_variable *v = &work->field->dataset->variables[work->field->variable];
    struct column_walk w = {.work = work, .values = values, .threshold = surface_threshold(work->surface, v->units, v->standard_name)};
    struct plane_reader reader = {0};
    if (!v->vertical) return failure_set(failure, VIRGA_INVALID, "%s has no levels: leave \"level\" out", v->id);
    if (isnan(w.threshold)) return failure_set(failure, VIRGA_INVALID, "say the threshold for %s in %s: %s:0.5", v->id, v->units, work->surface->kind == SURFACE_TOP ? "top" : "base");
    int status = plane_work_levels(work, failure);
    if (!status) status = plane_work_lowest(work, &w.lowest, failure);
    if (!status) status = plane_reader_open(&reader, work->maker, &work->columns, work->field, false, v->nz - 1, true, failure);
    w.now = memory_new_aligned(64, work->columns.count, sizeof *w.now);
    w.last = memory_new_aligned(64, work->columns.count, sizeof *w.last);
    if (!status && !(w.now && w.last)) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) status = walk(&w, &reader, failure);
    if (surface_gives_heights(work->surface)) plane_work_say(work, "threshold %.6g; heights: %.100s", w.threshold, work->map ? work->map->method : "");
    if (w.lowest) plane_work_say(work, "levels below the ground do not count");
    plane_reader_close(&reader);
    free(w.lowest);
    free(w.now);
    free(w.last);
    return status;
}
