// SPDX-License-Identifier: Apache-2.0
// Statements of those who keep something in the state's database, on the thread of their connection. `what` begins the words of a failure
// ("the database of exports"); codes as state_database_failed.
#ifndef VIRGA_SERVER_STATE_STATEMENT_H
#define VIRGA_SERVER_STATE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Prepares `count` of them, to be used for long; those after a failure are NULL.
int state_statement_prepare(sqlite3 *handle, const char *const *texts, sqlite3_stmt **statements, size_t count, const char *what, struct failure *failure);
void state_statement_finalize(sqlite3_stmt **statements, size_t count);
// Runs one that gives no rows, its values bound, and makes it ready for the next time.
int state_statement_run(sqlite3_stmt *statement, const char *what, struct failure *failure);
void state_statement_reset(sqlite3_stmt *statement);
// How rows are read: `size` bytes each, which `read` fills (false: out of memory) and `drop` (or NULL) empties.
struct state_rows {
    size_t size;
    bool (*read)(sqlite3_stmt *statement, void *row);
    void (*drop)(void *row);
};
// Runs one and reads its rows into a list that the caller frees (NULL where it fails), and makes it ready for the next time.
int state_statement_collect(sqlite3_stmt *statement, const struct state_rows *kind, void **rows, size_t *count, const char *what, struct failure *failure);
// Runs one that gives one row at most, which `read` takes in (false: out of memory), and makes it ready for the next time. VIRGA_NOT_FOUND with the words
// `absent`: there is no row.
int state_statement_one(sqlite3_stmt *statement, bool (*read)(sqlite3_stmt *statement, void *row), void *row, const char *absent, const char *what,
                        struct failure *failure);
// The first number that some SQL gives; `otherwise` where it fails or gives none.
int64_t state_statement_number(sqlite3 *handle, const char *sql, int64_t otherwise);

// A row's values, whatever somebody put there by hand: text that can be shown, cut to the room; seconds of the wall clock, or 0; a count, or 0.
void state_statement_text(sqlite3_stmt *statement, int column, char *out, size_t room);
double state_statement_time(sqlite3_stmt *statement, int column);
uint32_t state_statement_count(sqlite3_stmt *statement, int column);

#endif
