// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "render/light.h"

static void near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not %.17g", value, expected);
}

// What an almanac says: at the June solstice of 2009 (21 June, 05:46 UTC) the declination is +23.44; at noon the sun stands in the south,
// later by the equation of time, −1.8 minutes.
static void stands_where_the_almanac_says(void **state)
{
    (void)state;
    const double solstice = 1245542760, noon = 1245585600;
    double azimuth, elevation, highest = -90, at = 0;
    for (double s = noon - 3600; s <= noon + 3600; s += 10) {
        sun_position(s, 0, 51.5, &azimuth, &elevation);
        if (elevation > highest)
            highest = elevation, at = s;
    }
    near(highest, 90 - 51.5 + 23.44, 0.01);
    near((at - noon) / 60, 1.8, 0.5);
    sun_position(at, 0, 51.5, &azimuth, &elevation);
    near(azimuth, 180, 0.2);
    // At the pole the sun's elevation is its declination, all day.
    sun_position(solstice, 123, 90, &azimuth, &elevation);
    near(elevation, 23.44, 0.01);
    // At the March equinox (20 March 2009, 11:44 UTC) the sun rises in the east.
    sun_position(1237549440 - 6 * 3600, 0, 0, &azimuth, &elevation);
    near(azimuth, 90, 0.5);
}

static void fixed_sun(void **state)
{
    (void)state;
    const struct view view = {.sun_azimuth = 90, .sun_elevation = 30, .shadows = true, .ambient = 0.35};
    struct light light;
    light_init(&light, &view, 0, 0, 0, 0);
    near(light.direction[0], sqrt(3) / 2, 1e-12);
    near(light.direction[1], 0, 1e-12);
    near(light.direction[2], 0.5, 1e-12);
    assert_true(light.shadows && !light.night);
    light_init(&light, &view, 0, 0, 0, 90);  // true north is to the right: east is towards the viewer
    near(light.direction[0], 0, 1e-12);
    near(light.direction[1], -sqrt(3) / 2, 1e-12);
}

// Low suns are held above the horizon so that the scene is lit; at night it says so.
static void low_sun_and_night(void **state)
{
    (void)state;
    struct view view = {.sun_azimuth = 10, .sun_elevation = -20, .ambient = 0.2};
    struct light light;
    light_init(&light, &view, 0, 0, 0, 0);
    near(light.direction[2], sin(9 * 0.017453292519943295), 1e-12);
    assert_false(light.night);
    view.sun_by_time = true;
    light_init(&light, &view, 1245542400, 0, 51.5, 0);  // midnight
    assert_true(light.night && light.elevation < -4);
    near(light.direction[2], sin(38 * 0.017453292519943295), 1e-12);
    near(light.sky_top[0], 0.030, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_where_the_almanac_says), cmocka_unit_test(fixed_sun), cmocka_unit_test(low_sun_and_night),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
