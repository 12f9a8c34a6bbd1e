// SPDX-License-Identifier: Apache-2.0
#include "server/demo_land.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

// Outlines, degrees east and north, clockwise or not; each closes itself.
static const float outline[][2] = {
    // great britain
    {-5.71f, 50.07f}, {-5.2f, 49.96f}, {-5.05f, 50.14f}, {-4.8f, 50.22f}, {-4.14f, 50.33f}, {-3.79f, 50.21f},
    {-3.64f, 50.22f}, {-3.55f, 50.34f}, {-3.49f, 50.4f}, {-3.42f, 50.61f}, {-2.93f, 50.72f}, {-2.55f, 50.6f},
    {-2.45f, 50.52f}, {-2.42f, 50.62f}, {-2.06f, 50.58f}, {-1.93f, 50.7f}, {-1.55f, 50.71f}, {-1.31f, 50.82f},
    {-1.09f, 50.79f}, {-0.79f, 50.73f}, {-0.14f, 50.82f}, {0.25f, 50.74f}, {0.59f, 50.85f}, {0.97f, 50.91f},
    {1.18f, 51.08f}, {1.38f, 51.14f}, {1.44f, 51.37f}, {1.03f, 51.36f}, {0.75f, 51.43f}, {0.37f, 51.45f}, {0.6f, 51.52f},
    {0.8f, 51.53f}, {0.95f, 51.6f}, {1.16f, 51.79f}, {1.29f, 51.94f}, {1.58f, 52.08f}, {1.76f, 52.48f}, {1.69f, 52.72f},
    {1.3f, 52.93f}, {0.98f, 52.97f}, {0.49f, 52.94f}, {0.37f, 52.8f}, {0.08f, 52.9f}, {0.34f, 53.14f}, {0.26f, 53.34f},
    {0.15f, 53.47f}, {-0.07f, 53.58f}, {-0.35f, 53.72f}, {0.12f, 53.6f}, {0.03f, 53.73f}, {-0.16f, 53.91f},
    {-0.08f, 54.12f}, {-0.28f, 54.21f}, {-0.39f, 54.28f}, {-0.61f, 54.49f}, {-1.15f, 54.64f}, {-1.18f, 54.7f},
    {-1.36f, 54.91f}, {-1.42f, 55.02f}, {-1.5f, 55.13f}, {-1.6f, 55.39f}, {-1.7f, 55.61f}, {-2.0f, 55.77f},
    {-2.13f, 55.91f}, {-2.51f, 56.0f}, {-2.72f, 56.06f}, {-3.18f, 55.98f}, {-3.4f, 55.99f}, {-3.7f, 56.03f},
    {-3.15f, 56.11f}, {-2.59f, 56.28f}, {-2.79f, 56.34f}, {-2.97f, 56.45f}, {-2.58f, 56.56f}, {-2.46f, 56.71f},
    {-2.2f, 56.96f}, {-2.07f, 57.14f}, {-1.77f, 57.5f}, {-2.0f, 57.69f}, {-2.52f, 57.67f}, {-2.96f, 57.68f},
    {-3.29f, 57.72f}, {-3.61f, 57.66f}, {-3.87f, 57.59f}, {-4.22f, 57.49f}, {-4.4f, 57.5f}, {-4.03f, 57.68f},
    {-3.78f, 57.87f}, {-4.02f, 57.87f}, {-3.85f, 58.01f}, {-3.65f, 58.11f}, {-3.09f, 58.44f}, {-3.02f, 58.64f},
    {-3.37f, 58.67f}, {-3.52f, 58.6f}, {-4.01f, 58.59f}, {-4.42f, 58.52f}, {-5.0f, 58.63f}, {-5.07f, 58.46f},
    {-5.16f, 58.35f}, {-5.4f, 58.24f}, {-5.25f, 58.14f}, {-5.43f, 58.1f}, {-5.16f, 57.9f}, {-5.61f, 57.92f},
    {-5.8f, 57.73f}, {-5.86f, 57.48f}, {-5.72f, 57.28f}, {-5.83f, 57.0f}, {-6.22f, 56.73f}, {-5.78f, 56.54f},
    {-5.48f, 56.41f}, {-5.58f, 56.12f}, {-5.7f, 55.93f}, {-5.79f, 55.3f}, {-5.56f, 55.43f}, {-5.33f, 55.77f},
    {-4.96f, 55.9f}, {-4.78f, 55.96f}, {-4.87f, 55.79f}, {-4.82f, 55.64f}, {-4.64f, 55.46f}, {-4.86f, 55.24f},
    {-5.03f, 54.97f}, {-5.16f, 55.01f}, {-5.12f, 54.84f}, {-4.86f, 54.63f}, {-4.84f, 54.86f}, {-4.39f, 54.68f},
    {-4.05f, 54.8f}, {-3.59f, 54.87f}, {-3.26f, 54.98f}, {-3.4f, 54.87f}, {-3.57f, 54.65f}, {-3.64f, 54.51f},
    {-3.25f, 54.05f}, {-2.9f, 54.18f}, {-2.87f, 54.07f}, {-3.05f, 53.92f}, {-3.06f, 53.8f}, {-2.95f, 53.73f},
    {-3.03f, 53.65f}, {-3.1f, 53.55f}, {-3.0f, 53.42f}, {-3.19f, 53.39f}, {-3.12f, 53.27f}, {-3.33f, 53.36f},
    {-3.86f, 53.34f}, {-4.13f, 53.23f}, {-4.29f, 53.42f}, {-4.57f, 53.4f}, {-4.68f, 53.3f}, {-4.45f, 53.15f},
    {-4.3f, 53.12f}, {-4.57f, 52.95f}, {-4.76f, 52.79f}, {-4.5f, 52.81f}, {-4.4f, 52.88f}, {-4.13f, 52.91f},
    {-4.06f, 52.72f}, {-4.09f, 52.41f}, {-4.36f, 52.22f}, {-4.69f, 52.12f}, {-5.07f, 52.03f}, {-5.31f, 51.88f},
    {-5.25f, 51.73f}, {-4.93f, 51.6f}, {-4.69f, 51.67f}, {-4.45f, 51.74f}, {-4.2f, 51.66f}, {-4.32f, 51.57f},
    {-3.97f, 51.57f}, {-3.7f, 51.48f}, {-3.55f, 51.4f}, {-3.27f, 51.39f}, {-3.15f, 51.47f}, {-2.95f, 51.55f},
    {-2.66f, 51.62f}, {-2.4f, 51.75f}, {-2.71f, 51.5f}, {-2.99f, 51.35f}, {-3.01f, 51.23f}, {-3.47f, 51.21f},
    {-3.79f, 51.25f}, {-4.12f, 51.21f}, {-4.23f, 51.19f}, {-4.24f, 51.05f}, {-4.53f, 51.02f}, {-4.56f, 50.83f},
    {-4.77f, 50.67f}, {-5.04f, 50.55f}, {-5.1f, 50.42f}, {-5.48f, 50.22f}, {-5.67f, 50.17f},
    // ireland
    {-7.37f, 55.38f}, {-6.93f, 55.23f}, {-6.96f, 55.19f}, {-6.66f, 55.21f}, {-6.15f, 55.22f}, {-6.05f, 55.08f},
    {-5.8f, 54.86f}, {-5.69f, 54.77f}, {-5.9f, 54.63f}, {-5.66f, 54.67f}, {-5.53f, 54.64f}, {-5.5f, 54.33f},
    {-5.83f, 54.24f}, {-5.88f, 54.2f}, {-5.99f, 54.05f}, {-6.1f, 54.02f}, {-6.37f, 54.0f}, {-6.22f, 53.79f},
    {-6.24f, 53.72f}, {-6.1f, 53.58f}, {-6.06f, 53.37f}, {-6.2f, 53.34f}, {-6.09f, 53.27f}, {-6.0f, 52.97f},
    {-6.14f, 52.79f}, {-6.19f, 52.56f}, {-6.36f, 52.33f}, {-6.36f, 52.17f}, {-6.93f, 52.12f}, {-7.15f, 52.15f},
    {-7.54f, 52.05f}, {-7.85f, 51.94f}, {-8.25f, 51.8f}, {-8.53f, 51.61f}, {-8.95f, 51.53f}, {-9.38f, 51.47f},
    {-9.82f, 51.45f}, {-9.85f, 51.54f}, {-9.5f, 51.68f}, {-10.2f, 51.59f}, {-9.7f, 51.84f}, {-10.34f, 51.79f},
    {-10.38f, 51.92f}, {-9.9f, 52.11f}, {-10.45f, 52.1f}, {-10.23f, 52.26f}, {-9.88f, 52.27f}, {-9.93f, 52.42f},
    {-9.5f, 52.58f}, {-9.93f, 52.56f}, {-9.45f, 52.84f}, {-9.27f, 53.15f}, {-9.0f, 53.25f}, {-9.6f, 53.22f},
    {-9.85f, 53.32f}, {-10.23f, 53.4f}, {-10.15f, 53.5f}, {-9.9f, 53.62f}, {-9.6f, 53.82f}, {-10.2f, 53.97f},
    {-10.08f, 54.25f}, {-9.82f, 54.34f}, {-9.35f, 54.33f}, {-9.18f, 54.22f}, {-8.6f, 54.28f}, {-8.15f, 54.63f},
    {-8.45f, 54.57f}, {-8.8f, 54.66f}, {-8.5f, 54.8f}, {-8.28f, 55.15f}, {-7.95f, 55.22f}, {-7.63f, 55.28f},
    {-7.5f, 55.05f}, {-7.52f, 55.28f},
    // continent
    {-1.6f, 46.0f}, {-1.6f, 48.83f}, {-1.8f, 49.37f}, {-1.94f, 49.72f}, {-1.62f, 49.65f}, {-1.26f, 49.7f},
    {-1.15f, 49.37f}, {-0.25f, 49.29f}, {0.1f, 49.49f}, {0.17f, 49.68f}, {1.08f, 49.93f}, {1.55f, 50.2f}, {1.58f, 50.73f},
    {1.58f, 50.87f}, {1.85f, 50.97f}, {2.37f, 51.05f}, {2.92f, 51.24f}, {3.2f, 51.34f}, {3.45f, 51.54f}, {3.7f, 51.72f},
    {4.1f, 51.98f}, {4.57f, 52.46f}, {4.74f, 52.96f}, {4.8f, 53.17f}, {5.1f, 53.3f}, {5.5f, 53.45f}, {7.0f, 53.65f},
    {10.0f, 53.9f}, {14.0f, 54.0f}, {14.0f, 46.0f},
    // norway
    {5.6f, 58.75f}, {5.5f, 59.2f}, {5.2f, 59.6f}, {4.95f, 60.3f}, {4.95f, 61.2f}, {5.0f, 64.0f}, {14.0f, 64.0f},
    {14.0f, 58.0f}, {8.0f, 58.0f}, {7.0f, 57.98f}, {6.0f, 58.3f},
    // man
    {-4.8f, 54.06f}, {-4.63f, 54.08f}, {-4.39f, 54.22f}, {-4.32f, 54.3f}, {-4.37f, 54.42f}, {-4.53f, 54.37f},
    {-4.7f, 54.22f},
    // skye
    {-6.47f, 57.32f}, {-6.79f, 57.42f}, {-6.6f, 57.5f}, {-6.3f, 57.7f}, {-6.14f, 57.58f}, {-6.13f, 57.38f},
    {-5.75f, 57.27f}, {-6.02f, 57.02f}, {-6.3f, 57.16f},
    // lewis
    {-6.26f, 58.51f}, {-6.17f, 58.22f}, {-6.4f, 58.0f}, {-6.68f, 57.88f}, {-6.95f, 57.73f}, {-7.1f, 57.82f},
    {-7.08f, 57.95f}, {-7.05f, 58.23f}, {-6.75f, 58.3f},
    // uist
    {-7.1f, 57.68f}, {-7.2f, 57.35f}, {-7.25f, 57.1f}, {-7.42f, 57.12f}, {-7.42f, 57.35f}, {-7.52f, 57.6f},
    {-7.3f, 57.68f},
    // mull
    {-6.32f, 56.58f}, {-6.05f, 56.64f}, {-5.68f, 56.45f}, {-5.85f, 56.32f}, {-6.35f, 56.28f}, {-6.15f, 56.4f},
    // islay
    {-6.1f, 55.9f}, {-6.03f, 55.68f}, {-6.3f, 55.58f}, {-6.5f, 55.7f}, {-6.45f, 55.85f}, {-6.2f, 55.93f},
    // jura
    {-5.68f, 56.13f}, {-5.95f, 55.83f}, {-6.08f, 55.9f}, {-5.8f, 56.15f},
    // arran
    {-5.38f, 55.66f}, {-5.28f, 55.72f}, {-5.1f, 55.6f}, {-5.1f, 55.45f}, {-5.35f, 55.46f},
    // orkney
    {-3.35f, 58.98f}, {-3.3f, 59.12f}, {-3.0f, 59.1f}, {-2.75f, 58.97f}, {-2.95f, 58.9f},
    // hoy
    {-3.42f, 58.9f}, {-3.3f, 58.93f}, {-3.15f, 58.8f}, {-3.3f, 58.78f},
    // shetland
    {-1.28f, 59.86f}, {-1.2f, 60.0f}, {-1.1f, 60.25f}, {-1.0f, 60.45f}, {-0.85f, 60.75f}, {-1.05f, 60.72f},
    {-1.35f, 60.6f}, {-1.65f, 60.3f}, {-1.35f, 60.25f}, {-1.35f, 60.0f},
    // wight
    {-1.58f, 50.66f}, {-1.3f, 50.77f}, {-1.07f, 50.68f}, {-1.3f, 50.58f},
};
// One past each outline's last point.
static const int outline_end[] = {194, 268, 298, 309, 316, 325, 334, 341, 347, 353, 357, 362, 367, 371, 381, 385};

