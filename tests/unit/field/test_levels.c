// SPDX-License-Identifier: Apache-2.0
// Vertical coordinates of every kind in made files: the heights that come out against the coordinate's formula written out again.
#include "made_levels.h"

// --- hybrid sigma-pressure ---------------------------------------------------------------------------------------------

static void hybrid_pressures(int i, int j, double *p) {
    for (int k = 0; k < NZ; k++) p[k] = ap[k] + b[k] * surface_pressure_at(i, j);
}

static void hydrostatic_hybrid(int i, int j, bool moist, double ground, double *heights) {
    double p[NZ], t[NZ];
    hybrid_pressures(i, j, p);
    for (int k = 0; k < NZ; k++) t[k] = warmth(i, j, k, moist);
    hydrostatic(p, t, surface_pressure_at(i, j), ground, heights);
}

static void moist_hybrid(int i, int j, double *heights, double *ground) { hydrostatic_hybrid(i, j, true, *ground = ground_at(i, j), heights); }
static void dry_hybrid(int i, int j, double *heights, double *ground) { hydrostatic_hybrid(i, j, false, *ground = ground_at(i, j), heights); }

static void dry_hybrid_without_orography(int i, int j, double *heights, double *ground) {
    hydrostatic_hybrid(i, j, false, *ground = standard_height(surface_pressure_at(i, j)), heights);
}

static void moist_layers(int i, int j, double *heights, double *ground) {
    double half[NZ + 1], t[NZ];
    for (int k = 0; k <= NZ; k++) half[k] = half_ap[k] + half_b[k] * surface_pressure_at(i, j);
    for (int k = 0; k < NZ; k++) t[k] = warmth(i, j, k, true);
    by_half_levels(half, t, *ground = ground_at(i, j), heights);
}

static void standard_hybrid(int i, int j, double *heights, double *ground) {
    double p[NZ], ps = surface_pressure_at(i, j);
    hybrid_pressures(i, j, p);
    *ground = ground_at(i, j);
    for (int k = 0; k < NZ; k++) heights[k] = *ground + standard_height(p[k]) - standard_height(ps);
}

static void standard_hybrid_without_pressure(int i, int j, double *heights, double *ground) {
    *ground = ground_at(i, j);
    double ps = 101325 * pow(1 - 0.0065 * *ground / 288.15, g / (287.05287 * 0.0065));
    for (int k = 0; k < NZ; k++) heights[k] = *ground + standard_height(ap[k] + b[k] * ps) - standard_height(ps);
}

static void write_hybrid(struct file *f, bool in_pascal) {
    double a[NZ];
    int lev = numbered(f, "atmosphere_hybrid_sigma_pressure_coordinate");
    made_text(f->nc, lev, "formula_terms", in_pascal ? "ap: ap b: b ps: ps" : "a: a b: b p0: p0 ps: ps");
    for (int k = 0; k < NZ; k++) a[k] = ap[k] / 100000;
    on_levels(f, in_pascal ? "ap" : "a", in_pascal ? ap : a, NULL, in_pascal ? "Pa" : "1");
    on_levels(f, "b", b, NULL, "1");
    if (!in_pascal) scalar(f, "p0", 1000, "hPa");
}

static void test_hybrid_levels_by_formula_terms(void **state) {
    (void)state;
    for (int form = 0; form < 4; form++) {
        struct file f = begin("hybrid.nc", form & 1);
        write_hybrid(&f, form & 2);
        surface(&f, true);
        air(&f, true);
        cloud(&f);
        NC(nc_close(f.nc));
        check("hybrid.nc", "clouds", "hybrid_sigma_pressure", "temperature and humidity from the orography and the surface pressure", moist_hybrid);
    }
}

