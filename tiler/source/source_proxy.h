// SPDX-License-Identifier: Apache-2.0
// The only way from a reader of OPeNDAP to the network: an HTTP proxy in the server, whose clients are ends of socket pairs
// that are lent to readers. Every request's scheme, host and port are held against the hosts that the configuration allows,
// and so is every redirect, since the reader asks for it through the proxy again; to no other host a connection is made.
// Header fields pass one by one (proxy_http.h); sizes and times are bounded. One thread a connection; any thread may call.
#ifndef VIRGA_SOURCE_SOURCE_PROXY_H
#define VIRGA_SOURCE_SOURCE_PROXY_H

#include <stdint.h>

#include "source/source_url.h"

struct source_proxy;

struct source_proxy_limits {
    size_t connections;      // at once
    size_t max_text;         // bytes of an answer that holds metadata
    size_t max_data;         // bytes of one that holds values, or of what a tunnel brings at a stretch
    double connect_seconds;
    double silent_seconds;   // without a byte
    double total_seconds;    // for one answer
};

void source_proxy_limits_default(struct source_proxy_limits *limits);
// Copies the hosts ("host" or "host:port"). VIRGA_INVALID names one that is none; VIRGA_NO_MEMORY.
int source_proxy_new(const char *const *hosts, size_t count, const struct source_proxy_limits *limits,
                     struct source_proxy **proxy, struct failure *failure);
// Ends every connection and refuses new ones.
void source_proxy_stop(struct source_proxy *proxy);
// Stops and lets go; a thread that waits for a name's address ends later by itself. NULL allowed.
void source_proxy_free(struct source_proxy *proxy);

// VIRGA_OK, or VIRGA_INVALID with a message that names the setting.
int source_proxy_allows(struct source_proxy *proxy, const struct source_url *url, struct failure *failure);
// One end of a new connection to the proxy, the caller's: non-blocking, close-on-exec. `request` names what it is for.
// VIRGA_TOO_LARGE: too many at once. VIRGA_CANCELLED, VIRGA_NO_MEMORY.
int source_proxy_connect(struct source_proxy *proxy, uint64_t request, int *fd);
// Why something that was asked for in this request was refused or went wrong, the latest: its status and one line, without an
// address. False where nothing did, or it is long ago.
bool source_proxy_reason(struct source_proxy *proxy, uint64_t request, struct failure *reason);
// Connections to servers so far: for tests.
size_t source_proxy_connected(struct source_proxy *proxy);

#endif
