// SPDX-License-Identifier: Apache-2.0
#include "server/access_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int access_table_init(struct access_table *table) {
    *table = (struct access_table){0};
    return pthread_mutex_init(&table->lock, NULL) ? VIRGA_NO_MEMORY : VIRGA_OK;
}

void access_table_destroy(struct access_table *table) {
    free(table->tokens);
    free(table->logins);
    pthread_mutex_destroy(&table->lock);
}

// Both kinds of entry are looked up by a hash: how long that takes tells of hashes, which nobody can choose without choosing what they are of.
static int compare_tokens(const void *a, const void *b) {
    return memcmp(((const struct access_token *)a)->hash, ((const struct access_token *)b)->hash, SECRET_HASH);
}

static int compare_logins(const void *a, const void *b) {
    return memcmp(((const struct access_login *)a)->hash, ((const struct access_login *)b)->hash, SECRET_HASH);
}

static struct access_token *find_token(struct access_token *tokens, size_t count, const uint8_t hash[SECRET_HASH]) {
    struct access_token key;
    memcpy(key.hash, hash, SECRET_HASH);
    return count ? bsearch(&key, tokens, count, sizeof key, compare_tokens) : NULL;
}

static struct access_login *find_login(struct access_login *logins, size_t count, const uint8_t hash[SECRET_HASH]) {
    struct access_login key;
    memcpy(key.hash, hash, SECRET_HASH);
    return count ? bsearch(&key, logins, count, sizeof key, compare_logins) : NULL;
}

static bool is_valid(const struct access_token *token, double now) { return !token->revoked && (!token->expires || now < token->expires); }

// A login is its token's: what became of that became of it.
static void join(struct access_login *login, const struct access_token *tokens, size_t count) {
    const struct access_token *token = NULL;
    if (!login->token) return;
    for (size_t i = 0; i < count; i++)
        if (tokens[i].id == login->token) token = &tokens[i];
    if (!token || token->revoked) {
        login->expires = 0;
        return;
    }
    login->person = token->person;
    if (token->expires) login->expires = fmin(login->expires, token->expires);
}

void access_table_set(struct access_table *table, struct access_token *tokens, size_t token_count, struct access_login *logins, size_t login_count) {
    for (size_t i = 0; i < login_count; i++) join(&logins[i], tokens, token_count);
    if (token_count) qsort(tokens, token_count, sizeof *tokens, compare_tokens);
    if (login_count) qsort(logins, login_count, sizeof *logins, compare_logins);
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->token_count; i++) {
        const struct access_token *old = &table->tokens[i];
        struct access_token *now = old->fresh ? find_token(tokens, token_count, old->hash) : NULL;
        if (now && now->used < old->used) now->used = old->used, now->fresh = true;
    }
    free(table->tokens);
    free(table->logins);
    table->tokens = tokens;
    table->token_count = token_count;
    table->logins = logins;
    table->login_count = login_count;
    pthread_mutex_unlock(&table->lock);
}

size_t access_table_used(struct access_table *table, int64_t *ids, double *days, size_t most) {
    size_t count = 0;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->token_count && count < most; i++) {
        struct access_token *token = &table->tokens[i];
        if (!token->fresh) continue;
        token->fresh = false;
        ids[count] = token->id;
        days[count++] = token->used;
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}

// When a token was last shown is known to the day: enough to find those that nobody uses, and no record of who was there when.
static void note_use(struct access_token *token, double now) {
    double day = floor(now / ACCESS_DAY) * ACCESS_DAY;
    if (token->used >= day) return;
    token->used = day;
    token->fresh = true;
}

bool access_table_find(struct access_table *table, enum access_kind kind, const uint8_t hash[SECRET_HASH], double now, struct access_person *person, int64_t *token,
                       double *expires) {
    bool found = false;
    pthread_mutex_lock(&table->lock);
    struct access_token *t = kind == ACCESS_BY_TOKEN ? find_token(table->tokens, table->token_count, hash) : NULL;
    const struct access_login *l = kind == ACCESS_BY_LOGIN ? find_login(table->logins, table->login_count, hash) : NULL;
    if (t && is_valid(t, now)) {
        found = true;
        note_use(t, now);
        *person = t->person;
        if (token) *token = t->id, *expires = t->expires;
    } else if (l && now < l->expires) {
        found = true;
        *person = l->person;
        if (token) *token = l->token, *expires = l->expires;
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}
