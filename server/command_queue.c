// SPDX-License-Identifier: Apache-2.0
#include "server/command_queue.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

int command_queue_init(struct command_queue *queue, size_t most, struct failure *failure) {
    *queue = (struct command_queue){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .most = most};
    if (queue->wake < 0) return failure_set(failure, VIRGA_IO, "there are no descriptors left: %s", strerror(errno));
    if (!pthread_mutex_init(&queue->lock, NULL)) {
        queue->last = &queue->first;
        return VIRGA_OK;
    }
    close(queue->wake);
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

void command_queue_destroy(struct command_queue *queue) {
    if (!queue->last) return;
    close(queue->wake);
    pthread_mutex_destroy(&queue->lock);
    queue->last = NULL;
}

void command_queue_wake(struct command_queue *queue) {
    const uint64_t one = 1;
    while (write(queue->wake, &one, sizeof one) < 0 && errno == EINTR) continue;
}

int command_queue_ask(struct command_queue *queue, struct command *command) {
    int status = VIRGA_OK;
    command->next = NULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->count >= queue->most || queue->stopping) {
        status = VIRGA_TOO_LARGE;
    } else {
        *queue->last = command;
        queue->last = &command->next;
        queue->count++;
    }
    pthread_mutex_unlock(&queue->lock);
    if (!status) command_queue_wake(queue);
    return status;
}

void command_queue_stop(struct command_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_mutex_unlock(&queue->lock);
    command_queue_wake(queue);
}

struct command *command_queue_take(struct command_queue *queue, bool *stopping) {
    pthread_mutex_lock(&queue->lock);
    struct command *first = queue->first;
    queue->first = NULL;
    queue->last = &queue->first;
    queue->count = 0;
    *stopping = queue->stopping;
    pthread_mutex_unlock(&queue->lock);
    return first;
}

void command_run_all(struct command *first, void *service, bool cancelled) {
    while (first) {
        struct command *next = first->next;  // running it may free it
        first->run(first, service, cancelled);
        first = next;
    }
}

void command_queue_woken(struct command_queue *queue) {
    uint64_t told;
    if (read(queue->wake, &told, sizeof told) < 0 && errno != EAGAIN) log_debug("command", "wake: %s", strerror(errno));
}
