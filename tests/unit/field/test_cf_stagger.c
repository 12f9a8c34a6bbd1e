// SPDX-License-Identifier: Apache-2.0
// Staggered grids: components stay where they are, and wind is formed on mass points.
#include "made_file.h"

enum { NX = 8, NY = 6, NZ = 4 };

// Linear in each index, and in none of them alike: a mean half a cell off is easy to tell.
static double u_truth(double x, double y, double k) { return 2 * x + 0.25 * y + 0.5 * k + 1; }
static double v_truth(double x, double y, double k) { return 0.5 * x - 1.5 * y + k - 3; }

struct layout {
    size_t nx_u, ny_v;     // points of the staggered axes
    double u_off, v_off;   // of the first staggered point from the first mass point, in cells
    bool lat_down, with_mass, chunked;
    double x0, dx;
};

static void put(int nc, const char *name, const int *dims, const size_t *n, const char *standard_name, double (*truth)(double, double, double), double x_off, double y_off,
                bool lat_down, bool chunked) {
    static const size_t chunk[3] = {1, 2, 3};
    int v = made_var(nc, name, NC_FLOAT, 3, dims, standard_name, "m s-1");
    if (chunked) NC(nc_def_var_chunking(nc, v, NC_CHUNKED, chunk));
    double *data = calloc(n[0] * n[1] * n[2], sizeof *data);
    for (size_t k = 0; k < n[0]; k++)
        for (size_t j = 0; j < n[1]; j++)
            for (size_t i = 0; i < n[2]; i++)
                data[(k * n[1] + (lat_down ? n[1] - 1 - j : j)) * n[2] + i] = truth((double)i + x_off, (double)j + y_off, (double)k);
    NC(nc_put_var_double(nc, v, data));
    free(data);
}

static int latitudes(int nc, const char *name, size_t n, double start, bool down) {
    return made_even_axis(nc, name, n, down ? start + 5.0 * (double)(n - 1) : start, down ? -5 : 5, "latitude", "degrees_north");
}

static void write_c_grid(const char *name, const struct layout *l) {
    const double heights[NZ] = {10, 100, 500, 1000};
    int nc = made_create(name);
    int z = made_axis(nc, "height", NZ, heights, "height", "m");
    int lat = latitudes(nc, "lat", NY, 30, l->lat_down), lat_v = latitudes(nc, "lat_v", l->ny_v, 30 + 5 * l->v_off, l->lat_down);
    int lon = made_even_axis(nc, "lon", NX, l->x0, l->dx, "longitude", "degrees_east");
    int lon_u = made_even_axis(nc, "lon_u", l->nx_u, l->x0 + l->dx * l->u_off, l->dx, "longitude", "degrees_east");
    const int u_dims[] = {z, lat, lon_u}, v_dims[] = {z, lat_v, lon}, t_dims[] = {z, lat, lon};
    const size_t u_n[] = {NZ, NY, l->nx_u}, v_n[] = {NZ, l->ny_v, NX}, t_n[] = {NZ, NY, NX};
    put(nc, "u", u_dims, u_n, "x_wind", u_truth, l->u_off, 0, l->lat_down, l->chunked);
    put(nc, "v", v_dims, v_n, "y_wind", v_truth, 0, l->v_off, l->lat_down, l->chunked);
    if (l->with_mass) put(nc, "w", t_dims, t_n, "upward_air_velocity", u_truth, 0, 0, l->lat_down, l->chunked);
    NC(nc_close(nc));
}

// The mean of the two staggered values around, each at an index that may lie beyond the ends; `wraps` closes x.
static double expected(const struct layout *l, bool is_u, size_t i, size_t j, size_t k, bool wraps) {
    double off = is_u ? l->u_off : l->v_off, sum = 0;
    ptrdiff_t n = (ptrdiff_t)(is_u ? l->nx_u : l->ny_v), at = (ptrdiff_t)(is_u ? i : j), low = off < 0 ? at : at - 1;
    for (ptrdiff_t side = 0; side < 2; side++) {
        ptrdiff_t point = low + side;
        if (point < 0 || point >= n) {
            if (!wraps || !is_u) return NAN;
            point = (point + n) % n;
        }
        double where = (double)point + off;
        sum += is_u ? u_truth(where, (double)j, (double)k) : v_truth((double)i, where, (double)k);
    }
    return sum / 2;
}

static const struct catalog_dataset *dataset_with(const struct catalog *c, const char *variable) {
    for (size_t d = 0; d < c->dataset_count; d++)
        if (catalog_find_variable(&c->datasets[d], variable) >= 0) return &c->datasets[d];
    fail_msg("no dataset has %s", variable);
    return NULL;
}

