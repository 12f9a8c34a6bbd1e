// SPDX-License-Identifier: Apache-2.0
// Threads of the program's own, and what wakes one that waits, in poll(2) or for a condition.
#ifndef VIRGA_BASE_THREAD_H
#define VIRGA_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

// Starts a joinable thread in which every signal is blocked: signals stay with the program's first thread. 0, or an errno.
int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);
// The niceness of the calling thread alone (setpriority(2)); where it may not have that one it keeps its own.
void thread_be_nice(int niceness);
// Asks the kernel to run the calling thread as soon as it wakes and to leave it the processor: for one that does little at a time and that all others wait
// for. At the least real-time priority (SCHED_RR) where it may have that (CAP_SYS_NICE or RLIMIT_RTPRIO; what it starts has none of it), else in short turns
// (Linux 6.12 or newer; threads that it starts do likewise).
void thread_run_soon(void);

// A condition that condition_wait waits for. 0, or an errno.
int condition_init(pthread_cond_t *condition);
// Waits, with the lock held, for a signal or until clock_monotonic() is `until` (HUGE_VAL: however long). False: that time has come.
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double until);

// A descriptor to wait for, which is readable from a call that sends it a wake-up until it is cleared. The caller closes it. -1 and errno where
// there is none left.
int wakeup_new(void);
void wakeup_send(int wakeup);   // any thread; does not wait
void wakeup_clear(int wakeup);  // likewise, whether one was sent or not

#endif
