// SPDX-License-Identifier: Apache-2.0
// Packets: PACKET_WIDTH (1, 4, 8 or 16) numbers that are handled at once, in the vector extensions of GCC and Clang. A file that
// includes this is compiled for one kind of processor; every lane computes the same, whatever the width. Private to render/.
#ifndef VIRGA_RENDER_PACKET_VECTOR_H
#define VIRGA_RENDER_PACKET_VECTOR_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef PACKET_WIDTH
#define PACKET_WIDTH 4
#endif
#if PACKET_WIDTH == 16 && defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#define PACKET_AVX512 1
#else
#define PACKET_AVX512 0
#endif
#if PACKET_WIDTH == 8 && defined(__AVX2__)
#define PACKET_AVX2 1
#else
#define PACKET_AVX2 0
#endif
#if PACKET_WIDTH == 4 && defined(__SSE4_1__)
#define PACKET_SSE4 1
#else
#define PACKET_SSE4 0
#endif

typedef float vf __attribute__((vector_size(4 * PACKET_WIDTH)));
typedef int32_t vi __attribute__((vector_size(4 * PACKET_WIDTH)));  // also truth: all bits set, or none
typedef uint32_t vu __attribute__((vector_size(4 * PACKET_WIDTH)));

#define PACKET static inline __attribute__((always_inline))

PACKET vf vf_all(float x) { return x - (vf){0}; }
PACKET vi vi_all(int32_t x) { return x - (vi){0}; }
PACKET vf vf_pick(vi truth, vf yes, vf no) { return (vf)(((vi)yes & truth) | ((vi)no & ~truth)); }
PACKET vi vi_pick(vi truth, vi yes, vi no) { return (yes & truth) | (no & ~truth); }
PACKET vf vf_abs(vf x) { return (vf)((vi)x & 0x7fffffff); }
PACKET vf vf_of(vi x) { return __builtin_convertvector(x, vf); }
PACKET vi vi_of(vf x) { return __builtin_convertvector(x, vi); }  // towards zero; x must fit
PACKET vf vf_mix(vf a, vf b, vf share) { return a + (b - a) * share; }

// The larger and the smaller; where x is NaN, the bound.
PACKET vf vf_most(vf x, vf bound) {
#if PACKET_AVX512
    return (vf)_mm512_max_ps((__m512)x, (__m512)bound);
#elif PACKET_AVX2
    return (vf)_mm256_max_ps((__m256)x, (__m256)bound);
#elif PACKET_SSE4
    return (vf)_mm_max_ps((__m128)x, (__m128)bound);
#else
    return vf_pick((vi)(x > bound), x, bound);
#endif
}

PACKET vf vf_least(vf x, vf bound) {
#if PACKET_AVX512
    return (vf)_mm512_min_ps((__m512)x, (__m512)bound);
#elif PACKET_AVX2
    return (vf)_mm256_min_ps((__m256)x, (__m256)bound);
#elif PACKET_SSE4
    return (vf)_mm_min_ps((__m128)x, (__m128)bound);
#else
    return vf_pick((vi)(x < bound), x, bound);
#endif
}

PACKET vf vf_clamp(vf x, float low, float high) { return vf_least(vf_most(x, vf_all(low)), vf_all(high)); }

PACKET vf vf_floor(vf x) {
#if PACKET_AVX512
    return (vf)_mm512_floor_ps((__m512)x);
#elif PACKET_AVX2
    return (vf)_mm256_floor_ps((__m256)x);
#elif PACKET_SSE4
    return (vf)_mm_floor_ps((__m128)x);
#else
    const vi small = (vi)(vf_abs(x) < 8388608.0f);  // beyond, every number is whole
    const vf whole = vf_of(vi_of(vf_pick(small, x, vf_all(0))));
    return vf_pick(small, whole + vf_of((vi)(whole > x)), x);
#endif
}

PACKET vf vf_sqrt(vf x) {
#if PACKET_AVX512
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif PACKET_AVX2
    return (vf)_mm256_sqrt_ps((__m256)x);
#elif PACKET_SSE4
    return (vf)_mm_sqrt_ps((__m128)x);
#else
    for (int lane = 0; lane < PACKET_WIDTH; lane++) x[lane] = sqrtf(x[lane]);
    return x;
#endif
}

// Bit n: lane n.
PACKET unsigned vi_bits(vi truth) {
#if PACKET_AVX512
    return _mm512_movepi32_mask((__m512i)truth);
#elif PACKET_AVX2
    return (unsigned)_mm256_movemask_ps((__m256)truth);
#elif PACKET_SSE4
    return (unsigned)_mm_movemask_ps((__m128)truth);
#else
    unsigned bits = 0;
    for (int lane = 0; lane < PACKET_WIDTH; lane++) bits |= ((unsigned)truth[lane] >> 31) << lane;
    return bits;
#endif
}

