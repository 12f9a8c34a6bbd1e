// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/shared_bytes.h"
#include "base/status.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "base/write_all.h"

static void failure_holds_one_line_of_valid_text(void **state) {
    (void)state;
    struct failure f;
    assert_int_equal(VIRGA_IO, failure_set(&f, VIRGA_IO, "a\nb\tc\x1b[0m %s", "\xff\xc3\xa9\xed\xa0\x80"));
    assert_int_equal(VIRGA_IO, f.status);
    assert_string_equal(f.message, "a b c [0m ?\xc3\xa9???");
    assert_int_equal(VIRGA_IO, failure_set(NULL, VIRGA_IO, "nobody listens"));
}

static void failure_cut_inside_a_character_stays_valid(void **state) {
    (void)state;
    char text[1024];
    for (size_t i = 0; i + 2 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa9", 3);
    struct failure f;
    failure_set(&f, VIRGA_IO, "%s", text);
    for (const char *c = f.message; *c; c += utf8_length(c)) assert_true(utf8_length(c) > 0);
}

static void text_is_repaired_and_converted(void **state) {
    (void)state;
    char text[] = "a\n\xb0\xc3\xa9\xc3", out[16];
    assert_false(utf8_valid(text));
    utf8_from_latin1("\xb0""C", out);
    assert_string_equal("\xc2\xb0""C", out);
    assert_true(utf8_valid(out));
    utf8_repair(text);
    assert_string_equal("a\n?\xc3\xa9?", text);
    assert_true(utf8_valid(text));
    assert_true(utf8_valid(""));
}

static void each_status_has_its_own_name(void **state) {
    (void)state;
    for (int a = VIRGA_INTERNAL; a <= 0; a++)
        for (int b = VIRGA_INTERNAL; b < a; b++) assert_string_not_equal(status_name(a), status_name(b));
    assert_non_null(status_name(-99));
}

static void sizes_that_do_not_fit_are_refused(void **state) {
    (void)state;
    size_t n = 7;
    assert_int_equal(VIRGA_OK, memory_multiply(1u << 20, 1u << 20, &n));
    assert_int_equal((size_t)1 << 40, n);
    assert_int_equal(VIRGA_TOO_LARGE, memory_multiply(SIZE_MAX / 2, 3, &n));
    assert_int_equal(0, n);
    assert_int_equal(VIRGA_TOO_LARGE, memory_add(SIZE_MAX, 1, &n));
    assert_null(memory_new_aligned(64, SIZE_MAX / 4, 8));
    void *p = memory_new_aligned(64, 3, 5);
    assert_int_equal(0, (uintptr_t)p % 64);
    free(p);
    assert_null(memory_new_large(SIZE_MAX / 4, 8));
    assert_null(memory_new_large(SIZE_MAX, 1));
    static const size_t sizes[] = {0, 1, 4097, 5u << 20};
    for (size_t s = 0; s < 4; s++) {
        assert_non_null(p = memory_new_large(sizes[s], 1));
        memset(p, 7, sizes[s]);
        free(p);
    }
}

static void a_list_doubles_and_keeps_what_it_has(void **state) {
    (void)state;
    int *list = NULL;
    size_t room = 0, moved = 0;
    for (int n = 0; n < 1000; n++) {
        const size_t before = room;
        int *grown = memory_one_more(list, (size_t)n, &room, sizeof *grown);
        assert_non_null(grown);
        if (room == before) assert_ptr_equal(grown, list);
        moved += room != before;
        list = grown;
        list[n] = n;
    }
    for (int n = 0; n < 1000; n++) assert_int_equal(n, list[n]);
    assert_true(moved <= 10 && room >= 1000);
    size_t full = SIZE_MAX / 2 + 1, large = 1u << 20;
    assert_null(memory_one_more(list, full, &full, 1));
    assert_null(memory_one_more(list, large, &large, SIZE_MAX / large));
    assert_true(full == SIZE_MAX / 2 + 1 && large == 1u << 20 && list[999] == 999);
    free(list);
}

static void an_arena_keeps_to_its_limit(void **state) {
    (void)state;
    struct arena arena = {.limit = 100000};
    char *first = arena_text(&arena, "first", 5);
    assert_non_null(first);
    size_t n = 0;
    while (arena_new(&arena, 10, 100)) n++;
    assert_true(n >= 98 && n <= 100);
    assert_null(arena_new(&arena, SIZE_MAX / 8, 16));
    assert_string_equal("first", first);
    arena_destroy(&arena);
    assert_int_equal(0, arena.used);
    uint64_t *zeroed = arena_new(&arena, 1000, sizeof *zeroed);
    for (int i = 0; i < 1000; i++) assert_true(zeroed[i] == 0);
    assert_non_null(arena_new(&arena, 0, 8));
    arena_destroy(&arena);
}

static void *ref_and_unref(void *argument) {
    for (int i = 0; i < 10000; i++) shared_bytes_unref(shared_bytes_ref(argument));
    return NULL;
}

static void shared_bytes_live_until_the_last_reference(void **state) {
    (void)state;
    uint8_t *fill;
    struct shared_bytes *bytes = shared_bytes_new(5, &fill);
    memcpy(fill, "hello", 5);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, ref_and_unref, bytes);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_int_equal(5, bytes->size);
    assert_memory_equal(bytes->data, "hello", 5);
    shared_bytes_unref(bytes);
    shared_bytes_unref(NULL);
    assert_null(shared_bytes_ref(NULL));
    assert_null(shared_bytes_new(SIZE_MAX, &fill));
}

