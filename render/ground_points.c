// SPDX-License-Identifier: Apache-2.0
#include "render/ground_points.h"

#include <stdlib.h>
#include <string.h>

enum { LASTING = 8, FLOATS = LASTING + 3 };  // arrays of floats that copies have, and all of them

static int make_room(struct ground_points *points, size_t room, size_t arrays) {
    float **const floats[FLOATS] = {
        &points->weight, &points->over, &points->at[0], &points->at[1], &points->at[2], &points->slope[0], &points->slope[1], &points->land,
        &points->x, &points->y, &points->near,
    };
    const size_t some = room ? room : 1;
    *points = (struct ground_points){.room = room, .pixel = malloc(some * sizeof *points->pixel), .kind = malloc(some)};
    points->floats = malloc(some * arrays * sizeof(float));
    if (!points->pixel || !points->kind || !points->floats) {
        ground_points_destroy(points);
        return VIRGA_NO_MEMORY;
    }
    for (size_t n = 0; n < arrays; n++) *floats[n] = points->floats + n * room;
    return VIRGA_OK;
}

int ground_points_init(struct ground_points *points, size_t room) { return make_room(points, room, FLOATS); }

int ground_points_copy(const struct ground_points *points, struct ground_points *copy) {
    const size_t count = points->count;
    if (make_room(copy, count, LASTING)) return VIRGA_NO_MEMORY;
    copy->count = count;
    memcpy(copy->pixel, points->pixel, count * sizeof *copy->pixel);
    memcpy(copy->kind, points->kind, count);
    for (size_t n = 0; n < LASTING; n++) memcpy(copy->floats + n * count, points->floats + n * points->room, count * sizeof(float));
    return VIRGA_OK;
}

void ground_points_destroy(struct ground_points *points) {
    free(points->pixel);
    free(points->kind);
    free(points->floats);
    *points = (struct ground_points){0};
}

size_t ground_points_memory(const struct ground_points *points) {
    return points->room * (sizeof *points->pixel + sizeof *points->kind + (points->x ? FLOATS : LASTING) * sizeof(float));
}
