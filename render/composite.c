// SPDX-License-Identifier: Apache-2.0
#include "render/composite.h"

#include <stdint.h>

enum { ROWS = 8 };  // of a piece of work

struct composite {
    const struct scene *scene;
    const float *ground, *volume;
    bool transparent;
    struct image *image;
};

static float held(float value) {
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

// The volume's grain evened out by a small cross of neighbours, as the page's 8-bit target would hold them: between 0 and 1.
static void smoothed(const struct composite *c, size_t x, size_t y, float over[4]) {
    size_t width = c->scene->width, height = c->scene->height;
    const float *at = c->volume + 4 * (y * width + x);
    const float *left = x ? at - 4 : at, *right = x + 1 < width ? at + 4 : at;
    const float *up = y ? at - 4 * width : at, *down = y + 1 < height ? at + 4 * width : at;
    for (int n = 0; n < 4; n++)
        over[n] = 0.32f * held(at[n]) + 0.17f * (held(left[n]) + held(right[n]) + held(up[n]) + held(down[n]));
}

// A pixel's hash keeps broad gradients from showing 8-bit bands: −0.5 to 0.5. Rows are counted from the bottom.
static float dither(uint32_t x, uint32_t row) {
    uint32_t h = (x * 1597334677u) ^ (row * 3812015801u);
    h = (h ^ (h >> 15)) * 2246822519u;
    return (float)(h >> 8) / 16777216.0f - 0.5f;
}

static uint8_t byte_of(float value) {
    float scaled = value * 255.0f + 0.5f;
    return scaled >= 255.0f ? 255 : scaled > 0 ? (uint8_t)scaled : 0;
}

static void draw_row(const struct composite *c, size_t y) {
    const struct scene *scene = c->scene;
    size_t width = scene->width, row = scene->height - 1 - y;
    float up = ((float)row + 0.5f) / (float)scene->height, share = up * up * (3 - 2 * up), sky[3];
    for (int n = 0; n < 3; n++)
        sky[n] = c->transparent ? 0 : (float)(scene->light.sky_low[n] * (1 - (double)share) + scene->light.sky_top[n] * (double)share);
    uint8_t *out = c->image->pixels + 4 * y * width;
    for (size_t x = 0; x < width; x++) {
        float below[4] = {0}, over[4] = {0}, hash = dither((uint32_t)x, (uint32_t)row) / 255;
        for (int n = 0; c->ground && n < 4; n++) below[n] = c->ground[4 * (y * width + x) + (size_t)n];
        if (c->volume) smoothed(c, x, y, over);
        float alpha = c->transparent ? 1 - (1 - below[3]) * (1 - over[3]) : 1, whole = alpha > 1e-6f ? 1 / alpha : 0;
        for (int n = 0; n < 3; n++) {
            float colour = sky[n] * (1 - below[3]) + below[n];
            out[4 * x + (size_t)n] = byte_of((colour * (1 - over[3]) + over[n]) * whole + hash);
        }
        out[4 * x + 3] = byte_of(alpha);
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
