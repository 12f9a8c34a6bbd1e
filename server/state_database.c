// SPDX-License-Identifier: Apache-2.0
#include "server/state_database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/state_statement.h"

enum { BUSY_MS = 5000, ROOM = 4400, LOCK_TRIES = 10 };

static const struct timespec lock_pause = {.tv_nsec = 100000000};

struct state_database {
    int lock;  // -1: the folder is another's, or nobody's
    char path[ROOM];
};

// Each brings the tables from the version of its index to the next. Only ever added to.
static const char *const migrations[] = {
    "CREATE TABLE export_jobs ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, view TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')), error TEXT NOT NULL,"
    " frames INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, jpeg INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " created REAL NOT NULL, began REAL NOT NULL, ended REAL NOT NULL) STRICT;"
    "CREATE TABLE export_frames ("
    " job INTEGER NOT NULL REFERENCES export_jobs (sequence) ON DELETE CASCADE, number INTEGER NOT NULL, size INTEGER NOT NULL,"
    " crc INTEGER NOT NULL, PRIMARY KEY (job, number)) STRICT, WITHOUT ROWID;",
    // deleted: wall clock, 0: it is there. bytes: of the view of the newest revision. base: the revision whose content this one has again, or itself.
    "CREATE TABLE pins ("
    " sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, created REAL NOT NULL, revision INTEGER NOT NULL,"
    " deleted REAL NOT NULL, bytes INTEGER NOT NULL) STRICT;"
    "CREATE INDEX pins_of_owner ON pins (owner, deleted, bytes);"
    "CREATE TABLE pin_revisions ("
    " pin INTEGER NOT NULL REFERENCES pins (sequence) ON DELETE CASCADE, revision INTEGER NOT NULL, base INTEGER NOT NULL, at REAL NOT NULL,"
    " person TEXT NOT NULL, what TEXT NOT NULL, title TEXT NOT NULL, wall TEXT NOT NULL, position REAL NOT NULL, view TEXT NOT NULL,"
    " UNIQUE (pin, revision)) STRICT;",
    // Times: wall clock; 0: never. Of tokens and of cookies only their hashes are here. owner: "" is nobody's that is known.
    "CREATE TABLE access_tokens ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL CHECK (role IN ('viewer', 'forecaster', 'admin')),"
    " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32), created REAL NOT NULL, expires REAL NOT NULL, revoked REAL NOT NULL, used REAL NOT NULL) STRICT;"
    "CREATE TABLE access_logins ("
    " hash BLOB PRIMARY KEY CHECK (length(hash) = 32), token INTEGER REFERENCES access_tokens (id) ON DELETE CASCADE, name TEXT NOT NULL,"
    " role TEXT NOT NULL CHECK (role IN ('viewer', 'forecaster', 'admin')), begun REAL NOT NULL, expires REAL NOT NULL) STRICT, WITHOUT ROWID;"
    "ALTER TABLE export_jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';",
};
enum { VERSION = sizeof migrations / sizeof *migrations };

void state_database_close(struct state_database *database) {
    if (!database) return;
    if (database->lock >= 0) close(database->lock);
    free(database);
}

int state_database_failed(sqlite3 *handle, int result, const char *what, struct failure *failure) {
    const char *words = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(result);
    if ((result & 0xFF) == SQLITE_NOMEM) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if ((result & 0xFF) == SQLITE_FULL) return failure_set(failure, VIRGA_TOO_LARGE, "%.100s: the disk of the state folder is full", what);
    return failure_set(failure, VIRGA_IO, "%.100s: %.300s", what, words);
}

