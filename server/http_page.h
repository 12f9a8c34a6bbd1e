// SPDX-License-Identifier: Apache-2.0
// The page's files, in memory, found by their exact path in a table: nothing else on the disk can be reached. Loaded once;
// service thread afterwards.
#ifndef VIRGA_SERVER_HTTP_PAGE_H
#define VIRGA_SERVER_HTTP_PAGE_H

#include <stddef.h>

#include "base/shared_bytes.h"
#include "base/status.h"

struct page_file {
    char *path;             // relative to the base path, "assets/presets.json"
    const char *type;       // MIME
    struct shared_bytes *plain, *gzip;  // gzip: made when first wanted; NULL where it does not pay
    char etag[24];          // with quotes
    int compressed;         // gzip was tried
};

struct page_files;

// Everything below web_root but hidden files, tests and what the page cannot use; `assets` and the view document's schema
// beside it as "assets/…" and "api/view-schema". An absent folder gives an empty table; fails only for want of memory.
int page_files_load(const char *web_root, struct page_files **files, struct failure *failure);
void page_files_free(struct page_files *files);
// NULL when there is none. "" and "…/" are the folder's index.html, "wall" is wall.html.
struct page_file *page_files_find(struct page_files *files, const char *path);
size_t page_files_count(const struct page_files *files);
// The body compressed, or NULL where that does not pay. Borrowed.
struct shared_bytes *page_file_gzip(struct page_file *file);

#endif
