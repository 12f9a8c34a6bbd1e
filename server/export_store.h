// SPDX-License-Identifier: Apache-2.0
// Exports in the database. Each call is one transaction, on the disk when it returns. On one thread. Failures are VIRGA_IO or
// VIRGA_TOO_LARGE (the disk is full) with words, or VIRGA_NO_MEMORY.
#ifndef VIRGA_SERVER_EXPORT_STORE_H
#define VIRGA_SERVER_EXPORT_STORE_H

#include "server/export_job.h"
#include "server/state_database.h"

struct export_store;

struct export_frame {
    uint32_t number;
    uint64_t size;
    uint32_t crc;
};

// With a connection of its own.
int export_store_new(const struct state_database *database, struct export_store **out, struct failure *failure);
void export_store_free(struct export_store *store);

// Fills job->sequence.
int export_store_add(struct export_store *store, struct export_job *job, const char *view, struct failure *failure);
// What may change of a row: state, error, frames, size, format, attempts and times.
int export_store_update(struct export_store *store, const struct export_job *job, struct failure *failure);
// With its frames' rows.
int export_store_delete(struct export_store *store, int64_t sequence, struct failure *failure);
// All, oldest first, `done` and `bytes` from their frames; the caller frees *jobs.
int export_store_load(struct export_store *store, struct export_job **jobs, size_t *count, struct failure *failure);
// The document that a job was made for; the caller frees it.
int export_store_view(struct export_store *store, int64_t sequence, char **view, struct failure *failure);

// *fresh: there was no row of this number before.
int export_store_put_frame(struct export_store *store, int64_t sequence, const struct export_frame *frame, bool *fresh, struct failure *failure);
int export_store_drop_frame(struct export_store *store, int64_t sequence, uint32_t number, struct failure *failure);
// By rising number; the caller frees *frames.
int export_store_frames(struct export_store *store, int64_t sequence, struct export_frame **frames, size_t *count, struct failure *failure);

#endif
