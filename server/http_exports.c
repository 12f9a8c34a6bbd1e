// SPDX-License-Identifier: Apache-2.0
// Exports: /api/exports and what is below. What blocks is done by the export service's thread, as a command that is also an answer under way.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/export_request.h"
#include "server/export_service.h"
#include "server/http_export_files.h"
#include "server/http_router.h"
#include "server/web_user.h"

enum { LISTED = 100 };

struct exports_job {
    struct http_job job;  // first
    struct thread_command command;
    struct export_job export;  // to be added; then as it is
    char id[EXPORT_ID + 1];
    char *view;
    int answer;           // the HTTP status of success
    bool limited;         // the failure is a limit of exports
    int (*act)(struct exports_job *job, struct export_service *service);
};

static int off(struct peer *peer) { return http_answer_error(peer, 501, peer->server->exports_off); }

// Reading.

static int list(const struct http_request *request) {
    struct peer *peer = request->peer;
    char before[EXPORT_ID + 2];
    bool has_before = http_query(peer, "before", before, sizeof before), more = false;
    size_t count = 0;
    struct export_job *jobs = malloc(LISTED * sizeof *jobs);
    if (!jobs) return http_answer_error(peer, 503, "out of memory");
    const char *owner = web_user_is_shown(peer, "") ? NULL : peer->caller.person.name;  // who sees what is nobody's sees all
    bool known = export_table_list(export_service_table(peer->server->exports), owner, has_before ? before : NULL, jobs, LISTED, &count, &more);
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(all, export_job_json(&jobs[i]));
    free(jobs);
    if (!known) {
        json_decref(all);
        return http_answer_error(peer, 404, "there is no such export to begin before");
    }
    return http_answer_json(peer, 200, json_pack("{s:o, s:b}", "jobs", all, "more", more), JSON_REAL_PRECISION(9));
}

static int one(const struct http_request *request, const char *id) {
    struct export_job job;
    if (!export_table_get(export_service_table(request->peer->server->exports), id, &job)) return http_answer_error(request->peer, 404, "there is no such export");
    return http_answer_json(request->peer, 200, export_job_json(&job), JSON_REAL_PRECISION(9));
}

// Writing: commands.

static int status_of(const struct exports_job *job) {
    switch (job->job.status) {
        case VIRGA_TOO_LARGE: return job->limited ? 507 : 503;
        case VIRGA_INVALID: return job->limited ? 400 : 409;
        case VIRGA_UNSUPPORTED: return 501;
        case VIRGA_AGAIN: return 503;
        default: return http_status_of(job->job.status);
    }
}

static void finish(struct http_job *http_job, struct peer *peer) {
    const struct exports_job *job = (const struct exports_job *)http_job;
    if (http_job->status) {
        int status = status_of(job);
        http_answer_failure(peer, status, http_job);
        if (status == 503) http_retry_after(peer, 5);
        return;
    }
    if (job->answer == 204) http_answer(peer, 204, NULL, NULL);
    else http_answer_json(peer, job->answer, export_job_json(&job->export), JSON_REAL_PRECISION(9));
    if (job->answer == 201)
        snprintf(peer->reply.more, sizeof peer->reply.more, "Location: %.200sapi/exports/%s\r\n", peer->server->app->config.base_path, job->export.id);
}

static void run(struct thread_command *command, void *service, bool cancelled) {
    struct exports_job *job = lws_container_of(command, struct exports_job, command);
    job->job.status = cancelled ? VIRGA_CANCELLED : job->act(job, service);
    http_job_post(&job->job);
}

static void destroy(struct http_job *job) { free(((struct exports_job *)job)->view); }

static int add(struct exports_job *job, struct export_service *service) {
    job->limited = true;
    return export_service_add(service, &job->export, job->view, &job->job.failure);
}

static int cancel(struct exports_job *job, struct export_service *service) {
    return export_service_cancel(service, job->id, &job->export, &job->job.failure);
}

static int delete(struct exports_job *job, struct export_service *service) { return export_service_delete(service, job->id, &job->job.failure); }

