// SPDX-License-Identifier: Apache-2.0
// What is known of fields (a variable at a step): its step table, which geometry it stands in, and where its bricks are. Shared
// by all sessions; filled by worker threads; asked for once however many want it. Service thread only.
#ifndef VIRGA_SERVER_FIELD_CACHE_H
#define VIRGA_SERVER_FIELD_CACHE_H

#include "base/worker_pool.h"
#include "brick/brick_store.h"
#include "server/service_mailbox.h"
#include "server/session.h"

struct field_cache;

struct field_entry {
    struct session_field known;  // what sessions look at
    struct field_ref field;
    struct catalog *catalog;     // keeps field.dataset alive
    const char *edition;
    char geometry[33];           // id
    struct shared_bytes *table;  // once ready
    char problem[256];           // why it failed
    void *private_part;
};

typedef void (*field_changed)(void *user, struct field_entry *entry);

// `changed` is called when an entry became ready, got its boxes, or failed; never from within field_cache_get.
struct field_cache *field_cache_new(struct brick_store *store, struct worker_pool *helpers, struct service_mailbox *mailbox,
                                    field_changed changed, void *user);
void field_cache_free(struct field_cache *cache);  // all entries must have been released
// One reference to the field's entry; loading begins if it is new. ahead: 0 for the step in view, else how far ahead. NULL
// when out of memory.
struct field_entry *field_cache_get(struct field_cache *cache, struct catalog *catalog, const struct field_ref *field, size_t ahead);
// It is wanted sooner than it was asked for.
void field_cache_hurry(struct field_cache *cache, struct field_entry *entry, size_t ahead);
void field_cache_release(struct field_cache *cache, struct field_entry *entry);
// The map behind a geometry id that an entry has or had lately: one reference, or NULL.
struct level_map *field_cache_map(struct field_cache *cache, const char *geometry);

// The brick store's priorities: the step in view before those ahead, tables before bricks.
int field_priority_table(size_t ahead);
int field_priority_brick(size_t ahead, bool refinement);

#endif
