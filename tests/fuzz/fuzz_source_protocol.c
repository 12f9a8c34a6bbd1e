// SPDX-License-Identifier: Apache-2.0
// Bodies of the messages between the server and a source's child: the first byte chooses which.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "source/source_protocol.h"

static void inventory(const uint8_t *body, size_t size) {
    struct arena arena = {.limit = 16 << 20};
    struct source_inventory list;
    struct source_frame frame;
    if (!source_decode_inventory(body, size, &arena, &list) && !source_encode_inventory(1, &list, 64 << 20, &frame)) source_frame_free(&frame);
    arena_destroy(&arena);
}

static void read_request(const uint8_t *body, size_t size) {
    static struct source_read_message message;
    static const size_t lengths[SOURCE_MAX_RANK] = {7, 5, 9, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct source_slab_shape shape;
    struct failure failure;
    if (source_decode_read(body, size, &message)) return;
    (void)source_slab_shape(&message.request, SOURCE_F32, message.request.rank, lengths, 1 << 20, &shape, &failure);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct source_open open;
    struct source_header header;
    struct source_hello hello;
    struct source_slab_answer slab;
    static struct source_want want;
    static char state[SOURCE_MAX_STATE_BYTES + 1];
    struct failure failure;
    bool retire, start;
    int answer;
    if (size < 1) return 0;
    const uint8_t *body = bytes + 1;
    switch (bytes[0] % 11) {
    case 0: inventory(body, size - 1); break;
    case 1: read_request(body, size - 1); break;
    case 2: (void)source_decode_open(body, size - 1, &open); break;
    case 3: (void)source_decode_hello(body, size - 1, &hello); break;
    case 4: (void)source_decode_slab(body, size - 1, &slab); break;
    case 5: (void)source_decode_failure(body, size - 1, &failure, &retire); break;
    case 6: (void)source_decode_want(body, size - 1, &want); break;
    case 7: (void)source_decode_grant(body, size - 1, &answer); break;
    case 8: (void)source_decode_state(body, size - 1, state); break;
    case 9: (void)source_decode_cluster(body, size - 1, &start); break;
    default:
        if (size > SOURCE_HEADER_BYTES) (void)source_decode_header(body, &header);
    }
    return 0;
}
