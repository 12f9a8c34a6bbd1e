// SPDX-License-Identifier: Apache-2.0
#include "field/cf_packing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/multiversion.h"
#include "base/status.h"
#include "field/cf_attributes.h"

enum { TEXT_MAX = 256 };

static bool is_integer(enum source_type type) { return type <= SOURCE_U64; }

static void range_of(enum source_type type, double *low, double *high) {
    static const double lows[] = {-128, 0, -32768, 0, -2147483648.0, 0, -9223372036854775808.0, 0};
    static const double highs[] = {127, 255, 32767, 65535, 2147483647.0, 4294967295.0, 9223372036854775807.0, 18446744073709551615.0};
    *low = lows[type];
    *high = highs[type];
}

static void add_missing(struct cf_packing *p, double number, int64_t integer) {
    if (p->missing_count == PACKING_MAX_MISSING) return;
    p->missing[p->missing_count] = number;
    p->missing_integer[p->missing_count++] = integer;
}

static void add_missing_integer(struct cf_packing *p, int64_t integer) {
    add_missing(p, p->type == SOURCE_U64 ? (double)(uint64_t)integer : (double)integer, integer);
}

static int64_t wrap_integer(enum source_type type, int64_t v) {
    switch (type) {
        case SOURCE_I8: return (int8_t)v;
        case SOURCE_U8: return (uint8_t)v;
        case SOURCE_I16: return (int16_t)v;
        case SOURCE_U16: return (uint16_t)v;
        case SOURCE_I32: return (int32_t)v;
        case SOURCE_U32: return (uint32_t)v;
        default: return v;
    }
}

// Number `index` of an attribute, be it a number or text such as "-999"; *integer is its exact value where it is an integer.
static bool number_at(const struct source_attribute *a, size_t index, double *number, int64_t *integer, enum source_type *type) {
    *type = a->type;
    if (a->numbers) {
        if (index >= a->count) return false;
        *number = a->numbers[index];
        *integer = a->integers ? a->integers[index] : fabs(*number) < 9.2e18 ? (int64_t)*number : 0;
        return true;
    }
    *type = SOURCE_F64;
    if (!a->text || strlen(a->text) > TEXT_MAX) return false;
    const char *at = a->text;
    for (size_t n = 0;; n++) {
        char *end;
        *number = strtod(at, &end);
        if (end == at) return false;
        end += *end && strchr("fFdD", *end) ? 1 : 0;  // as programs write them: -999.f
        if (*end && !strchr(" \t\n,;", *end)) return false;
        at = end + strspn(end, " \t\n,;");
        if (n == index) break;
    }
    *integer = fabs(*number) < 9.2e18 ? (int64_t)*number : 0;
    return true;
}

static const struct source_attribute *attribute(const struct source_variable *variable, const char *name) {
    return source_find_attribute(variable->attributes, variable->attribute_count, name);
}

static bool first_number(const struct source_variable *variable, const char *name, double *number) {
    const struct source_attribute *a = attribute(variable, name);
    enum source_type type;
    int64_t integer;
    double got;
    if (!a || !number_at(a, 0, &got, &integer, &type) || !isfinite(got)) return false;
    *number = got;
    return true;
}

// A number that means "missing" and is none of the stored type: it is a value's, found among the stored ones where packing leads there.
static void take_unpacked(struct cf_packing *p, double number) {
    double low, high, stored = (number - p->offset) / p->scale;
    double rounding = fmin(0.4, 0.01 + 2.4e-7 * fmax(fabs(number), fabs(p->offset)) / fabs(p->scale));  // of float32 attributes
    range_of(p->type, &low, &high);
    if (p->packed && isfinite(stored) && fabs(stored - rint(stored)) < rounding && stored >= low && stored < high + 1 && fabs(stored) < 9e15)
        add_missing(p, rint(stored), (int64_t)rint(stored));
    else if (!p->has_missing_value) p->has_missing_value = true, p->missing_value = number;
}

static void take_attribute(struct cf_packing *p, const struct source_variable *variable, const char *name) {
    const struct source_attribute *a = attribute(variable, name);
    double number, low, high;
    int64_t integer;
    enum source_type type;
    for (size_t n = 0; a && n < PACKING_MAX_MISSING && number_at(a, n, &number, &integer, &type); n++) {
        if (isnan(number)) continue;  // NaN is missing anyhow
        if (!is_integer(p->type)) {
            add_missing(p, number, 0);
            continue;
        }
        range_of(p->type, &low, &high);
        bool same_width = is_integer(type) && source_type_size(type) == source_type_size(p->type);
        if (same_width && a->integers) add_missing_integer(p, wrap_integer(p->type, integer));
        else if (number == floor(number) && number >= low && number < high + 1) add_missing(p, number, number < 9.2e18 ? integer : -1);
        else take_unpacked(p, number);
    }
}

