// SPDX-License-Identifier: Apache-2.0
#include "render/composite.h"

#include <stdint.h>

#include "base/multiversion.h"

enum { ROWS = 8, RUN = 128 };  // of a piece of work; pixels at a time

struct composite {
    const struct scene *scene;
    const float *ground, *volume;
    bool transparent;
    struct image *image;
};

// Between 0 and 1, in two steps: compilers make vectors of it so.
static inline float held(float value) {
    value = value > 0 ? value : 0;
    return value < 1 ? value : 1;
}

// The volume's grain evened out by a small cross of neighbours, as the page's 8-bit target would hold them: between 0 and 1.
MULTIVERSION static void smooth(size_t count, const float *middle, const float *left, const float *right, const float *up,
                                const float *down, float *restrict out) {
    for (size_t n = 0; n < count; n++)
        out[n] = 0.32f * held(middle[n]) + 0.17f * (held(left[n]) + held(right[n]) + held(up[n]) + held(down[n]));
}

// `count` pixels from (x, y) on, with the edge's own in place of neighbours beyond.
static void smooth_run(const struct composite *c, size_t x, size_t y, size_t count, float *out) {
    size_t width = c->scene->width, last = x + count == width;
    const float *at = c->volume + 4 * (y * width + x);
    const float *up = y ? at - 4 * width : at, *down = y + 1 < c->scene->height ? at + 4 * width : at;
    if (x == 0) {
        smooth(4, at, at, width > 1 ? at + 4 : at, up, down, out);
        at += 4, up += 4, down += 4, out += 4, count--;
    }
    if (count > last) smooth(4 * (count - last), at, at - 4, at + 4, up, down, out);
    if (!last || !count) return;
    at += 4 * (count - 1), up += 4 * (count - 1), down += 4 * (count - 1), out += 4 * (count - 1);
    smooth(4, at, at - 4, at, up, down, out);
}

// A pixel's hash keeps broad gradients from showing 8-bit bands: −0.5 to 0.5. Rows are counted from the bottom.
static inline float dither(uint32_t x, uint32_t row) {
    uint32_t h = (x * 1597334677u) ^ (row * 3812015801u);
    h = (h ^ (h >> 15)) * 2246822519u;
    return (float)(int32_t)(h >> 8) / 16777216.0f - 0.5f;
}

static inline uint8_t byte_of(float value) {
    return (uint8_t)(int32_t)(held(value) * 255 + 0.5f);
}

MULTIVERSION static void mix(size_t count, uint32_t x, uint32_t row, const float sky[3], float clear, const float *restrict below,
                             const float *restrict over, uint8_t *restrict out) {
    for (size_t n = 0; n < count; n++) {
        float under = 1 - below[4 * n + 3], through = 1 - over[4 * n + 3], hash = dither(x + (uint32_t)n, row) * (1 / 255.0f);
        float alpha = 1 - clear * under * through, whole = 1 / (alpha > 1e-6f ? alpha : 1e-6f);
        out[4 * n] = byte_of(((sky[0] * under + below[4 * n]) * through + over[4 * n]) * whole + hash);
        out[4 * n + 1] = byte_of(((sky[1] * under + below[4 * n + 1]) * through + over[4 * n + 1]) * whole + hash);
        out[4 * n + 2] = byte_of(((sky[2] * under + below[4 * n + 2]) * through + over[4 * n + 2]) * whole + hash);
        out[4 * n + 3] = byte_of(alpha);
    }
}

static void draw_row(const struct composite *c, size_t y) {
    const struct light *light = &c->scene->light;
    size_t width = c->scene->width, row = c->scene->height - 1 - y;
    float up = ((float)row + 0.5f) / (float)c->scene->height, share = up * up * (3 - 2 * up);
    float sky[3] = {0}, none[4 * RUN] = {0}, over[4 * RUN];
    for (int n = 0; n < 3 && !c->transparent; n++)
        sky[n] = (float)light->sky_low[n] + share * (float)(light->sky_top[n] - light->sky_low[n]);
    for (size_t x = 0; x < width; x += RUN) {
        size_t count = width - x < RUN ? width - x : RUN;
        if (c->volume) smooth_run(c, x, y, count, over);
        size_t at = 4 * (y * width + x);
        mix(count, (uint32_t)x, (uint32_t)row, sky, c->transparent ? 1 : 0, c->ground ? c->ground + at : none, c->volume ? over : none,
            c->image->pixels + at);
    }
}

static void draw_rows(void *argument, size_t index, size_t thread) {
    const struct composite *c = argument;
    (void)thread;
    for (size_t y = index * ROWS; y < (index + 1) * ROWS && y < c->scene->height; y++) draw_row(c, y);
}

void composite_draw(struct render_team *team, const struct scene *scene, const float *ground, const float *volume, bool transparent,
                    struct image *image) {
    struct composite c = {scene, ground, volume, transparent, image};
    render_team_run(team, (scene->height + ROWS - 1) / ROWS, draw_rows, &c);
}
