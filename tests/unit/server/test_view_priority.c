// SPDX-License-Identifier: Apache-2.0
// What a view needs, against plain search over all bricks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "made_up_volume.h"
#include "server/view_priority.h"

static uint32_t seed = 2463534242U;
static double uniform(double lo, double hi) { return lo + (hi - lo) * made_up_random(&seed) / 4294967295.0; }

static double curve_at(const struct opacity_curve *c, double v) {
    if (v <= c->value[0]) return c->opacity[0];
    for (size_t i = 0; i + 1 < c->count; i++)
        if (v <= c->value[i + 1] && c->value[i + 1] > c->value[i])
            return c->opacity[i] + (v - c->value[i]) / (c->value[i + 1] - c->value[i]) * (c->opacity[i + 1] - c->opacity[i]);
    return c->opacity[c->count - 1];
}

static void test_opacity_is_the_largest_in_a_range(void **state) {
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct opacity_curve c = {.count = 1 + made_up_random(&seed) % 6};
        for (size_t i = 0; i < c.count; i++) {
            c.value[i] = (i ? c.value[i - 1] : 0) + uniform(0, 2);
            c.opacity[i] = made_up_random(&seed) % 3 ? uniform(0, 5) : 0;
        }
        double lo = uniform(-2, 12), hi = lo + uniform(0, 5), most = 0;
        for (int i = 0; i <= 4000; i++) most = fmax(most, curve_at(&c, lo + (hi - lo) * i / 4000));
        double found = opacity_curve_max(&c, lo, hi);
        assert_true(found >= most - 1e-9);
        assert_true(found <= most + 0.05);
    }
    struct opacity_curve all = {.all = true};
    assert_true(opacity_curve_max(&all, 1, 2) == 1);
    assert_true(opacity_curve_max(&all, 2, 1) == 0);
}

static struct view_priority_camera random_camera(void) {
    return (struct view_priority_camera){.eye = {uniform(-900, 900), uniform(-900, 900), uniform(0.5, 60)},
                                .target = {uniform(-300, 300), uniform(-300, 300), uniform(0, 5)}, .up = {0, 0, 1},
                                .fov = uniform(10, 90), .width = 1280, .height = 720, .exaggeration = uniform(1, 30)};
}

// Whether a point is in the picture, by projecting it with axes made here.
static bool in_picture(const struct view_priority_camera *c, const double p[3]) {
    double f[3], r[3], u[3], d[3], length = 0;
    for (int i = 0; i < 3; i++) {
        double by = i == 2 ? c->exaggeration : 1;
        f[i] = (c->target[i] - c->eye[i]) * by;
        d[i] = (p[i] - c->eye[i]) * by;
        length += f[i] * f[i];
    }
    for (int i = 0; i < 3; i++) f[i] /= sqrt(length);
    double horizontal = hypot(f[0], f[1]);
    r[0] = f[1] / horizontal, r[1] = -f[0] / horizontal, r[2] = 0;
    u[0] = r[1] * f[2], u[1] = -r[0] * f[2], u[2] = r[0] * f[1] - r[1] * f[0];
    double x = 0, y = 0, z = 0;
    for (int i = 0; i < 3; i++) x += d[i] * r[i], y += d[i] * u[i], z += d[i] * f[i];
    double t = tan(c->fov * acos(-1) / 360);
    return z > 0 && fabs(y) <= z * t && fabs(x) <= z * t * c->width / c->height;
}

static void test_nothing_in_the_picture_is_culled(void **state) {
    (void)state;
    size_t outside = 0, culled = 0;
    for (int round = 0; round < 300; round++) {
        struct view_priority_camera camera = random_camera();
        struct view_frustum frustum;
        view_frustum_init(&frustum, &camera);
        for (int i = 0; i < 50; i++) {
            struct scene_box box;
            for (int a = 0; a < 3; a++) {
                box.lo[a] = a == 2 ? uniform(0, 10) : uniform(-800, 800);
                box.hi[a] = box.lo[a] + uniform(0.1, a == 2 ? 5 : 64);
            }
            bool inside = false;
            for (int k = 0; k < 729 && !inside; k++) {
                const int at[3] = {k % 9, k / 9 % 9, k / 81};
                double p[3];
                for (int a = 0; a < 3; a++) p[a] = box.lo[a] + (box.hi[a] - box.lo[a]) * at[a] / 8;
                inside = in_picture(&camera, p);
            }
            bool sees = view_frustum_sees(&frustum, &box);
            if (inside) assert_true(sees);
            outside += !inside;
            culled += !sees;
        }
    }
    assert_in_range(culled, outside * 8 / 10, outside);  // and most of what is outside goes
}

