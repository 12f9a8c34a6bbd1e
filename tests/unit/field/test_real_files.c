// SPDX-License-Identifier: Apache-2.0
// Real forecasts in ../shared/forecasts (skipped where absent), against netCDF itself and numbers worked out elsewhere; and
// malformed and unusual files in ../shared/hostile, which must end in a catalog or an error, never in a crash.
#include "made_file.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/clock.h"

static const char forecasts[] = VIRGA_SOURCE_DIR "/../shared/forecasts";
static const char hostile[] = VIRGA_SOURCE_DIR "/../shared/hostile";

static struct catalog *open_real(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", forecasts, name);
    const char *paths[] = {path};
    if (access(path, R_OK)) skip();
    return made_open_paths(paths, 1, NULL);
}

static int open_nc(const char *name) {
    char path[512];
    int nc;
    snprintf(path, sizeof path, "%s/%s", forecasts, name);
    NC(nc_open(path, NC_NOWRITE, &nc));
    return nc;
}

// Every voxel of a field against the file's numbers: stored[nz][ny][nx] from `start`, levels and rows turned as said.
static void check_values(const struct field_ref *field, const char *file, const char *variable, const size_t *start, const size_t *count, int rank, bool levels_down,
                         bool rows_down, double missing) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    size_t total = v->nx * v->ny * v->nz;
    double *values = made_read(field, 100000), *stored = malloc(total * sizeof *stored);
    int nc = open_nc(file), id;
    NC(nc_inq_varid(nc, variable, &id));
    NC(nc_get_vara_double(nc, id, start, count, stored));
    NC(nc_close(nc));
    (void)rank;
    for (size_t n = 0; n < total; n++) {
        size_t i = n % v->nx, j = n / v->nx % v->ny, k = n / (v->nx * v->ny);
        double wanted = stored[((levels_down ? v->nz - 1 - k : k) * v->ny + (rows_down ? v->ny - 1 - j : j)) * v->nx + i];
        if (isnan(wanted) || wanted == missing ? !isnan(values[n]) : values[n] != wanted) fail_msg("%s voxel %zu: %g instead of %g", variable, n, values[n], wanted);
    }
    free(values);
    free(stored);
}

static void check_corner(const struct grid *grid, int corner, double lon, double lat) {
    if (fabs(grid->corners[corner][0] - lon) > 1e-5 || fabs(grid->corners[corner][1] - lat) > 1e-5)
        fail_msg("corner %d: %.6f %.6f instead of %.6f %.6f", corner, grid->corners[corner][0], grid->corners[corner][1], lon, lat);
}

// Corners: pyproj 3.4.1, Proj("+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=37.5 +lon_0=-2.5 +R=6371229") of the file's axes.
static void test_hybrid_height(void **state) {
    struct catalog *c = open_real("hybrid_height.nc");
    const struct catalog_dataset *d = &c->datasets[0];
    struct field_ref field = {.dataset = d, .variable = made_variable(d, "air_potential_temperature")};
    const struct catalog_variable *v = &d->variables[field.variable];
    const size_t start[] = {0, 0, 0}, count[] = {15, 100, 100};
    double value;
    (void)state;
    assert_int_equal(c->problem_count, 0);
    check_corner(d->grid, 0, -3.188577, 52.370196);
    check_corner(d->grid, 1, -3.042630, 52.370955);
    check_corner(d->grid, 2, -3.043729, 52.460053);
    check_corner(d->grid, 3, -3.189971, 52.459292);
    // 347921.1666… hours since 1970
    assert_string_equal(d->runs[0].time.iso, "2009-09-09T17:10:00Z");
    assert_string_equal(d->runs[0].series[field.variable].times[0].iso, "2009-09-09T17:10:00Z");
    assert_int_equal(v->level_map->kind, LEVEL_MAP_BY_SURFACE);
    assert_int_equal(v->level_map->datum, DATUM_SEA);
    assert_true(v->level_map->max_error < 5);
    // level_height[7] + sigma[7] * surface_altitude[40, 60] = 654.0597 m, from the file with Python
    assert_true(fabs(level_map_height(v->level_map, false, 60, 40, 7) - 654.0597) < 0.1);
    check_values(&field, "hybrid_height.nc", "air_potential_temperature", start, count, 3, false, false, NAN);
    int nc = open_nc("hybrid_height.nc"), id;
    const size_t at[] = {7, 40, 60};
    double wanted, lon, lat;
    NC(nc_inq_varid(nc, "air_potential_temperature", &id));
    NC(nc_get_var1_double(nc, id, at, &wanted));
    NC(nc_close(nc));
    assert_int_equal(grid_to_lonlat(d->grid, d->grid->x.values[60], d->grid->y.values[40], &lon, &lat), VIRGA_OK);
    assert_int_equal(catalog_sample_source(&field, lon, lat, 654.0597, &value, NULL), VIRGA_OK);
    assert_true(fabs(value - wanted) < 1e-3);
    catalog_unref(c);
}

