// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/status.h"
#include "base/worker_pool.h"

struct gate {  // holds a worker until it is opened
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool entered, open;
};

static void gate_init(struct gate *g) {
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    g->entered = g->open = false;
}

static void gate_job(void *argument, bool cancelled) {
    struct gate *g = argument;
    pthread_mutex_lock(&g->lock);
    g->entered = true;
    pthread_cond_broadcast(&g->changed);
    while (!g->open && !cancelled) pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void gate_wait_entered(struct gate *g) {
    pthread_mutex_lock(&g->lock);
    while (!g->entered) pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g) {
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static char sequence[16];
static atomic_size_t sequence_length, cancelled_count, run_count;

static void note_job(void *argument, bool cancelled) {
    if (cancelled) atomic_fetch_add(&cancelled_count, 1);
    else sequence[atomic_fetch_add(&sequence_length, 1)] = *(const char *)argument;
}

static void count_job(void *argument, bool cancelled) {
    (void)argument;
    atomic_fetch_add(cancelled ? &cancelled_count : &run_count, 1);
}

static void wait_until_idle(struct worker_pool *pool, enum worker_lane lane) {
    while (worker_pool_load(pool, lane)) sched_yield();
}

static int reset(void **state) {
    (void)state;
    sequence_length = cancelled_count = run_count = 0;
    return 0;
}

static void higher_priority_runs_first_and_equal_in_order(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate gate;
    gate_init(&gate);
    worker_pool_try_add(pool, LANE_COMPUTE, 0, gate_job, &gate);
    gate_wait_entered(&gate);
    const char *names = "abcdefgh";
    const int priorities[] = {1, 5, 1, 9, 5, 0, 9, 1};
    for (int i = 0; i < 8; i++)
        assert_int_equal(VIRGA_OK, worker_pool_try_add(pool, LANE_COMPUTE, priorities[i], note_job, (void *)&names[i]));
    gate_open(&gate);
    wait_until_idle(pool, LANE_COMPUTE);
    assert_memory_equal(sequence, "dgbeachf", 8);
    worker_pool_free(pool);
}

static void a_full_lane_refuses(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 2);
    struct gate gate;
    gate_init(&gate);
    worker_pool_try_add(pool, LANE_READ, 0, gate_job, &gate);
    gate_wait_entered(&gate);
    assert_int_equal(VIRGA_OK, worker_pool_try_add(pool, LANE_READ, 0, count_job, NULL));
    assert_int_equal(VIRGA_OK, worker_pool_try_add(pool, LANE_READ, 0, count_job, NULL));
    assert_int_equal(VIRGA_TOO_LARGE, worker_pool_try_add(pool, LANE_READ, 9, count_job, NULL));
    assert_int_equal(3, worker_pool_load(pool, LANE_READ));
    gate_open(&gate);
    wait_until_idle(pool, LANE_READ);
    assert_int_equal(2, run_count);
    worker_pool_free(pool);
}

static void a_slow_lane_does_not_hold_up_the_other(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 4);
    struct gate gate;
    gate_init(&gate);
    worker_pool_try_add(pool, LANE_READ, 0, gate_job, &gate);
    gate_wait_entered(&gate);
    worker_pool_try_add(pool, LANE_COMPUTE, 0, count_job, NULL);
    wait_until_idle(pool, LANE_COMPUTE);
    assert_int_equal(1, run_count);
    gate_open(&gate);
    worker_pool_free(pool);
}

static void cancel_reaches_only_waiting_jobs_of_that_argument(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate gate;
    gate_init(&gate);
    worker_pool_try_add(pool, LANE_COMPUTE, 0, gate_job, &gate);
    gate_wait_entered(&gate);
    char a = 'a', b = 'b';
    for (int i = 0; i < 6; i++) worker_pool_try_add(pool, LANE_COMPUTE, i, note_job, i % 2 ? &a : &b);
    assert_int_equal(3, worker_pool_cancel(pool, &a));
    assert_int_equal(3, cancelled_count);
    gate_open(&gate);
    wait_until_idle(pool, LANE_COMPUTE);
    assert_memory_equal(sequence, "bbb", 3);
    assert_int_equal(3, sequence_length);
    worker_pool_free(pool);
}

static void *open_gate_later(void *argument) {
    gate_open(argument);
    return NULL;
}

