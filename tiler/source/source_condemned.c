// SPDX-License-Identifier: Apache-2.0
#include "source/source_condemned.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LATE_SECONDS = 600, SLAB_SECONDS = 60, FOR_EVER = 1e300;

struct condemned_file {
    struct source_identity identity;
    bool reading;
    unsigned offences, chances;  // what is the file's own doing; what may be chance, in a row
    double until;                // condemned before this moment; 0 where it is not (yet)
    uint64_t used;               // order of last use; 0 for a free place
    int status;
    char words[256];
};

struct failed_slab {
    uint64_t request;
    double until;
    struct failure failure;
};

struct source_condemned {
    pthread_mutex_t lock;
    uint64_t uses;                                            // lock
    struct condemned_file files[SOURCE_CONDEMNED_MOST];       // lock
    size_t next_slab;                                         // lock
    struct failed_slab slabs[SOURCE_FAILED_SLABS_MOST];       // lock
    atomic_size_t count, file_count, slab_count;              // the last two: whether there is anything to look through
};

struct source_condemned *source_condemned_new(void) {
    struct source_condemned *table = calloc(1, sizeof *table);
    if (table) pthread_mutex_init(&table->lock, NULL);
    return table;
}

void source_condemned_free(struct source_condemned *table) {
    if (!table) return;
    pthread_mutex_destroy(&table->lock);
    free(table);
}

size_t source_condemned_count(const struct source_condemned *table) { return atomic_load(&table->count); }

static struct condemned_file *find_file(struct source_condemned *table, const struct source_identity *identity, bool reading) {
    for (struct condemned_file *f = table->files; f < table->files + SOURCE_CONDEMNED_MOST; f++)
        if (f->used && f->reading == reading && source_identity_equal(&f->identity, identity)) return f;
    return NULL;
}

static struct condemned_file *get_file(struct source_condemned *table, const struct source_identity *identity, bool reading) {
    struct condemned_file *f = find_file(table, identity, reading), *oldest = table->files;
    if (f) return f;
    for (f = table->files; f < table->files + SOURCE_CONDEMNED_MOST; f++)
        if (f->used < oldest->used) oldest = f;
    *oldest = (struct condemned_file){.identity = *identity, .reading = reading};
    atomic_fetch_add(&table->file_count, 1);
    return oldest;
}

static void keep_words(struct condemned_file *f, int status, const char *words) {
    f->status = status;
    snprintf(f->words, sizeof f->words, "%s", words);
}

bool source_condemned_strike(struct source_condemned *table, const struct source_identity *identity, bool reading, enum source_end end,
                             int status, const char *words, double now) {
    pthread_mutex_lock(&table->lock);
    struct condemned_file *f = get_file(table, identity, reading);
    bool before = now < f->until;
    f->used = ++table->uses;
    if (end == SOURCE_END_OFFENCE) f->offences++;
    else f->chances++;
    bool offends = f->offences > (reading ? 1 : 0), unlucky = f->chances > (reading || end == SOURCE_END_KILLED ? 1 : 0);
    if (offends || unlucky) f->until = offends ? FOR_EVER : now + LATE_SECONDS;
    keep_words(f, status, words);
    bool condemned = !before && now < f->until;
    if (condemned) atomic_fetch_add(&table->count, 1);
    pthread_mutex_unlock(&table->lock);
    return condemned;
}

void source_condemned_clear(struct source_condemned *table, const struct source_identity *identity, bool reading) {
    if (!atomic_load(&table->file_count)) return;
    pthread_mutex_lock(&table->lock);
    struct condemned_file *f = find_file(table, identity, reading);
    if (f) f->chances = 0;
    pthread_mutex_unlock(&table->lock);
}

bool source_condemned_find(struct source_condemned *table, const struct source_identity *identity, bool reading, double now,
                           struct failure *failure) {
    bool found = false;
    if (!atomic_load(&table->file_count)) return false;
    pthread_mutex_lock(&table->lock);
    for (int as = 0; as <= (reading ? 1 : 0) && !found; as++) {
        struct condemned_file *f = find_file(table, identity, as == 1);
        found = f && now < f->until;
        if (found) f->used = ++table->uses;
        if (found) failure_set(failure, f->status, "%s (it is not tried again %s)", f->words, f->until < FOR_EVER ? "for some minutes" :
                                                                                                         "until the file changes");
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}

size_t source_condemned_save(struct source_condemned *table, struct source_condemnation *list, size_t room) {
    size_t n = 0;
    pthread_mutex_lock(&table->lock);
    for (const struct condemned_file *f = table->files; f < table->files + SOURCE_CONDEMNED_MOST && n < room; f++) {
        if (!f->used || f->reading || f->until < FOR_EVER) continue;
        list[n] = (struct source_condemnation){.identity = f->identity, .status = f->status};
        memcpy(list[n++].words, f->words, sizeof f->words);
    }
    pthread_mutex_unlock(&table->lock);
    return n;
}

void source_condemned_load(struct source_condemned *table, const struct source_condemnation *list, size_t count) {
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < count && i < SOURCE_CONDEMNED_MOST; i++) {
        struct condemned_file *f = get_file(table, &list[i].identity, false);
        f->used = ++table->uses;
        f->offences = 1;
        f->until = FOR_EVER;
        keep_words(f, list[i].status, list[i].words);
    }
    pthread_mutex_unlock(&table->lock);
}

void source_condemned_fail_slab(struct source_condemned *table, uint64_t request, const struct failure *failure, double now) {
    pthread_mutex_lock(&table->lock);
    struct failed_slab *slab = &table->slabs[table->next_slab++ % SOURCE_FAILED_SLABS_MOST];
    *slab = (struct failed_slab){request, now + SLAB_SECONDS, *failure};
    atomic_fetch_add(&table->slab_count, 1);
    pthread_mutex_unlock(&table->lock);
}

bool source_condemned_slab_failed(struct source_condemned *table, uint64_t request, double now, struct failure *failure) {
    bool found = false;
    if (!atomic_load(&table->slab_count)) return false;
    pthread_mutex_lock(&table->lock);
    for (const struct failed_slab *s = table->slabs; s < table->slabs + SOURCE_FAILED_SLABS_MOST && !found; s++) {
        found = s->request == request && now < s->until;
        if (found) failure_set(failure, s->failure.status, "%s", s->failure.message);
    }
    pthread_mutex_unlock(&table->lock);
    return found;
}
