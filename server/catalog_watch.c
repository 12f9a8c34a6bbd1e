// SPDX-License-Identifier: Apache-2.0
#include "server/catalog_watch.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "server/file_writers.h"
#include "server/folder_watch.h"
#include "server/watched_paths.h"

static const double gather = 0.05;  // seconds in which more is heard before a look, as changes seldom come alone

struct path_set {
    struct watched_paths watched;
    const char **given;  // of these
};

struct catalog_watch {
    struct source_pool *sources;
    const char *state_dir;
    void (*changed)(void *context, struct catalog *catalog);
    bool (*may_relist)(void *context, bool asked);
    void *context;
    pthread_t thread;
    int wake;            // a wakeup

    pthread_mutex_t lock;
    bool stopping, asked;                      // lock
    struct catalog_watch_settings settings;    // lock
    struct path_set *next;                     // lock; in force with the next look, or NULL
    struct catalog_watch_stats stats;          // lock

    // Of its thread.
    struct path_set *paths;
    struct folder_watch *folders;              // NULL: the kernel tells nothing
    struct file_activity *activity;
    struct catalog *last;                      // as the paths were at the last look
    struct catalog_watch_settings now;         // those in force during a look
    bool looked, warned_lost, warned_many;
    double heard;                              // when a change was first heard that was not looked at; INFINITY: none
    double look_at, relist_at, still_at;       // INFINITY: never
    double ended, took;                        // the last look
};

static void path_set_free(struct path_set *set) {
    if (!set) return;
    watched_paths_destroy(&set->watched);
    free(set->given);
    free(set);
}

static struct path_set *path_set_new(const char *const *paths, size_t count) {
    struct path_set *set = calloc(1, sizeof *set);
    if (!set || watched_paths_init(&set->watched, paths, count) || !(set->given = calloc(count + 1, sizeof *set->given))) {
        path_set_free(set);
        return NULL;
    }
    for (size_t n = 0; n < count; n++) set->given[n] = set->watched.paths[n].given;
    return set;
}

// What is heard.

static void hear(struct catalog_watch *watch) {
    if (!isfinite(watch->heard)) watch->heard = clock_monotonic();
}

static void lost(struct catalog_watch *watch) {
    file_activity_lost(watch->activity, clock_monotonic());
    if (!watch->warned_lost) log_warning("catalog", "more files changed at once than the kernel keeps (fs.inotify.max_queued_events): all are looked at");
    watch->warned_lost = true;
    hear(watch);
}

// A regular file that was made is open still; it is heard of when it is closed. Another name for one that was there is not.
static bool will_be_closed(const struct stat *info) { return S_ISREG(info->st_mode) && info->st_nlink == 1; }

static void heard_of_file(struct catalog_watch *watch, enum folder_change change, const char *path) {
    struct source_identity identity;
    struct stat info;
    if (lstat(path, &info)) {
        hear(watch);
        return;
    }
    if (change == FOLDER_MADE && will_be_closed(&info)) return;
    bool known = S_ISREG(info.st_mode) && source_identify(path, &identity), news = true;
    if (known && change == FOLDER_WRITTEN) news = file_activity_written(watch->activity, &identity);
    if (known && (change == FOLDER_CLOSED || change == FOLDER_CAME)) file_activity_closed(watch->activity, &identity);
    if (known && change == FOLDER_TOUCHED) file_activity_touched(watch->activity, &identity);
    if (news) hear(watch);
}

static void folder_told(void *context, enum folder_change change, const char *path) {
    struct catalog_watch *watch = context;
    const char *slash = strrchr(path, '/');
    if (change == FOLDER_LOST) {
        lost(watch);
        return;
    }
    if (catalog_passes_over(slash ? slash + 1 : path) || !watched_paths_matter(&watch->paths->watched, path)) return;
    if (change == FOLDER_LEFT) hear(watch);
    else heard_of_file(watch, change, path);
}

// Looking.

