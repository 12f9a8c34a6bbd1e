// SPDX-License-Identifier: Apache-2.0
// A screen and its remotes over their websockets (PROTOCOL.md, "Paired screens"): what the table says is told to whom it concerns. Service thread.
#ifndef VIRGA_SERVER_WS_PAIR_H
#define VIRGA_SERVER_WS_PAIR_H

#include "server/ws_client.h"

// A screen asks for a code, a remote joins or comes back, either ends it.
void ws_take_pair(struct ws_client *client, const struct ws_pair *asked);
// What either says to the other. NULL, or why the connection is to be closed.
const char *ws_take_steering(struct ws_client *client, const void *bytes, size_t size);
// What the client is to hear of the other side, the newest only. What the library's callbacks return.
int ws_send_steering(struct ws_client *client);
void ws_pair_closed(struct ws_client *client);

#endif
