// SPDX-License-Identifier: Apache-2.0
#include "server/access_store.h"

#include <stdlib.h>
#include <string.h>

#include "server/state_statement.h"

static const char what[] = "tokens and logins";

static int failed(sqlite3 *handle, int result, struct failure *failure) { return state_database_failed(handle, result, what, failure); }

// What a statement's parameters are: 'i' a whole number, 'd' seconds, 't' a text, 'h' a hash.
struct bound {
    char kind;
    int64_t number;
    double seconds;
    const void *bytes;
};

static int prepare(sqlite3 *handle, const char *sql, const struct bound *values, int count, sqlite3_stmt **statement) {
    int result = sqlite3_prepare_v2(handle, sql, -1, statement, NULL);
    for (int i = 0; i < count && !result; i++) {
        const struct bound *v = &values[i];
        if (v->kind == 'i') result = sqlite3_bind_int64(*statement, i + 1, v->number);
        if (v->kind == 'd') result = sqlite3_bind_double(*statement, i + 1, v->seconds);
        if (v->kind == 't') result = sqlite3_bind_text(*statement, i + 1, v->bytes, -1, SQLITE_STATIC);
        if (v->kind == 'h') result = sqlite3_bind_blob(*statement, i + 1, v->bytes, SECRET_HASH, SQLITE_STATIC);
    }
    return result;
}

// Runs a statement that gives no rows: SQLite's own code, SQLITE_OK.
static int run(sqlite3 *handle, const char *sql, const struct bound *values, int count) {
    sqlite3_stmt *statement = NULL;
    int result = prepare(handle, sql, values, count, &statement);
    if (!result) result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result ? result : SQLITE_ERROR;
}

static int begin(sqlite3 *handle) { return sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL); }

// VIRGA_OK after a commit; else all is as it was.
static int end(sqlite3 *handle, int result, struct failure *failure) {
    if (!result) result = sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    if (!result) return VIRGA_OK;
    int status = failed(handle, result, failure);
    sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

// Somebody may have changed the database by hand: what is no role is nobody, and what is no hash is of nothing.

static void read_person(sqlite3_stmt *s, int column, struct access_person *person) {
    const char *role = (const char *)sqlite3_column_text(s, column + 1);
    state_statement_text(s, column, person->name, sizeof person->name);
    if (!role || !access_role_parse(role, &person->role)) person->role = ACCESS_NOBODY;
}

static void read_hash(sqlite3_stmt *s, int column, uint8_t hash[SECRET_HASH], struct access_person *person) {
    const void *bytes = sqlite3_column_blob(s, column);
    if (bytes && sqlite3_column_bytes(s, column) == SECRET_HASH) memcpy(hash, bytes, SECRET_HASH);
    else person->role = ACCESS_NOBODY;
}

static bool read_token(sqlite3_stmt *s, void *row) {
    struct access_token *token = row;
    *token = (struct access_token){.id = sqlite3_column_int64(s, 0), .created = state_statement_time(s, 4), .expires = sqlite3_column_double(s, 5),
                                   .revoked = sqlite3_column_double(s, 6), .used = state_statement_time(s, 7)};
    read_person(s, 1, &token->person);
    read_hash(s, 3, token->hash, &token->person);
    return true;
}

static bool read_login(sqlite3_stmt *s, void *row) {
    struct access_login *login = row;
    *login = (struct access_login){.token = sqlite3_column_int64(s, 3), .begun = state_statement_time(s, 4), .expires = sqlite3_column_double(s, 5)};
    read_person(s, 1, &login->person);
    read_hash(s, 0, login->hash, &login->person);
    return true;
}

static int collect(sqlite3 *handle, const char *sql, const struct state_rows *kind, void **rows, size_t *count, struct failure *failure) {
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(handle, sql, -1, &s, NULL);
    int status = result ? failed(handle, result, failure) : state_statement_collect(s, kind, rows, count, what, failure);
    sqlite3_finalize(s);
    return status;
}

int access_store_load(sqlite3 *handle, struct access_token **tokens, size_t *token_count, struct access_login **logins, size_t *login_count, struct failure *failure) {
    static const char all_tokens[] = "SELECT id, name, role, hash, created, expires, revoked, used FROM access_tokens ORDER BY id";
    static const char all_logins[] = "SELECT hash, name, role, token, begun, expires FROM access_logins";
    void *rows = NULL;
    *tokens = NULL;
    *logins = NULL;
    *token_count = *login_count = 0;
    int result = sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL);  // both as of one moment
    if (result) return failed(handle, result, failure);
    int status = collect(handle, all_tokens, &(struct state_rows){sizeof **tokens, read_token, NULL}, &rows, token_count, failure);
    *tokens = status ? NULL : rows;
    if (!status) status = collect(handle, all_logins, &(struct state_rows){sizeof **logins, read_login, NULL}, &rows, login_count, failure);
    if (!status) *logins = rows;
    sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    if (!status) return VIRGA_OK;
    free(*tokens);
    *tokens = NULL;
    *token_count = 0;
    return status;
}

