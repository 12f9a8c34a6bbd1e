// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/utf8.h"
#include "server/http_origin.h"
#include "server/http_range.h"
#include "server/http_router.h"
#include "server/web_user.h"

static const struct { int status; const char *words; } reasons[] = {
    {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"}, {302, "Found"}, {304, "Not Modified"}, {308, "Permanent Redirect"},
    {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"}, {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"},
    {411, "Length Required"}, {412, "Precondition Failed"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"}, {422, "Unprocessable Content"},
    {426, "Upgrade Required"}, {428, "Precondition Required"}, {429, "Too Many Requests"}, {500, "Internal Server Error"}, {501, "Not Implemented"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
    {507, "Insufficient Storage"}};

static const char *reason_of(int status) {
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].words;
    return "Error";
}

// What a request says.

bool http_header(struct lws *wsi, int token, char *out, size_t room) {
    out[0] = '\0';
    int length = lws_hdr_total_length(wsi, (enum lws_token_indexes)token);
    return length > 0 && (size_t)length < room && lws_hdr_copy(wsi, out, (int)room, (enum lws_token_indexes)token) >= 0;
}

bool http_custom_header(struct lws *wsi, const char *name, char *out, size_t room) {
    int size = lws_hdr_custom_length(wsi, name, (int)strlen(name));
    out[0] = '\0';
    return size > 0 && (size_t)size < room && lws_hdr_custom_copy(wsi, out, (int)room, name, (int)strlen(name)) >= 0;
}

bool http_accepts_gzip(const struct peer *peer) {
    char text[512];
    if (!http_header(peer->wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, text, sizeof text)) return false;
    for (char *save = NULL, *part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
        part += strspn(part, " \t");
        if (strncasecmp(part, "gzip", 4) || (part[4] && !strchr(" \t;", part[4]))) continue;
        const char *q = strstr(part, "q=");
        return !q || strtod(q + 2, NULL) > 0;
    }
    return false;
}

bool http_query(const struct peer *peer, const char *key, char *out, size_t room) {
    char part[WEB_MAX_HEADER];
    size_t length = strlen(key);
    out[0] = '\0';
    for (int i = 0; lws_hdr_copy_fragment(peer->wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, i) >= 0; i++) {
        if (strncmp(part, key, length) || part[length] != '=') continue;
        if (strlen(part + length + 1) >= room) return false;
        memcpy(out, part + length + 1, strlen(part + length + 1) + 1);
        return true;
    }
    return false;
}

bool http_has_copy(const struct peer *peer, const char *etag) {
    char tags[1024];
    if (!etag[0] || !http_header(peer->wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, tags, sizeof tags)) return false;
    if (!strcmp(tags, "*")) return true;
    const char *at = strstr(tags, etag);
    return at != NULL;
}

// Answers.

int http_answer(struct peer *peer, int status, const char *type, struct shared_bytes *body) {
    struct http_reply *reply = &peer->reply;
    shared_bytes_unref(reply->body);
    reply->status = status;
    reply->type = type;
    reply->body = body;
    reply->body_size = body ? body->size : 0;
    return status;
}

int http_answer_text(struct peer *peer, int status, const char *type, const char *text) {
    return http_answer(peer, status, type, shared_bytes_copy(text, strlen(text)));
}

void http_retry_after(struct peer *peer, int seconds) {
    const size_t at = strlen(peer->reply.more), room = sizeof peer->reply.more - at;
    int length = snprintf(peer->reply.more + at, room, "Retry-After: %d\r\n", seconds);
    if (length < 0 || (size_t)length >= room) peer->reply.more[at] = '\0';  // half a line would spoil the next
}

int http_answer_error(struct peer *peer, int status, const char *message) {
    char clean[512], text[1024];
    snprintf(clean, sizeof clean, "%s", message);
    utf8_clean(clean);
    json_t *root = json_pack("{s:{s:i, s:s}}", "error", "status", status, "message", clean);
    size_t size = root ? json_dumpb(root, text, sizeof text - 1, JSON_COMPACT) : 0;
    json_decref(root);
    text[size < sizeof text ? size : 0] = '\0';
    peer->reply.encoding = NULL;
    peer->reply.etag[0] = '\0';
    peer->reply.cache = "no-store";
    return http_answer_text(peer, status, "application/json", text);
}

int http_answer_json(struct peer *peer, int status, json_t *root, size_t flags) {
    char *text = root ? json_dumps(root, JSON_COMPACT | flags) : NULL;
    json_decref(root);
    status = text ? http_answer_text(peer, status, "application/json", text) : http_answer_error(peer, 503, "out of memory");
    peer->reply.cache = "no-store";
    if (text) explicit_bzero(text, strlen(text));  // it may hold a token
    free(text);
    return status;
}

int http_answer_nothing(struct peer *peer) { return http_answer_error(peer, 404, "there is nothing at this address"); }

int http_answer_method(struct peer *peer, const char *allow) {
    peer->reply.allow = allow;
    return http_answer_error(peer, 405, "this address does not answer this method");
}

int http_answer_source(struct peer *peer, const char *type, const char *etag, struct http_source *source) {
    char range[100], if_range[200];
    struct http_reply *reply = &peer->reply;
    struct http_range part;
    uint64_t size = source->size;
    // A header that is too long to be one is no range.
    if (peer->head || !http_header(peer->wsi, WSI_TOKEN_HTTP_RANGE, range, sizeof range)) range[0] = '\0';
    if (!http_header(peer->wsi, WSI_TOKEN_HTTP_IF_RANGE, if_range, sizeof if_range) && lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_IF_RANGE))
        range[0] = '\0';
    enum http_range_kind kind = http_range_parse(range, if_range, etag, size, &part);
    if (kind == HTTP_RANGE_UNSATISFIABLE) {
        source->free(source);
        snprintf(reply->more, sizeof reply->more, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
        return http_answer_error(peer, 416, "the range lies outside");
    }
    http_answer(peer, kind == HTTP_RANGE_PART ? 206 : 200, type, NULL);
    snprintf(reply->etag, sizeof reply->etag, "%s", etag);
    size_t at = strlen(reply->more);
    at += (size_t)snprintf(reply->more + at, sizeof reply->more - at, "Accept-Ranges: bytes\r\n");
    if (kind == HTTP_RANGE_PART && at < sizeof reply->more)
        snprintf(reply->more + at, sizeof reply->more - at, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)part.first,
                 (unsigned long long)(part.first + part.count - 1), (unsigned long long)size);
    reply->body_size = part.count;
    if (peer->head || !part.count) {
        source->free(source);
        return reply->status;
    }
    reply->stream = http_stream_new(peer, source, part.first, part.count);
    if (reply->stream) return reply->status;
    reply->more[0] = '\0';
    return http_answer_error(peer, 503, "out of memory");
}

int http_status_of(int status) {
    switch (status) {
        case VIRGA_OK: return 200;
        case VIRGA_INVALID: return 400;
        case VIRGA_NOT_FOUND: return 404;
        case VIRGA_TOO_LARGE: case VIRGA_NO_MEMORY: case VIRGA_CANCELLED: return 503;
        case VIRGA_TIMED_OUT: return 504;
        default: return 500;
    }
}

// Writing.

// A header that is put together: pieces are copied, since formatting them is a tenth of what a small answer costs.
struct header_text {
    char *out;
    size_t at, room;  // at: room where it did not fit
};

static void add(struct header_text *text, const char *piece) {
    const size_t n = strlen(piece);
    if (n < text->room - text->at) {
        memcpy(text->out + text->at, piece, n + 1);
        text->at += n;
    } else {
        text->at = text->room;
    }
}

static void add_line(struct header_text *text, const char *name, const char *value) {
    add(text, name);
    add(text, value);
    add(text, "\r\n");
}

static void add_number(struct header_text *text, unsigned long long number) {
    char digits[24], *first = digits + sizeof digits - 1;
    *first = '\0';
    do *--first = (char)('0' + number % 10);
    while (number /= 10);
    add(text, first);
}

// The line of the second, made once.
static void add_date(struct header_text *text, struct web_server *server) {
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t now = time(NULL);
    if (now != server->dated || !server->date[0]) {
        struct tm t;
        gmtime_r(&now, &t);
        snprintf(server->date, sizeof server->date, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[t.tm_wday], t.tm_mday, months[t.tm_mon],
                 t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
        server->dated = now;
    }
    add(text, server->date);
}

// " ws://HOST wss://HOST" where the client's Host header is plain; browsers that do not count a websocket as 'self' need it.
static void add_socket_hosts(struct header_text *text, struct lws *wsi) {
    char host[256];
    if (!http_header(wsi, WSI_TOKEN_HOST, host, sizeof host)) return;
    for (const char *c = host; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(".-:[]", *c)) return;
    add(text, " ws://");
    add(text, host);
    add(text, " wss://");
    add(text, host);
}

// Who may read the answer besides the server's own pages.
static void add_sharing(struct header_text *text, const struct peer *peer) {
    const struct config *config = &peer->server->app->config;
    const bool shared = peer->route && peer->route->shared;
    char origin[300];
    add_line(text, "Cross-Origin-Resource-Policy: ", shared || peer->server->frame_ancestors[0] ? "cross-origin" : "same-origin");
    if (!shared) return;
    if (config->anonymous_views) {
        add(text, "Access-Control-Allow-Origin: *\r\n");
    } else {
        if (http_header(peer->wsi, WSI_TOKEN_ORIGIN, origin, sizeof origin) && http_origin_is_configured(config, origin)) {
            add_line(text, "Access-Control-Allow-Origin: ", origin);
            add(text, "Access-Control-Allow-Credentials: true\r\n");
        }
        add(text, "Vary: Origin\r\n");
    }
    add(text, "Access-Control-Expose-Headers: ETag, Retry-After, Warning\r\n");
}

static void add_caching(struct header_text *text, const struct peer *peer) {
    const struct http_reply *r = &peer->reply;
    const bool private = peer->caller.user != 0 || !peer->server->app->config.anonymous_views;  // no cache on the way may give it to another
    if (r->vary) add_line(text, "Vary: Accept-Encoding", private ? ", X-Virga-Session" : "");
    else if (private) add(text, "Vary: X-Virga-Session\r\n");
    if (r->etag[0]) add_line(text, "ETag: ", r->etag);
    if (!r->cache) return;
    add(text, private ? "Cache-Control: private, " : "Cache-Control: ");
    add_line(text, "", private && !strncmp(r->cache, "public, ", 8) ? r->cache + 8 : r->cache);
}

static void add_status(struct header_text *text, struct peer *peer) {
    const struct http_reply *r = &peer->reply;
    add(text, "HTTP/1.1 ");
    add_number(text, (unsigned long long)r->status);
    add_line(text, " ", reason_of(r->status));
    add_date(text, peer->server);
    if (r->type) add_line(text, "Content-Type: ", r->type);
    if (r->status == 204 || r->status == 304) return;
    add(text, "Content-Length: ");
    add_number(text, r->body_size);
    add(text, "\r\n");
}

// What browsers are told to refuse.
static void add_protection(struct header_text *text, const struct peer *peer) {
    add(text, "Content-Security-Policy: default-src 'self'; script-src 'self'; worker-src 'self' blob:; connect-src 'self'");
    add_socket_hosts(text, peer->wsi);
    add(text, "; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; object-src 'none'; base-uri 'self'; "
              "form-action 'self'; frame-ancestors 'self'");
    add_line(text, "", peer->server->frame_ancestors);
    add(text, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
    add_sharing(text, peer);
    add(text, "Permissions-Policy: camera=(), microphone=(), geolocation=(), fullscreen=(self), xr-spatial-tracking=(self)\r\n\r\n");
}

static int write_header(struct peer *peer, char *out, size_t room) {
    const struct http_reply *r = &peer->reply;
    struct header_text text = {out, 0, room};
    add_status(&text, peer);
    if (r->encoding) add_line(&text, "Content-Encoding: ", r->encoding);
    add_caching(&text, peer);
    if (r->allow) add_line(&text, "Allow: ", r->allow);
    if (r->location) add_line(&text, "Location: ", r->location);
    if (r->status == 401) add(&text, "WWW-Authenticate: Bearer realm=\"virga\"\r\n");
    add(&text, r->more);
    if (r->close) add(&text, "Connection: close\r\n");
    add_protection(&text, peer);
    return text.at < room ? (int)text.at : -1;
}

void http_end_reply(struct peer *peer) {
    shared_bytes_unref(peer->reply.body);
    http_stream_drop(peer->reply.stream);
    peer->reply = (struct http_reply){0};
    peer->replying = false;
}

// The header, with the body behind it where that is small: one write.
static int write_first(struct peer *peer) {
    uint8_t *out = peer->server->batch + LWS_PRE;
    const struct shared_bytes *body = peer->head ? NULL : peer->reply.body;
    int size = write_header(peer, (char *)out, WEB_BATCH / 2);
    if (size < 0) return -1;
    size_t part = body && body->size <= WEB_BATCH / 2 ? body->size : 0;
    if (part) memcpy(out + size, body->data, part);
    peer->fresh = false;
    http_count(peer);
    peer->sent = part;
    peer->server->counters.bytes_sent += (size_t)size + part;
    return lws_write(peer->wsi, out, (size_t)size + part, LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

static int write_piece(struct peer *peer) {
    const struct shared_bytes *body = peer->reply.body;
    size_t part = body->size - peer->sent;
    if (part > WEB_PIECE) part = WEB_PIECE;
    // The library sends plain HTTP/1.1 from where it lies and does not write to it.
    if (lws_write(peer->wsi, (unsigned char *)(uintptr_t)(body->data + peer->sent), part, LWS_WRITE_HTTP) < 0) return -1;
    peer->sent += part;
    peer->server->counters.bytes_sent += part;
    return 0;
}

// A client that has asked again before it took the answer keeps the library's loop awake, so it gets little time to stall.
static int stall_seconds(const struct peer *peer) {
    char byte;
    return recv(lws_get_socket_fd(peer->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 ? WEB_HEADER_SECONDS : WEB_STALL_SECONDS;
}

// 1: there is more to come; 0: all is sent; -1: close.
static int write_next(struct peer *peer) {
    bool fresh = peer->fresh;
    if (fresh && write_first(peer)) return -1;
    if (peer->reply.stream) {
        if (!fresh) return http_stream_write(peer->reply.stream);
        lws_callback_on_writable(peer->wsi);
        return 1;
    }
    if (!fresh && write_piece(peer)) return -1;
    if (peer->head || !peer->reply.body || peer->sent >= peer->reply.body->size) return 0;
    lws_callback_on_writable(peer->wsi);
    return 1;
}

int http_writable(struct peer *peer) {
    if (!peer->replying) return 0;
    int more = write_next(peer);
    if (more < 0) return -1;
    // What went out whole in one piece leaves nobody to wait for, and is most of what is hot.
    if (more || lws_partial_buffered(peer->wsi)) lws_set_timeout(peer->wsi, PENDING_TIMEOUT_HTTP_CONTENT, stall_seconds(peer));
    if (more) return 0;
    bool close = peer->reply.close;
    http_end_reply(peer);
    return close || lws_http_transaction_completed(peer->wsi) ? -1 : 0;
}

static int start_reply(struct peer *peer) {
    peer->replying = peer->fresh = true;
    peer->sent = 0;
    return http_writable(peer);
}

int http_refuse(struct peer *peer, int status, const char *message) {
    peer->head = false;
    peer->server->counters.refused++;
    http_answer_error(peer, status, message);
    peer->reply.close = true;
    peer->replying = peer->fresh = true;
    write_first(peer);
    http_end_reply(peer);
    return -1;
}

// Answers that other threads make.

struct http_job *http_job_new(struct peer *peer, size_t size, void (*cancel)(struct http_job *)) {
    struct http_job *job = calloc(1, size);
    if (!job) return NULL;
    job->peer = peer;
    job->server = peer->server;
    job->catalog = catalog_ref(web_user_catalog(peer->server, peer->caller.user));
    job->cancel = cancel;
    peer->job = job;
    return job;
}

void http_job_free(struct http_job *job) {
    if (job->peer) job->peer->job = NULL;
    if (job->destroy) job->destroy(job);
    shared_bytes_unref(job->body);
    if (job->catalog) catalog_unref(job->catalog);
    free(job);
}

int http_answer_failure(struct peer *peer, int status, const struct http_job *job) {
    return http_answer_error(peer, status, job->failure.message[0] ? job->failure.message : status_name(job->status));
}

static void finish_job(struct http_job *job, struct peer *peer) {
    if (job->status) {
        http_answer_failure(peer, http_status_of(job->status), job);
        return;
    }
    struct shared_bytes *body = job->body;
    job->body = NULL;
    http_answer(peer, body && body->size ? 200 : 204, body && body->size ? job->type : NULL, body);
    peer->reply.cache = job->cache;
    peer->reply.encoding = job->encoding;
    memcpy(peer->reply.etag, job->etag, sizeof peer->reply.etag);
}

// What it was waited for is known by now, or is the answer: that the hub does not know a token is found there.
static void go_on(struct http_job *job, struct peer *peer) {
    bool failed = job->status && job->status != VIRGA_INVALID;
    if (failed) http_answer_failure(peer, 503, job);
    http_job_free(job);
    lws_rx_flow_control(peer->wsi, 1);
    if (failed) http_body_free(peer);
    if (failed ? start_reply(peer) : http_go_on(peer)) lws_set_timeout(peer->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

static void job_delivered(struct letter *letter) {
    struct http_job *job = (struct http_job *)letter;
    struct peer *peer = job->peer;
    if (peer && job->goes_on) {
        go_on(job, peer);
        return;
    }
    if (peer) {
        (job->finish ? job->finish : finish_job)(job, peer);
        peer->replying = peer->fresh = true;
        peer->sent = 0;
        lws_rx_flow_control(peer->wsi, 1);  // without it the library hands out no writable callback
        lws_callback_on_writable(peer->wsi);
    }
    http_job_free(job);
}

void http_job_post(struct http_job *job) {
    job->letter.deliver = job_delivered;
    atomic_store(&job->posted, true);
    service_mailbox_post(job->server->mailbox, &job->letter);
}

int http_job_busy(struct http_job *job) {
    struct peer *peer = job->peer;
    http_job_free(job);
    http_retry_after(peer, 1);
    return http_answer_error(peer, 503, "the server is busy; try again");
}

int http_job_start_at(struct http_job *job, struct worker_pool *pool, enum worker_lane lane, worker_job run) {
    job->will_post = true;
    return worker_pool_try_add(pool, lane, 0, run, job) ? http_job_busy(job) : HTTP_LATER;
}

int http_job_start(struct http_job *job, enum worker_lane lane, worker_job run) { return http_job_start_at(job, job->server->helpers, lane, run); }

void http_closed(struct peer *peer) {
    struct http_job *job = peer->job;
    http_end_reply(peer);
    http_body_free(peer);
    if (!job) return;
    peer->job = NULL;
    job->peer = NULL;
    if (job->cancel) job->cancel(job);
    if (!job->will_post && !atomic_load(&job->posted)) http_job_free(job);  // else it comes by mail, to nobody
}

int http_send_when_made(struct peer *peer, int status) {
    if (status != HTTP_LATER) return start_reply(peer);
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_HTTP_CONTENT, WEB_ANSWER_SECONDS);
    lws_rx_flow_control(peer->wsi, 0);  // what follows waits in the socket
    return 0;
}
