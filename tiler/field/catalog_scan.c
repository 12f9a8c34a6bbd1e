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

#include "source/source_address.h"
#include "source/source_of_engine.h"

enum { FOLDER_DEPTH = 12, FILES_MAX = 200000, OPENERS_MAX = 16, COMPARED_MAX = 5000 };

// The same file by two arguments or links counts once. (Among very many files nobody compares.)
static bool listed(const struct scanned_files *files, const char *path, const struct stat *info) {
    for (size_t n = 0; n < files->count && files->count < COMPARED_MAX; n++) {
        const struct scanned_file *f = &files->files[n];
        if (f->inode && info->st_ino ? f->inode == info->st_ino && f->device == info->st_dev : strcmp(f->path, path) == 0) return true;
    }
    return false;
}

// A link to the newest file is a common habit: what it points at now is opened, since sources follow none.
static char *file_name(const char *path) {
    struct stat info;
    char *real = lstat(path, &info) == 0 && S_ISLNK(info.st_mode) ? realpath(path, NULL) : NULL;
    return real ? real : strdup(path);
}

static int add_file(struct scanned_files *files, const char *path, const char *base, const char *problem) {
    struct stat info;
    bool address = source_address_like(path);
    if (problem || address || stat(path, &info)) info = (struct stat){0};
    if (files->count >= FILES_MAX || listed(files, path, &info)) return VIRGA_OK;
    struct scanned_file *grown = cf_grow(files->files, files->count, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    files->files = grown;
    struct scanned_file *f = &grown[files->count];
    if (!(f->path = address ? strdup(path) : file_name(path))) return VIRGA_NO_MEMORY;
    f->base = base;
    f->device = info.st_dev;
    f->inode = info.st_ino;
    if (problem) failure_set(&f->failure, VIRGA_NOT_FOUND, "%s", problem);
    files->count++;
    return VIRGA_OK;
}

// By its first bytes, or by its name: a broken file deserves a word. This peeping by plain reads is all that the server itself ever
// takes from a data file; what the bytes mean is the readers' business.
static bool looks_readable(const char *path) {
    static const char *const endings[] = {".nc", ".nc4", ".cdf", ".netcdf", ".hdf5", ".h5", ".grib", ".grib1", ".grib2", ".grb", ".grb1", ".grb2", ".pp", ".ff"};
    unsigned char head[4096] = {0};  // bulletin headers may stand before a GRIB message
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;
    bool um = fd >= 0 && source_of_engine_kind(path, fd);
    if (fd >= 0) close(fd);
    if (um) return true;
    if (n >= 8 && (memcmp(head, "CDF", 3) == 0 || memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0)) return true;
    for (unsigned char *at = head; n >= 8 && (at = memmem(at, (size_t)(head + n - at), "GRIB", 4)); at += 4)
        if (at + 8 <= head + n && (at[7] == 1 || at[7] == 2)) return true;
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return false;
}

struct folder {  // being searched, within those above it
    const struct folder *above;
    dev_t device;
    ino_t inode;
    int depth;
};

// Whether the folder is not searched already, by a link in it to itself or to one above it.
static bool folder_enter(struct folder *folder, const char *path, const struct folder *above) {
    struct stat info;
    if (stat(path, &info)) return false;
    *folder = (struct folder){above, info.st_dev, info.st_ino, above ? above->depth + 1 : 0};
    for (const struct folder *f = above; f; f = f->above)
        if (f->device == folder->device && f->inode == folder->inode) return false;
    return folder->depth < FOLDER_DEPTH;
}

static int add_folder(struct scanned_files *files, const char *path, const char *base, const struct folder *above) {
    struct folder here;
    struct dirent **entries = NULL;
    char reason[160];
    if (source_is_store(path)) return add_file(files, path, base, NULL);
    int status = VIRGA_OK, count = folder_enter(&here, path, above) ? scandir(path, &entries, NULL, alphasort) : 0;
    if (count < 0) snprintf(reason, sizeof reason, "the folder cannot be read: %s", strerror(errno));
    for (int n = 0; n < count; n++) {
        char *inside = NULL;
        struct stat info;
        if (!status && entries[n]->d_name[0] != '.') {
            if (asprintf(&inside, "%s/%s", path, entries[n]->d_name) < 0) inside = NULL, status = VIRGA_NO_MEMORY;
            else if (stat(inside, &info) == 0) {
                if (S_ISDIR(info.st_mode)) status = add_folder(files, inside, base, &here);
                else if (S_ISREG(info.st_mode) && looks_readable(inside)) status = add_file(files, inside, base, NULL);
            }
            free(inside);
        }
        free(entries[n]);
    }
    free(entries);
    return count < 0 ? add_file(files, path, base, reason) : status;
}

static char *base_of_address(const char *given) {
    char *whole = source_address_absolute(given), *base = whole ? source_address_base(whole) : NULL;
    free(whole);
    return base;
}

// The folder that a configured path stands for; see scanned_files. The caller frees it.
static char *base_of(const char *given) {
    struct stat info;
    if (source_address_like(given)) return base_of_address(given);
    char text[2 * 4096 + 2], *out = calloc(1, sizeof text);
    char *here = *given == '/' ? strdup("") : getcwd(NULL, 0);
    int n = out && here ? snprintf(text, sizeof text, "%s/%s", here, given) : -1;
    free(here);
    if (n < 0 || (size_t)n >= sizeof text) {
        free(out);
        return n < 0 ? NULL : strdup(given);
    }
    size_t kept = strlen(text), wild = strcspn(text, "*?[{");
    bool folder = stat(text, &info) == 0 && S_ISDIR(info.st_mode) && !source_is_store(text);
    if (!folder && wild < kept && stat(text, &info) != 0) kept = wild;
    if (!folder)
        while (kept > 0 && text[kept - 1] != '/') kept--;
    text[kept] = 0;
    size_t length = 0;  // parts, without "." and with ".." taken back
    for (const char *at = text; *at;) {
        at += strspn(at, "/");
        size_t part = strcspn(at, "/");
        if (part == 2 && strncmp(at, "..", 2) == 0) {
            while (length > 0 && out[--length] != '/') {}
        } else if (part > 0 && !(part == 1 && *at == '.')) {
            out[length++] = '/';
            memcpy(out + length, at, part);
            length += part;
        }
        at += part;
    }
    out[length] = 0;
    return out;
}

static const char *keep_base(struct scanned_files *files, const char *given) {
    char *base = base_of(given), **grown = base ? cf_grow(files->bases, files->base_count, sizeof *grown) : NULL;
    if (!grown) {
        free(base);
        return NULL;
    }
    files->bases = grown;
    return grown[files->base_count++] = base;
}

static bool any_inside(const struct scanned_files *files, const char *folder) {
    size_t length = strlen(folder);
    for (size_t n = 0; n < files->count; n++)
        if (strncmp(files->files[n].path, folder, length) == 0 && files->files[n].path[length] == '/') return true;
    return false;
}

static int add_path(struct scanned_files *files, const char *given, const char *base) {
    struct stat info;
    char path[4096];
    if (source_address_like(given)) return add_file(files, given, base, NULL);
    if (strlen(given) >= sizeof path) return add_file(files, given, base, "the path is too long");
    strcpy(path, given);
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = 0;
    if (stat(path, &info) == 0) {
        size_t before = files->count;
        if (S_ISREG(info.st_mode)) return add_file(files, path, base, NULL);
        if (!S_ISDIR(info.st_mode)) return add_file(files, path, base, "it is neither a file nor a folder");
        int status = add_folder(files, path, base, NULL);
        if (!status && files->count == before && !any_inside(files, path)) status = add_file(files, path, base, "no netCDF, GRIB or UM file, or Zarr store, in this folder");
        return status;
    }
    int error = errno;
    glob_t found = {0};
    int status = VIRGA_OK;
    if (strpbrk(path, "*?[{") && glob(path, GLOB_BRACE, NULL, &found) == 0) {
        for (size_t n = 0; !status && n < found.gl_pathc; n++) {
            if (stat(found.gl_pathv[n], &info)) continue;
            if (S_ISDIR(info.st_mode)) status = add_folder(files, found.gl_pathv[n], base, NULL);
            else if (S_ISREG(info.st_mode)) status = add_file(files, found.gl_pathv[n], base, NULL);
        }
        globfree(&found);
        return status;
    }
    globfree(&found);
    char problem[128];
    snprintf(problem, sizeof problem, "%s", strpbrk(path, "*?[{") ? "no file matches" : error == ENOENT ? "no such file or folder" : strerror(error));
    return add_file(files, path, base, problem);
}

struct opening {
    struct source_pool *pool;
    struct scanned_files *files;
    const struct catalog_options *options;
    atomic_size_t next;
    pthread_mutex_t lock;  // one call of progress at a time
    size_t done;           // lock
};

static void open_one(struct source_pool *pool, struct scanned_file *f) {
    struct source *source = NULL;
    if (f->failure.status) return;
    if (source_open(pool, f->path, &source, &f->failure)) return;
    if (cf_file_new(source, &f->file, &f->failure)) f->file = NULL;
    source_unref(source);
}

static void tell_progress(struct opening *opening) {
    if (!opening->options->progress) return;
    pthread_mutex_lock(&opening->lock);
    opening->options->progress(opening->options->context, ++opening->done, opening->files->count);
    pthread_mutex_unlock(&opening->lock);
}

static void *opener(void *argument) {
    struct opening *opening = argument;
    for (size_t n; (n = atomic_fetch_add(&opening->next, 1)) < opening->files->count;) {
        open_one(opening->pool, &opening->files->files[n]);
        tell_progress(opening);
    }
    return NULL;
}

static void open_all(struct source_pool *pool, struct scanned_files *files, const struct catalog_options *options) {
    struct opening opening = {.pool = pool, .files = files, .options = options, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[OPENERS_MAX];
    size_t wanted = (size_t)source_pool_readers(pool), started = 0;
    atomic_init(&opening.next, 0);
    if (wanted > OPENERS_MAX) wanted = OPENERS_MAX;
    while (started + 1 < wanted && started + 1 < files->count && pthread_create(&threads[started], NULL, opener, &opening) == 0) started++;
    opener(&opening);
    for (size_t n = 0; n < started; n++) pthread_join(threads[n], NULL);
}

int catalog_scan(struct source_pool *pool, const char *const *paths, size_t path_count, const struct catalog_options *options,
                 struct scanned_files *files, struct failure *failure) {
    *files = (struct scanned_files){0};
    int status = VIRGA_OK;
    for (size_t n = 0; !status && n < path_count; n++) {
        bool again = false;
        for (size_t before = 0; before < n && !again; before++) again = strcmp(paths[before], paths[n]) == 0;
        if (again) continue;
        const char *base = keep_base(files, paths[n]);
        status = base ? add_path(files, paths[n], base) : VIRGA_NO_MEMORY;
    }
    if (status) {
        scanned_files_destroy(files);
        return failure_set(failure, status, "out of memory");
    }
    open_all(pool, files, options);
    return VIRGA_OK;
}

void scanned_files_destroy(struct scanned_files *files) {
    for (size_t n = 0; n < files->count; n++) {
        free(files->files[n].path);
        cf_file_free(files->files[n].file);
    }
    for (size_t n = 0; n < files->base_count; n++) free(files->bases[n]);
    free(files->bases);
    free(files->files);
    *files = (struct scanned_files){0};
}
