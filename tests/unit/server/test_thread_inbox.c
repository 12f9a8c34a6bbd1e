// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/thread_inbox.h"

static struct thread_inbox inbox;

struct note {
    struct thread_command command;
    int number;
};

static int ran[8], cancelled_ones;
static size_t ran_count;

static void run(struct thread_command *command, void *service, bool cancelled) {
    assert_ptr_equal(service, &inbox);
    cancelled_ones += cancelled;
    ran[ran_count++] = ((struct note *)command)->number;
    command->next = NULL;  // it may be anything by now
}

static int set_up(void **state) {
    (void)state;
    ran_count = 0;
    cancelled_ones = 0;
    return thread_inbox_init(&inbox, 3, NULL);
}

static int tear_down(void **state) {
    (void)state;
    thread_inbox_destroy(&inbox);
    thread_inbox_destroy(&inbox);  // of one that is not there
    return 0;
}

static bool is_awake(void) { return poll(&(struct pollfd){.fd = inbox.wake, .events = POLLIN}, 1, 0) == 1; }

static void test_all_is_done_in_the_order_it_was_asked(void **state) {
    (void)state;
    struct note notes[3] = {{{NULL, run}, 1}, {{NULL, run}, 2}, {{NULL, run}, 3}};
    bool stopping = true;
    assert_false(is_awake());
    for (int i = 0; i < 3; i++) assert_int_equal(thread_inbox_ask(&inbox, &notes[i].command), VIRGA_OK);
    assert_true(is_awake());
    thread_inbox_woken(&inbox);
    assert_false(is_awake());
    thread_inbox_run_all(thread_inbox_take(&inbox, &stopping), &inbox, false);
    assert_true(ran_count == 3 && ran[0] == 1 && ran[1] == 2 && ran[2] == 3 && !stopping && !cancelled_ones);
    assert_null(thread_inbox_take(&inbox, &stopping));
}

static void test_more_than_may_wait_are_refused(void **state) {
    (void)state;
    struct note notes[4] = {{{NULL, run}, 1}, {{NULL, run}, 2}, {{NULL, run}, 3}, {{NULL, run}, 4}};
    bool stopping;
    for (int i = 0; i < 3; i++) assert_int_equal(thread_inbox_ask(&inbox, &notes[i].command), VIRGA_OK);
    assert_int_equal(thread_inbox_ask(&inbox, &notes[3].command), VIRGA_TOO_LARGE);
    assert_non_null(thread_inbox_take(&inbox, &stopping));
    assert_int_equal(thread_inbox_ask(&inbox, &notes[3].command), VIRGA_OK);
    thread_inbox_run_all(thread_inbox_take(&inbox, &stopping), &inbox, false);
    assert_true(ran_count == 1 && ran[0] == 4);
}

static void test_one_that_stops_takes_nothing_more_and_what_waits_can_be_cancelled(void **state) {
    (void)state;
    struct note notes[2] = {{{NULL, run}, 1}, {{NULL, run}, 2}};
    bool stopping = false;
    assert_int_equal(thread_inbox_ask(&inbox, &notes[0].command), VIRGA_OK);
    thread_inbox_stop(&inbox);
    assert_int_equal(thread_inbox_ask(&inbox, &notes[1].command), VIRGA_TOO_LARGE);
    assert_true(is_awake());
    thread_inbox_run_all(thread_inbox_take(&inbox, &stopping), &inbox, true);
    assert_true(stopping && ran_count == 1 && cancelled_ones == 1);
}

static bool takes_signals, has_ended;

static void *serve(void *service) {
    bool stopping = false;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    takes_signals = !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGHUP);
    while (!stopping) {
        thread_inbox_wait(&inbox, -1);
        thread_inbox_run_all(thread_inbox_take(&inbox, &stopping), service, stopping);
    }
    has_ended = true;
    return NULL;
}

static void test_its_thread_takes_no_signals_and_has_ended_when_it_is_stopped(void **state) {
    (void)state;
    struct note note = {{NULL, run}, 1};
    assert_int_equal(thread_inbox_serve(&inbox, serve, &inbox, NULL), VIRGA_OK);
    assert_int_equal(thread_inbox_ask(&inbox, &note.command), VIRGA_OK);
    thread_inbox_stop(&inbox);
    assert_true(has_ended && ran_count == 1 && !takes_signals);
    thread_inbox_stop(&inbox);
    thread_inbox_stop(&(struct thread_inbox){0});  // of ones that have no thread
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_is_done_in_the_order_it_was_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_may_wait_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_stops_takes_nothing_more_and_what_waits_can_be_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_its_thread_takes_no_signals_and_has_ended_when_it_is_stopped, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
