// SPDX-License-Identifier: Apache-2.0
#include "server/web_server.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"
#include "server/address_memo.h"
#include "server/client_place.h"
#include "server/export_service.h"
#include "server/http_router.h"
#include "server/map_service.h"
#include "server/service_notify.h"
#include "server/web_drain.h"
#include "server/web_reload.h"
#include "server/web_services.h"
#include "server/web_state.h"
#include "server/web_user.h"

enum { SCRATCH = 1 << 17, TICK_USECS = 1000000, MIN_PER_ADDRESS = 256 };

// Connections.

static size_t count_address(const struct web_server *server, const char *address) {
    size_t count = 0;
    for (const struct peer *p = server->peers; p; p = p->next) count += !strcmp(p->address, address);
    return count;
}

static int connected(struct web_server *server, struct lws *wsi) {
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer) return -1;
    peer->server = server;
    peer->wsi = wsi;
    lws_get_peer_simple(wsi, peer->address, sizeof peer->address);
    // A proxy's connections all have one address, so one address may have most of them, but never all.
    size_t limit = (size_t)server->app->config.max_connections, share = limit / 2 > MIN_PER_ADDRESS ? limit - limit / 4 : limit;
    server->counters.connections++;
    if (server->peer_count >= limit || count_address(server, peer->address) >= share) {
        server->counters.refused++;
        free(peer);
        return -1;
    }
    peer->next = server->peers;
    peer->previous = &server->peers;
    if (peer->next) peer->next->previous = &peer->next;
    server->peers = peer;
    server->peer_count++;
    lws_set_opaque_user_data(wsi, peer);
    return 0;
}

static void disconnected(struct peer *peer) {
    lws_set_opaque_user_data(peer->wsi, NULL);
    ws_closed(peer);
    ws_source_closed(peer);
    http_closed(peer);
    *peer->previous = peer->next;
    if (peer->next) peer->next->previous = peer->previous;
    peer->server->peer_count--;
    free(peer);
}

static int check_upgrade(struct peer *peer, struct lws *wsi) {
    char to[32];
    // The library may have dropped the header already, after it refused an upgrade that it does not know.
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE)) return -1;
    if (!http_header(wsi, WSI_TOKEN_UPGRADE, to, sizeof to) || strcasecmp(to, "websocket"))
        return http_refuse(peer, 400, "only websocket is upgraded to");
    if (peer->server->phase == WEB_DRAINING) return http_refuse(peer, 503, "the server is stopping");
    if (ws_is_asked(peer, wsi, "source")) return ws_source_check_upgrade(peer, wsi);
    const char *words;
    int status = ws_check_upgrade(peer, wsi, &words);
    return status ? http_refuse(peer, status, words) : 0;
}

// The library takes the first subprotocol on the client's list that it knows, whatever was checked.
static int opened(struct peer *peer, const struct lws_protocols *protocol) {
    if (!protocol || (int)protocol->id != peer->upgrade) return -1;
    return peer->upgrade == WEB_PROTOCOL_WS ? ws_opened(peer) : peer->upgrade == WEB_PROTOCOL_SOURCE ? ws_source_opened(peer) : -1;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size) {
    (void)user;
    struct web_server *server = lws_context_user(lws_get_context(wsi));
    struct peer *peer = lws_get_opaque_user_data(wsi);
    const struct lws_protocols *protocol = lws_get_protocol(wsi);
    switch (reason) {
        case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: return connected(server, wsi);
        case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
            service_mailbox_deliver(server->mailbox);
            return 0;
        case LWS_CALLBACK_WSI_DESTROY:
            if (peer) disconnected(peer);
            return 0;
        case LWS_CALLBACK_CLOSED:
            if (peer) {
                ws_closed(peer);
                ws_source_closed(peer);
            }
            return 0;
        case LWS_CALLBACK_RAW_ADOPT: case LWS_CALLBACK_RAW_RX: case LWS_CALLBACK_RAW_WRITEABLE: return -1;  // CONNECT is not served
        default: break;
    }
    if (!peer) return 0;
    switch (reason) {
        case LWS_CALLBACK_HTTP: return http_requested(peer, in);
        case LWS_CALLBACK_HTTP_BODY: return http_body_came(peer, in, size);
        case LWS_CALLBACK_HTTP_BODY_COMPLETION: return http_body_complete(peer);
        case LWS_CALLBACK_HTTP_WRITEABLE: return http_writable(peer);
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return check_upgrade(peer, wsi);
        case LWS_CALLBACK_ESTABLISHED: return opened(peer, protocol);
        case LWS_CALLBACK_RECEIVE: return peer->client ? ws_received(peer, in, size) : peer->source ? ws_source_received(peer, in, size) : -1;
        case LWS_CALLBACK_RECEIVE_PONG:
            if (peer->source) ws_source_pong(peer);
            return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE: return peer->client ? ws_writable(peer) : peer->source ? ws_source_writable(peer) : -1;
        default: return 0;
    }
}

