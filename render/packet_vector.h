// SPDX-License-Identifier: Apache-2.0
// Packets: PACKET_WIDTH (1, 4, 8 or 16) numbers that are handled at once, in the vector extensions of GCC and Clang. A file that
// includes this is compiled for one kind of processor; every lane computes the same, whatever the width. Private to render/.
#ifndef VIRGA_RENDER_PACKET_VECTOR_H
#define VIRGA_RENDER_PACKET_VECTOR_H

#include <math.h>
#include <stdbool.h>
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

// base[index] in the lower half and base[index + 1] in the upper.
PACKET vi vi_gather_pair(const int16_t *base, vi index) {
#if PACKET_AVX512
    return (vi)_mm512_i32gather_epi32((__m512i)index, base, 2);
#elif PACKET_AVX2
    return (vi)_mm256_i32gather_epi32((const int *)(const void *)base, (__m256i)index, 2);
#else
    vi found;
    for (int lane = 0; lane < PACKET_WIDTH; lane++) {
        const int16_t *at = base + index[lane];
        found[lane] = (int32_t)((uint32_t)(uint16_t)at[0] | (uint32_t)(uint16_t)at[1] << 16);
    }
    return found;
#endif
}

// base[index] of bytes, with three more readable behind each.
PACKET vi vi_gather_byte(const uint8_t *base, vi index) {
#if PACKET_AVX512
    return (vi)_mm512_i32gather_epi32((__m512i)index, base, 1) & 255;
#elif PACKET_AVX2
    return (vi)_mm256_i32gather_epi32((const int *)(const void *)base, (__m256i)index, 1) & 255;
#else
    vi found;
    for (int lane = 0; lane < PACKET_WIDTH; lane++) found[lane] = base[index[lane]];
    return found;
#endif
}

// e to the x, for x ≤ 0: 2 to the whole part by the exponent, the rest by Cephes' polynomial (S. Moshier, exp2f).
PACKET vf vf_exp(vf x) {
    const vf y = vf_most(x * 1.44269504f, vf_all(-126)), whole = vf_floor(y + 0.5f), f = y - whole;
    vf p = 1.535336188319500e-4f * f + 1.339887440266574e-3f;
    p = p * f + 9.618437357674640e-3f;
    p = p * f + 5.550332471162809e-2f;
    p = p * f + 2.402264791363012e-1f;
    p = p * f + 6.931472028550421e-1f;
    p = p * f + 1.0f;
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
