// SPDX-License-Identifier: Apache-2.0
#include "server/ws_pair.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"

enum { HEAD = 8 };  // a mark, which remote, zeros
static const double most_updates = 1800, updates_per_second = 60;  // a phone that was cut off for a while sends much at once

static void tell(struct ws_client *client, json_t *root) {
    char text[WS_ROOM_TEXT];
    size_t size = root ? json_dumpb(root, text, sizeof text - 1, JSON_COMPACT) : 0;
    json_decref(root);
    if (!size || size >= sizeof text) return;
    text[size] = '\0';
    ws_push_text(client, text, (int)size);
}

static struct ws_client *client_of(const void *who) { return (struct ws_client *)(uintptr_t)who; }

static void tell_screen(const struct pair_screen *screen) {
    json_t *list = json_array();
    for (size_t i = 0; i < PAIR_REMOTES; i++) {
        const struct pair_remote *remote = &screen->remotes[i];
        if (remote->taken)
            json_array_append_new(list, json_pack("{s:i, s:s, s:b}", "index", (int)i, "name", remote->name, "here", remote->who != NULL));
    }
    tell(client_of(screen->who), json_pack("{s:s, s:o}", "type", "remotes", "remotes", list));
}

static void refuse(struct ws_client *client, const struct failure *failure) {
    tell(client, json_pack("{s:s, s:s}", "type", "pair", "refused", failure->message));
}

static void offer(struct ws_client *client) {
    char code[PAIR_CODE + 1];
    struct failure failure;
    client_place place = client_place_of(client->peer->caller.address);
    if (pair_table_offer(client->server->pairs, client, place, clock_monotonic(), code, &failure)) refuse(client, &failure);
    else tell(client, json_pack("{s:s, s:s, s:i}", "type", "pair", "code", code, "seconds", PAIR_SECONDS));
}

static void join(struct ws_client *client, const struct ws_pair *asked) {
    char key[SECRET_TEXT + 1] = "";
    int at;
    struct failure failure;
    struct pair_table *pairs = client->server->pairs;
    client_place place = client_place_of(client->peer->caller.address);
    double now = clock_monotonic();
    int status = asked->key[0] ? pair_table_return(pairs, client, place, asked->key, now, &failure)
                               : pair_table_join(pairs, client, place, asked->code, asked->name, now, key, &failure);
    if (status) {
        refuse(client, &failure);
        return;
    }
    const struct pair_screen *screen = pair_table_find(pairs, client, &at);
    tell(client, json_pack("{s:s, s:i, s:s*}", "type", "paired", "index", at, "key", key[0] ? key : NULL));
    tell_screen(screen);
    client->steering_due = true;
    lws_callback_on_writable(client->peer->wsi);
}

static void leave(struct ws_client *client, bool forget) {
    int at;
    struct pair_screen *screen = pair_table_find(client->server->pairs, client, &at);
    if (!screen) return;
    for (size_t i = 0; at < 0 && i < PAIR_REMOTES; i++)
        if (screen->remotes[i].who) tell(client_of(screen->remotes[i].who), json_pack("{s:s}", "type", "unpaired"));
    pair_table_leave(client->server->pairs, client, forget);
    if (at >= 0) tell_screen(screen);
}

void ws_take_pair(struct ws_client *client, const struct ws_pair *asked) {
    client->paired = true;
    if (asked->end) leave(client, true);
    else if (asked->code[0] || asked->key[0]) join(client, asked);
    else offer(client);
}

void ws_pair_closed(struct ws_client *client) {
    if (atomic_load(&client->server->stopping)) pair_table_leave(client->server->pairs, client, false);  // the others go, too
    else leave(client, false);
}

static bool pay(struct ws_client *client) {
    client->updates = fmin(most_updates, client->updates + (client->heard - client->updated) * updates_per_second);
    client->updated = client->heard;
    client->updates -= 1;
    return client->updates >= 0;
}

static void wake(struct ws_client *client) {
    client->steering_due = true;
    lws_callback_on_writable(client->peer->wsi);
}

const char *ws_take_steering(struct ws_client *client, const void *bytes, size_t size) {
    int at;
    if (!client->paired) return "messages are text";
    if (!pay(client)) return "too many messages";
    struct pair_screen *screen = pair_table_find(client->server->pairs, client, &at);
    if (!screen) {  // the other side has just gone, or this remote came back by another connection
        tell(client, json_pack("{s:s}", "type", "unpaired"));
        return NULL;
    }
    if (pair_table_say(client->server->pairs, client, bytes, size)) return "what steers is too long";
    if (at >= 0) wake(client_of(screen->who));
    for (size_t i = 0; at < 0 && i < PAIR_REMOTES; i++)
        if (screen->remotes[i].who) wake(client_of(screen->remotes[i].who));
    return NULL;
}

int ws_send_steering(struct ws_client *client) {
    uint8_t message[LWS_PRE + HEAD + PAIR_STATE] = {0}, *start = message + LWS_PRE;
    struct pair_news news;
    int from;
    client->steering_due = pair_table_hear(client->server->pairs, client, &from, &news);
    lws_callback_on_writable(client->peer->wsi);
    if (!client->steering_due) return 0;
    memcpy(start, from < 0 ? "VSCR" : "VREM", 4);
    if (from >= 0) start[4] = (uint8_t)from;
    memcpy(start + HEAD, news.bytes, news.size);
    client->server->counters.bytes_sent += HEAD + news.size;
    return lws_write(client->peer->wsi, start, HEAD + news.size, LWS_WRITE_BINARY) < (int)(HEAD + news.size) ? -1 : 0;
}
