// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_dataset.h"
#include "render/view_resolve.h"

static struct made_dataset made;
static struct view view;
static struct view_resolved resolved;
static struct failure failure;

static void parse(const char *rest)
{
    char json[2000];
    snprintf(json, sizeof json, "{\"version\": 1, \"dataset\": \"made\", %s}", rest);
    failure = (struct failure){0};
    if (view_parse(json, strlen(json), &view, &failure))
        fail_msg("%s", failure.message);
}

static void resolves(const char *rest)
{
    parse(rest);
    if (view_resolve(&view, &made.catalog, &resolved, &failure))
        fail_msg("%s", failure.message);
}

static void refuses(const char *rest, const char *words)
{
    parse(rest);
    assert_int_equal(view_resolve(&view, &made.catalog, &resolved, &failure), VIRGA_NOT_FOUND);
    if (strncmp(failure.message, words, strlen(words)) != 0)
        fail_msg("\"%s\" should begin with \"%s\"", failure.message, words);
}

static int setup(void **state)
{
    (void)state;
    made_dataset_init(&made);
    return 0;
}

static void looks_up_what_is_named(void **state)
{
    (void)state;
    resolves("\"layers\": [{\"variable\": \"wind\"}, {\"variable\": \"oro\"}]");
    assert_int_equal(resolved.run, 1);
    assert_int_equal(resolved.layer_count, 2);
    assert_int_equal(resolved.layers[0].variable, MADE_WIND);
    assert_ptr_equal(resolved.layers[1].of, &made.variables[MADE_ORO]);
    assert_int_equal(resolved.time_count, MADE_STEPS);
    assert_string_equal(resolved.layers[1].title, "Surface altitude");
    resolves("\"run\": \"2009-11-19T03:00Z\", \"layers\": [{\"variable\": \"wind\"}]");
    assert_int_equal(resolved.run, 0);
    made.variables[MADE_WIND].name = "velocity";  // by its name as well, and the id takes its place
    resolves("\"layers\": [{\"variable\": \"velocity\"}]");
    assert_string_equal(resolved.layers[0].look.variable, "wind");
}

static void names_what_is_not_there(void **state)
{
    (void)state;
    refuses("\"layers\": [{\"variable\": \"wind\"}, {\"variable\": \"dust\"}]", "layers[1].variable: \"dust\" is not in this dataset; it has ta, cloud, oro, wind");
    assert_null(strstr(failure.message, "ps"));
    refuses("\"layers\": [{\"variable\": \"ps\"}]", "layers[0].variable: \"ps\" is not in this dataset");
    refuses("\"run\": \"2009-11-19T04:00:00Z\", \"layers\": [{\"variable\": \"ta\"}]", "run: 2009-11-19T04:00:00Z is not on offer; the latest is 2009-11-19T09:00:00Z");
    refuses("\"layers\": []", "layers: ");
    made.dataset.id = "other";
    refuses("\"layers\": []", "dataset: \"made\" is not on offer; there is other");
    made.dataset.run_count = 0;
    made.dataset.id = "made";
    refuses("\"layers\": []", "run: latest is not on offer");
}

static void a_hidden_layer_may_be_missing_in_a_run(void **state)
{
    (void)state;
    refuses("\"run\": \"2009-11-19T03:00:00Z\", \"layers\": [{\"variable\": \"cloud\"}]", "layers[0].variable: \"cloud\" is not in the run of 2009-11-19T03:00:00Z");
    resolves("\"run\": \"2009-11-19T03:00:00Z\", \"layers\": [{\"variable\": \"cloud\", \"visible\": false}, {\"variable\": \"ta\"}]");
    assert_null(resolved.layers[0].series);
    assert_false(resolved.layers[0].placed);
    assert_int_equal(resolved.first, 1);
    assert_int_equal(view_resolved_step(&resolved.layers[0], resolved.times[0].seconds), -1);
    refuses("\"run\": \"2009-11-19T03:00:00Z\", \"layers\": [{\"variable\": \"cloud\", \"visible\": false}]", "layers: none of them is in the run");
}

