// SPDX-License-Identifier: Apache-2.0
// The header of a piece that a worker sends. What fits an answer must lie within it, and its walk must pass every byte of its payload once.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "source/slab_piece.h"

static const struct slab_layout layouts[] = {
    {.rank = 0, .arrays = 1, .each = 8},
    {.rank = 1, .arrays = 1, .count = {1000}, .each = 1},
    {.rank = 3, .arrays = 4, .count = {3, 7, 11}, .each = 8},
    {.rank = 4, .arrays = 1, .count = {2, 1, 64, 65}, .each = 4},
    {.rank = 16, .arrays = 1, .count = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 3}, .each = 2},
};

static void walk(const struct slab_piece *piece, const struct slab_layout *layout) {
    size_t whole = slab_layout_points(layout) * layout->each * (size_t)layout->arrays, passed = 0;
    unsigned char *there = calloc(1, whole);
    struct slab_cover cover;
    struct slab_walk w;
    if (!there) return;
    slab_walk_begin(&w, &piece->box, layout, layout->each, layout->arrays);
    while (!w.end) {
        size_t part = w.left > 3 ? w.left / 2 : w.left;
        if (w.at > whole || part > whole - w.at || memchr(there + w.at, 1, part)) abort();
        memset(there + w.at, 1, part);
        passed += part;
        slab_walk_advance(&w, part);
    }
    if (passed != piece->payload_bytes) abort();
    if (!slab_cover_init(&cover, slab_layout_points(layout))) {
        slab_cover_mark(&cover, &piece->box, layout, true);
        if (cover.present != passed / layout->each / (size_t)layout->arrays || !slab_cover_has(&cover, &piece->box, layout)) abort();
        slab_cover_mark(&cover, &piece->box, layout, true);
        slab_cover_mark(&cover, &piece->box, layout, false);
        if (cover.present) abort();
        slab_cover_destroy(&cover);
    }
    free(there);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct slab_piece piece;
    if (size < SLAB_PIECE_BEGIN) return 0;
    size_t header = slab_piece_header_bytes(bytes);
    if (!header || header > size) return 0;
    uint8_t *copy = malloc(header);  // so that a sanitizer sees a read beyond
    if (!copy) return 0;
    memcpy(copy, bytes, header);
    if (!slab_piece_parse(copy, &piece))
        for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
            if (slab_piece_fits(&piece, &layouts[i])) walk(&piece, &layouts[i]);
    free(copy);
    return 0;
}
