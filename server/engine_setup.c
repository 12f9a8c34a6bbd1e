// SPDX-License-Identifier: Apache-2.0
#include "server/engine_setup.h"

#include <stdio.h>
#include <string.h>

#include "source/source_address.h"
#include "source/source_url.h"

static bool scheme_allowed(const struct config *config, const char *address) {
    const char *schemes[CONFIG_MAX_SCHEMES];
    for (size_t i = 0; i < config->engine_scheme_count; i++) schemes[i] = config->engine_schemes[i];
    return source_address_has_scheme(address, schemes, config->engine_scheme_count);
}

// An address of http or https whose host may be asked for datasets behind OPeNDAP. *failure, of one that is none, says why.
static bool is_opendap(const struct config *config, const char *path, struct failure *failure) {
    const char *hosts[CONFIG_MAX_HOSTS];
    struct source_url url;
    for (size_t n = 0; n < config->opendap_host_count; n++) hosts[n] = config->opendap_hosts[n];
    if (source_url_parse(path, &url, failure)) return false;
    if (source_url_allowed(&url, hosts, config->opendap_host_count)) return true;
    failure_set(failure, VIRGA_INVALID, "%s:%d is not a host that may be asked; name it in the setting opendap-hosts", url.host, url.port);
    return false;
}

bool engine_setup_for_each_user(const struct config *config) { return config->engine_for_each_user && strcmp(config->engine, "none"); }

bool engine_setup_takes(const struct config *config, const char *path) {
    if (source_address_has_kind(path)) return true;
    return scheme_allowed(config, path) && !is_opendap(config, path, NULL);
}

// What follows "zarr:" and the like may be an address, too.
static int check_place(const struct config *config, const char *path, struct failure *failure) {
    const char *place = strchr(path, ':') + 1;
    if (!strncmp(path, "published:", 10) || !strncmp(path, "notebook:", 9)) {
        if (*place) return VIRGA_OK;
        return failure_set(failure, VIRGA_INVALID, "%s: a name is missing", path);
    }
    if (!*place) return failure_set(failure, VIRGA_INVALID, "%s: a path or an address is missing", path);
    if (!source_address_like(place) || source_address_has_kind(place) || scheme_allowed(config, place)) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "%s: the engine may not open %.*s addresses; name the scheme in the setting engine-schemes", path,
                       (int)strcspn(place, ":"), place);
}

int engine_setup_check(const struct config *config, const char *path, struct failure *failure) {
    struct failure why = {0};
    if (source_address_has_kind(path)) return check_place(config, path, failure);
    if (is_opendap(config, path, &why) || scheme_allowed(config, path)) return VIRGA_OK;
    if (!strncmp(path, "http", 4) || !strncmp(path, "dap2", 4)) return failure_set(failure, VIRGA_INVALID, "%s: %s", path, why.message);
    return failure_set(failure, VIRGA_INVALID, "%s: the engine may not open %.*s addresses; name the scheme in the setting engine-schemes", path,
                       (int)strcspn(path, ":"), path);
}

// What options point to.
struct option_texts {
    const char *schemes[CONFIG_MAX_SCHEMES];
    char workers[32], slabs[sizeof ((struct config *)NULL)->engine_slabs];
};

void engine_setup_slabs_host(const struct config *config, char *out, size_t room) {
    snprintf(out, room, "%s", config->engine_slabs);
    char *end = strrchr(out, ']'), *colon = strrchr(end ? end : out, ':');
    if (colon) *colon = '\0';
}

static void fill(const struct config *config, const char *cluster, struct option_texts *texts, struct source_engine_options *options) {
    source_engine_options_default(options);
    for (size_t i = 0; i < config->engine_scheme_count; i++) texts->schemes[i] = config->engine_schemes[i];
    snprintf(texts->workers, sizeof texts->workers, "%d:%d", config->engine_workers[0], config->engine_workers[1]);
    options->python = config->engine_python;
    options->cluster = cluster;
    options->workers = config->engine_workers[1] ? texts->workers : NULL;
    options->idle_seconds = config->engine_idle;
    if (config->engine_for_each_user && strcmp(cluster, "none")) engine_setup_slabs_host(config, texts->slabs, sizeof texts->slabs);
    else snprintf(texts->slabs, sizeof texts->slabs, "%s", config->engine_slabs);
    options->slabs = texts->slabs[0] ? texts->slabs : NULL;
    options->schemes = texts->schemes;
    options->scheme_count = config->engine_scheme_count;
    options->products = (const char *const *)config->engine_products;
    options->product_count = config->engine_product_count;
    options->memory = config->engine_memory;
}

int engine_setup_new(const struct config *config, const char *cluster, int socket, struct source_engine **engine, struct failure *failure) {
    struct option_texts texts;
    struct source_engine_options options;
    fill(config, cluster, &texts, &options);
    options.socket = socket;
    return source_engine_new(&options, engine, failure);
}

int engine_setup_notebook(const struct config *config, int socket, struct source_engine **engine, struct failure *failure) {
    struct option_texts texts;
    struct source_engine_options options;
    fill(config, "none", &texts, &options);
    options.socket = socket;
    options.slabs = "off";
    return source_engine_new(&options, engine, failure);
}

int engine_setup_launch(const struct config *config, struct engine_launch **launch, struct failure *failure) {
    struct option_texts texts;
    struct source_engine_options options;
    fill(config, config->engine, &texts, &options);
    return engine_launch_new(&options, launch, failure);
}

static uint64_t requests_of(struct source_engine *engine) {
    struct source_engine_counts counts;
    source_engine_counts(engine, &counts);
    return (uint64_t)counts.traffic.requests;
}

bool engine_setup_may_look(const struct config *config, struct source_engine *engine, uint64_t seen) {
    bool started = !strncmp(config->engine, "local", 5) || !strncmp(config->engine, "gateway:", 8);
    return !started || !engine || requests_of(engine) != seen;
}

void engine_setup_seen(struct source_engine *engine, uint64_t *seen) {
    if (engine) *seen = requests_of(engine);
}
