// SPDX-License-Identifier: Apache-2.0
// Grids known by the longitude and latitude of every column: upright, not mirrored, found at every place, and refused where they
// are none. Expected places come from formulas of their own (polar stereographic and a turned sphere).
#include "made_file.h"

#include <time.h>

#include "field/cf_columns.h"
#include "field/grid_mesh.h"
#include "field/grid_transform.h"

static const double rad = 0.017453292519943295;

struct columns { double *lon, *lat; size_t n[2]; };  // [n[0]][n[1]]

static struct columns columns_new(size_t n0, size_t n1) {
    return (struct columns){calloc(n0 * n1, sizeof(double)), calloc(n0 * n1, sizeof(double)), {n0, n1}};
}

static void columns_free(struct columns *c) { free(c->lon), free(c->lat); }

// Polar stereographic about (lon0, lat0 = the pole) with unit radius, turned so that the middle is at `lat`, `lon` instead: a place
// (x, y) on the tangent plane at any point of the sphere, y to the north there.
static void plane_to_place(double lon0, double lat0, double x, double y, double *lon, double *lat) {
    double r = hypot(x, y), c = 2 * atan(r / 2), s = sin(lat0 * rad), k = cos(lat0 * rad);
    *lat = r > 0 ? asin(cos(c) * s + y * sin(c) * k / r) / rad : lat0;
    *lon = lon0 + (r > 0 ? atan2(x * sin(c), r * k * cos(c) - y * s * sin(c)) / rad : 0);
}

// n1 columns along x (fast) and n0 along y about a middle, a step apart.
static struct columns about(double lon0, double lat0, size_t n0, size_t n1, double step) {
    struct columns c = columns_new(n0, n1);
    for (size_t j = 0; j < n0; j++)
        for (size_t i = 0; i < n1; i++)
            plane_to_place(lon0, lat0, ((double)i - 0.5 * (double)(n1 - 1)) * step, ((double)j - 0.5 * (double)(n0 - 1)) * step, &c.lon[j * n1 + i], &c.lat[j * n1 + i]);
    return c;
}

static struct grid *must(struct columns *c, struct cf_columns_order *order) {
    struct failure failure = {0};
    struct grid *grid = NULL;
    if (cf_columns_grid(c->lon, c->lat, c->n, false, &grid, order, &failure)) fail_msg("%s", failure.message);
    return grid;
}

// Stored index of normalised (i, j).
static size_t stored(const struct columns *c, const struct cf_columns_order *o, size_t i, size_t j) {
    size_t nx = c->n[o->x], ny = c->n[1 - o->x], x = o->x_order.reversed ? nx - 1 - i : i, y = o->y_order.reversed ? ny - 1 - j : j;
    return o->x ? y * c->n[1] + x : x * c->n[1] + y;
}

static double away(double lon_a, double lat_a, double lon_b, double lat_b) {  // degrees on the sphere
    double d[3] = {cos(lat_a * rad) * cos(lon_a * rad) - cos(lat_b * rad) * cos(lon_b * rad),
                   cos(lat_a * rad) * sin(lon_a * rad) - cos(lat_b * rad) * sin(lon_b * rad), sin(lat_a * rad) - sin(lat_b * rad)};
    return 2 * asin(0.5 * sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])) / rad;
}

// Every column is found at its own place, and places between come back.
static void check_everywhere(const struct columns *c, const struct grid *grid, const struct cf_columns_order *o) {
    double i, j, lon, lat;
    for (size_t y = 0; y < grid->y.n; y++)
        for (size_t x = 0; x < grid->x.n; x++) {
            size_t at = stored(c, o, x, y);
            assert_true(grid_to_lonlat(grid, (double)x, (double)y, &lon, &lat) == VIRGA_OK);
            assert_true(away(lon, lat, c->lon[at], c->lat[at]) < 1e-7);
            if (!grid_locate(grid, c->lon[at], c->lat[at], &i, &j)) fail_msg("column %zu %zu is not found", x, y);
            if (fabs(i - (double)x) > 1e-6 || fabs(j - (double)y) > 1e-6) fail_msg("column %zu %zu is found at %f %f", x, y, i, j);
        }
    srand(7);
    for (int n = 0; n < 2000; n++) {
        double x = (double)(grid->x.n - 1) * rand() / RAND_MAX, y = (double)(grid->y.n - 1) * rand() / RAND_MAX;
        assert_true(grid_to_lonlat(grid, x, y, &lon, &lat) == VIRGA_OK);
        assert_true(grid_locate(grid, lon, lat, &i, &j));
        if (fabs(i - x) > 1e-8 || fabs(j - y) > 1e-8) fail_msg("%.10f %.10f comes back as %.10f %.10f", x, y, i, j);
    }
}

