// SPDX-License-Identifier: Apache-2.0
// An engine that misbehaves: the test's program started as its child plays it, by the name of what it is asked for, or by its products.
#ifndef VIRGA_TESTS_ENGINE_CHILD_H
#define VIRGA_TESTS_ENGINE_CHILD_H

#include "source_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <xxhash.h>

#include "source/source_channel.h"
#include "source/source_protocol.h"

enum { ROWS = 4, COLUMNS = 6, POINTS = ROWS * COLUMNS, REVERSED = 4 };

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); }

static const char *name_of(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

static int child_socket = 3;
static const char *child_slabs;
static char *held[16];  // paths of requests that are not answered yet
static uint64_t held_requests[16], held_bytes[16];
static int held_slabs[16];
static size_t held_count;

static void child_raw(const void *bytes, size_t size) {
    const struct source_channel channel = {.socket = child_socket};
    if (source_channel_send(&channel, bytes, size, NULL, 0)) _exit(1);
}

static void child_send(struct source_frame *frame) {
    child_raw(frame->data, frame->size);
    source_frame_free(frame);
}

// A marker is there with all that is in it.
static void child_mark(const char *path, const char *what) {
    char marker[SOURCE_MAX_PATH + 32], whole[SOURCE_MAX_PATH + 64];
    snprintf(marker, sizeof marker, "%s.%s", strchr(path, '/'), what);
    snprintf(whole, sizeof whole, "%s~%d", marker, (int)getpid());
    int fd = open(whole, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dprintf(fd, "%d", (int)getpid());
    close(fd);
    if (rename(whole, marker)) _exit(6);
}

static bool child_marked(const char *path, const char *what) {
    char marker[SOURCE_MAX_PATH + 32];
    snprintf(marker, sizeof marker, "%s.%s", strchr(path, '/'), what);
    return !access(marker, F_OK);
}

static void child_inventory(uint64_t request) {
    struct source_dimension dims[] = {{"y", ROWS, false}, {"x", COLUMNS, false}};
    struct source_variable v = {.name = "v", .type = SOURCE_F32, .rank = 2, .dimensions = {0, 1}, .chunk = {1, COLUMNS}};
    struct source_inventory all = {.dimension_count = 2, .dimensions = dims, .variable_count = 1, .variables = &v, .format = "made up",
                                   .index = (const uint8_t *)"edition", .index_bytes = 7};
    struct source_frame frame;
    source_encode_inventory(request, &all, 1 << 16, &frame);
    child_send(&frame);
}

static void child_fail(uint64_t request, int status, const char *words) {
    struct failure failure = {.status = status};
    struct source_frame frame;
    snprintf(failure.message, sizeof failure.message, "%s", words);
    source_encode_failure(request, &failure, false, &frame);
    child_send(&frame);
}

static void child_fill(int slab, size_t bytes) {
    float *numbers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, slab, 0);
    if (numbers == MAP_FAILED) _exit(7);
    for (size_t i = 0; i < bytes / 4; i++) numbers[i] = (float)i;
    munmap(numbers, bytes);
}

static void child_slab(uint64_t request, size_t bytes, bool delivered) {
    struct source_slab_answer slab = {SOURCE_F32, bytes / 4, bytes, 1000, 100, delivered};
    struct source_frame frame;
    source_encode_slab(request, &slab, &frame);
    child_send(&frame);
}

static void child_states(int count) {
    for (int i = 0; i < count; i++) {
        char json[64];
        struct source_frame frame;
        snprintf(json, sizeof json, "{\"state\": \"running\", \"tasks\": %d}", i);
        source_encode_state(json, &frame);
        child_send(&frame);
    }
}

// Rows `from` to ROWS of the answer, one piece each; returns whether all were taken.
static bool child_deliver(const uint8_t *token, size_t from) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strchr(child_slabs, ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool taken = true;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) _exit(8);
    for (uint64_t row = from; row < ROWS; row++) {
        struct __attribute__((packed)) {
            char magic[4];
            uint16_t version;
            uint8_t rank, arrays, token[16];
            uint64_t box[4], bytes, sum;
            float numbers[COLUMNS];
        } piece = {.magic = "VSLB", .version = 1, .rank = 2, .arrays = 1, .box = {row, 1, 0, COLUMNS}, .bytes = COLUMNS * 4};
        uint8_t answer = 9;
        memcpy(piece.token, token, 16);
        for (size_t i = 0; i < COLUMNS; i++) piece.numbers[i] = (float)(row * COLUMNS + i);
        piece.sum = XXH3_64bits((const uint8_t *)&piece + sizeof piece - COLUMNS * 4, COLUMNS * 4);
        if (send(fd, &piece, sizeof piece, 0) != sizeof piece || recv(fd, &answer, 1, 0) != 1) _exit(9);
        taken = taken && !answer;
    }
    close(fd);
    return taken;
}

