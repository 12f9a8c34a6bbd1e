// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/config.h"
#include "server/web_server.h"

static struct config config;

static int set_up(void **state) {
    (void)state;
    config_defaults(&config);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    config_destroy(&config);
    return 0;
}

static void set(const char *key, const char *value) {
    struct failure failure = {0};
    if (config_set(&config, key, value, &failure)) fail_msg("%s", failure.message);
}

static bool refuses(const char *key, const char *value) { return config_set(&config, key, value, NULL) == VIRGA_INVALID; }

static void by_default_nobody_signs_in_and_all_look(void **state) {
    (void)state;
    assert_false(config_has_auth(&config));
    assert_true(config.anonymous_views && !config.open_to_all && !config.auth_proxy_count && !config.auth_admin_count);
    assert_int_equal(ACCESS_FORECASTER, config.auth_role);
    assert_string_equal("x-forwarded-user", config.auth_header);
    assert_int_equal(VIRGA_OK, config_check_access(&config, NULL));
}

static void ways_to_sign_in_are_a_list(void **state) {
    (void)state;
    set("auth", "token, jupyterhub");
    assert_true(config.auth_token && config.auth_hub_is_asked && !config.auth_proxy);
    set("auth", "proxy");
    assert_true(config.auth_token && config.auth_proxy);
    set("auth", "none");
    assert_false(config_has_auth(&config));
    static const char *const bad[] = {"", " ", "Token", "none token", "token none", "password", "tokens", "jupyterhub-and-something-that-is-longer-than-any"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_true(refuses("auth", bad[i]));
}

static void what_nobody_could_mean_is_refused(void **state) {
    (void)state;
    static const struct { const char *key, *value; } bad[] = {
        {"anonymous", "yes"}, {"auth-proxies", "localhost"}, {"auth-proxies", "10.0.0.1/8"}, {"auth-header", "Cookie"}, {"auth-header", "authorization"}, {"auth-header", "X User"},
        {"auth-header", "X-User:"}, {"auth-header", "a\r\nb"}, {"auth-role", "nobody"}, {"auth-role", "root"}, {"auth-admins", "local"}, {"auth-hub", "hub.example.org"},
        {"auth-hub", "ftp://hub.example.org"}, {"auth-hub", "dap2://hub.example.org"}, {"auth-hub", "https://user:word@hub.example.org"}, {"auth-hub", "https://hub.example.org/?x=1"},
        {"auth-hub", "https://hub.example.org/\r\nX: y"}, {"auth-hub-service", "a b"}, {"auth-hub-service", ""}, {"auth-hub-callback", "weather.example.org"},
        {"auth-hub-callback", "https://weather.example.org/\r\nX: y"}, {"open-to-all", "true"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!refuses(bad[i].key, bad[i].value)) fail_msg("%s = %s", bad[i].key, bad[i].value);
}

static void what_is_right_is_taken(void **state) {
    (void)state;
    set("auth-proxies", "127.0.0.1, 10.1.0.0/16 2001:db8::/32");
    assert_int_equal(3, config.auth_proxy_count);
    set("auth-header", "X-Remote-User");
    assert_string_equal("x-remote-user", config.auth_header);
    set("auth-admins", "ada,bob");
    assert_string_equal("bob", config.auth_admins[1]);
    set("auth-hub", "https://hub.example.org/jupyter//");
    assert_string_equal("https://hub.example.org/jupyter", config.auth_hub);
    set("auth-hub-callback", "/services/virga/oauth_callback");
    set("auth-hub-callback", "https://weather.example.org/oauth_callback");
}

static void each_way_needs_what_it_needs(void **state) {
    (void)state;
    set("anonymous", "none");
    assert_int_equal(VIRGA_INVALID, config_check_access(&config, NULL));
    set("auth", "token");
    assert_int_equal(VIRGA_OK, config_check_access(&config, NULL));
    set("auth", "proxy");
    assert_int_equal(VIRGA_INVALID, config_check_access(&config, NULL));
    set("auth-proxies", "::1");
    assert_int_equal(VIRGA_OK, config_check_access(&config, NULL));
    set("auth", "jupyterhub");
    assert_int_equal(VIRGA_INVALID, config_check_access(&config, NULL));
    set("auth-hub", "http://127.0.0.1:8000");
    assert_int_equal(VIRGA_OK, config_check_access(&config, NULL));
}

static int listens_on(const char *address) {
    set("listen", address);
    return web_server_check(&config, NULL);
}

static void beyond_this_machine_somebody_signs_in_or_it_was_said_that_nobody_need(void **state) {
    (void)state;
    static const char *const own[] = {"127.0.0.1:0", "127.9.9.9:0", "[::1]:0", "localhost:0"}, *const others[] = {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0", "[2001:db8::1]:0"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) assert_int_equal(VIRGA_OK, listens_on(own[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_int_equal(VIRGA_INVALID, listens_on(others[i]));
    set("open-to-all", "yes");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_int_equal(VIRGA_OK, listens_on(others[i]));
    set("open-to-all", "no");
    set("auth", "token");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_int_equal(VIRGA_OK, listens_on(others[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_default_nobody_signs_in_and_all_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ways_to_sign_in_are_a_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_could_mean_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_right_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_way_needs_what_it_needs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(beyond_this_machine_somebody_signs_in_or_it_was_said_that_nobody_need, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