static void test_columns_anywhere_on_earth(void **state) {
    const double middles[][2] = {{10, 50}, {180, 0}, {-179.5, -60}, {33, 90}, {0, -90}, {75, 88}, {-97, 35}};
    (void)state;
    for (size_t m = 0; m < sizeof middles / sizeof *middles; m++) {
        struct columns c = about(middles[m][0], middles[m][1], 31, 43, 0.012);
        struct cf_columns_order order;
        struct grid *grid = must(&c, &order);
        double i, j, lon, lat;
        assert_true(grid_is_curvilinear(grid) && !grid->wraps && !grid->angular && !*grid->proj);
        assert_int_equal(order.x, 1);
        assert_false(order.x_order.reversed || order.y_order.reversed);
        check_everywhere(&c, grid, &order);
        assert_true(fabs(grid->km_per_unit[0] - 0.012 * 6371.229) < 3 && fabs(grid->km_per_unit[1] - 0.012 * 6371.229) < 3);
        plane_to_place(middles[m][0], middles[m][1], 0.3, 0, &lon, &lat);
        assert_false(grid_locate(grid, lon, lat, &i, &j));
        assert_false(grid_locate(grid, middles[m][0] + 180, -middles[m][1], &i, &j));
        plane_to_place(middles[m][0], middles[m][1], 0.031, -0.047, &lon, &lat);
        assert_true(grid_locate(grid, lon, lat, &i, &j));
        assert_true(fabs(i - (21 + 0.031 / 0.012)) < 2e-3 && fabs(j - (15 - 0.047 / 0.012)) < 2e-3);
        grid_free(grid);
        columns_free(&c);
    }
}

// All eight ways to store a plane lead to the same upright grid.
static void test_stored_order_does_not_matter(void **state) {
    (void)state;
    for (int way = 0; way < 8; way++) {
        struct columns up = about(-30, 40, 23, 31, 0.01), c = columns_new(way & 4 ? 31 : 23, way & 4 ? 23 : 31);
        for (size_t j = 0; j < 23; j++)
            for (size_t i = 0; i < 31; i++) {
                size_t x = way & 1 ? 30 - i : i, y = way & 2 ? 22 - j : j, at = way & 4 ? x * 23 + y : y * 31 + x;
                c.lon[at] = up.lon[j * 31 + i], c.lat[at] = up.lat[j * 31 + i];
            }
        struct cf_columns_order order;
        struct grid *grid = must(&c, &order);
        assert_int_equal(order.x, way & 4 ? 0 : 1);
        assert_int_equal(order.x_order.reversed, (way & 1) != 0);
        assert_int_equal(order.y_order.reversed, (way & 2) != 0);
        assert_true(grid->x.n == 31 && grid->y.n == 23 && order.x_order.n == 31 && order.y_order.n == 23);
        check_everywhere(&c, grid, &order);
        assert_true(fabs(grid->corners[0][0] - up.lon[0]) < 1e-9 && fabs(grid->corners[2][1] - up.lat[22 * 31 + 30]) < 1e-9);
        grid_free(grid);
        columns_free(&up);
        columns_free(&c);
    }
}

// Around a pole no direction is east; what matters is that the picture is not mirrored.
static void test_a_polar_cap_is_not_mirrored(void **state) {
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct columns up = about(0, 90, 40, 40, 0.02), c = columns_new(40, 40);
        for (size_t j = 0; j < 40; j++)
            for (size_t i = 0; i < 40; i++) {
                size_t at = way & 1 ? i * 40 + j : j * 40 + i, from = (way & 2 ? 39 - j : j) * 40 + i;
                c.lon[at] = up.lon[from], c.lat[at] = up.lat[from];
            }
        struct cf_columns_order order;
        struct grid *grid = must(&c, &order);
        double i, j;
        check_everywhere(&c, grid, &order);
        assert_true(grid_locate(grid, 123, 90, &i, &j) && fabs(i - 19.5) < 1e-6 && fabs(j - 19.5) < 1e-6);
        grid_free(grid);
        columns_free(&up);
        columns_free(&c);
    }
}

