// SPDX-License-Identifier: Apache-2.0
// WRF's files, voxel by voxel: a nest that moves over its grid, sums of stored variables, wind on mass points.
#include "made_file.h"

enum { NX = 6, NY = 5, NZ = 3, NT = 3 };

static const int moves[NT][2] = {{2, 0}, {0, 1}, {4, 3}};  // cells east and north of the first place of all: the grid is 10 x 8
static const double radius = 6370000, cell = 10000;

// By place on the grid of all places, not by index in the file.
static double t_truth(double i, double j, double k, size_t t) { return i + 20 * j + 0.5 * k - 3 * (double)t; }
static double u_truth(double i, double j, double k, size_t t) { return 2 * i - j + 0.25 * k + (double)t; }
static double v_truth(double i, double j, double k, size_t t) { return 4 * j - i - 0.25 * k - (double)t; }
static double half_level(double i, double j, double k, size_t t) { return 981 * (k + 0.125 * k * i / 10) + 98.1 * j + 9.81 * (double)t; }

typedef double truth(double i, double j, double k, size_t t);
static double lon_truth(double i, double j, double k, size_t t) { (void)j, (void)k, (void)t; return -60 + cell * i / radius * 57.29577951308232; }
static double lat_truth(double i, double j, double k, size_t t) { (void)i, (void)k, (void)t; return atan(sinh(cell * (j + 100) / radius)) * 57.29577951308232; }
static double p_truth(double i, double j, double k, size_t t) { (void)j, (void)t; return 100 * i - 10 * k; }
static double pb_truth(double i, double j, double k, size_t t) { (void)i, (void)j, (void)t; return 100000 - 10000 * k; }
static double zero(double i, double j, double k, size_t t) { return 0 * (i + j + k + (double)t); }

struct dimensions { int time, x, y, z, x_stag, y_stag, z_stag; };

static void put(int nc, const struct dimensions *d, const char *name, const char *stagger, bool levels, truth *f) {
    size_t nx = NX + (*stagger == 'X'), ny = NY + (*stagger == 'Y'), nz = levels ? NZ + (*stagger == 'Z') : 1, n = 0;
    int dims[4] = {d->time, *stagger == 'Z' ? d->z_stag : d->z, *stagger == 'Y' ? d->y_stag : d->y, *stagger == 'X' ? d->x_stag : d->x};
    if (!levels) dims[1] = dims[2], dims[2] = dims[3];
    int v = made_var(nc, name, NC_DOUBLE, levels ? 4 : 3, dims, NULL, strncmp(name, "XL", 2) == 0 ? "degree" : *name == 'T' ? "K" : *name == 'P' ? (name[1] == 'H' ? "m2 s-2" : "Pa") : "m s-1");
    double *data = malloc(NT * nx * ny * nz * sizeof *data);
    for (size_t t = 0; t < NT; t++)
        for (size_t k = 0; k < nz; k++)
            for (size_t j = 0; j < ny; j++)
                for (size_t i = 0; i < nx; i++)
                    data[n++] = f((double)i + moves[t][0] - 0.5 * (*stagger == 'X'), (double)j + moves[t][1] - 0.5 * (*stagger == 'Y'), (double)k, t);
    NC(nc_put_var_double(nc, v, data));
    free(data);
}