static void test_half_levels_give_the_layers(void **state) {
    double pairs_a[NZ][2], pairs_b[NZ][2];
    (void)state;
    struct file f = begin("layers.nc", 0);
    write_hybrid(&f, true);
    int d[] = {f.level, made_dim(f.nc, "bnds", 2)}, a, c;
    for (int k = 0; k < NZ; k++)
        for (int side = 0; side < 2; side++) pairs_a[k][side] = half_ap[k + side], pairs_b[k][side] = half_b[k + side];
    NC(nc_inq_varid(f.nc, "ap", &a));
    made_text(f.nc, a, "bounds", "ap_bnds");
    NC(nc_inq_varid(f.nc, "b", &a));
    made_text(f.nc, a, "bounds", "b_bnds");
    a = made_var(f.nc, "ap_bnds", NC_DOUBLE, 2, d, NULL, NULL);
    c = made_var(f.nc, "b_bnds", NC_DOUBLE, 2, d, NULL, NULL);
    NC(nc_put_var_double(f.nc, a, &pairs_a[0][0]));
    NC(nc_put_var_double(f.nc, c, &pairs_b[0][0]));
    surface(&f, true);
    air(&f, true);
    cloud(&f);
    NC(nc_close(f.nc));
    check("layers.nc", "clouds", "hybrid_sigma_pressure", "hydrostatic heights by temperature and humidity", moist_layers);
}

// As the models of NCAR write it: plain numbers, names by attributes; P0 is not there.
static void test_hybrid_levels_by_habit(void **state) {
    double a[NZ], interfaces[NZ + 1];
    (void)state;
    struct file f = begin("habit.nc", 1);
    int lev = numbered(&f, NULL);
    made_text(f.nc, lev, "A_var", "hyam");
    made_text(f.nc, lev, "B_var", "hybm");
    made_text(f.nc, lev, "P0_var", "P0");
    made_text(f.nc, lev, "PS_var", "PS");
    made_text(f.nc, lev, "positive", "down");
    for (int k = 0; k < NZ; k++) a[k] = ap[k] / 100000;
    on_levels(&f, "hyam", a, NULL, NULL);
    on_levels(&f, "hybm", b, NULL, NULL);
    plane(&f, "PS", surface_pressure_at, NULL, "Pa");
    air(&f, false);
    cloud(&f);
    NC(nc_close(f.nc));
    check("habit.nc", "clouds", "hybrid_sigma_pressure", "P0 of 100000 Pa", dry_hybrid_without_orography);
    // The same with P0, an orography as geopotential, and the half levels.
    f = begin("habit.nc", 1);
    numbered(&f, NULL);
    on_levels(&f, "hyam", a, NULL, NULL);
    on_levels(&f, "hybm", b, NULL, NULL);
    int half = made_dim(f.nc, "ilev", NZ + 1), v = made_var(f.nc, "hyai", NC_DOUBLE, 1, &half, NULL, NULL);
    for (int k = 0; k <= NZ; k++) interfaces[NZ - k] = half_ap[k] / 100000;
    NC(nc_put_var_double(f.nc, v, interfaces));
    v = made_var(f.nc, "hybi", NC_DOUBLE, 1, &half, NULL, NULL);
    for (int k = 0; k <= NZ; k++) interfaces[NZ - k] = half_b[k];
    NC(nc_put_var_double(f.nc, v, interfaces));
    scalar(&f, "P0", 100000, "Pa");
    surface(&f, true);
    air(&f, true);
    cloud(&f);
    NC(nc_close(f.nc));
    check("habit.nc", "clouds", "hybrid_sigma_pressure", "temperature and humidity", moist_layers);
}

static double log_pressure_at(int i, int j) { return log(surface_pressure_at(i, j)); }
static double geopotential_at(int i, int j) { return ground_at(i, j) * g; }

