// SPDX-License-Identifier: Apache-2.0
#include "source/reader_grib_known.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

enum { MOST = 2048, KEY_BYTES = 512, TEXT_BYTES = 4 << 20 };

static struct {
    struct arena arena;
    uint64_t keys[MOST];
    struct grib_parameter parameters[MOST];
    size_t count;
} known;

static long number(const uint8_t *p, size_t bytes) {
    long v = 0;
    for (size_t i = 0; i < bytes; i++) v = v << 8 | p[i];
    return v;
}

static long signed_number(const uint8_t *p, size_t bytes) {
    long v = number(p, bytes), sign = 1L << (8 * bytes - 1);
    return v & sign ? -(v - sign) : v;
}

// A scale factor and a scaled value.
static double scaled(const uint8_t *p) {
    if (number(p + 1, 4) == 0xffffffffL) return NAN;
    long factor = p[0] == 0xff ? 0 : signed_number(p, 1), value = signed_number(p + 1, 4);
    if (factor > 20 || factor < -20) return NAN;
    return factor > 0 ? (double)value / pow(10, (double)factor) : (double)value * pow(10, (double)-factor);
}

static size_t interval_octet(long template_number) { return template_number == 8 ? 35 : template_number == 11 ? 38 : 0; }

bool grib_known_numbers(const uint8_t *s, size_t bytes, struct grib_numbers *n) {
    long template_number = bytes >= 34 ? number(s + 7, 2) : -1;
    size_t pv = bytes >= 34 ? 4 * (size_t)number(s + 5, 2) : 0, at = interval_octet(template_number), least = at ? at + 23 : template_number == 1 ? 37 : 34;
    if ((template_number != 0 && template_number != 1 && !at) || bytes < least + pv || (at && s[at + 6] != 1)) return false;
    *n = (struct grib_numbers){.first = s[22], .second = s[28], .level = scaled(s + 23), .level2 = s[28] == 255 ? NAN : scaled(s + 29), .has_lead = true,
                               .unit = s[17], .lead = signed_number(s + 18, 4), .has_range = at != 0,
                               .member = template_number == 1 || template_number == 11 ? s[35] : -1};
    if (!at) return true;
    const uint8_t *end = s + at - 1;
    n->end[0] = number(end, 2);
    for (int i = 1; i < 6; i++) n->end[i] = end[i + 1];
    n->range_unit = s[at + 13];
    n->range = number(s + at + 14, 4);
    return true;
}

// Edition 2: sections 1 and 4 without reference time, forecast time, member and the end of the interval; and without the level, where that
// is a pressure or the number of a model level, on which no name depends.
static uint64_t key2(const struct grib_headers *h) {
    uint8_t bytes[KEY_BYTES];
    struct grib_numbers numbers;
    size_t one = (size_t)number(h->message + 16, 4), pv = 4 * h->pv_count;
    if (!grib_known_numbers(h->section4, h->section4_bytes, &numbers) || h->section4_bytes < pv) return 0;
    size_t four = h->section4_bytes - pv, at = interval_octet(number(h->section4 + 7, 2));
    if (one < 21 || 1 + one + four > sizeof bytes) return 0;
    bytes[0] = h->message[6];
    memcpy(bytes + 1, h->message + 16, one);
    memset(bytes + 1 + 12, 0, 7);
    uint8_t *s = bytes + 1 + one;
    memcpy(s, h->section4, four);
    memset(s + 18, 0, 4);
    if (numbers.first == 100 || numbers.first == 105) memset(s + 23, 0, 5);
    if (numbers.member >= 0) memset(s + 35, 0, 1);
    if (at) memset(s + at - 1, 0, 7);
    memset(s, 0, 7);  // length and count of coefficients
    s[4] = 4;
    return XXH3_64bits_withSeed(bytes, 1 + one + four, 2) | 1;
}

// Edition 1: section 1 alike, as it is without a local part or with ECMWF's first.
static uint64_t key1(const struct grib_headers *h) {
    uint8_t p[52];
    size_t bytes = (size_t)number(h->message + 8, 3);
    bool local = bytes == 52 && h->message[8 + 4] == 98 && h->message[8 + 40] == 1;
    if (bytes != 28 && !local) return 0;
    memcpy(p, h->message + 8, bytes);
    memset(p + 12, 0, 5);
    memset(p + 18, 0, 2);
    p[24] = 0;
    if (p[9] == 100 || p[9] == 109) p[10] = p[11] = 0;
    if (local) p[49] = p[50] = 0;
    return XXH3_64bits_withSeed(p, bytes, 1) | 1;
}

uint64_t grib_known_key(const struct grib_headers *headers) { return headers->edition == 2 ? key2(headers) : key1(headers); }

const struct grib_parameter *grib_known_find(uint64_t key) {
    for (size_t n = 0; key && n < known.count; n++)
        if (known.keys[n] == key) return &known.parameters[n];
    return NULL;
}

void grib_known_add(uint64_t key, const struct grib_parameter *from) {
    if (!key || known.count == MOST) return;
    struct grib_parameter p = *from;
    char **const texts[] = {&p.short_name, &p.cf_var_name, &p.name, &p.units, &p.standard_name, &p.type_of_level, &p.step_type, &p.suffix, &p.described};
    known.arena.limit = TEXT_BYTES;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!(*texts[i] = arena_text(&known.arena, *texts[i], strlen(*texts[i])))) return;
    known.keys[known.count] = key;
    known.parameters[known.count++] = p;
}
