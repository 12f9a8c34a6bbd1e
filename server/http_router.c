// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/http_router.h"
#include "server/web_access.h"

// Routes.

static int serve_file(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct page_file *file = page_files_find(peer->server->page, request->path);
    if (!file) return http_answer_nothing(peer);
    struct http_reply *reply = &peer->reply;
    struct shared_bytes *packed = http_accepts_gzip(peer) ? page_file_gzip(file) : NULL;
    // The compressed form is another representation, with a tag of its own.
    snprintf(reply->etag, sizeof reply->etag, "%.17s%s\"", file->etag, packed ? "z" : "");
    reply->cache = "no-cache";
    reply->vary = true;
    if (http_has_copy(peer, reply->etag)) return http_answer(peer, 304, NULL, NULL);
    reply->encoding = packed ? "gzip" : NULL;
    return http_answer(peer, 200, file->type, shared_bytes_ref(packed ? packed : file->plain));
}

enum { CHANGES = HTTP_GET | HTTP_POST | HTTP_DELETE };

static const struct http_route routes[] = {
    {"api/catalog", false, HTTP_GET, HTTP_GUARD_PAGE, true, false, http_catalog},
    {"api/geometry/", true, HTTP_GET, HTTP_GUARD_PAGE, true, false, http_geometry},
    {"api/sample", false, HTTP_GET, HTTP_GUARD_PAGE, true, false, http_sample},
    {"api/slice", false, HTTP_GET, HTTP_GUARD_PAGE, true, true, http_slice},
    {"api/stats", false, HTTP_GET, HTTP_GUARD_PAGE, false, false, http_stats},
    {"bricks/", true, HTTP_GET, HTTP_GUARD_PAGE, true, false, http_bricks},
    {"tiles/", true, HTTP_GET, HTTP_GUARD_PAGE, true, true, http_tiles},
    {"wms", false, HTTP_GET, HTTP_GUARD_PAGE, true, true, http_wms},
    {"wms/", true, HTTP_GET, HTTP_GUARD_PAGE, true, true, http_wms},
    {"ogc", false, HTTP_GET, HTTP_GUARD_PAGE, true, true, http_ogc},
    {"ogc/", true, HTTP_GET, HTTP_GUARD_PAGE, true, true, http_ogc},
    {"healthz", false, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_health},
    {"readyz", false, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_ready},
    {"metrics", false, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_metrics},
    {"api/exports", false, HTTP_GET | HTTP_POST, HTTP_GUARD_PAGE, true, false, http_exports},
    {"api/exports/", true, CHANGES, HTTP_GUARD_PAGE, true, false, http_exports},
    {"api/pins", false, HTTP_GET | HTTP_POST, HTTP_GUARD_TOKEN, true, false, http_pins},
    {"api/pins/", true, CHANGES | HTTP_PUT, HTTP_GUARD_TOKEN, true, false, http_pins},
    {"pin/", true, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_pin_link},
    {"api/me", false, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_me},
    {"api/login", false, HTTP_GET | HTTP_POST, HTTP_GUARD_OPEN, false, false, http_login},
    {"api/sign-in", false, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_sign_in},
    {"oauth_callback", false, HTTP_GET, HTTP_GUARD_OPEN, false, false, http_signed_in},
    {"api/logout", false, HTTP_GET | HTTP_POST, HTTP_GUARD_OPEN, false, false, http_logout},
    {"api/session", false, CHANGES, HTTP_GUARD_TOKEN, false, false, http_session},
    {"api/engine", false, HTTP_GET | HTTP_POST, HTTP_GUARD_TOKEN, false, false, http_engine},
    {"api/datasets", false, HTTP_GET | HTTP_POST, HTTP_GUARD_TOKEN, false, false, http_datasets},
    {"api/datasets/", true, CHANGES, HTTP_GUARD_TOKEN, false, false, http_datasets},
};

_Static_assert(sizeof routes / sizeof *routes <= WEB_MOST_ROUTES, "raise WEB_MOST_ROUTES");

size_t http_route_count(void) { return sizeof routes / sizeof *routes; }
const struct http_route *http_route_at(size_t number) { return &routes[number]; }
size_t http_route_number(const struct http_route *route) { return (size_t)(route - routes); }

const struct http_route *http_find_route(const char **path) {
    for (size_t i = 0; *path && i < sizeof routes / sizeof *routes; i++) {
        size_t n = strlen(routes[i].path);
        if (routes[i].prefix ? strncmp(*path, routes[i].path, n) : strcmp(*path, routes[i].path)) continue;
        *path += n;
        return &routes[i];
    }
    return NULL;
}

