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
#include "server/config_reload.h"
#include "server/catalog_watch.h"
#include "server/engine_setup.h"
#include "server/file_writers.h"
#include "server/opening_progress.h"
#include "source/source_address.h"

// PATIENCE: what gives way runs at least one part in seven of the time beside viewers (export_pace.h).
enum { QUEUE_LIMIT = 65536, ENGINE_THREADS = 8, PATIENCE = 8, BACKGROUND_NICENESS = 10 };

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

int app_check_paths(const struct config *config, struct failure *failure) {
    for (size_t i = 0; i < config->path_count; i++) {
        const char *path = config->paths[i];
        struct failure why;
        if (source_address_like(path)) {
            if (engine_setup_check(config, path, &why)) return failure_set(failure, VIRGA_INVALID, "%s (%s)", why.message, config->origin[CONFIG_PATHS]);
            continue;
        }
        if (access(path, F_OK) == 0 || config->allow_empty) continue;
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

static int make_engine(struct app *app, struct failure *failure) {
    const char *cluster = engine_setup_for_each_user(&app->config) ? "none" : app->config.engine;
    return engine_setup_new(&app->config, cluster, app->config.engine_socket, &app->engine, failure);
}

// state_dir: NULL where there is none; what readers want remembered of files is kept there.
static int start_readers(struct app *app, const char *state_dir, struct failure *failure) {
    struct source_limits limits;
    char index[sizeof app->config.state_dir + 16];
    snprintf(index, sizeof index, "%s/index", state_dir ? state_dir : "");
    source_limits_default(&limits);
    limits.readers = app->config.readers;
    limits.index_folder = state_dir ? index : NULL;
    if (app->config.background) {
        limits.open_seconds *= PATIENCE;
        limits.read_seconds *= PATIENCE;
    }
    const char *hosts[CONFIG_MAX_HOSTS];
    size_t count = app->config.opendap_host_count;
    for (size_t n = 0; n < count; n++) hosts[n] = app->config.opendap_hosts[n];
    int status = source_pool_new(app->config.reader, &limits, &app->sources, failure);
    if (!status) source_pool_set_engine(app->sources, app->engine);
    return status ? status : source_pool_allow_hosts(app->sources, hosts, count, failure);
}

// Those that are the engine's, or those that are not.
static size_t pick_paths(const struct config *config, bool engine, const char **paths) {
    size_t count = 0;
    for (size_t i = 0; i < config->path_count; i++)
        if (engine_setup_takes(config, config->paths[i]) == engine) paths[count++] = config->paths[i];
    return count;
}

bool app_has_user_paths(const struct app *app) {
    bool any = false;
    for (size_t i = 0; i < app->config.path_count; i++) any |= engine_setup_takes(&app->config, app->config.paths[i]);
    return any && engine_setup_for_each_user(&app->config);
}

size_t app_user_paths(const struct app *app, const char **paths) { return engine_setup_for_each_user(&app->config) ? pick_paths(&app->config, true, paths) : 0; }

// users: without those that each of them sees through an engine of their own.
static size_t shared_paths(const struct config *config, bool users, const char **paths) {
    if (users) return pick_paths(config, false, paths);
    for (size_t i = 0; i < config->path_count; i++) paths[i] = config->paths[i];
    return config->path_count;
}

static bool nobody_writes(void *context, const char *path, const struct source_identity *identity) {
    (void)context, (void)identity;
    return file_writers_of(path) != FILE_WRITERS_SOME;
}

// users: what each of them sees through an engine of their own is left out.
static int open_catalog(struct app *app, const char *state_dir, bool users, struct failure *failure) {
    bool tells = log_enabled(LOG_LEVEL_INFO), terminal = isatty(STDERR_FILENO) && !app->config.log_json;
    struct opening_progress progress = {.terminal = terminal ? stderr : NULL};
    struct catalog_options options = {.state_dir = state_dir, .rules = &app->config.rules, .is_whole = app->workers ? nobody_writes : NULL,
                                      .allow_nothing = app->config.allow_empty, .progress = tells ? opening_progress_tell : NULL, .context = &progress};
    const char **paths = calloc(CONFIG_MAX_PATHS, sizeof *paths);
    if (!paths) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    size_t count = shared_paths(&app->config, users, paths);
    int status = catalog_open(app->sources, paths, count, &options, &app->catalog, failure);
    free(paths);
    opening_progress_end(&progress);
    return status;
}

static int half_of(int threads) { return threads > 1 ? threads / 2 : 1; }

static int start_workers(struct app *app, struct failure *failure) {
    int threads[LANE_COUNT];
    threads[LANE_READ] = app->config.readers + 1;  // one decides what to read next while the others wait
    if (strcmp(app->config.engine, "none")) threads[LANE_READ] += ENGINE_THREADS;  // they only wait for the cluster
    threads[LANE_COMPUTE] = app->config.workers;
    const int background[LANE_COUNT] = {half_of(threads[LANE_READ]), half_of(threads[LANE_COMPUTE])};
    app->workers = worker_pool_new(threads, QUEUE_LIMIT);
    return app->workers && !worker_pool_add_background(app->workers, background, BACKGROUND_NICENESS) ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "cannot start %d workers", app->config.workers);
}

static int start_bricks(struct app *app, const char *spool, struct failure *failure) {
    struct brick_store_options options = {.memory = app->config.cache_memory, .spool_limit = app->config.spool_limit,
                                          .spool_dir = app->config.spool_limit ? spool : NULL};
    int status = brick_store_new(app->workers, &options, &app->bricks);
    return status == VIRGA_OK ? status : failure_set(failure, status, "cannot start the brick store: %s", status_name(status));
}

static int copy_config(struct app *app, const struct config *config, struct failure *failure) {
    return config_copy(&app->config, config) ? failure_set(failure, VIRGA_NO_MEMORY, "out of memory") : VIRGA_OK;
}

int app_init(struct app *app, const struct config *config, struct failure *failure) {
    char spool[sizeof config->state_dir + 16];
    *app = (struct app){0};
    snprintf(spool, sizeof spool, "%s/spool", config->state_dir);
    int status = copy_config(app, config, failure);
    if (status == VIRGA_OK) status = app_check_paths(config, failure);
    if (status == VIRGA_OK) status = make_folder(config->state_dir, failure);
    if (status == VIRGA_OK) status = make_folder(spool, failure);
    if (status == VIRGA_OK) status = make_engine(app, failure);
    if (status == VIRGA_OK) status = start_readers(app, config->state_dir, failure);
    if (status == VIRGA_OK) {
        condemned_files_load(app->sources, config->state_dir);
        source_pool_on_condemned(app->sources, keep_condemned, app);
    }
    if (status == VIRGA_OK) status = start_workers(app, failure);
    if (status == VIRGA_OK) status = open_catalog(app, config->state_dir, engine_setup_for_each_user(config), failure);
    if (status == VIRGA_OK) status = start_bricks(app, spool, failure);
    if (status != VIRGA_OK) app_destroy(app);
    return status;
}

int app_init_catalog(struct app *app, const struct config *config, struct failure *failure) {
    *app = (struct app){0};
    bool state = access(config->state_dir, R_OK | W_OK | X_OK) == 0;
    int status = copy_config(app, config, failure);
    if (status == VIRGA_OK) status = app_check_paths(config, failure);
    if (status == VIRGA_OK) status = engine_setup_new(config, config->engine, -1, &app->engine, failure);
    if (status == VIRGA_OK) status = start_readers(app, state ? config->state_dir : NULL, failure);
    if (status == VIRGA_OK && state) condemned_files_load(app->sources, config->state_dir);
    if (status == VIRGA_OK) status = open_catalog(app, state ? config->state_dir : NULL, false, failure);
    if (status != VIRGA_OK) app_destroy(app);
    return status;
}

int app_open_database(struct app *app) {
    struct failure failure;
    int status = state_database_open(app->config.state_dir, &app->database, &failure);
    if (status) snprintf(app->no_database, sizeof app->no_database, "%.399s", failure.message);
    return status;
}

// The store's jobs run on the pool and read through the catalog and its sources: it goes first, they go last.
void app_destroy(struct app *app) {
    app_unwatch(app);
    state_database_close(app->database);
    if (app->bricks) brick_store_free(app->bricks);
    worker_pool_free(app->workers);
    if (app->catalog) catalog_unref(app->catalog);
    if (app->sources) source_pool_free(app->sources);
    source_engine_free(app->engine);
    config_destroy(&app->config);
    *app = (struct app){0};
}

// On the thread that watches.
static void take_catalog(void *context, struct catalog *catalog) {
    struct app *app = context;
    pthread_mutex_lock(&catalog_lock);
    struct catalog *before = app->catalog;
    app->catalog = catalog;
    pthread_mutex_unlock(&catalog_lock);
    catalog_unref(before);
    app->catalog_changed(app->catalog_context);
}

// Likewise.
static bool may_relist(void *context, bool asked) {
    struct app *app = context;
    if (asked) return engine_setup_may_look(&app->config, app->engine, app->engine_seen);
    engine_setup_seen(app->engine, &app->engine_seen);
    return true;
}

static struct catalog_watch_settings watch_settings(const struct config *config) {
    return (struct catalog_watch_settings){.rules = config->rules, .scan_seconds = config->scan_seconds, .settle_seconds = config->settle_seconds,
                                           .relist_seconds = config->relist_seconds};
}

int app_watch(struct app *app, void (*changed)(void *context), void *context, struct failure *failure) {
    const char **paths = calloc(CONFIG_MAX_PATHS, sizeof *paths);
    if (!paths) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    app->catalog_changed = changed;
    app->catalog_context = context;
    struct catalog_watch_options options = {.sources = app->sources, .paths = paths, .state_dir = app->config.state_dir, .settings = watch_settings(&app->config),
                                            .first = app->catalog, .changed = take_catalog, .may_relist = may_relist, .context = app};
    options.path_count = shared_paths(&app->config, engine_setup_for_each_user(&app->config), paths);
    int status = catalog_watch_new(&options, &app->watch, failure);
    free(paths);
    return status;
}

void app_unwatch(struct app *app) {
    catalog_watch_free(app->watch);
    app->watch = NULL;
}

int app_watch_reconfigure(struct app *app) {
    struct catalog_watch_settings settings = watch_settings(&app->config);
    const char **paths = app->watch ? calloc(CONFIG_MAX_PATHS, sizeof *paths) : NULL;
    int status = !app->watch ? VIRGA_OK : !paths ? VIRGA_NO_MEMORY : VIRGA_OK;
    if (paths) status = catalog_watch_configure(app->watch, &settings, paths, shared_paths(&app->config, engine_setup_for_each_user(&app->config), paths));
    free(paths);
    return status;
}

void app_catalog_stats(struct app *app, struct app_catalog_stats *stats) {
    struct catalog_watch_stats looks = {0};
    struct catalog *catalog = app_catalog(app);
    if (app->watch) catalog_watch_get_stats(app->watch, &looks);
    *stats = (struct app_catalog_stats){.scans = looks.looks, .changes = looks.changes, .folders = looks.folders, .files = catalog->file_count,
                                        .changed = looks.changed, .seconds = looks.seconds};
    catalog_unref(catalog);
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
