// SPDX-License-Identifier: Apache-2.0
// Who lives, in which order: configuration, engine, reader children, worker pool, catalog, brick store, then the web server.
#ifndef VIRGA_SERVER_APP_H
#define VIRGA_SERVER_APP_H

#include "base/worker_pool.h"
#include "brick/brick_store.h"
#include "field/catalog.h"
#include "server/config.h"
#include "server/state_database.h"
#include "source/source.h"
#include "source/source_engine.h"

struct app {
    struct config config;         // its own copy; web_reload.c changes what may change, on the service thread
    struct source_engine *engine;  // its child starts when first needed; of the shared cluster, or without one where each user has their own
    struct source_pool *sources;
    struct worker_pool *workers;  // NULL after app_init_catalog
    struct catalog *catalog;      // guarded by a lock inside app.c; readers use app_catalog()
    void (*catalog_changed)(void *context);  // of app_watch, as is the next
    void *catalog_context;
    uint64_t engine_seen;         // of the thread that watches (engine_setup_may_look)
    struct catalog_watch *watch;  // between app_watch and app_unwatch, else NULL
    struct brick_store *bricks;   // NULL after app_init_catalog
    struct state_database *database;  // NULL before app_open_database, and where it failed: `no_database` says why
    char no_database[400];
};

// Starts everything but the web server. Makes the state folder (mode 0700) and its spool folder. On failure everything begun is
// undone. app_destroy accepts a half-built or zeroed one. VIRGA_NOT_FOUND: a path does not exist. VIRGA_IO: the state
// folder cannot be made. Others as the layers say. Main thread.
int app_init(struct app *app, const struct config *config, struct failure *failure);
// Only what looking at metadata needs: reader children and catalog. Makes no folder, and uses the state folder if it is there.
int app_init_catalog(struct app *app, const struct config *config, struct failure *failure);
// Takes the state folder for this process and opens its database, for what a server must remember. Codes as state_database_open; without it the rest goes on,
// and app->no_database has the words.
int app_open_database(struct app *app);
void app_destroy(struct app *app);
// Whether each path is there, or matches something as a glob. VIRGA_NOT_FOUND; VIRGA_INVALID: an address that nobody here opens. Any thread.
int app_check_paths(const struct config *config, struct failure *failure);
// Any thread: the catalog of the moment, one reference for the caller.
struct catalog *app_catalog(struct app *app);
// From now on the catalog follows its files: `changed` is called after each change, on a thread of its own. At most once. VIRGA_NO_MEMORY.
int app_watch(struct app *app, void (*changed)(void *context), void *context, struct failure *failure);
// It is not called any more. Waits for what is being opened.
void app_unwatch(struct app *app);
// Service thread: paths and settings of the configuration that say how it follows may have changed; all is looked at again. VIRGA_OK or VIRGA_NO_MEMORY.
int app_watch_reconfigure(struct app *app);
struct app_catalog_stats {
    size_t scans, changes;  // looks at all paths since start, and how many of them changed the catalog
    size_t folders;         // that the kernel watches
    size_t files;           // of the catalog, also those that cannot be read
    double changed;         // clock_monotonic() of the last change, or of the start
    double seconds;         // that the last look took
};
// Any thread.
void app_catalog_stats(struct app *app, struct app_catalog_stats *stats);
// Paths of the configuration that are shown to each user through an engine of their own, not to all: `paths` gets them (room for CONFIG_MAX_PATHS). Returns how many.
size_t app_user_paths(const struct app *app, const char **paths);
bool app_has_user_paths(const struct app *app);
// Any thread: what `virga info --json` and GET /api/catalog answer. The caller frees it. NULL when out of memory.
char *app_catalog_json(const struct catalog *catalog);

#endif
