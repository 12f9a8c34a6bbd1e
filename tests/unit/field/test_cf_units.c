// SPDX-License-Identifier: Apache-2.0
// Units, and the standard atmosphere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>

#include "base/status.h"
#include "field/cf_units.h"
#include "field/standard_atmosphere.h"

static void check(const char *from, const char *to, double scale, double offset) {
    double s, o;
    if (cf_units_convert(from, to, &s, &o)) fail_msg("%s to %s", from, to);
    if (fabs(s - scale) > 1e-9 * fabs(scale) || fabs(o - offset) > 1e-9) fail_msg("%s to %s: %g %g", from, to, s, o);
}

static void test_units_of_forecasts_convert(void **state) {
    (void)state;
    check("hPa", "Pa", 100, 0);
    check("millibars", "Pa", 100, 0);
    check("mb", "Pa", 100, 0);
    check("km", "m", 1000, 0);
    check("gpm", "m", 1, 0);
    check("celsius", "K", 1, 273.15);
    check("kts", "m s-1", 1852.0 / 3600, 0);
    check("m/s", "m s-1", 1, 0);
    check("degrees", "degree", 1, 0);
}

static void test_what_is_no_unit_is_refused(void **state) {
    double s, o;
    (void)state;
    assert_int_equal(cf_units_convert("hybrid_sigma_pressure", "Pa", &s, &o), VIRGA_INVALID);
    assert_int_equal(cf_units_convert("hours since 2000-01-01", "s", &s, &o), VIRGA_INVALID);
    assert_int_equal(cf_units_convert("K", "Pa", &s, &o), VIRGA_UNSUPPORTED);
    assert_int_equal(cf_units_convert("\x80\xff", "Pa", &s, &o), VIRGA_INVALID);
    assert_true(cf_units_dimensionless("kg kg-1"));
    assert_false(cf_units_dimensionless("K"));
}

static void *convert_often(void *unused) {
    for (int n = 0; n < 2000; n++) check("hPa", "Pa", 100, 0);
    return unused;
}

static void test_threads_may_convert_at_once(void **state) {
    pthread_t threads[4];
    (void)state;
    for (int n = 0; n < 4; n++) assert_int_equal(pthread_create(&threads[n], NULL, convert_often, NULL), 0);
    for (int n = 0; n < 4; n++) pthread_join(threads[n], NULL);
}

// ISO 2533:1975, table 5: geopotential height and pressure.
static void test_standard_atmosphere_follows_iso_2533(void **state) {
    static const struct { double height, pressure; } table[] = {{0, 101325}, {5000, 54019.9}, {11000, 22632.0}, {20000, 5474.87}, {32000, 868.014},
                                                               {47000, 110.906}, {51000, 66.9384}, {71000, 3.95639}, {80000, 0.886272}};
    (void)state;
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        double h = standard_atmosphere_height(table[n].pressure);
        if (fabs(h - table[n].height) > 0.7) fail_msg("%g Pa: %g m instead of %g", table[n].pressure, h, table[n].height);
        assert_true(fabs(standard_atmosphere_pressure(h) - table[n].pressure) < 1e-9 * table[n].pressure);
    }
    assert_true(fabs(standard_atmosphere_height(50000) - 5574.4) < 0.1);
    assert_true(standard_atmosphere_height(105000) < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_of_forecasts_convert),
        cmocka_unit_test(test_what_is_no_unit_is_refused),
        cmocka_unit_test(test_threads_may_convert_at_once),
        cmocka_unit_test(test_standard_atmosphere_follows_iso_2533),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
