// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TURN_NANOSECONDS = 100000 };  // the shortest that there is

int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void thread_be_nice(int niceness) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness); }

// sched_setattr(2), which C libraries of today do not know.
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

void thread_run_soon(void) {
    const struct sched_param least = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    if (!sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &least)) return;
    struct scheduling wanted = {.size = sizeof wanted, .policy = SCHED_OTHER, .runtime = TURN_NANOSECONDS};
    wanted.nice = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
    syscall(SYS_sched_setattr, 0, &wanted, 0);
}

int condition_init(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    int error = pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return error;
}

bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double until) {
    if (until == HUGE_VAL) return pthread_cond_wait(condition, lock) == 0;
    struct timespec at = {.tv_sec = (time_t)until};
    at.tv_nsec = (long)((until - (double)at.tv_sec) * 1e9);
    return pthread_cond_timedwait(condition, lock, &at) == 0;
}

int wakeup_new(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void wakeup_send(int wakeup) {
    uint64_t one = 1;
    ssize_t n = write(wakeup, &one, sizeof one);
    (void)n;  // it fails only where the count is full: then it is readable
}

void wakeup_clear(int wakeup) {
    uint64_t count;
    ssize_t n = read(wakeup, &count, sizeof count);
    (void)n;  // it fails only where none was sent
}
