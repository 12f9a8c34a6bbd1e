// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <math.h>
#include <time.h>

static double clock_seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double clock_monotonic(void) { return clock_seconds(CLOCK_MONOTONIC); }

double clock_wall(void) { return clock_seconds(CLOCK_REALTIME); }

double clock_step(double *looked, double most) {
    double before = *looked;
    *looked = clock_monotonic();
    return fmin(*looked - before, most);
}
