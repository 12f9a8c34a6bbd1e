// SPDX-License-Identifier: Apache-2.0
// What belongs together, what it is called, when it is valid, and what is refused and why.
#include "made_forecast.h"

#include <fcntl.h>
#include <jansson.h>

static void test_runs_and_their_times(void **state) {
    (void)state;
    make_subfolder("runs");
    struct wanted_file a = t_file("runs/a.nc", 0, 0, 6), b = t_file("runs/b.nc", 6, 6, 6), b2 = t_file("runs/b2.nc", 6, 12, 2), c = t_file("runs/c.nc", 12, 12, 3);
    write_file(&a), write_file(&b), write_file(&b2), write_file(&c);
    struct catalog *cat = made_open("runs");
    assert_int_equal(cat->dataset_count, 1);
    const struct catalog_dataset *d = &cat->datasets[0];
    assert_int_equal(d->run_count, 3);
    assert_string_equal(d->runs[0].time.iso, "2020-01-01T00:00:00Z");
    assert_string_equal(d->runs[2].time.iso, "2020-01-01T12:00:00Z");
    assert_int_equal(d->runs[1].series[0].time_count, 8);  // split by time over two files
    assert_string_equal(d->runs[1].series[0].times[7].iso, "2020-01-01T13:00:00Z");
    assert_true(d->runs[1].complete && !d->runs[0].complete && !d->runs[2].complete);
    assert_int_equal(catalog_find_run(d, "latest"), 1);  // the newest complete one
    assert_int_equal(catalog_find_run(d, NULL), 1);  // the newest complete one
    assert_int_equal(catalog_find_run(d, "2020-01-01T06:00:00Z"), 1);
    assert_int_equal(catalog_find_run(d, "2020-01-01T06:00Z"), 1);
    assert_int_equal(catalog_find_run(d, "2020-01-02T06:00:00Z"), -1);
    catalog_unref(cat);
}

static void test_files_split_by_variable_join(void **state) {
    (void)state;
    make_subfolder("split");
    struct wanted_file a = t_file("split/t.nc", 0, 0, 2), b = t_file("split/rh.nc", 0, 0, 2);
    b.variable = "hur", b.standard_name = "relative_humidity", b.units = "%", b.terrain = true;
    write_file(&a), write_file(&b);
    struct catalog *cat = made_open("split/*.nc");
    assert_int_equal(cat->dataset_count, 1);
    const struct catalog_dataset *d = &cat->datasets[0];
    assert_int_equal(d->variable_count, 3);
    assert_int_equal(d->run_count, 1);
    assert_true(d->terrain >= 0 && strcmp(d->variables[d->terrain].name, "orog") == 0);
    assert_true(d->variables[made_variable(d, "ta")].level_map->ground != NULL);  // the ground of one file under the levels of another
    catalog_unref(cat);
}

static void test_other_grids_and_sources_stay_apart(void **state) {
    (void)state;
    make_subfolder("apart");
    struct wanted_file a = t_file("apart/a.nc", 0, 0, 2), b = t_file("apart/b.nc", 0, 0, 2), c = t_file("apart/c.nc", 0, 0, 2);
    b.lon0 = 0.5, c.source = "another model";
    write_file(&a), write_file(&b), write_file(&c);
    struct catalog *cat = made_open("apart");
    assert_int_equal(cat->dataset_count, 3);
    for (size_t n = 0; n < 3; n++)
        for (size_t m = 0; m < n; m++) {
            assert_string_not_equal(cat->datasets[n].id, cat->datasets[m].id);
            assert_string_not_equal(cat->datasets[n].title, cat->datasets[m].title);
        }
    catalog_unref(cat);
}

