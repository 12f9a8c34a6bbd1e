// SPDX-License-Identifier: Apache-2.0
#include "server/user_space.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/engine_setup.h"
#include "server/space_item.h"
#include "server/space_table.h"

// Anybody can begin sessions, and each space costs a child and a cluster: from one place come as many as a person's browsers or a small office need, so that it
// takes eight places to shut all others out.
enum { MOST_SPACES = 32, MOST_OF_A_PLACE = 4, MOST_ASLEEP = 256, HELPERS = 4, QUEUE = 256 };
static const double RETRY_SECONDS = 30;
static const char notebook_gone[] = "the notebook that held this data has ended or is out of reach; show it again from there";

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

static struct space *find_space(const struct user_spaces *spaces, identity_user user) {
    struct space *space = user ? spaces->first : NULL;
    while (space && (space->user != user || space->over)) space = space->next;
    return space;
}

// What a user sees.

static struct catalog *join(const struct space *space, bool published) {
    struct catalog *parts[SPACE_PUBLICATIONS + 2] = {space->spaces->shared}, *joined = NULL;
    size_t count = 1;
    struct failure failure;
    for (const struct space_item *item = space->items; item && count < SPACE_PUBLICATIONS + 2; item = item->next)
        if (item->part && !space_item_is_published(item)) parts[count++] = item->part;
    for (const struct space_item *item = space->items; published && item && count < SPACE_PUBLICATIONS + 2; item = item->next)
        if (item->part && space_item_is_published(item)) parts[count++] = item->part;
    if (catalog_join(parts, count, &joined, &failure)) log_error("user", "%s", failure.message);
    return joined;
}

static bool has_publications(const struct space *space) {
    for (const struct space_item *item = space->items; item; item = item->next)
        if (space_item_is_published(item) && !item->dropped) return true;
    return false;
}

// Something of the user's is to be shown, or may come.
static bool is_kept(const struct space *space) { return space->notebook || has_publications(space); }

static void put_catalog(struct catalog **place, struct catalog *catalog) {
    if (*place) catalog_unref(*place);
    *place = catalog;
}

static void rejoin(struct space *space) {
    struct user_spaces *spaces = space->spaces;
    struct catalog *joined = join(space, true), *exportable = join(space, false);
    if (joined && exportable) {
        put_catalog(&space->joined, joined);
        put_catalog(&space->exportable, exportable);
    } else {
        put_catalog(&joined, NULL);
        put_catalog(&exportable, NULL);
    }
    if (!spaces->stopping) spaces->calls.catalog_changed(spaces->calls.context, space->user);
}

// Items.

static struct space_item *new_item(struct space *space, const char *const *paths, size_t count) {
    struct space_item *item = space_item_new(space, paths, count), **last = &space->items;
    if (!item) return NULL;
    while (*last) last = &(*last)->next;
    *last = item;
    space->item_count++;
    return item;
}

static void unlink_item(struct space_item *item) {
    struct space_item **at = &item->space->items;
    while (*at != item) at = &(*at)->next;
    *at = item->next;
    item->space->item_count--;
}

static void drop_item(struct space_item *item) {
    if (item->opening) {
        item->dropped = true;
        return;
    }
    unlink_item(item);
    space_item_free(item, item->space->spaces->helpers);
}

static void tell_done(struct space_item *item, int status, const struct failure *failure) { space_item_tell(item, status, failure, item->space->joined); }

// Opening.

static void settle(struct space *space);
static void end_space(struct space *space);

// What was opened again: another catalog takes the old one's place. Where it is out of reach for now, what was there stays.
static void take_relisted(struct space_item *item) {
    bool same = item->status ? item->status != VIRGA_NOT_FOUND : item->opened->fingerprint == item->part->fingerprint;
    if (item->status) log_warning("user", "%s: %s", item->paths[0], item->failure.message);
    if (same) {
        catalog_unref(item->opened);
    } else {
        put_catalog(&item->part, item->opened);
        rejoin(item->space);
    }
    item->opened = NULL;
}

