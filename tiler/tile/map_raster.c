// SPDX-License-Identifier: Apache-2.0
#include "tile/map_raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/multiversion.h"

static const float half = 0.5F - 1e-6F;  // of the weights, that must be present

// --- Which level, and where its values stand.

static const struct plane_level *level_for(const struct map_places *places, const struct plane *plane) {
    const struct plane_level *level = &plane->levels[0];
    for (size_t l = 1; l < plane->level_count && plane->levels[l].scale <= places->spacing * M_SQRT2; l++) level = &plane->levels[l];
    return level;
}

// The two values around an index of the grid on an axis of a level, and the second one's share.
static void around(double index, unsigned scale, size_t n, bool wraps, uint32_t pair[2], float *share) {
    double at = (index + 0.5) / scale - 0.5;
    if (wraps && at < 0) at += (double)n;
    at = fmax(0, fmin(wraps ? (double)n : (double)n - 1, at));
    const size_t first = at < (double)n ? (size_t)at : 0;
    *share = (float)(at < (double)n ? at - (double)first : 0);
    pair[0] = (uint32_t)first;
    pair[1] = (uint32_t)(first + 1 < n ? first + 1 : wraps ? 0 : first);
}

// --- Longitude by longitude and latitude by latitude: each row of the level is laid out along the pixels once, then pixels are between two such lines.

struct line {
    size_t row;      // of the level
    bool filled, whole;
    float *sum, *present;  // [width]: values times their weight, and the weights of those present
};

struct rows {
    const struct map_places *places;
    const struct plane_level *level;
    bool wraps;
    uint32_t *first, *second;  // [width]
    float *share;
    float *values;             // [width], a row of the map
    uint32_t *outside;         // columns without a place
    size_t outside_count;
    struct line lines[2];
    void *memory;
};

static bool rows_init(struct rows *rows, const struct map_places *places, const struct plane *plane) {
    const size_t width = places->width, padded = (width + 15) / 16 * 16;
    *rows = (struct rows){.places = places, .level = level_for(places, plane), .wraps = plane->wraps};
    float *memory = malloc(padded * 9 * sizeof(float));
    if (!memory) return false;
    rows->memory = memory;
    rows->first = (uint32_t *)(void *)memory;
    rows->second = rows->first + padded;
    rows->outside = rows->second + padded;
    rows->share = memory + 3 * padded;
    rows->values = memory + 4 * padded;
    for (int l = 0; l < 2; l++) {
        rows->lines[l].sum = memory + (5 + 2 * (size_t)l) * padded;
        rows->lines[l].present = memory + (6 + 2 * (size_t)l) * padded;
    }
    for (size_t x = 0; x < width; x++) {
        uint32_t pair[2];
        if (isnan(places->i[x])) rows->outside[rows->outside_count++] = (uint32_t)x;
        around(isnan(places->i[x]) ? 0 : places->i[x], rows->level->scale, rows->level->nx, plane->wraps, pair, &rows->share[x]);
        rows->first[x] = pair[0];
        rows->second[x] = pair[1];
    }
    return true;
}

MULTIVERSION static bool lay_whole(const float *row, const uint32_t *first, const uint32_t *second, const float *share, size_t n, float *sum) {
    int missing = 0;
    for (size_t x = 0; x < n; x++) {
        const float a = row[first[x]], b = row[second[x]], value = a + (b - a) * share[x];
        sum[x] = value;
        missing |= value != value;
    }
    return !missing;
}

MULTIVERSION static void lay_partial(const float *row, const uint32_t *first, const uint32_t *second, const float *share, size_t n, float *sum,
                                     float *present) {
    for (size_t x = 0; x < n; x++) {
        const float a = row[first[x]], b = row[second[x]];
        const float of_a = a == a ? 1 - share[x] : 0, of_b = b == b ? share[x] : 0;
        present[x] = of_a + of_b;
        sum[x] = (a == a ? a : 0) * of_a + (b == b ? b : 0) * of_b;
    }
}

static const struct line *line_of(struct rows *rows, size_t row) {
    struct line *line = &rows->lines[row % 2];
    if (line->filled && line->row == row) return line;
    const float *values = rows->level->values + row * rows->level->nx;
    const size_t n = rows->places->width;
    line->row = row;
    line->filled = true;
    line->whole = lay_whole(values, rows->first, rows->second, rows->share, n, line->sum);
    if (!line->whole) lay_partial(values, rows->first, rows->second, rows->share, n, line->sum, line->present);
    else for (size_t x = 0; x < n; x++) line->present[x] = 1;
    return line;
}

