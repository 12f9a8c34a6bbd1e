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
    space_table_init(&table, 4, 10);
    assert_null(space_table_find(&table, 7));
    assert_null(space_table_add(&table, 0, &space, 0));
    struct space_lease *lease = space_table_add(&table, 7, &space, 0);
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
    space_table_init(&table, 2, 10);
    assert_non_null(space_table_add(&table, 1, &space, 0));
    assert_non_null(space_table_add(&table, 2, &space, 0));
    assert_null(space_table_add(&table, 3, &space, 0));
    space_lease_end(space_table_find(&table, 1));
    assert_non_null(space_table_add(&table, 3, &space, 0));
    space_table_init(&table, 10000, 10);
    for (identity_user user = 1; user <= SPACE_TABLE_MOST; user++) assert_non_null(space_table_add(&table, user, &space, 0));
    assert_null(space_table_add(&table, 9999, &space, 0));
}

static void a_space_ends_some_time_after_its_last_use(void **state) {
    (void)state;
    struct space_table table;
    space_table_init(&table, 4, 10);
    struct space_lease *lease = space_table_add(&table, 1, &space, 100);
    assert_null(space_table_due(&table, 110));
    assert_ptr_equal(space_table_due(&table, 110.5), lease);
    space_lease_use(lease, 105);
    assert_null(space_table_due(&table, 115));
    assert_ptr_equal(space_table_due(&table, 115.5), lease);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_has_at_most_one_space_and_nobody_none),
        cmocka_unit_test(their_number_is_bounded),
        cmocka_unit_test(a_space_ends_some_time_after_its_last_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