static struct exports_job *new_job(struct peer *peer, int answer, int (*act)(struct exports_job *job, struct export_service *service)) {
    struct exports_job *job = (struct exports_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return NULL;
    job->job.finish = finish;
    job->job.destroy = destroy;
    job->command.run = run;
    job->answer = answer;
    job->act = act;
    return job;
}

int http_export_ask(struct http_job *job, struct thread_command *command) {
    job->will_post = true;
    return thread_inbox_ask(export_service_commands(job->server->exports), command) ? http_job_busy(job) : HTTP_LATER;
}

int http_export_refuse(struct peer *peer, int status, const char *message) {
    char words[600];
    bool more = web_user_catalog(peer->server, peer->caller.user)->dataset_count > web_user_exportable(peer->server, peer->caller.user)->dataset_count;
    if (status != VIRGA_NOT_FOUND) return http_answer_error(peer, http_status_of(status), message);
    snprintf(words, sizeof words, "%.400s%s", message, more ? " (what was published for you alone is not exported by the server: use virga export where its data can be read)" : "");
    return http_answer_error(peer, 400, words);
}

static int post(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct failure failure = {0};
    struct exports_job *job = new_job(peer, 201, add);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    int status = export_request_parse(request->body, request->body_size, web_user_exportable(peer->server, peer->caller.user), &job->export, &job->view, &failure);
    snprintf(job->export.owner, sizeof job->export.owner, "%s", peer->caller.person.name);
    if (!status) return http_export_ask(&job->job, &job->command);
    http_job_free(&job->job);
    return http_export_refuse(peer, status, failure.message);
}

static int change(const struct http_request *request, const char *id, int answer, int (*act)(struct exports_job *job, struct export_service *service)) {
    struct exports_job *job = new_job(request->peer, answer, act);
    if (!job) return http_answer_error(request->peer, 503, "out of memory");
    memcpy(job->id, id, sizeof job->id);
    return http_export_ask(&job->job, &job->command);
}

// Routes.

// 0, or the status to refuse with, and words: before it is known which export it is about.
static int refusal_of(const struct http_request *request, const char **words) {
    struct peer *peer = request->peer;
    bool all_look = request->method == HTTP_GET && !config_has_auth(&peer->server->app->config);
    return all_look ? 0 : web_user_may(peer, ACT_EXPORT, NULL, words);
}

// Another's is answered as if it were not there. Whose one is never changes.
static bool is_hidden(const struct peer *peer, const char *id) {
    struct export_job job;
    return export_table_get(export_service_table(peer->server->exports), id, &job) && !web_user_is_shown(peer, job.owner);
}

int http_exports(const struct http_request *request) {
    struct peer *peer = request->peer;
    char id[EXPORT_ID + 1] = "";
    const char *words, *rest = request->path;
    size_t length = strcspn(rest, "/");
    int refused = refusal_of(request, &words);
    if (refused) return http_answer_error(peer, refused, words);
    if (!peer->server->exports) return off(peer);
    if (!*rest) return request->method == HTTP_GET ? list(request) : request->method == HTTP_POST ? post(request) : http_answer_method(request->peer, "GET, HEAD, POST");
    if (!strcmp(rest, "preview")) return request->method == HTTP_POST ? http_export_preview(request) : http_answer_method(request->peer, "POST");
    if (length == EXPORT_ID) memcpy(id, rest, length);
    if (!export_id_valid(id)) return http_answer_nothing(request->peer);
    if (is_hidden(peer, id)) return http_answer_error(peer, 404, "there is no such export");
    rest += length;
    if (!*rest) {
        if (request->method == HTTP_GET) return one(request, id);
        return request->method == HTTP_DELETE ? change(request, id, 204, delete) : http_answer_method(request->peer, "GET, HEAD, DELETE");
    }
    if (!strcmp(rest, "/cancel")) return request->method == HTTP_POST ? change(request, id, 200, cancel) : http_answer_method(request->peer, "POST");
    if (request->method != HTTP_GET) return http_answer_method(request->peer, "GET, HEAD");
    if (!strcmp(rest, "/zip")) return http_export_zip(request, id);
    return strncmp(rest, "/frames/", 8) ? http_answer_nothing(request->peer) : http_export_frame(request, id, rest + 8);
}
