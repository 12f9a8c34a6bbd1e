// SPDX-License-Identifier: Apache-2.0
// Bricks on demand: reads fields through the catalog on the worker pool, quantises them, builds pyramids, encodes bricks
// once, and keeps what was made within a cap in bytes. Simultaneous requests for the same thing share one job.
// Any thread may call; callbacks run on a worker thread, or never if the request was answered at once.
//
// A field whose source reduces early (field_reduces_early) is read level by level, the coarsest first: a request for a brick reads its level, reduced
// where it is stored, and makes those above it. Other fields are read whole at once.
#ifndef VIRGA_BRICK_BRICK_STORE_H
#define VIRGA_BRICK_BRICK_STORE_H

#include "base/histogram.h"
#include "base/shared_bytes.h"
#include "base/worker_pool.h"
#include "brick/brick_key.h"
#include "field/catalog.h"

struct brick_store;
struct step_volume;  // brick/step_volume.h

struct brick_store_options {
    size_t memory;           // cap on encoded bricks, tables and quantised volumes held in memory, bytes
    const char *spool_dir;   // where quantised volumes go that do not fit (unlinked temporary files), or NULL for none
    size_t spool_limit;      // cap on that, bytes
};

// The pool and catalog must outlive the store.
int brick_store_new(struct worker_pool *pool, const struct brick_store_options *options, struct brick_store **store);
void brick_store_free(struct brick_store *store);  // cancels; every pending callback has run when this returns

// A callback gets one reference to `bytes` (NULL on failure) and must unref it.
typedef void (*brick_store_done)(void *user, int status, struct shared_bytes *bytes, const struct failure *failure);

// A failure is remembered for two seconds, in which the same request fails at once with the same message; then it is tried
// again. `field` and `catalog` need only live until the call returns: the store takes a reference to the catalog.

// The step table of a field (BRICK_FORMAT.md, "Step table"). Returns VIRGA_OK with *bytes (a reference), or VIRGA_AGAIN
// and the callback runs once later, or an error code (failure filled, no callback).
int brick_store_table(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, int priority,
                      struct shared_bytes **bytes, brick_store_done done, void *user, struct failure *failure);
// One encoded brick (BRICK_FORMAT.md, "Brick"). What the step table calls constant or wholly missing has no payload: VIRGA_OK with size 0.
int brick_store_brick(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, uint32_t level,
                      uint32_t x, uint32_t y, uint32_t z, int priority, struct shared_bytes **bytes,
                      brick_store_done done, void *user, struct failure *failure);
// Cancels the pending requests with this user pointer; their callbacks will not run after this returns (it waits for
// one that is running now, so hold no lock that a callback takes; from within the callback itself it does not wait). What
// they asked for may still be finished and cached; reading that nobody waits for any more is given up, at once where the source can.
void brick_store_cancel(struct brick_store *store, void *user);

// The pyramid levels of a field where all of them are held: a reference (step_volume_free). NULL: they are not. Never blocks.
struct step_volume *brick_store_volume(struct brick_store *store, const struct field_ref *field);
// Reads the field as a request for its table does, and waits for it: its volume is held then, but where it begins with a coarser level or there was no
// room to keep it. Not on the service thread, nor on a worker of the store's pool. VIRGA_OK, or what the store failed with.
int brick_store_build(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, struct failure *failure);

// The pyramid of a variable.
void brick_store_shape(const struct catalog_dataset *dataset, size_t variable, struct pyramid_shape *shape);

struct brick_store_stats {
    size_t memory, spooled;    // bytes now held, with what is being built
    size_t hits, misses;       // requests answered at once, and not
    size_t bricks_encoded;
    size_t steps_read;         // fields read completely
    size_t chunks_bytes_read;  // bytes of values asked of field_read (8 a voxel) and field_reduce (32 a voxel of its level)
};
void brick_store_stats(struct brick_store *store, struct brick_store_stats *stats);
// How long fields took to be read and made into a pyramid, each of its levels that was read by itself counting once. As long-lived as the store.
const struct histogram *brick_store_step_seconds(const struct brick_store *store);

#endif