static void watch_folder(struct catalog_watch *watch, const char *path, bool all) {
    if (!watch->folders || !folder_watch_add(watch->folders, path, all) || watch->warned_many) return;
    watch->warned_many = true;
    log_warning("catalog", "the kernel watches no more folders (fs.inotify.max_user_watches): changes in some are noticed every %g s only", watch->now.scan_seconds);
}

static void wanted_above(void *context, const char *path, bool names) { watch_folder(context, path, !names); }
static void visit(void *context, const char *folder) { watch_folder(context, folder, true); }

static bool is_whole(void *context, const char *path, const struct source_identity *identity) {
    struct catalog_watch *watch = context;
    return file_activity_is_whole(watch->activity, identity, file_writers_of(path), watch->now.settle_seconds, clock_monotonic(), &watch->still_at);
}

static void begin_look(struct catalog_watch *watch) {
    watch->heard = watch->still_at = INFINITY;
    file_activity_begin(watch->activity, !watch->looked);
    if (!watch->folders) return;
    folder_watch_begin(watch->folders);
    watched_paths_above(&watch->paths->watched, wanted_above, watch);
}

static void end_look(struct catalog_watch *watch, double began, bool changed) {
    file_activity_end(watch->activity);
    if (watch->folders) folder_watch_end(watch->folders);
    watch->looked = true;
    watch->ended = clock_monotonic();
    watch->took = watch->ended - began;
    watch->look_at = watch->now.scan_seconds > 0 ? watch->ended + watch->now.scan_seconds : INFINITY;
    pthread_mutex_lock(&watch->lock);
    watch->stats.looks++;
    watch->stats.changes += changed;
    if (changed) watch->stats.changed = watch->ended;
    watch->stats.seconds = watch->took;
    watch->stats.folders = watch->folders ? folder_watch_count(watch->folders) : 0;
    pthread_mutex_unlock(&watch->lock);
}

// Takes the new catalog over. Whether it is another one.
static bool take(struct catalog_watch *watch, struct catalog *catalog) {
    bool differs = catalog->fingerprint != watch->last->fingerprint;
    catalog_unref(watch->last);
    watch->last = catalog;
    if (differs) watch->changed(watch->context, catalog_ref(catalog));
    return differs;
}

static void look(struct catalog_watch *watch, bool relist) {
    double began = clock_monotonic();
    struct catalog *catalog = NULL;
    struct failure failure = {0};
    begin_look(watch);
    struct catalog_options options = {.state_dir = watch->state_dir, .rules = &watch->now.rules, .previous = watch->last, .relist = relist,
                                      .allow_nothing = true, .is_whole = is_whole, .visit = visit, .context = watch};
    int status = catalog_open(watch->sources, watch->paths->given, watch->paths->watched.count, &options, &catalog, &failure);
    if (status) log_warning("catalog", "the catalog stays as it was: %s", failure.message);
    end_look(watch, began, !status && take(watch, catalog));
}

// The thread.

// When the next look is due; at once while more is heard than looks can follow, but never more than half of the time.
static double due_at(const struct catalog_watch *watch) {
    double heard = fmax(watch->heard + gather, watch->ended + watch->took);
    return fmin(fmin(heard, watch->look_at), fmin(watch->relist_at, watch->still_at));
}

static void wait_until(struct catalog_watch *watch, double due) {
    struct pollfd fds[] = {{.fd = watch->wake, .events = POLLIN}, {.fd = watch->folders ? folder_watch_fd(watch->folders) : -1, .events = POLLIN}};
    double seconds = due - clock_monotonic();
    poll(fds, 2, seconds > 86400 ? 86400 * 1000 : seconds > 0 ? (int)ceil(seconds * 1000) : 0);
    if (fds[0].revents) wakeup_clear(watch->wake);
    if (watch->folders && fds[1].revents) folder_watch_read(watch->folders);
}

// What others asked for meanwhile. False: it is over.
static bool take_asked(struct catalog_watch *watch, bool *asked) {
    pthread_mutex_lock(&watch->lock);
    bool stopping = watch->stopping;
    *asked = watch->asked;
    watch->asked = false;
    watch->now = watch->settings;
    struct path_set *next = watch->next;
    watch->next = NULL;
    pthread_mutex_unlock(&watch->lock);
    if (next) {
        path_set_free(watch->paths);
        watch->paths = next;
    }
    return !stopping;
}

