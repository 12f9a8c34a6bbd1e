// SPDX-License-Identifier: Apache-2.0
#include "server/web_access.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "server/access_service.h"
#include "server/http_origin.h"
#include "server/http_router.h"

enum { MOST_COOKIES = 4096 };

void web_access_configure(struct web_server *server) {
    const struct config *config = &server->app->config;
    for (size_t i = 0; i < config->auth_proxy_count; i++) access_network_parse(config->auth_proxies[i], &server->proxies[i]);
    server->proxy_count = config->auth_proxy_count;
}

int web_access_start(struct web_server *server, struct failure *failure) {
    const struct config *config = &server->app->config;
    if (!config->auth_token && !config->auth_hub_is_asked) return VIRGA_OK;
    if (!server->app->database) return failure_set(failure, VIRGA_IO, "nobody could sign in: %s", server->app->no_database);
    return access_service_new(server->app->database, &server->access, failure);
}

void web_access_stop(struct web_server *server) {
    access_service_free(server->access);
    server->access = NULL;
}

// The text of the only cookie of our name. Another site below the same domain may have added one of its own: then it cannot be told which is ours.
static bool read_cookie(const struct peer *peer, char out[SECRET_TEXT + 1]) {
    static const char name[] = WEB_ACCESS_COOKIE "=";
    char text[MOST_COOKIES];
    size_t found = 0;
    if (!http_header(peer->wsi, WSI_TOKEN_HTTP_COOKIE, text, sizeof text)) return false;
    for (char *save = NULL, *part = strtok_r(text, ";", &save); part; part = strtok_r(NULL, ";", &save)) {
        part += strspn(part, " ");
        if (strncmp(part, name, sizeof name - 1)) continue;
        const char *value = part + sizeof name - 1;
        if (strlen(value) == SECRET_TEXT) memcpy(out, value, SECRET_TEXT + 1);
        found += strlen(value) == SECRET_TEXT ? 1 : 2;
    }
    explicit_bzero(text, sizeof text);
    return found == 1;
}

static bool look_up(struct peer *peer, enum access_kind kind, const char *text) {
    struct web_caller *caller = &peer->caller;
    if (!peer->server->access) return false;
    sha256(text, strlen(text), caller->shown_hash);
    if (!access_table_find(access_service_table(peer->server->access), kind, caller->shown_hash, clock_wall(), &caller->person, NULL, NULL)) return false;
    caller->shown = kind;
    return true;
}

static enum access_role role_of(const struct config *config, const char *name) {
    for (size_t i = 0; i < config->auth_admin_count; i++)
        if (!strcmp(config->auth_admins[i], name)) return ACCESS_ADMIN;
    return config->auth_role;
}

// Whom the proxy names. A header of whoever else is on the other side counts for nothing.
static bool is_named(struct peer *peer, bool believed) {
    const struct config *config = &peer->server->app->config;
    struct access_person *person = &peer->caller.person;
    char header[sizeof config->auth_header + 1], name[ACCESS_NAME + 1];
    snprintf(header, sizeof header, "%s:", config->auth_header);
    if (!config->auth_proxy || !believed || !http_custom_header(peer->wsi, header, name, sizeof name) || !access_name_valid(name)) return false;
    *person = (struct access_person){.role = role_of(config, name)};
    memcpy(person->name, name, sizeof name);
    return true;
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
    const char *words;
    bool believed = access_network_has(server->proxies, server->proxy_count, peer->address);
    read_place(peer, believed);
    caller->person = (struct access_person){.name = "", .role = config->anonymous_views || caller->publisher ? ACCESS_VIEWER : ACCESS_NOBODY};
    if (!config_has_auth(config)) {
        read_local(peer, changes);
        return;
    }
    if (caller->publisher) return;
    if (bearer && server->access) {  // what is shown on purpose is right or wrong: nothing else is looked at
        if (!look_up(peer, ACCESS_BY_TOKEN, bearer)) caller->refused = web_user_wrong(peer, 401, &words);
        return;
    }
    caller->ambient = true;
    if (read_cookie(peer, cookie) && look_up(peer, ACCESS_BY_LOGIN, cookie)) return;
    caller->ambient = is_named(peer, believed);
}

bool web_access_is_cross_site(const struct peer *peer, const struct web_sender *from) {
    return peer->caller.ambient && (from->strange || !from->sender.origin || !http_origin_may_read(&peer->server->app->config, &from->sender));
}

bool web_access_holds(struct peer *peer) {
    struct web_caller *caller = &peer->caller;
    if (caller->shown == ACCESS_NOTHING) return true;
    return access_table_find(access_service_table(peer->server->access), caller->shown, caller->shown_hash, clock_wall(), &caller->person, NULL, NULL);
}
