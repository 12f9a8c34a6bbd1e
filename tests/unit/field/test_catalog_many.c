// SPDX-License-Identifier: Apache-2.0
// A run of many files: opened side by side, told of as it goes on, and without reading a value of its fields.
#include "made_file.h"

#include <sys/stat.h>

enum { FILES = 48, LEVELS = 30, SIDE = 100 };

// A step of a hybrid height run with its orography; values on levels are left to the library's fill.
static void make_step(int number) {
    static const char *const names[] = {"air_temperature", "specific_humidity"}, *const units[] = {"K", "kg kg-1"};
    char file[32];
    double heights[LEVELS], sigma[LEVELS], hour = number + 1;
    float *ground = calloc(SIDE * SIDE, sizeof *ground);
    snprintf(file, sizeof file, "many/step_%04d.nc", number);
    int nc = made_create(file), level = made_dim(nc, "level", LEVELS);
    int time = made_axis(nc, "time", 1, &hour, "time", "hours since 2026-01-01 00:00:00");
    int y = made_even_axis(nc, "latitude", SIDE, 40, 0.1, "latitude", "degrees_north");
    int x = made_even_axis(nc, "longitude", SIDE, 5, 0.1, "longitude", "degrees_east");
    made_scalar(nc, "forecast_reference_time", 0, "forecast_reference_time", "hours since 2026-01-01 00:00:00");
    for (int k = 0; k < LEVELS; k++) heights[k] = 20 + 300.0 * k, sigma[k] = 1 - k / (double)LEVELS;
    for (int n = 0; n < SIDE * SIDE; n++) ground[n] = (float)(n % SIDE) * 3;
    int a = made_var(nc, "level_height", NC_DOUBLE, 1, &level, "atmosphere_hybrid_height_coordinate", "m");
    made_text(nc, a, "formula_terms", "a: level_height b: sigma orog: surface_altitude");
    NC(nc_put_var_double(nc, a, heights));
    NC(nc_put_var_double(nc, made_var(nc, "sigma", NC_DOUBLE, 1, &level, NULL, "1"), sigma));
    NC(nc_put_var_float(nc, made_var(nc, "surface_altitude", NC_FLOAT, 2, (int[]){y, x}, "surface_altitude", "m"), ground));
    for (int v = 0; v < 2; v++)
        made_text(nc, made_var(nc, names[v], NC_FLOAT, 4, (int[]){time, level, y, x}, names[v], units[v]), "coordinates", "level_height sigma surface_altitude");
    NC(nc_close(nc));
    free(ground);
}

struct told { size_t calls, last, total; };

static void tell(void *context, size_t done, size_t total) {
    struct told *told = context;
    assert_int_equal(done, told->last + 1);
    *told = (struct told){told->calls + 1, done, total};
}

static void many_files_of_a_run_open_without_reading_fields(void **state) {
    (void)state;
    struct told told = {0};
    struct catalog_options options = {.progress = tell, .context = &told};
    char folder[600];
    const char *path = strcpy(folder, made_path("many"));
    struct catalog *c;
    struct failure failure = {0};
    assert_int_equal(mkdir(path, 0700), 0);
    for (int n = 0; n < FILES; n++) make_step(n);
    uint64_t before = source_pool_slab_bytes(made_pool);
    if (catalog_open(made_pool, &path, 1, &options, &c, &failure)) fail_msg("%s", failure.message);
    uint64_t read = source_pool_slab_bytes(made_pool) - before;
    assert_int_equal(c->dataset_count, 1);
    assert_int_equal(c->problem_count, 0);
    assert_int_equal(c->datasets[0].run_count, 1);
    assert_int_equal(c->datasets[0].runs[0].series[made_variable(&c->datasets[0], "specific_humidity")].time_count, FILES);
    assert_int_equal(told.calls, FILES);
    assert_int_equal(told.last, FILES);
    assert_int_equal(told.total, FILES);
    // Of each file its axes, levels, time and reference time, some of them perhaps twice; of all files one orography, for the one level map.
    const uint64_t coordinates = (2 * SIDE + 2 * LEVELS + 2) * sizeof(double), orography = (uint64_t)SIDE * SIDE * sizeof(float);
    assert_true(read >= orography);
    assert_true(read <= FILES * coordinates * 2 + 2 * orography);
    assert_true(read < (uint64_t)LEVELS * SIDE * SIDE * sizeof(float));  // less than one field has, of 96
    catalog_unref(c);
}

static void progress_counts_files_that_cannot_be_read(void **state) {
    (void)state;
    struct told told = {0};
    struct catalog_options options = {.progress = tell, .context = &told};
    char folder[600];
    const char *path = strcpy(folder, made_path("broken"));
    struct catalog *c;
    struct failure failure = {0};
    assert_int_equal(mkdir(path, 0700), 0);
    for (int n = 0; n < 5; n++) {
        char name[32];
        snprintf(name, sizeof name, "broken/%d.nc", n);
        FILE *file = fopen(made_path(name), "w");
        assert_non_null(file);
        fputs("CDF no more", file);
        fclose(file);
    }
    if (catalog_open(made_pool, &path, 1, &options, &c, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(told.calls, 5);
    assert_int_equal(c->problem_count, 5);
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_files_of_a_run_open_without_reading_fields),
        cmocka_unit_test(progress_counts_files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
