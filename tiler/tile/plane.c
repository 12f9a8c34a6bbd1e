// SPDX-License-Identifier: Apache-2.0
#include "tile/plane.h"

#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/multiversion.h"

enum { COARSEST = 64 };
static const double degree = 0.017453292519943295;

struct plane_counted {
    struct plane plane;  // first
    atomic_size_t references;
};

struct plane *plane_ref(struct plane *plane) {
    if (plane) atomic_fetch_add_explicit(&((struct plane_counted *)plane)->references, 1, memory_order_relaxed);
    return plane;
}

void plane_unref(struct plane *plane) {
    if (!plane || atomic_fetch_sub_explicit(&((struct plane_counted *)plane)->references, 1, memory_order_acq_rel) != 1) return;
    for (size_t l = 0; l < plane->level_count; l++) free(plane->levels[l].values);
    free(plane);
}

// --- Means.

struct mean_four {  // the values under one of the next level
    double sum, east, north;
    unsigned present, covered;
};

static void mean_add(struct mean_four *m, float value, bool degrees) {
    m->covered++;
    if (isnan(value)) return;
    m->present++;
    m->sum += (double)value;
    if (!degrees) return;
    m->east += sin((double)value * degree);
    m->north += cos((double)value * degree);
}

static float mean_of(const struct mean_four *m, bool degrees) {
    if (m->present == 0 || 2 * m->present < m->covered) return NAN;
    if (!degrees) return (float)(m->sum / m->present);
    const double angle = atan2(m->east, m->north) / degree;
    return (float)(angle < 0 ? angle + 360 : angle);
}

// Where all four are there and no directions, without a branch for each. Whether they were everywhere.
MULTIVERSION
static bool halve_row(const float *low, const float *high, size_t pairs, float *out) {
    int missing = 0;
    for (size_t c = 0; c < pairs; c++) {
        const float mean = ((low[2 * c] + low[2 * c + 1]) + (high[2 * c] + high[2 * c + 1])) * 0.25F;
        out[c] = mean;
        missing |= mean != mean;
    }
    return !missing;
}

enum { LANES = 8 };  // so many are looked at side by side
typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t lane_truth __attribute__((vector_size(4 * LANES)));  // all bits set, or none

MULTIVERSION
static void range_of(const float *values, size_t count, float *least, float *most) {
    lanes low = (lanes){0} + INFINITY, high = -low;
    size_t c = 0;
    for (; c + LANES <= count; c += LANES) {
        lanes value;
        memcpy(&value, values + c, sizeof value);
        const lane_truth less = value < low, more = value > high;  // neither of a missing one
        low = (lanes)(((lane_truth)value & less) | ((lane_truth)low & ~less));
        high = (lanes)(((lane_truth)value & more) | ((lane_truth)high & ~more));
    }
    *least = INFINITY, *most = -INFINITY;
    for (int n = 0; n < LANES; n++) {
        *least = low[n] < *least ? low[n] : *least;
        *most = high[n] > *most ? high[n] : *most;
    }
    for (; c < count; c++) {
        *least = values[c] < *least ? values[c] : *least;
        *most = values[c] > *most ? values[c] : *most;
    }
}

static void widen_range(struct plane *plane, const float *values, size_t count) {
    float low, high;
    range_of(values, count, &low, &high);
    plane->low = low < plane->low ? low : plane->low;
    plane->high = high > plane->high ? high : plane->high;
}

// ranged: its range is that of the values halved, found on the way.
static void halve(const struct plane_level *from, bool degrees, struct plane_level *to, struct plane *ranged) {
    for (size_t y = 0; y < to->ny; y++) {
        const size_t rows = 2 * y + 1 < from->ny ? 2 : 1;
        const float *low = from->values + 2 * y * from->nx, *high = low + (rows - 1) * from->nx;
        float *out = to->values + y * to->nx;
        if (ranged) widen_range(ranged, low, rows * from->nx);
        if (!degrees && rows == 2 && halve_row(low, high, from->nx / 2, out) && from->nx % 2 == 0) continue;
        for (size_t x = 0; x < to->nx; x++) {
            const bool pair = 2 * x + 1 < from->nx;
            if (!degrees && rows == 2 && pair && !isnan(out[x])) continue;
            struct mean_four mean = {0};
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 2 * x; c < 2 * x + (pair ? 2 : 1); c++) mean_add(&mean, (r ? high : low)[c], degrees);
            out[x] = mean_of(&mean, degrees);
        }
    }
}