static void test_the_logarithm_of_surface_pressure_and_a_geopotential_serve(void **state) {
    (void)state;
    struct file f = begin("lnsp.nc", 1);
    int lev = numbered(&f, "atmosphere_hybrid_sigma_pressure_coordinate");
    made_text(f.nc, lev, "formula_terms", "ap: ap b: b ps: lnsp");
    on_levels(&f, "ap", ap, NULL, "Pa");
    on_levels(&f, "b", b, NULL, "1");
    plane(&f, "lnsp", log_pressure_at, NULL, "1");
    plane(&f, "z", geopotential_at, "surface_geopotential", "m2 s-2");
    air(&f, false);
    cloud(&f);
    NC(nc_close(f.nc));
    check("lnsp.nc", "clouds", "hybrid_sigma_pressure", "temperature of dry air from the orography and the surface pressure", dry_hybrid);
}

static void test_without_temperature_the_standard_atmosphere_stands_on_the_ground(void **state) {
    (void)state;
    struct file f = begin("standard.nc", 0);
    write_hybrid(&f, true);
    surface(&f, true);
    cloud(&f);
    NC(nc_close(f.nc));
    check("standard.nc", "clouds", "hybrid_sigma_pressure", "standard atmosphere from the orography and the surface pressure", standard_hybrid);
}

static void test_without_surface_pressure_the_orography_serves_and_without_both_nothing(void **state) {
    (void)state;
    struct file f = begin("no_ps.nc", 0);
    write_hybrid(&f, true);
    plane(&f, "orog", ground_at, "surface_altitude", "m");
    cloud(&f);
    NC(nc_close(f.nc));
    check("no_ps.nc", "clouds", "hybrid_sigma_pressure", "is assumed", standard_hybrid_without_pressure);
    f = begin("neither.nc", 0);
    write_hybrid(&f, true);
    cloud(&f);
    NC(nc_close(f.nc));
    check_refused("neither.nc", "clouds", "need the surface pressure");
}

