// SPDX-License-Identifier: Apache-2.0
#include "brick/lattice.h"

#include <float.h>
#include <math.h>

#include "base/multiversion.h"

static const double Q_LIMIT = 2147483647.0;

double lattice_step(double epsilon) { return 2 * epsilon * (1 - 0x1p-10); }

double lattice_float32_limit(const struct lattice_spec *lattice) { return lattice->epsilon * 0x1p14; }

static int32_t q_from_steps(double steps) {
    double q = rint(steps);
    return fabs(q) <= Q_LIMIT ? (int32_t)q : LATTICE_MISSING;  // false for NaN
}

int32_t lattice_from_value(const struct lattice_spec *lattice, double value) {
    return q_from_steps((value - lattice->v0) * (1 / lattice->step));
}

double lattice_to_value(const struct lattice_spec *lattice, int32_t q) {
    return q == LATTICE_MISSING ? NAN : lattice->v0 + q * lattice->step;
}

MULTIVERSION
void lattice_from_values(const struct lattice_spec *lattice, size_t count, double *values, int32_t *q,
                         struct lattice_range *range) {
    const double v0 = lattice->v0, per_step = 1 / lattice->step, limit = Q_LIMIT;
    int32_t lowest = INT32_MAX, highest = INT32_MIN;
    int64_t missing = 0, lost = 0;
    for (size_t i = 0; i < count; i++) {
        double steps = (values[i] - v0) * per_step, nearest = rint(steps);
        int32_t there = fabs(nearest) <= limit, finite = fabs(values[i]) <= DBL_MAX;
        int32_t v = (int32_t)(there ? nearest : 0);
        values[i] = there ? rint(steps * LATTICE_FRACTION) : 0;
        q[i] = there ? v : LATTICE_MISSING;
        int32_t low = there ? v : INT32_MAX, high = there ? v : INT32_MIN;
        lowest = low < lowest ? low : lowest;
        highest = high > highest ? high : highest;
        missing += !there;
        lost += finite & !there;
    }
    *range = (struct lattice_range){.lowest = lowest, .highest = highest, .missing = (size_t)missing, .lost = (size_t)lost};
}

int32_t lattice_from_mean(double sum, double present) { return q_from_steps(sum / present / LATTICE_FRACTION); }
