// SPDX-License-Identifier: Apache-2.0
#include "render/ground_shade.h"

#include <math.h>
#include <stdlib.h>

#include "base/multiversion.h"

static const float degrees = 57.29577951308232f;

int ground_points_init(struct ground_points *points, size_t room) {
    float **const arrays[] = {
        &points->x, &points->y, &points->near, &points->weight, &points->over, &points->colour[0], &points->colour[1], &points->colour[2],
        &points->alpha, &points->at[0], &points->at[1], &points->at[2], &points->slope[0], &points->slope[1], &points->land,
    };
    const size_t count = sizeof arrays / sizeof *arrays;
    *points = (struct ground_points){.room = room, .pixel = malloc(room * sizeof *points->pixel), .kind = malloc(room)};
    points->floats = malloc(room * count * sizeof(float));
    if (!points->pixel || !points->kind || !points->floats) return VIRGA_NO_MEMORY;
    for (size_t n = 0; n < count; n++) *arrays[n] = points->floats + n * room;
    return VIRGA_OK;
}

void ground_points_destroy(struct ground_points *points) {
    free(points->pixel);
    free(points->kind);
    free(points->floats);
    *points = (struct ground_points){0};
}

// --- where a point is --------------------------------------------------------------------------------------------------

static float between(const struct ground_spot *s, float a, float b, float c) { return a + s->a * (b - a) + s->b * (c - a); }

// Texels of the land map in a pixel, squared: along both axes of the picture on the surface's own plane.
static float texels(const struct ground_light *light, const struct ground_spot *spot, const float ray[3], float depth,
                    const float slope[2]) {
    float normal[] = {-light->stretch * slope[0], -light->stretch * slope[1]}, most = 0;
    float facing = normal[0] * ray[0] + normal[1] * ray[1] + ray[2];
    if (fabsf(facing) < 1e-9f) return 1e9f;
    const float *p = spot->corner[0]->place, *q = spot->corner[1]->place, *r = spot->corner[2]->place, *scale = light->land->texels;
    float lon_x = (q[0] - p[0]) * spot->rate[0] * scale[0], lon_y = (r[0] - p[0]) * spot->rate[1] * scale[0];
    float lat_x = (q[1] - p[1]) * spot->rate[0] * scale[1], lat_y = (r[1] - p[1]) * spot->rate[1] * scale[1], away = 1 / facing;
    for (int axis = 0; axis < 2; axis++) {
        const float *step = axis ? light->ray_y : light->ray_x;
        float change = (normal[0] * step[0] + normal[1] * step[1] + step[2]) * away;
        float X = (step[0] - ray[0] * change) * depth, Y = (step[1] - ray[1] * change) * depth;
        float u = X * lon_x + Y * lon_y, v = X * lat_x + Y * lat_y, length = u * u + v * v;
        most = length > most ? length : most;
    }
    return most;
}

static float land_at(const struct ground_light *light, const struct ground_spot *s, const float ray[3], float depth,
                     const float slope[2]) {
    const float *p = s->corner[0]->place, *q = s->corner[1]->place, *r = s->corner[2]->place;
    float place[] = {between(s, p[0], q[0], r[0]), between(s, p[1], q[1], r[1])};
    if (!light->spherical) {
        float even = land_map_even(light->land, place[0], place[1]);
        return even >= 0 ? even : land_map_at(light->land, place[0], place[1], texels(light, s, ray, depth, slope));
    }
    float z = between(s, p[2], q[2], r[2]), lon = degrees * atan2f(place[1], place[0]);
    return land_map_at(light->land, light->meridian + lon, degrees * atan2f(z, hypotf(place[0], place[1])), 1);
}

static void find_place(const struct ground_light *light, struct ground_points *points, size_t n) {
    float depth = 1 / points->near[n], ray[3], at[3];
    bool around = points->kind[n] == GROUND_AROUND_KIND, side = points->kind[n] == GROUND_SIDE;
    for (int d = 0; d < 3; d++) {
        ray[d] = light->ray[d] + points->x[n] * light->ray_x[d] + points->y[n] * light->ray_y[d];
        at[d] = light->eye[d] + ray[d] * depth;
    }
    struct ground_spot s;
    ground_mesh_spot(around ? light->around : light->ground, at[0], at[1], &s);
    const struct ground_corner *const *c = s.corner;
    float height = between(&s, c[0]->height, c[1]->height, c[2]->height), slope[2];
    for (int d = 0; d < 2; d++) points->slope[d][n] = slope[d] = between(&s, c[0]->slope[d], c[1]->slope[d], c[2]->slope[d]);
    if (side) {  // the sides' heights run from the ground's to their foot, which is not exaggerated
        float top = height * light->stretch, share = top + light->depth > 0 ? (at[2] + light->depth) / (top + light->depth) : 0;
        height = -light->depth + (share > 0 ? share < 1 ? share : 1 : 0) * (height + light->depth);
    }
    points->at[0][n] = at[0], points->at[1][n] = at[1], points->at[2][n] = height;
    points->land[n] = light->land->level_count ? land_at(light, &s, ray, depth, slope) : height > 0.0005f ? 1 : 0;
}

