// SPDX-License-Identifier: Apache-2.0
// The value at a place from the source, against what the made fields are by formula; winds against vectors on the sphere.
#include "made_file.h"

enum { NX = 9, NY = 8, NZ = 6 };
static const double degree = 0.017453292519943295;

static double orography(double i, double j) { return 100 + 50 * i + 20 * j; }
static const double a_terms[NZ] = {10, 60, 200, 600, 1500, 4000}, b_terms[NZ] = {0.99, 0.95, 0.85, 0.6, 0.2, 0};

// A field that is linear in i, j and k, on hybrid heights over a plane slope: interpolation has to give it back exactly.
static double linear(double i, double j, double k) { return 280 + 0.5 * i - 0.25 * j - 3 * k; }

static void write_hybrid(const char *name, int lat_down) {
    int nc = made_create(name), d[3], v;
    double lat[NY], data[NZ * NY * NX], orog[NY * NX];
    for (int j = 0; j < NY; j++) lat[lat_down ? NY - 1 - j : j] = 50 + 0.1 * j;
    d[0] = made_axis(nc, "level_height", NZ, a_terms, "atmosphere_hybrid_height_coordinate", "m");
    d[1] = made_axis(nc, "latitude", NY, lat, "latitude", "degrees_north");
    d[2] = made_even_axis(nc, "longitude", NX, -3, 0.1, "longitude", "degrees_east");
    int a;
    NC(nc_inq_varid(nc, "level_height", &a));
    made_text(nc, a, "formula_terms", "a: level_height b: sigma orog: surface_altitude");
    v = made_var(nc, "sigma", NC_DOUBLE, 1, d, NULL, "1");
    NC(nc_put_var_double(nc, v, b_terms));
    for (int n = 0; n < NY * NX; n++) orog[n] = orography(n % NX, lat_down ? NY - 1 - n / NX : n / NX);
    v = made_var(nc, "surface_altitude", NC_FLOAT, 2, d + 1, "surface_altitude", "m");
    NC(nc_put_var_double(nc, v, orog));
    for (int n = 0; n < NZ * NY * NX; n++) data[n] = linear(n % NX, lat_down ? NY - 1 - n / NX % NY : n / NX % NY, n / (NX * NY));
    v = made_var(nc, "theta", NC_DOUBLE, 3, d, "air_potential_temperature", "K");
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
}

// Level of a height by the coefficients themselves.
static double level_of(double i, double j, double height) {
    double below = 0;
    for (int k = 0; k < NZ; k++) {
        double h = a_terms[k] + b_terms[k] * orography(i, j);
        if (height <= h) return k == 0 ? 0 : k - 1 + (height - below) / (h - below);
        below = h;
    }
    return NAN;
}

static void test_linear_fields_come_back_exactly(void **state) {
    (void)state;
    for (int down = 0; down < 2; down++) {
        write_hybrid("hybrid.nc", down);
        struct catalog *c = made_open("hybrid.nc");
        const struct catalog_dataset *d = &c->datasets[0];
        struct field_ref field = {.dataset = d, .variable = made_variable(d, "theta")};
        assert_int_equal(d->variables[field.variable].level_map->kind, LEVEL_MAP_BY_SURFACE);
        assert_int_equal(d->variables[field.variable].level_map->datum, DATUM_SEA);
        for (int n = 0; n < 300; n++) {
            double i = fmod(n * 0.37, NX - 1), j = fmod(n * 0.53, NY - 1), height = orography(i, j) + fmod(n * 13.7, 3000), value, mapped;
            assert_int_equal(catalog_sample_source(&field, -3 + 0.1 * i, 50 + 0.1 * j, height, &value, NULL), VIRGA_OK);
            double wanted = linear(i, j, level_of(i, j, height));
            if (!(fabs(value - wanted) < 1e-6)) fail_msg("(%g, %g) %g m: %g instead of %g", i, j, height, value, wanted);
            // The map agrees within its stated error.
            assert_true(level_map_locate(d->variables[field.variable].level_map, false, i, j, height, &mapped));
            double k = floor(fmin(mapped, NZ - 2)), low = a_terms[(int)k] + b_terms[(int)k] * orography(i, j), high = a_terms[(int)k + 1] + b_terms[(int)k + 1] * orography(i, j);
            if (mapped > 0) assert_true(fabs(low + (high - low) * (mapped - k) - height) <= d->variables[field.variable].level_map->max_error + 0.01);
        }
        catalog_unref(c);
    }
}

static double value_at(const struct field_ref *field, double lon, double lat, double height) {
    double value;
    struct failure failure = {0};
    if (catalog_sample_source(field, lon, lat, height, &value, &failure)) fail_msg("%s", failure.message);
    return value;
}

