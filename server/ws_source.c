// SPDX-License-Identifier: Apache-2.0
// A notebook's process on a websocket: the source protocol's bytes, either way, in binary messages (source_bridge.h). Who may publish may connect one, for the
// user whose session it shows. Service thread.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http_router.h"
#include "server/source_bridge.h"
#include "server/web_user.h"

enum { MOST_SOURCES = 8, PIECE = 64 * 1024 };
static const double PING_SECONDS = 15, SILENT_SECONDS = 60;

struct ws_source {
    struct letter letter;  // first; it frees what is gone when it comes
    atomic_bool posted;
    struct peer *peer;     // NULL: gone
    struct source_bridge *bridge;
    double heard, pinged;
    bool ping_due, paused;
    char closing[124];     // why, when it is to be closed; else ""
};

static size_t count_sources(const struct web_server *server, identity_user user) {
    size_t count = 0;
    for (const struct peer *peer = server->peers; peer; peer = peer->next) count += peer->source && (!user || peer->caller.user == user);
    return count;
}

int ws_source_check_upgrade(struct peer *peer, struct lws *wsi) {
    struct web_server *server = peer->server;
    const char *words;
    int status = ws_check_handshake(wsi, "virga.source.1");
    if (status) return http_refuse(peer, status, "a notebook's websocket is version 13, subprotocol virga.source.1, without a body");
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN)) return http_refuse(peer, 403, "pages are no source: this websocket is for programs");
    web_user_read(peer, true);
    if ((status = web_user_check_publisher(peer, &words))) return http_refuse(peer, status, words);
    if (!peer->caller.user) return http_refuse(peer, 403, "whose data it is says the header X-Virga-Session: begin a session first");
    if (count_sources(server, peer->caller.user)) return http_refuse(peer, 409, "a notebook is connected for this session already");
    if (count_sources(server, 0) >= MOST_SOURCES) return http_refuse(peer, 503, "as many notebooks as this server takes are connected; try again later");
    peer->upgrade = WEB_PROTOCOL_SOURCE;
    return 0;
}

static void close_for(struct ws_source *source, const char *why) {
    if (source->closing[0]) return;
    snprintf(source->closing, sizeof source->closing, "%.120s", why);
    lws_callback_on_writable(source->peer->wsi);
}

static void told_delivered(struct letter *letter) {
    struct ws_source *source = (struct ws_source *)letter;
    struct failure why = {0};
    atomic_store(&source->posted, false);
    if (!source->peer) {
        free(source);
        return;
    }
    if (source_bridge_is_over(source->bridge, &why)) close_for(source, why.message[0] ? why.message : "the server has let go of it");
    if (source->paused && source_bridge_has_room(source->bridge)) {
        source->paused = false;
        lws_rx_flow_control(source->peer->wsi, 1);
    }
    lws_callback_on_writable(source->peer->wsi);
}

// On the bridge's thread.
static void told(void *context) {
    struct ws_source *source = context;
    if (atomic_exchange(&source->posted, true)) return;
    source->letter.deliver = told_delivered;
    service_mailbox_post(source->peer->server->mailbox, &source->letter);
}

// The engine of the user's space at one end, the bridge at the other.
static int join(struct ws_source *source, struct failure *failure) {
    struct web_server *server = source->peer->server;
    identity_user user = source->peer->caller.user;
    const struct source_bridge_calls calls = {.told = told, .context = source};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) return failure_set(failure, VIRGA_IO, "no socket for a notebook: %s", strerror(errno));
    int status = source_bridge_new(ends[0], &calls, &source->bridge, failure);
    if (status) {
        close(ends[1]);
        return status;
    }
    return user_spaces_attach(server->spaces, user, ends[1], clock_monotonic(), failure);
}