// A globe with its pole moved to (pole_lon, pole_lat), nx columns round, from row to row between latitudes -a and a of its own.
static struct columns globe(size_t nx, size_t again, size_t ny, double a, double pole_lat) {
    struct columns c = columns_new(ny, nx + again);
    for (size_t j = 0; j < ny; j++)
        for (size_t i = 0; i < nx + again; i++) {
            double l = 360.0 * (double)i / (double)nx * rad, f = (-a + 2 * a * (double)j / (double)(ny - 1)) * rad, p = (90 - pole_lat) * rad;
            double x = cos(f) * cos(l), y = cos(f) * sin(l), z = sin(f), u = x * cos(p) + z * sin(p), w = z * cos(p) - x * sin(p);
            c.lon[j * (nx + again) + i] = atan2(y, u) / rad;
            c.lat[j * (nx + again) + i] = asin(w) / rad;
        }
    return c;
}

static void test_globes_close_without_a_seam(void **state) {
    (void)state;
    for (size_t again = 0; again < 3; again++) {
        struct columns c = globe(72, again, 30, 80, 88);
        struct cf_columns_order order;
        struct grid *grid = must(&c, &order);
        double i, j, lon, lat;
        assert_true(grid->wraps);
        assert_int_equal(grid->x.n, 72);
        assert_int_equal(order.x_order.n, 72);
        for (double x = 70.5; x < 73.5; x += 0.1) {
            assert_true(grid_to_lonlat(grid, x, 12.3, &lon, &lat) == VIRGA_OK);
            assert_true(grid_locate(grid, lon, lat, &i, &j));
            assert_true(fabs(remainder(i - x, 72)) < 1e-8 && fabs(j - 12.3) < 1e-8 && i >= 0 && i < 72);
        }
        // By the angles themselves: 5 degrees a column from the moved pole's meridian.
        assert_true(grid_locate(grid, 180, 2, &i, &j) && fabs(i - 36) < 1e-6);
        grid_free(grid);
        columns_free(&c);
    }
    struct columns land = globe(72, 2, 30, 80, 88);  // land left out: zeros in every row, and still a globe
    for (size_t j = 0; j < 30; j++)
        for (size_t i = 20; i < 24; i++) land.lon[j * 74 + i] = land.lat[j * 74 + i] = 0;
    struct cf_columns_order its;
    struct grid *ocean = must(&land, &its);
    double at_i, at_j;
    assert_true(ocean->wraps && ocean->x.n == 72);
    assert_true(grid_locate(ocean, 180, 2, &at_i, &at_j) && fabs(at_i - 36) < 1e-6);
    assert_false(grid_locate(ocean, 2, 1, &at_i, &at_j) && at_i > 19 && at_i < 24);
    grid_free(ocean);
    columns_free(&land);
    struct columns c = globe(72, 0, 30, 80, 88);
    for (size_t j = 0; j < 30; j++) c.lon[j * 72 + 71] = NAN;  // a globe with a gap does not close
    struct cf_columns_order order;
    struct grid *grid = must(&c, &order);
    assert_false(grid->wraps);
    grid_free(grid);
    columns_free(&c);
}

static void test_missing_and_folded_cells_are_outside(void **state) {
    struct columns c = about(10, 50, 30, 40, 0.01);
    struct cf_columns_order order;
    double i, j, lon, lat;
    (void)state;
    size_t at = 10 * 40 + 10;
    c.lon[at] = 9.96921e36;                            // a fill value that no attribute names
    c.lat[20 * 40 + 30] = NAN;
    double t = c.lon[205], s = c.lat[205];             // two columns change places: the cells about them fold over
    c.lon[205] = c.lon[206], c.lon[206] = t;
    c.lat[205] = c.lat[206], c.lat[206] = s;
    struct grid *grid = must(&c, &order);
    plane_to_place(10, 50, (10.3 - 19.5) * 0.01, (10.4 - 14.5) * 0.01, &lon, &lat);
    assert_false(grid_locate(grid, lon, lat, &i, &j));
    assert_true(grid_to_lonlat(grid, 10.3, 10.4, &lon, &lat) == VIRGA_UNSUPPORTED);
    assert_true(grid_to_lonlat(grid, 11, 10.4, &lon, &lat) == VIRGA_OK);  // on an edge that is whole
    plane_to_place(10, 50, (30.5 - 19.5) * 0.01, (19.5 - 14.5) * 0.01, &lon, &lat);
    assert_false(grid_locate(grid, lon, lat, &i, &j));
    plane_to_place(10, 50, (12.5 - 19.5) * 0.01, (12.5 - 14.5) * 0.01, &lon, &lat);
    assert_true(grid_locate(grid, lon, lat, &i, &j) && fabs(i - 12.5) < 1e-3 && fabs(j - 12.5) < 1e-3);
    grid_free(grid);
    columns_free(&c);
}

