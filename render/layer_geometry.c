// SPDX-License-Identifier: Apache-2.0
#define PACKET_WIDTH 1
#include "render/layer_geometry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "render/layer_geometry_private.h"
#include "render/packet_geometry.h"
#include "render/scene_axis.h"

// A table of `count` × `parts` numbers that a packet can index with 32 bits; NULL also where it is larger.
static void *new_table(size_t count, size_t parts, size_t size) {
    size_t numbers;
    if (memory_multiply(count, parts, &numbers) || numbers > INT32_MAX / 2) return NULL;
    return calloc(numbers ? numbers : 1, size);
}

static int prepare_irregular(struct layer_axis *axis, const struct grid *grid, const struct grid_axis *from, int row) {
    const size_t n = from->n;
    axis->values = new_table(n > 2 ? n : 2, 1, sizeof *axis->values);
    axis->guesses = calloc(AXIS_GUESSES, sizeof *axis->guesses);
    if (!axis->values || !axis->guesses) return VIRGA_NO_MEMORY;
    for (size_t i = 0; i < n; i++) axis->values[i] = (float)scene_axis_km(grid, row, (double)i);
    if (n == 1) axis->values[1] = axis->values[0] + (float)(fabs(from->step != 0 ? from->step : 1) * grid->km_per_unit[row]);
    const double first = (double)axis->values[0], last = (double)axis->values[n > 1 ? n - 1 : 1];
    const double rate = (AXIS_GUESSES - 1) / (last - first != 0 ? last - first : 1);
    size_t i = 0;
    for (int g = 0; g < AXIS_GUESSES; g++) {
        while (i + 2 < n && (double)axis->values[i + 1] <= first + g / rate) i++;
        axis->guesses[g] = (int32_t)i;
    }
    axis->first = (float)first;
    axis->per_km = (float)rate;
    return VIRGA_OK;
}

static int prepare_axis(struct layer_axis *axis, const struct grid *grid, const struct grid_axis *from, int row) {
    axis->n = from->n > 1 ? (int32_t)(from->n < INT32_MAX / 4 ? from->n : INT32_MAX / 4) : 1;
    if (!from->regular && from->values && from->n) return prepare_irregular(axis, grid, from, row);
    const double step = from->step != 0 ? from->step : 1;
    axis->rate = (float)(1 / (step * grid->km_per_unit[row]));
    axis->offset = (float)((grid->centre[row] - from->start) / step);
    return VIRGA_OK;
}

// Level at r (which grows by 1 with each `scale` metres) in a column of the table, which goes on linearly above its top.
static double level_at(const struct level_map *map, const float *column, double r) {
    const double u = log(r) / log1p((map->top - map->bottom) / map->scale) * (double)(map->height_count - 1);
    const size_t last = map->height_count - 2, node = u > 0 ? u < (double)last ? (size_t)u : last : 0;
    return (double)column[node] + ((double)column[node + 1] - (double)column[node]) * (u - (double)node);
}

