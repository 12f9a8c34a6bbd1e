// SPDX-License-Identifier: Apache-2.0
// A reader that misbehaves: the test's program started as a pool's child plays it, by the name of the file it is asked for.
#ifndef VIRGA_TESTS_POOL_CHILD_H
#define VIRGA_TESTS_POOL_CHILD_H

#include "source_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "source/source_channel.h"
#include "source/source_protocol.h"

static const struct source_channel child_channel = {.socket = 3};

static void child_send(struct source_frame *frame) {
    if (source_channel_send(&child_channel, frame->data, frame->size, NULL, 0)) _exit(1);
    source_frame_free(frame);
}

static void child_inventory(uint64_t request, bool twice) {
    struct source_dimension x = {"x", 4, false};
    struct source_variable v = {.name = "v", .type = SOURCE_F32, .rank = 1, .chunk = {4}};
    struct source_inventory all = {.dimension_count = 1, .dimensions = &x, .variable_count = 1, .variables = &v,
                                   .format = "made up"};
    struct source_frame frame;
    source_encode_inventory(request, &all, 1 << 16, &frame);
    if (twice) {  // in one piece, so that both are there when the first is taken
        frame.data = realloc(frame.data, frame.size * 2);
        memcpy(frame.data + frame.size, frame.data, frame.size);
        frame.size *= 2;
    }
    child_send(&frame);
}

static void child_raw(const void *bytes, size_t size) { source_channel_send(&child_channel, bytes, size, NULL, 0); }

