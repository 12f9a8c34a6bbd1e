// SPDX-License-Identifier: Apache-2.0
#include "server/http_origin.h"

#include <string.h>
#include <strings.h>

#include "server/client_place.h"

bool http_origin_is_configured(const struct config *config, const char *origin) {
    for (size_t i = 0; i < config->allow_origin_count; i++)
        if (!strcasecmp(origin, config->allow_origins[i])) return true;
    return false;
}

// What stands behind http:// or https://, or NULL.
static const char *place_of(const char *origin) {
    if (!strncasecmp(origin, "http://", 7)) return origin + 7;
    return strncasecmp(origin, "https://", 8) ? NULL : origin + 8;
}

bool http_origin_may_read(const struct config *config, const struct http_sender *sender) {
    if (!sender->origin || http_origin_is_configured(config, sender->origin)) return true;
    const char *place = place_of(sender->origin);
    return place && sender->host && !strcasecmp(place, sender->host);
}

// The host of "host", "host:port" or "[v6]:port", without the brackets. False when too long or malformed.
static bool host_name(const char *place, char *out, size_t room) {
    bool v6 = *place == '[';
    size_t length = v6 ? strcspn(++place, "]") : strcspn(place, ":");
    if (!length || length >= room || (v6 && place[length] != ']')) return false;
    const char *rest = place + length + v6;
    if (*rest && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")])) return false;
    memcpy(out, place, length);
    out[length] = '\0';
    return true;
}

static bool is_own_name(const struct config *config, const char *host) {
    char name[256], other[256];
    if (!host_name(host, name, sizeof name)) return false;
    if (client_place_is_loopback(name) || !strcasecmp(name, "localhost")) return true;
    for (size_t i = 0; i < config->allow_origin_count; i++) {
        const char *place = place_of(config->allow_origins[i]);
        if (place && host_name(place, other, sizeof other) && !strcasecmp(name, other)) return true;
    }
    return false;
}

static bool is_own_page(const struct config *config, const struct http_sender *sender) {
    const char *place = !strncasecmp(sender->origin, "http://", 7) ? sender->origin + 7 : NULL;
    return http_origin_is_configured(config, sender->origin) || (place && !strcasecmp(place, sender->host));
}

bool http_origin_is_local(const struct config *config, const struct http_sender *sender) {
    if (!client_place_is_loopback(sender->address) || !sender->host || !is_own_name(config, sender->host)) return false;
    return !sender->origin || is_own_page(config, sender);
}

int http_origin_may_write(const struct config *config, const struct http_sender *sender, struct failure *failure) {
    if (!client_place_is_loopback(sender->address))
        return failure_set(failure, VIRGA_INVALID, "exports are made for this machine only: open the page on the server itself, or through a proxy on "
                           "it or an SSH tunnel (ssh -L)");
    if (!sender->host || !is_own_name(config, sender->host))
        return failure_set(failure, VIRGA_INVALID, "this host name may not ask for exports: open the page as http://localhost, or name its origin in the "
                           "setting allow-origin");
    if (!sender->origin)
        return failure_set(failure, VIRGA_INVALID, "exports are asked for with the header Origin, the page's own (http://%.200s)", sender->host);
    if (sender->proxied ? http_origin_is_configured(config, sender->origin) : is_own_page(config, sender)) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "pages of this origin may not ask for exports here: name it in the setting allow-origin, or use the "
                       "command virga export");
}
