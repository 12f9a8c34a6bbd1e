// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/export_arguments.h"
#include "server/export_event.h"

static void test_events_are_read(void **state) {
    (void)state;
    struct export_event e;
    assert_true(export_event_parse("{\"event\": \"begin\", \"frames\": 360, \"done\": 12, \"size\": [1280, 720], \"out\": \"x\"}", &e));
    assert_true(e.kind == EXPORT_EVENT_BEGIN && e.frames == 360 && e.width == 1280 && e.height == 720);
    assert_true(export_event_parse("{\"event\": \"begin\", \"frames\": 1}", &e));
    assert_true(e.width == 0 && e.height == 0);
    assert_true(export_event_parse("{\"event\": \"frame\", \"frame\": 12, \"file\": \"00012.png\", \"bytes\": 1}", &e));
    assert_true(e.kind == EXPORT_EVENT_FRAME && e.number == 12);
    assert_true(export_event_parse("{\"event\": \"done\", \"frames\": 3}", &e));
    assert_int_equal(e.kind, EXPORT_EVENT_DONE);
    assert_true(export_event_parse("{\"event\": \"error\", \"message\": \"disk\\nfull\"}", &e));
    assert_int_equal(e.kind, EXPORT_EVENT_ERROR);
    assert_string_equal(e.message, "disk full");
}

static void test_other_lines_are_none(void **state) {
    (void)state;
    static const char *const lines[] = {"", "x", "[]", "{}", "5", "null", "{\"event\": 5}", "{\"event\": \"other\"}", "{\"event\": \"begin\"}",
                                        "{\"event\": \"begin\", \"frames\": 0}", "{\"event\": \"begin\", \"frames\": -1}", "{\"event\": \"begin\", \"frames\": 1e9}",
                                        "{\"event\": \"frame\"}", "{\"event\": \"frame\", \"frame\": -1}", "{\"event\": \"frame\", \"frame\": \"1\"}",
                                        "{\"event\": \"frame\", \"frame\": 99999999999}", "{\"event\": \"done\"", "[[[[[[[["};
    struct export_event e;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_false(export_event_parse(lines[i], &e));
        assert_int_equal(e.kind, EXPORT_EVENT_NONE);
    }
}

static bool has(const struct export_arguments *a, const char *text) {
    for (size_t i = 0; i < a->count; i++)
        if (!strcmp(a->list[i], text)) return true;
    return false;
}

static void test_a_childs_arguments_say_all_that_is_in_force(void **state) {
    (void)state;
    static struct config config;
    struct export_arguments a;
    config_defaults(&config);
    assert_int_equal(config_set(&config, "state", "/state", NULL), 0);
    assert_int_equal(config_set(&config, "readers", "3", NULL), 0);
    assert_int_equal(config_set(&config, "cache-memory", "256M", NULL), 0);
    assert_int_equal(config_set(&config, "paths", "--odd name.nc", NULL), 0);
    assert_int_equal(config_set(&config, "paths", "/data/*.grib", NULL), 0);
    assert_int_equal(config_set(&config, "opendap-hosts", "thredds.example.org", NULL), 0);
    assert_int_equal(export_arguments_make(&config, "/state/100%/x", "png", true, &a), VIRGA_OK);
    assert_string_equal(a.list[1], "export");
    assert_true(has(&a, "--out=/state/100%%/x/%05d.png") && has(&a, "--progress=json") && has(&a, "--background") && has(&a, "--state=/state"));
    assert_true(has(&a, "--readers=3") && has(&a, "--cache-memory=134217728") && has(&a, "--opendap-hosts=thredds.example.org"));
    // Paths come last, behind the end of options: one may begin with dashes.
    assert_string_equal(a.list[a.count - 4], "--");
    assert_string_equal(a.list[a.count - 3], "-");
    assert_string_equal(a.list[a.count - 2], "--odd name.nc");
    assert_string_equal(a.list[a.count - 1], "/data/*.grib");
    assert_null(a.list[a.count]);
    export_arguments_destroy(&a);
    assert_int_equal(export_arguments_make(&config, "/x", "jpg", false, &a), VIRGA_OK);
    assert_false(has(&a, "--background"));
    export_arguments_destroy(&a);
    config_destroy(&config);
}

static void test_what_workers_are_told_names_no_place_of_this_machine(void **state) {
    (void)state;
    static struct config config;
    struct export_arguments a;
    config_defaults(&config);
    assert_int_equal(config_set(&config, "state", "/state", NULL), 0);
    assert_int_equal(config_set(&config, "engine", "tcp://scheduler:8786", NULL), 0);
    assert_int_equal(config_set(&config, "engine-schemes", "s3", NULL), 0);
    assert_int_equal(config_set(&config, "engine-product", "t: mean", NULL), 0);
    assert_int_equal(config_set(&config, "cache-memory", "256M", NULL), 0);
    assert_int_equal(export_arguments_for_worker(&config, 0, &a), VIRGA_OK);
    assert_true(has(&a, "--threads=1") && has(&a, "--engine=none") && has(&a, "--engine-schemes=s3") && has(&a, "--engine-product=t: mean"));
    assert_true(has(&a, "--cache-memory=268435456") && !has(&a, "--background"));
    for (size_t i = 0; i < a.count; i++) assert_null(strchr(a.list[i], '/'));
    export_arguments_destroy(&a);
    // A job of the server draws here: its scheduler's workers may have no virga.
    assert_int_equal(export_arguments_make(&config, "/x", "png", false, &a), VIRGA_OK);
    assert_true(has(&a, "--engine=tcp://scheduler:8786") && has(&a, "--draw-here"));
    export_arguments_destroy(&a);
    config_destroy(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_are_read),
        cmocka_unit_test(test_other_lines_are_none),
        cmocka_unit_test(test_a_childs_arguments_say_all_that_is_in_force),
        cmocka_unit_test(test_what_workers_are_told_names_no_place_of_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