// Heights on the lower levels alone come from temperatures on all of them.
static void test_a_variable_on_some_of_the_levels_has_the_same_heights(void **state) {
    (void)state;
    struct file f = begin("some.nc", 0);
    write_hybrid(&f, true);
    surface(&f, true);
    air(&f, true);
    enum { FEW = 3 };
    int low = made_dim(f.nc, "low", FEW), d[] = {low, f.y, f.x};
    double numbers[FEW] = {3, 2, 1}, few[FEW][2], values[FEW * NY * NX];
    for (int k = 0; k < FEW; k++) few[k][0] = ap[k + 1], few[k][1] = b[k + 1];
    int lev = made_var(f.nc, "low", NC_DOUBLE, 1, &low, "atmosphere_hybrid_sigma_pressure_coordinate", "1");
    made_text(f.nc, lev, "formula_terms", "ap: low_ap b: low_b ps: ps");
    NC(nc_put_var_double(f.nc, lev, numbers));
    for (int which = 0; which < 2; which++) {
        double one[FEW];
        for (int k = 0; k < FEW; k++) one[k] = few[k][which];
        int v = made_var(f.nc, which ? "low_b" : "low_ap", NC_DOUBLE, 1, &low, NULL, which ? "1" : "Pa");
        NC(nc_put_var_double(f.nc, v, one));
    }
    for (int n = 0; n < FEW * NY * NX; n++) values[n] = n;
    int v = made_var(f.nc, "fog", NC_DOUBLE, 3, d, "visibility_in_air", "m");
    NC(nc_put_var_double(f.nc, v, values));
    NC(nc_close(f.nc));
    struct catalog *c = made_open("some.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "fog")};
    double heights[NZ], ground;
    struct source_profile profile;
    moist_hybrid(2, 1, heights, &ground);
    assert_int_equal(catalog_profile_source(&field, 5.5, 50.25, &profile, NULL), VIRGA_OK);
    assert_int_equal(profile.count, FEW);
    for (int k = 0; k < FEW; k++) assert_true(fabs(profile.heights[k] - heights[k + 1]) < 0.02);
    source_profile_destroy(&profile);
    catalog_unref(c);
}

// --- sigma -------------------------------------------------------------------------------------------------------------

static void sigma_heights(int i, int j, double *heights, double *ground) {
    double p[NZ], t[NZ], ps = surface_pressure_at(i, j);
    for (int k = 0; k < NZ; k++) p[k] = 5000 + sigma[k] * (ps - 5000), t[k] = warmth(i, j, k, true);
    hydrostatic(p, t, ps, *ground = ground_at(i, j), heights);
}

static void test_sigma_levels(void **state) {
    (void)state;
    for (int by_attribute = 0; by_attribute < 2; by_attribute++) {
        struct file f = begin("sigma.nc", by_attribute);
        int lev = on_levels(&f, "lev", sigma, by_attribute ? NULL : "atmosphere_sigma_coordinate", by_attribute ? "sigma_level" : "1");
        if (by_attribute) made_number(f.nc, lev, "ptop", 5000);
        else made_text(f.nc, lev, "formula_terms", "sigma: lev ps: ps ptop: ptop"), scalar(&f, "ptop", 50, "hPa");
        surface(&f, true);
        air(&f, true);
        cloud(&f);
        NC(nc_close(f.nc));
        check("sigma.nc", "clouds", "sigma", "temperature and humidity", sigma_heights);
    }
    struct file f = begin("no_ptop.nc", 0);
    on_levels(&f, "lev", sigma, "atmosphere_sigma_coordinate", "1");
    surface(&f, true);
    cloud(&f);
    NC(nc_close(f.nc));
    check_refused("no_ptop.nc", "clouds", "ptop");
}

static void sigma_over_height(int i, int j, double *heights, double *ground) {
    *ground = ground_at(i, j);
    for (int k = 0; k < NZ; k++) heights[k] = (1 - sigma[k]) * (20000 - *ground) + *ground;
}

static void test_sigma_over_height(void **state) {
    double rising[NZ];
    (void)state;
    struct file f = begin("ztop.nc", 0);
    for (int k = 0; k < NZ; k++) rising[k] = 1 - sigma[k];
    int lev = on_levels(&f, "lev", rising, NULL, "sigma");
    made_number(f.nc, lev, "ztop", 20000);
    plane(&f, "orog", ground_at, "surface_altitude", "m");
    cloud(&f);
    NC(nc_close(f.nc));
    check("ztop.nc", "clouds", "sigma_height", "hybrid height", sigma_over_height);
}

// --- others of CF's appendix D -----------------------------------------------------------------------------------------

static double smooth_at(int i, int j) { return 0.5 * ground_at(i, j) + 30; }
static const double sleve_a[NZ] = {0.002, 0.02, 0.1, 0.3, 0.6, 1}, sleve_b[NZ] = {0.99, 0.8, 0.5, 0.2, 0.05, 0}, sleve_c[NZ] = {0.009, 0.1, 0.3, 0.2, 0.1, 0};

static void sleve_heights(int i, int j, double *heights, double *ground) {
    (void)ground;
    for (int k = 0; k < NZ; k++) heights[k] = sleve_a[k] * 18000 + sleve_b[k] * ground_at(i, j) + sleve_c[k] * smooth_at(i, j);
}

static void test_sleve(void **state) {
    (void)state;
    struct file f = begin("sleve.nc", 1);
    int lev = numbered(&f, "atmosphere_sleve_coordinate");
    made_text(f.nc, lev, "formula_terms", "a: a b1: b1 b2: b2 ztop: ztop zsurf1: large zsurf2: small");
    on_levels(&f, "a", sleve_a, NULL, "1");
    on_levels(&f, "b1", sleve_b, NULL, "1");
    on_levels(&f, "b2", sleve_c, NULL, "1");
    scalar(&f, "ztop", 18, "km");
    plane(&f, "large", ground_at, NULL, "m");
    plane(&f, "small", smooth_at, NULL, "m");
    cloud(&f);
    NC(nc_close(f.nc));
    check("sleve.nc", "clouds", "sleve", "orography", sleve_heights);
}

static void ln_heights(int i, int j, double *heights, double *ground) {
    (void)i, (void)j, (void)ground;
    for (int k = 0; k < NZ; k++) heights[k] = standard_height(100000 * exp(-0.4 * k));
}

static void test_logarithms_of_pressure(void **state) {
    double numbers[NZ];
    (void)state;
    struct file f = begin("ln.nc", 0);
    for (int k = 0; k < NZ; k++) numbers[k] = 0.4 * k;
    int lev = on_levels(&f, "lev", numbers, "atmosphere_ln_pressure_coordinate", "1");
    made_text(f.nc, lev, "formula_terms", "p0: p0 lev: lev");
    scalar(&f, "p0", 1000, "hPa");
    cloud(&f);
    NC(nc_close(f.nc));
    check("ln.nc", "clouds", "ln_pressure", "standard atmosphere", ln_heights);
}

// --- plain pressure levels with what hydrostatic heights need -------------------------------------------------------------

static const double pressures[NZ] = {100000, 92500, 70000, 50000, 30000, 10000};

static void pressure_heights(int i, int j, double *heights, double *ground) {
    double ps = surface_pressure_at(i, j), e = dry * 0.0065 / g;
    *ground = ground_at(i, j);
    for (int k = 0; k < NZ; k++) {
        double t = warmth(i, j, k, true);
        bool first = pressures[k] >= ps || k == 0 || pressures[k - 1] >= ps;
        heights[k] = first ? *ground - t / 0.0065 * (1 - pow(ps / pressures[k], e)) : heights[k - 1] + dry / g * 0.5 * (warmth(i, j, k - 1, true) + t) * log(pressures[k - 1] / pressures[k]);
    }
}

static void test_pressure_levels_stand_on_the_ground_where_it_is_known(void **state) {
    (void)state;
    struct file f = begin("pressure.nc", 1);
    on_levels(&f, "lev", pressures, "air_pressure", "Pa");
    surface(&f, true);
    air(&f, true);
    cloud(&f);
    NC(nc_close(f.nc));
    check("pressure.nc", "clouds", "pressure", "temperature and humidity from the orography and the surface pressure", pressure_heights);
}

// --- heights and pressures in variables ---------------------------------------------------------------------------------

static double altitude_at(int i, int j, int k) { return ground_at(i, j) * (1 - 0.15 * k) + 20 + 1500 * k + 30 * k * i; }
static double pressure_at(int i, int j, int k) { return (ap[k] + b[k] * surface_pressure_at(i, j)) / 100; }

static void altitude_heights(int i, int j, double *heights, double *ground) {
    (void)ground;
    for (int k = 0; k < NZ; k++) heights[k] = altitude_at(i, j, k);
}

static void test_altitudes_in_a_variable(void **state) {
    (void)state;
    for (int turned = 0; turned < 2; turned++) {
        struct file f = begin("altitude.nc", turned);
        numbered(&f, "model_level_number");
        volume(&f, "z_mc", altitude_at, turned ? "altitude" : NULL, "m");
        cloud(&f);
        NC(nc_close(f.nc));
        check("altitude.nc", "clouds", "height_field", "heights in the file", altitude_heights);
    }
}

// COSMO: heights of half levels; the lowest is the ground.
static void half_heights(int i, int j, double *heights, double *ground) {
    *ground = ground_at(i, j);
    for (int k = 0; k < NZ; k++) heights[k] = *ground + 0.5 * (400 * (k + 0.0) * k + 400 * (k + 1.0) * (k + 1)) + 100 * (k + 0.5);
}

static void test_heights_of_half_levels(void **state) {
    (void)state;
    struct file f = begin("halves.nc", 1);
    numbered(&f, "model_level_number");
    double numbers[NZ + 1], values[(NZ + 1) * NY * NX];
    for (int k = 0; k <= NZ; k++) numbers[k] = k + 1;
    int level1 = made_axis(f.nc, "level1", NZ + 1, numbers, "model_level_number", "1"), d[] = {level1, f.y, f.x};
    for (int n = 0; n < (NZ + 1) * NY * NX; n++) {
        int k = NZ - n / (NY * NX);
        values[n] = ground_at(n % NX, n / NX % NY) + 400.0 * k * k + 100 * k;
    }
    int v = made_var(f.nc, "HHL", NC_DOUBLE, 3, d, NULL, "m");
    NC(nc_put_var_double(f.nc, v, values));
    cloud(&f);
    NC(nc_close(f.nc));
    check("halves.nc", "clouds", "height_field", "half levels", half_heights);
}

static void field_heights_from_pressure(int i, int j, double *heights, double *ground) {
    double p[NZ], t[NZ];
    hybrid_pressures(i, j, p);
    for (int k = 0; k < NZ; k++) t[k] = warmth(i, j, k, false);
    hydrostatic(p, t, surface_pressure_at(i, j), *ground = ground_at(i, j), heights);
}

static void test_pressures_in_a_variable(void **state) {
    (void)state;
    struct file f = begin("pressures.nc", 1);
    numbered(&f, "model_level_number");
    volume(&f, "pressure", pressure_at, "air_pressure", "hPa");
    surface(&f, true);
    air(&f, false);
    cloud(&f);
    NC(nc_close(f.nc));
    check("pressures.nc", "clouds", "pressure_field", "temperature of dry air from the orography and the surface pressure", field_heights_from_pressure);
}

// --- order, members and steps ---------------------------------------------------------------------------------------------

static void test_levels_in_any_order_on_an_unlimited_axis(void **state) {
    static const int shuffle[NZ] = {3, 0, 5, 1, 4, 2};
    static const double heights[NZ] = {10, 100, 500, 1500, 4000, 9000};
    int nc = made_create("shuffled.nc"), level, v, h;
    (void)state;
    NC(nc_def_dim(nc, "z", NC_UNLIMITED, &level));
    int d[] = {level, made_even_axis(nc, "latitude", NY, 50, 0.25, "latitude", "degrees_north"), made_even_axis(nc, "longitude", NX, 5, 0.25, "longitude", "degrees_east")};
    h = made_var(nc, "z", NC_DOUBLE, 1, &level, "height", "m");
    v = made_var(nc, "clouds", NC_DOUBLE, 3, d, "cloud_area_fraction_in_atmosphere_layer", "1");
    for (size_t n = 0; n < NZ; n++) {
        double plane_of[NY * NX];
        size_t start[] = {n, 0, 0}, count[] = {1, NY, NX};
        for (int c = 0; c < NY * NX; c++) plane_of[c] = 10 * shuffle[n] + c;
        NC(nc_put_var1_double(nc, h, start, &heights[shuffle[n]]));
        NC(nc_put_vara_double(nc, v, start, count, plane_of));
    }
    NC(nc_close(nc));
    struct catalog *c = made_open("shuffled.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "clouds")};
    double *all = made_read(&field, 1 << 20);
    for (int n = 0; n < NZ * NY * NX; n++) assert_true(fabs(all[n] - (10 * (n / (NY * NX)) + n % (NY * NX))) < 1e-9);
    assert_true(c->datasets[0].variables[field.variable].level_map->nominal[3] == 1500);
    free(all);
    catalog_unref(c);
}

// Heights that follow from the surface pressure of a step and a member are those of that step and member.
static void test_heights_are_of_their_step_and_member(void **state) {
    enum { STEPS = 2, MEMBERS = 2 };
    (void)state;
    struct file f = begin("members.nc", 0);
    write_hybrid(&f, true);
    double hours[STEPS] = {0, 6}, numbers[MEMBERS] = {0, 1};
    int t = made_axis(f.nc, "time", STEPS, hours, "time", "hours since 2026-01-01 00:00:00"), m = made_axis(f.nc, "realization", MEMBERS, numbers, "realization", "1");
    int flat[] = {t, m, f.y, f.x}, deep[] = {t, m, f.level, f.y, f.x};
    double planes[STEPS * MEMBERS * NY * NX], volumes[STEPS * MEMBERS * NZ * NY * NX];
    for (int n = 0; n < STEPS * MEMBERS * NY * NX; n++) planes[n] = surface_pressure_at(n % NX, n / NX % NY) - 900 * (n / (NX * NY));
    for (int n = 0; n < STEPS * MEMBERS * NZ * NY * NX; n++) volumes[n] = n % 97;
    int v = made_var(f.nc, "ps", NC_DOUBLE, 4, flat, "surface_air_pressure", "Pa");
    NC(nc_put_var_double(f.nc, v, planes));
    v = made_var(f.nc, "clouds", NC_DOUBLE, 5, deep, "cloud_area_fraction_in_atmosphere_layer", "1");
    NC(nc_put_var_double(f.nc, v, volumes));
    NC(nc_close(f.nc));
    struct catalog *c = made_open("members.nc");
    struct field_ref field = {.dataset = &c->datasets[0], .variable = made_variable(&c->datasets[0], "clouds")};
    char ids[STEPS * MEMBERS][33];
    for (int n = 0; n < STEPS * MEMBERS; n++) {
        struct source_profile profile;
        struct level_map *map;
        field.step = (size_t)n / MEMBERS, field.member = (size_t)n % MEMBERS;
        assert_int_equal(catalog_profile_source(&field, 5.5, 50.25, &profile, NULL), VIRGA_OK);
        for (int k = 0; k < NZ; k++) assert_true(fabs(profile.heights[k] - standard_height(ap[k] + b[k] * (surface_pressure_at(2, 1) - 900 * n))) < 0.02);
        source_profile_destroy(&profile);
        assert_int_equal(catalog_level_map(c, &field, &map, NULL), VIRGA_OK);
        assert_true(fabs(level_map_height(map, false, 2, 1, 3) - standard_height(ap[3] + b[3] * (surface_pressure_at(2, 1) - 900 * n))) < 1);
        field_geometry_id(&field, ids[n]);
        assert_string_equal(ids[n], map->id);
        for (int before = 0; before < n; before++) assert_string_not_equal(ids[n], ids[before]);
        level_map_unref(map);
    }
    catalog_unref(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hybrid_levels_by_formula_terms),
        cmocka_unit_test(test_half_levels_give_the_layers),
        cmocka_unit_test(test_hybrid_levels_by_habit),
        cmocka_unit_test(test_the_logarithm_of_surface_pressure_and_a_geopotential_serve),
        cmocka_unit_test(test_without_temperature_the_standard_atmosphere_stands_on_the_ground),
        cmocka_unit_test(test_without_surface_pressure_the_orography_serves_and_without_both_nothing),
        cmocka_unit_test(test_a_variable_on_some_of_the_levels_has_the_same_heights),
        cmocka_unit_test(test_sigma_levels),
        cmocka_unit_test(test_sigma_over_height),
        cmocka_unit_test(test_sleve),
        cmocka_unit_test(test_logarithms_of_pressure),
        cmocka_unit_test(test_pressure_levels_stand_on_the_ground_where_it_is_known),
        cmocka_unit_test(test_altitudes_in_a_variable),
        cmocka_unit_test(test_heights_of_half_levels),
        cmocka_unit_test(test_pressures_in_a_variable),
        cmocka_unit_test(test_levels_in_any_order_on_an_unlimited_axis),
        cmocka_unit_test(test_heights_are_of_their_step_and_member),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
