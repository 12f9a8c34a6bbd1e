// SPDX-License-Identifier: Apache-2.0
#include "field/level_heights.h"

#include <math.h>
#include <stdlib.h>

double level_heights_at(const struct level_heights *heights, size_t i, size_t j, size_t k) {
    size_t column = j * heights->nx + i;
    if (heights->field) return (double)heights->field[k * heights->ny * heights->nx + column];
    double height = heights->a[k];
    if (heights->b && heights->surface) height += heights->b[k] * (double)heights->surface[column];
    return height;
}

struct corners { size_t i0, i1, j0, j1; double fi, fj; };

static struct corners corners_of(size_t nx, size_t ny, bool wraps, double i, double j) {
    struct corners c = {(size_t)i, 0, (size_t)j, 0, 0, 0};
    if (c.i0 > nx - 1) c.i0 = nx - 1;
    if (c.j0 > ny - 1) c.j0 = ny - 1;
    c.i1 = c.i0 + 1 < nx ? c.i0 + 1 : wraps ? 0 : c.i0;
    c.j1 = c.j0 + 1 < ny ? c.j0 + 1 : c.j0;
    c.fi = i - (double)c.i0;
    c.fj = j - (double)c.j0;
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

void level_heights_free(struct level_heights *h) {
    if (!h) return;
    free(h->a);
    free(h->b);
    free(h->field);
    if (h->ground != h->surface) free(h->ground);
    free(h->surface);
    free(h);
}