static void test_ids_stay_when_runs_come_and_go(void **state) {
    char id[256], edition[33];
    (void)state;
    make_subfolder("ids");
    struct wanted_file a = t_file("ids/a.nc", 0, 0, 2), b = t_file("ids/b.nc", 6, 6, 3);
    write_file(&a);
    struct catalog *cat = made_open("ids");
    snprintf(id, sizeof id, "%s", cat->datasets[0].id);
    snprintf(edition, sizeof edition, "%s", cat->datasets[0].runs[0].series[0].edition);
    assert_int_equal(strlen(edition), 32);
    assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"), strlen(id));
    catalog_unref(cat);
    write_file(&b);
    cat = made_open("ids");
    assert_string_equal(cat->datasets[0].id, id);
    assert_string_equal(cat->datasets[0].runs[0].series[0].edition, edition);
    assert_string_not_equal(cat->datasets[0].runs[1].series[0].edition, edition);
    catalog_unref(cat);
    assert_int_equal(remove(made_path("ids/a.nc")), 0);
    cat = made_open("ids");
    assert_string_equal(cat->datasets[0].id, id);
    catalog_unref(cat);
    // A file that was written again has another edition, though nothing else about it changed.
    char before[33];
    cat = made_open("ids");
    snprintf(before, sizeof before, "%s", cat->datasets[0].runs[0].series[0].edition);
    catalog_unref(cat);
    const struct timespec long_ago[2] = {{946684800, 0}, {946684800, 0}};
    assert_int_equal(utimensat(AT_FDCWD, made_path("ids/b.nc"), long_ago, 0), 0);
    cat = made_open("ids");
    assert_string_not_equal(cat->datasets[0].runs[0].series[0].edition, before);
    catalog_unref(cat);
}

static void name_step(const struct catalog *cat, size_t run, size_t step, char edition[33]) {
    const struct catalog_dataset *d = &cat->datasets[0];
    const struct field_ref field = {.dataset = d, .variable = (size_t)made_variable(d, "ta"), .run = run, .step = step};
    snprintf(edition, 33, "%s", catalog_step_edition(&field));
}

static void test_steps_keep_their_edition_when_others_come(void **state) {
    char first[33], second[33], now[33];
    (void)state;
    make_subfolder("steps");
    struct wanted_file a = t_file("steps/a.nc", 0, 0, 2), b = t_file("steps/b.nc", 0, 2, 1);
    write_file(&a);
    struct catalog *cat = made_open("steps");
    char series[33];
    snprintf(series, sizeof series, "%s", cat->datasets[0].runs[0].series[0].edition);
    name_step(cat, 0, 0, first), name_step(cat, 0, 1, second);
    assert_int_equal(strlen(first), 32);
    assert_string_not_equal(first, second);
    catalog_unref(cat);
    write_file(&b);
    cat = made_open("steps");
    assert_int_equal(cat->datasets[0].run_count, 1);
    assert_string_not_equal(cat->datasets[0].runs[0].series[0].edition, series);
    name_step(cat, 0, 1, now);
    assert_string_equal(now, second);
    catalog_unref(cat);
    const struct timespec long_ago[2] = {{946684800, 0}, {946684800, 0}};
    assert_int_equal(utimensat(AT_FDCWD, made_path("steps/a.nc"), long_ago, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, made_path("steps/b.nc"), (const struct timespec[2]){{946684801, 500000000}, {946684801, 500000000}}, 0), 0);
    cat = made_open("steps");
    name_step(cat, 0, 1, now);
    assert_string_not_equal(now, second);
    assert_true(fabs(catalog_run_written(&cat->datasets[0], 0) - 946684801.5) < 1e-3);
    catalog_unref(cat);
}

// A folder, a glob, and the files that a shell makes of one, are the same dataset under the same id.
static void test_ways_to_name_a_folder_are_one(void **state) {
    char id[256];
    (void)state;
    make_subfolder("ways");
    struct wanted_file a = t_file("ways/a.nc", 0, 0, 2), b = t_file("ways/b.nc", 6, 6, 2);
    write_file(&a), write_file(&b);
    struct catalog *cat = made_open("ways");
    snprintf(id, sizeof id, "%s", cat->datasets[0].id);
    catalog_unref(cat);
    cat = made_open("ways/../ways/./*.nc");
    assert_string_equal(cat->datasets[0].id, id);
    assert_int_equal(cat->datasets[0].run_count, 2);
    catalog_unref(cat);
    const char *files[] = {made_path("ways/a.nc"), made_path("ways/b.nc"), made_path("ways/a.nc"), made_path("ways")};
    cat = made_open_paths(files, 4, NULL);
    assert_int_equal(cat->dataset_count, 1);
    assert_string_equal(cat->datasets[0].id, id);
    assert_int_equal(cat->datasets[0].run_count, 2);
    assert_int_equal(cat->problem_count, 0);
    catalog_unref(cat);
}