PACKET bool vi_any(vi truth) { return vi_bits(truth) != 0; }

// Reads base[index] for each lane; every index must be valid, in idle lanes too.
PACKET vf vf_gather(const float *base, vi index) {
#if PACKET_AVX512
    return (vf)_mm512_i32gather_ps((__m512i)index, base, 4);
#elif PACKET_AVX2
    return (vf)_mm256_i32gather_ps(base, (__m256i)index, 4);
#else
    vf found;
    for (int lane = 0; lane < PACKET_WIDTH; lane++) found[lane] = base[index[lane]];
    return found;
#endif
}

PACKET vi vi_gather(const int32_t *base, vi index) {
#if PACKET_AVX512
    return (vi)_mm512_i32gather_epi32((__m512i)index, base, 4);
#elif PACKET_AVX2
    return (vi)_mm256_i32gather_epi32(base, (__m256i)index, 4);
#else
    vi found;
    for (int lane = 0; lane < PACKET_WIDTH; lane++) found[lane] = base[index[lane]];
    return found;
#endif
}

// --- rows -------------------------------------------------------------------------------------------------------------
// Single loads and transposing beat gather instructions by far, where several numbers stand side by side.

typedef float row4 __attribute__((vector_size(16)));
typedef int32_t row4i __attribute__((vector_size(16)));

// Four times four numbers, for lanes n, n + 4, n + 8 and n + 12; as many as there are.
#if PACKET_AVX512
#define VF_JOIN(of, n)                                                                                             \
    ((vf)_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)of(n)), (__m128)of((n) + 4), 1)), \
                            _mm256_insertf128_ps(_mm256_castps128_ps256((__m128)of((n) + 8)), (__m128)of((n) + 12), 1), 1))
