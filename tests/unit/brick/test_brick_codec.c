// SPDX-License-Identifier: Apache-2.0
// Bricks to bytes and back: every predictor, width, mask and size; and bytes that are no bricks.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"
#include "brick/brick_codec.h"
#include "brick/brick_key.h"
#include "brick/lattice.h"
#include "brick/predictor.h"

static uint64_t random_state = 88172645463325252u;

static uint32_t random_bits(void) {  // xorshift64
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

enum content { SMOOTH, NOISE_8, NOISE_16, NOISE_32, CONSTANT, CONTENTS };

static void fill(enum content content, const uint32_t size[3], int missing_of_16, int32_t *q) {
    size_t s = 0;
    for (uint32_t z = 0; z < size[2]; z++)
        for (uint32_t y = 0; y < size[1]; y++)
            for (uint32_t x = 0; x < size[0]; x++, s++) {
                switch (content) {
                case SMOOTH:
                    q[s] = (int32_t)(1000 + 40 * sin(x * 0.2) + 30 * cos(y * 0.17 + x * 0.02) - 5.0 * z + (random_bits() & 1));
                    break;
                case NOISE_8: q[s] = (int32_t)(random_bits() % 100) - 2000000000; break;
                case NOISE_16: q[s] = (int32_t)(random_bits() % 20000); break;
                case NOISE_32: q[s] = (int32_t)(random_bits() ^ random_bits() << 16); break;
                default: q[s] = -77; break;
                }
                if (q[s] == LATTICE_MISSING) q[s]++;
                if ((int)(random_bits() % 16) < missing_of_16) q[s] = LATTICE_MISSING;
            }
}

static int32_t source[BRICK_MAX_VOXELS], key_voxels[BRICK_MAX_VOXELS], decoded[BRICK_MAX_VOXELS + 1];

static void expect_round_trip(struct brick_encoder *encoder, const uint32_t size[3], int predictor, int width) {
    const size_t count = (size_t)size[0] * size[1] * size[2];
    const struct brick_key_step key = {.step = 7, .q = key_voxels};
    struct shared_bytes *bytes;
    int status = brick_encode_as(encoder, size, source, &key, predictor, width, &bytes);
    if (status == VIRGA_UNSUPPORTED) {
        assert_true(width == 1 || width == 2 || predictor == PREDICTOR_WEIGHTED);
        return;
    }
    assert_int_equal(status, VIRGA_OK);
    assert_int_equal(bytes->data[1], width);
    assert_int_equal(bytes->data[2], predictor);
    decoded[count] = 12345;
    assert_int_equal(brick_decode(bytes->data, bytes->size, size, key_voxels, decoded), VIRGA_OK);
    assert_memory_equal(decoded, source, count * sizeof *source);
    assert_int_equal(decoded[count], 12345);
    shared_bytes_unref(bytes);
}

static void every_predictor_width_and_mask_comes_back_exactly(void **state) {
    (void)state;
    static const uint32_t sizes[][3] = {{1, 1, 1}, {34, 34, 34}, {33, 34, 7}, {2, 1, 1}, {1, 5, 1},
                                         {1, 1, 9}, {7, 3, 2},    {34, 2, 34}, {2, 2, 2}};
    static const int widths[] = {0, 1, 2, 4};
    struct brick_encoder *encoder = brick_encoder_new();
    assert_non_null(encoder);
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
        for (int content = 0; content < CONTENTS; content++)
            for (int missing = 0; missing <= 16; missing += missing < 2 ? 1 : 7) {
                fill((enum content)content, sizes[n], missing ? 3 : 0, key_voxels);
                fill((enum content)content, sizes[n], missing, source);
                for (int predictor = 0; predictor < PREDICTOR_COUNT; predictor++)
                    for (int w = 0; w < 4; w++) expect_round_trip(encoder, sizes[n], predictor, widths[w]);
            }
    brick_encoder_free(encoder);
}

static void the_chosen_way_comes_back_exactly_and_is_not_larger_than_the_others(void **state) {
    (void)state;
    const uint32_t size[3] = {34, 34, 33};
    const size_t count = 34 * 34 * 33;
    struct brick_encoder *encoder = brick_encoder_new();
    for (int content = 0; content < CONSTANT; content++)
        for (int missing = 0; missing <= 10; missing += 5) {
            fill((enum content)content, size, missing, source);
            struct shared_bytes *best, *other;
            assert_int_equal(brick_encode(encoder, size, source, NULL, &best), VIRGA_OK);
            assert_int_equal(brick_decode(best->data, best->size, size, NULL, decoded), VIRGA_OK);
            assert_memory_equal(decoded, source, count * sizeof *source);
            for (int predictor = 0; predictor < PREDICTOR_COUNT; predictor++)
                for (int width = 0; width <= 4; width += width ? width : 1) {
                    if (brick_encode_as(encoder, size, source, NULL, predictor, width, &other)) continue;
                    if ((double)best->size > (content == SMOOTH ? 1.03 : 1.15) * (double)other->size + 40)  // it is an estimate
                        fail_msg("content %d missing %d: %zu bytes by %d %d, but %zu by predictor %d width %d", content, missing,
                                 best->size, best->data[2], best->data[1],
                                 other->size, predictor, width);
                    shared_bytes_unref(other);
                }
            shared_bytes_unref(best);
        }
    brick_encoder_free(encoder);
}

static void constant_and_missing_bricks_have_no_bytes(void **state) {
    (void)state;
    const uint32_t size[3] = {20, 34, 5};
    struct brick_encoder *encoder = brick_encoder_new();
    struct shared_bytes *bytes;
    fill(CONSTANT, size, 0, source);
    assert_int_equal(brick_encode(encoder, size, source, NULL, &bytes), VIRGA_OK);
    assert_int_equal(bytes->size, 0);
    shared_bytes_unref(bytes);
    fill(SMOOTH, size, 16, source);
    assert_int_equal(brick_encode(encoder, size, source, NULL, &bytes), VIRGA_OK);
    assert_int_equal(bytes->size, 0);
    shared_bytes_unref(bytes);
    fill(CONSTANT, size, 0, source);
    source[77] = LATTICE_MISSING;  // constant where present, but not everywhere
    assert_int_equal(brick_encode(encoder, size, source, NULL, &bytes), VIRGA_OK);
    assert_int_not_equal(bytes->size, 0);
    shared_bytes_unref(bytes);
    brick_encoder_free(encoder);
}

static void a_survey_bounds_what_is_present(void **state) {
    (void)state;
    int32_t low, high;
    const int32_t some[] = {5, LATTICE_MISSING, -3, 9}, none[] = {LATTICE_MISSING}, same[] = {4, 4}, full[] = {INT32_MAX, INT32_MIN + 1};
    assert_int_equal(brick_survey(4, some, &low, &high), BRICK_MASKED);
    assert_true(low == -3 && high == 9);
    assert_int_equal(brick_survey(1, none, &low, &high), BRICK_MISSING);
    assert_true(low == 0 && high == 0);
    assert_int_equal(brick_survey(2, same, &low, &high), BRICK_CONSTANT);
    assert_true(low == 4 && high == 4);
    assert_int_equal(brick_survey(2, full, &low, &high), BRICK_FULL);
    assert_true(low == INT32_MIN + 1 && high == INT32_MAX);
}

static void a_key_step_makes_an_equal_brick_nearly_free(void **state) {
    (void)state;
    const uint32_t size[3] = {34, 34, 34};
    struct brick_encoder *encoder = brick_encoder_new();
    fill(NOISE_16, size, 0, source);
    memcpy(key_voxels, source, sizeof source);
    source[500] += 3;
    const struct brick_key_step key = {.step = 7, .q = key_voxels};
    struct shared_bytes *bytes;
    assert_int_equal(brick_encode(encoder, size, source, &key, &bytes), VIRGA_OK);
    assert_true(bytes->size < 300);
    assert_int_equal(bytes->data[2], PREDICTOR_KEY);
    assert_int_equal(bytes->data[8], 7);
    assert_int_equal(brick_decode(bytes->data, bytes->size, size, NULL, decoded), VIRGA_UNSUPPORTED);
    assert_int_equal(brick_decode(bytes->data, bytes->size, size, key_voxels, decoded), VIRGA_OK);
    assert_memory_equal(decoded, source, sizeof source);
    shared_bytes_unref(bytes);
    brick_encoder_free(encoder);
}

static void the_same_voxels_give_the_same_bytes(void **state) {
    (void)state;
    const uint32_t size[3] = {34, 34, 34};
    struct brick_encoder *one = brick_encoder_new(), *two = brick_encoder_new();
    struct shared_bytes *a, *b, *c;
    fill(SMOOTH, size, 1, key_voxels);
    memcpy(source, key_voxels, sizeof source);
    assert_int_equal(brick_encode(one, size, source, NULL, &a), VIRGA_OK);
    fill(NOISE_32, size, 3, source);
    assert_int_equal(brick_encode(one, size, source, NULL, &c), VIRGA_OK);
    shared_bytes_unref(c);
    assert_int_equal(brick_encode(two, size, key_voxels, NULL, &b), VIRGA_OK);
    assert_int_equal(brick_encode(one, size, key_voxels, NULL, &c), VIRGA_OK);
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->data, b->data, a->size);
    assert_memory_equal(a->data, c->data, a->size);
    shared_bytes_unref(a);
    shared_bytes_unref(b);
    shared_bytes_unref(c);
    brick_encoder_free(one);
    brick_encoder_free(two);
}