// A link to the newest file is a common habit; its dataset's name is that of where the link stands.
static void test_links_are_followed_and_files_count_once(void **state) {
    (void)state;
    make_subfolder("links");
    make_subfolder("links/stored");
    struct wanted_file a = t_file("links/stored/a.nc", 0, 0, 2);
    write_file(&a);
    struct catalog *cat = made_open("links");
    char id[256];
    snprintf(id, sizeof id, "%s", cat->datasets[0].id);
    catalog_unref(cat);
    assert_int_equal(symlink("stored/a.nc", made_path("links/latest.nc")), 0);
    assert_int_equal(symlink(".", made_path("links/stored/here")), 0);
    assert_int_equal(symlink("..", made_path("links/stored/above")), 0);
    const char *names[] = {"links", "links/latest.nc", "links/*.nc"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        cat = made_open(names[n]);
        assert_int_equal(cat->problem_count, 0);
        assert_int_equal(cat->dataset_count, 1);
        assert_string_equal(cat->datasets[0].id, id);
        struct field_ref field = {.dataset = &cat->datasets[0], .variable = made_variable(&cat->datasets[0], "ta")};
        free(made_read(&field, 1 << 20));
        catalog_unref(cat);
    }
}

static void test_a_folder_that_cannot_be_read_is_named(void **state) {
    (void)state;
    if (geteuid() == 0) skip();  // root reads everything
    make_subfolder("locked");
    make_subfolder("locked/inside");
    struct wanted_file a = t_file("locked/a.nc", 0, 0, 1);
    write_file(&a);
    assert_int_equal(chmod(made_path("locked/inside"), 0), 0);
    struct catalog *cat = made_open("locked");
    assert_int_equal(chmod(made_path("locked/inside"), 0700), 0);
    assert_int_equal(cat->problem_count, 1);
    assert_non_null(strstr(cat->problems[0].file, "locked/inside"));
    assert_non_null(strstr(cat->problems[0].reason, "cannot be read"));
    catalog_unref(cat);
}

static void test_runs_of_one_orography_share_a_map(void **state) {
    (void)state;
    make_subfolder("shared");
    struct wanted_file a = t_file("shared/a.nc", 0, 0, 1), b = t_file("shared/b.nc", 6, 6, 1);
    a.terrain = b.terrain = true;
    write_file(&a), write_file(&b);
    struct catalog *cat = made_open("shared");
    const struct catalog_dataset *d = &cat->datasets[0];
    struct field_ref first = {.dataset = d, .variable = made_variable(d, "ta"), .run = 0}, second = first;
    struct level_map *x, *y;
    second.run = 1;
    assert_int_equal(catalog_level_map(cat, &first, &x, NULL), VIRGA_OK);
    assert_int_equal(catalog_level_map(cat, &second, &y, NULL), VIRGA_OK);
    assert_true(x == y && x == d->variables[first.variable].level_map);
    level_map_unref(x);
    level_map_unref(y);
    catalog_unref(cat);
}

static void test_runs_without_a_reference_time(void **state) {
    (void)state;
    struct wanted_file a = t_file("noref.nc", NAN, 6, 4);
    write_file(&a);
    struct catalog *cat = made_open("noref.nc");  // "hours since 2020-01-01" a few hours before the first time: that is the run
    assert_string_equal(cat->datasets[0].runs[0].time.iso, "2020-01-01T00:00:00Z");
    catalog_unref(cat);
    a.first = 24 * 365;  // an epoch a year ago is only an epoch
    write_file(&a);
    cat = made_open("noref.nc");
    assert_string_equal(cat->datasets[0].runs[0].time.iso, "2020-12-31T00:00:00Z");
    catalog_unref(cat);
}

