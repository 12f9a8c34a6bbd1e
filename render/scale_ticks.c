// SPDX-License-Identifier: Apache-2.0
#include "render/scale_ticks.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LONG_FROM 1e7     // sizes from which a number is written with a power of ten
#define SHORT_BELOW 1e-4  // and below which

static void append(char text[SCALE_NUMBER_TEXT], const char *more) {
    const size_t n = strlen(text);
    snprintf(text + n, SCALE_NUMBER_TEXT - n, "%s", more);
}

// A number from 0 below 1e12 with fixed decimals (0 to 12), trailing zeros left out: from integers, so that no locale has a say.
static void append_fixed(char text[SCALE_NUMBER_TEXT], double number, int decimals) {
    uint64_t power = 1;
    for (int i = 0; i < decimals; i++) power *= 10;
    uint64_t whole = (uint64_t)number, part = (uint64_t)llround((number - (double)whole) * (double)power);
    if (part >= power) {
        whole++;
        part -= power;
    }
    for (; decimals > 0 && part % 10 == 0; decimals--) part /= 10;
    char digits[SCALE_NUMBER_TEXT];
    if (decimals > 0) snprintf(digits, sizeof digits, "%llu.%0*llu", (unsigned long long)whole, decimals,
                               (unsigned long long)part);
    else snprintf(digits, sizeof digits, "%llu", (unsigned long long)whole);
    append(text, digits);
}

static void append_power(char text[SCALE_NUMBER_TEXT], int power) {
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    append(text, power < 0 ? "×10⁻" : "×10");
    char digits[16];
    snprintf(digits, sizeof digits, "%d", power < 0 ? -power : power);
    for (const char *c = digits; *c; c++) append(text, raised[*c - '0']);
}

static int clamp(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

// With so many decimals, counted from the point: those of all ticks of a scale are alike.
static void write_number(double number, int decimals, char text[SCALE_NUMBER_TEXT]) {
    const double size = fabs(number);
    text[0] = '\0';
    if (!isfinite(number)) {
        append(text, "–");
        return;
    }
    if (number < 0 && size >= 0.5 * pow(10, -decimals)) append(text, "−");
    if (size == 0 || (size >= SHORT_BELOW && size < LONG_FROM)) {
        append_fixed(text, size, clamp(decimals, 0, 12));
        return;
    }
    const int power = (int)floor(log10(size) + 1e-12);
    append_fixed(text, size / pow(10, power), clamp(decimals + power, 0, 12));
    append_power(text, power);
}

void scale_number(double number, int digits, char text[SCALE_NUMBER_TEXT]) {
    const double size = fabs(number);
    int power = size > 0 && isfinite(size) ? (int)floor(log10(size) + 1e-12) : 0;
    write_number(number, clamp(digits, 1, 12) - 1 - power, text);
}

static double nice_step(double low, double high, unsigned wanted, int *decimals) {
    static const double multiples[] = {1, 2, 2.5, 5, 10};
    const double raw = (high - low) / wanted, exponent = floor(log10(raw)), power = pow(10, exponent);
    size_t m = 0;
    while (m < 4 && multiples[m] * power < raw * 0.999) m++;
    *decimals = (int)-exponent + (multiples[m] == 2.5 ? 1 : 0);
    return multiples[m] * power;
}

void scale_ticks(double low, double high, unsigned wanted, struct scale_ticks *ticks) {
    ticks->count = 0;
    if (!isfinite(low) || !isfinite(high) || !(high - low > 1e-12 * fmax(fabs(low), fabs(high)))) return;
    int decimals;
    const double step = nice_step(low, high, wanted ? wanted : 1, &decimals), first = ceil(low / step - 1e-9);
    if (!isfinite(step) || !(step > 0)) return;
    for (size_t i = 0; i < SCALE_TICKS_MAX; i++) {
        double value = (first + (double)i) * step;
        if (value > high + step * 1e-9) return;
        if (value == 0) value = 0;  // not −0
        ticks->values[i] = value;
        write_number(value, decimals, ticks->texts[i]);
        ticks->count = i + 1;
    }
}
