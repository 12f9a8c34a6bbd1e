// SPDX-License-Identifier: Apache-2.0
#include "source/source_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/source_index.h"
#include "source/source_library.h"
#include "source/source_proxy.h"

// Of one request. ecCodes reads some hundred definitions of a kind of message it meets for the first time; a store has a file a
// chunk. A child that is told of the limit may ask a little more before its library gives up.
enum { LIBRARY_MOST = 20000, INSIDE_MOST = 50000, NETWORK_MOST = 1000, INDEX_MOST = 16, GRACE = 1000 };

static uint32_t most_asked(enum source_space space) {
    static const uint32_t most[SOURCE_SPACES] = {
        [SOURCE_LIBRARY] = LIBRARY_MOST, [SOURCE_INSIDE] = INSIDE_MOST, [SOURCE_NETWORK] = NETWORK_MOST, [SOURCE_INDEX] = INDEX_MOST};
    return most[space];
}

// Never out of the folder: not by "..", an absolute link, or the links of /proc, which have no place in the path's own folder.
static int open_beneath(int folder, const char *path, int flags) {
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd;
    do fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return (int)fd;
}

static bool may_be_lent(int fd, bool folders) {
    struct stat s;
    return !fstat(fd, &s) && (S_ISREG(s.st_mode) || (folders && S_ISDIR(s.st_mode)));
}

// What the path names is looked at before it is opened, since opening a device may set it going, and again once it is open.
static int open_granted(int folder, const char *path, bool folders, int *fd) {
    int look = open_beneath(folder, *path ? path : ".", O_PATH);
    if (look < 0) return errno == EACCES || errno == EMFILE || errno == ENFILE || errno == ENOSYS ? VIRGA_IO : VIRGA_NOT_FOUND;
    bool allowed = may_be_lent(look, folders);
    close(look);
    if (!allowed) return VIRGA_NOT_FOUND;
    *fd = open_beneath(folder, *path ? path : ".", O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) return errno == ENOENT ? VIRGA_NOT_FOUND : VIRGA_IO;
    if (may_be_lent(*fd, folders)) return VIRGA_OK;
    close(*fd);
    *fd = -1;
    return VIRGA_NOT_FOUND;
}

static int open_below(const char *root, size_t length, const char *rest, bool folders, int *fd) {
    char name[PATH_MAX];
    if (length >= sizeof name) return VIRGA_NOT_FOUND;
    memcpy(name, root, length);
    name[length] = '\0';
    int folder = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return VIRGA_NOT_FOUND;
    int status = open_granted(folder, rest, folders, fd);
    close(folder);
    return status;
}

static int open_library(const char *path, int *fd) {
    const char *root;
    size_t length;
    const char *rest = source_library_below(source_library_roots(), path, &root, &length);
    return rest ? open_below(root, length, rest, false, fd) : VIRGA_NOT_FOUND;
}

// The folder too: the library that checks certificates lists it, and gives up where it cannot.
static int open_certificate(const char *path, int *fd) {
    const char *folder = source_library_certificates(), *root;
    size_t length;
    const char *rest = strcmp(path, folder) ? source_library_below(folder, path, &root, &length) : "";
    return rest ? open_below(folder, strlen(folder), rest, true, fd) : VIRGA_NOT_FOUND;
}

// Whether this request has such a space at all.
static bool has_space(const struct source_broker *broker, const struct source_want *want) {
    switch (want->space) {
    case SOURCE_LIBRARY: return true;
    case SOURCE_INSIDE: return broker->folder >= 0;
    case SOURCE_NETWORK: return broker->proxy != NULL;
    case SOURCE_INDEX: return broker->identity && !*want->path;
    default: return false;
    }
}

int source_broker_open(struct source_broker *broker, const struct source_want *want, int *fd) {
    *fd = -1;
    if (!has_space(broker, want)) return VIRGA_INVALID;
    uint32_t asked = ++broker->asked[want->space], most = most_asked(want->space);
    if (asked > most) return asked > most + GRACE ? VIRGA_INVALID : VIRGA_TOO_LARGE;
    if (want->space == SOURCE_INDEX) return source_index_open(broker->index_folder, broker->identity, fd);
    if (want->space == SOURCE_NETWORK) return source_proxy_connect(broker->proxy, broker->request, fd);
    if (want->space == SOURCE_INSIDE) return open_granted(broker->folder, want->path, true, fd);
    int status = open_library(want->path, fd);
    return status == VIRGA_NOT_FOUND && broker->proxy ? open_certificate(want->path, fd) : status;
}
