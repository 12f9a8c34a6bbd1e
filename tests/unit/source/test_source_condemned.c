// SPDX-License-Identifier: Apache-2.0
// What is remembered of files that harm readers, with the clock passed in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <string.h>

#include "source/source_condemned.h"

static const struct source_identity file = {1, 2, 3, 4}, other = {1, 2, 3, 5};

static struct source_identity numbered(uint64_t i) { return (struct source_identity){9, i, 9, 9}; }

static bool strike(struct source_condemned *table, bool reading, enum source_end end, double now) {
    return source_condemned_strike(table, &file, reading, end, VIRGA_GONE, "the words", now);
}

static bool found(struct source_condemned *table, const struct source_identity *identity, bool reading, double now) {
    struct failure failure;
    bool yes = source_condemned_find(table, identity, reading, now, &failure);
    if (yes && identity == &file) assert_memory_equal("the words", failure.message, 9);
    return yes;
}

static void listing_condemns_at_once(void **state) {
    (void)state;
    struct source_condemned *table = source_condemned_new();
    assert_false(found(table, &file, false, 0));
    assert_true(strike(table, false, SOURCE_END_OFFENCE, 0));
    assert_false(strike(table, false, SOURCE_END_OFFENCE, 0));  // it is already
    assert_true(found(table, &file, false, 1e9) && found(table, &file, true, 1e9));
    assert_false(found(table, &other, false, 1));
    source_condemned_clear(table, &file, false);
    assert_true(found(table, &file, false, 1));
    assert_int_equal(1, source_condemned_count(table));
    source_condemned_free(table);
}

static void reading_condemns_at_the_second_time(void **state) {
    (void)state;
    struct source_condemned *table = source_condemned_new();
    assert_false(strike(table, true, SOURCE_END_OFFENCE, 0));
    source_condemned_clear(table, &file, true);  // other parts may well be good: the crash stays one
    assert_false(found(table, &file, true, 0));
    assert_true(strike(table, true, SOURCE_END_OFFENCE, 0));
    assert_true(found(table, &file, true, 1e9));
    assert_false(found(table, &file, false, 1));  // it may be listed
    source_condemned_free(table);
}

static void what_may_be_chance_must_come_in_a_row_and_lapses(void **state) {
    (void)state;
    static const enum source_end ends[] = {SOURCE_END_LATE, SOURCE_END_KILLED};
    for (int e = 0; e < 2; e++) {
        struct source_condemned *table = source_condemned_new();
        assert_false(strike(table, true, ends[e], 0));
        source_condemned_clear(table, &file, true);
        assert_false(strike(table, true, ends[e], 1));
        assert_true(strike(table, true, ends[e], 2));
        assert_true(found(table, &file, true, 601));
        assert_false(found(table, &file, true, 603));  // one more try
        assert_true(strike(table, true, ends[e], 603));
        assert_true(found(table, &file, true, 1202));
        source_condemned_free(table);
    }
    struct source_condemned *table = source_condemned_new();
    assert_false(strike(table, false, SOURCE_END_KILLED, 0));
    assert_true(strike(table, false, SOURCE_END_KILLED, 0));
    source_condemned_free(table);
    table = source_condemned_new();
    assert_true(strike(table, false, SOURCE_END_LATE, 0));
    source_condemned_free(table);
}

static void memory_is_bounded(void **state) {
    (void)state;
    struct source_condemned *table = source_condemned_new();
    struct failure failure;
    strike(table, false, SOURCE_END_OFFENCE, 0);
    for (uint64_t i = 0; i < 3 * SOURCE_CONDEMNED_MOST; i++) {
        struct source_identity one = numbered(i);
        source_condemned_strike(table, &one, false, SOURCE_END_OFFENCE, VIRGA_GONE, "x", 0);
        assert_true(found(table, &file, false, 0));  // what is asked for is kept
    }
    struct source_identity oldest = numbered(0), newest = numbered(3 * SOURCE_CONDEMNED_MOST - 1);
    assert_false(found(table, &oldest, false, 0));
    assert_true(found(table, &newest, false, 0));
    for (uint64_t i = 0; i < 3 * SOURCE_FAILED_SLABS_MOST; i++)
        source_condemned_fail_slab(table, i + 1, &(struct failure){VIRGA_UNREADABLE, "x"}, 0);
    assert_false(source_condemned_slab_failed(table, 1, 0, &failure));
    assert_true(source_condemned_slab_failed(table, 3 * SOURCE_FAILED_SLABS_MOST, 59, &failure));
    assert_false(source_condemned_slab_failed(table, 3 * SOURCE_FAILED_SLABS_MOST, 61, &failure));
    source_condemned_free(table);
}

static void what_lasts_comes_back(void **state) {
    (void)state;
    struct source_condemned *table = source_condemned_new();
    struct source_condemnation list[8];
    strike(table, false, SOURCE_END_OFFENCE, 0);
    source_condemned_strike(table, &other, false, SOURCE_END_LATE, VIRGA_TIMED_OUT, "late", 0);
    strike(table, true, SOURCE_END_OFFENCE, 0);
    assert_int_equal(1, source_condemned_save(table, list, 8));
    assert_int_equal(0, source_condemned_save(table, list, 0));
    source_condemned_free(table);
    table = source_condemned_new();
    source_condemned_load(table, list, 1);
    assert_true(found(table, &file, false, 0));
    assert_int_equal(0, source_condemned_count(table));
    source_condemned_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listing_condemns_at_once),
        cmocka_unit_test(reading_condemns_at_the_second_time),
        cmocka_unit_test(what_may_be_chance_must_come_in_a_row_and_lapses),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(what_lasts_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