static void tear_down_cancels_each_waiting_job_once(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 2}, 100);
    struct gate gate;
    gate_init(&gate);
    worker_pool_try_add(pool, LANE_READ, 0, gate_job, &gate);
    gate_wait_entered(&gate);
    for (int i = 0; i < 50; i++) worker_pool_try_add(pool, LANE_READ, 0, count_job, NULL);
    pthread_t opener;
    pthread_create(&opener, NULL, open_gate_later, &gate);
    worker_pool_free(pool);
    pthread_join(opener, NULL);
    assert_int_equal(50, cancelled_count + run_count);
}

struct add_many {
    struct worker_pool *pool;
    int accepted;
};

static void *add_many(void *argument) {
    struct add_many *a = argument;
    for (int i = 0; i < 1000; i++)
        a->accepted += worker_pool_try_add(a->pool, (enum worker_lane)(i % 2), i % 7, count_job, NULL) == VIRGA_OK;
    return NULL;
}

static void each_accepted_job_runs_once_under_contention(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){2, 2}, 64);
    struct add_many many[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        many[i] = (struct add_many){.pool = pool};
        pthread_create(&threads[i], NULL, add_many, &many[i]);
    }
    size_t accepted = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        accepted += (size_t)many[i].accepted;
    }
    worker_pool_free(pool);
    assert_true(accepted > 0);
    assert_int_equal(accepted, run_count + cancelled_count);
}

static atomic_uint told;
static atomic_bool last_busy;

static void note_change(void *user) {
    atomic_store(&last_busy, worker_pool_busy(user));
    atomic_fetch_add(&told, 1);
}

static void a_watcher_is_told_when_there_is_work_and_when_there_is_none(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate gate;
    gate_init(&gate);
    worker_pool_watch(pool, note_change, pool);
    atomic_store(&told, 0);
    assert_false(worker_pool_busy(pool));
    worker_pool_try_add(pool, LANE_READ, 0, gate_job, &gate);
    assert_true(worker_pool_busy(pool) && told == 1 && last_busy);
    gate_wait_entered(&gate);
    worker_pool_try_add(pool, LANE_READ, 0, count_job, &gate);
    worker_pool_try_add(pool, LANE_COMPUTE, 0, count_job, NULL);
    worker_pool_cancel(pool, &gate);
    wait_until_idle(pool, LANE_COMPUTE);
    assert_true(worker_pool_busy(pool) && told == 1);  // one lane's work alone makes no difference
    gate_open(&gate);
    while (atomic_load(&told) < 2) sched_yield();
    assert_false(last_busy || worker_pool_busy(pool));
    worker_pool_unwatch(pool, pool);
    worker_pool_try_add(pool, LANE_READ, 0, count_job, NULL);
    worker_pool_free(pool);
    assert_int_equal(told, 2);
}

static void what_nobody_waits_for_makes_nobody_busy(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate gate;
    gate_init(&gate);
    worker_pool_watch(pool, note_change, pool);
    atomic_store(&told, 0);
    worker_pool_try_add(pool, LANE_READ, -1, gate_job, &gate);
    gate_wait_entered(&gate);
    worker_pool_try_add(pool, LANE_READ, -1, count_job, pool);
    assert_false(worker_pool_busy(pool));
    assert_int_equal(worker_pool_cancel(pool, pool), 1);
    worker_pool_try_add(pool, LANE_READ, 0, count_job, pool);
    assert_true(worker_pool_busy(pool) && told == 1 && last_busy);
    assert_int_equal(worker_pool_cancel(pool, pool), 1);
    assert_true(!worker_pool_busy(pool) && told == 2 && !last_busy);
    gate_open(&gate);
    worker_pool_free(pool);
    assert_int_equal(told, 2);
}

static void note_niceness(void *argument, bool cancelled) {
    (void)cancelled;
    atomic_store((atomic_int *)argument, getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid)));
}

static void what_nobody_waits_for_leaves_threads_free(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate background, urgent;
    atomic_int niceness[2] = {-1, -1};
    gate_init(&background), gate_init(&urgent);
    atomic_store(&run_count, 0);
    assert_int_equal(worker_pool_add_background(pool, (int[]){1, 1}, 7), VIRGA_OK);
    worker_pool_try_add(pool, LANE_COMPUTE, -1, gate_job, &background);
    gate_wait_entered(&background);
    for (int n = 0; n < 5; n++) worker_pool_try_add(pool, LANE_COMPUTE, -1, count_job, NULL);
    worker_pool_try_add(pool, LANE_COMPUTE, -1, note_niceness, &niceness[0]);
    worker_pool_try_add(pool, LANE_COMPUTE, 0, note_niceness, &niceness[1]);
    worker_pool_try_add(pool, LANE_COMPUTE, 0, gate_job, &urgent);
    gate_wait_entered(&urgent);
    assert_int_equal(run_count, 0);
    gate_open(&urgent);
    assert_int_equal(worker_pool_load(pool, LANE_COMPUTE) >= 6, true);
    gate_open(&background);
    wait_until_idle(pool, LANE_COMPUTE);
    assert_int_equal(run_count, 5);
    assert_int_equal(niceness[0], 7);
    assert_int_equal(niceness[1], 0);
    worker_pool_free(pool);
}