int http_follow_route(const struct http_route *route, const struct http_request *request) {
    const char *words;
    int refused = route->guard == HTTP_GUARD_OPEN ? 0 : web_user_may(request->peer, ACT_SEE, NULL, &words);
    if (refused) return http_answer_error(request->peer, refused, words);
    if (route->of_user) web_user_enter(request->peer, NULL);  // who is refused gets what all see
    return route->handle(request);
}

static int handle_get(struct http_request *request) {
    const struct http_route *route = http_find_route(&request->path);
    request->peer->route = route;
    if (route) return http_follow_route(route, request);
    if (!strcmp(request->path, "source")) return http_answer_error(request->peer, 426, "this address speaks websocket, subprotocol virga.source.1");
    if (!strcmp(request->path, "ws")) return http_answer_error(request->peer, 426, "this address speaks websocket, subprotocol virga.1");
    return serve_file(request);
}

static bool has_body(struct lws *wsi) {
    char length[32];
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING)) return true;
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH)) return false;
    return !http_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof length) || strcmp(length, "0");
}

const char *http_below_base(const struct web_server *server, const char *uri) {
    size_t n = strlen(server->app->config.base_path);
    return strncmp(uri, server->app->config.base_path, n) ? NULL : uri + n;
}

static bool is_base_without_slash(const struct web_server *server, const char *uri) {
    size_t n = strlen(server->app->config.base_path);
    return n > 1 && strlen(uri) == n - 1 && !strncmp(uri, server->app->config.base_path, n - 1);
}

static int answer_get(struct peer *peer, const char *uri) {
    const char *path = http_below_base(peer->server, uri);
    struct http_request request = {.peer = peer, .method = HTTP_GET, .path = path, .body = ""};
    if (path) return handle_get(&request);
    if (!is_base_without_slash(peer->server, uri)) return http_answer_nothing(peer);
    peer->reply.location = peer->server->app->config.base_path;
    return http_answer(peer, 308, NULL, NULL);
}

// A browser asks whether a page of another site may ask for this.
static bool is_shared(struct peer *peer, const char *path) {
    peer->route = path && !has_body(peer->wsi) ? http_find_route(&path) : NULL;
    return peer->route && peer->route->shared;
}

static int answer_options(struct peer *peer) {
    peer->reply.allow = "GET, HEAD, OPTIONS";
    snprintf(peer->reply.more, sizeof peer->reply.more, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\nAccess-Control-Allow-Headers: "
             "Authorization, Content-Type, If-None-Match, X-Virga-Session\r\nAccess-Control-Max-Age: 86400\r\n");
    return http_answer(peer, 204, NULL, NULL);
}

int http_requested(struct peer *peer, const char *uri) {
    struct web_server *server = peer->server;
    struct lws *wsi = peer->wsi;
    bool head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    char version[16];
    http_end_reply(peer);
    server->counters.requests++;
    peer->head = head;
    peer->route = NULL;
    peer->began = clock_monotonic();
    if (!http_header(wsi, WSI_TOKEN_HTTP, version, sizeof version) || strncmp(version, "HTTP/1.", 7))
        return http_refuse(peer, 400, "only HTTP/1.1 is spoken here");
    peer->reply.close = !strcmp(version, "HTTP/1.0") || server->phase == WEB_DRAINING;
    web_user_read(peer, !head && !lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI));
    if (lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI)) return http_write_requested(peer, HTTP_POST, http_below_base(server, uri));
    if (lws_hdr_total_length(wsi, WSI_TOKEN_DELETE_URI)) return http_write_requested(peer, HTTP_DELETE, http_below_base(server, uri));
    if (lws_hdr_total_length(wsi, WSI_TOKEN_PUT_URI)) return http_write_requested(peer, HTTP_PUT, http_below_base(server, uri));
    if (lws_hdr_total_length(wsi, WSI_TOKEN_OPTIONS_URI) && is_shared(peer, http_below_base(server, uri))) return http_send_when_made(peer, answer_options(peer));
    if (!head && !lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI)) {
        peer->reply.allow = "GET, HEAD";
        return http_refuse(peer, 405, "only GET and HEAD are answered here");
    }
    if (has_body(wsi)) return http_refuse(peer, 413, "a request has no body here");
    return http_send_when_made(peer, peer->caller.unknown ? web_access_wait(peer) : answer_get(peer, uri));
}

int http_go_on(struct peer *peer) {
    char uri[WEB_MAX_HEADER];
    web_user_read(peer, peer->body != NULL);
    if (peer->caller.unknown) peer->caller.refused = 401;  // what the hub said was forgotten at once: it is asked too much
    peer->caller.unknown = false;
    if (peer->body) return http_body_complete(peer);
    if (!http_header(peer->wsi, peer->head ? WSI_TOKEN_HEAD_URI : WSI_TOKEN_GET_URI, uri, sizeof uri)) return -1;
    return http_send_when_made(peer, answer_get(peer, uri));
}
