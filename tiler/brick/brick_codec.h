// SPDX-License-Identifier: Apache-2.0
// One brick's voxels to bytes and back (BRICK_FORMAT.md, "Brick"). Voxels are lattice integers, x fastest, then y, z, with
// LATTICE_MISSING where missing.
#ifndef VIRGA_BRICK_BRICK_CODEC_H
#define VIRGA_BRICK_BRICK_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/shared_bytes.h"

enum brick_kind { BRICK_MISSING, BRICK_CONSTANT, BRICK_FULL, BRICK_MASKED };  // as in the step table

// What a box of voxels is. *lowest and *highest are of those present (0 if none is).
enum brick_kind brick_survey(size_t count, const int32_t *q, int32_t *lowest, int32_t *highest);

// Room for one encoding at a time: one per thread. About 1 MiB.
struct brick_encoder;
struct brick_encoder *brick_encoder_new(void);  // NULL when out of memory
void brick_encoder_free(struct brick_encoder *encoder);

struct brick_key_step {  // the same brick of a key step
    uint32_t step;
    const int32_t *q;
};
// Encodes size[0] × size[1] × size[2] voxels, at most 34 each. key: NULL, or a key step that may be predicted from. Wholly
// missing and constant bricks get no bytes: *bytes has size 0 then. VIRGA_OK (the caller owns a reference to *bytes),
// VIRGA_INVALID for a size, or VIRGA_NO_MEMORY. The same voxels and key give the same bytes.
int brick_encode(struct brick_encoder *encoder, const uint32_t size[3], const int32_t *q, const struct brick_key_step *key,
                 struct shared_bytes **bytes);
// The same with one predictor (a predictor_kind) and one width (0, 1, 2 or 4), for tests: VIRGA_UNSUPPORTED if residuals
// do not fit the width or there is nothing to fit weights to; never leaves bricks out.
int brick_encode_as(struct brick_encoder *encoder, const uint32_t size[3], const int32_t *q,
                    const struct brick_key_step *key, int predictor, int width, struct shared_bytes **bytes);

// Decodes into q[size[0] * size[1] * size[2]]. key_q: the key step's voxels, or NULL. Any thread. VIRGA_OK, VIRGA_INVALID for
// bytes that are not such a brick (q is undefined then, and nothing beyond it is touched), VIRGA_UNSUPPORTED when
// it needs a key step and key_q is NULL, or VIRGA_NO_MEMORY.
int brick_decode(const uint8_t *bytes, size_t byte_count, const uint32_t size[3], const int32_t *key_q, int32_t *q);

#endif
