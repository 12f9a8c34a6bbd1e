// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/export_brake.h"

struct gate {  // holds a worker until it is opened
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
};

static void hold(void *argument, bool cancelled) {
    struct gate *gate = argument;
    pthread_mutex_lock(&gate->lock);
    while (!gate->open && !cancelled) pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

struct scene {
    struct worker_pool *pool;
    struct export_brake *brake;
    struct gate gate;
};

static void begin(struct scene *scene) {
    *scene = (struct scene){.pool = worker_pool_new((int[]){1, 1}, 16)};
    pthread_mutex_init(&scene->gate.lock, NULL);
    pthread_cond_init(&scene->gate.changed, NULL);
    assert_int_equal(export_brake_new(scene->pool, &scene->brake, NULL), VIRGA_OK);
}

static void end(struct scene *scene) {
    export_brake_free(scene->brake);
    worker_pool_free(scene->pool);
}

struct ticker {  // a process that counts for as long as it runs
    pid_t pid;
    atomic_uint *ticks;
};

static void nap(void) { nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL); }

static struct ticker ticker_new(void) {
    struct ticker t = {.ticks = mmap(NULL, sizeof *t.ticks, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    assert_true(t.ticks != MAP_FAILED);
    t.pid = fork();
    if (!t.pid) {
        setpgid(0, 0);
        for (;; nap()) atomic_fetch_add(t.ticks, 1);
    }
    setpgid(t.pid, t.pid);
    return t;
}

// Until it stands still: a stop that is over before we look is followed by another.
static void await_stop(const struct ticker *t) {
    int status;
    assert_int_equal(waitpid(t->pid, &status, WUNTRACED), t->pid);
    assert_true(WIFSTOPPED(status));
}

static void await_tick(const struct ticker *t) {
    unsigned before = atomic_load(t->ticks);
    while (atomic_load(t->ticks) == before) nap();
}

static void ticker_end(struct ticker *t) {
    int status;
    kill(-t->pid, SIGKILL);
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    munmap(t->ticks, sizeof *t->ticks);
}

static void test_a_group_stands_still_while_there_is_work_and_goes_on_after_it(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    struct ticker ticker = ticker_new();
    export_brake_add(scene.brake, ticker.pid);
    await_tick(&ticker);
    worker_pool_try_add(scene.pool, LANE_READ, 0, hold, &scene.gate);
    await_stop(&ticker);
    open_gate(&scene.gate);
    for (int i = 0; i < 100; i++) await_tick(&ticker);
    export_brake_remove(scene.brake, ticker.pid);
    ticker_end(&ticker);
    end(&scene);
}

static void test_one_that_comes_later_stands_still_and_both_get_their_turns(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    struct ticker first = ticker_new(), second = ticker_new();
    worker_pool_try_add(scene.pool, LANE_COMPUTE, 0, hold, &scene.gate);
    export_brake_add(scene.brake, first.pid);
    await_stop(&first);
    export_brake_add(scene.brake, second.pid);
    await_stop(&second);
    for (int turn = 0; turn < 5; turn++) {  // the work goes on meanwhile
        await_tick(&first);
        await_tick(&second);
        await_stop(&first);
        await_stop(&second);
    }
    export_brake_remove(scene.brake, first.pid);
    export_brake_remove(scene.brake, second.pid);
    ticker_end(&first);  // stopped or not
    ticker_end(&second);
    open_gate(&scene.gate);
    end(&scene);
}

static void test_one_that_was_removed_is_left_alone(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    struct ticker held = ticker_new(), removed = ticker_new();
    export_brake_add(scene.brake, removed.pid);
    export_brake_add(scene.brake, held.pid);
    export_brake_remove(scene.brake, removed.pid);
    worker_pool_try_add(scene.pool, LANE_READ, 0, hold, &scene.gate);
    await_stop(&held);
    int status;
    assert_int_equal(waitpid(removed.pid, &status, WUNTRACED | WNOHANG), 0);
    await_tick(&removed);
    export_brake_remove(scene.brake, held.pid);
    ticker_end(&removed);
    ticker_end(&held);
    open_gate(&scene.gate);
    end(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_group_stands_still_while_there_is_work_and_goes_on_after_it),
        cmocka_unit_test(test_one_that_comes_later_stands_still_and_both_get_their_turns),
        cmocka_unit_test(test_one_that_was_removed_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
