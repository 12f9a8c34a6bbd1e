// SPDX-License-Identifier: Apache-2.0
// A piece of a slab as a worker sends it (SOURCE_PROTOCOL.md): its header, where its numbers belong, and which points of an answer are there. No sockets;
// one thread at a time.
#ifndef VIRGA_SOURCE_SLAB_PIECE_H
#define VIRGA_SOURCE_SLAB_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/source_protocol.h"

enum {
    SLAB_PIECE_VERSION = 1,
    SLAB_PIECE_BEGIN = 24,  // bytes of a header before its box
    SLAB_PIECE_CRC = 0x80,  // added to the number of arrays: the checksum is zlib's CRC-32, of a worker without XXH3
    SLAB_PIECE_MOST = SLAB_PIECE_BEGIN + SOURCE_MAX_RANK * 16 + 16,
};

enum slab_verdict {  // the byte that answers a piece
    SLAB_TAKEN = 0,
    SLAB_UNKNOWN = 1,    // no such token
    SLAB_MALFORMED = 2,  // or of another size than it should have
    SLAB_DAMAGED = 3,    // checksum
    SLAB_BUSY = 4,       // too many connections
};

struct slab_box {
    int rank;
    size_t start[SOURCE_MAX_RANK], count[SOURCE_MAX_RANK];  // slowest dimension first
};

struct slab_piece {
    struct slab_box box;
    int arrays;
    bool crc;  // what the checksum is
    uint8_t token[SOURCE_TOKEN_BYTES];
    uint64_t payload_bytes, checksum;
};

// What an answer is made of.
struct slab_layout {
    int rank, arrays;               // arrays: 1, or 4 of a mean, one after the other
    size_t count[SOURCE_MAX_RANK];  // points
    size_t each;                    // bytes of a number
};

// Bytes of the whole header, from its first SLAB_PIECE_BEGIN; 0 where that is no header.
size_t slab_piece_header_bytes(const uint8_t begin[SLAB_PIECE_BEGIN]);
// `header`: as many bytes as that said. VIRGA_INVALID where it is none.
int slab_piece_parse(const uint8_t *header, struct slab_piece *piece);
// Whether the piece fits into the answer: rank, arrays, a box within it that is not empty, and the size of the payload.
bool slab_piece_fits(const struct slab_piece *piece, const struct slab_layout *layout);
bool slab_boxes_meet(const struct slab_box *a, const struct slab_box *b);  // of one rank
size_t slab_layout_points(const struct slab_layout *layout);  // of one array; the layout is known not to overflow

// Walks a box of an answer in runs that lie together.
struct slab_walk {
    size_t run;    // bytes of each run
    size_t at;     // offset of the next byte in the slab
    size_t left;   // of this run
    bool end;
    int outer;     // dimensions that are stepped through; the last of them fastest
    size_t index[SOURCE_MAX_RANK + 1], count[SOURCE_MAX_RANK + 1], stride[SOURCE_MAX_RANK + 1];
};

// The box fits. `bytes` of a number, and how many arrays are walked: the layout's own, or 1 and 1 to count points.
void slab_walk_begin(struct slab_walk *walk, const struct slab_box *box, const struct slab_layout *layout, size_t bytes, int arrays);
void slab_walk_advance(struct slab_walk *walk, size_t bytes);  // at most `left`

// Which points are there.
struct slab_cover {
    uint64_t *bits;
    size_t points, present;
};

int slab_cover_init(struct slab_cover *cover, size_t points);  // none is; VIRGA_NO_MEMORY
void slab_cover_destroy(struct slab_cover *cover);
void slab_cover_mark(struct slab_cover *cover, const struct slab_box *box, const struct slab_layout *layout, bool there);
bool slab_cover_has(const struct slab_cover *cover, const struct slab_box *box, const struct slab_layout *layout);  // all of the box

#endif