// Tokens.

int access_store_add_token(sqlite3 *handle, struct access_token *token, struct failure *failure) {
    const struct bound old = {.kind = 'd', .seconds = token->created - ACCESS_KEEP_DAYS * (double)ACCESS_DAY};
    const struct bound values[] = {{.kind = 't', .bytes = token->person.name}, {.kind = 't', .bytes = access_role_name(token->person.role)}, {.kind = 'h', .bytes = token->hash},
                                   {.kind = 'd', .seconds = token->created}, {.kind = 'd', .seconds = token->expires}};
    int result = begin(handle);
    if (result) return failed(handle, result, failure);
    result = run(handle, "DELETE FROM access_tokens WHERE (revoked > 0 AND revoked < ?1) OR (expires > 0 AND expires < ?1)", &old, 1);
    if (!result && state_statement_number(handle, "SELECT count(*) FROM access_tokens", INT64_MAX) >= ACCESS_MOST_TOKENS) {
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
        return failure_set(failure, VIRGA_TOO_LARGE, "there are %d tokens already; those that were revoked or have expired go after %d days", ACCESS_MOST_TOKENS, ACCESS_KEEP_DAYS);
    }
    if (!result) result = run(handle, "INSERT INTO access_tokens (name, role, hash, created, expires, revoked, used) VALUES (?, ?, ?, ?, ?, 0, 0)", values, 5);
    token->id = sqlite3_last_insert_rowid(handle);
    return end(handle, result, failure);
}

int access_store_revoke(sqlite3 *handle, int64_t id, double now, struct failure *failure) {
    const struct bound values[] = {{.kind = 'd', .seconds = now}, {.kind = 'i', .number = id}};
    int result = run(handle, "UPDATE access_tokens SET revoked = CASE WHEN revoked > 0 THEN revoked ELSE ? END WHERE id = ?", values, 2);
    if (result) return failed(handle, result, failure);
    return sqlite3_changes(handle) ? VIRGA_OK : failure_set(failure, VIRGA_NOT_FOUND, "there is no token with this number; `virga token list` names them");
}

int access_store_used(sqlite3 *handle, int64_t id, double day, struct failure *failure) {
    const struct bound values[] = {{.kind = 'd', .seconds = day}, {.kind = 'i', .number = id}};
    int result = run(handle, "UPDATE access_tokens SET used = max(used, ?) WHERE id = ?", values, 2);
    return result ? failed(handle, result, failure) : VIRGA_OK;
}

// Logins.

int access_store_add_login(sqlite3 *handle, const struct access_login *login, struct failure *failure) {
    static const char of_token[] = "DELETE FROM access_logins WHERE token = ?1 AND hash NOT IN (SELECT hash FROM access_logins WHERE token = ?1 ORDER BY begun DESC LIMIT ?2)";
    static const char of_name[] = "DELETE FROM access_logins WHERE token IS NULL AND name = ?1 AND hash NOT IN (SELECT hash FROM access_logins WHERE token IS NULL AND name = ?1 "
                                  "ORDER BY begun DESC LIMIT ?2)";
    static const char too_many[] = "DELETE FROM access_logins WHERE hash NOT IN (SELECT hash FROM access_logins ORDER BY begun DESC LIMIT ?)";
    const struct bound now = {.kind = 'd', .seconds = login->begun}, most = {.kind = 'i', .number = ACCESS_MOST_LOGINS - 1};
    const struct bound token = {.kind = login->token ? 'i' : 'n', .number = login->token}, name = {.kind = 't', .bytes = login->person.name};
    const struct bound each[] = {login->token ? token : name, {.kind = 'i', .number = ACCESS_LOGINS_EACH - 1}};
    const struct bound values[] = {{.kind = 'h', .bytes = login->hash}, token, name, {.kind = 't', .bytes = access_role_name(login->person.role)},
                                   {.kind = 'd', .seconds = login->begun}, {.kind = 'd', .seconds = login->expires}};
    int result = begin(handle);
    if (result) return failed(handle, result, failure);
    result = run(handle, "DELETE FROM access_logins WHERE expires < ?", &now, 1);
    if (!result) result = run(handle, login->token ? of_token : of_name, each, 2);
    if (!result) result = run(handle, too_many, &most, 1);
    if (!result) result = run(handle, "INSERT INTO access_logins (hash, token, name, role, begun, expires) VALUES (?, ?, ?, ?, ?, ?)", values, 6);
    return end(handle, result, failure);
}

int access_store_end_login(sqlite3 *handle, const uint8_t hash[SECRET_HASH], struct failure *failure) {
    const struct bound value = {.kind = 'h', .bytes = hash};
    int result = run(handle, "DELETE FROM access_logins WHERE hash = ?", &value, 1);
    return result ? failed(handle, result, failure) : VIRGA_OK;
}
