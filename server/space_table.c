// SPDX-License-Identifier: Apache-2.0
#include "server/space_table.h"

void space_table_init(struct space_table *table, size_t most, size_t most_each, double idle_seconds) {
    *table = (struct space_table){.most = most < SPACE_TABLE_MOST ? most : SPACE_TABLE_MOST, .most_each = most_each, .idle_seconds = idle_seconds};
}

struct space_lease *space_table_find(struct space_table *table, identity_user user) {
    for (size_t i = 0; user && i < table->most; i++)
        if (table->leases[i].user == user) return &table->leases[i];
    return NULL;
}

enum space_room space_table_room(const struct space_table *table, client_place place) {
    size_t here = 0;
    for (size_t i = 0; i < table->most; i++) here += table->leases[i].user && table->leases[i].place == place;
    if (place && here >= table->most_each) return SPACE_PLACE_FULL;
    return space_table_count(table) < table->most ? SPACE_ROOM : SPACE_TABLE_FULL;
}

struct space_lease *space_table_add(struct space_table *table, identity_user user, client_place place, void *space, double now) {
    bool room = user && space_table_room(table, place) == SPACE_ROOM;
    for (size_t i = 0; room && i < table->most; i++) {
        struct space_lease *lease = &table->leases[i];
        if (lease->user) continue;
        *lease = (struct space_lease){.user = user, .space = space, .place = place, .used = now};
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
