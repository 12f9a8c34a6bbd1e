// SPDX-License-Identifier: Apache-2.0
// Which run and step a text of a map means, and lists of times as intervals.
#include "../field/made_file.h"

#include <sys/stat.h>

#include "server/map_times.h"

static const double new_year = 1577836800, hour = 3600;  // 2020-01-01T00Z

static void write_run(const char *name, double run, double first, size_t steps) {
    int nc = made_create(name), dims[3];
    float data[13 * 12];
    for (size_t n = 0; n < sizeof data / sizeof *data; n++) data[n] = (float)n;
    dims[0] = made_even_axis(nc, "time", steps, first, 1, "time", "hours since 2020-01-01");
    dims[1] = made_even_axis(nc, "lat", 3, 50, 1, "latitude", "degrees_north");
    dims[2] = made_even_axis(nc, "lon", 4, 0, 1, "longitude", "degrees_east");
    made_scalar(nc, "forecast_reference_time", run, "forecast_reference_time", "hours since 2020-01-01");
    NC(nc_put_var_float(nc, made_var(nc, "tas", NC_FLOAT, 3, dims, "air_temperature", "K"), data));
    NC(nc_put_var_float(nc, made_var(nc, "orog", NC_FLOAT, 2, dims + 1, "surface_altitude", "m"), data));
    NC(nc_close(nc));
}

// Runs of 00 and 06, twelve hours each.
static struct catalog *two_runs(void) {
    static int number;
    char folder[40], name[80];
    snprintf(folder, sizeof folder, "runs%d", number++);
    assert_int_equal(mkdir(made_path(folder), 0700), 0);
    snprintf(name, sizeof name, "%s/a.nc", folder);
    write_run(name, 0, 0, 13);
    snprintf(name, sizeof name, "%s/b.nc", folder);
    write_run(name, 6, 6, 13);
    return made_open(folder);
}

struct wanted { const char *run, *time; double now; int status; size_t of_run, step; bool run_said, time_said, exact; };

static void check(const struct catalog_dataset *dataset, const char *variable, struct wanted w) {
    struct map_time t;
    struct failure failure = {0};
    int status = map_times_find(dataset, (size_t)catalog_find_variable(dataset, variable), w.run, w.time, new_year + w.now * hour, &t, &failure);
    if (status != w.status) fail_msg("run=%s time=%s: %d, %s", w.run, w.time, status, failure.message);
    if (status) {
        assert_true(strlen(failure.message) > 20);
        return;
    }
    if (t.run != w.of_run || t.step != w.step || t.run_said != w.run_said || t.time_said != w.time_said || t.exact != w.exact)
        fail_msg("run=%s time=%s: run %zu step %zu said %d %d exact %d", w.run, w.time, t.run, t.step, t.run_said, t.time_said, t.exact);
}

static void test_runs_and_steps(void **state) {
    (void)state;
    static const struct wanted all[] = {
        {"", "", 8, VIRGA_OK, 1, 2, false, false, true},                        // nearest to now
        {"", "", 1000, VIRGA_OK, 1, 0, false, false, true},                     // long ago: the first
        {NULL, NULL, 8.2, VIRGA_OK, 1, 2, false, false, true},
        {"latest", "current", 9, VIRGA_OK, 1, 3, false, false, true},
        {"latest", "T+6", 0, VIRGA_OK, 1, 6, false, true, true},
        {"latest", "T 6", 0, VIRGA_OK, 1, 6, false, true, true},
        {"2020-01-01T00:00:00Z", "T+6", 0, VIRGA_OK, 0, 6, true, true, true},
        {"2020-01-01T00:00:00Z", "2020-01-01T06:00:00Z", 0, VIRGA_OK, 0, 6, true, true, true},
        {"", "2020-01-01T06:00:00Z", 0, VIRGA_OK, 1, 0, false, true, true},     // the latest has it
        {"", "2020-01-01T05:00:00Z", 0, VIRGA_OK, 0, 5, false, true, true},     // only the earlier has it
        {"", "2020-01-01T08:20:00Z", 0, VIRGA_OK, 1, 2, false, true, false},    // the nearest
        {"", "2020-01-01T18:29:00Z", 0, VIRGA_OK, 1, 12, false, true, false},
        {"", "2020-01-01T18:31:00Z", 0, VIRGA_NOT_FOUND, 0, 0, false, false, false},
        {"latest", "2020-01-01T05:00:00Z", 0, VIRGA_NOT_FOUND, 0, 0, false, false, false},
        {"2020-01-02T00:00:00Z", "", 0, VIRGA_NOT_FOUND, 0, 0, false, false, false},
        {"", "yesterday", 0, VIRGA_INVALID, 0, 0, false, false, false},
        {"", "T+6;x", 0, VIRGA_INVALID, 0, 0, false, false, false},
        {"", "T+nan", 0, VIRGA_INVALID, 0, 0, false, false, false},
        {"", "T+1e400", 0, VIRGA_INVALID, 0, 0, false, false, false},
    };
    struct catalog *catalog = two_runs();
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) check(&catalog->datasets[0], "tas", all[n]);
    catalog_unref(catalog);
}

