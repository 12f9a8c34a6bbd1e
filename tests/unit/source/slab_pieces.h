// SPDX-License-Identifier: Apache-2.0
// Slabs that a receiver waits for, and pieces of them as workers send them.
#ifndef VIRGA_TESTS_SLAB_PIECES_H
#define VIRGA_TESTS_SLAB_PIECES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

#include "source/slab_receiver.h"

enum { LEVELS = 3, ROWS = 4, COLUMNS = 5, POINTS = LEVELS * ROWS * COLUMNS, MOST_PIECE = 1 << 20 };

struct set {
    struct slab_receiver *receiver;
    struct slab_pool *pool;
    struct slab_memory *memory;
    struct slab_layout layout;
    uint8_t token[SOURCE_TOKEN_BYTES];
};

static const struct slab_layout small_layout = {.rank = 3, .arrays = 1, .count = {LEVELS, ROWS, COLUMNS}, .each = 4};

static size_t layout_bytes(const struct slab_layout *layout) { return slab_layout_points(layout) * layout->each * (size_t)layout->arrays; }

static struct set set_of(const struct slab_receiver_options *options, const struct slab_layout *layout) {
    struct set s = {.layout = *layout, .pool = slab_pool_new(1 << 20)};
    struct slab_receiver_options o = *options;
    struct failure failure;
    o.host = "127.0.0.1";
    if (slab_receiver_new(&o, &s.receiver, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(VIRGA_OK, slab_memory_get(s.pool, layout_bytes(layout), &s.memory, &failure));
    memset(s.memory->at, 0, s.memory->bytes);
    assert_int_equal(VIRGA_OK, slab_receiver_expect(s.receiver, layout, s.memory, s.token));
    return s;
}

static struct set small_set(void) {
    struct slab_receiver_options options;
    slab_receiver_options_default(&options);
    options.max_piece = MOST_PIECE;
    return set_of(&options, &small_layout);
}

static bool end_expecting(struct set *s, uint64_t *received) {
    bool complete;
    uint64_t bytes;
    slab_receiver_end(s->receiver, s->token, &complete, received ? received : &bytes);
    return complete;
}

static void free_set(struct set *s) {
    slab_receiver_free(s->receiver);
    slab_memory_unref(s->memory);
    slab_pool_free(s->pool);
}

static int connect_to(const struct set *s) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strchr(slab_receiver_address(s->receiver), ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(0, connect(fd, (struct sockaddr *)&to, sizeof to));
    return fd;
}

// The number at each point: its index, in each array a thousand more.
static float number_at(size_t index, int array) { return (float)(index + 1000 * (size_t)array); }

static size_t add(uint8_t *out, size_t at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) out[at + i] = (uint8_t)(value >> (8 * i));
    return at + bytes;
}

// A whole piece of the box, right; returns its bytes. Only rank 3 and float.
static size_t make_piece(const struct set *s, const size_t start[3], const size_t count[3], uint8_t *out) {
    size_t at = 4, points = count[0] * count[1] * count[2], payload = points * 4 * (size_t)s->layout.arrays;
    memcpy(out, "VSLB", 4);
    at = add(out, at, 1, 2);
    at = add(out, at, 3, 1);
    at = add(out, at, (uint64_t)s->layout.arrays, 1);
    memcpy(out + at, s->token, 16);
    at += 16;
    for (int d = 0; d < 3; d++) {
        at = add(out, at, start[d], 8);
        at = add(out, at, count[d], 8);
    }
    at = add(out, at, payload, 8);
    uint8_t *sum = out + at;
    at += 8;
    uint8_t *numbers = out + at;
    for (int a = 0; a < s->layout.arrays; a++)
        for (size_t z = 0; z < count[0]; z++)
            for (size_t y = 0; y < count[1]; y++)
                for (size_t x = 0; x < count[2]; x++) {
                    size_t index = ((start[0] + z) * s->layout.count[1] + start[1] + y) * s->layout.count[2] + start[2] + x;
                    float number = number_at(index, a);
                    memcpy(out + at, &number, 4);
                    at += 4;
                }
    add(sum, 0, XXH3_64bits(numbers, payload), 8);
    return at;
}

static void send_all(int fd, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        assert_true(n > 0);
        bytes += n;
        size -= (size_t)n;
    }
}

// The answer's byte; -1 where the connection closed without one.
static int take_answer(int fd) {
    uint8_t byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 20000) != 1) fail_msg("no answer");
    return recv(fd, &byte, 1, 0) == 1 ? byte : -1;
}

static bool is_closed(int fd) {
    uint8_t byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 20000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

static int deliver(const struct set *s, int fd, const size_t start[3], const size_t count[3]) {
    static uint8_t piece[MOST_PIECE];
    send_all(fd, piece, make_piece(s, start, count, piece));
    return take_answer(fd);
}

static void assert_numbers(const struct set *s) {
    const float *numbers = s->memory->at;
    size_t points = slab_layout_points(&s->layout);
    for (int a = 0; a < s->layout.arrays; a++)
        for (size_t i = 0; i < points; i++) assert_true(numbers[(size_t)a * points + i] == number_at(i, a));
}

#define BOX(...) ((const size_t[]){__VA_ARGS__})
static const size_t whole_start[] = {0, 0, 0}, whole_count[] = {LEVELS, ROWS, COLUMNS};

#endif
