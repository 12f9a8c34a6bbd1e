// SPDX-License-Identifier: Apache-2.0
// Configured paths as texts: which folders must be watched for them, and which names matter to them. Immutable; any thread.
#ifndef VIRGA_SERVER_WATCHED_PATHS_H
#define VIRGA_SERVER_WATCHED_PATHS_H

#include <stdbool.h>
#include <stddef.h>

struct watched_path {
    char *given, *absolute;  // the second by its text alone, so that links in it keep their names
    size_t given_plain, absolute_plain;  // bytes before a glob's first part with a wildcard, without the slash; else all
    bool glob, address;      // an address is not watched
};

struct watched_paths {
    size_t count;
    struct watched_path *paths;
};

// Copies. VIRGA_OK or VIRGA_NO_MEMORY.
int watched_paths_init(struct watched_paths *paths, const char *const *given, size_t count);
void watched_paths_destroy(struct watched_paths *paths);
bool watched_paths_any_address(const struct watched_paths *paths);

// Calls `folder` with each folder that must be watched besides those that are searched: those above the paths (names: whether only names in it matter),
// and those that a glob's parts before its last one match now.
void watched_paths_above(const struct watched_paths *paths, void (*folder)(void *context, const char *path, bool names), void *context);
// Whether something that happened to this path may change what the paths find.
bool watched_paths_matter(const struct watched_paths *paths, const char *path);

#endif
