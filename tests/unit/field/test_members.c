// SPDX-License-Identifier: Apache-2.0
// Ensembles: members of one file and of many, their mean and their spread.
#include "made_file.h"

#include <sys/stat.h>

enum { MEMBERS = 5, LEVELS = 3, ROWS = 4, COLUMNS = 5, POINTS = LEVELS * ROWS * COLUMNS };

// A number with no pattern, from -50 to 50.
static float scatter(unsigned n) {
    n = (n + 1) * 2654435761u;
    n ^= n >> 15;
    n *= 2246822519u;
    return (float)(n >> 8) / 167772.16F - 50;
}

static void put_axes(int nc, int *d) {
    static const double heights[] = {10, 50, 200};
    d[0] = made_axis(nc, "height", LEVELS, heights, "height", "m");
    d[1] = made_even_axis(nc, "lat", ROWS, 50, 1, "latitude", "degrees_north");
    d[2] = made_even_axis(nc, "lon", COLUMNS, 0, 1, "longitude", "degrees_east");
}

static float member_value(size_t member, size_t point) { return 280 + scatter((unsigned)(member * 1000 + point)) / 10; }

// All in one file: member m lacks the point n where n % MEMBERS < m, so that 1 … 5 members are present.
static void write_ensemble(const char *name) {
    static const double labels[MEMBERS] = {0, 1, 2, 3, 4};
    static float data[MEMBERS * POINTS];
    int nc = made_create(name), d[4];
    d[0] = made_axis(nc, "realization", MEMBERS, labels, "realization", "1");
    put_axes(nc, d + 1);
    for (size_t m = 0; m < MEMBERS; m++)
        for (size_t n = 0; n < POINTS; n++) data[m * POINTS + n] = n % MEMBERS < m ? NAN : member_value(m, n);
    int v = made_var(nc, "ta", NC_FLOAT, 4, d, "air_temperature", "K");
    NC(nc_put_var_float(nc, v, data));
    v = made_var(nc, "u", NC_FLOAT, 4, d, "eastward_wind", "m s-1");
    NC(nc_put_var_float(nc, v, data));
    v = made_var(nc, "v", NC_FLOAT, 4, d, "northward_wind", "m s-1");
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
}

// By the textbook, two passes: what the members that are present say.
static double expected(const double *values, size_t count, bool spread) {
    double sum = 0, squares = 0;
    size_t present = 0;
    for (size_t m = 0; m < count; m++)
        if (!isnan(values[m])) sum += values[m], present++;
    if (2 * present < count || (spread && present < 2)) return NAN;
    for (size_t m = 0; m < count; m++)
        if (!isnan(values[m])) squares += (values[m] - sum / (double)present) * (values[m] - sum / (double)present);
    return spread ? sqrt(squares / (double)(present - 1)) : sum / (double)present;
}

static void assert_same(double a, double b) {
    if (isnan(a) != isnan(b) || fabs(a - b) > 1e-9) fail_msg("%.12g is not %.12g", a, b);
}

static void test_mean_and_spread_are_of_the_members_present(void **state) {
    (void)state;
    write_ensemble("ensemble.nc");
    struct catalog *cat = made_open("ensemble.nc");
    struct catalog_dataset *d = &cat->datasets[0];
    for (int spread = 0; spread < 2; spread++) {
        const struct field_ref field = {.dataset = d, .variable = made_variable(d, spread ? "ta_spread" : "ta_mean")};
        double *values = made_read(&field, 1 << 20);
        size_t absent = 0;
        for (size_t n = 0; n < POINTS; n++) {
            double of[MEMBERS];
            for (size_t m = 0; m < MEMBERS; m++) of[m] = n % MEMBERS < m ? NAN : (double)member_value(m, n);
            assert_same(values[n], expected(of, MEMBERS, spread));
            absent += isnan(values[n]);
        }
        assert_int_equal(absent, POINTS * 2 / MEMBERS);  // where one or two of five are present
        free(values);
    }
    catalog_unref(cat);
}

