// SPDX-License-Identifier: Apache-2.0
// Planes of made forecasts, against their surfaces written out again for each column.
#include "../field/made_file.h"

#include <pthread.h>

#include "base/worker_pool.h"
#include "brick/step_volume.h"
#include "tile/plane_cache.h"

enum { NX = 6, NY = 5, NZ = 7 };

// --- The made weather, k upward.

static double ground_at(int i, int j) { return 100 + 150 * i + 80 * j; }
static double surface_pressure_at(int i, int j) { return 101325 * exp(-ground_at(i, j) / 8300) + 40 * i - 25 * j; }
static const double ap[NZ] = {0, 500, 3000, 9000, 12000, 6000, 2000}, b[NZ] = {0.995, 0.95, 0.8, 0.5, 0.2, 0.03, 0};
static double pressure_at(int i, int j, int k) { return ap[k] + b[k] * surface_pressure_at(i, j); }
static double temperature_at(int i, int j, int k) { return 287 - 8 * k + 0.6 * i - 0.9 * j + (k > 4 ? 14 * (k - 4) : 0); }
static double cloud_at(int i, int j, int k) { return k == 2 || k == 3 ? 0.75 - 0.04 * i : i == 5 && k == 0 ? 0.6 : 0.01 * j; }
static double theta_at(int i, int j, int k) { return temperature_at(i, j, k) * pow(1e5 / pressure_at(i, j, k), 2.0 / 7); }
static const double plev[NZ] = {1000, 925, 850, 700, 500, 300, 200};

// --- Writing.

static int volume(int nc, const int *dims, const char *name, double (*at)(int, int, int), const char *standard_name, const char *units) {
    const int v = made_var(nc, name, NC_DOUBLE, 3, dims, standard_name, units);
    double values[NZ * NY * NX];
    for (int n = 0; n < NZ * NY * NX; n++) values[n] = at(n % NX, n / NX % NY, n / (NX * NY));
    NC(nc_put_var_double(nc, v, values));
    return v;
}

static void plane_variable(int nc, const int *dims, const char *name, double (*at)(int, int), const char *standard_name, const char *units) {
    const int v = made_var(nc, name, NC_DOUBLE, 2, dims, standard_name, units);
    double values[NY * NX];
    for (int c = 0; c < NY * NX; c++) values[c] = at(c % NX, c / NX);
    NC(nc_put_var_double(nc, v, values));
}

static void columns(int nc, int dims[3]) {
    dims[1] = made_even_axis(nc, "latitude", NY, 50, 0.25, "latitude", "degrees_north");
    dims[2] = made_even_axis(nc, "longitude", NX, 5, 0.25, "longitude", "degrees_east");
}

static void write_hybrid(const char *name, bool temperature) {
    const int nc = made_create(name);
    int dims[3];
    double numbers[NZ];
    for (int k = 0; k < NZ; k++) numbers[k] = NZ - k;
    dims[0] = made_axis(nc, "lev", NZ, numbers, "atmosphere_hybrid_sigma_pressure_coordinate", "1");
    columns(nc, dims);
    int lev;
    NC(nc_inq_varid(nc, "lev", &lev));
    made_text(nc, lev, "formula_terms", "ap: ap b: b ps: ps");
    NC(nc_put_var_double(nc, made_var(nc, "ap", NC_DOUBLE, 1, dims, NULL, "Pa"), ap));
    NC(nc_put_var_double(nc, made_var(nc, "b", NC_DOUBLE, 1, dims, NULL, "1"), b));
    plane_variable(nc, dims + 1, "ps", surface_pressure_at, "surface_air_pressure", "Pa");
    plane_variable(nc, dims + 1, "orog", ground_at, "surface_altitude", "m");
    if (temperature) volume(nc, dims, "ta", temperature_at, "air_temperature", "K");
    volume(nc, dims, "clouds", cloud_at, "cloud_area_fraction_in_atmosphere_layer", "1");
    NC(nc_close(nc));
}

// Missing below the ground, and the whole of the level of 700 hPa in column 0.
static double holed_at(int i, int j, int k) {
    return plev[k] * 100 > surface_pressure_at(i, j) || (i == 0 && k == 3) ? NAN : temperature_at(i, j, k);
}

