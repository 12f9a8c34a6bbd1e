// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/config_reload.h"

struct pair {
    struct config now, next;
};

static int make(void **state) {
    struct pair *pair = malloc(sizeof *pair);
    config_defaults(&pair->now);
    config_defaults(&pair->next);
    *state = pair;
    return 0;
}

static int unmake(void **state) {
    struct pair *pair = *state;
    config_destroy(&pair->now);
    config_destroy(&pair->next);
    free(pair);
    return 0;
}

static void set(struct config *config, const char *key, const char *value) { assert_int_equal(config_set(config, key, value, NULL), VIRGA_OK); }

static void expect(const struct config *config, enum config_key key, const char *value) {
    char *text = config_value(config, key);
    assert_string_equal(text, value);
    free(text);
}

static void test_every_setting_of_two_configurations_can_be_compared(void **state) {
    struct pair *pair = *state;
    for (int k = 0; k < CONFIG_KEY_COUNT; k++) {
        char *a = config_value(&pair->now, (enum config_key)k), *b = config_value(&pair->next, (enum config_key)k);
        assert_non_null(a);
        assert_string_equal(a, b);
        free(a);
        free(b);
    }
}

static void test_a_value_is_taken_with_where_it_stands(void **state) {
    struct pair *pair = *state;
    set(&pair->next, "message-rate", "12.5");
    set(&pair->next, "export-size", "640x480");
    set(&pair->next, "export-keep", "90m");
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_MESSAGE_RATE), VIRGA_OK);
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_EXPORT_SIZE), VIRGA_OK);
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_EXPORT_KEEP), VIRGA_OK);
    assert_true(pair->now.message_rate == 12.5 && pair->now.export_keep == 5400);
    assert_int_equal(pair->now.export_size[0], 640);
    assert_string_equal(pair->now.origin[CONFIG_MESSAGE_RATE], "--message-rate");
}

static void test_a_list_is_taken_as_a_whole_and_copied(void **state) {
    struct pair *pair = *state;
    set(&pair->now, "embed-host", "https://old.example.org");
    set(&pair->next, "embed-host", "https://a.example.org http://localhost:*");
    set(&pair->now, "paths", "/old");
    set(&pair->next, "paths", "/a b");
    set(&pair->next, "paths", "/c:d");
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_EMBED_HOST), VIRGA_OK);
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_PATHS), VIRGA_OK);
    expect(&pair->now, CONFIG_EMBED_HOST, "https://a.example.org http://localhost:*");
    expect(&pair->now, CONFIG_PATHS, "/a b\n/c:d");
    assert_ptr_not_equal(pair->now.paths[0], pair->next.paths[0]);
}

static void test_a_list_can_become_empty(void **state) {
    struct pair *pair = *state;
    set(&pair->now, "allow-origin", "https://old.example.org");
    set(&pair->now, "paths", "/old");
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_ALLOW_ORIGIN), VIRGA_OK);
    assert_int_equal(config_take(&pair->now, &pair->next, CONFIG_PATHS), VIRGA_OK);
    assert_int_equal(pair->now.allow_origin_count + pair->now.path_count, 0);
}

static void test_settings_of_the_catalog_come_through_their_text(void **state) {
    static const struct { const char *name, *value; enum config_key key; } settings[] = {
        {"latest", "step", CONFIG_LATEST},          {"expected-steps", "T+48", CONFIG_EXPECTED_STEPS}, {"keep-runs", "7", CONFIG_KEEP_RUNS},
        {"keep-time", "36h", CONFIG_KEEP_TIME},     {"scan-seconds", "12", CONFIG_SCAN_SECONDS},       {"settle-seconds", "4", CONFIG_SETTLE_SECONDS},
        {"auth-admins", "ann bob", CONFIG_AUTH_ADMINS}, {"auth-proxies", "10.0.0.0/8 ::1", CONFIG_AUTH_PROXIES}, {"anonymous", "none", CONFIG_ANONYMOUS},
    };
    struct pair *pair = *state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        set(&pair->next, settings[i].name, settings[i].value);
        assert_true(config_is_live(settings[i].key));
        char *value = config_value(&pair->next, settings[i].key);
        assert_int_equal(config_take(&pair->now, &pair->next, settings[i].key), VIRGA_OK);
        expect(&pair->now, settings[i].key, value);
        free(value);
    }
    assert_true(pair->now.rules.latest_has_step && pair->now.rules.keep_runs == 7 && pair->now.rules.keep_seconds == 36 * 3600.0);
}

// Whatever a running server takes must come through its text unharmed.
static void test_what_is_live_can_be_taken(void **state) {
    struct pair *pair = *state;
    for (int k = 0; k < CONFIG_KEY_COUNT; k++) {
        if (!config_is_live((enum config_key)k)) continue;
        char *before = config_value(&pair->next, (enum config_key)k);
        assert_int_equal(config_take(&pair->now, &pair->next, (enum config_key)k), VIRGA_OK);
        expect(&pair->now, (enum config_key)k, before);
        free(before);
    }
    assert_false(config_is_live(CONFIG_LISTEN));
    assert_false(config_is_live(CONFIG_STATE));
    assert_false(config_is_live(CONFIG_CACHE_MEMORY));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_setting_of_two_configurations_can_be_compared, make, unmake),
        cmocka_unit_test_setup_teardown(test_a_value_is_taken_with_where_it_stands, make, unmake),
        cmocka_unit_test_setup_teardown(test_a_list_is_taken_as_a_whole_and_copied, make, unmake),
        cmocka_unit_test_setup_teardown(test_a_list_can_become_empty, make, unmake),
        cmocka_unit_test_setup_teardown(test_settings_of_the_catalog_come_through_their_text, make, unmake),
        cmocka_unit_test_setup_teardown(test_what_is_live_can_be_taken, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
