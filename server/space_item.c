// SPDX-License-Identifier: Apache-2.0
#include "server/space_item.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct space_item *space_item_new(struct space *space, const char *const *paths, size_t count) {
    struct space_item *item = calloc(1, sizeof *item);
    if (!item) return NULL;
    item->space = space;
    item->paths = calloc(count, sizeof *item->paths);
    for (; item->paths && item->path_count < count; item->path_count++)
        if (!(item->paths[item->path_count] = strdup(paths[item->path_count]))) break;
    if (item->path_count == count) return item;
    space_item_free(item, NULL);
    return NULL;
}

void space_item_free(struct space_item *item, struct worker_pool *helpers) {
    for (size_t i = 0; i < item->path_count; i++) free(item->paths[i]);
    free(item->paths);
    catalog_unref(item->part);
    notebook_engine_unref(item->notebook, helpers);
    free(item);
}

bool space_item_is_published(const struct space_item *item) { return item->id[0] != '\0'; }
bool space_item_is_of_notebook(const struct space_item *item) { return !strncmp(item->paths[0], "notebook:", 9); }

// Opening.

static void opened_delivered(struct letter *letter) {
    struct space_item *item = (struct space_item *)((char *)letter - offsetof(struct space_item, letter));
    item->opening = false;
    catalog_unref(item->previous);
    item->previous = NULL;
    item->when_opened(item);
}

// What is wrong with a catalog that shows nothing.
static int check_shows(const struct catalog *catalog, struct failure *failure) {
    if (catalog->dataset_count) return VIRGA_OK;
    return failure_set(failure, VIRGA_UNSUPPORTED, "nothing in it can be shown: %s", catalog->problem_count ? catalog->problems[0].reason : "it is empty");
}

static void run_open(void *argument, bool cancelled) {
    struct space_item *item = argument;
    struct catalog_options options = {.state_dir = item->state_dir, .previous = item->previous, .relist = item->previous != NULL, .title = item->title[0] ? item->title : NULL};
    item->status = cancelled ? failure_set(&item->failure, VIRGA_CANCELLED, "the server is ending")
                             : catalog_open(item->pool, (const char *const *)item->paths, item->path_count, &options, &item->opened, &item->failure);
    if (!item->status && space_item_is_published(item)) item->status = check_shows(item->opened, &item->failure);
    if (item->status) {
        catalog_unref(item->opened);
        item->opened = NULL;
    }
    item->letter.deliver = opened_delivered;
    service_mailbox_post(item->mailbox, &item->letter);
}

int space_item_open(struct space_item *item, struct source_pool *pool, const char *state_dir, struct worker_pool *helpers, struct service_mailbox *mailbox,
                    void (*when_opened)(struct space_item *item)) {
    item->pool = pool;
    item->state_dir = state_dir;
    item->mailbox = mailbox;
    item->when_opened = when_opened;
    item->opening = true;
    item->previous = catalog_ref(item->part);
    if (!worker_pool_try_add(helpers, LANE_READ, 0, run_open, item)) return VIRGA_OK;
    item->opening = false;
    catalog_unref(item->previous);
    item->previous = NULL;
    return item->status = failure_set(&item->failure, VIRGA_TOO_LARGE, "the server is busy; try again");
}

// Telling.

// Datasets are copied shallowly where catalogs are joined, so these lists tell which is which.
static const char *id_in(const struct catalog *joined, const struct catalog *part) {
    for (size_t i = 0; joined && part->dataset_count && i < joined->dataset_count; i++)
        if (joined->datasets[i].variables == part->datasets[0].variables) return joined->datasets[i].id;
    return NULL;
}

void space_item_tell(struct space_item *item, int status, const struct failure *failure, const struct catalog *joined) {
    struct publication_result result = {.status = status};
    publication_done done = item->done;
    if (!done) return;
    if (failure) result.failure = *failure;
    memcpy(result.id, item->id, sizeof result.id);
    result.dataset = status ? NULL : id_in(joined, item->part);
    item->done = NULL;
    done(item->context, &result);
}
