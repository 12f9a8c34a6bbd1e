// SPDX-License-Identifier: Apache-2.0
#include "server/web_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/engine_report.h"
#include "server/http_router.h"
#include "server/web_access.h"

static const char too_often[] = "too many wrong tokens or codes came from this address; wait a minute";
static const double wrong_burst = 20, wrong_per_second = 0.2, session_burst = 60, session_per_second = 0.1;

// The token is read once, and neither kept nor logged.
static int read_publisher(struct web_server *server, const char *path, struct failure *failure) {
    char text[2 * IDENTITY_MOST_TOKEN];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);
    int reason = errno;
    if (fd >= 0) close(fd);
    if (size < 0) return failure_set(failure, VIRGA_IO, "publish-token-file: cannot read %s: %s", path, strerror(reason));
    struct failure why;
    int status = identity_set_publisher(server->identity, text, (size_t)size, &why);
    explicit_bzero(text, sizeof text);
    return status ? failure_set(failure, status, "publish-token-file: %s: %s", path, why.message) : VIRGA_OK;
}

static void failed(void *context, identity_user user, const char *words) { ws_tell_user(context, user, words); }
static void catalog_changed(void *context, identity_user user) { ws_catalog_changed(context, user); }
static void engine_changed(void *context, identity_user user) { ws_engine_changed(context, user); }

static void engine_is_told(struct letter *letter) {
    struct web_server *server = lws_container_of(letter, struct web_server, engine_told);
    atomic_store(&server->engine_posted, false);
    ws_engine_changed(server, 0);
}

// On the engine's thread.
static void engine_told(void *context, const char *json) {
    struct web_server *server = context;
    (void)json;
    if (atomic_exchange(&server->engine_posted, true)) return;
    server->engine_told.deliver = engine_is_told;
    service_mailbox_post(server->mailbox, &server->engine_told);
}

int web_user_start(struct web_server *server, struct failure *failure) {
    const struct config *config = &server->app->config;
    const struct user_space_calls calls = {.catalog_changed = catalog_changed, .failed = failed, .engine_changed = engine_changed, .context = server};
    struct identity_limits limits;
    identity_limits_default(&limits);
    rate_limit_init(&server->wrong, wrong_burst, wrong_per_second);
    rate_limit_init(&server->sessions, session_burst, session_per_second);
    if (web_access_start(server, failure)) return failure->status;
    if (!(server->identity = identity_new(&limits))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (config->publish_token_file[0] && read_publisher(server, config->publish_token_file, failure)) return failure->status;
    server->spaces = user_spaces_new(server->app, server->identity, server->mailbox, &calls);
    if (!server->spaces) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    source_engine_on_state(server->app->engine, engine_told, server);
    return VIRGA_OK;
}

void web_user_stop(struct web_server *server) {
    if (server->spaces) source_engine_on_state(server->app->engine, NULL, NULL);
    user_spaces_free(server->spaces);
    identity_free(server->identity);
    web_access_stop(server);
    server->spaces = NULL;
    server->identity = NULL;
}

// One that is too long to be any is "", which is nobody's.
bool web_user_bearer(const struct peer *peer, char *out, size_t room) {
    struct lws *wsi = peer->wsi;
    char text[IDENTITY_MOST_TOKEN + 32];
    out[0] = '\0';
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION) >= (int)sizeof text) return true;
    bool is = http_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, text, sizeof text) && !strncasecmp(text, "Bearer ", 7);
    if (is) snprintf(out, room, "%s", text + 7 + strspn(text + 7, " "));
    explicit_bzero(text, sizeof text);
    return is;
}

void web_user_sender(const struct peer *peer, struct web_sender *out) {
    *out = (struct web_sender){.sender.address = peer->address};
    if (http_header(peer->wsi, WSI_TOKEN_HOST, out->host, sizeof out->host)) out->sender.host = out->host;
    if (http_header(peer->wsi, WSI_TOKEN_ORIGIN, out->origin, sizeof out->origin)) out->sender.origin = out->origin;
    out->sender.proxied = web_access_is_proxied(peer);
    out->strange = lws_hdr_total_length(peer->wsi, WSI_TOKEN_ORIGIN) > 0 && !out->sender.origin;
}

