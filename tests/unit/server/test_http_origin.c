// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/http_origin.h"

static struct config config;

static bool writes(const char *address, const char *host, const char *origin) {
    const struct http_sender sender = {.address = address, .host = host, .origin = origin};
    struct failure failure = {0};
    int status = http_origin_may_write(&config, &sender, &failure);
    assert_true(status == VIRGA_OK || (status == VIRGA_INVALID && failure.message[0]));
    return status == VIRGA_OK;
}

static bool reads(const char *host, const char *origin) {
    const struct http_sender sender = {.address = "10.0.0.1", .host = host, .origin = origin};
    return http_origin_may_read(&config, &sender);
}

static int set_up(void **state) {
    (void)state;
    config_defaults(&config);
    return config_set(&config, "allow-origin", "https://weather.example.org http://hub.example.org:8000", NULL);
}

static int tear_down(void **state) {
    (void)state;
    config_destroy(&config);
    return 0;
}

static void test_the_page_on_this_machine_may_write(void **state) {
    (void)state;
    assert_true(writes("127.0.0.1", "127.0.0.1:8080", "http://127.0.0.1:8080"));
    assert_true(writes("127.0.0.1", "localhost:8080", "http://localhost:8080"));
    assert_true(writes("127.8.9.1", "LOCALHOST", "http://localhost"));
    assert_true(writes("::1", "[::1]:8080", "http://[::1]:8080"));
    assert_true(writes("::ffff:127.0.0.1", "localhost:8080", "http://localhost:8080"));
}

static void test_through_a_proxy_only_what_the_configuration_names_may(void **state) {
    (void)state;
    struct http_sender sender = {.address = "127.0.0.1", .host = "127.0.0.1:8080", .origin = "http://127.0.0.1:8080", .proxied = true};
    assert_int_equal(VIRGA_INVALID, http_origin_may_write(&config, &sender, NULL));
    sender.origin = "https://weather.example.org";
    assert_int_equal(VIRGA_OK, http_origin_may_write(&config, &sender, NULL));
}

static bool local(const char *address, const char *host, const char *origin) {
    const struct http_sender sender = {.address = address, .host = host, .origin = origin};
    return http_origin_is_local(&config, &sender);
}

static void test_what_changes_nothing_needs_no_origin(void **state) {
    (void)state;
    assert_true(local("127.0.0.1", "localhost:8080", NULL));
    assert_true(local("::1", "[::1]:8080", "http://[::1]:8080"));
    assert_true(local("127.0.0.1", "weather.example.org", NULL));
    assert_false(local("127.0.0.1", "localhost:8080", "http://evil.example.org"));
    assert_false(local("127.0.0.1", "localhost:8080", ""));
    assert_false(local("127.0.0.1", "evil.example.org", NULL));
    assert_false(local("127.0.0.1", NULL, NULL));
    assert_false(local("10.0.0.1", "localhost:8080", NULL));
}

static void test_other_machines_may_not(void **state) {
    (void)state;
    static const char *const addresses[] = {"10.0.0.1", "128.0.0.1", "::ffff:10.0.0.1", "fe80::1", "::", "", "unknown", "127.0.0.1.example.org"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) assert_false(writes(addresses[i], "localhost:8080", "http://localhost:8080"));
}

static void test_pages_of_other_origins_may_not(void **state) {
    (void)state;
    assert_false(writes("127.0.0.1", "localhost:8080", "http://localhost:8081"));
    assert_false(writes("127.0.0.1", "localhost:8080", "http://localhost"));
    assert_false(writes("127.0.0.1", "localhost:8080", "https://localhost:8080"));
    assert_false(writes("127.0.0.1", "localhost:8080", "http://evil.example.org"));
    assert_false(writes("127.0.0.1", "localhost:8080", "null"));
    assert_false(writes("127.0.0.1", "localhost:8080", "localhost:8080"));
    assert_false(writes("127.0.0.1", "localhost:8080", "http://localhost:8080.evil.example.org"));
    assert_false(writes("127.0.0.1", "localhost:8080", "https://weather.example.org.evil.org"));
    assert_false(writes("127.0.0.1", "localhost:8080", ""));
    assert_false(writes("127.0.0.1", "localhost:8080", NULL));
}

// A name of the attacker's own that resolves to 127.0.0.1 makes its page the same origin.
static void test_foreign_names_for_this_machine_may_not(void **state) {
    (void)state;
    static const char *const hosts[] = {"evil.example.org:8080", "localhost.evil.org", "127.0.0.1.evil.org", "[::1].evil.org", "[::1", "localhost:8080:8080", "localhost:x", "0.0.0.0:8080", ""};
    char origin[100];
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        snprintf(origin, sizeof origin, "http://%s", hosts[i]);
        assert_false(writes("127.0.0.1", hosts[i], origin));
    }
    assert_false(writes("127.0.0.1", NULL, "http://localhost:8080"));
}

static void test_origins_of_the_configuration_may(void **state) {
    (void)state;
    assert_true(writes("127.0.0.1", "127.0.0.1:8080", "https://weather.example.org"));  // a proxy that names itself
    assert_true(writes("127.0.0.1", "weather.example.org", "https://weather.example.org"));
    assert_true(writes("::1", "hub.example.org:8000", "http://hub.example.org:8000"));
    assert_false(writes("10.0.0.1", "weather.example.org", "https://weather.example.org"));
    assert_false(writes("127.0.0.1", "other.example.org", "https://weather.example.org"));
}

static void test_reading_asks_for_less(void **state) {
    (void)state;
    assert_true(reads("server:8080", NULL));
    assert_true(reads("server:8080", "http://server:8080"));
    assert_true(reads("server:8080", "https://SERVER:8080"));
    assert_true(reads("server:8080", "https://weather.example.org"));
    assert_false(reads("server:8080", "http://other:8080"));
    assert_false(reads(NULL, "http://other:8080"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_page_on_this_machine_may_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_through_a_proxy_only_what_the_configuration_names_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_changes_nothing_needs_no_origin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_machines_may_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pages_of_other_origins_may_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_names_for_this_machine_may_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_origins_of_the_configuration_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reading_asks_for_less, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
