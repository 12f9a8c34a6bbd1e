// SPDX-License-Identifier: Apache-2.0
// Requests to answers. Service thread. A handler fills peer->reply and returns an HTTP status code of its own making, or
// starts a job (http_job) and returns HTTP_LATER.
#ifndef VIRGA_SERVER_HTTP_ROUTER_H
#define VIRGA_SERVER_HTTP_ROUTER_H

#include "server/web_state.h"

enum { HTTP_LATER = 0 };

struct http_request {
    struct peer *peer;
    const char *path;  // below the base path, decoded, without the query
};

// What the library's callbacks return: 0, or -1 to close.
int http_requested(struct peer *peer, const char *uri);
int http_writable(struct peer *peer);
// The connection is going: ends a job under way.
void http_closed(struct peer *peer);
// Answers at once with an error; closes afterwards. For refusals outside the normal course.
int http_refuse(struct peer *peer, int status, const char *message);

// For handlers.
// A header's text, or false when it is absent or longer than room - 1.
bool http_header(struct lws *wsi, int token, char *out, size_t room);
bool http_accepts_gzip(const struct peer *peer);
// One value of the query ("lon"), decoded; false when absent or too long.
bool http_query(const struct peer *peer, const char *key, char *out, size_t room);
// Whether the client's copy is the one with this tag (weak comparison, as If-None-Match asks).
bool http_has_copy(const struct peer *peer, const char *etag);
// Fills the reply; takes over the caller's reference to the body.
int http_answer(struct peer *peer, int status, const char *type, struct shared_bytes *body);
int http_answer_text(struct peer *peer, int status, const char *type, const char *text);
int http_answer_error(struct peer *peer, int status, const char *message);
// The HTTP status for a failure.
int http_status_of(int status);

// An answer that other threads make. The maker fills status, type, body (and failure), then posts it.
struct http_job {
    struct letter letter;    // first
    struct peer *peer;       // service thread: NULL once the client is gone
    struct web_server *server;
    struct catalog *catalog;  // one reference
    atomic_bool posted;
    void (*cancel)(struct http_job *job);  // ends what is under way; the job is posted sooner or later if `will_post`
    bool will_post;          // even when cancelled (a helper's job)
    void (*finish)(struct http_job *job, struct peer *peer);  // service thread: fills the reply; NULL for the default
    void (*destroy)(struct http_job *job);  // frees what a larger struct holds besides; may be NULL
    int status;              // VIRGA_*
    struct failure failure;
    struct shared_bytes *body;
    const char *type, *cache, *encoding;
    char etag[160];
};

// `size` ≥ sizeof(struct http_job), the job first in it. NULL when out of memory.
struct http_job *http_job_new(struct peer *peer, size_t size, void (*cancel)(struct http_job *));
void http_job_post(struct http_job *job);  // any thread
// Any thread of the server's helpers will run it; HTTP_LATER, or the status of an error answer. Frees the job on failure.
int http_job_start(struct http_job *job, enum worker_lane lane, worker_job run);
void http_job_free(struct http_job *job);

// The routes.
int http_catalog(const struct http_request *request);
int http_stats(const struct http_request *request);
int http_geometry(const struct http_request *request);
int http_sample(const struct http_request *request);
int http_bricks(const struct http_request *request);
struct geometry_cache *geometry_cache_new(void);
void geometry_cache_free(struct geometry_cache *cache);

#endif
