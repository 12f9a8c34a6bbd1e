// SPDX-License-Identifier: Apache-2.0
// Tokens and logins: in the database, in memory, and through the service that keeps the two together.
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../own_folder.h"
#include "base/log.h"
#include "server/access_service.h"
#include "server/access_store.h"

static const double NOW = 1.8e9;
static char folder[64];
static struct state_database *database;
static sqlite3 *handle;

static int set_up(void **state) {
    (void)state;
    struct failure failure = {0};
    log_configure(LOG_LEVEL_ERROR, false);
    if (own_folder_make(folder, sizeof folder)) return -1;
    if (state_database_open(folder, &database, &failure)) fail_msg("%s", failure.message);
    return state_database_connect(database, &handle, &failure);
}

static int tear_down(void **state) {
    (void)state;
    sqlite3_close(handle);
    state_database_close(database);
    return own_folder_remove(folder);
}

static void hash_of(const char *text, uint8_t hash[SECRET_HASH]) { sha256(text, strlen(text), hash); }

static int64_t add_token(const char *text, const char *name, enum access_role role, double expires) {
    struct access_token token = {.person.role = role, .created = NOW, .expires = expires};
    struct failure failure = {0};
    snprintf(token.person.name, sizeof token.person.name, "%s", name);
    hash_of(text, token.hash);
    if (access_store_add_token(handle, &token, &failure)) fail_msg("%s", failure.message);
    return token.id;
}

static struct access_login login_of(const char *text, int64_t token, const char *name, double begun) {
    struct access_login login = {.token = token, .person.role = ACCESS_FORECASTER, .begun = begun, .expires = begun + ACCESS_DAY};
    snprintf(login.person.name, sizeof login.person.name, "%s", name);
    hash_of(text, login.hash);
    return login;
}

static void add_login(const char *text, int64_t token, const char *name, double begun) {
    struct access_login login = login_of(text, token, name, begun);
    assert_int_equal(VIRGA_OK, access_store_add_login(handle, &login, NULL));
}

static void load(struct access_table *table) {
    struct access_token *tokens;
    struct access_login *logins;
    size_t token_count, login_count;
    assert_int_equal(VIRGA_OK, access_store_load(handle, &tokens, &token_count, &logins, &login_count, NULL));
    access_table_set(table, tokens, token_count, logins, login_count);
}

static const char *found_at(struct access_table *table, enum access_kind kind, const char *text, double now) {
    static struct access_person person;
    uint8_t hash[SECRET_HASH];
    hash_of(text, hash);
    person = (struct access_person){0};
    return access_table_find(table, kind, hash, now, &person, NULL, NULL) ? person.name : NULL;
}

static void test_tokens_are_found_by_their_hash_until_they_end(void **state) {
    (void)state;
    struct access_table table;
    struct access_person person;
    uint8_t hash[SECRET_HASH];
    int64_t id;
    double ends;
    assert_int_equal(VIRGA_OK, access_table_init(&table));
    assert_null(found_at(&table, ACCESS_BY_TOKEN, "one", NOW));
    add_token("one", "ada", ACCESS_FORECASTER, 0);
    int64_t second = add_token("two", "bob", ACCESS_ADMIN, NOW + 10);
    load(&table);
    assert_string_equal("ada", found_at(&table, ACCESS_BY_TOKEN, "one", NOW + 1e9));
    assert_string_equal("bob", found_at(&table, ACCESS_BY_TOKEN, "two", NOW + 9));
    assert_null(found_at(&table, ACCESS_BY_TOKEN, "two", NOW + 10));
    assert_null(found_at(&table, ACCESS_BY_TOKEN, "three", NOW));
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "one", NOW));  // a token is no cookie
    assert_null(found_at(&table, ACCESS_NOTHING, "one", NOW));
    hash_of("two", hash);
    assert_true(access_table_find(&table, ACCESS_BY_TOKEN, hash, NOW, &person, &id, &ends));
    assert_int_equal(ACCESS_ADMIN, person.role);
    assert_true(id == second && ends == NOW + 10);
    assert_int_equal(VIRGA_OK, access_store_revoke(handle, second, NOW + 1, NULL));
    load(&table);
    assert_null(found_at(&table, ACCESS_BY_TOKEN, "two", NOW));
    assert_int_equal(VIRGA_NOT_FOUND, access_store_revoke(handle, 99, NOW, NULL));
    access_table_destroy(&table);
}

