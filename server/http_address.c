// SPDX-License-Identifier: Apache-2.0
#include "server/http_address.h"

#include <stdio.h>
#include <string.h>

#include "server/http_router.h"

void http_address(const struct peer *peer, char address[HTTP_ADDRESS]) {
    char host[256];
    const char *base = peer->server->app->config.base_path;
    bool plain = http_header(peer->wsi, WSI_TOKEN_HOST, host, sizeof host) &&
                 !host[strspn(host, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:[]")];
    if (plain) snprintf(address, HTTP_ADDRESS, "%s://%s%s", peer->caller.secure ? "https" : "http", host, base);
    else snprintf(address, HTTP_ADDRESS, "%s", base);
}
