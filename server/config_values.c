// SPDX-License-Identifier: Apache-2.0
// What each setting may be, and how it is printed.
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_private.h"
#include "source/source_url.h"

bool config_parse_integer(const char *text, long low, long high, int *number) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || isspace((unsigned char)*text) || value < low || value > high) return false;
    *number = (int)value;
    return true;
}

// "268435456", "256M", "1.5G", "256 MiB": powers of 1024.
bool config_parse_size(const char *text, size_t low, size_t *size) {
    char *end;
    if (!isdigit((unsigned char)*text)) return false;
    double value = strtod(text, &end);
    while (*end == ' ') end++;
    static const char units[] = "KMGT";
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit) {
        value = ldexp(value, 10 * (int)(unit - units + 1));
        end++;
        if (*end == 'i') end++;
    }
    if (*end == 'B') end++;
    if (*end || !(value >= (double)low) || value > ldexp(1, 46)) return false;
    *size = (size_t)value;
    return true;
}

bool config_copy_text(char *to, size_t room, const char *text) {
    size_t length = strlen(text);
    if (!length || length >= room) return false;
    memcpy(to, text, length + 1);
    return true;
}

// HOST:PORT, [IPv6]:PORT, :PORT or PORT.
static const char *set_listen(struct config *config, const char *value) {
    static const char allowed[] = "HOST:PORT with a port from 0 to 65535 (0 picks a free one), such as 127.0.0.1:8080 or [::1]:8080";
    const char *colon = strrchr(value, ':'), *host = value, *port = colon ? colon + 1 : value;
    size_t length = colon ? (size_t)(colon - value) : 0;
    if (length && *value == '[') {
        if (value[length - 1] != ']') return allowed;
        host++;
        length -= 2;
    } else if (memchr(value, ':', length)) {
        return allowed;
    }
    if (length >= sizeof config->listen_host) return allowed;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr(".-_:%", host[i])) return allowed;
    int number;
    if (!config_parse_integer(port, 0, 65535, &number)) return allowed;
    config->listen_port = number;
    if (!length) return NULL;
    memcpy(config->listen_host, host, length);
    config->listen_host[length] = '\0';
    return NULL;
}

