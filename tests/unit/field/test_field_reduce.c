// SPDX-License-Identifier: Apache-2.0
// Blocks reduced where they are stored are what one makes of the whole field: means within rounding; least, most and count exactly. On every
// kind of file, order, packing and block; and where that cannot be, it is said.
#include "made_order.h"

#include <sys/stat.h>

#include "field/field_reduce.h"

enum { MOST_VOXELS = 1 << 20 };

struct reduced { size_t n[3]; double *numbers[4]; };  // mean, least, most, count

static void reduced_new(struct reduced *r, const struct catalog_variable *v, const uint32_t block[3]) {
    const size_t n[3] = {v->nx, v->ny, v->nz};
    for (int a = 0; a < 3; a++) r->n[a] = (n[a] + block[a] - 1) / block[a];
    for (int q = 0; q < 4; q++) r->numbers[q] = calloc(r->n[0] * r->n[1] * r->n[2], sizeof(double));
}

static void reduced_free(struct reduced *r) {
    for (int q = 0; q < 4; q++) free(r->numbers[q]);
}

static void reduce_by_hand(const double *values, const struct catalog_variable *v, const uint32_t block[3], struct reduced *r) {
    const size_t total = r->n[0] * r->n[1] * r->n[2];
    for (size_t b = 0; b < total; b++) r->numbers[0][b] = 0, r->numbers[1][b] = INFINITY, r->numbers[2][b] = -INFINITY;
    for (size_t k = 0, n = 0; k < v->nz; k++)
        for (size_t j = 0; j < v->ny; j++)
            for (size_t i = 0; i < v->nx; i++, n++) {
                const size_t b = (k / block[2] * r->n[1] + j / block[1]) * r->n[0] + i / block[0];
                if (isnan(values[n])) continue;
                r->numbers[0][b] += values[n];
                if (values[n] < r->numbers[1][b]) r->numbers[1][b] = values[n];
                if (values[n] > r->numbers[2][b]) r->numbers[2][b] = values[n];
                r->numbers[3][b]++;
            }
    for (size_t b = 0; b < total; b++) {
        const double count = r->numbers[3][b];
        r->numbers[0][b] /= count;  // NaN where there is none
        if (count == 0) r->numbers[1][b] = r->numbers[2][b] = NAN;
    }
}