static void bytes_come_back_as_written_and_stop_at_the_end(void **state) {
    (void)state;
    uint8_t buffer[26];
    struct byte_writer w = {.at = buffer, .end = buffer + sizeof buffer};
    bytes_write_u8(&w, 0xfe);
    bytes_write_u16(&w, 0x1234);
    bytes_write_u32(&w, 0xdeadbeef);
    bytes_write_u64(&w, UINT64_MAX - 1);
    bytes_write_f64(&w, -0.1);
    assert_false(w.failed);
    bytes_write_u32(&w, 1);
    assert_true(w.failed);
    struct byte_reader r = {.at = buffer, .end = buffer + 23};
    assert_int_equal(0xfe, bytes_read_u8(&r));
    assert_int_equal(0x1234, bytes_read_u16(&r));
    assert_int_equal(0xdeadbeef, bytes_read_u32(&r));
    assert_true(bytes_read_u64(&r) == UINT64_MAX - 1);
    assert_true(bytes_read_f64(&r) == -0.1);
    assert_int_equal(0, bytes_read_u8(&r));
    assert_true(r.failed);
    assert_int_equal(buffer[3], 0xef);
}

static size_t logged(char *out, size_t room, bool json, const char *message) {
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(0, pipe(ends));
    dup2(ends[1], STDERR_FILENO);
    log_configure(LOG_LEVEL_INFO, json);
    log_error("area", "%s", message);
    log_debug("area", "not printed");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t n = read(ends[0], out, room - 1);
    close(ends[0]);
    assert_true(n > 0);
    out[n] = '\0';
    return (size_t)n;
}

static void a_name_cannot_forge_a_log_line(void **state) {
    (void)state;
    char out[256];
    size_t n = logged(out, sizeof out, false, "x\n2026-01-01T00:00:00.000Z info a: \x1b[31m\xff");
    assert_ptr_equal(strchr(out, '\n'), out + n - 1);
    assert_non_null(strstr(out, " error area: x\\x0a2026"));
    assert_non_null(strstr(out, "\\x1b[31m\\xff"));
    assert_int_equal('Z', out[23]);
}

static void a_json_log_line_is_one_object(void **state) {
    (void)state;
    char out[256];
    logged(out, sizeof out, true, "say \"hi\"\\\n\xc3\xa9");
    assert_non_null(strstr(out, "\"level\": \"error\", \"area\": \"area\", \"message\": \"say \\\"hi\\\"\\\\\\u000a\xc3\xa9\"}\n"));
}

enum { PIPED = 1 << 20 };  // more than a pipe holds

static void *count_bytes(void *argument) {
    int *fd = argument;
    char data[5000];
    intptr_t count = 0;
    for (ssize_t n; (n = read(*fd, data, sizeof data)) > 0;) count += n;
    return (void *)count;
}

static void all_is_written_or_it_is_said_why(void **state) {
    (void)state;
    int ends[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    pthread_t reader;
    void *count;
    char *bytes = calloc(1, PIPED);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&reader, NULL, count_bytes, &ends[0]), 0);
    assert_int_equal(write_all(ends[1], bytes, PIPED), 0);
    assert_int_equal(write_all(ends[1], bytes, 0), 0);
    close(ends[1]);
    pthread_join(reader, &count);
    assert_int_equal((intptr_t)count, PIPED);
    assert_int_equal(write_all(ends[1], bytes, 1), EBADF);
    if (full >= 0) assert_int_equal(write_all(full, bytes, 1), ENOSPC);
    close(full);
    close(ends[0]);
    free(bytes);
}

static void log_levels_have_names(void **state) {
    (void)state;
    enum log_level level;
    assert_int_equal(VIRGA_OK, log_level_parse("debug", &level));
    assert_int_equal(LOG_LEVEL_DEBUG, level);
    assert_int_equal(VIRGA_INVALID, log_level_parse("Debug", &level));
    assert_int_equal(VIRGA_INVALID, log_level_parse(NULL, &level));
}

