// SPDX-License-Identifier: Apache-2.0
// HTTP and websocket on one port, on one service thread: the thread that calls web_server_run.
#ifndef VIRGA_SERVER_WEB_SERVER_H
#define VIRGA_SERVER_WEB_SERVER_H

#include "server/app.h"

struct web_server;

// Whether a server may be begun with these settings: what concerns access goes together, and a server on whose page nobody has to sign in listens beyond this
// machine only where it was told to. VIRGA_INVALID or VIRGA_NOT_FOUND, with what to do.
int web_server_check(const struct config *config, struct failure *failure);

// Listens at config.listen (port 0 picks a free one). *port is the port in use. The web page's files are loaded into
// memory from config.web_root here.
int web_server_new(struct app *app, struct web_server **server, int *port, struct failure *failure);
// Serves until web_server_stop. Returns VIRGA_OK after a clean stop. status: what the service manager is told of it, in a line.
int web_server_run(struct web_server *server, const char *status);
// Any thread or signal handler: makes web_server_run return soon.
void web_server_stop(struct web_server *server);
// Any thread or signal handler: likewise, once what is being answered has ended, or after the setting drain-seconds. Nothing new is accepted meanwhile.
void web_server_drain(struct web_server *server);
// The configuration is read by this, on a thread of the server's (one at a time), whenever it is asked to be. Before web_server_run; without it, it is not.
typedef int (*web_server_read_config)(void *user, struct config *config, struct failure *failure);
void web_server_on_reload(struct web_server *server, web_server_read_config read, void *user);
// Any thread or signal handler: reads the configuration anew. What can change in a running server does (config_reload.h), the rest is logged.
void web_server_reload(struct web_server *server);
void web_server_free(struct web_server *server);

#endif
