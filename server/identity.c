// SPDX-License-Identifier: Apache-2.0
#include "server/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct secret {
    identity_user user;  // 0: free
    double used;         // of a code: made
    uint8_t hash[SECRET_HASH];
};

struct identity {
    struct identity_limits limits;
    identity_user last;
    bool has_publisher;
    uint8_t publisher[SECRET_HASH];
    struct secret *tokens, *codes;
};

void identity_limits_default(struct identity_limits *limits) {
    *limits = (struct identity_limits){.tokens = 1024, .codes = 64, .token_seconds = 7 * 86400, .fresh_seconds = 3600, .code_seconds = 900};
}

struct identity *identity_new(const struct identity_limits *limits) {
    struct identity *identity = calloc(1, sizeof *identity);
    if (!identity) return NULL;
    identity->limits = *limits;
    identity->tokens = calloc(limits->tokens, sizeof *identity->tokens);
    identity->codes = calloc(limits->codes, sizeof *identity->codes);
    if (identity->tokens && identity->codes) return identity;
    identity_free(identity);
    return NULL;
}

void identity_free(struct identity *identity) {
    if (!identity) return;
    free(identity->tokens);
    free(identity->codes);
    free(identity);
}

// Publishers.

int identity_set_publisher(struct identity *identity, const char *text, size_t size, struct failure *failure) {
    while (size && isspace((unsigned char)*text)) text++, size--;
    while (size && isspace((unsigned char)text[size - 1])) size--;
    if (size < IDENTITY_LEAST_TOKEN || size > IDENTITY_MOST_TOKEN)
        return failure_set(failure, VIRGA_INVALID, "a publish token has from %d to %d characters, so that nobody guesses it", IDENTITY_LEAST_TOKEN, IDENTITY_MOST_TOKEN);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
            return failure_set(failure, VIRGA_INVALID, "a publish token is one word of ASCII letters, digits and signs");
    sha256(text, size, identity->publisher);
    identity->has_publisher = true;
    return VIRGA_OK;
}

bool identity_has_publisher(const struct identity *identity) { return identity->has_publisher; }

bool identity_is_publisher(const struct identity *identity, const char *token) {
    uint8_t hash[SECRET_HASH];
    size_t size = strnlen(token, IDENTITY_MOST_TOKEN + 1);
    sha256(token, size, hash);
    return identity->has_publisher && secret_equal(hash, identity->publisher);
}

// Tokens and codes. A list is looked through to its end, whether or not something was found.

static struct secret *find(struct secret *list, size_t count, const char *text, double oldest) {
    uint8_t hash[SECRET_HASH];
    struct secret *found = NULL;
    size_t size = strnlen(text, SECRET_TEXT + 1);
    sha256(text, size, hash);
    for (size_t i = 0; i < count; i++) {
        bool equal = secret_equal(list[i].hash, hash);
        if (equal && list[i].user && list[i].used >= oldest) found = &list[i];
    }
    return found;
}

// A free place, else the one longest unused.
static struct secret *place(struct secret *list, size_t count, double oldest) {
    struct secret *best = list;
    for (size_t i = 0; i < count; i++) {
        if (!list[i].user || list[i].used < oldest) return &list[i];
        if (list[i].used < best->used) best = &list[i];
    }
    return best;
}

static bool fill(struct secret *secret, identity_user user, double now, char text[SECRET_TEXT + 1]) {
    struct secret made = {.user = user, .used = now};
    if (!secret_make(text)) return false;
    sha256(text, SECRET_TEXT, made.hash);
    *secret = made;
    return true;
}

identity_user identity_add(struct identity *identity, identity_user user, double now, char token[SECRET_TEXT + 1]) {
    struct secret *secret = place(identity->tokens, identity->limits.tokens, now - identity->limits.token_seconds);
    token[0] = '\0';
    if (secret->user && secret->used > now - identity->limits.fresh_seconds) return 0;
    if (!user) user = ++identity->last;
    return fill(secret, user, now, token) ? user : 0;
}

identity_user identity_find(struct identity *identity, const char *token, double now) {
    struct secret *secret = find(identity->tokens, identity->limits.tokens, token, now - identity->limits.token_seconds);
    if (!secret) return 0;
    secret->used = now;
    return secret->user;
}

void identity_touch(struct identity *identity, identity_user user, double now) {
    for (size_t i = 0; user && i < identity->limits.tokens; i++)
        if (identity->tokens[i].user == user) identity->tokens[i].used = now;
}

bool identity_exists(const struct identity *identity, identity_user user, double now) {
    for (size_t i = 0; user && i < identity->limits.tokens; i++)
        if (identity->tokens[i].user == user && identity->tokens[i].used >= now - identity->limits.token_seconds) return true;
    for (size_t i = 0; user && i < identity->limits.codes; i++)
        if (identity->codes[i].user == user && identity->codes[i].used >= now - identity->limits.code_seconds) return true;
    return false;
}

void identity_forget(struct identity *identity, identity_user user) {
    for (size_t i = 0; user && i < identity->limits.tokens; i++)
        if (identity->tokens[i].user == user) identity->tokens[i] = (struct secret){0};
    for (size_t i = 0; user && i < identity->limits.codes; i++)
        if (identity->codes[i].user == user) identity->codes[i] = (struct secret){0};
}

bool identity_code(struct identity *identity, identity_user user, double now, char code[SECRET_TEXT + 1]) {
    return fill(place(identity->codes, identity->limits.codes, now - identity->limits.code_seconds), user, now, code);
}

identity_user identity_redeem(struct identity *identity, const char *code, double now) {
    struct secret *secret = find(identity->codes, identity->limits.codes, code, now - identity->limits.code_seconds);
    identity_user user = secret ? secret->user : 0;
    if (secret) *secret = (struct secret){0};
    return user;
}
