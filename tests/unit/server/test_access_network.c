// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/access_network.h"

static bool lies_in(const char *network, const char *address) {
    struct access_network n;
    assert_true(access_network_parse(network, &n));
    return access_network_has(&n, 1, address);
}

static void test_addresses_lie_in_networks(void **state) {
    (void)state;
    assert_true(lies_in("192.0.2.7", "192.0.2.7"));
    assert_true(lies_in("192.0.2.7", "::ffff:192.0.2.7"));
    assert_true(lies_in("::ffff:192.0.2.7", "192.0.2.7"));
    assert_false(lies_in("192.0.2.7", "192.0.2.6"));
    assert_true(lies_in("192.0.2.0/24", "192.0.2.255"));
    assert_false(lies_in("192.0.2.0/24", "192.0.3.0"));
    assert_true(lies_in("10.128.0.0/9", "10.255.1.1"));
    assert_false(lies_in("10.128.0.0/9", "10.127.255.255"));
    assert_true(lies_in("0.0.0.0/0", "203.0.113.9"));
    assert_false(lies_in("0.0.0.0/0", "2001:db8::1"));
    assert_true(lies_in("2001:db8::/32", "2001:db8:ffff::1"));
    assert_false(lies_in("2001:db8::/32", "2001:db9::1"));
    assert_true(lies_in("::/0", "192.0.2.1"));
}

static void test_what_is_no_address_lies_nowhere(void **state) {
    (void)state;
    static const char *const addresses[] = {"", "unknown", "192.0.2", "192.0.2.7.example.org", "192.0.2.7 ", "fe80::1%eth0"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) assert_false(lies_in("::/0", addresses[i]));
}

static void test_texts_that_are_no_networks(void **state) {
    (void)state;
    static const char *const bad[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/0008", "10.0.0.1/8", "2001:db8::/129", "2001:db8::1/32", "localhost",
                                      "10.0.0/8", "10.0.0.0/8/8", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff"};
    struct access_network network;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(access_network_parse(bad[i], &network));
}

static const char *client(const char *peer, const char *forwarded) {
    static char out[ACCESS_ADDRESS];
    struct access_network proxies[2];
    assert_true(access_network_parse("127.0.0.1", &proxies[0]) && access_network_parse("10.1.0.0/16", &proxies[1]));
    access_network_client(proxies, 2, peer, forwarded, out);
    return out;
}

static void test_a_proxy_says_where_the_client_is(void **state) {
    (void)state;
    assert_string_equal("203.0.113.9", client("127.0.0.1", "203.0.113.9"));
    assert_string_equal("203.0.113.9", client("127.0.0.1", "203.0.113.9:4711"));
    assert_string_equal("2001:db8::1", client("10.1.2.3", "2001:db8::1"));
    assert_string_equal("2001:db8::1", client("10.1.2.3", "[2001:db8::1]:4711"));
    assert_string_equal("203.0.113.9", client("127.0.0.1", "203.0.113.9, 10.1.9.9"));
    assert_string_equal("203.0.113.9", client("127.0.0.1", " 203.0.113.9\t,10.1.9.9 "));
    assert_string_equal("127.0.0.1", client("127.0.0.1", NULL));
}

static void test_what_a_client_makes_up_counts_for_nothing(void **state) {
    (void)state;
    assert_string_equal("198.51.100.1", client("198.51.100.1", "203.0.113.9"));          // no proxy of ours
    assert_string_equal("203.0.113.9", client("127.0.0.1", "127.0.0.1, 203.0.113.9"));   // sent along by the client
    assert_string_equal("203.0.113.9", client("127.0.0.1", "10.1.1.1, 1.2.3.4, 203.0.113.9, 10.1.0.1"));
    assert_string_equal("127.0.0.1", client("127.0.0.1", "203.0.113.9, nonsense"));
    assert_string_equal("10.1.0.1", client("127.0.0.1", "nonsense, 10.1.0.1"));
    assert_string_equal("127.0.0.1", client("127.0.0.1", ""));
    assert_string_equal("127.0.0.1", client("127.0.0.1", ",,,"));
    assert_string_equal("127.0.0.1", client("127.0.0.1", "[203.0.113.9"));
    char longest[300];
    memset(longest, '1', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal("127.0.0.1", client("127.0.0.1", longest));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_lie_in_networks),
        cmocka_unit_test(test_what_is_no_address_lies_nowhere),
        cmocka_unit_test(test_texts_that_are_no_networks),
        cmocka_unit_test(test_a_proxy_says_where_the_client_is),
        cmocka_unit_test(test_what_a_client_makes_up_counts_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
