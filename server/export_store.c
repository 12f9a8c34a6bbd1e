// SPDX-License-Identifier: Apache-2.0
#include "server/export_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define LAST_SECOND 253402300799.0  // of the year 9999

enum statement { ADD, UPDATE, DELETE, LOAD, VIEW, HAS_FRAME, PUT_FRAME, DROP_FRAME, FRAMES, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [ADD] = "INSERT INTO export_jobs (id, name, view, state, error, frames, width, height, jpeg, attempts, created, began, ended)"
            " VALUES (?10, ?11, ?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?13, ?8, ?9)",
    [UPDATE] = "UPDATE export_jobs SET state = ?1, error = ?2, frames = ?3, width = ?4, height = ?5, jpeg = ?6, attempts = ?7, began = ?8, ended = ?9"
               " WHERE sequence = ?10",
    [DELETE] = "DELETE FROM export_jobs WHERE sequence = ?1",
    [LOAD] = "SELECT sequence, id, name, state, error, frames, width, height, jpeg, attempts, created, began, ended,"
             " (SELECT count(*) FROM export_frames WHERE job = sequence), (SELECT coalesce(sum(size), 0) FROM export_frames WHERE job = sequence)"
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

static int failed(const struct export_store *store, int result, struct failure *failure) {
    return state_database_failed(store->handle, result, "the database of exports", failure);
}

int export_store_new(const struct state_database *database, struct export_store **out, struct failure *failure) {
    struct export_store *store = *out = calloc(1, sizeof *store);
    if (!store) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = state_database_connect(database, &store->handle, failure), result = SQLITE_OK;
    if (status) goto failed;
    for (int s = 0; s < STATEMENTS && !result; s++)
        result = sqlite3_prepare_v3(store->handle, texts[s], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[s], NULL);
    if (!result) return VIRGA_OK;
    status = failed(store, result, failure);
failed:
    export_store_free(store);
    *out = NULL;
    return status;
}

void export_store_free(struct export_store *store) {
    if (!store) return;
    for (int s = 0; s < STATEMENTS; s++) sqlite3_finalize(store->statements[s]);
    sqlite3_close(store->handle);
    free(store);
}

// Runs a statement that gives no rows, its values bound, and makes it ready for the next time.
static int run(struct export_store *store, enum statement s, struct failure *failure) {
    int result = sqlite3_step(store->statements[s]), status = result == SQLITE_DONE ? VIRGA_OK : failed(store, result, failure);
    sqlite3_reset(store->statements[s]);
    sqlite3_clear_bindings(store->statements[s]);
    return status;
}

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

static void copy_column(sqlite3_stmt *s, int column, char *out, size_t room) {
    const char *text = (const char *)sqlite3_column_text(s, column);
    snprintf(out, room, "%s", text ? text : "");
    utf8_clean(out);
}

// Somebody may have changed the database by hand: a time is a time.
static double time_column(sqlite3_stmt *s, int column) {
    double seconds = sqlite3_column_double(s, column);
    return seconds > 0 && seconds < LAST_SECOND ? seconds : 0;
}

// A count that is none has no frames, pixels or attempts.
static uint32_t count_column(sqlite3_stmt *s, int column) {
    int64_t n = sqlite3_column_int64(s, column);
    return n >= 0 && n <= INT32_MAX ? (uint32_t)n : 0;
}

static void read_job(sqlite3_stmt *s, struct export_job *job) {
    const char *state = (const char *)sqlite3_column_text(s, 3);
    *job = (struct export_job){.sequence = sqlite3_column_int64(s, 0), .frames = count_column(s, 5), .width = count_column(s, 6), .height = count_column(s, 7),
                               .jpeg = sqlite3_column_int(s, 8) != 0, .attempts = count_column(s, 9), .created = time_column(s, 10), .began = time_column(s, 11),
                               .ended = time_column(s, 12), .done = count_column(s, 13), .bytes = (uint64_t)sqlite3_column_int64(s, 14)};
    if (!state || !export_state_parse(state, &job->state)) job->state = EXPORT_FAILED;
    copy_column(s, 1, job->id, sizeof job->id);
    copy_column(s, 2, job->name, sizeof job->name);
    copy_column(s, 4, job->error, sizeof job->error);
}

// Collects a statement's rows of `size` bytes each.
static int collect(struct export_store *store, enum statement which, size_t size, void (*read)(sqlite3_stmt *s, void *row), void **rows, size_t *count,
                   struct failure *failure) {
    sqlite3_stmt *s = store->statements[which];
    size_t room = 0;
    int status = VIRGA_OK, result = SQLITE_DONE;
    char *list = NULL;
    *count = 0;
    while (!status && (result = sqlite3_step(s)) == SQLITE_ROW) {
        if (*count == room) {
            room = room ? 2 * room : 64;
            char *more = realloc(list, room * size);
            if (!more) {
                status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
                break;
            }
            list = more;
        }
        read(s, list + *count * size);
        ++*count;
    }
    if (!status && result != SQLITE_DONE) status = failed(store, result, failure);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (status) {
        free(list);
        list = NULL;
        *count = 0;
    }
    *rows = list;
    return status;
}

static void read_job_row(sqlite3_stmt *s, void *row) { read_job(s, row); }

// An identifier is the name of a folder: one that is none is not let in.
static void drop_nameless(struct export_job *jobs, size_t *count) {
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (export_id_valid(jobs[i].id)) jobs[kept++] = jobs[i];
    *count = kept;
}

int export_store_load(struct export_store *store, struct export_job **jobs, size_t *count, struct failure *failure) {
    void *rows;
    int status = collect(store, LOAD, sizeof **jobs, read_job_row, &rows, count, failure);
    *jobs = rows;
    if (!status) drop_nameless(*jobs, count);
    return status;
}

int export_store_view(struct export_store *store, int64_t sequence, char **view, struct failure *failure) {
    sqlite3_stmt *s = store->statements[VIEW];
    sqlite3_bind_int64(s, 1, sequence);
    int result = sqlite3_step(s), status = VIRGA_OK;
    const char *text = result == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    *view = text ? strdup(text) : NULL;
    if (result != SQLITE_ROW) status = result == SQLITE_DONE ? failure_set(failure, VIRGA_NOT_FOUND, "there is no such export") : failed(store, result, failure);
    else if (!*view) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return status;
}

static bool has_frame(struct export_store *store, int64_t sequence, uint32_t number) {
    sqlite3_stmt *s = store->statements[HAS_FRAME];
    sqlite3_bind_int64(s, 1, sequence);
    sqlite3_bind_int64(s, 2, number);
    bool found = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
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

static void read_frame_row(sqlite3_stmt *s, void *row) {
    *(struct export_frame *)row = (struct export_frame){.number = (uint32_t)sqlite3_column_int64(s, 0), .size = (uint64_t)sqlite3_column_int64(s, 1),
                                                        .crc = (uint32_t)sqlite3_column_int64(s, 2)};
}

int export_store_frames(struct export_store *store, int64_t sequence, struct export_frame **frames, size_t *count, struct failure *failure) {
    void *rows;
    sqlite3_bind_int64(store->statements[FRAMES], 1, sequence);
    int status = collect(store, FRAMES, sizeof **frames, read_frame_row, &rows, count, failure);
    *frames = rows;
    return status;
}
