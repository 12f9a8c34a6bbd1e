// SPDX-License-Identifier: Apache-2.0
// Files with a made weather on levels of any kind, the formulas of their heights once more, and whether what is read agrees with these.
#ifndef VIRGA_TESTS_MADE_LEVELS_H
#define VIRGA_TESTS_MADE_LEVELS_H

#include "made_file.h"

#include "field/level_map.h"

enum { NX = 5, NY = 4, NZ = 6 };
static const double g = 9.80665, dry = 287.0597, vapour = 461.5250;

// --- the made weather, k upward ----------------------------------------------------------------------------------------

static double ground_at(int i, int j) { return 100 + 150 * i + 80 * j; }
static double surface_pressure_at(int i, int j) { return 101325 * exp(-ground_at(i, j) / 8300) + 40 * i - 25 * j; }
static double temperature_at(int i, int j, int k) { return 287 - 7 * k + 0.6 * i - 0.9 * j; }
static double humidity_at(int i, int j, int k) { return 0.009 * exp(-0.6 * k) * (1 + 0.05 * i - 0.04 * j); }
static const double ap[NZ] = {0, 500, 3000, 9000, 12000, 6000}, b[NZ] = {0.995, 0.95, 0.8, 0.5, 0.2, 0};
static const double half_ap[NZ + 1] = {0, 150, 1200, 5500, 11500, 9500, 0}, half_b[NZ + 1] = {1, 0.97, 0.88, 0.65, 0.35, 0.08, 0};
static const double sigma[NZ] = {0.99, 0.9, 0.7, 0.45, 0.2, 0.05};

// --- writing -----------------------------------------------------------------------------------------------------------

struct file { int nc, level, y, x, upside_down; };  // upside_down: stored from the top downward

static int stored(const struct file *f, int k) { return f->upside_down ? NZ - 1 - k : k; }

static struct file begin(const char *name, int upside_down) {
    struct file f = {.nc = made_create(name), .upside_down = upside_down};
    f.level = made_dim(f.nc, "lev", NZ);
    f.y = made_even_axis(f.nc, "latitude", NY, 50, 0.25, "latitude", "degrees_north");
    f.x = made_even_axis(f.nc, "longitude", NX, 5, 0.25, "longitude", "degrees_east");
    return f;
}

static int on_levels(const struct file *f, const char *name, const double *values, const char *standard_name, const char *units) {
    double turned[NZ];
    for (int k = 0; k < NZ; k++) turned[stored(f, k)] = values[k];
    int v = made_var(f->nc, name, NC_DOUBLE, 1, &f->level, standard_name, units);
    NC(nc_put_var_double(f->nc, v, turned));
    return v;
}

static int numbered(const struct file *f, const char *standard_name) {
    double numbers[NZ];
    for (int k = 0; k < NZ; k++) numbers[k] = NZ - k;
    return on_levels(f, "lev", numbers, standard_name, "1");
}

static void plane(const struct file *f, const char *name, double (*at)(int, int), const char *standard_name, const char *units) {
    int d[] = {f->y, f->x}, v = made_var(f->nc, name, NC_DOUBLE, 2, d, standard_name, units);
    double values[NY * NX];
    for (int c = 0; c < NY * NX; c++) values[c] = at(c % NX, c / NX);
    NC(nc_put_var_double(f->nc, v, values));
}

static void volume(const struct file *f, const char *name, double (*at)(int, int, int), const char *standard_name, const char *units) {
    int d[] = {f->level, f->y, f->x}, v = made_var(f->nc, name, NC_DOUBLE, 3, d, standard_name, units);
    double values[NZ * NY * NX];
    for (int n = 0; n < NZ * NY * NX; n++) values[stored(f, n / (NX * NY)) * NY * NX + n % (NX * NY)] = at(n % NX, n / NX % NY, n / (NX * NY));
    NC(nc_put_var_double(f->nc, v, values));
}

static void scalar(const struct file *f, const char *name, double value, const char *units) { made_scalar(f->nc, name, value, NULL, units); }

static double cloud_at(int i, int j, int k) { return 0.1 * k + 0.02 * i * j; }
static void cloud(const struct file *f) { volume(f, "clouds", cloud_at, "cloud_area_fraction_in_atmosphere_layer", "1"); }

static void air(const struct file *f, bool moist) {
    volume(f, "ta", temperature_at, "air_temperature", "K");
    if (moist) volume(f, "hus", humidity_at, "specific_humidity", "kg kg-1");
}

static void surface(const struct file *f, bool orography) {
    plane(f, "ps", surface_pressure_at, "surface_air_pressure", "Pa");
    if (orography) plane(f, "orog", ground_at, "surface_altitude", "m");
}

