// SPDX-License-Identifier: Apache-2.0
// Bounded little-endian reads and writes over a byte range. A cursor that would run past its end sets `failed`, reads
// zeros and writes nothing from then on; check `failed` once at the end.
#ifndef VIRGA_BASE_BYTES_H
#define VIRGA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
    const uint8_t *at, *end;
    bool failed;
};

struct byte_writer {
    uint8_t *at, *end;
    bool failed;
};

static inline const uint8_t *bytes_take(struct byte_reader *r, size_t n) {
    if (r->failed || (size_t)(r->end - r->at) < n) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

static inline uint64_t bytes_read_le(struct byte_reader *r, size_t n) {
    const uint8_t *p = bytes_take(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static inline uint8_t bytes_read_u8(struct byte_reader *r) { return (uint8_t)bytes_read_le(r, 1); }
static inline uint16_t bytes_read_u16(struct byte_reader *r) { return (uint16_t)bytes_read_le(r, 2); }
static inline uint32_t bytes_read_u32(struct byte_reader *r) { return (uint32_t)bytes_read_le(r, 4); }
static inline uint64_t bytes_read_u64(struct byte_reader *r) { return bytes_read_le(r, 8); }
static inline int32_t bytes_read_i32(struct byte_reader *r) { return (int32_t)bytes_read_u32(r); }
static inline double bytes_read_f64(struct byte_reader *r) {
    uint64_t u = bytes_read_u64(r);
    double d;
    memcpy(&d, &u, sizeof d);
    return d;
}

static inline uint8_t *bytes_room(struct byte_writer *w, size_t n) {
    if (w->failed || (size_t)(w->end - w->at) < n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->at;
    w->at += n;
    return p;
}

static inline void bytes_write_le(struct byte_writer *w, uint64_t v, size_t n) {
    uint8_t *p = bytes_room(w, n);
    for (size_t i = 0; p && i < n; i++) p[i] = (uint8_t)(v >> (8 * i));
}

static inline void bytes_write_u8(struct byte_writer *w, uint8_t v) { bytes_write_le(w, v, 1); }
static inline void bytes_write_u16(struct byte_writer *w, uint16_t v) { bytes_write_le(w, v, 2); }
static inline void bytes_write_u32(struct byte_writer *w, uint32_t v) { bytes_write_le(w, v, 4); }
static inline void bytes_write_u64(struct byte_writer *w, uint64_t v) { bytes_write_le(w, v, 8); }
static inline void bytes_write_i32(struct byte_writer *w, int32_t v) { bytes_write_u32(w, (uint32_t)v); }
static inline void bytes_write_f64(struct byte_writer *w, double v) {
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    bytes_write_u64(w, u);
}
static inline void bytes_write(struct byte_writer *w, const void *data, size_t n) {
    uint8_t *p = bytes_room(w, n);
    if (p && n) memcpy(p, data, n);
}

#endif
