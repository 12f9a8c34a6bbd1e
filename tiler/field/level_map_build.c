// SPDX-License-Identifier: Apache-2.0
// Making level maps from exact heights. Where heights follow from the surface, nodes are placed by trial: the stretching
// that leaves the smallest error. Where they vary in any way: level_map_coarse.c.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "field/level_heights.h"
#include "field/level_map_private.h"

enum { NODES_FLAT = LEVEL_MAP_NODES, NODES_BY_SURFACE = 1024, SURFACE_COLUMNS = 129 };
static const double near_error = 5, far_error = 20, near_height = 3000;

// Heights of the table's nodes above the base.
static void place_nodes(struct map_builder *b) {
    const struct level_map *map = b->map;
    double length = log1p((map->top - map->bottom) / map->scale);
    for (size_t node = 0; node < map->height_count; node++)
        b->nodes[node] = map->bottom + map->scale * expm1(length * (double)node / (double)(map->height_count - 1));
}

// Fills a table column from heights relative to the base, rising.
static void fill_column(const struct map_builder *b, const double *relative, float *nodes) {
    size_t k = 0, n = b->map->level_count;
    for (size_t node = 0; node < b->map->height_count; node++) {
        double r = b->nodes[node];
        while (k + 2 < n && relative[k + 1] <= r) k++;
        nodes[node] = (float)((double)k + (r - relative[k]) / (relative[k + 1] - relative[k]));
    }
}

static bool rises(const double *column, size_t n) {
    for (size_t k = 0; k < n; k++)
        if (!isfinite(column[k]) || fabs(column[k]) > 1e6 || (k > 0 && !(column[k] - column[k - 1] > 1e-3))) return false;
    return true;
}

// Height at fractional level k of a column.
static double column_height(const double *column, size_t n, double k) {
    size_t a = (size_t)fmin(fmax(k, 0), (double)n - 2);
    return column[a] + (column[a + 1] - column[a]) * (k - (double)a);
}

double map_builder_error(const struct map_builder *b, const double *column, double i, double j, struct map_error *error) {
    size_t n = b->heights->level_count;
    double ground = level_heights_ground(b->heights, b->wraps, i, j), worst = 0;
    for (size_t k = 0; k < n; k++)
        for (int part = 0; part < 4 && (part == 0 || k + 1 < n); part++) {
            double h = column_height(column, n, (double)k + 0.25 * part), mapped;
            if (h < ground) continue;
            // A hair above the highest level's place the map says "outside": judged just below it.
            if (!level_map_locate(b->map, b->wraps, i, j, h, &mapped)) mapped = (double)n - 1;
            double metres = fabs(column_height(column, n, mapped) - h);
            bool near = h - (b->heights->ground ? ground : 0) < near_height;
            worst = fmax(worst, metres / (near ? near_error : far_error));
            double *largest = near ? &error->low : &error->high;
            *largest = fmax(*largest, metres);
        }
    return worst;
}

void map_builder_column(const struct map_builder *b, double i, double j) {
    for (size_t k = 0; k < b->heights->level_count; k++)
        b->column[k] = level_heights_between(b->heights, b->wraps, i, j, k);
}

int map_builder_table(struct level_map *map, size_t count) {
    free(map->table);
    map->table = calloc(count, sizeof *map->table);
    map->table_count = count;
    return map->table ? VIRGA_OK : VIRGA_NO_MEMORY;
}

// --- flat, and following the surface -----------------------------------------------------------------------------------

// Heights above the base, for a surface height of p.
static void relative_column(const struct level_heights *h, double p, double *column) {
    for (size_t k = 0; k < h->level_count; k++) column[k] = h->a[k] + (h->b ? (h->b[k] - 1) * p : 0);
}

static int fill_by_surface(struct map_builder *b) {
    struct level_map *map = b->map;
    int status = map_builder_table(map, map->columns_x * map->height_count);
    place_nodes(b);
    for (size_t c = 0; !status && c < map->columns_x; c++) {
        relative_column(b->heights, map->parameter_start + (double)c * map->parameter_step, b->column);
        fill_column(b, b->column, map->table + c * map->height_count);
    }
    return status;
}

