// SPDX-License-Identifier: Apache-2.0
// The engine as the configuration has it: which paths are its own, and one that is made of the settings. Main thread; those that only look, any.
#ifndef VIRGA_SERVER_ENGINE_SETUP_H
#define VIRGA_SERVER_ENGINE_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "server/config.h"
#include "source/engine_launch.h"
#include "source/source_engine.h"

// Whether each user has an engine of their own, whose paths others do not see.
bool engine_setup_for_each_user(const struct config *config);
// Whether an engine opens this path. An address whose host opendap-hosts names is none of its own.
bool engine_setup_takes(const struct config *config, const char *path);
// Whether an address is one that the configuration allows, of the engine or behind OPeNDAP. VIRGA_INVALID says what is wrong or which setting allows it.
int engine_setup_check(const struct config *config, const char *path, struct failure *failure);
// The setting engine-slabs without its port, which only one engine can have. out: at least as large as the setting. Any thread.
void engine_setup_slabs_host(const struct config *config, char *out, size_t room);
// cluster: "none", or as the setting engine. socket: with the engine's other end, or -1. Codes as source_engine_new. The configuration may go afterwards.
int engine_setup_new(const struct config *config, const char *cluster, int socket, struct source_engine **engine, struct failure *failure);
// At the other end of this socket is a notebook's process: no cluster of the server's, and numbers come through the socket.
int engine_setup_notebook(const struct config *config, int socket, struct source_engine **engine, struct failure *failure);
// What starts another module of the engine's package, with the cluster of the setting engine.
int engine_setup_launch(const struct config *config, struct engine_launch **launch, struct failure *failure);

// Whether looking again at what an engine has costs nothing that would end otherwise: a cluster that virga starts itself ends when nobody uses it, so
// it is only asked where somebody asked since *seen. engine_setup_seen sets that to now; it begins as 0.
bool engine_setup_may_look(const struct config *config, struct source_engine *engine, uint64_t seen);
void engine_setup_seen(struct source_engine *engine, uint64_t *seen);

#endif
