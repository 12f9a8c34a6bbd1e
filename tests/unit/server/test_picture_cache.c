// SPDX-License-Identifier: Apache-2.0
// Pictures are found again, leave in order of use, and take no more than the cap.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/picture_cache.h"

static const char *key_of(unsigned n) {
    static char key[PICTURE_KEY];
    snprintf(key, sizeof key, "%08x%024x", n * 2654435761u, n);
    return key;
}

static void put(struct picture_cache *cache, unsigned n, size_t size) {
    uint8_t *fill;
    struct shared_bytes *bytes = shared_bytes_new(size, &fill);
    memset(fill, (int)n, size);
    picture_cache_put(cache, key_of(n), bytes);
    shared_bytes_unref(bytes);
}

static bool has(struct picture_cache *cache, unsigned n) {
    struct shared_bytes *bytes = picture_cache_get(cache, key_of(n));
    if (bytes) assert_int_equal(bytes->data[bytes->size - 1], (uint8_t)n);
    shared_bytes_unref(bytes);
    return bytes != NULL;
}

static void test_the_longest_unused_leaves(void **state) {
    (void)state;
    struct picture_cache *cache = picture_cache_new(100000);
    for (unsigned n = 0; n < 8; n++) put(cache, n, 12000);
    assert_int_equal(picture_cache_count(cache), 8);
    assert_true(has(cache, 0));
    put(cache, 8, 12000);
    assert_true(has(cache, 0) && !has(cache, 1) && has(cache, 2) && has(cache, 8));
    assert_true(picture_cache_size(cache) <= 100000);
    picture_cache_free(cache);
}

static void test_another_takes_its_place(void **state) {
    (void)state;
    struct picture_cache *cache = picture_cache_new(100000);
    put(cache, 3, 1000);
    size_t size = picture_cache_size(cache);
    put(cache, 3, 2000);
    assert_int_equal(picture_cache_count(cache), 1);
    assert_int_equal(picture_cache_size(cache), size + 1000);
    assert_true(has(cache, 3));
    picture_cache_free(cache);
}

static void test_one_does_not_drive_out_all(void **state) {
    (void)state;
    struct picture_cache *cache = picture_cache_new(100000);
    put(cache, 1, 1000);
    put(cache, 2, 26000);
    assert_true(has(cache, 1) && !has(cache, 2));
    picture_cache_free(cache);
    picture_cache_free(NULL);
}

// More than there are buckets.
static void test_many(void **state) {
    (void)state;
    struct picture_cache *cache = picture_cache_new(1 << 24);
    for (unsigned n = 0; n < 80000; n++) put(cache, n, 100);
    assert_true(picture_cache_size(cache) <= 1 << 24 && picture_cache_count(cache) > 40000);
    assert_true(has(cache, 79999) && has(cache, 79000) && !has(cache, 0));
    picture_cache_free(cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_longest_unused_leaves), cmocka_unit_test(test_another_takes_its_place),
                                       cmocka_unit_test(test_one_does_not_drive_out_all), cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
