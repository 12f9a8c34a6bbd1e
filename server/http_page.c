// SPDX-License-Identifier: Apache-2.0
#include "server/http_page.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/gzip.h"

enum { MAX_FILE = 16 << 20, MAX_FILES = 20000, MAX_DEPTH = 12, WORTH = 400 };
static const size_t max_total = (size_t)256 << 20;

struct page_files {
    struct page_file *files;
    size_t count, room, bytes;
};

static const struct { const char *suffix, *type; bool text; } types[] = {
    {".html", "text/html; charset=utf-8", true},       {".js", "text/javascript; charset=utf-8", true},
    {".mjs", "text/javascript; charset=utf-8", true},  {".css", "text/css; charset=utf-8", true},
    {".json", "application/json", true},               {".glsl", "text/plain; charset=utf-8", true},
    {".svg", "image/svg+xml", true},                   {".webmanifest", "application/manifest+json", true},
    {".wasm", "application/wasm", true},               {".png", "image/png", false},
    {".jpg", "image/jpeg", false},                     {".webp", "image/webp", false},
    {".ico", "image/x-icon", false},                   {".woff2", "font/woff2", false},
    {".txt", "text/plain; charset=utf-8", true},       {".bin", "application/octet-stream", true},
};

static int type_of(const char *path) {
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t n = strlen(types[i].suffix);
        if (length > n && !strcmp(path + length - n, types[i].suffix)) return (int)i;
    }
    return -1;
}

static int add_file(struct page_files *files, const char *disk, const char *path, int type) {
    struct page_file *more = memory_one_more(files->files, files->count, &files->room, sizeof *more);
    if (!more) return VIRGA_NO_MEMORY;
    files->files = more;
    struct shared_bytes *bytes = shared_bytes_of_file(disk, MAX_FILE);
    if (!bytes || files->count >= MAX_FILES || files->bytes + bytes->size > max_total) {
        log_warning("page", "%s is left out: it cannot be read or is too large", disk);
        shared_bytes_unref(bytes);
        return VIRGA_OK;
    }
    struct page_file *file = &files->files[files->count];
    *file = (struct page_file){.path = strdup(path), .type = types[type].type, .plain = bytes};
    if (!file->path) {
        shared_bytes_unref(bytes);
        return VIRGA_NO_MEMORY;
    }
    file->compressed = !types[type].text || bytes->size < WORTH;
    snprintf(file->etag, sizeof file->etag, "\"%016llx\"", (unsigned long long)XXH3_64bits(bytes->data, bytes->size));
    files->bytes += bytes->size;
    files->count++;
    return VIRGA_OK;
}

static bool is_wanted(const char *name) {
    return name[0] != '.' && strcmp(name, "tests") && strcmp(name, "test") && strcmp(name, "package.json") &&
           strcmp(name, "package-lock.json");
}

static int load_folder(struct page_files *files, const char *disk, const char *path, int depth) {
    int status = VIRGA_OK;
    DIR *folder = opendir(disk);
    if (!folder) return VIRGA_OK;
    for (struct dirent *entry; !status && (entry = readdir(folder));) {
        char child[4096], name[4096];
        struct stat is;
        if (!is_wanted(entry->d_name)) continue;
        if (snprintf(child, sizeof child, "%s/%s", disk, entry->d_name) >= (int)sizeof child ||
            snprintf(name, sizeof name, "%s%s", path, entry->d_name) >= (int)sizeof name - 1 || stat(child, &is))
            continue;
        if (S_ISDIR(is.st_mode)) {
            strcat(name, "/");
            if (depth < MAX_DEPTH) status = load_folder(files, child, name, depth + 1);
        } else if (S_ISREG(is.st_mode) && type_of(name) >= 0) {
            status = add_file(files, child, name, type_of(name));
        }
    }
    closedir(folder);
    return status;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct page_file *)a)->path, ((const struct page_file *)b)->path);
}

int page_files_load(const char *web_root, struct page_files **files, struct failure *failure) {
    char path[4200];
    struct page_files *all = *files = calloc(1, sizeof *all);
    int status = all ? load_folder(all, web_root, "", 0) : VIRGA_NO_MEMORY;
    snprintf(path, sizeof path, "%s/../assets", web_root);
    if (!status) status = load_folder(all, path, "assets/", 0);
    snprintf(path, sizeof path, "%s/../render/view.schema.json", web_root);
    if (!status && !access(path, R_OK)) status = add_file(all, path, "api/view-schema", type_of("x.json"));
    if (status) {
        page_files_free(all);
        *files = NULL;
        return failure_set(failure, status, "cannot load the page's files from %s: %s", web_root, status_name(status));
    }
    if (all->count) qsort(all->files, all->count, sizeof *all->files, by_path);
    return VIRGA_OK;
}

void page_files_free(struct page_files *files) {
    for (size_t i = 0; files && i < files->count; i++) {
        free(files->files[i].path);
        shared_bytes_unref(files->files[i].plain);
        shared_bytes_unref(files->files[i].gzip);
    }
    if (files) free(files->files);
    free(files);
}

static struct page_file *find(struct page_files *files, const char *path) {
    struct page_file key = {.path = (char *)(uintptr_t)path};
    return files->count ? bsearch(&key, files->files, files->count, sizeof *files->files, by_path) : NULL;
}

struct page_file *page_files_find(struct page_files *files, const char *path) {
    char page[1024];
    size_t length = strlen(path);
    bool folder = !length || path[length - 1] == '/';
    struct page_file *file = folder ? NULL : find(files, path);
    if (file || snprintf(page, sizeof page, "%s%s", path, folder ? "index.html" : ".html") >= (int)sizeof page) return file;
    return find(files, page);
}

size_t page_files_count(const struct page_files *files) { return files->count; }

struct shared_bytes *page_file_gzip(struct page_file *file) {
    if (!file->compressed) {
        file->compressed = 1;
        file->gzip = gzip_bytes(file->plain->data, file->plain->size, 6);
        if (file->gzip && file->gzip->size + file->gzip->size / 16 >= file->plain->size) {
            shared_bytes_unref(file->gzip);
            file->gzip = NULL;
        }
    }
    return file->gzip;
}