// Hills: degrees east and north, radius km, height m.
static const float hills[][4] = {
    {-5.0f, 57.45f, 55.0f, 850.0f}, {-3.6f, 57.05f, 42.0f, 1150.0f}, {-4.9f, 56.8f, 42.0f, 1150.0f},
    {-4.4f, 56.45f, 38.0f, 950.0f}, {-3.6f, 55.4f, 50.0f, 620.0f}, {-4.4f, 55.12f, 28.0f, 680.0f},
    {-2.2f, 55.45f, 24.0f, 640.0f}, {-3.1f, 54.5f, 20.0f, 900.0f}, {-2.35f, 54.65f, 24.0f, 750.0f},
    {-2.2f, 54.2f, 26.0f, 620.0f}, {-1.85f, 53.5f, 24.0f, 540.0f}, {-1.0f, 54.36f, 20.0f, 380.0f},
    {-3.95f, 53.0f, 22.0f, 950.0f}, {-3.65f, 52.45f, 32.0f, 640.0f}, {-3.4f, 51.88f, 24.0f, 740.0f},
    {-3.6f, 51.14f, 16.0f, 440.0f}, {-3.95f, 50.6f, 17.0f, 540.0f}, {-4.6f, 50.55f, 11.0f, 340.0f},
    {-2.0f, 51.85f, 28.0f, 250.0f}, {-0.3f, 51.15f, 34.0f, 190.0f}, {-6.05f, 54.16f, 12.0f, 700.0f},
    {-6.35f, 53.0f, 20.0f, 760.0f}, {-9.75f, 51.98f, 26.0f, 850.0f}, {-8.2f, 52.36f, 17.0f, 650.0f},
    {-9.7f, 53.52f, 22.0f, 650.0f}, {-9.55f, 54.0f, 20.0f, 560.0f}, {-8.05f, 54.95f, 25.0f, 600.0f},
    {-6.15f, 55.05f, 18.0f, 440.0f}, {-7.0f, 54.8f, 17.0f, 540.0f}, {-6.25f, 57.25f, 13.0f, 850.0f},
    {-6.9f, 57.98f, 13.0f, 650.0f}, {-6.0f, 56.42f, 11.0f, 800.0f}, {-5.22f, 55.6f, 8.0f, 780.0f},
    {6.8f, 60.0f, 75.0f, 1250.0f}, {-4.5f, 58.25f, 38.0f, 560.0f}, {-4.5f, 54.25f, 9.0f, 520.0f},
    {5.5f, 50.2f, 60.0f, 420.0f}, {-1.3f, 60.3f, 20.0f, 260.0f}, {-5.7f, 56.9f, 20.0f, 800.0f},
    {-2.9f, 57.3f, 30.0f, 520.0f},
};

