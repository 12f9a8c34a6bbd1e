// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "server/http_router.h"
#include "server/sample.h"

struct sample_job {
    struct http_job job;  // first
    struct sample_query query;
};

// A helper of the server's own waits for the bricks, not a thread that makes them.
static void run(void *argument, bool cancelled) {
    struct sample_job *sample = argument;
    struct http_job *job = &sample->job;
    char *json = NULL;
    job->status = cancelled ? VIRGA_CANCELLED : sample_run(job->catalog, job->server->app->bricks, &sample->query, &json, &job->failure);
    if (!job->status && !(job->body = shared_bytes_copy(json, strlen(json)))) job->status = VIRGA_NO_MEMORY;
    free(json);
    http_job_post(job);
}

int http_sample(const struct http_request *request) {
    static const char *const keys[] = {"dataset", "variable", "run", "member", "time", "units", "lon", "lat", "height", "profile"};
    struct peer *peer = request->peer;
    struct failure failure = {0};
    char value[512];
    struct sample_job *sample = (struct sample_job *)http_job_new(peer, sizeof *sample, NULL);
    if (!sample) return http_answer_error(peer, 503, "out of memory");
    sample_query_init(&sample->query);
    int status = VIRGA_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !status; i++)
        if (http_query(peer, keys[i], value, sizeof value) && value[0]) status = sample_query_set(&sample->query, keys[i], value, &failure);
    if (status) {
        http_job_free(&sample->job);
        return http_answer_error(peer, http_status_of(status), failure.message);
    }
    sample->job.type = "application/json";
    sample->job.cache = "no-cache";
    return http_job_start(&sample->job, LANE_READ, run);
}
