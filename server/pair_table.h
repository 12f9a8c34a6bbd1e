// SPDX-License-Identifier: Apache-2.0
// Screens and the remotes that steer them, paired by a code of four digits that the screen shows. Pure: no sockets, the clock is passed in (seconds
// of any clock that only rises), random numbers come from a function. One thread at a time. All is bounded.
//
// A code lets one remote in, within PAIR_SECONDS; then it is void, and the screen asks for another to let another in. A remote that lost its
// connection comes back by the key that it got. Both end with the screen. Whoever guesses is stopped: by PAIR_GUESSES a place and PAIR_ALL_GUESSES
// over all within any minute, after which nobody may guess for PAIR_LOCKED_SECONDS; keys are not held up by that.
#ifndef VIRGA_SERVER_PAIR_TABLE_H
#define VIRGA_SERVER_PAIR_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "server/client_place.h"
#include "server/secret.h"

enum {
    PAIR_CODE = 4,              // digits
    PAIR_SECONDS = 300,         // that a code waits
    PAIR_REMOTES = 4,           // of a screen
    PAIR_SCREENS = 256,         // at a time
    PAIR_WAITING = 64,          // codes that wait, so that guesses hit little
    PAIR_WAITING_EACH = 16,     // … for screens of one place
    PAIR_GUESSES = 10,          // wrong ones a minute, of one place
    PAIR_ALL_GUESSES = 60,      // … and of all
    PAIR_LOCKED_SECONDS = 300,
    PAIR_NAME = 40,             // bytes of a remote's name
    PAIR_UPDATE = 64,           // bytes of what a remote sends at a time
    PAIR_STATE = 512,           // bytes of what a screen tells its remotes
};

// What was said last, and whether whom it is for is yet to be told: one that is slow misses what was said between, and nothing grows.
struct pair_news {
    uint8_t bytes[PAIR_STATE];
    size_t size;
};

struct pair_remote {
    const void *who;            // NULL: nobody, or one that may come back
    uint8_t key[SECRET_HASH];
    bool taken;
    char name[PAIR_NAME + 1];
    struct pair_news news;      // for the screen
    bool due, state_due;        // news to the screen; the screen's state to this remote
};

struct pair_screen {
    const void *who;            // NULL: a free place
    client_place place;
    char code[PAIR_CODE + 1];   // "": none waits
    double until;               // the code's end
    struct pair_remote remotes[PAIR_REMOTES];
    struct pair_news state;     // for the remotes
    unsigned next;              // remote whose news go first
};

// Fills `bytes`; false when there are no random numbers. NULL stands for the kernel's.
typedef bool (*pair_random)(void *context, void *bytes, size_t size);

struct pair_table *pair_table_new(pair_random random, void *context);  // NULL when out of memory
void pair_table_free(struct pair_table *table);

// A new code for this screen, in place of the one it had; its remotes stay. VIRGA_INVALID: it is a remote; VIRGA_NO_MEMORY: too many wait.
int pair_table_offer(struct pair_table *table, const void *screen, client_place place, double now, char code[PAIR_CODE + 1], struct failure *failure);
// Joins a remote to the screen that shows the code, in a free place or that of one that is away. VIRGA_NOT_FOUND: no screen shows it (any more);
// VIRGA_TOO_LARGE: the screen has PAIR_REMOTES; VIRGA_NO_MEMORY: too many guesses; VIRGA_INVALID: it is paired already. On success `key` brings it back, later. name: what the screen calls it; cleaned and cut.
int pair_table_join(struct pair_table *table, const void *remote, client_place place, const char *code, const char *name, double now,
                    char key[SECRET_TEXT + 1], struct failure *failure);
// The same by a key, which stays valid: the connection that had it is a remote no more. A wrong key counts as a guess.
int pair_table_return(struct pair_table *table, const void *remote, client_place place, const char *key, double now, struct failure *failure);

// The screen that this is, or whose remote it is (then *at is its index, else -1); NULL where it is neither. Valid until the next call that changes.
struct pair_screen *pair_table_find(struct pair_table *table, const void *who, int *at);
// A remote is away (it may come back by its key), or with `forget` gone; a screen is gone with all that it had. Others are not told: look first.
void pair_table_leave(struct pair_table *table, const void *who, bool forget);

// What a remote says to its screen, or a screen to its remotes. VIRGA_INVALID where it is neither, or too long.
int pair_table_say(struct pair_table *table, const void *who, const void *bytes, size_t size);
// What a screen (remote index and bytes), or a remote (the state; *index is -1), is to be told next; false: nothing. Remotes take turns.
bool pair_table_hear(struct pair_table *table, const void *who, int *index, struct pair_news *news);

#endif
