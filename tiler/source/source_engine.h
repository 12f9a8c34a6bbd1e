// SPDX-License-Identifier: Apache-2.0
// The engine: one child process in Python that opens what readers cannot, and reads it on a Dask cluster or by itself
// (SOURCE_PROTOCOL.md). Many requests are on their way at once. Any thread, but for _new and _free; one thread of the engine's own holds the
// socket and the child, another takes slabs in pieces from workers. A child that ends is started again.
#ifndef VIRGA_SOURCE_SOURCE_ENGINE_H
#define VIRGA_SOURCE_SOURCE_ENGINE_H

#include <stdatomic.h>

#include "source/source.h"

struct source_engine;

struct source_engine_options {  // all text is copied
    const char *python;         // the program; NULL: engine/bin/python3 in the folder above this program's, else /usr/lib/virga/engine/bin/python3
    int socket;                 // -1: a child is started; else the engine's other end is there (closed by source_engine_free), and is not started again
    const char *cluster;        // "none", "local", "local:N", "tcp://HOST:PORT", "tls://HOST:PORT", "gateway:URL"; NULL: none
    const char *workers;        // "MIN:MAX", or NULL: the engine's own choice
    double idle_seconds;        // until the cluster is scaled to zero; 0: the engine's own choice
    const char *slabs;          // where workers deliver: "HOST[:PORT]", "off", or NULL: 127.0.0.1 for a local cluster, for tcp:// the address of this
                                // machine by which the scheduler is reached, for others nowhere
    const char *const *schemes;  // of addresses that it may open: "s3", "https", …
    size_t scheme_count;
    const char *const *products;  // "VARIABLE: mean", …
    size_t product_count;
    size_t memory;              // bytes resident beyond which the child is ended (its cluster's workers are not counted)
    double start_seconds;       // until it has said hello
    double open_seconds;        // to list a dataset
    double read_seconds;        // to read a slab: a cluster may have to start
    double cancel_seconds;      // to let go of what is given up
};

void source_engine_options_default(struct source_engine_options *options);

// Does not start the child: it starts with the first question, or source_engine_start. VIRGA_INVALID for an option that makes no sense,
// VIRGA_NO_MEMORY.
int source_engine_new(const struct source_engine_options *options, struct source_engine **engine, struct failure *failure);
// Ends what is on its way (VIRGA_CANCELLED), refuses what comes later, ends the child, and waits for all of it: 5 s at most for a child that does not go by
// itself. No thread and no process in the child's group is left. NULL allowed. Slabs may be released later.
void source_engine_free(struct source_engine *engine);
// Ends what is on its way and refuses what comes later, and returns at once. source_engine_free is still to be called.
void source_engine_stop(struct source_engine *engine);

// Whether there is a program to start (or the other end is there). VIRGA_NOT_FOUND: *failure says how to install it.
int source_engine_installed(const struct source_engine *engine, struct failure *failure);
// Starts the child where it does not run, and its cluster. Waits for neither: the state tells.
int source_engine_start(struct source_engine *engine, struct failure *failure);
// Ends the cluster; the next request that needs it starts it again. Nothing where no child runs.
void source_engine_stop_cluster(struct source_engine *engine);

// The latest STATE as the engine sent it, or one in the same form made here where no child runs ("stopped", "starting", "failed" with a message).
// UTF-8 and at most SOURCE_MAX_STATE_BYTES, but not checked to be JSON: parse it, and take nothing in it for granted. The caller frees it; NULL without memory.
char *source_engine_state(struct source_engine *engine);
// told: called on the engine's thread with each new state, as source_engine_state; it may not wait, nor call the engine. Set it before the first request; NULL
// ends it: afterwards none is under way.
void source_engine_on_state(struct source_engine *engine, void (*told)(void *context, const char *json), void *context);

struct source_traffic {  // what reading took, since start
    uint64_t requests;  // slabs asked for
    uint64_t read;      // bytes of stored chunks that were read for them, decoded
    uint64_t sent;      // bytes that left the workers
    uint64_t received;  // bytes of slabs that came here
};
struct source_engine_counts {
    struct source_traffic traffic;
    size_t starts;      // of the child
    size_t on_the_way;  // requests, now
};
void source_engine_counts(struct source_engine *engine, struct source_engine_counts *counts);

// Whether a path is an address that this engine opens: by its kind, or its scheme.
bool source_engine_takes(const struct source_engine *engine, const char *path);
bool source_engine_has_cluster(const struct source_engine *engine);

#endif
