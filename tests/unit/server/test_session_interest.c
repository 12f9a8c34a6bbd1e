// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "field/catalog_private.h"
#include "server/session_interest.h"

// A dataset of three variables: hourly "t" (12 times), three-hourly "rain" (4), and "orog" of another run only.
static struct catalog_time hourly[12], three_hourly[4];
static struct catalog_series series[2][3];
static struct catalog_run runs[2];
static struct catalog_variable variables[3];
static struct variable_source sources[3];
static struct grid grid;
static struct catalog_dataset dataset;
static struct catalog catalog;
static double axis[40];

static int set_up(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) axis[i] = i;
    for (int i = 0; i < 12; i++) hourly[i].seconds = 3600.0 * i;
    for (int i = 0; i < 4; i++) three_hourly[i].seconds = 10800.0 * i;
    grid.x = grid.y = (struct grid_axis){.n = 40, .values = axis, .regular = true, .step = 1};
    grid.km_per_unit[0] = grid.km_per_unit[1] = 1;
    static char *const names[] = {"t", "rain", "orog"};
    static char *labels[] = {"0", "1"};
    memset(sources, 0, sizeof sources);
    for (int v = 0; v < 3; v++)
        variables[v] = (struct catalog_variable){.from = &sources[v], .id = names[v], .name = names[v], .standard_name = "", .long_name = "", .nx = 40, .ny = 40, .nz = 1,
                                                 .member_count = v ? 1 : 2, .members = labels, .lattice = {.v0 = 1, .step = 0.5, .epsilon = 0.3}};
    for (int r = 0; r < 2; r++) {
        runs[r] = (struct catalog_run){.time = {.iso = "", .seconds = r * 86400.0}, .series = series[r]};
        snprintf(runs[r].time.iso, sizeof runs[r].time.iso, "2026-01-0%dT00:00:00Z", r + 1);
        series[r][0] = (struct catalog_series){.present = true, .time_count = 12, .times = hourly};
        series[r][1] = (struct catalog_series){.present = true, .time_count = 4, .times = three_hourly};
        series[r][2] = (struct catalog_series){.present = r == 0, .time_count = 1, .times = hourly};
        for (int v = 0; v < 3; v++) snprintf(series[r][v].edition, sizeof series[r][v].edition, "edition%d%d", r, v);
    }
    dataset = (struct catalog_dataset){.id = "d", .title = "d", .grid = &grid, .variable_count = 3, .variables = variables, .run_count = 2, .runs = runs, .latest = 1};
    catalog = (struct catalog){.dataset_count = 1, .datasets = &dataset};
    return 0;
}

static struct ws_interest asked(uint32_t time, int direction, double rate, uint32_t steps) {
    struct ws_interest i = {.generation = 5, .layer_count = 2, .time = time, .direction = direction, .rate = rate, .steps = steps, .budget = 1 << 30,
                            .camera = {.whole = true}};
    strcpy(i.dataset, "d");
    strcpy(i.layers[0].variable, "t");
    strcpy(i.layers[1].variable, "rain");
    i.layers[0].opacity.all = i.layers[1].opacity.all = true;
    return i;
}

static struct session_interest found;
static struct interest_layer layers[VIEW_MAX_LAYERS];
static struct failure failure;

static int resolve(const struct ws_interest *interest) {
    const struct catalog_dataset *where;
    return session_interest_resolve(&catalog, interest, &found, &where, layers, &failure);
}

static void test_steps_follow_the_direction_of_play(void **state) {
    (void)state;
    struct ws_interest i = asked(6, 1, 2, 3);
    assert_int_equal(resolve(&i), VIRGA_OK);
    for (int d = 0; d <= 3; d++) assert_int_equal(found.layers[0].steps[d], 6 + d);
    assert_int_equal(found.layers[0].before, 5);
    assert_int_equal(found.ahead, 3);
    assert_true(found.playing);
    i = asked(6, -1, 2, 3);
    assert_int_equal(resolve(&i), VIRGA_OK);
    for (int d = 0; d <= 3; d++) assert_int_equal(found.layers[0].steps[d], 6 - d);
    assert_int_equal(found.layers[0].before, 7);
}

// An orography stands for every time, whichever place it has among the layers; times are counted in those of the others.
static void test_what_is_constant_is_there_at_every_time(void **state) {
    (void)state;
    sources[2].constant = true;
    for (int first = 0; first < 2; first++) {
        struct ws_interest i = asked(6, 1, 2, 3);
        strcpy(i.run, runs[0].time.iso);
        strcpy(i.layers[first].variable, "orog");
        strcpy(i.layers[1 - first].variable, "t");
        assert_int_equal(resolve(&i), VIRGA_OK);
        assert_int_equal(found.layers[1 - first].steps[0], 6);
        assert_int_equal(found.layers[1 - first].steps[1], 7);
        assert_int_equal(found.layers[first].steps[0], 0);
        assert_int_equal(found.layers[first].steps[1], -1);  // not twice
        assert_int_equal(found.layers[first].before, -1);
        i.time = 12;
        assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
    }
    struct ws_interest alone = asked(0, 0, 0, 0);
    alone.layer_count = 1;
    strcpy(alone.run, runs[0].time.iso);
    strcpy(alone.layers[0].variable, "orog");
    assert_int_equal(resolve(&alone), VIRGA_OK);
    assert_int_equal(found.layers[0].steps[0], 0);
}

