// SPDX-License-Identifier: Apache-2.0
#include "source/source_engine.h"

#include <stdlib.h>
#include <string.h>

#include "source/source_address.h"

struct source_engine {
    struct source_engine_options options;
};

void source_engine_options_default(struct source_engine_options *options) {
    *options = (struct source_engine_options){
        .socket = -1, .memory = (size_t)4 << 30, .start_seconds = 60, .open_seconds = 120, .read_seconds = 300};
}

int source_engine_new(const struct source_engine_options *options, struct source_engine **engine, struct failure *failure) {
    *engine = calloc(1, sizeof **engine);
    if (!*engine) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    (*engine)->options = *options;
    return VIRGA_OK;
}

void source_engine_free(struct source_engine *engine) { free(engine); }
void source_engine_stop(struct source_engine *engine) { (void)engine; }

int source_engine_installed(const struct source_engine *engine, struct failure *failure) {
    (void)engine;
    return failure_set(failure, VIRGA_NOT_FOUND, "the engine is not installed");
}

int source_engine_start(struct source_engine *engine, struct failure *failure) { return source_engine_installed(engine, failure); }
void source_engine_stop_cluster(struct source_engine *engine) { (void)engine; }

char *source_engine_state(struct source_engine *engine) {
    (void)engine;
    return strdup("{\"cluster\": \"none\", \"state\": \"stopped\"}");
}

void source_engine_on_state(struct source_engine *engine, void (*told)(void *context, const char *json), void *context) {
    (void)engine, (void)told, (void)context;
}

void source_engine_counts(struct source_engine *engine, struct source_engine_counts *counts) {
    (void)engine;
    *counts = (struct source_engine_counts){0};
}

bool source_engine_takes(const struct source_engine *engine, const char *path) {
    return source_address_has_kind(path) || source_address_has_scheme(path, engine->options.schemes, engine->options.scheme_count);
}

bool source_engine_has_cluster(const struct source_engine *engine) {
    const char *cluster = engine->options.cluster;
    return cluster && strcmp(cluster, "none") != 0;
}