static void write_nest(const char *name) {
    static const char times[NT][19] = {{"2026-03-01_06:00:00"}, {"2026-03-01_07:00:00"}, {"2026-03-01_09:00:00"}};
    int nc = made_create(name), v, projection = 3;
    struct dimensions d = {.time = made_dim(nc, "Time", NT), .x = made_dim(nc, "west_east", NX), .y = made_dim(nc, "south_north", NY), .z = made_dim(nc, "bottom_top", NZ),
                           .x_stag = made_dim(nc, "west_east_stag", NX + 1), .y_stag = made_dim(nc, "south_north_stag", NY + 1), .z_stag = made_dim(nc, "bottom_top_stag", NZ + 1)};
    const int text[] = {d.time, made_dim(nc, "DateStrLen", 19)};
    made_text(nc, NC_GLOBAL, "TITLE", "OUTPUT FROM WRF V4.0 MODEL");
    made_text(nc, NC_GLOBAL, "SIMULATION_START_DATE", "2026-03-01_00:00:00");
    NC(nc_put_att_int(nc, NC_GLOBAL, "MAP_PROJ", NC_INT, 1, &projection));
    made_number(nc, NC_GLOBAL, "TRUELAT1", 0);
    made_number(nc, NC_GLOBAL, "STAND_LON", -60);
    made_number(nc, NC_GLOBAL, "DX", cell);
    made_number(nc, NC_GLOBAL, "DY", cell);
    NC(nc_def_var(nc, "Times", NC_CHAR, 2, text, &v));
    NC(nc_put_var_text(nc, v, &times[0][0]));
    put(nc, &d, "XLONG", "", false, lon_truth);
    put(nc, &d, "XLAT", "", false, lat_truth);
    put(nc, &d, "PH", "Z", true, zero);
    put(nc, &d, "PHB", "Z", true, half_level);
    put(nc, &d, "T", "", true, t_truth);
    put(nc, &d, "U", "X", true, u_truth);
    put(nc, &d, "V", "Y", true, v_truth);
    put(nc, &d, "P", "", true, p_truth);
    put(nc, &d, "PB", "", true, pb_truth);
    NC(nc_close(nc));
}

// Every voxel of every step; NaN beside the nest.
static void check_field(const struct catalog_dataset *d, const char *id, truth *f, double constant, double margin_x, double margin_y, double x_off, double y_off) {
    static const size_t limits[] = {1, 200, 1 << 20};
    struct field_ref field = {.dataset = d, .variable = made_variable(d, id)};
    const struct catalog_variable *v = &d->variables[field.variable];
    assert_int_equal(d->runs[0].series[field.variable].time_count, NT);
    for (field.step = 0; field.step < NT; field.step++) {
        double *values = made_read(&field, limits[field.step]);
        for (size_t n = 0; n < v->nx * v->ny * v->nz; n++) {
            double i = (double)(n % v->nx), j = (double)(n / v->nx % v->ny), k = (double)(n / (v->nx * v->ny));
            bool inside = i >= moves[field.step][0] && i < moves[field.step][0] + NX + margin_x && j >= moves[field.step][1] && j < moves[field.step][1] + NY + margin_y;
            double wanted = inside ? f(i + x_off, j + y_off, k, field.step) + constant : NAN;
            if (inside ? !(fabs(values[n] - wanted) < 1e-9) : !isnan(values[n])) fail_msg("%s step %zu voxel %zu: %g instead of %g", id, field.step, n, values[n], wanted);
        }
        free(values);
    }
}

static const struct catalog_dataset *dataset_with(const struct catalog *c, const char *variable) {
    for (size_t d = 0; d < c->dataset_count; d++)
        if (catalog_find_variable(&c->datasets[d], variable) >= 0) return &c->datasets[d];
    fail_msg("no dataset has %s", variable);
    return NULL;
}

static double pressure_truth(double i, double j, double k, size_t t) { return p_truth(i, j, k, t) + pb_truth(i, j, k, t); }
static double temperature_truth(double i, double j, double k, size_t t) { return (t_truth(i, j, k, t) + 300) * pow(pressure_truth(i, j, k, t) / 1e5, 2.0 / 7); }
static double speed_truth(double i, double j, double k, size_t t) { return hypot(u_truth(i, j, k, t), v_truth(i, j, k, t)); }  // linear: the mean of both sides

