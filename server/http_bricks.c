// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http_router.h"
#include "server/web_user.h"

struct brick_job {
    struct http_job job;  // first
    struct field_ref field;
};

// The next decimal number of a path, and what follows it. Refuses signs, blanks, leading zeros and more than nine digits.
static bool take_number(const char **path, uint32_t *number) {
    size_t digits = strspn(*path, "0123456789");
    if (!digits || digits > 9 || (digits > 1 && **path == '0')) return false;
    *number = (uint32_t)strtoul(*path, NULL, 10);
    *path += digits;
    if (**path == '/') (*path)++;
    else if (**path) return false;
    return true;
}

static bool is_edition(const char *edition, const char *text, size_t length) { return strlen(edition) == length && !memcmp(edition, text, length); }

// The step of this number, where the edition is its own or its series'.
static bool has_edition(const struct catalog_series *series, const char *edition, size_t length, size_t step) {
    return step < series->time_count && ((series->editions && is_edition(series->editions[step], edition, length)) || is_edition(series->edition, edition, length));
}

// Which step of which variable has this edition: the step's own, which it keeps when others come, or that of its whole series.
static bool find_edition(const struct catalog *catalog, const char *edition, size_t length, size_t step, struct field_ref *field) {
    for (size_t d = 0; d < catalog->dataset_count; d++)
        for (size_t r = 0; r < catalog->datasets[d].run_count; r++)
            for (size_t v = 0; v < catalog->datasets[d].variable_count; v++) {
                const struct catalog_series *series = &catalog->datasets[d].runs[r].series[v];
                if (!series->present || !has_edition(series, edition, length, step)) continue;
                *field = (struct field_ref){.dataset = &catalog->datasets[d], .run = r, .variable = v, .step = step};
                return true;
            }
    return false;
}

static void cancel(struct http_job *job) { brick_store_cancel(job->server->app->bricks, job); }

static void done(void *user, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct http_job *job = user;
    job->status = status;
    job->body = bytes;
    if (failure) job->failure = *failure;
    http_job_post(job);
}

static int answer(struct peer *peer, struct shared_bytes *bytes) {
    if (bytes && bytes->size) return http_answer(peer, 200, "application/octet-stream", bytes);
    shared_bytes_unref(bytes);
    return http_answer(peer, 204, NULL, NULL);
}

static int fetch(struct peer *peer, const struct field_ref *field, const struct brick_key *key, bool table) {
    struct brick_store *store = peer->server->app->bricks;
    struct brick_job *made = (struct brick_job *)http_job_new(peer, sizeof *made, cancel);
    if (!made) return http_answer_error(peer, 503, "out of memory");
    struct http_job *job = &made->job;
    struct shared_bytes *bytes = NULL;
    struct failure failure = {0};
    made->field = *field;
    job->type = "application/octet-stream";
    job->cache = HTTP_IMMUTABLE;
    memcpy(job->etag, peer->reply.etag, sizeof job->etag);
    int priority = field_priority_brick(0, false);
    int status = table ? brick_store_table(store, job->catalog, &made->field, field_priority_table(0), &bytes, done, job, &failure)
                       : brick_store_brick(store, job->catalog, &made->field, key->level, key->x, key->y, key->z, priority, &bytes, done,
                                           job, &failure);
    if (status == VIRGA_AGAIN) return HTTP_LATER;
    http_job_free(job);
    if (status) return http_answer_error(peer, http_status_of(status), failure.message);
    return answer(peer, bytes);
}

int http_bricks(const struct http_request *request) {
    struct peer *peer = request->peer;
    const char *at = request->path;
    size_t length = strcspn(at, "/");
    struct field_ref field;
    struct brick_key key = {0};
    uint32_t member, step;
    if (at[length]) at += length + 1;
    if (!take_number(&at, &member) || !take_number(&at, &step)) return http_answer_error(peer, 404, "no such member or step");
    if (!find_edition(web_user_catalog(peer->server, peer->caller.user), request->path, length, step, &field))
        return http_answer_error(peer, 404, "no such edition with such a step; the catalog names those on offer");
    if (member >= field.dataset->variables[field.variable].member_count) return http_answer_error(peer, 404, "no such member");
    field.member = member;
    bool table = !strcmp(at, "table");
    struct pyramid_shape shape;
    brick_store_shape(field.dataset, field.variable, &shape);
    if (!table && (!take_number(&at, &key.level) || !take_number(&at, &key.z) || !take_number(&at, &key.y) ||
                   !take_number(&at, &key.x) || *at || at[-1] == '/' || !brick_key_inside(&key, &shape)))
        return http_answer_error(peer, 404, "no such brick");
    // All that the bytes depend on is in the address.
    snprintf(peer->reply.etag, sizeof peer->reply.etag, table ? "\"%.32s-%u-%u\"" : "\"%.32s-%u-%u-%u-%u-%u-%u\"",
             catalog_step_edition(&field), member, step, key.level, key.z, key.y, key.x);
    peer->reply.cache = HTTP_IMMUTABLE;
    if (http_has_copy(peer, peer->reply.etag)) return http_answer(peer, 304, NULL, NULL);
    return fetch(peer, &field, &key, table);
}