static void members_go_together(void **state)
{
    (void)state;
    resolves("\"member\": 2, \"layers\": [{\"variable\": \"ta\"}, {\"variable\": \"oro\"}]");
    assert_int_equal(resolved.layers[0].member, 2);
    assert_int_equal(resolved.layers[1].member, 0);
    refuses("\"member\": 3, \"layers\": [{\"variable\": \"ta\"}]", "member: 3 is not on offer, there are 3");
    for (int step = 0; step < MADE_STEPS; step++)
        made.steps[MADE_TA][1][step * MADE_MEMBERS + 1].absent = true;
    refuses("\"member\": 1, \"layers\": [{\"variable\": \"ta\"}]", "member: 1 of ta is not in the run of 2009-11-19T09:00:00Z");
    resolves("\"member\": 1, \"run\": \"2009-11-19T03:00:00Z\", \"layers\": [{\"variable\": \"ta\"}]");
    made.steps[MADE_TA][1][1 * MADE_MEMBERS + 1].absent = false;  // some of it is enough
    resolves("\"member\": 1, \"layers\": [{\"variable\": \"ta\"}]");
}

static void step_of(const char *rule, double now, size_t expected, bool exactly)
{
    size_t step;
    bool exact;
    if (view_resolve_time(&resolved, rule, now, &step, &exact, &failure))
        fail_msg("%s: %s", rule, failure.message);
    if (step != expected || exact != exactly)
        fail_msg("%s: %zu, %d", rule, step, exact);
}

static void times_by_all_rules(void **state)
{
    (void)state;
    size_t step;
    bool exact;
    resolves("\"layers\": [{\"variable\": \"ta\"}]");
    step_of("T+0", 0, 0, true);
    step_of("T+1", 0, 1, true);
    step_of("T+1.000277", 0, 1, true);  // a second: lead times have six decimals
    step_of("T+1.4", 0, 1, false);
    step_of("T+1.5", 0, 1, false);      // the earlier of two as near
    step_of("T+1.6", 0, 2, false);
    step_of("T+90", 0, 2, false);
    step_of("T-3", 0, 0, false);
    step_of("2009-11-19T11:00Z", 0, 2, true);
    step_of("2009-11-19T10:20:00Z", 0, 1, false);
    step_of("nearest to now", made_time(10).seconds + 900, 1, true);
    step_of("nearest to now", 4e9, 2, true);
    for (size_t n = 0; n < MADE_STEPS; n++)
        made.times[1][n].seconds += 10800;  // a run without its first hours
    step_of("T+0", 0, 0, true);             // is what views have that name no time
    step_of("T+0.5", 0, 0, false);
    assert_int_equal(view_resolve_time(&resolved, "yesterday", 0, &step, &exact, &failure), VIRGA_INVALID);
    assert_int_equal(view_resolve_time(&resolved, "T+", 0, &step, &exact, &failure), VIRGA_INVALID);
    assert_int_equal(view_resolve_time(&resolved, "T+1e999", 0, &step, &exact, &failure), VIRGA_INVALID);
    assert_int_equal(view_resolve_time(&resolved, "", 0, &step, &exact, &failure), VIRGA_INVALID);
    assert_int_equal(view_resolve_time(&resolved, "2009-02-30T00:00:00Z", 0, &step, &exact, &failure), VIRGA_INVALID);
    made.variables[MADE_TA].calendar = "360_day";  // where February has 30 days
    step_of("2009-02-30T00:00:00Z", 0, 0, false);
}

static void times_are_those_of_what_changes(void **state)
{
    (void)state;
    made.from[MADE_ORO].constant = true;
    resolves("\"layers\": [{\"variable\": \"oro\"}, {\"variable\": \"wind\"}, {\"variable\": \"ta\"}]");
    assert_int_equal(resolved.first, 1);
    assert_int_equal(resolved.time_count, MADE_STEPS);
    resolves("\"layers\": [{\"variable\": \"oro\"}, {\"variable\": \"oro\"}]");
    assert_int_equal(resolved.first, 0);
    assert_int_equal(resolved.time_count, 1);
}

