// SPDX-License-Identifier: Apache-2.0
// Bricks as bytes: three bytes of size, then the brick; with a key step where the first one's highest bit says so.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "brick/brick_codec.h"
#include "brick/brick_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static int32_t key[BRICK_MAX_VOXELS];
    if (size < 3) return 0;
    const uint32_t side[3] = {bytes[0] % 36u, bytes[1] % 36u, bytes[2] % 36u};
    const size_t voxels = (size_t)side[0] * side[1] * side[2];
    int32_t *q = malloc(voxels * sizeof *q + 1);  // its own size, so that a voxel too many is seen
    if (q) (void)brick_decode(bytes + 3, size - 3, side, bytes[0] & 0x80 ? key : NULL, q);
    free(q);
    return 0;
}