static void wrong_sizes_are_refused(void **state) {
    (void)state;
    const uint32_t wide[3] = {35, 1, 1}, empty[3] = {1, 0, 1}, size[3] = {9, 8, 7}, other[3] = {9, 8, 6};
    struct brick_encoder *encoder = brick_encoder_new();
    struct shared_bytes *bytes;
    fill(NOISE_8, size, 2, source);
    assert_int_equal(brick_encode(encoder, wide, source, NULL, &bytes), VIRGA_INVALID);
    assert_int_equal(brick_encode(encoder, empty, source, NULL, &bytes), VIRGA_INVALID);
    assert_int_equal(brick_encode(encoder, size, source, NULL, &bytes), VIRGA_OK);
    assert_int_equal(brick_decode(bytes->data, bytes->size, wide, NULL, decoded), VIRGA_INVALID);
    assert_int_equal(brick_decode(bytes->data, bytes->size, other, NULL, decoded), VIRGA_INVALID);
    uint8_t *longer = calloc(1, bytes->size + 1);
    memcpy(longer, bytes->data, bytes->size);
    assert_int_equal(brick_decode(longer, bytes->size + 1, size, NULL, decoded), VIRGA_INVALID);
    for (size_t cut = 0; cut < bytes->size; cut++)
        assert_int_equal(brick_decode(longer, cut, size, NULL, decoded), VIRGA_INVALID);
    free(longer);
    shared_bytes_unref(bytes);
    brick_encoder_free(encoder);
}

