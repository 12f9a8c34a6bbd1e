// SPDX-License-Identifier: Apache-2.0
// Whose page, and whose machine, a request comes from. Pure: any thread.
#ifndef VIRGA_SERVER_HTTP_ORIGIN_H
#define VIRGA_SERVER_HTTP_ORIGIN_H

#include <stdbool.h>

#include "server/config.h"

// Texts of the request's headers; NULL where a header is absent.
struct http_sender {
    const char *address;  // of the connection, numeric
    const char *host, *origin;
    bool proxied;         // a header says that it came through a proxy: the address is the proxy's
};

// The configuration names this origin.
bool http_origin_is_configured(const struct config *config, const char *origin);
// A page may read here, over a websocket: it is the server's own, the configuration names its origin, or there is no Origin (no browser).
bool http_origin_may_read(const struct config *config, const struct http_sender *sender);
// Who may have things written: this machine (a loopback address), by a name that only this machine answers to or that the configuration
// names (a foreign name that was made to point here is refused), from a page of the server's own or one that the configuration names; through a
// proxy on this machine, whose clients may be anywhere, only from one that the configuration names.
// VIRGA_OK, or VIRGA_INVALID with what is missing and how to allow it.
int http_origin_may_write(const struct config *config, const struct http_sender *sender, struct failure *failure);
// Whether a request that changes nothing, which a browser sends without an Origin, comes from there.
bool http_origin_is_local(const struct config *config, const struct http_sender *sender);

#endif
