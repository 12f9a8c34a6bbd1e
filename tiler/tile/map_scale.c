// SPDX-License-Identifier: Apache-2.0
#include "tile/map_scale.h"

#include <math.h>

#include "base/multiversion.h"

// Steps from low, of which NaN has none: comparisons with it are false, so that every choice here ends at a number.
MULTIVERSION static void even_indices(float low, float high, float factor, int bands, const float *values, size_t n, uint8_t *indices) {
    const float last = (float)bands + 0.5F;
    for (size_t x = 0; x < n; x++) {
        const float value = values[x];
        float step = (value - low) * factor + 2;
        step = step > 1 ? step : 1;
        step = step < last + 1 ? step : last + 1;
        int index = (int)step;
        index = value > high ? bands + MAP_SCALE_FIRST : index;
        indices[x] = (uint8_t)(value == value ? index : MAP_SCALE_MISSING);
    }
}

void map_scale_indices(const struct map_scale *scale, const float *values, size_t n, uint8_t *indices) {
    const int bands = (int)scale->bands;
    if (!scale->log) {
        even_indices(scale->low, scale->high, (float)bands / (scale->high - scale->low), bands, values, n, indices);
        return;
    }
    enum { AT_ONCE = 256 };
    float logarithms[AT_ONCE];
    const float low = logf(scale->low), high = logf(scale->high);
    for (size_t at = 0; at < n; at += AT_ONCE) {
        const size_t count = n - at < AT_ONCE ? n - at : AT_ONCE;
        for (size_t x = 0; x < count; x++) logarithms[x] = values[at + x] > 0 ? logf(values[at + x]) : values[at + x] <= 0 ? low - 1 : NAN;
        even_indices(low, high, (float)bands / (high - low), bands, logarithms, count, indices + at);
    }
}

double map_scale_middle(const struct map_scale *scale, unsigned band) {
    const double share = (band + 0.5) / scale->bands, low = (double)scale->low, high = (double)scale->high;
    return scale->log ? low * pow(high / low, share) : low + (high - low) * share;
}
