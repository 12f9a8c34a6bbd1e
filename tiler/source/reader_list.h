// SPDX-License-Identifier: Apache-2.0
// What the formats' lists of contents have in common. One thread.
#ifndef VIRGA_SOURCE_READER_LIST_H
#define VIRGA_SOURCE_READER_LIST_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

// VIRGA_TOO_LARGE: the list does not fit into the memory it may have.
int reader_list_no_memory(struct failure *failure);
// "group/name", or the name alone at the top; NULL when out of memory.
char *reader_list_name(struct arena *arena, const char *group, const char *name);

#endif
