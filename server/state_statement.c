// SPDX-License-Identifier: Apache-2.0
#include "server/state_statement.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "server/state_database.h"

#define LAST_SECOND 253402300799.0  // of the year 9999

int state_statement_prepare(sqlite3 *handle, const char *const *texts, sqlite3_stmt **statements, size_t count, const char *what, struct failure *failure) {
    int result = SQLITE_OK;
    for (size_t s = 0; s < count && !result; s++) result = sqlite3_prepare_v3(handle, texts[s], -1, SQLITE_PREPARE_PERSISTENT, &statements[s], NULL);
    return result ? state_database_failed(handle, result, what, failure) : VIRGA_OK;
}

void state_statement_finalize(sqlite3_stmt **statements, size_t count) {
    for (size_t s = 0; s < count; s++) sqlite3_finalize(statements[s]);
}

void state_statement_reset(sqlite3_stmt *statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int state_statement_run(sqlite3_stmt *statement, const char *what, struct failure *failure) {
    int result = sqlite3_step(statement);
    int status = result == SQLITE_DONE ? VIRGA_OK : state_database_failed(sqlite3_db_handle(statement), result, what, failure);
    state_statement_reset(statement);
    return status;
}

struct list {
    char *rows;
    size_t count, room;
};

// False: out of memory.
static bool take_row(sqlite3_stmt *statement, const struct state_rows *kind, struct list *list) {
    char *more = memory_one_more(list->rows, list->count, &list->room, kind->size);
    if (!more) return false;
    list->rows = more;
    if (!kind->read(statement, list->rows + list->count * kind->size)) return false;
    list->count++;
    return true;
}

int state_statement_collect(sqlite3_stmt *statement, const struct state_rows *kind, void **rows, size_t *count, const char *what, struct failure *failure) {
    struct list list = {0};
    int status = VIRGA_OK, result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && !status)
        if (!take_row(statement, kind, &list)) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status && result != SQLITE_DONE) status = state_database_failed(sqlite3_db_handle(statement), result, what, failure);
    state_statement_reset(statement);
    while (status && list.count--)
        if (kind->drop) kind->drop(list.rows + list.count * kind->size);
    if (status) free(list.rows);
    *rows = status ? NULL : list.rows;
    *count = status ? 0 : list.count;
    return status;
}

int state_statement_one(sqlite3_stmt *statement, bool (*read)(sqlite3_stmt *statement, void *row), void *row, const char *absent, const char *what,
                        struct failure *failure) {
    int result = sqlite3_step(statement), status = VIRGA_OK;
    if (result == SQLITE_DONE) status = failure_set(failure, VIRGA_NOT_FOUND, "%s", absent);
    else if (result != SQLITE_ROW) status = state_database_failed(sqlite3_db_handle(statement), result, what, failure);
    else if (!read(statement, row)) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    state_statement_reset(statement);
    return status;
}

int64_t state_statement_number(sqlite3 *handle, const char *sql, int64_t otherwise) {
    sqlite3_stmt *statement = NULL;
    bool given = !sqlite3_prepare_v2(handle, sql, -1, &statement, NULL) && sqlite3_step(statement) == SQLITE_ROW;
    int64_t number = given ? sqlite3_column_int64(statement, 0) : otherwise;
    sqlite3_finalize(statement);
    return number;
}

void state_statement_text(sqlite3_stmt *statement, int column, char *out, size_t room) {
    const char *text = (const char *)sqlite3_column_text(statement, column);
    snprintf(out, room, "%s", text ? text : "");
    utf8_clean(out);
}

double state_statement_time(sqlite3_stmt *statement, int column) {
    double seconds = sqlite3_column_double(statement, column);
    return seconds > 0 && seconds < LAST_SECOND ? seconds : 0;
}

uint32_t state_statement_count(sqlite3_stmt *statement, int column) {
    int64_t n = sqlite3_column_int64(statement, column);
    return n >= 0 && n <= INT32_MAX ? (uint32_t)n : 0;
}