static void steps_as_lead_times(void **state)
{
    (void)state;
    char rule[VIEW_TIME_TEXT];
    resolves("\"layers\": [{\"variable\": \"ta\"}]");
    view_resolved_lead(&resolved, 0, rule);
    assert_string_equal(rule, "T+0");
    view_resolved_lead(&resolved, 2, rule);
    assert_string_equal(rule, "T+2");
    made.times[1][2].seconds += 600;
    view_resolved_lead(&resolved, 2, rule);
    assert_string_equal(rule, "T+2.166667");
    made.times[1][0].seconds -= 36000;
    view_resolved_lead(&resolved, 0, rule);
    assert_string_equal(rule, "T-10");
    made.times[1][0].seconds = 1e300;
    view_resolved_lead(&resolved, 0, rule);
    assert_string_equal(rule, "T+999999");
}

// The first two volumes and 2-D layers that are visible and have a step then.
static void what_is_drawn(void **state)
{
    (void)state;
    size_t layers[VIEW_DRAWN_MAX];
    resolves("\"layers\": [{\"variable\": \"ta\", \"visible\": false}, {\"variable\": \"oro\"}, {\"variable\": \"wind\"}, {\"variable\": \"cloud\"}]");
    assert_int_equal(view_resolved_drawn(&resolved, resolved.times[0].seconds, true, layers), 2);
    assert_true(layers[0] == 2 && layers[1] == 3);
    assert_int_equal(view_resolved_drawn(&resolved, resolved.times[0].seconds, false, layers), 1);
    assert_int_equal(layers[0], 1);
    assert_int_equal(view_resolved_drawn(&resolved, resolved.times[1].seconds, false, layers), 0);  // its one step is the first
    made.from[MADE_ORO].constant = true;                                                             // but where it is that of every time
    assert_int_equal(view_resolved_drawn(&resolved, resolved.times[1].seconds, false, layers), 1);
    resolves("\"layers\": [{\"variable\": \"ta\"}, {\"variable\": \"wind\"}, {\"variable\": \"cloud\"}]");
    assert_int_equal(view_resolved_drawn(&resolved, resolved.times[0].seconds, true, layers), 2);
    assert_true(layers[0] == 0 && layers[1] == 1);
}

// The page holds four layers; of more, the visible ones.
static void what_makes_the_box(void **state)
{
    (void)state;
    resolves("\"layers\": [{\"variable\": \"ta\", \"visible\": false}, {\"variable\": \"oro\"}, {\"variable\": \"wind\"}, {\"variable\": \"cloud\"}]");
    assert_true(resolved.layers[0].placed && resolved.layers[3].placed);
    resolves("\"layers\": [{\"variable\": \"ta\", \"visible\": false}, {\"variable\": \"oro\"}, {\"variable\": \"wind\"}, {\"variable\": \"cloud\"}, {\"variable\": \"ta\"},"
             " {\"variable\": \"wind\"}]");
    const bool expected[] = {false, true, true, true, true, false};
    for (size_t n = 0; n < 6; n++)
        assert_int_equal(resolved.layers[n].placed, expected[n]);
}

static void begins_with_a_cloud(void **state)
{
    (void)state;
    assert_int_equal(view_default(&made.catalog, NULL, &view, &failure), VIRGA_OK);
    assert_string_equal(view.dataset, "made");
    assert_string_equal(view.layers[0].variable, "cloud");
    assert_false(view.has_camera || view.layers[0].has_range);
    made.series[1][MADE_CLOUD].present = false;
    assert_int_equal(view_default(&made.catalog, "made", &view, &failure), VIRGA_OK);
    assert_string_equal(view.layers[0].variable, "ta");
    assert_int_equal(view_default(&made.catalog, "other", &view, &failure), VIRGA_NOT_FOUND);
    assert_string_equal(failure.message, "dataset: \"other\" is not on offer");
    for (int v = 0; v < MADE_VARIABLES; v++)
        made.variables[v].hidden = true;
    assert_int_equal(view_default(&made.catalog, NULL, &view, &failure), VIRGA_NOT_FOUND);
    assert_string_equal(failure.message, "there is nothing to show");
}

