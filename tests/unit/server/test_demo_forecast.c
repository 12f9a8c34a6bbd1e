// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <math.h>
#include <netcdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../own_folder.h"
#include "server/commands.h"
#include "server/demo_forecast.h"

enum { NX = 60, NY = 72, NK = 24, STEP = 5 };

static struct demo_noise *noise;
static struct demo_grid *grid;
static struct demo_fields *fields;  // all variables of run 1, step STEP
static char folder[64];

static struct demo_plan plan_of(int nx, int ny, int nk, int nt) {
    struct demo_plan plan = {.nx = nx, .ny = ny, .nk = nk, .nt = nt, .runs = 2, .run_spacing = 6, .deflate = 1, .start = 1776470400,
                             .threads = 2, .folder = folder};
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) plan.wanted[v] = true;
    return plan;
}

static int set_up(void **state) {
    (void)state;
    struct demo_plan plan = plan_of(NX, NY, NK, 13);
    noise = demo_noise_new(20150);
    grid = noise ? demo_grid_new(NX, NY, NK, noise) : NULL;
    fields = grid ? demo_forecast_step(&plan, grid, 1, STEP) : NULL;
    return fields ? own_folder_make(folder, sizeof folder) : -1;
}

static int tear_down(void **state) {
    (void)state;
    demo_fields_free(fields);
    demo_grid_free(grid);
    demo_noise_free(noise);
    return own_folder_remove(folder);
}

static size_t at(int k, int j, int i) { return ((size_t)k * NY + (size_t)j) * NX + (size_t)i; }
static float value(enum demo_variable v, int k, int j, int i) { return fields->of[v][at(k, j, i)]; }

#define EACH_VOXEL \
    for (int k = 0; k < NK; k++) \
        for (int j = 0; j < NY; j++) \
            for (int i = 0; i < NX; i++)

static void heights_rise_with_the_level_in_every_column(void **state) {
    (void)state;
    float highest = 0;
    for (int column = 0; column < NX * NY; column++) {
        highest = fmaxf(highest, grid->orography[column]);
        assert_true(grid->orography[column] >= 0);
        assert_true(grid->a[0] + grid->b[0] * grid->orography[column] > grid->orography[column]);
        for (int k = 1; k < NK; k++) {
            float below = grid->a[k - 1] + grid->b[k - 1] * grid->orography[column], here = grid->a[k] + grid->b[k] * grid->orography[column];
            assert_true(here > below + 5);
        }
    }
    assert_true(highest > 300 && highest < 2500);
    assert_true(grid->b[0] > 0.99f && grid->b[NK - 1] == 0);
}

static void the_sea_is_flat_and_both_land_and_sea_are_there(void **state) {
    (void)state;
    int land = 0, sea = 0;
    for (int column = 0; column < NX * NY; column++) {
        land += grid->land_fraction[column] == 1;
        sea += grid->land_fraction[column] == 0;
        if (grid->land_fraction[column] == 0) assert_true(grid->orography[column] == 0);
    }
    assert_true(land > NX * NY / 6 && sea > NX * NY / 3);
}

static void true_places_are_those_of_the_rotated_pole(void **state) {
    (void)state;
    double x, y, lon, lat;
    demo_grid_to_true(0, 0, &lon, &lat);
    assert_true(fabs(lon + 2.5) < 1e-9 && fabs(lat - (52.5 + 2.05)) < 1e-9);  // the grid's middle meridian is a true one
    demo_grid_to_plane(-6.26, 53.35, &x, &y);
    demo_grid_to_true(x, y, &lon, &lat);
    assert_true(fabs(lon + 6.26) < 1e-9 && fabs(lat - 53.35) < 1e-9);
    double expected = 6371.229 * acos(sin(53.35 * M_PI / 180) * sin(54.55 * M_PI / 180) + cos(53.35 * M_PI / 180) * cos(54.55 * M_PI / 180) * cos(3.76 * M_PI / 180));
    assert_true(fabs(hypot(x, y) / expected - 1) < 0.01);
}

static void values_lie_in_physical_ranges(void **state) {
    (void)state;
    static const float least[] = {0, 0, 0, 195, 0, 0, -65, -65, -6, 95000, 0}, most[] = {1, 0.004f, 0.004f, 300, 100, 0.02f, 65, 65, 12, 104500, 0.02f};
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) {
        size_t count = (size_t)NX * NY * (demo_variables[v].flat ? 1 : NK);
        for (size_t n = 0; n < count; n++) assert_true(fields->of[v][n] >= least[v] && fields->of[v][n] <= most[v]);
    }
}