static void child_hold(uint64_t request, const char *path, int slab, size_t bytes) {
    held_requests[held_count] = request;
    held_slabs[held_count] = dup(slab);
    held_bytes[held_count] = bytes;
    held[held_count++] = strdup(path);
    child_mark(path, "held");
}

static void child_answer_reversed(void) {
    while (held_count) {
        held_count--;
        child_fill(held_slabs[held_count], held_bytes[held_count]);
        child_slab(held_requests[held_count], held_bytes[held_count], false);
        close(held_slabs[held_count]);
        free(held[held_count]);
    }
}

static void child_eat(void) {
    for (;;) {
        volatile char *p = malloc(1 << 20);
        for (size_t i = 0; p && i < 1 << 20; i += 4096) p[i] = 1;
        nap();
    }
}

static void child_cancel(uint64_t request) {
    for (size_t i = 0; i < held_count; i++) {
        if (held_requests[i] != request) continue;
        child_mark(held[i], "cancelled");
        if (!strcmp(name_of(held[i]), "clings")) return;
        if (!strcmp(name_of(held[i]), "answers-late")) child_slab(request, held_bytes[i], false);
        else child_fail(request, VIRGA_CANCELLED, "given up");
    }
}

static void child_garble(const char *name, uint64_t request, size_t bytes) {
    struct source_frame frame;
    struct source_slab_answer slab = {.type = SOURCE_F32, .elements = bytes / 4, .bytes = bytes};
    source_encode_slab(request, &slab, &frame);
    if (!strcmp(name, "forged-length")) memset(frame.data, 0xff, 4);
    if (!strcmp(name, "forged-number")) frame.data[8] ^= 0x55;
    if (!strcmp(name, "forged-kind")) frame.data[6] = SOURCE_INVENTORY;
    if (!strcmp(name, "forged-version")) frame.data[4] = 1;
    if (!strcmp(name, "forged-bytes")) frame.data[SOURCE_HEADER_BYTES + 9]++;
    if (!strcmp(name, "forged-delivery")) frame.data[frame.size - 1] = 1;
    if (!strcmp(name, "forged-twice")) child_raw(frame.data, frame.size);
    child_send(&frame);
}

static void child_read(uint64_t request, const struct source_read_message *read, int slab) {
    const char *name = name_of(read->path);
    if (!strncmp(name, "forged-", 7)) {
        child_garble(name, request, read->slab_bytes);
        return;
    }
    if (!strcmp(name, "waits") || !strcmp(name, "clings") || !strcmp(name, "answers-late") || !strcmp(name, "reversed")) {
        child_hold(request, read->path, slab, read->slab_bytes);
        if (!strcmp(name, "reversed") && held_count == REVERSED) child_answer_reversed();
        return;
    }
    if (!strcmp(name, "dies")) raise(SIGKILL);
    if (!strcmp(name, "dies-once") && !child_marked(read->path, "died")) {
        child_mark(read->path, "died");
        raise(SIGKILL);
    }
    if (!strcmp(name, "eats")) child_eat();
    if (!strcmp(name, "waits-for-word")) {
        child_mark(read->path, "held");
        while (!child_marked(read->path, "word")) nap();
    }
    if (!strcmp(name, "refuses")) {
        child_mark(read->path, child_marked(read->path, "asked") ? "asked-again" : "asked");
        child_fail(request, VIRGA_UNREADABLE, "a chunk is damaged");
        return;
    }
    if (!strcmp(name, "floods")) child_states(20000);
    bool pieces = !strncmp(name, "pieces", 6);
    if (pieces && !child_deliver(read->token, !strcmp(name, "pieces-half") ? 2 : 0)) _exit(10);
    if (!pieces) child_fill(slab, read->slab_bytes);
    child_slab(request, read->slab_bytes, pieces);
}

