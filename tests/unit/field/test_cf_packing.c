// SPDX-License-Identifier: Apache-2.0
// From stored numbers to values, by the attributes that real files carry.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "field/cf_packing.h"

enum { MOST = 8 };

struct made {
    struct source_variable variable;
    struct source_attribute attributes[MOST];
    double numbers[MOST][20];
    int64_t integers[MOST][20];
};

static void made_init(struct made *made, enum source_type type) {
    memset(made, 0, sizeof *made);
    made->variable.name = "v";
    made->variable.type = type;
    made->variable.attributes = made->attributes;
}

static struct source_attribute *add(struct made *made, const char *name, enum source_type type, size_t count) {
    size_t n = made->variable.attribute_count++;
    struct source_attribute *a = &made->attributes[n];
    assert_true(n < MOST && count <= 20);
    *a = (struct source_attribute){.name = (char *)(uintptr_t)name, .type = type, .count = count, .numbers = made->numbers[n]};
    if ((type <= SOURCE_U64)) a->integers = made->integers[n];
    return a;
}

static void add_number(struct made *made, const char *name, enum source_type type, double number) {
    struct source_attribute *a = add(made, name, type, 1);
    a->numbers[0] = number;
    if (a->integers) a->integers[0] = (int64_t)number;
}

static void add_text(struct made *made, const char *name, const char *text) {
    struct source_attribute *a = add(made, name, SOURCE_CHAR, strlen(text));
    a->numbers = NULL;
    a->text = (char *)(uintptr_t)text;
}

static struct cf_packing packing_of(struct made *made) {
    struct cf_packing p;
    assert_int_equal(cf_packing_init(&p, &made->variable), VIRGA_OK);
    return p;
}

// The values of stored numbers; NAN where missing.
#define CHECK(made, T, count, ...)                                                                                        \
    do {                                                                                                                  \
        const double want[] = {__VA_ARGS__};                                                                              \
        double got[count];                                                                                                \
        struct cf_packing p_ = packing_of(made);                                                                          \
        cf_packing_decode(&p_, stored, 1, count, got);                                                                    \
        for (size_t n_ = 0; n_ < count; n_++)                                                                             \
            if (isnan(want[n_]) != isnan(got[n_]) || fabs(want[n_] - got[n_]) > 1e-9 * fabs(want[n_]))                    \
                fail_msg("number %zu: %.12g instead of %.12g", n_, got[n_], want[n_]);                                    \
    } while (0)

static void test_scale_or_offset_alone(void **state) {
    static const int16_t stored[] = {0, 100, -3};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_I16);
    add_number(&m, "scale_factor", SOURCE_F32, 0.5);
    CHECK(&m, int16_t, 3, 0, 50, -1.5);
    made_init(&m, SOURCE_I16);
    add_number(&m, "add_offset", SOURCE_F64, 273.15);
    CHECK(&m, int16_t, 3, 273.15, 373.15, 270.15);
    made_init(&m, SOURCE_I16);
    add_text(&m, "scale_factor", "0.01");
    add_text(&m, "add_offset", "-5");
    CHECK(&m, int16_t, 3, -5, -4, -5.03);
    made_init(&m, SOURCE_I16);
    add_text(&m, "scale_factor", "tenths");  // no number: as if it were not there
    CHECK(&m, int16_t, 3, 0, 100, -3);
}

static void test_unsigned_numbers_in_signed_types(void **state) {
    static const int8_t bytes[] = {0, 127, -128, -1};
    static const int16_t shorts[] = {-4, -1, 5, 0};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_I8);
    add_text(&m, "_Unsigned", "true");
    add_number(&m, "_FillValue", SOURCE_I8, -1);
    const void *stored = bytes;
    CHECK(&m, int8_t, 4, 0, 127, 128, NAN);
    made_init(&m, SOURCE_I16);
    add_text(&m, "_Unsigned", "True");
    add_number(&m, "_FillValue", SOURCE_I16, -1);
    stored = shorts;
    CHECK(&m, int16_t, 4, 65532, NAN, 5, 0);
    made_init(&m, SOURCE_U16);
    add_text(&m, "_Unsigned", "false");
    CHECK(&m, int16_t, 4, -4, -1, 5, 0);
}

static void test_missing_numbers_of_the_stored_type(void **state) {
    static const int32_t stored[] = {-999, 7, -1, 2147483647};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_I32);
    add_number(&m, "_FillValue", SOURCE_I32, -999);
    add_number(&m, "missing_value", SOURCE_I32, 7);
    CHECK(&m, int32_t, 4, NAN, NAN, -1, 2147483647);
}

