// SPDX-License-Identifier: Apache-2.0
#include "source/source_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/memory.h"

enum { MOST_NAMES = 100000, MOST_DEPTH = 16 };

static const char *const documents[] = {".zgroup", ".zarray", ".zattrs", ".zmetadata", ".nczarr", ".nczgroup", ".nczarray", "zarr.json"};

struct source_store {
    size_t count, room;
    char **names;  // relative to the store
};

bool source_store_at(int folder) {
    static const char *const top[] = {".zgroup", ".zarray", ".zmetadata", ".nczarr", "zarr.json"};
    struct stat s;
    for (size_t i = 0; i < sizeof top / sizeof *top; i++)
        if (!fstatat(folder, top[i], &s, AT_SYMLINK_NOFOLLOW) && S_ISREG(s.st_mode)) return true;
    return false;
}

bool source_is_store(const char *path) {
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool is = folder >= 0 && source_store_at(folder);
    if (folder >= 0) close(folder);
    return is;
}

void source_store_free(struct source_store *store) {
    if (!store) return;
    for (size_t i = 0; i < store->count; i++) free(store->names[i]);
    free(store->names);
    free(store);
}

static int add_name(struct source_store *store, const char *folder, const char *name, struct failure *failure) {
    if (store->count == MOST_NAMES) return failure_set(failure, VIRGA_TOO_LARGE, "it has more than %d groups and arrays", MOST_NAMES);
    char **grown = memory_one_more(store->names, store->count, &store->room, sizeof *grown);
    if (!grown) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    store->names = grown;
    char *text = NULL;
    if (asprintf(&text, "%s%s%s", folder, *folder && *name ? "/" : "", name) < 0)
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    store->names[store->count++] = text;
    return VIRGA_OK;
}

static int add_documents(struct source_store *store, int folder, const char *path, bool *array, struct failure *failure) {
    int status = VIRGA_OK;
    *array = false;
    for (size_t i = 0; i < sizeof documents / sizeof *documents && !status; i++) {
        struct stat s;
        if (fstatat(folder, documents[i], &s, AT_SYMLINK_NOFOLLOW)) continue;
        *array |= !strcmp(documents[i], ".zarray");
        status = add_name(store, path, documents[i], failure);
    }
    return status;
}

static bool is_folder(int folder, const struct dirent *entry) {
    struct stat s;
    if (entry->d_name[0] == '.') return false;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
    return !fstatat(folder, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) && S_ISDIR(s.st_mode);
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

// An array's own folders hold chunks only and are not looked into.
static int add_folder(struct source_store *store, int folder, const char *path, int depth, struct failure *failure) {
    bool array;
    int status = depth > MOST_DEPTH ? failure_set(failure, VIRGA_TOO_LARGE, "its groups are more than %d deep", MOST_DEPTH) : VIRGA_OK;
    if (!status) status = add_name(store, path, "", failure);
    if (!status) status = add_documents(store, folder, path, &array, failure);
    if (status || array) return status;
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (!entries) {
        int error = errno;
        if (copy >= 0) close(copy);
        return failure_set(failure, VIRGA_IO, "its folder cannot be listed: %s", strerror(error));
    }
    for (const struct dirent *e; !status && (e = readdir(entries));) {
        char *inner = NULL;
        if (!is_folder(folder, e)) continue;
        int fd = openat(folder, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) continue;
        if (asprintf(&inner, "%s%s%s", path, *path ? "/" : "", e->d_name) < 0) inner = NULL;
        status = inner ? add_folder(store, fd, inner, depth + 1, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        free(inner);
        close(fd);
    }
    closedir(entries);
    return status;
}

int source_store_new(int folder, struct source_store **store, struct failure *failure) {
    struct source_store *s = calloc(1, sizeof *s);
    *store = NULL;
    if (!s) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = add_folder(s, folder, "", 0, failure);
    if (!status) qsort(s->names, s->count, sizeof *s->names, compare_names);  // folders list in any order
    if (status) source_store_free(s);
    else *store = s;
    return status;
}

struct source_identity source_store_identity(const struct source_store *store, int folder) {
    struct source_identity identity = {0};
    struct stat s;
    XXH64_hash_t size = 0, time = 1;
    if (!fstat(folder, &s)) identity = (struct source_identity){.device = s.st_dev, .inode = s.st_ino};
    for (size_t i = 0; i < store->count; i++) {
        const char *name = store->names[i];
        bool there = !fstatat(folder, *name ? name : ".", &s, AT_SYMLINK_NOFOLLOW);
        uint64_t state[] = {there, 0, 0, 0};
        if (there) {
            state[1] = s.st_ino;
            state[2] = S_ISDIR(s.st_mode) ? 0 : (uint64_t)s.st_size;
            state[3] = (uint64_t)s.st_mtim.tv_sec * 1000000000 + (uint64_t)s.st_mtim.tv_nsec;
        }
        size = XXH64(name, strlen(name), XXH64(state, sizeof state, size));
        time = XXH64(state, sizeof state, time);
    }
    identity.size = size;
    identity.mtime_ns = (int64_t)time;
    return identity;
}
