// SPDX-License-Identifier: Apache-2.0
#include "server/pair_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/utf8.h"
#include "server/rate_limit.h"

enum { CODES = 10000, TRIES = 64 };

struct pair_table {
    pair_random random;
    void *context;
    struct pair_screen screens[PAIR_SCREENS];
    struct rate_limit guesses, all;
    double locked_until;
    bool locked;
};

static bool kernel_random(void *context, void *bytes, size_t size) {
    (void)context;
    return getrandom(bytes, size, 0) == (ssize_t)size;
}

struct pair_table *pair_table_new(pair_random random, void *context) {
    struct pair_table *table = calloc(1, sizeof *table);
    if (!table) return NULL;
    table->random = random ? random : kernel_random;
    table->context = context;
    // A bucket that is full lets through what it holds and what flows in meanwhile: half each keeps any minute within the limit.
    rate_limit_init(&table->guesses, PAIR_GUESSES / 2.0, PAIR_GUESSES / 2.0 / 60);
    rate_limit_init(&table->all, PAIR_ALL_GUESSES / 2.0, PAIR_ALL_GUESSES / 2.0 / 60);
    return table;
}

void pair_table_free(struct pair_table *table) { free(table); }

// Looking up.

static struct pair_screen *free_screen(struct pair_table *table) {
    for (size_t i = 0; i < PAIR_SCREENS; i++)
        if (!table->screens[i].who) return &table->screens[i];
    return NULL;
}

struct pair_screen *pair_table_find(struct pair_table *table, const void *who, int *at) {
    for (size_t i = 0; who && i < PAIR_SCREENS; i++) {
        struct pair_screen *screen = &table->screens[i];
        *at = -1;
        if (!screen->who) continue;
        if (screen->who == who) return screen;
        for (int r = 0; r < PAIR_REMOTES; r++)
            if (screen->remotes[r].who == who && (*at = r, true)) return screen;
    }
    return NULL;
}

static bool waits(const struct pair_screen *screen, double now) { return screen->who && screen->code[0] && now < screen->until; }

// Offering a code.

static bool is_free(const struct pair_table *table, const char *code, double now) {
    for (size_t i = 0; i < PAIR_SCREENS; i++)
        if (waits(&table->screens[i], now) && !strcmp(table->screens[i].code, code)) return false;
    return true;
}

// Each code as likely as any other: numbers beyond the last whole ten thousand are drawn again.
static bool draw_code(struct pair_table *table, double now, char code[PAIR_CODE + 1]) {
    for (int i = 0; i < TRIES; i++) {
        uint32_t number = 0;
        if (!table->random(table->context, &number, sizeof number)) return false;
        if (number >= UINT32_MAX / CODES * CODES) continue;
        snprintf(code, PAIR_CODE + 1, "%04u", (unsigned)(number % CODES));
        if (is_free(table, code, now)) return true;
    }
    return false;
}

static bool has_room(const struct pair_table *table, const void *screen, client_place place, double now) {
    size_t all = 0, here = 0;
    for (size_t i = 0; i < PAIR_SCREENS; i++) {
        const struct pair_screen *other = &table->screens[i];
        if (other->who == screen || !waits(other, now)) continue;
        all++;
        here += place && other->place == place;
    }
    return all < PAIR_WAITING && here < PAIR_WAITING_EACH;
}

int pair_table_offer(struct pair_table *table, const void *who, client_place place, double now, char code[PAIR_CODE + 1], struct failure *failure) {
    int at = -1;
    struct pair_screen *screen = pair_table_find(table, who, &at);
    if (at >= 0) return failure_set(failure, VIRGA_INVALID, "a remote is no screen");
    if (!screen) screen = free_screen(table);
    if (!screen || !has_room(table, who, place, now))
        return failure_set(failure, VIRGA_NO_MEMORY, "too many screens wait for a remote; try again in some minutes");
    if (!draw_code(table, now, code)) return failure_set(failure, VIRGA_IO, "no code can be drawn now; try again");
    screen->who = who;
    screen->place = place;
    memcpy(screen->code, code, sizeof screen->code);
    screen->until = now + PAIR_SECONDS;
    return VIRGA_OK;
}

// Guessing. A place that has guessed too often is not even told whether it is right, or going on would pay.

static int may_guess(struct pair_table *table, const char *from, double now, struct failure *failure) {
    if (table->locked && now < table->locked_until)
        return failure_set(failure, VIRGA_NO_MEMORY, "too many wrong codes were tried; pairing is closed for some minutes");
    table->locked = false;
    if (!rate_limit_has(&table->guesses, from, now))
        return failure_set(failure, VIRGA_NO_MEMORY, "too many wrong codes came from here; try again in a minute");
    return VIRGA_OK;
}

static int wrong(struct pair_table *table, const char *from, double now, struct failure *failure) {
    rate_limit_take(&table->guesses, from, now);
    rate_limit_take(&table->all, "", now);
    if (!rate_limit_has(&table->all, "", now)) {
        table->locked = true;
        table->locked_until = now + PAIR_LOCKED_SECONDS;
    }
    return failure_set(failure, VIRGA_NOT_FOUND, "no screen shows this code (any more); codes hold for %d minutes", PAIR_SECONDS / 60);
}

// Joining.

