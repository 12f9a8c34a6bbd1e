// SPDX-License-Identifier: Apache-2.0
// Whether the server is alive (/healthz), and whether it should be sent visitors (/readyz).
#include <jansson.h>

#include "base/clock.h"
#include "server/http_router.h"
#include "server/state_check.h"

// However often it is asked, the database is written to no more often than this.
enum { CHECK_SECONDS = 2 };

int http_health(const struct http_request *request) {
    request->peer->reply.cache = "no-store";
    return http_answer_text(request->peer, 200, "text/plain; charset=utf-8", "ok\n");
}

// The state folder may stand on a disk that does not answer: it is asked on a thread that does nothing else.
static void check_state(void *argument, bool cancelled) {
    struct http_job *job = argument;
    job->status = cancelled ? VIRGA_CANCELLED : state_check(job->server->app->config.state_dir, &job->failure);
    http_job_post(job);
}

static void add_reason(json_t *reasons, const char *words) { json_array_append_new(reasons, json_string(words)); }

static int answer(struct peer *peer, json_t *reasons) {
    bool ready = json_array_size(reasons) == 0;
    return http_answer_json(peer, ready ? 200 : 503, json_pack("{s:b, s:o}", "ready", ready, "reasons", reasons), 0);
}

static json_t *reasons_of(const struct web_server *server) {
    struct failure failure;
    json_t *reasons = json_array();
    if (server->phase == WEB_STARTING) add_reason(reasons, "the server is starting");
    if (server->phase == WEB_DRAINING) add_reason(reasons, "the server is stopping");
    if (source_pool_check(server->app->sources, &failure)) add_reason(reasons, failure.message);
    return reasons;
}

static int answer_now(struct peer *peer) {
    const struct failure *state = &peer->server->state_checked.failure;
    json_t *reasons = reasons_of(peer->server);
    if (state->status) add_reason(reasons, state->message);
    return answer(peer, reasons);
}

static void finish(struct http_job *job, struct peer *peer) {
    struct web_server *server = job->server;
    server->state_checked.at = clock_monotonic();
    if (job->status) failure_set(&server->state_checked.failure, job->status, "%s", job->failure.message[0] ? job->failure.message : status_name(job->status));
    else server->state_checked.failure = (struct failure){0};
    answer_now(peer);
}

int http_ready(const struct http_request *request) {
    struct peer *peer = request->peer;
    const struct web_server *server = peer->server;
    if (server->phase == WEB_DRAINING || clock_monotonic() < server->state_checked.at + CHECK_SECONDS) return answer_now(peer);
    struct http_job *job = http_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->finish = finish;
    return http_job_start_at(job, server->files, LANE_COMPUTE, check_state);
}
