// SPDX-License-Identifier: Apache-2.0
// Requests that write, and their bodies.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/http_router.h"
#include "server/web_access.h"

// A body that is coming, to be handled when it is whole.
struct http_body {
    const struct http_route *route;
    enum http_method method;
    char path[512];
    double deadline;           // monotonic clock
    size_t size, have;
    int refusal;               // the status to answer with when it has come, which nobody reads; 0: none
    char words[512];
    char data[];               // size + 1 bytes; none with a refusal
};

void http_body_free(struct peer *peer) {
    free(peer->body);
    peer->body = NULL;
}

static bool is_json(struct lws *wsi) {
    char type[200];
    if (!http_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof type)) return false;
    size_t length = strcspn(type, "; \t");
    return length == 16 && !strncasecmp(type, "application/json", 16);
}

// Bytes that the request says its body has. -1: it does not say; -2: no number.
static long body_size(struct lws *wsi) {
    char text[32];
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH)) return -1;
    if (!http_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof text) || !text[0] || text[strspn(text, "0123456789")] || strlen(text) > 9) return -2;
    return strtol(text, NULL, 10);
}

// Whether a request to write is taken by where it comes from.
static bool may_ask(struct peer *peer, enum http_guard guard, struct failure *failure) {
    const struct config *config = &peer->server->app->config;
    struct web_sender from;
    web_user_sender(peer, &from);
    if (guard == HTTP_GUARD_PAGE && !config_has_auth(config)) return !http_origin_may_write(config, &from.sender, failure);
    if (web_access_is_cross_site(peer, &from)) {
        failure_set(failure, VIRGA_INVALID, "by whom a browser or a proxy says that it was sent is only believed with the header Origin of the server's own page; programs show a token");
        return false;
    }
    if (!from.strange && http_origin_may_read(config, &from.sender)) return true;
    failure_set(failure, VIRGA_INVALID, "pages of this origin may not ask here: name it in the setting allow-origin");
    return false;
}

// 0, or why the request is refused, before its body has come.
static int refusal_of(struct peer *peer, enum http_guard guard, enum http_method method, long size, struct failure *failure) {
    const char *words;
    if (!may_ask(peer, guard, failure)) return 403;
    int refused = guard == HTTP_GUARD_OPEN || peer->caller.unknown ? 0 : web_user_may(peer, ACT_SEE, NULL, &words);
    if (refused) return failure_set(failure, refused, "%s", words);
    if (method == HTTP_DELETE && size > 0) return failure_set(failure, 413, "a request to delete has no body");
    if (method != HTTP_DELETE && size > 0 && !is_json(peer->wsi)) return failure_set(failure, 415, "a body here is application/json");
    return 0;
}

int http_write_requested(struct peer *peer, enum http_method method, const char *path) {
    struct failure failure = {0};
    const char *rest = path;
    const struct http_route *route = peer->route = http_find_route(&rest);
    if (!route || !(route->methods & method)) {
        peer->reply.allow = route && route->methods & HTTP_POST ? "GET, HEAD, POST" : "GET, HEAD";
        return http_refuse(peer, 405, "only GET and HEAD are answered here");
    }
    long size = body_size(peer->wsi);
    if (lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) || (size < 0 && method != HTTP_DELETE))
        return http_refuse(peer, size == -2 ? 400 : 411, "a body comes with its Content-Length, not in chunks");
    if (size > WEB_MAX_BODY) return http_refuse(peer, 413, "a body has at most 67584 bytes");
    if (size == -2) return http_refuse(peer, 400, "the Content-Length is no number");
    if (size < 0) size = 0;
    int refusal = refusal_of(peer, route->guard, method, size, &failure);
    http_body_free(peer);
    struct http_body *body = peer->body = malloc(sizeof *body + (refusal ? 0 : (size_t)size + 1));
    if (!body || strlen(rest) >= sizeof body->path) return http_refuse(peer, body ? 404 : 503, body ? "there is nothing at this address" : "out of memory");
    *body = (struct http_body){.route = route, .method = method, .deadline = clock_monotonic() + WEB_BODY_SECONDS, .size = (size_t)size, .refusal = refusal};
    snprintf(body->path, sizeof body->path, "%s", rest);
    snprintf(body->words, sizeof body->words, "%s", failure.message);
    // With a length of 0 the library tells of a POST's body all the same.
    return size || method == HTTP_POST ? 0 : http_body_complete(peer);
}

// What comes behind a request whose answer is under way is left out: the connection ends with the answer.
static bool is_answering(const struct peer *peer) { return peer->job || (!peer->body && peer->replying); }

int http_body_came(struct peer *peer, const char *data, size_t size) {
    struct http_body *body = peer->body;
    if (!size || is_answering(peer)) return 0;
    if (!body || size > body->size - body->have) return -1;
    if (!body->refusal) memcpy(body->data + body->have, data, size);
    body->have += size;
    return 0;
}

int http_body_complete(struct peer *peer) {
    struct http_body *body = peer->body;
    if (is_answering(peer)) return 0;
    if (!body || body->have != body->size) return -1;
    if (peer->caller.unknown && !body->refusal) {
        int waits = web_access_wait(peer);
        peer->reply.close = true;
        body->deadline = INFINITY;
        if (waits != HTTP_LATER) http_body_free(peer);
        return http_send_when_made(peer, waits);
    }
    struct http_request request = {.peer = peer, .method = body->method, .path = body->path, .body = "", .body_size = body->size};
    int status;
    if (body->refusal) {
        peer->server->counters.refused++;
        status = http_answer_error(peer, body->refusal, body->words);
    } else {
        body->data[body->size] = '\0';
        request.body = body->data;
        status = http_follow_route(body->route, &request);
    }
    peer->reply.close = true;  // what a library makes of a request after one with a body need not be relied on
    http_body_free(peer);
    return http_send_when_made(peer, status);
}

// An answer that is being made, which its maker would rather not make for nobody. Nothing is read from such a client, so its going is not told.
static bool is_gone(const struct peer *peer) {
    char byte;
    return peer->job && peer->job->cancel && recv(lws_get_socket_fd(peer->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void http_tick(struct peer *peer, double now) {
    if (is_gone(peer)) lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
    if (!peer->body || now < peer->body->deadline) return;
    http_body_free(peer);
    peer->server->counters.refused++;
    http_answer_error(peer, 408, "the body did not come in time");
    peer->reply.close = true;
    peer->replying = peer->fresh = true;
    lws_callback_on_writable(peer->wsi);
}
