// SPDX-License-Identifier: Apache-2.0
// Requests to answers. Service thread. A handler fills peer->reply and returns an HTTP status code of its own making, or
// starts a job (http_job) and returns HTTP_LATER.
#ifndef VIRGA_SERVER_HTTP_ROUTER_H
#define VIRGA_SERVER_HTTP_ROUTER_H

#include <jansson.h>

#include "server/http_stream.h"
#include "server/web_state.h"

enum { HTTP_LATER = 0 };

enum http_method { HTTP_GET = 1, HTTP_POST = 2, HTTP_DELETE = 4, HTTP_PUT = 8 };  // HEAD is GET

struct http_request {
    struct peer *peer;
    enum http_method method;
    const char *path;  // below the route's own, decoded, without the query
    const char *body;  // of a POST or PUT, zero-terminated; "" where there is none
    size_t body_size;
};

// What the library's callbacks return: 0, or -1 to close.
int http_requested(struct peer *peer, const char *uri);
int http_writable(struct peer *peer);
// A piece of the request's body came; the whole is there.
int http_body_came(struct peer *peer, const char *data, size_t size);
int http_body_complete(struct peer *peer);
// Once a second.
void http_tick(struct peer *peer, double now);
// The part of an address below the base path, or NULL.
const char *http_below_base(const struct web_server *server, const char *uri);
// A request to write, `path` below the base path or NULL.
int http_write_requested(struct peer *peer, enum http_method method, const char *path);
void http_body_free(struct peer *peer);
// Whose requests to write are taken.
enum http_guard {
    HTTP_GUARD_PAGE,   // whoever signed in, by their own page or as a program; where nobody signs in, the page on this machine: http_origin_may_write
    HTTP_GUARD_TOKEN,  // a page that may read, or no page: the handler looks at tokens
    HTTP_GUARD_OPEN,   // likewise; and who may not even see (ACT_SEE) may ask it, too
};

struct http_route {
    const char *path;
    bool prefix;
    unsigned methods;  // of enum http_method
    enum http_guard guard;
    bool of_user;      // what it does depends on the user's space, which is made for it
    bool shared;       // pages of other sites may read what it answers: all where anybody may look, else those that the configuration names
    int (*handle)(const struct http_request *request);
};
// The route of a path below the base path, which is cut down to what follows the route's own; NULL where there is none.
const struct http_route *http_find_route(const char **path);
// For metrics: how many there are, one of them, and its number.
size_t http_route_count(void);
const struct http_route *http_route_at(size_t number);
size_t http_route_number(const struct http_route *route);
// The answer of the request under way is about to be sent.
void http_count(struct peer *peer);
int http_follow_route(const struct http_route *route, const struct http_request *request);  // what the handler returns
// The connection is going: ends a job under way.
void http_closed(struct peer *peer);
// Answers at once with an error; closes afterwards. For refusals outside the normal course.
int http_refuse(struct peer *peer, int status, const char *message);

// Sends the reply, which is filled; or HTTP_LATER as `status`: when it is made. What the library's callbacks return.
int http_send_when_made(struct peer *peer, int status);
void http_end_reply(struct peer *peer);

// For handlers.
// A header's text, or false when it is absent or longer than room - 1.
bool http_header(struct lws *wsi, int token, char *out, size_t room);
// Of a header that the library has no number for; name: in lower case, with its colon.
bool http_custom_header(struct lws *wsi, const char *name, char *out, size_t room);
bool http_accepts_gzip(const struct peer *peer);
// One value of the query ("lon"), decoded; false when absent or too long.
bool http_query(const struct peer *peer, const char *key, char *out, size_t room);
// Whether the client's copy is the one with this tag (weak comparison, as If-None-Match asks).
bool http_has_copy(const struct peer *peer, const char *etag);

#define HTTP_IMMUTABLE "public, max-age=31536000, immutable"  // Cache-Control of what never changes at its address

// Fills the reply; takes over the caller's reference to the body.
int http_answer(struct peer *peer, int status, const char *type, struct shared_bytes *body);
int http_answer_text(struct peer *peer, int status, const char *type, const char *text);
int http_answer_error(struct peer *peer, int status, const char *message);
// The answer says when to try again.
void http_retry_after(struct peer *peer, int seconds);
// Takes over the caller's reference; root: NULL when out of memory. It is not to be stored. flags: of json_dumps(), besides JSON_COMPACT.
int http_answer_json(struct peer *peer, int status, json_t *root, size_t flags);
int http_answer_nothing(struct peer *peer);                     // 404
int http_answer_method(struct peer *peer, const char *allow);   // 405; allow: static text
// Bytes of a source with this strong ETag and type, the range that was asked for or all. Takes over the source.
int http_answer_source(struct peer *peer, const char *type, const char *etag, struct http_source *source);
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
    bool goes_on;            // it is no answer: the request goes on (http_go_on) when it is delivered; where it failed, that is the answer
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
// Answers a job that failed, with its failure's words or those of its status.
int http_answer_failure(struct peer *peer, int status, const struct http_job *job);
// A request that had to wait for who sent it goes on from its start: what the library's callbacks return.
int http_go_on(struct peer *peer);
void http_job_post(struct http_job *job);  // any thread
// Any thread of the server's helpers will run it; HTTP_LATER, or the status of an error answer. Frees the job on failure.
int http_job_start(struct http_job *job, enum worker_lane lane, worker_job run);
// … or any of another pool.
int http_job_start_at(struct http_job *job, struct worker_pool *pool, enum worker_lane lane, worker_job run);
void http_job_free(struct http_job *job);
// One that whoever was to make it refused: frees it, and answers that the server is busy.
int http_job_busy(struct http_job *job);

// The routes.
int http_catalog(const struct http_request *request);
int http_stats(const struct http_request *request);
int http_health(const struct http_request *request);
int http_ready(const struct http_request *request);
int http_metrics(const struct http_request *request);
int http_geometry(const struct http_request *request);
int http_sample(const struct http_request *request);
int http_bricks(const struct http_request *request);
int http_ogc(const struct http_request *request);
int http_tiles(const struct http_request *request);
int http_wms(const struct http_request *request);
int http_slice(const struct http_request *request);
int http_exports(const struct http_request *request);
int http_pins(const struct http_request *request);
int http_pin_link(const struct http_request *request);
int http_pin_picture(const struct http_request *request);
int http_session(const struct http_request *request);
int http_engine(const struct http_request *request);
int http_me(const struct http_request *request);
int http_login(const struct http_request *request);
int http_sign_in(const struct http_request *request);
int http_signed_in(const struct http_request *request);
int http_logout(const struct http_request *request);
int http_datasets(const struct http_request *request);
void http_forget_catalogs(struct web_server *server);
void http_forget_capabilities(struct web_server *server);
struct geometry_cache *geometry_cache_new(void);
void geometry_cache_free(struct geometry_cache *cache);

#endif
