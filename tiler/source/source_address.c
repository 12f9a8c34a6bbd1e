// SPDX-License-Identifier: Apache-2.0
#include "source/source_address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "source/source_url.h"

static const struct address_kind {
    const char *name;
    bool paths;  // what follows may be a file's path
} kinds[] = {{"zarr", true}, {"xarray", true}, {"grib", true}, {"iris", true}, {"kerchunk", true}, {"published", false}, {"notebook", false}};

// The kind that an address begins with, or NULL.
static const struct address_kind *kind_of(const char *path) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].name);
        if (!strncmp(path, kinds[i].name, length) && path[length] == ':' && path[length + 1]) return &kinds[i];
    }
    return NULL;
}

bool source_address_has_kind(const char *path) { return kind_of(path) != NULL; }
bool source_address_like(const char *path) { return kind_of(path) || source_url_like(path); }

bool source_address_has_scheme(const char *path, const char *const *schemes, size_t count) {
    size_t length = source_url_like(path) ? strcspn(path, ":") : 0;
    for (size_t i = 0; i < count && length; i++)
        if (strlen(schemes[i]) == length && !strncasecmp(path, schemes[i], length)) return true;
    return false;
}

static char *add_folder(const char *kind, const char *folder, const char *place) {
    char *result = NULL;
    while (!strncmp(place, "./", 2)) place += 2;
    return asprintf(&result, "%s:%s/%s", kind, folder, place) < 0 ? NULL : result;
}

char *source_address_absolute(const char *path) {
    const struct address_kind *kind = kind_of(path);
    const char *place = kind ? path + strlen(kind->name) + 1 : path;
    if (!kind || !kind->paths || *place == '/' || source_url_like(place)) return strdup(path);
    char *folder = getcwd(NULL, 0);
    char *result = folder ? add_folder(kind->name, folder, place) : NULL;
    free(folder);
    return result;
}

// Where the place begins: behind the kind, and behind the scheme's slashes.
static size_t place_of(const char *path) {
    const struct address_kind *kind = kind_of(path);
    size_t at = kind ? strlen(kind->name) + 1 : 0;
    return source_url_like(path + at) ? at + strcspn(path + at, ":") + 3 : at;
}

char *source_address_base(const char *path) {
    size_t begin = place_of(path), whole = begin + strcspn(path + begin, "?*[{"), kept = whole;
    while (kept > begin && path[kept - 1] != '/') kept--;
    return strndup(path, kept > begin ? kept - 1 : whole);
}

size_t source_address_length(const char *list) {
    if (!source_address_like(list)) return 0;
    size_t at = place_of(list);
    if (at >= 3 && !strncmp(list + at - 3, "://", 3)) at += strcspn(list + at, "/");
    return at + strcspn(list + at, ":");
}