static void much_of_the_sky_is_clear_and_some_is_overcast(void **state) {
    (void)state;
    int clear = 0, full = 0;
    EACH_VOXEL {
        clear += value(DEMO_CLOUD, k, j, i) == 0;
        full += value(DEMO_CLOUD, k, j, i) > 0.95f;
    }
    assert_true(clear > 0.6 * NX * NY * NK && full > 0.02 * NX * NY * NK);
}

static void cloud_is_only_where_air_is_near_saturation(void **state) {
    (void)state;
    EACH_VOXEL {
        float humidity = value(DEMO_HUMIDITY, k, j, i);
        if (value(DEMO_CLOUD, k, j, i) > 0.01f) assert_true(humidity > 79.5f);
        if (humidity < 79) assert_true(value(DEMO_CLOUD, k, j, i) == 0);
        if (value(DEMO_CLOUD, k, j, i) == 0) assert_true(value(DEMO_LIQUID, k, j, i) == 0);
    }
}

static void rain_is_only_in_or_under_cloud(void **state) {
    (void)state;
    int wet = 0;
    for (int j = 0; j < NY; j++)
        for (int i = 0; i < NX; i++) {
            bool covered = false;
            for (int k = NK - 1; k >= 0; k--) {
                covered |= value(DEMO_CLOUD, k, j, i) > 0;
                if (value(DEMO_RAIN, k, j, i) > 0) assert_true(covered);
                wet += value(DEMO_RAIN, k, j, i) > 1e-5f;
            }
        }
    assert_true(wet > 100);
}

static void no_rain_falls_as_water_in_deep_frost(void **state) {
    (void)state;
    EACH_VOXEL if (value(DEMO_TEMPERATURE, k, j, i) < 255) assert_true(value(DEMO_RAIN, k, j, i) == 0);
}

static void specific_humidity_agrees_with_relative_humidity(void **state) {
    (void)state;
    for (int j = 0; j < NY; j++)
        for (int i = 0; i < NX; i++) {
            if (grid->orography[j * NX + i] > 0) continue;  // pressure at the lowest level is close to that at sea level
            float t = value(DEMO_TEMPERATURE, 0, j, i) - 273.15f, vapour = 611.2f * expf(17.67f * t / (t + 243.5f));
            float p = fields->of[DEMO_PRESSURE][j * NX + i] * expf(-grid->a[0] / 8200), holds = 0.622f * vapour / (p - 0.378f * vapour);
            float humidity = 100 * value(DEMO_SPECIFIC_HUMIDITY, 0, j, i) / holds;
            assert_true(fabsf(humidity - value(DEMO_HUMIDITY, 0, j, i)) < 1.5f);
        }
}

// In the northern hemisphere the low lies to the left of the wind (Buys Ballot 1857).
static void the_low_lies_to_the_left_of_the_wind(void **state) {
    (void)state;
    const float *p = fields->of[DEMO_PRESSURE];
    int left = 0, all = 0, k = 0;
    while (grid->a[k] < 1500) k++;
    for (int j = 2; j < NY - 2; j++)
        for (int i = 2; i < NX - 2; i++) {
            float u = value(DEMO_X_WIND, k, j, i), v = value(DEMO_Y_WIND, k, j, i);
            float px = p[j * NX + i + 1] - p[j * NX + i - 1], py = p[(j + 1) * NX + i] - p[(j - 1) * NX + i];
            if (hypotf(u, v) < 6 || hypotf(px, py) < 60) continue;
            all++;
            left += (-v * px + u * py) < -0.5f * hypotf(u, v) * hypotf(px, py);  // p falls to the left: (−v, u) · grad p < 0
        }
    assert_true(all > NX * NY / 4);
    assert_true(left > 0.9 * all);
}

static void friction_turns_the_surface_wind_towards_the_low(void **state) {
    (void)state;
    double turned = 0;
    int k = 0;
    while (grid->a[k] < 1500) k++;
    for (int j = 0; j < NY; j++)
        for (int i = 0; i < NX; i++) {
            float u0 = value(DEMO_X_WIND, 0, j, i), v0 = value(DEMO_Y_WIND, 0, j, i), u1 = value(DEMO_X_WIND, k, j, i), v1 = value(DEMO_Y_WIND, k, j, i);
            turned += u1 * v0 - v1 * u0;  // > 0: the surface wind points to the left of the wind above
        }
    assert_true(turned > 0);
}