// No client can name the first one: parentheses are no part of a subprotocol's name.
static const struct lws_protocols protocols[] = {
    {.name = "(http)", .callback = callback, .rx_buffer_size = 4096, .id = WEB_PROTOCOL_HTTP, .tx_packet_size = 1 << 20},
    {.name = "virga.1", .callback = callback, .rx_buffer_size = 4096, .id = WEB_PROTOCOL_WS, .tx_packet_size = 1 << 20},
    {.name = "virga.source.1", .callback = callback, .rx_buffer_size = 32768, .id = WEB_PROTOCOL_SOURCE, .tx_packet_size = 1 << 20},
    {.name = NULL}};

// Once a second.

static void tick(lws_sorted_usec_list_t *list) {
    struct web_server *server = lws_container_of(list, struct web_server, tick);
    double now = clock_monotonic();
    struct peer *next;
    for (struct peer *peer = server->peers; peer; peer = next) {
        next = peer->next;
        if (peer->client) ws_tick(peer, now);
        else if (peer->source) ws_source_tick(peer, now);
        else http_tick(peer, now);
    }
    if (server->alive_every > 0 && now >= server->alive_at + server->alive_every) {
        server->alive_at = now;
        service_notify_alive();
    }
    user_spaces_tick(server->spaces, now);
    lws_sul_schedule(server->context, 0, &server->tick, tick, TICK_USECS);
}

// Starting and stopping.

static void library_log(int level, const char *line) {
    int length = (int)strcspn(line, "\n");
    if (level & LLL_ERR) log_warning("http", "%.*s", length, line);
    else log_debug("http", "%.*s", length, line);
}

// A numeric address for the host, which the library takes for an interface's name otherwise.
static int resolve(const char *host, char *out, size_t room, bool *v6, struct failure *failure) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (!error) error = getnameinfo(found->ai_addr, found->ai_addrlen, out, (socklen_t)room, NULL, 0, NI_NUMERICHOST);
    if (found) {
        *v6 = found->ai_family == AF_INET6;
        freeaddrinfo(found);
    }
    return error ? failure_set(failure, VIRGA_NOT_FOUND, "cannot listen on %s: %s", host, gai_strerror(error)) : VIRGA_OK;
}

static int check_listen(const struct config *config, char *address, size_t room, bool *v6, struct failure *failure) {
    int status = resolve(config->listen_host, address, room, v6, failure);
    if (status || client_place_is_loopback(address) || config_has_auth(config) || config->open_to_all) return status;
    return failure_set(failure, VIRGA_INVALID, "listen = %.100s opens this server to other machines, but nobody has to sign in. Say how one signs in, with auth = token (then `virga token "
                       "create`), proxy or jupyterhub; or let everybody in who can reach it, with open-to-all = yes; or listen on 127.0.0.1", config->listen_host);
}

int web_server_check(const struct config *config, struct failure *failure) {
    char address[128];
    bool v6 = false;
    int status = config_check_access(config, failure);
    return status ? status : check_listen(config, address, sizeof address, &v6, failure);
}

static int listen_on(struct web_server *server, int *port, struct failure *failure) {
    const struct config *config = &server->app->config;
    char address[128];
    bool v6 = false;
    int status = check_listen(config, address, sizeof address, &v6, failure);
    if (status) return status;
    lws_set_log_level(LLL_ERR | LLL_WARN, library_log);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .gid = (gid_t)-1, .uid = (uid_t)-1, .user = server,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .max_http_header_data2 = WEB_MAX_HEADER, .max_http_header_pool2 = (unsigned)config->max_connections + 16,
        .pt_serv_buf_size = 32 * 1024, .timeout_secs = WEB_HEADER_SECONDS, .timeout_secs_ah_idle = WEB_HEADER_SECONDS,
        .keepalive_timeout = 30, .alpn = "http/1.1", .iface = address, .vhost_name = "virga", .server_string = "virga",
    };
    server->context = lws_create_context(&info);
    if (!server->context) return failure_set(failure, VIRGA_NO_MEMORY, "cannot start the web server");
    info.port = config->listen_port;
    if (!v6) info.options |= LWS_SERVER_OPTION_DISABLE_IPV6;
    server->vhost = lws_create_vhost(server->context, &info);
    *port = server->vhost ? lws_get_vhost_listen_port(server->vhost) : -1;
    if (*port <= 0)
        return failure_set(failure, VIRGA_IO, "cannot listen on %s:%d: is the port taken, or reserved?", config->listen_host,
                           config->listen_port);
    service_mailbox_attach(server->mailbox, server->context);
    lws_sul_schedule(server->context, 0, &server->tick, tick, TICK_USECS);
    return VIRGA_OK;
}

