// SPDX-License-Identifier: Apache-2.0
#include "server/export_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/state_statement.h"

enum statement { ADD, UPDATE, DELETE, LOAD, VIEW, HAS_FRAME, PUT_FRAME, DROP_FRAME, FRAMES, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [ADD] = "INSERT INTO export_jobs (id, name, view, state, error, frames, width, height, jpeg, attempts, created, began, ended, owner)"
            " VALUES (?10, ?11, ?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?13, ?8, ?9, ?14)",
    [UPDATE] = "UPDATE export_jobs SET state = ?1, error = ?2, frames = ?3, width = ?4, height = ?5, jpeg = ?6, attempts = ?7, began = ?8, ended = ?9"
               " WHERE sequence = ?10",
    [DELETE] = "DELETE FROM export_jobs WHERE sequence = ?1",
    [LOAD] = "SELECT sequence, id, name, state, error, frames, width, height, jpeg, attempts, created, began, ended,"
             " (SELECT count(*) FROM export_frames WHERE job = sequence), (SELECT coalesce(sum(size), 0) FROM export_frames WHERE job = sequence), owner"
             " FROM export_jobs ORDER BY sequence",
    [VIEW] = "SELECT view FROM export_jobs WHERE sequence = ?1",
    [HAS_FRAME] = "SELECT 1 FROM export_frames WHERE job = ?1 AND number = ?2",
    [PUT_FRAME] = "INSERT OR REPLACE INTO export_frames (job, number, size, crc) VALUES (?1, ?2, ?3, ?4)",
    [DROP_FRAME] = "DELETE FROM export_frames WHERE job = ?1 AND number = ?2",
    [FRAMES] = "SELECT number, size, crc FROM export_frames WHERE job = ?1 ORDER BY number",
};

struct export_store {
    sqlite3 *handle;
    sqlite3_stmt *statements[STATEMENTS];
};

static const char what[] = "the database of exports";

int export_store_new(const struct state_database *database, struct export_store **out, struct failure *failure) {
    struct export_store *store = *out = calloc(1, sizeof *store);
    if (!store) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = state_database_connect(database, &store->handle, failure);
    if (!status) status = state_statement_prepare(store->handle, texts, store->statements, STATEMENTS, what, failure);
    if (!status) return VIRGA_OK;
    export_store_free(store);
    *out = NULL;
    return status;
}

void export_store_free(struct export_store *store) {
    if (!store) return;
    state_statement_finalize(store->statements, STATEMENTS);
    sqlite3_close(store->handle);
    free(store);
}

static int run(struct export_store *store, enum statement s, struct failure *failure) { return state_statement_run(store->statements[s], what, failure); }

static void bind_changing(sqlite3_stmt *s, const struct export_job *job) {
    sqlite3_bind_text(s, 1, export_state_name(job->state), -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, job->error, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, job->frames);
    sqlite3_bind_int64(s, 4, job->width);
    sqlite3_bind_int64(s, 5, job->height);
    sqlite3_bind_int(s, 6, job->jpeg);
    sqlite3_bind_int64(s, 7, job->attempts);
    sqlite3_bind_double(s, 8, job->began);
    sqlite3_bind_double(s, 9, job->ended);
}

int export_store_add(struct export_store *store, struct export_job *job, const char *view, struct failure *failure) {
    sqlite3_stmt *s = store->statements[ADD];
    bind_changing(s, job);
    sqlite3_bind_text(s, 10, job->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 11, job->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 12, view, -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 13, job->created);
    sqlite3_bind_text(s, 14, job->owner, -1, SQLITE_STATIC);
    int status = run(store, ADD, failure);
    if (!status) job->sequence = sqlite3_last_insert_rowid(store->handle);
    return status;
}

int export_store_update(struct export_store *store, const struct export_job *job, struct failure *failure) {
    bind_changing(store->statements[UPDATE], job);
    sqlite3_bind_int64(store->statements[UPDATE], 10, job->sequence);
    return run(store, UPDATE, failure);
}

int export_store_delete(struct export_store *store, int64_t sequence, struct failure *failure) {
    sqlite3_bind_int64(store->statements[DELETE], 1, sequence);
    return run(store, DELETE, failure);
}

