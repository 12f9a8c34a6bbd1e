// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/identity.h"
#include "server/rate_limit.h"

static struct identity *new_identity(size_t tokens, size_t codes) {
    struct identity *identity = identity_new(&(struct identity_limits){.tokens = tokens, .codes = codes, .token_seconds = 1000, .fresh_seconds = 100, .code_seconds = 50});
    assert_non_null(identity);
    return identity;
}

static void a_token_is_long_plain_and_never_the_same(void **state) {
    (void)state;
    char a[SECRET_TEXT + 1], b[SECRET_TEXT + 1];
    assert_true(secret_make(a) && secret_make(b));
    assert_int_equal(strlen(a), 43);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_string_not_equal(a, b);
}

static void a_hash_is_sha_256(void **state) {
    (void)state;
    static const uint8_t abc[SECRET_HASH] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                             0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};  // FIPS 180-2, B.1
    uint8_t hash[SECRET_HASH];
    sha256("abc", 3, hash);
    assert_memory_equal(hash, abc, sizeof abc);
    assert_true(secret_equal(hash, abc));
    for (size_t i = 0; i < SECRET_HASH; i++) {
        hash[i] ^= 1;
        assert_false(secret_equal(hash, abc));
        hash[i] ^= 1;
    }
    static const uint8_t two_blocks[SECRET_HASH] = {0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
                                                    0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1};  // B.2
    sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hash);
    assert_memory_equal(hash, two_blocks, sizeof two_blocks);
    static const uint8_t nothing[SECRET_HASH] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                                 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    sha256("", 0, hash);
    assert_memory_equal(hash, nothing, sizeof nothing);
}

static void a_user_is_who_holds_a_token(void **state) {
    (void)state;
    struct identity *identity = new_identity(8, 4);
    char a[SECRET_TEXT + 1], b[SECRET_TEXT + 1], again[SECRET_TEXT + 1];
    identity_user first = identity_add(identity, 0, 0, a), second = identity_add(identity, 0, 0, b);
    assert_true(first && second && first != second);
    assert_int_equal(identity_find(identity, a, 1), first);
    assert_int_equal(identity_find(identity, b, 1), second);
    assert_int_equal(identity_add(identity, first, 1, again), first);
    assert_int_equal(identity_find(identity, again, 2), first);
    identity_forget(identity, first);
    assert_int_equal(identity_find(identity, a, 3), 0);
    assert_int_equal(identity_find(identity, again, 3), 0);
    assert_int_equal(identity_find(identity, b, 3), second);
    identity_free(identity);
}

