// SPDX-License-Identifier: Apache-2.0
#include "server/export_arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine_setup.h"

static const size_t least_memory = (size_t)32 << 20;

static void add(struct export_arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct export_arguments *a, const char *format, ...) {
    char *text = NULL;
    va_list values;
    if (a->count + 2 > a->room) {
        size_t room = 2 * a->room + 32;
        char **more = realloc(a->list, room * sizeof *more);
        if (!more) {
            a->failed = true;
            return;
        }
        a->list = more;
        a->room = room;
    }
    va_start(values, format);
    if (vasprintf(&text, format, values) < 0) text = NULL;
    va_end(values);
    if (text) a->list[a->count++] = text;
    else a->failed = true;
    a->list[a->count] = NULL;
}

// A pattern's own percent signs are the folder's doubled.
static void add_pattern(struct export_arguments *a, const char *folder, const char *suffix) {
    char escaped[2 * 4400];
    size_t at = 0;
    for (const char *c = folder; *c && at + 3 < sizeof escaped; c++) {
        if (*c == '%') escaped[at++] = '%';
        escaped[at++] = *c;
    }
    escaped[at] = '\0';
    add(a, "--out=%s/%%05d.%s", escaped, suffix);
}

// So that "latest" is the same run there.
static void add_rules(struct export_arguments *a, const struct catalog_rules *rules) {
    add(a, "--latest=%s", rules->latest_has_step ? "step" : "complete");
    if (rules->expected_steps) add(a, "--expected-steps=%zu", rules->expected_steps);
    else if (rules->expected_lead > 0) add(a, "--expected-steps=T+%.15g", rules->expected_lead / 3600);
    else add(a, "--expected-steps=auto");
    add(a, "--keep-runs=%zu", rules->keep_runs);
    add(a, rules->keep_seconds > 0 ? "--keep-time=%.15gm" : "--keep-time=%g", rules->keep_seconds / 60);
}

static void add_lists(struct export_arguments *a, const struct config *config) {
    add(a, "--engine-memory=%zu", config->engine_memory);
    for (size_t i = 0; i < config->engine_scheme_count; i++) add(a, "--engine-schemes=%s", config->engine_schemes[i]);
    for (size_t i = 0; i < config->engine_product_count; i++) add(a, "--engine-product=%s", config->engine_products[i]);
    for (size_t i = 0; i < config->opendap_host_count; i++) add(a, "--opendap-hosts=%s", config->opendap_hosts[i]);
}

// A scheduler serves the child, too; a cluster that would have to be started for it does not: then its engine reads by itself.
static void add_engine(struct export_arguments *a, const struct config *config) {
    char slabs[sizeof config->engine_slabs];
    bool scheduler = !strncmp(config->engine, "tcp://", 6) || !strncmp(config->engine, "tls://", 6);
    add(a, "--engine=%s", scheduler ? config->engine : "none");
    if (scheduler) add(a, "--draw-here");  // its workers may have no virga
    add(a, "--engine-python=%s", config->engine_python);
    engine_setup_slabs_host(config, slabs, sizeof slabs);
    if (slabs[0]) add(a, "--engine-slabs=%s", slabs);
}

int export_arguments_make(const struct config *config, const char *folder, const char *suffix, bool background, struct export_arguments *out) {
    size_t memory = config->cache_memory / 2 > least_memory ? config->cache_memory / 2 : least_memory;
    struct export_arguments *a = out;
    *a = (struct export_arguments){0};
    add(a, "virga");
    add(a, "export");
    add(a, "--progress=json");
    if (background) add(a, "--background");
    add_pattern(a, folder, suffix);
    add(a, "--state=%s", config->state_dir);
    add(a, "--web-root=%s", config->web_root);
    add(a, "--reader=%s", config->reader);
    add(a, "--readers=%d", config->readers);
    add(a, "--workers=%d", config->workers);
    add(a, "--cache-memory=%zu", memory);
    add(a, "--spool-limit=%zu", config->spool_limit);
    add_rules(a, &config->rules);
    add_lists(a, config);
    add_engine(a, config);
    add(a, "--log-level=%s", log_level_name(config->log_level < LOG_LEVEL_WARNING ? config->log_level : LOG_LEVEL_WARNING));
    add(a, "--log-format=text");
    add(a, "--");
    add(a, "-");
    for (size_t i = 0; i < config->path_count; i++)
        if (strncmp(config->paths[i], "notebook:", 9)) add(a, "%s", config->paths[i]);  // only this server's engine has those
    if (!a->failed) return VIRGA_OK;
    export_arguments_destroy(a);
    return VIRGA_NO_MEMORY;
}

int export_arguments_for_worker(const struct config *config, size_t threads, struct export_arguments *a) {
    *a = (struct export_arguments){0};
    if (config->background) add(a, "--background");
    add(a, "--threads=%zu", threads ? threads : 1);
    add(a, "--cache-memory=%zu", config->cache_memory);
    add(a, "--engine=none");
    add_lists(a, config);
    if (!a->failed) return VIRGA_OK;
    export_arguments_destroy(a);
    return VIRGA_NO_MEMORY;
}

void export_arguments_destroy(struct export_arguments *arguments) {
    for (size_t i = 0; i < arguments->count; i++) free(arguments->list[i]);
    free(arguments->list);
    *arguments = (struct export_arguments){0};
}
