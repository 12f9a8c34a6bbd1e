// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of changes in folders (inotify). One thread.
#ifndef VIRGA_SERVER_FOLDER_WATCH_H
#define VIRGA_SERVER_FOLDER_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum folder_change {
    FOLDER_WRITTEN,  // to a file in it
    FOLDER_CLOSED,   // a file that was open for writing
    FOLDER_MADE,     // a new file, folder or link
    FOLDER_CAME,     // something was renamed into place
    FOLDER_LEFT,     // a name is gone; also the folder itself, named as it was added
    FOLDER_TOUCHED,  // permissions, times
    FOLDER_LOST,     // more happened than the kernel kept: path is ""
};

// path: of the folder as it was added, and the name in it.
typedef void (*folder_changed)(void *context, enum folder_change change, const char *path);

struct folder_watch;

// NULL where the kernel gives none or out of memory: *failure says why.
struct folder_watch *folder_watch_new(folder_changed changed, void *context, struct failure *failure);
void folder_watch_free(struct folder_watch *watch);  // NULL allowed
int folder_watch_fd(const struct folder_watch *watch);  // readable when something happened

// Folders are added anew in rounds; those that were not added again are let go of when the round ends. Adding one twice is allowed.
void folder_watch_begin(struct folder_watch *watch);
// all: told of all that changes in it; else only of names that come and go. Links are followed. VIRGA_OK also where there is no such folder; VIRGA_TOO_LARGE: as many as the kernel allows are watched.
int folder_watch_add(struct folder_watch *watch, const char *path, bool all);
void folder_watch_end(struct folder_watch *watch);
size_t folder_watch_count(const struct folder_watch *watch);

// Tells of what has happened, of much only a part; never waits.
void folder_watch_read(struct folder_watch *watch);
// Tells of what stands in a buffer as the kernel fills it.
void folder_watch_take(struct folder_watch *watch, const char *buffer, size_t size);

#endif