static struct pair_remote *free_place(struct pair_screen *screen) {
    struct pair_remote *away = NULL;
    for (size_t i = 0; i < PAIR_REMOTES; i++) {
        if (!screen->remotes[i].taken) return &screen->remotes[i];
        if (!screen->remotes[i].who && !away) away = &screen->remotes[i];
    }
    return away;
}

static void settle(struct pair_screen *screen, struct pair_remote *remote, const void *who) {
    remote->who = who;
    remote->news.size = 0;
    remote->due = false;
    remote->state_due = screen->state.size > 0;
}

static void take_name(struct pair_remote *remote, const char *name) {
    snprintf(remote->name, sizeof remote->name, "%s", name[0] ? name : "Remote");
    utf8_clean(remote->name);
}

static struct pair_screen *screen_with(struct pair_table *table, const char *code, double now) {
    for (size_t i = 0; i < PAIR_SCREENS; i++)
        if (waits(&table->screens[i], now) && !strcmp(table->screens[i].code, code)) return &table->screens[i];
    return NULL;
}

// The place in words, for a limit that counts addresses.
static void name_place(client_place place, char from[24]) { snprintf(from, 24, "%016llx", (unsigned long long)place); }

static int check_newcomer(struct pair_table *table, const void *who, struct failure *failure) {
    int at;
    return pair_table_find(table, who, &at) ? failure_set(failure, VIRGA_INVALID, "this connection is paired already") : VIRGA_OK;
}

int pair_table_join(struct pair_table *table, const void *who, client_place place, const char *code, const char *name, double now,
                    char key[SECRET_TEXT + 1], struct failure *failure) {
    char from[24];
    name_place(place, from);
    int status = check_newcomer(table, who, failure);
    if (!status) status = may_guess(table, from, now, failure);
    if (status) return status;
    struct pair_screen *screen = screen_with(table, code, now);
    if (!screen) return wrong(table, from, now, failure);
    struct pair_remote *remote = free_place(screen);
    if (!remote) return failure_set(failure, VIRGA_TOO_LARGE, "this screen has %d remotes already", PAIR_REMOTES);
    if (!secret_make(key)) return failure_set(failure, VIRGA_IO, "no key can be made now; try again");
    screen->code[0] = '\0';
    *remote = (struct pair_remote){.taken = true};
    sha256(key, strlen(key), remote->key);
    take_name(remote, name);
    settle(screen, remote, who);
    return VIRGA_OK;
}

static struct pair_remote *remote_with(struct pair_table *table, const char *key, struct pair_screen **screen) {
    uint8_t hash[SECRET_HASH];
    sha256(key, strlen(key), hash);
    for (size_t i = 0; i < PAIR_SCREENS; i++)
        for (size_t r = 0; table->screens[i].who && r < PAIR_REMOTES; r++) {
            struct pair_remote *remote = &table->screens[i].remotes[r];
            if (remote->taken && secret_equal(remote->key, hash) && (*screen = &table->screens[i], true)) return remote;
        }
    return NULL;
}

int pair_table_return(struct pair_table *table, const void *who, client_place place, const char *key, double now, struct failure *failure) {
    char from[24];
    name_place(place, from);
    int status = check_newcomer(table, who, failure);
    struct pair_screen *screen = NULL;
    struct pair_remote *remote = status ? NULL : remote_with(table, key, &screen);
    if (remote) settle(screen, remote, who);
    else if (!status && !(status = may_guess(table, from, now, failure))) status = wrong(table, from, now, failure);
    return status;
}

void pair_table_leave(struct pair_table *table, const void *who, bool forget) {
    int at = -1;
    struct pair_screen *screen = pair_table_find(table, who, &at);
    if (!screen) return;
    if (at < 0) *screen = (struct pair_screen){0};
    else if (forget) screen->remotes[at] = (struct pair_remote){0};
    else settle(screen, &screen->remotes[at], NULL);
}

// Speaking.

int pair_table_say(struct pair_table *table, const void *who, const void *bytes, size_t size) {
    int at = -1;
    struct pair_screen *screen = pair_table_find(table, who, &at);
    if (!screen || size > (at < 0 ? PAIR_STATE : PAIR_UPDATE)) return VIRGA_INVALID;
    struct pair_news *news = at < 0 ? &screen->state : &screen->remotes[at].news;
    if (size) memcpy(news->bytes, bytes, size);
    news->size = size;
    if (at >= 0) screen->remotes[at].due = true;
    for (size_t i = 0; at < 0 && i < PAIR_REMOTES; i++) screen->remotes[i].state_due = screen->remotes[i].who != NULL;
    return VIRGA_OK;
}

bool pair_table_hear(struct pair_table *table, const void *who, int *index, struct pair_news *news) {
    int at = -1;
    struct pair_screen *screen = pair_table_find(table, who, &at);
    *index = -1;
    if (!screen) return false;
    if (at >= 0) {
        bool due = screen->remotes[at].state_due;
        screen->remotes[at].state_due = false;
        if (due) *news = screen->state;
        return due;
    }
    for (unsigned turn = 0; turn < PAIR_REMOTES; turn++) {
        unsigned i = (screen->next + turn) % PAIR_REMOTES;
        if (!screen->remotes[i].due) continue;
        screen->remotes[i].due = false;
        screen->next = i + 1;
        *index = (int)i;
        *news = screen->remotes[i].news;
        return true;
    }
    return false;
}