// Where values are valid. An attribute of the stored type, or of another integer type, speaks of stored numbers; a floating one
// beside packed integers speaks of values, as the netCDF User Guide has it ("Attribute Conventions", valid_range).
static bool valid_end(const struct cf_packing *p, const struct source_variable *variable, const char *name, size_t index, double *value) {
    const struct source_attribute *a = attribute(variable, name);
    enum source_type type;
    int64_t integer;
    double number;
    if (!a || !number_at(a, index, &number, &integer, &type) || !isfinite(number)) return false;
    bool of_values = p->packed && is_integer(p->type) && !is_integer(type);
    if (is_integer(type) && is_integer(p->type) && source_type_size(type) == source_type_size(p->type)) {
        int64_t wrapped = wrap_integer(p->type, integer);
        number = p->type == SOURCE_U64 ? (double)(uint64_t)wrapped : (double)wrapped;
    }
    *value = of_values ? number : number * p->scale + p->offset;
    return true;
}

static void take_valid(struct cf_packing *p, const struct source_variable *variable) {
    double ends[2] = {-INFINITY, INFINITY};
    bool range = valid_end(p, variable, "valid_range", 0, &ends[0]) && valid_end(p, variable, "valid_range", 1, &ends[1]);
    if (!range) {
        ends[0] = -INFINITY, ends[1] = INFINITY;
        bool low = valid_end(p, variable, "valid_min", 0, &ends[0]), high = valid_end(p, variable, "valid_max", 0, &ends[1]);
                if (p->scale < 0 && (low != high)) ends[low] = ends[!low], ends[!low] = low ? -INFINITY : INFINITY;
    }
    if (ends[0] > ends[1]) {  // a negative scale turns the ends round; without one they make no sense
        if (!(p->scale < 0)) return;
        double end = ends[0];
        ends[0] = ends[1], ends[1] = end;
    }
    p->valid[0] = ends[0], p->valid[1] = ends[1];
}

static void take_default_fill(struct cf_packing *p) {
    switch (p->type) {
        case SOURCE_I16: add_missing(p, -32767, -32767); break;
        case SOURCE_U16: add_missing(p, 65535, 65535); break;
        case SOURCE_I32: add_missing(p, -2147483647, -2147483647); break;
        case SOURCE_U32: add_missing(p, 4294967295.0, 4294967295); break;
        case SOURCE_I64: add_missing(p, -9223372036854775806.0, -9223372036854775806); break;
        case SOURCE_U64: add_missing(p, 18446744073709551614.0, (int64_t)18446744073709551614u); break;
        case SOURCE_F32: case SOURCE_F64: add_missing(p, 9.9692099683868690e+36, 0); break;
        default: break;  // every byte is a value
    }
}

int cf_packing_init(struct cf_packing *p, const struct source_variable *variable) {
    static const struct { enum source_type from, to; } unsigned_of[] = {{SOURCE_I8, SOURCE_U8}, {SOURCE_I16, SOURCE_U16},
                                                                       {SOURCE_I32, SOURCE_U32}, {SOURCE_I64, SOURCE_U64}};
    *p = (struct cf_packing){.type = variable->type, .scale = 1, .valid = {-INFINITY, INFINITY}};
    if (variable->type > SOURCE_F64) return VIRGA_UNSUPPORTED;
    for (size_t i = 0; i < 4; i++) {
        if (p->type == unsigned_of[i].from && cf_text_is(variable, "_Unsigned", "true")) p->type = unsigned_of[i].to;
        else if (p->type == unsigned_of[i].to && cf_text_is(variable, "_Unsigned", "false")) p->type = unsigned_of[i].from;
    }
    bool scaled = first_number(variable, "scale_factor", &p->scale), moved = first_number(variable, "add_offset", &p->offset);
    p->packed = (scaled && p->scale != 1) || (moved && p->offset != 0) || (scaled && is_integer(p->type));
    take_attribute(p, variable, "_FillValue");
    take_attribute(p, variable, "missing_value");
    if (variable->has_netcdf_fill && !source_find_attribute(variable->attributes, variable->attribute_count, "_FillValue"))
        take_default_fill(p);
    take_valid(p, variable);
    return VIRGA_OK;
}

enum { FAST_MISSING = 4 };

