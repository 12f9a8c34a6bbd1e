// SPDX-License-Identifier: Apache-2.0
#include "server/pin_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/write_all.h"

static const char suffix[] = ".jpg";

static bool is_hex(const char *text, size_t digits) { return strspn(text, "0123456789abcdef") >= digits; }

bool pin_key_valid(const char *text) { return is_hex(text, PIN_KEY) && !text[PIN_KEY]; }

static void folder_of(const char *state_dir, char path[PIN_FILE_PATH]) { snprintf(path, PIN_FILE_PATH, "%.4200s/pins", state_dir); }

static void path_of(const char *state_dir, const char *id, const char *key, const char *end, char path[PIN_FILE_PATH]) {
    snprintf(path, PIN_FILE_PATH, "%.4200s/pins/%.*s-%.*s%s", state_dir, PIN_ID, id, PIN_KEY, key, end);
}

int pin_files_start(const char *state_dir, struct failure *failure) {
    char path[PIN_FILE_PATH];
    folder_of(state_dir, path);
    int reason = folder_make(path, 0700);
    return reason ? failure_set(failure, VIRGA_IO, "cannot make the folder %.300s: %s", path, strerror(reason)) : VIRGA_OK;
}

static bool parse(const char *name, struct pin_file *file) {
    enum { DASH = PIN_ID, KEY = PIN_ID + 1, END = PIN_ID + 1 + PIN_KEY };
    if (!is_hex(name, PIN_ID) || name[DASH] != '-' || !is_hex(name + KEY, PIN_KEY) || strcmp(name + END, suffix)) return false;
    snprintf(file->id, sizeof file->id, "%.*s", PIN_ID, name);
    snprintf(file->key, sizeof file->key, "%.*s", PIN_KEY, name + KEY);
    return true;
}

void pin_files_sweep(const char *state_dir, bool (*keep)(void *user, const struct pin_file *file), void *user) {
    char path[PIN_FILE_PATH];
    folder_of(state_dir, path);
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        struct pin_file file = {0};
        struct stat about;
        if (fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) || S_ISDIR(about.st_mode)) continue;
        file.written = (double)about.st_mtim.tv_sec + (double)about.st_mtim.tv_nsec / 1e9;
        if (!S_ISREG(about.st_mode) || !parse(entry->d_name, &file) || !keep(user, &file)) unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder) closedir(folder);
}

struct shared_bytes *pin_file_read(const char *state_dir, const char *id, const char *key) {
    char path[PIN_FILE_PATH];
    path_of(state_dir, id, key, suffix, path);
    struct shared_bytes *bytes = shared_bytes_of_file(path, PIN_PICTURE_MOST);
    // Half a file, after the power went: a JPEG ends with FF D9.
    const bool whole = bytes && bytes->size > 4 && bytes->data[0] == 0xFF && bytes->data[1] == 0xD8 && bytes->data[bytes->size - 1] == 0xD9;
    if (whole) return bytes;
    shared_bytes_unref(bytes);
    return NULL;
}

bool pin_file_write(const char *state_dir, const char *id, const char *key, const struct shared_bytes *bytes) {
    char path[PIN_FILE_PATH], part[PIN_FILE_PATH];
    path_of(state_dir, id, key, suffix, path);
    path_of(state_dir, id, key, ".part", part);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), reason = fd < 0 ? errno : write_all(fd, bytes->data, bytes->size);
    if (fd >= 0 && close(fd) && !reason) reason = errno;
    if (!reason && rename(part, path)) reason = errno;
    if (!reason) return true;
    if (fd >= 0) unlink(part);
    log_warning("pins", "cannot write %s: %s", path, strerror(reason));
    return false;
}

void pin_file_remove(const char *state_dir, const char *id, const char *key) {
    char path[PIN_FILE_PATH];
    path_of(state_dir, id, key, suffix, path);
    unlink(path);
}
