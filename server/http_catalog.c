// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "server/gzip.h"
#include "server/http_router.h"
#include "server/web_user.h"

static void forget_text(struct catalog_text *text) {
    shared_bytes_unref(text->plain);
    shared_bytes_unref(text->gzip);
    if (text->catalog) catalog_unref(text->catalog);
    *text = (struct catalog_text){0};
}

void http_forget_catalogs(struct web_server *server) {
    for (size_t i = 0; i < WEB_TEXTS; i++) forget_text(&server->texts[i]);
}

static void make_text(struct catalog_text *text, struct catalog *catalog) {
    char *json = app_catalog_json(catalog);
    size_t size = json ? strlen(json) : 0;
    uint8_t *fill;
    text->catalog = catalog_ref(catalog);
    text->plain = json ? shared_bytes_new(size, &fill) : NULL;
    if (text->plain) {
        memcpy(fill, json, size);
        text->gzip = gzip_bytes((const uint8_t *)json, size, 6);
    }
    free(json);
}

// The one of this catalog, or a new one in the place of that longest unused.
static struct catalog_text *find_text(struct web_server *server, struct catalog *catalog) {
    struct catalog_text *text = NULL, *oldest = &server->texts[0];
    size_t condemned = source_pool_condemned_count(server->app->sources);
    for (size_t i = 0; i < WEB_TEXTS; i++) {
        if (server->texts[i].catalog == catalog && server->texts[i].plain && server->texts[i].condemned == condemned) text = &server->texts[i];
        if (server->texts[i].used < oldest->used) oldest = &server->texts[i];
    }
    if (!text) {
        text = oldest;
        forget_text(text);
        make_text(text, catalog);
        text->condemned = condemned;
    }
    text->used = ++server->texts_used;
    return text;
}

int http_catalog(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct web_server *server = peer->server;
    struct catalog_text *text = find_text(server, web_user_catalog(server, peer->caller.user));
    if (!text->plain) return http_answer_error(peer, 503, "out of memory");
    struct shared_bytes *plain = text->plain, *packed = http_accepts_gzip(peer) ? text->gzip : NULL;
    snprintf(peer->reply.etag, sizeof peer->reply.etag, "\"%016llx%s\"", (unsigned long long)XXH3_64bits(plain->data, plain->size),
             packed ? "z" : "");
    peer->reply.cache = "no-cache";
    peer->reply.vary = true;
    if (http_has_copy(peer, peer->reply.etag)) return http_answer(peer, 304, NULL, NULL);
    peer->reply.encoding = packed ? "gzip" : NULL;
    return http_answer(peer, 200, "application/json", shared_bytes_ref(packed ? packed : plain));
}

int http_stats(const struct http_request *request) {
    struct peer *peer = request->peer;
    const struct web_server *server = peer->server;
    const struct web_counters *c = &server->counters;
    struct brick_store_stats s = {0};
    struct source_engine_counts e;
    brick_store_stats(server->app->bricks, &s);
    source_engine_counts(server->app->engine, &e);
    size_t in_flight = 0, memory = 0, pending = 0;
    for (const struct peer *p = server->peers; p; p = p->next) ws_count(p, &in_flight, &memory, &pending);
    json_t *root = json_pack(
        "{s:{s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}",
        "connections", "now", (json_int_t)server->peer_count, "all", (json_int_t)c->connections, "refused", (json_int_t)c->refused,
        "requests", (json_int_t)c->requests, "websockets", (json_int_t)c->websockets,
        "sent", "bytes", (json_int_t)c->bytes_sent, "batches", (json_int_t)c->batches, "bricks", (json_int_t)c->bricks_sent,
        "tables", (json_int_t)c->tables_sent, "messages", (json_int_t)c->messages, "bad_messages", (json_int_t)c->bad_messages,
        "page_files", (json_int_t)page_files_count(server->page),
        "sessions", "now", (json_int_t)server->client_count, "in_flight", (json_int_t)in_flight, "memory", (json_int_t)memory,
        "pending", (json_int_t)pending,
        "store", "memory", (json_int_t)s.memory, "spooled", (json_int_t)s.spooled, "hits", (json_int_t)s.hits,
        "misses", (json_int_t)s.misses, "bricks_encoded", (json_int_t)s.bricks_encoded, "steps_read", (json_int_t)s.steps_read,
        "chunks_bytes_read", (json_int_t)s.chunks_bytes_read,
        "readers", "now", (json_int_t)source_pool_readers(server->app->sources), "restarts", (json_int_t)source_pool_restarts(server->app->sources),
        "engine", "requests", (json_int_t)e.traffic.requests, "read", (json_int_t)e.traffic.read, "sent", (json_int_t)e.traffic.sent,
        "received", (json_int_t)e.traffic.received, "on_the_way", (json_int_t)e.on_the_way, "starts", (json_int_t)e.starts,
        "spaces", (json_int_t)user_spaces_count(server->spaces));
    return http_answer_json(peer, 200, root, 0);
}
