// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/http_range.h"

static const char tag[] = "\"abc\"";

static void expect(const char *range, const char *if_range, uint64_t size, enum http_range_kind kind, uint64_t first, uint64_t count) {
    struct http_range out;
    enum http_range_kind found = http_range_parse(range, if_range, tag, size, &out);
    if (found != kind) print_error("\"%s\" of %llu\n", range, (unsigned long long)size);
    assert_int_equal(found, kind);
    if (kind == HTTP_RANGE_UNSATISFIABLE) return;
    assert_int_equal(out.first, first);
    assert_int_equal(out.count, count);
}

static void whole(const char *range) { expect(range, "", 1000, HTTP_RANGE_WHOLE, 0, 1000); }

static void test_one_range_gives_a_part(void **state) {
    (void)state;
    expect("bytes=0-0", "", 1000, HTTP_RANGE_PART, 0, 1);
    expect("bytes=100-199", "", 1000, HTTP_RANGE_PART, 100, 100);
    expect("bytes=999-", "", 1000, HTTP_RANGE_PART, 999, 1);
    expect("bytes=0-", "", 1000, HTTP_RANGE_PART, 0, 1000);
    expect("bytes=990-5000", "", 1000, HTTP_RANGE_PART, 990, 10);
    expect("bytes=-1", "", 1000, HTTP_RANGE_PART, 999, 1);
    expect("bytes=-5000", "", 1000, HTTP_RANGE_PART, 0, 1000);
    expect("BYTES=5-6 ", "", 1000, HTTP_RANGE_PART, 5, 2);
    expect("bytes=5000000000-5000000001", "", 6000000000, HTTP_RANGE_PART, 5000000000, 2);
    expect("bytes=10-99999999999999999999999999", "", 1000, HTTP_RANGE_PART, 10, 990);
}

static void test_what_lies_outside_cannot_be_satisfied(void **state) {
    (void)state;
    expect("bytes=1000-", "", 1000, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=1000-1001", "", 1000, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=-0", "", 1000, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=0-", "", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=-5", "", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=99999999999999999999999999-", "", 1000, HTTP_RANGE_UNSATISFIABLE, 0, 0);
}

static void test_what_is_no_single_range_gets_the_whole(void **state) {
    (void)state;
    static const char *const texts[] = {"", "bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=1-2,4-5", "bytes=5-2", "items=0-1", "bytes =0-1",
                                        "bytes=0x1-2", "bytes=+1-2", "bytes=1--2", "bytes=1-2x", "-5", "bytes"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) whole(texts[i]);
}

static void test_a_copy_that_is_not_this_one_gets_the_whole(void **state) {
    (void)state;
    expect("bytes=5-9", tag, 1000, HTTP_RANGE_PART, 5, 5);
    expect("bytes=5-9", "\"other\"", 1000, HTTP_RANGE_WHOLE, 0, 1000);
    expect("bytes=5-9", "W/\"abc\"", 1000, HTTP_RANGE_WHOLE, 0, 1000);
    expect("bytes=5-9", "Wed, 21 Oct 2015 07:28:00 GMT", 1000, HTTP_RANGE_WHOLE, 0, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_range_gives_a_part),
        cmocka_unit_test(test_what_lies_outside_cannot_be_satisfied),
        cmocka_unit_test(test_what_is_no_single_range_gets_the_whole),
        cmocka_unit_test(test_a_copy_that_is_not_this_one_gets_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
