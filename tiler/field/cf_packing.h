// SPDX-License-Identifier: Apache-2.0
// From stored numbers to values: scale_factor, add_offset, _Unsigned, _FillValue, missing_value, default fill. Attributes may be
// numbers of any type, or text that reads as numbers. valid_min, valid_max and valid_range are told, not obeyed: files lie about them. Any thread.
#ifndef VIRGA_FIELD_CF_PACKING_H
#define VIRGA_FIELD_CF_PACKING_H

#include <stdbool.h>
#include <stddef.h>

#include "source/source.h"

enum { PACKING_MAX_MISSING = 16 };

struct cf_packing {
    enum source_type type;   // of the stored numbers, _Unsigned applied
    bool packed;             // scale and offset are in force
    double scale, offset;    // value = stored * scale + offset
    int missing_count;       // stored numbers that mean "missing", of `type`
    double missing[PACKING_MAX_MISSING];
    int64_t missing_integer[PACKING_MAX_MISSING];  // the same, exact, for integer types
    bool has_missing_value;  // a missing_value that the stored type cannot hold: compared with the value
    double missing_value;
    double valid[2];         // from where to where the file calls values (not stored numbers) valid; infinite where it says nothing
};

// VIRGA_OK, or VIRGA_UNSUPPORTED for types without numbers.
int cf_packing_init(struct cf_packing *packing, const struct source_variable *variable);

// values[n] = the value of the stored number at `stored` + n * stride numbers, NaN where missing or not finite.
void cf_packing_decode(const struct cf_packing *packing, const void *stored, ptrdiff_t stride, size_t count, double *values);

#endif
