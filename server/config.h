// SPDX-License-Identifier: Apache-2.0
// What is in force: defaults, then the configuration file (INI), then environment VIRGA_*, then flags.
#ifndef VIRGA_SERVER_CONFIG_H
#define VIRGA_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "base/status.h"

enum { CONFIG_MAX_PATHS = 1024, CONFIG_MAX_HOSTS = 32 };

struct config {
    char listen_host[256];      // default 127.0.0.1
    int listen_port;            // default 8080; 0 picks one
    char state_dir[4096];       // default $XDG_STATE_HOME/virga or ~/.local/state/virga
    char web_root[4096];        // the page's files; default beside the program's source or install
    char reader[4096];          // virga-reader; default beside the program
    size_t cache_memory;        // bytes; default 256 MiB
    size_t spool_limit;         // bytes of disk for what does not fit; default 8 GiB
    int workers;                // default: processors
    int readers;                // default: min(processors, 4)
    char base_path[256];        // "/" or "/prefix/": starts and ends with a slash
    int max_connections;        // default 1024
    int idle_seconds;           // a websocket without any message; default 600
    double message_rate;        // websocket messages a second accepted from a client on average; default 60
    char embed_hosts[CONFIG_MAX_HOSTS][256];    // origins that may embed the page in a frame (frame-ancestors)
    size_t embed_host_count;
    char allow_origins[CONFIG_MAX_HOSTS][256];  // origins besides the server's own that may open a websocket
    size_t allow_origin_count;
    enum log_level log_level;
    bool log_json;
    char *paths[CONFIG_MAX_PATHS];
    size_t path_count;
};

void config_defaults(struct config *config);
// One step each, in rising order of precedence. Errors name the file and line, the variable, or the flag.
int config_read_file(struct config *config, const char *path, struct failure *failure);
int config_read_environment(struct config *config, struct failure *failure);
int config_set(struct config *config, const char *key, const char *value, struct failure *failure);
// What is in force, one "key = value" a line (the file's own syntax); the caller frees it.
char *config_to_text(const struct config *config);
void config_destroy(struct config *config);

#endif
