// SPDX-License-Identifier: Apache-2.0
#include "server/export_table.h"

#include <stdlib.h>
#include <string.h>

int export_table_init(struct export_table *table) {
    *table = (struct export_table){.changes = 1};
    return pthread_mutex_init(&table->lock, NULL) ? VIRGA_NO_MEMORY : VIRGA_OK;
}

void export_table_destroy(struct export_table *table) {
    free(table->jobs);
    pthread_mutex_destroy(&table->lock);
}

// The place of a sequence, or where it would stand.
static size_t place_of(const struct export_table *table, int64_t sequence) {
    size_t i = table->count;
    while (i && table->jobs[i - 1].sequence >= sequence) i--;
    return i;
}

static bool stands_at(const struct export_table *table, size_t i, int64_t sequence) {
    return i < table->count && table->jobs[i].sequence == sequence;
}

int export_table_put(struct export_table *table, const struct export_job *job) {
    int status = VIRGA_OK;
    pthread_mutex_lock(&table->lock);
    size_t i = place_of(table, job->sequence);
    if (!stands_at(table, i, job->sequence)) {
        if (table->count == table->room) {
            size_t room = table->room ? 2 * table->room : 32;
            struct export_job *more = realloc(table->jobs, room * sizeof *more);
            if (!more) {
                status = VIRGA_NO_MEMORY;
                goto end;
            }
            table->jobs = more;
            table->room = room;
        }
        memmove(table->jobs + i + 1, table->jobs + i, (table->count++ - i) * sizeof *table->jobs);
    }
    table->jobs[i] = *job;
    table->jobs[i].changed = ++table->changes;
end:
    pthread_mutex_unlock(&table->lock);
    return status;
}

void export_table_remove(struct export_table *table, int64_t sequence) {
    pthread_mutex_lock(&table->lock);
    size_t i = place_of(table, sequence);
    if (stands_at(table, i, sequence)) {
        size_t at = table->gone_next++ % EXPORT_TOMBSTONES;
        if (table->gone[at].changed) table->forgotten = table->gone[at].changed;
        memcpy(table->gone[at].id, table->jobs[i].id, sizeof table->gone[at].id);
        table->gone[at].changed = ++table->changes;
        memmove(table->jobs + i, table->jobs + i + 1, (--table->count - i) * sizeof *table->jobs);
    }
    pthread_mutex_unlock(&table->lock);
}

const struct export_job *export_table_find(const struct export_table *table, const char *id) {
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->jobs[i].id, id)) return &table->jobs[i];
    return NULL;
}

void export_table_counts(struct export_table *table, size_t counts[EXPORT_DELETED], uint64_t *frames) {
    memset(counts, 0, EXPORT_DELETED * sizeof *counts);
    *frames = 0;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        if (table->jobs[i].state < EXPORT_DELETED) counts[table->jobs[i].state]++;
        *frames += table->jobs[i].done;
    }
    pthread_mutex_unlock(&table->lock);
}

bool export_table_get(struct export_table *table, const char *id, struct export_job *job) {
    pthread_mutex_lock(&table->lock);
    const struct export_job *found = export_table_find(table, id);
    if (found) *job = *found;
    pthread_mutex_unlock(&table->lock);
    return found != NULL;
}

bool export_table_list(struct export_table *table, const char *before, struct export_job *jobs, size_t most, size_t *count, bool *more) {
    pthread_mutex_lock(&table->lock);
    const struct export_job *limit = before ? export_table_find(table, before) : NULL;
    bool known = !before || limit;
    size_t i = limit ? (size_t)(limit - table->jobs) : table->count;
    for (*count = 0; known && i && *count < most; ++*count) jobs[*count] = table->jobs[--i];
    *more = known && i > 0;
    pthread_mutex_unlock(&table->lock);
    return known;
}

// The job, or the one that is gone, that changed next after what was seen, copied to *out. False: none. What was gone before the client knew anything is
// nothing to it.
static bool next_change(const struct export_table *table, const struct export_seen *seen, struct export_job *out) {
    const struct export_job *job = NULL;
    size_t gone = EXPORT_TOMBSTONES;
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < table->count; i++)
        if (table->jobs[i].changed > seen->changed && table->jobs[i].changed < best) best = (job = &table->jobs[i])->changed;
    for (size_t i = 0; i < EXPORT_TOMBSTONES; i++) {
        uint64_t changed = table->gone[i].changed;
        if (changed > seen->changed && changed > seen->since && changed < best) best = table->gone[gone = i].changed;
    }
    if (best == UINT64_MAX) return false;
    if (gone < EXPORT_TOMBSTONES && table->gone[gone].changed == best) {
        *out = (struct export_job){.state = EXPORT_DELETED, .changed = best};
        memcpy(out->id, table->gone[gone].id, sizeof out->id);
    } else {
        *out = *job;
    }
    return true;
}

size_t export_table_changed(struct export_table *table, struct export_seen *seen, struct export_job *jobs, size_t most, bool *all) {
    size_t count = 0;
    pthread_mutex_lock(&table->lock);
    *all = !seen->since || (seen->changed > seen->since ? seen->changed : seen->since) < table->forgotten;
    if (*all) *seen = (struct export_seen){.since = table->changes};
    while (count < most && next_change(table, seen, &jobs[count])) seen->changed = jobs[count++].changed;
    pthread_mutex_unlock(&table->lock);
    return count;
}