// Run with sanitizers, this shows that no byte outside is touched; without, that it ends and that the guard stays.
static void mutated_bytes_are_decoded_or_refused_within_bounds(void **state) {
    (void)state;
    static const uint32_t sizes[][3] = {{34, 34, 34}, {5, 4, 3}, {1, 1, 1}};
    struct brick_encoder *encoder = brick_encoder_new();
    size_t refused = 0, tries = 0;
    for (int round = 0; round < 600; round++) {
        const uint32_t *size = sizes[round % 3];
        const size_t count = (size_t)size[0] * size[1] * size[2];
        struct shared_bytes *bytes;
        fill((enum content)(round % CONSTANT), size, round % 4, source);
        if (brick_encode_as(encoder, size, source, NULL, round % 5 == 3 ? 1 : round % 5, round & 1 ? 0 : 4, &bytes)) continue;
        uint8_t *mutated = malloc(bytes->size);
        for (int m = 0; m < 8; m++) {
            memcpy(mutated, bytes->data, bytes->size);
            const size_t changes = 1 + random_bits() % 3;
            for (size_t c = 0; c < changes; c++) {  // the first in the header or nearby
                const size_t within = c || bytes->size < 40 ? bytes->size : 40;
                mutated[random_bits() % within] = (uint8_t)random_bits();
            }
            int32_t *out = malloc((count + 1) * sizeof *out);
            out[count] = 4711;
            int status = brick_decode(mutated, bytes->size, size, NULL, out);
            assert_true(status == VIRGA_OK || status == VIRGA_INVALID || status == VIRGA_UNSUPPORTED);
            assert_int_equal(out[count], 4711);
            refused += status != VIRGA_OK;
            tries++;
            free(out);
        }
        free(mutated);
        shared_bytes_unref(bytes);
    }
    assert_true(refused > tries / 4);
    brick_encoder_free(encoder);
}

