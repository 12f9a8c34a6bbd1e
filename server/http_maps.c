// SPDX-License-Identifier: Apache-2.0
#include "server/http_maps.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/address_memo.h"
#include "server/web_user.h"

enum { ADDRESS = 2048 };  // bytes of one that is remembered

// --- Refusals and caching.

int http_map_refuse(struct peer *peer, int status, int code, const char *message) {
    (void)code;
    return http_answer_error(peer, status, message);
}

int http_map_status(int code) {
    switch (code) {
        case VIRGA_UNSUPPORTED: return 400;
        case VIRGA_CHANGED: return 410;
        default: return http_status_of(code);
    }
}

// What fails on the way is no question of what was asked for: a file that was replaced just now is another one at the next try.
static int refuse_made(struct peer *peer, http_map_refusal refuse, const struct http_job *job) {
    const char *words = job->failure.message[0] ? job->failure.message : status_name(job->status);
    const int status = job->status == VIRGA_CHANGED || job->status == VIRGA_GONE ? 503 : http_map_status(job->status);
    int answered = (refuse ? refuse : http_map_refuse)(peer, status, job->status, words);
    if (answered == 503) http_retry_after(peer, 2);
    return answered;
}

static int refuse_begun(struct http_job *job, int status, const struct failure *failure, http_map_refusal refuse) {
    job->status = status;
    job->failure = *failure;
    int answered = refuse_made(job->peer, refuse, job);
    http_job_free(job);
    return answered;
}

const char *http_map_caching(enum map_keeping keeping) {
    switch (keeping) {
        case MAP_KEEP_EVER: return HTTP_IMMUTABLE;
        case MAP_KEEP_NAMED: return "public, max-age=300";
        default: return "public, max-age=30";
    }
}

static enum map_keeping keeping_of(const struct map_drawing *drawing) {
    enum map_keeping least = MAP_KEEP_EVER;
    for (size_t n = 0; n < drawing->count; n++)
        if (drawing->layers[n].keeping < least) least = drawing->layers[n].keeping;
    return least;
}

// --- Pictures.

struct picture_job {
    struct http_job job;  // first
    struct map_waiter waiter;
    http_map_refusal refuse;
};

// One of the service's threads.
static void drawn(struct map_waiter *waiter, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct picture_job *picture = lws_container_of(waiter, struct picture_job, waiter);
    picture->job.status = status;
    picture->job.body = bytes;
    if (status && failure) picture->job.failure = *failure;
    http_job_post(&picture->job);
}

// Where it is being told just now, the job comes by mail still.
static void drop(struct http_job *job) {
    if (!map_service_drop(job->server->maps, &((struct picture_job *)job)->waiter)) job->will_post = true;
}

static int answer_picture(struct peer *peer, const char *type, const char *cache, const char *etag, struct shared_bytes *bytes) {
    memmove(peer->reply.etag, etag, strlen(etag) + 1);
    peer->reply.cache = cache;
    return http_answer(peer, 200, type, bytes);
}

static int answer_copy(struct peer *peer, const char *cache, const char *etag) {
    answer_picture(peer, NULL, cache, etag, NULL);
    return http_answer(peer, 304, NULL, NULL);
}

static void finish_picture(struct http_job *job, struct peer *peer) {
    struct shared_bytes *body = job->body;
    job->body = NULL;
    if (job->status) refuse_made(peer, ((struct picture_job *)job)->refuse, job);
    else answer_picture(peer, job->type, job->cache, job->etag, body);
}

static int begin(struct peer *peer, struct map_drawing *drawing, const char *key, const char *cache, http_map_refusal refuse) {
    struct picture_job *picture = (struct picture_job *)http_job_new(peer, sizeof *picture, drop);
    if (!picture) {
        map_drawing_destroy(drawing);
        return (refuse ? refuse : http_map_refuse)(peer, 503, VIRGA_NO_MEMORY, "out of memory");
    }
    picture->refuse = refuse;
    picture->waiter.done = drawn;
    picture->job.finish = finish_picture;
    picture->job.type = map_drawing_type(drawing);
    picture->job.cache = cache;
    snprintf(picture->job.etag, sizeof picture->job.etag, "\"%s\"", key);
    struct failure failure;  // once it is begun, the job is another thread's until it comes by mail
    int status = map_service_draw(peer->server->maps, drawing, key, &picture->waiter, &failure);
    return status ? refuse_begun(&picture->job, status, &failure, refuse) : HTTP_LATER;
}

// --- Again.

// All of the address, each part of the query behind a zero, which none of them holds. 0: it is too long.
static size_t write_address(const struct peer *peer, char *out, size_t room) {
    if (!http_header(peer->wsi, peer->head ? WSI_TOKEN_HEAD_URI : WSI_TOKEN_GET_URI, out, room)) return 0;
    size_t at = strlen(out) + 1;
    for (int n = 0; at < room; n++) {
        int length = lws_hdr_copy_fragment(peer->wsi, out + at, (int)(room - at), WSI_TOKEN_HTTP_URI_ARGS, n);
        if (length < 0) return lws_hdr_fragment_length(peer->wsi, WSI_TOKEN_HTTP_URI_ARGS, n) > 0 ? 0 : at;
        at += (size_t)length + 1;
    }
    return 0;
}

