// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/camera.h"

static const struct scene_bounds box = {.low = {-800, -500, 0}, .high = {800, 500, 16}};

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

// A camera 100 km south of the origin that looks north with 90 degrees: where things are can be told by hand.
static void projects_by_hand(void **state)
{
    (void)state;
    const struct view_camera camera = {.eye = {0, -100, 0}, .target = {0, 0, 0}, .up = {0, 0, 1}, .fov = 90};
    struct camera_matrices m;
    double at[2];
    camera_matrices(&camera, &box, 10, 2, &m);
    assert_true(camera_project(&m, (const double[3]){0, 0, 0}, at));
    near(at[0], 0.5, 1e-12), near(at[1], 0.5, 1e-12);
    assert_true(camera_project(&m, (const double[3]){200, 0, 0}, at));  // the edge: aspect 2
    near(at[0], 1, 1e-12), near(at[1], 0.5, 1e-12);
    assert_true(camera_project(&m, (const double[3]){0, 0, 50}, at));   // half way to the top
    near(at[0], 0.5, 1e-12), near(at[1], 0.25, 1e-12);
    assert_false(camera_project(&m, (const double[3]){0, -101, 0}, at));
}

static void heights_are_exaggerated(void **state)
{
    (void)state;
    const struct view_camera camera = {.eye = {0, -100, 3}, .target = {0, 0, 3}, .up = {0, 0, 1}, .fov = 90};
    struct camera_matrices m;
    double at[2];
    camera_matrices(&camera, &box, 20, 1, &m);
    near(m.eye[2], 60, 1e-12);
    assert_true(camera_project(&m, (const double[3]){0, 0, 60}, at));
    near(at[1], 0.5, 1e-12);
}

// clip to the scene seen from the eye, and back
static void relative_is_the_inverse(void **state)
{
    (void)state;
    const struct view_camera camera = {.eye = {300, -900, 20}, .target = {10, 20, 1}, .up = {0.1, 0, 1}, .fov = 30};
    struct camera_matrices m;
    camera_matrices(&camera, &box, 15, 1.7, &m);
    const double clip[4] = {0.3, -0.6, 1, 1};
    double far[4], back[4];
    for (int r = 0; r < 4; r++)
        far[r] = m.relative[r] * clip[0] + m.relative[4 + r] * clip[1] + m.relative[8 + r] * clip[2] + m.relative[12 + r];
    for (int r = 0; r < 4; r++) {
        back[r] = m.all[12 + r];
        for (int c = 0; c < 3; c++)
            back[r] += m.all[4 * c + r] * (far[c] / far[3] + m.eye[c]);
    }
    near(back[0] / back[3], 0.3, 1e-9);
    near(back[1] / back[3], -0.6, 1e-9);
}

static void spans(const struct view_camera *camera, double exaggeration, double aspect, double low[2], double high[2])
{
    struct camera_matrices m;
    camera_matrices(camera, &box, exaggeration, aspect, &m);
    for (int n = 0; n < 8; n++) {
        const double shown[3] = {n & 1 ? box.high[0] : box.low[0], n & 2 ? box.high[1] : box.low[1], exaggeration * (n & 4 ? box.high[2] : box.low[2])};
        double at[2];
        assert_true(camera_project(&m, shown, at));
        for (int axis = 0; axis < 2; axis++) {
            low[axis] = n ? fmin(low[axis], at[axis]) : at[axis];
            high[axis] = n ? fmax(high[axis], at[axis]) : at[axis];
        }
    }
}

static void frames_the_whole_box(void **state)
{
    (void)state;
    const double aspects[] = {0.5, 1, 16.0 / 9, 3};
    for (size_t n = 0; n < sizeof aspects / sizeof *aspects; n++) {
        struct view_camera camera;
        double low[2], high[2];
        camera_frame(&camera, &box, 15, aspects[n]);
        assert_int_equal(camera.mode, VIEW_ORBIT);
        assert_true(camera.eye[1] < box.low[1] && camera.eye[2] > 0);
        spans(&camera, 15, aspects[n], low, high);
        for (int axis = 0; axis < 2; axis++) {
            assert_true(low[axis] > 0 && high[axis] < 1);
            near(low[axis] + high[axis], 1, 0.04);  // in the middle
        }
        assert_true(high[0] - low[0] > 0.8 || high[1] - low[1] > 0.8);  // and large
    }
}

static void frames_from_above(void **state)
{
    (void)state;
    struct view_camera camera;
    double low[2], high[2];
    camera_frame_top(&camera, &box, 15, 1.5);
    assert_int_equal(camera.mode, VIEW_TOP);
    spans(&camera, 15, 1.5, low, high);
    assert_true(low[0] > 0 && high[0] < 1 && low[1] > 0 && high[1] < 1);
    near(camera.eye[0], camera.target[0], 0);
    near(camera.eye[1], camera.target[1], 0);
}

// A view from straight above, with an up that is of no use, and eye and target as good as one: still a picture.
static void odd_cameras(void **state)
{
    (void)state;
    const struct view_camera cameras[] = {
        {.eye = {0, 0, 100}, .target = {0, 0, 0}, .up = {0, 0, 1}, .fov = 40},
        {.eye = {0, 0, 100}, .target = {0, 0, 0}, .up = {0, 0, 0}, .fov = 40},
        {.eye = {1, 2, 3}, .target = {1, 2, 3 + 1e-9}, .up = {0, 1, 0}, .fov = 1},
    };
    for (size_t n = 0; n < sizeof cameras / sizeof *cameras; n++) {
        struct camera_matrices m;
        camera_matrices(&cameras[n], &box, 1, 1, &m);
        for (int k = 0; k < 16; k++)
            assert_true(isfinite(m.all[k]) && isfinite(m.relative[k]));
        assert_true(m.near > 0 && m.far > m.near);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projects_by_hand), cmocka_unit_test(heights_are_exaggerated), cmocka_unit_test(relative_is_the_inverse),
        cmocka_unit_test(frames_the_whole_box), cmocka_unit_test(frames_from_above), cmocka_unit_test(odd_cameras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