static void read_job(sqlite3_stmt *s, struct export_job *job) {
    const char *state = (const char *)sqlite3_column_text(s, 3);
    *job = (struct export_job){.sequence = sqlite3_column_int64(s, 0), .frames = state_statement_count(s, 5), .width = state_statement_count(s, 6), .height = state_statement_count(s, 7),
                               .jpeg = sqlite3_column_int(s, 8) != 0, .attempts = state_statement_count(s, 9), .created = state_statement_time(s, 10), .began = state_statement_time(s, 11),
                               .ended = state_statement_time(s, 12), .done = state_statement_count(s, 13), .bytes = (uint64_t)sqlite3_column_int64(s, 14)};
    if (!state || !export_state_parse(state, &job->state)) job->state = EXPORT_FAILED;
    state_statement_text(s, 1, job->id, sizeof job->id);
    state_statement_text(s, 2, job->name, sizeof job->name);
    state_statement_text(s, 4, job->error, sizeof job->error);
    state_statement_text(s, 15, job->owner, sizeof job->owner);
}

static bool read_job_row(sqlite3_stmt *s, void *row) {
    read_job(s, row);
    return true;
}

// An identifier is the name of a folder: one that is none is not let in.
static void drop_nameless(struct export_job *jobs, size_t *count) {
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (export_id_valid(jobs[i].id)) jobs[kept++] = jobs[i];
    *count = kept;
}

int export_store_load(struct export_store *store, struct export_job **jobs, size_t *count, struct failure *failure) {
    void *rows;
    int status = state_statement_collect(store->statements[LOAD], &(struct state_rows){sizeof **jobs, read_job_row, NULL}, &rows, count, what, failure);
    *jobs = rows;
    if (!status) drop_nameless(*jobs, count);
    return status;
}

static bool read_view(sqlite3_stmt *s, void *row) {
    const char *text = (const char *)sqlite3_column_text(s, 0);
    char *view = *(char **)row = text ? strdup(text) : NULL;
    return view != NULL;
}

int export_store_view(struct export_store *store, int64_t sequence, char **view, struct failure *failure) {
    *view = NULL;
    sqlite3_bind_int64(store->statements[VIEW], 1, sequence);
    return state_statement_one(store->statements[VIEW], read_view, view, "there is no such export", what, failure);
}

static bool has_frame(struct export_store *store, int64_t sequence, uint32_t number) {
    sqlite3_stmt *s = store->statements[HAS_FRAME];
    sqlite3_bind_int64(s, 1, sequence);
    sqlite3_bind_int64(s, 2, number);
    bool found = sqlite3_step(s) == SQLITE_ROW;
    state_statement_reset(s);
    return found;
}

int export_store_put_frame(struct export_store *store, int64_t sequence, const struct export_frame *frame, bool *fresh, struct failure *failure) {
    *fresh = !has_frame(store, sequence, frame->number);
    sqlite3_stmt *s = store->statements[PUT_FRAME];
    sqlite3_bind_int64(s, 1, sequence);
    sqlite3_bind_int64(s, 2, frame->number);
    sqlite3_bind_int64(s, 3, (int64_t)frame->size);
    sqlite3_bind_int64(s, 4, frame->crc);
    return run(store, PUT_FRAME, failure);
}

int export_store_drop_frame(struct export_store *store, int64_t sequence, uint32_t number, struct failure *failure) {
    sqlite3_bind_int64(store->statements[DROP_FRAME], 1, sequence);
    sqlite3_bind_int64(store->statements[DROP_FRAME], 2, number);
    return run(store, DROP_FRAME, failure);
}

static bool read_frame_row(sqlite3_stmt *s, void *row) {
    *(struct export_frame *)row = (struct export_frame){.number = (uint32_t)sqlite3_column_int64(s, 0), .size = (uint64_t)sqlite3_column_int64(s, 1),
                                                        .crc = (uint32_t)sqlite3_column_int64(s, 2)};
    return true;
}

int export_store_frames(struct export_store *store, int64_t sequence, struct export_frame **frames, size_t *count, struct failure *failure) {
    void *rows;
    sqlite3_bind_int64(store->statements[FRAMES], 1, sequence);
    int status = state_statement_collect(store->statements[FRAMES], &(struct state_rows){sizeof **frames, read_frame_row, NULL}, &rows, count, what, failure);
    *frames = rows;
    return status;
}