static void test_mogreps_uk(void **state) {
    struct catalog *c = open_real("mogreps_uk_wet_bulb_temperature.nc");
    const struct catalog_dataset *d = &c->datasets[0];
    struct field_ref field = {.dataset = d};
    const size_t start[] = {0, 0, 0}, count[] = {21, 100, 100};
    (void)state;
    assert_string_equal(d->title, "Operational MOGREPS-UK Model Forecast");
    check_corner(d->grid, 0, -5.629086, 55.435169);  // pyproj, as in test_grid.c
    check_corner(d->grid, 1, -2.5, 55.474889);
    assert_string_equal(d->runs[0].series[0].times[0].iso, "2017-11-28T06:00:00Z");  // 1511848800 s
    assert_int_equal(d->variables[0].level_map->datum, DATUM_GROUND);
    assert_true(d->variables[0].level_map->lowest == 5 && d->variables[0].level_map->highest == 2000);
    check_values(&field, "mogreps_uk_wet_bulb_temperature.nc", "wet_bulb_temperature", start, count, 3, false, false, NAN);
    catalog_unref(c);
}

static void test_gfs_test(void **state) {
    struct catalog *c = open_real("GFS_test.nc");
    const struct catalog_dataset *d = &c->datasets[0];
    struct field_ref field = {.dataset = d, .variable = made_variable(d, "Temperature_isobaric")};
    const struct catalog_variable *v = &d->variables[field.variable];
    const size_t start[] = {0, 0, 0, 0}, count[] = {1, 26, 46, 101};
    (void)state;
    assert_int_equal(c->problem_count, 0);
    check_corner(d->grid, 0, -150, 20);
    check_corner(d->grid, 2, -50, 65);
    assert_string_equal(d->runs[0].series[field.variable].times[0].iso, "2010-10-26T12:00:00Z");
    check_values(&field, "GFS_test.nc", "Temperature_isobaric", start, count, 4, true, true, NAN);
    assert_string_equal(v->level_map->method, "geopotential height");
    // Geopotential height at row 10 from the north, column 20: 26.28 m at 1000 hPa, 30806.94 m at 10 hPa, from the file with Python.
    assert_true(fabs(level_map_height(v->level_map, false, 20, 35, 25) - 30806.94) < v->level_map->max_error + 1);
    assert_true(fabs(level_map_height(v->level_map, false, 20, 35, 0) - 26.28) < 5);
    assert_int_equal(d->variables[made_variable(d, "Relative_humidity_isobaric")].nz, 25);
    made_variable(d, "wind_speed_isobaric");
    made_variable(d, "wind_from_direction_isobaric");
    assert_false(d->variables[made_variable(d, "Temperature_height_above_ground")].vertical);
    catalog_unref(c);
}

// Corners: pyproj, Proj("+proj=stere +lat_0=90 +lon_0=-60.0000038146973 +k_0=0.933012701892219 +R=6371229") of the axes, km as m.
static void test_gfs_puerto_rico(void **state) {
    static const char file[] = "GFS_Puerto_Rico_191km_20090730_0000.nc";
    struct catalog *c = open_real(file);
    const struct catalog_dataset *d = &c->datasets[0];
    struct field_ref field = {.dataset = d, .step = 20};
    const size_t start[] = {20, 0, 0, 0}, count[] = {1, 6, 39, 45};
    (void)state;
    check_corner(d->grid, 0, -84.904008, 0.616002);
    check_corner(d->grid, 1, -42.180526, 3.389054);
    check_corner(d->grid, 2, -14.999373, 45.618787);
    check_corner(d->grid, 3, -115.303558, 36.257585);
    assert_int_equal(d->runs[0].series[0].time_count, 21);
    assert_string_equal(d->runs[0].time.iso, "2009-07-30T00:00:00Z");
    assert_string_equal(d->runs[0].series[0].times[1].iso, "2009-07-30T12:00:00Z");
    assert_string_equal(d->runs[0].series[0].times[20].iso, "2009-08-09T00:00:00Z");
    assert_string_equal(d->variables[0].level_map->method, "standard atmosphere");
    check_values(&field, file, "Temperature_isobaric", start, count, 4, true, false, NAN);
    catalog_unref(c);
}

static void test_members_and_nan_below_ground(void **state) {
    static const char file[] = "mogreps_g_temperature_on_pressure_levels.nc";
    struct catalog *c = open_real(file);
    const struct catalog_dataset *d = &c->datasets[0];
    (void)state;
    assert_int_equal(d->variables[0].member_count, 4);
    int nc = open_nc(file), id;
    double pressures[2];
    const size_t first[] = {0}, two[] = {2};
    NC(nc_inq_varid(nc, "pressure", &id));
    NC(nc_get_vara_double(nc, id, first, two, pressures));
    NC(nc_close(nc));
    for (size_t member = 0; member < 4; member++) {
        struct field_ref field = {.dataset = d, .member = member};
        const size_t start[] = {member, 0, 0, 0}, count[] = {1, 33, 54, 46};
        check_values(&field, file, "air_temperature", start, count, 4, pressures[0] < pressures[1], false, NAN);
    }
    catalog_unref(c);
}

