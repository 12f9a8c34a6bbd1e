// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "server/gzip.h"
#include "server/http_router.h"
#include "server/web_user.h"

enum { CACHED = 16 };
static const size_t cached_bytes = (size_t)64 << 20;

// Documents made lately, compressed. Service thread.
struct geometry_cache {
    struct {
        char tag[160];
        struct shared_bytes *body;
        uint64_t used;
    } items[CACHED];
    uint64_t clock;
};

struct geometry_job {
    struct http_job job;  // first
    const struct catalog_dataset *dataset;
    char geometry[64];
    struct level_map *map;  // where it is known already: one reference
};

struct geometry_cache *geometry_cache_new(void) { return calloc(1, sizeof(struct geometry_cache)); }

void geometry_cache_free(struct geometry_cache *cache) {
    for (size_t i = 0; cache && i < CACHED; i++) shared_bytes_unref(cache->items[i].body);
    free(cache);
}

static struct shared_bytes *cache_find(struct geometry_cache *cache, const char *tag) {
    for (size_t i = 0; i < CACHED; i++)
        if (cache->items[i].body && !strcmp(cache->items[i].tag, tag)) {
            cache->items[i].used = ++cache->clock;
            return shared_bytes_ref(cache->items[i].body);
        }
    return NULL;
}

static void cache_put(struct geometry_cache *cache, const char *tag, struct shared_bytes *body) {
    size_t oldest = 0, total = body->size;
    for (size_t i = 0; i < CACHED; i++) {
        if (cache->items[i].body) total += cache->items[i].body->size;
        if (cache->items[i].used < cache->items[oldest].used) oldest = i;
    }
    if (total > cached_bytes && !cache->items[oldest].body) return;
    shared_bytes_unref(cache->items[oldest].body);
    snprintf(cache->items[oldest].tag, sizeof cache->items[oldest].tag, "%s", tag);
    cache->items[oldest].body = shared_bytes_ref(body);
    cache->items[oldest].used = ++cache->clock;
}

// "{edition}m{member}s{step}": the geometry of this very field, for ensembles whose members differ in it. False for other ids.
static bool find_member(const struct catalog_dataset *dataset, const char *geometry, struct field_ref *field) {
    char edition[33];
    size_t member, step;
    int length = 0;
    if (sscanf(geometry, "%32[0-9a-f]m%zus%zu%n", edition, &member, &step, &length) != 3 || geometry[length]) return false;
    for (size_t r = 0; r < dataset->run_count; r++)
        for (size_t v = 0; v < dataset->variable_count; v++) {
            const struct catalog_series *series = &dataset->runs[r].series[v];
            *field = (struct field_ref){.dataset = dataset, .variable = v, .run = r, .member = member, .step = step};
            if (!series->present || step >= series->time_count || member >= dataset->variables[v].member_count || strcmp(catalog_step_edition(field), edition)) continue;
            return dataset->variables[v].vertical;
        }
    return false;
}

// A field that stands in this geometry: ids are known without reading, so a wrong one costs nothing.
static bool find_field(const struct catalog_dataset *dataset, const char *geometry, struct field_ref *field) {
    char id[33];
    for (size_t r = dataset->run_count; r-- > 0;)
        for (size_t v = 0; v < dataset->variable_count; v++) {
            const struct catalog_series *series = &dataset->runs[r].series[v];
            if (!series->present || !dataset->variables[v].vertical) continue;
            for (size_t m = 0; m < dataset->variables[v].member_count; m++)
                for (size_t step = 0; step < series->time_count; step++) {
                    *field = (struct field_ref){.dataset = dataset, .variable = v, .run = r, .member = m, .step = step};
                    field_geometry_id(field, id);
                    if (!strcmp(id, geometry)) return true;
                }
        }
    return false;
}

static void run(void *argument, bool cancelled) {
    struct geometry_job *job = argument;
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct field_ref field;
    int status = cancelled ? VIRGA_CANCELLED : VIRGA_OK;
    bool map = strcmp(job->geometry, "surface") != 0;
    // A map that is known is only given to who may see a field that stands in it.
    if (!status && map && !find_member(job->dataset, job->geometry, &field) && !find_field(job->dataset, job->geometry, &field))
        status = failure_set(&job->job.failure, VIRGA_NOT_FOUND, "no such geometry in this dataset");
    if (!status && map && !job->map) status = catalog_level_map(job->job.catalog, &field, &job->map, &job->job.failure);
    if (!status) status = catalog_geometry(job->dataset, job->map, &bytes, &size);
    if (!status && !(job->job.body = gzip_bytes(bytes, size, 3))) status = VIRGA_NO_MEMORY;
    job->job.status = status;
    free(bytes);
    http_job_post(&job->job);
}

