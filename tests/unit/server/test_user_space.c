// SPDX-License-Identifier: Apache-2.0
// Spaces of users without a server: the loop is played by delivering the mailbox. No engine's child is started, for nothing is asked of one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "server/user_space.h"

enum { MOST = 32, MOST_OF_A_PLACE = 4, FIRST = 1, LAST = FIRST + MOST };

struct fixture {
    struct config config;
    struct app app;
    struct identity *identity;
    struct service_mailbox *mailbox;
    struct user_spaces *spaces;
    int told_failed;
};

static void catalog_changed(void *context, identity_user user) { (void)context, (void)user; }
static void engine_changed(void *context, identity_user user) { (void)context, (void)user; }

static void failed(void *context, identity_user user, const char *words) {
    struct fixture *f = context;
    (void)user;
    f->told_failed += strstr(words, "try again later") != NULL;
}

static void set_up(struct fixture *f) {
    struct failure failure;
    struct identity_limits limits;
    const struct user_space_calls calls = {.catalog_changed = catalog_changed, .failed = failed, .engine_changed = engine_changed, .context = f};
    *f = (struct fixture){0};
    config_defaults(&f->config);
    snprintf(f->config.engine, sizeof f->config.engine, "local:1");
    snprintf(f->config.engine_python, sizeof f->config.engine_python, "/nowhere/python3");
    snprintf(f->config.reader, sizeof f->config.reader, "%s", VIRGA_READER);
    snprintf(f->config.state_dir, sizeof f->config.state_dir, "/nowhere");
    f->config.engine_for_each_user = true;
    if (app_init_catalog(&f->app, &f->config, &failure)) fail_msg("%s", failure.message);
    identity_limits_default(&limits);
    f->identity = identity_new(&limits);
    f->mailbox = service_mailbox_new();
    f->spaces = user_spaces_new(&f->app, f->identity, f->mailbox, &calls);
    assert_true(f->identity && f->mailbox && f->spaces);
}

static void tear_down(struct fixture *f) {
    user_spaces_free(f->spaces);
    service_mailbox_deliver(f->mailbox);
    service_mailbox_free(f->mailbox);
    identity_free(f->identity);
    app_destroy(&f->app);
}

struct answer {
    bool came;
    struct publication_result result;
};

static void take_answer(void *context, const struct publication_result *result) {
    struct answer *answer = context;
    assert_false(answer->came);  // once
    *answer = (struct answer){.came = true, .result = *result};
}

static void deliver_until(struct fixture *f, const bool *came) {
    double end = clock_monotonic() + 60;
    while (!*came && clock_monotonic() < end) {
        service_mailbox_deliver(f->mailbox);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_true(*came);
}

static void enter(struct fixture *f, identity_user user, client_place place, int expected) {
    struct failure failure;
    assert_int_equal(expected, user_spaces_enter(f->spaces, user, place, clock_monotonic(), &failure));
}

static void a_publication_hears_when_its_space_cannot_be_opened_again(void **state) {
    (void)state;
    struct fixture f;
    struct failure failure;
    struct answer answer = {0};
    set_up(&f);
    enter(&f, FIRST, 0, VIRGA_OK);
    user_spaces_tick(f.spaces, clock_monotonic() + f.config.engine_idle + 1);  // nobody used it: it closes
    assert_int_equal(0, user_spaces_count(f.spaces));
    int status = user_spaces_publish(f.spaces, FIRST, "published:mine", "", clock_monotonic(), take_answer, &answer, &failure);
    assert_int_equal(VIRGA_OK, status);
    for (identity_user user = FIRST + 1; user <= LAST; user++) enter(&f, user, 0, VIRGA_OK);  // before it has closed others take all there is
    deliver_until(&f, &answer.came);
    assert_int_equal(VIRGA_TOO_LARGE, answer.result.status);
    assert_non_null(strstr(answer.result.failure.message, "try again later"));
    assert_int_equal(0, user_spaces_publisher(f.spaces, answer.result.id));
    assert_int_equal(1, f.told_failed);
    enter(&f, FIRST, 0, VIRGA_TOO_LARGE);
    user_spaces_end(f.spaces, LAST);
    enter(&f, FIRST, 0, VIRGA_OK);
    tear_down(&f);
}

static void strangers_from_one_place_have_few_spaces(void **state) {
    (void)state;
    struct fixture f;
    struct failure failure;
    set_up(&f);
    for (identity_user user = 1; user <= MOST_OF_A_PLACE; user++) enter(&f, user, 77, VIRGA_OK);
    assert_int_equal(VIRGA_TOO_LARGE, user_spaces_enter(f.spaces, 9, 77, clock_monotonic(), &failure));
    assert_non_null(strstr(failure.message, "4 sessions from your address"));
    assert_null(user_spaces_engine(f.spaces, 9));
    enter(&f, 1, 77, VIRGA_OK);   // who has one keeps it
    enter(&f, 10, 78, VIRGA_OK);
    enter(&f, 11, 0, VIRGA_OK);
    user_spaces_end(f.spaces, 2);
    enter(&f, 9, 77, VIRGA_OK);
    assert_int_equal(MOST_OF_A_PLACE + 2, user_spaces_count(f.spaces));
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publication_hears_when_its_space_cannot_be_opened_again),
        cmocka_unit_test(strangers_from_one_place_have_few_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
