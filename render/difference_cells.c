// SPDX-License-Identifier: Apache-2.0
#include "render/difference_cells.h"

#include <math.h>
#include <stdlib.h>

struct range { double low, high; };  // low > high: nothing

static size_t count_of(const struct cell_heights *heights) { return (size_t)heights->count[0] * heights->count[1] * heights->count[2]; }

// Values of what is taken away at the heights of one cell: in cells over the same columns that reach between them.
static struct range range_between(const struct difference_cells *c, const int32_t *low, const int32_t *high, size_t column, float bottom, float top) {
    const struct cell_heights *h = c->minus_heights;
    const size_t plane = (size_t)h->count[0] * h->count[1];
    struct range found = {INFINITY, -INFINITY};
    for (size_t at = column, z = 0; z < h->count[2]; z++, at += plane) {
        if (h->high[at] < bottom || h->low[at] > top || low[at] > high[at]) continue;
        found.low = fmin(found.low, low[at]);
        found.high = fmax(found.high, high[at]);
    }
    return found;
}

static void mark(const struct difference_cells *c, const int32_t *low, const int32_t *high, const int32_t *minus_low, const int32_t *minus_high,
                 uint8_t *visible) {
    const size_t count = count_of(c->heights), plane = (size_t)c->heights->count[0] * c->heights->count[1];
    for (size_t at = 0; at < count; at++) {
        if (visible[at] || low[at] > high[at]) continue;
        struct range minus = {minus_low[at], minus_high[at]};
        if (c->minus_heights) minus = range_between(c, minus_low, minus_high, at % plane, c->heights->low[at], c->heights->high[at]);
        if (minus.low <= minus.high) visible[at] = c->shows(c->user, low[at] - c->ratio * minus.high, high[at] - c->ratio * minus.low);
    }
}

int difference_cells_mark(const struct difference_cells *c, uint8_t *visible) {
    const size_t count = count_of(c->heights);
    int32_t *ranges = calloc(4 * count, sizeof *ranges);
    if (!ranges) return VIRGA_NO_MEMORY;
    field_volume_ranges(c->own, ranges, ranges + count);
    field_volume_ranges(c->minus, ranges + 2 * count, ranges + 3 * count);
    mark(c, ranges, ranges + count, ranges + 2 * count, ranges + 3 * count, visible);
    free(ranges);
    return VIRGA_OK;
}
