// SPDX-License-Identifier: Apache-2.0
// From an engine's options to a child, and to the place where its workers deliver slabs. Immutable once made; any thread.
#ifndef VIRGA_SOURCE_ENGINE_LAUNCH_H
#define VIRGA_SOURCE_ENGINE_LAUNCH_H

#include "source/slab_receiver.h"
#include "source/source_child.h"
#include "source/source_engine.h"

struct engine_launch;

// Copies the options. VIRGA_INVALID for a cluster or a place for slabs that makes no sense; VIRGA_NO_MEMORY.
int engine_launch_new(const struct source_engine_options *options, struct engine_launch **launch, struct failure *failure);
void engine_launch_free(struct engine_launch *launch);  // NULL allowed
const struct source_engine_options *engine_launch_options(const struct engine_launch *launch);  // all text is the launch's
const char *engine_launch_kind(const struct engine_launch *launch);  // of cluster: "none", "local", "shared" or "gateway"
// VIRGA_OK where there is a program, or VIRGA_NOT_FOUND with how to install it.
int engine_launch_installed(const struct engine_launch *launch, struct failure *failure);
// slabs: "HOST:PORT" to say to it, or NULL. VIRGA_IO, VIRGA_NO_MEMORY, VIRGA_NOT_FOUND.
int engine_launch_start(const struct engine_launch *launch, const char *slabs, struct source_child *child, struct failure *failure);
// Likewise, another module of the package, which takes the same arguments.
int engine_launch_module(const struct engine_launch *launch, const char *module, struct source_child *child, struct failure *failure);
// *receiver: NULL where workers are to deliver nowhere. May look up a name.
int engine_launch_receiver(const struct engine_launch *launch, struct slab_receiver **receiver, struct failure *failure);

#endif