static void values_come_back_within_epsilon_even_as_float32(void **state) {
    (void)state;
    const struct lattice_spec lattices[] = {{0, lattice_step(0.05), 0.05}, {273.15, lattice_step(0.1), 0.1}, {0, lattice_step(1e-7), 1e-7}};
    for (size_t l = 0; l < 3; l++) {
        const double reach = lattice_float32_limit(&lattices[l]);
        for (int i = 0; i < 100000; i++) {
            const double value = ((double)random_bits() / 2147483648.0 - 1) * reach;
            const int32_t q = lattice_from_value(&lattices[l], value);
            assert_true(fabs((double)(float)lattice_to_value(&lattices[l], q) - value) <= lattices[l].epsilon);
        }
    }
}

static void what_has_no_lattice_value_is_missing(void **state) {
    (void)state;
    const struct lattice_spec lattice = {0, 1, 0.5};
    double values[] = {NAN, INFINITY, -INFINITY, 9.96921e36, 2147483648.0, -2147483648.0, 2147483647.0, -2147483647.4, 0.5, 1.5, -2.25};
    int32_t q[11];
    struct lattice_range range;
    for (int i = 0; i < 6; i++) assert_int_equal(lattice_from_value(&lattice, values[i]), LATTICE_MISSING);
    lattice_from_values(&lattice, 11, values, q, &range);
    for (int i = 0; i < 6; i++) assert_int_equal(q[i], LATTICE_MISSING);
    assert_int_equal(q[6], INT32_MAX);
    assert_int_equal(q[7], -INT32_MAX);
    assert_int_equal(q[8], 0);  // to even, as rint
    assert_int_equal(q[9], 2);
    assert_int_equal(q[10], -2);
    assert_int_equal(range.missing, 6);
    assert_int_equal(range.lost, 3);  // numbers, and yet missing
    assert_true(range.lowest == -INT32_MAX && range.highest == INT32_MAX);
    assert_true(values[0] == 0 && values[10] == -2.25 * LATTICE_FRACTION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_predictor_width_and_mask_comes_back_exactly),
        cmocka_unit_test(the_chosen_way_comes_back_exactly_and_is_not_larger_than_the_others),
        cmocka_unit_test(constant_and_missing_bricks_have_no_bytes),
        cmocka_unit_test(a_survey_bounds_what_is_present),
        cmocka_unit_test(a_key_step_makes_an_equal_brick_nearly_free),
        cmocka_unit_test(the_same_voxels_give_the_same_bytes),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(mutated_bytes_are_decoded_or_refused_within_bounds),
        cmocka_unit_test(values_come_back_within_epsilon_even_as_float32),
        cmocka_unit_test(what_has_no_lattice_value_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
