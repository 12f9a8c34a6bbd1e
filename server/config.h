// SPDX-License-Identifier: Apache-2.0
// What is in force: defaults, then configuration files (INI), then environment VIRGA_*, then flags.
// A later step replaces what an earlier one set, lists as a whole; within one step a list grows. Main thread; once
// filled it is only read, from any thread.
#ifndef VIRGA_SERVER_CONFIG_H
#define VIRGA_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "base/status.h"
#include "server/access.h"
#include "field/catalog.h"

enum { CONFIG_MAX_PATHS = 1024, CONFIG_MAX_HOSTS = 32, CONFIG_MAX_SCHEMES = 16, CONFIG_MAX_PRODUCTS = 64 };

enum config_key {
    CONFIG_LISTEN, CONFIG_BASE_PATH, CONFIG_STATE, CONFIG_CACHE_MEMORY, CONFIG_SPOOL_LIMIT, CONFIG_WORKERS, CONFIG_READERS,
    CONFIG_MAX_CONNECTIONS, CONFIG_IDLE_SECONDS, CONFIG_DRAIN_SECONDS, CONFIG_MESSAGE_RATE, CONFIG_EMBED_HOST, CONFIG_ALLOW_ORIGIN, CONFIG_OPENDAP_HOSTS,
    CONFIG_EXPORT_JOBS, CONFIG_EXPORT_QUEUE, CONFIG_EXPORT_FRAMES, CONFIG_EXPORT_SIZE, CONFIG_EXPORT_DISK, CONFIG_EXPORT_KEEP,
    CONFIG_MAP_MEMORY, CONFIG_MAP_MAX_SIZE,
    CONFIG_LATEST, CONFIG_EXPECTED_STEPS, CONFIG_KEEP_RUNS, CONFIG_KEEP_TIME, CONFIG_SCAN_SECONDS, CONFIG_SETTLE_SECONDS, CONFIG_RELIST_SECONDS, CONFIG_STALE_AFTER,
    CONFIG_ENGINE, CONFIG_ENGINE_CLUSTERS, CONFIG_ENGINE_WORKERS, CONFIG_ENGINE_IDLE, CONFIG_ENGINE_MEMORY, CONFIG_ENGINE_SCHEMES,
    CONFIG_ENGINE_SLABS, CONFIG_ENGINE_PRODUCT, CONFIG_ENGINE_PYTHON, CONFIG_PUBLISH_TOKEN_FILE,
    CONFIG_AUTH, CONFIG_ANONYMOUS, CONFIG_AUTH_PROXIES, CONFIG_AUTH_HEADER, CONFIG_AUTH_ROLE, CONFIG_AUTH_ADMINS, CONFIG_AUTH_HUB, CONFIG_AUTH_HUB_TOKEN_FILE,
    CONFIG_AUTH_HUB_SERVICE, CONFIG_AUTH_HUB_CALLBACK, CONFIG_OPEN_TO_ALL,
    CONFIG_LOG_LEVEL, CONFIG_LOG_FORMAT, CONFIG_WEB_ROOT, CONFIG_READER, CONFIG_PATHS, CONFIG_KEY_COUNT
};

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
    int drain_seconds;          // for what is being answered when the server stops; default 10
    double message_rate;        // websocket messages a second accepted from a client on average; default 60
    char embed_hosts[CONFIG_MAX_HOSTS][256];    // origins that may embed the page in a frame (frame-ancestors)
    size_t embed_host_count;
    char allow_origins[CONFIG_MAX_HOSTS][256];  // origins besides the server's own that may open a websocket and export
    size_t allow_origin_count;
    char opendap_hosts[CONFIG_MAX_HOSTS][256];  // "host" or "host:port" that may be asked for datasets; default none
    size_t opendap_host_count;
    int export_jobs;            // exports that run at a time; default 1; 0: none are made
    int export_queue;           // that may wait; default 32
    int export_frames;          // of an export, at most; default 5000
    unsigned export_size[2];    // of a frame: at most as many pixels; default 3840 × 2160
    size_t export_disk;         // bytes of all exports; default 20 GiB
    double export_keep;         // seconds that an ended one is kept; default 7 days; 0: until it is deleted
    size_t map_memory;          // bytes of planes and pictures of maps that are kept; default 256 MiB
    int map_max_size;           // pixels of a map's side at most; default 4096
    struct catalog_rules rules; // which run is the latest (default: the newest complete one) and which are on offer (default: all)
    double scan_seconds;        // between looks at all files, beside what the kernel tells of them; default 30; 0: never looked at again
    double settle_seconds;      // that a file must have been still where nothing tells whether somebody writes it; default 5
    double relist_seconds;      // between looks at what is no file: datasets of the engine and behind OPeNDAP; default 300; 0: never
    double stale_after;         // seconds after which a pin of the latest run is stale where no newer run comes; default 0: found out (pin_stale.h)
    char engine[512];           // none, local[:N], tcp://HOST:PORT, tls://HOST:PORT, gateway:URL or gateway:URL#NAME; default none
    bool engine_for_each_user;  // each user has a cluster of their own; default: one for all
    int engine_workers[2];      // least and most; 0 and 0 (the default): as the engine finds right
    int engine_idle;            // seconds without a request after which a cluster, or a user's engine, ends; default 600
    size_t engine_memory;       // bytes that the engine's own process may hold; default 4 GiB
    char engine_schemes[CONFIG_MAX_SCHEMES][32];  // of addresses that the engine may open besides local files; default none
    size_t engine_scheme_count;
    char engine_slabs[300];     // where workers deliver: HOST, HOST:PORT, or "off"; "": found by itself (the default)
    char *engine_products[CONFIG_MAX_PRODUCTS];  // "VARIABLE: WHAT"; default none
    size_t engine_product_count;
    char engine_python[4096];   // default engine/bin/python3 in the folder above the program's
    int engine_socket;          // no setting: a descriptor with an engine at its other end, which takes the place of a child; -1: none
    char publish_token_file[4096];  // names a file whose text lets its holder publish datasets; "" (the default): nobody
    bool auth_token, auth_proxy, auth_hub_is_asked;  // how one signs in; none of them: nobody does, and only the page on this machine may make and change
    bool anonymous_views;       // whoever is not signed in may look; default yes
    char auth_proxies[CONFIG_MAX_HOSTS][64];  // addresses or networks whose headers are believed; default none
    size_t auth_proxy_count;
    char auth_header[64];       // in lower case: where a proxy names who asks; default x-forwarded-user
    enum access_role auth_role; // of those whom a proxy or the hub names; default forecaster
    char auth_admins[CONFIG_MAX_HOSTS][ACCESS_NAME + 1];  // but these are admins; default none
    size_t auth_admin_count;
    char auth_hub[512];         // a JupyterHub's address without a slash at its end; default none
    char auth_hub_token_file[4096];  // with the service's token; "" (the default): $JUPYTERHUB_API_TOKEN
    char auth_hub_service[64];  // the service's name there; default virga
    char auth_hub_callback[512];  // where the hub sends browsers back to; "" (the default): oauth_callback below the base path
    bool open_to_all;           // listens beyond this machine even though nobody signs in; default no
    bool allow_empty;           // no setting, but --allow-empty of serve: paths may name nothing yet
    bool background;            // no setting, but --background of export: gives way to others, so its readers may take longer
    enum log_level log_level;
    bool log_json;
    char *paths[CONFIG_MAX_PATHS];
    size_t path_count;
    char origin[CONFIG_KEY_COUNT][256];  // where each value came from: "default", "FILE:LINE", "VIRGA_…", "--…"
    int step[CONFIG_KEY_COUNT];          // the step that set it, for lists
    int steps;                           // steps taken so far
};

