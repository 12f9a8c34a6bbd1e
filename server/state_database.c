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

enum { BUSY_MS = 5000, ROOM = 4400 };

struct state_database {
    sqlite3 *handle;
    int lock;
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
};
enum { VERSION = sizeof migrations / sizeof *migrations };

sqlite3 *state_database_handle(struct state_database *database) { return database->handle; }

void state_database_close(struct state_database *database) {
    if (!database) return;
    sqlite3_close(database->handle);
    if (database->lock >= 0) close(database->lock);
    free(database);
}

// The first number that a statement gives; -1 where it fails.
static long long number(sqlite3 *handle, const char *sql) {
    sqlite3_stmt *statement = NULL;
    long long n = -1;
    if (!sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) && sqlite3_step(statement) == SQLITE_ROW) n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return n;
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
    if (!result && number(handle, "SELECT count(*) FROM pragma_foreign_key_check") > 0) result = SQLITE_CORRUPT;
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

// SQLite's own code. *newer: another version made it.
static int open_tables(struct state_database *database, bool *newer) {
    // What was committed must survive a power cut: a client was told so.
    static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                                   "PRAGMA journal_size_limit = 4194304;";
    int result = sqlite3_open_v2(database->path, &database->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!result) result = sqlite3_busy_timeout(database->handle, BUSY_MS);
    if (!result) result = sqlite3_exec(database->handle, settings, NULL, NULL, NULL);
    if (!result) result = check(database->handle);
    long long version = result ? 0 : number(database->handle, "PRAGMA user_version");
    if (!result && version < 0) result = SQLITE_CORRUPT;
    *newer = version > VERSION;
    return result || *newer || version == VERSION ? result : migrate(database->handle, version);
}

static void move_aside(const char *path, const char *mark) {
    char aside[ROOM + 64];
    snprintf(aside, sizeof aside, "%s.damaged-%s", path, mark);
    if (rename(path, aside) && errno != ENOENT) log_warning("state", "cannot move %s aside: %s", path, strerror(errno));
}

static void move_all_aside(struct state_database *database, const char *state_dir, int result) {
    static const char *const files[] = {"virga.db", "virga.db-wal", "virga.db-shm", "exports"};
    char mark[32], path[ROOM];
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    strftime(mark, sizeof mark, "%Y%m%dT%H%M%SZ", &t);
    log_warning("state", "%s is damaged (%s): it is kept as virga.db.damaged-%s, its pictures in exports.damaged-%s, and a new one is begun",
                database->path, sqlite3_errstr(result), mark, mark);
    sqlite3_close(database->handle);
    database->handle = NULL;
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
    if (!flock(database->lock, LOCK_EX | LOCK_NB)) return VIRGA_OK;
    failure_set(failure, VIRGA_IO, "another server uses the state folder %.300s; give this one its own with --state", state_dir);
    return VIRGA_AGAIN;
}

int state_database_open(const char *state_dir, struct state_database **out, struct failure *failure) {
    bool newer = false;
    struct state_database *database = calloc(1, sizeof *database);
    *out = NULL;
    if (!database) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    database->lock = -1;
    snprintf(database->path, sizeof database->path, "%.4300s/virga.db", state_dir);
    int status = take_lock(database, state_dir, failure);
    int result = status ? SQLITE_OK : open_tables(database, &newer);
    if (is_damage(result)) {
        move_all_aside(database, state_dir, result);
        result = open_tables(database, &newer);
    }
    if (newer)
        status = failure_set(failure, VIRGA_UNSUPPORTED, "%.300s was made by a newer virga; use that one, or name another state folder with --state", database->path);
    else if (!status && result)
        status = failure_set(failure, VIRGA_IO, "cannot use %.300s: %s", database->path, sqlite3_errstr(result));
    if (status) state_database_close(database);
    else *out = database;
    return status;
}
