// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/change_log.h"

enum { MOST = 10 };

struct row {
    int number;
    uint64_t changed;
};

static struct change_log logged;
static struct row table[MOST];

static size_t since(struct change_seen *seen, struct change *changes, size_t most, bool *all) {
    const struct change_rows rows = {table, MOST, sizeof *table, offsetof(struct row, changed)};
    return change_log_since(&logged, &rows, seen, changes, most, all);
}

static int set_up(void **state) {
    (void)state;
    change_log_init(&logged);
    for (int i = 0; i < MOST; i++) table[i] = (struct row){.number = i, .changed = ++logged.changes};
    return 0;
}

static void change(int i) { table[i].changed = ++logged.changes; }

static void test_changes_come_longest_ago_first_and_in_pieces(void **state) {
    (void)state;
    struct change_seen seen = {0};
    struct change changes[4];
    bool all;
    int expected[MOST] = {0, 1, 2, 4, 5, 6, 7, 8, 9, 3}, at = 0;
    change(3);
    for (size_t count = 4; count == 4;) {
        count = since(&seen, changes, 4, &all);
        assert_int_equal(all, at == 0);
        for (size_t i = 0; i < count; i++) assert_int_equal(((const struct row *)changes[i].row)->number, expected[at++]);
    }
    assert_int_equal(at, MOST);
    assert_int_equal(since(&seen, changes, 4, &all), 0);
    assert_false(all);
}

static void test_what_went_is_told_by_name_and_only_to_who_knew_it(void **state) {
    (void)state;
    struct change_seen early = {0}, late = {0};
    struct change changes[MOST];
    bool all;
    since(&early, changes, MOST, &all);
    change_log_removed(&logged, "00000000000000aa");
    assert_int_equal(since(&early, changes, MOST, &all), 1);
    assert_null(changes[0].row);
    assert_string_equal(changes[0].id, "00000000000000aa");
    assert_int_equal(since(&late, changes, MOST, &all), MOST);
    assert_int_equal(since(&late, changes, MOST, &all), 0);
}

static void test_a_full_list_keeps_the_earliest_ones(void **state) {
    (void)state;
    struct change_seen seen = {0};
    struct change changes[1];
    bool all;
    for (int i = MOST; i--;) change(i);  // the last row is the earliest now
    for (int i = MOST; i--;) {
        assert_int_equal(since(&seen, changes, 1, &all), 1);
        assert_int_equal(((const struct row *)changes[0].row)->number, i);
    }
    assert_int_equal(since(&seen, changes, 0, &all), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_changes_come_longest_ago_first_and_in_pieces, set_up),
        cmocka_unit_test_setup(test_what_went_is_told_by_name_and_only_to_who_knew_it, set_up),
        cmocka_unit_test_setup(test_a_full_list_keeps_the_earliest_ones, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