static float float_of_bits(uint32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

// As many nodes as the table has, or up to twice that.
static void choose_nodes(struct layer_geometry *g, const struct level_map *map) {
    const uint32_t one = 0x3f800000;
    uint32_t top;
    g->r_top = (float)fmin(fmax(1 + (map->top - map->bottom) / map->scale, 1), 1e6);
    memcpy(&top, &g->r_top, sizeof top);
    while (g->node_shift < 22 && (top - one) >> (g->node_shift + 1) >= map->height_count) g->node_shift++;
    g->nodes = (int32_t)((top - one) >> g->node_shift) + 1;
}

// Whether one line serves for all nodes of the only column, to less than one sees.
static bool one_line(const struct layer_geometry *g, double from, double rate) {
    const double small = 1.0 / 1024;
    for (int32_t node = 0; node < g->nodes; node++)
        for (uint32_t end = 0; end < 2; end++) {
            const float bound = float_of_bits(0x3f800000 + (((uint32_t)node + end) << g->node_shift));
            const double r = (double)fminf(bound, g->r_top);
            const double k = (double)g->levels[2 * node] + (double)g->levels[2 * node + 1] * r;
            if (!(fabs(k - from - rate * (r - 1)) <= small)) return false;
        }
    return true;
}

// Levels that are evenly apart need no table.
static void prepare_even(struct layer_geometry *g, const struct level_map *map) {
    const double from = level_at(map, map->table, 1), to = level_at(map, map->table, (double)g->r_top);
    const double rate = (to - from) / ((double)g->r_top - 1);
    if (!one_line(g, from, rate)) return;
    g->kind = LAYER_EVEN;
    g->level_rate = (float)(rate / map->scale);
    g->level_offset = (float)(from - rate / map->scale * map->bottom);
}

static int prepare_levels(struct layer_geometry *g, const struct level_map *map) {
    g->bottom = (float)map->bottom;
    g->rate = (float)(1 / map->scale);
    g->parameter_start = (float)map->parameter_start;
    g->parameter_rate = (float)(1 / (map->parameter_step != 0 ? map->parameter_step : 1));
    choose_nodes(g, map);
    if (!(g->levels = new_table(map->columns_x * (size_t)g->nodes, 2, sizeof *g->levels))) return VIRGA_NO_MEMORY;
    float *to = g->levels;
    for (size_t c = 0; c < map->columns_x; c++)
        for (int32_t node = 0; node < g->nodes; node++, to += 2) {
            const float *column = map->table + c * map->height_count;
            const double r0 = (double)float_of_bits(0x3f800000 + ((uint32_t)node << g->node_shift));
            const double r1 = (double)float_of_bits(0x3f800000 + ((uint32_t)(node + 1) << g->node_shift));
            const double k0 = level_at(map, column, r0), b = (level_at(map, column, r1) - k0) / (r1 - r0);
            to[0] = (float)(k0 - b * r0);
            to[1] = (float)b;
        }
    if (g->kind == LAYER_FLAT) prepare_even(g, map);
    return VIRGA_OK;
}

static double mean_height(const struct level_map *map, size_t level) {
    const size_t columns = map->columns_x * map->columns_y;
    double sum = 0;
    for (size_t c = 0; c < columns; c++) sum += (double)map->table[level * columns + c];
    return sum / (double)columns;
}

// Levels to begin a search with, at even steps of the logarithm of height over the mean column.
static int prepare_guesses(struct layer_geometry *g, const struct level_map *map) {
    const size_t n = map->level_count;
    const double scale = 1000, bottom = mean_height(map, 0), top = mean_height(map, n - 1);
    const double span = log1p(fmax(1, top - bottom) / scale);
    if (!(g->guesses = calloc(LEVEL_GUESSES, sizeof *g->guesses))) return VIRGA_NO_MEMORY;
    size_t k = 0;
    double next = n > 1 ? mean_height(map, 1) : top;
    for (int at = 0; at < LEVEL_GUESSES; at++) {
        const double r = bottom + scale * expm1((at + 0.5) / LEVEL_GUESSES * span);
        while (k + 2 < n && next <= r) next = mean_height(map, ++k + 1);
        g->guesses[at] = (float)k;
    }
    g->bottom = (float)bottom;
    g->rate = (float)(1 / scale);
    g->log_rate = (float)(LEVEL_GUESSES / span);
    return VIRGA_OK;
}

// Heights over levels, each with the distance to the next; where the grid wraps the first column follows the last.
static int prepare_heights(struct layer_geometry *g, const struct level_map *map) {
    const size_t across = map->columns_x + g->wraps, n = map->level_count, columns = map->columns_x * map->columns_y;
    g->across = (int32_t)across;
    g->coarse_step = (float)(map->coarse_step ? map->coarse_step : 1);
    if (!(g->levels = new_table(n * map->columns_y * across, 2, sizeof *g->levels))) return VIRGA_NO_MEMORY;
    float *to = g->levels;
    for (size_t k = 0; k < n; k++)
        for (size_t y = 0; y < map->columns_y; y++)
            for (size_t x = 0; x < across; x++, to += 2) {
                const float *at = map->table + y * map->columns_x + x % map->columns_x;
                const size_t from = k + 1 < n || n == 1 ? k : n - 2;
                to[0] = at[k * columns];
                to[1] = n > 1 ? at[(from + 1) * columns] - at[from * columns] : 1;
            }
    return prepare_guesses(g, map);
}

static int prepare_columns(struct layer_geometry *g, const struct level_map *map) {
    const bool coarse = g->kind == LAYER_COARSE;
    const size_t count = map->nx * map->ny;
    if (map->nx != (size_t)g->x.n || map->ny != (size_t)g->y.n) return VIRGA_OK;
    if (!coarse && !map->base && !map->parameter && !map->ground) return VIRGA_OK;
    // With hybrid heights all three are the ground.
    const bool one = !coarse && map->ground && map->base == map->ground && (!map->parameter || map->parameter == map->ground);
    g->column_parts = one ? 1 : 4;
    if (!(g->columns = new_table(count, (size_t)g->column_parts, sizeof *g->columns))) return VIRGA_NO_MEMORY;
    for (size_t c = 0; c < count; c++) {
        float *to = g->columns + c * (size_t)g->column_parts;
        to[0] = map->base ? map->base[c] : 0;
        if (one) continue;
        to[1] = coarse ? map->stretch ? map->stretch[c] : 1 : map->parameter ? map->parameter[c] : 0;
        to[2] = map->ground ? map->ground[c] : 0;
    }
    return VIRGA_OK;
}

static int prepare_map(struct layer_geometry *g, const struct level_map *map) {
    static const enum layer_kind kinds[] = {
        [LEVEL_MAP_FLAT] = LAYER_FLAT, [LEVEL_MAP_BY_SURFACE] = LAYER_BY_SURFACE, [LEVEL_MAP_COARSE] = LAYER_COARSE};
    g->kind = kinds[map->kind];
    g->nz = (int32_t)map->level_count;
    g->columns_x = (int32_t)map->columns_x;
    g->columns_y = (int32_t)map->columns_y;
    const int status = prepare_columns(g, map);
    if (status) return status;
    return g->kind == LAYER_COARSE ? prepare_heights(g, map) : prepare_levels(g, map);
}

int layer_geometry_new(const struct grid *grid, const struct level_map *map, struct layer_geometry **geometry) {
    struct layer_geometry *g = calloc(1, sizeof *g);
    if (!g) return VIRGA_NO_MEMORY;
    g->wraps = grid->wraps;
    g->nz = 1;
    int status = prepare_axis(&g->x, grid, &grid->x, 0);
    if (!status) status = prepare_axis(&g->y, grid, &grid->y, 1);
    if (!status && map) status = prepare_map(g, map);
    if (status) {
        layer_geometry_free(g);
        return status;
    }
    *geometry = g;
    return VIRGA_OK;
}

void layer_geometry_free(struct layer_geometry *g) {
    if (!g) return;
    for (struct layer_axis *axis = &g->x; axis; axis = axis == &g->x ? &g->y : NULL) {
        free(axis->values);
        free(axis->guesses);
    }
    free(g->levels);
    free(g->guesses);
    free(g->columns);
    free(g);
}

void layer_geometry_place(const struct layer_geometry *geometry, const float scene[3], struct layer_place *place) {
    struct packet_place p;
    packet_place(geometry, vf_all(scene[0]), vf_all(scene[1]), vf_all(scene[2]), &p);
    *place = (struct layer_place){{p.i[0], p.j[0], p.k[0]}, {p.di[0], p.dj[0], p.dk[0]}, p.inside[0] != 0};
}

bool layer_geometry_column(const struct layer_geometry *geometry, const float scene[2], float ij[2], float density[2]) {
    struct packet_place p;
    const vi inside = packet_column(geometry, vf_all(scene[0]), vf_all(scene[1]), &p);
    ij[0] = p.i[0], ij[1] = p.j[0];
    density[0] = p.di[0], density[1] = p.dj[0];
    return inside[0] != 0;
}