static const char *set_base_path(struct config *config, const char *value) {
    static const char allowed[] =
        "a path that starts with '/', such as /virga/, of letters, digits and - . _ ~ @ + = , : without empty, '.' or '..' parts";
    char path[sizeof config->base_path];
    size_t length = strlen(value);
    if (*value != '/' || length + 2 > sizeof path) return allowed;
    for (const char *c = value; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/-._~@+=,:", *c)) return allowed;
    memcpy(path, value, length + 1);
    if (path[length - 1] != '/') memcpy(path + length, "/", 2);
    if (strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../")) return allowed;
    strcpy(config->base_path, path);
    return NULL;
}

static const char *set_state(struct config *config, const char *value) {
    return config_copy_text(config->state_dir, sizeof config->state_dir - 64, value) ? NULL : "a folder";
}

static const char *set_web_root(struct config *config, const char *value) {
    return config_copy_text(config->web_root, sizeof config->web_root, value) ? NULL : "the folder with the page's index.html";
}

static const char *set_reader(struct config *config, const char *value) {
    return config_copy_text(config->reader, sizeof config->reader, value) ? NULL : "the program virga-reader";
}

static const char *set_cache_memory(struct config *config, const char *value) {
    return config_parse_size(value, 8 << 20, &config->cache_memory) ? NULL : "a size of at least 8M, such as 256M or 1G";
}

static const char *set_spool_limit(struct config *config, const char *value) {
    return config_parse_size(value, 0, &config->spool_limit) ? NULL : "a size, such as 512M or 8G; 0 for no spool";
}

static const char *set_workers(struct config *config, const char *value) {
    return config_parse_integer(value, 1, 256, &config->workers) ? NULL : "a whole number from 1 to 256";
}

static const char *set_readers(struct config *config, const char *value) {
    return config_parse_integer(value, 1, 64, &config->readers) ? NULL : "a whole number from 1 to 64";
}

static const char *set_max_connections(struct config *config, const char *value) {
    return config_parse_integer(value, 1, 100000, &config->max_connections) ? NULL : "a whole number from 1 to 100000";
}

static const char *set_idle_seconds(struct config *config, const char *value) {
    return config_parse_integer(value, 1, 86400, &config->idle_seconds) ? NULL : "seconds, from 1 to 86400";
}

static const char *set_drain_seconds(struct config *config, const char *value) {
    return config_parse_integer(value, 0, 3600, &config->drain_seconds) ? NULL : "seconds, from 0 to 3600";
}

static const char *set_message_rate(struct config *config, const char *value) {
    char *end;
    double rate = isdigit((unsigned char)*value) ? strtod(value, &end) : NAN;
    if (!(rate >= 1 && rate <= 10000) || *end) return "messages a second, from 1 to 10000";
    config->message_rate = rate;
    return NULL;
}

static const char *set_export_jobs(struct config *config, const char *value) {
    return config_parse_integer(value, 0, 16, &config->export_jobs) ? NULL : "a whole number from 0 (no exports) to 16";
}

static const char *set_export_queue(struct config *config, const char *value) {
    return config_parse_integer(value, 0, 500, &config->export_queue) ? NULL : "a whole number from 0 to 500";
}

static const char *set_export_frames(struct config *config, const char *value) {
    return config_parse_integer(value, 1, 100000, &config->export_frames) ? NULL : "a whole number from 1 to 100000";
}

static const char *set_export_size(struct config *config, const char *value) {
    char *end = NULL;
    unsigned long width = isdigit((unsigned char)*value) ? strtoul(value, &end, 10) : 0, height = 0;
    if (end && *end == 'x' && isdigit((unsigned char)end[1])) height = strtoul(end + 1, &end, 10);
    if (!width || !height || *end || width > 16384 || height > 16384) return "WIDTHxHEIGHT, each from 1 to 16384, such as 3840x2160";
    config->export_size[0] = (unsigned)width;
    config->export_size[1] = (unsigned)height;
    return NULL;
}

static const char *set_export_disk(struct config *config, const char *value) {
    return config_parse_size(value, 1 << 20, &config->export_disk) ? NULL : "a size of at least 1M, such as 20G";
}

bool config_parse_time(const char *text, double *seconds) {
    char *end;
    double number = isdigit((unsigned char)*text) ? strtod(text, &end) : NAN;
    if (!(number >= 0) || (*end && end[1]) || (!*end && number > 0)) return false;
    double unit = *end == 'd' ? 86400 : *end == 'h' ? 3600 : *end == 'm' ? 60 : *end ? NAN : 1;
    if (!(number * unit <= 3650 * 86400.0)) return false;
    *seconds = number * unit;
    return true;
}

static const char *set_export_keep(struct config *config, const char *value) {
    return config_parse_time(value, &config->export_keep) ? NULL : "a time such as 7d, 48h or 90m, at most 3650d; 0 keeps exports until they are deleted";
}

// The text goes into response headers: nothing that could end one or start another rule. `scheme`: SCHEME:// is needed.
static bool origin_is_safe(const char *text, size_t length, bool scheme) {
    const char *rest = text, *end = text + length;
    if (length > 7 && !strncmp(text, "http://", 7)) rest += 7;
    else if (length > 8 && !strncmp(text, "https://", 8)) rest += 8;
    else if (scheme) return false;
    if (rest == end) return false;
    if (!scheme && end - rest > 2 && rest[0] == '*' && rest[1] == '.') rest += 2;
    if (!scheme && end - rest > 2 && end[-2] == ':' && end[-1] == '*') end -= 2;  // any port
    for (; rest < end; rest++)
        if (!isalnum((unsigned char)*rest) && !strchr(".-:[]", *rest)) return false;
    return true;
}

// Adds the names in value, which spaces or commas separate.
static bool add_hosts(char hosts[CONFIG_MAX_HOSTS][256], size_t *count, const char *value, bool scheme) {
    for (const char *at = value; *at;) {
        size_t length = strcspn(at, " ,");
        if (length) {
            if (*count == CONFIG_MAX_HOSTS || length >= sizeof hosts[0] || !origin_is_safe(at, length, scheme)) return false;
            memcpy(hosts[*count], at, length);
            hosts[(*count)++][length] = '\0';
        }
        at += length + strspn(at + length, " ,");
    }
    return true;
}

static const char *set_embed_host(struct config *config, const char *value) {
    return add_hosts(config->embed_hosts, &config->embed_host_count, value, false)
               ? NULL
               : "at most 32 hosts or origins, such as https://hub.example.org, https://*.example.org or http://localhost:*";
}

static const char *set_allow_origin(struct config *config, const char *value) {
    return add_hosts(config->allow_origins, &config->allow_origin_count, value, true)
               ? NULL
               : "at most 32 origins with scheme, such as https://weather.example.org";
}

static const char *set_opendap_hosts(struct config *config, const char *value) {
    static const char allowed[] = "at most 32 hosts or host:port, such as thredds.example.org or data.example.org:8080";
    struct source_url url;
    size_t before = config->opendap_host_count;
    if (!add_hosts(config->opendap_hosts, &config->opendap_host_count, value, false)) return allowed;
    for (size_t n = before; n < config->opendap_host_count; n++)
        if (source_url_parse_host(config->opendap_hosts[n], 80, &url)) return allowed;
    return NULL;
}

static const char *set_map_memory(struct config *config, const char *value) {
    return config_parse_size(value, 8 << 20, &config->map_memory) ? NULL : "a size of at least 8M, such as 256M or 1G";
}

static const char *set_map_max_size(struct config *config, const char *value) {
    return config_parse_integer(value, 512, 16384, &config->map_max_size) ? NULL : "pixels, from 512 to 16384";
}

static const char *set_log_level(struct config *config, const char *value) {
    return log_level_parse(value, &config->log_level) == VIRGA_OK ? NULL : "error, warning, info or debug";
}

static const char *set_log_format(struct config *config, const char *value) {
    if (strcmp(value, "text") && strcmp(value, "json")) return "text or json";
    config->log_json = *value == 'j';
    return NULL;
}

static const char *set_paths(struct config *config, const char *value) {
    static const char allowed[] = "at most 1024 files, folders or globs";
    if (!*value) return NULL;
    if (config->path_count == CONFIG_MAX_PATHS) return allowed;
    char *copy = strdup(value);
    if (!copy) return allowed;
    config->paths[config->path_count++] = copy;
    return NULL;
}

const struct config_setting config_settings[CONFIG_KEY_COUNT] = {
    [CONFIG_LISTEN] = {"listen", "VIRGA_LISTEN", set_listen},
    [CONFIG_BASE_PATH] = {"base-path", "VIRGA_BASE_PATH", set_base_path},
    [CONFIG_STATE] = {"state", "VIRGA_STATE", set_state},
    [CONFIG_CACHE_MEMORY] = {"cache-memory", "VIRGA_CACHE_MEMORY", set_cache_memory},
    [CONFIG_SPOOL_LIMIT] = {"spool-limit", "VIRGA_SPOOL_LIMIT", set_spool_limit},
    [CONFIG_WORKERS] = {"workers", "VIRGA_WORKERS", set_workers},
    [CONFIG_READERS] = {"readers", "VIRGA_READERS", set_readers},
    [CONFIG_MAX_CONNECTIONS] = {"max-connections", "VIRGA_MAX_CONNECTIONS", set_max_connections},
    [CONFIG_IDLE_SECONDS] = {"idle-seconds", "VIRGA_IDLE_SECONDS", set_idle_seconds},
    [CONFIG_DRAIN_SECONDS] = {"drain-seconds", "VIRGA_DRAIN_SECONDS", set_drain_seconds},
    [CONFIG_MESSAGE_RATE] = {"message-rate", "VIRGA_MESSAGE_RATE", set_message_rate},
    [CONFIG_EMBED_HOST] = {"embed-host", "VIRGA_EMBED_HOST", set_embed_host},
    [CONFIG_ALLOW_ORIGIN] = {"allow-origin", "VIRGA_ALLOW_ORIGIN", set_allow_origin},
    [CONFIG_OPENDAP_HOSTS] = {"opendap-hosts", "VIRGA_OPENDAP_HOSTS", set_opendap_hosts},
    [CONFIG_EXPORT_JOBS] = {"export-jobs", "VIRGA_EXPORT_JOBS", set_export_jobs},
    [CONFIG_EXPORT_QUEUE] = {"export-queue", "VIRGA_EXPORT_QUEUE", set_export_queue},
    [CONFIG_EXPORT_FRAMES] = {"export-frames", "VIRGA_EXPORT_FRAMES", set_export_frames},
    [CONFIG_EXPORT_SIZE] = {"export-size", "VIRGA_EXPORT_SIZE", set_export_size},
    [CONFIG_EXPORT_DISK] = {"export-disk", "VIRGA_EXPORT_DISK", set_export_disk},
    [CONFIG_EXPORT_KEEP] = {"export-keep", "VIRGA_EXPORT_KEEP", set_export_keep},
    [CONFIG_MAP_MEMORY] = {"map-memory", "VIRGA_MAP_MEMORY", set_map_memory},
    [CONFIG_MAP_MAX_SIZE] = {"map-max-size", "VIRGA_MAP_MAX_SIZE", set_map_max_size},
    [CONFIG_LATEST] = {"latest", "VIRGA_LATEST", config_set_latest},
    [CONFIG_EXPECTED_STEPS] = {"expected-steps", "VIRGA_EXPECTED_STEPS", config_set_expected_steps},
    [CONFIG_KEEP_RUNS] = {"keep-runs", "VIRGA_KEEP_RUNS", config_set_keep_runs},
    [CONFIG_KEEP_TIME] = {"keep-time", "VIRGA_KEEP_TIME", config_set_keep_time},
    [CONFIG_SCAN_SECONDS] = {"scan-seconds", "VIRGA_SCAN_SECONDS", config_set_scan_seconds},
    [CONFIG_SETTLE_SECONDS] = {"settle-seconds", "VIRGA_SETTLE_SECONDS", config_set_settle_seconds},
    [CONFIG_RELIST_SECONDS] = {"relist-seconds", "VIRGA_RELIST_SECONDS", config_set_relist_seconds},
    [CONFIG_STALE_AFTER] = {"stale-after", "VIRGA_STALE_AFTER", config_set_stale_after},
    [CONFIG_ENGINE] = {"engine", "VIRGA_ENGINE", config_set_engine},
    [CONFIG_ENGINE_CLUSTERS] = {"engine-clusters", "VIRGA_ENGINE_CLUSTERS", config_set_engine_clusters},
    [CONFIG_ENGINE_WORKERS] = {"engine-workers", "VIRGA_ENGINE_WORKERS", config_set_engine_workers},
    [CONFIG_ENGINE_IDLE] = {"engine-idle", "VIRGA_ENGINE_IDLE", config_set_engine_idle},
    [CONFIG_ENGINE_MEMORY] = {"engine-memory", "VIRGA_ENGINE_MEMORY", config_set_engine_memory},
    [CONFIG_ENGINE_SCHEMES] = {"engine-schemes", "VIRGA_ENGINE_SCHEMES", config_set_engine_schemes},
    [CONFIG_ENGINE_SLABS] = {"engine-slabs", "VIRGA_ENGINE_SLABS", config_set_engine_slabs},
    [CONFIG_ENGINE_PRODUCT] = {"engine-product", "VIRGA_ENGINE_PRODUCT", config_set_engine_product},
    [CONFIG_ENGINE_PYTHON] = {"engine-python", "VIRGA_ENGINE_PYTHON", config_set_engine_python},
    [CONFIG_PUBLISH_TOKEN_FILE] = {"publish-token-file", "VIRGA_PUBLISH_TOKEN_FILE", config_set_publish_token_file},
    [CONFIG_AUTH] = {"auth", "VIRGA_AUTH", config_set_auth},
    [CONFIG_ANONYMOUS] = {"anonymous", "VIRGA_ANONYMOUS", config_set_anonymous},
    [CONFIG_AUTH_PROXIES] = {"auth-proxies", "VIRGA_AUTH_PROXIES", config_set_auth_proxies},
    [CONFIG_AUTH_HEADER] = {"auth-header", "VIRGA_AUTH_HEADER", config_set_auth_header},
    [CONFIG_AUTH_ROLE] = {"auth-role", "VIRGA_AUTH_ROLE", config_set_auth_role},
    [CONFIG_AUTH_ADMINS] = {"auth-admins", "VIRGA_AUTH_ADMINS", config_set_auth_admins},
    [CONFIG_AUTH_HUB] = {"auth-hub", "VIRGA_AUTH_HUB", config_set_auth_hub},
    [CONFIG_AUTH_HUB_TOKEN_FILE] = {"auth-hub-token-file", "VIRGA_AUTH_HUB_TOKEN_FILE", config_set_auth_hub_token_file},
    [CONFIG_AUTH_HUB_SERVICE] = {"auth-hub-service", "VIRGA_AUTH_HUB_SERVICE", config_set_auth_hub_service},
    [CONFIG_AUTH_HUB_CALLBACK] = {"auth-hub-callback", "VIRGA_AUTH_HUB_CALLBACK", config_set_auth_hub_callback},
    [CONFIG_OPEN_TO_ALL] = {"open-to-all", "VIRGA_OPEN_TO_ALL", config_set_open_to_all},
    [CONFIG_LOG_LEVEL] = {"log-level", "VIRGA_LOG_LEVEL", set_log_level},
    [CONFIG_LOG_FORMAT] = {"log-format", "VIRGA_LOG_FORMAT", set_log_format},
    [CONFIG_WEB_ROOT] = {"web-root", "VIRGA_WEB_ROOT", set_web_root},
    [CONFIG_READER] = {"reader", "VIRGA_READER", set_reader},
    [CONFIG_PATHS] = {"paths", "VIRGA_PATHS", set_paths},
};

static void print_size(FILE *out, size_t size) {
    static const char units[] = "TGMK";
    for (int i = 0; units[i]; i++) {
        size_t unit = (size_t)1 << (10 * (4 - i));
        if (size && size % unit == 0) {
            fprintf(out, "%zu%c", size / unit, units[i]);
            return;
        }
    }
    fprintf(out, "%zu", size);
}

void config_print_time(FILE *out, double seconds) {
    static const struct { double seconds; char name; } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}};
    size_t i = 0;
    while (i < 2 && fmod(seconds, units[i].seconds) != 0) i++;
    if (seconds > 0) fprintf(out, "%.15g%c", seconds / units[i].seconds, units[i].name);
    else fputc('0', out);
}

