// SPDX-License-Identifier: Apache-2.0
// Tokens and logins that are valid, in memory. One thread, the owner, replaces them; any thread asks. Times are seconds of the wall clock, for that is what an
// expiry is written in; they are passed in.
#ifndef VIRGA_SERVER_ACCESS_TABLE_H
#define VIRGA_SERVER_ACCESS_TABLE_H

#include <pthread.h>

#include "base/status.h"
#include "server/access.h"
#include "server/secret.h"

enum { ACCESS_DAY = 86400 };

// What `virga token create` made.
struct access_token {
    int64_t id;               // from 1; never used twice
    uint8_t hash[SECRET_HASH];
    struct access_person person;
    double created;
    double expires, revoked;  // 0: never, not
    double used;              // the day it was last shown; 0: never
    bool fresh;               // the table's own: `used` is newer than the owner knows
};

// A browser that is signed in.
struct access_login {
    uint8_t hash[SECRET_HASH];  // of the cookie's text
    int64_t token;              // by which it was begun, and with which it ends; 0: none
    struct access_person person;
    double begun, expires;      // never 0
};

enum access_kind { ACCESS_NOTHING, ACCESS_BY_TOKEN, ACCESS_BY_LOGIN, ACCESS_BY_HUB };  // the last is not the table's to find

struct access_table {
    pthread_mutex_t lock;
    struct access_token *tokens;  // lock, as all below; by hash
    size_t token_count;
    struct access_login *logins;  // by hash; person and expiry are those of their token, too
    size_t login_count;
};

int access_table_init(struct access_table *table);  // VIRGA_NO_MEMORY
void access_table_destroy(struct access_table *table);

// Owner: from now on these, in any order; takes over both lists. What was used is kept.
void access_table_set(struct access_table *table, struct access_token *tokens, size_t token_count, struct access_login *logins, size_t login_count);
// Owner: tokens that were shown since it last asked, at most `most`, with the day.
size_t access_table_used(struct access_table *table, int64_t *ids, double *days, size_t most);

// Any thread: whose this is, and, where `token` is not NULL, the id of its token (0: none) and when it ends (0: never). False: nobody's, or not any more.
bool access_table_find(struct access_table *table, enum access_kind kind, const uint8_t hash[SECRET_HASH], double now, struct access_person *person, int64_t *token,
                       double *expires);

#endif
