// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/rate_limit.h"

static struct rate_limit limit;

static int set_up(void **state) {
    (void)state;
    rate_limit_init(&limit, 3, 0.5);
    return 0;
}

static void test_a_burst_then_an_average(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) assert_true(rate_limit_take(&limit, "192.0.2.1", 10));
    assert_false(rate_limit_take(&limit, "192.0.2.1", 10));
    assert_false(rate_limit_take(&limit, "192.0.2.1", 11.9));
    assert_true(rate_limit_take(&limit, "192.0.2.1", 12));
    assert_false(rate_limit_take(&limit, "192.0.2.1", 12));
    for (int i = 0; i < 3; i++) assert_true(rate_limit_take(&limit, "192.0.2.1", 1000));  // no more is saved up
    assert_false(rate_limit_take(&limit, "192.0.2.1", 1000));
}

static void test_others_are_not_counted_with_it(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) rate_limit_take(&limit, "192.0.2.1", 10);
    assert_false(rate_limit_has(&limit, "192.0.2.1", 10));
    assert_true(rate_limit_has(&limit, "192.0.2.2", 10));
    assert_true(rate_limit_take(&limit, "192.0.2.2", 10));
}

static void test_a_network_of_ipv6_is_one_client(void **state) {
    (void)state;
    char address[64];
    int taken = 0;
    for (int i = 0; i < 50; i++) {
        snprintf(address, sizeof address, "2001:db8:1:2::%x", i);
        taken += rate_limit_take(&limit, address, 10);
    }
    assert_int_equal(3, taken);
    assert_true(rate_limit_take(&limit, "2001:db8:1:3::1", 10));
    for (int i = 0; i < 4; i++) rate_limit_take(&limit, "192.0.2.1", 10);
    assert_false(rate_limit_has(&limit, "::ffff:192.0.2.1", 10));
}

static void test_the_one_longest_quiet_makes_room(void **state) {
    (void)state;
    char address[64];
    for (int i = 0; i < 4; i++) rate_limit_take(&limit, "192.0.2.1", 1);
    for (int i = 0; i < RATE_LIMIT_ADDRESSES - 1; i++) {
        snprintf(address, sizeof address, "198.51.%d.%d", i / 200, i % 200);
        assert_true(rate_limit_take(&limit, address, 1.5));
    }
    assert_false(rate_limit_has(&limit, "192.0.2.1", 1.5));  // as many as fit
    assert_true(rate_limit_take(&limit, "203.0.113.1", 1.5));
    assert_true(rate_limit_has(&limit, "192.0.2.1", 1.5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_burst_then_an_average, set_up),
        cmocka_unit_test_setup(test_others_are_not_counted_with_it, set_up),
        cmocka_unit_test_setup(test_a_network_of_ipv6_is_one_client, set_up),
        cmocka_unit_test_setup(test_the_one_longest_quiet_makes_room, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
