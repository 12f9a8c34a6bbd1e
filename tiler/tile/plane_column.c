// SPDX-License-Identifier: Apache-2.0
// Quantities of whole columns. Levels below the ground do not count.
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/multiversion.h"
#include "tile/plane_place.h"

struct column_walk {
    struct plane_work *work;
    double threshold;
    float *lowest;     // see plane_work_lowest
    float *now, *last; // values of the level, and of the one before
    float *values;     // what comes out; fractional levels for TOP and BASE
};

// Each takes level k into values: now is the level, last the one before, both NaN where they do not count.

MULTIVERSION
static void take_maximum(size_t count, const float *restrict now, float *restrict values) {
    for (size_t c = 0; c < count; c++) {
        const float most = now[c] > values[c] ? now[c] : values[c];
        values[c] = isnan(values[c]) ? now[c] : most;
    }
}

MULTIVERSION
static void take_sum(size_t count, const float *restrict now, float *restrict values) {
    for (size_t c = 0; c < count; c++) {
        const float sum = values[c] + now[c];
        values[c] = isnan(now[c]) ? values[c] : isnan(values[c]) ? now[c] : sum;
    }
}

// Where between the level before and this one the threshold lies; this one itself where nothing is known of the one before.
static inline float crossing(float last, float now, float threshold, size_t k) {
    return isnan(last) || last == now ? (float)k : (float)(k - 1) + (threshold - last) / (now - last);
}

MULTIVERSION
static void take_top(size_t count, size_t k, float threshold, const float *restrict last, const float *restrict now, float *restrict values) {
    for (size_t c = 0; c < count; c++) {
        const float ended = !isnan(now[c]) && last[c] >= threshold ? crossing(last[c], now[c], threshold, k) : values[c];
        values[c] = now[c] >= threshold ? (float)k : ended;
    }
}

// Down to the ground where the lowest level that counts has it: level −1 stands for the ground.
static void take_base(const struct column_walk *w, size_t k) {
    const float threshold = (float)w->threshold;
    for (size_t c = 0; c < w->work->columns.count; c++) {
        if (!isnan(w->values[c]) || !(w->now[c] >= threshold)) continue;
        const bool first = k == 0 || (w->lowest && !((float)(k - 1) >= w->lowest[c]));
        w->values[c] = first ? -1 : crossing(w->last[c], w->now[c], threshold, k);
    }
}

static void take(const struct column_walk *w, size_t k) {
    const size_t count = w->work->columns.count;
    const enum surface_kind kind = w->work->surface->kind;
    if (kind == SURFACE_MAXIMUM) take_maximum(count, w->now, w->values);
    else if (kind == SURFACE_SUM) take_sum(count, w->now, w->values);
    else if (kind == SURFACE_TOP) take_top(count, k, (float)w->threshold, w->last, w->now, w->values);
    else take_base(w, k);
}

static void to_heights(const struct column_walk *w) {
    for (size_t c = 0; c < w->work->columns.count; c++)
        w->values[c] = (float)(w->values[c] < 0 ? plane_work_ground(w->work, c) : plane_work_height(w->work, c, (double)w->values[c]));
}

static int walk(struct column_walk *w, struct plane_reader *reader, struct failure *failure) {
    const size_t count = w->work->columns.count, levels = w->work->coordinate.count;
    for (size_t c = 0; c < count; c++) w->values[c] = w->last[c] = NAN;
    for (size_t k = 0; k < levels; k++) {
        const int status = plane_reader_level(reader, k, w->now, failure);
        if (status) return status;
        for (size_t c = 0; w->lowest && c < count; c++)
            if (!((float)k >= w->lowest[c])) w->now[c] = NAN;
        take(w, k);
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
