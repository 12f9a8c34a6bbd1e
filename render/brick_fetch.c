// SPDX-License-Identifier: Apache-2.0
#include "render/brick_fetch.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"

enum {
    URGENT = 1 << 20, BACKGROUND = -1,
    IN_FLIGHT = 192,   // requests at a time
    TRIES = 3,
    AHEAD = 4096,      // bricks asked for ahead of time
};
static const double look_seconds = 0.25;  // between two looks whether it was stopped
static const double retry_seconds = 2.2;  // the store remembers a failure for two seconds

enum slot_state { FREE, PENDING, ARRIVED };

struct slot {
    struct brick_fetch *fetch;
    enum slot_state state;  // guarded by the fetch's lock, as are all below
    size_t index;
    int status;
    struct shared_bytes *bytes;
    struct failure failure;
};

struct brick_fetch {
    struct catalog *catalog;
    struct brick_store *store;
    int priority;
    const atomic_bool *stop;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct slot slots[IN_FLIGHT];
    // Of the bricks being fetched; the caller's thread only.
    struct field_ref field;
    const struct brick_name *names;
    size_t count, asked, taken;
    int tries;
};

struct brick_fetch *brick_fetch_new(const struct brick_fetch_options *options) {
    struct brick_fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch) return NULL;
    pthread_mutex_init(&fetch->lock, NULL);
    condition_init(&fetch->came);
    fetch->catalog = options->catalog;
    fetch->store = options->store;
    fetch->priority = options->background ? BACKGROUND : URGENT;
    fetch->stop = options->stop;
    for (size_t n = 0; n < IN_FLIGHT; n++) fetch->slots[n].fetch = fetch;
    return fetch;
}

static enum slot_state state_of(struct slot *slot) {
    pthread_mutex_lock(&slot->fetch->lock);
    enum slot_state state = slot->state;
    pthread_mutex_unlock(&slot->fetch->lock);
    return state;
}

// Takes back what is pending and drops what has come.
static void forget(struct brick_fetch *fetch) {
    for (size_t n = 0; n < IN_FLIGHT; n++) {
        struct slot *slot = &fetch->slots[n];
        if (state_of(slot) == FREE) continue;
        brick_store_cancel(fetch->store, slot);
        if (slot->state == ARRIVED) shared_bytes_unref(slot->bytes);
        slot->state = FREE;
        slot->bytes = NULL;
    }
    fetch->count = fetch->asked = fetch->taken = 0;
}

void brick_fetch_free(struct brick_fetch *fetch) {
    if (!fetch) return;
    brick_store_cancel(fetch->store, fetch);
    forget(fetch);
    for (size_t n = 0; n < IN_FLIGHT; n++) brick_store_cancel(fetch->store, &fetch->slots[n]);  // waits for callbacks that are about to end
    pthread_cond_destroy(&fetch->came);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
}

static void arrived(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct slot *slot = user;
    pthread_mutex_lock(&slot->fetch->lock);
    slot->status = status;
    slot->bytes = bytes;
    if (status && failure) slot->failure = *failure;
    slot->state = ARRIVED;
    pthread_cond_signal(&slot->fetch->came);
    pthread_mutex_unlock(&slot->fetch->lock);
}

// What the store answered at once, or not.
static void answer(struct slot *slot, int status, struct shared_bytes *bytes) {
    if (status == VIRGA_AGAIN) return;
    pthread_mutex_lock(&slot->fetch->lock);
    slot->status = status;
    slot->bytes = bytes;
    slot->state = ARRIVED;
    pthread_mutex_unlock(&slot->fetch->lock);
}

static bool stopped(const struct brick_fetch *fetch) { return fetch->stop && atomic_load(fetch->stop); }

// Waits for something to come, with the lock held. False: it is to be given up.
static bool wait_for_some(struct brick_fetch *fetch) {
    if (!stopped(fetch)) condition_wait(&fetch->came, &fetch->lock, fetch->stop ? clock_monotonic() + look_seconds : HUGE_VAL);
    return !stopped(fetch);
}

static int given_up(struct failure *failure) { return failure_set(failure, VIRGA_CANCELLED, "it was given up"); }

static void pause_to_retry(struct brick_fetch *fetch) {
    const double until = clock_monotonic() + retry_seconds;
    pthread_mutex_lock(&fetch->lock);
    for (double now; (now = clock_monotonic()) < until && !stopped(fetch);)
        condition_wait(&fetch->came, &fetch->lock, fetch->stop ? fmin(until, now + look_seconds) : until);
    pthread_mutex_unlock(&fetch->lock);
}

static struct slot *free_slot(struct brick_fetch *fetch) {
    for (size_t n = 0; n < IN_FLIGHT; n++)
        if (state_of(&fetch->slots[n]) == FREE) return &fetch->slots[n];
    return NULL;
}

// --- Tables.

static int table_bytes(struct brick_fetch *fetch, const struct field_ref *field, struct shared_bytes **bytes, struct failure *failure) {
    struct slot *slot = &fetch->slots[0];
    struct shared_bytes *now = NULL;
    slot->state = PENDING;
    int status = brick_store_table(fetch->store, fetch->catalog, field, fetch->priority, &now, arrived, slot, &slot->failure);
    answer(slot, status, now);
    pthread_mutex_lock(&fetch->lock);
    bool wanted = true;
    while (slot->state != ARRIVED && (wanted = wait_for_some(fetch))) continue;
    pthread_mutex_unlock(&fetch->lock);
    if (!wanted) {
        forget(fetch);
        return given_up(failure);
    }
    *bytes = slot->bytes;
    slot->bytes = NULL;
    slot->state = FREE;
    if (slot->status && failure) *failure = slot->failure;
    return slot->status;
}

