// SPDX-License-Identifier: Apache-2.0
#include "field/level_map.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "field/level_map_private.h"

static const double top_tolerance = 1e-4;  // of a level: float32 nodes must not cut off the highest level itself

struct level_map *level_map_new(void) {
    struct level_map_counted *counted = calloc(1, sizeof *counted);
    if (!counted) return NULL;
    atomic_init(&counted->references, 1);
    return &counted->map;
}

struct level_map *level_map_ref(struct level_map *map) {
    if (map) atomic_fetch_add(&((struct level_map_counted *)map)->references, 1);
    return map;
}

void level_map_unref(struct level_map *map) {
    if (!map || atomic_fetch_sub(&((struct level_map_counted *)map)->references, 1) != 1) return;
    if (map->ground != map->base && map->ground != map->parameter) free(map->ground);
    if (map->parameter != map->base) free(map->parameter);
    free(map->base);
    free(map->stretch);
    free(map->table);
    free(map->nominal);
    free(map);
}

// Where fractional (i, j) falls on an nx × ny array, and with which weights.
struct place { size_t at[4]; double weight[4]; };

static void split(double x, size_t n, bool wraps, size_t *a, size_t *b, double *f) {
    double last = (double)n - 1;
    if (!(x > 0)) x = 0;
    if (!wraps && x > last) x = last;
    *a = (size_t)x;
    if (*a >= n) *a = n - 1;
    *f = x - (double)*a;
    *b = *a + 1 < n ? *a + 1 : wraps ? 0 : *a;
}

static struct place place_of(size_t nx, size_t ny, bool wraps, double i, double j) {
    size_t i0, i1, j0, j1;
    double fi, fj;
    split(i, nx, wraps, &i0, &i1, &fi);
    split(j, ny, false, &j0, &j1, &fj);
    return (struct place){{j0 * nx + i0, j0 * nx + i1, j1 * nx + i0, j1 * nx + i1},
                          {(1 - fi) * (1 - fj), fi * (1 - fj), (1 - fi) * fj, fi * fj}};
}

static double bilinear(const float *array, const struct place *p) {
    if (!array) return 0;
    double sum = 0;
    for (int c = 0; c < 4; c++) sum += p->weight[c] * (double)array[p->at[c]];
    return sum;
}

// A column of a coarse axis: entries stand at multiples of step, the last one at n - 1.
static void split_coarse(double x, size_t n, size_t columns, size_t step, bool wraps, size_t *a, size_t *b, double *f) {
    double last = (double)n - 1;
    if (!(x > 0)) x = 0;
    if (x > last) {  // between the last column and the first
        *a = columns - 1, *b = wraps ? 0 : columns - 1, *f = wraps ? x - last : 0;
        return;
    }
    *a = (size_t)(x / (double)step);
    if (*a + 1 >= columns) *a = columns > 1 ? columns - 2 : 0;
    *b = columns > 1 ? *a + 1 : *a;
    double low = (double)(*a * step), high = *b + 1 == columns ? last : (double)(*b * step);
    *f = high > low ? (x - low) / (high - low) : 0;
}

// --- tables of levels over heights: flat, by surface --------------------------------------------------------------------

struct node_place { const float *column[2]; double share; };

static struct node_place node_place_of(const struct level_map *map, const struct place *p) {
    size_t a = 0, b = 0, n = map->height_count;
    double f = 0;
    if (map->kind == LEVEL_MAP_BY_SURFACE) {
        double last = (double)map->columns_x - 1;
        double x = (bilinear(map->parameter, p) - map->parameter_start) / map->parameter_step;
        x = x > 0 ? x < last ? x : last : 0;
        split(x, map->columns_x, false, &a, &b, &f);
    }
    return (struct node_place){{map->table + a * n, map->table + b * n}, f};
}

static double node_level(const struct node_place *p, size_t node) {
    double low = (double)p->column[0][node];
    return p->share == 0 ? low : low + ((double)p->column[1][node] - low) * p->share;
}

