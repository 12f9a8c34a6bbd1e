// SPDX-License-Identifier: Apache-2.0
#include "source/source_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/write_all.h"

enum { PATH = 4096, NAME_BYTES = 32 };

static bool name_of(const char *folder, const struct source_identity *identity, const char *ending, char path[PATH]) {
    const uint64_t all[4] = {identity->device, identity->inode, identity->size, (uint64_t)identity->mtime_ns};
    XXH128_hash_t hash = XXH3_128bits(all, sizeof all);
    int n = snprintf(path, PATH, "%s/%016llx%016llx%s", folder, (unsigned long long)hash.high64, (unsigned long long)hash.low64, ending);
    return n > 0 && n < PATH;
}

int source_index_open(const char *folder, const struct source_identity *identity, int *fd) {
    char path[PATH];
    struct stat s;
    *fd = -1;
    if (!folder || !name_of(folder, identity, "", path)) return VIRGA_NOT_FOUND;
    *fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd >= 0 && !fstat(*fd, &s) && S_ISREG(s.st_mode)) {
        futimens(*fd, NULL);  // used now; where that is refused it only goes earlier
        return VIRGA_OK;
    }
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return VIRGA_NOT_FOUND;
}

struct kept {
    char name[NAME_BYTES + 1];
    struct timespec used;
    off_t size;
};

static int compare_used(const void *left, const void *right) {
    const struct kept *a = left, *b = right;
    if (a->used.tv_sec != b->used.tv_sec) return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
    return (a->used.tv_nsec > b->used.tv_nsec) - (a->used.tv_nsec < b->used.tv_nsec);
}

// Only names that name_of gives: whatever else lies there is not ours.
static bool is_ours(const char *name) { return strlen(name) == NAME_BYTES && strspn(name, "0123456789abcdef") == NAME_BYTES; }

static size_t list_kept(DIR *folder, struct kept **list, off_t *total) {
    size_t count = 0, room = 0;
    *list = NULL;
    *total = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat s;
        if (!is_ours(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) || !S_ISREG(s.st_mode)) continue;
        struct kept *grown = memory_one_more(*list, count, &room, sizeof *grown);
        if (!grown) break;
        *list = grown;
        struct kept *k = &(*list)[count++];
        memcpy(k->name, entry->d_name, NAME_BYTES + 1);
        k->used = s.st_mtim;
        k->size = s.st_size;
        *total += s.st_size;
    }
    return count;
}

static void make_room(const char *path, size_t most) {
    struct kept *list;
    off_t total;
    DIR *folder = opendir(path);
    if (!folder) return;
    size_t count = list_kept(folder, &list, &total);
    if ((uint64_t)total > most) qsort(list, count, sizeof *list, compare_used);
    for (size_t n = 0; n < count && (uint64_t)total > most; n++) {
        unlinkat(dirfd(folder), list[n].name, 0);
        total -= list[n].size;
    }
    free(list);
    closedir(folder);
}

int source_index_keep(const char *folder, const struct source_identity *identity, const void *bytes, size_t size, size_t most) {
    static atomic_uint next;
    char path[PATH], part[PATH], ending[48];
    if (!folder || size > most) return VIRGA_OK;
    snprintf(ending, sizeof ending, ".%d.%u.part", (int)getpid(), atomic_fetch_add(&next, 1));
    if (!name_of(folder, identity, "", path) || !name_of(folder, identity, ending, part)) return VIRGA_IO;
    if (mkdir(folder, 0700) && errno != EEXIST) return VIRGA_IO;
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return VIRGA_IO;
    bool written = write_all(fd, bytes, size) == 0;
    written &= close(fd) == 0;
    if (!written || rename(part, path)) {
        unlink(part);
        return VIRGA_IO;
    }
    make_room(folder, most);
    return VIRGA_OK;
}
