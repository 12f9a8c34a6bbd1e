// SPDX-License-Identifier: Apache-2.0
// Takes slabs in pieces from the workers of a cluster, over TCP, straight into memory (SOURCE_PROTOCOL.md). Who knows a request's token may fill that
// request's answer, and nothing else. One thread of its own; any thread may call.
#ifndef VIRGA_SOURCE_SLAB_RECEIVER_H
#define VIRGA_SOURCE_SLAB_RECEIVER_H

#include "source/slab_memory.h"
#include "source/slab_piece.h"

struct slab_receiver;

struct slab_receiver_options {
    const char *host;       // a name or number of an address of this machine
    int port;               // 0: a free one
    size_t connections;     // at once; the longest idle goes when another comes, and where all are at work the new one is refused
    double header_seconds;  // for a piece's header, from its first byte
    double silent_seconds;  // without a byte within a piece
    double idle_seconds;    // between pieces
    size_t max_piece;       // bytes of a payload that is read although it is for nothing
};

// All but the host.
void slab_receiver_options_default(struct slab_receiver_options *options);
// VIRGA_IO: the address cannot be had; VIRGA_NO_MEMORY.
int slab_receiver_new(const struct slab_receiver_options *options, struct slab_receiver **receiver, struct failure *failure);
// Closes every connection and waits for the thread. Nothing is expected any more. NULL allowed.
void slab_receiver_free(struct slab_receiver *receiver);
const char *slab_receiver_address(const struct slab_receiver *receiver);  // "HOST:PORT" in numbers, "[HOST]:PORT" for IPv6

// Pieces for this memory may come from now on, under the token that is filled in. VIRGA_NO_MEMORY, also where 128 are expected already.
int slab_receiver_expect(struct slab_receiver *receiver, const struct slab_layout *layout, struct slab_memory *memory,
                         uint8_t token[SOURCE_TOKEN_BYTES]);
// None comes any more once this returns. *complete: whether what came covers the answer, each point; *received: bytes of payload that were taken.
void slab_receiver_end(struct slab_receiver *receiver, const uint8_t token[SOURCE_TOKEN_BYTES], bool *complete, uint64_t *received);

#endif
