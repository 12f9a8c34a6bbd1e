// SPDX-License-Identifier: Apache-2.0
// Fields as stored, in every order and packing, come out x east, y north, z up, in their units, NaN where missing.
#include "made_order.h"

struct taken {
    size_t k, rows;
};

static void take_row(void *user, size_t j, const double *values) {
    struct taken *taken = user;
    for (size_t i = 0; i < NX; i++)
        if (values[i] != truth(i, j, taken->k)) fail_msg("column %zu of row %zu, level %zu, is %g instead of %g", i, j, taken->k, values[i], truth(i, j, taken->k));
    taken->rows++;
}

static void check_rows(const struct field_ref *field) {
    for (size_t k = 0; k < NZ; k++) {
        struct taken taken = {.k = k};
        const struct field_box level = {0, 0, k, NX, NY, 1}, two = {0, 0, 0, NX, NY, 2}, outside = {1, 0, k, NX, NY, 1};
        assert_int_equal(field_read_rows(field, &level, take_row, &taken, NULL), VIRGA_OK);
        assert_int_equal(taken.rows, NY);
        assert_int_equal(field_read_rows(field, &two, take_row, &taken, NULL), VIRGA_INVALID);
        assert_int_equal(field_read_rows(field, &outside, take_row, &taken, NULL), VIRGA_INVALID);
    }
}

static void check_order(const char *name, const struct order *o) {
    write_ordered(name, o);
    struct catalog *c = made_open(name);
    assert_int_equal(c->dataset_count, 1);
    struct field_ref field = {.dataset = &c->datasets[0]};
    static const size_t sizes[] = {1, 64, 500, 1 << 20};
    check_rows(&field);
    for (size_t s = 0; s < 4; s++) {
        double *values = made_read(&field, sizes[s]);
        for (size_t n = 0; n < NX * NY * NZ; n++) {
            double wanted = truth(n % NX, n / NX % NY, n / (NX * NY));
            if (values[n] != wanted) fail_msg("%s: voxel %zu is %g instead of %g", name, n, values[n], wanted);
        }
        free(values);
    }
    catalog_unref(c);
}

static void test_every_order_of_axes_is_normalised(void **state) {
    const struct order orders[] = {
        {false, false, {0, 1, 2, 3, 4, 5}, {0, 1, 2}, {0}},
        {false, true, {5, 4, 3, 2, 1, 0}, {0, 1, 2}, {0}},
        {true, true, {0, 1, 2, 3, 4, 5}, {0, 1, 2}, {2, 2, 3}},
        {true, false, {3, 0, 5, 1, 4, 2}, {0, 1, 2}, {2, 2, 3}},
        {false, true, {5, 4, 3, 2, 1, 0}, {0, 1, 2}, {4, 3, 4}},
        {false, true, {5, 4, 3, 0, 1, 2}, {2, 0, 1}, {2, 5, 7}},
        {true, true, {1, 0, 2, 3, 5, 4}, {1, 2, 0}, {1, 1, 1}},
        {false, false, {0, 1, 2, 3, 4, 5}, {2, 1, 0}, {6, 5, 7}},
    };
    (void)state;
    for (size_t n = 0; n < sizeof orders / sizeof *orders; n++) {
        char name[32];
        snprintf(name, sizeof name, "order%zu.nc", n);
        check_order(name, &orders[n]);
    }
}

// No stored chunk may have voxels in two boxes.
static void test_plans_never_split_a_chunk(void **state) {
    const struct order o = {true, true, {3, 2, 0, 1, 5, 4}, {0, 1, 2}, {2, 2, 3}};
    size_t count;
    struct field_box *boxes;
    (void)state;
    write_ordered("chunks.nc", &o);
    struct catalog *c = made_open("chunks.nc");
    struct field_ref field = {.dataset = &c->datasets[0]};
    for (size_t limit = 1; limit < 2000; limit = limit * 3 + 1) {
        int owner[3][3][3];
        memset(owner, -1, sizeof owner);
        assert_int_equal(field_plan(&field, limit, &boxes, &count, NULL), VIRGA_OK);
        for (size_t n = 0; n < count; n++)
            for (size_t k = boxes[n].z0; k < boxes[n].z0 + boxes[n].nz; k++)
                for (size_t j = boxes[n].y0; j < boxes[n].y0 + boxes[n].ny; j++)
                    for (size_t i = boxes[n].x0; i < boxes[n].x0 + boxes[n].nx; i++) {
                        int *mine = &owner[o.level[k] / 2][(NY - 1 - j) / 2][(NX - 1 - i) / 3];
                        if (*mine >= 0) assert_int_equal(*mine, (int)n);
                        *mine = (int)n;
                    }
        free(boxes);
    }
    catalog_unref(c);
}

