// SPDX-License-Identifier: Apache-2.0
#include "server/watched_paths.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"
#include "source/source_address.h"

// Bytes before the slash that comes before the first wildcard.
static size_t plain_part(const char *path, bool is_glob) {
    size_t n = is_glob ? strcspn(path, "*?[{") : strlen(path);
    while (is_glob && n > 0 && path[n - 1] != '/') n--;
    while (n > 1 && path[n - 1] == '/') n--;
    return n;
}

static char *absolute_of(const char *given) {
    char *here = *given == '/' ? strdup("") : getcwd(NULL, 0), *absolute = NULL;
    if (here && asprintf(&absolute, "%s%s%s", here, *here ? "/" : "", given) < 0) absolute = NULL;
    free(here);
    for (size_t n = absolute ? strlen(absolute) : 0; n > 1 && absolute[n - 1] == '/'; n--) absolute[n - 1] = '\0';
    return absolute;
}

static int init_path(struct watched_path *path, const char *given) {
    struct stat info;
    path->address = source_address_like(given);
    path->given = strdup(given);
    path->absolute = absolute_of(given);
    if (!path->given || !path->absolute) return VIRGA_NO_MEMORY;
    for (size_t n = strlen(path->given); n > 1 && path->given[n - 1] == '/'; n--) path->given[n - 1] = '\0';
    path->glob = strpbrk(given, "*?[{") && stat(given, &info) != 0;
    path->given_plain = plain_part(path->given, path->glob);
    path->absolute_plain = plain_part(path->absolute, path->glob);
    return VIRGA_OK;
}

int watched_paths_init(struct watched_paths *paths, const char *const *given, size_t count) {
    *paths = (struct watched_paths){.paths = calloc(count + 1, sizeof *paths->paths)};
    int status = paths->paths ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (; !status && paths->count < count; paths->count++) status = init_path(&paths->paths[paths->count], given[paths->count]);
    if (status) watched_paths_destroy(paths);
    return status;
}

void watched_paths_destroy(struct watched_paths *paths) {
    for (size_t n = 0; n < paths->count; n++) {
        free(paths->paths[n].given);
        free(paths->paths[n].absolute);
    }
    free(paths->paths);
    *paths = (struct watched_paths){0};
}

bool watched_paths_any_address(const struct watched_paths *paths) {
    for (size_t n = 0; n < paths->count; n++)
        if (paths->paths[n].address) return true;
    return false;
}

typedef void (*folder_wanted)(void *context, const char *path, bool names);

// The folders above, down to the one that holds the path itself, where all that changes matters when it is a file.
static void add_above(const struct watched_path *path, folder_wanted folder, void *context) {
    char text[PATH_MAX];
    if (path->absolute_plain >= sizeof text) return;
    for (size_t n = 1; n <= path->absolute_plain; n++) {
        if (path->absolute[n] != '/' && n < path->absolute_plain) continue;
        if (n == path->absolute_plain && !path->glob) return;
        snprintf(text, sizeof text, "%.*s", (int)n, path->absolute);
        folder(context, text, !(path->glob && n == path->absolute_plain));
    }
}

static void add_parent(const struct watched_path *path, folder_wanted folder, void *context) {
    char text[PATH_MAX];
    const char *slash = strrchr(path->absolute, '/');
    struct stat info;
    if (path->glob || (size_t)(slash - path->absolute) >= sizeof text - 1 || (stat(path->absolute, &info) == 0 && S_ISDIR(info.st_mode))) return;
    snprintf(text, sizeof text, "%.*s", slash > path->absolute ? (int)(slash - path->absolute) : 1, path->absolute);
    folder(context, text, false);
}

// What the glob's parts match that stand before its last slash: new names may come in each of them.
static void add_matches(const struct watched_path *path, folder_wanted folder, void *context) {
    char part[PATH_MAX];
    int braces = 0;
    for (size_t n = path->absolute_plain + 1; path->glob && path->absolute[n] && n < sizeof part; n++) {
        braces += path->absolute[n] == '{' ? 1 : path->absolute[n] == '}' ? -1 : 0;
        if (path->absolute[n] != '/' || braces > 0) continue;
        glob_t found = {0};
        snprintf(part, sizeof part, "%.*s", (int)n, path->absolute);
        if (glob(part, GLOB_BRACE | GLOB_NOSORT, NULL, &found) == 0)
            for (size_t i = 0; i < found.gl_pathc; i++) folder(context, found.gl_pathv[i], false);
        globfree(&found);
    }
}

void watched_paths_above(const struct watched_paths *paths, folder_wanted folder, void *context) {
    for (size_t n = 0; n < paths->count; n++) {
        const struct watched_path *path = &paths->paths[n];
        if (path->address) continue;
        folder(context, "/", true);
        add_above(path, folder, context);
        add_parent(path, folder, context);
        add_matches(path, folder, context);
    }
}

// Whether one is the other, or lies in the folder that the other is.
static bool inside(const char *path, const char *folder, size_t length) {
    return !strncmp(path, folder, length) && (!path[length] || path[length] == '/' || (length && folder[length - 1] == '/'));
}

static bool matters(const struct watched_path *own, const char *path) {
    return inside(path, own->absolute, own->absolute_plain) || inside(path, own->given, own->given_plain) || inside(own->absolute, path, strlen(path)) ||
           (!own->given_plain && own->glob && *path != '/');
}

bool watched_paths_matter(const struct watched_paths *paths, const char *path) {
    for (size_t n = 0; n < paths->count; n++)
        if (!paths->paths[n].address && matters(&paths->paths[n], path)) return true;
    return false;
}
