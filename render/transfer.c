// SPDX-License-Identifier: Apache-2.0
// As web/gl/transfer_texture.js: in double, stored as float, so that both make the same numbers.
#include "render/transfer.h"

#include <math.h>

static const struct colour_map grey = {.count = 2, .points = {{0, 40, 40, 40}, {1, 245, 245, 245}}};
static const double everywhere = 0.3;  // opacity per km where nothing is said

static double opacity_at(const double (*points)[2], size_t count, double value)
{
    if (count == 0)
        return everywhere;
    if (value <= points[0][0])
        return points[0][1];
    for (size_t k = 1; k < count; k++) {
        if (value > points[k][0])
            continue;
        const double *a = points[k - 1], *b = points[k];
        double span = b[0] - a[0], f = (value - a[0]) / (span != 0 ? span : 1);
        return a[1] + f * (b[1] - a[1]);
    }
    return points[count - 1][1];
}

static void set_ends(struct transfer *transfer, const double range[2], const double (*opacity)[2], size_t count)
{
    transfer->low = fmin(range[0], count ? opacity[0][0] : range[0]);
    transfer->high = fmax(range[1], count ? opacity[count - 1][0] : range[0]);
    if (transfer->high > transfer->low)
        return;
    double little = fabs(transfer->low) * 1e-6;
    transfer->high = transfer->low + (little > 0 ? little : 1);
}

static void integrate(struct transfer *transfer)
{
    double sum[4] = {0};
    for (size_t c = 0; c < 4; c++)
        transfer->integral[0][c] = 0;
    for (size_t k = 1; k < TRANSFER_ENTRIES; k++)
        for (size_t c = 0; c < 4; c++) {
            const float *before = transfer->data[k - 1], *here = transfer->data[k];
            double a = (double)before[c] * (c < 3 ? (double)before[3] : 1), b = (double)here[c] * (c < 3 ? (double)here[3] : 1);
            sum[c] += (a + b) / 2;
            transfer->integral[k][c] = (float)sum[c];
        }
}

void transfer_init(struct transfer *transfer, const struct colour_map *map, const double range[2], const double (*opacity)[2],
                   size_t count)
{
    double span = range[1] - range[0], rgb[3];
    set_ends(transfer, range, opacity, count);
    transfer->visible_before[0] = 0;
    for (size_t k = 0; k < TRANSFER_ENTRIES; k++) {
        double value = transfer->low + (transfer->high - transfer->low) * (double)k / (TRANSFER_ENTRIES - 1);
        colour_map_at(map ? map : &grey, (value - range[0]) / (span != 0 ? span : 1), rgb);
        for (size_t c = 0; c < 3; c++)
            transfer->data[k][c] = (float)(rgb[c] / 255);
        double a = fmin(TRANSFER_MOST, fmax(0, opacity_at(opacity, count, value)));
        transfer->data[k][3] = (float)-log(1 - a);
        transfer->visible_before[k + 1] = (uint16_t)(transfer->visible_before[k] + (a > 0));
    }
    integrate(transfer);
}

static double entry(const struct transfer *transfer, double value)
{
    double held = fmin(transfer->high, fmax(transfer->low, value));
    return (held - transfer->low) / (transfer->high - transfer->low) * (TRANSFER_ENTRIES - 1);
}

bool transfer_visible(const struct transfer *transfer, double low, double high)
{
    size_t from = (size_t)entry(transfer, low), to = (size_t)ceil(entry(transfer, high));
    size_t first = from > 0 ? from - 1 : 0, last = to + 1 < TRANSFER_ENTRIES ? to + 1 : TRANSFER_ENTRIES - 1;
    return transfer->visible_before[last + 1] > transfer->visible_before[first];
}

double transfer_tau(const struct transfer *transfer, double value)
{
    double at = entry(transfer, value), k = fmin(TRANSFER_ENTRIES - 2, floor(at)), f = at - k;
    return (double)transfer->data[(size_t)k][3] * (1 - f) + (double)transfer->data[(size_t)k + 1][3] * f;
}

void transfer_lookup(const struct transfer *transfer, const struct lattice_spec *lattice, double lookup[2])
{
    double rate = (TRANSFER_ENTRIES - 1.0) / TRANSFER_ENTRIES / (transfer->high - transfer->low);
    lookup[0] = lattice->step * rate;
    lookup[1] = (lattice->v0 - transfer->low) * rate + 0.5 / TRANSFER_ENTRIES;
}
