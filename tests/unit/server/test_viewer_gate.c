// SPDX-License-Identifier: Apache-2.0
// Who draws in the background stands still while a viewer waits, never for long, and not at all for what nobody waits for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "server/export_pace.h"
#include "server/viewer_gate.h"

static atomic_bool release_all;

static void hold(void *argument, bool cancelled) {
    (void)argument;
    while (!atomic_load(&release_all) && !cancelled) sched_yield();
}

struct scene {
    struct worker_pool *pool;
    struct viewer_gate *gate;
};

static struct scene begin(void) {
    struct scene s = {.pool = worker_pool_new((int[]){1, 1}, 16)};
    atomic_store(&release_all, false);
    assert_int_equal(viewer_gate_new(s.pool, &s.gate, NULL), VIRGA_OK);
    return s;
}

static void end(struct scene *s) {
    atomic_store(&release_all, true);
    viewer_gate_free(s->gate);
    worker_pool_free(s->pool);
}

static double seconds_to_pass(struct viewer_gate *gate) {
    const double before = clock_monotonic();
    viewer_gate_pass(gate);
    return clock_monotonic() - before;
}

static void one_passes_where_nobody_waits(void **state) {
    (void)state;
    struct scene s = begin();
    worker_pool_try_add(s.pool, LANE_COMPUTE, -1, hold, NULL);
    for (int n = 0; n < 1000; n++) viewer_gate_pass(s.gate);
    end(&s);
}

static void one_makes_way_for_a_moment_for_a_viewer_who_is_seen(void **state) {
    (void)state;
    struct scene s = begin();
    const double began = clock_monotonic();
    viewer_gate_seen(s.gate);
    viewer_gate_pass(s.gate);
    const double seconds = clock_monotonic() - began;
    assert_true(seconds >= VIEWER_GATE_SERVED && seconds < EXPORT_PACE_MOST);
    assert_true(seconds_to_pass(s.gate) < EXPORT_PACE_MOST / 2);
    end(&s);
}

static void one_stands_still_for_a_viewer_and_has_a_share_all_the_same(void **state) {
    (void)state;
    struct scene s = begin();
    worker_pool_try_add(s.pool, LANE_COMPUTE, 0, hold, NULL);
    assert_true(seconds_to_pass(s.gate) >= 0.9 * EXPORT_PACE_MOST);
    const double began = clock_monotonic();
    int turns = 0;
    while (turns < 3) turns += seconds_to_pass(s.gate) > EXPORT_PACE_TURN;  // it passes for a turn, and stands still again
    assert_true(clock_monotonic() - began >= 2 * EXPORT_PACE_TURN * EXPORT_PACE_RATIO);
    end(&s);
}

static void *go_on(void *argument) {
    const struct scene *s = argument;
    atomic_store(&release_all, true);
    while (worker_pool_busy(s->pool)) sched_yield();
    return NULL;
}

static void one_goes_on_once_the_viewer_is_served(void **state) {
    (void)state;
    pthread_t thread;
    struct scene s = begin();
    worker_pool_try_add(s.pool, LANE_COMPUTE, 0, hold, NULL);
    assert_int_equal(pthread_create(&thread, NULL, go_on, &s), 0);
    viewer_gate_pass(s.gate);
    pthread_join(thread, NULL);
    end(&s);
}

static void *open_it(void *argument) {
    viewer_gate_open(argument);
    return NULL;
}

static void an_open_gate_holds_nobody(void **state) {
    (void)state;
    pthread_t thread;
    struct scene s = begin();
    worker_pool_try_add(s.pool, LANE_COMPUTE, 0, hold, NULL);
    assert_int_equal(pthread_create(&thread, NULL, open_it, s.gate), 0);
    viewer_gate_pass(s.gate);
    pthread_join(thread, NULL);
    for (int n = 0; n < 1000; n++) viewer_gate_pass(s.gate);
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_passes_where_nobody_waits), cmocka_unit_test(one_makes_way_for_a_moment_for_a_viewer_who_is_seen), cmocka_unit_test(one_stands_still_for_a_viewer_and_has_a_share_all_the_same),
        cmocka_unit_test(one_goes_on_once_the_viewer_is_served), cmocka_unit_test(an_open_gate_holds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