MULTIVERSION static void between_whole(const float *low, const float *high, float share, size_t n, float *values) {
    for (size_t x = 0; x < n; x++) values[x] = low[x] + (high[x] - low[x]) * share;
}

MULTIVERSION static void between_partial(const struct line *low, const struct line *high, float share, size_t n, float *values) {
    const float *a = low->sum, *b = high->sum, *of_a = low->present, *of_b = high->present;
    for (size_t x = 0; x < n; x++) {
        const float present = of_a[x] + (of_b[x] - of_a[x]) * share, sum = a[x] + (b[x] - a[x]) * share;
        values[x] = present >= half ? sum / present : NAN;
    }
}

// A row of the map; NULL where all of it is outside.
static const float *rows_values(struct rows *rows, unsigned row) {
    const size_t n = rows->places->width;
    if (isnan(rows->places->j[row])) return NULL;
    uint32_t pair[2];
    float share;
    around(rows->places->j[row], rows->level->scale, rows->level->ny, false, pair, &share);
    const struct line *low = line_of(rows, pair[0]), *high = line_of(rows, pair[1]);
    if (low->whole && high->whole) between_whole(low->sum, high->sum, share, n, rows->values);
    else between_partial(low, high, share, n, rows->values);
    for (size_t k = 0; k < rows->outside_count; k++) rows->values[rows->outside[k]] = NAN;
    return rows->values;
}

// --- One place after the other.

struct corners {
    uint32_t x[2], y[2];
    float across, up;
};

static void corners_at(const struct plane *plane, const struct plane_level *level, double i, double j, struct corners *corners) {
    around(i, level->scale, level->nx, plane->wraps, corners->x, &corners->across);
    around(j, level->scale, level->ny, false, corners->y, &corners->up);
}

static float corner(const struct plane_level *level, const struct corners *corners, int c) {
    return level->values[corners->y[c >> 1] * level->nx + corners->x[c & 1]];
}

static float weight_of(const struct corners *corners, int c) {
    return (c & 1 ? corners->across : 1 - corners->across) * (c & 2 ? corners->up : 1 - corners->up);
}

static float value_between(const struct plane *plane, const struct plane_level *level, double i, double j) {
    struct corners corners;
    float sum = 0, present = 0, first = NAN;
    corners_at(plane, level, i, j, &corners);
    for (int c = 0; c < 4; c++) {
        float value = corner(level, &corners, c);
        const float weight = weight_of(&corners, c);
        if (isnan(value) || weight <= 0) continue;
        if (plane->degrees && !isnan(first)) value = first + remainderf(value - first, 360);
        else first = value;
        sum += weight * value;
        present += weight;
    }
    if (!(present >= half)) return NAN;
    const float value = sum / present;
    return !plane->degrees ? value : value < 0 ? value + 360 : value >= 360 ? value - 360 : value;
}

static float value_nearest(const struct plane *plane, const struct plane_level *level, double i, double j) {
    struct corners corners;
    corners_at(plane, level, i, j, &corners);
    return corner(level, &corners, (corners.across >= 0.5F) + 2 * (corners.up >= 0.5F));
}

static void place_by_place(const struct map_places *places, const struct plane *plane, bool nearest, unsigned row, float *values) {
    const struct plane_level *level = nearest ? &plane->levels[0] : level_for(places, plane);
    for (unsigned x = 0; x < places->width; x++) {
        double i, j;
        if (!map_places_at(places, x, row, &i, &j)) values[x] = NAN;
        else values[x] = nearest ? value_nearest(plane, level, i, j) : value_between(plane, level, i, j);
    }
}

// --- Anywhere, all four corners together where they are all there.

struct level_corners {  // of a level, with the numbers that places are turned to its own by
    const float *values;
    int32_t nx, last_x, last_y;
    float factor, offset_x, offset_y;
    bool wraps;
};