// --- colours -----------------------------------------------------------------------------------------------------------

static inline float clamp(float v, float low, float high) {
    v = v > low ? v : low;
    return v < high ? v : high;
}
static inline float smoothstep(float low, float high, float v) {
    float t = clamp((v - low) / (high - low), 0, 1);
    return t * t * (3 - 2 * t);
}
static inline float mix(float a, float b, float t) { return a + (b - a) * t; }

// Land and sea, land tinted by its height.
MULTIVERSION static void tint(size_t count, bool terrain, const float *restrict km, const float *restrict land,
                              float *restrict red, float *restrict green, float *restrict blue) {
    for (size_t n = 0; n < count; n++) {
        float h = km[n] * 1000, a = smoothstep(0, 250, h), b = smoothstep(200, 900, h);
        float c = smoothstep(800, 2000, h), d = smoothstep(2200, 4200, h);
        float r = mix(mix(mix(mix(0.245f, 0.330f, a), 0.425f, b), 0.520f, c), 0.800f, d);
        float g = mix(mix(mix(mix(0.300f, 0.345f, a), 0.390f, b), 0.480f, c), 0.800f, d);
        float l = mix(mix(mix(mix(0.250f, 0.265f, a), 0.310f, b), 0.430f, c), 0.800f, d);
        red[n] = mix(0.095f, terrain ? r : 0.300f, land[n]);
        green[n] = mix(0.155f, terrain ? g : 0.320f, land[n]);
        blue[n] = mix(0.225f, terrain ? l : 0.290f, land[n]);
    }
}

static void look_up(const struct transfer *transfer, float place, float look[4]) {
    float entry = clamp(place * TRANSFER_ENTRIES - 0.5f, 0, TRANSFER_ENTRIES - 1);
    size_t k = (size_t)entry;
    k -= k == TRANSFER_ENTRIES - 1;
    for (int n = 0; n < 4; n++) look[n] = mix(transfer->data[k][n], transfer->data[k + 1][n], entry - (float)k);
}

// The value that two steps blend to; where one of them has none, the nearer one says whether there is any.
static bool blended(const struct brick_volume *const steps[2], float blend, const float ijk[3], float *q) {
    bool present = brick_volume_value(steps[0], ijk, q);
    if (!steps[1] || !(blend > 0)) return present;
    float later;
    bool also = brick_volume_value(steps[1], ijk, &later);
    if (also) *q = present ? mix(*q, later, blend) : later;
    return blend < 0.5f ? present : also;
}

static bool value_of(const struct scene_layer *layer, const float ijk[3], float *q) {
    float blend = (float)layer->blend, less;
    if (!blended(layer->steps, blend, ijk, q)) return false;
    if (!layer->minus.steps[0]) return true;
    if (!blended(layer->minus.steps, blend, ijk, &less)) return false;
    *q -= less * (float)layer->minus.ratio;
    return true;
}

static void drape(const struct scene_layer *layer, struct ground_points *points) {
    for (size_t n = 0; n < points->count; n++) {
        const float scene[] = {points->at[0][n], points->at[1][n]};
        float ijk[3] = {0}, density[2], q, look[4];
        if (points->kind[n] != GROUND_TOP || !layer_geometry_column(layer->geometry, scene, ijk, density)) continue;
        if (!value_of(layer, ijk, &q)) continue;
        look_up(layer->transfer, q * (float)layer->lookup[0] + (float)layer->lookup[1], look);
        float share = 1 - expf(-look[3]);
        for (int c = 0; c < 3; c++) points->colour[c][n] = mix(points->colour[c][n], look[c], share);
    }
}

// The share of sunlight that comes through the volumes.
static void cast_shadows(const struct scene *scene, struct ground_points *points) {
    bool shadows = scene->shade && scene->light.shadows && scene->volume_count;
    for (size_t n = 0; n < points->count; n++) {
        points->land[n] = 1;  // no longer needed: from here on the share of the sun
        if (!shadows || points->kind[n] != GROUND_TOP) continue;
        float shown = points->at[2][n] * (float)scene->exaggeration + (float)(0.012 / scene->shade->rate[2]);
        const float at[] = {points->at[0][n], points->at[1][n], shown};
        points->land[n] = light_grid_at(scene->shade, at);
    }
}