static void clocks_run(void **state) {
    (void)state;
    double a = clock_monotonic(), b = clock_monotonic();
    assert_true(b >= a);
    assert_true(fabs(clock_wall() - (double)time(NULL)) < 2);
}

static void a_long_step_counts_little(void **state) {
    (void)state;
    double looked = clock_monotonic() - 100, before = clock_monotonic();
    assert_true(clock_step(&looked, 0.5) == 0.5);
    assert_true(looked >= before);
    looked = clock_monotonic() - 100;
    assert_true(clock_step(&looked, 1e6) >= 100);
}

static void a_copy_of_bytes_stands_by_itself(void **state) {
    (void)state;
    char text[] = "abc";
    struct shared_bytes *bytes = shared_bytes_copy(text, 3), *none = shared_bytes_copy(NULL, 0);
    text[0] = 'x';
    assert_true(bytes && bytes->size == 3 && !memcmp(bytes->data, "abc", 3));
    assert_true(none && none->size == 0);
    shared_bytes_unref(bytes);
    shared_bytes_unref(none);
}

struct signalled {
    pthread_mutex_t lock;
    pthread_cond_t condition;
};

static void *signal_it(void *argument) {
    struct signalled *s = argument;
    pthread_mutex_lock(&s->lock);  // which the waiter gives back when it waits
    pthread_cond_signal(&s->condition);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void a_condition_is_waited_for_until_a_time_or_a_signal(void **state) {
    (void)state;
    struct signalled s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    assert_int_equal(condition_init(&s.condition), 0);
    pthread_mutex_lock(&s.lock);
    double until = clock_monotonic() + 0.02;
    while (condition_wait(&s.condition, &s.lock, until)) continue;
    assert_true(clock_monotonic() >= until - 1e-6);
    assert_int_equal(pthread_create(&thread, NULL, signal_it, &s), 0);
    assert_true(condition_wait(&s.condition, &s.lock, HUGE_VAL));
    pthread_mutex_unlock(&s.lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&s.condition);
}

struct policies { int tried, own, started; };

static void *policy_of_a_thread(void *argument) {
    *(int *)argument = sched_getscheduler(0);
    return NULL;
}

static void *try_real_time(void *argument) {
    const struct sched_param least = {.sched_priority = 1};
    *(int *)argument = sched_setscheduler(0, SCHED_RR, &least);
    return NULL;
}

static void *run_soon(void *argument) {
    struct policies *policies = argument;
    pthread_t thread;
    thread_run_soon();
    policies->own = sched_getscheduler(0);
    if (!thread_start(&thread, policy_of_a_thread, &policies->started)) pthread_join(thread, NULL);
    return NULL;
}

// Before all others where the system allows it; what it starts does not inherit that.
static void a_thread_may_run_soon(void **state) {
    (void)state;
    struct policies policies = {.tried = -1, .own = -1, .started = -1};
    pthread_t thread;
    assert_int_equal(thread_start(&thread, try_real_time, &policies.tried), 0);
    pthread_join(thread, NULL);
    assert_int_equal(thread_start(&thread, run_soon, &policies), 0);
    pthread_join(thread, NULL);
    assert_int_equal(policies.own, policies.tried ? SCHED_OTHER : SCHED_RR | SCHED_RESET_ON_FORK);
    assert_int_equal(policies.started, SCHED_OTHER);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_holds_one_line_of_valid_text),
        cmocka_unit_test(failure_cut_inside_a_character_stays_valid),
        cmocka_unit_test(text_is_repaired_and_converted),
        cmocka_unit_test(each_status_has_its_own_name),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(a_list_doubles_and_keeps_what_it_has),
        cmocka_unit_test(an_arena_keeps_to_its_limit),
        cmocka_unit_test(shared_bytes_live_until_the_last_reference),
        cmocka_unit_test(bytes_come_back_as_written_and_stop_at_the_end),
        cmocka_unit_test(a_name_cannot_forge_a_log_line),
        cmocka_unit_test(a_json_log_line_is_one_object),
        cmocka_unit_test(log_levels_have_names),
        cmocka_unit_test(all_is_written_or_it_is_said_why),
        cmocka_unit_test(clocks_run),
        cmocka_unit_test(a_long_step_counts_little),
        cmocka_unit_test(a_copy_of_bytes_stands_by_itself),
        cmocka_unit_test(a_condition_is_waited_for_until_a_time_or_a_signal),
        cmocka_unit_test(a_thread_may_run_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