// The whole field by a plan whose boxes must cover it once.
static int reduce_by_plan(const struct field_ref *field, const uint32_t block[3], size_t max_blocks, struct reduced *r, struct failure *failure) {
    struct field_box *boxes;
    size_t count, total = r->n[0] * r->n[1] * r->n[2];
    int status = field_reduce_plan(field, block, max_blocks, &boxes, &count, failure);
    if (status) return status;
    double *part[4];
    char *seen = calloc(total, 1);
    for (int q = 0; q < 4; q++) part[q] = malloc(total * sizeof(double));
    for (size_t n = 0; n < count && !status; n++) {
        const struct field_box *b = &boxes[n];
        assert_true(b->nx * b->ny * b->nz <= (max_blocks > 1 ? max_blocks : 1));
        status = field_reduce(field, block, b, &(struct field_blocks){part[0], part[1], part[2], part[3]}, failure);
        for (size_t k = 0, m = 0; k < b->nz && !status; k++)
            for (size_t j = 0; j < b->ny; j++)
                for (size_t i = 0; i < b->nx; i++, m++) {
                    const size_t at = ((b->z0 + k) * r->n[1] + b->y0 + j) * r->n[0] + b->x0 + i;
                    for (int q = 0; q < 4; q++) r->numbers[q][at] = part[q][m];
                    seen[at]++;
                }
    }
    for (size_t n = 0; n < total && !status; n++) assert_int_equal(seen[n], 1);
    for (int q = 0; q < 4; q++) free(part[q]);
    free(seen);
    free(boxes);
    return status;
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

static void check_same(const char *what, const struct reduced *got, const struct reduced *wanted) {
    for (size_t n = 0; n < wanted->n[0] * wanted->n[1] * wanted->n[2]; n++) {
        for (int q = 1; q < 4; q++)
            if (!same(got->numbers[q][n], wanted->numbers[q][n]))
                fail_msg("%s: block %zu: number %d is %.17g, not %.17g", what, n, q, got->numbers[q][n], wanted->numbers[q][n]);
        const double mean = wanted->numbers[0][n], scale = fmax(fabs(wanted->numbers[1][n]), fabs(wanted->numbers[2][n]));
        if (!same(got->numbers[0][n], mean) && !(fabs(got->numbers[0][n] - mean) <= 1e-12 * scale + 1e-300))
            fail_msg("%s: block %zu: the mean is %.17g, not %.17g", what, n, got->numbers[0][n], mean);
    }
}

// Whether the field could be reduced at all.
static bool check_field(const char *what, const struct field_ref *field) {
    static const uint32_t blocks[][3] = {{1, 1, 1}, {2, 2, 1}, {2, 2, 2}, {4, 4, 1}, {3, 2, 4}, {8, 8, 2}, {1 << 20, 1 << 20, 1 << 20}};
    static const size_t limits[] = {1 << 20, 100, 1};
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    struct failure failure = {0};
    double *values = NULL;
    bool supported = true;
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks && supported; b++) {
        struct reduced got, wanted;
        reduced_new(&got, v, blocks[b]);
        reduced_new(&wanted, v, blocks[b]);
        const size_t total = got.n[0] * got.n[1] * got.n[2];
        for (size_t l = 0; l < sizeof limits / sizeof *limits && supported; l++) {
            if (total / limits[l] > 200) continue;
            int status = reduce_by_plan(field, blocks[b], limits[l], &got, &failure);
            supported = status != VIRGA_UNSUPPORTED;
            if (!supported) continue;
            if (status) fail_msg("%s: %s", what, failure.message);
            if (!values) values = made_read(field, 16 << 20);
            if (l == 0) reduce_by_hand(values, v, blocks[b], &wanted);
            check_same(what, &got, &wanted);
        }
        reduced_free(&got);
        reduced_free(&wanted);
    }
    free(values);
    return supported;
}

struct tally { size_t reduced, computed, others; };

static void check_variable(const struct catalog_dataset *d, size_t variable, struct tally *tally) {
    const struct catalog_variable *v = &d->variables[variable];
    struct field_ref field = {.dataset = d, .variable = variable, .run = d->run_count - 1};
    const struct catalog_series *series = &d->runs[field.run].series[variable];
    if (v->nx * v->ny * v->nz > MOST_VOXELS || !series->present || !series->time_count) return;
    const size_t last[2] = {series->time_count - 1, v->member_count - 1};
    for (int end = 0; end < 2; end++) {
        field.step = end ? last[0] : 0;
        field.member = end ? last[1] : 0;
        const bool reduced = check_field(v->id, &field);
        const bool computed = catalog_is_derived(v);
        if (reduced) tally->reduced++;
        else if (computed) tally->computed++;
        else tally->others++;
        if (v->derived) assert_false(reduced);
        if (last[0] == 0 && last[1] == 0) break;
    }
}

static void check_path(const char *path, struct tally *tally) {
    struct catalog *c = made_open_paths(&path, 1, NULL);
    for (size_t d = 0; d < c->dataset_count; d++)
        for (size_t v = 0; v < c->datasets[d].variable_count; v++) check_variable(&c->datasets[d], v, tally);
    catalog_unref(c);
}

static void check_file(const char *name, struct tally *tally) { check_path(made_path(name), tally); }

// --- every order, packing and missing number ---------------------------------------------------------------------------------

