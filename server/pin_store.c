// SPDX-License-Identifier: Apache-2.0
#include "server/pin_store.h"

#include <stdlib.h>
#include <string.h>

#include "server/state_statement.h"

enum statement {
    BEGIN, COMMIT, ROLLBACK, STEP, STEP_BACK, STEP_END, LOAD, LOAD_DELETED, FIND, ADD, HEAD, APPEND, PRUNE_COUNT, PRUNE_BYTES, REVISION, REVISION_BEFORE, HISTORY,
    TOTALS, TOTALS_OF_OWNER, PURGE_OLD, PURGE_MANY, PURGE_MANY_OF_OWNER, STATEMENTS
};

#define PIN_COLUMNS "sequence, id, owner, created, pins.revision, deleted, at, person, title, wall, position, view"
#define PINS "SELECT " PIN_COLUMNS " FROM pins JOIN pin_revisions ON pin = sequence AND pin_revisions.revision = pins.revision"
#define REVISION_COLUMNS "revision, base, at, person, what, title, wall, position"

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [STEP] = "SAVEPOINT step",
    [STEP_BACK] = "ROLLBACK TO step",
    [STEP_END] = "RELEASE step",
    [LOAD] = PINS " WHERE deleted = 0 ORDER BY sequence",
    [LOAD_DELETED] = PINS " WHERE deleted <> 0 ORDER BY sequence",
    [FIND] = PINS " WHERE id = ?1",
    [ADD] = "INSERT INTO pins (id, owner, created, revision, deleted, bytes) VALUES (?1, ?2, ?3, 0, 0, 0)",
    [HEAD] = "UPDATE pins SET revision = ?2, deleted = ?3, bytes = ?4 WHERE sequence = ?1",
    [APPEND] = "INSERT INTO pin_revisions (pin, revision, base, at, person, what, title, wall, position, view) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [PRUNE_COUNT] = "DELETE FROM pin_revisions WHERE pin = ?1 AND revision <= ?2",
    [PRUNE_BYTES] = "DELETE FROM pin_revisions WHERE pin = ?1 AND revision <= ?2 AND revision IN (SELECT revision FROM (SELECT revision,"
                    " sum(length(CAST(view AS BLOB))) OVER (ORDER BY revision DESC) AS bytes FROM pin_revisions WHERE pin = ?1) WHERE bytes > ?3)",
    [REVISION] = "SELECT " REVISION_COLUMNS ", view FROM pin_revisions WHERE pin = ?1 AND revision = ?2",
    [REVISION_BEFORE] = "SELECT " REVISION_COLUMNS ", view FROM pin_revisions WHERE pin = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT 1",
    [HISTORY] = "SELECT " REVISION_COLUMNS " FROM pin_revisions WHERE pin = ?1 ORDER BY revision DESC LIMIT ?2",
    [TOTALS] = "SELECT count(*), coalesce(sum(bytes), 0) FROM pins WHERE deleted = 0",
    [TOTALS_OF_OWNER] = "SELECT count(*) FROM pins WHERE owner = ?1 AND deleted = 0",
    [PURGE_OLD] = "DELETE FROM pins WHERE deleted <> 0 AND deleted < ?1",
    [PURGE_MANY] = "DELETE FROM pins WHERE sequence IN (SELECT sequence FROM pins WHERE deleted <> 0 ORDER BY deleted DESC LIMIT -1 OFFSET ?1)",
    [PURGE_MANY_OF_OWNER] = "DELETE FROM pins WHERE sequence IN (SELECT sequence FROM (SELECT sequence, row_number() OVER (PARTITION BY owner ORDER BY deleted"
                            " DESC) AS place FROM pins WHERE deleted <> 0) WHERE place > ?1)",
};
static const char what[] = "the database of pins";

struct pin_store {
    sqlite3 *handle;
    sqlite3_stmt *statements[STATEMENTS];
};

int pin_store_new(const struct state_database *database, struct pin_store **out, struct failure *failure) {
    struct pin_store *store = *out = calloc(1, sizeof *store);
    if (!store) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = state_database_connect(database, &store->handle, failure);
    if (!status) status = state_statement_prepare(store->handle, texts, store->statements, STATEMENTS, what, failure);
    if (!status) return VIRGA_OK;
    pin_store_free(store);
    *out = NULL;
    return status;
}

void pin_store_free(struct pin_store *store) {
    if (!store) return;
    state_statement_finalize(store->statements, STATEMENTS);
    sqlite3_close(store->handle);
    free(store);
}

static int run(struct pin_store *store, enum statement s, struct failure *failure) { return state_statement_run(store->statements[s], what, failure); }

// Transactions.

int pin_store_begin(struct pin_store *store, struct failure *failure) { return run(store, BEGIN, failure); }

