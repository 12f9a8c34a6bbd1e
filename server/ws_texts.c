// SPDX-License-Identifier: Apache-2.0
// Texts for a websocket client, and who it is.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/web_user.h"
#include "server/ws_client.h"

// Texts.

void ws_push_text(struct ws_client *client, const char *text, int size) {
    if (size < 0 || client->text_count == WS_MAX_TEXTS) return;  // a client that does not read misses texts, never the rest
    char *copy = malloc(LWS_PRE + (size_t)size + 1);
    if (!copy) return;
    memcpy(copy + LWS_PRE, text, (size_t)size + 1);
    client->texts[client->text_count++] = copy;
    lws_callback_on_writable(client->peer->wsi);
}

void ws_push_error(struct ws_client *client, const char *message) {
    char text[WS_ROOM_TEXT];
    ws_push_text(client, text, ws_message_error(text, sizeof text, session_generation(client->session), message));
}

int ws_write_text(struct ws_client *client, char *text) {
    size_t size = strlen(text + LWS_PRE);
    client->server->counters.bytes_sent += size;
    return lws_write(client->peer->wsi, (unsigned char *)text + LWS_PRE, size, LWS_WRITE_TEXT) < (int)size ? -1 : 0;
}

int ws_send_text(struct ws_client *client) {
    char *text = client->texts[0];
    memmove(client->texts, client->texts + 1, --client->text_count * sizeof *client->texts);
    int result = ws_write_text(client, text);
    free(text);
    lws_callback_on_writable(client->peer->wsi);
    return result;
}

int ws_write_long(struct ws_client *client, char *text) {
    char *message = text ? malloc(LWS_PRE + strlen(text) + 1) : NULL;
    int result = 0;
    if (message) {
        strcpy(message + LWS_PRE, text);
        result = ws_write_text(client, message);
    }
    free(message);
    free(text);
    return result;
}

// The engine's state, as it is now.

int ws_send_engine(struct ws_client *client) {
    const struct peer *peer = client->peer;
    json_t *state = web_user_engine_state(client->server, &peer->caller);
    json_t *root = json_pack("{s:s, s:o}", "type", "engine", "engine", state);
    int result = ws_write_long(client, root ? json_dumps(root, JSON_COMPACT) : NULL);
    client->engine_due = false;
    json_decref(root);
    lws_callback_on_writable(peer->wsi);
    return result;
}

void ws_tell_user(struct web_server *server, identity_user user, const char *error) {
    for (struct peer *peer = server->peers; peer; peer = peer->next)
        if (peer->client && user && peer->caller.user == user) ws_push_error(peer->client, error);
}

void ws_engine_changed(struct web_server *server, identity_user user) {
    bool for_each = user_spaces_for_each(server->spaces);
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (!peer->client || (for_each ? !user || peer->caller.user != user : user != 0)) continue;
        peer->client->engine_due = true;
        lws_callback_on_writable(peer->wsi);
    }
}

// The catalog.

static void tell_catalog(struct ws_client *client, bool listed) {
    // What it looks at it may go on looking at, as it was, until it has read the catalog and says what it wants of that; but not at what is no longer there.
    const struct catalog *now = web_user_catalog(client->server, client->peer->caller.user);
    client->catalog_due = client->catalog_due || !listed ? CATALOG_ANY : CATALOG_LISTED;
    lws_callback_on_writable(client->peer->wsi);
    if (!client->dataset || catalog_find_dataset(now, client->dataset->id)) return;
    session_clear(client->session, session_generation(client->session));
    client->dataset = NULL;
}

int ws_send_catalog(struct ws_client *client) {
    const struct catalog_changes *changes = &client->server->changes;
    int result = ws_write_long(client, ws_message_catalog(client->catalog_due == CATALOG_LISTED ? changes->datasets : NULL));
    client->catalog_due = CATALOG_TOLD;
    lws_callback_on_writable(client->peer->wsi);
    return result;
}

void ws_catalog_changed(struct web_server *server, identity_user user) {
    for (struct peer *peer = server->peers; peer; peer = peer->next)
        if (peer->client && (!user || peer->caller.user == user)) tell_catalog(peer->client, !user);
}

// Who it is.

void ws_forget_user(struct web_server *server, identity_user user) {
    char text[WS_ROOM_TEXT];
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (!peer->client || !user || peer->caller.user != user) continue;
        peer->caller.user = 0;
        ws_push_text(peer->client, text, ws_message_user(text, sizeof text, false));
        tell_catalog(peer->client, false);
    }
}

int ws_take_user(struct ws_client *client, const char *session) {
    struct web_server *server = client->server;
    struct peer *peer = client->peer;
    struct failure failure = {0};
    char text[WS_ROOM_TEXT];
    double now = clock_monotonic();
    identity_user before = peer->caller.user;
    peer->caller.user = session[0] ? identity_find(server->identity, session, now) : 0;
    if (session[0] && !peer->caller.user && !rate_limit_take(&server->wrong, peer->caller.address, now)) return -1;
    ws_push_text(client, text, ws_message_user(text, sizeof text, peer->caller.user != 0));
    if (web_user_enter(peer, &failure)) ws_push_error(client, failure.message);
    if (before != peer->caller.user) tell_catalog(client, false);
    struct source_engine *engine = web_user_engine(server, peer->caller.user);
    client->engine_due = engine && source_engine_has_cluster(engine);
    lws_callback_on_writable(peer->wsi);
    return 0;
}
