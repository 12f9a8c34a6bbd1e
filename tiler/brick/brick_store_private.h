// SPDX-License-Identifier: Apache-2.0
// What the store's own files and its tests share.
//
// A *step* is one field's state: table, volume, who waits. A *build* reads a step: it is admitted when its memory is there,
// reads boxes in a few chains (each alternates between a read job and a compute job), and ends in the step. A *brick job*
// encodes one brick, once, for all who wait for it.
//
// A field that its source reduces early is built coarse first: each build reads one level, reduced, and makes those above it; the next one reads a
// finer level when a brick of one is asked for. Its table bounds all levels and comes with the first build, whichever that is of.
#ifndef VIRGA_BRICK_BRICK_STORE_PRIVATE_H
#define VIRGA_BRICK_BRICK_STORE_PRIVATE_H

#include <pthread.h>

#include "base/histogram.h"
#include "brick/brick_cache.h"
#include "brick/brick_codec.h"
#include "brick/brick_store.h"
#include "brick/step_table.h"
#include "brick/step_volume.h"
#include "brick/volume_tiler.h"

enum { STEP_BUCKETS = 1024, JOB_BUCKETS = 4096, BUILD_CHAINS = 4, MOST_BUILDS = 8, MOST_STEPS = 4096 };
#define FAILURE_SECONDS 2.0

struct field_access {  // the field layer, or a stand-in
    int (*plan)(const struct field_ref *field, size_t max_bytes, struct field_box **boxes, size_t *count,
                struct failure *failure);
    int (*read)(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure);
    struct catalog *(*ref)(struct catalog *catalog);
    void (*unref)(struct catalog *catalog);
    // As field_reads_far, field_reduces_early, field_reduce_plan and field_reduce; all NULL: no field is such.
    bool (*far)(const struct field_ref *field);
    bool (*early)(const struct field_ref *field);
    int (*reduce_plan)(const struct field_ref *field, const uint32_t block[3], size_t max_blocks, struct field_box **boxes, size_t *count,
                       struct failure *failure);
    int (*reduce)(const struct field_ref *field, const uint32_t block[3], const struct field_box *box, const struct field_blocks *blocks,
                  struct failure *failure);
};

int brick_store_new_with(struct worker_pool *pool, const struct brick_store_options *options,
                         const struct field_access *access, double (*now)(void), struct brick_store **store);

struct waiter {
    struct waiter *next;
    brick_store_done done;
    void *user;
    int status;                  // once complete
    struct shared_bytes *bytes;  // once complete: its reference
    struct failure failure;      // once complete
};

struct running_callback {  // on the stack of the thread that runs it
    struct running_callback *next;
    void *user;
    pthread_t thread;
};

enum step_state { STEP_IDLE, STEP_QUEUED, STEP_BUILDING, STEP_FAILED };

struct brick_job {
    struct brick_store *store;
    struct brick_key key;
    struct step *step;
    int priority;
    struct waiter *waiters;
    struct brick_job *next;         // in the bucket
    struct brick_job *next_waiting; // in step->bricks, while the volume is not there, or begins with a coarser level
};

struct build;

struct step {  // all under the store's lock, but what a build works on
    struct step *next;            // in the bucket
    struct step *newer, *older;   // in order of use
    struct brick_key key;         // level, x, y, z are 0
    struct pyramid_shape shape;
    struct lattice_spec lattice;
    bool far, early;              // of its source: each read takes long; coarse levels are read reduced
    bool whole;                   // though early, its values cannot be reduced
    struct build *build;          // while building
    struct catalog *catalog;      // a reference while queued or building
    struct field_ref field;       // in it
    enum step_state state;
    int priority;
    uint64_t order;               // of queueing
    struct waiter *waiters;       // for the table
    struct brick_job *bricks;     // wait for the volume, or for one that begins with a finer level
    struct shared_bytes *table_bytes;
    struct step_table *table;
    struct step_volume *volume;
    size_t held, spooled, meta;   // bytes counted for volume and tables
    size_t pins;                  // brick jobs submitted or running
    bool spooling;                // a thread works on moving the volume
    double failed_at;
    struct failure failure;
};

struct workshop {  // what a thread needs to encode
    struct workshop *next;
    struct brick_encoder *encoder;
    int32_t q[BRICK_MAX_VOXELS];
};

struct brick_store {
    struct worker_pool *pool;
    const struct field_access *access;
    double (*now)(void);
    size_t memory, spool_limit;
    char *spool_dir;

    pthread_mutex_t lock;  // all below
    pthread_cond_t changed;
    bool stopping;
    size_t jobs;           // in the pool or running
    struct step *steps[STEP_BUCKETS], *newest, *oldest;
    size_t step_count;
    struct brick_job *brick_jobs[JOB_BUCKETS];
    size_t bricks_at_work;  // brick jobs in the pool
    struct brick_cache *cache;
    struct waiter *complete, **complete_end;
    struct running_callback *running;
    struct workshop *workshops;
    struct shared_bytes *empty;
    size_t builds, queued;
    size_t reserved;       // for builds: made room for before it is taken
    size_t building;       // what of that builds have taken
    uint64_t next_order;
    size_t volume_bytes, spool_bytes, meta_bytes;
    bool spool_fails;      // the last try did, and it was said
    struct brick_store_stats counts;
    struct histogram step_seconds;  // no lock: of builds that came out well
};

// --- brick_store.c. Those marked (lock) want the lock held.

size_t brick_store_used(struct brick_store *store);                       // (lock)
bool brick_store_wanted(const struct step *step);                         // (lock) somebody waits for it
void brick_store_complete(struct brick_store *store, struct waiter *list, int status, struct shared_bytes *bytes,
                          const struct failure *failure);                 // (lock) moves all of list to be delivered
void brick_store_deliver(struct brick_store *store);                      // runs the callbacks of what is complete
void brick_store_fail_bricks(struct brick_store *store, struct step *step, int status,
                             const struct failure *failure);              // (lock) those that wait for the step
void brick_store_start_bricks(struct brick_store *store, struct step *step);  // (lock) those that wait and that the step's volume has
int brick_store_add_job(struct brick_store *store, enum worker_lane lane, int priority, worker_job job,
                        void *argument);                                  // (lock) counts it
void brick_store_job_done(struct brick_store *store);  // last thing of each job: starts what waits, runs callbacks

// --- brick_room.c

// Spools or drops what was not used for longest until what is held fits into the memory. False if it does not.
bool brick_room_make(struct brick_store *store);
void brick_room_set_volume(struct brick_store *store, struct step *step, struct step_volume *volume);  // (lock)
void brick_room_recount(struct brick_store *store, struct step *step);                                 // (lock)
void brick_room_trim_steps(struct brick_store *store);  // (lock) forgets old steps beyond MOST_STEPS
void brick_room_forget(struct brick_store *store, struct step *step);                                  // (lock)

// --- step_build.c

// Queues a build for a step that has none. catalog and field as in the request. (lock)
void step_build_queue(struct brick_store *store, struct step *step, struct catalog *catalog, const struct field_ref *field);
// Starts what is queued and fits. (lock)
void step_build_pump(struct brick_store *store);
void step_build_unqueue(struct brick_store *store, struct step *step);  // (lock)
void step_build_give_up(struct brick_store *store);                     // (lock) fails all that is queued
// Ends reading for a step that is being built, at once where the source can. It is built again where somebody waits by then. (lock)
void step_build_stop(struct step *step);

#endif
