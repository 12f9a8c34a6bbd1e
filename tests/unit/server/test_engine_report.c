// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine_report.h"

static const struct engine_report_access access_of_all = {.may = true};

static bool is_null(const char *text, const char *key) {
    json_t *state = engine_report_json(text, &access_of_all);
    assert_non_null(state);
    bool null = json_is_null(json_object_get(state, key));
    json_decref(state);
    return null;
}

static void what_is_known_is_told(void **state) {
    (void)state;
    json_t *told = engine_report_json("{\"cluster\": \"local\", \"state\": \"running\", \"workers\": 2, \"wanted\": [0, 4], \"threads\": 4, \"memory\": 123456789012, "
                                      "\"memory_limit\": 2e12, \"tasks\": 7, \"dashboard\": \"http://127.0.0.1:8787/status\", \"message\": \"all is well\", "
                                      "\"started_seconds\": 7.25}", &(struct engine_report_access){.for_each = true, .own = true});
    char *text = json_dumps(told, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"cluster\":\"local\",\"clusters\":\"user\",\"dashboard\":\"http://127.0.0.1:8787/status\",\"may\":false,\"memory\":123456789012,"
                              "\"memory_limit\":2000000000000,\"message\":\"all is well\",\"own\":true,\"started_seconds\":7.25,\"state\":\"running\",\"tasks\":7,"
                              "\"threads\":4,\"wanted\":[0,4],\"workers\":2}");
    free(text);
    json_decref(told);
}

static void nonsense_becomes_none(void **state) {
    (void)state;
    static const char *const bad[] = {NULL, "", "null", "[]", "{", "{\"cluster\": 5, \"state\": []}", "{\"cluster\": \"mine\", \"state\": \"odd\"}", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *told = engine_report_json(bad[i], &access_of_all);
        assert_string_equal(json_string_value(json_object_get(told, "cluster")), "none");
        assert_string_equal(json_string_value(json_object_get(told, "state")), "none");
        assert_true(json_is_null(json_object_get(told, "workers")));
        json_decref(told);
    }
}

static void a_dashboard_is_a_web_address_or_nothing(void **state) {
    (void)state;
    static const char *const bad[] = {"javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd", "//host/", "", "http://a b/", "http://a/\\\"x",
                                      "http://a/<x>", "https://a/\\u0001"};
    char text[300];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"dashboard\": \"%s\"}", bad[i]);
        assert_true(is_null(text, "dashboard"));
    }
    assert_false(is_null("{\"dashboard\": \"https://hub.example.org/proxy/8787/status?x=1#y\"}", "dashboard"));
    char *longest = malloc(4000);
    memset(longest, 'a', 4000);
    memcpy(longest, "{\"dashboard\": \"http://", 22);
    strcpy(longest + 3990, "\"}");
    assert_true(is_null(longest, "dashboard"));
    free(longest);
}

static void numbers_are_numbers_and_not_absurd(void **state) {
    (void)state;
    static const char *const bad[] = {"-1", "1e300", "\"5\"", "[1]", "true", "null"};
    char text[100];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"workers\": %s}", bad[i]);
        assert_true(is_null(text, "workers"));
    }
    assert_true(is_null("{\"wanted\": [1]}", "wanted"));
    assert_true(is_null("{\"wanted\": {}}", "wanted"));
}

static void messages_are_short_and_clean(void **state) {
    (void)state;
    char text[2000] = "{\"message\": \"\\u001b[31m\\n";
    size_t at = strlen(text);
    memset(text + at, 'x', 1000);
    strcpy(text + at + 1000, "\"}");
    json_t *told = engine_report_json(text, &access_of_all);
    const char *message = json_string_value(json_object_get(told, "message"));
    assert_non_null(message);
    assert_true(strlen(message) <= 300);
    for (const char *c = message; *c; c++) assert_true((unsigned char)*c >= ' ');
    json_decref(told);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_told),
        cmocka_unit_test(nonsense_becomes_none),
        cmocka_unit_test(a_dashboard_is_a_web_address_or_nothing),
        cmocka_unit_test(numbers_are_numbers_and_not_absurd),
        cmocka_unit_test(messages_are_short_and_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