struct values { int spread; };

static void random_values(void *user, struct step_table_entry *entry, uint32_t at[4]) {
    struct values *v = user;
    int base = (int)((at[1] << at[0]) * 7 + (at[2] << at[0]) * 13) % v->spread;
    entry->kind = (uint8_t)(made_up_random(&seed) % 4);
    if (entry->kind == BRICK_MISSING) return;
    entry->lowest = base;
    entry->highest = entry->kind == BRICK_CONSTANT ? base : base + (int)(made_up_random(&seed) % 20);
}

static double opacity_of(const struct view_field *f, int32_t lo, int32_t hi) {
    return opacity_curve_max(f->curve, f->v0 + lo * f->step, f->v0 + hi * f->step);
}

// The definition, for one brick, without a tree.
static bool wanted(const struct view_frustum *frustum, const struct view_field *f, double above, uint32_t l, uint32_t x, uint32_t y, uint32_t z) {
    const struct view_table_level *level = &f->table->levels[l];
    size_t at = ((size_t)z * level->bricks[1] + y) * level->bricks[0] + x;
    if (l < f->max_level || l + 1 == f->table->level_count || level->kind[at] < BRICK_FULL) return false;
    if (!(opacity_of(f, level->min[at], level->max[at]) > 0)) return false;
    struct scene_box box;
    brick_boxes_get(f->boxes, l, x, y, z, &box);
    if (!view_frustum_sees(frustum, &box)) return false;
    double size[2], distance = 0;
    brick_boxes_voxel(f->boxes, l + 1, size);
    double km = fmax(size[0], size[1] * frustum->exaggeration);
    for (int a = 0; a < 3; a++) {
        double by = a == 2 ? frustum->exaggeration : 1;
        double d = fmax(0, fmax(box.lo[a] * by - frustum->eye[a], frustum->eye[a] - box.hi[a] * by));
        distance += d * d;
    }
    return km * frustum->pixels / fmax(sqrt(distance), km / 8) > above;
}

static void test_the_selection_is_the_definition(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 621, 810, 37);
    static struct view_brick items[8192];
    size_t all = 0, chosen = 0;
    for (int round = 0; round < 60; round++) {
        struct values values = {.spread = 200};
        struct view_table *table = made_up_table(&volume, random_values, &values);
        assert_non_null(table);
        struct opacity_curve curve = {.all = round % 3 == 0, .count = 2, .value = {uniform(0, 220), 230}, .opacity = {0, 1}};
        struct view_priority_camera camera = random_camera();
        struct view_frustum frustum;
        view_frustum_init(&frustum, &camera);
        struct view_field field = {.shape = &volume.shape, .table = table, .boxes = volume.boxes, .curve = &curve, .step = 1,
                                   .max_level = (uint32_t)round % 2};
        struct view_list list = {.items = items, .capacity = 8192};
        double above = uniform(0.5, 6);
        view_select_visible(&frustum, &field, above, INFINITY, &list);
        assert_false(list.overflowed);
        size_t expected = 0;
        for (uint32_t l = 0; l < volume.shape.level_count; l++)
            for (uint32_t z = 0; z < table->levels[l].bricks[2]; z++)
                for (uint32_t y = 0; y < table->levels[l].bricks[1]; y++)
                    for (uint32_t x = 0; x < table->levels[l].bricks[0]; x++) {
                        all++;
                        if (!wanted(&frustum, &field, above, l, x, y, z)) continue;
                        expected++;
                        bool found = false;
                        for (size_t i = 0; i < list.count && !found; i++)
                            found = items[i].level == l && items[i].x == x && items[i].y == y && items[i].z == z;
                        assert_true(found);
                    }
        assert_int_equal(list.count, expected);
        chosen += expected;
        view_table_unref(table);
    }
    assert_in_range(chosen, all / 100, all);
    made_up_volume_destroy(&volume);
}

static void plain_values(void *user, struct step_table_entry *entry, uint32_t at[4]) {
    (void)user, (void)at;
    *entry = (struct step_table_entry){.kind = BRICK_FULL, .lowest = 0, .highest = 10};
}

static void test_bands_do_not_overlap_and_leave_nothing_out(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 300, 300, 40);
    struct view_table *table = made_up_table(&volume, plain_values, NULL);
    struct opacity_curve curve = {.all = true};
    static struct view_brick items[3][4096];
    for (int round = 0; round < 20; round++) {
        struct view_priority_camera camera = random_camera();
        struct view_frustum frustum;
        view_frustum_init(&frustum, &camera);
        struct view_field field = {.shape = &volume.shape, .table = table, .boxes = volume.boxes, .curve = &curve, .step = 1};
        struct view_list both = {.items = items[0], .capacity = 4096}, coarse = {.items = items[1], .capacity = 4096},
                         fine = {.items = items[2], .capacity = 4096};
        view_select_visible(&frustum, &field, 1, INFINITY, &both);
        view_select_visible(&frustum, &field, 2, INFINITY, &coarse);
        view_select_visible(&frustum, &field, 1, 2, &fine);
        assert_int_equal(both.count, coarse.count + fine.count);
    }
    view_table_unref(table);
    made_up_volume_destroy(&volume);
}