static void test_they_are_offered_for_what_they_are(void **state) {
    (void)state;
    write_ensemble("offered.nc");
    struct catalog *cat = made_open("offered.nc");
    struct catalog_dataset *d = &cat->datasets[0];
    const struct catalog_variable *mean = &d->variables[made_variable(d, "ta_mean")], *spread = &d->variables[made_variable(d, "ta_spread")];
    const struct catalog_variable *ta = &d->variables[made_variable(d, "ta")];
    assert_int_equal(ta->member_count, MEMBERS);
    assert_true(mean->derived && mean->member_count == 1 && strcmp(mean->members[0], "") == 0);
    assert_string_equal(mean->standard_name, "air_temperature");
    assert_string_equal(spread->standard_name, "");
    assert_string_equal(spread->units, "K");
    assert_string_equal(spread->long_name, "air temperature, standard deviation of 5 members (n - 1)");
    assert_true(mean->lattice.epsilon == ta->lattice.epsilon && spread->lattice.epsilon == ta->lattice.epsilon / 4 && spread->lattice.v0 == 0);
    made_variable(d, "wind_speed_mean");  // of derived variables too
    assert_int_equal(catalog_find_variable(d, "wind_from_direction_mean"), -1);
    assert_int_equal(catalog_find_variable(d, "wind_from_direction_spread"), -1);
    assert_int_equal(catalog_find_variable(d, "air_temperature"), -1);
    assert_int_equal(catalog_find_variable_named(d, "air_temperature"), made_variable(d, "ta"));  // the first of the two that have it
    assert_int_equal(catalog_find_variable_named(d, "ta_mean"), made_variable(d, "ta_mean"));
    assert_int_equal(catalog_find_variable_named(d, "air_pressure"), -1);
    char *json = catalog_to_json(cat);
    assert_non_null(strstr(json, "\"statistic\":\"spread\""));
    free(json);
    catalog_unref(cat);
}

static void test_speed_has_a_mean_of_its_own(void **state) {
    (void)state;
    write_ensemble("speed.nc");
    struct catalog *cat = made_open("speed.nc");
    struct catalog_dataset *d = &cat->datasets[0];
    const struct field_ref field = {.dataset = d, .variable = made_variable(d, "wind_speed_mean")};
    double *values = made_read(&field, 1 << 20);
    for (size_t n = 0; n < POINTS; n++) {
        double of[MEMBERS];
        for (size_t m = 0; m < MEMBERS; m++) of[m] = n % MEMBERS < m ? NAN : sqrt(2) * fabs((double)member_value(m, n));
        assert_same(values[n], expected(of, MEMBERS, false));
    }
    free(values);
    catalog_unref(cat);
}

// One file a member and hour: member 20 lacks the second hour.
static void write_member(int member, int hour) {
    char name[64];
    static float data[POINTS];
    int d[3];
    snprintf(name, sizeof name, "many/m%02d_%d.nc", member, hour);
    int nc = made_create(name);
    put_axes(nc, d);
    made_scalar(nc, "realization", member, "realization", "1");
    made_scalar(nc, "time", hour, "time", "hours since 2026-01-01");
    made_scalar(nc, "forecast_reference_time", 0, "forecast_reference_time", "hours since 2026-01-01");
    for (size_t n = 0; n < POINTS; n++) data[n] = member_value((size_t)(member + 100 * hour), n);
    int v = made_var(nc, "ta", NC_FLOAT, 3, d, "air_temperature", "K");
    made_text(nc, v, "coordinates", "realization time forecast_reference_time");
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
}

static void make_many(void) {
    const char *folder = made_path("many");
    char path[512];
    snprintf(path, sizeof path, "%s", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int m = 0; m < 3; m++)
        for (int h = 1; h < 3; h++)
            if (m < 2 || h < 2) write_member(10 * m, h);
}