static void refuse(struct columns *c, const char *words) {
    struct cf_columns_order order;
    struct grid *grid = NULL;
    struct failure failure = {0};
    assert_true(cf_columns_grid(c->lon, c->lat, c->n, false, &grid, &order, &failure) < 0);
    assert_null(grid);
    if (!strstr(failure.message, words)) fail_msg("\"%s\" lacks \"%s\"", failure.message, words);
    columns_free(c);
}

static void test_what_is_no_grid_is_refused(void **state) {
    (void)state;
    struct columns c = columns_new(20, 20);  // all at one place
    for (size_t n = 0; n < 400; n++) c.lon[n] = c.lat[n] = 7;
    refuse(&c, "only 0 of 361 cells");
    c = columns_new(20, 20);
    for (size_t n = 0; n < 400; n++) c.lon[n] = NAN;
    refuse(&c, "no place on Earth");
    c = columns_new(1, 20);
    refuse(&c, "single row");
    c = columns_new(20, 20);  // along one line
    for (size_t n = 0; n < 400; n++) c.lon[n] = (double)(n % 20), c.lat[n] = (double)(n % 20);
    refuse(&c, "only 0 of");
    c = columns_new(20, 20);
    for (size_t n = 0; n < 400; n++) c.lat[n] = 9999;
    refuse(&c, "no place on Earth");
}

// Whatever the columns are, an answer comes soon and is in range.
static void test_noise_is_answered_soon(void **state) {
    struct columns c = columns_new(300, 300);
    struct cf_columns_order order;
    struct grid *grid = NULL;
    double i, j;
    (void)state;
    srand(3);
    for (double spread = 180; spread > 0.001; spread /= 7) {
        for (size_t n = 0; n < 90000; n++) c.lon[n] = spread * (2.0 * rand() / RAND_MAX - 1), c.lat[n] = 0.5 * spread * (2.0 * rand() / RAND_MAX - 1);
        if (cf_columns_grid(c.lon, c.lat, c.n, false, &grid, &order, NULL)) continue;
        clock_t start = clock();
        for (int n = 0; n < 50; n++)
            if (grid_locate(grid, spread * (2.0 * rand() / RAND_MAX - 1), 0.5 * spread * (2.0 * rand() / RAND_MAX - 1), &i, &j))
                assert_true(i >= 0 && i <= 299 && j >= 0 && j <= 299);
        assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 30);
        grid_free(grid);
    }
    columns_free(&c);
}

static void test_parallels_and_meridians_are_a_plain_grid(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct columns c = way ? columns_new(24, 12) : columns_new(12, 24);
        for (size_t j = 0; j < 12; j++)
            for (size_t i = 0; i < 24; i++) {
                size_t at = way ? i * 12 + j : j * 24 + i;
                double lon = 170 + 2 * (double)i;
                c.lon[at] = lon > 180 ? lon - 360 : lon, c.lat[at] = 90 - 3 * (double)j;
                if (j == 0) c.lon[at] = 0;  // at the pole any longitude will do
            }
        struct cf_columns_order order;
        struct grid *grid = must(&c, &order);
        assert_true(grid_is_lonlat(grid) && !grid_is_curvilinear(grid));
        assert_true(order.y_order.reversed && !order.x_order.reversed && order.x == (way ? 0 : 1));
        assert_true(grid->x.regular && grid->x.n == 24 && fabs(grid->x.values[23] - grid->x.values[0] - 46) < 1e-9 && grid->y.values[0] == 57);
        grid_free(grid);
        columns_free(&c);
    }
    struct columns c = columns_new(10, 36);  // a globe of its own
    for (size_t n = 0; n < 360; n++) c.lon[n] = (double)(n % 36) * 10, c.lat[n] = -45 + 10 * (double)(n / 36);
    struct cf_columns_order order;
    struct grid *grid = must(&c, &order);
    assert_true(grid->wraps && grid_is_lonlat(grid));
    grid_free(grid);
    columns_free(&c);
}

