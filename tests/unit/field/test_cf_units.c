// SPDX-License-Identifier: Apache-2.0
// Units, and the standard atmosphere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

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
    assert_int_equal(cf_units_convert("K/0K", "1", &s, &o), VIRGA_INVALID);
    assert_int_equal(cf_units_convert("0/1degrees", "degree", &s, &o), VIRGA_INVALID);
    check("kg.m-2.s-1", "kg m-2 s-1", 1, 0);
    check("10 m", "m", 10, 0);
    assert_true(cf_units_dimensionless("kg kg-1"));
    assert_false(cf_units_dimensionless("K"));
}

static void test_odd_spellings_are_understood(void **state) {
    static const struct { const char *text, *meant; } spellings[] = {
        {"m s**-1", "m s-1"}, {"m/s", "m s-1"}, {"ms-1", "m s-1"}, {"m s^-1", "m s-1"}, {"m\u00b7s\u207b\u00b9", "m s-1"}, {"m s\u22121", "m s-1"}, {"m s^{-1}", "m s-1"},
        {"meters/second", "m s-1"}, {"Kelvin", "K"}, {"deg K", "K"}, {"degK", "K"}, {"[K]", "K"}, {"C", "degC"}, {"\u00b0C", "degC"}, {"deg C", "degC"}, {"Celsius", "degC"},
        {"degrees C", "degC"}, {"millibars", "hPa"}, {"mb", "hPa"}, {"hpa", "hPa"}, {"gpm", "m"}, {"gpdm", "dam"}, {"Numeric", "1"}, {"~", "1"}, {"-", "1"},
        {"(0 - 1)", "1"}, {"Proportion", "1"}, {"", "1"}, {"percent", "%"}, {"kg kg**-1", "kg kg-1"}, {"kg/kg", "kg kg-1"}, {"g/kg", "g kg-1"},
        {"W m**-2", "W m-2"}, {"kts", "kt"}, {"knots", "kt"}, {"kg m**-2 s**-1", "kg m-2 s-1"}, {"m**2 s**-2", "m2 s-2"}, {"degrees_true", "degree"}, {"\u00b0", "degree"}, {"oktas", "0.125"},
    };
    (void)state;
    for (size_t n = 0; n < sizeof spellings / sizeof *spellings; n++) check(spellings[n].text, spellings[n].meant, 1, 0);
    assert_string_equal(cf_units_canonical("m s**-1"), "m s-1");
    assert_string_equal(cf_units_canonical("deg K"), "K");
    assert_string_equal(cf_units_canonical("kg kg**-1"), "kg kg-1");
    assert_string_equal(cf_units_canonical("~"), "1");
    assert_string_equal(cf_units_canonical("degrees_true"), "degree");
    assert_string_equal(cf_units_canonical("W m**-2"), "W m**-2");  // nothing to choose from
    assert_string_equal(cf_units_canonical("mol mol-1"), "mol mol-1");
    assert_string_equal(cf_units_canonical("dBZ"), "dBZ");
    assert_string_equal(cf_units_canonical("rain"), "rain");
}

static void check_choices(const char *units, const char *standard_name, bool difference, const char *expected) {
    struct cf_units_choice choices[UNITS_CHOICES_MAX];
    char all[256] = "";
    size_t count = cf_units_choices(units, standard_name, difference, choices);
    for (size_t n = 0; n < count; n++) strcat(strcat(all, n ? ", " : ""), choices[n].units);
    assert_string_equal(all, expected);
}

static void test_there_are_units_to_choose_from(void **state) {
    struct cf_units_choice choices[UNITS_CHOICES_MAX];
    (void)state;
    check_choices("Kelvin", "air_temperature", false, "degC, K, degF");
    check_choices("K", "air_potential_temperature", false, "K, degC, degF");
    check_choices("K", "", true, "K, degF");  // a difference in degrees Celsius is one in K
    check_choices("m s**-1", "wind_speed", false, "m s-1, kt, km h-1");
    check_choices("m s-1", "lwe_precipitation_rate", false, "mm h-1, m s-1");
    check_choices("millibars", "air_pressure", false, "hPa, Pa");
    check_choices("kg kg**-1", "specific_humidity", false, "g kg-1, kg kg-1");
    check_choices("kg m-2 s-1", "rainfall_flux", false, "mm h-1, kg m-2 s-1");
    check_choices("mm/h", "lwe_precipitation_rate", false, "mm h-1, m s-1");
    check_choices("mm s-1", "precipitation_flux", false, "mm h-1, mm s-1, kg m-2 s-1");  // a mass of water, not a speed
    check_choices("mm h-1", "rainfall_flux", false, "mm h-1, kg m-2 s-1");
    check_choices("mm day-1", "", false, "mm day-1, kg m-2 s-1, mm h-1");  // nor a wind in knots
    check_choices("mm/h", "", false, "mm h-1, kg m-2 s-1");
    check_choices("mm", "precipitation_amount", false, "mm, kg m-2");
    check_choices("mm", "lwe_thickness_of_precipitation_amount", false, "mm, m, km, ft");
    check_choices("(0 - 1)", "cloud_area_fraction", false, "%, 1");
    check_choices("1", "", false, "1");
    check_choices("gpm", "geopotential_height", false, "m, km, ft");
    check_choices("W m**-2", "", false, "W m**-2");
    check_choices("nonsense", "", false, "nonsense");
    cf_units_choices("K", "air_temperature", false, choices);
    assert_true(choices[0].scale == 1 && fabs(choices[0].offset + 273.15) < 1e-9);
    cf_units_choices("K", "", true, choices);
    assert_true(fabs(choices[1].scale - 1.8) < 1e-9 && choices[1].offset == 0);
    cf_units_choices("kg m-2 s-1", "rainfall_flux", false, choices);
    assert_true(fabs(choices[0].scale - 3600) < 1e-6 && choices[0].offset == 0);
    assert_int_equal(cf_units_show("K", "Pa", false, choices), VIRGA_UNSUPPORTED);
    assert_int_equal(cf_units_show("K", "fahrenheit", true, choices), VIRGA_OK);
    assert_true(choices[0].offset == 0 && fabs(choices[0].scale - 1.8) < 1e-9);
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
        cmocka_unit_test(test_odd_spellings_are_understood),
        cmocka_unit_test(test_there_are_units_to_choose_from),
        cmocka_unit_test(test_threads_may_convert_at_once),
        cmocka_unit_test(test_standard_atmosphere_follows_iso_2533),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
