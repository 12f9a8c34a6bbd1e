// SPDX-License-Identifier: Apache-2.0
// Values of a brick volume against a plain trilinear mean over the field that it was filled with.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_scene.h"

static int32_t wave(uint32_t level, int64_t x, int64_t y, int64_t z) {
    return (int32_t)(x * 37 + y * y * 3 % 101 - z * 250 + 1000 * sin((double)x * 0.3) + 100000 * (int32_t)level - 40000);
}
static int32_t holes(uint32_t level, int64_t x, int64_t y, int64_t z) {
    return (x * 7 + y * 5 + z * 3) % 11 < 4 || (x > 20 && x < 30) ? LATTICE_MISSING : wave(level, x, y, z);
}
static int32_t steep(uint32_t level, int64_t x, int64_t y, int64_t z) {
    (void)level;
    return (int32_t)((x * 1234567 + y * 7654321 + z * 1111111) % 2000000000) - (x % 3 == 0 ? 2000000000 : 0);
}

static int64_t edge(int64_t index, int64_t n) { return index < 0 ? 0 : index >= n ? n - 1 : index; }

// The plain way, in double, on one pyramid level; absent: share of the weights that is present under one half.
static bool plain(const struct pyramid_shape *shape, uint32_t level, made_voxel *voxel, const double ijk[3], double *q, double *share) {
    const struct pyramid_level *l = &shape->levels[level];
    double at[3], sum = 0;
    int64_t low[3];
    for (int a = 0; a < 3; a++) {
        at[a] = (ijk[a] + 0.5) / l->scale[a] - 0.5;
        low[a] = (int64_t)floor(at[a]);
        at[a] -= (double)low[a];
    }
    *share = 0;
    for (int corner = 0; corner < 8; corner++) {
        int64_t where[3];
        double weight = 1;
        for (int a = 0; a < 3; a++) {
            const int far = corner >> a & 1;
            weight *= far ? at[a] : 1 - at[a];
            where[a] = low[a] + far;
            where[a] = a == 0 && shape->wraps_x ? (where[a] + l->n[a]) % l->n[a] : edge(where[a], l->n[a]);
        }
        const int32_t value = voxel(level, where[0], where[1], where[2]);
        if (value == LATTICE_MISSING) continue;
        sum += weight * value;
        *share += weight;
    }
    *q = sum / *share;
    return *share >= 0.5;
}

static void check_place(const struct brick_volume *volume, const struct pyramid_shape *shape, uint32_t level, made_voxel *voxel, const double ijk[3], double tolerance) {
    double expected, share;
    float found;
    const bool there = plain(shape, level, voxel, ijk, &expected, &share);
    const bool has = brick_volume_value(volume, (const float[]){(float)ijk[0], (float)ijk[1], (float)ijk[2]}, &found);
    if (fabs(share - 0.5) > 1e-4 && there != has) fail_msg("presence at %g %g %g: share %g", ijk[0], ijk[1], ijk[2], share);
    if (there && has && !(fabs(expected - (double)found) <= tolerance)) fail_msg("at %g %g %g: %g, not %g", ijk[0], ijk[1], ijk[2], (double)found, expected);
}

static void check_all(const struct brick_volume *volume, const struct pyramid_shape *shape, uint32_t level, made_voxel *voxel, double tolerance) {
    const uint32_t *n = shape->levels[0].n;
    for (double k = 0; k <= n[2] - 1; k += 0.4375)
        for (double j = 0; j <= n[1] - 1; j += 1.1875)
            for (double i = 0; i <= n[0] - (shape->wraps_x ? 0.0625 : 1); i += 0.6875) check_place(volume, shape, level, voxel, (const double[]){i, j, k}, tolerance);
    for (int corner = 0; corner < 8; corner++) {
        double ijk[3];
        for (int a = 0; a < 3; a++) ijk[a] = corner >> a & 1 ? n[a] - 1 : 0;
        check_place(volume, shape, level, voxel, ijk, tolerance);
    }
}

static void check_field(uint32_t nx, uint32_t ny, uint32_t nz, bool wraps, made_voxel *voxel, double tolerance) {
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, nx, ny, nz, wraps, 1000, 500);
    struct brick_volume *volume = made_volume(&shape, voxel);
    check_all(volume, &shape, 0, voxel, tolerance);
    brick_volume_free(volume);
}

