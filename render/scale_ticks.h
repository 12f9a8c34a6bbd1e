// SPDX-License-Identifier: Apache-2.0
// Round numbers along a scale and how numbers are written for people, as web/view/units.js has them. Pure, any thread; whatever
// the locale.
#ifndef VIRGA_RENDER_SCALE_TICKS_H
#define VIRGA_RENDER_SCALE_TICKS_H

#include <stddef.h>

enum { SCALE_TICKS_MAX = 12, SCALE_NUMBER_TEXT = 32 };

struct scale_ticks {
    size_t count;
    double values[SCALE_TICKS_MAX];  // rising, within low and high
    char texts[SCALE_TICKS_MAX][SCALE_NUMBER_TEXT];
};

// About `wanted` (1 to SCALE_TICKS_MAX / 2) round values; none where low < high does not hold or either is not finite.
void scale_ticks(double low, double high, unsigned wanted, struct scale_ticks *ticks);
// Up to `digits` (1 to 12) significant digits without trailing zeros, with a real minus sign; "4×10⁻⁷" where it would be long.
// UTF-8.
void scale_number(double number, int digits, char text[SCALE_NUMBER_TEXT]);

#endif