// --- in files ----------------------------------------------------------------------------------------------------------

struct wanted { bool transposed, down, attribute, numbers, metres, timed, moving, second; };

// t, x_wind and y_wind on columns about 20 E, 60 N; t holds its own latitude, the winds blow along x at 10 m/s.
static void write_columns(const char *name, struct wanted w) {
    struct columns c = about(20, 60, 20, 30, 0.01);
    int nc = made_create(name), y = made_dim(nc, "j", 20), x = made_dim(nc, "i", 30), t = made_dim(nc, "time", w.moving ? 2 : 1), v;
    int plane[] = {t, w.transposed ? x : y, w.transposed ? y : x};
    double lon[1200], lat[1200], ten[1200], none[1200] = {0}, hours[] = {6, 7};
    for (size_t j = 0; j < 20; j++)
        for (size_t i = 0; i < 30; i++) {
            size_t at = w.transposed ? i * 20 + j : j * 30 + i, from = (w.down ? 19 - j : j) * 30 + i;
            lon[at] = c.lon[from], lat[at] = c.lat[from], ten[at] = 10;
        }
    for (size_t at = 0; at < 600; at++) lon[600 + at] = lon[at] + 0.5, lat[600 + at] = lat[at], ten[600 + at] = 10;
    v = made_var(nc, "time", NC_DOUBLE, 1, &t, "time", "hours since 2020-01-01");
    NC(nc_put_var_double(nc, v, hours));
    if (w.numbers || w.metres) {  // plain numbers, or axes of a projection that nobody tells
        double n[30];
        for (int k = 0; k < 30; k++) n[k] = 1000 * k + 1;
        v = made_var(nc, "i", NC_DOUBLE, 1, &x, w.metres ? "projection_x_coordinate" : NULL, w.metres ? "m" : NULL);
        NC(nc_put_var_double(nc, v, n));
        v = made_var(nc, "j", NC_DOUBLE, 1, &y, w.metres ? "projection_y_coordinate" : NULL, w.metres ? "m" : NULL);
        NC(nc_put_var_double(nc, v, n));
    }
    v = made_var(nc, "nav_lon", NC_DOUBLE, w.timed ? 3 : 2, w.timed ? plane : plane + 1, NULL, "degrees_east");
    NC(nc_put_var_double(nc, v, lon));
    v = made_var(nc, "nav_lat", NC_DOUBLE, w.timed ? 3 : 2, w.timed ? plane : plane + 1, NULL, "degrees_north");
    NC(nc_put_var_double(nc, v, lat));
    if (w.second) made_var(nc, "lat_u", NC_DOUBLE, 2, plane + 1, NULL, "degrees_north");
    const char *const names[] = {"tas", "u", "v"}, *const standard[] = {"air_temperature", "x_wind", "y_wind"};
    for (int n = 0; n < 3; n++) {
        v = made_var(nc, names[n], NC_DOUBLE, 3, plane, standard[n], n ? "m s-1" : "K");
        if (w.attribute) made_text(nc, v, "coordinates", "nav_lon nav_lat");
        if (w.metres) made_text(nc, v, "grid_mapping", "not_there");
        NC(nc_put_var_double(nc, v, n == 0 ? lat : n == 1 ? ten : none));
    }
    NC(nc_close(nc));
    columns_free(&c);
}

