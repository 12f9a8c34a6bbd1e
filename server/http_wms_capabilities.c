// SPDX-License-Identifier: Apache-2.0
// GetCapabilities: written by a helper, and kept for a while.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "server/gzip.h"
#include "server/http_address.h"
#include "server/http_wms.h"
#include "server/web_user.h"
#include "server/wms_capabilities.h"

enum {
    KEEP_SECONDS = 60,             // the usual time, which they tell, is the one nearest to now
    KEEP_MOST = 16 * 1024 * 1024,  // bytes of one
};

struct capabilities_job {
    struct http_job job;  // first
    enum wms_version version;
    unsigned most_side;
    bool packed;
    char address[1024], dataset[WMS_NAME], layers[WMS_TEXT];
};

// What is kept.

static void forget(struct web_document *document) {
    shared_bytes_unref(document->body);
    free(document->key);
    *document = (struct web_document){0};
}

void http_forget_capabilities(struct web_server *server) {
    for (size_t n = 0; n < WEB_TEXTS; n++) forget(&server->capabilities[n]);
}

// All that they depend on, as a text of the caller's; NULL when out of memory.
static char *key_of(const struct capabilities_job *c) {
    char *key;
    int size = asprintf(&key, "%016llx %d %d %s %s %s", (unsigned long long)c->job.catalog->fingerprint, c->version, c->packed, c->address, c->dataset, c->layers);
    return size < 0 ? NULL : key;
}

static struct web_document *find(struct web_server *server, const char *key) {
    for (size_t n = 0; key && n < WEB_TEXTS; n++) {
        struct web_document *document = &server->capabilities[n];
        if (document->body && !strcmp(document->key, key) && clock_monotonic() - document->made < KEEP_SECONDS) return document;
    }
    return NULL;
}

// In the place of the oldest.
static void keep(struct web_server *server, const struct capabilities_job *c) {
    struct web_document *oldest = &server->capabilities[0];
    char *key = c->job.body->size > KEEP_MOST ? NULL : key_of(c);
    if (!key) return;
    for (size_t n = 1; n < WEB_TEXTS; n++)
        if (server->capabilities[n].made < oldest->made) oldest = &server->capabilities[n];
    forget(oldest);
    *oldest = (struct web_document){.key = key, .made = clock_monotonic(), .body = shared_bytes_ref(c->job.body)};
    snprintf(oldest->etag, sizeof oldest->etag, "%.*s", (int)sizeof oldest->etag - 1, c->job.etag);
}

// Making and answering.

static void write_capabilities(void *argument, bool cancelled) {
    struct capabilities_job *c = argument;
    const struct wms_capabilities asked = {.version = c->version, .address = c->address, .dataset = *c->dataset ? c->dataset : NULL, .layers = c->layers,
                                           .most_side = c->most_side, .now = clock_wall()};
    size_t size = 0;
    char *text = cancelled ? NULL : wms_capabilities_write(c->job.catalog, &asked, &size);
    c->job.status = cancelled ? VIRGA_CANCELLED : VIRGA_NO_MEMORY;
    if (text) {
        snprintf(c->job.etag, sizeof c->job.etag, "\"%016llx%s\"", (unsigned long long)XXH3_64bits(text, size), c->packed ? "z" : "");
        c->job.body = c->packed ? gzip_bytes((const uint8_t *)text, size, 6) : shared_bytes_copy(text, size);
        c->job.status = c->job.body ? VIRGA_OK : VIRGA_NO_MEMORY;
    }
    free(text);
    http_job_post(&c->job);
}

static int answer(struct peer *peer, const struct capabilities_job *c, const char *etag, struct shared_bytes *body) {
    snprintf(peer->reply.etag, sizeof peer->reply.etag, "%s", etag);
    peer->reply.cache = "no-cache";
    peer->reply.vary = true;
    if (http_has_copy(peer, etag)) return http_answer(peer, 304, NULL, NULL);
    peer->reply.encoding = c->packed ? "gzip" : NULL;
    return http_answer(peer, 200, wms_capabilities_type(c->version), shared_bytes_ref(body));
}

static void finish(struct http_job *job, struct peer *peer) {
    const struct capabilities_job *c = (struct capabilities_job *)job;
    if (job->status) {
        http_wms_refuse(peer, http_status_of(job->status), job->status, status_name(job->status));
        return;
    }
    keep(peer->server, c);
    answer(peer, c, job->etag, job->body);
}

static void prepare(struct peer *peer, const struct wms_query *query, const char *dataset, const char *layers, struct capabilities_job *c) {
    char base[HTTP_ADDRESS];
    http_address(peer, base);
    snprintf(c->address, sizeof c->address, "%swms%s%s", base, dataset ? "/" : "", dataset ? dataset : "");
    snprintf(c->dataset, sizeof c->dataset, "%s", dataset ? dataset : "");
    snprintf(c->layers, sizeof c->layers, "%s", layers);
    c->version = query->version;
    c->most_side = (unsigned)peer->server->app->config.map_max_size;
    c->packed = http_accepts_gzip(peer);
    c->job.finish = finish;
}

// Where the first name that is asked for is no layer, nothing can be told; others that are none are passed over.
static int check_listed(struct peer *peer, const char *dataset, const char *layers, struct wms_exception *exception) {
    char name[WMS_NAME];
    struct wms_layer layer;
    if (!*layers) return VIRGA_OK;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(layers, ","), layers);
    return wms_layer_find(web_user_catalog(peer->server, peer->caller.user), dataset, name, &layer, exception);
}

int http_wms_capabilities(struct peer *peer, const struct wms_query *query, const char *dataset) {
    struct wms_exception exception = {0};
    const char *layers = wms_parameter(query->parameters, "LAYERS");
    if (!layers) layers = wms_parameter(query->parameters, "LAYER");
    if (!layers) layers = "";
    if (check_listed(peer, dataset, layers, &exception)) return http_wms_except(peer, query, &exception);
    struct capabilities_job *c = (struct capabilities_job *)http_job_new(peer, sizeof *c, NULL);
    if (!c) return http_answer_error(peer, 503, "out of memory");
    prepare(peer, query, dataset, layers, c);
    char *key = key_of(c);
    const struct web_document *kept = find(peer->server, key);
    free(key);
    if (!kept) return http_job_start(&c->job, LANE_COMPUTE, write_capabilities);
    int status = answer(peer, c, kept->etag, kept->body);
    http_job_free(&c->job);
    return status;
}
