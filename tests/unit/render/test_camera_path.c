// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/camera_path.h"

enum { KEYS = 6 };

static struct view_camera camera_of(double x, double y, double z, double fov) {
    return (struct view_camera){.eye = {x, y, z}, .target = {x / 2, 3, 1}, .up = {0, 0, 1}, .fov = fov};
}

static uint64_t dice = 42;
static double roll(void) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (double)(dice >> 11) / 9007199254740992.0;
}

// Keys at uneven places with numbers that rise, fall, jump and rest.
static void make_keys(struct camera_key keys[KEYS]) {
    double at = 10 * roll();
    for (int k = 0; k < KEYS; k++) {
        keys[k] = (struct camera_key){at, camera_of(1000 * roll() - 500, 1000 * roll() - 500, 20 * roll(), 20 + 60 * roll())};
        if (k && roll() < 0.3) memcpy(keys[k].camera.eye, keys[k - 1].camera.eye, sizeof keys[k].camera.eye);
        at += 0.1 + 100 * roll() * roll();
    }
}

static void at_a_key_it_is_that_key(void **state) {
    (void)state;
    for (int round = 0; round < 100; round++) {
        struct camera_key keys[KEYS];
        struct view_camera camera;
        make_keys(keys);
        for (int k = 0; k < KEYS; k++) {
            camera_path_at(keys, KEYS, keys[k].at, &camera);
            assert_memory_equal(camera.eye, keys[k].camera.eye, sizeof camera.eye);
            assert_memory_equal(camera.target, keys[k].camera.target, sizeof camera.target);
            assert_true(camera.fov == keys[k].camera.fov);
        }
    }
}

static void it_rests_before_the_first_and_after_the_last(void **state) {
    (void)state;
    struct camera_key keys[KEYS];
    struct view_camera camera;
    make_keys(keys);
    camera_path_at(keys, KEYS, keys[0].at - 5, &camera);
    assert_memory_equal(camera.eye, keys[0].camera.eye, sizeof camera.eye);
    camera_path_at(keys, KEYS, keys[KEYS - 1].at + 1000, &camera);
    assert_memory_equal(camera.eye, keys[KEYS - 1].camera.eye, sizeof camera.eye);
}

// Between two keys every number goes from one to the other without turning, and stays where they are equal.
static void nothing_overshoots(void **state) {
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct camera_key keys[KEYS];
        make_keys(keys);
        for (int k = 0; k + 1 < KEYS; k++) {
            double before = keys[k].camera.eye[1], last = keys[k + 1].camera.eye[1];
            for (int i = 1; i <= 200; i++) {
                struct view_camera camera;
                camera_path_at(keys, KEYS, keys[k].at + (keys[k + 1].at - keys[k].at) * i / 200, &camera);
                double y = camera.eye[1];
                if (keys[k].camera.eye[1] == last) assert_true(y == last);
                else assert_true((y - before) * (last - before) >= -1e-9 && fabs(y - last) <= fabs(before - last) + 1e-9);
                before = y;
            }
        }
    }
}

// The slope left and right of a key is the same: measured by differences over ever shorter ways.
static void the_slope_has_no_jumps(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct camera_key keys[KEYS];
        make_keys(keys);
        for (int k = 1; k + 1 < KEYS; k++) {
            double h = 1e-4 * fmin(keys[k].at - keys[k - 1].at, keys[k + 1].at - keys[k].at);
            struct view_camera before, here, after;
            camera_path_at(keys, KEYS, keys[k].at - h, &before);
            camera_path_at(keys, KEYS, keys[k].at, &here);
            camera_path_at(keys, KEYS, keys[k].at + h, &after);
            double left = (here.eye[0] - before.eye[0]) / h, right = (after.eye[0] - here.eye[0]) / h;
            double secants = fabs(keys[k].camera.eye[0] - keys[k - 1].camera.eye[0]) / (keys[k].at - keys[k - 1].at)
                           + fabs(keys[k + 1].camera.eye[0] - keys[k].camera.eye[0]) / (keys[k + 1].at - keys[k].at);
            assert_true(fabs(left - right) <= 1e-3 * secants + 1e-9);
        }
    }
}

static void even_keys_on_a_line_are_a_steady_flight(void **state) {
    (void)state;
    struct camera_key keys[4];
    for (int k = 0; k < 4; k++) keys[k] = (struct camera_key){10 * k, camera_of(100 * k, -50 * k, 3 * k, 40)};
    for (int i = 0; i <= 300; i++) {
        struct view_camera camera;
        camera_path_at(keys, 4, i / 10.0, &camera);
        assert_true(fabs(camera.eye[0] - i) < 1e-9 && fabs(camera.eye[1] + i / 2.0) < 1e-9 && fabs(camera.eye[2] - i * 0.03) < 1e-9);
    }
    camera_path_at(keys, 2, 2.5, &keys[3].camera);
    assert_true(fabs(keys[3].camera.eye[0] - 25) < 1e-12);
}

static void up_keeps_its_length_and_never_vanishes(void **state) {
    (void)state;
    struct camera_key keys[2] = {{0, camera_of(0, -9, 3, 40)}, {10, camera_of(0, 9, 3, 40)}};
    keys[1].camera.up[1] = 1, keys[1].camera.up[2] = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 1; i < 10; i++) {
            struct view_camera camera;
            camera_path_at(keys, 2, i, &camera);
            const double *up = camera.up;
            assert_true(fabs(up[0] * up[0] + up[1] * up[1] + up[2] * up[2] - 1) < 1e-9);
        }
        keys[1].camera.up[1] = 0, keys[1].camera.up[2] = -1;  // the opposite
    }
}

static void an_orbit_goes_anticlockwise_and_comes_back(void **state) {
    (void)state;
    struct view_camera start = camera_of(0, -900, 300, 40), camera = start;
    start.target[0] = camera.target[0] = 100;
    camera_path_turn(&camera, 90);  // from the south to the east
    assert_true(fabs(camera.eye[0] - (100 + 903)) < 1e-9 && fabs(camera.eye[1] - (3 - 100)) < 1e-9 && camera.eye[2] == 300);
    assert_memory_equal(camera.target, start.target, sizeof camera.target);
    camera = start;
    camera_path_turn(&camera, -720);
    assert_memory_equal(&camera, &start, sizeof camera);
    camera.up[1] = 1, camera.up[2] = 0;  // from above, the picture turns
    camera_path_turn(&camera, 90);
    assert_true(fabs(camera.up[0] + 1) < 1e-12 && fabs(camera.up[1]) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_a_key_it_is_that_key),
        cmocka_unit_test(it_rests_before_the_first_and_after_the_last),
        cmocka_unit_test(nothing_overshoots),
        cmocka_unit_test(the_slope_has_no_jumps),
        cmocka_unit_test(even_keys_on_a_line_are_a_steady_flight),
        cmocka_unit_test(up_keeps_its_length_and_never_vanishes),
        cmocka_unit_test(an_orbit_goes_anticlockwise_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
