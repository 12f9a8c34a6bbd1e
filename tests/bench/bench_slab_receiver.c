// SPDX-License-Identifier: Apache-2.0
// Pieces of slabs from two senders in this machine's memory into the slab receiver, against a plain reader of the same bytes: bench_slab_receiver [ROUNDS].
// Pairs one after the other; prints the medians and the median of the pairs' ratios, for boxes that lie together and for boxes in rows.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "source/slab_receiver.h"

enum { SENDERS = 2, PIECES = 16, LEVELS = SENDERS * PIECES, SIDE = 1024, MOST_ROUNDS = 99 };
static const size_t LEVEL_BYTES = (size_t)SIDE * SIDE * 4;

struct sender {
    int port;
    size_t first, columns;  // first level; columns of each box
    const uint8_t *token;
    bool plain;             // expects no answers
    uint8_t *piece;
    bool failed;
};

static size_t add(uint8_t *out, size_t at, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) out[at + i] = (uint8_t)(value >> (8 * i));
    return at + bytes;
}

static size_t make_header(uint8_t *out, const uint8_t *token, size_t level, size_t column, size_t columns, uint64_t sum) {
    const size_t box[] = {level, 1, 0, SIDE, column, columns};
    size_t at = 4;
    memcpy(out, "VSLB", 4);
    at = add(out, at, 1, 2);
    at = add(out, at, 3, 1);
    at = add(out, at, 1, 1);
    memcpy(out + at, token, 16);
    at += 16;
    for (int i = 0; i < 6; i++) at = add(out, at, box[i], 8);
    at = add(out, at, columns * SIDE * 4, 8);
    return add(out, at, sum, 8);
}

static bool send_whole(int fd, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static void *send_pieces(void *argument) {
    struct sender *s = argument;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->port)};
    size_t bytes = s->columns * SIDE * 4;
    uint8_t header[SLAB_PIECE_MOST], answer;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    s->failed = connect(fd, (struct sockaddr *)&to, sizeof to);
    for (size_t n = 0; n < PIECES && !s->failed; n++)
        for (size_t column = 0; column < SIDE && !s->failed; column += s->columns) {
            size_t size = make_header(header, s->token, s->first + n, column, s->columns, XXH3_64bits(s->piece, bytes));
            s->failed = !send_whole(fd, header, size) || !send_whole(fd, s->piece, bytes);
            if (!s->plain && !s->failed) s->failed = recv(fd, &answer, 1, 0) != 1 || answer != SLAB_TAKEN;
        }
    close(fd);
    return NULL;
}

static bool run_senders(struct sender *senders, int port, const uint8_t *token, size_t columns, bool plain, void *(*meanwhile)(void *), void *context) {
    pthread_t threads[SENDERS];
    bool failed = false;
    for (int i = 0; i < SENDERS; i++) {
        senders[i].port = port, senders[i].token = token, senders[i].columns = columns, senders[i].plain = plain, senders[i].first = (size_t)i * PIECES;
        pthread_create(&threads[i], NULL, send_pieces, &senders[i]);
    }
    if (meanwhile) meanwhile(context);
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        failed = failed || senders[i].failed;
    }
    return !failed;
}

static double receive_round(struct sender *senders, struct slab_receiver *receiver, struct slab_pool *pool, size_t columns) {
    const struct slab_layout layout = {.rank = 3, .arrays = 1, .count = {LEVELS, SIDE, SIDE}, .each = 4};
    struct slab_memory *memory;
    uint8_t token[SOURCE_TOKEN_BYTES];
    bool complete = false;
    uint64_t received;
    double begun = clock_monotonic();
    if (slab_memory_get(pool, LEVELS * LEVEL_BYTES, &memory, NULL) || slab_receiver_expect(receiver, &layout, memory, token)) return 0;
    bool sent = run_senders(senders, atoi(strchr(slab_receiver_address(receiver), ':') + 1), token, columns, false, NULL, NULL);
    slab_receiver_end(receiver, token, &complete, &received);
    slab_memory_unref(memory);
    return sent && complete ? (double)received / (clock_monotonic() - begun) / 1e6 : 0;
}

// One thread that reads both connections by turns into one buffer.
static void *read_plainly(void *context) {
    static uint8_t buffer[256 << 10];
    int listener = *(int *)context, fds[SENDERS];
    for (int i = 0; i < SENDERS; i++) fds[i] = accept(listener, NULL, NULL);
    for (int open = SENDERS; open;) {
        open = 0;
        for (int i = 0; i < SENDERS; i++) open += recv(fds[i], buffer, sizeof buffer, 0) > 0;
    }
    for (int i = 0; i < SENDERS; i++) close(fds[i]);
    return NULL;
}

static double plain_round(struct sender *senders, size_t columns) {
    static const uint8_t token[SOURCE_TOKEN_BYTES];
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, 8) || getsockname(listener, (struct sockaddr *)&at, &size)) return 0;
    double begun = clock_monotonic();
    bool sent = run_senders(senders, ntohs(at.sin_port), token, columns, true, read_plainly, &listener);
    close(listener);
    return sent ? LEVELS * (double)LEVEL_BYTES / (clock_monotonic() - begun) / 1e6 : 0;
}

static int compare(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b; }

static double median(double *list, int count) {
    qsort(list, (size_t)count, sizeof *list, compare);
    return list[count / 2];
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    struct slab_receiver_options options;
    struct slab_receiver *receiver;
    struct slab_pool *pool = slab_pool_new((size_t)512 << 20);
    struct sender senders[SENDERS] = {0};
    struct failure failure;
    slab_receiver_options_default(&options);
    options.host = "127.0.0.1";
    if (rounds < 1 || rounds > MOST_ROUNDS || !pool || slab_receiver_new(&options, &receiver, &failure)) return 1;
    for (int i = 0; i < SENDERS; i++) senders[i].piece = calloc(1, LEVEL_BYTES);
    static const size_t widths[] = {SIDE, 512, 64, 16};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        double received[MOST_ROUNDS], plain[MOST_ROUNDS], ratio[MOST_ROUNDS];
        receive_round(senders, receiver, pool, widths[w]);
        for (int i = 0; i < rounds; i++) {
            received[i] = receive_round(senders, receiver, pool, widths[w]);
            plain[i] = plain_round(senders, widths[w]);
            if (received[i] <= 0 || plain[i] <= 0) return fprintf(stderr, "a round failed\n"), 1;
            ratio[i] = received[i] / plain[i];
        }
        printf("boxes of %zu of %d columns, runs of %zu bytes: %.0f MB/s into a slab, %.0f MB/s read plainly; ratio %.2f\n", widths[w], (int)SIDE,
               widths[w] == SIDE ? LEVEL_BYTES : widths[w] * 4, median(received, rounds), median(plain, rounds), median(ratio, rounds));
    }
    slab_receiver_free(receiver);
    slab_pool_free(pool);
    for (int i = 0; i < SENDERS; i++) free(senders[i].piece);
    return 0;
}
