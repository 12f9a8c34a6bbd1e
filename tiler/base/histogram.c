// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

#include <math.h>
#include <stdatomic.h>

static const double bounds[HISTOGRAM_CLASSES] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, INFINITY};

double histogram_bound(int number) { return bounds[number]; }

void histogram_add(struct histogram *histogram, double seconds) {
    double took = seconds > 0 ? fmin(seconds, 86400) : 0;
    int n = 0;
    while (took > bounds[n]) n++;
    atomic_fetch_add_explicit(&histogram->counts[n], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->nanoseconds, (uint64_t)(took * 1e9), memory_order_relaxed);
}

double histogram_read(const struct histogram *histogram, uint64_t below[HISTOGRAM_CLASSES]) {
    uint64_t sum = 0;
    for (int n = 0; n < HISTOGRAM_CLASSES; n++) below[n] = sum += atomic_load_explicit(&histogram->counts[n], memory_order_relaxed);
    return 1e-9 * (double)atomic_load_explicit(&histogram->nanoseconds, memory_order_relaxed);
}
