// SPDX-License-Identifier: Apache-2.0
// Making level maps from exact heights. Where heights follow from the surface, nodes are placed by trial: the stretching
// that leaves the smallest error. Where they vary in any way, the coarsest horizontal step and fewest nodes are taken that
// keep the error within 5 m below 3 km and 20 m above, else those with the smallest error a table of bounded size allows.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "field/level_heights.h"
#include "field/level_map_private.h"

enum {
    NODES_FLAT = 4096, NODES_BY_SURFACE = 1024, NODES_COARSE = 256,
    SURFACE_COLUMNS = 129, COARSE_NUMBERS = 3 << 20, COARSE_MOST = 8 << 20, COARSE_STEP = 8, TEST_COLUMNS = 400, FINAL_LEVELS = 1 << 18,
};
static const double coarse_scale = 4000;  // metres; suits the usual pressure levels
static const double near_error = 5, far_error = 20, near_height = 3000;

struct builder {
    const struct level_heights *heights;
    bool wraps;
    struct level_map *map;
    double *column;  // [level_count] scratch
    double nodes[NODES_FLAT];
};

// Heights of the table's nodes above the base.
static void place_nodes(struct builder *b) {
    const struct level_map *map = b->map;
    double length = log1p((map->top - map->bottom) / map->scale);
    for (size_t node = 0; node < map->height_count; node++)
        b->nodes[node] = map->bottom + map->scale * expm1(length * (double)node / (double)(map->height_count - 1));
}

