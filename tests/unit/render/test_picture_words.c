// SPDX-License-Identifier: Apache-2.0
// The words of captions: times in every calendar, runs, lead times, what is blended, what is missing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "field/cf_time.h"
#include "render/picture_scene.h"

static struct picture_maker maker;
static struct catalog_dataset dataset;
static struct catalog_variable variable;
static struct catalog_run run;
static struct catalog_time times[3];
static struct view view;
static struct scene scene;

static void put_time(struct catalog_time *time, enum cf_calendar calendar, const char *iso) {
    snprintf(time->iso, sizeof time->iso, "%s", iso);
    assert_int_equal(cf_time_parse(calendar, iso, &time->seconds), VIRGA_OK);
}

static void describe(char *calendar, enum cf_calendar parsed, const char *reference, const char *first, const char *second) {
    static char title[] = "A forecast", label[] = "3", *members[] = {label, label};
    maker = (struct picture_maker){0};
    variable = (struct catalog_variable){.calendar = calendar, .member_count = 1, .members = members};
    run = (struct catalog_run){.complete = true};
    dataset = (struct catalog_dataset){.title = title, .run_count = 1, .runs = &run};
    scene = (struct scene){0};
    view = (struct view){.exaggeration = 15, .captions = {.show = true, .legend = true}};
    put_time(&run.time, parsed, reference);
    put_time(&times[0], parsed, first);
    put_time(&times[1], parsed, second);
    maker.resolved = (struct view_resolved){.dataset = &dataset, .layer_count = 1, .times = times, .time_count = 2};
    maker.resolved.layers[0].of = &variable;
}

static struct picture_words words_of(size_t step, double blend, bool cut) {
    struct picture_words words;
    const struct picture_moment moment = {step, blend};
    picture_words_init(&words, &maker, &view, &moment, &scene, cut);
    return words;
}

static void test_times_are_written_in_full(void **state) {
    (void)state;
    describe("standard", CALENDAR_STANDARD, "2009-11-19T03:00:00Z", "2009-11-19T10:00:00Z", "2009-11-19T11:00:00Z");
    struct picture_words w = words_of(0, 0, false);
    assert_string_equal(w.valid, "Thursday 19 November 2009, 10:00 UTC");
    assert_string_equal(w.run, "Run Thu 19 Nov, 03:00 UTC, T+7, height × 15");
    assert_string_equal(w.note, "");
    assert_string_equal(w.title, "A forecast");
}

static void test_what_is_blended_is_said(void **state) {
    (void)state;
    describe("standard", CALENDAR_STANDARD, "2009-11-19T03:00:00Z", "2009-11-19T10:00:00Z", "2009-11-19T11:00:00Z");
    struct picture_words w = words_of(0, 1.0 / 3, false);
    assert_string_equal(w.valid, "Thursday 19 November 2009, 10:20 UTC");
    assert_string_equal(w.run, "Run Thu 19 Nov, 03:00 UTC, T+7:20 blended, height × 15");
    w = words_of(1, 0.5, false);  // there is nothing to blend the last one with
    assert_string_equal(w.run, "Run Thu 19 Nov, 03:00 UTC, T+8, height × 15");
}

static void test_other_calendars_are_named_and_have_no_weekdays(void **state) {
    (void)state;
    describe("360_day", CALENDAR_360_DAY, "2009-02-29T00:00:00Z", "2009-02-30T12:00:30Z", "2009-03-01T00:00:00Z");
    struct picture_words w = words_of(0, 0, false);
    assert_string_equal(w.valid, "30 February 2009, 12:00:30 UTC (360-day calendar)");
    assert_string_equal(w.run, "Run 29 Feb, 00:00 UTC, T+36:01, height × 15");
}

static void test_years_before_1970_and_runs_of_another_year(void **state) {
    (void)state;
    describe("proleptic_gregorian", CALENDAR_PROLEPTIC_GREGORIAN, "1949-12-31T18:00:00Z", "1950-01-01T00:00:00Z", "1950-01-01T06:00:00Z");
    struct picture_words w = words_of(0, 0, false);
    assert_string_equal(w.valid, "Sunday 1 January 1950, 00:00 UTC");
    assert_string_equal(w.run, "Run Sat 31 Dec 1949, 18:00 UTC, T+6, height × 15");
    describe("standard", CALENDAR_STANDARD, "2009-11-19T03:00:00Z", "2009-11-19T01:30:00Z", "2009-11-19T11:00:00Z");
    w = words_of(0, 0, false);
    assert_string_equal(w.run, "Run Thu 19 Nov, 03:00 UTC, T−1:30, height × 15");
}

static void test_members_and_runs_that_are_not_complete_are_said(void **state) {
    (void)state;
    describe("standard", CALENDAR_STANDARD, "2009-11-19T03:00:00Z", "2009-11-19T10:00:00Z", "2009-11-19T11:00:00Z");
    variable.member_count = 2;
    maker.resolved.layers[0].member = 1;
    run.complete = false;
    struct picture_words w = words_of(0, 0, false);
    assert_string_equal(w.run, "Run Thu 19 Nov, 03:00 UTC (incomplete), T+7, member 3, height × 15");
}

static void test_notes_tell_what_one_should_know(void **state) {
    (void)state;
    describe("standard", CALENDAR_STANDARD, "2009-11-19T03:00:00Z", "2009-11-19T10:00:00Z", "2009-11-19T11:00:00Z");
    scene.light.night = true;
    struct picture_words w = words_of(0, 0, true);
    assert_string_equal(w.note, "night: lit as by the moon; in parts coarser than it could be, for want of memory");
    assert_false(w.caption.calm);
    picture_say(&maker, "Run 6 h old", true);
    w = words_of(0, 0, false);
    assert_string_equal(w.note, "Run 6 h old; night: lit as by the moon");
    assert_false(w.caption.calm);
    scene.light.night = false;
    assert_true(words_of(0, 0, false).caption.calm);
    picture_say(&maker, "Old: no run for 19 h", false);
    assert_false(words_of(0, 0, false).caption.calm);
    picture_say(&maker, NULL, true);
}

static void test_the_views_title_takes_the_place_of_the_made_one(void **state) {
    (void)state;
    describe("standard", CALENDAR_STANDARD, "2009-11-19T03:00:00Z", "2009-11-19T10:00:00Z", "2009-11-19T11:00:00Z");
    view.captions.has_title = true;
    strcpy(view.captions.title, "Zwölf Uhr");
    struct picture_words w = words_of(0, 0, false);
    assert_string_equal(w.title, "Zwölf Uhr");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_are_written_in_full),
        cmocka_unit_test(test_what_is_blended_is_said),
        cmocka_unit_test(test_other_calendars_are_named_and_have_no_weekdays),
        cmocka_unit_test(test_years_before_1970_and_runs_of_another_year),
        cmocka_unit_test(test_members_and_runs_that_are_not_complete_are_said),
        cmocka_unit_test(test_notes_tell_what_one_should_know),
        cmocka_unit_test(test_the_views_title_takes_the_place_of_the_made_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
