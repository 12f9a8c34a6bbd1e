// SPDX-License-Identifier: Apache-2.0
// Indices in floats against the level map and the axes in doubles.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "field/level_heights.h"
#include "made_scene.h"
#include "render/layer_geometry_private.h"

enum { NX = 40, NY = 30, NZ = 37 };

static double hybrid_a(size_t k) { return 5 + 16.7 * (double)k + 13 * (double)(k * k); }
static double hybrid_b(size_t k) {
    const double x = 1 - hybrid_a(k) / 12000;
    return x > 0 ? x * x : 0;
}

static double *line(size_t n, double (*f)(size_t)) {
    double *v = calloc(n, sizeof *v);
    for (size_t k = 0; k < n; k++) v[k] = f(k);
    return v;
}

static struct level_heights *heights_of(size_t levels) {
    struct level_heights *h = calloc(1, sizeof *h);
    *h = (struct level_heights){.nx = NX, .ny = NY, .level_count = levels, .datum = DATUM_SEA, .method = "made", .coordinate = "made"};
    return h;
}

static struct level_heights *by_surface(void) {
    struct level_heights *h = heights_of(NZ);
    h->a = line(NZ, hybrid_a), h->b = line(NZ, hybrid_b);
    h->surface = h->ground = calloc(NX * NY, sizeof *h->ground);
    for (size_t n = 0; n < NX * NY; n++) h->ground[n] = (float)(1900 * pow(sin((double)(n % NX) * 0.16) * cos((double)(n / NX) * 0.2), 2));
    return h;
}

static struct level_heights *flat(void) {
    struct level_heights *h = heights_of(NZ);
    h->a = line(NZ, hybrid_a);
    return h;
}

// Levels 300 m apart, one of which may lie elsewhere.
static struct level_heights *even(double moved) {
    struct level_heights *h = heights_of(NZ);
    h->a = calloc(NZ, sizeof *h->a);
    for (size_t k = 0; k < NZ; k++) h->a[k] = 90 + 300 * (double)k + (k == 20 ? moved : 0);
    return h;
}

static double wavy_height(double i, double j, double k) { return 100 + 220 * k + 35 * k * k + (60 + 15 * k) * sin(i * 2 * M_PI / NX) * cos(j * 0.1); }

static struct level_heights *coarse(void) {
    struct level_heights *h = heights_of(20);
    double *plane = calloc(NX * NY, sizeof *plane);
    assert_int_equal(level_heights_begin(h, 5, 19), VIRGA_OK);
    for (size_t k = 0; k < 20; k++) {
        for (size_t c = 0; c < NX * NY; c++) plane[c] = wavy_height((double)(c % NX), (double)(c / NX), (double)k);
        level_heights_add(h, k, 0, NY, plane);
    }
    free(plane);
    return h;
}

// Irregular axes whose spacing grows fivefold; or regular ones.
static struct grid grid_of(bool regular, bool wraps) {
    struct grid grid = made_grid(NX, NY);
    grid.wraps = wraps;
    struct grid_axis *axes[] = {&grid.x, &grid.y};
    for (int a = 0; a < 2; a++) {
        axes[a]->values = calloc(axes[a]->n, sizeof *axes[a]->values);
        axes[a]->regular = regular;
        for (size_t n = 0; n < axes[a]->n; n++) axes[a]->values[n] = regular ? 1000 * (double)n : 400 * (double)n + 20 * (double)(n * n);
        if (!regular) axes[a]->start = axes[a]->values[0], axes[a]->step = 1000;
    }
    return grid;
}