static void test_logins_end_and_with_their_token_too(void **state) {
    (void)state;
    struct access_table table;
    assert_int_equal(VIRGA_OK, access_table_init(&table));
    int64_t soon = add_token("soon", "ada", ACCESS_ADMIN, NOW + 100), stays = add_token("stays", "bob", ACCESS_VIEWER, 0);
    add_login("a", soon, "somebody else", NOW);
    add_login("b", stays, "bob", NOW);
    add_login("c", 0, "hub", NOW);
    load(&table);
    assert_string_equal("ada", found_at(&table, ACCESS_BY_LOGIN, "a", NOW + 99));  // its token says who it is
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "a", NOW + 100));
    assert_string_equal("bob", found_at(&table, ACCESS_BY_LOGIN, "b", NOW + 100));
    assert_string_equal("hub", found_at(&table, ACCESS_BY_LOGIN, "c", NOW + 100));
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "c", NOW + ACCESS_DAY));
    assert_null(found_at(&table, ACCESS_BY_TOKEN, "c", NOW));
    assert_int_equal(VIRGA_OK, access_store_revoke(handle, stays, NOW, NULL));
    uint8_t hash[SECRET_HASH];
    hash_of("c", hash);
    assert_int_equal(VIRGA_OK, access_store_end_login(handle, hash, NULL));
    load(&table);
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "b", NOW));
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "c", NOW));
    access_table_destroy(&table);
}

static void test_logins_are_few(void **state) {
    (void)state;
    struct access_table table;
    char text[32];
    assert_int_equal(VIRGA_OK, access_table_init(&table));
    int64_t token = add_token("t", "ada", ACCESS_ADMIN, 0);
    add_login("other", 0, "ada", NOW);  // of the same name, but by no token
    for (int i = 0; i < ACCESS_LOGINS_EACH + 3; i++) {
        snprintf(text, sizeof text, "t%d", i);
        add_login(text, token, "ada", NOW + i);
        snprintf(text, sizeof text, "h%d", i);
        add_login(text, 0, "hub", NOW + i);
    }
    load(&table);
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "t2", NOW + 50));
    assert_string_equal("ada", found_at(&table, ACCESS_BY_LOGIN, "t3", NOW + 50));
    assert_null(found_at(&table, ACCESS_BY_LOGIN, "h2", NOW + 50));
    assert_string_equal("hub", found_at(&table, ACCESS_BY_LOGIN, "h3", NOW + 50));
    assert_string_equal("ada", found_at(&table, ACCESS_BY_LOGIN, "other", NOW + 50));
    access_table_destroy(&table);
}

static void test_the_day_of_use_is_kept(void **state) {
    (void)state;
    struct access_table table;
    int64_t ids[4];
    double days[4];
    assert_int_equal(VIRGA_OK, access_table_init(&table));
    int64_t id = add_token("one", "ada", ACCESS_VIEWER, 0);
    load(&table);
    assert_int_equal(0, access_table_used(&table, ids, days, 4));
    found_at(&table, ACCESS_BY_TOKEN, "one", NOW + 5);
    load(&table);  // what was used meanwhile is not lost
    assert_int_equal(1, access_table_used(&table, ids, days, 4));
    assert_true(ids[0] == id && days[0] <= NOW + 5 && days[0] > NOW - ACCESS_DAY && (int64_t)days[0] % ACCESS_DAY == 0);
    found_at(&table, ACCESS_BY_TOKEN, "one", days[0] + ACCESS_DAY - 1);
    assert_int_equal(0, access_table_used(&table, ids, days, 4));
    assert_int_equal(VIRGA_OK, access_store_used(handle, id, days[0], NULL));
    load(&table);
    found_at(&table, ACCESS_BY_TOKEN, "one", days[0] + 1);
    assert_int_equal(0, access_table_used(&table, ids, days, 4));
    access_table_destroy(&table);
}

static void test_tokens_that_are_long_void_go_and_there_are_not_too_many(void **state) {
    (void)state;
    struct access_table table;
    char text[32];
    assert_int_equal(VIRGA_OK, access_table_init(&table));
    for (int i = 0; i < ACCESS_MOST_TOKENS; i++) {
        snprintf(text, sizeof text, "%d", i);
        add_token(text, "ada", ACCESS_VIEWER, NOW + 1);
    }
    struct access_token more = {.person = {.name = "bob", .role = ACCESS_VIEWER}, .created = NOW};
    struct failure failure = {0};
    assert_int_equal(VIRGA_TOO_LARGE, access_store_add_token(handle, &more, &failure));
    more.created = NOW + (ACCESS_KEEP_DAYS + 1.0) * ACCESS_DAY;
    assert_int_equal(VIRGA_OK, access_store_add_token(handle, &more, &failure));
    load(&table);
    assert_int_equal(1, table.token_count);
    access_table_destroy(&table);
}

