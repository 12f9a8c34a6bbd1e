// SPDX-License-Identifier: Apache-2.0
// Settings of the engine: which cluster, how much of it, what it may open, and who may publish.
#include <ctype.h>
#include <string.h>

#include "server/config_private.h"
#include "source/source_url.h"

static const char *behind(const char *text, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(text, prefix, n) ? NULL : text + n;
}

static bool is_local(const char *value) {
    const char *count = behind(value, "local:");
    int number;
    return !strcmp(value, "local") || (count && config_parse_integer(count, 1, 256, &number));
}

// tcp://HOST:PORT or tls://HOST:PORT, the port named.
static bool is_scheduler(const char *value) {
    struct source_url url;
    const char *place = behind(value, "tcp://");
    if (!place) place = behind(value, "tls://");
    return place && !source_url_parse_host(place, -1, &url) && url.port > 0;
}

// gateway:URL, or gateway:URL#NAME of a cluster that is there already.
static bool is_gateway(const char *value) {
    struct source_url url;
    char address[512];
    const char *place = behind(value, "gateway:");
    size_t length = place ? strcspn(place, "#") : 0;
    if (!length || length >= sizeof address || (strncmp(place, "http://", 7) && strncmp(place, "https://", 8))) return false;
    memcpy(address, place, length);
    address[length] = '\0';
    for (const char *c = place + length + (place[length] == '#'); *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) return false;
    return (!place[length] || place[length + 1]) && !source_url_parse(address, &url, NULL);
}

static const char *set_engine(struct config *config, const char *value) {
    bool known = !strcmp(value, "none") || is_local(value) || is_scheduler(value) || is_gateway(value);
    return known && config_copy_text(config->engine, sizeof config->engine, value)
               ? NULL
               : "none, local, local:N (workers, 1 to 256), tcp://HOST:PORT or tls://HOST:PORT (a Dask scheduler), or gateway:URL (a dask-gateway)";
}

// "MIN:MAX", or "N" for both; "" leaves it to the engine.
static const char *set_engine_workers(struct config *config, const char *value) {
    static const char allowed[] = "MIN:MAX workers, such as 0:8, with MAX from 1 to 1024 and MIN no more than it; or one number";
    char low[16];
    size_t length = strcspn(value, ":");
    int least = 0, most = 0;
    if (!*value) {
        config->engine_workers[0] = config->engine_workers[1] = 0;
        return NULL;
    }
    if (length >= sizeof low) return allowed;
    memcpy(low, value, length);
    low[length] = '\0';
    if (!config_parse_integer(value[length] ? value + length + 1 : value, 1, 1024, &most) || !config_parse_integer(low, 0, most, &least)) return allowed;
    config->engine_workers[0] = least;
    config->engine_workers[1] = most;
    return NULL;
}

static void print_workers(FILE *out, const struct config *c) {
    if (c->engine_workers[1]) fprintf(out, "%d:%d", c->engine_workers[0], c->engine_workers[1]);
}

static bool is_scheme(const char *text, size_t length) {
    if (!length || length >= sizeof ((struct config *)NULL)->engine_schemes[0] || !islower((unsigned char)*text)) return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && !strchr("+.-", text[i])) return false;
    return true;
}

static const char *set_engine_schemes(struct config *config, const char *value) {
    for (const char *at = value + strspn(value, " ,"); *at;) {
        size_t length = strcspn(at, " ,");
        if (config->engine_scheme_count == CONFIG_MAX_SCHEMES || !is_scheme(at, length))
            return "at most 16 schemes of addresses that fsspec knows, such as s3 or https";
        memcpy(config->engine_schemes[config->engine_scheme_count], at, length);
        config->engine_schemes[config->engine_scheme_count++][length] = '\0';
        at += length + strspn(at + length, " ,");
    }
    return NULL;
}

// "" lets the engine find the address.
static const char *set_engine_slabs(struct config *config, const char *value) {
    struct source_url url;
    if (*value && strcmp(value, "off") && source_url_parse_host(value, 0, &url)) return "HOST or HOST:PORT of this machine as workers reach it, or off";
    return strlen(value) < sizeof config->engine_slabs ? (strcpy(config->engine_slabs, value), NULL) : "a shorter address";
}

// "VARIABLE: WHAT": the engine understands the rest.
static const char *set_engine_product(struct config *config, const char *value) {
    static const char allowed[] = "at most 64 products \"VARIABLE: WHAT\", such as \"air_temperature: percentile 90\"";
    const char *colon = strchr(value, ':');
    if (!*value) return NULL;
    if (!colon || colon == value || !colon[1 + strspn(colon + 1, " ")] || strlen(value) > 250) return allowed;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == ';') return allowed;
    char *copy = config->engine_product_count < CONFIG_MAX_PRODUCTS ? strdup(value) : NULL;
    if (!copy) return allowed;
    config->engine_products[config->engine_product_count++] = copy;
    return NULL;
}

const struct config_setting config_engine_settings[CONFIG_KEY_COUNT] = {
    [CONFIG_ENGINE] = {"engine", "VIRGA_ENGINE", IS_TEXT(engine, 1, NULL), .set = set_engine},
    [CONFIG_ENGINE_CLUSTERS] = {"engine-clusters", "VIRGA_ENGINE_CLUSTERS", IS_SWITCH(engine_for_each_user, "shared", "user", "shared (one cluster for all) or user (one for each user)")},
    [CONFIG_ENGINE_WORKERS] = {"engine-workers", "VIRGA_ENGINE_WORKERS", .set = set_engine_workers, .print = print_workers},
    [CONFIG_ENGINE_IDLE] = {"engine-idle", "VIRGA_ENGINE_IDLE", IS_INTEGER(engine_idle, 1, 7 * 86400, "seconds, from 1 to 604800")},
    [CONFIG_ENGINE_MEMORY] = {"engine-memory", "VIRGA_ENGINE_MEMORY", IS_SIZE(engine_memory, 256 << 20, "a size of at least 256M, such as 4G")},
    [CONFIG_ENGINE_SCHEMES] = {"engine-schemes", "VIRGA_ENGINE_SCHEMES", IS_LIST(engine_schemes, engine_scheme_count), .set = set_engine_schemes},
    [CONFIG_ENGINE_SLABS] = {"engine-slabs", "VIRGA_ENGINE_SLABS", IS_TEXT(engine_slabs, 0, NULL), .set = set_engine_slabs},
    [CONFIG_ENGINE_PRODUCT] = {"engine-product", "VIRGA_ENGINE_PRODUCT", IS_LINES(engine_products, engine_product_count), .set = set_engine_product},
    [CONFIG_ENGINE_PYTHON] = {"engine-python", "VIRGA_ENGINE_PYTHON", IS_TEXT(engine_python, 1, "the Python of the environment that server/engine made")},
    [CONFIG_PUBLISH_TOKEN_FILE] = {"publish-token-file", "VIRGA_PUBLISH_TOKEN_FILE", IS_TEXT(publish_token_file, 0, "a file with a token")},
};
