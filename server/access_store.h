// SPDX-License-Identifier: Apache-2.0
// Tokens and logins in the database. Each call is one transaction, on the disk when it returns. On the connection's thread. Failures are as state_database_failed.
// What is kept of a token or a cookie is its hash.
#ifndef VIRGA_SERVER_ACCESS_STORE_H
#define VIRGA_SERVER_ACCESS_STORE_H

#include "server/access_table.h"
#include "server/state_database.h"

enum {
    ACCESS_MOST_TOKENS = 1000,   // kept, valid or not
    ACCESS_MOST_LOGINS = 10000,
    ACCESS_LOGINS_EACH = 20,     // of a token, or of a name: the one begun first makes room
    ACCESS_KEEP_DAYS = 90,       // how long one that is revoked or has expired is kept, to be listed
};

// All, in any order; the caller frees both lists, which are NULL where nothing is in them.
int access_store_load(sqlite3 *handle, struct access_token **tokens, size_t *token_count, struct access_login **logins, size_t *login_count, struct failure *failure);

// Fills token->id. Those that have long been void go. VIRGA_TOO_LARGE: there are too many.
int access_store_add_token(sqlite3 *handle, struct access_token *token, struct failure *failure);
// VIRGA_NOT_FOUND: there is no such token. One that is revoked stays so since it was.
int access_store_revoke(sqlite3 *handle, int64_t id, double now, struct failure *failure);
int access_store_used(sqlite3 *handle, int64_t id, double day, struct failure *failure);

// What has expired goes, and what is too much.
int access_store_add_login(sqlite3 *handle, const struct access_login *login, struct failure *failure);
int access_store_end_login(sqlite3 *handle, const uint8_t hash[SECRET_HASH], struct failure *failure);

#endif