static void test_every_order_of_axes(void **state) {
    const struct order orders[] = {
        {false, false, {0, 1, 2, 3, 4, 5}, {0, 1, 2}, {0}},
        {false, true, {5, 4, 3, 2, 1, 0}, {0, 1, 2}, {0}},
        {true, true, {0, 1, 2, 3, 4, 5}, {0, 1, 2}, {2, 2, 3}},
        {true, false, {3, 0, 5, 1, 4, 2}, {0, 1, 2}, {2, 2, 3}},
        {false, true, {5, 4, 3, 0, 1, 2}, {2, 0, 1}, {2, 5, 7}},
        {true, true, {1, 0, 2, 3, 5, 4}, {1, 2, 0}, {1, 1, 1}},
        {false, false, {0, 1, 2, 5, 4, 3}, {2, 1, 0}, {6, 5, 7}},
    };
    (void)state;
    for (size_t n = 0; n < sizeof orders / sizeof *orders; n++) {
        char name[32];
        struct tally tally = {0};
        snprintf(name, sizeof name, "order%zu.nc", n);
        write_ordered(name, &orders[n]);
        check_file(name, &tally);
        assert_int_equal(tally.reduced, 1);
    }
}

static int begin_plane(const char *name, int dims[2]) {
    int nc = made_create(name);
    dims[0] = made_even_axis(nc, "lat", 6, 50, -1, "latitude", "degrees_north");
    dims[1] = made_even_axis(nc, "lon", 7, 0, 1, "longitude", "degrees_east");
    return nc;
}

// int16 with `count` numbers that mean missing, some of which are there.
static void write_packed(const char *name, double scale, int count, bool default_fill) {
    short missing[8] = {-999, 7, 11, -32000, 12, 13, 14, 15}, data[42];
    int dims[2], nc = begin_plane(name, dims);
    for (int n = 0; n < 42; n++) data[n] = (short)(n * n - 30 * n);
    data[0] = data[1] = data[7] = data[8] = -999, data[20] = 7, data[21] = 11, data[41] = -32000;
    int v = made_var(nc, "ts", NC_SHORT, 2, dims, "surface_temperature", "K");
    if (!default_fill) NC(nc_put_att_short(nc, v, "_FillValue", NC_SHORT, 1, missing));
    if (count > 0) NC(nc_put_att_short(nc, v, "missing_value", NC_SHORT, (size_t)count, missing));
    made_number(nc, v, "scale_factor", scale);
    made_number(nc, v, "add_offset", 250);
    NC(nc_put_var_short(nc, v, data));
    NC(nc_close(nc));
}

static void test_packing_and_missing_numbers(void **state) {
    (void)state;
    struct tally tally = {0};
    write_packed("scale.nc", 0.01, 0, false);
    write_packed("falls.nc", -0.25, 2, false);    // least and most change places
    write_packed("four.nc", 0.125, 4, false);     // one of them is the _FillValue too
    write_packed("default.nc", 0.5, 3, true);     // never written: netCDF's own
    check_file("scale.nc", &tally), check_file("falls.nc", &tally), check_file("four.nc", &tally), check_file("default.nc", &tally);
    assert_int_equal(tally.reduced, 4);
}

static void test_what_a_source_cannot_be_told_is_said(void **state) {
    (void)state;
    struct tally tally = {0};
    write_packed("five.nc", 0.01, 5, false);
    check_file("five.nc", &tally);
    int dims[2], nc = begin_plane("unsigned.nc", dims);
    signed char data[42];
    for (int n = 0; n < 42; n++) data[n] = (signed char)(n * 6);
    int v = made_var(nc, "ts", NC_BYTE, 2, dims, "surface_temperature", "K");
    made_text(nc, v, "_Unsigned", "true");
    NC(nc_put_var_schar(nc, v, data));
    NC(nc_close(nc));
    check_file("unsigned.nc", &tally);
    assert_int_equal(tally.others, 2);
    assert_int_equal(tally.reduced, 0);
}