// Fills a table column from heights relative to the base, rising.
static void fill_column(const struct builder *b, const double *relative, float *nodes) {
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

// Largest error, in units of what is allowed, of the map over one exact column at (i, j); *metres gathers the largest.
static double column_error(const struct builder *b, const double *column, double i, double j, double *metres) {
    size_t n = b->heights->level_count;
    double ground = level_heights_ground(b->heights, b->wraps, i, j), worst = 0;
    for (size_t k = 0; k < n; k++)
        for (int part = 0; part < 4 && (part == 0 || k + 1 < n); part++) {
            double h = column_height(column, n, (double)k + 0.25 * part), mapped;
            if (h < ground) continue;
            // A hair above the highest level's place the map says "outside": judged just below it.
            if (!level_map_locate(b->map, b->wraps, i, j, h, &mapped)) mapped = (double)n - 1;
            double error = fabs(column_height(column, n, mapped) - h);
            double above = h - (b->heights->ground ? ground : 0);
            worst = fmax(worst, error / (above < near_height ? near_error : far_error));
            *metres = fmax(*metres, error);
        }
    return worst;
}

static void exact_column(const struct builder *b, double i, double j) {
    for (size_t k = 0; k < b->heights->level_count; k++)
        b->column[k] = level_heights_between(b->heights, b->wraps, i, j, k);
}

static double place_error(const struct builder *b, double i, double j, double *metres) {
    exact_column(b, i, j);
    return column_error(b, b->column, i, j, metres);
}

// Error over all columns, or where there are more than `limit` over so many spread by a sequence that keeps step with neither
// the grid nor the table; at grid points and between them. Returns what column_error does; *tested counts the columns.
static double sampled_error(const struct builder *b, size_t limit, double *metres, size_t *tested) {
    size_t nx = b->heights->nx, ny = b->heights->ny, total = nx * ny, count = total < limit ? total : limit;
    double worst = 0, x = 0.5, y = 0.5;
    for (size_t c = 0; c < count; c++) {
        x = fmod(x + 0.7548776662466927, 1), y = fmod(y + 0.5698402909980532, 1);
        double i = count == total ? (double)(c % nx) : floor(x * (double)nx), j = count == total ? (double)(c / nx) : floor(y * (double)ny);
        worst = fmax(worst, place_error(b, i, j, metres));
        if (i + 0.5 < (double)nx - 1 && j + 0.5 < (double)ny - 1) worst = fmax(worst, place_error(b, i + 0.5, j + 0.5, metres));
    }
    *tested = count;
    return worst;
}

static int new_table(struct level_map *map) {
    size_t count;
    free(map->table);
    map->table = NULL;
    if (memory_multiply(map->columns_x * map->columns_y, map->height_count, &count)) return VIRGA_TOO_LARGE;
    map->table = calloc(count, sizeof *map->table);
    return map->table ? VIRGA_OK : VIRGA_NO_MEMORY;
}

// --- flat, and following the surface -----------------------------------------------------------------------------------

// Heights above the base, for a surface height of p.
static void relative_column(const struct level_heights *h, double p, double *column) {
    for (size_t k = 0; k < h->level_count; k++) column[k] = h->a[k] + (h->b ? (h->b[k] - 1) * p : 0);
}

static int fill_by_surface(struct builder *b) {
    struct level_map *map = b->map;
    int status = new_table(map);
    place_nodes(b);
    for (size_t c = 0; !status && c < map->columns_x; c++) {
        relative_column(b->heights, map->parameter_start + (double)c * map->parameter_step, b->column);
        fill_column(b, b->column, map->table + c * map->height_count);
    }
    return status;
}

// Heights follow from the surface alone, so a sweep over surface heights, between the table's columns too, meets every error.
static double sweep_error(struct builder *b, double low, double high, double *metres) {
    struct level_heights line = *b->heights;
    struct level_map across = *b->map;
    float surface;
    double worst = 0;
    size_t parts = high > low ? 4 * (SURFACE_COLUMNS - 1) : 0;
    struct builder at = {.heights = &line, .map = &across, .column = b->column};
    line.nx = line.ny = across.nx = across.ny = 1;
    for (size_t s = 0; s <= parts; s++) {
        surface = (float)(low + (high - low) * (parts ? (double)s / (double)parts : 0));
        if (line.surface) line.surface = &surface;
        if (line.ground) line.ground = &surface;
        if (across.base) across.base = &surface;
        if (across.parameter) across.parameter = &surface;
        if (across.ground) across.ground = &surface;
        exact_column(&at, 0, 0);
        worst = fmax(worst, column_error(&at, b->column, 0, 0, metres));
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

static float *copy_floats(const float *from, size_t count) {
    float *to = malloc(count * sizeof *to);
    return to ? memcpy(to, from, count * sizeof *to) : NULL;
}

static int build_by_surface(struct builder *b, struct failure *failure) {
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
    if (follows && !(map->base = copy_floats(h->surface, h->nx * h->ny))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (h->ground) map->ground = follows && h->ground == h->surface ? map->base : copy_floats(h->ground, h->nx * h->ny);
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
        double metres = 0;
        map->scale = scales[s];
        if ((status = fill_by_surface(b))) return failure_set(failure, status, "out of memory");
        double error = sweep_error(b, low, high, &metres);
        if (error < best) best = error, best_scale = scales[s], map->max_error = metres;
    }
    map->scale = best_scale;
    if ((status = fill_by_surface(b))) return failure_set(failure, status, "out of memory");
    return VIRGA_OK;
}

// --- heights that vary in any way --------------------------------------------------------------------------------------

static size_t coarse_columns(size_t n, size_t step) { return (n - 1 + step - 1) / step + 1; }

static int fill_coarse(struct builder *b) {
    struct level_map *map = b->map;
    map->columns_x = coarse_columns(map->nx, map->coarse_step);
    map->columns_y = coarse_columns(map->ny, map->coarse_step);
    int status = new_table(map);
    place_nodes(b);
    for (size_t cj = 0; !status && cj < map->columns_y; cj++)
        for (size_t ci = 0; ci < map->columns_x; ci++) {
            size_t i = ci * map->coarse_step, j = cj * map->coarse_step;
            if (i > map->nx - 1) i = map->nx - 1;
            if (j > map->ny - 1) j = map->ny - 1;
            exact_column(b, (double)i, (double)j);
            for (size_t k = 0; map->base && k < map->level_count; k++) b->column[k] -= (double)map->base[j * map->nx + i];
            fill_column(b, b->column, map->table + (cj * map->columns_x + ci) * map->height_count);
        }
    return status;
}

static int check_field(struct builder *b, struct failure *failure) {
    const struct level_heights *h = b->heights;
    for (size_t j = 0; j < h->ny; j++)
        for (size_t i = 0; i < h->nx; i++) {
            for (size_t k = 0; k < h->level_count; k++) b->column[k] = level_heights_at(h, i, j, k);
            if (!rises(b->column, h->level_count))
                return failure_set(failure, VIRGA_UNSUPPORTED, "its heights do not rise with the levels in column %zu, %zu", i, j);
        }
    return VIRGA_OK;
}

// The heights of one level, less their mean: what the table then has to follow is only how thicknesses vary, which is smoother.
static int base_on_level(struct builder *b, size_t level) {
    const struct level_heights *h = b->heights;
    struct level_map *map = b->map;
    size_t columns = h->nx * h->ny;
    double mean = 0;
    if (!map->base && !(map->base = malloc(columns * sizeof *map->base))) return VIRGA_NO_MEMORY;
    for (size_t c = 0; c < columns; c++) mean += (double)h->field[level * columns + c] / (double)columns;
    map->bottom = INFINITY;
    map->top = -INFINITY;
    for (size_t c = 0; c < columns; c++) {
        map->base[c] = (float)((double)h->field[level * columns + c] - mean);
        double ground = h->ground ? (double)h->ground[c] : 0;
        map->bottom = fmin(map->bottom, fmin((double)h->field[c], ground) - (double)map->base[c]);
        map->top = fmax(map->top, (double)h->field[(h->level_count - 1) * columns + c] - (double)map->base[c]);
    }
    return VIRGA_OK;
}

// The level about 1.2 km up: there the error of following it is smallest where it is allowed least.
static size_t reference_level(const struct level_heights *h) {
    size_t columns = h->nx * h->ny, best = 0;
    double best_distance = INFINITY;
    for (size_t k = 0; k < h->level_count; k++) {
        double mean = 0;
        for (size_t c = 0; c < columns; c++) mean += (double)h->field[k * columns + c] / (double)columns;
        if (fabs(mean - 1200) < best_distance) best_distance = fabs(mean - 1200), best = k;
    }
    return best;
}

static int build_coarse(struct builder *b, struct failure *failure) {
    static const size_t nodes[] = {NODES_COARSE, NODES_COARSE * 3 / 2, NODES_COARSE * 2};
    struct level_map *map = b->map;
    const struct level_heights *h = b->heights;
    int status;
    map->kind = LEVEL_MAP_COARSE;
    map->coarse_step = COARSE_STEP;
    if (h->ground && !(map->ground = copy_floats(h->ground, h->nx * h->ny))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if ((status = check_field(b, failure))) return status;
    if ((status = base_on_level(b, reference_level(h)))) return failure_set(failure, status, "out of memory");
    map->scale = coarse_scale;
    size_t first = COARSE_STEP;
    while (coarse_columns(map->nx, first) * coarse_columns(map->ny, first) * NODES_COARSE > COARSE_MOST) first *= 2;
    size_t best_nodes = NODES_COARSE, best_step = first, tested;
    double best = INFINITY;
    for (size_t step = first; step >= 1 && best > 1; step /= 2)
        for (size_t n = 0; n < 3; n++) {
            double metres = 0;
            map->coarse_step = step;
            map->height_count = nodes[n];
            if (coarse_columns(map->nx, step) * coarse_columns(map->ny, step) * nodes[n] > (step == first ? COARSE_MOST : COARSE_NUMBERS)) continue;
            if ((status = fill_coarse(b))) return failure_set(failure, status, "out of memory");
            double error = sampled_error(b, TEST_COLUMNS, &metres, &tested);
            if (error < best) best = error, best_nodes = nodes[n], best_step = step;
            if (error > 2.5 || best <= 1) break;  // more nodes do not help where columns are too far apart
        }
    map->coarse_step = best_step;
    map->height_count = best_nodes;
    if ((status = fill_coarse(b))) return failure_set(failure, status, "out of memory");
    map->max_error = 0;
    sampled_error(b, FINAL_LEVELS / h->level_count + 4 * TEST_COLUMNS, &map->max_error, &map->tested_columns);
    return VIRGA_OK;
}

// --- what both state ---------------------------------------------------------------------------------------------------

static int describe(struct builder *b) {
    const struct level_heights *h = b->heights;
    struct level_map *map = b->map;
    size_t n = h->level_count, columns = h->nx * h->ny;
    map->nominal = calloc(n, sizeof *map->nominal);
    if (!map->nominal) return VIRGA_NO_MEMORY;
    map->lowest = INFINITY;
    map->highest = -INFINITY;
    for (size_t c = 0; c < columns; c++) {
        map->lowest = fmin(map->lowest, level_heights_at(h, c % h->nx, c / h->nx, 0));
        map->highest = fmax(map->highest, level_heights_at(h, c % h->nx, c / h->nx, n - 1));
    }
    for (size_t k = 0; k < n; k++) {
        if (!h->field) map->nominal[k] = h->a[k];
        for (size_t c = 0; h->field && c < columns; c++) map->nominal[k] += (double)h->field[k * columns + c] / (double)columns;
    }
    return VIRGA_OK;
}

static void hash_contents(struct level_map *map) {
    XXH3_state_t *state = XXH3_createState();
    double numbers[] = {(double)map->kind, (double)map->datum, (double)map->nx, (double)map->ny, (double)map->level_count, map->bottom,
                        map->top, map->scale, (double)map->height_count, (double)map->columns_x, (double)map->columns_y,
                        (double)map->coarse_step, map->parameter_start, map->parameter_step, map->base == NULL, map->ground == NULL};
    if (!state) return;
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, numbers, sizeof numbers);
    XXH3_128bits_update(state, map->method, strlen(map->method));
    XXH3_128bits_update(state, map->coordinate, strlen(map->coordinate));
    XXH3_128bits_update(state, map->table, map->columns_x * map->columns_y * map->height_count * sizeof *map->table);
    XXH3_128bits_update(state, map->nominal, map->level_count * sizeof *map->nominal);
    if (map->base) XXH3_128bits_update(state, map->base, map->nx * map->ny * sizeof *map->base);
    if (map->ground) XXH3_128bits_update(state, map->ground, map->nx * map->ny * sizeof *map->ground);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(map->id, sizeof map->id, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

int level_map_build(const struct level_heights *heights, bool wraps, const char *identity, struct level_map **result,
                    struct failure *failure) {
    struct builder b = {.heights = heights, .wraps = wraps, .map = level_map_new(), .column = calloc(heights->level_count + 1, sizeof(double))};
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
    b.map->method = heights->method;
    b.map->coordinate = heights->coordinate;
    b.map->nx = heights->nx;
    b.map->ny = heights->ny;
    b.map->level_count = heights->level_count;
    b.map->tested_columns = heights->nx * heights->ny;
    status = heights->field ? build_coarse(&b, failure) : build_by_surface(&b, failure);
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
