// SPDX-License-Identifier: Apache-2.0
// Bricks on demand: reads fields through the catalog on the worker pool, quantises them, builds pyramids, encodes bricks
// once, and keeps what was made within a cap in bytes. Simultaneous requests for the same thing share one job.
// Any thread may call; callbacks run on a worker thread, or never if the request was answered at once.
#ifndef VIRGA_BRICK_BRICK_STORE_H
#define VIRGA_BRICK_BRICK_STORE_H

#include "base/shared_bytes.h"
#include "base/worker_pool.h"
#include "brick/brick_key.h"
#include "field/catalog.h"

struct brick_store;

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

// The step table of a field (BRICK_FORMAT.md, "Step table"). Returns VIRGA_OK with *bytes (a reference), or VIRGA_AGAIN
// and the callback runs once later, or an error code (failure filled, no callback).
int brick_store_table(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, int priority,
                      struct shared_bytes **bytes, brick_store_done done, void *user, struct failure *failure);
// One encoded brick (BRICK_FORMAT.md, "Brick"). Constant and wholly missing bricks have no payload: VIRGA_OK with size 0.
int brick_store_brick(struct brick_store *store, struct catalog *catalog, const struct field_ref *field, uint32_t level,
                      uint32_t x, uint32_t y, uint32_t z, int priority, struct shared_bytes **bytes,
                      brick_store_done done, void *user, struct failure *failure);
// Cancels the pending requests with this user pointer; their callbacks will not run after this returns. What they
// asked for may still be finished and cached.
void brick_store_cancel(struct brick_store *store, void *user);

// The pyramid of a variable.
void brick_store_shape(const struct catalog_dataset *dataset, size_t variable, struct pyramid_shape *shape);

struct brick_store_stats { size_t memory, spooled, hits, misses, bricks_encoded, steps_read, chunks_bytes_read; };
void brick_store_stats(struct brick_store *store, struct brick_store_stats *stats);

#endif