static void check_at(const struct grid *grid, const struct level_map *map, const struct layer_geometry *g, const double scene[3]) {
    struct layer_place place;
    double i, j, k = 0;
    layer_geometry_place(g, (const float[]){(float)scene[0], (float)scene[1], (float)scene[2]}, &place);
    double x = scene[0] / grid->km_per_unit[0] + grid->centre[0];
    const double y = scene[1] / grid->km_per_unit[1] + grid->centre[1];
    if (grid->wraps) x -= floor(x / (NX * grid->x.step)) * (NX * grid->x.step);
    const bool column = grid_axis_locate(&grid->x, grid->wraps, x, &i) && grid_axis_locate(&grid->y, false, y, &j);
    const bool inside = column && (!map || level_map_locate(map, grid->wraps, i, j, scene[2] * 1000, &k));
    // Within a hair of an edge either answer will do.
    if (inside != place.inside) {
        double near;
        bool edge = false;
        for (int d = -1; column && d <= 1; d += 2) edge |= level_map_locate(map, grid->wraps, i, j, scene[2] * 1000 + 2 * d, &near) != inside;
        if (!edge) fail_msg("inside at %g %g %g: %d", scene[0], scene[1], scene[2], place.inside);
        return;
    }
    if (!inside) return;
    double across = fabs(i - (double)place.ijk[0]);
    if (grid->wraps && across > NX / 2) across = NX - across;
    if (across > 2e-4 || fabs(j - (double)place.ijk[1]) > 2e-4 || fabs(k - (double)place.ijk[2]) > 3e-3)
        fail_msg("at %g %g %g: %g %g %g, not %g %g %g", scene[0], scene[1], scene[2], (double)place.ijk[0], (double)place.ijk[1], (double)place.ijk[2], i, j, k);
}

// Densities are the differences of indices.
static void check_density(const struct layer_geometry *g, const float scene[3]) {
    struct layer_place here, there;
    layer_geometry_place(g, scene, &here);
    for (int a = 0; a < 3; a++) {
        float moved[3] = {scene[0], scene[1], scene[2]};
        const float way = a == 2 ? 0.004f : 0.2f;
        moved[a] += way;
        layer_geometry_place(g, moved, &there);
        if (!here.inside || !there.inside || (a == 2 && here.ijk[2] < 0.5f)) continue;  // held down to the ground
        const float rate = (there.ijk[a] - here.ijk[a]) / way;
        if (floorf(there.ijk[a] + 0.05f) != floorf(here.ijk[a] - 0.05f)) continue;  // spacings change at columns and levels
        if (fabsf(rate - here.density[a]) > 0.12f * here.density[a]) fail_msg("density %d at %g %g %g: %g, not %g", a, (double)scene[0], (double)scene[1], (double)scene[2], (double)here.density[a], (double)rate);
    }
}

static void check_grid(bool regular, bool wraps, struct level_heights *heights, enum level_map_kind kind) {
    struct grid grid = grid_of(regular, wraps);
    struct level_map *map = NULL;
    struct failure failure = {0};
    struct layer_geometry *g;
    if (heights && level_map_build(heights, wraps, NULL, &map, &failure)) fail_msg("%s", failure.message);
    if (heights) assert_int_equal(map->kind, kind);
    assert_int_equal(layer_geometry_new(&grid, map, &g), VIRGA_OK);
    for (double z = 0.001; z < 20; z = z * 1.21 + 0.013)
        for (double y = -18; y <= 21; y += 0.77)
            for (double x = -23; x <= 25; x += 0.83) {
                check_at(&grid, map, g, (const double[]){x, y, z});
                if (map) check_density(g, (const float[]){(float)x, (float)y, (float)z});
            }
    layer_geometry_free(g);
    level_map_unref(map);
    level_heights_free(heights);
    free(grid.x.values);
    free(grid.y.values);
}

static void test_columns_only(void **state) { (void)state; check_grid(true, false, NULL, 0); check_grid(false, false, NULL, 0); }
static void test_flat_levels(void **state) { (void)state; check_grid(true, false, flat(), LEVEL_MAP_FLAT); }
static void test_even_levels(void **state) {
    (void)state;
    check_grid(true, false, even(0), LEVEL_MAP_FLAT);
    check_grid(false, false, even(0), LEVEL_MAP_FLAT);
    check_grid(true, false, even(3), LEVEL_MAP_FLAT);
}

