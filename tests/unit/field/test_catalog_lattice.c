// SPDX-License-Identifier: Apache-2.0
// Which lattice a variable's values lie on: by its name, its units, its packing, or what was seen first.
#include "made_forecast.h"

static void write_flat(const char *file, const char *name, const char *standard_name, const char *units, nc_type type, double scale, double offset, double low, double high) {
    int nc = made_create(file), d[2];
    double data[20];
    d[0] = made_even_axis(nc, "lat", 4, 50, 1, "latitude", "degrees_north");
    d[1] = made_even_axis(nc, "lon", 5, 0, 1, "longitude", "degrees_east");
    int v = made_var(nc, name, type, 2, d, standard_name, units);
    if (scale != 0) made_number(nc, v, "scale_factor", scale), made_number(nc, v, "add_offset", offset);
    for (int n = 0; n < 20; n++) data[n] = low + (high - low) * n / 19;
    NC(nc_put_var_double(nc, v, data));
    NC(nc_close(nc));
}

static struct lattice_spec lattice_in(const char *file, const char *state) {
    const char *path = made_path(file);
    struct catalog *cat = made_open_paths(&path, 1, state);
    struct lattice_spec lattice = cat->datasets[0].variables[0].lattice;
    catalog_unref(cat);
    return lattice;
}

static void test_lattices_of_known_names_and_units(void **state) {
    (void)state;
    write_flat("k.nc", "a", "air_temperature", "K", NC_FLOAT, 0, 0, 250, 300);
    struct lattice_spec k = lattice_in("k.nc", NULL);
    assert_true(k.epsilon == 0.05 && k.v0 == 0 && fabs(k.step - 0.1 * (1 - 1.0 / 1024)) < 1e-15);
    write_flat("c.nc", "a", "air_temperature", "celsius", NC_FLOAT, 0, 0, 0, 30);
    struct lattice_spec c = lattice_in("c.nc", NULL);
    assert_true(fabs(c.epsilon - 0.05) < 1e-12 && fabs(c.v0 + 273.15) < 1e-9);
    write_flat("hpa.nc", "a", "air_pressure", "hPa", NC_FLOAT, 0, 0, 900, 1000);
    assert_true(fabs(lattice_in("hpa.nc", NULL).epsilon - 0.1) < 1e-12);  // 10 Pa
    write_flat("ms.nc", "wind", NULL, "m/s", NC_FLOAT, 0, 0, 0, 30);  // by unit and a word of its name, another spelling
    assert_true(fabs(lattice_in("ms.nc", NULL).epsilon - 0.1) < 1e-12);
}

// The same unit measures heights and rain, winds and rain rates, pressures and stresses.
static void test_a_units_lattice_is_for_what_is_called_so(void **state) {
    (void)state;
    write_flat("height.nc", "top_height", NULL, "m", NC_FLOAT, 0, 0, 0, 9000);
    assert_true(lattice_in("height.nc", NULL).epsilon == 2);
    write_flat("rain.nc", "tp", NULL, "m", NC_FLOAT, 0, 0, 0, 0.0078125);
    assert_true(fabs(lattice_in("rain.nc", NULL).epsilon - 0.0078125 / 4096) < 1e-12);
    write_flat("rate.nc", "tprate", NULL, "m s-1", NC_FLOAT, 0, 0, 0, 1e-6);
    assert_true(lattice_in("rate.nc", NULL).epsilon < 1e-9);
    write_flat("stress.nc", "taux", NULL, "N m-2", NC_FLOAT, 0, 0, -2, 2);
    assert_true(lattice_in("stress.nc", NULL).epsilon < 0.01);
}

static void test_fine_packing_is_its_own_lattice(void **state) {
    (void)state;
    write_flat("fine.nc", "a", "air_temperature", "K", NC_SHORT, 0.01, 280, -1000, 1000);
    struct lattice_spec fine = lattice_in("fine.nc", NULL);
    assert_true(fine.step == 0.01 && fine.v0 == 280 && fine.epsilon >= 0.005 && fine.epsilon < 0.0051);
    write_flat("coarse.nc", "a", "air_temperature", "K", NC_SHORT, 0.5, 280, -100, 100);
    assert_true(lattice_in("coarse.nc", NULL).epsilon == 0.05);
}

static void test_unknown_lattices_are_kept(void **state) {
    char folder[512];
    (void)state;
    snprintf(folder, sizeof folder, "%s", made_path("state"));
    write_flat("unknown.nc", "a", NULL, "1", NC_FLOAT, 0, 0, 0, 8192);
    struct lattice_spec first = lattice_in("unknown.nc", folder);
    assert_true(first.epsilon == 2);  // 8192 / 4096
    write_flat("unknown.nc", "a", NULL, "1", NC_FLOAT, 0, 0, 0, 1);
    struct lattice_spec second = lattice_in("unknown.nc", folder), without = lattice_in("unknown.nc", NULL);
    assert_true(second.epsilon == 2 && second.step == first.step);
    assert_true(without.epsilon == 1.0 / 4096);
    FILE *f = fopen(made_path("state/lattices.json"), "w");  // a broken state is begun anew
    fputs("{", f);
    fclose(f);
    assert_true(lattice_in("unknown.nc", folder).epsilon == 1.0 / 4096);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lattices_of_known_names_and_units),
        cmocka_unit_test(test_a_units_lattice_is_for_what_is_called_so),
        cmocka_unit_test(test_fine_packing_is_its_own_lattice),
        cmocka_unit_test(test_unknown_lattices_are_kept),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
