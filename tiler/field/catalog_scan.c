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
#include <xxhash.h>

#include "base/memory.h"
#include "base/thread.h"
#include "source/source_address.h"
#include "source/source_of_engine.h"

enum { FOLDER_DEPTH = 12, FILES_MAX = 200000, OPENERS_MAX = 16 };

static uint64_t path_hash(const char *path) { return XXH3_64bits(path, strlen(path)); }

static uint64_t place_hash(const struct scanned_file *f) {
    uint64_t place[] = {f->stamp.device, f->stamp.inode};
    return f->stamp.inode ? XXH3_64bits(place, sizeof place) : path_hash(f->path);
}

static bool same_place(const struct scanned_file *a, const struct scanned_file *b) {
    if (a->stamp.inode && b->stamp.inode) return a->stamp.inode == b->stamp.inode && a->stamp.device == b->stamp.device;
    return strcmp(a->path, b->path) == 0;
}

// The same file by two arguments or links counts once.
static bool listed(const struct scanned_files *files, const struct scanned_file *f) {
    size_t at = 0, n;
    while ((n = position_index_next(&files->by_place, place_hash(f), &at)) < files->count)
        if (same_place(&files->files[n], f)) return true;
    return false;
}

static const struct scanned_file *find_path(const struct scanned_files *files, const char *path) {
    size_t at = 0, n;
    while ((n = position_index_next(&files->by_path, path_hash(path), &at)) < files->count)
        if (strcmp(files->files[n].path, path) == 0) return &files->files[n];
    return NULL;
}

// A link to the newest file is a common habit: what it points at now is opened, since sources follow none.
static char *file_name(const char *path) {
    struct stat info;
    char *real = lstat(path, &info) == 0 && S_ISLNK(info.st_mode) ? realpath(path, NULL) : NULL;
    return real ? real : strdup(path);
}

static int add_listed(struct scanned_files *files, const struct scanned_file *f) {
    struct scanned_file *grown = memory_one_more(files->files, files->count, &files->room, sizeof *grown);
    if (!grown) return VIRGA_NO_MEMORY;
    files->files = grown;
    if (position_index_add(&files->by_place, place_hash(f), files->count) || position_index_add(&files->by_path, path_hash(f->path), files->count)) return VIRGA_NO_MEMORY;
    files->files[files->count++] = *f;
    return VIRGA_OK;
}

static int add_file(struct scanned_files *files, const char *path, const char *base, const char *problem) {
    bool address = source_address_like(path);
    struct scanned_file f = {.path = address ? strdup(path) : file_name(path), .base = base};
    if (!f.path) return VIRGA_NO_MEMORY;
    if (!problem && !address) source_identify(f.path, &f.stamp);
    if (problem) failure_set(&f.failure, VIRGA_NOT_FOUND, "%s", problem);
    int status = files->count >= FILES_MAX || listed(files, &f) ? VIRGA_AGAIN : add_listed(files, &f);
    if (status) free(f.path);
    return status == VIRGA_AGAIN ? VIRGA_OK : status;
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

// What others write before they rename it.
bool catalog_passes_over(const char *name) {
    static const char *const endings[] = {".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", "~"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);
        if (length > end && strcasecmp(name + length - end, endings[i]) == 0) return true;
    }
    return *name == '.';
}