static void test_a_variable_that_cannot_be_placed_takes_nobody_along(void **state) {
    int nc = made_create("mixed.nc"), dims[3], odd[2], strange[3];
    const double numbers[] = {1, 2, 3};
    (void)state;
    dims[0] = made_axis(nc, "model_level", 3, numbers, "model_level_number", "1");
    dims[1] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    dims[2] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    odd[0] = made_dim(nc, "station", 600), odd[1] = made_dim(nc, "sample", 7);
    strange[0] = odd[0], strange[1] = dims[1], strange[2] = dims[2];
    made_var(nc, "levels_without_heights", NC_FLOAT, 3, dims, NULL, "K");
    made_var(nc, "no_axes", NC_FLOAT, 2, odd, NULL, "K");
    made_var(nc, "odd_dimension", NC_FLOAT, 3, strange, NULL, "K");
    made_var(nc, "fine", NC_FLOAT, 2, dims + 1, "air_temperature", "K");
    made_var(nc, "lat_bnds", NC_DOUBLE, 2, dims, NULL, NULL);
    NC(nc_close(nc));
    struct catalog *cat = made_open("mixed.nc");
    assert_int_equal(cat->dataset_count, 1);
    assert_int_equal(cat->datasets[0].variable_count, 1);
    assert_string_equal(cat->datasets[0].variables[0].id, "fine");
    assert_non_null(strstr(made_problem(cat, "levels_without_heights")->reason, "plain numbers"));
    assert_non_null(strstr(made_problem(cat, "no_axes")->reason, "station"));
    assert_non_null(strstr(made_problem(cat, "odd_dimension")->reason, "station"));
    assert_null(made_problem(cat, "lat_bnds"));
    assert_int_equal(cat->problem_count, 3);
    catalog_unref(cat);
}

static void test_broken_axes_become_problems(void **state) {
    const double with_nan[] = {0, NAN, 2}, jumping[] = {0, 2, 1}, pressures[] = {1000, 0, -5}, twice[] = {500, 500, 300};
    int nc = made_create("broken.nc"), d[3], e[3];
    (void)state;
    d[1] = made_axis(nc, "lat_nan", 3, with_nan, "latitude", "degrees_north");
    d[2] = made_even_axis(nc, "lon", 3, 0, 1, "longitude", "degrees_east");
    made_var(nc, "nan_axis", NC_FLOAT, 2, d + 1, NULL, "K");
    d[1] = made_axis(nc, "lat_jump", 3, jumping, "latitude", "degrees_north");
    made_var(nc, "jumping_axis", NC_FLOAT, 2, d + 1, NULL, "K");
    d[1] = made_even_axis(nc, "lat", 3, 0, 1, "latitude", "degrees_north");
    d[0] = made_axis(nc, "plev_bad", 3, pressures, "air_pressure", "hPa");
    made_var(nc, "bad_pressure", NC_FLOAT, 3, d, NULL, "K");
    d[0] = made_axis(nc, "plev_twice", 3, twice, "air_pressure", "hPa");
    made_var(nc, "level_twice", NC_FLOAT, 3, d, NULL, "K");
    d[0] = made_axis(nc, "time_nan", 3, with_nan, "time", "hours since 2020-01-01");
    made_var(nc, "some_times", NC_FLOAT, 3, d, NULL, "K");
    d[0] = made_axis(nc, "time_odd", 3, twice, "time", "fortnights since the war");
    made_var(nc, "odd_units", NC_FLOAT, 3, d, NULL, "K");
    e[0] = made_dim(nc, "none", NC_UNLIMITED), e[1] = d[1], e[2] = d[2];
    int v = made_var(nc, "none", NC_DOUBLE, 1, e, "time", "hours since 2020-01-01");
    (void)v;
    made_var(nc, "no_steps", NC_FLOAT, 3, e, NULL, "K");
    NC(nc_close(nc));
    struct catalog *cat = made_open("broken.nc");
    static const char *const refused[] = {"nan_axis", "jumping_axis", "bad_pressure", "level_twice", "odd_units", "no_steps"};
    for (size_t n = 0; n < sizeof refused / sizeof *refused; n++)
        if (!made_problem(cat, refused[n]) || !made_problem(cat, refused[n])->reason[0]) fail_msg("%s is not refused", refused[n]);
    // A missing time leaves the others.
    const struct catalog_dataset *data = &cat->datasets[0];
    size_t some = made_variable(data, "some_times");
    assert_int_equal(data->runs[data->run_count - 1].series[some].time_count, 2);
    catalog_unref(cat);
}