static void test_rows_that_are_none_are_nobody(void **state) {
    (void)state;
    struct access_table table;
    assert_int_equal(VIRGA_OK, access_table_init(&table));
    assert_int_not_equal(SQLITE_OK, sqlite3_exec(handle, "INSERT INTO access_tokens VALUES (1, 'x', 'god', zeroblob(32), 0, 0, 0, 0)", NULL, NULL, NULL));
    assert_int_not_equal(SQLITE_OK, sqlite3_exec(handle, "INSERT INTO access_tokens VALUES (1, 'x', 'admin', zeroblob(31), 0, 0, 0, 0)", NULL, NULL, NULL));
    assert_int_not_equal(SQLITE_OK, sqlite3_exec(handle, "INSERT INTO access_logins VALUES (zeroblob(32), 77, 'x', 'admin', 0, 9e9)", NULL, NULL, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_exec(handle, "PRAGMA ignore_check_constraints = ON; INSERT INTO access_tokens VALUES (1, 'x' || char(10), 'god', zeroblob(32), 0, 0, 0, 0);"
                                                     "INSERT INTO access_tokens VALUES (2, 'y', 'admin', x'01', 0, 0, 0, 0)", NULL, NULL, NULL));
    load(&table);
    const uint8_t zeros[SECRET_HASH] = {0};
    struct access_person person;
    assert_true(access_table_find(&table, ACCESS_BY_TOKEN, zeros, NOW, &person, NULL, NULL));
    assert_int_equal(ACCESS_NOBODY, person.role);
    assert_false(access_may(&person, ACT_SEE, NULL));
    access_table_destroy(&table);
}

// The service.

struct asked {
    struct thread_command command;
    struct access_login login;
    atomic_int status;  // 1: not yet
};

static void run(struct thread_command *command, void *service, bool cancelled) {
    struct asked *asked = (struct asked *)command;
    atomic_store(&asked->status, cancelled ? VIRGA_CANCELLED : access_service_begin_login(service, &asked->login, NULL));
}

// What another process does is heeded soon.
static bool becomes(struct access_table *table, enum access_kind kind, const char *text, bool valid) {
    for (int i = 0; i < 500; i++) {
        if ((found_at(table, kind, text, NOW) != NULL) == valid) return true;
        poll(NULL, 0, 10);
    }
    return false;
}

static void test_a_service_heeds_what_others_write(void **state) {
    (void)state;
    struct access_service *service;
    struct failure failure = {0};
    add_token("before", "ada", ACCESS_VIEWER, 0);
    if (access_service_new(database, &service, &failure)) fail_msg("%s", failure.message);
    struct access_table *table = access_service_table(service);
    assert_string_equal("ada", found_at(table, ACCESS_BY_TOKEN, "before", NOW));
    int64_t id = add_token("after", "bob", ACCESS_VIEWER, 0);
    assert_true(becomes(table, ACCESS_BY_TOKEN, "after", true));
    struct asked asked = {.command.run = run, .login = login_of("cookie", id, "bob", NOW), .status = 1};
    assert_int_equal(VIRGA_OK, access_service_ask(service, &asked.command));
    assert_true(becomes(table, ACCESS_BY_LOGIN, "cookie", true));
    assert_int_equal(VIRGA_OK, access_store_revoke(handle, id, NOW, NULL));
    assert_true(becomes(table, ACCESS_BY_TOKEN, "after", false));
    assert_true(becomes(table, ACCESS_BY_LOGIN, "cookie", false));
    assert_int_equal(VIRGA_OK, atomic_load(&asked.status));
    access_service_free(service);
}

// Rather nobody than somebody whose token was revoked meanwhile.
static void test_what_cannot_be_read_lets_nobody_in(void **state) {
    (void)state;
    struct access_service *service;
    struct failure failure = {0};
    add_token("one", "ada", ACCESS_ADMIN, 0);
    if (access_service_new(database, &service, &failure)) fail_msg("%s", failure.message);
    log_configure(LOG_LEVEL_ERROR, false);
    assert_int_equal(SQLITE_OK, sqlite3_exec(handle, "ALTER TABLE access_logins RENAME TO hidden", NULL, NULL, NULL));
    assert_true(becomes(access_service_table(service), ACCESS_BY_TOKEN, "one", false));
    assert_int_equal(SQLITE_OK, sqlite3_exec(handle, "ALTER TABLE hidden RENAME TO access_logins", NULL, NULL, NULL));
    assert_true(becomes(access_service_table(service), ACCESS_BY_TOKEN, "one", true));
    access_service_free(service);
    access_service_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tokens_are_found_by_their_hash_until_they_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_logins_end_and_with_their_token_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_logins_are_few, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_day_of_use_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tokens_that_are_long_void_go_and_there_are_not_too_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_that_are_none_are_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_service_heeds_what_others_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read_lets_nobody_in, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
