// SPDX-License-Identifier: Apache-2.0
#include "server/space.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/engine_setup.h"

static const double RETRY_SECONDS = 30;
static const char notebook_gone[] = "the notebook that held this data has ended or is out of reach; show it again from there";

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

bool space_is_kept(const struct space *space) { return space->notebook || has_publications(space); }

void space_put_catalog(struct catalog **place, struct catalog *catalog) {
    if (*place) catalog_unref(*place);
    *place = catalog;
}

void space_rejoin(struct space *space) {
    struct user_spaces *spaces = space->spaces;
    struct catalog *joined = join(space, true), *exportable = join(space, false);
    if (joined && exportable) {
        space_put_catalog(&space->joined, joined);
        space_put_catalog(&space->exportable, exportable);
    } else {
        space_put_catalog(&joined, NULL);
        space_put_catalog(&exportable, NULL);
    }
    if (!spaces->stopping) spaces->calls.catalog_changed(spaces->calls.context, space->user);
}

// Items.

struct space_item *space_add_item(struct space *space, const char *const *paths, size_t count) {
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

void space_drop_item(struct space_item *item) {
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

// What was opened again: another catalog takes the old one's place. Where it is out of reach for now, what was there stays.
static void take_relisted(struct space_item *item) {
    bool same = item->status ? item->status != VIRGA_NOT_FOUND : item->opened->fingerprint == item->part->fingerprint;
    if (item->status) log_warning("user", "%s: %s", item->paths[0], item->failure.message);
    if (same) {
        catalog_unref(item->opened);
    } else {
        space_put_catalog(&item->part, item->opened);
        space_rejoin(item->space);
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
        if (space_item_is_published(item)) space_drop_item(item);
        else if (!space->spaces->stopping) space->spaces->calls.failed(space->spaces->calls.context, space->user, item->failure.message);
        return;
    }
    space_put_catalog(&item->part, item->opened);
    item->opened = NULL;
    item->failed = 0;
    if (item->dropped || space->over) {
        failure_set(&item->failure, VIRGA_CANCELLED, "it was taken back before it was open");
        tell_done(item, VIRGA_CANCELLED, &item->failure);
        space_drop_item(item);
    } else {
        space_rejoin(space);
        tell_done(item, VIRGA_OK, NULL);
    }
}

static void when_opened(struct space_item *item) {
    struct space *space = item->space;
    space->opening--;
    take_opened(item);
    if (space->state == SPACE_AWAKE && !space->items && !space->spaces->for_each) space_end(space);  // a publication that failed was all
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

void space_open_item(struct space_item *item) {
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

static void retry_failed(struct space *space, double now) {
    for (struct space_item *item = space->items; item; item = item->next)
        if (!space_item_is_published(item) && item->failed > 0 && now - item->failed > RETRY_SECONDS) space_open_item(item);
}

void space_tick(struct space *space, double now) {
    retry_failed(space, now);
    relist_items(space, now);
}

static void open_items(struct space *space) {
    struct space_item *next;
    for (struct space_item *item = space->items; item; item = next) {
        next = item->next;
        space_open_item(item);
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

client_place space_counted_place(const struct user_spaces *spaces, const struct space *space, client_place place) {
    return spaces->for_each && !(space && space_is_kept(space)) ? place : 0;
}

int space_check_room(const struct user_spaces *spaces, client_place place, struct failure *failure) {
    enum space_room room = space_table_room(&spaces->table, place);
    if (room == SPACE_ROOM) return VIRGA_OK;
    if (room == SPACE_TABLE_FULL)
        return failure_set(failure, VIRGA_TOO_LARGE, "as many people as this server takes have datasets or a cluster of their own now; try again later");
    return failure_set(failure, VIRGA_TOO_LARGE, "%zu sessions from your address have a cluster of their own now, and no more may: end one (DELETE /api/session), "
                       "or leave it unused for %g s", spaces->table.most_each, spaces->table.idle_seconds);
}

int space_wake(struct space *space, double now, struct failure *failure) {
    struct user_spaces *spaces = space->spaces;
    client_place place = space_counted_place(spaces, space, space->place);
    int status = space_check_room(spaces, place, failure);
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

void space_free(struct space *space) {
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
    space_put_catalog(&space->joined, NULL);
    space_put_catalog(&space->exportable, NULL);
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
        space_drop_item(item);
    }
}

static void wake_again(struct space *space) {
    struct user_spaces *spaces = space->spaces;
    struct failure failure;
    int status = space_wake(space, clock_monotonic(), &failure);
    if (!status) return;
    log_warning("user", "%s", failure.message);
    spaces->calls.failed(spaces->calls.context, space->user, failure.message);
    fail_waiting(space, status, &failure);
    if (!space_is_kept(space)) space_free(space);
}

static void closed_delivered(struct letter *letter) {
    struct space *space = (struct space *)((char *)letter - offsetof(struct space, closed));
    space->engine = NULL;
    space->pool = NULL;
    space->state = SPACE_ASLEEP;
    bool again = space->wanted && !space->over && !space->spaces->stopping;
    space->wanted = false;
    if (space->over || (!again && !space_is_kept(space))) space_free(space);
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

static void stop_engine(struct space *space) {
    if (!space->engine) return;
    source_engine_on_state(space->engine, NULL, NULL);
    source_pool_stop(space->pool);
    source_engine_stop(space->engine);
}

void space_stop(struct space *space) {
    if (space->notebook) notebook_engine_stop(space->notebook);
    if (space->state == SPACE_AWAKE) stop_engine(space);
}

void space_close(struct space *space) {
    struct space_lease *lease = space_table_find(&space->spaces->table, space->user);
    if (space->state != SPACE_AWAKE) return;
    if (lease) space_lease_end(lease);
    space->state = SPACE_CLOSING;
    stop_engine(space);
    for (struct space_item *item = space->items; item; item = item->next) space_put_catalog(&item->part, NULL);
    space_rejoin(space);
    settle(space);
}

void space_end(struct space *space) {
    space->over = true;
    if (space->state == SPACE_AWAKE) space_close(space);
    else if (space->state == SPACE_ASLEEP) space_free(space);
}

struct space *space_new(struct user_spaces *spaces, identity_user user) {
    struct space *space = calloc(1, sizeof *space);
    if (!space) return NULL;
    space->spaces = spaces;
    space->user = user;
    space->next = spaces->first;
    spaces->first = space;
    if (!spaces->path_count || space_add_item(space, spaces->paths, spaces->path_count)) return space;
    space_free(space);
    return NULL;
}

void space_detach_notebook(struct space *space) {
    struct user_spaces *spaces = space->spaces;
    identity_user user = space->user;
    struct space_item *next;
    bool showed = false;
    notebook_engine_stop(space->notebook);
    notebook_engine_unref(space->notebook, spaces->helpers);
    space->notebook = NULL;
    for (struct space_item *item = space->items; item; item = next) {
        next = item->next;
        if (!item->notebook || item->dropped) continue;
        showed = true;
        space_drop_item(item);
    }
    if (!space_is_kept(space) && !spaces->for_each) space_end(space);
    else if (showed) space_rejoin(space);
    if (showed) spaces->calls.failed(spaces->calls.context, user, notebook_gone);
}