// A small file may claim a huge grid, and an axis may jump at every point: both are refused, quickly and without the memory.
static void test_huge_claims_are_refused(void **state) {
    enum { LONG = 100000 };
    int nc = made_create("huge.nc"), d[2];
    const size_t chunk[2] = {100, 100};
    double *jumping = calloc(LONG, sizeof *jumping);
    (void)state;
    for (int n = 0; n < LONG; n++) jumping[n] = n % 2 ? 300 : 0;
    d[0] = made_even_axis(nc, "lat", LONG, -90, 180.0 / LONG, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", LONG, 0, 360.0 / LONG, "longitude", "degrees_east");
    int v = made_var(nc, "huge", NC_FLOAT, 2, d, "surface_altitude", "m");
    NC(nc_def_var_chunking(nc, v, NC_CHUNKED, chunk));
    d[1] = made_axis(nc, "lon_jumping", LONG, jumping, "longitude", "degrees_east");
    v = made_var(nc, "jumping", NC_FLOAT, 2, d, NULL, "K");
    NC(nc_def_var_chunking(nc, v, NC_CHUNKED, chunk));
    NC(nc_close(nc));
    free(jumping);
    struct catalog *cat = made_open("huge.nc");
    assert_int_equal(cat->dataset_count, 0);
    assert_non_null(strstr(made_problem(cat, "huge")->reason, "more than can be shown"));
    assert_non_null(made_problem(cat, "jumping"));
    catalog_unref(cat);
}

static void test_unreadable_files_become_problems(void **state) {
    (void)state;
    struct wanted_file a = t_file("good.nc", 0, 0, 1);
    write_file(&a);
    FILE *f = fopen(made_path("garbage.nc"), "w");
    fputs("this is no forecast", f);
    fclose(f);
    const char *paths[] = {made_path("good.nc"), made_path("garbage.nc"), made_path("absent.nc")};
    struct catalog *cat = made_open_paths(paths, 3, NULL);
    assert_int_equal(cat->dataset_count, 1);
    assert_int_equal(cat->problem_count, 2);
    assert_null(cat->problems[0].variable);
    catalog_unref(cat);
    struct failure failure = {0};
    assert_int_equal(catalog_open(made_pool, paths + 2, 1, NULL, &cat, &failure), VIRGA_NOT_FOUND);
    assert_non_null(strstr(failure.message, "absent.nc"));
}

// --- members, JSON, geometry -------------------------------------------------------------------------------------------

static void test_members_are_read_apart(void **state) {
    int nc = made_create("members.nc"), d[4];
    const double labels[] = {3, 7}, heights[] = {10, 50, 200};
    float data[2 * 3 * 4 * 5];
    (void)state;
    d[0] = made_axis(nc, "realization", 2, labels, "realization", "1");
    d[1] = made_axis(nc, "height", 3, heights, "height", "m");
    d[2] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[3] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, "ta", NC_FLOAT, 4, d, "air_temperature", "K");
    for (int n = 0; n < 120; n++) data[n] = (float)n;
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
    struct catalog *cat = made_open("members.nc");
    const struct catalog_variable *ta = &cat->datasets[0].variables[0];
    assert_int_equal(ta->member_count, 2);
    assert_string_equal(ta->members[1], "7");
    assert_int_equal(ta->level_map->datum, DATUM_GROUND);
    struct field_ref field = {.dataset = &cat->datasets[0], .member = 1};
    double *values = made_read(&field, 1 << 20);
    for (int n = 0; n < 60; n++) assert_true(values[n] == 60 + n);
    free(values);
    catalog_unref(cat);
}

