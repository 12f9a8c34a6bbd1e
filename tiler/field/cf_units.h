// SPDX-License-Identifier: Apache-2.0
// Units as UDUNITS knows them, and the few spellings forecast files use besides. Any thread (udunits2 is not
// thread-safe: one lock stands around it).
#ifndef VIRGA_FIELD_CF_UNITS_H
#define VIRGA_FIELD_CF_UNITS_H

#include <stdbool.h>
#include <stddef.h>

// value in `to` = value in `from` * *scale + *offset. VIRGA_OK; VIRGA_INVALID when a text is no unit; VIRGA_UNSUPPORTED
// when the two cannot be converted (or not linearly).
int cf_units_convert(const char *from, const char *to, double *scale, double *offset);
bool cf_units_convertible(const char *from, const char *to);
// Whether the text is a unit without dimension ("1", "%", "kg kg-1", "degree").
bool cf_units_dimensionless(const char *units);

// --- units that people choose between, in cf_units_choices.c ---

enum { UNITS_CHOICES_MAX = 4 };
struct cf_units_choice {
    const char *units;     // as CF spells it; static, or the text that was asked about
    double scale, offset;  // shown = value * scale + offset
};

// How CF spells a unit that people choose between ("m s**-1" is "m s-1"); the text itself where it is none of those.
const char *cf_units_canonical(const char *units);
// The units that a variable may be shown in, the usual one first and its own among them: how many, at least 1. A difference (a spread)
// converts without offset.
size_t cf_units_choices(const char *units, const char *standard_name, bool difference, struct cf_units_choice choices[UNITS_CHOICES_MAX]);
// One asked for by name: as cf_units_convert, and millimetres of water for kilograms on a square metre.
int cf_units_show(const char *units, const char *wanted, bool difference, struct cf_units_choice *choice);

#endif
