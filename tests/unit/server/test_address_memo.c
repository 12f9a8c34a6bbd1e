// SPDX-License-Identifier: Apache-2.0
// What an address meant is remembered in its catalog alone, byte for byte, and in bounded memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/address_memo.h"

static struct catalog *new_catalog(void) {
    struct catalog *catalog = NULL;
    assert_int_equal(catalog_join(NULL, 0, &catalog, NULL), 0);
    return catalog;
}

static void put(struct address_memo *memo, struct catalog *catalog, const char *address, size_t length, const char *key) {
    struct address_meaning meaning = {.type = "image/png", .cache = "no-cache"};
    snprintf(meaning.key, sizeof meaning.key, "%s", key);
    address_memo_put(memo, catalog, address, length, &meaning);
}

static void test_it_is_found_as_it_was_put(void **state) {
    (void)state;
    struct address_memo *memo = address_memo_new();
    struct catalog *catalog = new_catalog();
    assert_null(address_memo_find(memo, catalog, "a", 1));
    put(memo, catalog, "a\0b", 3, "first");
    assert_string_equal(address_memo_find(memo, catalog, "a\0b", 3)->key, "first");
    assert_null(address_memo_find(memo, catalog, "a\0c", 3));
    assert_null(address_memo_find(memo, catalog, "a", 1));
    put(memo, catalog, "a\0b", 3, "second");
    assert_string_equal(address_memo_find(memo, catalog, "a\0b", 3)->key, "second");
    address_memo_free(memo);
    catalog_unref(catalog);
    address_memo_free(NULL);
}

static void test_another_catalog_forgets_all(void **state) {
    (void)state;
    struct address_memo *memo = address_memo_new();
    struct catalog *one = new_catalog(), *other = new_catalog();
    put(memo, one, "a", 1, "one");
    assert_null(address_memo_find(memo, other, "a", 1));
    assert_non_null(address_memo_find(memo, one, "a", 1));
    put(memo, other, "b", 1, "other");
    assert_null(address_memo_find(memo, one, "a", 1));
    assert_non_null(address_memo_find(memo, other, "b", 1));
    address_memo_free(memo);
    catalog_unref(one);
    catalog_unref(other);
}

static void test_many_and_long_ones(void **state) {
    (void)state;
    static char text[100000];
    struct address_memo *memo = address_memo_new();
    struct catalog *catalog = new_catalog();
    memset(text, 'x', sizeof text);
    put(memo, catalog, text, sizeof text, "long");
    assert_null(address_memo_find(memo, catalog, text, sizeof text));
    for (int n = 0; n < 20000; n++) put(memo, catalog, text, (size_t)snprintf(text, sizeof text, "address %d", n), "key");
    size_t found = 0;
    for (int n = 0; n < 20000; n++) found += address_memo_find(memo, catalog, text, (size_t)snprintf(text, sizeof text, "address %d", n)) != NULL;
    assert_true(found > 2000 && found < 20000);
    address_memo_free(memo);
    catalog_unref(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_it_is_found_as_it_was_put), cmocka_unit_test(test_another_catalog_forgets_all), cmocka_unit_test(test_many_and_long_ones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
