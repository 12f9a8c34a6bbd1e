// SPDX-License-Identifier: Apache-2.0
#include "base/worker_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/status.h"
#include "base/thread.h"

struct waiting_job {
    int priority;
    uint64_t order;  // of adding
    worker_job run;
    void *argument;
};

struct worker_queue {
    struct worker_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t added;
    bool stopping;             // lock
    size_t running;            // lock
    size_t count, limit;       // lock; jobs in heap; limit never changes
    uint64_t next_order;       // lock
    struct waiting_job *heap;  // lock; a binary heap, the next job to run first
    pthread_t *threads;        // owner only
    int started;
    int niceness;              // of its threads
};

enum { QUEUES = 2 * LANE_COUNT };  // the lanes', then those of what nobody waits for in each

struct worker_pool {
    struct worker_queue queues[QUEUES];
    int ready;  // queues whose lock and condition exist
    atomic_size_t load;               // jobs that somebody waits for, in all lanes
    pthread_mutex_t watch;
    struct { void (*changed)(void *user); void *user; } watchers[WORKER_POOL_WATCHERS];  // watch
};

static bool runs_before(const struct waiting_job *a, const struct waiting_job *b) {
    return a->priority != b->priority ? a->priority > b->priority : a->order < b->order;
}

static void heap_swap(struct waiting_job *a, struct waiting_job *b) {
    struct waiting_job t = *a;
    *a = *b;
    *b = t;
}

