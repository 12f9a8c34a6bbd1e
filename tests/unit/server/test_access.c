// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/access.h"

static const struct access_person nobody = {.name = ""}, anybody = {.name = "", .role = ACCESS_VIEWER}, viewer = {.name = "vera", .role = ACCESS_VIEWER},
                                  first = {.name = "ada", .role = ACCESS_FORECASTER}, second = {.name = "bob", .role = ACCESS_FORECASTER},
                                  admin = {.name = "root", .role = ACCESS_ADMIN};

static void test_nobody_may_nothing(void **state) {
    (void)state;
    for (enum access_act act = ACT_SEE; act <= ACT_OPERATE; act++)
        for (int owner = 0; owner < 2; owner++) assert_false(access_may(&nobody, act, owner ? "" : NULL));
}

static void test_viewers_only_look(void **state) {
    (void)state;
    for (enum access_act act = ACT_SEE; act <= ACT_OPERATE; act++) {
        assert_int_equal(act == ACT_SEE, access_may(&anybody, act, NULL));
        assert_int_equal(act == ACT_SEE, access_may(&viewer, act, NULL));
    }
    assert_false(access_may(&viewer, ACT_PIN, "vera"));
    assert_false(access_may(&anybody, ACT_PIN, ""));
}

static void test_forecasters_change_what_is_theirs(void **state) {
    (void)state;
    static const enum access_act acts[] = {ACT_PIN, ACT_EXPORT};
    for (size_t i = 0; i < 2; i++) {
        assert_true(access_may(&first, acts[i], NULL));
        assert_true(access_may(&first, acts[i], "ada"));
        static const char *const others[] = {"bob", "", "Ada", "ad", "adam", "ada ", "root", "local"};
        for (size_t n = 0; n < sizeof others / sizeof *others; n++) assert_false(access_may(&first, acts[i], others[n]));
        assert_true(access_may(&second, acts[i], "bob"));
        assert_false(access_may(&second, acts[i], "ada"));
    }
    assert_true(access_may(&first, ACT_SEE, "bob"));
    assert_false(access_may(&first, ACT_CLUSTER, NULL));
    assert_false(access_may(&first, ACT_CLUSTER, "ada"));
    assert_false(access_may(&first, ACT_OPERATE, "ada"));
}

static void test_a_forecaster_without_a_name_owns_nothing(void **state) {
    (void)state;
    const struct access_person unnamed = {.name = "", .role = ACCESS_FORECASTER};
    assert_false(access_may(&unnamed, ACT_PIN, NULL));
    assert_false(access_may(&unnamed, ACT_PIN, ""));
    assert_false(access_may(&unnamed, ACT_EXPORT, ""));
}

static void test_admins_may_all(void **state) {
    (void)state;
    for (enum access_act act = ACT_SEE; act <= ACT_OPERATE; act++) {
        assert_true(access_may(&admin, act, NULL));
        assert_true(access_may(&admin, act, "ada"));
        assert_true(access_may(&admin, act, ""));
    }
}

static void test_roles_by_name(void **state) {
    (void)state;
    for (enum access_role role = ACCESS_VIEWER; role <= ACCESS_ADMIN; role++) {
        enum access_role found = ACCESS_NOBODY;
        assert_true(access_role_parse(access_role_name(role), &found));
        assert_int_equal(role, found);
    }
    static const char *const bad[] = {"", "nobody", "Admin", "admins", "root", " viewer"};
    enum access_role role = ACCESS_VIEWER;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(access_role_parse(bad[i], &role));
    assert_int_equal(ACCESS_VIEWER, role);
}

static void test_names(void **state) {
    (void)state;
    char longest[ACCESS_NAME + 2];
    memset(longest, 'x', sizeof longest);
    longest[ACCESS_NAME + 1] = '\0';
    assert_false(access_name_valid(longest));
    longest[ACCESS_NAME] = '\0';
    assert_true(access_name_valid(longest));
    static const char *const good[] = {"ada", "ada@example.org", "Zoë Ångström", "a b", "локальный"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(access_name_valid(good[i]));
    static const char *const bad[] = {"", " ada", "ada ", "a\nb", "a\rb", "a\tb", "a\x7f" "b", "a\x01", "\xff", "a\xc3", "\xc0\xae", "local"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(access_name_valid(bad[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_may_nothing),
        cmocka_unit_test(test_viewers_only_look),
        cmocka_unit_test(test_forecasters_change_what_is_theirs),
        cmocka_unit_test(test_a_forecaster_without_a_name_owns_nothing),
        cmocka_unit_test(test_admins_may_all),
        cmocka_unit_test(test_roles_by_name),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
