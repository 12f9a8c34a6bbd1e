// SPDX-License-Identifier: Apache-2.0
// What pins mean in a catalog of small files, when their pictures are other ones, and when they are stale.
#include "../field/made_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "server/pin_live.h"

static const double new_year = 1577836800, hour = 3600;  // 2020-01-01T00Z

// A file of a run's steps; written so many hours after the run began.
static void write_run(const char *name, double run, double first, size_t steps, double delay) {
    int nc = made_create(name), dims[4];
    static const double pressures[] = {1000, 850, 500};
    float *data = calloc(steps * 60, sizeof *data);
    for (size_t n = 0; n < steps * 60; n++) data[n] = (float)(250 + n % 60);
    dims[0] = made_even_axis(nc, "time", steps, first, 1, "time", "hours since 2020-01-01");
    dims[1] = made_axis(nc, "plev", 3, pressures, "air_pressure", "hPa");
    dims[2] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    dims[3] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    made_scalar(nc, "forecast_reference_time", run, "forecast_reference_time", "hours since 2020-01-01");
    NC(nc_put_var_float(nc, made_var(nc, "ta", NC_FLOAT, 4, dims, "air_temperature", "K"), data));
    NC(nc_close(nc));
    free(data);
    const time_t written = (time_t)(new_year + (run + delay) * hour);
    assert_int_equal(utimensat(AT_FDCWD, made_path(name), (const struct timespec[2]){{written, 0}, {written, 0}}, 0), 0);
}

static const char *make_folder(const char *name) {
    assert_int_equal(mkdir(made_path(name), 0700), 0);
    return name;
}

static struct pin_meaning mean_with(const struct catalog *catalog, const char *run, const char *time, const char *more, double now) {
    char text[1000];
    struct view view;
    struct failure failure;
    struct pin_meaning meaning;
    snprintf(text, sizeof text, "{\"version\": 1, \"dataset\": \"%s\", \"run\": \"%s\", \"time\": \"%s\", \"layers\": [{\"variable\": \"ta\"%s}]}", catalog->datasets[0].id,
             run, time, more);
    if (view_parse(text, strlen(text), &view, &failure)) fail_msg("%s", failure.message);
    pin_mean(&view, catalog, now, 0, &meaning);
    return meaning;
}

static struct pin_meaning mean(const struct catalog *catalog, const char *run, const char *time, double now) { return mean_with(catalog, run, time, "", now); }

static void test_the_latest_run_and_its_step_are_shown(void **state) {
    (void)state;
    make_folder("latest");
    write_run("latest/a.nc", 0, 0, 13, 3);
    write_run("latest/b.nc", 6, 6, 13, 3);
    struct catalog *catalog = made_open("latest");
    struct pin_meaning m = mean(catalog, "latest", "T+6", new_year);
    assert_int_equal(m.status, VIRGA_OK);
    assert_string_equal(m.shown.run, "2020-01-01T06:00:00Z");
    assert_string_equal(m.shown.valid, "2020-01-01T12:00:00Z");
    assert_true(m.shown.lead_hours == 6 && m.shown.complete && m.shown.expected == 13 && !m.shown.missing);
    assert_int_equal(strlen(m.key), PIN_KEY);
    assert_true(pin_key_valid(m.key));
    // A fixed run stays.
    m = mean(catalog, "2020-01-01T00:00:00Z", "T+6", new_year);
    assert_string_equal(m.shown.run, "2020-01-01T00:00:00Z");
    assert_true(isinf(m.stale_from));
    catalog_unref(catalog);
}

static void test_nearest_to_now_changes_in_the_middle(void **state) {
    (void)state;
    make_folder("nearest");
    write_run("nearest/a.nc", 0, 0, 13, 3);
    struct catalog *catalog = made_open("nearest");
    for (int n = 0; n < 40; n++) {
        const double now = new_year + (n * 0.37 - 1) * hour;
        const struct pin_meaning m = mean(catalog, "latest", "nearest to now", now);
        assert_int_equal(m.status, VIRGA_OK);
        assert_true(m.from <= now && now <= m.until);
        assert_true(m.moment.step == (size_t)fmax(0, fmin(12, round((now - new_year) / hour))));
        assert_true(isfinite(m.from) == (m.moment.step > 0) && isfinite(m.until) == (m.moment.step < 12));
        if (isfinite(m.until)) assert_int_equal(mean(catalog, "latest", "nearest to now", m.until + 1).moment.step, m.moment.step + 1);
    }
    catalog_unref(catalog);
}