static void write_pressure(const char *name) {
    const int nc = made_create(name);
    int dims[3];
    dims[0] = made_axis(nc, "plev", NZ, plev, "air_pressure", "hPa");
    columns(nc, dims);
    plane_variable(nc, dims + 1, "ps", surface_pressure_at, "surface_air_pressure", "Pa");
    plane_variable(nc, dims + 1, "orog", ground_at, "surface_altitude", "m");
    volume(nc, dims, "ta", temperature_at, "air_temperature", "K");
    volume(nc, dims, "holed", holed_at, "dew_point_temperature", "K");
    volume(nc, dims, "clouds", cloud_at, "cloud_area_fraction_in_atmosphere_layer", "1");
    NC(nc_close(nc));
}

// --- Asking.

struct scene {
    struct catalog *catalog;
    struct field_ref field;
    struct plane_maker maker;
};

static struct scene scene_of(const char *file, const char *variable, struct brick_store *store) {
    struct scene s = {.catalog = made_open(file)};
    s.field = (struct field_ref){.dataset = &s.catalog->datasets[0], .variable = made_variable(&s.catalog->datasets[0], variable)};
    s.maker = (struct plane_maker){.store = store, .catalog = s.catalog};
    return s;
}

static struct surface surface_of(const char *text) {
    struct surface s;
    assert_int_equal(surface_parse(text, &s, NULL), VIRGA_OK);
    return s;
}

static struct plane *plane_of(const struct scene *s, const char *level, bool height) {
    const struct surface surface = surface_of(level);
    struct plane *plane = NULL;
    struct failure failure = {0};
    if ((height ? plane_make_height : plane_make)(&s->maker, &s->field, &surface, &plane, &failure)) fail_msg("%s: %s", level, failure.message);
    assert_true(plane->nx == NX && plane->ny == NY && plane->level_count == 1);
    return plane;
}

static double value_of(const struct plane *plane, int i, int j) { return (double)plane->levels[0].values[j * NX + i]; }

static void check_value(const char *level, int i, int j, double got, double wanted, double allowed) {
    if (isnan(wanted) ? isnan(got) : fabs(got - wanted) <= allowed) return;
    fail_msg("%s at (%d, %d): %.9g, not %.9g", level, i, j, got, wanted);
}

typedef double (*expected)(int i, int j, double target);

static void check(const struct scene *s, const char *level, double target, expected wanted, double allowed) {
    struct plane *plane = plane_of(s, level, false);
    for (int c = 0; c < NX * NY; c++) check_value(level, c % NX, c / NX, value_of(plane, c % NX, c / NX), wanted(c % NX, c / NX, target), allowed);
    plane_unref(plane);
}

// --- The surfaces again.

static double at_pressure(int i, int j, double p) {
    if (p > surface_pressure_at(i, j)) return NAN;
    if (p >= pressure_at(i, j, 0)) return temperature_at(i, j, 0);
    for (int k = 0; k + 1 < NZ; k++) {
        const double low = pressure_at(i, j, k), high = pressure_at(i, j, k + 1);
        if (p > low || p < high) continue;
        const double share = log(low / p) / log(low / high);
        return temperature_at(i, j, k) * (1 - share) + temperature_at(i, j, k + 1) * share;
    }
    return NAN;
}

static double at_theta(int i, int j, double theta) {
    for (int k = NZ - 2; k >= 0; k--) {
        const double low = theta_at(i, j, k), high = theta_at(i, j, k + 1);
        if ((theta - low) * (theta - high) > 0) continue;
        const double share = (theta - low) / (high - low);
        return temperature_at(i, j, k) * (1 - share) + temperature_at(i, j, k + 1) * share;
    }
    return NAN;
}

static double on_level(int i, int j, double k) { return temperature_at(i, j, (int)k); }

static double most(int i, int j, double unused) {
    double largest = 0;
    (void)unused;
    for (int k = 0; k < NZ; k++) largest = fmax(largest, cloud_at(i, j, k));
    return largest;
}

static double sum(int i, int j, double unused) {
    double total = 0;
    (void)unused;
    for (int k = 0; k < NZ; k++) total += cloud_at(i, j, k);
    return total;
}

