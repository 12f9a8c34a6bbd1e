// SPDX-License-Identifier: Apache-2.0
// What an engine is asked, by number: those who wait for an answer on one side, the thread that holds the socket on the other.
#ifndef VIRGA_SOURCE_ENGINE_REQUESTS_H
#define VIRGA_SOURCE_ENGINE_REQUESTS_H

#include <pthread.h>

#include "source/engine_link.h"
#include "source/source_engine_ask.h"

enum request_state {
    REQUEST_FREE,
    REQUEST_QUEUED,  // to be sent
    REQUEST_SENT,
    REQUEST_DONE,    // for its asker to take
};

struct engine_request {
    enum request_state state;
    const struct source_engine_question *question;  // while queued
    uint64_t number;
    enum source_message_kind answer_kind;
    struct slab_memory *slab;
    size_t max_body;
    bool given_up;     // nobody waits for it: it is cancelled, and its answer is dropped
    double cancel_by;  // when it is to be answered at the latest, once it was cancelled
    struct source_engine_answer answer;
    struct failure failure;
};

struct engine_requests {
    pthread_mutex_t lock;
    pthread_cond_t changed;  // a request is done or free, or stopping
    struct engine_request all[SOURCE_ENGINE_REQUESTS];  // lock, as is all that follows
    size_t users;            // threads within engine_requests_ask
    bool stopping;
    void (*wake)(void *context);  // the thread is to look: immutable, may be called with the lock
    void *context;
};

void engine_requests_init(struct engine_requests *requests, void (*wake)(void *context), void *context);
// Waits for those who ask; the requests have been stopped.
void engine_requests_destroy(struct engine_requests *requests);
void engine_requests_stop(struct engine_requests *requests);  // askers are told so, now and later; any thread
size_t engine_requests_count(struct engine_requests *requests);

// As source_engine_ask. Any thread.
int engine_requests_ask(struct engine_requests *requests, const struct source_engine_question *question, struct source_engine_answer *answer,
                        struct failure *failure);

// ---- for the thread ----

bool engine_requests_queued(struct engine_requests *requests);  // whether any is to be sent
// Pushes what is to be sent, and CANCEL of what was given up, to be answered by the moment `cancel_by` (above 0, of the thread's own clock). VIRGA_NO_MEMORY.
int engine_requests_push(struct engine_requests *requests, struct engine_link *link, double cancel_by);
// When the first of those given up is to be answered at the latest; 0: none was.
double engine_requests_first_cancel(struct engine_requests *requests);
// Whether this may be an answer, and the most bytes of its body.
bool engine_requests_expects(struct engine_requests *requests, const struct source_header *header, size_t *most);
// Takes the body of what engine_requests_expects said yes to.
void engine_requests_answer(struct engine_requests *requests, const struct source_header *header, uint8_t *body);
// Fails all that were sent, or those still to be sent, too. ended: the engine ended over it.
void engine_requests_fail(struct engine_requests *requests, bool queued_too, const struct failure *why, bool ended);

#endif
