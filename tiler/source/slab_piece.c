// SPDX-License-Identifier: Apache-2.0
#include "source/slab_piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"

size_t slab_piece_header_bytes(const uint8_t begin[SLAB_PIECE_BEGIN]) {
    struct byte_reader r = {.at = begin + 4, .end = begin + SLAB_PIECE_BEGIN};
    uint16_t version = bytes_read_u16(&r);
    uint8_t rank = bytes_read_u8(&r), arrays = bytes_read_u8(&r) & ~SLAB_PIECE_CRC;
    if (memcmp(begin, "VSLB", 4) || version != SLAB_PIECE_VERSION || rank > SOURCE_MAX_RANK || (arrays != 1 && arrays != 4)) return 0;
    return SLAB_PIECE_BEGIN + (size_t)rank * 16 + 16;
}

int slab_piece_parse(const uint8_t *header, struct slab_piece *piece) {
    size_t bytes = slab_piece_header_bytes(header);
    if (!bytes) return VIRGA_INVALID;
    struct byte_reader r = {.at = header + 6, .end = header + bytes};
    memset(piece, 0, sizeof *piece);
    piece->box.rank = bytes_read_u8(&r);
    uint8_t arrays = bytes_read_u8(&r);
    piece->arrays = arrays & ~SLAB_PIECE_CRC;
    piece->crc = arrays & SLAB_PIECE_CRC;
    memcpy(piece->token, bytes_take(&r, sizeof piece->token), sizeof piece->token);
    for (int d = 0; d < piece->box.rank; d++) {
        piece->box.start[d] = bytes_read_u64(&r);
        piece->box.count[d] = bytes_read_u64(&r);
    }
    piece->payload_bytes = bytes_read_u64(&r);
    piece->checksum = bytes_read_u64(&r);
    return r.failed ? VIRGA_INVALID : VIRGA_OK;
}

bool slab_piece_fits(const struct slab_piece *piece, const struct slab_layout *layout) {
    size_t bytes = layout->each;
    if (piece->box.rank != layout->rank || piece->arrays != layout->arrays) return false;
    for (int d = 0; d < layout->rank; d++) {
        size_t start = piece->box.start[d], count = piece->box.count[d];
        if (!count || count > layout->count[d] || start > layout->count[d] - count) return false;
        if (memory_multiply(bytes, count, &bytes)) return false;
    }
    return !memory_multiply(bytes, (size_t)layout->arrays, &bytes) && piece->payload_bytes == bytes;
}

bool slab_boxes_meet(const struct slab_box *a, const struct slab_box *b) {
    for (int d = 0; d < a->rank; d++)
        if (a->start[d] >= b->start[d] + b->count[d] || b->start[d] >= a->start[d] + a->count[d]) return false;
    return true;
}

size_t slab_layout_points(const struct slab_layout *layout) {
    size_t points = 1;
    for (int d = 0; d < layout->rank; d++) points *= layout->count[d];
    return points;
}

void slab_walk_begin(struct slab_walk *walk, const struct slab_box *box, const struct slab_layout *layout, size_t bytes, int arrays) {
    size_t stride = bytes, run = bytes;
    int inner = layout->rank;  // dimensions from here on lie together
    *walk = (struct slab_walk){0};
    for (bool whole = true; inner > 0 && whole; inner--) {
        int d = inner - 1;
        walk->at += box->start[d] * stride;
        run *= box->count[d];
        whole = box->count[d] == layout->count[d];
        stride *= layout->count[d];
    }
    walk->outer = inner + 1;  // and the arrays, slowest
    for (int d = inner - 1; d >= 0; d--) {
        walk->at += box->start[d] * stride;
        walk->count[d + 1] = box->count[d];
        walk->stride[d + 1] = stride;
        stride *= layout->count[d];
    }
    walk->count[0] = (size_t)arrays;
    walk->stride[0] = stride;
    walk->run = walk->left = run;
}

void slab_walk_advance(struct slab_walk *walk, size_t bytes) {
    walk->at += bytes;
    walk->left -= bytes;
    if (walk->left) return;
    walk->at -= walk->run;
    walk->left = walk->run;
    for (int d = walk->outer - 1; d >= 0; d--) {
        walk->at += walk->stride[d];
        if (++walk->index[d] < walk->count[d]) return;
        walk->at -= walk->stride[d] * walk->count[d];
        walk->index[d] = 0;
    }
    walk->end = true;
}

int slab_cover_init(struct slab_cover *cover, size_t points) {
    *cover = (struct slab_cover){.points = points, .bits = calloc(points / 64 + 1, sizeof *cover->bits)};
    return cover->bits ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void slab_cover_destroy(struct slab_cover *cover) {
    free(cover->bits);
    *cover = (struct slab_cover){0};
}

// Bits of word `w` that lie in [begin, end).
static uint64_t mask_of(size_t w, size_t begin, size_t end) {
    uint64_t mask = ~(uint64_t)0;
    if (begin > w * 64) mask &= mask << (begin - w * 64);
    if (end < w * 64 + 64) mask &= ((uint64_t)1 << (end - w * 64)) - 1;
    return mask;
}

void slab_cover_mark(struct slab_cover *cover, const struct slab_box *box, const struct slab_layout *layout, bool there) {
    struct slab_walk walk;
    for (slab_walk_begin(&walk, box, layout, 1, 1); !walk.end; slab_walk_advance(&walk, walk.run)) {
        size_t begin = walk.at, end = walk.at + walk.run;
        for (size_t w = begin / 64; w * 64 < end; w++) {
            uint64_t mask = mask_of(w, begin, end), had = cover->bits[w] & mask;
            cover->bits[w] = there ? cover->bits[w] | mask : cover->bits[w] & ~mask;
            cover->present -= (size_t)__builtin_popcountll(had);
            if (there) cover->present += (size_t)__builtin_popcountll(mask);
        }
    }
}

bool slab_cover_has(const struct slab_cover *cover, const struct slab_box *box, const struct slab_layout *layout) {
    struct slab_walk walk;
    for (slab_walk_begin(&walk, box, layout, 1, 1); !walk.end; slab_walk_advance(&walk, walk.run)) {
        size_t begin = walk.at, end = walk.at + walk.run;
        for (size_t w = begin / 64; w * 64 < end; w++) {
            uint64_t mask = mask_of(w, begin, end);
            if ((cover->bits[w] & mask) != mask) return false;
        }
    }
    return true;
}