static void write_static(const char *name) {
    int nc = made_create(name), d[2];
    float data[20] = {0};
    d[0] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, "orog", NC_FLOAT, 2, d, "surface_altitude", "m");
    NC(nc_put_var_float(nc, v, data));
    NC(nc_close(nc));
}

// An orography in a file of its own is the ensemble's ground.
static void test_ensembles_adopt_files_without_members(void **state) {
    const double labels[] = {0, 1}, heights[] = {10, 50, 200};
    int d[4];
    (void)state;
    make_subfolder("ensemble");
    write_static("ensemble/a_orography.nc");
    int nc = made_create("ensemble/b.nc");
    d[0] = made_axis(nc, "realization", 2, labels, "realization", "1");
    d[1] = made_axis(nc, "height", 3, heights, "height", "m");
    d[2] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[3] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    made_var(nc, "ta", NC_FLOAT, 4, d, "air_temperature", "K");
    NC(nc_close(nc));
    struct catalog *cat = made_open("ensemble");
    assert_int_equal(cat->dataset_count, 1);
    assert_true(cat->datasets[0].terrain >= 0);
    assert_int_equal(cat->datasets[0].variables[made_variable(&cat->datasets[0], "ta")].level_map->datum, DATUM_SEA);
    catalog_unref(cat);
}

// As Iris writes the Unified Model's levels: numbers as the dimension, heights and sigma beside them, no formula_terms; the
// orography names no grid mapping; the grid mapping comes in CF's longer form; time and a 1.5 m height are scalars.
static void test_levels_as_iris_writes_them(void **state) {
    static const double numbers[] = {1, 2, 3}, heights[] = {10, 100, 1000}, sigma[] = {0.99, 0.9, 0.1};
    int nc = made_create("iris.nc"), d[3];
    (void)state;
    int crs = made_var(nc, "crs", NC_INT, 0, NULL, NULL, NULL);
    made_text(nc, crs, "grid_mapping_name", "rotated_latitude_longitude");
    made_number(nc, crs, "grid_north_pole_latitude", 37.5);
    made_number(nc, crs, "grid_north_pole_longitude", 177.5);
    d[0] = made_axis(nc, "model_level_number", 3, numbers, "model_level_number", "1");
    d[1] = made_even_axis(nc, "grid_latitude", 4, 0, 1, "grid_latitude", "degrees");
    d[2] = made_even_axis(nc, "grid_longitude", 5, 358, 1, "grid_longitude", "degrees");
    int v = made_var(nc, "level_height", NC_DOUBLE, 1, d, NULL, "m");
    NC(nc_put_var_double(nc, v, heights));
    v = made_var(nc, "sigma", NC_DOUBLE, 1, d, NULL, "1");
    NC(nc_put_var_double(nc, v, sigma));
    float orography[20];
    for (int n = 0; n < 20; n++) orography[n] = (float)(50 * (n % 5));
    v = made_var(nc, "surface_altitude", NC_FLOAT, 2, d + 1, "surface_altitude", "m");
    NC(nc_put_var_float(nc, v, orography));
    made_scalar(nc, "time", 30, "time", "hours since 2020-01-01");
    made_scalar(nc, "forecast_period", 6, "forecast_period", "hours");
    made_scalar(nc, "height", 1.5, "height", "m");
    v = made_var(nc, "theta", NC_FLOAT, 3, d, "air_potential_temperature", "K");
    made_text(nc, v, "grid_mapping", "crs: grid_longitude grid_latitude");
    made_text(nc, v, "coordinates", "level_height sigma surface_altitude time forecast_period");
    v = made_var(nc, "t2", NC_FLOAT, 2, d + 1, "air_temperature", "K");
    made_text(nc, v, "grid_mapping", "crs");
    made_text(nc, v, "coordinates", "time forecast_period height");
    NC(nc_close(nc));
    struct catalog *cat = made_open("iris.nc");
    assert_int_equal(cat->dataset_count, 1);
    assert_int_equal(cat->problem_count, 0);
    const struct catalog_dataset *data = &cat->datasets[0];
    const struct catalog_variable *theta = &data->variables[made_variable(data, "theta")], *t2 = &data->variables[made_variable(data, "t2")];
    assert_string_equal(data->runs[0].time.iso, "2020-01-02T00:00:00Z");
    assert_string_equal(data->runs[0].series[made_variable(data, "theta")].times[0].iso, "2020-01-02T06:00:00Z");
    assert_string_equal(theta->level_map->method, "hybrid height");
    double middle = level_map_height(theta->level_map, false, 3, 2, 1);
    if (fabs(middle - (100 + 0.9 * 150)) > 1) fail_msg("%g m", middle);
    assert_true(data->terrain >= 0);
    assert_false(t2->vertical);
    assert_int_equal(t2->nz, 1);
    catalog_unref(cat);
}

