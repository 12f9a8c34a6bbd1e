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

struct secrets {
    struct secret *list;
    size_t count;
    double seconds;  // how long one that is not used is valid
};

struct identity {
    double fresh_seconds;
    identity_user last;
    bool has_publisher;
    uint8_t publisher[SECRET_HASH];
    struct secrets tokens, codes;
};

void identity_limits_default(struct identity_limits *limits) {
    *limits = (struct identity_limits){.tokens = 1024, .codes = 64, .token_seconds = 7 * 86400, .fresh_seconds = 3600, .code_seconds = 900};
}

struct identity *identity_new(const struct identity_limits *limits) {
    struct identity *identity = calloc(1, sizeof *identity);
    if (!identity) return NULL;
    identity->fresh_seconds = limits->fresh_seconds;
    identity->tokens = (struct secrets){calloc(limits->tokens, sizeof(struct secret)), limits->tokens, limits->token_seconds};
    identity->codes = (struct secrets){calloc(limits->codes, sizeof(struct secret)), limits->codes, limits->code_seconds};
    if (identity->tokens.list && identity->codes.list) return identity;
    identity_free(identity);
    return NULL;
}

void identity_free(struct identity *identity) {
    if (!identity) return;
    free(identity->tokens.list);
    free(identity->codes.list);
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

static bool is_valid(const struct secrets *secrets, const struct secret *secret, double now) {
    return secret->user && secret->used >= now - secrets->seconds;
}

static struct secret *find(const struct secrets *secrets, const char *text, double now) {
    uint8_t hash[SECRET_HASH];
    struct secret *found = NULL;
    size_t size = strnlen(text, SECRET_TEXT + 1);
    sha256(text, size, hash);
    for (size_t i = 0; i < secrets->count; i++) {
        bool equal = secret_equal(secrets->list[i].hash, hash);
        if (equal && is_valid(secrets, &secrets->list[i], now)) found = &secrets->list[i];
    }
    return found;
}

// A free place, else the one longest unused.
static struct secret *place(const struct secrets *secrets, double now) {
    struct secret *best = secrets->list;
    for (size_t i = 0; i < secrets->count; i++) {
        struct secret *secret = &secrets->list[i];
        if (!is_valid(secrets, secret, now)) return secret;
        if (secret->used < best->used) best = secret;
    }
    return best;
}

static bool has_any(const struct secrets *secrets, identity_user user, double now) {
    for (size_t i = 0; i < secrets->count; i++)
        if (secrets->list[i].user == user && is_valid(secrets, &secrets->list[i], now)) return true;
    return false;
}

static void forget(struct secrets *secrets, identity_user user) {
    for (size_t i = 0; user && i < secrets->count; i++)
        if (secrets->list[i].user == user) secrets->list[i] = (struct secret){0};
}

static bool fill(struct secret *secret, identity_user user, double now, char text[SECRET_TEXT + 1]) {
    struct secret made = {.user = user, .used = now};
    if (!secret_make(text)) return false;
    sha256(text, SECRET_TEXT, made.hash);
    *secret = made;
    return true;
}

identity_user identity_add(struct identity *identity, identity_user user, double now, char token[SECRET_TEXT + 1]) {
    struct secret *secret = place(&identity->tokens, now);
    token[0] = '\0';
    if (secret->user && secret->used > now - identity->fresh_seconds) return 0;
    if (!user) user = ++identity->last;
    return fill(secret, user, now, token) ? user : 0;
}

identity_user identity_find(struct identity *identity, const char *token, double now) {
    struct secret *secret = find(&identity->tokens, token, now);
    if (!secret) return 0;
    secret->used = now;
    return secret->user;
}

void identity_touch(struct identity *identity, identity_user user, double now) {
    for (size_t i = 0; user && i < identity->tokens.count; i++)
        if (identity->tokens.list[i].user == user) identity->tokens.list[i].used = now;
}

bool identity_exists(const struct identity *identity, identity_user user, double now) {
    return has_any(&identity->tokens, user, now) || has_any(&identity->codes, user, now);
}

void identity_forget(struct identity *identity, identity_user user) {
    forget(&identity->tokens, user);
    forget(&identity->codes, user);
}

bool identity_code(struct identity *identity, identity_user user, double now, char code[SECRET_TEXT + 1]) {
    return fill(place(&identity->codes, now), user, now, code);
}

identity_user identity_redeem(struct identity *identity, const char *code, double now) {
    struct secret *secret = find(&identity->codes, code, now);
    identity_user user = secret ? secret->user : 0;
    if (secret) *secret = (struct secret){0};
    return user;
}