MULTIVERSION static void bilinear_row(const struct level_corners *level, const float (*at)[2], size_t n, float *values) {
    const int32_t nx = level->nx, last_x = level->last_x, last_y = level->last_y, around_x = level->wraps ? 0 : last_x;
    const float most_x = (float)last_x + (level->wraps ? 0.99999F : 0), period = level->wraps ? (float)nx : 0;
    for (size_t p = 0; p < n; p++) {
        float u = at[p][0] * level->factor + level->offset_x, v = at[p][1] * level->factor + level->offset_y;
        u = u < 0 ? u + period : u;
        u = u > 0 ? u : 0;  // NaN becomes 0, too
        u = u < most_x ? u : most_x;
        v = v > 0 ? v : 0;
        v = v < (float)last_y ? v : (float)last_y;
        const int32_t x = (int32_t)u, y = (int32_t)v, right = x < last_x ? x + 1 : around_x, up = y < last_y ? y + 1 : last_y;
        const float across = u - (float)x, upward = v - (float)y;
        const float a = level->values[y * nx + x], b = level->values[y * nx + right], c = level->values[up * nx + x], d = level->values[up * nx + right];
        const float low = a + (b - a) * across, high = c + (d - c) * across, value = low + (high - low) * upward;
        values[p] = at[p][0] == at[p][0] ? value : NAN;
    }
}

static void anywhere(const struct map_places *places, const struct plane *plane, unsigned row, float *values) {
    const struct plane_level *level = level_for(places, plane);
    const float (*at)[2] = (const float (*)[2])places->at + (size_t)row * places->width;
    const struct level_corners corners = {
        .values = level->values, .nx = (int32_t)level->nx, .last_x = (int32_t)level->nx - 1, .last_y = (int32_t)level->ny - 1,
        .factor = (float)(1.0 / level->scale), .wraps = plane->wraps,
        .offset_x = (float)((places->base[0] + 0.5) / level->scale - 0.5), .offset_y = (float)((places->base[1] + 0.5) / level->scale - 0.5),
    };
    bilinear_row(&corners, at, places->width, values);
    for (unsigned x = 0; x < places->width; x++)
        if (isnan(values[x]) && !isnan(at[x][0]))
            values[x] = value_between(plane, level, places->base[0] + (double)at[x][0], places->base[1] + (double)at[x][1]);
}

// --- Both.

static int check(const struct map_places *places, const struct plane *plane, struct failure *failure) {
    if (places->nx == plane->nx && places->ny == plane->ny && places->wraps == plane->wraps) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "the map's places are of a grid of %zu × %zu columns, the field's of %zu × %zu", places->nx, places->ny,
                       plane->nx, plane->ny);
}

// Takes a row of the map; values NULL: all of it is outside.
typedef void (*row_taker)(void *user, unsigned row, const float *values);

static int each_row(const struct map_places *places, const struct plane *plane, bool nearest, row_taker take, void *user, struct failure *failure) {
    struct rows rows = {0};
    int status = check(places, plane, failure);
    if (status) return status;
    const bool in_lines = places->separable && !nearest && !plane->degrees;
    float *values = in_lines ? NULL : malloc(places->width * sizeof *values);
    if (in_lines ? !rows_init(&rows, places, plane) : !values) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (unsigned row = 0; row < places->height; row++) {
        if (in_lines) {
            take(user, row, rows_values(&rows, row));
            continue;
        }
        if (places->separable || nearest || plane->degrees) place_by_place(places, plane, nearest, row, values);
        else anywhere(places, plane, row, values);
        take(user, row, values);
    }
    free(rows.memory);
    free(values);
    return VIRGA_OK;
}

struct value_taker {
    size_t width;
    float *values;
};

static void take_values(void *user, unsigned row, const float *values) {
    const struct value_taker *taker = user;
    float *out = taker->values + row * taker->width;
    if (values) memcpy(out, values, taker->width * sizeof *out);
    else for (size_t x = 0; x < taker->width; x++) out[x] = NAN;
}

int map_raster(const struct map_places *places, const struct plane *plane, bool nearest, float *values, struct failure *failure) {
    struct value_taker taker = {places->width, values};
    return each_row(places, plane, nearest, take_values, &taker, failure);
}

struct index_taker {
    size_t width;
    const struct map_scale *scale;
    uint8_t *indices;
};

static void take_indices(void *user, unsigned row, const float *values) {
    const struct index_taker *taker = user;
    uint8_t *out = taker->indices + row * taker->width;
    if (values) map_scale_indices(taker->scale, values, taker->width, out);
    else memset(out, MAP_SCALE_MISSING, taker->width);
}

int map_raster_indices(const struct map_places *places, const struct plane *plane, const struct map_scale *scale, uint8_t *indices,
                       struct failure *failure) {
    struct index_taker taker = {places->width, scale, indices};
    return each_row(places, plane, false, take_indices, &taker, failure);
}
