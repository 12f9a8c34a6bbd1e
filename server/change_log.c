// SPDX-License-Identifier: Apache-2.0
#include "server/change_log.h"

#include <stdio.h>
#include <string.h>

void change_log_init(struct change_log *log) { *log = (struct change_log){.changes = 1}; }

void change_log_removed(struct change_log *log, const char *id) {
    size_t at = log->gone_next++ % CHANGE_LOG_GONE;
    if (log->gone[at].changed) log->forgotten = log->gone[at].changed;
    snprintf(log->gone[at].id, sizeof log->gone[at].id, "%s", id);
    log->gone[at].changed = ++log->changes;
}

// Into the list of the earliest, which is in order; what is later than all of a full list is left out.
static void insert(struct change *changes, size_t *count, size_t most, const struct change *change) {
    size_t at = *count;
    if (at == most && (!most || changes[most - 1].changed < change->changed)) return;
    while (at && changes[at - 1].changed > change->changed) at--;
    size_t kept = *count < most ? *count : most - 1;
    memmove(changes + at + 1, changes + at, (kept - at) * sizeof *changes);
    changes[at] = *change;
    *count = kept + 1;
}

size_t change_log_since(const struct change_log *log, const struct change_rows *rows, struct change_seen *seen, struct change *changes, size_t most, bool *all) {
    size_t count = 0;
    *all = !seen->since || (seen->changed > seen->since ? seen->changed : seen->since) < log->forgotten;
    if (*all) *seen = (struct change_seen){.since = log->changes};
    for (size_t i = 0; i < rows->count; i++) {
        struct change change = {.row = (const char *)rows->rows + i * rows->size};
        memcpy(&change.changed, (const char *)change.row + rows->offset, sizeof change.changed);
        if (change.changed > seen->changed) insert(changes, &count, most, &change);
    }
    for (size_t i = 0; i < CHANGE_LOG_GONE; i++) {
        const struct change change = {.id = log->gone[i].id, .changed = log->gone[i].changed};
        if (change.changed > seen->changed && change.changed > seen->since) insert(changes, &count, most, &change);
    }
    if (count) seen->changed = changes[count - 1].changed;
    return count;
}
