// SPDX-License-Identifier: Apache-2.0
#include "server/demo_noise.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 64, DEPTH = 32, MAX_NODES = 512 };

struct demo_noise {
    float table[DEPTH][SIDE][SIDE];  // ±1, periodic on each axis
};

// The finaliser of MurmurHash3 (public domain), over a sum of products with odd constants.
uint32_t demo_noise_hash(uint32_t x, uint32_t y, uint32_t z) {
    uint32_t h = x * 0x9e3779b1u + y * 0x85ebca77u + z * 0xc2b2ae3du + 0x27d4eb2fu;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    return h ^ (h >> 16);
}

float demo_noise_unit(uint32_t x, uint32_t y, uint32_t z) { return (float)(demo_noise_hash(x, y, z) >> 8) * 0x1p-24f; }

struct demo_noise *demo_noise_new(uint32_t seed) {
    struct demo_noise *noise = malloc(sizeof *noise);
    if (!noise) return NULL;
    for (uint32_t z = 0; z < DEPTH; z++)
        for (uint32_t y = 0; y < SIDE; y++)
            for (uint32_t x = 0; x < SIDE; x++) noise->table[z][y][x] = 2 * demo_noise_unit(x + SIDE * y, z, seed) - 1;
    return noise;
}

void demo_noise_free(struct demo_noise *noise) { free(noise); }

// Quadratic B-spline weights of the three nodes around t; the middle node is the nearest. Scaled so that the result's
// standard deviation stays the same for any point between nodes to within a few percent.
static int spline(float t, float weight[3]) {
    float nearest = floorf(t + 0.5f), f = t - nearest;
    weight[0] = 0.5f * (0.5f - f) * (0.5f - f);
    weight[1] = 0.75f - f * f;
    weight[2] = 0.5f * (0.5f + f) * (0.5f + f);
    return (int)nearest - 1;
}

static const float scale = 1.6f;

float demo_noise_at(const struct demo_noise *noise, float x, float y, float z) {
    float wx[3], wy[3], wz[3], sum = 0;
    int ix = spline(x, wx), iy = spline(y, wy), iz = spline(z, wz);
    for (int c = 0; c < 3; c++)
        for (int b = 0; b < 3; b++) {
            const float *row = noise->table[(iz + c) & (DEPTH - 1)][(iy + b) & (SIDE - 1)];
            float line = wx[0] * row[ix & (SIDE - 1)] + wx[1] * row[(ix + 1) & (SIDE - 1)] + wx[2] * row[(ix + 2) & (SIDE - 1)];
            sum += wz[c] * wy[b] * line;
        }
    return scale * sum;
}

float demo_noise_fractal(const struct demo_noise *noise, float x, float y, float z, int octaves, float gain) {
    float sum = 0, height = 1;
    for (int o = 0; o < octaves; o++, height *= gain) {
        sum += height * demo_noise_at(noise, x, y, z);
        float turned = 1.6f * x + 1.2f * y + 17.3f;  // each octave is turned by about 37 degrees, which hides the lattice
        y = 1.6f * y - 1.2f * x + 5.7f;
        x = turned;
        z = 2 * z + 3.1f;
    }
    return sum;
}

void demo_noise_add_row(const struct demo_noise *noise, float x0, float dx, float y, float z, float height, int n, float *sum) {
    float wy[3], wz[3], node[MAX_NODES] = {0};
    int iy = spline(y, wy), iz = spline(z, wz);
    int first = (int)floorf(x0) - 1, last = (int)floorf(x0 + dx * (float)n) + 3;
    if (last - first >= MAX_NODES) {  // never for lattices wider than two columns; exact all the same
        for (int i = 0; i < n; i++) sum[i] += height * demo_noise_at(noise, x0 + dx * (float)i, y, z);
        return;
    }
    for (int c = 0; c < 3; c++)
        for (int b = 0; b < 3; b++) {
            const float *row = noise->table[(iz + c) & (DEPTH - 1)][(iy + b) & (SIDE - 1)];
            float w = scale * height * wz[c] * wy[b];
            for (int m = first; m <= last; m++) node[m - first] += w * row[m & (SIDE - 1)];
        }
    float base = x0 - (float)first + 0.5f;  // above zero, so that truncation is floor
    for (int i = 0; i < n; i++) {
        float t = base + dx * (float)i;
        int m = (int)t;
        float f = t - (float)m - 0.5f;
        sum[i] += 0.5f * (0.5f - f) * (0.5f - f) * node[m - 1] + (0.75f - f * f) * node[m] + 0.5f * (0.5f + f) * (0.5f + f) * node[m + 1];
    }
}
