// SPDX-License-Identifier: Apache-2.0
#include "server/thread_inbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"

int thread_inbox_init(struct thread_inbox *queue, size_t most, struct failure *failure) {
    *queue = (struct thread_inbox){.wake = wakeup_new(), .most = most};
    if (queue->wake < 0) return failure_set(failure, VIRGA_IO, "there are no descriptors left: %s", strerror(errno));
    if (!pthread_mutex_init(&queue->lock, NULL)) {
        queue->last = &queue->first;
        return VIRGA_OK;
    }
    close(queue->wake);
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

void thread_inbox_destroy(struct thread_inbox *queue) {
    if (!queue->last) return;
    close(queue->wake);
    pthread_mutex_destroy(&queue->lock);
    queue->last = NULL;
}

void thread_inbox_wake(struct thread_inbox *queue) { wakeup_send(queue->wake); }

int thread_inbox_ask(struct thread_inbox *queue, struct thread_command *command) {
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
    if (!status) thread_inbox_wake(queue);
    return status;
}

int thread_inbox_serve(struct thread_inbox *queue, void *(*serve)(void *service), void *service, struct failure *failure) {
    queue->serving = !thread_start(&queue->thread, serve, service);
    return queue->serving ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "there are no threads left");
}

void thread_inbox_stop(struct thread_inbox *queue) {
    if (!queue->last) return;
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_mutex_unlock(&queue->lock);
    thread_inbox_wake(queue);
    if (queue->serving) pthread_join(queue->thread, NULL);
    queue->serving = false;
}

struct thread_command *thread_inbox_take(struct thread_inbox *queue, bool *stopping) {
    pthread_mutex_lock(&queue->lock);
    struct thread_command *first = queue->first;
    queue->first = NULL;
    queue->last = &queue->first;
    queue->count = 0;
    *stopping = queue->stopping;
    pthread_mutex_unlock(&queue->lock);
    return first;
}

void thread_inbox_run_all(struct thread_command *first, void *service, bool cancelled) {
    while (first) {
        struct thread_command *next = first->next;  // running it may free it
        first->run(first, service, cancelled);
        first = next;
    }
}

void thread_inbox_woken(struct thread_inbox *queue) { wakeup_clear(queue->wake); }

void thread_inbox_wait(struct thread_inbox *queue, int milliseconds) {
    struct pollfd wake = {.fd = queue->wake, .events = POLLIN};
    poll(&wake, 1, milliseconds);
    if (wake.revents) thread_inbox_woken(queue);
}