static void take_opened(struct space_item *item) {
    struct space *space = item->space;
    item->listed = clock_monotonic();
    engine_setup_seen(space->engine, &space->engine_seen);
    if (item->part && !item->dropped && !space->over) {
        take_relisted(item);
        return;
    }
    if (item->status && item->dropped && item->notebook) failure_set(&item->failure, VIRGA_GONE, "%s", notebook_gone);
    if (item->status) {
        item->failed = clock_monotonic();
        if (!item->dropped) log_warning("user", "%s: %s", item->paths[0], item->failure.message);
        tell_done(item, item->status, &item->failure);
        if (space_item_is_published(item)) drop_item(item);
        else if (!space->spaces->stopping) space->spaces->calls.failed(space->spaces->calls.context, space->user, item->failure.message);
        return;
    }
    put_catalog(&item->part, item->opened);
    item->opened = NULL;
    item->failed = 0;
    if (item->dropped || space->over) {
        failure_set(&item->failure, VIRGA_CANCELLED, "it was taken back before it was open");
        tell_done(item, VIRGA_CANCELLED, &item->failure);
        drop_item(item);
    } else {
        rejoin(space);
        tell_done(item, VIRGA_OK, NULL);
    }
}

static void when_opened(struct space_item *item) {
    struct space *space = item->space;
    space->opening--;
    take_opened(item);
    if (space->state == SPACE_AWAKE && !space->items && !space->spaces->for_each) end_space(space);  // a publication that failed was all
    else settle(space);
}

static void begin_opening(struct space_item *item) {
    struct space *space = item->space;
    struct user_spaces *spaces = space->spaces;
    struct app *app = spaces->app;
    struct source_pool *pool = space->pool && !space_item_is_of_notebook(item) ? space->pool : app->sources;
    if (item->notebook) pool = notebook_engine_pool(item->notebook);
    space->opening++;
    if (!space_item_open(item, pool, space_item_is_published(item) ? NULL : app->config.state_dir, spaces->helpers, spaces->mailbox, when_opened)) return;
    space->opening--;
    take_opened(item);
}

static void open_item(struct space_item *item) {
    if (!item->opening && !item->part && item->space->state == SPACE_AWAKE) begin_opening(item);
}

// What changed since it was opened? A notebook's own objects do not.
static void relist_items(struct space *space, double now) {
    double every = space->spaces->app->config.relist_seconds;
    struct space_item *next;
    for (struct space_item *item = space->items; every > 0 && item; item = next) {
        next = item->next;
        if (!item->part || item->opening || space_item_is_of_notebook(item) || now - item->listed < every) continue;
        if (engine_setup_may_look(&space->spaces->app->config, space->engine, space->engine_seen)) begin_opening(item);
        else item->listed = now;
    }
}

static void open_items(struct space *space) {
    struct space_item *next;
    for (struct space_item *item = space->items; item; item = next) {
        next = item->next;
        open_item(item);
    }
}

// Waking and closing.

static void told_delivered(struct letter *letter) {
    struct space *space = (struct space *)((char *)letter - offsetof(struct space, told));
    atomic_store(&space->told_posted, false);
    if (space->state == SPACE_AWAKE) space->spaces->calls.engine_changed(space->spaces->calls.context, space->user);
}

// On the engine's thread.
static void engine_told(void *context, const char *json) {
    struct space *space = context;
    (void)json;
    if (atomic_exchange(&space->told_posted, true)) return;
    space->told.deliver = told_delivered;
    service_mailbox_post(space->spaces->mailbox, &space->told);
}

static int start_engine(struct space *space, struct failure *failure) {
    struct source_limits limits;
    const struct config *config = &space->spaces->app->config;
    int status = engine_setup_new(config, config->engine, -1, &space->engine, failure);
    if (status) return status;
    source_engine_on_state(space->engine, engine_told, space);
    source_limits_default(&limits);
    status = source_pool_new_engine(space->engine, &limits, &space->pool, failure);
    if (!status) return VIRGA_OK;
    source_engine_free(space->engine);
    space->engine = NULL;
    return status;
}

// Where whoever has this space, or none yet, counts as coming from.
static client_place counted_place(const struct user_spaces *spaces, const struct space *space, client_place place) {
    return spaces->for_each && !(space && is_kept(space)) ? place : 0;
}

static int check_room(const struct user_spaces *spaces, client_place place, struct failure *failure) {
    enum space_room room = space_table_room(&spaces->table, place);
    if (room == SPACE_ROOM) return VIRGA_OK;
    if (room == SPACE_TABLE_FULL)
        return failure_set(failure, VIRGA_TOO_LARGE, "as many people as this server takes have datasets or a cluster of their own now; try again later");
    return failure_set(failure, VIRGA_TOO_LARGE, "%d sessions from your address have a cluster of their own now, and no more may: end one (DELETE /api/session), "
                       "or leave it unused for %g s", MOST_OF_A_PLACE, spaces->table.idle_seconds);
}

