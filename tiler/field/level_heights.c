// SPDX-License-Identifier: Apache-2.0
#include "field/level_heights.h"

#include <math.h>
#include <stdlib.h>

enum { HELD_NUMBERS = 24 << 20, TEST_PAIRS = 24 };

// Where an index stands among the kept ones; it is kept.
static size_t kept_place(const size_t *kept, size_t count, size_t index) {
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (kept[middle] <= index) low = middle;
        else high = middle;
    }
    return low;
}

double level_heights_at(const struct level_heights *h, size_t i, size_t j, size_t k) {
    if (h->field) {
        size_t x = h->step == 1 ? i : kept_place(h->kept_x, h->kept_nx, i), y = h->step == 1 ? j : kept_place(h->kept_y, h->kept_ny, j);
        return (double)h->field[(k * h->kept_ny + y) * h->kept_nx + x];
    }
    double height = h->a[k];
    if (h->b && h->surface) height += h->b[k] * (double)h->surface[j * h->nx + i];
    return height;
}

struct corners { size_t i0, i1, j0, j1; double fi, fj; };

static struct corners corners_of(size_t nx, size_t ny, bool wraps, double i, double j) {
    struct corners c = {(size_t)i, 0, (size_t)j, 0, 0, 0};
    if (c.i0 > nx - 1) c.i0 = nx - 1;
    if (c.j0 > ny - 1) c.j0 = ny - 1;
    c.fi = i - (double)c.i0;
    c.fj = j - (double)c.j0;
    c.i1 = c.fi == 0 ? c.i0 : c.i0 + 1 < nx ? c.i0 + 1 : wraps ? 0 : c.i0;
    c.j1 = c.fj > 0 && c.j0 + 1 < ny ? c.j0 + 1 : c.j0;
    return c;
}

static double mix(double a, double b, double f) { return f == 0 ? a : f == 1 ? b : a + (b - a) * f; }

double level_heights_between(const struct level_heights *h, bool wraps, double i, double j, size_t k) {
    struct corners c = corners_of(h->nx, h->ny, wraps, i, j);
    return mix(mix(level_heights_at(h, c.i0, c.j0, k), level_heights_at(h, c.i1, c.j0, k), c.fi),
               mix(level_heights_at(h, c.i0, c.j1, k), level_heights_at(h, c.i1, c.j1, k), c.fi), c.fj);
}

double level_heights_ground(const struct level_heights *h, bool wraps, double i, double j) {
    if (!h->ground) return 0;
    struct corners c = corners_of(h->nx, h->ny, wraps, i, j);
    const float *low = h->ground + c.j0 * h->nx, *high = h->ground + c.j1 * h->nx;
    return mix(mix((double)low[c.i0], (double)low[c.i1], c.fi), mix((double)high[c.i0], (double)high[c.i1], c.fi), c.fj);
}

// --- taking in a field -------------------------------------------------------------------------------------------------

// Multiples of the step, the last index, and pairs of neighbours spread between them for tests.
static size_t *choose_kept(size_t n, size_t step, size_t *count) {
    unsigned char *wanted = calloc(n, 1);
    size_t *kept = malloc(n * sizeof *kept);
    *count = 0;
    for (size_t i = 0; wanted && kept && i < n; i += step) wanted[i] = 1;
    for (size_t p = 0; wanted && kept && step > 1 && p < TEST_PAIRS && n > 2; p++) {
        size_t at = (size_t)(fmod(0.5 + 0.6180339887498949 * (double)p, 1) * (double)(n - 1));
        wanted[at] = wanted[at + 1] = 1;
    }
    for (size_t i = 0; wanted && kept && i < n; i++)
        if (wanted[i] || i == n - 1) kept[(*count)++] = i;
    free(wanted);
    if (*count == 0) {
        free(kept);
        return NULL;
    }
    return kept;
}

int level_heights_begin(struct level_heights *h, size_t low_level, size_t high_level) {
    size_t columns = h->nx * h->ny, n = h->level_count;
    h->step = columns <= HELD_NUMBERS / n ? 1 : level_map_least_step(h->nx, h->ny, n);
    h->low_level = low_level;
    h->high_level = high_level;
    h->lowest = INFINITY;
    h->highest = -INFINITY;
    h->kept_x = choose_kept(h->nx, h->step, &h->kept_nx);
    h->kept_y = choose_kept(h->ny, h->step, &h->kept_ny);
    h->low = malloc(columns * sizeof *h->low);
    h->high = malloc(columns * sizeof *h->high);
    h->last = malloc(columns * sizeof *h->last);
    h->mean = calloc(n, sizeof *h->mean);
    h->field = h->kept_x && h->kept_y ? malloc(n * h->kept_nx * h->kept_ny * sizeof *h->field) : NULL;
    return h->field && h->low && h->high && h->last && h->mean ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static void look_at(struct level_heights *h, size_t k, size_t c, double height) {
    bool rises = isfinite(height) && fabs(height) < 1e6 && (k == 0 || (float)height - h->last[c] > 1e-3F);
    if (!rises && !h->falls) h->falls = true, h->falls_x = c % h->nx, h->falls_y = c / h->nx;
    h->last[c] = (float)height;
    h->mean[k] += height / (double)(h->nx * h->ny);
    if (k == 0) h->lowest = fmin(h->lowest, height);
    if (k + 1 == h->level_count) h->highest = fmax(h->highest, height);
    if (k == h->low_level) h->low[c] = (float)height;
    if (k == h->high_level) h->high[c] = (float)height;
}

void level_heights_add(struct level_heights *h, size_t k, size_t y0, size_t rows, const double *plane) {
    for (size_t c = 0; c < rows * h->nx; c++) look_at(h, k, y0 * h->nx + c, plane[c]);
    for (size_t y = 0; y < h->kept_ny; y++) {
        if (h->kept_y[y] < y0 || h->kept_y[y] >= y0 + rows) continue;
        float *row = h->field + (k * h->kept_ny + y) * h->kept_nx;
        for (size_t x = 0; x < h->kept_nx; x++) row[x] = (float)plane[(h->kept_y[y] - y0) * h->nx + h->kept_x[x]];
    }
}

void level_heights_free(struct level_heights *h) {
    if (!h) return;
    free(h->a);
    free(h->b);
    free(h->field);
    free(h->kept_x);
    free(h->kept_y);
    free(h->low);
    free(h->high);
    free(h->last);
    free(h->mean);
    if (h->ground != h->surface) free(h->ground);
    free(h->surface);
    free(h);
}