// Why somebody who is known may not.
static const char *why_not(const struct peer *peer, enum access_act act, const char *owner) {
    const struct access_person *person = &peer->caller.person;
    if (!config_has_auth(&peer->server->app->config)) return "only the page that is opened on the server's own machine may do this; the setting auth lets others sign in";
    if (owner && person->name[0] && access_may(person, act, NULL)) return "this is another's: only they and admins may change it";
    return act == ACT_CLUSTER || act == ACT_OPERATE ? "this needs the role admin" : "this needs the role forecaster";
}

int web_user_may(struct peer *peer, enum access_act act, const char *owner, const char **words) {
    const struct web_caller *caller = &peer->caller;
    *words = "the JupyterHub must be asked about this token first: show it to GET /api/me";
    if (caller->unknown) return 401;
    if (caller->refused) {
        *words = caller->refused == 429 ? too_often : "this token is not valid: it is none, has expired or was revoked";
        return caller->refused;
    }
    if (access_may(&caller->person, act, owner)) return 0;
    *words = "sign in first: with a token (POST /api/login, or Authorization: Bearer TOKEN) or as GET /api/me says";
    if (!caller->person.name[0] && config_has_auth(&peer->server->app->config)) return 401;
    *words = why_not(peer, act, owner);
    return 403;
}

bool web_user_is_shown(const struct peer *peer, const char *owner) {
    return !config_has_auth(&peer->server->app->config) || access_may(&peer->caller.person, ACT_EXPORT, owner);
}

void web_user_read(struct peer *peer, bool changes) {
    struct web_server *server = peer->server;
    char text[IDENTITY_MOST_TOKEN + 1];
    double now = clock_monotonic();
    peer->caller = (struct web_caller){0};
    if (http_custom_header(peer->wsi, "x-virga-session:", text, sizeof text)) peer->caller.user = identity_find(server->identity, text, now);
    peer->caller.bearer = web_user_bearer(peer, text, sizeof text);
    peer->caller.publisher = peer->caller.bearer && identity_is_publisher(server->identity, text);
    web_access_read(peer, peer->caller.bearer ? text : NULL, changes);
    explicit_bzero(text, sizeof text);
    user_spaces_keep(server->spaces, peer->caller.user, now);
}

int web_user_wrong(struct peer *peer, int status, const char **words) {
    if (rate_limit_take(&peer->server->wrong, peer->caller.address, clock_monotonic())) return status;
    *words = too_often;
    return 429;
}

int web_user_check_publisher(struct peer *peer, const char **words) {
    *words = "nobody may publish here (setting publish-token-file)";
    if (!identity_has_publisher(peer->server->identity)) return 501;
    *words = "who publishes shows the publish token: Authorization: Bearer TOKEN";
    if (!peer->caller.bearer) return 401;
    *words = "this is not the publish token";
    if (peer->caller.refused == 429) *words = too_often;
    if (peer->caller.refused) return peer->caller.refused;  // and was counted
    return peer->caller.publisher ? 0 : web_user_wrong(peer, 401, words);
}

int web_user_enter(struct peer *peer, struct failure *failure) {
    struct web_server *server = peer->server;
    double now = clock_monotonic();
    if (!peer->caller.user) return VIRGA_OK;
    identity_touch(server->identity, peer->caller.user, now);
    return user_spaces_enter(server->spaces, peer->caller.user, client_place_of(peer->caller.address), now, failure);
}

struct catalog *web_user_catalog(const struct web_server *server, identity_user user) {
    struct catalog *own = user_spaces_catalog(server->spaces, user);
    return own ? own : server->catalog;
}

struct catalog *web_user_exportable(const struct web_server *server, identity_user user) {
    struct catalog *own = user_spaces_exportable(server->spaces, user);
    return own ? own : server->catalog;
}

struct source_engine *web_user_engine(const struct web_server *server, identity_user user) {
    return user_spaces_for_each(server->spaces) ? user_spaces_engine(server->spaces, user) : server->app->engine;
}

json_t *web_user_engine_state(const struct web_server *server, const struct web_caller *caller) {
    struct source_engine *engine = web_user_engine(server, caller->user);
    bool may = caller->publisher || access_may(&caller->person, ACT_CLUSTER, NULL);
    bool for_each = user_spaces_for_each(server->spaces), own = for_each && engine;
    const struct engine_report_access access = {.for_each = for_each, .own = own, .may = own || (engine && may)};
    char *text = engine ? source_engine_state(engine) : NULL;
    json_t *state = engine_report_json(text, &access);
    free(text);
    return state;
}