static void test_order_is_coarse_first_and_from_the_centre(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 512, 512, 33);
    struct view_table *table = made_up_table(&volume, plain_values, NULL);
    struct opacity_curve curve = {.all = true};
    struct view_priority_camera camera = {.eye = {0, -1, 40}, .target = {0, 0, 0}, .up = {0, 1, 0}, .fov = 60, .width = 1000, .height = 1000, .exaggeration = 20};
    struct view_frustum frustum;
    view_frustum_init(&frustum, &camera);
    static struct view_brick items[8192];
    struct view_field field = {.shape = &volume.shape, .table = table, .boxes = volume.boxes, .curve = &curve, .step = 1};
    struct view_list list = {.items = items, .capacity = 8192};
    view_select_visible(&frustum, &field, 0.1, INFINITY, &list);
    view_list_sort(&list);
    assert_true(list.count > 100);
    for (size_t i = 1; i < list.count; i++) assert_true(items[i - 1].score >= items[i].score);
    assert_int_equal(items[0].level, volume.shape.level_count - 2);
    size_t first = 0, last = list.count;
    for (size_t i = 0; i < list.count; i++)
        if (items[i].level == 0 && items[i].z == 0) {
            if (!first) first = i;
            last = i;
        }
    double near = hypot(items[first].x * 64.0 + 32 - 512, items[first].y * 64.0 + 32 - 512);
    double far = hypot(items[last].x * 64.0 + 32 - 512, items[last].y * 64.0 + 32 - 512);
    assert_true(near < far);
    view_table_unref(table);
    made_up_volume_destroy(&volume);
}

static void spike_values(void *user, struct step_table_entry *entry, uint32_t at[4]) {
    (void)user;
    *entry = (struct step_table_entry){.kind = BRICK_FULL, .lowest = 0, .highest = 1};
    if (at[0] == 0 && at[1] == 3 && at[2] == 4) entry->highest = 100;
}

// A coarse brick's mean may hide what a fine one holds.
static void test_a_spike_below_dull_means_is_found(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 512, 512, 20);
    struct view_table *table = made_up_table(&volume, spike_values, NULL);
    struct opacity_curve curve = {.count = 2, .value = {50, 60}, .opacity = {0, 1}};
    struct view_frustum frustum = {.whole = true, .exaggeration = 1};
    static struct view_brick items[64];
    struct view_field field = {.shape = &volume.shape, .table = table, .curve = &curve, .step = 1};
    struct view_list list = {.items = items, .capacity = 64};
    view_select_visible(&frustum, &field, 1, INFINITY, &list);
    assert_int_equal(list.count, 1);
    assert_true(items[0].level == 0 && items[0].x == 3 && items[0].y == 4 && items[0].z == 0);
    view_table_unref(table);
    made_up_volume_destroy(&volume);
}

static void test_a_full_list_says_so(void **state) {
    (void)state;
    struct made_up_volume volume;
    made_up_volume_init(&volume, 512, 512, 20);
    struct view_table *table = made_up_table(&volume, plain_values, NULL);
    struct opacity_curve curve = {.all = true};
    struct view_frustum frustum = {.whole = true, .exaggeration = 1};
    static struct view_brick items[10];
    struct view_field field = {.shape = &volume.shape, .table = table, .curve = &curve, .step = 1};
    struct view_list list = {.items = items, .capacity = 10};
    view_select_visible(&frustum, &field, 1, INFINITY, &list);
    assert_int_equal(list.count, 10);
    assert_true(list.overflowed);
    view_table_unref(table);
    made_up_volume_destroy(&volume);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opacity_is_the_largest_in_a_range),
        cmocka_unit_test(test_nothing_in_the_picture_is_culled),
        cmocka_unit_test(test_the_selection_is_the_definition),
        cmocka_unit_test(test_bands_do_not_overlap_and_leave_nothing_out),
        cmocka_unit_test(test_order_is_coarse_first_and_from_the_centre),
        cmocka_unit_test(test_a_spike_below_dull_means_is_found),
        cmocka_unit_test(test_a_full_list_says_so),
    };
    return cmocka_run_group_tests_name("view_priority", tests, NULL, NULL);
}