static enum layer_kind kind_of(struct level_heights *heights) {
    const struct grid grid = made_grid(NX, NY);
    struct level_map *map;
    struct failure failure = {0};
    struct layer_geometry *g;
    if (level_map_build(heights, false, NULL, &map, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(layer_geometry_new(&grid, map, &g), VIRGA_OK);
    const enum layer_kind kind = g->kind;
    layer_geometry_free(g);
    level_map_unref(map);
    level_heights_free(heights);
    return kind;
}

// Only where a table would say the same it is done without.
static void test_levels_are_even_or_have_a_table(void **state) {
    (void)state;
    assert_int_equal(kind_of(even(0)), LAYER_EVEN);
    assert_int_equal(kind_of(even(0.1)), LAYER_EVEN);
    assert_int_equal(kind_of(even(1)), LAYER_FLAT);
    assert_int_equal(kind_of(flat()), LAYER_FLAT);
}

static void test_levels_by_surface(void **state) { (void)state; check_grid(true, false, by_surface(), LEVEL_MAP_BY_SURFACE); }
static void test_coarse_levels(void **state) { (void)state; check_grid(true, false, coarse(), LEVEL_MAP_COARSE); }
static void test_irregular_axes(void **state) { (void)state; check_grid(false, false, by_surface(), LEVEL_MAP_BY_SURFACE); }
static void test_globes(void **state) { (void)state; check_grid(true, true, coarse(), LEVEL_MAP_COARSE); check_grid(true, true, by_surface(), LEVEL_MAP_BY_SURFACE); }

// Nothing that a grid or a place may be leads astray or takes long.
static void test_odd_geometry_ends(void **state) {
    (void)state;
    static const float places[][3] = {{NAN, NAN, NAN}, {INFINITY, -INFINITY, INFINITY}, {1e30f, -1e30f, 1e30f}, {0, 0, NAN}, {0, 0, -1e30f}, {-1e-40f, 0, 0}};
    float table[40], ground[6], broken[6] = {NAN, NAN, NAN, NAN, NAN, NAN};
    for (int n = 0; n < 40; n++) table[n] = n % 3 == 0 ? NAN : n % 3 == 1 ? INFINITY : -3e38f;
    for (int n = 0; n < 6; n++) ground[n] = n % 2 ? NAN : -INFINITY;
    for (int kind = 0; kind < 3; kind++)
        for (size_t n = 0; n < 3; n++) {
            double values[2] = {0, 0};
            struct grid grid = {.x = {.n = n, .values = values, .regular = n == 1}, .y = {.n = n, .values = values}, .wraps = n == 2, .km_per_unit = {0, 0.001}};
            struct level_map map = {.kind = (enum level_map_kind)kind, .nx = n, .ny = n, .level_count = 2, .height_count = 2, .columns_x = 2, .columns_y = kind == 2 ? 2 : 1,
                                    .coarse_step = 1, .table = table, .ground = ground, .base = ground, .parameter = broken, .stretch = ground};
            if (kind == 1) map.parameter = ground;
            struct layer_geometry *g;
            assert_int_equal(layer_geometry_new(&grid, &map, &g), VIRGA_OK);
            for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
                struct layer_place place;
                layer_geometry_place(g, places[p], &place);
                for (int a = 0; a < 3; a++) assert_true(place.ijk[a] >= 0 && place.ijk[a] <= 2);
            }
            layer_geometry_free(g);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_only),
        cmocka_unit_test(test_flat_levels),
        cmocka_unit_test(test_even_levels),
        cmocka_unit_test(test_levels_are_even_or_have_a_table),
        cmocka_unit_test(test_levels_by_surface),
        cmocka_unit_test(test_coarse_levels),
        cmocka_unit_test(test_irregular_axes),
        cmocka_unit_test(test_globes),
        cmocka_unit_test(test_odd_geometry_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
