// SPDX-License-Identifier: Apache-2.0
#include "brick/brick_codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/status.h"
#include "brick/brick_key.h"
#include "brick/lattice.h"
#include "base/multiversion.h"
#include "brick/predictor.h"

enum {
    FORMAT_VERSION = 1,
    HEADER = 12,
    WEIGHTS_SIZE = 2 * PREDICTOR_WEIGHTS,
    MASK_MAX = (BRICK_MAX_VOXELS + 7) / 8,
    ESCAPE = 15,
    STREAM_MAX = MASK_MAX + BRICK_MAX_VOXELS / 2 + 1 + 4 * BRICK_MAX_VOXELS,  // with every half byte an escape
    CLASSES = 16 + 2 * 28,
    LEAST_SECTION = 1000,  // bytes that are worth a Huffman code of their own
    MEDIAN_REACH = 1 << 28,  // where no sum of three overflows
    SAMPLE_EVERY = 5,  // rows, for the estimate
};

struct brick_encoder {
    z_stream stream;
    int32_t d[BRICK_MAX_VOXELS], key[BRICK_MAX_VOXELS];
    uint32_t residual[BRICK_MAX_VOXELS];
    uint8_t plain[2 * STREAM_MAX];  // two ways of packing, for comparison
    uint8_t packed[STREAM_MAX + STREAM_MAX / 1000 + 256];
};

struct brick_encoder *brick_encoder_new(void) {
    struct brick_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) return NULL;
    // Runs and Huffman only: on residuals this is as small as searching for matches, and several times faster.
    if (deflateInit2(&encoder->stream, 1, Z_DEFLATED, -15, 9, Z_RLE) != Z_OK) {
        free(encoder);
        return NULL;
    }
    return encoder;
}

void brick_encoder_free(struct brick_encoder *encoder) {
    if (!encoder) return;
    deflateEnd(&encoder->stream);
    free(encoder);
}

MULTIVERSION
static void survey(size_t count, const int32_t *q, int32_t *lowest, int32_t *highest, size_t *present) {
    int32_t low = INT32_MAX, high = INT32_MIN, there = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t v = q[i], or_high = v == LATTICE_MISSING ? INT32_MAX : v;
        low = or_high < low ? or_high : low;
        high = v > high ? v : high;  // LATTICE_MISSING is below all others
        there += v != LATTICE_MISSING;
    }
    *lowest = low, *highest = high, *present = (size_t)there;
}

enum brick_kind brick_survey(size_t count, const int32_t *q, int32_t *lowest, int32_t *highest) {
    size_t present;
    survey(count, q, lowest, highest, &present);
    if (!present) {
        *lowest = *highest = 0;
        return BRICK_MISSING;
    }
    if (present < count) return BRICK_MASKED;
    return *lowest == *highest ? BRICK_CONSTANT : BRICK_FULL;
}

static bool size_fits(const uint32_t size[3]) {
    for (int a = 0; a < 3; a++)
        if (size[a] < 1 || size[a] > BRICK_MAX_SIDE) return false;
    return true;
}

// --- What to encode: d, the mask, and the choice of predictor and width.

static int32_t first_present(size_t count, const int32_t *q) {
    for (size_t i = 0; i < count; i++)
        if (q[i] != LATTICE_MISSING) return q[i];
    return 0;
}

static void mask_bits(size_t count, const int32_t *q, uint8_t *bits) {
    memset(bits, 0, (count + 7) / 8);
    for (size_t i = 0; i < count; i++) bits[i >> 3] = (uint8_t)(bits[i >> 3] | (q[i] != LATTICE_MISSING) << (i & 7));
}

MULTIVERSION
static void subtract_base(size_t count, const int32_t *q, int32_t base, int32_t *d) {
    for (size_t i = 0; i < count; i++) d[i] = (int32_t)((uint32_t)q[i] - (uint32_t)base);
}

static void hold_missing(const uint32_t size[3], const int32_t *q, int32_t *d) {
    size_t s = 0;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++)
            for (uint32_t x = 0; x < size[0]; x++, s++)
                if (q[s] == LATTICE_MISSING) d[s] = predictor_held(size, d, x, y, z);
}

static void key_differences(size_t count, const int32_t *key_q, int32_t base, int32_t *key) {
    for (size_t i = 0; i < count; i++)
        key[i] = key_q[i] == LATTICE_MISSING ? 0 : (int32_t)((uint32_t)key_q[i] - (uint32_t)base);
}

struct tally {  // residuals by size: 0 … 15 one by one, then two classes a binade
    uint32_t count[CLASSES];
};

