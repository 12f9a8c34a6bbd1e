// SPDX-License-Identifier: Apache-2.0
#include "server/file_writers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_FILES = 1 << 17 };  // remembered at a time; of more, what is written is noticed by leases and stillness only

static void ignore_breaking(void) { signal(SIGIO, SIG_IGN); }

enum file_writers file_writers_of(const char *path) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ignore_breaking);  // whoever wants to write meanwhile ends the lease by a signal
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return FILE_WRITERS_UNKNOWN;
    int refused = fcntl(fd, F_SETLEASE, F_RDLCK) ? errno : 0;
    if (!refused) fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return !refused ? FILE_WRITERS_NONE : refused == EAGAIN ? FILE_WRITERS_SOME : FILE_WRITERS_UNKNOWN;
}

struct record {
    struct source_identity identity;
    bool used, asked, writing, closed;
    double since;  // when it was first seen like this
};

struct file_activity {
    struct record *records;  // open addressing by device and inode
    size_t room, count;
    bool first;
};

struct file_activity *file_activity_new(void) { return calloc(1, sizeof(struct file_activity)); }

void file_activity_free(struct file_activity *activity) {
    if (!activity) return;
    free(activity->records);
    free(activity);
}

static size_t place_of(const struct source_identity *identity) {
    uint64_t h = (identity->inode ^ (identity->device << 32)) * 0x9e3779b97f4a7c15u;
    return (size_t)(h ^ (h >> 32));
}

static struct record *find(const struct file_activity *a, const struct source_identity *identity) {
    for (size_t n = place_of(identity); a->room; n++) {
        struct record *r = &a->records[n & (a->room - 1)];
        if (!r->used || (r->identity.inode == identity->inode && r->identity.device == identity->device)) return r;
    }
    return NULL;
}

// Moves what `kept` says to a table of this room.
static bool rebuild(struct file_activity *a, size_t room, bool (*kept)(const struct record *record)) {
    struct file_activity next = {calloc(room, sizeof *next.records), room, 0, a->first};
    if (!next.records) return false;
    for (size_t n = 0; n < a->room; n++)
        if (a->records[n].used && kept(&a->records[n])) *find(&next, &a->records[n].identity) = a->records[n], next.count++;
    free(a->records);
    *a = next;
    return true;
}

static bool is_any(const struct record *record) { return record->used; }
static bool was_asked(const struct record *record) { return record->asked || record->writing; }

// NULL: there is no room.
static struct record *get(struct file_activity *a, const struct source_identity *identity) {
    if (a->count >= MOST_FILES) return NULL;
    if (2 * (a->count + 1) > a->room && !rebuild(a, a->room ? 2 * a->room : 64, is_any)) return NULL;
    struct record *r = find(a, identity);
    if (r->used) return r;
    *r = (struct record){.identity = *identity, .used = true, .since = -1};
    a->count++;
    return r;
}

bool file_activity_written(struct file_activity *a, const struct source_identity *identity) {
    struct record *r = get(a, identity);
    bool news = !r || !r->writing;
    if (!r) return news;
    r->writing = true;
    r->closed = false;
    return news;
}

void file_activity_closed(struct file_activity *a, const struct source_identity *identity) {
    struct record *r = get(a, identity);
    if (!r) return;
    r->writing = false;
    r->closed = true;
    r->identity = *identity;
}

void file_activity_touched(struct file_activity *a, const struct source_identity *identity) {
    struct record *r = a->room ? find(a, identity) : NULL;
    if (r && r->used && r->closed) r->identity = *identity;
}

void file_activity_lost(struct file_activity *a, double now) {
    for (size_t n = 0; n < a->room; n++) {
        a->records[n].writing = a->records[n].closed = false;
        a->records[n].since = now;
    }
}

void file_activity_begin(struct file_activity *a, bool first) {
    a->first = first;
    for (size_t n = 0; n < a->room; n++) a->records[n].asked = false;
}

void file_activity_end(struct file_activity *a) { rebuild(a, a->room ? a->room : 64, was_asked); }

static bool is_still(struct record *r, const struct source_identity *identity, double settle, double now, double *again) {
    if (r->since < 0 || !source_identity_equal(&r->identity, identity)) {
        r->identity = *identity;
        r->since = now;
        r->closed = false;
    }
    if (now >= r->since + settle) return true;
    if (*again > r->since + settle) *again = r->since + settle;
    return false;
}

bool file_activity_is_whole(struct file_activity *a, const struct source_identity *identity, enum file_writers writers, double settle, double now, double *again) {
    if (writers != FILE_WRITERS_UNKNOWN) return writers == FILE_WRITERS_NONE;
    if (a->first) return true;
    struct record *r = get(a, identity);
    if (!r) return true;
    r->asked = true;
    if (r->writing) return false;
    if (r->closed && source_identity_equal(&r->identity, identity)) return true;
    return is_still(r, identity, settle, now, again);
}