static void what_nobody_waits_for_is_cancelled_too(void **state) {
    (void)state;
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate gate;
    gate_init(&gate);
    assert_int_equal(worker_pool_add_background(pool, (int[]){1, 1}, 1), VIRGA_OK);
    worker_pool_try_add(pool, LANE_READ, -1, gate_job, &gate);
    gate_wait_entered(&gate);
    for (int n = 0; n < 3; n++) worker_pool_try_add(pool, LANE_READ, -1, count_job, NULL);
    worker_pool_try_add(pool, LANE_READ, -1, count_job, pool);
    cancelled_count = 0;
    assert_int_equal(worker_pool_cancel(pool, pool), 1);
    pthread_t opener;
    pthread_create(&opener, NULL, open_gate_later, &gate);
    worker_pool_free(pool);
    pthread_join(opener, NULL);
    assert_true(cancelled_count >= 1);
}

static atomic_size_t also_told;

static void note_too(void *user) {
    (void)user;
    atomic_fetch_add(&also_told, 1);
}

static void several_watch_and_each_leaves_alone(void **state) {
    (void)state;
    int others[WORKER_POOL_WATCHERS];
    struct worker_pool *pool = worker_pool_new((int[]){1, 1}, 16);
    struct gate gate;
    gate_init(&gate);
    assert_int_equal(worker_pool_watch(pool, note_change, pool), VIRGA_OK);
    for (size_t n = 1; n < WORKER_POOL_WATCHERS; n++) assert_int_equal(worker_pool_watch(pool, note_too, &others[n]), VIRGA_OK);
    assert_int_equal(worker_pool_watch(pool, note_too, &others[0]), VIRGA_TOO_LARGE);
    atomic_store(&told, 0);
    worker_pool_unwatch(pool, &others[1]);
    worker_pool_try_add(pool, LANE_READ, 0, gate_job, &gate);
    assert_int_equal(told, 1);
    assert_int_equal(also_told, WORKER_POOL_WATCHERS - 2);
    gate_open(&gate);
    worker_pool_free(pool);
}

// Whatever the order in which calls of threads that race come: after the last one the truth is known.
static void the_last_thing_told_is_true(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct worker_pool *pool = worker_pool_new((int[]){2, 2}, 64);
        struct add_many many = {.pool = pool};
        worker_pool_watch(pool, note_change, pool);
        add_many(&many);
        wait_until_idle(pool, LANE_READ);
        wait_until_idle(pool, LANE_COMPUTE);
        worker_pool_free(pool);
        assert_false(last_busy);
    }
}

static void no_threads_is_refused(void **state) {
    (void)state;
    assert_null(worker_pool_new((int[]){0, 1}, 4));
    assert_null(worker_pool_new((int[]){1, 0}, 4));
    worker_pool_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(higher_priority_runs_first_and_equal_in_order, reset),
        cmocka_unit_test_setup(a_full_lane_refuses, reset),
        cmocka_unit_test_setup(a_slow_lane_does_not_hold_up_the_other, reset),
        cmocka_unit_test_setup(cancel_reaches_only_waiting_jobs_of_that_argument, reset),
        cmocka_unit_test_setup(tear_down_cancels_each_waiting_job_once, reset),
        cmocka_unit_test_setup(each_accepted_job_runs_once_under_contention, reset),
        cmocka_unit_test_setup(a_watcher_is_told_when_there_is_work_and_when_there_is_none, reset),
        cmocka_unit_test_setup(what_nobody_waits_for_makes_nobody_busy, reset),
        cmocka_unit_test_setup(what_nobody_waits_for_leaves_threads_free, reset),
        cmocka_unit_test_setup(what_nobody_waits_for_is_cancelled_too, reset),
        cmocka_unit_test_setup(several_watch_and_each_leaves_alone, reset),
        cmocka_unit_test_setup(the_last_thing_told_is_true, reset),
        cmocka_unit_test_setup(no_threads_is_refused, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
