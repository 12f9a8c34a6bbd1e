// SPDX-License-Identifier: Apache-2.0
// Keeps a catalog as its files are: a thread that hears of changes from the kernel, looks at all paths again a moment later, and now and then without
// having heard anything, as not every file system tells. What did not change is not opened again.
//
// A file counts when nobody has it open for writing and it opens; see file_writers.h. One that is being written, also again, is left out until then. All
// times are the monotonic clock's.
#ifndef VIRGA_SERVER_CATALOG_WATCH_H
#define VIRGA_SERVER_CATALOG_WATCH_H

#include "field/catalog.h"

struct catalog_watch;

struct catalog_watch_settings {
    struct catalog_rules rules;
    double scan_seconds;    // between looks at all files; 0: only when something is heard
    double settle_seconds;  // that a file must have been still where nothing tells who writes it
    double relist_seconds;  // between looks at what is no file; 0: never
};

struct catalog_watch_options {
    struct source_pool *sources;  // outlives it
    const char *const *paths;     // copied
    size_t path_count;
    const char *state_dir;        // of catalog_options; outlives it
    struct catalog_watch_settings settings;
    struct catalog *first;        // opened of these paths already; a reference is taken
    // On its thread: the catalog is another one now, whose reference is the callee's.
    void (*changed)(void *context, struct catalog *catalog);
    // On its thread, before what is no file is listed again by the clock: whether it may be (asked true), and once it was (false). NULL: always.
    bool (*may_relist)(void *context, bool asked);
    void *context;
};

struct catalog_watch_stats {
    size_t looks, changes, folders;  // looks at all paths and changes that were told since start; folders that are watched
    double changed, seconds;         // when the last change was told, or the start; how long the last look took
};

// Looks once at the beginning. Without inotify it goes on by looking now and then, and says so in the log. VIRGA_NO_MEMORY.
int catalog_watch_new(const struct catalog_watch_options *options, struct catalog_watch **watch, struct failure *failure);
// Waits for what is being opened: stop the pool before. NULL allowed.
void catalog_watch_free(struct catalog_watch *watch);

// Any thread: other settings and paths (copied) from now on, and a look. VIRGA_OK, or VIRGA_NO_MEMORY, and nothing is changed.
int catalog_watch_configure(struct catalog_watch *watch, const struct catalog_watch_settings *settings, const char *const *paths, size_t path_count);
void catalog_watch_get_stats(struct catalog_watch *watch, struct catalog_watch_stats *stats);

#endif
