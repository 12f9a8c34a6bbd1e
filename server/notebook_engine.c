// SPDX-License-Identifier: Apache-2.0
#include "server/notebook_engine.h"

#include <stdlib.h>

#include "server/engine_setup.h"

struct notebook_engine {
    size_t references;
    struct source_engine *engine;
    struct source_pool *pool;
};

int notebook_engine_new(const struct config *config, int socket, struct notebook_engine **engine, struct failure *failure) {
    struct notebook_engine *n = calloc(1, sizeof *n);
    struct source_limits limits;
    *engine = NULL;
    if (!n) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    n->references = 1;
    source_limits_default(&limits);
    int status = engine_setup_notebook(config, socket, &n->engine, failure);
    if (!status) status = source_pool_new_engine(n->engine, &limits, &n->pool, failure);
    if (!status) {
        *engine = n;
        return VIRGA_OK;
    }
    source_engine_free(n->engine);
    free(n);
    return status;
}

struct notebook_engine *notebook_engine_ref(struct notebook_engine *n) {
    n->references++;
    return n;
}

static void run_free(void *argument, bool cancelled) {
    struct notebook_engine *n = argument;
    (void)cancelled;
    source_pool_free(n->pool);
    source_engine_free(n->engine);
    free(n);
}

void notebook_engine_unref(struct notebook_engine *n, struct worker_pool *helpers) {
    if (!n || --n->references) return;
    notebook_engine_stop(n);
    if (!helpers || worker_pool_try_add(helpers, LANE_COMPUTE, 0, run_free, n)) run_free(n, true);
}

struct source_pool *notebook_engine_pool(const struct notebook_engine *n) { return n->pool; }

void notebook_engine_stop(struct notebook_engine *n) {
    source_pool_stop(n->pool);
    source_engine_stop(n->engine);
}