static void test_what_is_not_there_is_said(void **state) {
    (void)state;
    make_folder("lacks");
    write_run("lacks/a.nc", 0, 0, 13, 3);
    struct catalog *catalog = made_open("lacks");
    struct pin_meaning m = mean(catalog, "latest", "T+90", new_year);
    assert_int_equal(m.status, VIRGA_INVALID);
    assert_non_null(strstr(m.words, "T+90"));
    assert_string_equal(m.key, "");
    m = mean(catalog, "2019-01-01T00:00:00Z", "T+0", new_year);
    assert_int_equal(m.status, VIRGA_NOT_FOUND);
    assert_int_equal(strncmp(m.words, "Run 2019-01-01T00:00:00Z is not", 31), 0);  // for people, without the path in the document
    // A run that is coming still may have it soon.
    catalog->datasets[0].runs[0].complete = false;
    catalog->datasets[0].runs[0].expected = 20;
    catalog->datasets[0].runs[0].missing = 7;
    m = mean(catalog, "latest", "T+15", new_year);
    assert_int_equal(m.status, VIRGA_AGAIN);
    assert_non_null(strstr(m.words, "13 of 20"));
    catalog_unref(catalog);
}

// The key names the picture: it is another one where, and only where, the picture may be.
static void test_a_key_stays_as_long_as_the_picture(void **state) {
    (void)state;
    make_folder("keys");
    write_run("keys/a.nc", 0, 0, 6, 3);
    struct catalog *catalog = made_open("keys");
    const struct pin_meaning first = mean(catalog, "latest", "T+2", new_year), later = mean(catalog, "latest", "T+2", new_year + 1e6);
    assert_string_equal(first.key, later.key);
    assert_string_equal(mean_with(catalog, "latest", "2020-01-01T02:00:00Z", "", 0).key[0] ? "some" : "none", "some");
    assert_string_not_equal(mean(catalog, "latest", "T+3", new_year).key, first.key);
    const struct pin_meaning coloured = mean_with(catalog, "latest", "T+2", ", \"range\": [250, 300]", new_year);
    assert_string_not_equal(coloured.key, first.key);
    assert_true(coloured.fields == first.fields && coloured.look != first.look);
    catalog_unref(catalog);
    write_run("keys/b.nc", 0, 6, 3, 4);  // more steps of the same run
    catalog = made_open("keys");
    assert_int_equal(catalog->datasets[0].run_count, 1);
    assert_string_equal(mean(catalog, "latest", "T+2", new_year).key, first.key);
    catalog_unref(catalog);
    write_run("keys/a.nc", 0, 0, 6, 5);  // the file is written again
    catalog = made_open("keys");
    assert_string_not_equal(mean(catalog, "latest", "T+2", new_year).key, first.key);
    catalog_unref(catalog);
}

// Runs are six hours apart and come after three.
static void test_stale_is_what_waits_for_longer_than_usual(void **state) {
    char words[PIN_WORDS];
    (void)state;
    make_folder("stale");
    for (int n = 0; n < 4; n++) {
        char name[32];
        snprintf(name, sizeof name, "stale/%d.nc", n);
        write_run(name, 6 * n, 6 * n, 7, 3);
    }
    struct catalog *catalog = made_open("stale");
    struct pin_meaning m = mean(catalog, "latest", "T+0", new_year);
    const double due = new_year + (18 + 3 + 12) * hour;
    assert_true(fabs(m.stale_from - due) < 1);
    pin_note(&m, new_year + 22 * hour, words);
    assert_string_equal(words, "Run 4 h old");
    pin_note(&m, due - 1, words);
    assert_string_equal(words, "Run 15 h old");
    pin_note(&m, due, words);
    assert_string_equal(words, "No new run since 1 Jan 18Z, 15 h ago");
    pin_note(&m, new_year, words);  // a clock that is behind
    assert_string_equal(words, "");
    // The run of 18Z has six hours: what is nearest to now at 01Z is an hour old.
    assert_true(fabs(mean(catalog, "latest", "nearest to now", new_year).stale_from - (new_year + 25 * hour)) < 1);
    assert_true(isinf(mean(catalog, "2020-01-01T18:00:00Z", "nearest to now", new_year).stale_from));
    catalog_unref(catalog);
}