// Fractional level of a cloud's top or base; −1: the ground; NaN: none.
static double cloud_edge(int i, int j, bool top, double threshold) {
    if (!top && cloud_at(i, j, 0) >= threshold) return -1;
    for (int n = 0; n + 1 < NZ; n++) {
        const int k = top ? NZ - 2 - n : n;
        const double low = cloud_at(i, j, k), high = cloud_at(i, j, k + 1);
        if ((low >= threshold) != (high >= threshold)) return k + (threshold - low) / (high - low);
    }
    return NAN;
}

// --- Tests.

static const double kelvin = 0.055, fraction = 0.0025;  // what the lattices allow, and a little

static void test_pressure_of_hybrid_levels(void **state) {
    (void)state;
    write_hybrid("hybrid.nc", true);
    struct scene s = scene_of("hybrid.nc", "ta", NULL);
    check(&s, "850hPa", 85000, at_pressure, kelvin);
    check(&s, "500hPa", 50000, at_pressure, kelvin);
    check(&s, "960hPa", 96000, at_pressure, kelvin);   // below the ground of some columns, just over it in others
    check(&s, "991hPa", 99100, at_pressure, kelvin);   // over the ground of one column alone, whose lowest level is held
    check(&s, "21hPa", 2100, at_pressure, kelvin);
    check(&s, "19hPa", 1900, at_pressure, kelvin);     // above the top
    check(&s, "FL100", 69681.7, at_pressure, kelvin);
    check(&s, "k3", 3, on_level, kelvin);
    check(&s, "", 0, on_level, kelvin);
    struct plane *plane = plane_of(&s, "850hPa", false);
    assert_non_null(strstr(plane->method, "surface pressure"));
    plane_unref(plane);
    catalog_unref(s.catalog);
}

static void test_potential_temperature_is_the_highest_crossing(void **state) {
    (void)state;
    write_hybrid("theta.nc", true);
    struct scene s = scene_of("theta.nc", "ta", NULL);
    check(&s, "300K", 300, at_theta, kelvin);
    check(&s, "286.5K", 286.5, at_theta, kelvin);
    check(&s, "500K", 500, at_theta, kelvin);
    catalog_unref(s.catalog);
}

// Held against the value at a place that the source gives by itself, with exact heights.
static void test_heights_are_those_of_the_value_at_a_place(void **state) {
    static const struct { const char *level; double height; bool ground; } cases[] = {
        {"1500m", 1500, false}, {"600m", 600, false}, {"9km", 9000, false}, {"10m-above-ground", 10, true}, {"800m-above-ground", 800, true}};
    (void)state;
    write_hybrid("heights.nc", true);
    struct scene s = scene_of("heights.nc", "ta", NULL);
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct plane *plane = plane_of(&s, cases[n].level, false), *heights = plane_of(&s, cases[n].level, true);
        for (int c = 0; c < NX * NY; c++) {
            const int i = c % NX, j = c / NX;
            const double height = cases[n].height + (cases[n].ground ? ground_at(i, j) : 0);
            double value;
            assert_int_equal(catalog_sample_source(&s.field, 5 + 0.25 * i, 50 + 0.25 * j, height, &value, NULL), VIRGA_OK);
            check_value(cases[n].level, i, j, value_of(plane, i, j), value, 0.05);
            check_value("height", i, j, value_of(heights, i, j), height, 0.01);
        }
        plane_unref(plane);
        plane_unref(heights);
    }
    catalog_unref(s.catalog);
}

static void test_quantities_of_columns(void **state) {
    (void)state;
    write_hybrid("columns.nc", true);
    struct scene s = scene_of("columns.nc", "clouds", NULL);
    check(&s, "max", 0, most, fraction);
    check(&s, "sum", 0, sum, NZ * fraction);
    for (int top = 0; top < 2; top++) {
        struct plane *plane = plane_of(&s, top ? "top" : "base", false);
        for (int c = 0; c < NX * NY; c++) {
            const int i = c % NX, j = c / NX;
            const double k = cloud_edge(i, j, top, 0.5), ground = ground_at(i, j);
            const struct level_map *map = s.field.dataset->variables[s.field.variable].level_map;
            check_value(top ? "top" : "base", i, j, value_of(plane, i, j), k < 0 ? ground : isnan(k) ? NAN : level_map_height(map, false, i, j, k), 15);
        }
        plane_unref(plane);
    }
    catalog_unref(s.catalog);
}

