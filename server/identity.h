// SPDX-License-Identifier: Apache-2.0
// Who asks: the one place that knows. A user is the holder of a token that nobody can guess; nobody else is anybody (user 0). Tokens are kept as
// hashes, in memory only, so they end with the server. All is bounded: what is unused for long makes room. Pure but for random numbers: no
// sockets, no clock (`now` is seconds of any clock that only rises). One thread at a time.
#ifndef VIRGA_SERVER_IDENTITY_H
#define VIRGA_SERVER_IDENTITY_H

#include "base/status.h"
#include "server/secret.h"

enum { IDENTITY_LEAST_TOKEN = 32, IDENTITY_MOST_TOKEN = 512 };  // characters of a publish token

struct identity_limits {
    size_t tokens;         // of all users, at most
    size_t codes;          // waiting, at most
    double token_seconds;  // a token unused for so long is nobody's
    double fresh_seconds;  // one that was used within this is not given up for another's sake
    double code_seconds;   // a code that is not taken up within this is void
};
void identity_limits_default(struct identity_limits *limits);

typedef uint64_t identity_user;  // 0: nobody; others are never used twice

struct identity;

struct identity *identity_new(const struct identity_limits *limits);  // NULL when out of memory
void identity_free(struct identity *identity);

// Text whose holder may publish: at least IDENTITY_LEAST_TOKEN printable ASCII characters; white space around it does not count. VIRGA_INVALID
// without the text. Before it is called nobody may.
int identity_set_publisher(struct identity *identity, const char *text, size_t size, struct failure *failure);
bool identity_has_publisher(const struct identity *identity);
bool identity_is_publisher(const struct identity *identity, const char *token);

// Makes a user, or another token for one there is (`user`, else 0). Returns whose it is; 0: too many tokens are in use, or no random numbers.
identity_user identity_add(struct identity *identity, identity_user user, double now, char token[SECRET_TEXT + 1]);
// Who holds this token; 0: nobody (any more). Counts as use.
identity_user identity_find(struct identity *identity, const char *token, double now);
// The user is there: their tokens do not grow old.
void identity_touch(struct identity *identity, identity_user user, double now);
// Whether any token of theirs is valid.
bool identity_exists(const struct identity *identity, identity_user user, double now);
// All their tokens and codes are void.
void identity_forget(struct identity *identity, identity_user user);

// A text that its holder may exchange, once, for a token of this user. False: no random numbers. The oldest goes where there are too many.
bool identity_code(struct identity *identity, identity_user user, double now, char code[SECRET_TEXT + 1]);
// Takes a code up: it is void afterwards. 0: there is no such code.
identity_user identity_redeem(struct identity *identity, const char *code, double now);

#endif