// About a quarter as tall as wide: 9 degrees at 54.5 N are 581 km, of 16 km 9.1.
static void exaggerates_to_suit(void **state)
{
    (void)state;
    assert_true(view_default_exaggeration(&made.dataset, &made.variables[MADE_TA]) == 10);
    made.map.highest = 4000;
    assert_true(view_default_exaggeration(&made.dataset, &made.variables[MADE_TA]) == 40);
    made.map.highest = 1;
    assert_true(view_default_exaggeration(&made.dataset, &made.variables[MADE_TA]) == 60);
    assert_true(view_default_exaggeration(&made.dataset, NULL) == 10);
    made.grid.corners[1][0] = NAN;
    assert_true(view_default_exaggeration(&made.dataset, NULL) == 15);
}

// With columns, of which a pyramid is made.
static void make_columns(void)
{
    static double places[10];
    for (int n = 0; n < 10; n++)
        places[n] = n;
    made_dataset_init(&made);
    made.grid.x = made.grid.y = (struct grid_axis){.n = 10, .values = places, .regular = true, .step = 1};
    made.grid.km_per_unit[0] = made.grid.km_per_unit[1] = 1;
}

// The earlier run reaches to the later one's first step.
static void make_meet(void)
{
    make_columns();
    made.times[0][1] = made_time(8);
    made.times[0][2] = made_time(9);
    made_variable(&made, MADE_CLOUD, "dew", "dew_point_temperature", "degC", true);
    made.variables[MADE_CLOUD].lattice = (struct lattice_spec){-100, 0.2, 0.1};
}

static void differences_are_looked_up(void **state)
{
    (void)state;
    char title[VIEW_TITLE_TEXT];
    make_meet();
    resolves("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"run\": \"previous\"}}]");
    const struct view_resolved_layer *layer = &resolved.layers[0];
    assert_true(layer->minus.used && layer->minus.run == 0 && layer->minus.variable == MADE_TA && layer->minus.ratio == 1);
    assert_true(layer->lattice.v0 == 0 && layer->lattice.step == 0.1 && fabs(layer->lattice.epsilon - 0.1) < 1e-12);
    assert_true(resolved.time_count == 1 && resolved.times[0].seconds == made_time(9).seconds);  // what both have
    assert_int_equal(view_resolved_step(layer, made_time(9).seconds), 0);
    assert_int_equal(view_resolved_minus_step(layer, made_time(9).seconds), 2);
    assert_int_equal(view_resolved_step(layer, made_time(10).seconds), -1);
    view_resolved_title(layer, title);
    assert_string_equal(title, "Air temperature, run 09Z minus 03Z");
    resolves("\"member\": 2, \"layers\": [{\"variable\": \"ta\", \"minus\": {\"member\": 0}}]");
    assert_string_equal(resolved.layers[0].difference, "member 2 minus member 0");
    assert_int_equal(resolved.time_count, MADE_STEPS);
    resolves("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"variable\": \"dew\", \"run\": \"2009-11-19T09:00:00Z\"}}]");
    view_resolved_title(layer, title);
    assert_string_equal(title, "Air temperature minus dew point temperature");
    assert_true(fabs(layer->minus.ratio - 2) < 1e-9 && fabs(layer->lattice.v0 - (100 - 273.15)) < 1e-9 && fabs(layer->lattice.epsilon - 0.15) < 1e-9);
    resolves("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"run\": \"latest\"}}]");
    assert_string_equal(resolved.layers[0].difference, "minus itself");
}

