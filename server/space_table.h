// SPDX-License-Identifier: Apache-2.0
// Which users have a space of their own (user_space.h), and when it ends. Whoever reaches the server can be any number of users, so one place has few of
// them. Policy only: what a space is, is its owner's matter; the clock is passed in (seconds of any clock that only rises). One thread at a time.
#ifndef VIRGA_SERVER_SPACE_TABLE_H
#define VIRGA_SERVER_SPACE_TABLE_H

#include "server/client_place.h"
#include "server/identity.h"

enum { SPACE_TABLE_MOST = 64 };

struct space_lease {
    identity_user user;  // 0: a free place
    void *space;
    client_place place;  // where they came from; 0: it counts for no place
    double used;         // when they were last here
};

struct space_table {
    size_t most;          // leases at a time, up to SPACE_TABLE_MOST
    size_t most_each;     // of them, of one place
    double idle_seconds;  // a space ends so long after it was used
    struct space_lease leases[SPACE_TABLE_MOST];
};

void space_table_init(struct space_table *table, size_t most, size_t most_each, double idle_seconds);
// NULL: the user has none.
struct space_lease *space_table_find(struct space_table *table, identity_user user);
// Whether one more from this place is let in, and why not.
enum space_room { SPACE_ROOM, SPACE_TABLE_FULL, SPACE_PLACE_FULL };
enum space_room space_table_room(const struct space_table *table, client_place place);
// NULL: there is no room, or the user is nobody. The user must have none.
struct space_lease *space_table_add(struct space_table *table, identity_user user, client_place place, void *space, double now);
void space_lease_end(struct space_lease *lease);  // the place is free
size_t space_table_count(const struct space_table *table);

void space_lease_use(struct space_lease *lease, double now);
// One whose time is over, or NULL.
struct space_lease *space_table_due(struct space_table *table, double now);

#endif
