// SPDX-License-Identifier: Apache-2.0
// Which runs are complete, which one "latest" means, and which are on offer: of datasets made by hand.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field/catalog_group.h"

enum { VARIABLES = 2, MOST_RUNS = 8 };
static struct catalog_dataset d;

// Hours of the runs since a midnight, -1 ends them, and how many hourly steps each of the two variables has in each.
static void make(const int *hours, size_t steps[][VARIABLES]) {
    static char *names[] = {"a", "b"};
    d = (struct catalog_dataset){.terrain = -1};
    while (hours[d.run_count] >= 0) d.run_count++;
    d.runs = calloc(d.run_count, sizeof *d.runs);
    d.variables = calloc(VARIABLES, sizeof *d.variables);
    d.variable_count = VARIABLES;
    for (size_t v = 0; v < VARIABLES; v++) {
        d.variables[v] = (struct catalog_variable){.id = strdup(names[v]), .member_count = 0, .from = calloc(1, sizeof(struct variable_source))};
        d.variables[v].from->runs = calloc(d.run_count, sizeof(struct run_source));
        for (size_t h = 0; h < HELP_COUNT; h++) d.variables[v].from->helpers[h] = NO_VARIABLE;
    }
    for (size_t r = 0; r < d.run_count; r++) {
        d.runs[r].time.seconds = 1e9 - fmod(1e9, 86400) + 3600 * hours[r];
        d.runs[r].series = calloc(VARIABLES, sizeof *d.runs[r].series);
        for (size_t v = 0; v < VARIABLES; v++) {
            size_t n = steps[r][v];
            d.runs[r].series[v] = (struct catalog_series){.present = n > 0, .time_count = n, .times = calloc(n + 1, sizeof(struct catalog_time))};
            d.variables[v].from->runs[r] = (struct run_source){.step_count = n, .steps = calloc(n + 1, sizeof(struct field_step))};
            for (size_t s = 0; s < n; s++) d.runs[r].series[v].times[s].seconds = d.runs[r].time.seconds + 3600 * (double)s;
        }
    }
}

static int unmake(void **state) {
    (void)state;
    catalog_dataset_destroy(&d);
    d = (struct catalog_dataset){0};
    return 0;
}

static void apply(const struct catalog_rules *rules) { assert_int_equal(catalog_apply_rules(&d, rules), VIRGA_OK); }

static void a_single_run_is_complete_as_it_is(void **state) {
    (void)state;
    make((int[]){0, -1}, (size_t[][2]){{3, 2}});
    apply(NULL);
    assert_true(d.runs[0].complete);
    assert_int_equal(d.runs[0].expected, 3);
    assert_int_equal(d.latest, 0);
}

static void a_run_is_latest_once_it_has_all_steps(void **state) {
    (void)state;
    make((int[]){0, 6, -1}, (size_t[][2]){{49, 49}, {23, 49}});
    apply(NULL);
    assert_false(d.runs[1].complete);
    assert_int_equal(d.runs[1].expected, 49);
    assert_int_equal(d.runs[1].missing, 26);
    assert_int_equal(d.latest, 0);
    assert_int_equal(catalog_find_run(&d, "latest"), 0);
    unmake(NULL);
    make((int[]){0, 6, -1}, (size_t[][2]){{49, 49}, {49, 49}});
    apply(NULL);
    assert_int_equal(d.latest, 1);
}

static void a_run_that_lacks_a_variable_is_not_complete(void **state) {
    (void)state;
    make((int[]){0, 6, -1}, (size_t[][2]){{4, 3}, {4, 0}});
    apply(NULL);
    assert_int_equal(d.latest, 0);
    assert_int_equal(d.runs[1].missing, 3);
}

static void runs_are_measured_by_those_of_the_same_hour(void **state) {
    (void)state;
    // The run of noon is shorter; the next one of midnight is measured by midnight's, and the next noon's by noon's.
    make((int[]){0, 12, 24, 36, -1}, (size_t[][2]){{49, 49}, {25, 25}, {48, 49}, {25, 25}});
    apply(NULL);
    assert_true(d.runs[0].complete);
    assert_true(d.runs[1].complete);
    assert_false(d.runs[2].complete);
    assert_int_equal(d.runs[2].missing, 1);
    assert_true(d.runs[3].complete);
    assert_int_equal(d.latest, 3);
}

static void where_none_is_complete_the_newest_is_meant(void **state) {
    (void)state;
    make((int[]){0, 6, -1}, (size_t[][2]){{4, 4}, {2, 2}});
    apply(&(struct catalog_rules){.expected_steps = 10});
    assert_int_equal(d.latest, 1);
    assert_int_equal(d.runs[0].expected, 10);
    assert_int_equal(d.runs[0].missing, 6);
    assert_int_equal(d.runs[1].missing, 8);
}

