// SPDX-License-Identifier: Apache-2.0
// What a pin holds, what a client may ask of it, and how long a deleted one is kept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/pin_request.h"

static const struct access_person owner = {.name = "ann", .role = ACCESS_FORECASTER}, other = {.name = "ben", .role = ACCESS_FORECASTER},
                                  admin = {.name = "cy", .role = ACCESS_ADMIN};
static const double day = 86400;

static struct shared_bytes *bytes_of(const char *text) {
    uint8_t *fill;
    struct shared_bytes *bytes = shared_bytes_new(strlen(text), &fill);
    memcpy(fill, text, strlen(text));
    return bytes;
}

static bool may(const struct pin *pin, const struct access_person *person) {
    json_t *root = pin_json(pin, person, true);
    bool says = json_is_true(json_object_get(root, "may"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "view"), "a")), "b");
    assert_true(json_is_null(json_object_get(root, "live")));
    assert_string_equal(json_string_value(json_object_get(root, "created")), "2001-09-09T01:46:40Z");
    json_decref(root);
    return says;
}

static void test_json_says_who_may_change_it(void **state) {
    (void)state;
    struct pin pin = {.id = "0123456789abcdef", .owner = "ann", .is = {.title = "t", .view = bytes_of("{\"a\":\"b\"}")}, .revision = 3, .created = 1e9};
    assert_true(may(&pin, &owner) && may(&pin, &admin) && !may(&pin, &other));
    json_t *brief = pin_json(&pin, &owner, false);
    assert_null(json_object_get(brief, "view"));
    json_decref(brief);
    pin_release(&pin);
    assert_null(pin.is.view);
}

static void test_one_that_is_gone_is_its_id(void **state) {
    (void)state;
    const struct pin pin = {.id = "0123456789abcdef", .deleted = 1};
    json_t *root = pin_json(&pin, &owner, false);
    assert_true(json_object_size(root) == 2 && json_is_true(json_object_get(root, "deleted")));
    json_decref(root);
}

static void test_what_is_no_json_is_null(void **state) {
    (void)state;
    struct shared_bytes *bytes = bytes_of("{\"a\":");
    json_t *value = pin_json_of(bytes);
    assert_true(json_is_null(value));
    json_decref(value);
    shared_bytes_unref(bytes);
}

static void test_differences_are_named(void **state) {
    (void)state;
    struct pin_content a = {.title = "t", .group = "g", .position = 1, .view = bytes_of("{}")}, b = a;
    char what[PIN_WHAT];
    pin_differences(&a, &b, what);
    assert_string_equal(what, "");
    b.view = bytes_of("{}");
    pin_differences(&a, &b, what);
    assert_string_equal(what, "");
    shared_bytes_unref(b.view);
    b = (struct pin_content){.title = "u", .group = "", .position = 2, .view = bytes_of("[]")};
    pin_differences(&a, &b, what);
    assert_string_equal(what, "title, group, position, view");
    shared_bytes_unref(a.view);
    shared_bytes_unref(b.view);
}

