// SPDX-License-Identifier: Apache-2.0
// Which files are whole: by the kernel's word, by what was heard of them, and by stillness; the clock is passed.
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/file_writers.h"

static const double settle = 5;

static struct source_identity file_of(uint64_t inode, int64_t changed) { return (struct source_identity){.device = 1, .inode = inode, .size = 100, .mtime_ns = changed}; }

static bool is_whole(struct file_activity *a, struct source_identity identity, double now) {
    double again = INFINITY;
    return file_activity_is_whole(a, &identity, FILE_WRITERS_UNKNOWN, settle, now, &again);
}

static void begin(struct file_activity *a, bool first) { file_activity_begin(a, first); }

static void the_kernel_has_the_word(void **state) {
    (void)state;
    struct file_activity *a = file_activity_new();
    struct source_identity file = file_of(1, 0);
    double again = INFINITY;
    begin(a, false);
    assert_true(file_activity_is_whole(a, &file, FILE_WRITERS_NONE, settle, 0, &again));
    assert_false(file_activity_is_whole(a, &file, FILE_WRITERS_SOME, settle, 1000, &again));
    assert_true(isinf(again));  // whoever writes it will be heard of
    file_activity_free(a);
}

static void what_was_there_already_counts(void **state) {
    (void)state;
    struct file_activity *a = file_activity_new();
    begin(a, true);
    assert_true(is_whole(a, file_of(1, 0), 0));
    file_activity_end(a);
    file_activity_free(a);
}

static void what_appeared_must_be_still(void **state) {
    (void)state;
    struct file_activity *a = file_activity_new();
    struct source_identity file = file_of(1, 0);
    double again = INFINITY;
    begin(a, false);
    assert_false(file_activity_is_whole(a, &file, FILE_WRITERS_UNKNOWN, settle, 10, &again));
    assert_true(again == 15);
    file_activity_end(a);
    begin(a, false);
    assert_false(is_whole(a, file_of(1, 7), 14));  // it changed
    assert_false(is_whole(a, file_of(1, 7), 18.9));
    assert_true(is_whole(a, file_of(1, 7), 19));
    file_activity_end(a);
    file_activity_free(a);
}

static void what_was_closed_counts_until_it_changes(void **state) {
    (void)state;
    struct file_activity *a = file_activity_new();
    struct source_identity file = file_of(1, 0), later = file_of(1, 5);
    assert_true(file_activity_written(a, &file));
    assert_false(file_activity_written(a, &file));  // that is no news
    begin(a, false);
    assert_false(is_whole(a, file, 0));
    assert_false(is_whole(a, file, 1000));  // still, but open
    file_activity_end(a);
    file_activity_closed(a, &file);
    begin(a, false);
    assert_true(is_whole(a, file, 1000));
    assert_false(is_whole(a, later, 1001));
    file_activity_end(a);
    file_activity_closed(a, &file);
    file_activity_touched(a, &later);
    begin(a, false);
    assert_true(is_whole(a, later, 1002));
    file_activity_end(a);
    file_activity_free(a);
}

static void after_lost_events_only_stillness_tells(void **state) {
    (void)state;
    struct file_activity *a = file_activity_new();
    struct source_identity file = file_of(1, 0), other = file_of(2, 0);
    file_activity_written(a, &file);
    file_activity_closed(a, &other);
    file_activity_lost(a, 100);
    begin(a, false);
    assert_false(is_whole(a, file, 104));
    assert_false(is_whole(a, other, 104));
    assert_true(is_whole(a, file, 105));
    assert_true(is_whole(a, other, 105));
    file_activity_end(a);
    file_activity_free(a);
}

static void many_files_are_told_apart_and_forgotten(void **state) {
    (void)state;
    struct file_activity *a = file_activity_new();
    for (uint64_t n = 1; n <= 5000; n++) {
        struct source_identity file = file_of(n, 0);
        file_activity_closed(a, &file);
    }
    begin(a, false);
    for (uint64_t n = 1; n <= 5000; n += 2) assert_true(is_whole(a, file_of(n, 0), 0));
    file_activity_end(a);
    begin(a, false);
    assert_true(is_whole(a, file_of(1, 0), 0));
    assert_false(is_whole(a, file_of(2, 0), 0));  // nobody had asked for it
    file_activity_end(a);
    file_activity_free(a);
}

static void a_writer_is_seen_while_it_has_the_file_open(void **state) {
    (void)state;
    char path[] = "/tmp/virga-writers-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    enum file_writers open_now = file_writers_of(path);
    close(fd);
    enum file_writers closed = file_writers_of(path);
    unlink(path);
    assert_int_equal(file_writers_of(path), FILE_WRITERS_UNKNOWN);
    if (closed == FILE_WRITERS_UNKNOWN) skip();  // a file system without leases
    assert_int_equal(open_now, FILE_WRITERS_SOME);
    assert_int_equal(closed, FILE_WRITERS_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_has_the_word),
        cmocka_unit_test(what_was_there_already_counts),
        cmocka_unit_test(what_appeared_must_be_still),
        cmocka_unit_test(what_was_closed_counts_until_it_changes),
        cmocka_unit_test(after_lost_events_only_stillness_tells),
        cmocka_unit_test(many_files_are_told_apart_and_forgotten),
        cmocka_unit_test(a_writer_is_seen_while_it_has_the_file_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
