// SPDX-License-Identifier: Apache-2.0
// The bridge between an engine's socket and a process elsewhere: what is sent arrives, slabs are filled within their bounds, and whatever is forged ends it.
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/source_bridge.h"
#include "source/source_channel.h"
#include "source/source_protocol.h"

enum { SLAB = 3000, PATIENCE = 20 };

struct joined {
    struct source_bridge *bridge;
    int engine;  // the engine's end
    int slab;    // a memory file of SLAB bytes and a page behind it
    sem_t told;
};

static void told(void *context) { sem_post(&((struct joined *)context)->told); }

static struct joined *make(void) {
    struct joined *j = calloc(1, sizeof *j);
    struct failure failure;
    int ends[2];
    const struct source_bridge_calls calls = {.told = told, .context = j};
    sem_init(&j->told, 0, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const struct timeval patience = {.tv_sec = PATIENCE};
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    j->engine = ends[0];
    j->slab = memfd_create("slab", MFD_CLOEXEC);
    assert_int_equal(ftruncate(j->slab, SLAB + 4096), 0);
    assert_int_equal(source_bridge_new(ends[1], &calls, &j->bridge, &failure), VIRGA_OK);
    return j;
}

static void end(struct joined *j) {
    source_bridge_free(j->bridge);
    if (j->engine >= 0) close(j->engine);
    close(j->slab);
    sem_destroy(&j->told);
    free(j);
}

static int set_up(void **state) {
    *state = make();
    return 0;
}

static int tear_down(void **state) {
    end(*state);
    return 0;
}

static void wait_for_told(struct joined *j) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    while (sem_timedwait(&j->told, &until))
        if (errno != EINTR) fail_msg("nothing was told");
}

static void expect_over(struct joined *j, int status, const char *words) {
    struct failure why = {0};
    while (!source_bridge_is_over(j->bridge, &why)) wait_for_told(j);
    assert_int_equal(why.status, status);
    assert_non_null(strstr(why.message, words));
    assert_int_equal(source_bridge_put(j->bridge, "x", 1), VIRGA_GONE);
}

static void take(struct joined *j, uint8_t *out, size_t size) {
    for (size_t got = 0, n; got < size; got += n)
        if (!(n = source_bridge_take(j->bridge, out + got, size - got))) wait_for_told(j);
}

// A READ as the engine sends it, taken out at the other side.
static void ask(struct joined *j, uint64_t request) {
    struct source_read_message *read = calloc(1, sizeof *read);
    struct source_frame frame;
    read->slab_bytes = SLAB;
    read->request = (struct source_slab_request){.rank = 1, .count = {SLAB}, .block = {1}};
    snprintf(read->path, sizeof read->path, "notebook:x");
    assert_int_equal(source_encode_read(request, read, &frame), VIRGA_OK);
    const struct source_channel channel = {.socket = j->engine};
    assert_int_equal(source_channel_send(&channel, frame.data, frame.size, &j->slab, 1), VIRGA_OK);
    uint8_t *out = malloc(frame.size);
    take(j, out, frame.size);
    assert_memory_equal(out, frame.data, frame.size);
    free(out);
    source_frame_free(&frame);
    free(read);
}

static size_t header(uint8_t *at, uint32_t bytes, uint16_t version, uint16_t kind, uint64_t request) {
    memcpy(at, &bytes, 4);
    memcpy(at + 4, &version, 2);
    memcpy(at + 6, &kind, 2);
    memcpy(at + 8, &request, 8);
    return SOURCE_HEADER_BYTES;
}

static void put(struct joined *j, const uint8_t *data, size_t size) { assert_int_equal(source_bridge_put(j->bridge, data, size), VIRGA_OK); }

static size_t make_piece(uint8_t *out, uint64_t request, uint64_t offset, size_t size) {
    header(out, (uint32_t)(8 + size), 2, BRIDGE_PIECE, request);
    memcpy(out + SOURCE_HEADER_BYTES, &offset, 8);
    for (size_t i = 0; i < size; i++) out[SOURCE_HEADER_BYTES + 8 + i] = (uint8_t)((offset + i) * 7 + 1);
    return SOURCE_HEADER_BYTES + 8 + size;
}

static void piece(struct joined *j, uint64_t request, uint64_t offset, size_t size) {
    uint8_t *out = malloc(SOURCE_HEADER_BYTES + 8 + size);
    put(j, out, make_piece(out, request, offset, size));
    free(out);
}

static void answer_slab(struct joined *j, uint64_t request) {
    const struct source_slab_answer answer = {.type = SOURCE_U8, .elements = SLAB, .bytes = SLAB};
    struct source_frame frame;
    assert_int_equal(source_encode_slab(request, &answer, &frame), VIRGA_OK);
    put(j, frame.data, frame.size);
    source_frame_free(&frame);
}

