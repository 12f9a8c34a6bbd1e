// SPDX-License-Identifier: Apache-2.0
#include "server/user_space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "server/engine_setup.h"
#include "server/space.h"

// Anybody can begin sessions, and each space costs a child and a cluster: from one place come as many as a person's browsers or a small office need, so that it
// takes eight places to shut all others out.
enum { MOST_SPACES = 32, MOST_OF_A_PLACE = 4, MOST_ASLEEP = 256, HELPERS = 4, QUEUE = 256 };

static struct space *find_space(const struct user_spaces *spaces, identity_user user) {
    struct space *space = user ? spaces->first : NULL;
    while (space && (space->user != user || space->over)) space = space->next;
    return space;
}

struct user_spaces *user_spaces_new(struct app *app, struct identity *identity, struct service_mailbox *mailbox, const struct user_space_calls *calls) {
    struct user_spaces *spaces = calloc(1, sizeof *spaces);
    if (!spaces) return NULL;
    spaces->app = app;
    spaces->identity = identity;
    spaces->mailbox = mailbox;
    spaces->calls = *calls;
    spaces->shared = app_catalog(app);
    spaces->paths = calloc(CONFIG_MAX_PATHS, sizeof *spaces->paths);
    spaces->helpers = worker_pool_new((const int[LANE_COUNT]){HELPERS, HELPERS}, QUEUE);
    spaces->for_each = engine_setup_for_each_user(&app->config);
    space_table_init(&spaces->table, MOST_SPACES, MOST_OF_A_PLACE, app->config.engine_idle);
    if (spaces->paths && spaces->helpers) {
        spaces->path_count = app_user_paths(app, spaces->paths);
        return spaces;
    }
    user_spaces_free(spaces);
    return NULL;
}

void user_spaces_free(struct user_spaces *spaces) {
    if (!spaces) return;
    spaces->stopping = true;
    for (struct space *space = spaces->first; space; space = space->next) space_stop(space);
    worker_pool_free(spaces->helpers);  // ends what is being opened, and waits for what is being closed
    spaces->helpers = NULL;
    service_mailbox_deliver(spaces->mailbox);
    while (spaces->first) {
        struct space *space = spaces->first;
        source_pool_free(space->pool);
        source_engine_free(space->engine);
        space_free(space);
    }
    if (spaces->shared) catalog_unref(spaces->shared);
    free(spaces->paths);
    free(spaces);
}

bool user_spaces_for_each(const struct user_spaces *spaces) { return spaces->for_each; }
size_t user_spaces_count(const struct user_spaces *spaces) { return space_table_count(&spaces->table); }

void user_spaces_keep(struct user_spaces *spaces, identity_user user, double now) {
    struct space_lease *lease = space_table_find(&spaces->table, user);
    if (lease) space_lease_use(lease, now);
}

