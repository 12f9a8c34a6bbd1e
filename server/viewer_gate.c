// SPDX-License-Identifier: Apache-2.0
#include "server/viewer_gate.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/export_pace.h"

struct viewer_gate {
    struct worker_pool *pool;
    atomic_bool open;         // for good
    pthread_mutex_t lock;
    pthread_cond_t changed;   // lock
    struct export_pace pace;  // lock; of all threads together
    double served_at;         // lock; when the last viewer who was seen has been
};

// With the lock. When to look again though nothing has changed.
static double look(struct viewer_gate *gate, double now) {
    const bool seen = now < gate->served_at;
    const double next = export_pace_look(&gate->pace, seen || worker_pool_busy(gate->pool), now);
    return seen ? fmin(next, gate->served_at) : next;
}

static void pool_changed(void *user) {
    struct viewer_gate *gate = user;
    pthread_mutex_lock(&gate->lock);
    look(gate, clock_monotonic());
    if (!gate->pace.still) pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void viewer_gate_pass(struct viewer_gate *gate) {
    if (atomic_load(&gate->open)) return;
    pthread_mutex_lock(&gate->lock);
    while (!atomic_load(&gate->open)) {
        const double next = look(gate, clock_monotonic());
        if (!gate->pace.still) break;
        condition_wait(&gate->changed, &gate->lock, next);
    }
    pthread_mutex_unlock(&gate->lock);
}

void viewer_gate_seen(struct viewer_gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->served_at = clock_monotonic() + VIEWER_GATE_SERVED;
    pthread_mutex_unlock(&gate->lock);
}

void viewer_gate_open(struct viewer_gate *gate) {
    pthread_mutex_lock(&gate->lock);
    atomic_store(&gate->open, true);
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

int viewer_gate_new(struct worker_pool *pool, struct viewer_gate **out, struct failure *failure) {
    struct viewer_gate *gate = *out = calloc(1, sizeof *gate);
    if (!gate || pthread_mutex_init(&gate->lock, NULL)) {
        free(gate);
        *out = NULL;
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    condition_init(&gate->changed);
    gate->pool = pool;
    if (!worker_pool_watch(pool, pool_changed, gate)) return VIRGA_OK;
    viewer_gate_free(gate);
    *out = NULL;
    return failure_set(failure, VIRGA_INTERNAL, "too many watch the workers");
}

void viewer_gate_free(struct viewer_gate *gate) {
    if (!gate) return;
    worker_pool_unwatch(gate->pool, gate);
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}