static void test_the_rule_in_numbers(void **state) {
    (void)state;
    const struct pin_runs six = {.shown = 0, .interval = 6 * 3600, .delay = 7200}, one = {.shown = 0}, often = {.shown = 0, .interval = 600};
    assert_true(pin_stale_from(&six, 0) == 14 * hour);
    assert_true(pin_stale_from(&six, 1800) == 2.5 * hour);
    assert_true(pin_stale_from(&one, 0) == 24 * hour);
    assert_true(pin_stale_from(&often, 0) == 1 * hour);
}

static void test_ages_and_times_in_words(void **state) {
    static const struct { double seconds; const char *words; } ages[] = {{-5, "0 min"}, {0, "0 min"}, {1500, "25 min"}, {5399, "90 min"}, {5400, "2 h"},
                                                                         {50400, "14 h"}, {172799, "48 h"}, {172800, "2 days"}, {1e7, "116 days"}, {1e300, "999999 days"}};
    char age[PIN_AGE_TEXT], words[PIN_STALE_TEXT];
    (void)state;
    for (size_t n = 0; n < sizeof ages / sizeof *ages; n++) {
        pin_age_words(ages[n].seconds, age);
        assert_string_equal(age, ages[n].words);
    }
    pin_stale_words(new_year + 6 * hour, new_year + 20 * hour, words);
    assert_string_equal(words, "No new run since 06Z, 14 h ago");
    pin_stale_words(new_year + 6.5 * hour, new_year + 20 * hour, words);
    assert_string_equal(words, "No new run since 06:30Z, 14 h ago");
    pin_stale_words(new_year + 18 * hour, new_year + 25 * hour, words);
    assert_string_equal(words, "No new run since 1 Jan 18Z, 7 h ago");
    pin_stale_words(1e300, 0, words);  // nonsense is written somehow
    pin_stale_words(-1e300, 0, words);
}

static void test_what_was_written_long_after_says_nothing(void **state) {
    struct pin_runs runs;
    (void)state;
    make_folder("archive");
    write_run("archive/a.nc", 0, 0, 2, 5000);
    struct catalog *catalog = made_open("archive");
    assert_true(pin_runs_of(&catalog->datasets[0], 0, &runs));
    assert_true(runs.delay == 0 && runs.interval == 0 && runs.shown == new_year);
    catalog_unref(catalog);
}

static void test_it_is_told_as_json(void **state) {
    (void)state;
    const struct pin_live live = {.state = PIN_STALE, .shown = {"2020-01-01T00:00:00Z", "2020-01-01T06:00:00Z", 6, false, 13, 4}, .words = "old", .key = "0123", .drawn = new_year + 0.7};
    json_t *root = pin_live_json(&live);
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"drawn\":\"2020-01-01T00:00:00Z\",\"expected\":13,\"key\":\"0123\",\"lead_hours\":6.0,\"missing\":4,\"run\":\"2020-01-01T00:00:00Z\","
                              "\"run_complete\":false,\"state\":\"stale\",\"valid\":\"2020-01-01T06:00:00Z\",\"words\":\"old\"}");
    free(text);
    json_decref(root);
    root = pin_live_json(&(struct pin_live){0});
    assert_true(json_is_null(json_object_get(root, "run")) && json_is_null(json_object_get(root, "key")) && json_is_null(json_object_get(root, "lead_hours")));
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_latest_run_and_its_step_are_shown), cmocka_unit_test(test_nearest_to_now_changes_in_the_middle),
        cmocka_unit_test(test_what_is_not_there_is_said), cmocka_unit_test(test_a_key_stays_as_long_as_the_picture),
        cmocka_unit_test(test_stale_is_what_waits_for_longer_than_usual), cmocka_unit_test(test_the_rule_in_numbers),
        cmocka_unit_test(test_ages_and_times_in_words), cmocka_unit_test(test_what_was_written_long_after_says_nothing),
        cmocka_unit_test(test_it_is_told_as_json),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
