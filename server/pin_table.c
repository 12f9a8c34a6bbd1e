// SPDX-License-Identifier: Apache-2.0
#include "server/pin_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

int pin_table_init(struct pin_table *table) {
    *table = (struct pin_table){0};
    change_log_init(&table->log);
    return pthread_mutex_init(&table->lock, NULL) ? VIRGA_NO_MEMORY : VIRGA_OK;
}

void pin_table_destroy(struct pin_table *table) {
    pin_table_release(table->pins, table->count);
    pthread_mutex_destroy(&table->lock);
}

void pin_table_release(struct pin *pins, size_t count) {
    for (size_t i = 0; pins && i < count; i++) pin_release(&pins[i]);
    free(pins);
}

int pin_table_reserve(struct pin_table *table, size_t more) {
    int status = VIRGA_OK;
    pthread_mutex_lock(&table->lock);
    size_t room = 2 * (table->count + more);
    struct pin *pins = table->room - table->count < more ? realloc(table->pins, room * sizeof *pins) : NULL;
    if (pins) {
        table->pins = pins;
        table->room = room;
    } else if (table->room - table->count < more) {
        status = VIRGA_NO_MEMORY;
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

// The place of a sequence, or where it would stand.
static size_t place_of(const struct pin_table *table, int64_t sequence) {
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->pins[middle].sequence < sequence) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool stands_at(const struct pin_table *table, size_t i, int64_t sequence) { return i < table->count && table->pins[i].sequence == sequence; }

void pin_table_put(struct pin_table *table, const struct pin *pin) {
    struct pin put;
    pin_copy(&put, pin);
    pthread_mutex_lock(&table->lock);
    size_t i = place_of(table, pin->sequence);
    if (stands_at(table, i, pin->sequence)) {
        shared_bytes_unref(put.live);
        put.live = shared_bytes_ref(table->pins[i].live);
        pin_release(&table->pins[i]);
    } else {
        memmove(table->pins + i + 1, table->pins + i, (table->count++ - i) * sizeof *table->pins);
    }
    put.change = ++table->log.changes;
    table->pins[i] = put;
    pthread_mutex_unlock(&table->lock);
}

void pin_table_remove(struct pin_table *table, int64_t sequence) {
    pthread_mutex_lock(&table->lock);
    size_t i = place_of(table, sequence);
    if (stands_at(table, i, sequence)) {
        change_log_removed(&table->log, table->pins[i].id);
        pin_release(&table->pins[i]);
        memmove(table->pins + i, table->pins + i + 1, (--table->count - i) * sizeof *table->pins);
    }
    pthread_mutex_unlock(&table->lock);
}

static struct pin *find(const struct pin_table *table, const char *id) {
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->pins[i].id, id)) return &table->pins[i];
    return NULL;
}

bool pin_table_get(struct pin_table *table, const char *id, struct pin *pin) {
    pthread_mutex_lock(&table->lock);
    const struct pin *found = find(table, id);
    if (found) pin_copy(pin, found);
    pthread_mutex_unlock(&table->lock);
    return found != NULL;
}

bool pin_table_list(struct pin_table *table, const char *before, const char *group, struct pin *pins, size_t most, size_t *count, bool *more) {
    pthread_mutex_lock(&table->lock);
    const struct pin *limit = before ? find(table, before) : NULL;
    bool known = !before || limit;
    size_t i = limit ? (size_t)(limit - table->pins) : table->count;
    *count = 0;
    *more = false;
    while (known && i-- && !*more) {
        if (group && strcmp(table->pins[i].is.group, group)) continue;
        *more = *count == most;
        if (!*more) pin_copy(&pins[(*count)++], &table->pins[i]);
    }
    pthread_mutex_unlock(&table->lock);
    return known;
}

size_t pin_table_count(struct pin_table *table) {
    pthread_mutex_lock(&table->lock);
    size_t count = table->count;
    pthread_mutex_unlock(&table->lock);
    return count;
}

uint64_t pin_table_changes(struct pin_table *table) {
    pthread_mutex_lock(&table->lock);
    uint64_t changes = table->log.changes;
    pthread_mutex_unlock(&table->lock);
    return changes;
}

void pin_table_set_live(struct pin_table *table, const char *id, uint32_t revision, struct shared_bytes *live) {
    pthread_mutex_lock(&table->lock);
    struct pin *pin = find(table, id);
    if (pin && pin->revision == revision) {
        shared_bytes_unref(pin->live);
        pin->live = shared_bytes_ref(live);
        pin->change = ++table->log.changes;
    }
    pthread_mutex_unlock(&table->lock);
}

size_t pin_table_changed(struct pin_table *table, struct change_seen *seen, struct pin *pins, size_t most, bool *all) {
    struct change changes[PIN_CHANGES];
    pthread_mutex_lock(&table->lock);
    const struct change_rows rows = {table->pins, table->count, sizeof *table->pins, offsetof(struct pin, change)};
    size_t count = change_log_since(&table->log, &rows, seen, changes, most < PIN_CHANGES ? most : PIN_CHANGES, all);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].row) {
            pin_copy(&pins[i], changes[i].row);
            continue;
        }
        pins[i] = (struct pin){.deleted = 1, .change = changes[i].changed};
        snprintf(pins[i].id, sizeof pins[i].id, "%s", changes[i].id);
    }
    pthread_mutex_unlock(&table->lock);
    return count;
}