static void test_a_variable_without_a_usual_threshold_wants_one(void **state) {
    struct plane *plane;
    struct failure failure;
    (void)state;
    write_hybrid("threshold.nc", true);
    struct scene s = scene_of("threshold.nc", "ta", NULL);
    const struct surface top = surface_of("top"), said = surface_of("top:270");
    assert_int_equal(plane_make(&s.maker, &s.field, &top, &plane, &failure), VIRGA_INVALID);
    assert_non_null(strstr(failure.message, "threshold"));
    assert_int_equal(plane_make(&s.maker, &s.field, &said, &plane, &failure), VIRGA_OK);
    plane_unref(plane);
    catalog_unref(s.catalog);
}

// On its own levels a pressure shows what the file has, below the ground too; heights end at the ground.
static void test_pressure_on_pressure_levels_is_the_files_own(void **state) {
    (void)state;
    write_pressure("plev.nc");
    struct scene s = scene_of("plev.nc", "ta", NULL);
    struct plane *exact = plane_of(&s, "1000hPa", false), *between = plane_of(&s, "900hPa", false), *low = plane_of(&s, "150m", false), *k0 = plane_of(&s, "k0", false);
    const double share = log(925.0 / 900) / log(925.0 / 850);
    for (int c = 0; c < NX * NY; c++) {
        const int i = c % NX, j = c / NX;
        check_value("1000hPa", i, j, value_of(exact, i, j), temperature_at(i, j, 0), kelvin);
        check_value("k0", i, j, value_of(k0, i, j), value_of(exact, i, j), 0);
        check_value("900hPa", i, j, value_of(between, i, j), temperature_at(i, j, 1) * (1 - share) + temperature_at(i, j, 2) * share, kelvin);
        assert_true(isnan(value_of(low, i, j)) == (ground_at(i, j) > 150));
    }
    plane_unref(exact);
    plane_unref(between);
    plane_unref(low);
    plane_unref(k0);
    struct plane *nowhere = plane_of(&s, "1050hPa", false);
    assert_true(nowhere->low > nowhere->high);
    plane_unref(nowhere);
    catalog_unref(s.catalog);
}

static void test_beside_what_is_missing_the_nearer_level_stands(void **state) {
    (void)state;
    write_pressure("holed.nc");
    struct scene s = scene_of("holed.nc", "holed", NULL);
    struct plane *near_present = plane_of(&s, "820hPa", false), *near_missing = plane_of(&s, "720hPa", false), *missing = plane_of(&s, "700hPa", false);
    check_value("820hPa", 0, 0, value_of(near_present, 0, 0), temperature_at(0, 0, 2), kelvin);
    check_value("720hPa", 0, 0, value_of(near_missing, 0, 0), NAN, 0);
    check_value("700hPa", 0, 0, value_of(missing, 0, 0), NAN, 0);
    check_value("700hPa", 1, 0, value_of(missing, 1, 0), temperature_at(1, 0, 3), kelvin);
    plane_unref(near_present);
    plane_unref(near_missing);
    plane_unref(missing);
    catalog_unref(s.catalog);
}