// --- Making.

int plane_new(const struct plane_content *content, struct plane **plane, struct failure *failure) {
    struct plane_counted *counted = calloc(1, sizeof *counted);
    *plane = NULL;
    if (!counted) {
        free(content->values);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    struct plane *p = &counted->plane;
    const size_t scale = content->scale;
    atomic_init(&counted->references, 1);
    p->nx = content->nx, p->ny = content->ny, p->wraps = content->wraps, p->degrees = content->degrees;
    snprintf(p->method, sizeof p->method, "%s", content->method ? content->method : "");
    p->levels[0] = (struct plane_level){(p->nx + scale - 1) / scale, (p->ny + scale - 1) / scale, content->scale, content->values};
    p->level_count = 1;
    p->memory = sizeof *counted + p->levels[0].nx * p->levels[0].ny * sizeof(float);
    p->low = INFINITY, p->high = -INFINITY;
    for (struct plane_level *l = p->levels; (l->nx > COARSEST || l->ny > COARSEST) && p->level_count < PLANE_LEVELS; l++) {
        l[1] = (struct plane_level){(l->nx + 1) / 2, (l->ny + 1) / 2, 2 * l->scale, NULL};
        if (!(l[1].values = memory_new_large(l[1].nx * l[1].ny, sizeof(float)))) {
            plane_unref(p);
            return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        }
        p->level_count++;
        p->memory += l[1].nx * l[1].ny * sizeof(float);
        halve(l, p->degrees, &l[1], l == p->levels ? p : NULL);
    }
    if (p->level_count == 1) widen_range(p, p->levels[0].values, p->levels[0].nx * p->levels[0].ny);
    *plane = p;
    return VIRGA_OK;
}

// --- A place.

// The two values of an axis around a fractional index of level 0, and the second one's weight.
static bool around(double at, size_t n, bool wraps, size_t pair[2], double *weight) {
    const double last = (double)n - 1;
    if (!(at >= 0 && at <= (wraps ? last + 1 : last))) return false;
    const size_t first = (size_t)at;
    *weight = at - (double)first;
    pair[0] = first < n ? first : 0;
    pair[1] = first + 1 < n ? first + 1 : wraps ? first + 1 - n : first;
    return true;
}

// From indices of the grid to those of level 0, where that is coarser: held beyond its outermost values.
static double to_level(double at, unsigned scale, size_t n, bool wraps) {
    if (scale == 1) return at;
    const double own = (at + 0.5) / scale - 0.5;
    return own < 0 ? (wraps ? own + (double)n : 0) : !wraps && own > (double)n - 1 ? (double)n - 1 : own;
}

size_t plane_level_of(const struct plane *plane, size_t most) {
    size_t n = 0;
    while (n + 1 < plane->level_count && plane->levels[n].nx * plane->levels[n].ny > most) n++;
    return n;
}

double plane_sample(const struct plane *plane, double i, double j) { return plane_sample_level(plane, 0, i, j); }

double plane_sample_level(const struct plane *plane, size_t level, double i, double j) {
    const struct plane_level *l = &plane->levels[level];
    size_t x[2], y[2];
    double fx, fy, sum = 0, east = 0, north = 0, present = 0;
    if (!(i >= 0 && j >= 0 && i <= (double)plane->nx - !plane->wraps && j <= (double)plane->ny - 1)) return NAN;
    if (!around(to_level(i, l->scale, l->nx, plane->wraps), l->nx, plane->wraps, x, &fx) ||
        !around(to_level(j, l->scale, l->ny, false), l->ny, false, y, &fy)) return NAN;
    for (int c = 0; c < 4; c++) {
        const double weight = (c & 1 ? fx : 1 - fx) * (c & 2 ? fy : 1 - fy);
        const double value = (double)l->values[y[c >> 1] * l->nx + x[c & 1]];
        if (isnan(value) || weight == 0) continue;
        present += weight;
        sum += weight * value;
        if (!plane->degrees) continue;
        east += weight * sin(value * degree);
        north += weight * cos(value * degree);
    }
    if (!(present >= 0.5 * (1 - 1e-12))) return NAN;
    if (!plane->degrees) return sum / present;
    const double angle = atan2(east, north) / degree;
    return angle < 0 ? angle + 360 : angle;
}