// A disk that is full, and worse, ends a transaction by itself: then nothing of it stays.
static int check_open(struct pin_store *store, struct failure *failure) {
    if (!sqlite3_get_autocommit(store->handle)) return VIRGA_OK;
    return failure_set(failure, VIRGA_IO, "%s: nothing could be written; try again", what);
}

int pin_store_commit(struct pin_store *store, struct failure *failure) {
    int status = check_open(store, failure);
    if (!status) status = run(store, COMMIT, failure);
    if (status && !sqlite3_get_autocommit(store->handle)) run(store, ROLLBACK, NULL);
    return status;
}

int pin_store_step_begin(struct pin_store *store, struct failure *failure) {
    int status = check_open(store, failure);
    return status ? status : run(store, STEP, failure);
}

int pin_store_step_end(struct pin_store *store, bool stays, struct failure *failure) {
    int status = check_open(store, failure);
    if (!status && !stays) status = run(store, STEP_BACK, failure);
    return status ? status : run(store, STEP_END, failure);
}

// Reading.

// NULL: out of memory.
static struct shared_bytes *bytes_column(sqlite3_stmt *s, int column) {
    const void *text = sqlite3_column_text(s, column);
    size_t size = text ? (size_t)sqlite3_column_bytes(s, column) : 0;
    return shared_bytes_copy(text, size);
}

// Title, group and position from a column on.
static void read_content(sqlite3_stmt *s, int column, struct pin_content *content) {
    state_statement_text(s, column, content->title, sizeof content->title);
    state_statement_text(s, column + 1, content->group, sizeof content->group);
    content->position = sqlite3_column_double(s, column + 2);
    if (!(content->position > -1e300 && content->position < 1e300)) content->position = 0;
    if (!content->title[0]) strcpy(content->title, "?");
}

static bool read_pin(sqlite3_stmt *s, void *row) {
    struct pin *pin = row;
    *pin = (struct pin){.sequence = sqlite3_column_int64(s, 0), .created = state_statement_time(s, 3), .revision = state_statement_count(s, 4),
                        .deleted = state_statement_time(s, 5), .changed = state_statement_time(s, 6)};
    state_statement_text(s, 1, pin->id, sizeof pin->id);
    state_statement_text(s, 2, pin->owner, sizeof pin->owner);
    state_statement_text(s, 7, pin->changed_by, sizeof pin->changed_by);
    read_content(s, 8, &pin->is);
    pin->is.view = bytes_column(s, 11);
    return pin->is.view != NULL;
}

static void drop_pin(void *row) { pin_release(row); }

int pin_store_load(struct pin_store *store, bool deleted, struct pin **pins, size_t *count, struct failure *failure) {
    static const struct state_rows kind = {sizeof(struct pin), read_pin, drop_pin};
    void *rows;
    int status = state_statement_collect(store->statements[deleted ? LOAD_DELETED : LOAD], &kind, &rows, count, what, failure);
    size_t kept = 0;
    *pins = rows;
    for (size_t i = 0; i < *count; i++) {  // an id is part of addresses and names of files
        if (pin_id_valid((*pins)[i].id)) (*pins)[kept++] = (*pins)[i];
        else pin_release(&(*pins)[i]);
    }
    *count = kept;
    return status;
}

static int one(struct pin_store *store, enum statement s, bool (*read)(sqlite3_stmt *s, void *row), void *row, const char *absent, struct failure *failure) {
    return state_statement_one(store->statements[s], read, row, absent, what, failure);
}

int pin_store_find(struct pin_store *store, const char *id, struct pin *pin, struct failure *failure) {
    *pin = (struct pin){0};
    sqlite3_bind_text(store->statements[FIND], 1, id, -1, SQLITE_STATIC);
    return one(store, FIND, read_pin, pin, "there is no such pin", failure);
}

static bool read_revision(sqlite3_stmt *s, void *row) {
    struct pin_revision *revision = row;
    *revision = (struct pin_revision){.revision = state_statement_count(s, 0), .base = state_statement_count(s, 1), .at = state_statement_time(s, 2)};
    state_statement_text(s, 3, revision->person, sizeof revision->person);
    state_statement_text(s, 4, revision->what, sizeof revision->what);
    read_content(s, 5, &revision->was);
    return true;
}

static bool read_revision_and_view(sqlite3_stmt *s, void *row) {
    struct pin_revision *revision = row;
    read_revision(s, row);
    revision->was.view = bytes_column(s, 8);
    return revision->was.view != NULL;
}

int pin_store_revision(struct pin_store *store, const struct pin *pin, uint32_t number, bool before, struct pin_revision *revision, struct failure *failure) {
    enum statement s = before ? REVISION_BEFORE : REVISION;
    *revision = (struct pin_revision){0};
    sqlite3_bind_int64(store->statements[s], 1, pin->sequence);
    sqlite3_bind_int64(store->statements[s], 2, number);
    return one(store, s, read_revision_and_view, revision, before ? "there is nothing before" : "this revision is not kept", failure);
}

