// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>

#include "server/space_table.h"

static int space;

static void a_user_has_at_most_one_space_and_nobody_none(void **state) {
    (void)state;
    struct space_table table;
    space_table_init(&table, 4, 4, 10);
    assert_null(space_table_find(&table, 7));
    assert_null(space_table_add(&table, 0, 0, &space, 0));
    struct space_lease *lease = space_table_add(&table, 7, 0, &space, 0);
    assert_non_null(lease);
    assert_ptr_equal(lease->space, &space);
    assert_ptr_equal(space_table_find(&table, 7), lease);
    assert_null(space_table_find(&table, 8));
    assert_null(space_table_find(&table, 0));
    space_lease_end(lease);
    assert_null(space_table_find(&table, 7));
    assert_int_equal(space_table_count(&table), 0);
}

static void their_number_is_bounded(void **state) {
    (void)state;
    struct space_table table;
    space_table_init(&table, 2, 4, 10);
    assert_non_null(space_table_add(&table, 1, 0, &space, 0));
    assert_non_null(space_table_add(&table, 2, 0, &space, 0));
    assert_null(space_table_add(&table, 3, 0, &space, 0));
    space_lease_end(space_table_find(&table, 1));
    assert_non_null(space_table_add(&table, 3, 0, &space, 0));
    space_table_init(&table, 10000, 4, 10);
    for (identity_user user = 1; user <= SPACE_TABLE_MOST; user++) assert_non_null(space_table_add(&table, user, 0, &space, 0));
    assert_null(space_table_add(&table, 9999, 0, &space, 0));
}

static void a_space_ends_some_time_after_its_last_use(void **state) {
    (void)state;
    struct space_table table;
    space_table_init(&table, 4, 4, 10);
    struct space_lease *lease = space_table_add(&table, 1, 0, &space, 100);
    assert_null(space_table_due(&table, 110));
    assert_ptr_equal(space_table_due(&table, 110.5), lease);
    space_lease_use(lease, 105);
    assert_null(space_table_due(&table, 115));
    assert_ptr_equal(space_table_due(&table, 115.5), lease);
}

static void one_place_has_few_of_them(void **state) {
    (void)state;
    struct space_table table;
    space_table_init(&table, 6, 2, 10);
    struct space_lease *lease = space_table_add(&table, 1, 77, &space, 100);
    assert_int_equal(lease->place, 77);
    assert_int_equal(space_table_room(&table, 77), SPACE_ROOM);
    assert_non_null(space_table_add(&table, 2, 77, &space, 105));
    assert_int_equal(space_table_room(&table, 77), SPACE_PLACE_FULL);
    assert_null(space_table_add(&table, 3, 77, &space, 105));
    assert_int_equal(space_table_room(&table, 78), SPACE_ROOM);
    assert_non_null(space_table_add(&table, 3, 78, &space, 105));
    assert_ptr_equal(space_table_due(&table, 111), lease);  // one that is over makes room
    space_lease_end(lease);
    assert_non_null(space_table_add(&table, 4, 77, &space, 111));
    for (identity_user user = 5; user <= 7; user++) assert_non_null(space_table_add(&table, user, 0, &space, 111));  // those of nowhere do not count
    assert_int_equal(space_table_room(&table, 0), SPACE_TABLE_FULL);
    assert_int_equal(space_table_room(&table, 79), SPACE_TABLE_FULL);
    assert_int_equal(space_table_room(&table, 77), SPACE_PLACE_FULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_has_at_most_one_space_and_nobody_none),
        cmocka_unit_test(their_number_is_bounded),
        cmocka_unit_test(one_place_has_few_of_them),
        cmocka_unit_test(a_space_ends_some_time_after_its_last_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
