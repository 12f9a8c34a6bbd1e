// SPDX-License-Identifier: Apache-2.0
#include "server/export_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int export_table_init(struct export_table *table) {
    *table = (struct export_table){0};
    change_log_init(&table->log);
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
        struct export_job *more = memory_one_more(table->jobs, table->count, &table->room, sizeof *more);
        if (!more) {
            status = VIRGA_NO_MEMORY;
            goto end;
        }
        table->jobs = more;
        memmove(table->jobs + i + 1, table->jobs + i, (table->count++ - i) * sizeof *table->jobs);
    }
    table->jobs[i] = *job;
    table->jobs[i].changed = ++table->log.changes;
end:
    pthread_mutex_unlock(&table->lock);
    return status;
}

void export_table_remove(struct export_table *table, int64_t sequence) {
    pthread_mutex_lock(&table->lock);
    size_t i = place_of(table, sequence);
    if (stands_at(table, i, sequence)) {
        change_log_removed(&table->log, table->jobs[i].id);
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

static bool is_of(const struct export_job *job, const char *owner) { return !owner || !strcmp(job->owner, owner); }

bool export_table_list(struct export_table *table, const char *owner, const char *before, struct export_job *jobs, size_t most, size_t *count, bool *more) {
    pthread_mutex_lock(&table->lock);
    const struct export_job *limit = before ? export_table_find(table, before) : NULL;
    if (limit && !is_of(limit, owner)) limit = NULL;
    bool known = !before || limit;
    size_t i = limit ? (size_t)(limit - table->jobs) : table->count;
    *more = false;
    for (*count = 0; known && i && !*more;) {
        const struct export_job *job = &table->jobs[--i];
        if (!is_of(job, owner)) continue;
        if (*count < most) jobs[(*count)++] = *job;
        else *more = true;
    }
    pthread_mutex_unlock(&table->lock);
    return known;
}

size_t export_table_changed(struct export_table *table, struct change_seen *seen, struct export_job *jobs, size_t most, bool *all) {
    struct change changes[EXPORT_CHANGES];
    pthread_mutex_lock(&table->lock);
    const struct change_rows rows = {table->jobs, table->count, sizeof *table->jobs, offsetof(struct export_job, changed)};
    size_t count = change_log_since(&table->log, &rows, seen, changes, most < EXPORT_CHANGES ? most : EXPORT_CHANGES, all);
    for (size_t i = 0; i < count; i++) {
        const struct change *change = &changes[i];
        jobs[i] = change->row ? *(const struct export_job *)change->row : (struct export_job){.state = EXPORT_DELETED, .changed = change->changed};
        if (!change->row) snprintf(jobs[i].id, sizeof jobs[i].id, "%s", change->id);
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}
