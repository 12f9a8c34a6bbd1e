// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/access_hub.h"

static char name[ACCESS_NAME + 1];

static int read_answer(const char *json) { return access_hub_read(json, strlen(json), "virga", name, NULL); }

static void test_a_user_who_may_use_the_service_is_read(void **state) {
    (void)state;
    assert_int_equal(VIRGA_OK, read_answer("{\"kind\": \"user\", \"name\": \"ada\", \"scopes\": [\"self\", \"access:services!service=virga\"]}"));
    assert_string_equal("ada", name);
    assert_int_equal(VIRGA_OK, read_answer("{\"name\": \"bob\", \"kind\": \"user\", \"scopes\": [\"access:services\"], \"groups\": [{}]}"));
    assert_string_equal("bob", name);
}

static void test_anything_else_is_nobody(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "{", "[]", "null", "\"ada\"", "{}",
        "{\"kind\": \"user\", \"name\": \"ada\"}",
        "{\"kind\": \"user\", \"name\": \"ada\", \"scopes\": \"access:services\"}",
        "{\"kind\": \"user\", \"name\": \"ada\", \"scopes\": {\"a\": \"access:services\"}}",
        "{\"kind\": \"user\", \"name\": \"ada\", \"scopes\": [\"access:services!service=virga2\", \"access:services!service=\", \"access:servicesx\", 1, null]}",
        "{\"kind\": \"service\", \"name\": \"ada\", \"scopes\": [\"access:services\"]}",
        "{\"kind\": null, \"name\": \"ada\", \"scopes\": [\"access:services\"]}",
        "{\"kind\": \"user\", \"name\": \"\", \"scopes\": [\"access:services\"]}",
        "{\"kind\": \"user\", \"name\": [\"ada\"], \"scopes\": [\"access:services\"]}",
        "{\"kind\": \"user\", \"name\": \"local\", \"scopes\": [\"access:services\"]}",
        "{\"kind\": \"user\", \"name\": \"a\\u0000b\", \"scopes\": [\"access:services\"]}",
        "{\"kind\": \"user\", \"name\": \"a\\nb\", \"scopes\": [\"access:services\"]}",
        "{\"kind\": \"user\", \"name\": \"eve\", \"name\": \"ada\", \"scopes\": [\"access:services\"]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_answer(bad[i]) != VIRGA_INVALID) fail_msg("%s", bad[i]);
    assert_int_equal(VIRGA_INVALID, access_hub_read(NULL, 0, "virga", name, NULL));
}

static struct access_hub *new_hub(void) {
    static struct config config;
    struct access_hub *hub;
    struct failure failure = {0};
    config_defaults(&config);
    assert_int_equal(VIRGA_OK, config_set(&config, "auth-hub", "http://127.0.0.1:1", NULL));  // nobody listens there
    setenv("JUPYTERHUB_API_TOKEN", "the-service", 1);
    if (access_hub_new(&config, &hub, &failure)) fail_msg("%s", failure.message);
    config_destroy(&config);
    return hub;
}

static void test_a_hub_that_is_not_there_lets_nobody_in_and_is_asked_again(void **state) {
    (void)state;
    struct access_hub *hub = new_hub();
    struct failure failure = {0};
    uint8_t hash[SECRET_HASH];
    sha256("token", 5, hash);
    assert_int_equal(VIRGA_AGAIN, access_hub_remembered(hub, hash, 0, name));
    assert_int_equal(VIRGA_IO, access_hub_ask(hub, "token", 0, name, &failure));
    assert_null(strstr(failure.message, "token"));
    assert_int_equal(VIRGA_AGAIN, access_hub_remembered(hub, hash, 0, name));
    assert_int_equal(VIRGA_INVALID, access_hub_ask(hub, "a\r\nX: y", 0, name, NULL));  // never sent
    assert_int_equal(VIRGA_INVALID, access_hub_ask(hub, "", 0, name, NULL));
    assert_int_equal(VIRGA_INVALID, access_hub_redeem(hub, "a b", name, NULL));
    access_hub_free(hub);
    access_hub_free(NULL);
}

static void test_the_way_to_the_hub_is_escaped(void **state) {
    (void)state;
    struct access_hub *hub = new_hub();
    char address[1501];
    access_hub_address(hub, "STATE", address, sizeof address);
    assert_string_equal("http://127.0.0.1:1/hub/api/oauth2/authorize?client_id=service-virga&redirect_uri=%2Foauth_callback&response_type=code&state=STATE", address);
    access_hub_free(hub);
}

static void test_without_the_services_token_there_is_none(void **state) {
    (void)state;
    struct config config;
    struct access_hub *hub;
    config_defaults(&config);
    unsetenv("JUPYTERHUB_API_TOKEN");
    assert_int_equal(VIRGA_INVALID, access_hub_new(&config, &hub, NULL));
    assert_null(hub);
    strcpy(config.auth_hub_token_file, "/nonexistent/token");
    assert_int_equal(VIRGA_IO, access_hub_new(&config, &hub, NULL));
    config_destroy(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_user_who_may_use_the_service_is_read),
        cmocka_unit_test(test_anything_else_is_nobody),
        cmocka_unit_test(test_a_hub_that_is_not_there_lets_nobody_in_and_is_asked_again),
        cmocka_unit_test(test_the_way_to_the_hub_is_escaped),
        cmocka_unit_test(test_without_the_services_token_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
