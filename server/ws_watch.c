// SPDX-License-Identifier: Apache-2.0
// Exports and pins, as a websocket client that watches them is told: what changed since it was last told, as it is now.
#include <stddef.h>
#include <stdlib.h>

#include "server/export_service.h"
#include "server/pin_service.h"
#include "server/web_user.h"
#include "server/ws_client.h"

void ws_watch(struct ws_client *client, struct ws_watch *watch, bool on) {
    if (on && !watch->on) watch->seen = (struct change_seen){0};
    watch->on = watch->due = on;
    watch->more = false;
    lws_callback_on_writable(client->peer->wsi);
}

// there: the server has such a table; where it has none that is said once. more: than one message has room for.
static void was_told(struct ws_client *client, struct ws_watch *watch, bool there, bool more) {
    watch->due = watch->more = more;
    if (!there) watch->seen.since = 1;
    lws_callback_on_writable(client->peer->wsi);
}

static void all_due(struct web_server *server, size_t which) {
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        struct ws_watch *watch = peer->client ? (struct ws_watch *)((char *)peer->client + which) : NULL;
        if (!watch || !watch->on) continue;
        watch->due = true;
        lws_callback_on_writable(peer->wsi);
    }
}

void ws_exports_changed(struct web_server *server) { all_due(server, offsetof(struct ws_client, exports)); }
void ws_pins_changed(struct web_server *server) { all_due(server, offsetof(struct ws_client, pins)); }

int ws_send_exports(struct ws_client *client) {
    struct export_table *table = client->server->exports ? export_service_table(client->server->exports) : NULL;
    struct export_job *jobs = calloc(WS_MAX_EXPORTS, sizeof *jobs);
    bool all = !client->exports.seen.since;
    size_t told = jobs && table ? export_table_changed(table, &client->exports.seen, jobs, WS_MAX_EXPORTS, &all) : 0, count = 0;
    for (size_t i = 0; i < told; i++)  // of one that is gone its name is all that is said
        if (jobs[i].state == EXPORT_DELETED || web_user_is_shown(client->peer, jobs[i].owner)) jobs[count++] = jobs[i];
    int result = jobs && (count || all) ? ws_write_long(client, ws_message_exports(jobs, count, all)) : 0;
    free(jobs);
    was_told(client, &client->exports, table, told == WS_MAX_EXPORTS);
    return result;
}

int ws_send_pins(struct ws_client *client) {
    struct pin_table *table = client->server->pins ? pin_service_table(client->server->pins) : NULL;
    struct pin *pins = calloc(WS_MAX_PINS, sizeof *pins);
    bool all = !client->pins.seen.since;
    size_t count = pins && table ? pin_table_changed(table, &client->pins.seen, pins, WS_MAX_PINS, &all) : 0;
    const bool more = count == WS_MAX_PINS, due = count || all || client->pins.more;
    int result = pins && due ? ws_write_long(client, ws_message_pins(pins, count, all, more, &client->peer->caller.person)) : 0;
    pin_table_release(pins, count);
    was_told(client, &client->pins, table, more);
    return result;
}
