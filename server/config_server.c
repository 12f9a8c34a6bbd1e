// SPDX-License-Identifier: Apache-2.0
// Settings of the server itself: where it listens, what it may use, exports, maps, the log.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_private.h"
#include "source/source_url.h"

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

static void print_listen(FILE *out, const struct config *c) {
    bool colons = strchr(c->listen_host, ':') != NULL;
    fprintf(out, "%s%s%s:%d", colons ? "[" : "", c->listen_host, colons ? "]" : "", c->listen_port);
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

static const char *set_export_size(struct config *config, const char *value) {
    char *end = NULL;
    unsigned long width = isdigit((unsigned char)*value) ? strtoul(value, &end, 10) : 0, height = 0;
    if (end && *end == 'x' && isdigit((unsigned char)end[1])) height = strtoul(end + 1, &end, 10);
    if (!width || !height || *end || width > 16384 || height > 16384) return "WIDTHxHEIGHT, each from 1 to 16384, such as 3840x2160";
    config->export_size[0] = (unsigned)width;
    config->export_size[1] = (unsigned)height;
    return NULL;
}

static void print_export_size(FILE *out, const struct config *c) { fprintf(out, "%ux%u", c->export_size[0], c->export_size[1]); }

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

static const char *set_log_level(struct config *config, const char *value) {
    return log_level_parse(value, &config->log_level) == VIRGA_OK ? NULL : "error, warning, info or debug";
}

static void print_log_level(FILE *out, const struct config *c) { fputs(log_level_name(c->log_level), out); }

static const char *set_paths(struct config *config, const char *value) {
    static const char allowed[] = "at most 1024 files, folders or globs";
    if (!*value) return NULL;
    if (config->path_count == CONFIG_MAX_PATHS) return allowed;
    char *copy = strdup(value);
    if (!copy) return allowed;
    config->paths[config->path_count++] = copy;
    return NULL;
}

const struct config_setting config_server_settings[CONFIG_KEY_COUNT] = {
    [CONFIG_LISTEN] = {"listen", "VIRGA_LISTEN", .set = set_listen, .print = print_listen},
    [CONFIG_BASE_PATH] = {"base-path", "VIRGA_BASE_PATH", IS_TEXT(base_path, 1, NULL), .set = set_base_path},
    [CONFIG_STATE] = {"state", "VIRGA_STATE", IS_TEXT(state_dir, 1, NULL), .set = set_state},
    [CONFIG_CACHE_MEMORY] = {"cache-memory", "VIRGA_CACHE_MEMORY", IS_SIZE(cache_memory, 8 << 20, "a size of at least 8M, such as 256M or 1G")},
    [CONFIG_SPOOL_LIMIT] = {"spool-limit", "VIRGA_SPOOL_LIMIT", IS_SIZE(spool_limit, 0, "a size, such as 512M or 8G; 0 for no spool")},
    [CONFIG_WORKERS] = {"workers", "VIRGA_WORKERS", IS_INTEGER(workers, 1, 256, "a whole number from 1 to 256")},
    [CONFIG_READERS] = {"readers", "VIRGA_READERS", IS_INTEGER(readers, 1, 64, "a whole number from 1 to 64")},
    [CONFIG_MAX_CONNECTIONS] = {"max-connections", "VIRGA_MAX_CONNECTIONS", IS_INTEGER(max_connections, 1, 100000, "a whole number from 1 to 100000")},
    [CONFIG_IDLE_SECONDS] = {"idle-seconds", "VIRGA_IDLE_SECONDS", IS_INTEGER(idle_seconds, 1, 86400, "seconds, from 1 to 86400")},
    [CONFIG_DRAIN_SECONDS] = {"drain-seconds", "VIRGA_DRAIN_SECONDS", IS_INTEGER(drain_seconds, 0, 3600, "seconds, from 0 to 3600")},
    [CONFIG_MESSAGE_RATE] = {"message-rate", "VIRGA_MESSAGE_RATE", IS_NUMBER(message_rate, 1, 10000, "messages a second, from 1 to 10000")},
    [CONFIG_EMBED_HOST] = {"embed-host", "VIRGA_EMBED_HOST", IS_LIST(embed_hosts, embed_host_count), .set = set_embed_host},
    [CONFIG_ALLOW_ORIGIN] = {"allow-origin", "VIRGA_ALLOW_ORIGIN", IS_LIST(allow_origins, allow_origin_count), .set = set_allow_origin},
    [CONFIG_OPENDAP_HOSTS] = {"opendap-hosts", "VIRGA_OPENDAP_HOSTS", IS_LIST(opendap_hosts, opendap_host_count), .set = set_opendap_hosts},
    [CONFIG_EXPORT_JOBS] = {"export-jobs", "VIRGA_EXPORT_JOBS", IS_INTEGER(export_jobs, 0, 16, "a whole number from 0 (no exports) to 16")},
    [CONFIG_EXPORT_QUEUE] = {"export-queue", "VIRGA_EXPORT_QUEUE", IS_INTEGER(export_queue, 0, 500, "a whole number from 0 to 500")},
    [CONFIG_EXPORT_FRAMES] = {"export-frames", "VIRGA_EXPORT_FRAMES", IS_INTEGER(export_frames, 1, 100000, "a whole number from 1 to 100000")},
    [CONFIG_EXPORT_SIZE] = {"export-size", "VIRGA_EXPORT_SIZE", .set = set_export_size, .print = print_export_size},
    [CONFIG_EXPORT_DISK] = {"export-disk", "VIRGA_EXPORT_DISK", IS_SIZE(export_disk, 1 << 20, "a size of at least 1M, such as 20G")},
    [CONFIG_EXPORT_KEEP] = {"export-keep", "VIRGA_EXPORT_KEEP", IS_TIME(export_keep, "a time such as 7d, 48h or 90m, at most 3650d; 0 keeps exports until they are deleted")},
    [CONFIG_MAP_MEMORY] = {"map-memory", "VIRGA_MAP_MEMORY", IS_SIZE(map_memory, 8 << 20, "a size of at least 8M, such as 256M or 1G")},
    [CONFIG_MAP_MAX_SIZE] = {"map-max-size", "VIRGA_MAP_MAX_SIZE", IS_INTEGER(map_max_size, 512, 16384, "pixels, from 512 to 16384")},
    [CONFIG_LOG_LEVEL] = {"log-level", "VIRGA_LOG_LEVEL", .set = set_log_level, .print = print_log_level},
    [CONFIG_LOG_FORMAT] = {"log-format", "VIRGA_LOG_FORMAT", IS_SWITCH(log_json, "text", "json", "text or json")},
    [CONFIG_WEB_ROOT] = {"web-root", "VIRGA_WEB_ROOT", IS_TEXT(web_root, 1, "the folder with the page's index.html")},
    [CONFIG_READER] = {"reader", "VIRGA_READER", IS_TEXT(reader, 1, "the program virga-reader")},
    [CONFIG_PATHS] = {"paths", "VIRGA_PATHS", IS_LINES(paths, path_count), .set = set_paths},
};
