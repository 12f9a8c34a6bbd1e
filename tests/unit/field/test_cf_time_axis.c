// SPDX-License-Identifier: Apache-2.0
// Times in files: every arrangement of valid times, runs and forecast periods, and what is odd about some.
#include "made_file.h"

enum { NX = 3, NY = 2 };

static const char hours[] = "hours since 2026-01-01 00:00:00";

static int plane(int nc, int dims[2]) {
    dims[0] = made_even_axis(nc, "lat", NY, 10, 1, "latitude", "degrees_north");
    dims[1] = made_even_axis(nc, "lon", NX, 20, 1, "longitude", "degrees_east");
    return nc;
}

// A variable on leading dimensions and the plane whose value is the row-major number of the leading point.
static int put_numbered(int nc, const char *name, int rank, const int *leading, const int *horizontal) {
    int dims[8], v;
    size_t n[8], total = 1;
    for (int d = 0; d < rank; d++) {
        dims[d] = leading[d];
        NC(nc_inq_dimlen(nc, leading[d], &n[d]));
        total *= n[d];
    }
    dims[rank] = horizontal[0], dims[rank + 1] = horizontal[1];
    v = made_var(nc, name, NC_FLOAT, rank + 2, dims, "air_temperature", "K");
    float *data = malloc(total * NX * NY * sizeof *data);
    for (size_t at = 0; at < total * NX * NY; at++) data[at] = (float)(at / (NX * NY));
    NC(nc_put_var_float(nc, v, data));
    free(data);
    return v;
}

static double first_value(const struct catalog *c, size_t variable, size_t run, size_t step) {
    struct field_ref field = {.dataset = &c->datasets[0], .variable = variable, .run = run, .step = step};
    double *values = made_read(&field, 1 << 20), value = values[0], plain, lon = 20, lat = 10;
    free(values);
    assert_int_equal(catalog_sample_source(&field, lon, lat, 0, &plain, NULL), VIRGA_OK);
    assert_true(plain == value);
    return value;
}

struct expected { const char *run, *time; double value; };

static void check_steps(const struct catalog *c, const char *id, const struct expected *wanted, size_t count) {
    const struct catalog_dataset *d = &c->datasets[0];
    size_t variable = made_variable(d, id), at = 0;
    for (size_t r = 0; r < d->run_count; r++)
        for (size_t s = 0; s < d->runs[r].series[variable].time_count; s++, at++) {
            assert_true(at < count);
            assert_string_equal(d->runs[r].time.iso, wanted[at].run);
            assert_string_equal(d->runs[r].series[variable].times[s].iso, wanted[at].time);
            assert_true(first_value(c, variable, r, s) == wanted[at].value);
        }
    assert_int_equal(at, count);
}

