// SPDX-License-Identifier: Apache-2.0
#include "source/engine_requests.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

enum { STOP_MS = 20 };

#define EACH(r, e) struct engine_request *r = (e)->all; r < (e)->all + SOURCE_ENGINE_REQUESTS; r++

void engine_requests_init(struct engine_requests *e, void (*wake)(void *context), void *context) {
    *e = (struct engine_requests){.wake = wake, .context = context};
    condition_init(&e->changed);
    pthread_mutex_init(&e->lock, NULL);
}

// With the lock, as all up to the askers.
static void free_request(struct engine_requests *e, struct engine_request *r) {
    free(r->answer.body);
    slab_memory_unref(r->slab);
    *r = (struct engine_request){.state = REQUEST_FREE};
    pthread_cond_broadcast(&e->changed);
}

// Nobody waits for one that was given up.
static void finish_request(struct engine_requests *e, struct engine_request *r) {
    if (r->given_up) {
        free_request(e, r);
        return;
    }
    r->state = REQUEST_DONE;
    slab_memory_unref(r->slab);
    r->slab = NULL;
    pthread_cond_broadcast(&e->changed);
}

static struct engine_request *find_request(struct engine_requests *e, uint64_t number) {
    for (EACH(r, e))
        if (r->state == REQUEST_SENT && r->number == number) return r;
    return NULL;
}

void engine_requests_destroy(struct engine_requests *e) {
    pthread_mutex_lock(&e->lock);
    while (e->users) pthread_cond_wait(&e->changed, &e->lock);
    for (EACH(r, e))
        if (r->state != REQUEST_FREE) free_request(e, r);
    pthread_mutex_unlock(&e->lock);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
}

