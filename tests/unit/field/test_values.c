// SPDX-License-Identifier: Apache-2.0
// What a catalog says of values: notes where a file's own words do not fit them, and promises that can be kept.
#include "made_file.h"

enum { ROWS = 3, COLUMNS = 4, POINTS = ROWS * COLUMNS };

static int begin(const char *name, int *d) {
    int nc = made_create(name);
    d[0] = made_even_axis(nc, "lat", ROWS, 50, 1, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", COLUMNS, 0, 1, "longitude", "degrees_east");
    return nc;
}

static const struct catalog_variable *variable(const struct catalog *cat, const char *name) {
    return &cat->datasets[0].variables[made_variable(&cat->datasets[0], name)];
}

static void test_a_valid_range_that_lies_is_told(void **state) {
    static const double valid[] = {0, 5};
    double data[POINTS];
    int d[2], nc = begin("lies.nc", d);
    (void)state;
    for (int n = 0; n < POINTS; n++) data[n] = n == 0 ? NAN : n;  // 6 of 11 are above 5
    int v = made_var(nc, "lies", NC_DOUBLE, 2, d, NULL, "Bq m-3");
    NC(nc_put_att_double(nc, v, "valid_range", NC_DOUBLE, 2, valid));
    NC(nc_put_var_double(nc, v, data));
    v = made_var(nc, "tells", NC_DOUBLE, 2, d, NULL, "Bq m-3");
    made_number(nc, v, "valid_max", 11);
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
    const char *path = made_path("lies.nc");
    char folder[512];
    snprintf(folder, sizeof folder, "%s", made_path("lies_state"));
    for (int again = 0; again < 2; again++) {  // the second time from what is kept
        struct catalog *cat = made_open_paths(&path, 1, folder);
        const struct catalog_variable *lies = variable(cat, "lies");
        assert_string_equal(lies->note, "55 % of its first step is outside the valid range in its file, from 0 to 5; it is shown as stored");
        assert_null(variable(cat, "tells")->note);
        assert_true(variable(cat, "tells")->valid[1] == 11 && isinf(variable(cat, "tells")->valid[0]));
        struct field_ref field = {.dataset = &cat->datasets[0], .variable = made_variable(&cat->datasets[0], "lies")};
        double *values = made_read(&field, 1 << 20);
        for (int n = 1; n < POINTS; n++) assert_true(values[n] == n);
        free(values);
        char *json = catalog_to_json(cat);
        assert_non_null(strstr(json, "\"valid_range\":[0.0,5.0]"));
        assert_non_null(strstr(json, "\"valid_range\":[null,11.0]"));
        free(json);
        catalog_unref(cat);
    }
}

// Integers above 2^24 are rounded by float32: what is promised has room for that, and for nothing that is not needed.
static void test_wide_integers_are_promised_what_can_be_kept(void **state) {
    int small[POINTS], large[POINTS], d[2], nc = begin("wide.nc", d);
    unsigned long long huge[POINTS];
    (void)state;
    for (int n = 0; n < POINTS; n++) small[n] = n - 5, large[n] = 1000000000 + 7 * n, huge[n] = 1ull << 40;
    int v = made_var(nc, "small", NC_INT, 2, d, NULL, NULL);
    NC(nc_put_var_int(nc, v, small));
    v = made_var(nc, "large", NC_INT, 2, d, NULL, NULL);
    NC(nc_put_var_int(nc, v, large));
    v = made_var(nc, "packed", NC_INT, 2, d, NULL, "Bq m-3");
    made_number(nc, v, "scale_factor", 0.001);
    NC(nc_put_var_int(nc, v, small));
    v = made_var(nc, "huge", NC_UINT64, 2, d, NULL, NULL);
    NC(nc_put_var_ulonglong(nc, v, huge));
    NC(nc_close(nc));
    struct catalog *cat = made_open("wide.nc");
    assert_true(variable(cat, "small")->lattice.epsilon == 0.5 && variable(cat, "small")->lattice.step == 1);
    assert_true(variable(cat, "packed")->lattice.epsilon == 0.0005);
    double epsilon = variable(cat, "large")->lattice.epsilon;
    for (int n = 0; n < POINTS; n++) assert_true(fabs((double)(float)large[n] - large[n]) <= epsilon);
    assert_true(epsilon < 1000);
    const struct lattice_spec *far = &variable(cat, "huge")->lattice;
    assert_true(fabs((double)huge[0] - far->v0) / far->step < 1 << 30);  // has a place on the lattice
    catalog_unref(cat);
}

static void test_codes_are_said_to_be_codes(void **state) {
    static const double labels[] = {0, 1};
    static const signed char flags[] = {0, 1, 2};
    int d[3], nc = made_create("codes.nc");
    (void)state;
    d[0] = made_axis(nc, "realization", 2, labels, "realization", "1");
    d[1] = made_even_axis(nc, "lat", ROWS, 50, 1, "latitude", "degrees_north");
    d[2] = made_even_axis(nc, "lon", COLUMNS, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, "ptype", NC_BYTE, 3, d, NULL, "1");
    NC(nc_put_att_schar(nc, v, "flag_values", NC_BYTE, 3, flags));
    made_var(nc, "ta", NC_FLOAT, 3, d, "air_temperature", "K");
    NC(nc_close(nc));
    struct catalog *cat = made_open("codes.nc");
    assert_non_null(strstr(variable(cat, "ptype")->note, "codes"));
    assert_int_equal(catalog_find_variable(&cat->datasets[0], "ptype_mean"), -1);
    made_variable(&cat->datasets[0], "ta_mean");
    catalog_unref(cat);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_valid_range_that_lies_is_told),
        cmocka_unit_test(test_wide_integers_are_promised_what_can_be_kept),
        cmocka_unit_test(test_codes_are_said_to_be_codes),
    };
    return cmocka_run_group_tests_name("values", tests, made_begin, made_end);
}
