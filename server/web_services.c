// SPDX-License-Identifier: Apache-2.0
#include "server/web_services.h"

#include <stdio.h>

#include "base/log.h"
#include "server/export_service.h"
#include "server/pin_pictures.h"
#include "server/pin_service.h"
#include "server/web_state.h"

// Notices.

static void notice_came(struct letter *letter) {
    struct web_notice *notice = (struct web_notice *)letter;
    atomic_store(&notice->posted, false);
    notice->tell(notice->server);
}

// Any thread.
static void notify(void *user) {
    struct web_notice *notice = user;
    if (!atomic_exchange(&notice->posted, true)) service_mailbox_post(notice->server->mailbox, &notice->letter);
}

static void *notice_of(struct web_server *server, struct web_notice *notice, void (*tell)(struct web_server *server)) {
    notice->letter.deliver = notice_came;
    notice->server = server;
    notice->tell = tell;
    return notice;
}

// Starting and stopping.

void web_services_open(struct app *app) {
    if (app_open_database(app)) log_warning("state", "nothing is remembered: %s", app->no_database);
}

static void start_exports(struct web_server *server) {
    struct failure failure;
    snprintf(server->exports_off, sizeof server->exports_off, "this server makes no exports (setting export-jobs)");
    if (!server->app->config.export_jobs) return;
    if (!server->app->database) failure_set(&failure, VIRGA_IO, "%s", server->app->no_database);
    else if (!export_service_new(server->app, notify, notice_of(server, &server->exports_changed, ws_exports_changed), &server->exports, &failure)) return;
    log_warning("export", "there are no exports: %s", failure.message);
    snprintf(server->exports_off, sizeof server->exports_off, "this server makes no exports: %.350s", failure.message);
}

static void pins_changed(struct web_server *server) {
    if (server->pictures) pin_pictures_wake(server->pictures);
    ws_pins_changed(server);
}

static void start_pictures(struct web_server *server) {
    struct failure failure;
    struct app *app = server->app;
    const struct pin_pictures_options options = {
        .config = &app->config, .workers = app->workers, .bricks = app->bricks, .table = pin_service_table(server->pins),
        .changed = notify, .user = notice_of(server, &server->pictures_changed, ws_pins_changed)};
    if (pin_pictures_new(&options, server->catalog, &server->pictures, &failure)) log_warning("pin", "there are no pictures of pins: %s", failure.message);
}

static void start_pins(struct web_server *server) {
    struct failure failure;
    if (!server->app->database) failure_set(&failure, VIRGA_IO, "%s", server->app->no_database);
    else if (!pin_service_new(server->app->database, notify, notice_of(server, &server->pins_changed, pins_changed), &server->pins, &failure)) return;
    log_warning("pin", "there are no pins: %s", failure.message);
    snprintf(server->pins_off, sizeof server->pins_off, "this server keeps no pins: %.350s", failure.message);
}

void web_services_start(struct web_server *server) {
    start_exports(server);
    start_pins(server);
    if (server->pins) start_pictures(server);
}

void web_services_stop(struct web_server *server) {
    pin_pictures_free(server->pictures);
    server->pictures = NULL;
    pin_service_free(server->pins);
    export_service_free(server->exports);
}
