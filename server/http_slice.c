// SPDX-License-Identifier: Apache-2.0
// A surface's values, and its heights, as numbers: /api/slice.
#include <stdio.h>
#include <stdlib.h>

#include "server/gzip.h"
#include "server/http_maps.h"
#include "server/map_slice.h"

enum { MOST_COLUMNS = 1 << 24, LEAST_COLUMNS = 1024, COMPRESSION = 1 };

struct slice_job {
    struct http_map_job http;  // first
    struct map_layer layer;
    struct plane *values, *heights;
    bool wants_heights, packed;
    size_t most;
};

// One of the service's threads.
static int wait_for_planes(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct slice_job *slice = (struct slice_job *)http_map_job_of(map);
    int status = map_service_plane(service, &slice->layer, false, &map->stop, &slice->values, failure);
    if (!status && slice->wants_heights) status = map_service_heights(service, &slice->layer, &map->stop, &slice->heights, failure);
    return status;
}

static int write_body(struct map_job *map, struct map_service *service, struct failure *failure) {
    struct slice_job *slice = (struct slice_job *)http_map_job_of(map);
    struct shared_bytes *plain = NULL;
    (void)service;
    int status = map_slice_write(&slice->layer, slice->values, slice->heights, slice->most, &plain, failure);
    if (status) return status;
    if (slice->packed) {
        slice->http.job.body = gzip_bytes(plain->data, plain->size, COMPRESSION);
        slice->http.job.encoding = "gzip";
        shared_bytes_unref(plain);
    } else {
        slice->http.job.body = plain;
    }
    return slice->http.job.body ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static void destroy(struct http_job *job) {
    struct slice_job *slice = (struct slice_job *)job;
    plane_unref(slice->values);
    plane_unref(slice->heights);
    map_layer_destroy(&slice->layer);
}

static int refuse(struct peer *peer, int code, const struct failure *failure) { return http_map_refuse(peer, http_map_status(code), code, failure->message); }

static int read_query(struct peer *peer, struct map_layer *layer, bool *heights, double *most, struct failure *failure) {
    struct map_query *query = calloc(1, sizeof *query);
    char text[MAP_QUERY_TEXT];
    if (!query) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = http_map_query(peer, query, failure);
    *most = MOST_COLUMNS;
    if (!status && http_query(peer, "most", text, sizeof text)) status = map_query_number("most", text, LEAST_COLUMNS, MOST_COLUMNS, most, failure);
    if (!status && http_query(peer, "heights", text, sizeof text)) status = map_query_flag("heights", text, heights, failure);
    if (!status) status = http_map_resolve(peer, query, query->dataset, query->variable, layer, failure);
    free(query);
    return status;
}

int http_slice(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct map_layer layer = {0};
    struct failure failure = {0};
    bool heights = false;
    double most;
    int status = read_query(peer, &layer, &heights, &most, &failure);
    if (status) return refuse(peer, status, &failure);
    const bool packed = http_accepts_gzip(peer);
    snprintf(peer->reply.etag, sizeof peer->reply.etag, "\"%s-%.0f%s%s\"", layer.edition, most, heights ? "h" : "", packed ? "z" : "");
    peer->reply.vary = true;
    peer->reply.cache = http_map_caching(layer.keeping);
    if (http_has_copy(peer, peer->reply.etag)) {
        map_layer_destroy(&layer);
        return http_answer(peer, 304, NULL, NULL);
    }
    struct slice_job *slice = (struct slice_job *)http_map_job_new(peer, sizeof *slice, NULL);
    if (!slice) {
        map_layer_destroy(&layer);
        return http_map_refuse(peer, 503, VIRGA_NO_MEMORY, "out of memory");
    }
    slice->layer = layer;
    slice->wants_heights = heights;
    slice->packed = packed;
    slice->most = (size_t)most;
    slice->http.map.wait = wait_for_planes;
    slice->http.map.work = write_body;
    slice->http.job.destroy = destroy;
    slice->http.job.type = "application/octet-stream";
    slice->http.job.cache = peer->reply.cache;
    snprintf(slice->http.job.etag, sizeof slice->http.job.etag, "%s", peer->reply.etag);
    return http_map_job_start(&slice->http);
}