static void test_one_file_a_member_is_one_dataset(void **state) {
    (void)state;
    make_many();
    struct catalog *cat = made_open("many");
    assert_int_equal(cat->dataset_count, 1);
    struct catalog_dataset *d = &cat->datasets[0];
    size_t ta = made_variable(d, "ta");
    assert_int_equal(d->variables[ta].member_count, 3);
    assert_string_equal(d->variables[ta].members[1], "10");
    assert_string_equal(d->variables[ta].members[2], "20");
    assert_int_equal(d->runs[0].series[ta].time_count, 2);
    for (size_t m = 0; m < 3; m++)
        for (size_t s = 0; s < 2; s++) {
            struct field_ref field = {.dataset = d, .variable = ta, .member = m, .step = s};
            double *values = made_read(&field, 1 << 20);
            for (size_t n = 0; n < POINTS; n++) assert_same(values[n], m == 2 && s == 1 ? NAN : (double)member_value(10 * m + 100 * (s + 1), n));
            free(values);
        }
    const struct field_ref mean = {.dataset = d, .variable = made_variable(d, "ta_mean"), .step = 1};
    double *values = made_read(&mean, 1 << 20);
    for (size_t n = 0; n < POINTS; n++) assert_same(values[n], ((double)member_value(200, n) + (double)member_value(210, n)) / 2);
    free(values);
    catalog_unref(cat);
}

// Files that say which member they are in ways of their own: a scalar that nothing names, an attribute of the whole file.
static void test_members_are_known_by_a_scalar_or_by_the_file(void **state) {
    static const char *const labels[] = {"r2i1p1f1", "r10i1p1f1"};
    (void)state;
    for (int way = 0; way < 2; way++) {
        const char *folder = made_path(way ? "cmip" : "unnamed");
        char path[512], name[64];
        snprintf(path, sizeof path, "%s", folder);
        assert_int_equal(mkdir(path, 0700), 0);
        for (int m = 0; m < 2; m++) {
            int d[3];
            snprintf(name, sizeof name, "%s/%d.nc", way ? "cmip" : "unnamed", m);
            int nc = made_create(name);
            put_axes(nc, d);
            if (way) made_text(nc, NC_GLOBAL, "variant_label", labels[m]);
            else made_scalar(nc, "realization", m, "realization", "1");
            made_var(nc, "ta", NC_FLOAT, 3, d, "air_temperature", "K");
            NC(nc_close(nc));
        }
        const char *opened = path;
        struct catalog *cat = made_open_paths(&opened, 1, NULL);
        assert_int_equal(cat->dataset_count, 1);
        const struct catalog_variable *ta = &cat->datasets[0].variables[made_variable(&cat->datasets[0], "ta")];
        assert_int_equal(ta->member_count, 2);
        assert_string_equal(ta->members[1], way ? labels[1] : "1");
        catalog_unref(cat);
    }
}

// The plain computation of a value at a place reads the same members.
static void test_samples_agree_with_fields(void **state) {
    static const char *const names[] = {"ta", "ta_mean", "ta_spread"};
    struct failure failure = {0};
    (void)state;
    const char *path = made_path("many");
    struct catalog *cat = made_open_paths(&path, 1, NULL);
    struct catalog_dataset *d = &cat->datasets[0];
    for (size_t v = 0; v < 3; v++)
        for (size_t s = 0; s < 2; s++) {
            struct field_ref field = {.dataset = d, .variable = made_variable(d, names[v]), .member = v == 0 ? 2 : 0, .step = s};
            double *values = made_read(&field, 1 << 20);
            for (size_t j = 0; j < ROWS; j++)
                for (size_t i = 0; i < COLUMNS; i++) {
                    struct source_profile profile;
                    if (catalog_profile_source(&field, (double)i, 50 + (double)j, &profile, &failure)) fail_msg("%s", failure.message);
                    for (size_t k = 0; k < LEVELS; k++) assert_same(profile.values[k], values[(k * ROWS + j) * COLUMNS + i]);
                    source_profile_destroy(&profile);
                }
            free(values);
        }
    catalog_unref(cat);
}