static void nothing_else_is_anybody(void **state) {
    (void)state;
    struct identity *identity = new_identity(8, 4);
    char token[SECRET_TEXT + 1], wrong[600];
    identity_add(identity, 0, 0, token);
    static const char *const bad[] = {"", "0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(identity_find(identity, bad[i], 1), 0);
    for (int i = 0; i < SECRET_TEXT; i++) {
        strcpy(wrong, token);
        wrong[i] ^= 1;
        assert_int_equal(identity_find(identity, wrong, 1), 0);
    }
    snprintf(wrong, sizeof wrong, "%.42s", token);
    assert_int_equal(identity_find(identity, wrong, 1), 0);
    snprintf(wrong, sizeof wrong, "%s ", token);
    assert_int_equal(identity_find(identity, wrong, 1), 0);
    memset(wrong, 'A', sizeof wrong - 1);
    wrong[sizeof wrong - 1] = '\0';
    assert_int_equal(identity_find(identity, wrong, 1), 0);
    identity_free(identity);
}

static void a_token_ends_when_it_is_unused_for_long(void **state) {
    (void)state;
    struct identity *identity = new_identity(8, 4);
    char token[SECRET_TEXT + 1], other[SECRET_TEXT + 1];
    identity_user user = identity_add(identity, 0, 0, token), kept = identity_add(identity, 0, 0, other);
    assert_int_equal(identity_find(identity, token, 999), user);
    identity_touch(identity, kept, 999);
    assert_int_equal(identity_find(identity, token, 1998), user);  // use counts
    assert_int_equal(identity_find(identity, other, 1998), kept);
    assert_true(identity_exists(identity, user, 2998));
    assert_false(identity_exists(identity, user, 2999));
    assert_int_equal(identity_find(identity, token, 2999), 0);
    identity_free(identity);
}

static void the_table_is_bounded_and_fresh_users_keep_their_place(void **state) {
    (void)state;
    struct identity *identity = new_identity(4, 4);
    char token[5][SECRET_TEXT + 1], extra[SECRET_TEXT + 1];
    for (int i = 0; i < 4; i++) assert_true(identity_add(identity, 0, i, token[i]) != 0);
    assert_int_equal(identity_add(identity, 0, 50, extra), 0);
    assert_string_equal(extra, "");
    for (int i = 0; i < 4; i++) assert_true(identity_find(identity, token[i], 60 + i) != 0);
    assert_true(identity_add(identity, 0, 161, extra) != 0);  // the first was not used for more than 100 seconds
    assert_int_equal(identity_find(identity, token[0], 161), 0);
    for (int i = 1; i < 4; i++) assert_true(identity_find(identity, token[i], 161) != 0);
    identity_free(identity);
}

static void a_code_serves_once_and_not_for_long(void **state) {
    (void)state;
    struct identity *identity = new_identity(8, 2);
    char token[SECRET_TEXT + 1], codes[4][SECRET_TEXT + 1];
    identity_user user = identity_add(identity, 0, 0, token);
    assert_true(identity_code(identity, user, 0, codes[0]));
    assert_int_equal(identity_find(identity, codes[0], 1), 0);  // no token
    assert_int_equal(identity_redeem(identity, token, 1), 0);   // no code
    assert_int_equal(identity_redeem(identity, codes[0], 1), user);
    assert_int_equal(identity_redeem(identity, codes[0], 1), 0);
    assert_true(identity_code(identity, user, 10, codes[0]));
    assert_int_equal(identity_redeem(identity, codes[0], 61), 0);
    for (int i = 0; i < 4; i++) assert_true(identity_code(identity, user, 100 + i, codes[i]));  // two fit: the oldest go
    assert_int_equal(identity_redeem(identity, codes[0], 104), 0);
    assert_int_equal(identity_redeem(identity, codes[1], 104), 0);
    assert_int_equal(identity_redeem(identity, codes[2], 104), user);
    identity_forget(identity, user);
    assert_int_equal(identity_redeem(identity, codes[3], 104), 0);
    identity_free(identity);
}

static void a_publisher_holds_the_word_of_the_file(void **state) {
    (void)state;
    struct identity *identity = new_identity(8, 2);
    struct failure failure = {0};
    static const char word[] = "correct-horse-battery-staple-0123456789";
    char text[600];
    assert_false(identity_has_publisher(identity));
    assert_false(identity_is_publisher(identity, ""));
    static const char *const bad[] = {"", "short", "correct horse battery staple 0123456789", "correct-horse-battery-staple-\x01-0123456789"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(VIRGA_INVALID, identity_set_publisher(identity, bad[i], strlen(bad[i]), &failure));
        assert_null(*bad[i] ? strstr(failure.message, bad[i]) : NULL);
    }
    memset(text, 'a', sizeof text);
    assert_int_equal(VIRGA_INVALID, identity_set_publisher(identity, text, sizeof text, &failure));
    snprintf(text, sizeof text, "  %s \r\n", word);
    assert_int_equal(VIRGA_OK, identity_set_publisher(identity, text, strlen(text), &failure));
    assert_true(identity_has_publisher(identity) && identity_is_publisher(identity, word));
    assert_false(identity_is_publisher(identity, text));
    assert_false(identity_is_publisher(identity, "correct-horse-battery-staple-0123456788"));
    assert_false(identity_is_publisher(identity, "correct-horse-battery-staple-012345678"));
    assert_false(identity_is_publisher(identity, ""));
    identity_free(identity);
}

static void an_address_may_try_now_and_then(void **state) {
    (void)state;
    struct rate_limit limit;
    rate_limit_init(&limit, 3, 0.5);
    for (int i = 0; i < 3; i++) assert_true(rate_limit_take(&limit, "10.0.0.1", 0));
    assert_false(rate_limit_take(&limit, "10.0.0.1", 0));
    assert_true(rate_limit_take(&limit, "10.0.0.2", 0));
    assert_false(rate_limit_take(&limit, "10.0.0.1", 1));
    assert_true(rate_limit_take(&limit, "10.0.0.1", 2));
    assert_false(rate_limit_take(&limit, "10.0.0.1", 2));
    for (int i = 0; i < 3; i++) assert_true(rate_limit_take(&limit, "10.0.0.1", 1000));
    assert_false(rate_limit_take(&limit, "10.0.0.1", 1000));
}

static void more_addresses_than_fit_do_no_harm(void **state) {
    (void)state;
    struct rate_limit limit;
    char address[32];
    rate_limit_init(&limit, 1, 0.001);
    assert_true(rate_limit_take(&limit, "victim", 1));
    for (int i = 0; i < 200; i++) {
        snprintf(address, sizeof address, "a%d", i);
        assert_true(rate_limit_take(&limit, address, 2));
    }
    assert_false(rate_limit_take(&limit, "victim", 3));
    for (int i = 0; i < 1000; i++) {
        snprintf(address, sizeof address, "b%d", i);
        assert_true(rate_limit_take(&limit, address, 4 + i));
    }
    assert_true(rate_limit_take(&limit, "victim", 2000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_long_plain_and_never_the_same),
        cmocka_unit_test(a_hash_is_sha_256),
        cmocka_unit_test(a_user_is_who_holds_a_token),
        cmocka_unit_test(nothing_else_is_anybody),
        cmocka_unit_test(a_token_ends_when_it_is_unused_for_long),
        cmocka_unit_test(the_table_is_bounded_and_fresh_users_keep_their_place),
        cmocka_unit_test(a_code_serves_once_and_not_for_long),
        cmocka_unit_test(a_publisher_holds_the_word_of_the_file),
        cmocka_unit_test(an_address_may_try_now_and_then),
        cmocka_unit_test(more_addresses_than_fit_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
