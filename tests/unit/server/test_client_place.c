// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>

#include "server/client_place.h"

static void on_this_machine_clients_cannot_be_told_apart(void **state) {
    (void)state;
    static const char *const own[] = {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"}, *const others[] = {"192.0.2.1", "2001:db8::1", "", "nonsense"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        assert_true(client_place_is_loopback(own[i]));
        assert_int_equal(client_place_of(own[i]), 0);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(client_place_is_loopback(others[i]));
        assert_int_not_equal(client_place_of(others[i]), 0);
    }
}

static void addresses_that_one_client_may_have_are_one_place(void **state) {
    (void)state;
    assert_int_equal(client_place_of("192.0.2.1"), client_place_of("192.0.2.1"));
    assert_int_equal(client_place_of("192.0.2.1"), client_place_of("::ffff:192.0.2.1"));
    assert_int_not_equal(client_place_of("192.0.2.1"), client_place_of("192.0.2.2"));
    assert_int_equal(client_place_of("2001:db8:0:1::1"), client_place_of("2001:db8:0:1:ffff:ffff:ffff:ffff"));
    assert_int_not_equal(client_place_of("2001:db8:0:1::1"), client_place_of("2001:db8:0:2::1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_this_machine_clients_cannot_be_told_apart),
        cmocka_unit_test(addresses_that_one_client_may_have_are_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
