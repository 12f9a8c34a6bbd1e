// SPDX-License-Identifier: Apache-2.0
// Settings of who may do what.
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "server/access_network.h"
#include "server/config_private.h"
#include "source/source_url.h"

// The next word of a list that spaces or commas separate, in `word`: its length, 0 at the end; SIZE_MAX: longer than room.
static size_t next_word(const char **at, char *word, size_t room) {
    *at += strspn(*at, " ,");
    size_t length = strcspn(*at, " ,");
    if (length >= room) return SIZE_MAX;
    memcpy(word, *at, length);
    word[length] = '\0';
    *at += length;
    return length;
}

const char *config_set_auth(struct config *config, const char *value) {
    static const char allowed[] = "none, or any of token, proxy and jupyterhub";
    bool *const kinds[] = {&config->auth_token, &config->auth_proxy, &config->auth_hub_is_asked};
    static const char *const names[] = {"token", "proxy", "jupyterhub"};
    char word[32];
    size_t length, count = 0;
    bool none = false;
    for (const char *at = value; (length = next_word(&at, word, sizeof word)); count++) {
        size_t i = 0;
        if (length == SIZE_MAX) return allowed;
        none |= !strcmp(word, "none");
        while (i < 3 && strcmp(word, names[i])) i++;
        if (i < 3) *kinds[i] = true;
        else if (strcmp(word, "none")) return allowed;
    }
    if (!count || (none && count > 1)) return allowed;
    if (none) config->auth_token = config->auth_proxy = config->auth_hub_is_asked = false;
    return NULL;
}

const char *config_set_anonymous(struct config *config, const char *value) {
    bool views = !strcmp(value, "view");
    if (!views && strcmp(value, "none")) return "view (whoever is not signed in may look) or none";
    config->anonymous_views = views;
    return NULL;
}

const char *config_set_auth_proxies(struct config *config, const char *value) {
    static const char allowed[] = "at most 32 addresses or networks of proxies, such as 127.0.0.1 or 10.1.0.0/16";
    struct access_network network;
    char word[sizeof config->auth_proxies[0]];
    size_t length;
    for (const char *at = value; (length = next_word(&at, word, sizeof word));) {
        if (length == SIZE_MAX || config->auth_proxy_count == CONFIG_MAX_HOSTS || !access_network_parse(word, &network)) return allowed;
        memcpy(config->auth_proxies[config->auth_proxy_count++], word, sizeof word);
    }
    return NULL;
}

// Kept in lower case: how the library knows headers.
const char *config_set_auth_header(struct config *config, const char *value) {
    static const char allowed[] = "the name of a header that the proxy sets, such as X-Forwarded-User";
    size_t length = strlen(value);
    if (length < 3 || length >= sizeof config->auth_header) return allowed;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)value[i]) && value[i] != '-') return allowed;
    static const char *const others[] = {"host", "origin", "cookie", "authorization", "x-forwarded-for", "x-forwarded-proto", "x-virga-session", "user-agent"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcasecmp(value, others[i])) return allowed;
    for (size_t i = 0; i <= length; i++) config->auth_header[i] = (char)tolower((unsigned char)value[i]);
    return NULL;
}

const char *config_set_auth_role(struct config *config, const char *value) {
    return access_role_parse(value, &config->auth_role) ? NULL : "viewer, forecaster or admin";
}

const char *config_set_auth_admins(struct config *config, const char *value) {
    char word[sizeof config->auth_admins[0]];
    size_t length;
    for (const char *at = value; (length = next_word(&at, word, sizeof word));) {
        if (length == SIZE_MAX || config->auth_admin_count == CONFIG_MAX_HOSTS || !access_name_valid(word))
            return "at most 32 names, as the proxy or the hub gives them, of at most 64 bytes";
        memcpy(config->auth_admins[config->auth_admin_count++], word, sizeof word);
    }
    return NULL;
}

