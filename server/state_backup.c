// SPDX-License-Identifier: Apache-2.0
#include "server/state_backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/state_database.h"

enum { BUSY_MS = 10000, ROOM = 4400, PIECE = 1 << 16 };

struct copying {
    struct state_backup *made;
    struct failure *failure;
};

static int failed(struct failure *failure, const char *what, const char *path) {
    return failure_set(failure, errno == ENOMEM ? VIRGA_NO_MEMORY : VIRGA_IO, "cannot %s %.300s: %s", what, path, strerror(errno));
}

// The database at one moment, whoever writes meanwhile; whichever version made it.
static int copy_database(const char *from, const char *to, struct copying *copying) {
    sqlite3 *handle = NULL;
    sqlite3_stmt *statement = NULL;
    struct stat is;
    int result = sqlite3_open_v2(from, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (!result) result = sqlite3_busy_timeout(handle, BUSY_MS);
    if (!result) result = sqlite3_prepare_v2(handle, "VACUUM INTO ?1", -1, &statement, NULL);
    if (!result) result = sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC);
    if (!result && sqlite3_step(statement) != SQLITE_DONE) result = sqlite3_errcode(handle);
    int status = result ? state_database_failed(handle, result, from, copying->failure) : VIRGA_OK;
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    copying->made->files++;
    if (!status && !stat(to, &is)) copying->made->bytes += (uint64_t)is.st_size;
    return status;
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) data += n, size -= (size_t)n;
    }
    return true;
}

static bool copy_bytes(int from, int to, uint64_t *bytes) {
    char piece[PIECE];
    for (;;) {
        ssize_t n = read(from, piece, sizeof piece);
        if (n == 0) return true;
        if (n < 0 && errno != EINTR) return false;
        if (n > 0 && !write_all(to, piece, (size_t)n)) return false;
        if (n > 0) *bytes += (uint64_t)n;
    }
}

// A file that went meanwhile is no failure: its rows follow what is there.
static int copy_file(const char *from, const char *to, struct copying *copying) {
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (in < 0) return errno == ENOENT || errno == ELOOP ? VIRGA_OK : failed(copying->failure, "read", from);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), status = VIRGA_OK;
    if (out < 0) status = failed(copying->failure, "make", to);
    else if (!copy_bytes(in, out, &copying->made->bytes)) status = failed(copying->failure, "copy", from);
    close(in);
    if (out >= 0 && close(out) && !status) status = failed(copying->failure, "write", to);
    if (!status) copying->made->files++;
    return status;
}

static bool is_kind(const char *path, mode_t kind) {
    struct stat is;
    return !lstat(path, &is) && (is.st_mode & S_IFMT) == kind;
}

// The database is copied in its own way; a lock is nobody's in a copy; what was damaged, or is being written, is not what was to be remembered.
static bool is_left_out(const char *name) { return !strncmp(name, "virga.", 6) || strstr(name, ".damaged-") || strstr(name, ".part"); }

// The regular files of a folder, and of the folders in it down to `depth`.
static int copy_folder(const char *from, const char *to, int depth, struct copying *copying) {
    char source[ROOM], target[ROOM];
    int status = VIRGA_OK;
    DIR *folder = opendir(from);
    if (!folder) return errno == ENOENT ? VIRGA_OK : failed(copying->failure, "read", from);
    if (mkdir(to, 0700) && errno != EEXIST) status = failed(copying->failure, "make", to);
    for (const struct dirent *entry; !status && (entry = readdir(folder));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_left_out(entry->d_name)) continue;
        if (snprintf(source, sizeof source, "%s/%s", from, entry->d_name) >= ROOM || snprintf(target, sizeof target, "%s/%s", to, entry->d_name) >= ROOM) continue;
        if (is_kind(source, S_IFREG)) status = copy_file(source, target, copying);
        else if (depth && is_kind(source, S_IFDIR)) status = copy_folder(source, target, depth - 1, copying);
    }
    closedir(folder);
    return status;
}

// What a copy that failed left.
static void remove_folder(const char *path, int depth) {
    char inner[ROOM];
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >= ROOM) continue;
        if (unlink(inner) && depth) remove_folder(inner, depth - 1);
    }
    if (folder) closedir(folder);
    rmdir(path);
}

static int make(const char *state_dir, const char *part, bool exports, struct copying *copying) {
    char from[ROOM], to[ROOM];
    snprintf(from, sizeof from, "%.4300s/virga.db", state_dir);
    snprintf(to, sizeof to, "%.4300s/virga.db", part);
    int status = copy_database(from, to, copying);  // first: files of what is made meanwhile have no rows, which is mended at a start, but no row lacks its file
    if (!status) status = copy_folder(state_dir, part, 0, copying);
    snprintf(from, sizeof from, "%.4300s/exports", state_dir);
    snprintf(to, sizeof to, "%.4300s/exports", part);
    if (!status && exports) status = copy_folder(from, to, 1, copying);
    int fd = status ? -1 : open(part, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (!status && (fd < 0 || syncfs(fd))) status = failed(copying->failure, "sync", part);
    if (fd >= 0) close(fd);
    return status;
}

int state_backup_make(const char *state_dir, const char *out, bool exports, struct state_backup *made, struct failure *failure) {
    char part[ROOM], database[ROOM];
    struct copying copying = {.made = made, .failure = failure};
    *made = (struct state_backup){0};
    snprintf(database, sizeof database, "%.4300s/virga.db", state_dir);
    if (access(database, R_OK)) return failure_set(failure, VIRGA_NOT_FOUND, "there is no state to copy in %.300s; name its folder with --state", state_dir);
    if (!access(out, F_OK)) return failure_set(failure, VIRGA_INVALID, "%.300s is there already; name a new folder", out);
    if (snprintf(part, sizeof part, "%s.part", out) >= 4300) return failure_set(failure, VIRGA_INVALID, "the folder's name is too long");
    if (mkdir(part, 0700)) return failed(failure, "make", part);
    int status = make(state_dir, part, exports, &copying);
    if (!status && rename(part, out)) status = failed(failure, "make", out);
    if (status) remove_folder(part, 2);
    return status;
}