static void test_packed_with_a_mask(void **state) {
    struct catalog *c = open_real("ecmwf_packed_missing.nc");
    struct field_ref field = {.dataset = &c->datasets[0]};
    double *values = made_read(&field, 1 << 20);
    size_t missing = 0;
    (void)state;
    assert_true(c->datasets[0].grid->wraps);
    assert_true(fabs(c->datasets[0].variables[0].lattice.step - 0.00111466929151212) < 1e-17);
    for (size_t n = 0; n < 3 * 181 * 360; n++) missing += isnan(values[n]);
    assert_int_equal(missing, 8123);
    free(values);
    catalog_unref(c);
}

static void test_odd_dates_and_geopotential_per_step(void **state) {
    struct catalog *c = open_real("nio-ex5.nc");
    const struct catalog_dataset *d = &c->datasets[0];
    char ids[6][33];
    (void)state;
    assert_string_equal(d->runs[0].time.iso, "2006-11-15T12:00:00Z");
    for (size_t s = 0; s < 6; s++) {
        struct field_ref field = {.dataset = d, .variable = made_variable(d, "tmp"), .step = s};
        struct level_map *map;
        struct failure failure = {0};
        if (catalog_level_map(c, &field, &map, &failure)) fail_msg("%s", failure.message);
        memcpy(ids[s], map->id, 33);
        for (size_t before = 0; before < s; before++) assert_string_not_equal(ids[s], ids[before]);
        level_map_unref(map);
    }
    catalog_unref(c);
}

// CCM: hyam, hybm and PS by attributes of the level coordinate; P0 is named and absent; no orography.
static void test_hybrid_levels_by_the_habits_of_ccm(void **state) {
    struct catalog *c = open_real("vinth2p.nc");
    const struct catalog_dataset *d = &c->datasets[0];
    const struct level_map *map = d->variables[made_variable(d, "T")].level_map;
    (void)state;
    assert_int_equal(made_variable(d, "PS") < d->variable_count, 1);
    assert_string_equal(map->coordinate, "hybrid_sigma_pressure");
    assert_non_null(strstr(map->method, "hydrostatic heights by temperature of dry air"));
    assert_non_null(strstr(map->method, "P0 of 100000 Pa"));
    assert_true(map->error_low < 5 && map->error_high < 20 && map->tested_columns == map->nx * map->ny);
    assert_true(map->ground != NULL && map->highest > 30000 && map->highest < 40000);
    catalog_unref(c);
}

static void test_wrf_levels_by_geopotential(void **state) {
    struct catalog *c = open_real("wrf_ci_test_file.nc");
    (void)state;
    assert_int_equal(catalog_find_variable(&c->datasets[0], "T2") >= 0, 1);
    const struct level_map *map = c->datasets[0].variables[made_variable(&c->datasets[0], "QCLOUD")].level_map;
    assert_string_equal(map->coordinate, "wrf_eta");
    assert_true(map->error_low < 5 && map->error_high < 20);
    catalog_unref(c);
}

static void test_malformed_files_end_in_problems(void **state) {
    struct stat info;
    struct failure failure = {0};
    struct catalog *c = NULL;
    const char *paths[] = {hostile};
    (void)state;
    if (stat(hostile, &info)) skip();
    int status = catalog_open(made_pool, paths, 1, NULL, &c, &failure);
    if (status) fail_msg("%s", failure.message);
    assert_true(c->problem_count > 10);
    for (size_t p = 0; p < c->problem_count; p++) assert_true(c->problems[p].reason[0] != 0);
    // What is listed can be read or says why not; and its catalog can be printed.
    for (size_t n = 0; n < c->dataset_count; n++)
        for (size_t v = 0; v < c->datasets[n].variable_count; v++) {
            struct field_ref field = {.dataset = &c->datasets[n], .variable = v, .run = c->datasets[n].run_count - 1};
            const struct catalog_variable *variable = &c->datasets[n].variables[v];
            if (variable->nx * variable->ny * variable->nz > 1 << 24) continue;
            double *values = malloc(variable->nx * variable->ny * variable->nz * sizeof *values);
            struct field_box box = {0, 0, 0, variable->nx, variable->ny, variable->nz};
            struct failure why = {0};
            if (field_read(&field, &box, values, &why)) assert_true(why.message[0] != 0);
            free(values);
        }
    char *json = catalog_to_json(c);
    assert_non_null(json);
    free(json);
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hybrid_height),
        cmocka_unit_test(test_mogreps_uk),
        cmocka_unit_test(test_gfs_test),
        cmocka_unit_test(test_gfs_puerto_rico),
        cmocka_unit_test(test_members_and_nan_below_ground),
        cmocka_unit_test(test_packed_with_a_mask),
        cmocka_unit_test(test_odd_dates_and_geopotential_per_step),
        cmocka_unit_test(test_hybrid_levels_by_the_habits_of_ccm),
        cmocka_unit_test(test_wrf_levels_by_geopotential),
        cmocka_unit_test(test_malformed_files_end_in_problems),
    };
    if (access(forecasts, R_OK) && access(hostile, R_OK)) {
        puts("skipped: neither ../shared/forecasts nor ../shared/hostile is there");
        return 77;
    }
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