#elif PACKET_AVX2
#define VF_JOIN(of, n) ((vf)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)of(n)), (__m128)of((n) + 4), 1))
#elif PACKET_WIDTH == 4
#define VF_JOIN(of, n) (of(n))
#elif PACKET_WIDTH == 8
#define VF_JOIN(of, n) __builtin_shufflevector(of(n), of((n) + 4), 0, 1, 2, 3, 4, 5, 6, 7)
#elif PACKET_WIDTH == 16
#define VF_JOIN_TWO(of, n) __builtin_shufflevector(of(n), of((n) + 4), 0, 1, 2, 3, 4, 5, 6, 7)
#define VF_JOIN(of, n) \
    __builtin_shufflevector(VF_JOIN_TWO(of, n), VF_JOIN_TWO(of, (n) + 8), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#endif

// rows[n]: four numbers each of lanes n, n + 4, n + 8 and n + 12. out[c]: number c of all lanes.
#if PACKET_WIDTH > 1
PACKET void vf_transpose(const vf rows[4], vf out[4]) {
#if PACKET_WIDTH == 4
#define VF_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define VF_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define VF_LOW2(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define VF_HIGH2(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#elif PACKET_WIDTH == 8
#define VF_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define VF_HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define VF_LOW2(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define VF_HIGH2(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#else
#define VF_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define VF_HIGH(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define VF_LOW2(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define VF_HIGH2(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#endif
    const vf a = VF_LOW(rows[0], rows[1]), b = VF_HIGH(rows[0], rows[1]), c = VF_LOW(rows[2], rows[3]), d = VF_HIGH(rows[2], rows[3]);
    out[0] = VF_LOW2(a, c), out[1] = VF_HIGH2(a, c), out[2] = VF_LOW2(b, d), out[3] = VF_HIGH2(b, d);
}

// Number n of each four lanes, for these four.
#if PACKET_WIDTH == 4
#define VF_SPREAD(f, n) __builtin_shufflevector(f, f, n, n, n, n)
#elif PACKET_WIDTH == 8
#define VF_SPREAD(f, n) __builtin_shufflevector(f, f, n, n, n, n, (n) + 4, (n) + 4, (n) + 4, (n) + 4)
#else
#define VF_SPREAD(f, n)                                                                                                        \
    __builtin_shufflevector(f, f, n, n, n, n, (n) + 4, (n) + 4, (n) + 4, (n) + 4, (n) + 8, (n) + 8, (n) + 8, (n) + 8, (n) + 12, \
                            (n) + 12, (n) + 12, (n) + 12)
#endif
#endif

// Indices of lanes in memory, from where they are loaded one by one: cheaper than taking a vector apart, which compilers prefer.
// Where other work comes between the indices and what is read there, a processor has them at hand.
struct packet_lanes { int32_t of[PACKET_WIDTH]; };

PACKET void vi_lanes(vi index, struct packet_lanes *lanes) {
    memcpy(lanes->of, &index, sizeof lanes->of);
    __asm__("" : "+m"(*lanes));
}

PACKET vi vi_of_lanes(const struct packet_lanes *lanes) {
    vi index;
    memcpy(&index, lanes->of, sizeof index);
    return index;
}

PACKET row4 row4_at(const float *at) {
    row4 row;
    memcpy(&row, at, sizeof row);
    return row;
}

// The four numbers from base[4 index] on.
PACKET void vf_rows(const float *base, vi index, vf out[4]) {
#if PACKET_WIDTH == 1
    for (int c = 0; c < 4; c++) out[c] = vf_all(base[4 * index[0] + c]);
#else
    struct packet_lanes at;
    vi_lanes(index * 4, &at);
#define ROW_AT(n) row4_at(base + at.of[n])
    const vf rows[4] = {VF_JOIN(ROW_AT, 0), VF_JOIN(ROW_AT, 1), VF_JOIN(ROW_AT, 2), VF_JOIN(ROW_AT, 3)};
#undef ROW_AT
    vf_transpose(rows, out);
#endif
}

#if PACKET_AVX512
// Two lanes' four numbers and their changes each.
PACKET vf vf_eights(__m512 a, __m512 b, vf f) {
    return (vf)_mm512_shuffle_f32x4(a, b, 0x88) + (vf)_mm512_shuffle_f32x4(a, b, 0xdd) * f;
}
#endif

// The four numbers from base[at] on, and as much of the four changes behind them as f says.
PACKET void vf_rows_changed(const float *base, const struct packet_lanes *at, vf f, vf out[4]) {
#if PACKET_WIDTH == 1
    for (int c = 0; c < 4; c++) out[c] = base[at->of[0] + c] + f * base[at->of[0] + 4 + c];
#else
#if PACKET_AVX512  // all eight are one load
#define EIGHT_AT(n) _mm256_loadu_ps(base + at->of[n])
#define EIGHTS(n, m) _mm512_insertf32x8(_mm512_castps256_ps512(EIGHT_AT(n)), EIGHT_AT(m), 1)
#define CHANGED(n) vf_eights(EIGHTS(n, (n) + 4), EIGHTS((n) + 8, (n) + 12), VF_SPREAD(f, n))
#else
#define ROW_AT(n) row4_at(base + at->of[n])
#define CHANGE_AT(n) row4_at(base + at->of[n] + 4)
#define CHANGED(n) (VF_JOIN(ROW_AT, n) + VF_JOIN(CHANGE_AT, n) * VF_SPREAD(f, n))
#endif
    const vf rows[4] = {CHANGED(0), CHANGED(1), CHANGED(2), CHANGED(3)};
    vf_transpose(rows, out);
#undef EIGHT_AT
#undef EIGHTS
#undef ROW_AT
#undef CHANGE_AT
#undef CHANGED
#endif
}

// The two numbers from base[2 at] on.
PACKET void vf_pairs_at(const float *base, const struct packet_lanes *at, vf *first, vf *second) {
#if PACKET_WIDTH == 1
    *first = vf_all(base[2 * at->of[0]]), *second = vf_all(base[2 * at->of[0] + 1]);
#else
    typedef double pairs __attribute__((vector_size(4 * PACKET_WIDTH)));
    // Lanes 0, 1, 4, 5 … in one, 2, 3, 6, 7 … in the other.
    pairs low, high;
    for (int four = 0; four < PACKET_WIDTH / 4; four++) {
        memcpy((char *)&low + 16 * four, base + 2 * (ptrdiff_t)at->of[4 * four], 8);
        memcpy((char *)&low + 16 * four + 8, base + 2 * (ptrdiff_t)at->of[4 * four + 1], 8);
        memcpy((char *)&high + 16 * four, base + 2 * (ptrdiff_t)at->of[4 * four + 2], 8);
        memcpy((char *)&high + 16 * four + 8, base + 2 * (ptrdiff_t)at->of[4 * four + 3], 8);
    }
#if PACKET_WIDTH == 4
    *first = __builtin_shufflevector((vf)low, (vf)high, 0, 2, 4, 6), *second = __builtin_shufflevector((vf)low, (vf)high, 1, 3, 5, 7);
#elif PACKET_WIDTH == 8
    *first = __builtin_shufflevector((vf)low, (vf)high, 0, 2, 8, 10, 4, 6, 12, 14);
    *second = __builtin_shufflevector((vf)low, (vf)high, 1, 3, 9, 11, 5, 7, 13, 15);
#else
    *first = __builtin_shufflevector((vf)low, (vf)high, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30);
    *second = __builtin_shufflevector((vf)low, (vf)high, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
#endif
#endif
}

PACKET void vf_pairs(const float *base, vi index, vf *first, vf *second) {
    struct packet_lanes at;
    vi_lanes(index, &at);
    vf_pairs_at(base, &at, first, second);
}

// --- voxels -----------------------------------------------------------------------------------------------------------

enum { PAIR_ONE = 1 << 14 };  // of weights of pairs of 16-bit numbers

// Two 16-bit numbers in 32 bits, the first in the lower half, by weights in parts of PAIR_ONE that stand likewise.
PACKET vi vi_pair_sum(vi pair, vi weights) {
#if PACKET_AVX512
    return (vi)_mm512_madd_epi16((__m512i)pair, (__m512i)weights);
#elif PACKET_AVX2
    return (vi)_mm256_madd_epi16((__m256i)pair, (__m256i)weights);
#elif PACKET_SSE4
    return (vi)_mm_madd_epi16((__m128i)pair, (__m128i)weights);
#else
    return ((pair << 16) >> 16) * ((weights << 16) >> 16) + (pair >> 16) * (weights >> 16);
#endif
}

PACKET int32_t pair_at(const int16_t *at) {
    int32_t pair;
    memcpy(&pair, at, sizeof pair);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    pair = (int32_t)((uint32_t)pair >> 16 | (uint32_t)pair << 16);
#endif
    return pair;
}

// Pairs of neighbours along x from base[at] on, of four rows that lie 0, `row`, `plane` and both further.
PACKET void vi_pairs_around(const int16_t *base, const struct packet_lanes *at, int32_t row, int32_t plane, vi out[4]) {
#if PACKET_WIDTH == 1
    for (int n = 0; n < 4; n++) out[n] = vi_all(pair_at(base + at->of[0] + (n & 1) * row + (n >> 1) * plane));
#else
    vf found[4];
#define PAIR_AT(n, further) pair_at(base + at->of[n] + (further))
#define ROWS_AT(n) (row4)(row4i){PAIR_AT(n, 0), PAIR_AT(n, row), PAIR_AT(n, plane), PAIR_AT(n, row + plane)}
    const vf rows[4] = {VF_JOIN(ROWS_AT, 0), VF_JOIN(ROWS_AT, 1), VF_JOIN(ROWS_AT, 2), VF_JOIN(ROWS_AT, 3)};
#undef ROWS_AT
#undef PAIR_AT
    vf_transpose(rows, found);
    for (int n = 0; n < 4; n++) out[n] = (vi)found[n];
#endif
}

// base[index] of bytes, with three more readable behind each.
PACKET vi vi_gather_byte(const uint8_t *base, vi index) {
#if PACKET_AVX512
    struct packet_lanes at;
    vi_lanes(index, &at);
    __m128i first = _mm_cvtsi32_si128(base[at.of[0]]), second = _mm_cvtsi32_si128(base[at.of[8]]);
#define TAKE(n) first = _mm_insert_epi8(first, base[at.of[n]], n), second = _mm_insert_epi8(second, base[at.of[8 + (n)]], n)
    TAKE(1), TAKE(2), TAKE(3), TAKE(4), TAKE(5), TAKE(6), TAKE(7);
#undef TAKE
    return (vi)_mm512_cvtepu8_epi32(_mm_unpacklo_epi64(first, second));
#elif PACKET_AVX2
    return (vi)_mm256_i32gather_epi32((const int *)(const void *)base, (__m256i)index, 1) & 255;
#else
    vi found;
    for (int lane = 0; lane < PACKET_WIDTH; lane++) found[lane] = base[index[lane]];
    return found;
#endif
}

// e to the x, for x ≤ 0: 2 to the whole part by the exponent, the rest by Cephes' polynomial (S. Moshier, exp2f), whose thirds do not
// wait for each other.
PACKET vf vf_exp(vf x) {
    const vf y = vf_most(x * 1.44269504f, vf_all(-126)), whole = vf_floor(y + 0.5f), f = y - whole, f2 = f * f;
    const vf low = 1.0f + 6.931472028550421e-1f * f, middle = 2.402264791363012e-1f + 5.550332471162809e-2f * f;
    const vf high = 9.618437357674640e-3f + 1.339887440266574e-3f * f + 1.535336188319500e-4f * f2;
    const vf p = low + f2 * middle + f2 * f2 * high;
    return p * (vf)((vi_of(whole) + 127) << 23);
}

// Natural logarithm of x, positive and normal: Cephes' logf (S. Moshier).
PACKET vf vf_log(vf x) {
    const vi bits = (vi)x;
    vf m = (vf)((bits & 0x007fffff) | 0x3f000000);  // 0.5 … 1
    const vi low = (vi)(m < 0.707106781f);
    const vf e = vf_of((bits >> 23) - 126 + low);   // low is -1 where true
    m = m + vf_pick(low, m, vf_all(0)) - 1.0f;
    const vf z = m * m;
    vf p = 7.0376836292e-2f * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    const vf y = p * m * z + e * -2.12194440e-4f - 0.5f * z;
    return m + y + e * 0.693359375f;
}

#endif