int pin_store_history(struct pin_store *store, const struct pin *pin, struct pin_revision **revisions, size_t *count, struct failure *failure) {
    static const struct state_rows kind = {sizeof(struct pin_revision), read_revision, NULL};
    void *rows;
    sqlite3_bind_int64(store->statements[HISTORY], 1, pin->sequence);
    sqlite3_bind_int(store->statements[HISTORY], 2, PIN_MOST_REVISIONS);
    int status = state_statement_collect(store->statements[HISTORY], &kind, &rows, count, what, failure);
    *revisions = rows;
    return status;
}

static bool read_totals(sqlite3_stmt *s, void *row) {
    struct pin_totals *totals = row;
    totals->all = sqlite3_column_int64(s, 0);
    totals->bytes = sqlite3_column_int64(s, 1);
    return true;
}

static bool read_count(sqlite3_stmt *s, void *row) {
    *(int64_t *)row = sqlite3_column_int64(s, 0);
    return true;
}

int pin_store_totals(struct pin_store *store, const char *owner, struct pin_totals *totals, struct failure *failure) {
    *totals = (struct pin_totals){0};
    int status = one(store, TOTALS, read_totals, totals, "", failure);
    sqlite3_bind_text(store->statements[TOTALS_OF_OWNER], 1, owner, -1, SQLITE_STATIC);
    return status ? status : one(store, TOTALS_OF_OWNER, read_count, &totals->of_owner, "", failure);
}

// Writing.

int pin_store_add(struct pin_store *store, struct pin *pin, struct failure *failure) {
    sqlite3_stmt *s = store->statements[ADD];
    sqlite3_bind_text(s, 1, pin->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, pin->owner, -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 3, pin->created);
    int status = run(store, ADD, failure);
    if (!status) pin->sequence = sqlite3_last_insert_rowid(store->handle);
    return status;
}

static int set_head(struct pin_store *store, const struct pin *pin, uint32_t revision, struct failure *failure) {
    sqlite3_stmt *s = store->statements[HEAD];
    sqlite3_bind_int64(s, 1, pin->sequence);
    sqlite3_bind_int64(s, 2, revision);
    sqlite3_bind_double(s, 3, pin->deleted);
    sqlite3_bind_int64(s, 4, (int64_t)pin->is.view->size);
    return run(store, HEAD, failure);
}

static int append(struct pin_store *store, const struct pin *pin, const struct pin_revision *revision, struct failure *failure) {
    sqlite3_stmt *s = store->statements[APPEND];
    sqlite3_bind_int64(s, 1, pin->sequence);
    sqlite3_bind_int64(s, 2, revision->revision);
    sqlite3_bind_int64(s, 3, revision->base);
    sqlite3_bind_double(s, 4, revision->at);
    sqlite3_bind_text(s, 5, revision->person, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 6, revision->what, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 7, pin->is.title, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 8, pin->is.group, -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 9, pin->is.position);
    sqlite3_bind_text(s, 10, (const char *)pin->is.view->data, (int)pin->is.view->size, SQLITE_STATIC);
    return run(store, APPEND, failure);
}

// The newest four stay, how large they ever are.
static int prune(struct pin_store *store, const struct pin *pin, uint32_t newest, struct failure *failure) {
    sqlite3_bind_int64(store->statements[PRUNE_COUNT], 1, pin->sequence);
    sqlite3_bind_int64(store->statements[PRUNE_COUNT], 2, (int64_t)newest - PIN_MOST_REVISIONS);
    int status = run(store, PRUNE_COUNT, failure);
    if (status || newest <= 4) return status;
    sqlite3_bind_int64(store->statements[PRUNE_BYTES], 1, pin->sequence);
    sqlite3_bind_int64(store->statements[PRUNE_BYTES], 2, (int64_t)newest - 4);
    sqlite3_bind_int64(store->statements[PRUNE_BYTES], 3, PIN_MOST_HISTORY);
    return run(store, PRUNE_BYTES, failure);
}

int pin_store_append(struct pin_store *store, const struct pin *pin, const struct pin_revision *revision, struct failure *failure) {
    int status = append(store, pin, revision, failure);
    if (!status) status = set_head(store, pin, revision->revision, failure);
    return status ? status : prune(store, pin, revision->revision, failure);
}

static int purge(struct pin_store *store, enum statement s, double least, struct failure *failure) {
    sqlite3_bind_double(store->statements[s], 1, least);
    return run(store, s, failure);
}

int pin_store_purge(struct pin_store *store, double before, struct failure *failure) {
    int status = purge(store, PURGE_OLD, before, failure);
    if (!status) status = purge(store, PURGE_MANY, PIN_MOST, failure);
    return status ? status : purge(store, PURGE_MANY_OF_OWNER, PIN_MOST_OF_OWNER, failure);
}