static void steps_may_be_counted(void **state) {
    (void)state;
    make((int[]){0, 6, -1}, (size_t[][2]){{8, 7}, {4, 3}});
    apply(&(struct catalog_rules){.expected_steps = 4});
    assert_true(d.runs[0].complete);
    assert_false(d.runs[1].complete);  // its b has 3
    unmake(NULL);
    make((int[]){0, 6, -1}, (size_t[][2]){{8, 7}, {4, 4}});
    apply(&(struct catalog_rules){.expected_steps = 4});
    assert_true(d.runs[1].complete);
}

static void steps_may_be_expected_up_to_a_lead(void **state) {
    (void)state;
    make((int[]){0, 6, 12, -1}, (size_t[][2]){{20, 20}, {6, 7}, {7, 7}});
    apply(&(struct catalog_rules){.expected_lead = 6 * 3600});
    assert_true(d.runs[0].complete);
    assert_false(d.runs[1].complete);
    assert_true(d.runs[2].complete);
    assert_int_equal(d.runs[2].expected, 7);
    assert_int_equal(d.latest, 2);
}

static void the_newest_runs_are_kept_and_the_latest_always(void **state) {
    (void)state;
    make((int[]){0, 6, 12, 18, -1}, (size_t[][2]){{5, 5}, {5, 5}, {2, 2}, {1, 1}});
    apply(&(struct catalog_rules){.keep_runs = 2});
    assert_int_equal(d.run_count, 3);  // of 06, which is the latest, 12 and 18
    assert_int_equal(d.latest, 0);
    assert_int_equal(d.runs[0].series[0].time_count, 5);
    assert_int_equal(d.variables[0].from->runs[1].step_count, 2);
    unmake(NULL);
    make((int[]){0, 6, 12, 18, -1}, (size_t[][2]){{5, 5}, {5, 5}, {5, 5}, {5, 5}});
    apply(&(struct catalog_rules){.keep_seconds = 7 * 3600});
    assert_int_equal(d.run_count, 2);
    assert_int_equal(d.latest, 1);
}

static void a_variable_of_dropped_runs_goes_with_them(void **state) {
    (void)state;
    make((int[]){0, 6, -1}, (size_t[][2]){{4, 4}, {4, 0}});
    apply(&(struct catalog_rules){.keep_runs = 1, .expected_lead = 2 * 3600});
    assert_int_equal(d.run_count, 2);  // the first is still the latest
    unmake(NULL);
    make((int[]){0, 6, 30, -1}, (size_t[][2]){{4, 4}, {4, 0}, {4, 0}});
    apply(&(struct catalog_rules){.keep_runs = 1});
    assert_int_equal(d.run_count, 1);
    assert_int_equal(d.variable_count, 1);
}

static void the_step_asked_for_may_be_the_rule(void **state) {
    (void)state;
    int both[] = {0, 1};
    struct catalog_asked asked = {.count = 2, .variables = both, .lead = true, .seconds = 3 * 3600};
    make((int[]){0, 6, -1}, (size_t[][2]){{9, 9}, {4, 4}});
    apply(NULL);
    assert_int_equal(catalog_find_latest(&d, &asked), 0);
    unmake(NULL);
    make((int[]){0, 6, -1}, (size_t[][2]){{9, 9}, {4, 4}});
    apply(&(struct catalog_rules){.latest_has_step = true});
    assert_int_equal(catalog_find_latest(&d, &asked), 1);
    asked.seconds = 4 * 3600;
    assert_int_equal(catalog_find_latest(&d, &asked), 0);
    asked.seconds = NAN;
    assert_int_equal(catalog_find_latest(&d, &asked), 0);
    asked = (struct catalog_asked){.count = 2, .variables = both, .seconds = d.runs[1].time.seconds};  // a valid time that both have
    assert_int_equal(catalog_find_latest(&d, &asked), 1);
    asked.seconds = 1;
    assert_int_equal(catalog_find_latest(&d, &asked), 0);
}

static void a_step_of_one_variable_only_is_not_there(void **state) {
    (void)state;
    int both[] = {0, 1};
    make((int[]){0, 6, -1}, (size_t[][2]){{9, 9}, {4, 3}});
    apply(&(struct catalog_rules){.latest_has_step = true});
    assert_int_equal(catalog_find_latest(&d, &(struct catalog_asked){2, both, true, 3 * 3600}), 0);
    assert_int_equal(catalog_find_latest(&d, &(struct catalog_asked){1, both, true, 3 * 3600}), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, unmake)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_single_run_is_complete_as_it_is),
        TEST(a_run_is_latest_once_it_has_all_steps),
        TEST(a_run_that_lacks_a_variable_is_not_complete),
        TEST(runs_are_measured_by_those_of_the_same_hour),
        TEST(where_none_is_complete_the_newest_is_meant),
        TEST(steps_may_be_counted),
        TEST(steps_may_be_expected_up_to_a_lead),
        TEST(the_newest_runs_are_kept_and_the_latest_always),
        TEST(a_variable_of_dropped_runs_goes_with_them),
        TEST(the_step_asked_for_may_be_the_rule),
        TEST(a_step_of_one_variable_only_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