static void heap_up(struct waiting_job *heap, size_t i) {
    for (; i > 0 && runs_before(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2) heap_swap(&heap[i], &heap[(i - 1) / 2]);
}

static void heap_down(struct waiting_job *heap, size_t count, size_t i) {
    for (;;) {
        size_t best = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
            if (runs_before(&heap[child], &heap[best])) best = child;
        if (best == i) return;
        heap_swap(&heap[i], &heap[best]);
        i = best;
    }
}

static struct waiting_job heap_remove(struct worker_queue *q, size_t i) {
    struct waiting_job job = q->heap[i];
    q->heap[i] = q->heap[--q->count];
    if (i < q->count) {
        heap_up(q->heap, i);
        heap_down(q->heap, q->count, i);
    }
    return job;
}

static void tell_watchers(struct worker_pool *pool) {
    pthread_mutex_lock(&pool->watch);
    for (size_t n = 0; n < WORKER_POOL_WATCHERS; n++)
        if (pool->watchers[n].changed) pool->watchers[n].changed(pool->watchers[n].user);
    pthread_mutex_unlock(&pool->watch);
}

// Counts a job that has come to an end; true: it was the last that somebody waited for.
static bool ended_last(struct worker_pool *pool, const struct waiting_job *job) {
    return job->priority >= 0 && atomic_fetch_sub(&pool->load, 1) == 1;
}

static void *worker_main(void *argument) {
    struct worker_queue *q = argument;
    if (q->niceness) thread_be_nice(q->niceness);
    pthread_mutex_lock(&q->lock);
    while (!q->stopping) {
        if (!q->count) {
            pthread_cond_wait(&q->added, &q->lock);
            continue;
        }
        struct waiting_job job = heap_remove(q, 0);
        q->running++;
        pthread_mutex_unlock(&q->lock);
        job.run(job.argument, false);
        pthread_mutex_lock(&q->lock);
        q->running--;
        if (!ended_last(q->pool, &job)) continue;
        pthread_mutex_unlock(&q->lock);
        tell_watchers(q->pool);
        pthread_mutex_lock(&q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

static int start_threads(struct worker_queue *q, int threads) {
    q->heap = calloc(q->limit ? q->limit : 1, sizeof *q->heap);
    q->threads = calloc((size_t)threads, sizeof *q->threads);
    if (!q->heap || !q->threads) return VIRGA_NO_MEMORY;
    while (q->started < threads && !thread_start(&q->threads[q->started], worker_main, q)) q->started++;
    return q->started == threads ? VIRGA_OK : VIRGA_NO_MEMORY;
}

// The next queue of the pool.
static int queue_start(struct worker_pool *pool, int threads, size_t limit, int niceness) {
    struct worker_queue *q = &pool->queues[pool->ready];
    q->pool = pool;
    q->limit = limit;
    q->niceness = niceness;
    if (threads < 1 || pthread_mutex_init(&q->lock, NULL)) return VIRGA_NO_MEMORY;
    if (pthread_cond_init(&q->added, NULL)) {
        pthread_mutex_destroy(&q->lock);
        return VIRGA_NO_MEMORY;
    }
    pool->ready++;
    return start_threads(q, threads);
}

struct worker_pool *worker_pool_new_nice(const int threads[LANE_COUNT], const int niceness[LANE_COUNT], size_t queue_limit) {
    struct worker_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    if (pthread_mutex_init(&pool->watch, NULL)) {
        free(pool);
        return NULL;
    }
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (queue_start(pool, threads[lane], queue_limit, niceness[lane])) {
            worker_pool_free(pool);
            return NULL;
        }
    return pool;
}

struct worker_pool *worker_pool_new(const int threads[LANE_COUNT], size_t queue_limit) {
    return worker_pool_new_nice(threads, (const int[LANE_COUNT]){0}, queue_limit);
}

int worker_pool_add_background(struct worker_pool *pool, const int threads[LANE_COUNT], int niceness) {
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (queue_start(pool, threads[lane], pool->queues[lane].limit, niceness)) return VIRGA_NO_MEMORY;
    return VIRGA_OK;
}

// Where a job waits.
static struct worker_queue *queue_of(struct worker_pool *pool, enum worker_lane lane, int priority) {
    return &pool->queues[priority < 0 && pool->ready == QUEUES ? LANE_COUNT + lane : lane];
}

// Takes the first waiting job whose argument is `argument` (any if `any`); false when there is none.
static bool queue_take(struct worker_queue *q, const void *argument, bool any, struct waiting_job *job) {
    bool found = false;
    pthread_mutex_lock(&q->lock);
    for (size_t i = 0; i < q->count && !found; i++)
        if (any || q->heap[i].argument == argument) {
            *job = heap_remove(q, i);
            found = true;
        }
    pthread_mutex_unlock(&q->lock);
    return found;
}

void worker_pool_free(struct worker_pool *pool) {
    if (!pool) return;
    for (int n = 0; n < pool->ready; n++) {
        struct worker_queue *q = &pool->queues[n];
        pthread_mutex_lock(&q->lock);
        q->stopping = true;
        pthread_cond_broadcast(&q->added);
        pthread_mutex_unlock(&q->lock);
    }
    struct waiting_job job;
    for (int n = 0; n < pool->ready; n++) {
        struct worker_queue *q = &pool->queues[n];
        for (int i = 0; i < q->started; i++) pthread_join(q->threads[i], NULL);
        while (queue_take(q, NULL, true, &job)) job.run(job.argument, true);
    }
    for (int n = 0; n < pool->ready; n++) {
        struct worker_queue *q = &pool->queues[n];
        free(q->heap);
        free(q->threads);
        pthread_cond_destroy(&q->added);
        pthread_mutex_destroy(&q->lock);
    }
    pthread_mutex_destroy(&pool->watch);
    free(pool);
}

int worker_pool_try_add(struct worker_pool *pool, enum worker_lane lane, int priority, worker_job job, void *argument) {
    struct worker_queue *q = queue_of(pool, lane, priority);
    int status = VIRGA_OK;
    bool first = false;
    pthread_mutex_lock(&q->lock);
    if (q->stopping) {
        status = VIRGA_CANCELLED;
    } else if (q->count >= q->limit) {
        status = VIRGA_TOO_LARGE;
    } else {
        q->heap[q->count] =
            (struct waiting_job){.priority = priority, .order = q->next_order++, .run = job, .argument = argument};
        heap_up(q->heap, q->count++);
        first = priority >= 0 && atomic_fetch_add(&pool->load, 1) == 0;
        pthread_cond_signal(&q->added);
    }
    pthread_mutex_unlock(&q->lock);
    if (first) tell_watchers(pool);
    return status;
}

size_t worker_pool_cancel(struct worker_pool *pool, const void *argument) {
    size_t cancelled = 0;
    struct waiting_job job;
    for (int n = 0; n < pool->ready; n++)
        while (queue_take(&pool->queues[n], argument, false, &job)) {
            job.run(job.argument, true);  // without the lock: a job may add another
            if (ended_last(pool, &job)) tell_watchers(pool);
            cancelled++;
        }
    return cancelled;
}

static size_t load_of(struct worker_queue *q) {
    pthread_mutex_lock(&q->lock);
    size_t load = q->count + q->running;
    pthread_mutex_unlock(&q->lock);
    return load;
}

size_t worker_pool_load(struct worker_pool *pool, enum worker_lane lane) {
    return load_of(&pool->queues[lane]) + (pool->ready == QUEUES ? load_of(&pool->queues[LANE_COUNT + lane]) : 0);
}

bool worker_pool_busy(struct worker_pool *pool) { return atomic_load(&pool->load) > 0; }

static int set_watcher(struct worker_pool *pool, const void *user, void (*changed)(void *user), void *next) {
    int status = VIRGA_TOO_LARGE;
    pthread_mutex_lock(&pool->watch);
    for (size_t n = 0; n < WORKER_POOL_WATCHERS && status; n++) {
        if (pool->watchers[n].user != user) continue;
        pool->watchers[n].changed = changed;
        pool->watchers[n].user = next;
        status = VIRGA_OK;
    }
    pthread_mutex_unlock(&pool->watch);
    return status;
}

int worker_pool_watch(struct worker_pool *pool, void (*changed)(void *user), void *user) { return set_watcher(pool, NULL, changed, user); }

void worker_pool_unwatch(struct worker_pool *pool, const void *user) {
    if (user) set_watcher(pool, user, NULL, NULL);
}
