// SPDX-License-Identifier: Apache-2.0
#include "source/source_library.h"

#include <stdlib.h>
#include <string.h>

#ifndef VIRGA_ECCODES_DEFINITIONS
#define VIRGA_ECCODES_DEFINITIONS ""
#endif

const char *source_library_roots(void) {
    const char *given = getenv("ECCODES_DEFINITION_PATH");
    return given && *given ? given : VIRGA_ECCODES_DEFINITIONS;
}

const char *source_library_certificates(void) { return "/etc/ssl/certs"; }

const char *source_library_below(const char *roots, const char *path, const char **root, size_t *root_length) {
    for (const char *at = roots; *at;) {
        size_t whole = strcspn(at, ":"), length = whole;
        while (length && at[length - 1] == '/') length--;  // so "/" is no root: all would be below it
        if (length && *at == '/' && !strncmp(path, at, length) && path[length] == '/') {
            *root = at;
            *root_length = length;
            const char *rest = path + length;
            return rest + strspn(rest, "/");
        }
        at += whole;
        at += *at == ':';
    }
    return NULL;
}