static void test_outside_is_absent(void **state) {
    (void)state;
    write_hybrid("hybrid.nc", 0);
    struct catalog *c = made_open("hybrid.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "theta")};
    double ground = orography(4, 4);
    assert_true(isnan(value_at(&field, -3.01, 50.4, 1000)));
    assert_true(isnan(value_at(&field, -2.6, 51, 1000)));
    assert_true(isnan(value_at(&field, -2.6, 50.4, ground - 1)));
    assert_true(isnan(value_at(&field, -2.6, 50.4, 4001)));
    assert_true(isnan(value_at(&field, -2.6, 50.4, NAN)));
    assert_true(isnan(value_at(&field, NAN, 50.4, 1000)));
    assert_true(fabs(value_at(&field, -2.6, 50.4, ground + 1) - linear(4, 4, 0)) < 1e-6);  // held down to the ground
    assert_true(fabs(value_at(&field, -2.6, 50.4, 4000) - linear(4, 4, NZ - 1)) < 1e-6);
    catalog_unref(c);
}

static void test_profiles_go_up_from_the_ground(void **state) {
    struct source_profile p;
    (void)state;
    write_hybrid("hybrid.nc", 1);
    struct catalog *c = made_open("hybrid.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "theta")};
    assert_int_equal(catalog_profile_source(&field, -3 + 0.1 * 2.5, 50 + 0.1 * 3.25, &p, NULL), VIRGA_OK);
    assert_int_equal(p.count, NZ);
    for (int k = 0; k < NZ; k++) {
        assert_true(fabs(p.heights[k] - (a_terms[k] + b_terms[k] * orography(2.5, 3.25))) < 1e-3);
        assert_true(fabs(p.values[k] - linear(2.5, 3.25, k)) < 1e-6);
    }
    source_profile_destroy(&p);
    assert_int_equal(catalog_profile_source(&field, 90, 0, &p, NULL), VIRGA_OK);
    assert_int_equal(p.count, 0);
    catalog_unref(c);
}

// Present by weight: with one of four columns missing the rest decides while it has half of the weight.
static void test_half_of_the_weight_has_to_be_present(void **state) {
    int nc = made_create("holes.nc"), d[2];
    const double data[4] = {1, 2, 3, NAN};
    (void)state;
    d[0] = made_even_axis(nc, "lat", 2, 0, 1, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", 2, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, "t", NC_DOUBLE, 2, d, "air_temperature", "K");
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
    struct catalog *c = made_open("holes.nc");
    struct field_ref field = {.dataset = &c->datasets[0]};
    assert_true(fabs(value_at(&field, 0.5, 0.5, 0) - 2) < 1e-12);            // (1 + 2 + 3) / 3
    assert_true(isnan(value_at(&field, 0.8, 0.8, 0)));                       // the missing one weighs 0.64
    assert_true(fabs(value_at(&field, 0.7, 0.7, 0) - (0.09 * 1 + 0.21 * 2 + 0.21 * 3) / 0.51) < 1e-12);
    assert_true(value_at(&field, 1, 0, 0) == 2);
    catalog_unref(c);
}

static void test_globes_wrap(void **state) {
    int nc = made_create("globe.nc"), d[2];
    double data[3 * 36];
    (void)state;
    d[0] = made_even_axis(nc, "lat", 3, 10, -10, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", 36, 0, 10, "longitude", "degrees_east");
    int v = made_var(nc, "t", NC_DOUBLE, 2, d, "air_temperature", "K");
    for (int n = 0; n < 108; n++) data[n] = n % 36;
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
    struct catalog *c = made_open("globe.nc");
    struct field_ref field = {.dataset = &c->datasets[0]};
    assert_true(c->datasets[0].grid->wraps);
    assert_true(fabs(value_at(&field, -5, 0, 0) - 17.5) < 1e-9);
    assert_true(fabs(value_at(&field, 359, 5, 0) - (35 * 0.1)) < 1e-9);
    catalog_unref(c);
}

// --- wind on a rotated pole --------------------------------------------------------------------------------------------

// A place of the rotated grid as a vector, by rotations written out: about y by the pole's latitude, then about z.
static void unrotate(double x, double y, double lat_pole, double lon_pole, double v[3]) {
    double p = lat_pole * degree, l = (lon_pole + 180) * degree;
    double a[3] = {cos(y * degree) * cos(x * degree), cos(y * degree) * sin(x * degree), sin(y * degree)};
    double b[3] = {sin(p) * a[0] - cos(p) * a[2], a[1], cos(p) * a[0] + sin(p) * a[2]};
    v[0] = cos(l) * b[0] - sin(l) * b[1];
    v[1] = sin(l) * b[0] + cos(l) * b[1];
    v[2] = b[2];
}

static double dot(const double a[3], const double b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// Direction the wind comes from: grid components moved to vectors in space by differences, then read off on true east and north.
static double direction_in_space(double x, double y, double u, double v) {
    const double step = 1e-5;
    double at[3], along_x[3], along_y[3], plus[3], minus[3], wind[3];
    unrotate(x, y, 30, 170, at);
    unrotate(x + step, y, 30, 170, plus), unrotate(x - step, y, 30, 170, minus);
    for (int n = 0; n < 3; n++) along_x[n] = (plus[n] - minus[n]) / (2 * step * degree * cos(y * degree));
    unrotate(x, y + step, 30, 170, plus), unrotate(x, y - step, 30, 170, minus);
    for (int n = 0; n < 3; n++) along_y[n] = (plus[n] - minus[n]) / (2 * step * degree);
    for (int n = 0; n < 3; n++) wind[n] = u * along_x[n] + v * along_y[n];
    double lon = atan2(at[1], at[0]), lat = asin(at[2]);
    const double east[3] = {-sin(lon), cos(lon), 0}, north[3] = {-sin(lat) * cos(lon), -sin(lat) * sin(lon), cos(lat)};
    double from = atan2(-dot(wind, east), -dot(wind, north)) / degree;
    return from < 0 ? from + 360 : from;
}

static int rotated_grid(int nc, int d[2], size_t ny, size_t nx) {
    int crs = made_var(nc, "crs", NC_INT, 0, NULL, NULL, NULL);
    made_text(nc, crs, "grid_mapping_name", "rotated_latitude_longitude");
    made_number(nc, crs, "grid_north_pole_latitude", 30);
    made_number(nc, crs, "grid_north_pole_longitude", 170);
    d[0] = made_even_axis(nc, "rlat", ny, -20, 9, "grid_latitude", "degrees");
    d[1] = made_even_axis(nc, "rlon", nx, -40, 16, "grid_longitude", "degrees");
    return crs;
}

static void test_winds_turn_to_true_north(void **state) {
    int nc = made_create("wind.nc"), d[2];
    double u[30], v[30];
    (void)state;
    rotated_grid(nc, d, 5, 6);
    for (int n = 0; n < 30; n++) u[n] = 10 * sin(n * 1.3), v[n] = 10 * cos(n * 0.7);
    u[7] = NAN;
    int a = made_var(nc, "u", NC_DOUBLE, 2, d, "x_wind", "m s-1"), b = made_var(nc, "v", NC_DOUBLE, 2, d, "y_wind", "m s-1");
    made_text(nc, a, "grid_mapping", "crs"), made_text(nc, b, "grid_mapping", "crs");
    NC(nc_put_var_double(nc, a, u));
    NC(nc_put_var_double(nc, b, v));
    NC(nc_close(nc));
    struct catalog *c = made_open("wind.nc");
    const struct catalog_dataset *data = &c->datasets[0];
    struct field_ref speed = {.dataset = data, .variable = made_variable(data, "wind_speed")}, direction = {.dataset = data, .variable = made_variable(data, "wind_from_direction")};
    assert_true(data->variables[direction.variable].derived);
    assert_string_equal(data->variables[direction.variable].units, "degree");
    double *speeds = made_read(&speed, 1 << 20), *directions = made_read(&direction, 1 << 20);
    for (int n = 0; n < 30; n++) {
        if (n == 7) {
            assert_true(isnan(speeds[n]) && isnan(directions[n]));
            continue;
        }
        double x = -40 + 16 * (n % 6), y = -20 + 9 * (n / 6), lon, lat;
        double wanted = direction_in_space(x, y, u[n], v[n]), off = remainder(directions[n] - wanted, 360);
        if (fabs(speeds[n] - hypot(u[n], v[n])) > 1e-9 || fabs(off) > 0.02) fail_msg("at (%g, %g): %g from %g instead of %g", x, y, speeds[n], directions[n], wanted);
        assert_true(directions[n] >= 0 && directions[n] < 360);
        assert_int_equal(grid_to_lonlat(data->grid, x, y, &lon, &lat), VIRGA_OK);
        assert_true(fabs(remainder(value_at(&direction, lon, lat, 0) - wanted, 360)) < 0.02);
    }
    free(speeds);
    free(directions);
    catalog_unref(c);
}

static void test_true_winds_are_not_turned(void **state) {
    int nc = made_create("true_wind.nc"), d[2];
    const double u[4] = {0, -5, 0, 5}, v[4] = {-5, 0, 5, 0}, wanted[4] = {0, 90, 180, 270};
    (void)state;
    rotated_grid(nc, d, 2, 2);
    int a = made_var(nc, "u", NC_DOUBLE, 2, d, "eastward_wind", "m s-1"), b = made_var(nc, "v", NC_DOUBLE, 2, d, "northward_wind", "m s-1");
    made_text(nc, a, "grid_mapping", "crs"), made_text(nc, b, "grid_mapping", "crs");
    NC(nc_put_var_double(nc, a, u));
    NC(nc_put_var_double(nc, b, v));
    NC(nc_close(nc));
    struct catalog *c = made_open("true_wind.nc");
    struct field_ref direction = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "wind_from_direction")};
    double *directions = made_read(&direction, 1 << 20);
    for (int n = 0; n < 4; n++) assert_true(fabs(remainder(directions[n] - wanted[n], 360)) < 1e-9);
    free(directions);
    catalog_unref(c);
}

// --- pressure levels ---------------------------------------------------------------------------------------------------

static void test_geopotential_gives_pressure_levels_their_heights(void **state) {
    static const double pressures[3] = {500, 850, 1000};
    int nc = made_create("gph.nc"), d[4];
    double z[2 * 3 * 20], t[2 * 2 * 20], value;
    (void)state;
    d[0] = made_even_axis(nc, "time", 2, 0, 6, "time", "hours since 2020-01-01");
    d[1] = made_axis(nc, "plev", 3, pressures, "air_pressure", "hPa");
    d[2] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[3] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    int g = made_var(nc, "zg", NC_DOUBLE, 4, d, "geopotential", "m2 s-2");
    for (int n = 0; n < 120; n++) z[n] = 9.80665 * ((double[]){5600, 1500, 100}[n / 20 % 3] + 10 * (n % 5) + 30 * (n / 60));
    NC(nc_put_var_double(nc, g, z));
    d[1] = made_axis(nc, "plev2", 2, pressures + 1, "air_pressure", "hPa");  // fewer levels than the heights have
    int v = made_var(nc, "ta", NC_DOUBLE, 4, d, "air_temperature", "K");
    for (int n = 0; n < 80; n++) t[n] = n / 20 % 2 ? 290 : 280;
    NC(nc_put_var_double(nc, v, t));
    NC(nc_close(nc));
    struct catalog *c = made_open("gph.nc");
    const struct catalog_dataset *data = &c->datasets[0];
    struct field_ref field = {.dataset = data, .variable = made_variable(data, "ta")};
    struct level_map *map, *later;
    assert_string_equal(data->variables[field.variable].level_map->method, "geopotential height");
    assert_int_equal(catalog_level_map(c, &field, &map, NULL), VIRGA_OK);
    // At 2 E, 51 N the levels stand at 120 m and 1520 m, six hours later 30 m higher.
    assert_int_equal(catalog_sample_source(&field, 2, 51, 820, &value, NULL), VIRGA_OK);
    assert_true(fabs(value - 285) < 1e-3);
    field.step = 1;
    assert_int_equal(catalog_sample_source(&field, 2, 51, 850, &value, NULL), VIRGA_OK);
    assert_true(fabs(value - 285) < 1e-3);
    assert_int_equal(catalog_level_map(c, &field, &later, NULL), VIRGA_OK);
    assert_string_not_equal(map->id, later->id);
    assert_true(fabs(level_map_height(map, false, 2, 1, 1) - 1520) < 5 && fabs(level_map_height(later, false, 2, 1, 1) - 1550) < 5);
    level_map_unref(map);
    level_map_unref(later);
    catalog_unref(c);
}

static void test_without_geopotential_the_standard_atmosphere_serves(void **state) {
    static const double pressures[2] = {1013.25, 226.32};
    int nc = made_create("std.nc"), d[3];
    double data[40], value;
    (void)state;
    d[0] = made_axis(nc, "plev", 2, pressures, "air_pressure", "hPa");
    d[1] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[2] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, "ta", NC_DOUBLE, 3, d, "air_temperature", "K");
    for (int n = 0; n < 40; n++) data[n] = n < 20 ? 0 : 11;
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
    struct catalog *c = made_open("std.nc");
    struct field_ref field = {.dataset = &c->datasets[0]};
    assert_string_equal(c->datasets[0].variables[0].level_map->method, "standard atmosphere");
    assert_int_equal(catalog_sample_source(&field, 2, 51, 5500, &value, NULL), VIRGA_OK);
    assert_true(fabs(value - 5.5) < 1e-3);
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_fields_come_back_exactly),
        cmocka_unit_test(test_outside_is_absent),
        cmocka_unit_test(test_profiles_go_up_from_the_ground),
        cmocka_unit_test(test_half_of_the_weight_has_to_be_present),
        cmocka_unit_test(test_globes_wrap),
        cmocka_unit_test(test_winds_turn_to_true_north),
        cmocka_unit_test(test_true_winds_are_not_turned),
        cmocka_unit_test(test_geopotential_gives_pressure_levels_their_heights),
        cmocka_unit_test(test_without_geopotential_the_standard_atmosphere_serves),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