static void test_an_absent_mapping_does_not_matter_to_longitudes(void **state) {
    int nc = made_create("absent_mapping.nc"), d[2], e[2];
    (void)state;
    d[0] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    made_text(nc, made_var(nc, "t", NC_FLOAT, 2, d, NULL, "K"), "grid_mapping", "nowhere");
    e[0] = made_even_axis(nc, "y", 4, 0, 1000, "projection_y_coordinate", "m");
    e[1] = made_even_axis(nc, "x", 5, 0, 1000, "projection_x_coordinate", "m");
    made_text(nc, made_var(nc, "p", NC_FLOAT, 2, e, NULL, "K"), "grid_mapping", "nowhere");
    NC(nc_close(nc));
    struct catalog *cat = made_open("absent_mapping.nc");
    assert_int_equal(cat->dataset_count, 1);
    assert_string_equal(cat->datasets[0].variables[0].id, "t");
    assert_non_null(strstr(made_problem(cat, "p")->reason, "grid mapping is absent"));
    catalog_unref(cat);
}

static size_t two_levels(const struct catalog_dataset *d, size_t v, struct catalog_pyramid_level *levels, size_t room) {
    (void)d, (void)v;
    assert_true(room >= 2);
    levels[0] = (struct catalog_pyramid_level){{5, 4, 3}, {1, 1, 1}};
    levels[1] = (struct catalog_pyramid_level){{3, 2, 3}, {2, 2, 1}};
    return 2;
}

static void test_json_has_what_was_promised(void **state) {
    (void)state;
    struct wanted_file a = t_file("json.nc", 0, 0, 2);
    a.terrain = true;
    write_file(&a);
    struct catalog *cat = made_open("json.nc");
    char *text = catalog_to_json_with(cat, two_levels);
    json_t *root = json_loads(text, 0, NULL), *d = json_array_get(json_object_get(root, "datasets"), 0);
    json_t *v = json_array_get(json_object_get(d, "variables"), 0), *run = json_array_get(json_object_get(d, "runs"), 0);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(d, "terrain")), "orog");
    assert_int_equal(json_array_size(json_object_get(json_object_get(d, "grid"), "corners")), 4);
    assert_int_equal(json_array_size(json_object_get(v, "shape")), 3);
    assert_string_equal(json_string_value(json_object_get(json_object_get(v, "vertical"), "kind")), "pressure");
    assert_string_equal(json_string_value(json_array_get(json_object_get(v, "times"), 1)), "2020-01-01T01:00:00Z");
    assert_int_equal(json_array_size(json_object_get(v, "pyramid")), 2);
    json_t *series = json_object_get(json_object_get(run, "series"), "ta");
    assert_int_equal(strlen(json_string_value(json_object_get(series, "edition"))), 32);
    assert_int_equal(json_array_size(json_object_get(series, "geometry")), 1);
    assert_true(json_is_null(json_object_get(json_object_get(json_object_get(run, "series"), "orog"), "geometry")));
    json_decref(root);
    free(text);
    catalog_unref(cat);
}