static void a_difference_is_marched_as_two(void **state)
{
    (void)state;
    size_t drawn[VIEW_DRAWN_MAX];
    make_meet();
    resolves("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"run\": \"previous\"}}, {\"variable\": \"wind\"}, {\"variable\": \"dew\"}]");
    assert_int_equal(view_resolved_drawn(&resolved, made_time(9).seconds, true, drawn), 1);
    assert_int_equal(drawn[0], 0);
    assert_int_equal(view_resolved_drawn(&resolved, made_time(10).seconds, true, drawn), 2);  // when there is no difference
    resolves("\"layers\": [{\"variable\": \"wind\", \"visible\": false}, {\"variable\": \"dew\", \"visible\": false}, {\"variable\": \"oro\", \"visible\": false},"
             " {\"variable\": \"ta\", \"minus\": {\"run\": \"previous\"}}]");
    assert_true(resolved.layers[3].placed && !resolved.layers[0].placed);
}

static void differences_that_cannot_be_say_why(void **state)
{
    (void)state;
    make_columns();
    refuses("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"run\": \"previous\"}}]", "layers[0].minus.run: the runs of 2009-11-19T09:00:00Z and 2009-11-19T03:00:00Z");
    refuses("\"run\": \"2009-11-19T03:00:00Z\", \"layers\": [{\"variable\": \"ta\", \"minus\": {\"run\": \"previous\"}}]", "layers[0].minus.run: no run before that of");
    refuses("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"run\": \"2001-01-01T00:00:00Z\"}}]", "layers[0].minus.run: 2001-01-01T00:00:00Z is not on offer");
    refuses("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"variable\": \"no\"}}]", "layers[0].minus.variable: \"no\" is not in this dataset");
    refuses("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"member\": 3}}]", "layers[0].minus.member: 3 is not on offer, there are 3");
    refuses("\"layers\": [{\"variable\": \"cloud\", \"minus\": {\"run\": \"2009-11-19T03:00:00Z\"}}]", "layers[0].minus: \"cloud\" is not in the run of");
    parse("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"variable\": \"wind\"}}]");
    assert_int_equal(view_resolve(&view, &made.catalog, &resolved, &failure), VIRGA_INVALID);
    assert_string_equal(failure.message, "layers[0].minus.variable: \"wind\" is in m s-1, which cannot be taken from K");
    made_variable(&made, MADE_ORO, "oro", "surface_temperature", "K", false);
    parse("\"layers\": [{\"variable\": \"ta\", \"minus\": {\"variable\": \"oro\"}}]");
    assert_int_equal(view_resolve(&view, &made.catalog, &resolved, &failure), VIRGA_INVALID);
    assert_string_equal(failure.message, "layers[0].minus.variable: \"oro\" is on other levels or columns than \"ta\"");
    resolves("\"layers\": [{\"variable\": \"wind\"}, {\"variable\": \"ta\", \"visible\": false, \"minus\": {\"run\": \"previous\"}}]");
    assert_null(resolved.layers[1].series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(looks_up_what_is_named, setup), cmocka_unit_test_setup(names_what_is_not_there, setup),
        cmocka_unit_test_setup(a_hidden_layer_may_be_missing_in_a_run, setup), cmocka_unit_test_setup(members_go_together, setup),
        cmocka_unit_test_setup(times_by_all_rules, setup), cmocka_unit_test_setup(times_are_those_of_what_changes, setup),
        cmocka_unit_test_setup(steps_as_lead_times, setup),
        cmocka_unit_test_setup(what_is_drawn, setup), cmocka_unit_test_setup(what_makes_the_box, setup),
        cmocka_unit_test_setup(begins_with_a_cloud, setup), cmocka_unit_test_setup(exaggerates_to_suit, setup),
        cmocka_unit_test_setup(differences_are_looked_up, setup),
        cmocka_unit_test_setup(a_difference_is_marched_as_two, setup),
        cmocka_unit_test_setup(differences_that_cannot_be_say_why, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
