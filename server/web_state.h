// SPDX-License-Identifier: Apache-2.0
// Private to the web server: who holds what. Everything here belongs to the service thread unless said otherwise.
#ifndef VIRGA_SERVER_WEB_STATE_H
#define VIRGA_SERVER_WEB_STATE_H

#include <libwebsockets.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/histogram.h"
#include "base/shared_bytes.h"
#include "server/access_network.h"
#include "server/access_table.h"
#include "server/app.h"
#include "server/field_cache.h"
#include "server/http_page.h"
#include "server/identity.h"
#include "server/pair_table.h"
#include "server/rate_limit.h"
#include "server/service_mailbox.h"
#include "server/session.h"
#include "server/user_space.h"
#include "server/web_server.h"
#include "server/ws_message.h"

enum {
    WEB_BATCH = 64 * 1024,         // bytes aimed at in one websocket message
    WEB_PIECE = 256 * 1024,        // bytes of an HTTP body written at once
    WEB_HEADER_SECONDS = 5,        // to send a request's header
    WEB_STALL_SECONDS = 30,        // an HTTP client that takes nothing
    WEB_ANSWER_SECONDS = 120,      // to make an answer
    WEB_MAX_HEADER = 8192,         // bytes of a request's header
    WEB_MAX_BODY = 66 * 1024,      // bytes of a request's body: a view document and a little
    WEB_BODY_SECONDS = 10,         // for a body to come
    WEB_FILE_READERS = 2,          // threads that read files for answers
    WEB_HELPERS = 2,               // threads a lane of the server's own pool
    WEB_HELPER_QUEUE = 512,
    WEB_TEXTS = 8,                 // catalogs whose text is kept
    WEB_MOST_ROUTES = 64,          // that are counted apart
    WEB_CLOSE_RESTART = 1012,      // a websocket's end: the server restarts, come back (RFC 6455's registry)
    WEB_PROTOCOL_HTTP = 0, WEB_PROTOCOL_WS = 1, WEB_PROTOCOL_SOURCE = 2,
};

struct web_counters {
    uint64_t connections, refused, requests, websockets, messages, bad_messages, batches, bytes_sent, bricks_sent, tables_sent;
};

// How long things took.
struct web_times {
    struct histogram first_batch, done;  // from an interest to its first batch, and to all of it
};

// What was answered at a route.
struct web_answers {
    struct histogram seconds;  // from the request's header to the answer's
    uint64_t classes[6];       // by the first digit of the status
};

enum web_phase { WEB_STARTING, WEB_SERVING, WEB_DRAINING };

// From another thread: something changed, which the service thread tells once, however often that is said before.
struct web_notice {
    struct letter letter;  // first; on its way while `posted`
    atomic_bool posted;
    struct web_server *server;
    void (*tell)(struct web_server *server);  // service thread
};

struct access_hub;
struct address_memo;
struct access_service;
struct export_service;
struct map_service;
struct pin_pictures;
struct pin_service;
struct http_body;
struct http_job;
struct http_route;
struct http_stream;
struct ws_client;
struct ws_source;

struct http_reply {
    int status;
    const char *type;          // static text, or NULL for no body
    const char *encoding;      // "gzip" or NULL
    const char *cache;         // Cache-Control, static text
    const char *allow;         // Allow, static text or NULL
    const char *location;      // or NULL; as long-lived as the server
    char etag[160];            // with its quotes, or ""
    char more[2048];           // header lines besides, each with its line end
    struct shared_bytes *body;  // one reference, or NULL
    struct http_stream *stream;  // instead of `body`, or NULL
    uint64_t body_size;        // said in Content-Length; of the body, or of what a HEAD would have got
    bool close, vary;
};

// Who sent a request.
struct web_caller {
    identity_user user;  // of the session's header; 0: nobody
    bool bearer;         // a token stands in Authorization
    bool publisher;      // … and it is the publish token
    struct access_person person;  // what they may: web_user_may
    char address[ACCESS_ADDRESS];  // where they are, as far as proxies that are believed tell
    bool secure;                  // they came over https, as such a proxy says
    bool ambient;                 // who they are says what a browser or a proxy adds by itself
    bool unknown;                 // they show a token that the hub must be asked about first
    int refused;                  // what they showed on purpose is wrong: the HTTP status to refuse with; else 0
    enum access_kind shown;       // what tells who they are, where it may end
    uint8_t shown_hash[SECRET_HASH];
};

struct peer {
    struct web_server *server;
    struct lws *wsi;
    struct peer *next, **previous;
    char address[64];
    struct web_caller caller;  // of the request under way
    // HTTP: the body that is coming, and the answer under way.
    const struct http_route *route;  // of the request under way, or NULL
    double began;              // when its header was there; monotonic clock
    struct http_body *body;
    struct http_job *job;
    struct http_reply reply;
    bool replying, head, fresh;  // fresh: the header is not sent yet
    size_t sent;
    // websocket
    int upgrade;               // the protocol that was checked: nothing else may be spoken
    bool restart;              // it is to connect again: closed with WEB_CLOSE_RESTART
    struct ws_client *client;
    struct ws_source *source;  // or a notebook's
};

// A catalog as its JSON text.
struct catalog_text {
    struct catalog *catalog;  // one reference
    struct shared_bytes *plain, *gzip;
    size_t condemned;         // files, when it was made
    uint64_t used;
};

