// SPDX-License-Identifier: Apache-2.0
// A service's thread and what it is asked to do, in the order it was asked: bounded, and a descriptor that is readable when something came, so the thread can
// wait for that among others.
#ifndef VIRGA_SERVER_THREAD_INBOX_H
#define VIRGA_SERVER_THREAD_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

// Part of whatever it is done for. `run` is called once, on the service's thread; `cancelled`: the service is going, only free what is held.
struct thread_command {
    struct thread_command *next;
    void (*run)(struct thread_command *command, void *service, bool cancelled);
};

struct thread_inbox {
    int wake;                        // eventfd
    size_t most;
    pthread_mutex_t lock;
    struct thread_command *first, **last;   // lock
    size_t count;                    // lock
    bool stopping;                   // lock
    pthread_t thread;
    bool serving;                    // there is a thread
};

// `most` wait at a time. VIRGA_NO_MEMORY, VIRGA_IO. *queue must not move.
int thread_inbox_init(struct thread_inbox *queue, size_t most, struct failure *failure);
// Of one that was begun (or is zeroed). Nothing waits any more.
void thread_inbox_destroy(struct thread_inbox *queue);

// Any thread. VIRGA_TOO_LARGE: too much is asked for already, or the service is going; then `run` is not called.
int thread_inbox_ask(struct thread_inbox *queue, struct thread_command *command);
void thread_inbox_wake(struct thread_inbox *queue);
// Starts the thread, in which every signal is blocked; it ends once thread_inbox_take says so. VIRGA_NO_MEMORY with words.
int thread_inbox_serve(struct thread_inbox *queue, void *(*serve)(void *service), void *service, struct failure *failure);
// The owner: nothing more is taken, what waits is cancelled by the service's thread, if one was started, and that has ended. Of a zeroed one: nothing.
void thread_inbox_stop(struct thread_inbox *queue);

// The service's thread: takes all that wait, in order. *stopping: they, and all, must end.
struct thread_command *thread_inbox_take(struct thread_inbox *queue, bool *stopping);
// Runs all of a list; any may free itself.
void thread_inbox_run_all(struct thread_command *first, void *service, bool cancelled);
// Waits until something comes, so many milliseconds at most.
void thread_inbox_wait(struct thread_inbox *queue, int milliseconds);
// After a wait of its own: what has woken it so far is known.
void thread_inbox_woken(struct thread_inbox *queue);

#endif