// SQLITE_OK where the pages hold together and what they refer to is there.
static int check(sqlite3 *handle) {
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(handle, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    if (!result) {
        result = sqlite3_step(statement);
        const char *said = result == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        if (result == SQLITE_ROW) result = said && !strcmp(said, "ok") ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(statement);
    if (!result && state_statement_number(handle, "SELECT count(*) FROM pragma_foreign_key_check", -1) > 0) result = SQLITE_CORRUPT;
    return result;
}

static bool is_damage(int result) {
    result &= 0xFF;
    return result == SQLITE_CORRUPT || result == SQLITE_NOTADB || result == SQLITE_FORMAT;
}

static int migrate(sqlite3 *handle, long long from) {
    char sql[64];
    int result = sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (long long v = from; !result && v < VERSION; v++) result = sqlite3_exec(handle, migrations[v], NULL, NULL, NULL);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", VERSION);
    if (!result) result = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    if (!result) return sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

// SQLite's own code; *handle is to be closed in every case.
static int open_handle(const char *path, int flags, sqlite3 **handle) {
    // What was committed must survive a power cut: a client was told so.
    static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                                   "PRAGMA journal_size_limit = 4194304;";
    int result = sqlite3_open_v2(path, handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | flags, NULL);
    if (!result) result = sqlite3_busy_timeout(*handle, BUSY_MS);
    return result ? result : sqlite3_exec(*handle, settings, NULL, NULL, NULL);
}

// SQLite's own code. *newer: another version made it.
static int make_tables(const struct state_database *database, bool *newer) {
    sqlite3 *handle = NULL;
    int result = open_handle(database->path, SQLITE_OPEN_CREATE, &handle);
    if (!result) result = check(handle);
    long long version = result ? 0 : state_statement_number(handle, "PRAGMA user_version", -1);
    if (!result && version < 0) result = SQLITE_CORRUPT;
    *newer = version > VERSION;
    if (!result && !*newer && version < VERSION) result = migrate(handle, version);
    sqlite3_close(handle);
    return result;
}

int state_database_connect(const struct state_database *database, sqlite3 **handle, struct failure *failure) {
    *handle = NULL;
    int result = open_handle(database->path, 0, handle);
    int status = result ? state_database_failed(*handle, result, database->path, failure) : VIRGA_OK;
    if (!status && state_statement_number(*handle, "PRAGMA user_version", -1) != VERSION)
        status = failure_set(failure, VIRGA_UNSUPPORTED, "%.300s is of another version of virga", database->path);
    if (!status) return VIRGA_OK;
    sqlite3_close(*handle);
    *handle = NULL;
    return status;
}

static void move_aside(const char *path, const char *mark) {
    char aside[ROOM + 64];
    snprintf(aside, sizeof aside, "%s.damaged-%s", path, mark);
    if (rename(path, aside) && errno != ENOENT) log_warning("state", "cannot move %s aside: %s", path, strerror(errno));
}

static void move_all_aside(const struct state_database *database, const char *state_dir, int result) {
    static const char *const files[] = {"virga.db", "virga.db-wal", "virga.db-shm", "exports"};
    char mark[32], path[ROOM];
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    strftime(mark, sizeof mark, "%Y%m%dT%H%M%SZ", &t);
    log_warning("state", "%s is damaged (%s): it is kept as virga.db.damaged-%s, its pictures in exports.damaged-%s, and a new one is begun",
                database->path, sqlite3_errstr(result), mark, mark);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%.4300s/%s", state_dir, files[i]);
        move_aside(path, mark);
    }
}

static int take_lock(struct state_database *database, const char *state_dir, struct failure *failure) {
    char path[ROOM];
    snprintf(path, sizeof path, "%.4300s/virga.lock", state_dir);
    database->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (database->lock < 0) return failure_set(failure, VIRGA_IO, "cannot open %.300s: %s", path, strerror(errno));
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (i) nanosleep(&lock_pause, NULL);
        if (!flock(database->lock, LOCK_EX | LOCK_NB)) return VIRGA_OK;
    }
    failure_set(failure, VIRGA_IO, "another server uses the state folder %.300s; give this one its own with --state", state_dir);
    return VIRGA_AGAIN;
}

static int new_database(const char *state_dir, struct state_database **out, struct failure *failure) {
    struct state_database *database = *out = calloc(1, sizeof *database);
    if (!database) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    database->lock = -1;
    snprintf(database->path, sizeof database->path, "%.4300s/virga.db", state_dir);
    return VIRGA_OK;
}

// Takes the folder and brings the tables up to date.
static int take_folder(struct state_database *database, const char *state_dir, struct failure *failure) {
    bool newer = false;
    int status = take_lock(database, state_dir, failure);
    if (status) return status;
    int result = make_tables(database, &newer);
    if (is_damage(result)) {
        move_all_aside(database, state_dir, result);
        result = make_tables(database, &newer);
    }
    if (newer) return failure_set(failure, VIRGA_UNSUPPORTED, "%.300s was made by a newer virga; use that one, or name another state folder with --state", database->path);
    return result ? failure_set(failure, VIRGA_IO, "cannot use %.300s: %s", database->path, sqlite3_errstr(result)) : VIRGA_OK;
}

int state_database_open(const char *state_dir, struct state_database **out, struct failure *failure) {
    int status = new_database(state_dir, out, failure);
    if (!status) status = take_folder(*out, state_dir, failure);
    if (!status) return VIRGA_OK;
    state_database_close(*out);
    *out = NULL;
    return status;
}

static bool is_ready(const struct state_database *database) {
    sqlite3 *handle;
    bool ready = !access(database->path, F_OK) && !state_database_connect(database, &handle, NULL);
    if (ready) sqlite3_close(handle);
    return ready;
}

int state_database_open_beside(const char *state_dir, struct state_database **out, struct failure *failure) {
    int status = new_database(state_dir, out, failure);
    if (!status && is_ready(*out)) return VIRGA_OK;
    if (!status) status = take_folder(*out, state_dir, failure);
    if (status == VIRGA_AGAIN)
        status = failure_set(failure, VIRGA_UNSUPPORTED, "the server that uses %.300s is of another version of virga: restart it with this one first", state_dir);
    if (*out && (*out)->lock >= 0) {
        close((*out)->lock);
        (*out)->lock = -1;
    }
    if (!status) return VIRGA_OK;
    state_database_close(*out);
    *out = NULL;
    return status;
}
