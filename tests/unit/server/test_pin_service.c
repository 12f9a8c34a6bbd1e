// SPDX-License-Identifier: Apache-2.0
// Pins through their thread: what is answered is in the database and in the table; who may not, and who was late, changes nothing.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../own_folder.h"
#include "base/log.h"
#include "server/pin_service.h"

#define VIEW "{\"version\":1,\"dataset\":\"d\",\"layers\":[{\"variable\":\"v\"}]}"

static const struct access_person ann = {.name = "ann", .role = ACCESS_FORECASTER}, ben = {.name = "ben", .role = ACCESS_FORECASTER},
                                  admin = {.name = "cy", .role = ACCESS_ADMIN}, viewer = {.name = "vi", .role = ACCESS_VIEWER};
static char folder[64];
static struct state_database *database;
static struct pin_service *service;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t finished;  // lock

static void ignore(void *user) { (void)user; }

static void open_service(void) {
    struct failure failure;
    if (state_database_open(folder, &database, &failure) || pin_service_new(database, ignore, NULL, &service, &failure)) fail_msg("%s", failure.message);
}

static void close_service(void) {
    pin_service_free(service);
    state_database_close(database);
}

static int set_up(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_ERROR, false);
    if (own_folder_make(folder, sizeof folder)) return -1;
    open_service();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    close_service();
    return own_folder_remove(folder);
}

