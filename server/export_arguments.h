// SPDX-License-Identifier: Apache-2.0
// The command line of a child that makes pictures of what this server shows: `virga export - PATH… `, with every setting that matters said. Pure: any thread.
#ifndef VIRGA_SERVER_EXPORT_ARGUMENTS_H
#define VIRGA_SERVER_EXPORT_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config.h"

struct export_arguments {
    char **list;  // [0] is the name; NULL ends them
    size_t count, room;
    bool failed;  // out of memory
};

// Into `folder`, files named by number with `suffix` ("png", "jpg"). `background`: only when nobody else wants the processor. VIRGA_NO_MEMORY.
int export_arguments_make(const struct config *config, const char *folder, const char *suffix, bool background, struct export_arguments *out);
// For a worker of a cluster that draws frames of an export: only what decides how they look and what they cost, no folder of this machine; not the
// command, the document and how it is asked. `threads` draw each of them; 0: one.
int export_arguments_for_worker(const struct config *config, size_t threads, struct export_arguments *out);
void export_arguments_destroy(struct export_arguments *arguments);

#endif
