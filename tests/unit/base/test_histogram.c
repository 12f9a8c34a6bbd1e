// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void test_a_bound_belongs_to_its_class(void **state) {
    (void)state;
    struct histogram h = {0};
    uint64_t below[HISTOGRAM_CLASSES];
    for (int n = 0; n + 1 < HISTOGRAM_CLASSES; n++) {
        histogram_add(&h, histogram_bound(n));
        histogram_read(&h, below);
        for (int i = 0; i < HISTOGRAM_CLASSES; i++) assert_int_equal(below[i], i < n ? i + 1 : n + 1);
    }
    assert_true(isinf(histogram_bound(HISTOGRAM_CLASSES - 1)));
}

static void test_the_sum_is_that_of_what_was_added(void **state) {
    (void)state;
    struct histogram h = {0};
    uint64_t below[HISTOGRAM_CLASSES];
    histogram_add(&h, 0.5);
    histogram_add(&h, 40);
    assert_true(fabs(histogram_read(&h, below) - 40.5) < 1e-6);
    assert_int_equal(below[HISTOGRAM_CLASSES - 2], 1);
    assert_int_equal(below[HISTOGRAM_CLASSES - 1], 2);
}

static void test_what_is_no_duration_counts_as_none(void **state) {
    (void)state;
    struct histogram h = {0};
    uint64_t below[HISTOGRAM_CLASSES];
    histogram_add(&h, -1);
    histogram_add(&h, NAN);
    assert_true(histogram_read(&h, below) == 0);
    assert_int_equal(below[0], 2);
    histogram_add(&h, INFINITY);
    assert_true(histogram_read(&h, below) == 86400);
    assert_int_equal(below[HISTOGRAM_CLASSES - 1], 3);
}

static void *add_many(void *argument) {
    for (int i = 0; i < 20000; i++) histogram_add(argument, i % 2 ? 0.004 : 0.2);
    return NULL;
}

static void test_nothing_is_lost_between_threads(void **state) {
    (void)state;
    struct histogram h = {0};
    uint64_t below[HISTOGRAM_CLASSES];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, add_many, &h), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_true(fabs(histogram_read(&h, below) - 40000 * 0.204) < 1e-3);
    assert_int_equal(below[2], 40000);
    assert_int_equal(below[HISTOGRAM_CLASSES - 1], 80000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bound_belongs_to_its_class),
        cmocka_unit_test(test_the_sum_is_that_of_what_was_added),
        cmocka_unit_test(test_what_is_no_duration_counts_as_none),
        cmocka_unit_test(test_nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
