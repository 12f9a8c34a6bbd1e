// SPDX-License-Identifier: Apache-2.0
// Private to plane_*.c: logarithm and exponential without branches, so that loops over columns become vectors. Within 3e-7 of the true ones (the logarithm
// absolutely, for positive normal numbers; the exponential relatively, from −80 to 80); not for zero, negative numbers, infinities and NaN, which give nonsense.
//
// ln m = 2 artanh((m − 1) / (m + 1)) by its power series for m from 1/√2 to √2, and e^r by its own for |r| ≤ ln 2 / 2 (Abramowitz and Stegun, Handbook of
// Mathematical Functions, 4.1.27 and 4.2.1).
#ifndef VIRGA_TILE_PLANE_MATH_H
#define VIRGA_TILE_PLANE_MATH_H

#include <stdint.h>
#include <string.h>

static inline float plane_log(float x) {
    uint32_t bits, mantissa;
    float m;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t from = bits - 0x3f3504f3U;  // √½
    const int32_t exponent = (int32_t)from >> 23;
    mantissa = bits - ((uint32_t)exponent << 23);
    memcpy(&m, &mantissa, sizeof m);
    const float s = (m - 1) / (m + 1), q = s * s;
    return (float)exponent * 0.693147181F + 2 * s * (1 + q * (1.0F / 3 + q * (1.0F / 5 + q * (1.0F / 7 + q * (1.0F / 9)))));
}

static inline float plane_exp(float x) {
    const float turns = x * 1.44269504F, shifted = turns + (turns < 0 ? -0.5F : 0.5F);
    const int32_t n = (int32_t)shifted;
    const float whole = (float)n, r = (x - whole * 0.693359375F) - whole * -2.12194440e-4F;  // ln 2 in two parts, the first exact in few bits
    const float power = 1 + r * (1 + r * (1.0F / 2 + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720 + r * (1.0F / 5040)))))));
    const uint32_t bits = (uint32_t)(n + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return power * scale;
}

#endif