static void plan_relist(struct catalog_watch *watch) {
    bool any = watch->now.relist_seconds > 0 && watched_paths_any_address(&watch->paths->watched);
    watch->relist_at = any ? clock_monotonic() + watch->now.relist_seconds : INFINITY;
}

static void *run(void *argument) {
    struct catalog_watch *watch = argument;
    bool asked = false;
    take_asked(watch, &asked);
    look(watch, false);
    plan_relist(watch);
    for (;;) {
        wait_until(watch, due_at(watch));
        if (!take_asked(watch, &asked)) return NULL;
        double now = clock_monotonic();
        bool due = now >= watch->relist_at, relist = asked || (due && (!watch->may_relist || watch->may_relist(watch->context, true)));
        if (due && !relist) plan_relist(watch);
        if (!relist && now < due_at(watch)) continue;
        look(watch, relist);
        if (!relist) continue;
        plan_relist(watch);
        if (watch->may_relist) watch->may_relist(watch->context, false);
    }
}

int catalog_watch_configure(struct catalog_watch *watch, const struct catalog_watch_settings *settings, const char *const *paths, size_t path_count) {
    struct path_set *next = path_set_new(paths, path_count);
    if (!next) return VIRGA_NO_MEMORY;
    pthread_mutex_lock(&watch->lock);
    struct path_set *before = watch->next;
    watch->next = next;
    watch->settings = *settings;
    watch->asked = true;
    pthread_mutex_unlock(&watch->lock);
    wakeup_send(watch->wake);
    path_set_free(before);
    return VIRGA_OK;
}

void catalog_watch_get_stats(struct catalog_watch *watch, struct catalog_watch_stats *stats) {
    pthread_mutex_lock(&watch->lock);
    *stats = watch->stats;
    pthread_mutex_unlock(&watch->lock);
}

static int init(struct catalog_watch *watch, const struct catalog_watch_options *options) {
    struct failure failure = {0};
    watch->wake = wakeup_new();
    if (watch->wake < 0 || !(watch->paths = path_set_new(options->paths, options->path_count)) || !(watch->activity = file_activity_new())) return VIRGA_NO_MEMORY;
    watch->folders = folder_watch_new(folder_told, watch, &failure);
    if (!watch->folders) log_warning("catalog", "%s: changes are noticed every %g s only", failure.message, options->settings.scan_seconds);
    return VIRGA_OK;
}

static void destroy(struct catalog_watch *watch) {
    if (watch->wake >= 0) close(watch->wake);
    folder_watch_free(watch->folders);
    file_activity_free(watch->activity);
    path_set_free(watch->paths);
    path_set_free(watch->next);
    catalog_unref(watch->last);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

int catalog_watch_new(const struct catalog_watch_options *options, struct catalog_watch **result, struct failure *failure) {
    struct catalog_watch *watch = *result = NULL;
    if (!(watch = malloc(sizeof *watch))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    double now = clock_monotonic();
    *watch = (struct catalog_watch){.sources = options->sources, .state_dir = options->state_dir, .changed = options->changed, .may_relist = options->may_relist, .context = options->context,
                                    .settings = options->settings, .stats = {.changed = now}, .last = catalog_ref(options->first), .wake = -1,
                                    .heard = INFINITY, .look_at = INFINITY, .relist_at = INFINITY, .still_at = INFINITY, .ended = now};
    pthread_mutex_init(&watch->lock, NULL);
    int status = init(watch, options);
    if (!status && thread_start(&watch->thread, run, watch)) status = VIRGA_NO_MEMORY;
    if (!status) *result = watch;
    else destroy(watch);
    return status ? failure_set(failure, status, "out of memory or threads while starting to watch files") : VIRGA_OK;
}

void catalog_watch_free(struct catalog_watch *watch) {
    if (!watch) return;
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_mutex_unlock(&watch->lock);
    wakeup_send(watch->wake);
    pthread_join(watch->thread, NULL);
    destroy(watch);
}
