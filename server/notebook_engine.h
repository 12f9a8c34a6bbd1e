// SPDX-License-Identifier: Apache-2.0
// The engine that a notebook's process is for its user: at the other end of a socket (source_bridge.h), with a pool that opens what is in it. Counted references;
// service thread, but for notebook_engine_pool's pool.
#ifndef VIRGA_SERVER_NOTEBOOK_ENGINE_H
#define VIRGA_SERVER_NOTEBOOK_ENGINE_H

#include "base/worker_pool.h"
#include "server/config.h"
#include "source/source.h"

struct notebook_engine;

// One reference. Takes the socket, also where it fails (but without memory).
int notebook_engine_new(const struct config *config, int socket, struct notebook_engine **engine, struct failure *failure);
struct notebook_engine *notebook_engine_ref(struct notebook_engine *engine);
// The last one waits for what is under way on one of the helpers; NULL: here. engine: NULL allowed.
void notebook_engine_unref(struct notebook_engine *engine, struct worker_pool *helpers);
struct source_pool *notebook_engine_pool(const struct notebook_engine *engine);
// Ends what is under way and refuses what comes later, at once.
void notebook_engine_stop(struct notebook_engine *engine);

#endif