int ws_source_opened(struct peer *peer) {
    struct ws_source *source = calloc(1, sizeof *source);
    struct failure failure = {0};
    if (!source) return -1;
    source->peer = peer;
    source->heard = source->pinged = clock_monotonic();
    bool taken = count_sources(peer->server, peer->caller.user) || count_sources(peer->server, 0) >= MOST_SOURCES;
    int status = taken ? failure_set(&failure, VIRGA_TOO_LARGE, "too many notebooks are connected") : join(source, &failure);
    if (!source->bridge) {
        log_warning("user", "%s", failure.message);
        free(source);
        return -1;
    }
    peer->source = source;
    lws_set_timeout(peer->wsi, NO_PENDING_TIMEOUT, 0);
    if (status) close_for(source, failure.message);
    return 0;
}

int ws_source_received(struct peer *peer, const void *data, size_t size) {
    struct ws_source *source = peer->source;
    source->heard = clock_monotonic();
    if (source->closing[0]) return 0;
    if (size && !lws_frame_is_binary(peer->wsi)) {
        close_for(source, "messages are binary");
        return 0;
    }
    int status = size ? source_bridge_put(source->bridge, data, size) : VIRGA_OK;
    if (status == VIRGA_AGAIN && !source->paused) {
        source->paused = true;
        lws_rx_flow_control(peer->wsi, 0);
        if (source_bridge_has_room(source->bridge)) told(source);  // it was quicker
    }
    if (status == VIRGA_TOO_LARGE) close_for(source, "more came than was to come");
    return 0;
}

void ws_source_pong(struct peer *peer) { peer->source->heard = clock_monotonic(); }

int ws_source_writable(struct peer *peer) {
    struct ws_source *source = peer->source;
    uint8_t buffer[LWS_PRE + PIECE];
    if (source->closing[0]) {
        lws_close_reason(peer->wsi, (enum lws_close_status)(peer->restart ? WEB_CLOSE_RESTART : LWS_CLOSE_STATUS_POLICY_VIOLATION), (unsigned char *)source->closing, strlen(source->closing));
        return -1;
    }
    if (source->ping_due) {
        source->ping_due = false;
        lws_callback_on_writable(peer->wsi);
        memcpy(buffer + LWS_PRE, "here", 4);  // the library tells of no answer to an empty one
        return lws_write(peer->wsi, buffer + LWS_PRE, 4, LWS_WRITE_PING) < 4 ? -1 : 0;
    }
    size_t size = source_bridge_take(source->bridge, buffer + LWS_PRE, PIECE);
    if (!size) return 0;
    lws_callback_on_writable(peer->wsi);
    return lws_write(peer->wsi, buffer + LWS_PRE, size, LWS_WRITE_BINARY) < (int)size ? -1 : 0;
}

void ws_source_close(struct peer *peer, const char *why) { close_for(peer->source, why); }

void ws_source_tick(struct peer *peer, double now) {
    struct ws_source *source = peer->source;
    if (identity_exists(peer->server->identity, peer->caller.user, now)) web_user_enter(peer, NULL);
    else close_for(source, "the session has ended");
    if (source->paused) source->heard = now;  // it is us who do not listen
    if (now - source->heard > SILENT_SECONDS) lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    if (now - source->pinged < PING_SECONDS) return;
    source->pinged = now;
    source->ping_due = true;
    lws_callback_on_writable(peer->wsi);
}

static void run_free(void *argument, bool cancelled) {
    (void)cancelled;
    source_bridge_free(argument);
}

void ws_source_closed(struct peer *peer) {
    struct ws_source *source = peer->source;
    struct web_server *server = peer->server;
    if (!source) return;
    peer->source = NULL;
    source_bridge_stop(source->bridge);
    if (worker_pool_try_add(server->helpers, LANE_COMPUTE, 0, run_free, source->bridge)) source_bridge_free(source->bridge);
    source->peer = NULL;
    if (!atomic_load(&source->posted)) free(source);
    if (!atomic_load(&server->stopping)) user_spaces_detach(server->spaces, peer->caller.user);
}