// What was known is not peeped into again.
static bool is_readable(const struct scanned_files *files, const char *path, const struct stat *info) {
    const struct scanned_file *known = files->before ? find_path(files->before, path) : NULL;
    return (known && known->stamp.inode == info->st_ino && known->stamp.size == (uint64_t)info->st_size) || looks_readable(path);
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
    if (files->options->visit) files->options->visit(files->options->context, path);
    if (source_is_store(path)) return add_file(files, path, base, NULL);
    int status = VIRGA_OK, count = folder_enter(&here, path, above) ? scandir(path, &entries, NULL, alphasort) : 0;
    if (count < 0) snprintf(reason, sizeof reason, "the folder cannot be read: %s", strerror(errno));
    for (int n = 0; n < count; n++) {
        char *inside = NULL;
        struct stat info;
        if (!status && !catalog_passes_over(entries[n]->d_name)) {
            if (asprintf(&inside, "%s/%s", path, entries[n]->d_name) < 0) inside = NULL, status = VIRGA_NO_MEMORY;
            else if (stat(inside, &info) == 0) {
                if (S_ISDIR(info.st_mode)) status = add_folder(files, inside, base, &here);
                else if (S_ISREG(info.st_mode) && is_readable(files, inside, &info)) status = add_file(files, inside, base, NULL);
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
    const struct scanned_files *before;  // or NULL
    const struct catalog_options *options;
    atomic_size_t next;
    pthread_mutex_t lock;  // one call of progress at a time
    size_t done, total;    // lock
};

static bool is_due(const struct scanned_file *f) { return !f->file && !f->left_out && !f->failure.status; }

// What was opened of an address counts on while it is known by the same.
static bool is_unchanged(const struct source *source, const struct scanned_file *before) {
    return before && before->file && source_identity_equal(source_identity(source), source_identity(before->file->source));
}

static void open_one(struct opening *opening, struct scanned_file *f) {
    const struct scanned_files *before = opening->before;
    struct source *source = NULL;
    if (source_open(opening->pool, f->path, &source, &f->failure)) return;
    const struct scanned_file *known = before ? find_path(before, f->path) : NULL;
    if (is_unchanged(source, known)) f->file = cf_file_ref(known->file);
    else if (cf_file_new(source, &f->file, &f->failure)) f->file = NULL;
    source_unref(source);
}

static void tell_progress(struct opening *opening) {
    if (!opening->options->progress) return;
    pthread_mutex_lock(&opening->lock);
    opening->options->progress(opening->options->context, ++opening->done, opening->total);
    pthread_mutex_unlock(&opening->lock);
}

static void *opener(void *argument) {
    struct opening *opening = argument;
    for (size_t n; (n = atomic_fetch_add(&opening->next, 1)) < opening->files->count;) {
        if (!is_due(&opening->files->files[n])) continue;
        open_one(opening, &opening->files->files[n]);
        tell_progress(opening);
    }
    return NULL;
}

// Trying again may show something else though the file is the same.
static bool is_passing(int status) {
    return status == VIRGA_NO_MEMORY || status == VIRGA_TIMED_OUT || status == VIRGA_CANCELLED || status == VIRGA_IO || status == VIRGA_GONE || status == VIRGA_CHANGED;
}

// Takes over what is known of files that have not changed.
static void take_known(struct scanned_files *files, const struct scanned_files *before, const struct catalog_options *options) {
    for (size_t n = 0; n < files->count; n++) {
        struct scanned_file *f = &files->files[n];
        if (f->failure.status) continue;
        const struct scanned_file *known = before ? find_path(before, f->path) : NULL;
        if (known && (known->left_out || (f->stamp.inode ? !source_identity_equal(&known->stamp, &f->stamp) : options->relist))) known = NULL;
        f->left_out = !known && options->is_whole && f->stamp.inode && !options->is_whole(options->context, f->path, &f->stamp);
        if (!known) continue;
        if (known->file) f->file = cf_file_ref(known->file);
        else if (!is_passing(known->failure.status)) f->failure = known->failure;
    }
}

static void open_all(struct source_pool *pool, struct scanned_files *files, const struct scanned_files *before, const struct catalog_options *options) {
    struct opening opening = {.pool = pool, .files = files, .before = before, .options = options, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[OPENERS_MAX];
    size_t wanted = (size_t)source_pool_readers(pool), started = 0;
    atomic_init(&opening.next, 0);
    for (size_t n = 0; n < files->count; n++) opening.total += is_due(&files->files[n]);
    files->opened = opening.total;
    if (wanted > OPENERS_MAX) wanted = OPENERS_MAX;
    while (started + 1 < wanted && started + 1 < opening.total && thread_start(&threads[started], opener, &opening) == 0) started++;
    opener(&opening);
    for (size_t n = 0; n < started; n++) pthread_join(threads[n], NULL);
}

int catalog_scan(struct source_pool *pool, const char *const *paths, size_t path_count, const struct catalog_options *options,
                 const struct scanned_files *before, struct scanned_files *files, struct failure *failure) {
    *files = (struct scanned_files){.options = options, .before = before};
    int status = VIRGA_OK;
    for (size_t n = 0; !status && n < path_count; n++) {
        bool again = false;
        for (size_t m = 0; m < n && !again; m++) again = strcmp(paths[m], paths[n]) == 0;
        if (again) continue;
        const char *base = keep_base(files, paths[n]);
        status = base ? add_path(files, paths[n], base) : VIRGA_NO_MEMORY;
    }
    if (status) {
        scanned_files_destroy(files);
        return failure_set(failure, status, "out of memory");
    }
    take_known(files, before, options);
    open_all(pool, files, before, options);
    files->before = NULL;
    files->options = NULL;
    return VIRGA_OK;
}

void scanned_files_destroy(struct scanned_files *files) {
    for (size_t n = 0; n < files->count; n++) {
        free(files->files[n].path);
        cf_file_free(files->files[n].file);
    }
    for (size_t n = 0; n < files->base_count; n++) free(files->bases[n]);
    position_index_destroy(&files->by_place);
    position_index_destroy(&files->by_path);
    free(files->bases);
    free(files->files);
    *files = (struct scanned_files){0};
}
