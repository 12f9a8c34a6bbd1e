// SPDX-License-Identifier: Apache-2.0
#include "server/app.h"

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "server/condemned_files.h"
#include "server/opening_progress.h"
#include "source/source_url.h"

enum { QUEUE_LIMIT = 65536 };

static pthread_mutex_t catalog_lock = PTHREAD_MUTEX_INITIALIZER;

// For this user only.
static int make_folder(const char *path, struct failure *failure) {
    int reason = folder_make(path, 0700);
    if (reason == ENAMETOOLONG) return failure_set(failure, VIRGA_INVALID, "the state folder's name is too long");
    if (reason)
        return failure_set(failure, VIRGA_IO, "cannot make the state folder %s: %s; name another with --state", path, strerror(reason));
    if (access(path, R_OK | W_OK | X_OK))
        return failure_set(failure, VIRGA_IO, "cannot write to the state folder %s; name another with --state", path);
    return VIRGA_OK;
}

// An address that may be asked for.
static int check_address(const struct config *config, const char *path, struct failure *failure) {
    const char *hosts[CONFIG_MAX_HOSTS];
    struct source_url url;
    struct failure why;
    for (size_t n = 0; n < config->opendap_host_count; n++) hosts[n] = config->opendap_hosts[n];
    if (source_url_parse(path, &url, &why))
        return failure_set(failure, VIRGA_INVALID, "%s: %s (%s)", path, why.message, config->origin[CONFIG_PATHS]);
    if (source_url_allowed(&url, hosts, config->opendap_host_count)) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "%s: %s:%d is not a host that may be asked; name it in the setting opendap-hosts (%s)", path, url.host,
                       url.port, config->origin[CONFIG_PATHS]);
}

// Each path is there, or matches something as a glob.
static int check_paths(const struct config *config, struct failure *failure) {
    for (size_t i = 0; i < config->path_count; i++) {
        const char *path = config->paths[i];
        if (source_url_like(path)) {
            if (check_address(config, path, failure)) return VIRGA_INVALID;
            continue;
        }
        if (access(path, F_OK) == 0) continue;
        int reason = errno;
        glob_t found;
        int result = strpbrk(path, "*?[{") ? glob(path, GLOB_BRACE | GLOB_NOSORT, NULL, &found) : GLOB_NOMATCH;
        if (result == 0) globfree(&found);
        else if (strpbrk(path, "*?["))
            return failure_set(failure, VIRGA_NOT_FOUND, "no file matches %s (%s)", path, config->origin[CONFIG_PATHS]);
        else
            return failure_set(failure, VIRGA_NOT_FOUND, "cannot open %s: %s (%s)", path, strerror(reason),
                               config->origin[CONFIG_PATHS]);
    }
    return VIRGA_OK;
}

// On whichever thread met the file.
static void keep_condemned(void *context) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct app *app = context;
    struct failure failure;
    pthread_mutex_lock(&lock);
    if (condemned_files_save(app->sources, app->config.state_dir, &failure)) log_warning("app", "%s", failure.message);
    pthread_mutex_unlock(&lock);
}

// state_dir: NULL where there is none; what readers want remembered of files is kept there.
static int start_readers(struct app *app, const char *state_dir, struct failure *failure) {
    struct source_limits limits;
    char index[sizeof app->config.state_dir + 16];
    snprintf(index, sizeof index, "%s/index", state_dir ? state_dir : "");
    source_limits_default(&limits);
    limits.readers = app->config.readers;
    limits.index_folder = state_dir ? index : NULL;
    const char *hosts[CONFIG_MAX_HOSTS];
    size_t count = app->config.opendap_host_count;
    for (size_t n = 0; n < count; n++) hosts[n] = app->config.opendap_hosts[n];
    int status = source_pool_new(app->config.reader, &limits, &app->sources, failure);
    return status ? status : source_pool_allow_hosts(app->sources, hosts, count, failure);
}