static void child_open(uint64_t request, const char *path) {
    const char *name = name_of(path);
    if (!strcmp(name, "chatters"))
        for (int i = 0; i < 20000; i++)
            if (write(STDERR_FILENO, "a library's opinion\n", 20) < 0 && errno != EAGAIN) _exit(1);
    if (!strcmp(name, "nonsense")) {
        child_raw("\x02\x00\x00\x00\x02\x00\x03\x00", 8);
        child_raw(&request, 8);
        child_raw("xx", 2);
        return;
    }
    if (!strcmp(name, "spawns") && !fork()) {
        child_mark(path, "spawned");
        for (;;) pause();
    }
    if (!strcmp(name, "missing")) child_fail(request, VIRGA_NOT_FOUND, "there is no such store");
    else child_inventory(request);
}

static void child_take(const struct source_header *header, const uint8_t *body, int slab) {
    static struct source_open open;
    static struct source_read_message read;
    bool start;
    if (header->kind == SOURCE_OPEN && !source_decode_open(body, header->body_bytes, &open)) child_open(header->request, open.path);
    if (header->kind == SOURCE_READ && !source_decode_read(body, header->body_bytes, &read)) child_read(header->request, &read, slab);
    if (header->kind == SOURCE_CANCEL) child_cancel(header->request);
    if (header->kind == SOURCE_CLUSTER && !source_decode_cluster(body, header->body_bytes, &start)) {
        struct source_frame frame;
        source_encode_state(start ? "{\"state\": \"told to start\"}" : "{\"state\": \"told to stop\"}", &frame);
        child_send(&frame);
    }
}

FIXTURE int child_serve(void) {
    static uint8_t body[SOURCE_MAX_REQUEST_BYTES];
    const struct source_channel channel = {.socket = child_socket};
    struct source_hello hello = {.name = "an engine of the test"};
    struct source_frame frame;
    uint8_t bytes[SOURCE_HEADER_BYTES];
    struct source_header header;
    source_encode_hello(&hello, &frame);
    child_send(&frame);
    for (;;) {
        int fds[2] = {-1, -1}, count = 0;
        if (source_channel_receive(&channel, bytes, sizeof bytes, fds, &count)) return 0;
        if (source_decode_header(bytes, &header)) return 1;
        if (source_channel_receive(&channel, body, header.body_bytes, fds, &count)) return 0;
        if (count != (header.kind == SOURCE_READ)) return 2;
        child_take(&header, body, fds[0]);
        if (count) close(fds[0]);
    }
}

// As `PYTHON -m virga_engine PARENT OPTION…`.
FIXTURE int child_main(int argc, char **argv) {
    if (atoi(argv[3]) != getppid()) return 4;
    for (int i = 4; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--slabs")) child_slabs = argv[i + 1];
        if (strcmp(argv[i], "--product")) continue;
        if (!strcmp(argv[i + 1], "exits")) return fprintf(stderr, "No module named virga_engine\n"), 5;
        if (!strcmp(argv[i + 1], "says nothing")) for (;;) pause();
        if (!strcmp(argv[i + 1], "says other")) child_raw("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", 30);
        if (!strcmp(argv[i + 1], "speaks first")) child_states(1);
    }
    int status = child_serve();
    for (int i = 4; i + 1 < argc; i += 2)
        if (!strcmp(argv[i + 1], "stays")) for (;;) pause();
    return status;
}

#endif
