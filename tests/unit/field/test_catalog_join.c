// SPDX-License-Identifier: Apache-2.0
// Several catalogs as one: what they offer, under ids that are unique, for as long as the joined one is held.
#include "made_file.h"

static void write_file(const char *name, double base) {
    int nc = made_create(name), dims[2];
    float data[20];
    for (int n = 0; n < 20; n++) data[n] = (float)(base + n);
    dims[0] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    dims[1] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, "ts", NC_FLOAT, 2, dims, "surface_temperature", "K");
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
}

static double first_value(const struct catalog_dataset *d) {
    struct field_ref field = {.dataset = d, .variable = made_variable(d, "ts")};
    double value = NAN;
    struct failure failure = {0};
    assert_int_equal(field_read(&field, &(struct field_box){0, 0, 0, 1, 1, 1}, &value, &failure), VIRGA_OK);
    return value;
}

static void test_all_are_offered_and_held(void **state) {
    (void)state;
    write_file("one.nc", 280), write_file("two.nc", 290);
    struct catalog *parts[3] = {made_open("one.nc"), made_open("two.nc"), made_open("one.nc")}, *joined;
    struct failure failure = {0};
    assert_int_equal(catalog_join(parts, 3, &joined, &failure), VIRGA_OK);
    char first[256], edition[33];
    snprintf(first, sizeof first, "%s", parts[0]->datasets[0].id);
    snprintf(edition, sizeof edition, "%s", parts[0]->datasets[0].runs[0].series[0].edition);
    for (int n = 0; n < 3; n++) catalog_unref(parts[n]);  // the joined one keeps them
    assert_int_equal(joined->dataset_count, 3);
    char second[sizeof first + 2], again[sizeof first + 2];
    snprintf(second, sizeof second, "%s_2", first);  // ids derive from the folder
    snprintf(again, sizeof again, "%s_3", first);
    assert_string_equal(joined->datasets[0].id, first);
    assert_string_equal(joined->datasets[1].id, second);
    assert_string_equal(joined->datasets[2].id, again);
    assert_ptr_equal(catalog_find_dataset(joined, again), &joined->datasets[2]);
    assert_string_equal(joined->datasets[2].runs[0].series[0].edition, edition);  // the same bricks
    const double values[] = {280, 290, 280};
    for (int n = 0; n < 3; n++) assert_true(first_value(&joined->datasets[n]) == values[n]);
    char *json = catalog_to_json(joined);
    assert_non_null(json);
    assert_non_null(strstr(json, again));
    free(json);
    catalog_unref(joined);
}

static void test_a_joined_one_may_be_joined(void **state) {
    (void)state;
    write_file("same.nc", 270);
    struct catalog *one = made_open("same.nc"), *two, *four;
    struct failure failure = {0};
    assert_int_equal(catalog_join((struct catalog *[]){one, one}, 2, &two, &failure), VIRGA_OK);
    assert_int_equal(catalog_join((struct catalog *[]){two, two}, 2, &four, &failure), VIRGA_OK);
    catalog_unref(one), catalog_unref(two);
    assert_int_equal(four->dataset_count, 4);
    for (size_t n = 0; n < 4; n++)
        for (size_t m = 0; m < n; m++) assert_string_not_equal(four->datasets[n].id, four->datasets[m].id);
    assert_true(first_value(&four->datasets[3]) == 270);
    catalog_unref(four);
}

static void test_nothing_is_joined(void **state) {
    (void)state;
    struct catalog *joined;
    struct failure failure = {0};
    assert_int_equal(catalog_join(NULL, 0, &joined, &failure), VIRGA_OK);
    assert_int_equal(joined->dataset_count, 0);
    catalog_unref(joined);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_offered_and_held),
        cmocka_unit_test(test_a_joined_one_may_be_joined),
        cmocka_unit_test(test_nothing_is_joined),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