static int open_catalog(struct app *app, const char *state_dir, struct failure *failure) {
    bool tells = log_enabled(LOG_LEVEL_INFO), terminal = isatty(STDERR_FILENO) && !app->config.log_json;
    struct opening_progress progress = {.terminal = terminal ? stderr : NULL};
    struct catalog_options options = {.state_dir = state_dir, .progress = tells ? opening_progress_tell : NULL, .context = &progress};
    int status = catalog_open(app->sources, (const char *const *)app->config.paths, app->config.path_count, &options, &app->catalog, failure);
    opening_progress_end(&progress);
    return status;
}

static int start_workers(struct app *app, struct failure *failure) {
    int threads[LANE_COUNT];
    threads[LANE_READ] = app->config.readers + 1;  // one decides what to read next while the others wait
    threads[LANE_COMPUTE] = app->config.workers;
    app->workers = worker_pool_new(threads, QUEUE_LIMIT);
    return app->workers ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "cannot start %d workers", app->config.workers);
}

static int start_bricks(struct app *app, const char *spool, struct failure *failure) {
    struct brick_store_options options = {.memory = app->config.cache_memory, .spool_limit = app->config.spool_limit,
                                          .spool_dir = app->config.spool_limit ? spool : NULL};
    int status = brick_store_new(app->workers, &options, &app->bricks);
    return status == VIRGA_OK ? status : failure_set(failure, status, "cannot start the brick store: %s", status_name(status));
}

int app_init(struct app *app, const struct config *config, struct failure *failure) {
    char spool[sizeof config->state_dir + 16];
    *app = (struct app){.config = *config};
    snprintf(spool, sizeof spool, "%s/spool", config->state_dir);
    int status = check_paths(config, failure);
    if (status == VIRGA_OK) status = make_folder(config->state_dir, failure);
    if (status == VIRGA_OK) status = make_folder(spool, failure);
    if (status == VIRGA_OK) status = start_readers(app, config->state_dir, failure);
    if (status == VIRGA_OK) {
        condemned_files_load(app->sources, config->state_dir);
        source_pool_on_condemned(app->sources, keep_condemned, app);
    }
    if (status == VIRGA_OK) status = start_workers(app, failure);
    if (status == VIRGA_OK) status = open_catalog(app, config->state_dir, failure);
    if (status == VIRGA_OK) status = start_bricks(app, spool, failure);
    if (status != VIRGA_OK) app_destroy(app);
    return status;
}

int app_init_catalog(struct app *app, const struct config *config, struct failure *failure) {
    *app = (struct app){.config = *config};
    bool state = access(config->state_dir, R_OK | W_OK | X_OK) == 0;
    int status = check_paths(config, failure);
    if (status == VIRGA_OK) status = start_readers(app, state ? config->state_dir : NULL, failure);
    if (status == VIRGA_OK && state) condemned_files_load(app->sources, config->state_dir);
    if (status == VIRGA_OK) status = open_catalog(app, state ? config->state_dir : NULL, failure);
    if (status != VIRGA_OK) app_destroy(app);
    return status;
}

// The store's jobs run on the pool and read through the catalog and its sources: it goes first, they go last.
void app_destroy(struct app *app) {
    if (app->bricks) brick_store_free(app->bricks);
    worker_pool_free(app->workers);
    if (app->catalog) catalog_unref(app->catalog);
    if (app->sources) source_pool_free(app->sources);
    *app = (struct app){0};
}

static size_t pyramid_of(const struct catalog_dataset *dataset, size_t variable, struct catalog_pyramid_level *levels, size_t room) {
    struct pyramid_shape shape;
    brick_store_shape(dataset, variable, &shape);
    for (size_t l = 0; l < shape.level_count && l < room; l++)
        for (int axis = 0; axis < 3; axis++) {
            levels[l].n[axis] = shape.levels[l].n[axis];
            levels[l].scale[axis] = shape.levels[l].scale[axis];
        }
    return shape.level_count < room ? shape.level_count : room;
}

char *app_catalog_json(const struct catalog *catalog) { return catalog_to_json_with(catalog, pyramid_of); }

struct catalog *app_catalog(struct app *app) {
    pthread_mutex_lock(&catalog_lock);
    struct catalog *catalog = catalog_ref(app->catalog);
    pthread_mutex_unlock(&catalog_lock);
    return catalog;
}
