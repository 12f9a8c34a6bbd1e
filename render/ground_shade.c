// SPDX-License-Identifier: Apache-2.0
#include "render/ground_shade.h"

#include <math.h>
#include <stdlib.h>

#include "base/multiversion.h"

int ground_colours_init(struct ground_colours *colours, size_t room) {
    float **const arrays[] = {&colours->colour[0], &colours->colour[1], &colours->colour[2], &colours->alpha, &colours->sun};
    const size_t count = sizeof arrays / sizeof *arrays;
    *colours = (struct ground_colours){.floats = malloc(room * count * sizeof(float))};
    for (size_t n = 0; colours->floats && n < count; n++) *arrays[n] = colours->floats + n * room;
    return colours->floats ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void ground_colours_destroy(struct ground_colours *colours) {
    free(colours->floats);
    *colours = (struct ground_colours){0};
}

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

static void drape(const struct scene_layer *layer, const struct ground_points *points, struct ground_colours *colours) {
    for (size_t n = 0; n < points->count; n++) {
        const float scene[] = {points->at[0][n], points->at[1][n]};
        float ijk[3] = {0}, density[2], q, look[4];
        if (points->kind[n] != GROUND_TOP || !layer_geometry_column(layer->geometry, scene, ijk, density)) continue;
        if (!value_of(layer, ijk, &q)) continue;
        look_up(layer->transfer, q * (float)layer->lookup[0] + (float)layer->lookup[1], look);
        float share = 1 - expf(-look[3]);
        for (int c = 0; c < 3; c++) colours->colour[c][n] = mix(colours->colour[c][n], look[c], share);
    }
}

// The share of sunlight that comes through the volumes.
static void cast_shadows(const struct scene *scene, const struct ground_points *points, struct ground_colours *colours) {
    bool shadows = scene->shade && scene->light.shadows && scene->volume_count;
    for (size_t n = 0; n < points->count; n++) {
        colours->sun[n] = 1;
        if (!shadows || points->kind[n] != GROUND_TOP) continue;
        float shown = points->at[2][n] * (float)scene->exaggeration + (float)(0.012 / scene->shade->rate[2]);
        const float at[] = {points->at[0][n], points->at[1][n], shown};
        colours->sun[n] = light_grid_at(scene->shade, at);
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

static void sides(const struct ground_points *points, struct ground_colours *colours) {
    static const float dark[] = {0.10f, 0.12f, 0.14f};
    for (size_t n = 0; n < points->count; n++)
        for (int c = 0; c < 3 && points->kind[n] == GROUND_SIDE; c++)
            colours->colour[c][n] = mix(dark[c], colours->colour[c][n] * 0.45f, 0.5f);
}

// The world around fades into the haze.
static void around(const struct scene *scene, const struct lamp *lamp, const struct ground_points *points, struct ground_colours *colours) {
    float middle[2], reach[2];
    for (int d = 0; d < 2; d++) {
        reach[d] = (float)(scene->box.high[d] - scene->box.low[d]) / 2;
        middle[d] = (float)scene->box.low[d] + reach[d];
    }
    float longer = reach[0] > reach[1] ? reach[0] : reach[1];
    for (size_t n = 0; n < points->count; n++) {
        colours->alpha[n] = 1;
        if (points->kind[n] != GROUND_AROUND_KIND) continue;
        float away[2];
        for (int d = 0; d < 2; d++) away[d] = fmaxf(fabsf(points->at[d][n] - middle[d]) - reach[d], 0) / longer;
        colours->alpha[n] = 1 - smoothstep(0, 0.42f, sqrtf(away[0] * away[0] + away[1] * away[1]));
        for (int c = 0; c < 3; c++) {
            float lit = colours->colour[c][n] * (lamp->ambient[c] + 0.8f * lamp->colour[c]);
            colours->colour[c][n] = mix((float)scene->light.sky_low[c], lit, 0.42f);
        }
    }
}

static struct lamp lamp_of(const struct light *light) {
    double x = light->direction[0], y = light->direction[1], z = fmax(light->direction[2], 0.35), length = sqrt(x * x + y * y + z * z);
    struct lamp lamp = {.to = {(float)(x / length), (float)(y / length), (float)(z / length)}};
    for (int c = 0; c < 3; c++) lamp.colour[c] = (float)light->colour[c], lamp.ambient[c] = (float)light->ambient[c];
    return lamp;
}

void ground_shade(const struct scene *scene, bool terrain, const struct ground_points *points, struct ground_colours *colours) {
    const struct lamp lamp = lamp_of(&scene->light);
    float *const *colour = colours->colour;
    tint(points->count, terrain, points->at[2], points->land, colour[0], colour[1], colour[2]);
    for (size_t n = 0; n < scene->drape_count; n++) drape(&scene->drapes[n], points, colours);
    cast_shadows(scene, points, colours);
    relief(points->count, &lamp, points->kind, points->slope[0], points->slope[1], colours->sun, colour[0], colour[1], colour[2]);
    sides(points, colours);
    around(scene, &lamp, points, colours);
}