// Heights follow from the surface alone, so a sweep over surface heights, between the table's columns too, meets every error.
static double sweep_error(struct map_builder *b, double low, double high, struct map_error *error) {
    struct level_heights line = *b->heights;
    struct level_map across = *b->map;
    float surface;
    double worst = 0;
    size_t parts = high > low ? 4 * (SURFACE_COLUMNS - 1) : 0;
    struct map_builder at = {.heights = &line, .map = &across, .column = b->column};
    line.nx = line.ny = across.nx = across.ny = 1;
    for (size_t s = 0; s <= parts; s++) {
        surface = (float)(low + (high - low) * (parts ? (double)s / (double)parts : 0));
        if (line.surface) line.surface = &surface;
        if (line.ground) line.ground = &surface;
        if (across.base) across.base = &surface;
        if (across.parameter) across.parameter = &surface;
        if (across.ground) across.ground = &surface;
        map_builder_column(&at, 0, 0);
        worst = fmax(worst, map_builder_error(&at, b->column, 0, 0, error));
    }
    return worst;
}

static void surface_range(const struct level_heights *h, double *low, double *high) {
    *low = *high = h->surface ? (double)h->surface[0] : 0;
    for (size_t c = 0; h->surface && c < h->nx * h->ny; c++) {
        *low = fmin(*low, (double)h->surface[c]);
        *high = fmax(*high, (double)h->surface[c]);
    }
}

float *map_builder_copy(const float *from, size_t count) {
    float *to = malloc(count * sizeof *to);
    return to ? memcpy(to, from, count * sizeof *to) : NULL;
}

static int build_by_surface(struct map_builder *b, struct failure *failure) {
    static const double scales[] = {30, 100, 300, 1000, 3000, 10000};
    const struct level_heights *h = b->heights;
    struct level_map *map = b->map;
    double low, high, best = INFINITY, best_scale = scales[0];
    bool follows = false, varies = false;
    size_t n = h->level_count;
    int status;
    for (size_t k = 0; h->b && h->surface && k < n; k++) follows |= h->b[k] != 0, varies |= h->b[k] != 1;
    surface_range(h, &low, &high);
    map->kind = follows && varies && high > low ? LEVEL_MAP_BY_SURFACE : LEVEL_MAP_FLAT;
    if (follows && !(map->base = map_builder_copy(h->surface, h->nx * h->ny))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (h->ground) map->ground = follows && h->ground == h->surface ? map->base : map_builder_copy(h->ground, h->nx * h->ny);
    if (h->ground && !map->ground) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    map->columns_x = map->columns_y = 1;
    map->height_count = NODES_FLAT;
    map->parameter_start = low;
    map->parameter_step = 1;
    if (map->kind == LEVEL_MAP_BY_SURFACE) {
        map->parameter = map->base;
        map->height_count = NODES_BY_SURFACE;
        map->parameter_step = fmax(20, (high - low) / (SURFACE_COLUMNS - 1));
        map->columns_x = (size_t)ceil((high - low) / map->parameter_step) + 1;
        if (map->columns_x < 2) map->columns_x = 2;
    }
    map->bottom = h->ground && follows ? 0 : INFINITY;
    map->top = -INFINITY;
    for (int end = 0; end < 2; end++) {
        double p = end ? high : low;
        if (follows) relative_column(h, p, b->column);
        else memcpy(b->column, h->a, n * sizeof *b->column);
        if (!rises(b->column, n))
            return failure_set(failure, VIRGA_UNSUPPORTED, "its levels do not rise with their number over ground of %g m", p);
        map->bottom = fmin(map->bottom, b->column[0]);
        map->top = fmax(map->top, b->column[n - 1]);
    }
    if (map->bottom > 0) map->bottom = 0;  // values are held down to the ground
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        struct map_error error = {0, 0};
        map->scale = scales[s];
        if ((status = fill_by_surface(b))) return failure_set(failure, status, "out of memory");
        double worst = sweep_error(b, low, high, &error);
        if (worst < best) best = worst, best_scale = scales[s], b->error = error;
    }
    map->scale = best_scale;
    if ((status = fill_by_surface(b))) return failure_set(failure, status, "out of memory");
    return VIRGA_OK;
}