// What the engine gets.
static void expect_kind(struct joined *j, enum source_message_kind kind, uint64_t request) {
    const struct source_channel channel = {.socket = j->engine};
    uint8_t head[SOURCE_HEADER_BYTES], body[4096];
    struct source_header got;
    assert_int_equal(source_channel_receive(&channel, head, sizeof head, NULL, NULL), VIRGA_OK);
    assert_int_equal(source_decode_header(head, &got), VIRGA_OK);
    assert_int_equal(got.kind, kind);
    assert_int_equal(got.request, request);
    assert_in_range(got.body_bytes, 0, sizeof body);
    assert_int_equal(source_channel_receive(&channel, body, got.body_bytes, NULL, NULL), VIRGA_OK);
}

static void expect_slab_filled(struct joined *j) {
    uint8_t bytes[SLAB + 100];
    assert_int_equal(pread(j->slab, bytes, sizeof bytes, 0), sizeof bytes);
    for (size_t i = 0; i < SLAB; i++) assert_int_equal(bytes[i], (uint8_t)(i * 7 + 1));
    for (size_t i = SLAB; i < sizeof bytes; i++) assert_int_equal(bytes[i], 0);
}

static void test_a_slab_comes_in_pieces(void **state) {
    struct joined *j = *state;
    ask(j, 5);
    piece(j, 5, 0, 1000);
    piece(j, 5, 1000, SLAB - 1000);
    answer_slab(j, 5);
    expect_kind(j, SOURCE_SLAB, 5);
    expect_slab_filled(j);
}

static void test_bytes_may_come_one_by_one(void **state) {
    struct joined *j = *state;
    uint8_t all[SLAB + 200];
    ask(j, 6);
    size_t size = make_piece(all, 6, 0, SLAB);
    for (size_t i = 0; i < size; i++) put(j, all + i, 1);
    answer_slab(j, 6);
    expect_kind(j, SOURCE_SLAB, 6);
    expect_slab_filled(j);
}

static void test_other_messages_are_passed_on(void **state) {
    struct joined *j = *state;
    const struct source_hello hello = {.name = "a notebook"};
    const struct failure failure = {.status = VIRGA_CANCELLED, .message = "given up"};
    struct source_frame frame;
    assert_int_equal(source_encode_hello(&hello, &frame), VIRGA_OK);
    put(j, frame.data, frame.size);
    source_frame_free(&frame);
    expect_kind(j, SOURCE_HELLO, 0);
    uint8_t empty[SOURCE_HEADER_BYTES];
    put(j, empty, header(empty, 0, 2, SOURCE_STATE, 0));  // without a body: the engine's to judge
    expect_kind(j, SOURCE_STATE, 0);
    ask(j, 7);
    assert_int_equal(source_encode_failure(7, &failure, false, &frame), VIRGA_OK);
    put(j, frame.data, frame.size);
    source_frame_free(&frame);
    expect_kind(j, SOURCE_FAILURE, 7);
    piece(j, 7, 0, 10);  // it is over
    expect_over(j, VIRGA_INVALID, "over or was not made");
}

static void test_forged_pieces_end_it(void **state) {
    static const struct { uint64_t offset; size_t size; } forged[] = {
        {1, 10}, {SLAB, 1}, {0, SLAB + 1}, {UINT64_MAX, 1}, {UINT64_MAX - 5, 10}, {1ull << 63, 8}, {SLAB - 1, 2}};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        struct joined *j = make();
        uint8_t bytes[SLAB + 100], zeros[SLAB + 100] = {0};
        ask(j, 5);
        piece(j, 5, forged[i].offset, forged[i].size);
        expect_over(j, VIRGA_INVALID, "piece does not lie");
        assert_int_equal(pread(j->slab, bytes, sizeof bytes, 0), sizeof bytes);
        assert_memory_equal(bytes, zeros, sizeof bytes);
        end(j);
    }
    struct joined *j = *state;
    ask(j, 5);
    piece(j, 5, 0, 100);
    piece(j, 5, 0, 100);  // once is enough
    expect_over(j, VIRGA_INVALID, "piece does not lie");
}

static void test_pieces_of_no_request_end_it(void **state) {
    struct joined *j = *state;
    ask(j, 5);
    piece(j, 6, 0, 10);
    expect_over(j, VIRGA_INVALID, "was not made");
}

