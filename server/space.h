// SPDX-License-Identifier: Apache-2.0
// One user's space (user_space.h): what they see, how it is opened, and how the space wakes, closes and ends. All of it on the service thread; only what may
// take long is done by helpers, which answer by mail.
#ifndef VIRGA_SERVER_SPACE_H
#define VIRGA_SERVER_SPACE_H

#include <stdatomic.h>

#include "base/worker_pool.h"
#include "server/notebook_engine.h"
#include "server/space_item.h"
#include "server/space_table.h"
#include "server/user_space.h"

enum space_state { SPACE_ASLEEP, SPACE_AWAKE, SPACE_CLOSING };

struct space {
    struct space *next;
    struct user_spaces *spaces;
    identity_user user;
    client_place place;        // where they came from last
    enum space_state state;
    bool wanted;               // again, while it closes
    bool over;                 // it is to be freed when it has closed
    struct source_engine *engine;  // of its own, while awake
    struct source_pool *pool;      // its own
    uint64_t engine_seen;          // engine_setup_may_look
    struct notebook_engine *notebook;  // that is connected for this user: one reference, or NULL
    struct space_item *items;
    size_t item_count, opening;
    struct catalog *joined, *exportable;
    struct letter told, closed;
    atomic_bool told_posted;
};

struct user_spaces {
    struct app *app;
    struct identity *identity;
    struct service_mailbox *mailbox;
    struct user_space_calls calls;
    struct worker_pool *helpers;
    struct catalog *shared;      // one reference
    const char **paths;          // of the configuration, for each user
    size_t path_count;
    bool for_each;
    struct space_table table;    // of those that are awake
    struct space *first;
    bool stopping;
};

// Puts a catalog, whose reference is taken, in place of what was there; either may be NULL.
void space_put_catalog(struct catalog **place, struct catalog *catalog);

// The first of all spaces, asleep, with what the configuration gives each user, not opened yet. NULL when out of memory.
struct space *space_new(struct user_spaces *spaces, identity_user user);
// Takes it out of all spaces. Nothing of it is being opened or closed, and it has no engine.
void space_free(struct space *space);
// The server ends: what its engines do is stopped, not waited for.
void space_stop(struct space *space);
// It is over: freed now, or once it has closed.
void space_end(struct space *space);

// Something of the user's is to be shown, or may come.
bool space_is_kept(const struct space *space);
// Where whoever has this space, or none yet, counts as coming from.
client_place space_counted_place(const struct user_spaces *spaces, const struct space *space, client_place place);
// VIRGA_TOO_LARGE with words: no more spaces may wake, from this place or at all.
int space_check_room(const struct user_spaces *spaces, client_place place, struct failure *failure);
// One that is asleep: starts its engine, where each user has one, and begins to open all it shows. VIRGA_TOO_LARGE as above; what an engine may fail with.
int space_wake(struct space *space, double now, struct failure *failure);
// Lets go of the engine and of all that is open, if it is awake; what was published is remembered.
void space_close(struct space *space);
// One that is awake: tries again what failed, and looks whether what is open has changed.
void space_tick(struct space *space, double now);

// Joins what the user sees anew, and tells them.
void space_rejoin(struct space *space);
// NULL when out of memory.
struct space_item *space_add_item(struct space *space, const char *const *paths, size_t count);
// Frees it now, or once it has been opened.
void space_drop_item(struct space_item *item);
// Begins to open it, unless it is open, being opened, or the space is not awake. It may be gone afterwards.
void space_open_item(struct space_item *item);
// The notebook is gone, and what it showed goes with it; the user is told. The space may be gone afterwards.
void space_detach_notebook(struct space *space);

#endif