// http://HOST[:PORT][/PATH] without anything that ends a header or begins a query. `path`: it may be a path alone.
static bool is_plain_url(const char *value, bool path) {
    struct source_url url;
    for (const char *c = value; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/-._~@:[]", *c)) return false;
    if (path && value[0] == '/') return true;
    return (!strncmp(value, "http://", 7) || !strncmp(value, "https://", 8)) && !source_url_parse(value, &url, NULL);
}

const char *config_set_auth_hub(struct config *config, const char *value) {
    size_t length = strlen(value);
    if (length >= sizeof config->auth_hub || (length && !is_plain_url(value, false))) return "the address of a JupyterHub, such as https://hub.example.org";
    memcpy(config->auth_hub, value, length + 1);
    while (length && config->auth_hub[length - 1] == '/') config->auth_hub[--length] = '\0';
    return NULL;
}

const char *config_set_auth_hub_token_file(struct config *config, const char *value) {
    return strlen(value) < sizeof config->auth_hub_token_file ? (strcpy(config->auth_hub_token_file, value), NULL) : "a file with the service's token";
}

const char *config_set_auth_hub_service(struct config *config, const char *value) {
    static const char allowed[] = "the service's name at the hub: letters, digits and - . _";
    for (const char *c = value; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c)) return allowed;
    return config_copy_text(config->auth_hub_service, sizeof config->auth_hub_service, value) ? NULL : allowed;
}

const char *config_set_auth_hub_callback(struct config *config, const char *value) {
    bool good = strlen(value) < sizeof config->auth_hub_callback && (!*value || is_plain_url(value, true));
    return good ? (strcpy(config->auth_hub_callback, value), NULL) : "the address that the hub sends browsers back to, such as https://weather.example.org/oauth_callback";
}

const char *config_set_open_to_all(struct config *config, const char *value) {
    bool yes = !strcmp(value, "yes");
    if (!yes && strcmp(value, "no")) return "yes or no";
    config->open_to_all = yes;
    return NULL;
}

static void print_names(FILE *out, const char *names, size_t size, size_t count) {
    for (size_t i = 0; i < count; i++) fprintf(out, "%s%s", i ? " " : "", names + i * size);
}

void config_print_access(FILE *out, const struct config *c, enum config_key key) {
    switch (key) {
    case CONFIG_AUTH:
        if (!config_has_auth(c)) fputs("none", out);
        if (c->auth_token) fputs("token", out);
        if (c->auth_proxy) fprintf(out, "%sproxy", c->auth_token ? " " : "");
        if (c->auth_hub_is_asked) fprintf(out, "%sjupyterhub", c->auth_token || c->auth_proxy ? " " : "");
        break;
    case CONFIG_ANONYMOUS: fputs(c->anonymous_views ? "view" : "none", out); break;
    case CONFIG_AUTH_PROXIES: print_names(out, c->auth_proxies[0], sizeof c->auth_proxies[0], c->auth_proxy_count); break;
    case CONFIG_AUTH_HEADER: fputs(c->auth_header, out); break;
    case CONFIG_AUTH_ROLE: fputs(access_role_name(c->auth_role), out); break;
    case CONFIG_AUTH_ADMINS: print_names(out, c->auth_admins[0], sizeof c->auth_admins[0], c->auth_admin_count); break;
    case CONFIG_AUTH_HUB: fputs(c->auth_hub, out); break;
    case CONFIG_AUTH_HUB_TOKEN_FILE: fputs(c->auth_hub_token_file, out); break;
    case CONFIG_AUTH_HUB_SERVICE: fputs(c->auth_hub_service, out); break;
    case CONFIG_AUTH_HUB_CALLBACK: fputs(c->auth_hub_callback, out); break;
    case CONFIG_OPEN_TO_ALL: fputs(c->open_to_all ? "yes" : "no", out); break;
    default: break;
    }
}

bool config_has_auth(const struct config *config) { return config->auth_token || config->auth_proxy || config->auth_hub_is_asked; }

int config_check_access(const struct config *c, struct failure *failure) {
    if (!c->anonymous_views && !config_has_auth(c))
        return failure_set(failure, VIRGA_INVALID, "anonymous = none shuts everybody out, as nobody can sign in: say how with auth = token, proxy or jupyterhub");
    if (c->auth_proxy && !c->auth_proxy_count)
        return failure_set(failure, VIRGA_INVALID, "auth = proxy needs auth-proxies, the addresses whose header %s is believed", c->auth_header);
    if (c->auth_hub_is_asked && !c->auth_hub[0]) return failure_set(failure, VIRGA_INVALID, "auth = jupyterhub needs auth-hub, the hub's address");
    return VIRGA_OK;
}