enum { POINTS = sizeof outline / sizeof *outline, OUTLINES = sizeof outline_end / sizeof *outline_end, HILLS = sizeof hills / sizeof *hills };

struct demo_land {
    const struct demo_noise *noise;
    float spacing;              // km between columns
    float point[POINTS][2];     // km in the plane
    float box[OUTLINES][4];     // x from, y from, x to, y to, with room for the coast's ramp
    float hill[HILLS][4];       // x, y, radius in km, height in m
};

static const float margin = 40;  // km from the coast beyond which nothing changes

static void bound(struct demo_land *land, int outline_index, int first) {
    float *box = land->box[outline_index];
    box[0] = box[1] = 1e9f, box[2] = box[3] = -1e9f;
    for (int p = first; p < outline_end[outline_index]; p++)
        for (int axis = 0; axis < 2; axis++) {
            box[axis] = fminf(box[axis], land->point[p][axis] - margin);
            box[axis + 2] = fmaxf(box[axis + 2], land->point[p][axis] + margin);
        }
}

static void place(const float from[2], float to[2]) {
    double x, y;
    demo_grid_to_plane(from[0], from[1], &x, &y);
    to[0] = (float)x, to[1] = (float)y;
}

struct demo_land *demo_land_new(const struct demo_noise *noise, double spacing_km) {
    struct demo_land *land = calloc(1, sizeof *land);
    if (!land) return NULL;
    land->noise = noise;
    land->spacing = (float)spacing_km;
    for (int p = 0; p < POINTS; p++) place(outline[p], land->point[p]);
    for (int o = 0; o < OUTLINES; o++) bound(land, o, o ? outline_end[o - 1] : 0);
    for (int h = 0; h < HILLS; h++) {
        place(hills[h], land->hill[h]);
        land->hill[h][2] = hills[h][2], land->hill[h][3] = hills[h][3];
    }
    return land;
}