static void test_a_slab_that_is_not_whole_is_not_taken(void **state) {
    struct joined *j = *state;
    ask(j, 5);
    piece(j, 5, 0, SLAB - 1);
    answer_slab(j, 5);
    expect_over(j, VIRGA_INVALID, "is not");
    uint8_t byte;
    assert_int_equal(recv(j->engine, &byte, 1, 0), 0);  // the engine sees it closed, and no SLAB
}

static void test_headers_that_no_engine_sends_end_it(void **state) {
    (void)state;
    static const struct { uint32_t bytes; uint16_t version, kind; } forged[] = {
        {0, 1, SOURCE_STATE}, {0, 2, 0}, {0, 2, 13}, {0, 2, 65535}, {10, 2, SOURCE_READ}, {10, 2, SOURCE_WANT}, {0, 2, SOURCE_CANCEL},
        {SOURCE_MAX_REQUEST_BYTES + 1, 2, SOURCE_STATE}, {UINT32_MAX, 2, SOURCE_FAILURE}, {UINT32_MAX, 2, BRIDGE_PIECE}, {8, 2, BRIDGE_PIECE},
        {0, 2, BRIDGE_PIECE}, {BRIDGE_MOST_PIECE + 9, 2, BRIDGE_PIECE}};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        struct joined *j = make();
        uint8_t bytes[SOURCE_HEADER_BYTES];
        struct failure why = {0};
        ask(j, 5);
        put(j, bytes, header(bytes, forged[i].bytes, forged[i].version, forged[i].kind, 5));
        while (!source_bridge_is_over(j->bridge, &why)) wait_for_told(j);
        assert_int_equal(why.status, VIRGA_INVALID);
        end(j);
    }
}

// An inventory without end, which the engine does not read: what waits is bounded, and there is room again once it reads.
static void test_a_flood_is_stopped(void **state) {
    struct joined *j = *state;
    static uint8_t block[32768];
    uint8_t bytes[SOURCE_HEADER_BYTES];
    size_t size = 0;
    int status;
    put(j, bytes, header(bytes, UINT32_MAX, 2, SOURCE_INVENTORY, 5));
    while ((status = source_bridge_put(j->bridge, block, sizeof block)) == VIRGA_OK) assert_in_range(size += sizeof block, 1, 8 << 20);
    assert_int_equal(status, VIRGA_AGAIN);
    while ((status = source_bridge_put(j->bridge, block, sizeof block)) != VIRGA_TOO_LARGE) assert_in_range(size += sizeof block, 1, 8 << 20);
    while (!source_bridge_has_room(j->bridge)) assert_true(recv(j->engine, block, sizeof block, 0) > 0);
    assert_int_equal(source_bridge_put(j->bridge, block, 1), VIRGA_OK);
}

static void test_what_nobody_takes_waits_at_the_engine(void **state) {
    struct joined *j = *state;
    uint8_t bytes[SOURCE_HEADER_BYTES];
    header(bytes, 0, 2, SOURCE_CANCEL, 1);
    size_t sent = 0;
    const struct timeval moment = {.tv_sec = 1};
    assert_int_equal(setsockopt(j->engine, SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment), 0);
    while (send(j->engine, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes) assert_in_range(++sent, 1, 1 << 20);
    assert_in_range(sent * sizeof bytes, BRIDGE_OUT, 4 << 20);
    uint8_t *all = malloc(sent * sizeof bytes);
    take(j, all, sent * sizeof bytes);
    for (size_t i = 0; i < sent; i++) assert_memory_equal(all + i * sizeof bytes, bytes, sizeof bytes);
    free(all);
}

static void test_the_end_of_the_engine_is_told(void **state) {
    struct joined *j = *state;
    close(j->engine);
    j->engine = -1;
    expect_over(j, VIRGA_GONE, "let go");
}

static void test_a_stopped_one_tells_nothing_more(void **state) {
    struct joined *j = *state;
    uint8_t byte;
    ask(j, 5);
    source_bridge_stop(j->bridge);
    while (!sem_trywait(&j->told)) continue;
    assert_int_equal(recv(j->engine, &byte, 1, 0), 0);
    source_bridge_free(j->bridge);
    j->bridge = NULL;
    assert_int_equal(sem_trywait(&j->told), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_slab_comes_in_pieces),
        TEST(test_bytes_may_come_one_by_one),
        TEST(test_other_messages_are_passed_on),
        TEST(test_forged_pieces_end_it),
        TEST(test_pieces_of_no_request_end_it),
        TEST(test_a_slab_that_is_not_whole_is_not_taken),
        TEST(test_headers_that_no_engine_sends_end_it),
        TEST(test_a_flood_is_stopped),
        TEST(test_what_nobody_takes_waits_at_the_engine),
        TEST(test_the_end_of_the_engine_is_told),
        TEST(test_a_stopped_one_tells_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
