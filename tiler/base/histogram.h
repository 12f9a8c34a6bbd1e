// SPDX-License-Identifier: Apache-2.0
// How long things took, in fixed classes from a millisecond to half a minute, for whoever watches the server. Any thread; adding takes no lock.
#ifndef VIRGA_BASE_HISTOGRAM_H
#define VIRGA_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_CLASSES = 15 };

// Zeroed: nothing was added.
struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_CLASSES];
    _Atomic uint64_t nanoseconds;  // of all together
};

// Seconds up to which a class reaches, itself included; infinity for the last, which holds the rest.
double histogram_bound(int number);
// One more; what is below 0, or no number, counts as 0, and no single one as more than a day.
void histogram_add(struct histogram *histogram, double seconds);
// *below: how many took no longer than the class's bound, class by class; the last is all. Returns the sum in seconds. Read while others add, a sum may
// be ahead of its counts by those.
double histogram_read(const struct histogram *histogram, uint64_t below[HISTOGRAM_CLASSES]);

#endif