// A document that is kept for a while.
struct web_document {
    char *key;                  // all that it depends on
    double made;                // monotonic clock
    struct shared_bytes *body;  // one reference, or NULL
    char etag[40];
};

// What last changed in the catalog that all see.
struct catalog_changes {
    struct letter letter;  // on its way while `posted`
    atomic_bool posted;
    char *datasets;        // ids of those that came, changed or went, a JSON array; NULL: none yet, or out of memory
};

struct web_server {
    struct app *app;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct service_mailbox *mailbox;
    struct worker_pool *helpers;  // waits for files and for the brick store
    struct worker_pool *files;    // reads files of exports
    struct export_service *exports;  // NULL: `exports_off` says why
    char exports_off[400];
    struct pin_service *pins;        // NULL: `pins_off` says why
    char pins_off[400];
    struct pin_pictures *pictures;   // of pins; NULL where there are none
    struct web_notice exports_changed, pins_changed, pictures_changed;
    struct page_files *page;
    struct field_cache *fields;
    struct catalog *catalog;  // what all see, in force: one reference
    struct catalog_changes changes;
    struct catalog_text texts[WEB_TEXTS];  // made when first asked for, and anew when a file was condemned
    uint64_t texts_used;
    struct web_document capabilities[WEB_TEXTS];  // of the Web Map Service
    struct identity *identity;
    struct access_service *access;      // NULL: nobody signs in by a token or at a hub
    struct access_hub *hub;             // NULL: none is asked
    struct worker_pool *hub_askers;     // wait for it
    struct access_network proxies[CONFIG_MAX_HOSTS];  // that are believed
    size_t proxy_count;
    struct user_spaces *spaces;
    struct pair_table *pairs;  // screens and their remotes
    struct rate_limit wrong, sessions;  // wrong tokens and codes; new sessions
    struct letter engine_told;          // on its way while engine_posted
    atomic_bool engine_posted;
    struct map_service *maps;
    struct address_memo *addresses;  // of pictures of maps
    struct geometry_cache *geometries;
    struct session_scratch scratch;
    struct ws_message *message;       // for parsing, reused
    uint8_t *batch;                   // LWS_PRE + room for a batch, reused
    time_t dated;                     // the second of which `date` is the header's line
    char date[48];
    struct peer *peers;
    size_t peer_count, client_count;
    struct web_counters counters;
    struct web_times times;
    struct web_answers answers[WEB_MOST_ROUTES + 2];  // by http_route_number; then files of the page, and what is at no address
    enum web_phase phase;
    struct { double at; struct failure failure; } state_checked;  // status: what came of it at that time
    lws_sorted_usec_list_t tick;
    char frame_ancestors[16384];
    double alive_every, alive_at;  // signs of life for the service manager (service_notify.h)
    char status[200];                // for the service manager
    web_server_read_config read_config;  // or NULL
    void *read_config_user;
    struct web_reload *reload;       // under way
    bool reload_again;
    lws_sorted_usec_list_t drain_look;
    double drain_began;     // monotonic clock
    _Atomic bool stopping;  // any thread
    _Atomic bool asked_to_drain, asked_to_reload;  // any thread
};

// ws_transport.c
// VIRGA_OK, or an HTTP status to refuse with, and words (static).
int ws_check_upgrade(struct peer *peer, struct lws *wsi, const char **words);
// Whether the address is this one below the base path.
bool ws_is_asked(const struct peer *peer, struct lws *wsi, const char *path);
// Whether a websocket of this subprotocol is asked for as it should be: VIRGA_OK, or such a status.
int ws_check_handshake(struct lws *wsi, const char *protocol);
int ws_opened(struct peer *peer);                          // each returns what the library's callback returns
int ws_received(struct peer *peer, const char *data, size_t size);
int ws_writable(struct peer *peer);
void ws_closed(struct peer *peer);
void ws_tick(struct peer *peer, double now);
// Adds up what a websocket client holds.
void ws_count(const struct peer *peer, size_t *in_flight, size_t *memory, size_t *pending);
void ws_field_changed(void *server, struct field_entry *entry);
// user: 0 for all.
void ws_catalog_changed(struct web_server *server, identity_user user);
void ws_tell_user(struct web_server *server, identity_user user, const char *error);
// Whoever was this user is nobody from now on: else their space would go on for them.
void ws_forget_user(struct web_server *server, identity_user user);
void ws_engine_changed(struct web_server *server, identity_user user);
void ws_exports_changed(struct web_server *server);
void ws_pins_changed(struct web_server *server);

// web_catalog.c: takes over what the app's catalog is now, as soon as that changes, and tells everybody.
int web_catalog_start(struct web_server *server, struct failure *failure);
void web_catalog_stop(struct web_server *server);  // NULL-safe: also when it was not started

// ws_source.c: a notebook's process
int ws_source_check_upgrade(struct peer *peer, struct lws *wsi);  // each returns what the library's callback returns
int ws_source_opened(struct peer *peer);
int ws_source_received(struct peer *peer, const void *data, size_t size);
int ws_source_writable(struct peer *peer);
void ws_source_pong(struct peer *peer);
void ws_source_closed(struct peer *peer);
void ws_source_close(struct peer *peer, const char *why);  // with its next writable callback
void ws_source_tick(struct peer *peer, double now);

#endif
