// SPDX-License-Identifier: Apache-2.0
// All jobs, in memory. One thread, the owner, changes them; any thread asks.
#ifndef VIRGA_SERVER_EXPORT_TABLE_H
#define VIRGA_SERVER_EXPORT_TABLE_H

#include <pthread.h>

#include "server/change_log.h"
#include "server/export_job.h"

enum { EXPORT_CHANGES = 64 };  // told at a time

struct export_table {
    pthread_mutex_t lock;
    struct export_job *jobs;  // lock, or the owner for reading; by rising sequence
    size_t count, room;
    struct change_log log;    // lock, or the owner for reading
};

int export_table_init(struct export_table *table);
void export_table_destroy(struct export_table *table);

// Owner: adds a job or changes the one of its sequence. VIRGA_NO_MEMORY where it is new.
int export_table_put(struct export_table *table, const struct export_job *job);
// Owner. Unknown ones are ignored.
void export_table_remove(struct export_table *table, int64_t sequence);
// Owner: a pointer that holds until the table changes. NULL: there is none.
const struct export_job *export_table_find(const struct export_table *table, const char *id);

// Any thread.
// How many there are of each state, and how many frames of theirs are written.
void export_table_counts(struct export_table *table, size_t counts[EXPORT_DELETED], uint64_t *frames);
bool export_table_get(struct export_table *table, const char *id, struct export_job *job);
// The newest of those before `before` (NULL: of all), newest first; of this owner's, where `owner` is not NULL. False: there is no `before`.
bool export_table_list(struct export_table *table, const char *owner, const char *before, struct export_job *jobs, size_t most, size_t *count, bool *more);
// Those that changed since what was seen, longest ago first, at most `most` and EXPORT_CHANGES; moves *seen on. *all: what was known before must be forgotten, as all are told
// anew. A job that is gone has the state EXPORT_DELETED.
size_t export_table_changed(struct export_table *table, struct change_seen *seen, struct export_job *jobs, size_t most, bool *all);

#endif
