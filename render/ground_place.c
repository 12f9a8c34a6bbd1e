// SPDX-License-Identifier: Apache-2.0
#include "render/ground_place.h"

#include <math.h>

static const float degrees = 57.29577951308232f;

void ground_sight_init(struct ground_sight *sight, const struct ground_camera *camera, double exaggeration) {
    for (int d = 0; d < 3; d++) {
        sight->eye[d] = (float)camera->eye[d];
        sight->ray[d] = (float)camera->ray[d];
        sight->ray_x[d] = (float)camera->ray_x[d];
        sight->ray_y[d] = (float)camera->ray_y[d];
    }
    sight->stretch = (float)exaggeration;
}

static float between(const struct ground_spot *s, float a, float b, float c) { return a + s->a * (b - a) + s->b * (c - a); }

// Texels of the land map in a pixel, squared: along both axes of the picture on the surface's own plane.
static float texels(const struct ground_sight *sight, const struct ground_spot *spot, const float ray[3], float depth,
                    const float slope[2]) {
    float normal[] = {-sight->stretch * slope[0], -sight->stretch * slope[1]}, most = 0;
    float facing = normal[0] * ray[0] + normal[1] * ray[1] + ray[2];
    if (fabsf(facing) < 1e-9f) return 1e9f;
    const float *p = spot->corner[0]->place, *q = spot->corner[1]->place, *r = spot->corner[2]->place, *scale = sight->land->texels;
    float lon_x = (q[0] - p[0]) * spot->rate[0] * scale[0], lon_y = (r[0] - p[0]) * spot->rate[1] * scale[0];
    float lat_x = (q[1] - p[1]) * spot->rate[0] * scale[1], lat_y = (r[1] - p[1]) * spot->rate[1] * scale[1], away = 1 / facing;
    for (int axis = 0; axis < 2; axis++) {
        const float *step = axis ? sight->ray_y : sight->ray_x;
        float change = (normal[0] * step[0] + normal[1] * step[1] + step[2]) * away;
        float X = (step[0] - ray[0] * change) * depth, Y = (step[1] - ray[1] * change) * depth;
        float u = X * lon_x + Y * lon_y, v = X * lat_x + Y * lat_y, length = u * u + v * v;
        most = length > most ? length : most;
    }
    return most;
}

static float land_at(const struct ground_sight *sight, const struct ground_spot *s, const float ray[3], float depth,
                     const float slope[2]) {
    const float *p = s->corner[0]->place, *q = s->corner[1]->place, *r = s->corner[2]->place;
    float place[] = {between(s, p[0], q[0], r[0]), between(s, p[1], q[1], r[1])};
    if (!sight->spherical) {
        float even = land_map_even(sight->land, place[0], place[1]);
        return even >= 0 ? even : land_map_at(sight->land, place[0], place[1], texels(sight, s, ray, depth, slope));
    }
    float z = between(s, p[2], q[2], r[2]), lon = degrees * atan2f(place[1], place[0]);
    return land_map_at(sight->land, sight->meridian + lon, degrees * atan2f(z, hypotf(place[0], place[1])), 1);
}

static void find_place(const struct ground_sight *sight, struct ground_points *points, size_t n) {
    float depth = 1 / points->near[n], ray[3], at[3];
    bool around = points->kind[n] == GROUND_AROUND_KIND, side = points->kind[n] == GROUND_SIDE;
    for (int d = 0; d < 3; d++) {
        ray[d] = sight->ray[d] + points->x[n] * sight->ray_x[d] + points->y[n] * sight->ray_y[d];
        at[d] = sight->eye[d] + ray[d] * depth;
    }
    struct ground_spot s;
    ground_mesh_spot(around ? sight->around : sight->ground, at[0], at[1], &s);
    const struct ground_corner *const *c = s.corner;
    float height = between(&s, c[0]->height, c[1]->height, c[2]->height), slope[2];
    for (int d = 0; d < 2; d++) points->slope[d][n] = slope[d] = between(&s, c[0]->slope[d], c[1]->slope[d], c[2]->slope[d]);
    if (side) {  // the sides' heights run from the ground's to their foot, which is not exaggerated
        float top = height * sight->stretch, share = top + sight->depth > 0 ? (at[2] + sight->depth) / (top + sight->depth) : 0;
        height = -sight->depth + (share > 0 ? share < 1 ? share : 1 : 0) * (height + sight->depth);
    }
    points->at[0][n] = at[0], points->at[1][n] = at[1], points->at[2][n] = height;
    points->land[n] = sight->land->level_count ? land_at(sight, &s, ray, depth, slope) : height > 0.0005f ? 1 : 0;
}

void ground_place(const struct ground_sight *sight, struct ground_points *points) {
    for (size_t n = 0; n < points->count; n++) find_place(sight, points, n);
}
