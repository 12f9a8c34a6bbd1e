// SPDX-License-Identifier: Apache-2.0
// What readers want remembered of files that are slow to list (GRIB): opaque bytes, kept in a folder by a file's identity and lent
// to whichever child opens it next. A child believes them no more than it believes a file. Any thread, any number of processes.
#ifndef VIRGA_SOURCE_SOURCE_INDEX_H
#define VIRGA_SOURCE_SOURCE_INDEX_H

#include "source/source.h"

// A read-only descriptor of what is kept of this file, the caller's; or VIRGA_NOT_FOUND with *fd -1. folder NULL: nothing is kept.
int source_index_open(const char *folder, const struct source_identity *identity, int *fd);
// Keeps bytes, all at once or not at all; makes the folder where its parent is there. What was used longest ago goes once all
// together has more than `most` bytes. VIRGA_IO where it could not be written: then it will be asked for again, no more.
int source_index_keep(const char *folder, const struct source_identity *identity, const void *bytes, size_t size, size_t most);

#endif
