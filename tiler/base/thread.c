// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
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