static void test_forecast_periods_with_one_reference(void **state) {
    const double steps[] = {0, 3, 9};
    int xy[2], nc = plane(made_create("period.nc"), xy);
    (void)state;
    int t = made_axis(nc, "forecast_period", 3, steps, "forecast_period", "hours");
    made_scalar(nc, "forecast_reference_time", 6, "forecast_reference_time", hours);
    put_numbered(nc, "t", 1, &t, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("period.nc");
    const struct expected wanted[] = {{"2026-01-01T06:00:00Z", "2026-01-01T06:00:00Z", 0}, {"2026-01-01T06:00:00Z", "2026-01-01T09:00:00Z", 1},
                                      {"2026-01-01T06:00:00Z", "2026-01-01T15:00:00Z", 2}};
    check_steps(c, "t", wanted, 3);
    catalog_unref(c);
}

static void test_forecast_periods_without_reference_are_refused(void **state) {
    const double steps[] = {0, 3};
    int xy[2], nc = plane(made_create("lost_period.nc"), xy);
    (void)state;
    int t = made_axis(nc, "forecast_period", 2, steps, "forecast_period", "hours");
    put_numbered(nc, "t", 1, &t, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("lost_period.nc");
    assert_non_null(strstr(made_problem(c, "t")->reason, "forecast_reference_time"));
    catalog_unref(c);
}

static void write_runs(const char *name, bool two_dimensional, bool step_first) {
    const double runs[] = {0, 12}, periods[] = {0, 6, 12};
    int xy[2], nc = plane(made_create(name), xy);
    int r = made_axis(nc, "run", 2, runs, "forecast_reference_time", hours), s = made_dim(nc, "step", 3);
    int turned[] = {s, r}, straight[] = {r, s};
    const int *dims = step_first ? turned : straight;
    if (two_dimensional) {
        int v = made_var(nc, "valid_time", NC_DOUBLE, 2, dims, "time", hours);
        double times[6];
        for (int at = 0; at < 6; at++) times[at] = step_first ? runs[at % 2] + periods[at / 2] : runs[at / 3] + periods[at % 3];
        NC(nc_put_var_double(nc, v, times));
    } else {
        int v = made_var(nc, "step", NC_DOUBLE, 1, &s, "forecast_period", "h");
        NC(nc_put_var_double(nc, v, periods));
    }
    put_numbered(nc, "t", 2, dims, xy);
    NC(nc_close(nc));
}

static void test_several_runs_in_one_file(void **state) {
    static const struct { const char *name; bool two, turned; } files[] = {{"fmrc.nc", true, false}, {"fmrc_turned.nc", true, true}, {"fmrc_period.nc", false, false}};
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        write_runs(files[f].name, files[f].two, files[f].turned);
        struct catalog *c = made_open(files[f].name);
        struct expected wanted[6];
        static const char *const starts[] = {"2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z"},
                          *const times[] = {"2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z", "2026-01-01T12:00:00Z", "2026-01-01T18:00:00Z", "2026-01-02T00:00:00Z"};
        for (int n = 0; n < 6; n++) wanted[n] = (struct expected){starts[n / 3], times[n % 3 + 2 * (n / 3)], files[f].turned ? n % 3 * 2 + n / 3 : n};
        check_steps(c, "t", wanted, 6);
        catalog_unref(c);
    }
}

// THREDDS writes each time as one of a run, also where there is one run.
static void test_a_single_run_on_an_axis_of_its_own(void **state) {
    const double start = 12, times[] = {15, 18, 21};
    int xy[2], nc = plane(made_create("reftime.nc"), xy);
    int r = made_axis(nc, "reftime", 1, &start, "forecast_reference_time", hours), s = made_dim(nc, "time1", 3), dims[] = {r, s};
    int v = made_var(nc, "time1", NC_DOUBLE, 2, dims, "time", hours);
    (void)state;
    NC(nc_put_var_double(nc, v, times));
    put_numbered(nc, "t", 2, dims, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("reftime.nc");
    const struct expected wanted[] = {{"2026-01-01T12:00:00Z", "2026-01-01T15:00:00Z", 0}, {"2026-01-01T12:00:00Z", "2026-01-01T18:00:00Z", 1},
                                      {"2026-01-01T12:00:00Z", "2026-01-01T21:00:00Z", 2}};
    check_steps(c, "t", wanted, 3);
    catalog_unref(c);
}

// xarray's: starts of runs are "time", and leads of them have a unit and a name, but no standard name.
static void test_leads_by_habit(void **state) {
    static const struct { const char *file, *name; bool scalar; } kinds[] = {
        {"leads.nc", "prediction_timedelta", false}, {"leads_step.nc", "step", false}, {"leads_scalar.nc", "lead_time", true}};
    const double starts[] = {0, 12}, leads[] = {0, 6, 12};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int xy[2], nc = plane(made_create(kinds[k].file), xy), dims[2], rank = 0;
        if (kinds[k].scalar) made_scalar(nc, "time", 12, NULL, hours);
        else dims[rank++] = made_axis(nc, "time", 2, starts, NULL, hours);
        dims[rank++] = made_axis(nc, kinds[k].name, 3, leads, NULL, "hours");
        put_numbered(nc, "t", rank, dims, xy);
        NC(nc_close(nc));
        struct catalog *c = made_open(kinds[k].file);
        const struct expected wanted[] = {{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 0}, {"2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z", 1},
                                          {"2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z", 2}, {"2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z", kinds[k].scalar ? 0 : 3},
                                          {"2026-01-01T12:00:00Z", "2026-01-01T18:00:00Z", kinds[k].scalar ? 1 : 4}, {"2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z", kinds[k].scalar ? 2 : 5}};
        if (kinds[k].scalar) check_steps(c, "t", wanted + 3, 3);
        else check_steps(c, "t", wanted, 6);
        catalog_unref(c);
    }
}

// Dates beside hours that have none, in a batch of one, as data sets to train models with have them.
static void test_dates_beside_bare_hours(void **state) {
    const double leads[] = {0, 6, 12}, dates[] = {24, 30, 36};
    int xy[2], nc = plane(made_create("batch.nc"), xy), b = made_dim(nc, "batch", 1), t = made_axis(nc, "time", 3, leads, NULL, "hours"), dims[] = {b, t};
    int v = made_var(nc, "datetime", NC_DOUBLE, 2, dims, NULL, hours);
    (void)state;
    NC(nc_put_var_double(nc, v, dates));
    put_numbered(nc, "t", 2, dims, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("batch.nc");
    const struct expected wanted[] = {{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 0}, {"2026-01-01T00:00:00Z", "2026-01-02T06:00:00Z", 1},
                                      {"2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z", 2}};
    check_steps(c, "t", wanted, 3);
    catalog_unref(c);
}

static void test_dates_as_text(void **state) {
    static const char texts[3][19] = {{"2005-08-28_12:00:00"}, {"2005-08-28_15:00:00"}, {"2005-08-29_00:00:00"}};
    int xy[2], nc = plane(made_create("text.nc"), xy), letters = made_dim(nc, "DateStrLen", 19), t = made_dim(nc, "Time", 3), v;
    const int dims[] = {t, letters};
    (void)state;
    NC(nc_def_var(nc, "Times", NC_CHAR, 2, dims, &v));
    NC(nc_put_var_text(nc, v, &texts[0][0]));
    put_numbered(nc, "t", 1, &t, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("text.nc");
    const struct expected wanted[] = {{"2005-08-28T12:00:00Z", "2005-08-28T12:00:00Z", 0}, {"2005-08-28T12:00:00Z", "2005-08-28T15:00:00Z", 1},
                                      {"2005-08-28T12:00:00Z", "2005-08-29T00:00:00Z", 2}};
    check_steps(c, "t", wanted, 3);
    catalog_unref(c);
}

// Out of order, twice, and missing: sorted, and said.
static void test_odd_times_are_sorted_and_said(void **state) {
    const double times[] = {12, 6, 6, -1, 0}, missing = -1;
    int xy[2], nc = plane(made_create("odd.nc"), xy), v;
    (void)state;
    int t = made_axis(nc, "time", 5, times, "time", hours);
    NC(nc_inq_varid(nc, "time", &v));
    NC(nc_put_att_double(nc, v, "missing_value", NC_DOUBLE, 1, &missing));
    put_numbered(nc, "t", 1, &t, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("odd.nc");
    const struct expected wanted[] = {{"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 4}, {"2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z", 1},
                                      {"2026-01-01T00:00:00Z", "2026-01-01T12:00:00Z", 0}};
    check_steps(c, "t", wanted, 3);
    assert_string_equal(c->datasets[0].variables[0].note, "1 of its 5 times are missing or no dates: these steps are left out; 1 of its 5 times stand there twice: the first of each is shown");
    catalog_unref(c);
}

// Days since 1900 in single precision are minutes off: hours were meant. Uneven ones are left as stored.
static void test_single_precision_is_rounded_to_what_was_meant(void **state) {
    const float days[] = {44000 + 1 / 24.F, 44000 + 7 / 24.F, 44000.5F};
    int xy[2], nc = plane(made_create("single.nc"), xy), t = made_dim(nc, "time", 3);
    (void)state;
    int v = made_var(nc, "time", NC_FLOAT, 1, &t, "time", "days since 1900-01-01");
    NC(nc_put_var_float(nc, v, days));
    put_numbered(nc, "t", 1, &t, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open("single.nc");
    const struct catalog_series *series = &c->datasets[0].runs[0].series[0];
    assert_string_equal(series->times[0].iso, "2020-06-20T01:00:00Z");
    assert_string_equal(series->times[1].iso, "2020-06-20T07:00:00Z");
    assert_string_equal(series->times[2].iso, "2020-06-20T12:00:00Z");
    catalog_unref(c);
}

// time: the label, or NULL where it is refused; reason: why, or what is noted, or NULL.
static void check_units(const char *name, const char *calendar, const char *units, double value, const char *time, const char *reason) {
    int xy[2], nc = plane(made_create(name), xy), v;
    int t = made_axis(nc, "time", 1, &value, "time", units);
    NC(nc_inq_varid(nc, "time", &v));
    if (calendar) made_text(nc, v, "calendar", calendar);
    put_numbered(nc, "t", 1, &t, xy);
    NC(nc_close(nc));
    struct catalog *c = made_open(name);
    if (time) assert_string_equal(c->datasets[0].runs[0].series[0].times[0].iso, time);
    const char *said = time ? c->datasets[0].variables[0].note : c->problem_count > 0 ? c->problems[0].reason : NULL;
    if (reason ? !said || !strstr(said, reason) : said != NULL) fail_msg("%s: %s", units, said ? said : "nothing said");
    assert_int_equal(c->problem_count, time ? 0 : 1);
    catalog_unref(c);
}

static void test_what_is_refused_or_said(void **state) {
    (void)state;
    check_units("none.nc", "none", "days since 2000-01-01", 1, NULL, "\"none\"");
    check_units("zero.nc", "standard", "days since 0000-01-01", 1, NULL, "year 0");
    check_units("zero_noleap.nc", "noleap", "days since 0000-01-01", 730001, "2000-01-02T00:00:00Z", NULL);
    check_units("months.nc", NULL, "months since 2000-01-01", 1, "2000-01-31T10:29:03.831Z", "UDUNITS");
    check_units("months360.nc", "360_day", "months since 2000-01-01", 1, "2000-02-01T00:00:00Z", NULL);
    check_units("tai.nc", "tai", "seconds since 2000-01-01", 60, "2000-01-01T00:01:00Z", "leap seconds");
    check_units("dates.nc", "proleptic_gregorian", "day as %Y%m%d.%f", 20051128.5, "2005-11-28T12:00:00Z", NULL);
    check_units("nonsense.nc", NULL, "fathoms since 2000-01-01", 1, NULL, "not understood");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forecast_periods_with_one_reference),
        cmocka_unit_test(test_forecast_periods_without_reference_are_refused),
        cmocka_unit_test(test_several_runs_in_one_file),
        cmocka_unit_test(test_a_single_run_on_an_axis_of_its_own),
        cmocka_unit_test(test_leads_by_habit),
        cmocka_unit_test(test_dates_beside_bare_hours),
        cmocka_unit_test(test_dates_as_text),
        cmocka_unit_test(test_odd_times_are_sorted_and_said),
        cmocka_unit_test(test_single_precision_is_rounded_to_what_was_meant),
        cmocka_unit_test(test_what_is_refused_or_said),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
