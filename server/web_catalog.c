// SPDX-License-Identifier: Apache-2.0
// The catalog that all see, as the service thread has it.
#include <jansson.h>
#include <stdlib.h>

#include "server/export_service.h"
#include "server/pin_pictures.h"
#include "server/web_state.h"

static void add_if_new(json_t *ids, const struct catalog_dataset *dataset, const struct catalog *other) {
    const struct catalog_dataset *same = catalog_find_dataset(other, dataset->id);
    if (!same || same->fingerprint != dataset->fingerprint) json_array_append_new(ids, json_string(dataset->id));
}

// Ids of the datasets that came or changed, and of those that went.
static char *list_changes(const struct catalog *before, const struct catalog *now) {
    json_t *ids = json_array();
    for (size_t n = 0; ids && n < now->dataset_count; n++) add_if_new(ids, &now->datasets[n], before);
    for (size_t n = 0; ids && n < before->dataset_count; n++)
        if (!catalog_find_dataset(now, before->datasets[n].id)) json_array_append_new(ids, json_string(before->datasets[n].id));
    char *text = ids ? json_dumps(ids, JSON_COMPACT) : NULL;
    json_decref(ids);
    return text;
}

static void take(struct letter *letter) {
    struct web_server *server = lws_container_of(letter, struct web_server, changes.letter);
    struct catalog *before = server->catalog;
    atomic_store(&server->changes.posted, false);
    server->catalog = app_catalog(server->app);
    free(server->changes.datasets);
    server->changes.datasets = list_changes(before, server->catalog);
    catalog_unref(before);
    user_spaces_shared_changed(server->spaces, server->catalog);
    if (server->pictures) pin_pictures_set_catalog(server->pictures, server->catalog);
    ws_catalog_changed(server, 0);
}

// On the thread that watches files.
static void changed(void *context) {
    struct web_server *server = context;
    if (atomic_exchange(&server->changes.posted, true)) return;
    server->changes.letter.deliver = take;
    service_mailbox_post(server->mailbox, &server->changes.letter);
}

int web_catalog_start(struct web_server *server, struct failure *failure) { return app_watch(server->app, changed, server, failure); }

void web_catalog_stop(struct web_server *server) {
    app_unwatch(server->app);
}
