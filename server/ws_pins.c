// SPDX-License-Identifier: Apache-2.0
// Pins, as a websocket client is told of them: what changed since it was last told, as it is now.
#include "server/pin_service.h"
#include "server/ws_client.h"

int ws_send_pins(struct ws_client *client) {
    struct pin_table *table = client->server->pins ? pin_service_table(client->server->pins) : NULL;
    struct pin *pins = calloc(WS_MAX_PINS, sizeof *pins);
    bool all = !client->pins_seen.since;
    size_t count = pins && table ? pin_table_changed(table, &client->pins_seen, pins, WS_MAX_PINS, &all) : 0;
    int result = pins && (count || all) ? ws_write_long(client, ws_message_pins(pins, count, all, &client->peer->caller.person)) : 0;
    client->pins_due = count == WS_MAX_PINS;
    if (!table) client->pins_seen.since = 1;  // there are none, which is said once
    pin_table_release(pins, count);
    lws_callback_on_writable(client->peer->wsi);
    return result;
}

void ws_watch_pins(struct ws_client *client, bool watch) {
    if (watch && !client->watches_pins) client->pins_seen = (struct change_seen){0};
    client->watches_pins = client->pins_due = watch;
    lws_callback_on_writable(client->peer->wsi);
}

void ws_pins_changed(struct web_server *server) {
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (!peer->client || !peer->client->watches_pins) continue;
        peer->client->pins_due = true;
        lws_callback_on_writable(peer->wsi);
    }
}