// A reader's end is told by the source layer; here it is put into the pool's memory by hand.
static void test_a_file_that_is_condemned_later_is_a_problem(void **state) {
    (void)state;
    struct wanted_file a = t_file("condemned.nc", 0, 0, 2);
    struct stat s;
    write_file(&a);
    struct catalog *cat = made_open("condemned.nc");
    char *before = catalog_to_json(cat);
    assert_int_equal(0, stat(made_path("condemned.nc"), &s));
    struct source_condemnation condemnation = {
        .identity = {s.st_dev, s.st_ino, (uint64_t)s.st_size, (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec},
        .status = VIRGA_GONE, .words = "the reader crashed on it"};
    source_pool_load_condemned(made_pool, &condemnation, 1);
    char *after = catalog_to_json(cat);
    json_t *was = json_loads(before, 0, NULL), *is = json_loads(after, 0, NULL);
    assert_int_equal(0, json_array_size(json_object_get(was, "problems")));
    json_t *problems = json_object_get(is, "problems"), *problem = json_array_get(problems, 0);
    assert_int_equal(1, json_array_size(problems));
    assert_string_equal(made_path("condemned.nc"), json_string_value(json_object_get(problem, "file")));
    assert_non_null(strstr(json_string_value(json_object_get(problem, "reason")), "crashed"));
    assert_int_equal(1, json_array_size(json_object_get(json_array_get(json_object_get(is, "datasets"), 0), "problems")));
    json_decref(was);
    json_decref(is);
    free(before);
    free(after);
    catalog_unref(cat);
}

static void test_geometry_document_is_whole(void **state) {
    uint8_t *bytes;
    size_t size;
    (void)state;
    struct wanted_file a = t_file("geometry.nc", 0, 0, 1);
    a.terrain = true;
    write_file(&a);
    struct catalog *cat = made_open("geometry.nc");
    const struct catalog_dataset *d = &cat->datasets[0];
    const struct level_map *map = d->variables[0].level_map;
    assert_int_equal(catalog_geometry(d, map, &bytes, &size), VIRGA_OK);
    assert_memory_equal(bytes, "VGEO\2\0\0\0", 8);
    uint32_t length = (uint32_t)(bytes[8] | bytes[9] << 8 | bytes[10] << 16);
    json_t *root = json_loadb((const char *)bytes + 12, length, 0, NULL), *table = json_object_get(json_object_get(root, "level_map"), "table");
    size_t head = (12 + length + 3) / 4 * 4, offset = (size_t)json_integer_value(json_object_get(table, "offset")), count = (size_t)json_integer_value(json_object_get(table, "count"));
    assert_int_equal(count, map->height_count);
    assert_true(head + offset + count * 4 <= size);
    assert_memory_equal(bytes + head + offset, map->table, count * sizeof(float));
    json_decref(root);
    free(bytes);
    assert_int_equal(catalog_geometry(d, NULL, &bytes, &size), VIRGA_OK);  // for 2-D variables
    free(bytes);
    catalog_unref(cat);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_and_their_times),
        cmocka_unit_test(test_files_split_by_variable_join),
        cmocka_unit_test(test_other_grids_and_sources_stay_apart),
        cmocka_unit_test(test_ids_stay_when_runs_come_and_go), cmocka_unit_test(test_steps_keep_their_edition_when_others_come),
        cmocka_unit_test(test_ways_to_name_a_folder_are_one),
        cmocka_unit_test(test_links_are_followed_and_files_count_once),
        cmocka_unit_test(test_a_folder_that_cannot_be_read_is_named),
        cmocka_unit_test(test_runs_of_one_orography_share_a_map),
        cmocka_unit_test(test_runs_without_a_reference_time),
        cmocka_unit_test(test_a_variable_that_cannot_be_placed_takes_nobody_along),
        cmocka_unit_test(test_broken_axes_become_problems),
        cmocka_unit_test(test_huge_claims_are_refused),
        cmocka_unit_test(test_unreadable_files_become_problems),
        cmocka_unit_test(test_members_are_read_apart),
        cmocka_unit_test(test_ensembles_adopt_files_without_members),
        cmocka_unit_test(test_levels_as_iris_writes_them),
        cmocka_unit_test(test_an_absent_mapping_does_not_matter_to_longitudes),
        cmocka_unit_test(test_json_has_what_was_promised),
        cmocka_unit_test(test_a_file_that_is_condemned_later_is_a_problem),
        cmocka_unit_test(test_geometry_document_is_whole),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
