// SPDX-License-Identifier: Apache-2.0
// A folder of a test's own, below $TMPDIR or /tmp: made empty, and removed with all that is in it.
#ifndef VIRGA_TESTS_OWN_FOLDER_H
#define VIRGA_TESTS_OWN_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

// Its path into folder[size]. 0, or -1.
static inline int own_folder_make(char *folder, size_t size) {
    const char *base = getenv("TMPDIR");
    int length = snprintf(folder, size, "%s/virga-test-XXXXXX", base ? base : "/tmp");
    return length > 0 && (size_t)length < size && mkdtemp(folder) ? 0 : -1;
}

static inline int own_folder_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
    (void)info, (void)kind, (void)at;
    return remove(path);
}

// 0, or what remove() could not do.
static inline int own_folder_remove(const char *folder) { return nftw(folder, own_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS); }

#endif
