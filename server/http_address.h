// SPDX-License-Identifier: Apache-2.0
// The server's own address as a client sees it, for documents that must name whole addresses (TileJSON, capabilities, links). Service thread.
#ifndef VIRGA_SERVER_HTTP_ADDRESS_H
#define VIRGA_SERVER_HTTP_ADDRESS_H

#include "server/web_state.h"

enum { HTTP_ADDRESS = 600 };

// "https://maps.example.org/virga/": the request's Host, and https where a proxy that is believed says so, and the base path, with its slash at the end. Where the client names
// no host, or one with other characters than hosts have, the base path alone ("/virga/"), which clients take from the host that they asked. Never anything that needs escaping
// in JSON, XML or a URL.
void http_address(const struct peer *peer, char address[HTTP_ADDRESS]);

#endif
