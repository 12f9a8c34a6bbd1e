// SPDX-License-Identifier: Apache-2.0
// All pins that are there, in memory, as the database has them. One thread, the pin service's, changes them; any thread asks, and sets what a pin shows
// at the moment.
#ifndef VIRGA_SERVER_PIN_TABLE_H
#define VIRGA_SERVER_PIN_TABLE_H

#include <pthread.h>

#include "server/change_log.h"
#include "server/pin.h"

enum { PIN_CHANGES = 64 };  // told at a time

struct pin_table {
    pthread_mutex_t lock;
    struct pin *pins;       // lock; by rising sequence
    size_t count, room;     // lock
    struct change_log log;  // lock
};

int pin_table_init(struct pin_table *table);  // VIRGA_NO_MEMORY
void pin_table_destroy(struct pin_table *table);

// Owner: makes room for so many more, so that putting them cannot fail. VIRGA_NO_MEMORY.
int pin_table_reserve(struct pin_table *table, size_t more);
// Owner: adds a pin, for which there is room, or changes the one of its sequence, whose `live` stays. Its references are the caller's still.
void pin_table_put(struct pin_table *table, const struct pin *pin);
void pin_table_remove(struct pin_table *table, int64_t sequence);

// Any thread. What is copied out is the caller's, for pin_release.
bool pin_table_get(struct pin_table *table, const char *id, struct pin *pin);
// The newest of those before `before` (NULL: of all) and in `group` (NULL: any), newest first, at most `most`. False: there is no `before`.
bool pin_table_list(struct pin_table *table, const char *before, const char *group, struct pin *pins, size_t most, size_t *count, bool *more);
void pin_table_release(struct pin *pins, size_t count);  // NULL is allowed
size_t pin_table_count(struct pin_table *table);
// The number of the last change: where it is the same, nothing changed.
uint64_t pin_table_changes(struct pin_table *table);
// What a pin shows at the moment, JSON text (its reference is the caller's still; NULL: nothing). Ignored where the pin has another revision, or is gone.
void pin_table_set_live(struct pin_table *table, const char *id, uint32_t revision, struct shared_bytes *live);
// Those that changed since what was seen, as change_log_since, at most `most` and PIN_CHANGES. One that is gone is its id and `deleted`.
size_t pin_table_changed(struct pin_table *table, struct change_seen *seen, struct pin *pins, size_t most, bool *all);

#endif
