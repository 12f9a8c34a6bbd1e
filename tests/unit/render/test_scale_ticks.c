// SPDX-License-Identifier: Apache-2.0
// Ticks are round, within the scale and each of its own; numbers read as people write them.
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "render/scale_ticks.h"

static void numbers_are_short(void **state) {
    (void)state;
    static const struct { double number; int digits; const char *text; } cases[] = {
        {0, 6, "0"}, {-0.0, 6, "0"}, {1, 6, "1"}, {-1.5, 6, "−1.5"}, {0.05, 2, "0.05"}, {0.0499, 2, "0.05"}, {1013.25, 6, "1013.25"}, {1234567, 6, "1234567"},
        {0.1 + 0.2, 6, "0.3"}, {99.9999999, 6, "100"}, {-0.00012, 6, "−0.00012"}, {4e-7, 6, "4×10⁻⁷"}, {-2.5e12, 6, "−2.5×10¹²"}, {1e300, 3, "1×10³⁰⁰"},
        {NAN, 6, "–"}, {INFINITY, 6, "–"}, {0.001, 2, "0.001"}, {1e7, 6, "1×10⁷"}, {2000000, 6, "2000000"}, {123456789, 12, "1.23456789×10⁸"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SCALE_NUMBER_TEXT];
        scale_number(cases[i].number, cases[i].digits, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void ticks_are_round(void **state) {
    (void)state;
    static const struct { double low, high; const char *texts; } cases[] = {
        {0, 100, "0 20 40 60 80 100 "}, {0, 1, "0 0.2 0.4 0.6 0.8 1 "}, {-40, 40, "−40 −20 0 20 40 "}, {975, 1045, "980 1000 1020 1040 "}, {0, 1.5, "0 0.5 1 1.5 "},
        {0, 0.012, "0 0.0025 0.005 0.0075 0.01 "}, {0, 5e-8, "0 1×10⁻⁸ 2×10⁻⁸ 3×10⁻⁸ 4×10⁻⁸ 5×10⁻⁸ "}, {100000, 100000.5, "100000 100000.1 100000.2 100000.3 100000.4 100000.5 "},
        {-1e-9, 1e-9, "−1×10⁻⁹ −5×10⁻¹⁰ 0 5×10⁻¹⁰ 1×10⁻⁹ "},
        {0, 0, ""}, {1, 0, ""}, {NAN, 1, ""}, {0, INFINITY, ""}, {1e6, 1e6 + 1e-9, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scale_ticks ticks;
        char all[SCALE_TICKS_MAX * SCALE_NUMBER_TEXT] = "";
        scale_ticks(cases[i].low, cases[i].high, 5, &ticks);
        for (size_t t = 0; t < ticks.count; t++) strcat(strcat(all, ticks.texts[t]), " ");
        assert_string_equal(all, cases[i].texts);
    }
}

static void ticks_lie_within_and_differ(void **state) {
    (void)state;
    uint32_t random = 7;
    for (int i = 0; i < 20000; i++) {
        double part[3];
        for (int n = 0; n < 3; n++) part[n] = (random = random * 1664525u + 1013904223u) / 4294967296.0;
        const double low = (part[0] - 0.5) * pow(10, floor(part[1] * 16) - 8), high = low + part[2] * pow(10, floor(part[0] * 1000) / 1000 * 12 - 6);
        struct scale_ticks ticks;
        scale_ticks(low, high, 1 + (unsigned)i % 6, &ticks);
        for (size_t t = 0; t < ticks.count; t++) {
            assert_true(ticks.values[t] >= low - 1e-8 * (high - low) && ticks.values[t] <= high + 1e-8 * (high - low));
            if (t) assert_true(ticks.values[t] > ticks.values[t - 1]);
            if (t && !strcmp(ticks.texts[t], ticks.texts[t - 1])) fail_msg("%.17g to %.17g has %s twice", low, high, ticks.texts[t]);
        }
    }
}

int main(void) {
    setlocale(LC_ALL, "de_DE.UTF-8");  // no commas, where there is such a locale
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(ticks_are_round),
        cmocka_unit_test(ticks_lie_within_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
