// SPDX-License-Identifier: Apache-2.0
// What a service's thread is asked to do, in the order it was asked: bounded, and a descriptor that is readable when something came, so the thread can wait for
// that among others.
#ifndef VIRGA_SERVER_COMMAND_QUEUE_H
#define VIRGA_SERVER_COMMAND_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

// Part of whatever it is done for. `run` is called once, on the service's thread; `cancelled`: the service is going, only free what is held.
struct command {
    struct command *next;
    void (*run)(struct command *command, void *service, bool cancelled);
};

struct command_queue {
    int wake;                        // eventfd
    size_t most;
    pthread_mutex_t lock;
    struct command *first, **last;   // lock
    size_t count;                    // lock
    bool stopping;                   // lock
};

// `most` wait at a time. VIRGA_NO_MEMORY, VIRGA_IO. *queue must not move.
int command_queue_init(struct command_queue *queue, size_t most, struct failure *failure);
// Of one that was begun (or is zeroed). Nothing waits any more.
void command_queue_destroy(struct command_queue *queue);

// Any thread. VIRGA_TOO_LARGE: too much is asked for already, or the service is going; then `run` is not called.
int command_queue_ask(struct command_queue *queue, struct command *command);
void command_queue_wake(struct command_queue *queue);
// Any thread: what waits is cancelled by the service's thread, and nothing more is taken.
void command_queue_stop(struct command_queue *queue);

// The service's thread: takes all that wait, in order. *stopping: they, and all, must end.
struct command *command_queue_take(struct command_queue *queue, bool *stopping);
// Runs all of a list; any may free itself.
void command_run_all(struct command *first, void *service, bool cancelled);
// After a wait: what has woken it so far is known.
void command_queue_woken(struct command_queue *queue);

#endif
