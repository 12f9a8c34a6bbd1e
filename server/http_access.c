// SPDX-License-Identifier: Apache-2.0
// Signing in and out: a token is shown once, in a header, and answered by a cookie that scripts cannot read and other sites cannot make a browser send.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/access_hub.h"
#include "server/access_service.h"
#include "server/http_router.h"
#include "server/web_access.h"

enum { HUB_ADDRESS = 1501 };

struct login_job {
    struct http_job job;  // first
    struct thread_command command;
    struct access_login login;
    char cookie[SECRET_TEXT + 1];  // "": signed out
    char code[ACCESS_HUB_TOKEN + 1];  // with which somebody came back from the hub
    bool of_page;  // the answer is the page
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
        http_answer_failure(peer, http->status == VIRGA_INVALID ? 403 : 503, http);
        return;
    }
    peer->caller.person = job->login.person;
    if (job->login.person.name[0] && !job->login.token) peer->caller.person.role = web_access_role(peer->server, job->login.person.name);
    if (job->of_page) {
        http_answer(peer, 302, NULL, NULL);
        peer->reply.cache = "no-store";
        peer->reply.location = peer->server->app->config.base_path;
    } else {
        http_answer_json(peer, 200, me(peer), 0);
    }
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
    explicit_bzero(job->code, sizeof job->code);
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
    return access_service_ask(peer->server->access, &job->command) ? http_job_busy(&job->job) : HTTP_LATER;
}

// A new cookie. False: the kernel has no random numbers.
static bool make_cookie(struct login_job *job, double ends) {
    job->login.begun = clock_wall();
    job->login.expires = ends;
    if (!secret_make(job->cookie)) return false;
    sha256(job->cookie, SECRET_TEXT, job->login.hash);
    return true;
}

// Whose the token is; the login ends with it. False: it has ended meanwhile.
static bool fill_login(const struct peer *peer, struct access_login *login, double *ends) {
    const struct web_caller *caller = &peer->caller;
    double now = clock_wall(), until = now + WEB_ACCESS_LOGIN_DAYS * (double)ACCESS_DAY;
    login->person = caller->person;
    *ends = now + ACCESS_HUB_LOGIN_HOURS * 3600.0;
    if (caller->shown == ACCESS_BY_HUB) return true;
    if (!access_table_find(access_service_table(peer->server->access), ACCESS_BY_TOKEN, caller->shown_hash, now, &login->person, &login->token, ends)) return false;
    if (!*ends || *ends > until) *ends = until;
    return true;
}

int http_login(const struct http_request *request) {
    struct peer *peer = request->peer;
    const struct web_caller *caller = &peer->caller;
    static const char words[] = "show a token: Authorization: Bearer TOKEN";
    double ends;
    if (request->method != HTTP_POST) return http_answer_method(peer, "POST");
    if (!peer->server->access) return http_answer_error(peer, 501, "nobody signs in here by a token (setting auth)");
    if (caller->refused) return refuse(peer);
    if (caller->shown != ACCESS_BY_TOKEN && caller->shown != ACCESS_BY_HUB) return http_answer_error(peer, 401, words);
    struct login_job *job = new_job(peer, begin);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    bool valid = fill_login(peer, &job->login, &ends);
    if (valid && make_cookie(job, ends)) return ask(peer, job);
    http_job_free(&job->job);
    return http_answer_error(peer, valid ? 503 : 401, valid ? "the kernel gives no random numbers" : words);
}

// At a hub. What a browser was sent away with comes back with it, and stands in a cookie of that browser: nobody else can have begun it.

#define STATE_COOKIE "virga-state"

int http_sign_in(const struct http_request *request) {
    struct peer *peer = request->peer;
    char state[SECRET_TEXT + 1], address[HUB_ADDRESS];
    if (!peer->server->hub) return http_answer_error(peer, 404, "nobody signs in at a hub here (setting auth)");
    if (!secret_make(state)) return http_answer_error(peer, 503, "the kernel gives no random numbers");
    access_hub_address(peer->server->hub, state, address, sizeof address);
    http_answer(peer, 302, NULL, NULL);
    peer->reply.cache = "no-store";
    snprintf(peer->reply.more, sizeof peer->reply.more, "Location: %.1500s\r\nSet-Cookie: " STATE_COOKIE "=%s; Path=%soauth_callback; Max-Age=600; HttpOnly; SameSite=Lax%s\r\n", address,
             state, peer->server->app->config.base_path, peer->caller.secure ? "; Secure" : "");
    return 302;
}

static bool is_same_state(const char *a, const char *b) {
    uint8_t hashes[2][SECRET_HASH];
    sha256(a, strlen(a), hashes[0]);
    sha256(b, strlen(b), hashes[1]);
    return secret_equal(hashes[0], hashes[1]);
}

static void redeem(void *argument, bool cancelled) {
    struct login_job *job = argument;
    struct http_job *http = &job->job;
    struct access_login *login = &job->login;
    http->status = cancelled ? VIRGA_CANCELLED : access_hub_redeem(http->server->hub, job->code, login->person.name, &http->failure);
    if (!http->status && !make_cookie(job, clock_wall() + ACCESS_HUB_LOGIN_HOURS * 3600.0)) http->status = VIRGA_IO;
    login->person.role = ACCESS_VIEWER;  // at least: more is looked up each time, for it may change
    if (!http->status && access_service_ask(http->server->access, &job->command)) http->status = VIRGA_TOO_LARGE;
    else if (!http->status) return;  // it goes on there
    http_job_post(http);
}

int http_signed_in(const struct http_request *request) {
    struct peer *peer = request->peer;
    char state[SECRET_TEXT + 2], begun[SECRET_TEXT + 1], code[ACCESS_HUB_TOKEN + 1];
    const char *words;
    if (!peer->server->hub) return http_answer_nothing(peer);
    if (!http_query(peer, "state", state, sizeof state) || !web_access_cookie(peer, STATE_COOKIE, begun) || !is_same_state(state, begun))
        return http_answer_error(peer, 403, "this browser did not begin to sign in here, or too long ago: begin again");
    if (!http_query(peer, "code", code, sizeof code)) return http_answer_error(peer, 403, "the JupyterHub let nobody in");
    int refused = web_user_wrong(peer, 0, &words);
    if (refused) return http_answer_error(peer, refused, words);
    struct login_job *job = new_job(peer, begin);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    memcpy(job->code, code, sizeof code);
    explicit_bzero(code, sizeof code);
    job->of_page = job->job.will_post = true;
    if (!worker_pool_try_add(peer->server->hub_askers, LANE_READ, 0, redeem, job)) return HTTP_LATER;
    http_job_free(&job->job);
    return http_answer_error(peer, 503, "the JupyterHub is asked by too many at a time; try again");
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
