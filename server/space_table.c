// SPDX-License-Identifier: Apache-2.0
#include "server/space_table.h"

void space_table_init(struct space_table *table, size_t most, double idle_seconds) {
    *table = (struct space_table){.most = most < SPACE_TABLE_MOST ? most : SPACE_TABLE_MOST, .idle_seconds = idle_seconds};
}

struct space_lease *space_table_find(struct space_table *table, identity_user user) {
    for (size_t i = 0; user && i < table->most; i++)
        if (table->leases[i].user == user) return &table->leases[i];
    return NULL;
}

struct space_lease *space_table_add(struct space_table *table, identity_user user, void *space, double now) {
    for (size_t i = 0; user && i < table->most; i++) {
        struct space_lease *lease = &table->leases[i];
        if (lease->user) continue;
        *lease = (struct space_lease){.user = user, .space = space, .used = now};
        return lease;
    }
    return NULL;
}

void space_lease_end(struct space_lease *lease) { *lease = (struct space_lease){0}; }

size_t space_table_count(const struct space_table *table) {
    size_t count = 0;
    for (size_t i = 0; i < table->most; i++) count += table->leases[i].user != 0;
    return count;
}

void space_lease_use(struct space_lease *lease, double now) { lease->used = now; }

struct space_lease *space_table_due(struct space_table *table, double now) {
    for (size_t i = 0; i < table->most; i++) {
        struct space_lease *lease = &table->leases[i];
        if (lease->user && now - lease->used > table->idle_seconds) return lease;
    }
    return NULL;
}