static void test_what_is_no_surface_of_the_variable_is_refused(void **state) {
    struct plane *plane = NULL;
    (void)state;
    write_hybrid("refused.nc", false);
    struct scene s = scene_of("refused.nc", "clouds", NULL), flat = scene_of("refused.nc", "ps", NULL);
    const struct { const struct scene *scene; const char *level; int status; } cases[] = {
        {&s, "k7", VIRGA_INVALID}, {&s, "300K", VIRGA_UNSUPPORTED}, {&flat, "k0", VIRGA_INVALID}, {&flat, "850hPa", VIRGA_INVALID}, {&flat, "max", VIRGA_INVALID}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const struct surface surface = surface_of(cases[n].level);
        struct failure failure = {0};
        assert_int_equal(plane_make(&cases[n].scene->maker, &cases[n].scene->field, &surface, &plane, &failure), cases[n].status);
        assert_true(!plane && *failure.message);
    }
    assert_true(plane_offers(&s.field, SURFACE_PRESSURE) && !plane_offers(&s.field, SURFACE_THETA) && plane_offers(&s.field, SURFACE_TOP));
    assert_true(plane_offers(&flat.field, SURFACE_OWN) && !plane_offers(&flat.field, SURFACE_LEVEL) && !plane_offers(&flat.field, SURFACE_HEIGHT));
    plane = plane_of(&flat, "", false);
    check_value("ps", 2, 1, value_of(plane, 2, 1), surface_pressure_at(2, 1), 10);
    plane_unref(plane);
    plane = plane_of(&flat, "", true);  // it lies on the ground
    check_value("ground", 2, 1, value_of(plane, 2, 1), ground_at(2, 1), 0.01);
    plane_unref(plane);
    atomic_bool stop = true;
    s.field.stop = &stop;
    const struct surface surface = surface_of("850hPa");
    assert_int_equal(plane_make(&s.maker, &s.field, &surface, &plane, NULL), VIRGA_CANCELLED);
    catalog_unref(s.catalog);
    catalog_unref(flat.catalog);
}

static void test_the_stores_volume_gives_the_same_values(void **state) {
    (void)state;
    static const char *const levels[] = {"k2", "max", "850hPa", "300K", "1500m", "top:280"};
    struct worker_pool *pool = worker_pool_new((const int[LANE_COUNT]){2, 2}, 1000);
    struct brick_store *store;
    assert_int_equal(brick_store_new(pool, &(struct brick_store_options){.memory = 64 << 20}, &store), VIRGA_OK);
    write_hybrid("store.nc", true);
    struct scene by_store = scene_of("store.nc", "ta", store), alone = scene_of("store.nc", "ta", NULL);
    assert_null(brick_store_volume(store, &by_store.field));
    for (size_t n = 0; n < sizeof levels / sizeof *levels; n++) {
        struct plane *a = plane_of(&by_store, levels[n], false), *same = plane_of(&alone, levels[n], false);
        assert_int_equal(memcmp(a->levels[0].values, same->levels[0].values, NX * NY * sizeof(float)), 0);
        plane_unref(a);
        plane_unref(same);
        struct step_volume *volume = brick_store_volume(store, &by_store.field);
        assert_true((volume != NULL) == (n > 0));  // one level does not read them all, a maximum does
        step_volume_free(volume);
    }
    catalog_unref(by_store.catalog);
    catalog_unref(alone.catalog);
    brick_store_free(store);
    worker_pool_free(pool);
}

// A grid with more columns than a plane holds: means of 2 × 2 columns, on levels and at surfaces.
static void test_large_grids_are_shown_by_means_of_columns(void **state) {
    (void)state;
    write_hybrid("large.nc", true);
    struct scene s = scene_of("large.nc", "ta", NULL);
    s.maker.most_columns = 9;
    static const struct { const char *level; expected wanted; double target, allowed; } cases[] = {{"k3", on_level, 3, 0.06}, {"500hPa", at_pressure, 50000, 0.2}, {"300K", at_theta, 300, 0.3}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const struct surface surface = surface_of(cases[n].level);
        struct plane *plane;
        assert_int_equal(plane_make(&s.maker, &s.field, &surface, &plane, NULL), VIRGA_OK);
        const struct plane_level *l = &plane->levels[0];
        assert_true(plane->nx == NX && plane->ny == NY && l->nx == 3 && l->ny == 3 && l->scale == 2 && strstr(plane->method, "means of 2 × 2"));
        for (int c = 0; c < 9; c++) {
            const int i = c % 3 * 2, j = c / 3 * 2, rows = j + 1 < NY ? 2 : 1;
            double mean = 0;
            for (int part = 0; part < 2 * rows; part++) mean += cases[n].wanted(i + part % 2, j + part / 2, cases[n].target) / (2 * rows);
            check_value(cases[n].level, i, j, (double)l->values[c], mean, cases[n].allowed);
        }
        plane_unref(plane);
    }
    catalog_unref(s.catalog);
}

struct asker { struct plane_cache *cache; const struct scene *scene; struct plane *plane; };

