// SPDX-License-Identifier: Apache-2.0
#include "source/source_url.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool source_url_like(const char *path) {
    size_t n = 0;
    while (is_letter(path[n]) || is_digit(path[n]) || path[n] == '+' || path[n] == '-' || path[n] == '.') n++;
    return n > 1 && is_letter(*path) && !strncmp(path + n, "://", 3);
}

// Bytes of the host at the start of `text`, brackets counted; 0 where it is none.
static size_t host_length(const char *text) {
    size_t n = 0;
    if (*text == '[') {
        for (n = 1; is_hex(text[n]) || text[n] == ':' || text[n] == '.'; n++) continue;
        return n > 2 && text[n] == ']' ? n + 1 : 0;
    }
    while (is_letter(text[n]) || is_digit(text[n]) || text[n] == '-' || text[n] == '.' || text[n] == '_') n++;
    return *text == '.' || *text == '-' ? 0 : n;
}

// Host and port up to `end`.
static int take_authority(const char *text, const char *end, int port, struct source_url *url) {
    size_t n = host_length(text), skip = *text == '[';
    const char *at = text + n;
    if (!n || at > end || n - 2 * skip >= sizeof url->host) return VIRGA_INVALID;
    for (size_t i = 0; i < n - 2 * skip; i++) {
        char c = text[skip + i];
        url->host[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    url->host[n - 2 * skip] = '\0';
    url->port = port;
    if (at == end) return VIRGA_OK;
    if (*at++ != ':' || at == end || end - at > 5) return VIRGA_INVALID;
    for (url->port = 0; at < end; at++) {
        if (!is_digit(*at)) return VIRGA_INVALID;
        url->port = url->port * 10 + (*at - '0');
    }
    return url->port >= 1 && url->port <= 65535 ? VIRGA_OK : VIRGA_INVALID;
}

int source_url_parse_host(const char *text, int port, struct source_url *url) {
    *url = (struct source_url){.rest = ""};
    return take_authority(text, text + strlen(text), port, url);
}

int source_url_parse(const char *text, struct source_url *url, struct failure *failure) {
    static const struct { const char *name; bool secure; } schemes[] = {
        {"http://", false}, {"https://", true}, {"dap2://", false}};
    const char *authority = NULL;
    *url = (struct source_url){.rest = ""};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes && !authority; i++) {
        if (strncasecmp(text, schemes[i].name, strlen(schemes[i].name))) continue;
        authority = text + strlen(schemes[i].name);
        url->secure = schemes[i].secure;
    }
    if (!authority) return failure_set(failure, VIRGA_INVALID, "only http, https and dap2 addresses are read, and by an engine those of the setting engine-schemes");
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{}#", *c))
            return failure_set(failure, VIRGA_INVALID, *c == '#' ? "an address of a dataset has no fragment (#…)" :
                                                                  "the address holds a character that has to be escaped as %%XX");
    const char *end = authority + strcspn(authority, "/?");
    if (memchr(authority, '@', (size_t)(end - authority)))
        return failure_set(failure, VIRGA_INVALID, "the address holds a user name or password, which are not sent");
    if (take_authority(authority, end, url->secure ? 443 : 80, url))
        return failure_set(failure, VIRGA_INVALID, "the address names no host and port that can be");
    if (*end == '?') return failure_set(failure, VIRGA_INVALID, "the address has no path");
    url->rest = end;
    return VIRGA_OK;
}

bool source_url_allowed(const struct source_url *url, const char *const *hosts, size_t count) {
    for (size_t n = 0; n < count; n++) {
        struct source_url allowed;
        if (source_url_parse_host(hosts[n], url->secure ? 443 : 80, &allowed)) continue;
        if (allowed.port == url->port && !strcmp(allowed.host, url->host)) return true;
    }
    return false;
}
