// SPDX-License-Identifier: Apache-2.0
// Who lives, in which order: configuration, reader children, worker pool, catalog, brick store, then the web server.
#ifndef VIRGA_SERVER_APP_H
#define VIRGA_SERVER_APP_H

#include "base/worker_pool.h"
#include "brick/brick_store.h"
#include "field/catalog.h"
#include "server/config.h"
#include "source/source.h"

struct app {
    struct config config;
    struct source_pool *sources;
    struct worker_pool *workers;
    struct catalog *catalog;  // guarded by catalog_lock inside app.c; readers use app_catalog()
    struct brick_store *bricks;
};

// Starts everything but the web server. On failure everything begun is undone. app_destroy accepts a half-built one.
int app_init(struct app *app, const struct config *config, struct failure *failure);
void app_destroy(struct app *app);
// Any thread: the catalog of the moment, one reference for the caller.
struct catalog *app_catalog(struct app *app);

#endif
