// SPDX-License-Identifier: Apache-2.0
#include "server/state_check.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_MS = 1000 };

// SQLite's own code.
static int write_a_page(sqlite3 *handle) {
    char sql[64];
    sqlite3_stmt *statement = NULL;
    int version = -1;
    int result = sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (!result) result = sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, NULL);
    if (!result && sqlite3_step(statement) == SQLITE_ROW) version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d; COMMIT", version);
    if (!result) result = version < 0 ? SQLITE_CORRUPT : sqlite3_exec(handle, sql, NULL, NULL, NULL);
    return result;
}

int state_check(const char *state_dir, struct failure *failure) {
    char path[4400];
    sqlite3 *handle = NULL;
    snprintf(path, sizeof path, "%.4300s/virga.db", state_dir);
    if (access(path, F_OK)) {
        if (!access(state_dir, R_OK | W_OK | X_OK)) return VIRGA_OK;
        return failure_set(failure, VIRGA_IO, "the state folder %.300s cannot be written: %s", state_dir, strerror(errno));
    }
    int result = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!result) result = sqlite3_busy_timeout(handle, BUSY_MS);
    if (!result) result = sqlite3_exec(handle, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);  // nothing is new: no need to wait for the disk
    if (!result) result = write_a_page(handle);
    sqlite3_close(handle);
    return result ? failure_set(failure, VIRGA_IO, "the database %.300s cannot be written: %s", path, sqlite3_errstr(result)) : VIRGA_OK;
}
