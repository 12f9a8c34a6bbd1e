// SPDX-License-Identifier: Apache-2.0
// GRIB messages, byte by byte, as the WMO manual on codes (306, volume I.2) lays them out; no library has a part in it.
#ifndef VIRGA_TESTS_GRIB_MAKER_H
#define VIRGA_TESTS_GRIB_MAKER_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAKER __attribute__((unused)) static

enum { MADE_MAX = 1 << 20 };

struct made_bytes {
    uint8_t data[MADE_MAX];
    size_t size;
};

// What a message holds. Columns of 10 degrees from 0 E and 20 S, rows from south to north unless `mode` says otherwise.
struct made_field {
    int discipline, category, number;  // 0 0 0: temperature
    int level_type;                    // code table 4.5
    double level;
    int second_type;                   // 255: none
    double second;
    int hour;                          // of the reference time, on 2026-01-31
    int lead;                          // hours
    int member;                        // below 0: none
    int nx, ny, mode;
    int hole;                          // a point without a number, or below 0
    int bits;                          // 0: a constant field
    int pv;                            // numbers after section 4
    double base;                       // the value at (i, j) is base + i + 100 j
};

#define MADE_FIELD {.level_type = 103, .level = 2, .second_type = 255, .hour = 12, .member = -1, .nx = 6, .ny = 4, .mode = 0x40, .hole = -1, .bits = 16, .base = 1}

MAKER void made_put(struct made_bytes *b, uint64_t v, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) b->data[b->size++] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

MAKER void made_put_signed(struct made_bytes *b, int64_t v, size_t bytes) {
    made_put(b, v < 0 ? (uint64_t)-v | (uint64_t)1 << (8 * bytes - 1) : (uint64_t)v, bytes);
}

MAKER void made_put_float(struct made_bytes *b, float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    made_put(b, bits, 4);
}

MAKER size_t made_section(struct made_bytes *b, int number) {
    size_t at = b->size;
    made_put(b, 0, 4);
    made_put(b, (uint64_t)number, 1);
    return at;
}

MAKER void made_patch(struct made_bytes *b, size_t at, uint64_t v, size_t bytes) {
    size_t size = b->size;
    b->size = at;
    made_put(b, v, bytes);
    b->size = size;
}

MAKER void made_end(struct made_bytes *b, size_t at) { made_patch(b, at, b->size - at, 4); }

MAKER double made_value(const struct made_field *f, int i, int j) { return f->bits ? f->base + i + 100 * j : f->base; }

MAKER void made_level(struct made_bytes *b, int type, double level) {
    made_put(b, (uint64_t)type, 1);
    if (type == 255) {
        made_put(b, UINT64_MAX, 5);
        return;
    }
    bool whole = level == floor(level);
    made_put_signed(b, whole ? 0 : 2, 1);  // else hundredths
    made_put_signed(b, (int64_t)llround(whole ? level : level * 100), 4);
}

MAKER void made_grid(struct made_bytes *b, const struct made_field *f) {
    bool from_east = f->mode & 0x80, from_north = !(f->mode & 0x40);
    int west = 0, east = 10 * (f->nx - 1), south = -20, north = -20 + 10 * (f->ny - 1);
    size_t at = made_section(b, 3);
    made_put(b, 0, 1);
    made_put(b, (uint64_t)f->nx * (uint64_t)f->ny, 4);
    made_put(b, 0, 2);
    made_put(b, 0, 2);  // template
    made_put(b, 6, 1);  // a sphere of 6371229 m
    made_put(b, UINT64_MAX, 5);
    made_put(b, UINT64_MAX, 5);
    made_put(b, UINT64_MAX, 5);
    made_put(b, (uint64_t)f->nx, 4);
    made_put(b, (uint64_t)f->ny, 4);
    made_put(b, 0, 4);
    made_put(b, UINT32_MAX, 4);
    made_put_signed(b, 1000000LL * (from_north ? north : south), 4);
    made_put_signed(b, 1000000LL * (from_east ? east : west), 4);
    made_put(b, 0x30, 1);
    made_put_signed(b, 1000000LL * (from_north ? south : north), 4);
    made_put_signed(b, 1000000LL * (from_east ? west : east), 4);
    made_put(b, 10000000, 4);
    made_put(b, 10000000, 4);
    made_put(b, (uint64_t)f->mode, 1);
    made_end(b, at);
}