// --- what both state ---------------------------------------------------------------------------------------------------

static int describe(struct map_builder *b) {
    const struct level_heights *h = b->heights;
    struct level_map *map = b->map;
    size_t n = h->level_count, columns = h->nx * h->ny;
    map->nominal = calloc(n, sizeof *map->nominal);
    if (!map->nominal) return VIRGA_NO_MEMORY;
    map->lowest = h->lowest;
    map->highest = h->highest;
    for (size_t k = 0; k < n; k++) map->nominal[k] = h->field ? h->mean[k] : h->a[k];
    if (h->field) return VIRGA_OK;
    map->lowest = INFINITY;
    map->highest = -INFINITY;
    for (size_t c = 0; c < columns; c++) {
        map->lowest = fmin(map->lowest, level_heights_at(h, c % h->nx, c / h->nx, 0));
        map->highest = fmax(map->highest, level_heights_at(h, c % h->nx, c / h->nx, n - 1));
    }
    return VIRGA_OK;
}

static void hash_contents(struct level_map *map) {
    XXH3_state_t *state = XXH3_createState();
    double numbers[] = {(double)map->kind, (double)map->datum, (double)map->nx, (double)map->ny, (double)map->level_count, map->bottom,
                        map->top, map->scale, (double)map->height_count, (double)map->columns_x, (double)map->columns_y,
                        (double)map->coarse_step, map->parameter_start, map->parameter_step, map->base == NULL, map->ground == NULL, map->stretch == NULL};
    if (!state) return;
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, numbers, sizeof numbers);
    XXH3_128bits_update(state, map->method, strlen(map->method));
    XXH3_128bits_update(state, map->coordinate, strlen(map->coordinate));
    XXH3_128bits_update(state, map->table, map->table_count * sizeof *map->table);
    XXH3_128bits_update(state, map->nominal, map->level_count * sizeof *map->nominal);
    if (map->base) XXH3_128bits_update(state, map->base, map->nx * map->ny * sizeof *map->base);
    if (map->stretch) XXH3_128bits_update(state, map->stretch, map->nx * map->ny * sizeof *map->stretch);
    if (map->ground) XXH3_128bits_update(state, map->ground, map->nx * map->ny * sizeof *map->ground);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(map->id, sizeof map->id, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

int level_map_build(const struct level_heights *heights, bool wraps, const char *identity, struct level_map **result,
                    struct failure *failure) {
    struct map_builder b = {.heights = heights, .wraps = wraps, .map = level_map_new(), .column = calloc(heights->level_count + 1, sizeof(double))};
    int status = VIRGA_NO_MEMORY;
    *result = NULL;
    if (!b.map || !b.column) {
        failure_set(failure, status, "out of memory");
        goto out;
    }
    if (heights->level_count < 2) {
        status = failure_set(failure, VIRGA_UNSUPPORTED, "it has fewer than two levels");
        goto out;
    }
    b.map->datum = heights->datum;
    memcpy(b.map->method, heights->method, sizeof b.map->method);
    b.map->coordinate = heights->coordinate;
    b.map->nx = heights->nx;
    b.map->ny = heights->ny;
    b.map->level_count = heights->level_count;
    b.map->tested_columns = heights->nx * heights->ny;
    status = heights->field ? map_builder_coarse(&b, failure) : build_by_surface(&b, failure);
    b.map->error_low = b.error.low;
    b.map->error_high = b.error.high;
    b.map->max_error = fmax(b.error.low, b.error.high);
    if (!status && (status = describe(&b))) failure_set(failure, status, "out of memory");
    if (status) goto out;
    if (identity) snprintf(b.map->id, sizeof b.map->id, "%s", identity);
    else hash_contents(b.map);
    *result = b.map;
    b.map = NULL;
out:
    level_map_unref(b.map);
    free(b.column);
    return status;
}