static void test_missing_numbers_of_another_type(void **state) {
    static const int16_t stored[] = {-999, -9999, 300, 1};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_I16);  // an integer that the stored type holds is a stored number, whatever its type
    add_number(&m, "missing_value", SOURCE_F64, -999);
    add_number(&m, "scale_factor", SOURCE_F64, 0.1);
    CHECK(&m, int16_t, 4, NAN, -999.9, 30, 0.1);
    made_init(&m, SOURCE_I16);  // one that it does not hold is a value, float32's rounding included
    add_number(&m, "missing_value", SOURCE_F32, (double)-99.99F);
    add_number(&m, "scale_factor", SOURCE_F32, (double)0.01F);
    CHECK(&m, int16_t, 4, -999 * (double)0.01F, NAN, 300 * (double)0.01F, (double)0.01F);
    made_init(&m, SOURCE_I16);
    add_number(&m, "missing_value", SOURCE_F32, (double)-726.75F);
    add_number(&m, "scale_factor", SOURCE_F64, 0.1);
    add_number(&m, "add_offset", SOURCE_F64, 273.15);
    CHECK(&m, int16_t, 4, 173.25, NAN, 303.15, 273.25);
    made_init(&m, SOURCE_I16);  // out of everything's range: harmless
    add_number(&m, "_FillValue", SOURCE_F64, 1e20);
    add_number(&m, "missing_value", SOURCE_F32, -1e30);
    CHECK(&m, int16_t, 4, -999, -9999, 300, 1);
    made_init(&m, SOURCE_I16);
    add_text(&m, "missing_value", "-999");
    CHECK(&m, int16_t, 4, NAN, -9999, 300, 1);
    made_init(&m, SOURCE_I16);
    add_text(&m, "missing_value", "-999.f, 300");
    CHECK(&m, int16_t, 4, NAN, -9999, NAN, 1);
    made_init(&m, SOURCE_I16);
    add_text(&m, "missing_value", "none of -999");  // words are no numbers
    CHECK(&m, int16_t, 4, -999, -9999, 300, 1);
}

static void test_floating_missing_numbers(void **state) {
    static const float stored[] = {-9999.9F, 1e20F, 3, NAN, INFINITY, -INFINITY, FLT_TRUE_MIN, 9.9692099683868690e+36F};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_F32);
    add_number(&m, "missing_value", SOURCE_F64, -9999.9);
    add_number(&m, "_FillValue", SOURCE_F32, (double)1e20F);
    CHECK(&m, float, 7, NAN, NAN, 3, NAN, NAN, NAN, (double)FLT_TRUE_MIN);
    made_init(&m, SOURCE_F32);
    add_number(&m, "_FillValue", SOURCE_F32, NAN);
    CHECK(&m, float, 3, (double)-9999.9F, (double)1e20F, 3);
    made_init(&m, SOURCE_F32);
    m.variable.has_netcdf_fill = true;
    CHECK(&m, float, 8, (double)-9999.9F, (double)1e20F, 3, NAN, NAN, NAN, (double)FLT_TRUE_MIN, NAN);
}

static void test_many_missing_numbers(void **state) {
    static const uint8_t stored[] = {250, 251, 252, 253, 254, 255, 249, 0};
    static const double doubles[] = {250, 251, 252, 253, 254, 255, 249, 0};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_U8);
    struct source_attribute *a = add(&m, "missing_value", SOURCE_U8, 6);
    for (size_t n = 0; n < 6; n++) a->numbers[n] = 250 + (double)n, a->integers[n] = 250 + (int64_t)n;
    CHECK(&m, uint8_t, 8, NAN, NAN, NAN, NAN, NAN, NAN, 249, 0);
    m.variable.type = SOURCE_F64;
    {
        const void *kept = doubles;
        const double *stored_doubles = kept;
        struct cf_packing p = packing_of(&m);
        double got[8];
        cf_packing_decode(&p, stored_doubles, 1, 8, got);
        for (size_t n = 0; n < 8; n++) assert_true(isnan(got[n]) == (n < 6));
    }
    double backwards[8];
    m.variable.type = SOURCE_U8;
    struct cf_packing p = packing_of(&m);
    cf_packing_decode(&p, stored + 7, -1, 8, backwards);
    for (size_t n = 0; n < 8; n++) assert_true(isnan(backwards[n]) == (n > 1));
}

