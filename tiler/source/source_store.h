// SPDX-License-Identifier: Apache-2.0
// A folder that is one dataset: a Zarr store, as the server sees it. It reads no document in it; it only knows by their names which
// files describe the store, and by their state whether it is still the one that was opened.
#ifndef VIRGA_SOURCE_SOURCE_STORE_H
#define VIRGA_SOURCE_SOURCE_STORE_H

#include "source/source.h"

struct source_store;  // the names of what describes a store; immutable; any thread

// Whether the folder holds a document that a store has at its top.
bool source_store_at(int folder);

// Lists what describes the store: its group and array folders, not through links, and the documents in them. VIRGA_TOO_LARGE
// where these are too many or too deep, VIRGA_IO, VIRGA_NO_MEMORY. The failure's message does not name the store.
int source_store_new(int folder, struct source_store **store, struct failure *failure);
void source_store_free(struct source_store *store);  // NULL allowed

// Device and inode of the folder, and in size and mtime_ns a hash over name, inode, size and modification time of all that was
// listed (of folders without the size, which says nothing). What has gone since is part of the hash too.
struct source_identity source_store_identity(const struct source_store *store, int folder);

#endif