static int class_of(uint32_t z) {
    if (z <= ESCAPE) return (int)z;
    int log = 31 - __builtin_clz(z);
    return 16 + 2 * (log - 4) + (int)(z >> (log - 1) & 1);
}

static double class_extra_bits(int c) { return c <= ESCAPE ? 0 : (c - 16) / 2 + 3; }

static double entropy_bits(const uint32_t *count, int n, double (*extra)(int)) {
    double total = 0, bits = 0;
    for (int i = 0; i < n; i++) {
        if (!count[i]) continue;
        const double k = count[i];
        total += k;
        bits += k * ((extra ? extra(i) : 0) - log2(k));
    }
    return total > 0 ? bits + total * log2(total) : 0;
}

// q: with what is missing, which costs nothing; or NULL.
static double estimate(const struct predictor *p, const uint32_t size[3], const int32_t *d, const int32_t *q) {
    struct tally tally = {{0}};
    uint32_t row[BRICK_MAX_SIDE];
    const uint32_t every = size[1] * size[2] >= 128 ? SAMPLE_EVERY : 1;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = (2 * z) % every; y < size[1]; y += every) {
            predictor_row(p, size, d, y, z, row);
            const size_t at = ((size_t)z * size[1] + y) * size[0];
            for (uint32_t x = 0; x < size[0]; x++)
                if (!q || q[at + x] != LATTICE_MISSING) tally.count[class_of(row[x])]++;
        }
    return entropy_bits(tally.count, CLASSES, class_extra_bits) + (p->kind == PREDICTOR_WEIGHTED ? 8.0 * WEIGHTS_SIZE / every : 0);
}

// reach: the largest difference of two voxels.
static void choose_predictor(struct brick_encoder *e, const uint32_t size[3], const int32_t *masked_q, int64_t reach, bool has_key,
                             struct predictor *best) {
    double least = INFINITY;
    for (int kind = 0; kind < PREDICTOR_COUNT; kind++) {
        struct predictor p = {.kind = (enum predictor_kind)kind, .key = e->key};
        if (kind == PREDICTOR_KEY && !has_key) continue;
        if (kind == PREDICTOR_MEDIAN && reach > MEDIAN_REACH) continue;
        if (kind == PREDICTOR_LORENZO && size[1] == 1 && size[2] == 1) continue;  // as the median's
        if (kind == PREDICTOR_WEIGHTED && !predictor_fit(&p, size, e->d)) continue;
        const double bits = estimate(&p, size, e->d, masked_q);
        if (bits < least) {
            least = bits;
            *best = p;
        }
    }
}

MULTIVERSION
static void clear_missing(size_t count, const int32_t *q, uint32_t *residual) {
    for (size_t i = 0; i < count; i++) residual[i] = q[i] == LATTICE_MISSING ? 0 : residual[i];
}

MULTIVERSION
static uint32_t largest_of(size_t count, const uint32_t *residual) {
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++) all = residual[i] > all ? residual[i] : all;
    return all;
}

static void residuals(struct brick_encoder *e, const uint32_t size[3], const int32_t *q, bool masked,
                      const struct predictor *p) {
    uint32_t *row = e->residual;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++, row += size[0]) predictor_row(p, size, e->d, y, z, row);
    if (masked) clear_missing((size_t)(row - e->residual), q, e->residual);
}

