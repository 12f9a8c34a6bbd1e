// SPDX-License-Identifier: Apache-2.0
// Users: sessions, their engine, and what is published for them.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "server/http_router.h"
#include "server/web_user.h"

// For what whoever asks showed, or did not.
static int refuse_secret(struct peer *peer, int status, const char *words) {
    if (status == 429) http_retry_after(peer, 60);
    return http_answer_error(peer, status, words);
}

// Members of a body: an object with texts of these names, "" where one is absent or null.
struct text_member { const char *name; char *out; size_t room; };

static int read_texts(const struct http_request *request, const struct text_member *members, size_t count, struct failure *failure) {
    json_error_t error;
    const char *key;
    json_t *value, *root = request->body_size ? json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &error) : json_object();
    int status = json_is_object(root) ? VIRGA_OK : failure_set(failure, VIRGA_INVALID, "the body is no JSON object");
    for (size_t i = 0; i < count; i++) members[i].out[0] = '\0';
    json_object_foreach(root, key, value) {
        size_t i = 0, length = json_string_length(value);
        while (i < count && strcmp(members[i].name, key)) i++;
        if (status || json_is_null(value)) continue;
        if (i == count) status = failure_set(failure, VIRGA_INVALID, "the body has a member that is not known here");
        else if (!json_is_string(value) || length >= members[i].room || strlen(json_string_value(value)) != length)
            status = failure_set(failure, VIRGA_INVALID, "%s: expected a text of at most %zu bytes", members[i].name, members[i].room - 1);
        else memcpy(members[i].out, json_string_value(value), length + 1);
    }
    json_decref(root);
    return status;
}

// Sessions.

static int begin_session(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct web_server *server = peer->server;
    char code[100], token[SECRET_TEXT + 1];
    struct failure failure = {0};
    identity_user user = 0;
    double now = clock_monotonic();
    if (read_texts(request, &(struct text_member){"code", code, sizeof code}, 1, &failure)) return http_answer_error(peer, 400, failure.message);
    const char *words = "this code is not valid any more: it serves once, and for some minutes; open the address from the notebook anew";
    if (code[0] && !(user = identity_redeem(server->identity, code, now))) {
        int refused = web_user_wrong(peer, 403, &words);
        return refuse_secret(peer, refused, words);
    }
    if (!user && !rate_limit_take(&server->sessions, peer->caller.address, now)) return http_answer_error(peer, 429, "too many sessions begin from this address; wait a minute");
    user = identity_add(server->identity, user, now, token);
    if (!user) return http_answer_error(peer, 503, "too many sessions are in use; try again later");
    int status = http_answer_json(peer, 201, json_pack("{s:s}", "token", token), 0);
    explicit_bzero(token, sizeof token);
    return status;
}

static int end_session(const struct http_request *request) {
    struct peer *peer = request->peer;
    if (!peer->caller.user) return http_answer_error(peer, 404, "there is no such session");
    identity_forget(peer->server->identity, peer->caller.user);
    ws_forget_user(peer->server, peer->caller.user);
    user_spaces_end(peer->server->spaces, peer->caller.user);
    return http_answer(peer, 204, NULL, NULL);
}

int http_session(const struct http_request *request) {
    if (request->method == HTTP_POST) return begin_session(request);
    return request->method == HTTP_DELETE ? end_session(request) : http_answer_method(request->peer, "POST, DELETE");
}

// The engine.

static int change_engine(const struct http_request *request) {
    struct peer *peer = request->peer;
    const struct web_caller *caller = &peer->caller;
    char action[16];
    struct failure failure = {0};
    if (read_texts(request, &(struct text_member){"action", action, sizeof action}, 1, &failure)) return http_answer_error(peer, 400, failure.message);
    if (web_user_enter(peer, &failure)) return http_answer_error(peer, 503, failure.message);
    struct source_engine *engine = web_user_engine(peer->server, caller->user);
    if (!engine) return http_answer_error(peer, 403, "there is no cluster of yours: begin a session first");
    const char *words;
    int refused = user_spaces_for_each(peer->server->spaces) || caller->publisher ? 0 : web_user_may(peer, ACT_CLUSTER, NULL, &words);
    if (refused) return refuse_secret(peer, refused, words);
    if (strcmp(action, "start") && strcmp(action, "stop")) return http_answer_error(peer, 400, "action: expected \"start\" or \"stop\"");
    if (!strcmp(action, "stop")) source_engine_stop_cluster(engine);
    else if (source_engine_start(engine, &failure)) return http_answer_error(peer, 501, failure.message);
    return http_answer_json(peer, 202, web_user_engine_state(peer->server, caller), 0);
}

int http_engine(const struct http_request *request) {
    struct peer *peer = request->peer;
    if (request->method == HTTP_POST) return change_engine(request);
    if (request->method != HTTP_GET) return http_answer_method(request->peer, "GET, HEAD, POST");
    struct failure failure;
    int refused = web_user_enter(peer, &failure);
    json_t *state = web_user_engine_state(peer->server, &peer->caller);
    if (refused && state) json_object_set_new(state, "message", json_string(failure.message));
    return http_answer_json(peer, 200, state, 0);
}

// Publications.

struct publish_job {
    struct http_job job;  // first
    identity_user user;
    struct publication_result result;
    char dataset[256];
};

static void published(void *context, const struct publication_result *result) {
    struct publish_job *job = context;
    job->result = *result;
    snprintf(job->dataset, sizeof job->dataset, "%s", result->dataset ? result->dataset : "");
    job->job.status = result->status;
    job->job.failure = result->failure;
    http_job_post(&job->job);
}