static void temperature_falls_with_height_up_to_the_tropopause(void **state) {
    (void)state;
    for (int k = 1; k < NK; k++) {
        double below = 0, here = 0;
        for (int n = 0; n < NX * NY; n++) below += fields->of[DEMO_TEMPERATURE][at(k - 1, 0, 0) + (size_t)n], here += fields->of[DEMO_TEMPERATURE][at(k, 0, 0) + (size_t)n];
        double lapse = (below - here) / (NX * NY) / (grid->a[k] - grid->a[k - 1]) * 1000;
        if (grid->a[k - 1] > 700 && grid->a[k] < 8000) assert_true(lapse > 4 && lapse < 8.5);
        if (grid->a[k - 1] > 12500) assert_true(lapse > -2.5 && lapse < 2);
    }
}

static void numbers_do_not_depend_on_threads_or_on_what_else_is_wanted(void **state) {
    (void)state;
    struct demo_plan plan = plan_of(NX, NY, NK, 13);
    plan.threads = 5;
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) plan.wanted[v] = v == DEMO_CLOUD || v == DEMO_X_WIND;
    struct demo_fields *again = demo_forecast_step(&plan, grid, 1, STEP);
    assert_non_null(again);
    assert_memory_equal(again->of[DEMO_CLOUD], fields->of[DEMO_CLOUD], sizeof(float) * NX * NY * NK);
    assert_memory_equal(again->of[DEMO_X_WIND], fields->of[DEMO_X_WIND], sizeof(float) * NX * NY * NK);
    assert_null(again->of[DEMO_TEMPERATURE]);
    demo_fields_free(again);
}

static void a_newer_run_tells_nearly_the_same_of_the_same_hour(void **state) {
    (void)state;
    struct demo_plan plan = plan_of(NX, NY, NK, 13);
    struct demo_fields *older = demo_forecast_step(&plan, grid, 0, STEP + 6), *other = demo_forecast_step(&plan, grid, 0, 0);
    assert_non_null(older);
    assert_non_null(other);
    double near = 0, far = 0;
    for (size_t n = 0; n < (size_t)NX * NY * NK; n++) {
        near += fabsf(older->of[DEMO_TEMPERATURE][n] - fields->of[DEMO_TEMPERATURE][n]);
        far += fabsf(other->of[DEMO_TEMPERATURE][n] - fields->of[DEMO_TEMPERATURE][n]);
    }
    assert_true(near > 0 && near < far / 4);
    demo_fields_free(older);
    demo_fields_free(other);
}

static int command(const char *const *arguments) {
    char *argv[16];
    int argc = 0;
    for (; arguments[argc]; argc++) argv[argc] = (char *)(uintptr_t)arguments[argc];
    argv[argc] = NULL;
    return command_demo(argc, argv);
}

static void two_runs_are_written_and_then_left_alone(void **state) {
    (void)state;
    const char *arguments[] = {"demo", "--out", folder, "--size", "40x30x9x3", "--quiet", NULL};
    char first[128], second[128];
    int id, variable, rank;
    size_t nt;
    float number;
    double reference, valid;
    snprintf(first, sizeof first, "%s/virga-demo_20260418T0000Z.nc", folder);
    snprintf(second, sizeof second, "%s/virga-demo_20260418T0600Z.nc", folder);
    assert_int_equal(command(arguments), 0);
    assert_int_equal(access(first, R_OK), 0);
    assert_int_equal(nc_open(second, NC_NOWRITE, &id), NC_NOERR);
    assert_int_equal(nc_inq_varid(id, "forecast_reference_time", &variable), NC_NOERR);
    assert_int_equal(nc_get_var_double(id, variable, &reference), NC_NOERR);
    assert_true(reference == 1776470400 / 3600 + 6);
    assert_int_equal(nc_inq_varid(id, "time", &variable), NC_NOERR);
    assert_int_equal(nc_get_var1_double(id, variable, (size_t[]){2}, &valid), NC_NOERR);
    assert_true(valid == reference + 2);
    assert_int_equal(nc_inq_dimid(id, "time", &variable), NC_NOERR);
    assert_int_equal(nc_inq_dimlen(id, variable, &nt), NC_NOERR);
    assert_int_equal(nt, 3);
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) {
        assert_int_equal(nc_inq_varid(id, demo_variables[v].name, &variable), NC_NOERR);
        assert_int_equal(nc_inq_varndims(id, variable, &rank), NC_NOERR);
        assert_int_equal(rank, demo_variables[v].flat ? 3 : 4);
    }
    assert_int_equal(nc_inq_varid(id, "air_temperature", &variable), NC_NOERR);
    assert_int_equal(nc_get_var1_float(id, variable, (size_t[]){2, 8, 29, 39}, &number), NC_NOERR);
    assert_true(number > 195 && number < 235);
    nc_close(id);
    assert_int_equal(truncate(first, 100), 0);  // a damaged file is not taken for the forecast …
    assert_int_equal(command(arguments), 1);    // … and not overwritten unasked
    const char *forced[] = {"demo", "--out", folder, "--size", "40x30x9x3", "--quiet", "--force", NULL};
    assert_int_equal(command(forced), 0);
    assert_int_equal(command(arguments), 0);
}