static void child_drip(uint64_t request) {
    struct source_frame frame;
    struct source_slab_answer slab = {0};
    source_encode_slab(request, &slab, &frame);
    frame.data[0] = 200;  // more than will come in time
    for (size_t i = 0;; i++) {
        child_raw(&frame.data[i < frame.size ? i : frame.size - 1], 1);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static void child_eat(void) {
    for (;;) {
        volatile char *p = malloc(1 << 20);
        for (size_t i = 0; p && i < 1 << 20; i += 4096) p[i] = 1;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void child_chatter(void) {
    for (int i = 0; i < 200000; i++)
        if (write(STDERR_FILENO, "a library's opinion of this file\n", 33) < 0 && errno != EAGAIN) _exit(1);
}

// Asks for what the server may open, and closes what it is granted. Returns the server's status.
static int child_want(uint64_t request, enum source_space space, const char *path) {
    static uint8_t want[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES];
    uint8_t grant[SOURCE_HEADER_BYTES + SOURCE_GRANT_BYTES];
    int answer, fds[2], count = 0;
    child_raw(want, source_write_want(request, space, path, want));
    if (source_channel_receive(&child_channel, grant, sizeof grant, fds, &count)) _exit(0);
    if (source_decode_grant(grant + SOURCE_HEADER_BYTES, SOURCE_GRANT_BYTES, &answer) || count != (answer == VIRGA_OK)) _exit(4);
    if (count) close(fds[0]);
    return answer;
}

static void child_want_much(uint64_t request) {
    while (child_want(request, SOURCE_LIBRARY, "/nowhere") == VIRGA_NOT_FOUND) {
    }
    if (child_want(request, SOURCE_LIBRARY, "/nowhere") != VIRGA_TOO_LARGE) _exit(5);
}

// Ways to ask that break the protocol.
static void child_want_wrongly(uint64_t request, const char *name) {
    uint8_t want[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES];
    size_t size = source_write_want(request, SOURCE_LIBRARY, "/x", want);
    if (!strcmp(name, "wants-space")) want[SOURCE_HEADER_BYTES] = 77;
    if (!strcmp(name, "wants-nonsense")) want[SOURCE_HEADER_BYTES + 1] = 200;
    if (!strcmp(name, "wants-for-another")) want[8]++;
    if (!strcmp(name, "wants-inside")) want[SOURCE_HEADER_BYTES] = SOURCE_INSIDE;  // but a file was lent
    child_raw(want, size);
    for (;;) pause();
}

static void child_open(uint64_t request, const char *path) {
    const char *name = strrchr(path, '/') + 1;
    if (!strcmp(name, "hang")) for (;;) pause();
    if (!strcmp(name, "marks")) {  // that it was asked, and hangs
        char marker[SOURCE_MAX_PATH + 16];
        snprintf(marker, sizeof marker, "%s.asked", path);
        close(open(marker, O_CREAT | O_WRONLY, 0600));
        for (;;) pause();
    }
    if (!strcmp(name, "abort")) abort();
    if (!strcmp(name, "kill")) raise(SIGKILL);
    if (!strcmp(name, "exit")) _exit(3);
    if (!strcmp(name, "garbage")) child_raw("this is no message, but it is long enough to be one", 50);
    if (!strcmp(name, "huge")) child_raw("\xff\xff\xff\xff\x02\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16);
    if (!strcmp(name, "drip")) child_drip(request);
    if (!strcmp(name, "eat")) child_eat();
    if (!strcmp(name, "chatter")) child_chatter();
    if (!strcmp(name, "wants-much")) child_want_much(request);
    if (!strcmp(name, "wants-endlessly")) for (;;) child_want(request, SOURCE_LIBRARY, "/nowhere");
    if (!strcmp(name, "wants-outside") && child_want(request, SOURCE_LIBRARY, "/etc/passwd") != VIRGA_NOT_FOUND) _exit(6);
    if (!strncmp(name, "wants-", 6) && strcmp(name, "wants-much") && strcmp(name, "wants-outside") && strcmp(name, "wants-late"))
        child_want_wrongly(request, name);
    child_inventory(!strcmp(name, "other") ? request + 1 : request, !strcmp(name, "twice"));
    if (!strcmp(name, "burns")) for (volatile unsigned i = 0;; i++) continue;
    if (!strcmp(name, "wants-late")) {
        static uint8_t want[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES];
        child_raw(want, source_write_want(request, SOURCE_LIBRARY, "/x", want));
    }
}

static void child_nonsense(uint64_t request) {
    struct source_frame frame;
    struct failure failure = {VIRGA_IO, "x"};
    source_encode_failure(request, &failure, false, &frame);
    frame.data[6] = SOURCE_INVENTORY;
    child_send(&frame);
}

// As a library that says no, after which the child wants to be replaced.
static void child_fail(uint64_t request) {
    struct source_frame frame;
    struct failure failure = {VIRGA_UNREADABLE, "HDF error"};
    source_encode_failure(request, &failure, true, &frame);
    child_send(&frame);
}

static void child_read(uint64_t request, const char *path, int memory, size_t bytes) {
    const char *name = strrchr(path, '/') + 1;
    struct source_slab_answer slab = {.type = SOURCE_F32, .elements = bytes / 4, .bytes = bytes};
    struct source_frame frame;
    if (!strcmp(name, "late")) for (;;) pause();
    if (!strcmp(name, "dies")) raise(SIGKILL);
    if (!strcmp(name, "crashes")) abort();
    if (!strcmp(name, "fails")) child_fail(request);
    if (!strcmp(name, "shrink") &&
        (!ftruncate(memory, 0) || !ftruncate(memory, 1 << 20) || !fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE)))
        _exit(1);
    if (!strcmp(name, "less")) slab.bytes = 0;
    float *numbers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    for (size_t i = 0; i < bytes / 4; i++) numbers[i] = (float)i;
    munmap(numbers, bytes);
    source_encode_slab(request, &slab, &frame);
    child_send(&frame);
}

static int child_main(void) {
    static uint8_t body[SOURCE_MAX_REQUEST_BYTES];
    static struct source_open open;
    static struct source_read_message read;
    uint8_t bytes[SOURCE_HEADER_BYTES];
    struct source_header header;
    struct source_hello hello = {.name = "a child of the test"};
    struct source_frame frame;
    source_encode_hello(&hello, &frame);
    child_send(&frame);
    for (;;) {
        int fds[2], count = 0;
        if (source_channel_receive(&child_channel, bytes, sizeof bytes, fds, &count)) return 0;
        if (source_decode_header(bytes, &header)) return 1;
        if (source_channel_receive(&child_channel, body, header.body_bytes, fds, &count)) return 0;
        if (header.kind == SOURCE_OPEN && !source_decode_open(body, header.body_bytes, &open)) {
            if (strstr(open.path, "/nonsense")) child_nonsense(header.request);
            else child_open(header.request, open.path);
        }
        if (header.kind == SOURCE_READ && !source_decode_read(body, header.body_bytes, &read))
            child_read(header.request, read.path, fds[1], read.slab_bytes);
        for (int i = 0; i < count; i++) close(fds[i]);
    }
}

#endif
