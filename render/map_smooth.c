// SPDX-License-Identifier: Apache-2.0
#include "render/map_smooth.h"

#include <math.h>
#include <stdlib.h>

struct weights { int reach; float of[MAP_SMOOTH_REACH + 1]; };

static struct weights weights_of(double half) {
    struct weights w = {.reach = (int)fmin(MAP_SMOOTH_REACH, ceil(half) - 1)};
    for (int n = 0; n <= w.reach; n++) w.of[n] = (float)(1 - n / half);
    return w;
}

static void smooth_line(const struct weights *w, const float *from, float *to, size_t n, size_t stride) {
    for (size_t c = 0; c < n; c++) {
        float sum = 0, whole = 0;
        const size_t low = c > (size_t)w->reach ? c - (size_t)w->reach : 0, high = c + (size_t)w->reach < n ? c + (size_t)w->reach : n - 1;
        for (size_t k = low; k <= high && !isnan(from[c * stride]); k++) {
            const float value = from[k * stride], weight = w->of[k > c ? k - c : c - k];
            if (isnan(value)) continue;
            sum += weight * value;
            whole += weight;
        }
        to[c * stride] = whole > 0 ? sum / whole : NAN;
    }
}

int map_smooth(float *values, size_t nx, size_t ny, double half) {
    if (!(half > 1)) return VIRGA_OK;
    const struct weights w = weights_of(half);
    float *between = malloc(nx * ny * sizeof *between);
    if (!between) return VIRGA_NO_MEMORY;
    for (size_t y = 0; y < ny; y++) smooth_line(&w, values + y * nx, between + y * nx, nx, 1);
    for (size_t x = 0; x < nx; x++) smooth_line(&w, between + x, values + x, ny, nx);
    free(between);
    return VIRGA_OK;
}