void demo_land_free(struct demo_land *land) { free(land); }

static float square(float v) { return v * v; }

static float segment_distance2(const float a[2], const float b[2], float x, float y) {
    float dx = b[0] - a[0], dy = b[1] - a[1], along = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy);
    along = along < 0 ? 0 : along > 1 ? 1 : along;
    return square(a[0] + along * dx - x) + square(a[1] + along * dy - y);
}

// km to the coast, positive on land (even-odd rule), held within ±margin.
static float coast_distance(const struct demo_land *land, float x, float y) {
    float nearest = margin * margin;
    bool inside = false;
    for (int o = 0, first = 0; o < OUTLINES; first = outline_end[o++]) {
        const float *box = land->box[o];
        if (x < box[0] || y < box[1] || x > box[2] || y > box[3]) continue;
        for (int p = first, q = outline_end[o] - 1; p < outline_end[o]; q = p++) {
            const float *a = land->point[p], *b = land->point[q];
            nearest = fminf(nearest, segment_distance2(a, b, x, y));
            if ((a[1] > y) != (b[1] > y) && x < a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1])) inside = !inside;
        }
    }
    return inside ? sqrtf(nearest) : -sqrtf(nearest);
}

// Ridged noise (Musgrave's "ridged multifractal" in its simplest form): 1 − |noise|, sharpest where the noise crosses zero.
// Octaves finer than two columns are left out, as a model's orography leaves them out.
static float ridges(const struct demo_land *land, float x, float y) {
    float sum = 0, height = 0.5f, wavelength = 36;
    for (int octave = 0; octave < 5 && wavelength > 2 * land->spacing; octave++, height *= 0.5f, wavelength *= 0.5f) {
        float n = fabsf(demo_noise_at(land->noise, x / wavelength + 7.0f * (float)octave, y / wavelength, 3.0f * (float)octave));
        sum += height * (1 - fminf(1.8f * n, 1));
    }
    return sum;
}

