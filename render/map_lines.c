// SPDX-License-Identifier: Apache-2.0
#include "render/map_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int add(struct map_lines *lines, const float a[3], const float b[3]) {
    float (*segments)[2][3] = memory_one_more(lines->segments, lines->count, &lines->room, sizeof *segments);
    if (!segments) return VIRGA_NO_MEMORY;
    lines->segments = segments;
    memcpy(lines->segments[lines->count][0], a, sizeof(float[3]));
    memcpy(lines->segments[lines->count++][1], b, sizeof(float[3]));
    return VIRGA_OK;
}

void map_lines_destroy(struct map_lines *lines) {
    free(lines->segments);
    *lines = (struct map_lines){0};
}

int map_lines_add_box(struct map_lines *lines, const struct scene_bounds *box) {
    static const int edges[][2] = {{0, 1}, {1, 3}, {3, 2}, {2, 0}, {4, 5}, {5, 7},
                                   {7, 6}, {6, 4}, {0, 4}, {1, 5}, {2, 6}, {3, 7}};
    const double low[] = {box->low[0], box->low[1], fmax(0, box->low[2])};
    int status = VIRGA_OK;
    for (size_t n = 0; n < sizeof edges / sizeof *edges && status == VIRGA_OK; n++) {
        float ends[2][3];
        for (int e = 0; e < 2; e++)
            for (int d = 0; d < 3; d++) ends[e][d] = (float)(edges[n][e] >> d & 1 ? box->high[d] : low[d]);
        status = add(lines, ends[0], ends[1]);
    }
    return status;
}

// --- cutting -----------------------------------------------------------------------------------------------------------

static bool inside(const struct map_cut *cut, const double at[2]) {
    const struct basemap_places *p = cut->places;
    bool in = basemap_places_inside(p, at);
    if (!cut->beyond) return in;
    double fade = 0.7 * BASEMAP_AROUND * fmax(p->size[0], p->size[1]);
    for (int n = 0; n < 2 && !in; n++) in = !(at[n] > p->box.low[n] - fade && at[n] < p->box.high[n] + fade);
    return !in;
}

// The last point on the way from a good place to a bad one that is still good, nearly.
static void find_edge(const struct map_cut *cut, const double from_good[2], const double from_bad[2], double edge[2]) {
    double good[] = {from_good[0], from_good[1]}, bad[] = {from_bad[0], from_bad[1]};
    for (int turn = 0; turn < 12; turn++) {
        const double middle[] = {(good[0] + bad[0]) / 2, (good[1] + bad[1]) / 2};
        memcpy(inside(cut, middle) ? good : bad, middle, sizeof middle);
    }
    memcpy(edge, good, sizeof good);
}

// In pieces no longer than the ground's cells, so that they follow it.
static int add_piece(struct map_lines *lines, const struct map_cut *cut, const double from[2], const double to[2]) {
    double length = hypot(to[0] - from[0], to[1] - from[1]);
    double cell = cut->ground ? fmin(cut->ground->step[0], cut->ground->step[1]) : length;
    double parts = cell > 0 ? ceil(length / cell) : 1;
    int count = parts > 1 ? parts < 4096 ? (int)parts : 4096 : 1, status = VIRGA_OK;
    float last[3] = {0};
    for (int n = 0; n <= count && status == VIRGA_OK; n++) {
        double share = (double)n / count, at[] = {from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])};
        float next[] = {(float)at[0], (float)at[1], cut->ground ? (float)ground_mesh_height(cut->ground, at) : 0};
        if (n) status = add(lines, last, next);
        memcpy(last, next, sizeof last);
    }
    return status;
}

static int add_cut(struct map_lines *lines, const struct map_cut *cut, const double a[2], const double b[2]) {
    bool in_a = inside(cut, a), in_b = inside(cut, b);
    double edge[2];
    if (in_a && in_b) return add_piece(lines, cut, a, b);
    if (!in_a && !in_b) return VIRGA_OK;
    find_edge(cut, in_a ? a : b, in_a ? b : a, edge);
    return in_a ? add_piece(lines, cut, a, edge) : add_piece(lines, cut, edge, b);
}

static int add_line(struct map_lines *lines, const struct map_cut *cut, const double (*points)[2], size_t count) {
    double before[2], here[2];
    bool had = false;
    int status = VIRGA_OK;
    for (size_t n = 0; n < count && status == VIRGA_OK; n++) {
        bool has = (cut->anywhere || basemap_places_near(cut->places, points[n][0], points[n][1])) &&
                   basemap_places_scene(cut->places, points[n][0], points[n][1], here);
        double length = has && had ? hypot(here[0] - before[0], here[1] - before[1]) : 0;
        // Points that lie closer than can be seen are passed over.
        if (has && had && n + 1 < count && length < cut->shortest) continue;
        if (has && had && length < cut->longest) status = add_cut(lines, cut, before, here);
        had = has;
        if (has) memcpy(before, here, sizeof before);
    }
    return status;
}

int map_lines_add_degrees(struct map_lines *lines, const struct map_cut *cut, const struct atlas_lines *degrees) {
    int status = VIRGA_OK;
    for (size_t n = 0; n < degrees->count && status == VIRGA_OK; n++) {
        size_t first = degrees->first[n];
        status = add_line(lines, cut, (const double (*)[2])(degrees->points + first), degrees->first[n + 1] - first);
    }
    return status;
}