static void test_values_are_trilinear(void **state) { (void)state; check_field(75, 40, 37, false, wave, 0.05); }
static void test_globes_close(void **state) { (void)state; check_field(70, 33, 5, true, wave, 0.05); }
static void test_missing_voxels_have_no_weight(void **state) { (void)state; check_field(66, 34, 9, false, holes, 0.5); }
static void test_single_layers(void **state) { (void)state; check_field(65, 1, 1, false, wave, 0.05); check_field(1, 1, 1, false, wave, 0.05); }
// Spans of 4 · 10⁹ steps: 2¹⁶ of them a residual, and floats.
static void test_steep_bricks_lose_low_bits_only(void **state) { (void)state; check_field(40, 20, 10, false, steep, 66000); }

static void test_coarser_bricks_stand_in(void **state) {
    (void)state;
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, 150, 140, 40, false, 1000, 500);
    assert_true(shape.level_count >= 2);
    struct brick_volume *volume;
    struct step_table *table = step_table_new(&shape);
    assert_int_equal(brick_volume_new(&shape, &volume), VIRGA_OK);
    made_fill(volume, &shape, table, 0, wave);
    made_fill(volume, &shape, table, 1, wave);
    for (uint32_t z = 0; z < shape.levels[0].bricks[2]; z++)
        for (uint32_t y = 0; y < shape.levels[0].bricks[1]; y++)
            for (uint32_t x = 0; x < shape.levels[0].bricks[0]; x++) brick_volume_drop(volume, 0, x, y, z);
    const size_t before = brick_volume_memory(volume);
    brick_volume_finish(volume, table);
    assert_int_equal(brick_volume_level(volume, 2, 1, 0), 1);
    check_all(volume, &shape, 1, wave, 0.05);
    // One brick of the finest level again: read there and nowhere else, from room that was given back.
    made_put(volume, &shape, 0, 2, 1, 1, wave);
    assert_int_equal(brick_volume_memory(volume), before);
    brick_volume_finish(volume, table);
    assert_int_equal(brick_volume_level(volume, 2, 1, 1), 0);
    check_place(volume, &shape, 0, wave, (const double[]){70.25, 40.5, 35}, 0.05);
    check_place(volume, &shape, 1, wave, (const double[]){100.25, 40.5, 35}, 0.05);
    step_table_free(table);
    brick_volume_free(volume);
}

static void test_constant_and_missing_bricks_need_no_voxels(void **state) {
    (void)state;
    struct pyramid_shape shape;
    pyramid_shape_init(&shape, 96, 32, 4, false, 1000, 500);
    struct brick_volume *volume;
    struct step_table *table = step_table_new(&shape);
    float q;
    assert_int_equal(brick_volume_new(&shape, &volume), VIRGA_OK);
    assert_false(brick_volume_value(volume, (const float[]){3, 3, 3}, &q));
    *step_table_at(table, 0, 1, 0, 0) = (struct step_table_entry){BRICK_CONSTANT, -77, -77};
    step_table_at(table, 0, 2, 0, 0)->kind = BRICK_FULL;  // never put, on no level
    for (uint32_t level = 1; level < shape.level_count; level++)
        for (uint32_t x = 0; x < shape.levels[level].bricks[0]; x++) step_table_at(table, level, x, 0, 0)->kind = BRICK_FULL;
    brick_volume_finish(volume, table);
    assert_false(brick_volume_value(volume, (const float[]){3, 3, 3}, &q));
    assert_true(brick_volume_value(volume, (const float[]){40, 3, 3}, &q));
    assert_true(q == -77);
    assert_false(brick_volume_value(volume, (const float[]){80, 3, 3}, &q));
    assert_false(brick_volume_value(volume, (const float[]){NAN, -INFINITY, 1e30f}, &q));
    step_table_free(table);
    brick_volume_free(volume);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_trilinear),
        cmocka_unit_test(test_globes_close),
        cmocka_unit_test(test_missing_voxels_have_no_weight),
        cmocka_unit_test(test_single_layers),
        cmocka_unit_test(test_steep_bricks_lose_low_bits_only),
        cmocka_unit_test(test_coarser_bricks_stand_in),
        cmocka_unit_test(test_constant_and_missing_bricks_need_no_voxels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
