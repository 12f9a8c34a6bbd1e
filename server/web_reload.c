// SPDX-License-Identifier: Apache-2.0
#include "server/web_reload.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/config_reload.h"
#include "server/engine_setup.h"
#include "server/export_service.h"
#include "server/service_notify.h"
#include "server/web_access.h"
#include "server/web_drain.h"

struct web_reload {
    struct letter letter;  // first
    struct web_server *server;
    int status;
    struct failure failure;
    struct config config;
};

// The sites that may show the page in a frame, as a header names them.
static void list_ancestors(struct web_server *server) {
    const struct config *config = &server->app->config;
    size_t at = 0;
    server->frame_ancestors[0] = '\0';
    for (size_t i = 0; i < config->embed_host_count; i++) {
        const char *host = config->embed_hosts[i];
        if (host[strcspn(host, " ;,\r\n\t")]) continue;  // would be another directive
        int n = snprintf(server->frame_ancestors + at, sizeof server->frame_ancestors - at, " %s", host);
        if (n > 0) at += (size_t)n;
    }
}

void web_reload_in_force(struct web_server *server) {
    const struct config *config = &server->app->config;
    log_set_level(config->log_level);
    list_ancestors(server);
    web_access_configure(server);
    if (server->exports && export_service_configure(server->exports, config)) log_error("config", "exports go on by the old configuration: out of memory");
}

// In one line; a list's values are cut where they are long.
static void tell(enum config_key key, const char *before, const char *after, bool live) {
    if (live) log_info("config", "%s = %.200s (it was %.200s)", config_key_name(key), after, before);
    else log_warning("config", "%s = %.200s needs another start; until then it is %.200s", config_key_name(key), after, before);
}

// What was found out of who is connected may be wrong by now.
static bool is_of_access(enum config_key key) {
    return key == CONFIG_ANONYMOUS || key == CONFIG_AUTH_PROXIES || key == CONFIG_AUTH_ROLE || key == CONFIG_AUTH_ADMINS || key == CONFIG_ALLOW_ORIGIN;
}

// *changed: those that differ; *access: one that is in force now decides who may what.
static int take(struct config *now, const struct config *next, enum config_key key, size_t *changed, bool *access) {
    char *before = config_value(now, key), *after = config_value(next, key);
    int status = before && after ? VIRGA_OK : VIRGA_NO_MEMORY;
    // What each user sees through an engine of their own was opened for them by its path.
    bool live = config_is_live(key) && !(key == CONFIG_PATHS && engine_setup_for_each_user(now)), differs = !status && strcmp(before, after);
    if (differs && live) status = config_take(now, next, key);
    if (differs && !status) tell(key, before, after, live);
    *changed += differs;
    *access |= differs && live && is_of_access(key);
    free(before);
    free(after);
    return status;
}

static void take_all(struct web_server *server, const struct config *next) {
    size_t changed = 0;
    bool access = false;
    int status = VIRGA_OK;
    for (int k = 0; k < CONFIG_KEY_COUNT && !status; k++) status = take(&server->app->config, next, (enum config_key)k, &changed, &access);
    web_reload_in_force(server);
    if (!status) status = app_watch_reconfigure(server->app);
    if (access) web_send_sockets_away(server, "who may see what has changed");
    if (status) log_error("config", "the new configuration is in force in part only: out of memory");
    else if (!changed) log_info("config", "the configuration was read again: nothing changed");
}

static void was_read(struct letter *letter) {
    struct web_reload *reload = (struct web_reload *)letter;
    struct web_server *server = reload->server;
    bool over = server->phase == WEB_DRAINING || atomic_load(&server->stopping);
    if (over) log_info("config", "the configuration is not read again: the server is stopping");
    else if (reload->status) log_error("config", "the configuration in force stays: %s", reload->failure.message);
    else take_all(server, &reload->config);
    config_destroy(&reload->config);
    free(reload);
    server->reload = NULL;
    if (over) return;
    service_notify_ready(server->status);
    if (!server->reload_again) return;
    server->reload_again = false;
    web_reload_begin(server);
}

static void read_it(void *argument, bool cancelled) {
    struct web_reload *reload = argument;
    const struct web_server *server = reload->server;
    int status = cancelled ? VIRGA_CANCELLED : server->read_config(server->read_config_user, &reload->config, &reload->failure);
    if (!status) status = web_server_check(&reload->config, &reload->failure);
    if (!status) status = app_check_paths(&reload->config, &reload->failure);
    reload->status = status;
    service_mailbox_post(server->mailbox, &reload->letter);
}

void web_reload_begin(struct web_server *server) {
    if (!server->read_config || server->phase == WEB_DRAINING) return;
    if (server->reload) {
        server->reload_again = true;
        return;
    }
    struct web_reload *reload = server->reload = calloc(1, sizeof *reload);
    if (reload) {
        reload->server = server;
        reload->letter.deliver = was_read;
        service_notify_reloading();
        if (!worker_pool_try_add(server->helpers, LANE_COMPUTE, 0, read_it, reload)) return;
    }
    free(reload);
    server->reload = NULL;
    log_error("config", "the configuration in force stays: the server is busy");
    service_notify_ready(server->status);
}
