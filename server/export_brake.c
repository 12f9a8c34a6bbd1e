// SPDX-License-Identifier: Apache-2.0
#include "server/export_brake.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/export_pace.h"

struct export_brake {
    struct worker_pool *pool;
    pthread_t thread;
    pthread_mutex_t lock;        // all below
    pthread_cond_t changed;
    bool stopping;
    struct export_pace pace;     // of all groups together
    bool still;                  // what they were last told
    pid_t groups[EXPORT_BRAKE_GROUPS];
    size_t count;
};

// A group that has gone by itself is nobody's fault.
static void tell(const struct export_brake *brake, pid_t group) { kill(-group, brake->still ? SIGSTOP : SIGCONT); }

static void tell_all(struct export_brake *brake) {
    if (brake->still == brake->pace.still) return;
    brake->still = brake->pace.still;
    for (size_t i = 0; i < brake->count; i++) tell(brake, brake->groups[i]);
}

static void *mind(void *argument) {
    struct export_brake *brake = argument;
    pthread_mutex_lock(&brake->lock);
    while (!brake->stopping) {
        double next = HUGE_VAL;
        if (brake->count) next = export_pace_look(&brake->pace, worker_pool_busy(brake->pool), clock_monotonic());
        tell_all(brake);
        condition_wait(&brake->changed, &brake->lock, next);
    }
    pthread_mutex_unlock(&brake->lock);
    return NULL;
}

static void pool_changed(void *user) {
    struct export_brake *brake = user;
    pthread_mutex_lock(&brake->lock);
    if (brake->count) pthread_cond_signal(&brake->changed);
    pthread_mutex_unlock(&brake->lock);
}

static int init(struct export_brake *brake) {
    if (pthread_mutex_init(&brake->lock, NULL)) return VIRGA_NO_MEMORY;
    int error = condition_init(&brake->changed);
    if (!error && !thread_start(&brake->thread, mind, brake)) return VIRGA_OK;
    if (!error) pthread_cond_destroy(&brake->changed);
    pthread_mutex_destroy(&brake->lock);
    return VIRGA_NO_MEMORY;
}

int export_brake_new(struct worker_pool *pool, struct export_brake **out, struct failure *failure) {
    struct export_brake *brake = *out = calloc(1, sizeof *brake);
    if (brake) brake->pool = pool;
    if (!brake || init(brake)) {
        free(brake);
        *out = NULL;
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory or threads");
    }
    if (!worker_pool_watch(pool, pool_changed, brake)) return VIRGA_OK;
    export_brake_free(brake);
    *out = NULL;
    return failure_set(failure, VIRGA_INTERNAL, "too many watch the workers");
}

void export_brake_free(struct export_brake *brake) {
    if (!brake) return;
    worker_pool_unwatch(brake->pool, brake);
    pthread_mutex_lock(&brake->lock);
    brake->stopping = true;
    pthread_cond_signal(&brake->changed);
    pthread_mutex_unlock(&brake->lock);
    pthread_join(brake->thread, NULL);
    pthread_cond_destroy(&brake->changed);
    pthread_mutex_destroy(&brake->lock);
    free(brake);
}

void export_brake_add(struct export_brake *brake, pid_t group) {
    pthread_mutex_lock(&brake->lock);
    if (!brake->count) {
        brake->pace = (struct export_pace){0};
        brake->still = false;
    }
    if (brake->count < EXPORT_BRAKE_GROUPS) brake->groups[brake->count++] = group;
    if (brake->still) tell(brake, group);
    pthread_cond_signal(&brake->changed);
    pthread_mutex_unlock(&brake->lock);
}

void export_brake_remove(struct export_brake *brake, pid_t group) {
    pthread_mutex_lock(&brake->lock);
    for (size_t i = 0; i < brake->count; i++)
        if (brake->groups[i] == group) {
            brake->groups[i] = brake->groups[--brake->count];
            break;
        }
    pthread_mutex_unlock(&brake->lock);
}
