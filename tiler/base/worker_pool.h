// SPDX-License-Identifier: Apache-2.0
// A bounded pool of threads with two lanes: LANE_READ for jobs that wait on a source, LANE_COMPUTE for the rest.
// Each lane has threads of its own, so slow reads never hold up encoding. Within a lane, the job with the highest
// priority runs first; equal priorities run in the order they were added. A negative one says that nobody waits for the job: it may have
// threads of its own (worker_pool_add_background), so that who does wait finds a thread and a processor free.
#ifndef VIRGA_BASE_WORKER_POOL_H
#define VIRGA_BASE_WORKER_POOL_H

#include <stdbool.h>
#include <stddef.h>

enum worker_lane { LANE_READ, LANE_COMPUTE, LANE_COUNT };

struct worker_pool;

// A job runs once on a thread of its lane. `cancelled` is true when the pool is being torn down or the job was
// cancelled before it began: then it only frees what it owns.
typedef void (*worker_job)(void *argument, bool cancelled);

// threads[lane] ≥ 1 threads for each lane, at most queue_limit waiting jobs a lane. NULL when out of memory or threads.
struct worker_pool *worker_pool_new(const int threads[LANE_COUNT], size_t queue_limit);
// The same with threads of such niceness in each lane.
struct worker_pool *worker_pool_new_nice(const int threads[LANE_COUNT], const int niceness[LANE_COUNT], size_t queue_limit);
// Gives jobs of negative priority threads of their own in each lane (≥ 1), of this niceness, and a queue as long as the others. Once, before any job is added.
// VIRGA_NO_MEMORY: the pool is only to be freed.
int worker_pool_add_background(struct worker_pool *pool, const int threads[LANE_COUNT], int niceness);
// Cancels waiting jobs, waits for running ones. NULL is allowed. Not from a worker thread.
void worker_pool_free(struct worker_pool *pool);

// Any thread. Returns VIRGA_OK, or VIRGA_TOO_LARGE when the lane's queue is full (the job does not run), or
// VIRGA_CANCELLED during tear-down.
int worker_pool_try_add(struct worker_pool *pool, enum worker_lane lane, int priority, worker_job job, void *argument);
// Any thread. Cancels waiting jobs with this argument (each runs with cancelled = true, on this thread). Returns how many.
size_t worker_pool_cancel(struct worker_pool *pool, const void *argument);
// Any thread. Waiting and running jobs of a lane.
size_t worker_pool_load(struct worker_pool *pool, enum worker_lane lane);
// Any thread. Whether any job of priority 0 or more waits or runs, in any lane.
bool worker_pool_busy(struct worker_pool *pool);
// Has `changed` called whenever the pool may have become busy or idle: on the thread that did it, which holds no lock of a lane; calls never
// overlap. It must be quick, and not call these two. VIRGA_TOO_LARGE: WORKER_POOL_WATCHERS watch already.
enum { WORKER_POOL_WATCHERS = 4 };
int worker_pool_watch(struct worker_pool *pool, void (*changed)(void *user), void *user);
void worker_pool_unwatch(struct worker_pool *pool, const void *user);  // who watches with this user is told no more once this returns

#endif