static int start_maps(struct web_server *server, struct failure *failure) {
    const struct config *config = &server->app->config;
    const int drawers = config->workers < 2 ? 2 : config->workers > 16 ? 16 : config->workers;
    const struct map_service_options options = {.bricks = server->app->bricks, .memory = config->map_memory, .drawers = drawers, .waiters = config->readers < 2 ? 2 : config->readers};
    if (!(server->addresses = address_memo_new())) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    return map_service_new(&options, &server->maps, failure);
}

int web_server_new(struct app *app, struct web_server **out, int *port, struct failure *failure) {
    const int threads[LANE_COUNT] = {WEB_HELPERS, WEB_HELPERS};
    struct web_server *server = *out = NULL;
    int status = VIRGA_NO_MEMORY;
    if (!(server = calloc(1, sizeof *server))) goto end;
    server->app = app;
    server->catalog = app_catalog(app);
    web_reload_in_force(server);
    if (!(server->mailbox = service_mailbox_new())) goto end;
    if (!(server->helpers = worker_pool_new(threads, WEB_HELPER_QUEUE))) goto end;
    if (!(server->files = worker_pool_new((const int[LANE_COUNT]){WEB_FILE_READERS, 1}, (size_t)app->config.max_connections))) goto end;
    if (!(server->fields = field_cache_new(app->bricks, server->helpers, server->mailbox, ws_field_changed, server))) goto end;
    if (!(server->geometries = geometry_cache_new())) goto end;
    if (!(server->pairs = pair_table_new(NULL, NULL))) goto end;
    if (!(server->message = calloc(1, sizeof *server->message))) goto end;
    if (!(server->batch = malloc(LWS_PRE + WEB_BATCH + 256 * 1024))) goto end;
    if (session_scratch_init(&server->scratch, SCRATCH)) goto end;
    status = start_maps(server, failure);
    if (!status) status = page_files_load(app->config.web_root, &server->page, failure);
    if (!status && !page_files_find(server->page, ""))
        log_warning("page", "%s has no index.html: only the API is served", app->config.web_root);
    if (!status) web_services_open(app);
    if (!status) status = web_user_start(server, failure);
    if (!status) status = web_catalog_start(server, failure);
    if (!status) status = listen_on(server, port, failure);
    if (!status) web_services_start(server);
end:
    if (status == VIRGA_NO_MEMORY) failure_set(failure, status, "out of memory while starting the web server");
    if (status) web_server_free(server);
    else *out = server;
    return status;
}

int web_server_run(struct web_server *server, const char *status) {
    server->phase = WEB_SERVING;
    thread_run_soon();
    snprintf(server->status, sizeof server->status, "%s", status);
    service_notify_ready(server->status);
    server->alive_every = service_notify_alive_every();
    while (!atomic_load(&server->stopping)) {
        if (lws_service(server->context, 0) < 0) return VIRGA_IO;
        if (atomic_exchange(&server->asked_to_reload, false)) web_reload_begin(server);
        if (atomic_load(&server->asked_to_drain) && server->phase != WEB_DRAINING) web_drain_begin(server);
        if (server->phase == WEB_DRAINING && web_drain_is_over(server)) web_server_stop(server);
    }
    return VIRGA_OK;
}

void web_server_stop(struct web_server *server) {
    atomic_store(&server->stopping, true);
    service_mailbox_wake(server->mailbox);
}

void web_server_drain(struct web_server *server) {
    atomic_store(&server->asked_to_drain, true);
    service_mailbox_wake(server->mailbox);
}

void web_server_on_reload(struct web_server *server, web_server_read_config read, void *user) {
    server->read_config = read;
    server->read_config_user = user;
}

void web_server_reload(struct web_server *server) {
    atomic_store(&server->asked_to_reload, true);
    service_mailbox_wake(server->mailbox);
}

void web_server_free(struct web_server *server) {
    if (!server) return;
    if (server->mailbox) service_mailbox_attach(server->mailbox, NULL);
    if (server->context) {
        lws_sul_cancel(&server->tick);
        lws_sul_cancel(&server->drain_look);
        lws_context_destroy(server->context);
    }
    while (server->peers) disconnected(server->peers);
    web_catalog_stop(server);
    web_user_stop(server);
    web_services_stop(server);
    map_service_free(server->maps);
    address_memo_free(server->addresses);
    worker_pool_free(server->files);
    worker_pool_free(server->helpers);
    if (server->mailbox) service_mailbox_deliver(server->mailbox);
    field_cache_free(server->fields);
    service_mailbox_free(server->mailbox);
    page_files_free(server->page);
    geometry_cache_free(server->geometries);
    pair_table_free(server->pairs);
    session_scratch_destroy(&server->scratch);
    http_forget_catalogs(server);
    http_forget_capabilities(server);
    if (server->catalog) catalog_unref(server->catalog);
    free(server->changes.datasets);
    free(server->message);
    free(server->batch);
    free(server);
}