struct lamp { float to[3], colour[3], ambient[3]; };

// Relief is shaded at a fixed exaggeration, so that it reads the same however the scene is stretched.
MULTIVERSION static void relief(size_t count, const struct lamp *lamp, const uint8_t *restrict kind, const float *restrict along_x,
                                const float *restrict along_y, const float *restrict sun, float *restrict red, float *restrict green,
                                float *restrict blue) {
    float to_x = lamp->to[0], to_y = lamp->to[1], to_z = lamp->to[2], part = 1 / (to_z > 0.2f ? to_z : 0.2f);
    for (size_t n = 0; n < count; n++) {
        float x = -12 * along_x[n], y = -12 * along_y[n], facing = (x * to_x + y * to_y + to_z) / sqrtf(x * x + y * y + 1);
        float lit = clamp(facing * part, 0.35f, 1.5f), shade = mix(1, lit, 0.35f), shine = lit * sun[n];
        bool top = kind[n] == GROUND_TOP;
        red[n] *= top ? lamp->ambient[0] * shade + lamp->colour[0] * shine : 1;
        green[n] *= top ? lamp->ambient[1] * shade + lamp->colour[1] * shine : 1;
        blue[n] *= top ? lamp->ambient[2] * shade + lamp->colour[2] * shine : 1;
    }
}

static void sides(struct ground_points *points) {
    static const float dark[] = {0.10f, 0.12f, 0.14f};
    for (size_t n = 0; n < points->count; n++)
        for (int c = 0; c < 3 && points->kind[n] == GROUND_SIDE; c++)
            points->colour[c][n] = mix(dark[c], points->colour[c][n] * 0.45f, 0.5f);
}

// The world around fades into the haze.
static void around(const struct scene *scene, const struct lamp *lamp, struct ground_points *points) {
    float middle[2], reach[2];
    for (int d = 0; d < 2; d++) {
        reach[d] = (float)(scene->box.high[d] - scene->box.low[d]) / 2;
        middle[d] = (float)scene->box.low[d] + reach[d];
    }
    float longer = reach[0] > reach[1] ? reach[0] : reach[1];
    for (size_t n = 0; n < points->count; n++) {
        points->alpha[n] = 1;
        if (points->kind[n] != GROUND_AROUND_KIND) continue;
        float away[2];
        for (int d = 0; d < 2; d++) away[d] = fmaxf(fabsf(points->at[d][n] - middle[d]) - reach[d], 0) / longer;
        points->alpha[n] = 1 - smoothstep(0, 0.42f, sqrtf(away[0] * away[0] + away[1] * away[1]));
        for (int c = 0; c < 3; c++) {
            float lit = points->colour[c][n] * (lamp->ambient[c] + 0.8f * lamp->colour[c]);
            points->colour[c][n] = mix((float)scene->light.sky_low[c], lit, 0.42f);
        }
    }
}

static struct lamp lamp_of(const struct light *light) {
    double x = light->direction[0], y = light->direction[1], z = fmax(light->direction[2], 0.35), length = sqrt(x * x + y * y + z * z);
    struct lamp lamp = {.to = {(float)(x / length), (float)(y / length), (float)(z / length)}};
    for (int c = 0; c < 3; c++) lamp.colour[c] = (float)light->colour[c], lamp.ambient[c] = (float)light->ambient[c];
    return lamp;
}

void ground_light_init(struct ground_light *light, const struct ground_camera *camera) {
    for (int d = 0; d < 3; d++) {
        light->eye[d] = (float)camera->eye[d];
        light->ray[d] = (float)camera->ray[d];
        light->ray_x[d] = (float)camera->ray_x[d];
        light->ray_y[d] = (float)camera->ray_y[d];
    }
    light->stretch = (float)light->scene->exaggeration;
}

void ground_shade(const struct ground_light *light, struct ground_points *points) {
    const struct scene *scene = light->scene;
    struct lamp lamp = lamp_of(&scene->light);
    for (size_t n = 0; n < points->count; n++) find_place(light, points, n);
    tint(points->count, light->terrain, points->at[2], points->land, points->colour[0], points->colour[1], points->colour[2]);
    for (size_t n = 0; n < scene->drape_count; n++) drape(&scene->drapes[n], points);
    cast_shadows(scene, points);
    relief(points->count, &lamp, points->kind, points->slope[0], points->slope[1], points->land, points->colour[0], points->colour[1],
           points->colour[2]);
    sides(points);
    around(scene, &lamp, points);
}
