// SPDX-License-Identifier: Apache-2.0
// The configuration is read anew while the server runs (SIGHUP): what it can take is in force at once, what it cannot is said, and one with a mistake changes
// nothing. Service thread. Private to the web server.
#ifndef VIRGA_SERVER_WEB_RELOAD_H
#define VIRGA_SERVER_WEB_RELOAD_H

#include "server/web_state.h"

// What the server makes of the configuration for itself: at its start, and after each change.
void web_reload_in_force(struct web_server *server);
// Begins it; the file is read on a helper's thread. Asked again meanwhile, it is read once more afterwards.
void web_reload_begin(struct web_server *server);

#endif
