// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int folder_make(const char *path, mode_t mode) {
    char part[4400];
    struct stat is;
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) return ENAMETOOLONG;
    for (char *slash = part + 1; *part && (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        if (mkdir(part, mode) && errno != EEXIST) break;  // the last mkdir says why
    }
    if (!mkdir(path, mode)) return 0;
    if (errno != EEXIST) return errno;
    if (stat(path, &is)) return errno;
    return S_ISDIR(is.st_mode) ? 0 : ENOTDIR;
}