static void test_nothing_is_ahead_of_one_that_stands(void **state) {
    (void)state;
    struct ws_interest i = asked(6, 0, 0, 3);
    assert_int_equal(resolve(&i), VIRGA_OK);
    assert_int_equal(found.ahead, 0);
    assert_false(found.playing);
}

static void test_other_layers_have_the_same_valid_time_or_none(void **state) {
    (void)state;
    struct ws_interest i = asked(6, 1, 2, 3);
    assert_int_equal(resolve(&i), VIRGA_OK);
    assert_int_equal(found.layers[1].steps[0], 2);
    assert_int_equal(found.layers[1].steps[1], -1);
    assert_int_equal(found.layers[1].steps[2], -1);
    assert_int_equal(found.layers[1].steps[3], 3);
}

static void test_play_goes_around_the_end_and_stepping_does_not(void **state) {
    (void)state;
    struct ws_interest i = asked(10, 1, 2, 3);
    assert_int_equal(resolve(&i), VIRGA_OK);
    assert_int_equal(found.layers[0].steps[1], 11);
    assert_int_equal(found.layers[0].steps[2], 0);
    assert_int_equal(found.layers[0].steps[3], 1);
    i.rate = 0;
    assert_int_equal(resolve(&i), VIRGA_OK);
    assert_int_equal(found.layers[0].steps[1], 11);
    assert_int_equal(found.layers[0].steps[2], -1);
}

static void test_no_step_is_wanted_twice(void **state) {
    (void)state;
    struct ws_interest i = asked(1, 1, 2, 8);
    i.layer_count = 1;
    strcpy(i.layers[0].variable, "rain");
    assert_int_equal(resolve(&i), VIRGA_OK);
    int64_t seen = 0;
    for (size_t d = 0; d <= found.ahead; d++) {
        int64_t step = found.layers[0].steps[d];
        if (step < 0) continue;
        assert_false(seen >> step & 1);
        seen |= 1LL << step;
    }
    assert_int_equal(seen, 15);
}

static void test_runs_members_and_lattices_are_those_named(void **state) {
    (void)state;
    struct ws_interest i = asked(0, 0, 0, 0);
    strcpy(i.run, "2026-01-01T00:00:00Z");
    i.member = 1;
    assert_int_equal(resolve(&i), VIRGA_OK);
    assert_int_equal(layers[0].run, 0);
    assert_int_equal(layers[0].member, 1);
    assert_int_equal(layers[1].member, 0);  // rain has no members: the same goes with each
    assert_string_equal(found.layers[0].identity, "t d 2026-01-01T00:00:00Z 1 40x40x1");
    assert_true(found.layers[0].v0 == 1 && found.layers[0].step == 0.5);
    strcpy(i.run, "latest");
    assert_int_equal(resolve(&i), VIRGA_OK);
    assert_int_equal(layers[0].run, 1);
}

// As a difference has it: the same variable of another run and member.
static void test_a_layer_may_be_of_another_run_and_member(void **state) {
    (void)state;
    struct ws_interest interest = asked(3, 0, 0, 0);
    strcpy(interest.layers[1].variable, "t");
    strcpy(interest.layers[1].run, "2026-01-01T00:00:00Z");
    interest.layers[1].has_member = true;
    interest.layers[1].member = 1;
    assert_int_equal(resolve(&interest), VIRGA_OK);
    assert_int_equal(layers[0].run, 1);
    assert_int_equal(layers[1].run, 0);
    assert_int_equal(layers[0].member, 0);
    assert_int_equal(layers[1].member, 1);
    assert_int_equal(found.layers[1].steps[0], 3);
    assert_string_not_equal(found.layers[0].identity, found.layers[1].identity);
    strcpy(interest.layers[1].run, "2026-01-09T00:00:00Z");
    assert_int_equal(resolve(&interest), VIRGA_NOT_FOUND);
    strcpy(interest.layers[1].run, "latest");
    interest.layers[1].member = 2;
    assert_int_equal(resolve(&interest), VIRGA_NOT_FOUND);
}

static void test_what_is_missing_is_named(void **state) {
    (void)state;
    struct ws_interest i = asked(12, 0, 0, 0);
    assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
    assert_non_null(strstr(failure.message, "12"));
    i = asked(0, 0, 0, 0);
    strcpy(i.dataset, "other");
    assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
    i = asked(0, 0, 0, 0);
    strcpy(i.layers[1].variable, "snow");
    assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
    assert_non_null(strstr(failure.message, "snow"));
    strcpy(i.layers[1].variable, "orog");  // not in the latest run
    assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
    i = asked(0, 0, 0, 0);
    i.member = 2;
    assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
    i = asked(0, 0, 0, 0);
    strcpy(i.run, "1999-01-01T00:00:00Z");
    assert_int_equal(resolve(&i), VIRGA_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_follow_the_direction_of_play),
        cmocka_unit_test_setup(test_what_is_constant_is_there_at_every_time, set_up),
        cmocka_unit_test_setup(test_nothing_is_ahead_of_one_that_stands, set_up),
        cmocka_unit_test(test_other_layers_have_the_same_valid_time_or_none),
        cmocka_unit_test(test_play_goes_around_the_end_and_stepping_does_not),
        cmocka_unit_test(test_no_step_is_wanted_twice),
        cmocka_unit_test(test_runs_members_and_lattices_are_those_named),
        cmocka_unit_test(test_a_layer_may_be_of_another_run_and_member),
        cmocka_unit_test(test_what_is_missing_is_named),
    };
    return cmocka_run_group_tests_name("session_interest", tests, set_up, NULL);
}