static float envelope(const struct demo_land *land, float x, float y) {
    float rest = 1, highest = 0;
    for (int h = 0; h < HILLS; h++) {
        const float *hill = land->hill[h];
        float d2 = (square(x - hill[0]) + square(y - hill[1])) / square(hill[2]);
        if (d2 > 9) continue;
        float share = hill[3] * expf(-d2);
        highest = fmaxf(highest, share);
        rest *= 1 - share / 2500;
    }
    return fmaxf(highest, 2500 * (1 - rest));
}

float demo_land_height(const struct demo_land *land, float x, float y, float *land_fraction) {
    float warp = fmaxf(2.5f, 0.4f * land->spacing);  // km by which the typed outline is roughened
    float wx = x + warp * demo_noise_fractal(land->noise, x / 14, y / 14, 1.5f, 3, 0.6f);
    float wy = y + warp * demo_noise_fractal(land->noise, x / 14, y / 14, 9.5f, 3, 0.6f);
    float inland = coast_distance(land, wx, wy), share = 0.5f + inland / land->spacing;
    *land_fraction = share < 0 ? 0 : share > 1 ? 1 : share;
    if (inland <= 0) return 0;
    float rolling = 35 + 60 * demo_noise_fractal(land->noise, x / 40, y / 40, 20.5f, 3, 0.5f);
    float rise = 1 - expf(-inland / 9);
    float hill = envelope(land, x, y) * (0.2f + 0.95f * ridges(land, x, y));
    return rise * (fmaxf(rolling, 4) + hill);
}