// Inputs in unlike chunks: the derived field is still cut into pieces, each once.
static void test_derived_fields_of_unlike_chunks_are_cut(void **state) {
    (void)state;
    static const size_t levels[3] = {1, 300, 400}, rows[3] = {40, 1, 400};
    double lev[40];
    int dims[3], nc = made_create("unlike.nc");
    for (size_t k = 0; k < 40; k++) lev[k] = 1000 - 20 * (double)k;
    dims[0] = made_axis(nc, "lev", 40, lev, "air_pressure", "hPa");
    dims[1] = made_even_axis(nc, "lat", 300, 0, 0.1, "latitude", "degrees_north");
    dims[2] = made_even_axis(nc, "lon", 400, 0, 0.1, "longitude", "degrees_east");
    int u = made_var(nc, "u", NC_FLOAT, 3, dims, "eastward_wind", "m s-1"), v = made_var(nc, "v", NC_FLOAT, 3, dims, "northward_wind", "m s-1");
    NC(nc_def_var_chunking(nc, u, NC_CHUNKED, levels));
    NC(nc_def_var_chunking(nc, v, NC_CHUNKED, rows));
    NC(nc_close(nc));
    struct catalog *c = made_open("unlike.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "wind_speed")};
    struct field_box *boxes;
    size_t count, voxels = 0;
    assert_int_equal(field_plan(&field, 1 << 20, &boxes, &count, NULL), VIRGA_OK);
    for (size_t n = 0; n < count; n++) {
        assert_true(boxes[n].nx * boxes[n].ny * boxes[n].nz * sizeof(float) <= 32 << 20);
        voxels += boxes[n].nx * boxes[n].ny * boxes[n].nz;
    }
    assert_int_equal(voxels, 40 * 300 * 400);
    assert_true(count > 1);
    free(boxes);
    catalog_unref(c);
}

// --- packing and missing -----------------------------------------------------------------------------------------------

static int begin_flat(const char *name, int dims[2]) {
    int nc = made_create(name);
    dims[0] = made_even_axis(nc, "lat", 2, 0, 1, "latitude", "degrees_north");
    dims[1] = made_even_axis(nc, "lon", 4, 0, 1, "longitude", "degrees_east");
    return nc;
}

static void check_flat(const char *file, const char *variable, const double *wanted) {
    struct catalog *c = made_open(file);
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], variable)};
    double *values = made_read(&field, 1 << 20);
    for (size_t n = 0; n < 8; n++)
        if (isnan(wanted[n]) ? !isnan(values[n]) : values[n] != wanted[n]) fail_msg("%s: %zu is %.17g instead of %.17g", variable, n, values[n], wanted[n]);
    free(values);
    catalog_unref(c);
}

static void test_packed_shorts_are_unpacked(void **state) {
    static const short data[8] = {0, 1, -1, -32767, 32767, -32768, 100, -100};
    const double wanted[8] = {250, 250.25, 249.75, NAN, 250 + 32767 * 0.25, 250 - 32768 * 0.25, 275, 225};
    short fill = -32767;
    int dims[2], nc = begin_flat("packed.nc", dims), v = made_var(nc, "t", NC_SHORT, 2, dims, "air_temperature", "K");
    (void)state;
    NC(nc_put_att_short(nc, v, "_FillValue", NC_SHORT, 1, &fill));
    made_number(nc, v, "scale_factor", 0.25);
    made_number(nc, v, "add_offset", 250);
    NC(nc_put_var_short(nc, v, data));
    NC(nc_close(nc));
    check_flat("packed.nc", "t", wanted);
}

static void test_unsigned_bytes_in_signed_ones(void **state) {
    static const signed char data[8] = {0, 1, 127, -128, -2, -1, 5, 6};
    const double wanted[8] = {0, 0.5, 63.5, 64, 127, NAN, 2.5, 3};
    signed char fill = -1;
    int dims[2], nc = begin_flat("unsigned.nc", dims), v = made_var(nc, "rh", NC_BYTE, 2, dims, "relative_humidity", "%");
    (void)state;
    NC(nc_put_att_schar(nc, v, "_FillValue", NC_BYTE, 1, &fill));
    made_text(nc, v, "_Unsigned", "true");
    made_number(nc, v, "scale_factor", 0.5);
    NC(nc_put_var_schar(nc, v, data));
    NC(nc_close(nc));
    check_flat("unsigned.nc", "rh", wanted);
}