int user_spaces_enter(struct user_spaces *spaces, identity_user user, client_place place, double now, struct failure *failure) {
    struct space *space = find_space(spaces, user);
    if (!user || (!space && !spaces->for_each)) return VIRGA_OK;
    user_spaces_keep(spaces, user, now);
    if (space && space->state == SPACE_AWAKE) return VIRGA_OK;
    if (!space) {
        int status = space_check_room(spaces, space_counted_place(spaces, NULL, place), failure);
        if (status) return status;
        if (!(space = space_new(spaces, user))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    space->place = place;
    if (space->state == SPACE_CLOSING) space->wanted = true;
    if (space->state != SPACE_ASLEEP) return VIRGA_OK;
    return space_wake(space, now, failure);
}

struct catalog *user_spaces_catalog(struct user_spaces *spaces, identity_user user) {
    const struct space *space = find_space(spaces, user);
    return space ? space->joined : NULL;
}

struct catalog *user_spaces_exportable(struct user_spaces *spaces, identity_user user) {
    const struct space *space = find_space(spaces, user);
    return space ? space->exportable : NULL;
}

struct source_engine *user_spaces_engine(struct user_spaces *spaces, identity_user user) {
    const struct space *space = find_space(spaces, user);
    return space && space->state == SPACE_AWAKE ? space->engine : NULL;
}

static bool make_id(char id[PUBLICATION_ID + 1]) {
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return false;
    snprintf(id, PUBLICATION_ID + 1, "%016llx", (unsigned long long)number);
    return true;
}

int user_spaces_publish(struct user_spaces *spaces, identity_user user, const char *address, const char *title, double now, publication_done done,
                        void *context, struct failure *failure) {
    char id[PUBLICATION_ID + 1];
    struct space *space = find_space(spaces, user);
    if (!space) space = space_new(spaces, user);
    if (!space || !make_id(id)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (space->item_count >= SPACE_PUBLICATIONS)
        return failure_set(failure, VIRGA_TOO_LARGE, "at most %d datasets can be published at a time; take some back", SPACE_PUBLICATIONS);
    struct space_item *item = space_add_item(space, &address, 1);
    if (!item) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (space->notebook && space_item_is_of_notebook(item)) item->notebook = notebook_engine_ref(space->notebook);
    memcpy(item->id, id, sizeof item->id);
    snprintf(item->title, sizeof item->title, "%s", title);
    item->done = done;
    item->context = context;
    bool awake = space->state == SPACE_AWAKE;
    int status = user_spaces_enter(spaces, user, 0, now, failure);  // opens it where the space slept, and it may be gone already
    if (status) space_drop_item(item);
    else if (awake) space_open_item(item);
    return status;
}

static struct space_item *find_item(const struct user_spaces *spaces, const char *id) {
    for (struct space *space = spaces->first; space && *id; space = space->next)
        for (struct space_item *item = space->items; item; item = item->next)
            if (!strcmp(item->id, id) && !item->dropped) return item;
    return NULL;
}

identity_user user_spaces_publisher(struct user_spaces *spaces, const char *id) {
    const struct space_item *item = find_item(spaces, id);
    return item ? item->space->user : 0;
}

void user_spaces_unpublish(struct user_spaces *spaces, const char *id) {
    struct space_item *item = find_item(spaces, id);
    if (!item) return;
    struct space *space = item->space;
    space_drop_item(item);
    if (space_is_kept(space) || spaces->for_each) space_rejoin(space);
    else space_end(space);
}

// A notebook's process.

int user_spaces_attach(struct user_spaces *spaces, identity_user user, int socket, double now, struct failure *failure) {
    struct space *space = find_space(spaces, user);
    if (!space) space = space_new(spaces, user);
    if (!space || space->notebook) {
        close(socket);
        return space ? failure_set(failure, VIRGA_INVALID, "a notebook is connected already") : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    int status = notebook_engine_new(&spaces->app->config, socket, &space->notebook, failure);
    if (!status) status = user_spaces_enter(spaces, user, 0, now, failure);
    if (status) user_spaces_detach(spaces, user);
    return status;
}

bool user_spaces_has_notebook(const struct user_spaces *spaces, identity_user user) {
    const struct space *space = find_space(spaces, user);
    return space && space->notebook;
}

void user_spaces_detach(struct user_spaces *spaces, identity_user user) {
    struct space *space = find_space(spaces, user);
    if (space && space->notebook) space_detach_notebook(space);
}

void user_spaces_end(struct user_spaces *spaces, identity_user user) {
    struct space *space = find_space(spaces, user);
    if (space) space_end(space);
}

void user_spaces_shared_changed(struct user_spaces *spaces, struct catalog *shared) {
    space_put_catalog(&spaces->shared, catalog_ref(shared));
    for (struct space *space = spaces->first; space; space = space->next)
        if (space->joined) space_rejoin(space);
}

// Of users who are nobody any more, and too many: those made first stand last.
static void forget_sleepers(struct user_spaces *spaces, double now) {
    size_t asleep = 0;
    struct space *next;
    for (struct space *space = spaces->first; space; space = next) {
        next = space->next;
        if (space->state != SPACE_ASLEEP) continue;
        if (++asleep > MOST_ASLEEP || !space_is_kept(space) || !identity_exists(spaces->identity, space->user, now)) space_end(space);
    }
}

void user_spaces_tick(struct user_spaces *spaces, double now) {
    struct space_lease *lease;
    while ((lease = space_table_due(&spaces->table, now))) space_close(lease->space);
    for (struct space *space = spaces->first; space; space = space->next)
        if (space->state == SPACE_AWAKE) space_tick(space, now);
    forget_sleepers(spaces, now);
}