static int check_table(const struct step_table *table, const struct field_ref *field) {
    struct pyramid_shape shape;
    brick_store_shape(field->dataset, field->variable, &shape);
    if (table->level_count != shape.level_count) return VIRGA_INTERNAL;
    for (uint32_t l = 0; l < shape.level_count; l++)
        for (int axis = 0; axis < 3; axis++)
            if (table->levels[l].n[axis] != shape.levels[l].n[axis]) return VIRGA_INTERNAL;
    return VIRGA_OK;
}

int brick_fetch_table(struct brick_fetch *fetch, const struct field_ref *field, struct step_table **table, struct failure *failure) {
    struct shared_bytes *bytes = NULL;
    int status;
    *table = NULL;
    for (int tries = TRIES; (status = table_bytes(fetch, field, &bytes, failure)) == VIRGA_GONE && --tries;) pause_to_retry(fetch);
    if (status) return status;
    status = step_table_decode(bytes->data, bytes->size, table);
    shared_bytes_unref(bytes);
    if (!status && (status = check_table(*table, field))) {
        step_table_free(*table);
        *table = NULL;
    }
    return status ? failure_set(failure, status, "the step table of %s cannot be used: %s", field->dataset->variables[field->variable].id, status_name(status)) : VIRGA_OK;
}

// --- Bricks.

static void ask(struct brick_fetch *fetch, struct slot *slot, size_t index) {
    const struct brick_name *b = &fetch->names[index];
    struct shared_bytes *now = NULL;
    slot->index = index;
    slot->state = PENDING;
    slot->bytes = NULL;
    int status = brick_store_brick(fetch->store, fetch->catalog, &fetch->field, b->level, b->x, b->y, b->z, fetch->priority, &now, arrived, slot, &slot->failure);
    answer(slot, status, now);
}

static void ask_more(struct brick_fetch *fetch) {
    struct slot *slot;
    while (fetch->asked < fetch->count && (slot = free_slot(fetch))) ask(fetch, slot, fetch->asked++);
}

void brick_fetch_start(struct brick_fetch *fetch, const struct field_ref *field, const struct brick_name *names, size_t count) {
    forget(fetch);
    fetch->field = *field;
    fetch->names = names;
    fetch->count = count;
    fetch->tries = TRIES;
    ask_more(fetch);
}

// Asks again for all that failed but may work now, once the store has forgotten that they failed.
static void ask_again(struct brick_fetch *fetch) {
    pause_to_retry(fetch);
    for (size_t n = 0; n < IN_FLIGHT; n++) {
        struct slot *slot = &fetch->slots[n];
        if (state_of(slot) == ARRIVED && slot->status == VIRGA_GONE) ask(fetch, slot, slot->index);
    }
}

// Takes what is there, after waiting for the first: how many. 0 and nothing failed: it was given up.
static int take_arrived(struct brick_fetch *fetch, struct brick_arrival *arrivals, size_t room, struct slot **failed) {
    size_t got = 0;
    pthread_mutex_lock(&fetch->lock);
    for (;;) {
        size_t pending = 0;
        for (size_t n = 0; n < IN_FLIGHT && got < room; n++) {
            struct slot *slot = &fetch->slots[n];
            pending += slot->state == PENDING;
            if (slot->state != ARRIVED) continue;
            if (slot->status) {
                *failed = slot;
                break;
            }
            arrivals[got++] = (struct brick_arrival){slot->index, slot->bytes};
            slot->bytes = NULL;
            slot->state = FREE;
        }
        if (got || *failed || !pending) break;
        if (!wait_for_some(fetch)) break;
    }
    pthread_mutex_unlock(&fetch->lock);
    return (int)got;
}

int brick_fetch_next(struct brick_fetch *fetch, struct brick_arrival *arrivals, size_t room, struct failure *failure) {
    while (fetch->taken < fetch->count) {
        struct slot *failed = NULL;
        ask_more(fetch);
        const int got = take_arrived(fetch, arrivals, room, &failed);
        fetch->taken += (size_t)got;
        if (got) return got;
        if (!failed && stopped(fetch)) {
            forget(fetch);
            return given_up(failure);
        }
        if (!failed) return failure_set(failure, VIRGA_INTERNAL, "the store lost a request");
        const int status = failed->status;
        if (status == VIRGA_GONE && --fetch->tries > 0) {
            ask_again(fetch);
            continue;
        }
        if (failure) *failure = failed->failure;
        forget(fetch);
        return status;
    }
    return 0;
}

// --- Ahead of time.

static void made_ready(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    (void)user, (void)status, (void)failure;  // whoever wants it in earnest is told what is wrong
    shared_bytes_unref(bytes);
}

void brick_fetch_ahead(struct brick_fetch *fetch, const struct field_ref *field, const struct brick_name *names, size_t count) {
    struct shared_bytes *bytes = NULL;
    int status = VIRGA_OK;
    // The finest first: where levels are read one by one, its level brings the others and the table with it.
    for (size_t n = count < AHEAD ? count : AHEAD; n-- > 0 && (status == VIRGA_OK || status == VIRGA_AGAIN);) {
        status = brick_store_brick(fetch->store, fetch->catalog, field, names[n].level, names[n].x, names[n].y, names[n].z, 0, &bytes, made_ready, fetch, NULL);
        if (status == VIRGA_OK) shared_bytes_unref(bytes);
    }
    if (status != VIRGA_OK && status != VIRGA_AGAIN) return;
    if (brick_store_table(fetch->store, fetch->catalog, field, 0, &bytes, made_ready, fetch, NULL) == VIRGA_OK) shared_bytes_unref(bytes);
}

void brick_fetch_ahead_stop(struct brick_fetch *fetch) { brick_store_cancel(fetch->store, fetch); }
