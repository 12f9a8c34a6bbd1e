// SPDX-License-Identifier: Apache-2.0
// Values to lattice integers and back: value = v0 + q step. Pure; any thread.
//
// |decoded - source| ≤ step / 2 in double. With step = 2 ε (1 − 2⁻¹⁰) a value decoded to float32 is within ε as well
// while |value| ≤ lattice_float32_limit. NaN, infinities and values beyond the range of a 32-bit q have no lattice
// value: they are missing, never a number that is wrong.
#ifndef VIRGA_BRICK_LATTICE_H
#define VIRGA_BRICK_LATTICE_H

#include <stddef.h>
#include <stdint.h>

#include "field/catalog.h"

#define LATTICE_MISSING INT32_MIN  // stands for "missing" wherever lattice integers are held; no value has it

// Sums of lattice values are kept in 1/LATTICE_FRACTION of a step, where they are exact in double (up to 2⁵³) and so do
// not depend on their order.
#define LATTICE_FRACTION 65536.0

// The step for an ε.
double lattice_step(double epsilon);
// Largest |value| whose float32 is sure to stay within ε.
double lattice_float32_limit(const struct lattice_spec *lattice);
// One value; LATTICE_MISSING if it has none.
int32_t lattice_from_value(const struct lattice_spec *lattice, double value);
// The value of q in double; NaN for LATTICE_MISSING.
double lattice_to_value(const struct lattice_spec *lattice, int32_t q);

struct lattice_range {
    int32_t lowest, highest;  // of those present; lowest > highest when none is
    size_t missing;
    size_t lost;  // of those, finite numbers beyond the range
};
// count values to q; and values[] becomes (value - v0) / step in 1/LATTICE_FRACTION, rounded, 0 where missing.
void lattice_from_values(const struct lattice_spec *lattice, size_t count, double *values, int32_t *q,
                         struct lattice_range *range);
// The mean of `present` values whose sum is `sum` (in 1/LATTICE_FRACTION of a step).
int32_t lattice_from_mean(double sum, double present);

#endif
