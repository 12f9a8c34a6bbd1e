// SPDX-License-Identifier: Apache-2.0
// Maps as answers over HTTP, for every protocol that has them: caching, tags, refusals. Service thread.
#ifndef VIRGA_SERVER_HTTP_MAPS_H
#define VIRGA_SERVER_HTTP_MAPS_H

#include "server/http_router.h"
#include "server/map_query.h"
#include "server/map_service.h"

// How a protocol tells of a failure: fills the reply. status: of HTTP; code: VIRGA_*. Returns the status that it answers with.
typedef int (*http_map_refusal)(struct peer *peer, int status, int code, const char *message);
// As JSON, as everywhere else here. A 503 says when to come back, by whomever it is told.
int http_map_refuse(struct peer *peer, int status, int code, const char *message);
// The HTTP status of a failure to resolve or make a map: 400, 404, 410 (VIRGA_CHANGED: the edition is gone), 503, 504, 500.
int http_map_status(int code);

// Answers with a picture: 304 where the client has it, from memory, or when it is drawn. Takes over *drawing. refuse: NULL is http_map_refuse. Header lines that the reply has in
// `more` already are kept. Returns what a handler returns.
int http_map_answer(struct peer *peer, struct map_drawing *drawing, http_map_refusal refuse);

// Answers a request that was answered by http_map_answer before with the picture that it had, where its address still means that and the picture is in memory; else −1.
int http_map_answer_again(struct peer *peer);

// An answer that a job of the service makes. First in a larger struct. What `map.wait` and `map.work` make goes into job.body (and job.encoding, …); job.type, job.cache and
// job.destroy are the caller's to set, job.finish only where more than a body is answered.
struct http_map_job {
    struct http_job job;
    struct map_job map;
    http_map_refusal refuse;
};
// `size` of the larger struct. NULL when out of memory.
struct http_map_job *http_map_job_new(struct peer *peer, size_t size, http_map_refusal refuse);
// HTTP_LATER, or the status of a refusal; frees the job where it cannot be begun.
int http_map_job_start(struct http_map_job *job);
// In `wait` and `work`: the job of the answer.
struct http_map_job *http_map_job_of(struct map_job *map);

// Reads the query of the request under way. VIRGA_OK or VIRGA_INVALID with words.
int http_map_query(const struct peer *peer, struct map_query *query, struct failure *failure);
// What such a query asks for of a variable, in what the caller sees. Codes of map_layer_resolve.
int http_map_resolve(struct peer *peer, const struct map_query *query, const char *dataset, const char *variable, struct map_layer *layer, struct failure *failure);
// A tile: what is "Z/X/Y.png", "Z/X/Y@2x.png" or "Z/X/Y.jpg"; else 404.
int http_tile(struct peer *peer, const char *dataset, const char *variable, const char *what, const struct map_query *query, http_map_refusal refuse);
// TileJSON of a layer: http_tilejson.c.
int http_tilejson(struct peer *peer, const char *dataset, const char *variable, const struct map_query *query);

// Cache-Control for what is made of a layer (static text).
const char *http_map_caching(enum map_keeping keeping);

#endif
