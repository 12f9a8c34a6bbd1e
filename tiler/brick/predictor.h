// SPDX-License-Identifier: Apache-2.0
// The predictors of BRICK_FORMAT.md, forwards (residuals) and backwards. Pure; any thread. All arithmetic is modulo 2³².
#ifndef VIRGA_BRICK_PREDICTOR_H
#define VIRGA_BRICK_PREDICTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum predictor_kind {
    PREDICTOR_NONE,
    PREDICTOR_LORENZO,
    PREDICTOR_MEDIAN,
    PREDICTOR_KEY,
    PREDICTOR_WEIGHTED,
    PREDICTOR_COUNT,
};

enum { PREDICTOR_WEIGHTS = 8 };  // w1 … w7 and c

struct predictor {
    enum predictor_kind kind;
    int16_t weights[PREDICTOR_WEIGHTS];  // PREDICTOR_WEIGHTED
    const int32_t *key;                  // PREDICTOR_KEY: the key step's q - b, 0 where missing there
};

static inline uint32_t zigzag(uint32_t r) { return (r << 1) ^ (uint32_t)-(int32_t)(r >> 31); }
static inline uint32_t unzigzag(uint32_t z) { return (z >> 1) ^ (uint32_t)-(int32_t)(z & 1); }

// Zigzag residuals of row (y, z) of d, a box of size[0] × size[1] × size[2] (at most 34 along x), into row[size[0]].
void predictor_row(const struct predictor *predictor, const uint32_t size[3], const int32_t *d, uint32_t y, uint32_t z,
                   uint32_t *row);
// Fits the weights of PREDICTOR_WEIGHTED to d by least squares on a part of its rows. False if there is nothing to fit.
bool predictor_fit(struct predictor *predictor, const uint32_t size[3], const int32_t *d);
// Turns zigzag residuals into d. present: one bit a voxel (bit s & 7 of byte s >> 3), or NULL when all are: where it is
// clear, d is the held value. d and residual may be the same memory.
void predictor_restore(const struct predictor *predictor, const uint32_t size[3], const uint32_t *residual,
                       const uint8_t *present, int32_t *d);
// The value that d holds at a missing voxel.
int32_t predictor_held(const uint32_t size[3], const int32_t *d, uint32_t x, uint32_t y, uint32_t z);

#endif
