// SPDX-License-Identifier: Apache-2.0
// Marching squares. Corners of a cell go around as 0 (x, y), 1 (x + 1, y), 2 (x + 1, y + 1), 3 (x, y + 1); side n is from corner n to the next. Going around, a line
// enters where a side goes from outside (below the line's value) to inside, and leaves where it goes from inside to outside: the neighbour
// goes along that side the other way, so there the line enters.
#include "render/map_contours.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct tracer {
    const struct map_lattice *lattice;
    struct map_contours *contours;
    double base, value;
    const atomic_bool *stop;
    uint8_t *seen;      // [ny − 1][nx − 1]: by side, lines that enter there and have been followed
    float (*reach)[2];  // [ny − 1]: least and most of the cells of a row
};

// A line's way into a cell.
struct way { size_t x, y; int side; };

enum { NO_SIDE = -1 };

// --- one cell ----------------------------------------------------------------------------------------------------------------

static float value_at(const struct map_lattice *lattice, size_t x, size_t y) { return lattice->values[y * lattice->nx + x]; }

// False where one is missing.
static bool corners(const struct map_lattice *lattice, size_t x, size_t y, float v[4]) {
    v[0] = value_at(lattice, x, y), v[1] = value_at(lattice, x + 1, y), v[2] = value_at(lattice, x + 1, y + 1), v[3] = value_at(lattice, x, y + 1);
    return isfinite(v[0] + v[1] + v[2] + v[3]);
}

static bool inside(const struct tracer *tracer, float value) { return (double)value >= tracer->value; }

static bool enters(const struct tracer *tracer, const float v[4], int side) {
    return !inside(tracer, v[side]) && inside(tracer, v[(side + 1) & 3]);
}

static bool is_saddle(const struct tracer *tracer, const float v[4]) {
    const bool in = inside(tracer, v[0]);
    return in == inside(tracer, v[2]) && in != inside(tracer, v[1]) && inside(tracer, v[1]) == inside(tracer, v[3]);
}

static bool middle_inside(const struct tracer *tracer, const float v[4]) {
    return ((double)v[0] + (double)v[1] + (double)v[2] + (double)v[3]) / 4 >= tracer->value;
}

// The side that a line leaves by, having entered by one.
static int leaves_by(const struct tracer *tracer, const float v[4], int side) {
    if (is_saddle(tracer, v)) return (side + (middle_inside(tracer, v) ? 3 : 1)) & 3;
    for (int n = 1; n < 4; n++)
        if (inside(tracer, v[(side + n) & 3]) && !inside(tracer, v[(side + n + 1) & 3])) return (side + n) & 3;
    return NO_SIDE;
}

// The side that a line entered by which leaves by one.
static int entered_by(const struct tracer *tracer, const float v[4], int side) {
    for (int n = 0; n < 4; n++)
        if (enters(tracer, v, n) && leaves_by(tracer, v, n) == side) return n;
    return NO_SIDE;
}

// The cell beyond a side, and which side of it that is. False at the lattice's edge.
static bool beyond(const struct tracer *tracer, struct way *way) {
    const size_t cells_x = tracer->lattice->nx - 1, cells_y = tracer->lattice->ny - 1;
    static const int dx[] = {0, 1, 0, -1}, dy[] = {-1, 0, 1, 0};
    if ((way->side == 0 && way->y == 0) || (way->side == 3 && way->x == 0) || (way->side == 1 && way->x + 1 == cells_x) || (way->side == 2 && way->y + 1 == cells_y))
        return false;
    way->x += (size_t)dx[way->side];
    way->y += (size_t)dy[way->side];
    way->side = (way->side + 2) & 3;
    return true;
}

// --- one line ----------------------------------------------------------------------------------------------------------------

// On to the next cell: false where the line ends.
static bool forward(const struct tracer *tracer, struct way *way) {
    float v[4];
    if (!corners(tracer->lattice, way->x, way->y, v)) return false;
    way->side = leaves_by(tracer, v, way->side);
    return beyond(tracer, way) && corners(tracer->lattice, way->x, way->y, v);
}