static void test_what_has_no_time_is_there_at_any(void **state) {
    (void)state;
    struct catalog *catalog = two_runs();
    check(&catalog->datasets[0], "orog", (struct wanted){"", "2030-01-01T00:00:00Z", 0, VIRGA_OK, 1, 0, false, true, true});
    catalog_unref(catalog);
}

static void test_the_nearest_step(void **state) {
    (void)state;
    const struct catalog_time times[] = {{"", 0}, {"", 10}, {"", 30}};
    assert_int_equal(map_times_nearest(times, 3, -5), 0);
    assert_int_equal(map_times_nearest(times, 3, 4), 0);
    assert_int_equal(map_times_nearest(times, 3, 6), 1);
    assert_int_equal(map_times_nearest(times, 3, 10), 1);
    assert_int_equal(map_times_nearest(times, 3, 21), 2);
    assert_int_equal(map_times_nearest(times, 3, 1e9), 2);
    assert_int_equal(map_times_nearest(times, 1, 7), 0);
}

// "first:count/period" for each interval.
static void list(const double *seconds, size_t count, char *out) {
    struct catalog_time times[20] = {0};
    struct map_interval interval;
    size_t at = 0;
    *out = '\0';
    for (size_t n = 0; n < count; n++) times[n].seconds = seconds[n];
    while (map_times_next(times, count, &at, &interval)) sprintf(out + strlen(out), "%zu:%zu/%g ", interval.first, interval.count, interval.period);
}

static void test_intervals(void **state) {
    (void)state;
    char text[200];
    list(NULL, 0, text);
    assert_string_equal(text, "");
    list((double[]){5}, 1, text);
    assert_string_equal(text, "0:1/0 ");
    list((double[]){5, 6}, 2, text);
    assert_string_equal(text, "0:1/0 1:1/0 ");
    list((double[]){0, 1, 2, 3, 6, 9, 12, 100}, 8, text);
    assert_string_equal(text, "0:4/1 4:3/3 7:1/0 ");
    list((double[]){0, 1, 3, 6, 9}, 5, text);
    assert_string_equal(text, "0:1/0 1:1/0 2:3/3 ");
}

static void test_periods(void **state) {
    (void)state;
    static const struct { double seconds; const char *text; } all[] = {{3600, "PT1H"}, {86400, "P1D"}, {129600, "P1DT12H"}, {900, "PT15M"}, {0.5, "PT0.5S"}, {90, "PT1M30S"}, {0, "PT0S"}};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
        char text[MAP_TIMES_PERIOD];
        map_times_period(all[n].seconds, text);
        assert_string_equal(text, all[n].text);
    }
}

static void test_times_of_all_runs(void **state) {
    (void)state;
    struct catalog *catalog = two_runs();
    struct catalog_time *times;
    size_t count, at = 0;
    struct map_interval interval;
    assert_int_equal(map_times_all(&catalog->datasets[0], (size_t)catalog_find_variable(&catalog->datasets[0], "tas"), &times, &count), VIRGA_OK);
    assert_int_equal(count, 19);
    assert_string_equal(times[18].iso, "2020-01-01T18:00:00Z");
    assert_true(map_times_next(times, count, &at, &interval) && interval.count == 19 && interval.period == hour);
    free(times);
    catalog_unref(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs_and_steps), cmocka_unit_test(test_what_has_no_time_is_there_at_any), cmocka_unit_test(test_the_nearest_step),
                                       cmocka_unit_test(test_intervals), cmocka_unit_test(test_periods), cmocka_unit_test(test_times_of_all_runs)};
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
