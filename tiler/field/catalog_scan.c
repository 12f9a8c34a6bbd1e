// SPDX-License-Identifier: Apache-2.0
#include "field/catalog_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_DEPTH = 12, FILES_MAX = 200000, OPENERS_MAX = 16 };

static int add_file(struct scanned_files *files, const char *path, size_t argument, const char *problem) {
    if (files->count >= FILES_MAX) return VIRGA_OK;
    struct scanned_file *grown = cf_grow(files->files, files->count, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    files->files = grown;
    struct scanned_file *f = &grown[files->count];
    if (!(f->path = strdup(path))) return VIRGA_NO_MEMORY;
    f->argument = argument;
    if (problem) failure_set(&f->failure, VIRGA_NOT_FOUND, "%s", problem);
    files->count++;
    return VIRGA_OK;
}

// By its first bytes, or by its name: a broken netCDF file deserves a word.
static bool looks_readable(const char *path) {
    static const char *const endings[] = {".nc", ".nc4", ".cdf", ".netcdf", ".hdf5", ".h5"};
    unsigned char head[8] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;
    if (fd >= 0) close(fd);
    if (n == 8 && (memcmp(head, "CDF", 3) == 0 || memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0)) return true;
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(dot, endings[i]) == 0) return true;
    return false;
}

static int add_folder(struct scanned_files *files, const char *path, size_t argument, int depth) {
    struct dirent **entries = NULL;
    int status = VIRGA_OK, count = depth > 0 ? scandir(path, &entries, NULL, alphasort) : 0;
    for (int n = 0; n < count; n++) {
        char *inside = NULL;
        struct stat info;
        if (!status && entries[n]->d_name[0] != '.') {
            if (asprintf(&inside, "%s/%s", path, entries[n]->d_name) < 0) inside = NULL, status = VIRGA_NO_MEMORY;
            else if (stat(inside, &info) == 0) {
                if (S_ISDIR(info.st_mode)) status = add_folder(files, inside, argument, depth - 1);
                else if (S_ISREG(info.st_mode) && looks_readable(inside)) status = add_file(files, inside, argument, NULL);
            }
            free(inside);
        }
        free(entries[n]);
    }
    free(entries);
    return status;
}

static int add_path(struct scanned_files *files, const char *given, size_t argument) {
    struct stat info;
    char path[4096];
    if (strlen(given) >= sizeof path) return add_file(files, given, argument, "the path is too long");
    strcpy(path, given);
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = 0;
    if (stat(path, &info) == 0) {
        size_t before = files->count;
        if (S_ISREG(info.st_mode)) return add_file(files, path, argument, NULL);
        if (!S_ISDIR(info.st_mode)) return add_file(files, path, argument, "it is neither a file nor a folder");
        int status = add_folder(files, path, argument, FOLDER_DEPTH);
        if (!status && files->count == before) status = add_file(files, path, argument, "no netCDF file in this folder");
        return status;
    }
    int error = errno;
    glob_t found = {0};
    int status = VIRGA_OK;
    if (strpbrk(path, "*?[{") && glob(path, GLOB_BRACE, NULL, &found) == 0) {
        for (size_t n = 0; !status && n < found.gl_pathc; n++) {
            if (stat(found.gl_pathv[n], &info)) continue;
            if (S_ISDIR(info.st_mode)) status = add_folder(files, found.gl_pathv[n], argument, FOLDER_DEPTH);
            else if (S_ISREG(info.st_mode)) status = add_file(files, found.gl_pathv[n], argument, NULL);
        }
        globfree(&found);
        return status;
    }
    globfree(&found);
    char problem[128];
    snprintf(problem, sizeof problem, "%s", strpbrk(path, "*?[{") ? "no file matches" : error == ENOENT ? "no such file or folder" : strerror(error));
    return add_file(files, path, argument, problem);
}

struct opening {
    struct source_pool *pool;
    struct scanned_files *files;
    atomic_size_t next;
};

static void open_one(struct source_pool *pool, struct scanned_file *f) {
    struct source *source = NULL;
    if (f->failure.status) return;
    if (source_open(pool, f->path, &source, &f->failure)) return;
    if (cf_file_new(source, &f->file, &f->failure)) f->file = NULL;
    source_unref(source);
}

static void *opener(void *argument) {
    struct opening *opening = argument;
    for (size_t n; (n = atomic_fetch_add(&opening->next, 1)) < opening->files->count;) open_one(opening->pool, &opening->files->files[n]);
    return NULL;
}

static void open_all(struct source_pool *pool, struct scanned_files *files) {
    struct opening opening = {.pool = pool, .files = files};
    pthread_t threads[OPENERS_MAX];
    size_t wanted = (size_t)source_pool_readers(pool), started = 0;
    atomic_init(&opening.next, 0);
    if (wanted > OPENERS_MAX) wanted = OPENERS_MAX;
    while (started + 1 < wanted && started + 1 < files->count && pthread_create(&threads[started], NULL, opener, &opening) == 0) started++;
    opener(&opening);
    for (size_t n = 0; n < started; n++) pthread_join(threads[n], NULL);
}

int catalog_scan(struct source_pool *pool, const char *const *paths, size_t path_count, struct scanned_files *files, struct failure *failure) {
    *files = (struct scanned_files){0};
    int status = VIRGA_OK;
    for (size_t n = 0; !status && n < path_count; n++) {
        bool again = false;
        for (size_t before = 0; before < n && !again; before++) again = strcmp(paths[before], paths[n]) == 0;
        if (!again) status = add_path(files, paths[n], n);
    }
    if (status) {
        scanned_files_destroy(files);
        return failure_set(failure, status, "out of memory");
    }
    open_all(pool, files);
    return VIRGA_OK;
}

void scanned_files_destroy(struct scanned_files *files) {
    for (size_t n = 0; n < files->count; n++) {
        free(files->files[n].path);
        cf_file_free(files->files[n].file);
    }
    free(files->files);
    *files = (struct scanned_files){0};
}
