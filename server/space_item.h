// SPDX-License-Identifier: Apache-2.0
// Datasets of a user's space (user_space.h) that come and go together: those of the configuration, or a publication. Opening takes as long as files and
// clusters do, so a helper does it and the owner hears by mail. Service thread.
#ifndef VIRGA_SERVER_SPACE_ITEM_H
#define VIRGA_SERVER_SPACE_ITEM_H

#include "base/worker_pool.h"
#include "field/catalog.h"
#include "server/notebook_engine.h"
#include "server/service_mailbox.h"
#include "server/user_space.h"

struct space;

struct space_item {
    struct space_item *next;  // the owner's
    struct space *space;      // whose it is
    char id[PUBLICATION_ID + 1];  // "": of the configuration
    char title[SPACE_TITLE + 1];
    char **paths;
    size_t path_count;
    bool opening, dropped;  // dropped: to go when it has been opened
    double failed;          // when; 0: it has not
    double listed;          // when it was last opened
    struct catalog *part;   // once it is open
    struct notebook_engine *notebook;  // that holds it: one reference, or NULL
    publication_done done;  // until it was called
    void *context;
    // Under way, of a helper.
    struct letter letter;
    struct service_mailbox *mailbox;
    struct source_pool *pool;
    const char *state_dir;
    int status;
    struct failure failure;
    struct catalog *previous;  // that it had when it began, if any: one reference
    struct catalog *opened;
    void (*when_opened)(struct space_item *item);
};

// Keeps copies of the paths. NULL when out of memory.
struct space_item *space_item_new(struct space *space, const char *const *paths, size_t count);
// It is not being opened. helpers: as of notebook_engine_unref.
void space_item_free(struct space_item *item, struct worker_pool *helpers);
bool space_item_is_published(const struct space_item *item);
// Whether its address is one of a notebook, which may not be there.
bool space_item_is_of_notebook(const struct space_item *item);

// Opens it, or again to see what changed, with this pool, as one of `helpers`; `when_opened` is called when item->status, ->failure and ->opened say what came of it. state_dir: of
// catalog_options, or NULL. What shows nothing has failed where it is a publication. VIRGA_TOO_LARGE: they have too much to do, and nothing is called.
int space_item_open(struct space_item *item, struct source_pool *pool, const char *state_dir, struct worker_pool *helpers, struct service_mailbox *mailbox,
                    void (*when_opened)(struct space_item *item));
// Calls `done`, if it was not: with why not, or with its first dataset as it is in `joined`, which its part was joined to.
void space_item_tell(struct space_item *item, int status, const struct failure *failure, const struct catalog *joined);

#endif
