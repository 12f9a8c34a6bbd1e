// SPDX-License-Identifier: Apache-2.0
// A dataset that an engine opens, for source.c: what OPEN and READ are made of, and what their answers have to be. Failure messages do not name the
// dataset. Any thread.
#ifndef VIRGA_SOURCE_SOURCE_OF_ENGINE_H
#define VIRGA_SOURCE_SOURCE_OF_ENGINE_H

#include "base/arena.h"
#include "source/source_engine_ask.h"

struct source_of_engine {
    struct source_engine *engine;
    char *address;                   // as the engine is asked for it
    struct source_identity identity; // size 0 until it has been listed
};

// The address is copied; seed: of the identity (source_pool_seed); what a relative path in it stands for is settled now. VIRGA_NO_MEMORY; VIRGA_INVALID where it is too long.
int source_of_engine_init(struct source_of_engine *it, struct source_engine *engine, const char *address, uint64_t seed, struct failure *failure);
void source_of_engine_destroy(struct source_of_engine *it);
// What a file of this path is to be asked of an engine as, by its ending or its first bytes: "iris" (UM files), "zarr" (.zarr.zip); NULL: readers know it.
const char *source_of_engine_kind(const char *path, int fd);

int source_of_engine_list(struct source_of_engine *it, size_t max_bytes, const atomic_bool *stop, struct arena *arena,
                          struct source_inventory *inventory, struct failure *failure);
// shape: of the request's answer. On success the slab is filled; it is released by source_slab_release.
int source_of_engine_read(const struct source_of_engine *it, const char *variable, const struct source_slab_request *request,
                          const struct source_slab_shape *shape, const atomic_bool *stop, struct source_slab *slab, struct failure *failure);

#endif