static void *ask(void *argument) {
    struct asker *asker = argument;
    const struct surface surface = surface_of("300K");
    assert_int_equal(plane_cache_get(asker->cache, &asker->scene->maker, &asker->scene->field, &surface, &asker->plane, NULL), VIRGA_OK);
    return NULL;
}

static void test_those_who_ask_at_once_share_one_making(void **state) {
    (void)state;
    enum { ASKERS = 6 };
    write_hybrid("shared.nc", true);
    struct scene s = scene_of("shared.nc", "ta", NULL);
    struct plane_cache *cache = plane_cache_new(1 << 20);
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    struct plane_cache_stats stats;
    for (int n = 0; n < ASKERS; n++) {
        askers[n] = (struct asker){cache, &s, NULL};
        assert_int_equal(pthread_create(&threads[n], NULL, ask, &askers[n]), 0);
    }
    for (int n = 0; n < ASKERS; n++) pthread_join(threads[n], NULL);
    plane_cache_stats(cache, &stats);
    assert_true(stats.misses == 1 && stats.hits == ASKERS - 1 && stats.planes == 1);
    for (int n = 0; n < ASKERS; n++) {
        assert_ptr_equal(askers[n].plane, askers[0].plane);
        if (n) plane_unref(askers[n].plane);
    }
    plane_unref(askers[0].plane);
    plane_cache_free(cache);
    catalog_unref(s.catalog);
}

static void test_planes_are_kept_within_the_cap(void **state) {
    (void)state;
    write_hybrid("kept.nc", true);
    struct scene s = scene_of("kept.nc", "ta", NULL);
    struct plane *first, *again, *other;
    struct plane_cache_stats stats;
    const struct surface a = surface_of("850hPa"), c = surface_of("700hPa"), wrong = surface_of("k99");
    struct plane_cache *cache = plane_cache_new(1500);
    assert_null(plane_cache_find(cache, &s.field, &a));
    assert_int_equal(plane_cache_get(cache, &s.maker, &s.field, &a, &first, NULL), VIRGA_OK);
    assert_int_equal(plane_cache_get(cache, &s.maker, &s.field, &a, &again, NULL), VIRGA_OK);
    assert_ptr_equal(first, again);
    assert_ptr_equal(plane_cache_find(cache, &s.field, &a), first);
    assert_int_equal(plane_cache_get_height(cache, &s.maker, &s.field, &a, &other, NULL), VIRGA_OK);
    assert_ptr_not_equal(other, first);
    plane_unref(other);
    assert_int_equal(plane_cache_get(cache, &s.maker, &s.field, &c, &other, NULL), VIRGA_OK);
    plane_cache_stats(cache, &stats);
    assert_true(stats.memory <= 1500 && stats.planes >= 1 && stats.misses == 3 && stats.hits == 2);
    assert_null(plane_cache_find(cache, &s.field, &a));  // it went first
    assert_int_equal(plane_cache_get(cache, &s.maker, &s.field, &wrong, &again, NULL), VIRGA_INVALID);
    char key[PLANE_KEY], other_key[PLANE_KEY];
    plane_key(&s.field, &a, key);
    plane_key(&s.field, &c, other_key);
    assert_string_not_equal(key, other_key);
    for (int n = 0; n < 3; n++) plane_unref(first);
    plane_unref(other);
    plane_cache_free(cache);
    catalog_unref(s.catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pressure_of_hybrid_levels),
        cmocka_unit_test(test_potential_temperature_is_the_highest_crossing),
        cmocka_unit_test(test_heights_are_those_of_the_value_at_a_place),
        cmocka_unit_test(test_quantities_of_columns),
        cmocka_unit_test(test_a_variable_without_a_usual_threshold_wants_one),
        cmocka_unit_test(test_pressure_on_pressure_levels_is_the_files_own),
        cmocka_unit_test(test_beside_what_is_missing_the_nearer_level_stands),
        cmocka_unit_test(test_what_is_no_surface_of_the_variable_is_refused),
        cmocka_unit_test(test_the_stores_volume_gives_the_same_values),
        cmocka_unit_test(test_large_grids_are_shown_by_means_of_columns),
        cmocka_unit_test(test_those_who_ask_at_once_share_one_making),
        cmocka_unit_test(test_planes_are_kept_within_the_cap),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