void engine_requests_stop(struct engine_requests *e) {
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

size_t engine_requests_count(struct engine_requests *e) {
    size_t count = 0;
    pthread_mutex_lock(&e->lock);
    for (EACH(r, e)) count += r->state != REQUEST_FREE;
    pthread_mutex_unlock(&e->lock);
    return count;
}

// ---- askers ----

static bool told_to_stop(const struct source_engine_question *q) {
    for (size_t i = 0; i < sizeof q->stops / sizeof *q->stops; i++)
        if (q->stops[i] && atomic_load(q->stops[i])) return true;
    return false;
}

static void wait_a_little(struct engine_requests *e) { condition_wait(&e->changed, &e->lock, clock_monotonic() + STOP_MS * 1e-3); }

// How long an asker may still wait; while this program stood still nobody was waited for.
struct patience {
    double left, looked;
};

// Whether an asker's waiting is over: VIRGA_AGAIN while it is not.
static int look_up(const struct engine_requests *e, const struct source_engine_question *q, struct patience *patience, struct failure *failure) {
    patience->left -= clock_step(&patience->looked, STOP_MS * 1e-3);
    if (e->stopping) return failure_set(failure, VIRGA_CANCELLED, "not read, the program is ending");
    if (told_to_stop(q)) return failure_set(failure, VIRGA_CANCELLED, "not read, nobody waits for it any more");
    if (patience->left > 0) return VIRGA_AGAIN;
    return failure_set(failure, VIRGA_TIMED_OUT, "it was not read within %g s; the cluster may be too busy or too small", q->seconds);
}

static struct engine_request *take_place(struct engine_requests *e, const struct source_engine_question *q, struct patience *patience, int *status,
                                         struct failure *failure) {
    while ((*status = look_up(e, q, patience, failure)) == VIRGA_AGAIN) {
        for (EACH(r, e))
            if (r->state == REQUEST_FREE) return r;
        wait_a_little(e);
    }
    return NULL;
}

// The slab stays lent until the engine has answered or ended: it may write to it until then.
static void give_up(struct engine_requests *e, struct engine_request *r) {
    if (r->state == REQUEST_SENT) {
        r->given_up = true;
        e->wake(e->context);
    } else {
        free_request(e, r);
    }
}

static int wait_for_answer(struct engine_requests *e, const struct source_engine_question *q, struct engine_request *r, struct patience *patience,
                           struct source_engine_answer *answer, struct failure *failure) {
    int status = VIRGA_AGAIN;
    while (r->state != REQUEST_DONE && (status = look_up(e, q, patience, failure)) == VIRGA_AGAIN) wait_a_little(e);
    if (r->state != REQUEST_DONE) {
        give_up(e, r);
        return status;
    }
    *answer = r->answer;
    r->answer.body = NULL;
    status = answer->body ? VIRGA_OK : failure_set(failure, r->failure.status, "%s", r->failure.message);
    free_request(e, r);
    return status;
}

int engine_requests_ask(struct engine_requests *e, const struct source_engine_question *q, struct source_engine_answer *answer,
                        struct failure *failure) {
    struct patience patience = {q->seconds, clock_monotonic()};
    int status;
    *answer = (struct source_engine_answer){0};
    pthread_mutex_lock(&e->lock);
    e->users++;
    struct engine_request *r = take_place(e, q, &patience, &status, failure);
    if (r) {
        *r = (struct engine_request){.state = REQUEST_QUEUED, .question = q, .number = q->request, .answer_kind = q->answer, .max_body = q->max_body,
                                     .slab = q->slab ? slab_memory_ref(q->slab) : NULL};
        e->wake(e->context);
        status = wait_for_answer(e, q, r, &patience, answer, failure);
    }
    e->users--;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    return status;
}

// ---- the thread ----

bool engine_requests_queued(struct engine_requests *e) {
    bool any = false;
    pthread_mutex_lock(&e->lock);
    for (EACH(r, e)) any |= r->state == REQUEST_QUEUED;
    pthread_mutex_unlock(&e->lock);
    return any;
}

static int push_one(struct engine_request *r, struct engine_link *link, double cancel_by) {
    struct source_frame frame;
    if (r->state == REQUEST_QUEUED) {
        const struct source_frame *asked = &r->question->frame;
        int status = engine_link_push(link, asked->data, asked->size, r->slab ? r->slab->fd : -1);
        if (status) return status;
        r->question = NULL;
        r->state = REQUEST_SENT;
        return VIRGA_OK;
    }
    if (!r->given_up || r->cancel_by > 0) return VIRGA_OK;
    int status = source_encode_cancel(r->number, &frame);
    if (!status) status = engine_link_push(link, frame.data, frame.size, -1);
    if (!status) r->cancel_by = cancel_by;
    source_frame_free(&frame);
    return status;
}

int engine_requests_push(struct engine_requests *e, struct engine_link *link, double cancel_by) {
    int status = VIRGA_OK;
    pthread_mutex_lock(&e->lock);
    for (EACH(r, e))
        if (!status) status = push_one(r, link, cancel_by);
    pthread_mutex_unlock(&e->lock);
    return status;
}

double engine_requests_first_cancel(struct engine_requests *e) {
    double first = 0;
    pthread_mutex_lock(&e->lock);
    for (EACH(r, e))
        if (r->state == REQUEST_SENT && r->cancel_by > 0 && (first <= 0 || r->cancel_by < first)) first = r->cancel_by;
    pthread_mutex_unlock(&e->lock);
    return first;
}

bool engine_requests_expects(struct engine_requests *e, const struct source_header *header, size_t *most) {
    pthread_mutex_lock(&e->lock);
    const struct engine_request *r = find_request(e, header->request);
    bool answer = r && (header->kind == r->answer_kind || header->kind == SOURCE_FAILURE);
    *most = answer && header->kind == SOURCE_INVENTORY ? r->max_body : SOURCE_MAX_REQUEST_BYTES;
    pthread_mutex_unlock(&e->lock);
    return answer;
}

void engine_requests_answer(struct engine_requests *e, const struct source_header *header, uint8_t *body) {
    pthread_mutex_lock(&e->lock);
    struct engine_request *r = find_request(e, header->request);
    if (r) {
        r->answer = (struct source_engine_answer){.kind = header->kind, .body = body, .bytes = header->body_bytes};
        finish_request(e, r);
    } else {
        free(body);
    }
    pthread_mutex_unlock(&e->lock);
}

void engine_requests_fail(struct engine_requests *e, bool queued_too, const struct failure *why, bool ended) {
    pthread_mutex_lock(&e->lock);
    for (EACH(r, e)) {
        if (r->state != REQUEST_SENT && !(r->state == REQUEST_QUEUED && queued_too)) continue;
        r->failure = *why;
        r->answer.ended = ended;
        finish_request(e, r);
    }
    pthread_mutex_unlock(&e->lock);
}
