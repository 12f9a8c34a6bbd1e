// SPDX-License-Identifier: Apache-2.0
// What the web server has threads of their own for, beside the workers: exports, pins. Service thread.
#ifndef VIRGA_SERVER_WEB_SERVICES_H
#define VIRGA_SERVER_WEB_SERVICES_H

struct app;
struct web_server;

// Opens the database; without it, as without any of these, the rest is served all the same, and a request for it is told why not.
void web_services_open(struct app *app);
void web_services_start(struct web_server *server);
void web_services_stop(struct web_server *server);

#endif
