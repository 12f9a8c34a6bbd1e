// SPDX-License-Identifier: Apache-2.0
// Texts of surfaces: each surface has one, and nothing else is taken.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tile/surface.h"

static void test_texts_are_taken_and_written(void **state) {
    static const struct { const char *text, *canonical, *title; enum surface_kind kind; double value; } cases[] = {
        {"", "", "", SURFACE_OWN, 0},
        {"k5", "k5", "model level 5", SURFACE_LEVEL, 5},
        {"850hPa", "850hPa", "850 hPa", SURFACE_PRESSURE, 85000},
        {"85000Pa", "850hPa", "850 hPa", SURFACE_PRESSURE, 85000},
        {"0.5hPa", "0.5hPa", "0.5 hPa", SURFACE_PRESSURE, 50},
        {"1500m", "1500m", "1500 m", SURFACE_HEIGHT, 1500},
        {"1.5km", "1500m", "1500 m", SURFACE_HEIGHT, 1500},
        {"-50m", "-50m", "-50 m", SURFACE_HEIGHT, -50},
        {"-0m", "0m", "0 m", SURFACE_HEIGHT, 0},
        {"100m-above-ground", "100m-above-ground", "100 m above ground", SURFACE_ABOVE_GROUND, 100},
        {"0.1km-above-ground", "100m-above-ground", "100 m above ground", SURFACE_ABOVE_GROUND, 100},
        {"FL100", "FL100", "FL100", SURFACE_FLIGHT_LEVEL, 100},
        {"FL50", "FL50", "FL050", SURFACE_FLIGHT_LEVEL, 50},
        {"300K", "300K", "θ = 300 K", SURFACE_THETA, 300},
        {"3e2K", "300K", "θ = 300 K", SURFACE_THETA, 300},
        {"max", "max", "column maximum", SURFACE_MAXIMUM, 0},
        {"sum", "sum", "sum over the column's levels", SURFACE_SUM, 0},
        {"top:0.5", "top:0.5", "height of the top (≥ 0.5)", SURFACE_TOP, 0.5},
        {"base:1e-5", "base:1e-05", "height of the base (≥ 1e-05)", SURFACE_BASE, 1e-5},
    };
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct surface s, again;
        char text[SURFACE_TEXT], title[SURFACE_TITLE];
        struct failure failure = {0};
        if (surface_parse(cases[n].text, &s, &failure)) fail_msg("%s: %s", cases[n].text, failure.message);
        assert_int_equal(s.kind, cases[n].kind);
        assert_true(s.value == cases[n].value);
        surface_write(&s, text);
        assert_string_equal(text, cases[n].canonical);
        surface_title(&s, title);
        assert_string_equal(title, cases[n].title);
        assert_int_equal(surface_parse(text, &again, NULL), VIRGA_OK);
        assert_true(again.kind == s.kind && again.value == s.value);
    }
}

static void test_a_threshold_may_be_left_out(void **state) {
    struct surface s;
    char text[SURFACE_TEXT];
    (void)state;
    assert_int_equal(surface_parse("top", &s, NULL), VIRGA_OK);
    assert_true(s.kind == SURFACE_TOP && isnan(s.value));
    surface_write(&s, text);
    assert_string_equal(text, "top");
    assert_true(surface_threshold(&s, "1", "cloud_area_fraction_in_atmosphere_layer") == 0.5);
    assert_true(surface_threshold(&s, "%", "") == 50);
    assert_true(surface_threshold(&s, "kg kg-1", "specific_humidity") == 1e-5);
    assert_true(surface_threshold(&s, "1", "mass_fraction_of_cloud_ice_in_air") == 1e-5);
    assert_true(isnan(surface_threshold(&s, "K", "air_temperature")));
}

// Two numbers so near that they are written alike are one surface.
static void test_what_is_written_alike_is_the_same(void **state) {
    struct surface a, b;
    (void)state;
    assert_int_equal(surface_parse("850.000000001hPa", &a, NULL), VIRGA_OK);
    assert_int_equal(surface_parse("850hPa", &b, NULL), VIRGA_OK);
    assert_true(a.value == b.value);
}

static void test_anything_else_is_refused_with_what_would_be_right(void **state) {
    static const char *const wrong[] = {
        "850", "850 hPa", "hPa", "-1hPa", "0hPa", "1e9hPa", "nanhPa", "infm", "0x10m", "1e400m", "k", "k-1", "k1.5", "k99999", "kk1", "FL", "FL-10", "FLx",
        "FL1e9", "300", "300k", "1K", "max2", "maximum", "sum:1", "top:", "top:x", "top:nan", "top:1e40", "topper", "base:0.5K", "m", "-", ".", "1e", "850hPa ",
        " 850hPa", "1500m-above", "-5m-above-ground", "1234567890123456789012345678901234567890m", "\xff\xfe", "850hPa\n"};
    (void)state;
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        struct surface s;
        struct failure failure = {0};
        if (surface_parse(wrong[n], &s, &failure) != VIRGA_INVALID) fail_msg("\"%s\" was taken", wrong[n]);
        assert_true(failure.status == VIRGA_INVALID && *failure.message);
    }
}

static void test_kinds_have_names_and_numbers(void **state) {
    (void)state;
    for (int kind = SURFACE_LEVEL; kind < SURFACE_KINDS; kind++) assert_int_equal(surface_kind_named(surface_kind_name((enum surface_kind)kind)), kind);
    assert_int_equal(surface_kind_named("depth"), -1);
    assert_int_equal(surface_kind_named(""), -1);
    struct surface s;
    assert_int_equal(surface_of_number(SURFACE_PRESSURE, 850, &s, NULL), VIRGA_OK);
    assert_true(s.value == 85000 && surface_number(&s) == 850);
    assert_string_equal(surface_kind_units(SURFACE_PRESSURE), "hPa");
    assert_int_equal(surface_of_number(SURFACE_PRESSURE, -1, &s, NULL), VIRGA_INVALID);
    assert_int_equal(surface_of_number(SURFACE_PRESSURE, NAN, &s, NULL), VIRGA_INVALID);
    assert_int_equal(surface_of_number(SURFACE_MAXIMUM, 1, &s, NULL), VIRGA_INVALID);
}

// FL100 is 10 000 ft = 3048 m: 696.8 hPa in the ICAO standard atmosphere (its manual's tables).
static void test_flight_levels_are_pressures_of_the_standard_atmosphere(void **state) {
    struct surface s;
    (void)state;
    assert_int_equal(surface_parse("FL100", &s, NULL), VIRGA_OK);
    assert_true(fabs(surface_pressure(&s) - 69681.7) < 1);
    assert_int_equal(surface_parse("FL0", &s, NULL), VIRGA_OK);
    assert_true(fabs(surface_pressure(&s) - 101325) < 1e-6);
    assert_int_equal(surface_parse("300K", &s, NULL), VIRGA_OK);
    assert_true(isnan(surface_pressure(&s)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_are_taken_and_written),
        cmocka_unit_test(test_a_threshold_may_be_left_out),
        cmocka_unit_test(test_what_is_written_alike_is_the_same),
        cmocka_unit_test(test_anything_else_is_refused_with_what_would_be_right),
        cmocka_unit_test(test_kinds_have_names_and_numbers),
        cmocka_unit_test(test_flight_levels_are_pressures_of_the_standard_atmosphere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
