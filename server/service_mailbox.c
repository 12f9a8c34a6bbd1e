// SPDX-License-Identifier: Apache-2.0
#include "server/service_mailbox.h"

#include <libwebsockets.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct service_mailbox {
    pthread_mutex_t lock;
    struct letter *first, **last;           // lock
    _Atomic(struct lws_context *) context;  // written by the service thread only
};

struct service_mailbox *service_mailbox_new(void) {
    struct service_mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox) return NULL;
    if (pthread_mutex_init(&mailbox->lock, NULL)) {
        free(mailbox);
        return NULL;
    }
    mailbox->last = &mailbox->first;
    return mailbox;
}

void service_mailbox_free(struct service_mailbox *mailbox) {
    if (!mailbox) return;
    service_mailbox_deliver(mailbox);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

void service_mailbox_attach(struct service_mailbox *mailbox, struct lws_context *context) {
    pthread_mutex_lock(&mailbox->lock);  // a poster that is waking the old context has left once we hold the lock
    atomic_store(&mailbox->context, context);
    pthread_mutex_unlock(&mailbox->lock);
}

void service_mailbox_wake(struct service_mailbox *mailbox) {
    struct lws_context *context = atomic_load(&mailbox->context);
    if (context) lws_cancel_service(context);
}

void service_mailbox_post(struct service_mailbox *mailbox, struct letter *letter) {
    letter->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    bool was_empty = !mailbox->first;
    *mailbox->last = letter;
    mailbox->last = &letter->next;
    if (was_empty) service_mailbox_wake(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
}

void service_mailbox_deliver(struct service_mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->lock);
    struct letter *letter = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    while (letter) {
        struct letter *next = letter->next;  // delivery may free the letter
        letter->deliver(letter);
        letter = next;
    }
}