static bool backward(const struct tracer *tracer, struct way *way) {
    float v[4];
    struct way before = *way;
    if (!beyond(tracer, &before) || !corners(tracer->lattice, before.x, before.y, v)) return false;
    before.side = entered_by(tracer, v, before.side);
    if (before.side == NO_SIDE) return false;
    *way = before;
    return true;
}

static bool same_way(const struct way *a, const struct way *b) { return a->x == b->x && a->y == b->y && a->side == b->side; }

static bool add_point(struct tracer *tracer, size_t x, size_t y, int side) {
    static const int from_x[] = {0, 1, 1, 0}, from_y[] = {0, 0, 1, 1};
    struct map_contours *c = tracer->contours;
    float (*grown)[2] = memory_one_more(c->points, c->point_count, &c->point_capacity, sizeof *grown);
    if (!grown) return false;
    c->points = grown;
    // Always from the same end of the side, so that both cells beside it have the very same point.
    const int end = (side + 1) & 3, swap = side >= 2, a = swap ? end : side, b = swap ? side : end;
    const size_t ax = x + (size_t)from_x[a], ay = y + (size_t)from_y[a], bx = x + (size_t)from_x[b], by = y + (size_t)from_y[b];
    const double va = (double)value_at(tracer->lattice, ax, ay), vb = (double)value_at(tracer->lattice, bx, by), share = (tracer->value - va) / (vb - va);
    const struct map_lattice *l = tracer->lattice;
    c->points[c->point_count][0] = (float)(l->first[0] + l->step[0] * ((double)ax + share * ((double)bx - (double)ax)));
    c->points[c->point_count][1] = (float)(l->first[1] + l->step[1] * ((double)ay + share * ((double)by - (double)ay)));
    c->point_count++;
    return true;
}

static struct map_contour *add_line(struct map_contours *c) {
    struct map_contour *grown = memory_one_more(c->lines, c->count, &c->capacity, sizeof *grown);
    if (!grown) return NULL;
    c->lines = grown;
    return &c->lines[c->count++];
}

// From its beginning to its end, or once around.
static int follow(struct tracer *tracer, struct way start, long number) {
    struct way at = start;
    bool closed = false;
    while (!closed && backward(tracer, &at)) closed = same_way(&at, &start);
    struct map_contour *line = add_line(tracer->contours);
    if (!line) return VIRGA_NO_MEMORY;
    *line = (struct map_contour){.number = number, .closed = closed, .first = tracer->contours->point_count};
    start = at;
    bool on = true;
    while (on) {
        tracer->seen[at.y * (tracer->lattice->nx - 1) + at.x] |= (uint8_t)(1 << at.side);
        if (!add_point(tracer, at.x, at.y, at.side)) return VIRGA_NO_MEMORY;
        const struct way last = at;
        on = forward(tracer, &at);
        if (on && same_way(&at, &start)) break;
        float v[4];
        if (!on && corners(tracer->lattice, last.x, last.y, v) && !add_point(tracer, last.x, last.y, leaves_by(tracer, v, last.side))) return VIRGA_NO_MEMORY;
    }
    line = &tracer->contours->lines[tracer->contours->count - 1];
    line->count = tracer->contours->point_count - line->first;
    return VIRGA_OK;
}

static int trace_row(struct tracer *tracer, size_t y, long number) {
    const size_t cells = tracer->lattice->nx - 1;
    for (size_t x = 0; x < cells; x++) {
        float v[4];
        if (!corners(tracer->lattice, x, y, v)) continue;
        for (int side = 0; side < 4; side++) {
            if (!enters(tracer, v, side) || (tracer->seen[y * cells + x] >> side & 1)) continue;
            int status = follow(tracer, (struct way){x, y, side}, number);
            if (status) return status;
        }
    }
    return VIRGA_OK;
}

// --- all -----------------------------------------------------------------------------------------------------------------------

static void cell_reach(const float v[4], float reach[2]) {
    reach[0] = fminf(fminf(v[0], v[1]), fminf(v[2], v[3]));
    reach[1] = fmaxf(fmaxf(v[0], v[1]), fmaxf(v[2], v[3]));
}

