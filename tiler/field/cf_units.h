// SPDX-License-Identifier: Apache-2.0
// Units as UDUNITS knows them, and the few spellings forecast files use besides. Any thread (udunits2 is not
// thread-safe: one lock stands around it).
#ifndef VIRGA_FIELD_CF_UNITS_H
#define VIRGA_FIELD_CF_UNITS_H

#include <stdbool.h>

// value in `to` = value in `from` * *scale + *offset. VIRGA_OK; VIRGA_INVALID when a text is no unit; VIRGA_UNSUPPORTED
// when the two cannot be converted (or not linearly).
int cf_units_convert(const char *from, const char *to, double *scale, double *offset);
bool cf_units_convertible(const char *from, const char *to);
// Whether the text is a unit without dimension ("1", "%", "kg kg-1", "degree").
bool cf_units_dimensionless(const char *units);

#endif