static int wake(struct space *space, double now, struct failure *failure) {
    struct user_spaces *spaces = space->spaces;
    client_place place = counted_place(spaces, space, space->place);
    int status = check_room(spaces, place, failure);
    if (status) return status;
    space_table_add(&spaces->table, space->user, place, space, now);
    status = spaces->for_each ? start_engine(space, failure) : VIRGA_OK;
    if (status) {
        space_lease_end(space_table_find(&spaces->table, space->user));
        return status;
    }
    space->state = SPACE_AWAKE;
    open_items(space);
    return VIRGA_OK;
}

static void free_space(struct space *space) {
    const struct failure cancelled = {.status = VIRGA_CANCELLED, .message = "it was taken back before it was open"};
    struct space **at = &space->spaces->first;
    while (*at != space) at = &(*at)->next;
    *at = space->next;
    while (space->items) {
        struct space_item *item = space->items;
        space->items = item->next;
        tell_done(item, VIRGA_CANCELLED, &cancelled);
        space_item_free(item, item->space->spaces->helpers);
    }
    put_catalog(&space->joined, NULL);
    put_catalog(&space->exportable, NULL);
    if (space->notebook) notebook_engine_stop(space->notebook);
    notebook_engine_unref(space->notebook, space->spaces->helpers);
    free(space);
}

// Publications that wait to be opened hear why they are not. Those that were open before are remembered.
static void fail_waiting(struct space *space, int status, const struct failure *failure) {
    struct space_item *next;
    for (struct space_item *item = space->items; item; item = next) {
        next = item->next;
        if (!item->done) continue;
        tell_done(item, status, failure);
        drop_item(item);
    }
}

static void wake_again(struct space *space) {
    struct user_spaces *spaces = space->spaces;
    struct failure failure;
    int status = wake(space, clock_monotonic(), &failure);
    if (!status) return;
    log_warning("user", "%s", failure.message);
    spaces->calls.failed(spaces->calls.context, space->user, failure.message);
    fail_waiting(space, status, &failure);
    if (!is_kept(space)) free_space(space);
}

static void closed_delivered(struct letter *letter) {
    struct space *space = (struct space *)((char *)letter - offsetof(struct space, closed));
    space->engine = NULL;
    space->pool = NULL;
    space->state = SPACE_ASLEEP;
    bool again = space->wanted && !space->over && !space->spaces->stopping;
    space->wanted = false;
    if (space->over || (!again && !is_kept(space))) free_space(space);
    else if (again) wake_again(space);
}

// Waits for the engine's child.
static void run_close(void *argument, bool cancelled) {
    struct space *space = argument;
    (void)cancelled;
    source_pool_free(space->pool);
    source_engine_free(space->engine);
    space->closed.deliver = closed_delivered;
    service_mailbox_post(space->spaces->mailbox, &space->closed);
}

// Goes on with closing once nothing is being opened. At the server's end there is nobody to close it: user_spaces_free does.
static void settle(struct space *space) {
    if (space->state != SPACE_CLOSING || space->opening || space->spaces->stopping) return;
    if (!space->pool) {
        closed_delivered(&space->closed);
        return;
    }
    if (worker_pool_try_add(space->spaces->helpers, LANE_COMPUTE, 0, run_close, space)) run_close(space, true);
}

static void close_space(struct space *space) {
    struct space_lease *lease = space_table_find(&space->spaces->table, space->user);
    if (space->state != SPACE_AWAKE) return;
    if (lease) space_lease_end(lease);
    space->state = SPACE_CLOSING;
    if (space->pool) {
        source_engine_on_state(space->engine, NULL, NULL);
        source_pool_stop(space->pool);
        source_engine_stop(space->engine);
    }
    for (struct space_item *item = space->items; item; item = item->next) put_catalog(&item->part, NULL);
    rejoin(space);
    settle(space);
}

static void end_space(struct space *space) {
    space->over = true;
    if (space->state == SPACE_AWAKE) close_space(space);
    else if (space->state == SPACE_ASLEEP) free_space(space);
}

static struct space *new_space(struct user_spaces *spaces, identity_user user) {
    struct space *space = calloc(1, sizeof *space);
    if (!space) return NULL;
    space->spaces = spaces;
    space->user = user;
    space->next = spaces->first;
    spaces->first = space;
    if (!spaces->path_count || new_item(space, spaces->paths, spaces->path_count)) return space;
    free_space(space);
    return NULL;
}

