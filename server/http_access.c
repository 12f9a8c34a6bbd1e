// SPDX-License-Identifier: Apache-2.0
// Signing in and out: a token is shown once, in a header, and answered by a cookie that scripts cannot read and other sites cannot make a browser send.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/access_service.h"
#include "server/http_router.h"
#include "server/web_access.h"

struct login_job {
    struct http_job job;  // first
    struct thread_command command;
    struct access_login login;
    char cookie[SECRET_TEXT + 1];  // "": signed out
    int (*act)(struct login_job *job, struct access_service *service);
};

// Who asks, and how one signs in.
static json_t *me(const struct peer *peer) {
    const struct config *config = &peer->server->app->config;
    const struct access_person *person = &peer->caller.person;
    json_t *ways = json_array();
    if (config->auth_token) json_array_append_new(ways, json_string("token"));
    if (config->auth_proxy) json_array_append_new(ways, json_string("proxy"));
    if (config->auth_hub_is_asked) json_array_append_new(ways, json_string("jupyterhub"));
    return json_pack("{s:s, s:s, s:o, s:b, s:s?}", "name", person->name, "role", access_role_name(person->role), "auth", ways, "anonymous", config->anonymous_views, "sign_in",
                     config->auth_hub_is_asked ? "api/sign-in" : NULL);
}

// "" signs out: the browser forgets it.
static void set_cookie(struct peer *peer, const char *text, double seconds) {
    snprintf(peer->reply.more, sizeof peer->reply.more, "Set-Cookie: " WEB_ACCESS_COOKIE "=%s; Path=%s; Max-Age=%.0f; HttpOnly; SameSite=Strict%s\r\n", text,
             peer->server->app->config.base_path, seconds, peer->caller.secure ? "; Secure" : "");
}

// For a token that is wrong.
static int refuse(struct peer *peer) {
    const char *words;
    int status = web_user_may(peer, ACT_SEE, NULL, &words);
    return http_answer_error(peer, status, words);
}

int http_me(const struct http_request *request) {
    struct peer *peer = request->peer;
    if (peer->caller.refused) return refuse(peer);
    bool stale = peer->caller.shown == ACCESS_NOTHING && !peer->caller.person.name[0] && lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_COOKIE) > 0;
    int status = http_answer_json(peer, 200, me(peer), 0);
    if (stale && config_has_auth(&peer->server->app->config)) set_cookie(peer, "", 0);
    return status;
}

static void finish(struct http_job *http, struct peer *peer) {
    struct login_job *job = (struct login_job *)http;
    if (http->status) {
        http_answer_failure(peer, 503, http);
        return;
    }
    peer->caller.person = job->login.person;
    http_answer_json(peer, 200, me(peer), 0);
    set_cookie(peer, job->cookie, job->cookie[0] ? job->login.expires - job->login.begun : 0);
}

static void run(struct thread_command *command, void *service, bool cancelled) {
    struct login_job *job = lws_container_of(command, struct login_job, command);
    job->job.status = cancelled ? VIRGA_CANCELLED : job->act(job, service);
    http_job_post(&job->job);
}

static int begin(struct login_job *job, struct access_service *service) { return access_service_begin_login(service, &job->login, &job->job.failure); }
static int end(struct login_job *job, struct access_service *service) { return access_service_end_login(service, job->login.hash, &job->job.failure); }

static void destroy(struct http_job *http) {
    struct login_job *job = (struct login_job *)http;
    explicit_bzero(job->cookie, sizeof job->cookie);
}

static struct login_job *new_job(struct peer *peer, int (*act)(struct login_job *job, struct access_service *service)) {
    struct login_job *job = (struct login_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return NULL;
    job->job.finish = finish;
    job->job.destroy = destroy;
    job->command.run = run;
    job->act = act;
    return job;
}

static int ask(struct peer *peer, struct login_job *job) {
    job->job.will_post = true;
    if (!access_service_ask(peer->server->access, &job->command)) return HTTP_LATER;
    http_job_free(&job->job);
    return http_answer_error(peer, 503, "the server is busy; try again");
}

// By a token: the login is whose the token is, and ends with it.
int http_login(const struct http_request *request) {
    struct peer *peer = request->peer;
    const struct web_caller *caller = &peer->caller;
    const char *words = "show a token: Authorization: Bearer TOKEN";
    double now = clock_wall(), ends = 0, until = now + WEB_ACCESS_LOGIN_DAYS * (double)ACCESS_DAY;
    if (request->method != HTTP_POST) return http_answer_method(peer, "POST");
    if (!peer->server->access) return http_answer_error(peer, 501, "nobody signs in here by a token (setting auth)");
    if (caller->refused) return refuse(peer);
    if (caller->shown != ACCESS_BY_TOKEN) return http_answer_error(peer, 401, words);
    struct login_job *job = new_job(peer, begin);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    bool valid = access_table_find(access_service_table(peer->server->access), ACCESS_BY_TOKEN, caller->shown_hash, now, &job->login.person, &job->login.token, &ends);
    if (!valid || !secret_make(job->cookie)) {
        http_job_free(&job->job);
        return http_answer_error(peer, valid ? 503 : 401, valid ? "the kernel gives no random numbers" : words);
    }
    sha256(job->cookie, SECRET_TEXT, job->login.hash);
    job->login.begun = now;
    job->login.expires = ends > 0 && ends < until ? ends : until;
    return ask(peer, job);
}

int http_logout(const struct http_request *request) {
    struct peer *peer = request->peer;
    if (request->method != HTTP_POST) return http_answer_method(peer, "POST");
    if (peer->caller.shown == ACCESS_BY_LOGIN) {
        struct login_job *job = new_job(peer, end);
        if (!job) return http_answer_error(peer, 503, "out of memory");
        memcpy(job->login.hash, peer->caller.shown_hash, SECRET_HASH);
        if (peer->server->app->config.anonymous_views) job->login.person.role = ACCESS_VIEWER;
        return ask(peer, job);
    }
    int status = http_answer_json(peer, 200, me(peer), 0);
    set_cookie(peer, "", 0);
    return status;
}
