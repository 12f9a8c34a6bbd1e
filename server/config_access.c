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

static const char *set_auth(struct config *config, const char *value) {
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

static void print_auth(FILE *out, const struct config *c) {
    if (!config_has_auth(c)) fputs("none", out);
    if (c->auth_token) fputs("token", out);
    if (c->auth_proxy) fprintf(out, "%sproxy", c->auth_token ? " " : "");
    if (c->auth_hub_is_asked) fprintf(out, "%sjupyterhub", c->auth_token || c->auth_proxy ? " " : "");
}

static void clear_auth(struct config *config) { config->auth_token = config->auth_proxy = config->auth_hub_is_asked = false; }

static const char *set_auth_proxies(struct config *config, const char *value) {
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
static const char *set_auth_header(struct config *config, const char *value) {
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

static const char *set_auth_role(struct config *config, const char *value) {
    return access_role_parse(value, &config->auth_role) ? NULL : "viewer, forecaster or admin";
}

static void print_role(FILE *out, const struct config *c) { fputs(access_role_name(c->auth_role), out); }

static const char *set_auth_admins(struct config *config, const char *value) {
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

static const char *set_auth_hub(struct config *config, const char *value) {
    size_t length = strlen(value);
    if (length >= sizeof config->auth_hub || (length && !is_plain_url(value, false))) return "the address of a JupyterHub, such as https://hub.example.org";
    memcpy(config->auth_hub, value, length + 1);
    while (length && config->auth_hub[length - 1] == '/') config->auth_hub[--length] = '\0';
    return NULL;
}

static const char *set_auth_hub_service(struct config *config, const char *value) {
    static const char allowed[] = "the service's name at the hub: letters, digits and - . _";
    for (const char *c = value; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c)) return allowed;
    return config_copy_text(config->auth_hub_service, sizeof config->auth_hub_service, value) ? NULL : allowed;
}

static const char *set_auth_hub_callback(struct config *config, const char *value) {
    bool good = strlen(value) < sizeof config->auth_hub_callback && (!*value || is_plain_url(value, true));
    return good ? (strcpy(config->auth_hub_callback, value), NULL) : "the address that the hub sends browsers back to, such as https://weather.example.org/oauth_callback";
}

const struct config_setting config_access_settings[CONFIG_KEY_COUNT] = {
    [CONFIG_AUTH] = {"auth", "VIRGA_AUTH", .set = set_auth, .print = print_auth, .clear = clear_auth},
    [CONFIG_ANONYMOUS] = {"anonymous", "VIRGA_ANONYMOUS", IS_SWITCH(anonymous_views, "none", "view", "view (whoever is not signed in may look) or none")},
    [CONFIG_AUTH_PROXIES] = {"auth-proxies", "VIRGA_AUTH_PROXIES", IS_LIST(auth_proxies, auth_proxy_count), .set = set_auth_proxies},
    [CONFIG_AUTH_HEADER] = {"auth-header", "VIRGA_AUTH_HEADER", IS_TEXT(auth_header, 1, NULL), .set = set_auth_header},
    [CONFIG_AUTH_ROLE] = {"auth-role", "VIRGA_AUTH_ROLE", .set = set_auth_role, .print = print_role},
    [CONFIG_AUTH_ADMINS] = {"auth-admins", "VIRGA_AUTH_ADMINS", IS_LIST(auth_admins, auth_admin_count), .set = set_auth_admins},
    [CONFIG_AUTH_HUB] = {"auth-hub", "VIRGA_AUTH_HUB", IS_TEXT(auth_hub, 0, NULL), .set = set_auth_hub},
    [CONFIG_AUTH_HUB_TOKEN_FILE] = {"auth-hub-token-file", "VIRGA_AUTH_HUB_TOKEN_FILE", IS_TEXT(auth_hub_token_file, 0, "a file with the service's token")},
    [CONFIG_AUTH_HUB_SERVICE] = {"auth-hub-service", "VIRGA_AUTH_HUB_SERVICE", IS_TEXT(auth_hub_service, 1, NULL), .set = set_auth_hub_service},
    [CONFIG_AUTH_HUB_CALLBACK] = {"auth-hub-callback", "VIRGA_AUTH_HUB_CALLBACK", IS_TEXT(auth_hub_callback, 0, NULL), .set = set_auth_hub_callback},
    [CONFIG_OPEN_TO_ALL] = {"open-to-all", "VIRGA_OPEN_TO_ALL", IS_SWITCH(open_to_all, "no", "yes", "yes or no")},
};

bool config_has_auth(const struct config *config) { return config->auth_token || config->auth_proxy || config->auth_hub_is_asked; }

int config_check_access(const struct config *c, struct failure *failure) {
    if (!c->anonymous_views && !config_has_auth(c))
        return failure_set(failure, VIRGA_INVALID, "anonymous = none shuts everybody out, as nobody can sign in: say how with auth = token, proxy or jupyterhub");
    if (c->auth_proxy && !c->auth_proxy_count)
        return failure_set(failure, VIRGA_INVALID, "auth = proxy needs auth-proxies, the addresses whose header %s is believed", c->auth_header);
    if (c->auth_hub_is_asked && !c->auth_hub[0]) return failure_set(failure, VIRGA_INVALID, "auth = jupyterhub needs auth-hub, the hub's address");
    return VIRGA_OK;
}
