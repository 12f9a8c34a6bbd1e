// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "server/gzip.h"
#include "server/http_router.h"

static bool make_texts(struct web_server *server) {
    size_t condemned = source_pool_condemned_count(server->app->sources);
    if (server->catalog_plain && condemned == server->catalog_condemned) return true;
    shared_bytes_unref(server->catalog_plain);
    shared_bytes_unref(server->catalog_gzip);
    server->catalog_gzip = NULL;
    server->catalog_condemned = condemned;
    char *json = app_catalog_json(server->catalog);
    size_t size = json ? strlen(json) : 0;
    uint8_t *fill;
    server->catalog_plain = json ? shared_bytes_new(size, &fill) : NULL;
    if (server->catalog_plain) {
        memcpy(fill, json, size);
        server->catalog_gzip = gzip_bytes((const uint8_t *)json, size, 6);
    }
    free(json);
    return server->catalog_plain != NULL;
}

int http_catalog(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct web_server *server = peer->server;
    if (!make_texts(server)) return http_answer_error(peer, 503, "out of memory");
    struct shared_bytes *plain = server->catalog_plain, *packed = http_accepts_gzip(peer) ? server->catalog_gzip : NULL;
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
    brick_store_stats(server->app->bricks, &s);
    size_t in_flight = 0, memory = 0, pending = 0;
    for (const struct peer *p = server->peers; p; p = p->next) ws_count(p, &in_flight, &memory, &pending);
    json_t *root = json_pack(
        "{s:{s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I}}",
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
        "readers", "now", (json_int_t)source_pool_readers(server->app->sources), "restarts", (json_int_t)source_pool_restarts(server->app->sources));
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    int status = text ? http_answer_text(peer, 200, "application/json", text) : http_answer_error(peer, 503, "out of memory");
    peer->reply.cache = "no-store";
    free(text);
    return status;
}
