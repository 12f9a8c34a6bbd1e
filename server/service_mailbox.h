// SPDX-License-Identifier: Apache-2.0
// From worker threads to the service thread. A letter is part of the object it tells about, so posting allocates nothing
// and cannot fail, and there are never more letters than requests under way (which their owners bound).
// The only place that calls lws_cancel_service().
#ifndef VIRGA_SERVER_SERVICE_MAILBOX_H
#define VIRGA_SERVER_SERVICE_MAILBOX_H

struct lws_context;
struct service_mailbox;

struct letter {
    struct letter *next;                    // the mailbox's own
    void (*deliver)(struct letter *letter);  // service thread; owns the letter from here on
};

struct service_mailbox *service_mailbox_new(void);
// Undelivered letters are delivered first. No thread may post any more. NULL is allowed.
void service_mailbox_free(struct service_mailbox *mailbox);
// Service thread: whom to wake; NULL for nobody (before the context exists and once it is being torn down).
void service_mailbox_attach(struct service_mailbox *mailbox, struct lws_context *context);

// Any thread. Letters are delivered in the order they were posted.
void service_mailbox_post(struct service_mailbox *mailbox, struct letter *letter);
// Any thread or signal handler: the service thread returns from its wait soon.
void service_mailbox_wake(struct service_mailbox *mailbox);
// Service thread: delivers what has come in.
void service_mailbox_deliver(struct service_mailbox *mailbox);

#endif