static void test_missing_values_of_either_type(void **state) {
    const float data[8] = {1, 1e20F, NAN, -999, 5, INFINITY, 9.9692099683868690e+36F, 8};
    const double wanted[8] = {1, NAN, NAN, NAN, 5, NAN, NAN, 8};
    const double list[2] = {1e20, -999};
    int dims[2], nc = begin_flat("missing.nc", dims), v = made_var(nc, "t", NC_FLOAT, 2, dims, "air_temperature", "K");
    (void)state;
    NC(nc_put_att_double(nc, v, "missing_value", NC_DOUBLE, 2, list));  // doubles for a float variable
    NC(nc_put_var_float(nc, v, data));
    const short shorts[8] = {1, -32767, 3, -9999, 5, 6, 7, 8};
    const double wanted_shorts[8] = {1, NAN, 3, NAN, 5, 6, 7, 8};
    int s = made_var(nc, "count", NC_SHORT, 2, dims, NULL, "1");
    made_number(nc, s, "missing_value", -9999);  // a double for a short one; the default fill is in force besides
    NC(nc_put_var_short(nc, s, shorts));
    NC(nc_close(nc));
    check_flat("missing.nc", "t", wanted);
    check_flat("missing.nc", "count", wanted_shorts);
}

// A range that lies: what is there is there.
static void test_valid_range_is_not_believed(void **state) {
    const float data[8] = {1, 2, 3, 4, 5, 6, 7, 8}, range[2] = {3, 4};
    const double wanted[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    int dims[2], nc = begin_flat("range.nc", dims), v = made_var(nc, "t", NC_FLOAT, 2, dims, "air_temperature", "K");
    (void)state;
    NC(nc_put_att_float(nc, v, "valid_range", NC_FLOAT, 2, range));
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
    check_flat("range.nc", "t", wanted);
}

static void test_every_number_type_is_read(void **state) {
    static const struct { nc_type type; const char *name; } types[] = {{NC_BYTE, "i8"}, {NC_UBYTE, "u8"}, {NC_SHORT, "i16"}, {NC_USHORT, "u16"}, {NC_INT, "i32"},
        {NC_UINT, "u32"}, {NC_INT64, "i64"}, {NC_UINT64, "u64"}, {NC_FLOAT, "f32"}, {NC_DOUBLE, "f64"}};
    const double data[8] = {0, 1, 2, 3, 100, 101, 126, 127};
    int dims[2], nc = begin_flat("types.nc", dims);
    (void)state;
    for (size_t n = 0; n < 10; n++) {
        int v = made_var(nc, types[n].name, types[n].type, 2, dims, NULL, "1");
        NC(nc_put_var_double(nc, v, data));
    }
    NC(nc_close(nc));
    for (size_t n = 0; n < 10; n++) check_flat("types.nc", types[n].name, data);
}

static void test_boxes_outside_are_refused(void **state) {
    double value;
    const struct order o = {false, false, {0, 1, 2, 3, 4, 5}, {0, 1, 2}, {0}};
    (void)state;
    write_ordered("outside.nc", &o);
    struct catalog *c = made_open("outside.nc");
    struct field_ref field = {.dataset = &c->datasets[0]}, absent = {.dataset = &c->datasets[0], .step = 1};
    const struct field_box bad[] = {{NX, 0, 0, 1, 1, 1}, {0, 0, NZ, 1, 1, 1}, {0, 0, 0, 0, 1, 1}, {SIZE_MAX, 0, 0, 1, 1, 1}, {1, 0, 0, SIZE_MAX, 1, 1}}, good = {0, 0, 0, 1, 1, 1};
    for (size_t n = 0; n < 5; n++) assert_int_equal(field_read(&field, &bad[n], &value, NULL), VIRGA_INVALID);
    assert_int_equal(field_read(&absent, &good, &value, NULL), VIRGA_NOT_FOUND);
    assert_int_equal(field_read(&field, &good, &value, NULL), VIRGA_OK);
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order_of_axes_is_normalised),
        cmocka_unit_test(test_plans_never_split_a_chunk),
        cmocka_unit_test(test_derived_fields_of_unlike_chunks_are_cut),
        cmocka_unit_test(test_packed_shorts_are_unpacked),
        cmocka_unit_test(test_unsigned_bytes_in_signed_ones),
        cmocka_unit_test(test_missing_values_of_either_type),
        cmocka_unit_test(test_valid_range_is_not_believed),
        cmocka_unit_test(test_every_number_type_is_read),
        cmocka_unit_test(test_boxes_outside_are_refused),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