// Only of what all see.
static bool sees_what_all_see(const struct peer *peer) { return web_user_catalog(peer->server, peer->caller.user) == peer->server->catalog; }

int http_map_answer_again(struct peer *peer) {
    char address[ADDRESS], etag[MAP_KEY + 2];
    const size_t length = sees_what_all_see(peer) ? write_address(peer, address, sizeof address) : 0;
    const struct address_meaning *meaning = length ? address_memo_find(peer->server->addresses, peer->server->catalog, address, length) : NULL;
    if (!meaning) return -1;
    snprintf(etag, sizeof etag, "\"%s\"", meaning->key);
    if (http_has_copy(peer, etag)) return answer_copy(peer, meaning->cache, etag);
    struct shared_bytes *bytes = map_service_find(peer->server->maps, meaning->key);
    return bytes ? answer_picture(peer, meaning->type, meaning->cache, etag, bytes) : -1;
}

static bool by_clock(const struct map_drawing *drawing) {
    for (size_t n = 0; n < drawing->count; n++)
        if (!drawing->layers[n].time.time_said) return true;
    return false;
}

static void remember(struct peer *peer, const struct map_drawing *drawing, const char *key, const char *cache) {
    struct address_meaning meaning = {.type = map_drawing_type(drawing), .cache = cache};
    char address[ADDRESS];
    const bool plain = !peer->reply.more[0] && !by_clock(drawing) && sees_what_all_see(peer);
    const size_t length = plain ? write_address(peer, address, sizeof address) : 0;
    memcpy(meaning.key, key, sizeof meaning.key);
    if (length) address_memo_put(peer->server->addresses, peer->server->catalog, address, length, &meaning);
}

int http_map_answer(struct peer *peer, struct map_drawing *drawing, http_map_refusal refuse) {
    char key[MAP_KEY], etag[MAP_KEY + 2];
    const char *cache = http_map_caching(keeping_of(drawing)), *type = map_drawing_type(drawing);
    struct shared_bytes *bytes = NULL;
    map_drawing_key(drawing, key);
    snprintf(etag, sizeof etag, "\"%s\"", key);
    remember(peer, drawing, key, cache);
    if (http_has_copy(peer, etag)) {
        map_drawing_destroy(drawing);
        return answer_copy(peer, cache, etag);
    }
    if (!(bytes = map_service_find(peer->server->maps, key))) return begin(peer, drawing, key, cache, refuse);
    map_drawing_destroy(drawing);
    return answer_picture(peer, type, cache, etag, bytes);
}

// --- Queries.

int http_map_query(const struct peer *peer, struct map_query *query, struct failure *failure) {
    char part[WEB_MAX_HEADER];
    int status = VIRGA_OK;
    memset(query, 0, sizeof *query);
    for (int n = 0; !status && lws_hdr_copy_fragment(peer->wsi, part, sizeof part, WSI_TOKEN_HTTP_URI_ARGS, n) >= 0; n++) status = map_query_add(query, part, failure);
    return status;
}

int http_map_resolve(struct peer *peer, const struct map_query *query, const char *dataset, const char *variable, struct map_layer *layer, struct failure *failure) {
    struct map_ask ask;
    map_query_ask(query, &ask);
    ask.dataset = dataset;
    ask.variable = variable;
    return map_layer_resolve(web_user_catalog(peer->server, peer->caller.user), &ask, clock_wall(), layer, failure);
}

// --- Other answers.

struct http_map_job *http_map_job_of(struct map_job *map) { return lws_container_of(map, struct http_map_job, map); }

// One of the service's threads.
static void made(struct map_job *map, int status, const struct failure *failure) {
    struct http_map_job *job = http_map_job_of(map);
    job->job.status = status;
    if (status && failure) job->job.failure = *failure;
    http_job_post(&job->job);
}

static void give_up(struct http_job *job) { map_service_give_up(&((struct http_map_job *)job)->map); }

static void finish(struct http_job *job, struct peer *peer) {
    struct shared_bytes *body = job->body;
    if (job->status) {
        refuse_made(peer, ((struct http_map_job *)job)->refuse, job);
        return;
    }
    job->body = NULL;
    answer_picture(peer, job->type, job->cache, job->etag, body);
    peer->reply.encoding = job->encoding;
}

struct http_map_job *http_map_job_new(struct peer *peer, size_t size, http_map_refusal refuse) {
    struct http_map_job *job = (struct http_map_job *)http_job_new(peer, size, give_up);
    if (!job) return NULL;
    job->refuse = refuse;
    job->map.done = made;
    job->job.finish = finish;
    return job;
}

int http_map_job_start(struct http_map_job *job) {
    struct failure failure;
    job->job.will_post = true;
    int status = map_service_run(job->job.server->maps, &job->map, &failure);
    return status ? refuse_begun(&job->job, status, &failure, job->refuse) : HTTP_LATER;
}