// What the server asks.

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
    for (struct space *space = spaces->first; space; space = space->next) {
        if (space->notebook) notebook_engine_stop(space->notebook);
        if (!space->engine || space->state != SPACE_AWAKE) continue;
        source_engine_on_state(space->engine, NULL, NULL);
        source_pool_stop(space->pool);
        source_engine_stop(space->engine);
    }
    worker_pool_free(spaces->helpers);  // ends what is being opened, and waits for what is being closed
    spaces->helpers = NULL;
    service_mailbox_deliver(spaces->mailbox);
    while (spaces->first) {
        struct space *space = spaces->first;
        source_pool_free(space->pool);
        source_engine_free(space->engine);
        free_space(space);
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
        int status = check_room(spaces, counted_place(spaces, NULL, place), failure);
        if (status) return status;
        if (!(space = new_space(spaces, user))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    space->place = place;
    if (space->state == SPACE_CLOSING) space->wanted = true;
    if (space->state != SPACE_ASLEEP) return VIRGA_OK;
    return wake(space, now, failure);
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
    if (!space) space = new_space(spaces, user);
    if (!space || !make_id(id)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (space->item_count >= SPACE_PUBLICATIONS)
        return failure_set(failure, VIRGA_TOO_LARGE, "at most %d datasets can be published at a time; take some back", SPACE_PUBLICATIONS);
    struct space_item *item = new_item(space, &address, 1);
    if (!item) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (space->notebook && space_item_is_of_notebook(item)) item->notebook = notebook_engine_ref(space->notebook);
    memcpy(item->id, id, sizeof item->id);
    snprintf(item->title, sizeof item->title, "%s", title);
    item->done = done;
    item->context = context;
    bool awake = space->state == SPACE_AWAKE;
    int status = user_spaces_enter(spaces, user, 0, now, failure);  // opens it where the space slept, and it may be gone already
    if (status) drop_item(item);
    else if (awake) open_item(item);
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
    drop_item(item);
    if (is_kept(space) || spaces->for_each) rejoin(space);
    else end_space(space);
}

// A notebook's process.

int user_spaces_attach(struct user_spaces *spaces, identity_user user, int socket, double now, struct failure *failure) {
    struct space *space = find_space(spaces, user);
    if (!space) space = new_space(spaces, user);
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
    struct space_item *next;
    bool showed = false;
    if (!space || !space->notebook) return;
    notebook_engine_stop(space->notebook);
    notebook_engine_unref(space->notebook, spaces->helpers);
    space->notebook = NULL;
    for (struct space_item *item = space->items; item; item = next) {
        next = item->next;
        if (!item->notebook || item->dropped) continue;
        showed = true;
        drop_item(item);
    }
    if (!is_kept(space) && !spaces->for_each) end_space(space);
    else if (showed) rejoin(space);
    if (showed) spaces->calls.failed(spaces->calls.context, user, notebook_gone);
}

void user_spaces_end(struct user_spaces *spaces, identity_user user) {
    struct space *space = find_space(spaces, user);
    if (space) end_space(space);
}

void user_spaces_shared_changed(struct user_spaces *spaces, struct catalog *shared) {
    put_catalog(&spaces->shared, catalog_ref(shared));
    for (struct space *space = spaces->first; space; space = space->next)
        if (space->joined) rejoin(space);
}

static void retry_failed(struct space *space, double now) {
    for (struct space_item *item = space->items; item; item = item->next)
        if (!space_item_is_published(item) && item->failed > 0 && now - item->failed > RETRY_SECONDS) open_item(item);
}

// Of users who are nobody any more, and too many: those made first stand last.
static void forget_sleepers(struct user_spaces *spaces, double now) {
    size_t asleep = 0;
    struct space *next;
    for (struct space *space = spaces->first; space; space = next) {
        next = space->next;
        if (space->state != SPACE_ASLEEP) continue;
        if (++asleep > MOST_ASLEEP || !is_kept(space) || !identity_exists(spaces->identity, space->user, now)) end_space(space);
    }
}

void user_spaces_tick(struct user_spaces *spaces, double now) {
    struct space_lease *lease;
    while ((lease = space_table_due(&spaces->table, now))) close_space(lease->space);
    for (struct space *space = spaces->first; space; space = space->next)
        if (space->state == SPACE_AWAKE) {
            retry_failed(space, now);
            relist_items(space, now);
        }
    forget_sleepers(spaces, now);
}