static double level_by_nodes(const struct level_map *map, const struct place *p, double r) {
    double u = log1p(fmax(r - map->bottom, 0) / map->scale) / log1p((map->top - map->bottom) / map->scale);
    double at = fmin(u, 1) * (double)(map->height_count - 1);
    size_t node = (size_t)at < map->height_count - 1 ? (size_t)at : map->height_count - 2;
    struct node_place t = node_place_of(map, p);
    double low = node_level(&t, node), high = node_level(&t, node + 1);
    return low + (high - low) * (at - (double)node);
}

static double height_by_nodes(const struct level_map *map, const struct place *p, double k) {
    struct node_place t = node_place_of(map, p);
    size_t low = 0, high = map->height_count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (node_level(&t, middle) <= k) low = middle;
        else high = middle;
    }
    double a = node_level(&t, low), b = node_level(&t, high);
    double at = (double)low + (b > a ? fmin(fmax((k - a) / (b - a), 0), 1) : 0);
    return map->bottom + map->scale * expm1(at / (double)(map->height_count - 1) * log1p((map->top - map->bottom) / map->scale));
}

// --- tables of heights over levels: coarse ------------------------------------------------------------------------------

static struct place coarse_place_of(const struct level_map *map, bool wraps, double i, double j) {
    size_t a, b, c, d;
    double f, g;
    split_coarse(i, map->nx, map->columns_x, map->coarse_step, wraps, &a, &b, &f);
    split_coarse(j, map->ny, map->columns_y, map->coarse_step, false, &c, &d, &g);
    return (struct place){{c * map->columns_x + a, c * map->columns_x + b, d * map->columns_x + a, d * map->columns_x + b},
                          {(1 - f) * (1 - g), f * (1 - g), (1 - f) * g, f * g}};
}

static double level_metres(const struct level_map *map, const struct place *t, size_t k) {
    return bilinear(map->table + k * map->columns_x * map->columns_y, t);
}

static double level_by_search(const struct level_map *map, const struct place *t, double r) {
    size_t low = 0, high = map->level_count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (level_metres(map, t, middle) <= r) low = middle;
        else high = middle;
    }
    double a = level_metres(map, t, low), b = level_metres(map, t, high);
    return (double)low + (b > a ? (r - a) / (b - a) : 0);
}

static double height_by_search(const struct level_map *map, const struct place *t, double k) {
    size_t low = (size_t)fmin(fmax(k, 0), (double)map->level_count - 2);
    double a = level_metres(map, t, low);
    return a + (level_metres(map, t, low + 1) - a) * (k - (double)low);
}

// --- both ---------------------------------------------------------------------------------------------------------------

bool level_map_locate(const struct level_map *map, bool wraps, double i, double j, double height, double *k) {
    struct place p = place_of(map->nx, map->ny, wraps, i, j);
    double last = (double)map->level_count - 1;
    if (!isfinite(height) || height < bilinear(map->ground, &p) - 1e-6) return false;
    double r = height - bilinear(map->base, &p);
    if (map->stretch) r /= bilinear(map->stretch, &p);
    if (map->kind == LEVEL_MAP_COARSE) {
        struct place t = coarse_place_of(map, wraps, i, j);
        *k = level_by_search(map, &t, r);
    } else {
        if (r > map->top + 1e-3) return false;
        *k = level_by_nodes(map, &p, r);
    }
    if (*k > last + top_tolerance) return false;
    *k = fmin(fmax(*k, 0), last);
    return true;
}

double level_map_height(const struct level_map *map, bool wraps, double i, double j, double k) {
    struct place p = place_of(map->nx, map->ny, wraps, i, j);
    double base = bilinear(map->base, &p);
    if (map->kind != LEVEL_MAP_COARSE) return base + height_by_nodes(map, &p, k);
    struct place t = coarse_place_of(map, wraps, i, j);
    return base + height_by_search(map, &t, k) * (map->stretch ? bilinear(map->stretch, &p) : 1);
}