// What the page's address may hold as it stands.
static void escape(const char *text, char *out, size_t room) {
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && at + 4 < room; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || strchr("-_.~", *c);
        if (plain) out[at++] = (char)*c;
        else out[at++] = '%', out[at++] = digits[*c >> 4], out[at++] = digits[*c & 15];
    }
    out[at] = '\0';
}

static void answer_published(struct http_job *http, struct peer *peer) {
    struct publish_job *job = (struct publish_job *)http;
    char code[SECRET_TEXT + 1], token[SECRET_TEXT + 1], escaped[800], path[1000];
    double now = clock_monotonic();
    struct identity *identity = peer->server->identity;
    if (http->status) {
        http_answer_error(peer, http->status == VIRGA_NOT_FOUND ? 404 : http->status == VIRGA_TOO_LARGE ? 503 : 422, http->failure.message);
        return;
    }
    if (!identity_add(identity, job->user, now, token) || !identity_code(identity, job->user, now, code)) {
        user_spaces_unpublish(peer->server->spaces, job->result.id);
        http_answer_error(peer, 503, "too many sessions are in use; try again later");
        return;
    }
    escape(job->dataset, escaped, sizeof escaped);
    snprintf(path, sizeof path, "?dataset=%s#code=%s", escaped, code);
    http_answer_json(peer, 201, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", job->result.id, "dataset", job->dataset, "code", code, "path", path, "session", token), 0);
    snprintf(peer->reply.more, sizeof peer->reply.more, "Location: %.200sapi/datasets/%s\r\n", peer->server->app->config.base_path, job->result.id);
    explicit_bzero(token, sizeof token);
    explicit_bzero(code, sizeof code);
    explicit_bzero(path, sizeof path);
}

// Whoever may publish does it for the user of the session that they name, or for a new one.
static identity_user publish_for(struct peer *peer) {
    char token[SECRET_TEXT + 1];
    if (peer->caller.user) return peer->caller.user;
    identity_user user = identity_add(peer->server->identity, 0, clock_monotonic(), token);
    explicit_bzero(token, sizeof token);
    return user;
}

static int check_address(const struct web_server *server, identity_user user, const char *address, struct failure *failure) {
    bool notebook = !strncmp(address, "notebook:", 9) && (server->app->config.engine_socket >= 0 || user_spaces_has_notebook(server->spaces, user));
    const char *name = strchr(address, ':');
    if ((!notebook && strncmp(address, "published:", 10)) || !name[1])
        return failure_set(failure, VIRGA_INVALID, "address: expected published:NAME, a dataset that is published on the scheduler, or notebook:NAME from a session that a notebook is "
                           "connected for");
    for (const char *c = address; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return failure_set(failure, VIRGA_INVALID, "address: it has characters that no name has");
    return VIRGA_OK;
}

static int publish(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct web_server *server = peer->server;
    char address[SPACE_ADDRESS], title[SPACE_TITLE + 1];
    const struct text_member members[] = {{"address", address, sizeof address}, {"title", title, sizeof title}};
    struct failure failure = {0};
    int status = read_texts(request, members, 2, &failure);
    if (!status) status = check_address(server, peer->caller.user, address, &failure);
    if (status) return http_answer_error(peer, 400, failure.message);
    utf8_clean(title);
    identity_user user = publish_for(peer);
    if (!user) return http_answer_error(peer, 503, "too many sessions are in use; try again later");
    struct publish_job *job = (struct publish_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->user = user;
    job->job.finish = answer_published;
    job->job.will_post = true;
    status = user_spaces_publish(server->spaces, user, address, title, clock_monotonic(), published, job, &failure);
    if (!status) return HTTP_LATER;
    http_job_free(&job->job);
    return http_answer_error(peer, 503, failure.message);
}

static int unpublish(const struct http_request *request) {
    struct peer *peer = request->peer;
    struct web_server *server = peer->server;
    identity_user owner = user_spaces_publisher(server->spaces, request->path);
    if (!owner || (!peer->caller.publisher && peer->caller.user != owner)) return http_answer_error(peer, 404, "there is no such publication");
    user_spaces_unpublish(server->spaces, request->path);
    return http_answer(peer, 204, NULL, NULL);
}

// For another browser of the same person.
static int another_code(const struct http_request *request) {
    struct peer *peer = request->peer;
    char code[SECRET_TEXT + 1];
    identity_user owner = user_spaces_publisher(peer->server->spaces, request->path);
    if (!owner) return http_answer_error(peer, 404, "there is no such publication");
    if (!identity_code(peer->server->identity, owner, clock_monotonic(), code)) return http_answer_error(peer, 503, "too many codes are in use; try again later");
    int status = http_answer_json(peer, 201, json_pack("{s:s}", "code", code), 0);
    explicit_bzero(code, sizeof code);
    return status;
}

int http_datasets(const struct http_request *request) {
    struct peer *peer = request->peer;
    const struct web_caller *caller = &peer->caller;
    bool one = request->path[0] != '\0';
    bool ends = one && request->method == HTTP_DELETE;
    if (!ends && request->method != HTTP_POST) return http_answer_method(request->peer, one ? "POST, DELETE" : "POST");
    if (!caller->publisher && !(ends && caller->user && !caller->bearer)) {
        const char *words;
        int refused = web_user_check_publisher(peer, &words);
        return refuse_secret(peer, refused, words);
    }
    if (!one) return publish(request);
    if (strlen(request->path) != PUBLICATION_ID || strspn(request->path, "0123456789abcdef") != PUBLICATION_ID) return http_answer_nothing(request->peer);
    return ends ? unpublish(request) : another_code(request);
}
