// SPDX-License-Identifier: Apache-2.0
#include "server/web_access.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "server/access_hub.h"
#include "server/access_service.h"
#include "server/http_origin.h"
#include "server/http_router.h"

enum { MOST_COOKIES = 4096, HUB_ASKERS = 2, HUB_QUEUE = 32 };

void web_access_configure(struct web_server *server) {
    const struct config *config = &server->app->config;
    for (size_t i = 0; i < config->auth_proxy_count; i++) access_network_parse(config->auth_proxies[i], &server->proxies[i]);
    server->proxy_count = config->auth_proxy_count;
}

int web_access_start(struct web_server *server, struct failure *failure) {
    const struct config *config = &server->app->config;
    if (!config->auth_token && !config->auth_hub_is_asked) return VIRGA_OK;
    if (!server->app->database) return failure_set(failure, VIRGA_IO, "nobody could sign in: %s", server->app->no_database);
    int status = access_service_new(server->app->database, &server->access, failure);
    if (status || !config->auth_hub_is_asked) return status;
    server->hub_askers = worker_pool_new((const int[LANE_COUNT]){HUB_ASKERS, 1}, HUB_QUEUE);
    return server->hub_askers ? access_hub_new(config, &server->hub, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

void web_access_stop(struct web_server *server) {
    worker_pool_free(server->hub_askers);
    access_hub_free(server->hub);
    access_service_free(server->access);
    server->hub_askers = NULL;
    server->hub = NULL;
    server->access = NULL;
}

bool web_access_cookie(const struct peer *peer, const char *name, char out[SECRET_TEXT + 1]) {
    char text[MOST_COOKIES];
    size_t found = 0, length = strlen(name);
    if (!http_header(peer->wsi, WSI_TOKEN_HTTP_COOKIE, text, sizeof text)) return false;
    for (char *save = NULL, *part = strtok_r(text, ";", &save); part; part = strtok_r(NULL, ";", &save)) {
        part += strspn(part, " ");
        if (strncmp(part, name, length) || part[length] != '=') continue;
        const char *value = part + length + 1;
        if (strlen(value) == SECRET_TEXT) memcpy(out, value, SECRET_TEXT + 1);
        found += strlen(value) == SECRET_TEXT ? 1 : 2;
    }
    explicit_bzero(text, sizeof text);
    return found == 1;
}

enum access_role web_access_role(const struct web_server *server, const char *name) {
    const struct config *config = &server->app->config;
    for (size_t i = 0; i < config->auth_admin_count; i++)
        if (!strcmp(config->auth_admins[i], name)) return ACCESS_ADMIN;
    return config->auth_role;
}

// By a token or a login, as long as one signs in that way.
static bool is_held(const struct web_server *server, enum access_kind kind, const uint8_t hash[SECRET_HASH], struct access_person *person) {
    struct access_person found;
    int64_t token;
    double ends;
    if (!server->access || !access_table_find(access_service_table(server->access), kind, hash, clock_wall(), &found, &token, &ends)) return false;
    bool of_hub = kind == ACCESS_BY_LOGIN && !token;
    if (!(of_hub ? server->app->config.auth_hub_is_asked : server->app->config.auth_token)) return false;
    if (of_hub) found.role = web_access_role(server, found.name);
    *person = found;
    return true;
}

// As long as the hub's word is remembered.
static int is_vouched_for(const struct web_server *server, const uint8_t hash[SECRET_HASH], struct access_person *person) {
    char name[ACCESS_NAME + 1] = "";
    int status = server->hub ? access_hub_remembered(server->hub, hash, clock_monotonic(), name) : VIRGA_INVALID;
    if (status) return status;
    *person = (struct access_person){.role = web_access_role(server, name)};
    memcpy(person->name, name, sizeof name);
    return VIRGA_OK;
}

static bool look_up(struct peer *peer, enum access_kind kind, const char *text) {
    struct web_caller *caller = &peer->caller;
    sha256(text, strlen(text), caller->shown_hash);
    if (!is_held(peer->server, kind, caller->shown_hash, &caller->person)) return false;
    caller->shown = kind;
    return true;
}

// A token of either kind, which is shown on purpose and so right or wrong.
static void look_up_token(struct peer *peer, const char *text) {
    struct web_caller *caller = &peer->caller;
    const char *words;
    if (look_up(peer, ACCESS_BY_TOKEN, text)) return;
    int status = is_vouched_for(peer->server, caller->shown_hash, &caller->person);
    if (!status) caller->shown = ACCESS_BY_HUB;
    else if (status == VIRGA_AGAIN) caller->unknown = true;
    else caller->refused = web_user_wrong(peer, 401, &words);
}

// Whom the proxy names. A header of whoever else is on the other side counts for nothing.
static bool is_named(struct peer *peer, bool believed) {
    const struct config *config = &peer->server->app->config;
    struct access_person *person = &peer->caller.person;
    char header[sizeof config->auth_header + 1], name[ACCESS_NAME + 1];
    snprintf(header, sizeof header, "%s:", config->auth_header);
    if (!config->auth_proxy || !believed || !http_custom_header(peer->wsi, header, name, sizeof name) || !access_name_valid(name)) return false;
    *person = (struct access_person){.role = web_access_role(peer->server, name)};
    memcpy(person->name, name, sizeof name);
    return true;
}

bool web_access_is_proxied(const struct peer *peer) {
    return lws_hdr_total_length(peer->wsi, WSI_TOKEN_X_FORWARDED_FOR) || lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_X_REAL_IP) ||
           lws_hdr_custom_length(peer->wsi, "forwarded:", 10) > 0;
}

// Without authentication the page on this machine may all, everybody else may look.
static void read_local(struct peer *peer, bool changes) {
    const struct config *config = &peer->server->app->config;
    struct web_sender from;
    web_user_sender(peer, &from);
    bool local = !from.strange && (changes ? !http_origin_may_write(config, &from.sender, NULL) : http_origin_is_local(config, &from.sender));
    if (local) peer->caller.person = (struct access_person){.name = ACCESS_LOCAL, .role = ACCESS_ADMIN};
}

static void read_place(struct peer *peer, bool believed) {
    char forwarded[1024], scheme[16];
    bool has = http_header(peer->wsi, WSI_TOKEN_X_FORWARDED_FOR, forwarded, sizeof forwarded);
    access_network_client(peer->server->proxies, peer->server->proxy_count, peer->address, has ? forwarded : NULL, peer->caller.address);
    peer->caller.secure = believed && http_custom_header(peer->wsi, "x-forwarded-proto:", scheme, sizeof scheme) && !strcasecmp(scheme, "https");
}

void web_access_read(struct peer *peer, const char *bearer, bool changes) {
    const struct web_server *server = peer->server;
    const struct config *config = &server->app->config;
    struct web_caller *caller = &peer->caller;
    char cookie[SECRET_TEXT + 1];
    bool believed = access_network_has(server->proxies, server->proxy_count, peer->address);
    read_place(peer, believed);
    caller->person = (struct access_person){.name = "", .role = config->anonymous_views || caller->publisher ? ACCESS_VIEWER : ACCESS_NOBODY};
    if (!config_has_auth(config)) {
        read_local(peer, changes);
        return;
    }
    if (caller->publisher) return;
    if (bearer && server->access) {  // nothing else is looked at
        look_up_token(peer, bearer);
        return;
    }
    caller->ambient = true;
    if (web_access_cookie(peer, WEB_ACCESS_COOKIE, cookie) && look_up(peer, ACCESS_BY_LOGIN, cookie)) return;
    caller->ambient = is_named(peer, believed);
}

bool web_access_is_cross_site(const struct peer *peer, const struct web_sender *from) {
    return peer->caller.ambient && (from->strange || !from->sender.origin || !http_origin_may_read(&peer->server->app->config, &from->sender));
}

bool web_access_holds(struct peer *peer) {
    struct web_caller *caller = &peer->caller;
    if (caller->shown == ACCESS_NOTHING) return true;
    if (caller->shown == ACCESS_BY_HUB) return !is_vouched_for(peer->server, caller->shown_hash, &caller->person);
    return is_held(peer->server, caller->shown, caller->shown_hash, &caller->person);
}

// Asking the hub before a request goes on.

struct wait_job {
    struct http_job job;  // first
    char token[ACCESS_HUB_TOKEN + 1];
};

static void ask_hub(void *argument, bool cancelled) {
    struct wait_job *job = argument;
    char name[ACCESS_NAME + 1];
    struct http_job *http = &job->job;
    http->status = cancelled ? VIRGA_CANCELLED : access_hub_ask(http->server->hub, job->token, clock_monotonic(), name, &http->failure);
    http_job_post(http);
}

static void destroy(struct http_job *http) {
    struct wait_job *job = (struct wait_job *)http;
    explicit_bzero(job->token, sizeof job->token);
}

// Each question counts as a try: nobody has the hub asked for tokens without end.
int web_access_wait(struct peer *peer) {
    const char *words;
    int refused = web_user_wrong(peer, 0, &words);
    if (refused) return http_answer_error(peer, refused, words);
    struct wait_job *job = (struct wait_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    job->job.destroy = destroy;
    job->job.goes_on = true;
    job->job.will_post = true;
    web_user_bearer(peer, job->token, sizeof job->token);
    if (!worker_pool_try_add(peer->server->hub_askers, LANE_READ, 0, ask_hub, job)) return HTTP_LATER;
    http_job_free(&job->job);
    return http_answer_error(peer, 503, "the JupyterHub is asked by too many at a time; try again");
}