static void test_wide_integers(void **state) {
    static const int64_t longs[] = {INT64_MIN, -1, 1099511627776, INT64_MAX};
    static const uint64_t unsigned_longs[] = {0, 10000000001u, UINT64_MAX, UINT64_MAX - 1};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_I64);
    add_number(&m, "_FillValue", SOURCE_I64, -1);
    const void *stored = longs;
    CHECK(&m, int64_t, 4, -9223372036854775808.0, NAN, 1099511627776.0, 9223372036854775807.0);
    made_init(&m, SOURCE_U64);
    add_number(&m, "_FillValue", SOURCE_U64, 0);
    m.attributes[0].integers[0] = 0;
    stored = unsigned_longs;
    CHECK(&m, uint64_t, 4, NAN, 10000000001.0, 18446744073709551615.0, 18446744073709551614.0);
}

static void check_valid(struct made *m, double low, double high) {
    struct cf_packing p = packing_of(m);
    if (fabs(p.valid[0] - low) > 1e-9 * fabs(low) || fabs(p.valid[1] - high) > 1e-9 * fabs(high)) fail_msg("valid from %g to %g", p.valid[0], p.valid[1]);
}

// It is told, in the values' own units, and nothing is left out for it.
static void test_valid_ranges_are_told_and_not_obeyed(void **state) {
    static const int16_t stored[] = {-500, 50, 20000};
    struct made m;
    (void)state;
    made_init(&m, SOURCE_I16);  // of the stored type: of stored numbers
    add_number(&m, "scale_factor", SOURCE_F64, 0.01);
    add_number(&m, "valid_min", SOURCE_I16, 0);
    add_number(&m, "valid_max", SOURCE_I16, 10000);
    check_valid(&m, 0, 100);
    CHECK(&m, int16_t, 3, -5, 0.5, 200);
    made_init(&m, SOURCE_I32);  // floating beside integers: of values
    add_number(&m, "scale_factor", SOURCE_F64, 0.0001);
    add_number(&m, "valid_min", SOURCE_F64, -0.2);
    add_number(&m, "valid_max", SOURCE_F64, 1);
    check_valid(&m, -0.2, 1);
    made_init(&m, SOURCE_I16);
    add_text(&m, "_Unsigned", "true");
    struct source_attribute *a = add(&m, "valid_range", SOURCE_I16, 2);
    a->numbers[0] = 1, a->numbers[1] = -3, a->integers[0] = 1, a->integers[1] = -3;
    check_valid(&m, 1, 65533);
    made_init(&m, SOURCE_I16);
    add_number(&m, "scale_factor", SOURCE_F64, -2);
    a = add(&m, "valid_range", SOURCE_I16, 2);
    a->numbers[0] = 0, a->numbers[1] = 100, a->integers[0] = 0, a->integers[1] = 100;
    check_valid(&m, -200, 0);
    made_init(&m, SOURCE_F32);
    add_number(&m, "valid_min", SOURCE_F32, 10);
    struct cf_packing p = packing_of(&m);
    assert_true(p.valid[0] == 10 && isinf(p.valid[1]));
    made_init(&m, SOURCE_I16);
    add_number(&m, "scale_factor", SOURCE_F64, -2);
    add_number(&m, "valid_min", SOURCE_I16, 10);
    p = packing_of(&m);
    assert_true(isinf(p.valid[0]) && p.valid[0] < 0 && p.valid[1] == -20);
    made_init(&m, SOURCE_F32);  // the wrong way round says nothing
    a = add(&m, "valid_range", SOURCE_F32, 2);
    a->numbers[0] = 5, a->numbers[1] = -5;
    p = packing_of(&m);
    assert_true(isinf(p.valid[0]) && isinf(p.valid[1]));
}

static void test_what_holds_no_numbers_is_refused(void **state) {
    struct cf_packing p;
    struct made m;
    (void)state;
    made_init(&m, SOURCE_CHAR);
    assert_int_equal(cf_packing_init(&p, &m.variable), VIRGA_UNSUPPORTED);
    made_init(&m, SOURCE_OTHER);
    assert_int_equal(cf_packing_init(&p, &m.variable), VIRGA_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scale_or_offset_alone),
        cmocka_unit_test(test_unsigned_numbers_in_signed_types),
        cmocka_unit_test(test_missing_numbers_of_the_stored_type),
        cmocka_unit_test(test_missing_numbers_of_another_type),
        cmocka_unit_test(test_floating_missing_numbers),
        cmocka_unit_test(test_many_missing_numbers),
        cmocka_unit_test(test_wide_integers),
        cmocka_unit_test(test_valid_ranges_are_told_and_not_obeyed),
        cmocka_unit_test(test_what_holds_no_numbers_is_refused),
    };
    return cmocka_run_group_tests_name("packing", tests, NULL, NULL);
}