// The id of a level map names its content; that of the surface does not, so copies of it are asked about each time.
static const char *caching(const char *geometry) {
    return strcmp(geometry, "surface") ? HTTP_IMMUTABLE : "no-cache";
}

static void finish(struct http_job *job, struct peer *peer) {
    if (job->status) {
        http_answer_failure(peer, http_status_of(job->status), job);
        return;
    }
    memcpy(peer->reply.etag, job->etag, sizeof job->etag);
    cache_put(peer->server->geometries, job->etag, job->body);
    peer->reply.cache = caching(((struct geometry_job *)job)->geometry);
    peer->reply.encoding = "gzip";
    http_answer(peer, 200, "application/octet-stream", job->body);
    job->body = NULL;
}

static void destroy(struct http_job *job) { level_map_unref(((struct geometry_job *)job)->map); }

// What a document depends on besides its map: the grid and the terrain.
static uint64_t hash_surface(const struct catalog_dataset *dataset) {
    const struct grid *grid = dataset->grid;
    uint64_t hash = XXH3_64bits(grid->proj, strlen(grid->proj));
    hash = XXH3_64bits_withSeed(dataset->id, strlen(dataset->id), hash);
    for (size_t r = 0; dataset->terrain >= 0 && r < dataset->run_count; r++) {
        const struct catalog_series *terrain = &dataset->runs[r].series[dataset->terrain];
        hash = XXH3_64bits_withSeed(terrain->edition, sizeof terrain->edition, hash);
    }
    if (grid_is_curvilinear(grid)) {
        hash = XXH3_64bits_withSeed(grid->lon, grid->x.n * grid->y.n * sizeof *grid->lon, hash);
        hash = XXH3_64bits_withSeed(grid->lat, grid->x.n * grid->y.n * sizeof *grid->lat, hash);
    }
    hash = XXH3_64bits_withSeed(grid->x.values, grid->x.n * sizeof *grid->x.values, hash);
    return XXH3_64bits_withSeed(grid->y.values, grid->y.n * sizeof *grid->y.values, hash);
}

int http_geometry(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct web_server *server = peer->server;
    char dataset[256];
    const char *slash = strchr(request->path, '/');
    size_t length = slash ? (size_t)(slash - request->path) : 0;
    const struct catalog_dataset *found = NULL;
    if (length && length < sizeof dataset) {
        memcpy(dataset, request->path, length);
        dataset[length] = '\0';
        found = catalog_find_dataset(web_user_catalog(server, peer->caller.user), dataset);
    }
    if (!found || !slash[1] || strlen(slash + 1) > 60) return http_answer_error(peer, 404, "no such dataset or geometry");
    const char *geometry = slash + 1;
    for (const char *c = geometry; *c; c++)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyz", *c)) return http_answer_error(peer, 404, "no such geometry");
    snprintf(peer->reply.etag, sizeof peer->reply.etag, "\"%s-%016llx\"", geometry, (unsigned long long)hash_surface(found));
    if (http_has_copy(peer, peer->reply.etag)) {
        peer->reply.cache = caching(geometry);
        return http_answer(peer, 304, NULL, NULL);
    }
    struct shared_bytes *body = cache_find(server->geometries, peer->reply.etag);
    if (body) {
        peer->reply.cache = caching(geometry);
        peer->reply.encoding = "gzip";
        return http_answer(peer, 200, "application/octet-stream", body);
    }
    struct geometry_job *job = (struct geometry_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->dataset = found;
    snprintf(job->geometry, sizeof job->geometry, "%s", geometry);
    job->map = field_cache_map(server->fields, geometry);
    job->job.finish = finish;
    job->job.destroy = destroy;
    memcpy(job->job.etag, peer->reply.etag, sizeof job->job.etag);
    return http_job_start(&job->job, LANE_READ, run);
}