void config_defaults(struct config *config);
// One step each, in rising order of precedence. Errors (VIRGA_INVALID; VIRGA_NOT_FOUND where the file is absent) name the
// file and line, the variable, or the flag, and what is allowed. After a failure the configuration may be half changed.
int config_read_file(struct config *config, const char *path, struct failure *failure);
int config_read_environment(struct config *config, struct failure *failure);
// Both: `file`, or else the one that VIRGA_CONFIG names, or else /etc/virga/virga.ini and $XDG_CONFIG_HOME/virga/virga.ini
// (~/.config without it) where they exist; then the environment.
int config_read_all(struct config *config, const char *file, struct failure *failure);
// One value by key ("listen", "cache-memory", … as in the file). Calls in a row are one step, that of the flags.
int config_set(struct config *config, const char *key, const char *value, struct failure *failure);
// What is in force, one "key = value  ; where from" a line (the file's own syntax); the caller frees it. NULL: no memory.
char *config_to_text(const struct config *config);
// The key's name in files and, with "--" before it, as a flag.
const char *config_key_name(enum config_key key);
// Whether anybody can sign in.
bool config_has_auth(const struct config *config);
// Whether the settings of who may do what go together. VIRGA_INVALID with what is missing.
int config_check_access(const struct config *config, struct failure *failure);
void config_destroy(struct config *config);

#endif