static void check_against(const struct layout *l, const struct catalog_dataset *d, const char *id, bool is_u, bool wraps) {
    static const size_t limits[] = {1, 100, 1 << 20};
    struct field_ref field = {.dataset = d, .variable = made_variable(d, id)};
    assert_true(d->grid->wraps == wraps);
    for (size_t n = 0; n < 3; n++) {
        double *values = made_read(&field, limits[n]);
        for (size_t at = 0; at < NX * NY * NZ; at++) {
            double wanted = expected(l, is_u, at % NX, at / NX % NY, at / (NX * NY), wraps);
            if (isnan(wanted) ? !isnan(values[at]) : values[at] != wanted) fail_msg("%s voxel %zu: %g instead of %g", id, at, values[at], wanted);
        }
        free(values);
    }
    // The source's own plain code agrees, at a place where all is present.
    double lon, lat, value, x = d->grid->x.values[3], y = d->grid->y.values[2];
    assert_int_equal(grid_to_lonlat(d->grid, x, y, &lon, &lat), VIRGA_OK);
    assert_int_equal(catalog_sample_source(&field, lon, lat, 100, &value, NULL), VIRGA_OK);
    assert_true(fabs(value - expected(l, is_u, 3, 2, 1, wraps)) < 1e-9);
}

static void check_layout(const char *name, const struct layout *l, bool wraps) {
    write_c_grid(name, l);
    struct catalog *c = made_open(name);
    assert_int_equal(c->problem_count, 0);
    assert_int_equal(c->dataset_count, 3);
    const struct catalog_dataset *mass = &c->datasets[0];  // comes first
    assert_true(mass == dataset_with(c, "u_at_mass_points"));
    check_against(l, mass, "u_at_mass_points", true, wraps);
    check_against(l, mass, "v_at_mass_points", false, wraps);
    assert_string_equal(mass->variables[made_variable(mass, "u_at_mass_points")].long_name, "u at mass points");
    if (l->with_mass) made_variable(mass, "w");
    // Wind is formed there, and only there.
    struct field_ref speed = {.dataset = mass, .variable = made_variable(mass, "wind_speed")};
    double *values = made_read(&speed, 1 << 20), wanted = hypot(expected(l, true, 3, 2, 1, wraps), expected(l, false, 3, 2, 1, wraps));
    assert_true(fabs(values[(1 * NY + 2) * NX + 3] - wanted) < 1e-12);
    free(values);
    // The components as stored, on their own grids.
    const struct catalog_dataset *on_u = dataset_with(c, "u"), *on_v = dataset_with(c, "v");
    assert_true(on_u != mass && on_v != mass && on_u != on_v);
    assert_int_equal(catalog_find_variable(on_u, "wind_speed"), -1);
    struct field_ref stored = {.dataset = on_u, .variable = made_variable(on_u, "u")};
    values = made_read(&stored, 1 << 20);
    for (size_t at = 0; at < l->nx_u * NY * NZ; at++)
        assert_true(values[at] == u_truth((double)(at % l->nx_u) + l->u_off, (double)(at / l->nx_u % NY), (double)(at / (l->nx_u * NY))));
    free(values);
    catalog_unref(c);
}

static void test_every_layout_meets_on_mass_points(void **state) {
    const struct layout layouts[] = {
        {NX + 1, NY + 1, -0.5, -0.5, false, true, false, 10, 5},   // faces around every cell
        {NX + 1, NY + 1, -0.5, -0.5, true, true, true, 10, 5},     // rows from north to south, in chunks
        {NX, NY, 0.5, 0.5, false, true, false, 10, 5},             // equal counts, half a cell east and north
        {NX, NY, -0.5, -0.5, true, true, true, 10, 5},             // half a cell west and south
        {NX, NY - 1, 0.5, 0.5, false, true, false, 10, 5},         // v between the rows only
        {NX, NY, 0.5, 0.5, false, false, false, 10, 5},            // nothing stands on the mass points
    };
    (void)state;
    for (size_t n = 0; n < sizeof layouts / sizeof *layouts; n++) {
        char name[32];
        snprintf(name, sizeof name, "c_grid%zu.nc", n);
        check_layout(name, &layouts[n], false);
    }
}

static void test_the_globe_closes(void **state) {
    const struct layout east = {NX, NY, 0.5, 0.5, false, true, true, 0, 45}, west = {NX, NY, -0.5, -0.5, true, true, false, 0, 45};
    (void)state;
    check_layout("globe_east.nc", &east, true);
    check_layout("globe_west.nc", &west, true);
}