// --- the formulas again ------------------------------------------------------------------------------------------------

static double standard_height(double p) {  // to 32 km
    double q = p / 101325;
    if (p > 22632.06) return 288.15 / 0.0065 * (1 - pow(q, 287.05287 * 0.0065 / g));
    if (p > 5474.889) return 11000 - 287.05287 * 216.65 / g * log(p / 22632.06);
    return 20000 + 216.65 / 0.001 * (pow(p / 5474.889, -287.05287 * 0.001 / g) - 1);
}

// From temperatures and pressures of levels, over a ground where the pressure is ps.
static void hydrostatic(const double *p, const double *t, double ps, double ground, double *heights) {
    for (int k = 0; k < NZ; k++)
        heights[k] = k == 0 ? ground + t[0] / 0.0065 * (pow(ps / p[0], dry * 0.0065 / g) - 1) : heights[k - 1] + dry / g * 0.5 * (t[k - 1] + t[k]) * log(p[k - 1] / p[k]);
}

static void by_half_levels(const double *half, const double *t, double ground, double *heights) {
    double foot = ground;
    for (int k = 0; k < NZ; k++) {
        double low = half[k], high = half[k + 1], alpha = high > 0 ? 1 - high / (low - high) * log(low / high) : log(2);
        heights[k] = foot + alpha * dry * t[k] / g;
        if (high > 0) foot += dry * t[k] / g * log(low / high);
    }
}

static double warmth(int i, int j, int k, bool moist) { return temperature_at(i, j, k) * (1 + (vapour / dry - 1) * (moist ? humidity_at(i, j, k) : 0)); }

typedef void (*expected)(int i, int j, double *heights, double *ground);

static void check(const char *file, const char *variable, const char *kind, const char *method, expected wanted) {
    struct catalog *c = made_open(file);
    if (c->dataset_count == 0) fail_msg("%s: %s", file, c->problem_count ? c->problems[0].reason : "nothing");
    const struct catalog_dataset *d = &c->datasets[0];
    struct field_ref field = {.dataset = d, .variable = made_variable(d, variable)};
    const struct level_map *map = d->variables[field.variable].level_map;
    assert_non_null(map);
    assert_string_equal(map->coordinate, kind);
    if (!strstr(map->method, method)) fail_msg("%s: method \"%s\" without \"%s\"", file, map->method, method);
    assert_true(map->error_low < 5 && map->error_high < 20);
    for (int j = 0; j < NY; j++)
        for (int i = 0; i < NX; i++) {
            double heights[NZ], ground = NAN, value, k;
            struct source_profile profile;
            wanted(i, j, heights, &ground);
            assert_int_equal(catalog_profile_source(&field, 5 + 0.25 * i, 50 + 0.25 * j, &profile, NULL), VIRGA_OK);
            assert_int_equal(profile.count, NZ);
            for (int n = 0; n < NZ; n++) {
                if (!(fabs(profile.heights[n] - heights[n]) < 0.02)) fail_msg("%s: level %d at (%d, %d): %g m, not %g", file, n, i, j, profile.heights[n], heights[n]);
                double allowed = heights[n] - (isnan(ground) ? 0 : ground) < 3000 ? 5 : 20;
                assert_true(fabs(level_map_height(map, false, i, j, n) - heights[n]) < allowed);
            }
            assert_int_equal(catalog_sample_source(&field, 5 + 0.25 * i, 50 + 0.25 * j, 0.5 * (heights[2] + heights[3]), &value, NULL), VIRGA_OK);
            if (strcmp(variable, "clouds") == 0) assert_true(fabs(value - 0.5 * (cloud_at(i, j, 2) + cloud_at(i, j, 3))) < 1e-3);
            if (!isnan(ground)) {  // nothing under it
                assert_false(level_map_locate(map, false, i, j, ground - 1, &k));
                assert_true(level_map_locate(map, false, i, j, ground + 1, &k));
                assert_int_equal(catalog_sample_source(&field, 5 + 0.25 * i, 50 + 0.25 * j, ground - 1, &value, NULL), VIRGA_OK);
                assert_true(isnan(value));
            }
            source_profile_destroy(&profile);
        }
    catalog_unref(c);
}

static void check_refused(const char *file, const char *variable, const char *reason) {
    struct catalog *c = made_open(file);
    const struct catalog_problem *problem = made_problem(c, variable);
    if (!problem || !strstr(problem->reason, reason)) fail_msg("%s: \"%s\" where \"%s\" was expected", file, problem ? problem->reason : "no problem", reason);
    catalog_unref(c);
}

#endif