static void test_ids_are_sixteen_digits(void **state) {
    (void)state;
    assert_true(pin_id_valid("0123456789abcdef"));
    const char *const wrong[] = {"", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "../../etc/passwd", "0123456789abcde/"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(pin_id_valid(wrong[i]));
}

static void test_deleted_ones_are_kept_for_thirty_days_of_both_clocks(void **state) {
    (void)state;
    const struct pin_clock start = {.wall = 1e9, .monotonic = 100};
    struct pin_clock now = {.wall = 1e9 + 10, .monotonic = 110};
    assert_true(pin_expiry(&start, &now) <= 0);  // a clock that is wrong at the start may be put right
    now = (struct pin_clock){.wall = 1e9 + 2 * day, .monotonic = 100 + 2 * day};
    assert_true(pin_expiry(&start, &now) == 1e9 - 28 * day);
    now.wall = 2e9;  // jumped ahead
    assert_true(pin_expiry(&start, &now) == 1e9 - 28 * day);
    now.wall = 0.5e9;  // … and back
    assert_true(pin_expiry(&start, &now) == 0.5e9 - 30 * day);
}

static void test_a_revision_is_asked_for_by_its_tag(void **state) {
    (void)state;
    assert_int_equal(pin_request_match("\"17\""), 17);
    assert_int_equal(pin_request_match("  \"1\" "), 1);
    assert_int_equal(pin_request_match("*"), PIN_MATCH_ANY);
    const char *const wrong[] = {"", "17", "\"17", "W/\"17\"", "\"\"", "\"0\"", "\"-1\"", "\"+1\"", "\" 1\"", "\"1\", \"2\"", "\"99999999999999999999\"", "\"1x\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(pin_request_match(wrong[i]), PIN_MATCH_NONE);
}

#define VIEW "{\"version\":1,\"dataset\":\"d\",\"layers\":[{\"variable\":\"v\"}]}"

static int parse(const char *json, bool fresh, struct pin_edit *edit, struct failure *failure) { return pin_request_edit(json, strlen(json), fresh, edit, failure); }

static void test_a_new_pin_needs_a_title_and_a_view(void **state) {
    (void)state;
    struct pin_edit edit;
    struct failure failure;
    assert_int_equal(parse("{\"title\":\"a\\nb\",\"view\":" VIEW "}", true, &edit, &failure), VIRGA_OK);
    assert_string_equal(edit.to.title, "a b");  // one line
    assert_true(edit.to.group[0] == '\0' && edit.to.position == 0 && edit.to.view->size > 40);
    pin_edit_release(&edit);
    assert_int_equal(parse("{\"title\":\"a\"}", true, &edit, &failure), VIRGA_INVALID);
    assert_non_null(strstr(failure.message, "view"));
    assert_int_equal(parse("{\"view\":" VIEW "}", true, &edit, &failure), VIRGA_INVALID);
    assert_null(edit.to.view);
}

static void test_a_change_has_only_what_changes(void **state) {
    (void)state;
    struct pin_edit edit;
    struct failure failure;
    assert_int_equal(parse("{\"position\":-2.5}", false, &edit, &failure), VIRGA_OK);
    assert_true(edit.position && !edit.title && !edit.group && !edit.view && edit.to.position == -2.5);
    assert_int_equal(parse("{}", false, &edit, &failure), VIRGA_OK);
    assert_int_equal(parse("{\"view\":{\"version\":1}}", false, &edit, &failure), VIRGA_INVALID);
    assert_non_null(strstr(failure.message, "view"));
    assert_int_equal(parse("{\"title\":null}", false, &edit, &failure), VIRGA_INVALID);
    assert_int_equal(parse("{\"owner\":\"me\"}", false, &edit, &failure), VIRGA_INVALID);
}

static void test_a_revision_is_a_number_from_one(void **state) {
    (void)state;
    uint32_t revision;
    assert_int_equal(pin_request_revision("{\"revision\":5}", 14, &revision, NULL), VIRGA_OK);
    assert_int_equal(revision, 5);
    const char *const wrong[] = {"{}", "{\"revision\":0}", "{\"revision\":-1}", "{\"revision\":\"5\"}", "{\"revision\":1.5}", "{\"revision\":99999999999}", "5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(pin_request_revision(wrong[i], strlen(wrong[i]), &revision, NULL), VIRGA_INVALID);
    assert_int_equal(pin_request_empty("", 0, NULL), VIRGA_OK);
    assert_int_equal(pin_request_empty("{}", 2, NULL), VIRGA_OK);
    assert_int_equal(pin_request_empty("{\"a\":1}", 7, NULL), VIRGA_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_says_who_may_change_it), cmocka_unit_test(test_one_that_is_gone_is_its_id), cmocka_unit_test(test_what_is_no_json_is_null),
        cmocka_unit_test(test_differences_are_named), cmocka_unit_test(test_ids_are_sixteen_digits),
        cmocka_unit_test(test_deleted_ones_are_kept_for_thirty_days_of_both_clocks), cmocka_unit_test(test_a_revision_is_asked_for_by_its_tag),
        cmocka_unit_test(test_a_new_pin_needs_a_title_and_a_view), cmocka_unit_test(test_a_change_has_only_what_changes),
        cmocka_unit_test(test_a_revision_is_a_number_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