// One loop a type. The missing numbers are padded with the first, so that each is compared without a loop.
#define DECODE_INTEGERS(T)                                                                                        \
    do {                                                                                                          \
        const T *s = stored;                                                                                      \
        if (p->missing_count == 0) {                                                                              \
            if (stride == 1)                                                                                      \
                for (size_t n = 0; n < count; n++) values[n] = (double)s[n] * scale + offset;                     \
            else                                                                                                  \
                for (size_t n = 0; n < count; n++) values[n] = (double)s[(ptrdiff_t)n * stride] * scale + offset; \
        } else {                                                                                                  \
            const T a = (T)m[0], b = (T)m[1], c = (T)m[2], d = (T)m[3];                                           \
            for (size_t n = 0; n < count; n++) {                                                                  \
                T v = s[(ptrdiff_t)n * stride];                                                                   \
                values[n] = ((v == a) | (v == b) | (v == c) | (v == d)) ? NAN : (double)v * scale + offset;       \
            }                                                                                                     \
        }                                                                                                         \
    } while (0)

#define DECODE_FLOAT(V)                                                                                           \
    do {                                                                                                          \
        const double wide = (double)(V) * scale + offset;                                                         \
        const bool far = !((V) >= -most) | !((V) <= most);                                                        \
        values[n] = far | ((V) == a) | ((V) == b) | ((V) == c) | ((V) == d) ? NAN : wide;                         \
    } while (0)

#define DECODE_FLOATS(T, LARGEST)                                                                                 \
    do {                                                                                                          \
        const T *s = stored;                                                                                      \
        const T a = p->missing_count ? (T)f[0] : (T)NAN, b = p->missing_count ? (T)f[1] : (T)NAN;                 \
        const T c = p->missing_count ? (T)f[2] : (T)NAN, d = p->missing_count ? (T)f[3] : (T)NAN;                 \
        const T most = (T)(LARGEST);                                                                              \
        if (stride == 1)                                                                                          \
            for (size_t n = 0; n < count; n++) DECODE_FLOAT(s[n]);                                                \
        else                                                                                                      \
            for (size_t n = 0; n < count; n++) DECODE_FLOAT(s[(ptrdiff_t)n * stride]);                            \
    } while (0)

// A fifth and further missing number, of which few files have any: again for each four.
static void decode_more(const struct cf_packing *p, const void *stored, ptrdiff_t stride, size_t count, double *values) {
    struct cf_packing rest = *p;
    double some[256];
    rest.has_missing_value = false;
    rest.missing_count = p->missing_count - FAST_MISSING;
    memmove(rest.missing, rest.missing + FAST_MISSING, (size_t)rest.missing_count * sizeof *rest.missing);
    memmove(rest.missing_integer, rest.missing_integer + FAST_MISSING, (size_t)rest.missing_count * sizeof *rest.missing_integer);
    ptrdiff_t size = (ptrdiff_t)source_type_size(p->type);
    for (size_t at = 0; at < count; at += 256) {
        size_t n = count - at < 256 ? count - at : 256;
        cf_packing_decode(&rest, (const char *)stored + (ptrdiff_t)at * stride * size, stride, n, some);
        for (size_t i = 0; i < n; i++)
            if (isnan(some[i])) values[at + i] = NAN;
    }
}

MULTIVERSION
void cf_packing_decode(const struct cf_packing *p, const void *stored, ptrdiff_t stride, size_t count, double *values) {
    const double scale = p->scale, offset = p->offset;
    int64_t m[FAST_MISSING];
    double f[FAST_MISSING];
    for (int n = 0; n < FAST_MISSING; n++) {
        m[n] = p->missing_integer[n < p->missing_count ? n : 0];
        f[n] = p->missing[n < p->missing_count ? n : 0];
    }
    switch (p->type) {
        case SOURCE_I8: DECODE_INTEGERS(int8_t); break;
        case SOURCE_U8: DECODE_INTEGERS(uint8_t); break;
        case SOURCE_I16: DECODE_INTEGERS(int16_t); break;
        case SOURCE_U16: DECODE_INTEGERS(uint16_t); break;
        case SOURCE_I32: DECODE_INTEGERS(int32_t); break;
        case SOURCE_U32: DECODE_INTEGERS(uint32_t); break;
        case SOURCE_I64: DECODE_INTEGERS(int64_t); break;
        case SOURCE_U64: DECODE_INTEGERS(uint64_t); break;
        case SOURCE_F32: DECODE_FLOATS(float, 3.402823466e38); break;
        case SOURCE_F64: DECODE_FLOATS(double, 1.7976931348623157e308); break;
        default:
            for (size_t n = 0; n < count; n++) values[n] = NAN;
            return;
    }
    if (p->has_missing_value)
        for (size_t n = 0; n < count; n++)
            if (values[n] == p->missing_value) values[n] = NAN;
    if (p->missing_count > FAST_MISSING) decode_more(p, stored, stride, count, values);
}
