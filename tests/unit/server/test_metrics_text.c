// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/metrics_text.h"

static void expect(struct metrics_text *text, const char *wanted) {
    char *all = metrics_text_end(text);
    assert_string_equal(all, wanted);
    free(all);
}

static void test_numbers_stand_under_their_name(void **state) {
    (void)state;
    char label[64];
    struct metrics_text *text = metrics_text_new();
    metrics_text_family(text, "a_total", "counter", "All of a.");
    metrics_text_number(text, NULL, 9007199254740992.0);
    metrics_text_family(text, "b", "gauge", "By place.");
    metrics_text_number(text, metrics_text_label(label, sizeof label, "place", "here"), -0.5);
    metrics_text_number(text, metrics_text_label(label, sizeof label, "place", "there"), INFINITY);
    metrics_text_number(text, metrics_text_label(label, sizeof label, "place", "nowhere"), NAN);
    expect(text, "# HELP a_total All of a.\n# TYPE a_total counter\na_total 9007199254740992\n"
                 "# HELP b By place.\n# TYPE b gauge\nb{place=\"here\"} -0.5\nb{place=\"there\"} +Inf\nb{place=\"nowhere\"} NaN\n");
}

static void test_a_label_cannot_end_its_line(void **state) {
    (void)state;
    char label[64], small[12];
    assert_string_equal(metrics_text_label(label, sizeof label, "l", "a\"b\\c\nd"), "l=\"a\\\"b\\\\c\\nd\"");
    assert_string_equal(metrics_text_label(small, sizeof small, "l", "0123456789"), "l=\"01234\"");
    assert_string_equal(metrics_text_label(small, sizeof small, "l", "\"\"\"\"\"\"\"\""), "l=\"\\\"\\\"\\\"\"");
}

static void test_a_histogram_counts_upward(void **state) {
    (void)state;
    struct histogram h = {0};
    struct metrics_text *text = metrics_text_new();
    histogram_add(&h, 0.25);
    histogram_add(&h, 100);
    metrics_text_family(text, "t_seconds", "histogram", "Times.");
    metrics_text_histogram(text, "k=\"v\"", &h);
    metrics_text_histogram(text, NULL, &h);
    char *all = metrics_text_end(text);
    assert_non_null(strstr(all, "t_seconds_bucket{k=\"v\",le=\"0.1\"} 0\nt_seconds_bucket{k=\"v\",le=\"0.25\"} 1\n"));
    assert_non_null(strstr(all, "t_seconds_bucket{k=\"v\",le=\"30\"} 1\nt_seconds_bucket{k=\"v\",le=\"+Inf\"} 2\nt_seconds_sum{k=\"v\"} 100.25\n"
                                "t_seconds_count{k=\"v\"} 2\n"));
    assert_non_null(strstr(all, "t_seconds_bucket{le=\"+Inf\"} 2\nt_seconds_sum 100.25\nt_seconds_count 2\n"));
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_stand_under_their_name),
        cmocka_unit_test(test_a_label_cannot_end_its_line),
        cmocka_unit_test(test_a_histogram_counts_upward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