static void test_floats_that_are_no_values(void **state) {
    (void)state;
    struct tally tally = {0};
    float data[42];
    int dims[2], nc = begin_plane("floats.nc", dims);
    for (int n = 0; n < 42; n++) data[n] = 270 + (float)n / 7;
    data[0] = NAN, data[1] = INFINITY, data[2] = -INFINITY, data[3] = 1e20f, data[4] = -9999.9f;
    int v = made_var(nc, "ts", NC_FLOAT, 2, dims, "surface_temperature", "K");
    made_number(nc, v, "missing_value", 1e20);   // a double beside floats
    NC(nc_put_att_double(nc, v, "_FillValue", NC_FLOAT, 1, &(double){-9999.9}));
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
    check_file("floats.nc", &tally);
    assert_int_equal(tally.reduced, 1);
}

// Blocks of chunks: no box has part of a chunk while whole chunks are within the limit.
static void test_plans_follow_chunks(void **state) {
    (void)state;
    const struct order o = {true, true, {5, 4, 3, 2, 1, 0}, {0, 1, 2}, {2, 4, 7}};
    write_ordered("chunks.nc", &o);
    struct catalog *c = made_open("chunks.nc");
    const struct field_ref field = {.dataset = &c->datasets[0]};
    struct field_box *boxes;
    size_t count;
    assert_int_equal(field_reduce_plan(&field, (const uint32_t[3]){2, 1, 2}, 4 * 4, &boxes, &count, NULL), VIRGA_OK);
    assert_true(count > 1);
    for (size_t n = 0; n < count; n++) assert_true((boxes[n].y0 == 0 && boxes[n].ny <= 1) || (boxes[n].y0 == 1 && boxes[n].ny == 4));  // rows 4 | 3 2 1 0 as stored
    free(boxes);
    catalog_unref(c);
}

static void test_what_nobody_waits_for_is_not_read(void **state) {
    (void)state;
    write_packed("stop.nc", 0.01, 0, false);
    struct catalog *c = made_open("stop.nc");
    atomic_bool stop = true;
    struct field_ref field = {.dataset = &c->datasets[0], .stop = &stop};
    double numbers[4][42];
    struct failure failure = {0};
    assert_int_equal(field_reduce(&field, (const uint32_t[3]){7, 6, 1}, &(struct field_box){0, 0, 0, 1, 1, 1},
                                  &(struct field_blocks){numbers[0], numbers[1], numbers[2], numbers[3]}, &failure), VIRGA_CANCELLED);
    assert_int_equal(field_read(&field, &(struct field_box){0, 0, 0, 7, 6, 1}, numbers[0], &failure), VIRGA_CANCELLED);
    stop = false;
    assert_int_equal(field_read(&field, &(struct field_box){0, 0, 0, 7, 6, 1}, numbers[0], &failure), VIRGA_OK);
    catalog_unref(c);
}

static void test_boxes_are_checked(void **state) {
    (void)state;
    write_packed("checked.nc", 0.01, 0, false);
    struct catalog *c = made_open("checked.nc");
    struct field_ref field = {.dataset = &c->datasets[0]};
    double numbers[4][42];
    const struct field_blocks blocks = {numbers[0], numbers[1], numbers[2], numbers[3]};
    const uint32_t block[3] = {2, 2, 1}, none[3] = {0, 1, 1};
    assert_int_equal(field_reduce(&field, block, &(struct field_box){0, 0, 0, 5, 3, 1}, &blocks, NULL), VIRGA_INVALID);
    assert_int_equal(field_reduce(&field, block, &(struct field_box){4, 0, 0, 1, 3, 1}, &blocks, NULL), VIRGA_INVALID);
    assert_int_equal(field_reduce(&field, block, &(struct field_box){SIZE_MAX, 0, 0, 2, 1, 1}, &blocks, NULL), VIRGA_INVALID);
    assert_int_equal(field_reduce(&field, none, &(struct field_box){0, 0, 0, 1, 1, 1}, &blocks, NULL), VIRGA_INVALID);
    field.step = 9;
    assert_int_equal(field_reduce(&field, block, &(struct field_box){0, 0, 0, 1, 1, 1}, &blocks, NULL), VIRGA_NOT_FOUND);
    catalog_unref(c);
}

