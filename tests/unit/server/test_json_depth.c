// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/json_depth.h"

static bool deeper(const char *json, int most) { return json_depth_exceeds(json, strlen(json), most); }

static void test_arrays_and_objects_count(void **state) {
    (void)state;
    assert_false(deeper("", 0));
    assert_false(deeper("5", 0));
    assert_true(deeper("[]", 0));
    assert_false(deeper("{\"a\": [{}]}", 3));
    assert_true(deeper("{\"a\": [{}]}", 2));
    assert_false(deeper("[[], [], {}, {}]", 2));  // beside, not within, each other
}

static void test_what_stands_in_strings_does_not(void **state) {
    (void)state;
    assert_false(deeper("[\"[[[{{{\"]", 1));
    assert_false(deeper("[\"\\\"[[\", \"\\\\\", 1]", 1));
    assert_true(deeper("[\"\\\\\", []]", 1));  // an escaped backslash escapes no quote
    assert_false(deeper("\"\\", 0));           // it ends within an escape
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays_and_objects_count),
        cmocka_unit_test(test_what_stands_in_strings_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