static void test_files_with_columns_are_read_in_place(void **state) {
    static const struct wanted wanted[] = {{.attribute = true}, {.transposed = true}, {.down = true, .numbers = true}, {.metres = true}, {.transposed = true, .down = true, .timed = true}, {.attribute = true, .second = true}};
    (void)state;
    for (size_t n = 0; n < sizeof wanted / sizeof *wanted; n++) {
        struct catalog *cat;
        struct failure failure = {0};
        write_columns("columns.nc", wanted[n]);
        cat = made_open("columns.nc");
        assert_int_equal(cat->dataset_count, 1);
        const struct catalog_dataset *d = &cat->datasets[0];
        assert_true(grid_is_curvilinear(d->grid) && d->grid->x.n == 30 && d->grid->y.n == 20);
        struct field_ref field = {.dataset = d, .variable = made_variable(d, "tas")};
        double *values = made_read(&field, 1 << 20), value;
        for (size_t at = 0; at < 600; at++) assert_true(fabs(values[at] - d->grid->lat[at]) < 1e-9);
        free(values);
        for (double x = -0.13; x < 0.14; x += 0.023) {
            double lon, lat;
            plane_to_place(20, 60, x, 0.4 * x, &lon, &lat);
            assert_int_equal(catalog_sample_source(&field, lon, lat, 0, &value, &failure), VIRGA_OK);
            assert_true(fabs(value - lat) < 3e-3);  // the curvature of parallels within a cell
        }
        // The wind blows along x, which points east by south to the east of the middle meridian.
        field.variable = made_variable(d, "wind_from_direction");
        values = made_read(&field, 1 << 20);
        for (size_t at = 0; at < 600; at++) {
            double lon = d->grid->lon[at], lat = d->grid->lat[at], i = (double)(at % 30);
            assert_int_equal(catalog_sample_source(&field, lon, lat, 0, &value, &failure), VIRGA_OK);
            assert_true(fabs(remainder(values[at] - value, 360)) < 0.02);
            // Meridians of an oblique stereographic plane turn against y by about (lon - lon0) sin(lat).
            double expected = 270 + (lon - 20) * sin(0.5 * (lat + 60) * rad);
            if (i > 0 && i < 29 && fabs(remainder(values[at] - expected, 360)) > 0.5) fail_msg("direction %f at %f %f, expected %f", values[at], lon, lat, expected);
        }
        free(values);
        catalog_unref(cat);
    }
}

static void test_two_pairs_without_a_name_are_refused(void **state) {
    (void)state;
    write_columns("second.nc", (struct wanted){.second = true});
    struct catalog *cat = made_open("second.nc");
    assert_int_equal(cat->dataset_count, 0);
    assert_non_null(strstr(made_problem(cat, "tas")->reason, "several two-dimensional coordinates"));
    catalog_unref(cat);
}

// A run of many files needs the memory of one grid.
static void test_equal_columns_are_one_grid(void **state) {
    struct columns c = about(10, 50, 20, 30, 0.01), d = about(10, 50, 20, 30, 0.01), e = about(11, 50, 20, 30, 0.01);
    struct cf_columns_order order;
    double i, j;
    (void)state;
    c.lon[77] = d.lon[77] = NAN;
    struct grid *one = must(&c, &order), *two = must(&d, &order), *other = must(&e, &order);
    assert_ptr_equal(one, two);
    assert_ptr_not_equal(one, other);
    grid_free(one);
    assert_true(grid_locate(two, 10, 50, &i, &j));
    grid_free(two);
    grid_free(other);
    columns_free(&c), columns_free(&d), columns_free(&e);
}

static void test_columns_that_move_are_refused(void **state) {
    (void)state;
    write_columns("moving.nc", (struct wanted){.timed = true, .moving = true});
    struct catalog *cat = made_open("moving.nc");
    assert_int_equal(cat->dataset_count, 0);
    assert_non_null(strstr(made_problem(cat, "tas")->reason, "move from time to time (nav_lon)"));
    catalog_unref(cat);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_anywhere_on_earth),
        cmocka_unit_test(test_stored_order_does_not_matter),
        cmocka_unit_test(test_a_polar_cap_is_not_mirrored),
        cmocka_unit_test(test_globes_close_without_a_seam),
        cmocka_unit_test(test_missing_and_folded_cells_are_outside),
        cmocka_unit_test(test_what_is_no_grid_is_refused),
        cmocka_unit_test(test_noise_is_answered_soon),
        cmocka_unit_test(test_parallels_and_meridians_are_a_plain_grid),
        cmocka_unit_test(test_files_with_columns_are_read_in_place),
        cmocka_unit_test(test_two_pairs_without_a_name_are_refused),
        cmocka_unit_test(test_equal_columns_are_one_grid),
        cmocka_unit_test(test_columns_that_move_are_refused),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
