// SPDX-License-Identifier: Apache-2.0
// Pictures of pins: /pin/ID.png and /pin/ID.jpg, as they are now with their captions, and /pin/ID/KEY.jpg, which never change.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http_router.h"
#include "server/pin_files.h"
#include "server/pin_pictures.h"
#include "server/pin_service.h"
#include "server/web_user.h"

// --- As it is now.

struct picture_job {
    struct http_job job;  // first
    struct pin_request request;
};

// A drawer's or the minder's thread.
static void done(struct pin_request *request, int status, struct shared_bytes *bytes, const char *tag, const struct failure *failure) {
    struct picture_job *job = lws_container_of(request, struct picture_job, request);
    job->job.status = status;
    job->job.body = bytes;  // the reference too
    snprintf(job->job.etag, sizeof job->job.etag, "\"%s\"", tag);
    if (failure) job->job.failure = *failure;
    http_job_post(&job->job);
}

static void drop(struct http_job *http) {
    struct picture_job *job = (struct picture_job *)http;
    atomic_store(&job->request.dropped, true);
    if (http->server->pictures) pin_pictures_drop(http->server->pictures);
}

static int wait_a_moment(struct peer *peer, const char *words) {
    http_retry_after(peer, 2);
    return http_answer_error(peer, 503, words);
}

static void finish(struct http_job *http, struct peer *peer) {
    const struct picture_job *job = (const struct picture_job *)http;
    struct shared_bytes *body = http->body;
    http->body = NULL;
    if (!http->status) {
        http_answer(peer, 200, job->request.png ? "image/png" : "image/jpeg", body);
        peer->reply.cache = "no-cache";
        memcpy(peer->reply.etag, http->etag, sizeof peer->reply.etag);
        return;
    }
    switch (http->status) {
        case VIRGA_AGAIN: case VIRGA_CANCELLED: case VIRGA_TIMED_OUT: case VIRGA_NO_MEMORY:
            wait_a_moment(peer, http->failure.message[0] ? http->failure.message : status_name(http->status));
            return;
        // There is such a pin, but nothing to show.
        default: http_answer_failure(peer, http->status == VIRGA_NOT_FOUND ? 404 : 409, http);
    }
}

static bool take_width(const struct peer *peer, unsigned *width) {
    char text[1024];  // whatever the library lets through
    *width = PIN_PICTURE_USUAL;
    if (!http_query(peer, "width", text, sizeof text)) return !text[0];
    if (!*text || strspn(text, "0123456789") != strlen(text)) return false;
    *width = (unsigned)strtoul(text, NULL, 10);
    return *width >= PIN_PICTURE_LEAST && *width <= PIN_PICTURE_WIDEST;
}

static int as_it_is(struct peer *peer, const struct pin *pin, bool png) {
    struct pin_pictures *pictures = peer->server->pictures;
    char tag[PIN_TAG];
    unsigned width;
    if (!take_width(peer, &width)) return http_answer_error(peer, 400, "width: expected pixels from 16 to 1280");
    if (pin_pictures_tag(pictures, pin->id, pin->revision, width, png, tag)) {
        snprintf(peer->reply.etag, sizeof peer->reply.etag, "\"%s\"", tag);
        peer->reply.cache = "no-cache";
        if (http_has_copy(peer, peer->reply.etag)) return http_answer(peer, 304, NULL, NULL);
    }
    struct picture_job *job = (struct picture_job *)http_job_new(peer, sizeof *job, drop);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->request.width = width;
    job->request.png = png;
    job->request.done = done;
    job->request.revision = pin->revision;
    memcpy(job->request.id, pin->id, sizeof job->request.id);
    job->job.finish = finish;
    job->job.will_post = true;
    if (!pin_pictures_ask(pictures, &job->request)) return HTTP_LATER;
    http_job_free(&job->job);
    return wait_a_moment(peer, "too many pictures are asked for at once; try again in a moment");
}

// --- One that never changes.

struct file_job {
    struct http_job job;  // first
    char id[PIN_ID + 1], key[PIN_KEY + 1];
};

static void read_file(void *argument, bool cancelled) {
    struct file_job *job = argument;
    job->job.body = cancelled ? NULL : pin_file_read(job->job.server->app->config.state_dir, job->id, job->key);
    job->job.status = job->job.body ? VIRGA_OK : cancelled ? VIRGA_CANCELLED : VIRGA_NOT_FOUND;
    if (job->job.status == VIRGA_NOT_FOUND) failure_set(&job->job.failure, VIRGA_NOT_FOUND, "there is no such picture (any more)");
    http_job_post(&job->job);
}

static int one_of_all(struct peer *peer, const char *id, const char *key) {
    snprintf(peer->reply.etag, sizeof peer->reply.etag, "\"%s\"", key);
    struct shared_bytes *bytes = pin_pictures_thumbnail(peer->server->pictures, id, key);
    if (bytes) {
        peer->reply.cache = HTTP_IMMUTABLE;
        if (!http_has_copy(peer, peer->reply.etag)) return http_answer(peer, 200, "image/jpeg", bytes);
        shared_bytes_unref(bytes);
        return http_answer(peer, 304, NULL, NULL);
    }
    struct file_job *job = (struct file_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->job.type = "image/jpeg";
    job->job.cache = HTTP_IMMUTABLE;
    memcpy(job->job.etag, peer->reply.etag, sizeof job->job.etag);
    memcpy(job->id, id, sizeof job->id);
    memcpy(job->key, key, sizeof job->key);
    return http_job_start_at(&job->job, peer->server->files, LANE_READ, read_file);
}

// --- The routes.

// "ID.png", "ID.jpg", "ID/KEY.jpg": what is asked for, key "" where it is the one of the moment.
static bool parse(const char *path, char id[PIN_ID + 1], char key[PIN_KEY + 1], bool *png) {
    const size_t length = strlen(path);
    key[0] = '\0';
    snprintf(id, PIN_ID + 1, "%.*s", PIN_ID, path);
    if (!pin_id_valid(id)) return false;
    const char *rest = path + PIN_ID;
    *png = !strcmp(rest, ".png");
    if (*png || !strcmp(rest, ".jpg")) return true;
    if (*rest != '/' || length != PIN_ID + 1 + PIN_KEY + 4 || strcmp(rest + 1 + PIN_KEY, ".jpg")) return false;
    snprintf(key, PIN_KEY + 1, "%.*s", PIN_KEY, rest + 1);
    return pin_key_valid(key);
}

int http_pin_picture(const struct http_request *request) {
    struct peer *peer = request->peer;
    char id[PIN_ID + 1], key[PIN_KEY + 1];
    bool png;
    struct pin pin;
    const char *words = NULL;
    const int refused = web_user_may(peer, ACT_SEE, NULL, &words);
    if (refused) return http_answer_error(peer, refused, words);
    if (!parse(request->path, id, key, &png)) return http_answer_nothing(peer);
    if (!peer->server->pins) return http_answer_error(peer, 501, peer->server->pins_off);
    if (!peer->server->pictures) return http_answer_error(peer, 501, "this server draws no pictures of pins");
    if (!pin_table_get(pin_service_table(peer->server->pins), id, &pin)) return http_answer_error(peer, 404, "there is no such pin");
    const int status = key[0] ? one_of_all(peer, id, key) : as_it_is(peer, &pin, png);
    pin_release(&pin);
    return status;
}
