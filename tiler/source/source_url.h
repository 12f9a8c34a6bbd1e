// SPDX-License-Identifier: Apache-2.0
// Addresses of datasets behind OPeNDAP, and which hosts may be asked. Text only: nothing is looked up or connected to. Any
// thread.
#ifndef VIRGA_SOURCE_SOURCE_URL_H
#define VIRGA_SOURCE_SOURCE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { SOURCE_URL_HOST = 256 };

struct source_url {
    bool secure;                 // https
    char host[SOURCE_URL_HOST];  // lower case; an IPv6 address without its brackets
    int port;                    // 1 to 65535; the scheme's own where none is given
    const char *rest;            // path and query within the text, from their slash on; "" where there is none
};

// Whether a path is an address (begins with "scheme://") and no file's name.
bool source_url_like(const char *path);
// http, https, and dap2 for http. VIRGA_INVALID with a message without the text: another scheme, user and password, a fragment,
// characters that no address has unescaped, or a host or port that can be none.
int source_url_parse(const char *text, struct source_url *url, struct failure *failure);
// "host:port" alone, as CONNECT and the setting have it; `port` where none is given. VIRGA_INVALID.
int source_url_parse_host(const char *text, int port, struct source_url *url);
// Whether one of `hosts` ("host" for the usual ports, "host:port" for this one) names the URL's. `hosts` need not be well formed.
bool source_url_allowed(const struct source_url *url, const char *const *hosts, size_t count);

#endif