static void another_demonstration_is_not_mixed_in(void **state) {
    (void)state;
    const char *one[] = {"demo", "--out", folder, "--size", "10x12x5x1", "--runs", "1", "--quiet", "--force", NULL};
    const char *two[] = {"demo", "--out", folder, "--size", "10x12x6x1", "--runs", "1", "--quiet", NULL};
    assert_int_equal(command(one), 0);
    assert_int_equal(command(two), 1);
}

static void a_forecast_too_large_for_the_disk_fails_at_once(void **state) {
    (void)state;
    const char *arguments[] = {"demo", "--out", folder, "--size", "20000x20000x500x1000", "--runs", "100", "--quiet", "--force", NULL};
    assert_int_equal(command(arguments), 1);
}

static void wrong_use_is_told_apart(void **state) {
    (void)state;
    static const char *const wrong[][4] = {{"--size", "40x30x9"}, {"--size", "0x30x9x3"}, {"--size", "40x30x9x3y"}, {"--runs", "0"},
                                           {"--runs", "two"}, {"--variables", "air_temperature,rainbow"}, {"--variables", ","},
                                           {"--deflate", "10"}, {"--start", "2026-04-18"}, {"--start", "2026-04-18T00:30Z"}, {"--colour", "red"}, {"stray", ""}};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        const char *arguments[] = {"demo", "--out", folder, wrong[n][0], wrong[n][1], NULL};
        assert_int_equal(command(arguments), 2);
    }
    const char *nowhere[] = {"demo", NULL};
    assert_int_equal(command(nowhere), 2);
}

static void a_grid_of_one_level_or_two_columns_works(void **state) {
    (void)state;
    const char *arguments[] = {"demo", "--out", folder, "--size", "2x2x1x1", "--runs", "1", "--quiet", "--force", NULL};
    assert_int_equal(command(arguments), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heights_rise_with_the_level_in_every_column),
        cmocka_unit_test(the_sea_is_flat_and_both_land_and_sea_are_there),
        cmocka_unit_test(true_places_are_those_of_the_rotated_pole),
        cmocka_unit_test(values_lie_in_physical_ranges),
        cmocka_unit_test(much_of_the_sky_is_clear_and_some_is_overcast),
        cmocka_unit_test(cloud_is_only_where_air_is_near_saturation),
        cmocka_unit_test(rain_is_only_in_or_under_cloud),
        cmocka_unit_test(no_rain_falls_as_water_in_deep_frost),
        cmocka_unit_test(specific_humidity_agrees_with_relative_humidity),
        cmocka_unit_test(the_low_lies_to_the_left_of_the_wind),
        cmocka_unit_test(friction_turns_the_surface_wind_towards_the_low),
        cmocka_unit_test(temperature_falls_with_height_up_to_the_tropopause),
        cmocka_unit_test(numbers_do_not_depend_on_threads_or_on_what_else_is_wanted),
        cmocka_unit_test(a_newer_run_tells_nearly_the_same_of_the_same_hour),
        cmocka_unit_test(two_runs_are_written_and_then_left_alone),
        cmocka_unit_test(another_demonstration_is_not_mixed_in),
        cmocka_unit_test(a_forecast_too_large_for_the_disk_fails_at_once),
        cmocka_unit_test(wrong_use_is_told_apart),
        cmocka_unit_test(a_grid_of_one_level_or_two_columns_works),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