MAKER void made_product(struct made_bytes *b, const struct made_field *f) {
    size_t at = made_section(b, 4);
    made_put(b, (uint64_t)f->pv, 2);
    made_put(b, f->member < 0 ? 0 : 1, 2);
    made_put(b, (uint64_t)f->category, 1);
    made_put(b, (uint64_t)f->number, 1);
    made_put(b, 2, 1);
    made_put(b, 0, 2);
    made_put(b, 0, 3);
    made_put(b, 1, 1);  // hours
    made_put_signed(b, f->lead, 4);
    made_level(b, f->level_type, f->level);
    made_level(b, f->second_type, f->second);
    if (f->member >= 0) {
        made_put(b, 3, 1);
        made_put(b, (uint64_t)f->member, 1);
        made_put(b, 50, 1);
    }
    int half = f->pv / 2;  // half levels: a rises and falls, b = eta squared
    for (int i = 0; i < f->pv; i++) {
        double eta = (double)(i % half) / (half - 1);
        made_put_float(b, (float)(i < half ? 40000 * eta * (1 - eta) : eta * eta));
    }
    made_end(b, at);
}

// Sections 5 to 7: numbers as whole steps of 1 above `base`, which all made values are.
MAKER void made_numbers(struct made_bytes *b, const struct made_field *f) {
    int points = f->nx * f->ny, present = points - (f->hole >= 0);
    size_t at = made_section(b, 5);
    made_put(b, (uint64_t)present, 4);
    made_put(b, 0, 2);
    made_put_float(b, (float)f->base);
    made_put(b, 0, 4);
    made_put(b, (uint64_t)f->bits, 1);
    made_put(b, 0, 1);
    made_end(b, at);
    at = made_section(b, 6);
    made_put(b, f->hole >= 0 ? 0 : 255, 1);
    for (int n = 0; f->hole >= 0 && n < points; n += 8) {
        int byte = 0;
        for (int k = 0; k < 8; k++) byte |= (n + k < points && n + k != f->hole) << (7 - k);
        made_put(b, (uint64_t)byte, 1);
    }
    made_end(b, at);
    at = made_section(b, 7);
    for (int n = 0; n < points && f->bits; n++) {
        int i = n % f->nx, j = n / f->nx;
        if (n == f->hole) continue;
        if (f->mode & 0x80) i = f->nx - 1 - i;
        if (!(f->mode & 0x40)) j = f->ny - 1 - j;
        made_put(b, (uint64_t)(i + 100 * j), (size_t)f->bits / 8);
    }
    made_end(b, at);
}

// Appends an edition 2 message.
MAKER void made_message(struct made_bytes *b, const struct made_field *f) {
    size_t start = b->size;
    memcpy(b->data + b->size, "GRIB", 4);
    b->size += 4;
    made_put(b, 0, 2);
    made_put(b, (uint64_t)f->discipline, 1);
    made_put(b, 2, 1);
    made_put(b, 0, 8);
    size_t at = made_section(b, 1);
    made_put(b, 98, 2);
    made_put(b, 0, 2);
    made_put(b, 4, 1);
    made_put(b, 0, 1);
    made_put(b, 1, 1);
    made_put(b, 2026, 2);
    made_put(b, 1, 1);
    made_put(b, 31, 1);
    made_put(b, (uint64_t)f->hour, 1);
    made_put(b, 0, 2);
    made_put(b, 0, 1);
    made_put(b, 1, 1);
    made_end(b, at);
    made_grid(b, f);
    made_product(b, f);
    made_numbers(b, f);
    memcpy(b->data + b->size, "7777", 4);
    b->size += 4;
    made_patch(b, start + 8, b->size - start, 8);
}

#endif