static void done(struct pin_command *command) {
    (void)command;
    pthread_mutex_lock(&lock);
    finished++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(size_t count) {
    pthread_mutex_lock(&lock);
    while (finished < count) pthread_cond_wait(&changed, &lock);
    finished -= count;
    pthread_mutex_unlock(&lock);
}

static struct pin_command command_of(enum pin_act act, const struct access_person *person, const char *id, int64_t match, const char *edit) {
    struct pin_command command = {.act = act, .person = *person, .match = match, .done = done};
    if (id) snprintf(command.id, sizeof command.id, "%s", id);
    if (edit && pin_request_edit(edit, strlen(edit), act == PIN_ADD, &command.edit, &command.failure)) fail_msg("%s", command.failure.message);
    return command;
}

// Asks, and waits for the answer.
static int ask(struct pin_command *command) {
    if (pin_service_ask(service, command)) fail_msg("the queue is full");
    wait_for(1);
    return command->status;
}

static int change(enum pin_act act, const struct access_person *person, const char *id, int64_t match, const char *edit) {
    struct pin_command command = command_of(act, person, id, match, edit);
    int status = ask(&command);
    bool forbidden = command.forbidden;
    pin_command_release(&command);
    return forbidden ? -100 : status;
}

static void make(const struct access_person *person, const char *title, char id[PIN_ID + 1]) {
    char edit[400];
    snprintf(edit, sizeof edit, "{\"title\":\"%s\",\"view\":" VIEW "}", title);
    struct pin_command command = command_of(PIN_ADD, person, NULL, PIN_MATCH_ANY, edit);
    assert_int_equal(ask(&command), VIRGA_OK);
    memcpy(id, command.pin.id, PIN_ID + 1);
    pin_command_release(&command);
}

// "TITLE REVISION", or "gone".
static const char *shown(const char *id) {
    static char text[300];
    struct pin pin;
    if (!pin_table_get(pin_service_table(service), id, &pin)) return "gone";
    snprintf(text, sizeof text, "%s %u", pin.is.title, pin.revision);
    pin_release(&pin);
    return text;
}

static void test_what_is_answered_is_kept(void **state) {
    (void)state;
    char first[PIN_ID + 1], second[PIN_ID + 1];
    make(&ann, "one", first);
    make(&ben, "two", second);
    assert_int_equal(change(PIN_EDIT, &ann, first, 1, "{\"title\":\"other\"}"), VIRGA_OK);
    assert_int_equal(change(PIN_DELETE, &ben, second, 1, NULL), VIRGA_OK);
    assert_string_equal(shown(first), "other 2");
    close_service();
    open_service();
    assert_string_equal(shown(first), "other 2");
    assert_string_equal(shown(second), "gone");
    assert_int_equal(change(PIN_UNDO, &ben, second, 2, NULL), VIRGA_OK);
    assert_string_equal(shown(second), "two 3");
}

static void test_another_s_pin_is_not_changed(void **state) {
    (void)state;
    char id[PIN_ID + 1];
    make(&ann, "mine", id);
    for (enum pin_act act = PIN_EDIT; act <= PIN_RESTORE; act++) {
        assert_int_equal(change(act, &ben, id, PIN_MATCH_ANY, act == PIN_EDIT ? "{\"title\":\"x\"}" : NULL), -100);
        assert_int_equal(change(act, &viewer, id, PIN_MATCH_ANY, act == PIN_EDIT ? "{\"title\":\"x\"}" : NULL), -100);
    }
    assert_int_equal(change(PIN_ADD, &viewer, NULL, PIN_MATCH_ANY, "{\"title\":\"x\",\"view\":" VIEW "}"), -100);
    assert_string_equal(shown(id), "mine 1");
    assert_int_equal(change(PIN_EDIT, &admin, id, 1, "{\"title\":\"x\"}"), VIRGA_OK);
    assert_string_equal(shown(id), "x 2");
    assert_int_equal(change(PIN_DELETE, &ann, id, 2, NULL), VIRGA_OK);
    assert_int_equal(change(PIN_UNDO, &ben, id, 3, NULL), -100);
    assert_int_equal(change(PIN_HISTORY, &ben, id, PIN_MATCH_ANY, NULL), VIRGA_NOT_FOUND);  // of a deleted one, nothing is told
    assert_int_equal(change(PIN_HISTORY, &ann, id, PIN_MATCH_ANY, NULL), VIRGA_OK);
}

static void test_who_is_late_changes_nothing_and_sees_what_is(void **state) {
    (void)state;
    char id[PIN_ID + 1];
    make(&ann, "a", id);
    assert_int_equal(change(PIN_EDIT, &ann, id, 1, "{\"title\":\"b\"}"), VIRGA_OK);
    struct pin_command late = command_of(PIN_EDIT, &ann, id, 1, "{\"title\":\"c\"}");
    assert_int_equal(ask(&late), VIRGA_CHANGED);
    assert_true(late.pin.revision == 2 && !strcmp(late.pin.is.title, "b"));
    pin_command_release(&late);
    assert_string_equal(shown(id), "b 2");
}

// All wait, so they go in one transaction; what cannot be done takes back its own step only.
static void test_many_at_once_follow_one_another(void **state) {
    (void)state;
    enum { MANY = 60 };
    static struct pin_command commands[MANY];
    char id[PIN_ID + 1], title[60];
    make(&ann, "a", id);
    for (int i = 0; i < MANY; i++) {
        snprintf(title, sizeof title, "{\"title\":\"n%d\"}", i);
        commands[i] = command_of(PIN_EDIT, i % 3 == 2 ? &ben : &ann, id, i % 3 == 1 ? 1 : PIN_MATCH_ANY, title);
        assert_int_equal(pin_service_ask(service, &commands[i]), VIRGA_OK);
    }
    wait_for(MANY);
    for (int i = 0; i < MANY; i++) {
        if (i % 3 == 0) assert_int_equal(commands[i].status, VIRGA_OK);
        else if (i % 3 == 1) assert_int_equal(commands[i].status, VIRGA_CHANGED);
        else assert_true(commands[i].forbidden);
        pin_command_release(&commands[i]);
    }
    snprintf(title, sizeof title, "n%d %d", MANY - 3, 1 + MANY / 3);
    assert_string_equal(shown(id), title);
}

static void test_large_views_leave_a_shorter_history(void **state) {
    (void)state;
    enum { LARGE = 60000 };
    static char edit[LARGE + 200], caption[201];
    char id[PIN_ID + 1];
    make(&ann, "a", id);
    for (int i = 0; i < 40; i++) {
        int at = snprintf(edit, sizeof edit, "{\"view\":{\"version\":1,\"dataset\":\"d\",\"exaggeration\":%d,\"layers\":[", i + 1);
        memset(caption, 'v', 190);
        for (int layer = 0; layer < 8; layer++) {
            at += snprintf(edit + at, sizeof edit - (size_t)at, "%s{\"variable\":\"%s\",\"opacity\":[[0,0]", layer ? "," : "", caption);
            for (int p = 1; p < 32; p++) at += snprintf(edit + at, sizeof edit - (size_t)at, ",[%d.123456789012345,0.123456789012345]", p);
            at += snprintf(edit + at, sizeof edit - (size_t)at, "]}");
        }
        snprintf(edit + at, sizeof edit - (size_t)at, "]}}");
        assert_int_equal(change(PIN_EDIT, &ann, id, i + 1, edit), VIRGA_OK);
    }
    struct pin_command history = command_of(PIN_HISTORY, &ann, id, PIN_MATCH_ANY, NULL);
    assert_int_equal(ask(&history), VIRGA_OK);
    assert_in_range(history.count, 4, 40);  // of 41
    assert_int_equal(history.revisions[history.count - 1].revision, 42 - history.count);
    pin_command_release(&history);
}

static void fill(const char *owner, int count) {
    sqlite3 *handle;
    char sql[700];
    assert_int_equal(state_database_connect(database, &handle, NULL), VIRGA_OK);
    snprintf(sql, sizeof sql, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
             " INSERT INTO pins (id, owner, created, revision, deleted, bytes) SELECT printf('%%s%%012d', '%.4s', i), '%s', 1, 1, 0, 10 FROM n;", count, owner, owner);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static void test_there_are_only_so_many(void **state) {
    (void)state;
    char id[PIN_ID + 1];
    make(&ann, "mine", id);
    assert_int_equal(change(PIN_DELETE, &ann, id, 1, NULL), VIRGA_OK);
    fill("ann", PIN_MOST_OF_OWNER);
    assert_int_equal(change(PIN_ADD, &ann, NULL, PIN_MATCH_ANY, "{\"title\":\"x\",\"view\":" VIEW "}"), VIRGA_TOO_LARGE);
    assert_int_equal(change(PIN_UNDO, &ann, id, 2, NULL), VIRGA_TOO_LARGE);
    assert_string_equal(shown(id), "gone");
    make(&ben, "another's", id);
    fill("many", PIN_MOST - PIN_MOST_OF_OWNER - 1);
    assert_int_equal(change(PIN_ADD, &ben, NULL, PIN_MATCH_ANY, "{\"title\":\"x\",\"view\":" VIEW "}"), VIRGA_TOO_LARGE);
}

static void test_a_table_that_is_gone_fails_what_is_asked_and_nothing_else(void **state) {
    (void)state;
    char id[PIN_ID + 1];
    sqlite3 *handle;
    make(&ann, "a", id);
    assert_int_equal(state_database_connect(database, &handle, NULL), VIRGA_OK);
    assert_int_equal(sqlite3_exec(handle, "ALTER TABLE pin_revisions RENAME TO away", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(change(PIN_EDIT, &ann, id, 1, "{\"title\":\"b\"}"), VIRGA_IO);
    assert_string_equal(shown(id), "a 1");
    assert_int_equal(sqlite3_exec(handle, "ALTER TABLE away RENAME TO pin_revisions", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    assert_int_equal(change(PIN_EDIT, &ann, id, 1, "{\"title\":\"b\"}"), VIRGA_OK);
    assert_string_equal(shown(id), "b 2");
}

// As where the disk is full: a file may be no larger.
static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_what_cannot_be_written_is_refused_and_goes_on_when_it_can(void **state) {
    (void)state;
    char id[PIN_ID + 1], title[60], expected[60];
    int revision = 1, status = VIRGA_OK;
    make(&ann, "a", id);
    signal(SIGXFSZ, SIG_IGN);
    limit_files(300 << 10);
    for (int i = 0; i < 200 && !status; i++) {
        snprintf(title, sizeof title, "{\"title\":\"n%d\"}", i);
        status = change(PIN_EDIT, &ann, id, revision, title);
        if (status) break;
        snprintf(expected, sizeof expected, "n%d %d", i, ++revision);
    }
    assert_true(status == VIRGA_IO || status == VIRGA_TOO_LARGE);
    assert_string_equal(shown(id), expected);
    limit_files(RLIM_INFINITY);
    assert_int_equal(change(PIN_EDIT, &ann, id, revision, "{\"title\":\"again\"}"), VIRGA_OK);
    close_service();
    open_service();
    snprintf(expected, sizeof expected, "again %d", revision + 1);
    assert_string_equal(shown(id), expected);
}

static void test_what_is_shown_at_the_moment_is_of_one_revision(void **state) {
    (void)state;
    char id[PIN_ID + 1];
    uint8_t *text;
    struct pin pins[2];
    struct change_seen seen = {0};
    bool all;
    struct shared_bytes *live = shared_bytes_new(2, &text);
    memcpy(text, "{}", 2);
    make(&ann, "a", id);
    struct pin_table *table = pin_service_table(service);
    pin_table_set_live(table, id, 2, live);  // of another revision
    assert_int_equal(pin_table_changed(table, &seen, pins, 2, &all), 1);
    assert_null(pins[0].live);
    pin_release(&pins[0]);
    pin_table_set_live(table, id, 1, live);
    assert_int_equal(pin_table_changed(table, &seen, pins, 2, &all), 1);
    assert_ptr_equal(pins[0].live, live);
    pin_release(&pins[0]);
    assert_int_equal(change(PIN_EDIT, &ann, id, 1, "{\"title\":\"b\"}"), VIRGA_OK);
    assert_int_equal(pin_table_changed(table, &seen, pins, 2, &all), 1);
    assert_ptr_equal(pins[0].live, live);  // until the next one is known
    pin_release(&pins[0]);
    shared_bytes_unref(live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_answered_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_s_pin_is_not_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_late_changes_nothing_and_sees_what_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_at_once_follow_one_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_views_leave_a_shorter_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_there_are_only_so_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_table_that_is_gone_fails_what_is_asked_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_written_is_refused_and_goes_on_when_it_can, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_shown_at_the_moment_is_of_one_revision, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