// Level heights of a mean are the mean of the members' geopotential heights.
static void test_a_mean_stands_at_mean_heights(void **state) {
    static const double labels[] = {0, 1}, levels[] = {100000, 50000};
    static float heights[2][2][ROWS * COLUMNS], data[2][2][ROWS * COLUMNS];
    int nc = made_create("heights.nc"), d[4];
    struct failure failure = {0};
    double value;
    (void)state;
    d[0] = made_axis(nc, "realization", 2, labels, "realization", "1");
    d[1] = made_axis(nc, "pressure", 2, levels, "air_pressure", "Pa");
    d[2] = made_even_axis(nc, "lat", ROWS, 50, 1, "latitude", "degrees_north");
    d[3] = made_even_axis(nc, "lon", COLUMNS, 0, 1, "longitude", "degrees_east");
    for (size_t n = 0; n < ROWS * COLUMNS; n++) {
        heights[0][0][n] = 100, heights[0][1][n] = 5000, heights[1][0][n] = 300, heights[1][1][n] = 5800;
        data[0][0][n] = data[1][0][n] = 280, data[0][1][n] = data[1][1][n] = 240;
    }
    int v = made_var(nc, "gh", NC_FLOAT, 4, d, "geopotential_height", "m");
    NC(nc_put_var_float(nc, v, &heights[0][0][0]));
    v = made_var(nc, "ta", NC_FLOAT, 4, d, "air_temperature", "K");
    NC(nc_put_var_float(nc, v, &data[0][0][0]));
    NC(nc_close(nc));
    struct catalog *cat = made_open("heights.nc");
    const struct field_ref field = {.dataset = &cat->datasets[0], .variable = made_variable(&cat->datasets[0], "ta_mean")};
    if (catalog_sample_source(&field, 1, 51, 2800, &value, &failure)) fail_msg("%s", failure.message);
    assert_same(value, 260);  // halfway from 200 to 5400
    catalog_unref(cat);
}

// As an engine gives them, computed on its cluster: then there are no others.
static void test_a_mean_that_is_stored_is_the_only_one(void **state) {
    (void)state;
    static const double labels[] = {0, 1};
    static float data[2 * POINTS];
    int nc = made_create("stored.nc"), d[4];
    d[0] = made_axis(nc, "realization", 2, labels, "realization", "1");
    put_axes(nc, d + 1);
    NC(nc_put_var_float(nc, made_var(nc, "ta", NC_FLOAT, 4, d, "air_temperature", "K"), data));
    NC(nc_put_var_float(nc, made_var(nc, "ta_mean", NC_FLOAT, 3, d + 1, "air_temperature", "K"), data));
    NC(nc_close(nc));
    struct catalog *cat = made_open("stored.nc");
    struct catalog_dataset *dataset = &cat->datasets[0];
    assert_false(dataset->variables[made_variable(dataset, "ta_mean")].derived);
    assert_int_equal(catalog_find_variable(dataset, "ta_mean_2"), -1);
    assert_true(dataset->variables[made_variable(dataset, "ta_spread")].derived);
    catalog_unref(cat);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean_and_spread_are_of_the_members_present),
        cmocka_unit_test(test_they_are_offered_for_what_they_are),
        cmocka_unit_test(test_speed_has_a_mean_of_its_own),
        cmocka_unit_test(test_a_mean_that_is_stored_is_the_only_one),
        cmocka_unit_test(test_one_file_a_member_is_one_dataset),
        cmocka_unit_test(test_members_are_known_by_a_scalar_or_by_the_file),
        cmocka_unit_test(test_samples_agree_with_fields),
        cmocka_unit_test(test_a_mean_stands_at_mean_heights),
    };
    return cmocka_run_group_tests_name("members", tests, made_begin, made_end);
}