static void print_hosts(FILE *out, const char hosts[][256], size_t count) {
    for (size_t i = 0; i < count; i++) fprintf(out, "%s%s", i ? " " : "", hosts[i]);
}

void config_print_value(FILE *out, const struct config *c, enum config_key key) {
    bool colons = strchr(c->listen_host, ':') != NULL;
    switch (key) {
    case CONFIG_LISTEN: fprintf(out, "%s%s%s:%d", colons ? "[" : "", c->listen_host, colons ? "]" : "", c->listen_port); break;
    case CONFIG_BASE_PATH: fputs(c->base_path, out); break;
    case CONFIG_STATE: fputs(c->state_dir, out); break;
    case CONFIG_CACHE_MEMORY: print_size(out, c->cache_memory); break;
    case CONFIG_SPOOL_LIMIT: print_size(out, c->spool_limit); break;
    case CONFIG_WORKERS: fprintf(out, "%d", c->workers); break;
    case CONFIG_READERS: fprintf(out, "%d", c->readers); break;
    case CONFIG_MAX_CONNECTIONS: fprintf(out, "%d", c->max_connections); break;
    case CONFIG_IDLE_SECONDS: fprintf(out, "%d", c->idle_seconds); break;
    case CONFIG_DRAIN_SECONDS: fprintf(out, "%d", c->drain_seconds); break;
    case CONFIG_MESSAGE_RATE: fprintf(out, "%g", c->message_rate); break;
    case CONFIG_EMBED_HOST: print_hosts(out, c->embed_hosts, c->embed_host_count); break;
    case CONFIG_ALLOW_ORIGIN: print_hosts(out, c->allow_origins, c->allow_origin_count); break;
    case CONFIG_OPENDAP_HOSTS: print_hosts(out, c->opendap_hosts, c->opendap_host_count); break;
    case CONFIG_EXPORT_JOBS: fprintf(out, "%d", c->export_jobs); break;
    case CONFIG_EXPORT_QUEUE: fprintf(out, "%d", c->export_queue); break;
    case CONFIG_EXPORT_FRAMES: fprintf(out, "%d", c->export_frames); break;
    case CONFIG_EXPORT_SIZE: fprintf(out, "%ux%u", c->export_size[0], c->export_size[1]); break;
    case CONFIG_EXPORT_DISK: print_size(out, c->export_disk); break;
    case CONFIG_EXPORT_KEEP: config_print_time(out, c->export_keep); break;
    case CONFIG_MAP_MEMORY: print_size(out, c->map_memory); break;
    case CONFIG_MAP_MAX_SIZE: fprintf(out, "%d", c->map_max_size); break;
    case CONFIG_LATEST: case CONFIG_EXPECTED_STEPS: case CONFIG_KEEP_RUNS: case CONFIG_KEEP_TIME: case CONFIG_SCAN_SECONDS:
    case CONFIG_SETTLE_SECONDS: case CONFIG_RELIST_SECONDS: case CONFIG_STALE_AFTER: config_print_catalog(out, c, key); break;
    case CONFIG_ENGINE: case CONFIG_ENGINE_CLUSTERS: case CONFIG_ENGINE_WORKERS: case CONFIG_ENGINE_IDLE: case CONFIG_ENGINE_SCHEMES:
    case CONFIG_ENGINE_SLABS: case CONFIG_ENGINE_PYTHON: case CONFIG_PUBLISH_TOKEN_FILE: config_print_engine(out, c, key); break;
    case CONFIG_AUTH: case CONFIG_ANONYMOUS: case CONFIG_AUTH_PROXIES: case CONFIG_AUTH_HEADER: case CONFIG_AUTH_ROLE: case CONFIG_AUTH_ADMINS: case CONFIG_AUTH_HUB:
    case CONFIG_AUTH_HUB_TOKEN_FILE: case CONFIG_AUTH_HUB_SERVICE: case CONFIG_AUTH_HUB_CALLBACK: case CONFIG_OPEN_TO_ALL: config_print_access(out, c, key); break;
    case CONFIG_ENGINE_MEMORY: print_size(out, c->engine_memory); break;
    case CONFIG_LOG_LEVEL: fputs(log_level_name(c->log_level), out); break;
    case CONFIG_LOG_FORMAT: fputs(c->log_json ? "json" : "text", out); break;
    case CONFIG_WEB_ROOT: fputs(c->web_root, out); break;
    case CONFIG_READER: fputs(c->reader, out); break;
    case CONFIG_ENGINE_PRODUCT: case CONFIG_PATHS: case CONFIG_KEY_COUNT: break;
    }
}