// --- files of every kind -----------------------------------------------------------------------------------------------------

static void test_every_kind_of_made_file(void **state) {
    (void)state;
    static const char script[] =
        "import sys; sys.path.insert(0, sys.argv[1]); folder = sys.argv[2]; import make_files as m, wrf_files as w\n"
        "for make in (m.hybrid_height, m.height_levels, m.pressure_levels, m.packed, m.around_the_globe, m.ensemble, m.surface):\n"
        "    make(f'{folder}/{make.__name__}.nc')\n"
        "m.columns(f'{folder}/columns.nc', f'{folder}/height_levels.nc', order='xy', down=True)\n"
        "for n, kind in enumerate(m.LEVEL_KINDS): m.levels(f'{folder}/levels{n}.nc', kind)\n"
        "w.write(f'{folder}/wrf.nc')\n";
    static const char *const names[] = {"hybrid_height", "height_levels", "pressure_levels", "packed", "around_the_globe", "ensemble", "surface",
                                        "columns", "levels0", "levels1", "levels2", "levels3", "levels4", "levels5", "levels6", "levels7",
                                        "levels8", "levels9", "levels10", "wrf"};
    char command[4096];
    FILE *file = fopen(made_path("make.py"), "w");
    assert_non_null(file);
    fputs(script, file);
    fclose(file);
    snprintf(command, sizeof command, VIRGA_PYTHON " %s %s/tests/reference %s", made_path("make.py"), VIRGA_SOURCE_DIR, made_folder);
    assert_int_equal(system(command), 0);
    struct tally tally = {0};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        char name[64];
        snprintf(name, sizeof name, "%s.nc", names[n]);
        struct tally one = {0};
        check_file(name, &one);
        assert_true(one.reduced > 0);
        tally.reduced += one.reduced, tally.computed += one.computed, tally.others += one.others;
    }
    assert_int_equal(tally.others, 0);  // whatever cannot be reduced is computed
    assert_true(tally.computed > 0);
}

static void test_real_forecasts(void **state) {
    (void)state;
    static const char *const names[] = {"GFS_Puerto_Rico_191km_20090730_0000.nc", "GFS_test.nc", "ecmwf_packed_missing.nc",
                                        "gfs.t12z.pgrbf120.2p5deg.grib2", "hybrid_height.nc", "mogreps_g_temperature_on_pressure_levels.nc",
                                        "mogreps_uk_wet_bulb_temperature.nc", "nio-ex5.nc", "vinth2p.nc", "wrf_ci_test_file.nc"};
    size_t found = 0;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        char path[512];
        struct stat info;
        snprintf(path, sizeof path, "%s/../shared/forecasts/%s", VIRGA_SOURCE_DIR, names[n]);
        if (stat(path, &info)) continue;
        struct tally tally = {0};
        check_path(path, &tally);
        print_message("%s: %zu reduced, %zu computed, %zu others\n", names[n], tally.reduced, tally.computed, tally.others);
        assert_true(strncmp(names[n], "wrf", 3) == 0 ? tally.reduced == 0 : tally.reduced > 0 && tally.others == 0);  // its nest moves
        found++;
    }
    if (!found) skip();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_order_of_axes),
        cmocka_unit_test(test_packing_and_missing_numbers),
        cmocka_unit_test(test_what_a_source_cannot_be_told_is_said),
        cmocka_unit_test(test_floats_that_are_no_values),
        cmocka_unit_test(test_plans_follow_chunks),
        cmocka_unit_test(test_what_nobody_waits_for_is_not_read),
        cmocka_unit_test(test_boxes_are_checked),
        cmocka_unit_test(test_every_kind_of_made_file),
        cmocka_unit_test(test_real_forecasts),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
