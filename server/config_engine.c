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

const char *config_set_engine(struct config *config, const char *value) {
    bool known = !strcmp(value, "none") || is_local(value) || is_scheduler(value) || is_gateway(value);
    return known && config_copy_text(config->engine, sizeof config->engine, value)
               ? NULL
               : "none, local, local:N (workers, 1 to 256), tcp://HOST:PORT or tls://HOST:PORT (a Dask scheduler), or gateway:URL (a dask-gateway)";
}

const char *config_set_engine_clusters(struct config *config, const char *value) {
    bool user = !strcmp(value, "user");
    if (!user && strcmp(value, "shared")) return "shared (one cluster for all) or user (one for each user)";
    config->engine_for_each_user = user;
    return NULL;
}

// "MIN:MAX", or "N" for both; "" leaves it to the engine.
const char *config_set_engine_workers(struct config *config, const char *value) {
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

const char *config_set_engine_idle(struct config *config, const char *value) {
    return config_parse_integer(value, 1, 7 * 86400, &config->engine_idle) ? NULL : "seconds, from 1 to 604800";
}

const char *config_set_engine_memory(struct config *config, const char *value) {
    return config_parse_size(value, (size_t)256 << 20, &config->engine_memory) ? NULL : "a size of at least 256M, such as 4G";
}

static bool is_scheme(const char *text, size_t length) {
    if (!length || length >= sizeof ((struct config *)NULL)->engine_schemes[0] || !islower((unsigned char)*text)) return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && !strchr("+.-", text[i])) return false;
    return true;
}

const char *config_set_engine_schemes(struct config *config, const char *value) {
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
const char *config_set_engine_slabs(struct config *config, const char *value) {
    struct source_url url;
    if (*value && strcmp(value, "off") && source_url_parse_host(value, 0, &url)) return "HOST or HOST:PORT of this machine as workers reach it, or off";
    return strlen(value) < sizeof config->engine_slabs ? (strcpy(config->engine_slabs, value), NULL) : "a shorter address";
}

// "VARIABLE: WHAT": the engine understands the rest.
const char *config_set_engine_product(struct config *config, const char *value) {
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

const char *config_set_engine_python(struct config *config, const char *value) {
    return config_copy_text(config->engine_python, sizeof config->engine_python, value) ? NULL : "the Python of the environment that server/engine made";
}

const char *config_set_publish_token_file(struct config *config, const char *value) {
    return strlen(value) < sizeof config->publish_token_file ? (strcpy(config->publish_token_file, value), NULL) : "a file with a token";
}

void config_print_engine(FILE *out, const struct config *c, enum config_key key) {
    switch (key) {
    case CONFIG_ENGINE: fputs(c->engine, out); break;
    case CONFIG_ENGINE_CLUSTERS: fputs(c->engine_for_each_user ? "user" : "shared", out); break;
    case CONFIG_ENGINE_WORKERS:
        if (c->engine_workers[1]) fprintf(out, "%d:%d", c->engine_workers[0], c->engine_workers[1]);
        break;
    case CONFIG_ENGINE_IDLE: fprintf(out, "%d", c->engine_idle); break;
    case CONFIG_ENGINE_SCHEMES:
        for (size_t i = 0; i < c->engine_scheme_count; i++) fprintf(out, "%s%s", i ? " " : "", c->engine_schemes[i]);
        break;
    case CONFIG_ENGINE_SLABS: fputs(c->engine_slabs, out); break;
    case CONFIG_ENGINE_PYTHON: fputs(c->engine_python, out); break;
    case CONFIG_PUBLISH_TOKEN_FILE: fputs(c->publish_token_file, out); break;
    default: break;
    }
}