// What each row of cells reaches over, and all of them.
static void find_reach(struct tracer *tracer, float all[2]) {
    all[0] = INFINITY, all[1] = -INFINITY;
    for (size_t y = 0; y + 1 < tracer->lattice->ny; y++) {
        float *row = tracer->reach[y], v[4], cell[2];
        row[0] = INFINITY, row[1] = -INFINITY;
        for (size_t x = 0; x + 1 < tracer->lattice->nx; x++) {
            if (!corners(tracer->lattice, x, y, v)) continue;
            cell_reach(v, cell);
            row[0] = fminf(row[0], cell[0]), row[1] = fmaxf(row[1], cell[1]);
        }
        all[0] = fminf(all[0], row[0]), all[1] = fmaxf(all[1], row[1]);
    }
}

static double first_number(const struct tracer *tracer, float value) { return ceil(((double)value - tracer->base) / tracer->contours->interval); }

// How many lines pass through all cells together.
static double crossings(const struct tracer *tracer) {
    double sum = 0;
    for (size_t y = 0; y + 1 < tracer->lattice->ny; y++)
        for (size_t x = 0; x + 1 < tracer->lattice->nx; x++) {
            float v[4], cell[2];
            if (!corners(tracer->lattice, x, y, v)) continue;
            cell_reach(v, cell);
            sum += first_number(tracer, cell[1]) - first_number(tracer, cell[0]);
        }
    return sum;
}

static bool too_many(const struct tracer *tracer, const float all[2]) {
    const double cells = (double)(tracer->lattice->nx - 1) * (double)(tracer->lattice->ny - 1);
    const double values = ((double)all[1] - (double)all[0]) / tracer->contours->interval;
    return !(values <= MAP_CONTOURS_VALUES) || crossings(tracer) > cells + 256;
}

static int trace_all(struct tracer *tracer) {
    const size_t cells = (tracer->lattice->nx - 1) * (tracer->lattice->ny - 1);
    float all[2];
    find_reach(tracer, all);
    if (!(all[0] < all[1])) return VIRGA_OK;
    while (too_many(tracer, all) && isfinite(tracer->contours->interval)) tracer->contours->interval *= 5;
    const double interval = tracer->contours->interval, first = first_number(tracer, all[0]), last = first_number(tracer, all[1]);
    if (!isfinite(interval) || !(fabs(first) < 1e15 && fabs(last) < 1e15)) return VIRGA_OK;  // an interval that the values' own digits do not resolve
    for (long number = (long)first; number <= (long)last; number++) {
        if (tracer->stop && atomic_load(tracer->stop)) return VIRGA_CANCELLED;
        tracer->value = tracer->base + (double)number * interval;
        memset(tracer->seen, 0, cells);
        for (size_t y = 0; y + 1 < tracer->lattice->ny; y++) {
            if (!((double)tracer->reach[y][0] < tracer->value && tracer->value <= (double)tracer->reach[y][1])) continue;
            int status = trace_row(tracer, y, number);
            if (status) return status;
        }
    }
    return VIRGA_OK;
}

int map_contours_trace(const struct map_lattice *lattice, double base, double interval, const atomic_bool *stop, struct map_contours *contours) {
    *contours = (struct map_contours){.interval = interval};
    if (lattice->nx < 2 || lattice->ny < 2 || !(interval > 0)) return VIRGA_OK;
    struct tracer tracer = {.lattice = lattice, .contours = contours, .base = base, .stop = stop};
    tracer.seen = malloc((lattice->nx - 1) * (lattice->ny - 1));
    tracer.reach = malloc((lattice->ny - 1) * sizeof *tracer.reach);
    const int status = tracer.seen && tracer.reach ? trace_all(&tracer) : VIRGA_NO_MEMORY;
    free(tracer.seen);
    free(tracer.reach);
    return status;
}

void map_contours_destroy(struct map_contours *contours) {
    free(contours->lines);
    free(contours->points);
    *contours = (struct map_contours){0};
}