static int by_count(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

// Bits of a Huffman code for bytes of these counts, without its table: each joining of the two smallest groups costs
// their bytes one bit. The counts are used up.
static double huffman_bits(uint32_t count[256]) {
    qsort(count, 256, sizeof *count, by_count);
    uint32_t joined[256];
    size_t next = 0, taken = 0, made = 0, left = 0;
    while (next < 256 && !count[next]) next++;
    if (next == 255) return 0;  // a run
    double bits = 0;
    for (left = 256 - next; left > 1; left--) {
        uint32_t sum = 0;
        for (int i = 0; i < 2; i++)
            sum += next < 256 && (taken == made || count[next] <= joined[taken]) ? count[next++] : joined[taken++];
        joined[made++] = sum;
        bits += sum;
    }
    return bits;
}

static double byte_bits(size_t count, const uint8_t *bytes) {
    uint32_t histogram[4][256] = {{0}};  // four, so that runs of equal values do not wait for each other
    for (size_t i = 0; i < count; i++) histogram[i & 3][bytes[i]]++;
    for (int v = 0; v < 256; v++) histogram[0][v] += histogram[1][v] + histogram[2][v] + histogram[3][v];
    return huffman_bits(histogram[0]);
}

// --- Packing.

static size_t pack_halves(size_t count, const uint32_t *residual, uint8_t *out) {
    size_t escapes = 0, pairs = count / 2;
    const size_t bytes = (count + 1) / 2;
    for (size_t i = 0; i < pairs; i++) {
        const uint32_t a = residual[2 * i], b = residual[2 * i + 1];
        const uint32_t low = a < ESCAPE ? a : ESCAPE, high = b < ESCAPE ? b : ESCAPE;
        out[i] = (uint8_t)(low | high << 4);
        escapes += (low == ESCAPE) + (high == ESCAPE);
    }
    if (count & 1) {
        out[pairs] = (uint8_t)(residual[count - 1] < ESCAPE ? residual[count - 1] : ESCAPE);
        escapes += out[pairs] == ESCAPE;
    }
    for (size_t i = 0, k = 0; k < escapes; i++)
        if (residual[i] >= ESCAPE) {
            for (int plane = 0; plane < 4; plane++) out[bytes + (size_t)plane * escapes + k] = (uint8_t)(residual[i] >> 8 * plane);
            k++;
        }
    return bytes + 4 * escapes;
}

MULTIVERSION
static void pack_plane(size_t count, const uint32_t *residual, int shift, uint8_t *out) {
    for (size_t i = 0; i < count; i++) out[i] = (uint8_t)(residual[i] >> shift);
}

static size_t pack(size_t count, const uint32_t *residual, int width, uint8_t *out) {
    if (width == 0) return pack_halves(count, residual, out);
    for (int plane = 0; plane < width; plane++) pack_plane(count, residual, 8 * plane, out + (size_t)plane * count);
    return (size_t)width * count;
}

// Packs in the way that costs least and says how wide that is. What is packed is in out; *size is its size.
static int pack_best(size_t count, const uint32_t *residual, uint8_t *out, size_t *size) {
    const uint32_t most = largest_of(count, residual);
    const int width = most < 0x100 ? 1 : most < 0x10000 ? 2 : 4;
    const size_t halves = (count + 1) / 2;
    double wide = 0;
    *size = pack(count, residual, width, out);
    if (most > ESCAPE)
        for (int plane = 0; plane < width; plane++) wide += byte_bits(count, out + (size_t)plane * count);
    else
        wide = INFINITY;
    const size_t wide_size = *size;
    *size = pack_halves(count, residual, out + wide_size);
    const uint8_t *packed = out + wide_size;
    const size_t escapes = (*size - halves) / 4;
    double half = byte_bits(halves, packed);
    for (size_t plane = 0; escapes && plane < 4; plane++) half += byte_bits(escapes, packed + halves + plane * escapes);
    if (half > wide) {
        *size = wide_size;
        return width;
    }
    memmove(out, out + wide_size, *size);
    return 0;
}

struct brick_header {
    int width;
    bool masked;
    int32_t base;
    uint32_t key_step;
    struct predictor predictor;
};

static size_t write_header(const struct brick_header *header, uint8_t *out) {
    struct byte_writer w = {.at = out, .end = out + HEADER + WEIGHTS_SIZE};
    bytes_write_u8(&w, FORMAT_VERSION);
    bytes_write_u8(&w, (uint8_t)header->width);
    bytes_write_u8(&w, (uint8_t)header->predictor.kind);
    bytes_write_u8(&w, header->masked);
    bytes_write_i32(&w, header->base);
    bytes_write_u32(&w, header->predictor.kind == PREDICTOR_KEY ? header->key_step : 0);
    for (int i = 0; header->predictor.kind == PREDICTOR_WEIGHTED && i < PREDICTOR_WEIGHTS; i++)
        bytes_write_u16(&w, (uint16_t)header->predictor.weights[i]);
    return (size_t)(w.at - out);
}

// sections: where in the plain bytes another kind of content begins.
static int finish(struct brick_encoder *e, const struct brick_header *header, size_t plain_size, const size_t *sections,
                  size_t count, struct shared_bytes **bytes) {
    const size_t head = write_header(header, e->packed);
    if (deflateReset(&e->stream) != Z_OK) return VIRGA_INTERNAL;
    e->stream.next_in = e->plain;
    e->stream.next_out = e->packed + head;
    e->stream.avail_out = (uInt)(sizeof e->packed - head);
    // A Huffman code for each section: mask, planes, escapes differ.
    size_t done = 0;
    for (size_t s = 0; s < count && sections[s] < plain_size; s++) {
        if (sections[s] - done < LEAST_SECTION || plain_size - sections[s] < LEAST_SECTION) continue;
        e->stream.avail_in = (uInt)(sections[s] - done);
        if (deflate(&e->stream, Z_BLOCK) != Z_OK) return VIRGA_INTERNAL;
        done = sections[s];
    }
    e->stream.avail_in = (uInt)(plain_size - done);
    if (deflate(&e->stream, Z_FINISH) != Z_STREAM_END) return VIRGA_INTERNAL;
    const size_t size = head + e->stream.total_out;
    uint8_t *fill;
    *bytes = shared_bytes_new(size, &fill);
    if (!*bytes) return VIRGA_NO_MEMORY;
    memcpy(fill, e->packed, size);
    return VIRGA_OK;
}

// predictor and width: as wanted, or -1 for the best.
static int encode(struct brick_encoder *e, const uint32_t size[3], const int32_t *q, bool masked, int64_t reach,
                  const struct brick_key_step *key, int predictor, int width, struct shared_bytes **bytes) {
    const size_t count = (size_t)size[0] * size[1] * size[2];
    struct brick_header header = {.masked = masked, .base = first_present(count, q), .key_step = key ? key->step : 0};
    subtract_base(count, q, header.base, e->d);
    if (masked) hold_missing(size, q, e->d);
    if (key) key_differences(count, key->q, header.base, e->key);
    if (predictor < 0) {
        choose_predictor(e, size, masked ? q : NULL, reach, key != NULL, &header.predictor);
    } else {
        header.predictor = (struct predictor){.kind = (enum predictor_kind)predictor, .key = e->key};
        if (predictor == PREDICTOR_KEY && !key) return VIRGA_UNSUPPORTED;
        if (predictor == PREDICTOR_WEIGHTED && !predictor_fit(&header.predictor, size, e->d)) return VIRGA_UNSUPPORTED;
    }
    residuals(e, size, q, masked, &header.predictor);
    if ((width == 1 || width == 2) && largest_of(count, e->residual) >> 8 * width) return VIRGA_UNSUPPORTED;
    const size_t mask = masked ? (count + 7) / 8 : 0;
    size_t packed;
    if (masked) mask_bits(count, q, e->plain);
    header.width = width < 0 ? pack_best(count, e->residual, e->plain + mask, &packed) : width;
    if (width >= 0) packed = pack(count, e->residual, width, e->plain + mask);
    const size_t step = header.width ? count : (count + 1) / 2;
    const size_t sections[] = {mask, mask + step, mask + 2 * step, mask + 3 * step};
    return finish(e, &header, mask + packed, sections, header.width ? 4 : 2, bytes);
}

int brick_encode(struct brick_encoder *encoder, const uint32_t size[3], const int32_t *q, const struct brick_key_step *key,
                 struct shared_bytes **bytes) {
    *bytes = NULL;
    if (!size_fits(size)) return VIRGA_INVALID;
    int32_t lowest, highest;
    const enum brick_kind kind = brick_survey((size_t)size[0] * size[1] * size[2], q, &lowest, &highest);
    if (kind == BRICK_MISSING || kind == BRICK_CONSTANT) {
        uint8_t *fill;
        *bytes = shared_bytes_new(0, &fill);
        return *bytes ? VIRGA_OK : VIRGA_NO_MEMORY;
    }
    return encode(encoder, size, q, kind == BRICK_MASKED, (int64_t)highest - lowest, key, -1, -1, bytes);
}

int brick_encode_as(struct brick_encoder *encoder, const uint32_t size[3], const int32_t *q,
                    const struct brick_key_step *key, int predictor, int width, struct shared_bytes **bytes) {
    *bytes = NULL;
    if (!size_fits(size)) return VIRGA_INVALID;
    int32_t lowest, highest;
    const enum brick_kind kind = brick_survey((size_t)size[0] * size[1] * size[2], q, &lowest, &highest);
    return encode(encoder, size, q, kind == BRICK_MASKED || kind == BRICK_MISSING, (int64_t)highest - lowest, key,
                  predictor, width, bytes);
}

// --- Decoding.

static int read_header(struct byte_reader *r, struct brick_header *header) {
    const unsigned version = bytes_read_u8(r), width = bytes_read_u8(r), kind = bytes_read_u8(r), masked = bytes_read_u8(r);
    header->base = bytes_read_i32(r);
    header->key_step = bytes_read_u32(r);
    for (int i = 0; kind == PREDICTOR_WEIGHTED && i < PREDICTOR_WEIGHTS; i++)
        header->predictor.weights[i] = (int16_t)bytes_read_u16(r);
    if (r->failed || version != FORMAT_VERSION || kind >= PREDICTOR_COUNT || masked > 1) return VIRGA_INVALID;
    if (width != 0 && width != 1 && width != 2 && width != 4) return VIRGA_INVALID;
    header->width = (int)width;
    header->masked = masked;
    header->predictor.kind = (enum predictor_kind)kind;
    return VIRGA_OK;
}

// Inflates all of `r` into out[room]; *size gets how much. What is longer, shorter or followed by more is invalid.
static int inflate_all(const struct byte_reader *r, uint8_t *out, size_t room, size_t *size) {
    z_stream stream = {0};
    if (inflateInit2(&stream, -15) != Z_OK) return VIRGA_NO_MEMORY;
    stream.next_in = (z_const Bytef *)r->at;
    stream.avail_in = (uInt)(r->end - r->at);
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    const int result = inflate(&stream, Z_FINISH);
    *size = stream.total_out;
    const bool complete = result == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return complete ? VIRGA_OK : result == Z_MEM_ERROR ? VIRGA_NO_MEMORY : VIRGA_INVALID;
}

static int unpack_halves(size_t count, const uint8_t *in, size_t size, uint32_t *residual) {
    const size_t bytes = (count + 1) / 2;
    if (size < bytes || (size - bytes) % 4) return VIRGA_INVALID;
    const size_t escapes = (size - bytes) / 4;
    const uint8_t *escape = in + bytes;
    size_t k = 0;
    for (size_t i = 0; i < count; i++) {
        residual[i] = in[i >> 1] >> (4 * (i & 1)) & 15;
        if (residual[i] != ESCAPE) continue;
        if (k == escapes) return VIRGA_INVALID;
        residual[i] = 0;
        for (size_t plane = 0; plane < 4; plane++) residual[i] |= (uint32_t)escape[plane * escapes + k] << 8 * plane;
        k++;
    }
    return k == escapes ? VIRGA_OK : VIRGA_INVALID;
}

static int unpack(size_t count, int width, const uint8_t *in, size_t size, uint32_t *residual) {
    if (width == 0) return unpack_halves(count, in, size, residual);
    if (size != (size_t)width * count) return VIRGA_INVALID;
    for (size_t i = 0; i < count; i++) residual[i] = in[i];
    for (size_t plane = 1; plane < (size_t)width; plane++)
        for (size_t i = 0; i < count; i++) residual[i] |= (uint32_t)in[plane * count + i] << 8 * plane;
    return VIRGA_OK;
}

static void to_q(size_t count, int32_t base, const uint8_t *present, int32_t *q) {
    for (size_t i = 0; i < count; i++) q[i] = (int32_t)((uint32_t)q[i] + (uint32_t)base);
    for (size_t i = 0; present && i < count; i++)
        if (!(present[i >> 3] >> (i & 7) & 1)) q[i] = LATTICE_MISSING;
}

struct decode_room {
    int32_t key[BRICK_MAX_VOXELS];
    uint8_t plain[STREAM_MAX];
};

int brick_decode(const uint8_t *bytes, size_t byte_count, const uint32_t size[3], const int32_t *key_q, int32_t *q) {
    struct byte_reader r = {.at = bytes, .end = bytes + byte_count};
    struct brick_header header = {0};
    if (!size_fits(size)) return VIRGA_INVALID;
    int status = read_header(&r, &header);
    if (status) return status;
    if (header.predictor.kind == PREDICTOR_KEY && !key_q) return VIRGA_UNSUPPORTED;
    struct decode_room *room = malloc(sizeof *room);
    if (!room) return VIRGA_NO_MEMORY;
    const size_t count = (size_t)size[0] * size[1] * size[2], mask = header.masked ? (count + 7) / 8 : 0;
    size_t plain;
    if ((status = inflate_all(&r, room->plain, sizeof room->plain, &plain))) goto done;
    status = plain < mask ? VIRGA_INVALID : unpack(count, header.width, room->plain + mask, plain - mask, (uint32_t *)q);
    if (status) goto done;
    if (header.predictor.kind == PREDICTOR_KEY) key_differences(count, key_q, header.base, room->key);
    header.predictor.key = room->key;
    const uint8_t *present = header.masked ? room->plain : NULL;
    predictor_restore(&header.predictor, size, (const uint32_t *)q, present, q);
    to_q(count, header.base, present, q);
done:
    free(room);
    return status;
}
