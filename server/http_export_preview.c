// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "server/export_request.h"
#include "server/export_service.h"
#include "server/http_export_files.h"
#include "server/web_user.h"

struct preview_job {
    struct http_job job;  // first
    struct thread_command command;
    struct export_preview preview;
    char *view;
};

static void made(struct export_preview *preview, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct preview_job *job = lws_container_of(preview, struct preview_job, preview);
    job->job.status = status;
    job->job.body = bytes;
    if (failure) job->job.failure = *failure;
    http_job_post(&job->job);
}

static void run(struct thread_command *command, void *service, bool cancelled) {
    struct preview_job *job = lws_container_of(command, struct preview_job, command);
    job->job.status = cancelled ? VIRGA_CANCELLED : export_service_preview(service, &job->preview, &job->job.failure);
    if (job->job.status) http_job_post(&job->job);
}

// The client is gone: its picture need not be made.
static void drop(struct http_job *http) {
    struct preview_job *job = (struct preview_job *)http;
    atomic_store(&job->preview.dropped, true);
    thread_inbox_wake(export_service_commands(http->server->exports));
}

static void finish(struct http_job *http, struct peer *peer) {
    const struct preview_job *job = (const struct preview_job *)http;
    struct shared_bytes *body = http->body;
    http->body = NULL;
    if (!http->status) {
        http_answer(peer, 200, job->preview.jpeg ? "image/jpeg" : "image/png", body);
        peer->reply.cache = "no-store";
        return;
    }
    int status = http->status == VIRGA_AGAIN ? 503 : http_status_of(http->status);
    http_answer_failure(peer, status, http);
    if (status == 503) http_retry_after(peer, 2);
}

static void destroy(struct http_job *http) { free(((struct preview_job *)http)->view); }

int http_export_preview(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct failure failure = {0};
    struct preview_job *job = (struct preview_job *)http_job_new(peer, sizeof *job, drop);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    int status = export_request_preview(request->body, request->body_size, web_user_exportable(peer->server, peer->caller.user), &job->preview.jpeg, &job->view, &failure);
    if (status) {
        http_job_free(&job->job);
        return http_export_refuse(peer, status, failure.message);
    }
    job->preview.view = job->view;
    job->preview.made = made;
    job->command.run = run;
    job->job.finish = finish;
    job->job.destroy = destroy;
    return http_export_ask(&job->job, &job->command);
}
