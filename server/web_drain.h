// SPDX-License-Identifier: Apache-2.0
// How a server stops without breaking off: it listens no more, tells its websockets to come back to the next one, and ends what it is answering.
// Service thread. Private to the web server.
#ifndef VIRGA_SERVER_WEB_DRAIN_H
#define VIRGA_SERVER_WEB_DRAIN_H

#include "server/web_state.h"

// Closes all websockets with 1012 ("service restart"): pages connect again, and are looked at again. words: static, why.
void web_send_sockets_away(struct web_server *server, const char *words);
// From now on connections are refused by the system, websockets are sent away, and connections end with the answer under way.
void web_drain_begin(struct web_server *server);
// Whether nothing is left to wait for, or the setting drain-seconds is over; then it is logged how many are broken off.
bool web_drain_is_over(const struct web_server *server);

#endif