static void test_a_nest_moves_over_its_grid(void **state) {
    (void)state;
    write_nest("nest.nc");
    struct catalog *c = made_open("nest.nc");
    assert_int_equal(c->problem_count, 0);
    assert_int_equal(c->dataset_count, 3);
    const struct catalog_dataset *mass = &c->datasets[0], *on_u = dataset_with(c, "U"), *on_v = dataset_with(c, "V");
    assert_true(mass == dataset_with(c, "T"));
    assert_true(mass->grid->x.n == 10 && mass->grid->y.n == 8 && on_u->grid->x.n == 11 && on_v->grid->y.n == 9);
    check_field(mass, "T", t_truth, 0, 0, 0, 0, 0);
    check_field(mass, "air_potential_temperature", t_truth, 300, 0, 0, 0, 0);
    check_field(mass, "air_pressure", pressure_truth, 0, 0, 0, 0, 0);
    check_field(mass, "air_temperature", temperature_truth, 0, 0, 0, 0, 0);
    check_field(mass, "U_at_mass_points", u_truth, 0, 0, 0, 0, 0);
    check_field(mass, "V_at_mass_points", v_truth, 0, 0, 0, 0, 0);
    check_field(mass, "wind_speed", speed_truth, 0, 0, 0, 0, 0);
    check_field(on_u, "U", u_truth, 0, 1, 0, -0.5, 0);
    check_field(on_v, "V", v_truth, 0, 0, 1, 0, -0.5);
    double lon, lat;
    assert_int_equal(grid_to_lonlat(mass->grid, mass->grid->x.values[7], mass->grid->y.values[6], &lon, &lat), VIRGA_OK);
    assert_true(fabs(lon - lon_truth(7, 0, 0, 0)) < 1e-9 && fabs(lat - lat_truth(0, 6, 0, 0)) < 1e-9);
    assert_string_equal(mass->runs[0].time.iso, "2026-03-01T00:00:00Z");
    assert_string_equal(mass->runs[0].series[0].times[2].iso, "2026-03-01T09:00:00Z");
    catalog_unref(c);
}

// Heights of each step's own levels, on mass and on staggered columns, and the same number by the source's plain code.
static void test_levels_stand_at_their_geopotential(void **state) {
    (void)state;
    write_nest("levels.nc");
    struct catalog *c = made_open("levels.nc");
    static const struct { const char *id; double x_off, y_off; truth *f; } fields[] = {{"T", 0, 0, t_truth}, {"U", -0.5, 0, u_truth}, {"V", 0, -0.5, v_truth}};
    for (size_t f = 0; f < 3; f++) {
        const struct catalog_dataset *d = dataset_with(c, fields[f].id);
        struct field_ref field = {.dataset = d, .variable = made_variable(d, fields[f].id)};
        for (field.step = 0; field.step < NT; field.step++) {
            struct level_map *map = NULL;
            struct failure failure = {0};
            size_t i = (size_t)moves[field.step][0] + 3, j = (size_t)moves[field.step][1] + 2;
            double x = (double)i + fields[f].x_off, y = (double)j + fields[f].y_off, wanted = (half_level(x, y, 1, field.step) + half_level(x, y, 2, field.step)) / 2 / 9.81, lon, lat, value;
            if (catalog_level_map(c, &field, &map, &failure)) fail_msg("%s", failure.message);
            assert_int_equal(map->datum, DATUM_SEA);
            double height = level_map_height(map, false, (double)i, (double)j, 1);
            if (fabs(height - wanted) > 0.5) fail_msg("%s step %zu: %g m instead of %g", fields[f].id, field.step, height, wanted);
            assert_int_equal(grid_to_lonlat(d->grid, d->grid->x.values[i], d->grid->y.values[j], &lon, &lat), VIRGA_OK);
            assert_int_equal(catalog_sample_source(&field, lon, lat, wanted, &value, NULL), VIRGA_OK);
            assert_true(fabs(value - fields[f].f(x, y, 1, field.step)) < 1e-3);
            level_map_unref(map);
        }
    }
    catalog_unref(c);
}

// By parts of a cell it would have to be resampled.
static void test_a_nest_between_cells_is_refused(void **state) {
    int nc, v;
    (void)state;
    write_nest("between.nc");
    NC(nc_open(made_path("between.nc"), NC_WRITE, &nc));
    NC(nc_inq_varid(nc, "XLONG", &v));
    double all[NT * NY * NX];
    NC(nc_get_var_double(nc, v, all));
    for (size_t n = 0; n < NY * NX; n++) all[n] += 0.3 * cell / radius * 57.29577951308232;
    NC(nc_put_var_double(nc, v, all));
    NC(nc_close(nc));
    struct catalog *c = made_open("between.nc");
    assert_int_equal(c->dataset_count, 0);
    assert_non_null(strstr(made_problem(c, "T")->reason, "parts of a cell"));
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_nest_moves_over_its_grid),
        cmocka_unit_test(test_levels_stand_at_their_geopotential),
        cmocka_unit_test(test_a_nest_between_cells_is_refused),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