// Components that share their points need no averaging, and grids that are not half a cell apart get none.
static void test_others_are_left_alone(void **state) {
    const struct layout quarter = {NX, NY, 0.25, 0.25, false, true, false, 10, 5};
    (void)state;
    write_c_grid("quarter.nc", &quarter);
    struct catalog *c = made_open("quarter.nc");
    assert_int_equal(c->dataset_count, 3);
    for (size_t d = 0; d < 3; d++) assert_int_equal(c->datasets[d].variable_count, 1);
    catalog_unref(c);
}

// A missing number is missing on both of its sides, and nowhere else.
static void test_missing_numbers_stay_missing(void **state) {
    const struct layout l = {NX + 1, NY + 1, -0.5, -0.5, false, true, false, 10, 5};
    const size_t at[] = {1, 2, 4};
    const float gone = NAN;
    int nc, v;
    (void)state;
    write_c_grid("gone.nc", &l);
    NC(nc_open(made_path("gone.nc"), NC_WRITE, &nc));
    NC(nc_inq_varid(nc, "u", &v));
    NC(nc_put_var1_float(nc, v, at, &gone));
    NC(nc_close(nc));
    struct catalog *c = made_open("gone.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "u_at_mass_points")};
    double *values = made_read(&field, 1 << 20);
    for (size_t n = 0; n < NX * NY * NZ; n++)
        assert_true(isnan(values[n]) == (n / (NX * NY) == 1 && n / NX % NY == 2 && (n % NX == 3 || n % NX == 4)));
    free(values);
    catalog_unref(c);
}

// Hybrid heights over hills: the ground under a staggered component is the mean of the hills beside it.
static void test_staggered_levels_follow_the_ground(void **state) {
    const double a[NZ] = {10, 100, 500, 1000}, b[NZ] = {1, 0.9, 0.5, 0};
    (void)state;
    int nc = made_create("hills.nc"), z = made_dim(nc, "level", NZ);
    int va = made_var(nc, "level_height", NC_DOUBLE, 1, &z, "atmosphere_hybrid_height_coordinate", "m"), vb = made_var(nc, "sigma", NC_DOUBLE, 1, &z, NULL, "1");
    made_text(nc, va, "formula_terms", "a: level_height b: sigma orog: hills");
    NC(nc_put_var_double(nc, va, a));
    NC(nc_put_var_double(nc, vb, b));
    int lat = latitudes(nc, "lat", NY, 30, false), lat_v = latitudes(nc, "lat_v", NY, 32.5, false);
    int lon = made_even_axis(nc, "lon", NX, 10, 5, "longitude", "degrees_east"), lon_u = made_even_axis(nc, "lon_u", NX, 12.5, 5, "longitude", "degrees_east");
    const int u_dims[] = {z, lat, lon_u}, v_dims[] = {z, lat_v, lon}, hill_dims[] = {lat, lon};
    const size_t n[] = {NZ, NY, NX};
    put(nc, "u", u_dims, n, "x_wind", u_truth, 0.5, 0, false, false);
    put(nc, "v", v_dims, n, "y_wind", v_truth, 0, 0.5, false, false);
    made_text(nc, 4 + 2, "coordinates", "level_height sigma");
    made_text(nc, 4 + 3, "coordinates", "level_height sigma");
    int hills = made_var(nc, "hills", NC_DOUBLE, 2, hill_dims, "surface_altitude", "m");
    double ground[NY][NX];
    for (size_t j = 0; j < NY; j++)
        for (size_t i = 0; i < NX; i++) ground[j][i] = 100 * (double)i + 10 * (double)j;
    NC(nc_put_var_double(nc, hills, &ground[0][0]));
    NC(nc_close(nc));
    struct catalog *c = made_open("hills.nc");
    assert_int_equal(c->problem_count, 0);
    const struct catalog_dataset *on_u = dataset_with(c, "u"), *on_v = dataset_with(c, "v");
    const struct level_map *mu = on_u->variables[made_variable(on_u, "u")].level_map, *mv = on_v->variables[made_variable(on_v, "v")].level_map;
    assert_int_equal(mu->datum, DATUM_SEA);
    assert_true(fabs(level_map_height(mu, false, 2, 3, 1) - (100 + 0.9 * (250 + 30))) < 3);
    assert_true(fabs(level_map_height(mu, false, NX - 1, 3, 1) - (100 + 0.9 * (700 + 30))) < 3);  // beyond the last hill: its height
    assert_true(fabs(level_map_height(mv, false, 2, 3, 1) - (100 + 0.9 * (200 + 35))) < 3);
    assert_int_equal(on_u->terrain, made_variable(on_u, "hills_at_staggered_points"));
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layout_meets_on_mass_points),
        cmocka_unit_test(test_the_globe_closes),
        cmocka_unit_test(test_others_are_left_alone),
        cmocka_unit_test(test_missing_numbers_stay_missing),
        cmocka_unit_test(test_staggered_levels_follow_the_ground),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
