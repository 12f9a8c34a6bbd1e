// SPDX-License-Identifier: Apache-2.0
#include "server/folder_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/memory.h"

// A folder may be wanted for both: once it is told of more it stays so.
static const uint32_t names = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD;
static const uint32_t contents = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;
enum { MOST_READS = 64 };  // at a time

struct folder {
    int descriptor;
    unsigned round;
    char *path;
};

struct folder_watch {
    folder_changed changed;
    void *context;
    int fd;
    unsigned round;
    size_t count, room;
    struct folder *folders;
};

struct folder_watch *folder_watch_new(folder_changed changed, void *context, struct failure *failure) {
    struct folder_watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        return NULL;
    }
    *watch = (struct folder_watch){.changed = changed, .context = context, .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (watch->fd >= 0) return watch;
    failure_set(failure, VIRGA_IO, "the kernel tells nothing of changes in folders: %s (fs.inotify.max_user_instances)", strerror(errno));
    free(watch);
    return NULL;
}

void folder_watch_free(struct folder_watch *watch) {
    if (!watch) return;
    for (size_t n = 0; n < watch->count; n++) free(watch->folders[n].path);
    free(watch->folders);
    close(watch->fd);
    free(watch);
}

int folder_watch_fd(const struct folder_watch *watch) { return watch->fd; }
size_t folder_watch_count(const struct folder_watch *watch) { return watch->count; }

static struct folder *find(const struct folder_watch *watch, int descriptor) {
    for (size_t n = 0; n < watch->count; n++)
        if (watch->folders[n].descriptor == descriptor) return &watch->folders[n];
    return NULL;
}

static struct folder *new_folder(struct folder_watch *watch, int descriptor) {
    struct folder *grown = memory_one_more(watch->folders, watch->count, &watch->room, sizeof *grown);
    if (!grown) return NULL;
    watch->folders = grown;
    watch->folders[watch->count] = (struct folder){.descriptor = descriptor};
    return &watch->folders[watch->count++];
}

void folder_watch_begin(struct folder_watch *watch) { watch->round++; }

// A folder that was renamed keeps its descriptor and has another path now.
int folder_watch_add(struct folder_watch *watch, const char *path, bool all) {
    int descriptor = inotify_add_watch(watch->fd, path, all ? names | contents : names);
    if (descriptor < 0) return errno == ENOSPC || errno == ENOMEM ? VIRGA_TOO_LARGE : VIRGA_OK;
    struct folder *folder = find(watch, descriptor);
    bool same = folder && !strcmp(folder->path, path);
    char *copy = same ? folder->path : strdup(path);
    if (copy && !folder) folder = new_folder(watch, descriptor);
    if (!copy || !folder) {
        free(copy);
        return VIRGA_TOO_LARGE;
    }
    if (!same) free(folder->path);
    folder->path = copy;
    folder->round = watch->round;
    return VIRGA_OK;
}

static void drop(struct folder_watch *watch, struct folder *folder) {
    free(folder->path);
    *folder = watch->folders[--watch->count];
}

void folder_watch_end(struct folder_watch *watch) {
    for (size_t n = watch->count; n-- > 0;) {
        if (watch->folders[n].round == watch->round) continue;
        inotify_rm_watch(watch->fd, watch->folders[n].descriptor);
        drop(watch, &watch->folders[n]);
    }
}

static enum folder_change change_of(uint32_t mask) {
    if (mask & (IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)) return FOLDER_LEFT;
    if (mask & IN_MOVED_TO) return FOLDER_CAME;
    if (mask & IN_CREATE) return FOLDER_MADE;
    if (mask & IN_CLOSE_WRITE) return FOLDER_CLOSED;
    return mask & IN_MODIFY ? FOLDER_WRITTEN : FOLDER_TOUCHED;
}

static void take(struct folder_watch *watch, const struct inotify_event *event, const char *name) {
    char path[PATH_MAX + NAME_MAX + 2];
    struct folder *folder = find(watch, event->wd);
    if (event->mask & IN_Q_OVERFLOW) {
        watch->changed(watch->context, FOLDER_LOST, "");
    } else if (folder && event->mask & IN_IGNORED) {
        drop(watch, folder);
    } else if (folder) {
        snprintf(path, sizeof path, *name ? "%s/%s" : "%s", !strcmp(folder->path, "/") && *name ? "" : folder->path, name);
        watch->changed(watch->context, change_of(event->mask), path);
    }
}

void folder_watch_take(struct folder_watch *watch, const char *buffer, size_t size) {
    struct inotify_event event;
    for (size_t at = 0; size - at >= sizeof event; at += sizeof event + event.len) {
        memcpy(&event, buffer + at, sizeof event);
        if (event.len > size - at - sizeof event) return;
        char name[NAME_MAX + 1] = "";
        if (event.len) snprintf(name, sizeof name, "%.*s", (int)strnlen(buffer + at + sizeof event, event.len), buffer + at + sizeof event);
        take(watch, &event, name);
    }
}

void folder_watch_read(struct folder_watch *watch) {
    char buffer[16384];
    ssize_t size;
    for (int n = 0; n < MOST_READS && (size = read(watch->fd, buffer, sizeof buffer)) > 0; n++) folder_watch_take(watch, buffer, (size_t)size);
}
