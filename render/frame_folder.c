// SPDX-License-Identifier: Apache-2.0
#include "render/frame_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/write_all.h"
#include "render/frame_record.h"

static const char record_end[] = ".virga-export", part_end[] = ".virga-part";
enum { RANDOM_DIGITS = 8, PART_TEXT = FRAME_NAME_TEXT + 32, OTHER_FRAMES_MAX = 100000 };

struct frame_folder {
    struct frame_pattern pattern;
    int fd;
    size_t frames;
    atomic_size_t count;
    atomic_bool *has;   // [frames]
    char record_name[PART_TEXT];
    char obstacle[FRAME_NAME_TEXT];  // a frame's name that something else than a file has; "" for none
    bool only_links;                 // … which is a symbolic link, as are all others
};

// Of the write under way, for frame_folder_drop_temporary: the name is complete while fd is not -1.
static atomic_int part_fd = -1;
static char part_name[PART_TEXT];

static int io_failure(struct failure *failure, const struct frame_folder *f, const char *what, const char *name, int reason) {
    const char *hint = reason == ENOSPC || reason == EDQUOT ? "; what is finished stays: make room and run the same again" : "";
    return failure_set(failure, VIRGA_IO, "cannot %s %.200s%s%s: %s%s", what, f->pattern.folder, *name ? "/" : "", name,
                       reason == EFBIG ? "it is larger than this process may write (ulimit -f)" : strerror(reason), hint);
}

static int fill_part(int dir, const uint8_t *bytes, size_t size) {
    int fd = openat(dir, part_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    int reason = write_all(fd, bytes, size);
    if (!reason && fsync(fd)) reason = errno;
    if (close(fd) && !reason) reason = errno;
    return reason;
}

// A name that no other process guesses or uses, in this folder.
static void name_part(const char *name) {
    unsigned dice = 0;
    if (getrandom(&dice, sizeof dice, 0) != sizeof dice) dice = (unsigned)getpid();
    snprintf(part_name, sizeof part_name, ".%s.%0*x%s", name, RANDOM_DIGITS, dice, part_end);
}

// Puts bytes under a name in the folder, at once. 0 or errno.
static int put(const struct frame_folder *f, const char *name, const uint8_t *bytes, size_t size) {
    name_part(name);
    atomic_store(&part_fd, f->fd);
    int reason = fill_part(f->fd, bytes, size);
    if (!reason && renameat(f->fd, part_name, f->fd, name)) reason = errno;
    if (reason && reason != EEXIST) unlinkat(f->fd, part_name, 0);
    atomic_store(&part_fd, -1);
    if (!reason && fsync(f->fd) && errno != EINVAL && errno != ENOTSUP) reason = errno;  // some file systems cannot sync folders
    return reason;
}

void frame_folder_drop_temporary(void) {
    int dir = atomic_load(&part_fd);
    if (dir >= 0) unlinkat(dir, part_name, 0);
}

int frame_folder_write(struct frame_folder *f, size_t index, const uint8_t *bytes, size_t size, struct failure *failure) {
    char name[FRAME_NAME_TEXT];
    frame_pattern_name(&f->pattern, index, name);
    int reason = put(f, name, bytes, size);
    if (reason) return io_failure(failure, f, "write", name, reason);
    if (!atomic_exchange(&f->has[index], true)) f->count++;
    return VIRGA_OK;
}

// What a killed run of this pattern left: ".NAME.XXXXXXXX.virga-part", NAME being a frame's or the record's.
static bool is_left_over(const struct frame_folder *f, const char *name) {
    size_t length = strlen(name), end = sizeof part_end - 1 + RANDOM_DIGITS + 1, index;
    char inner[PART_TEXT];
    if (name[0] != '.' || length <= end + 1 || length >= sizeof inner) return false;
    if (strcmp(name + length - (sizeof part_end - 1), part_end)) return false;
    if (name[length - end] != '.' || strspn(name + length - end + 1, "0123456789abcdef") != RANDOM_DIGITS) return false;
    snprintf(inner, sizeof inner, "%.*s", (int)(length - end - 1), name + 1);
    return !strcmp(inner, f->record_name) || frame_pattern_index(&f->pattern, inner, (size_t)-1 / 100, &index);
}

static void meet(struct frame_folder *f, const char *name) {
    size_t index;
    struct stat is;
    if (is_left_over(f, name)) unlinkat(f->fd, name, 0);
    if (!frame_pattern_index(&f->pattern, name, (size_t)-1 / 100, &index)) return;
    if (index >= f->frames || fstatat(f->fd, name, &is, AT_SYMLINK_NOFOLLOW)) return;
    if (!S_ISREG(is.st_mode)) {
        f->only_links = S_ISLNK(is.st_mode) && (f->only_links || !*f->obstacle);
        snprintf(f->obstacle, sizeof f->obstacle, "%s", name);
        return;
    }
    f->has[index] = true;
    f->count++;
}

static int look(struct frame_folder *f, struct failure *failure) {
    int copy = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        int reason = errno;
        if (copy >= 0) close(copy);
        return io_failure(failure, f, "read the folder", "", reason);
    }
    for (const struct dirent *entry; (entry = readdir(dir));) meet(f, entry->d_name);
    closedir(dir);
    return VIRGA_OK;
}

// The record that is there, or NULL; the caller frees it. One that is no file, or too long, is none.
static char *read_record(int dir, const char *name) {
    struct stat is;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char *text = NULL;
    if (fd < 0) return NULL;
    if (!fstat(fd, &is) && S_ISREG(is.st_mode) && is.st_size <= FRAME_RECORD_MAX) text = calloc(1, (size_t)is.st_size + 1);
    for (size_t n = 0; text && n < (size_t)is.st_size;) {
        ssize_t got = read(fd, text + n, (size_t)is.st_size - n);
        if (got <= 0) break;
        n += (size_t)got;
    }
    close(fd);
    return text;
}

// Removes another export: its record first, so that its frames are never taken for whole and ours.
static int clear(struct frame_folder *f, const char *old, struct failure *failure) {
    size_t frames = old ? frame_record_frames(old, OTHER_FRAMES_MAX) : 0;
    if (unlinkat(f->fd, f->record_name, 0) && errno != ENOENT) return io_failure(failure, f, "remove", f->record_name, errno);
    fsync(f->fd);
    for (size_t i = 0; i < frames || i < f->frames; i++) {
        char name[FRAME_NAME_TEXT];
        frame_pattern_name(&f->pattern, i, name);
        if (unlinkat(f->fd, name, 0) && errno != ENOENT) return io_failure(failure, f, "remove", name, errno);
        if (i < f->frames) f->has[i] = false;
    }
    f->count = 0;
    return VIRGA_OK;
}

static int refuse(const struct frame_folder *f, const char *old, const char *record, struct failure *failure) {
    char words[FRAME_RECORD_WORDS], name[FRAME_NAME_TEXT];
    size_t i = 0;
    while (i + 1 < f->frames && !f->has[i]) i++;
    frame_pattern_name(&f->pattern, i, name);
    if (!old)
        return failure_set(failure, VIRGA_IO, "%.200s/%.200s is there already and of no export; name other files, or replace it with --overwrite",
                           f->pattern.folder, name);
    frame_record_difference(old, record, words);
    return failure_set(failure, VIRGA_IO, "%.200s%s%.200s holds another export, which %s; name other files, or replace it with --overwrite",
                       f->pattern.folder, f->pattern.numbered ? "" : "/", f->pattern.numbered ? "" : name, words);
}

static int settle(struct frame_folder *f, const struct frame_folder_options *options, struct failure *failure) {
    char *old = read_record(f->fd, f->record_name);
    int status = VIRGA_OK;
    bool same = old && !strcmp(old, options->record);
    // A device or pipe is never replaced by a picture, nor is a link where no export of ours was: /dev/null would be gone for all.
    if (*f->obstacle && !(same && f->only_links))
        status = failure_set(failure, VIRGA_IO, "%.200s/%.200s is there already and no plain file; name other files",
                             f->pattern.folder, f->obstacle);
    else if (!same && (old || f->count))
        status = options->overwrite ? clear(f, old, failure) : refuse(f, old, options->record, failure);
    free(old);
    if (same || status != VIRGA_OK) return status;
    int reason = put(f, f->record_name, (const uint8_t *)options->record, strlen(options->record));
    return reason ? io_failure(failure, f, "write", f->record_name, reason) : VIRGA_OK;
}

// This process alone, until it ends. File systems that know no locks are used without.
static int take(const struct frame_folder *f, struct failure *failure) {
    if (!flock(f->fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK) return VIRGA_OK;
    return failure_set(failure, VIRGA_IO, "another virga is writing into %.300s; wait for it, or name another folder", f->pattern.folder);
}

static int open_folder(struct frame_folder *f, struct failure *failure) {
    int reason = folder_make(f->pattern.folder, 0777);
    if (reason) return io_failure(failure, f, "make the folder", "", reason);
    f->fd = open(f->pattern.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->fd < 0) return io_failure(failure, f, "open the folder", "", errno);
    if (faccessat(f->fd, ".", W_OK | X_OK, AT_EACCESS)) return io_failure(failure, f, "write into", "", errno);
    return take(f, failure);
}

static void name_record(const struct frame_pattern *p, char name[PART_TEXT]) {
    char number[8] = "";
    if (p->numbered && p->digits) snprintf(number, sizeof number, "%%0%dd", p->digits % 10);
    else if (p->numbered) snprintf(number, sizeof number, "%%d");
    snprintf(name, PART_TEXT, ".%.100s%s%.100s%s", p->before, number, p->after, record_end);
}

char *frame_folder_record(const struct frame_pattern *pattern) {
    char name[PART_TEXT];
    int dir = open(pattern->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return NULL;
    name_record(pattern, name);
    char *text = read_record(dir, name);
    close(dir);
    return text;
}

int frame_folder_open(const struct frame_folder_options *options, struct frame_folder **folder, struct failure *failure) {
    struct frame_folder *f = calloc(1, sizeof *f);
    atomic_bool *has = calloc(options->frames, sizeof *has);
    *folder = NULL;
    if (!f || !has) {
        free(f);
        free(has);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    *f = (struct frame_folder){.pattern = *options->pattern, .fd = -1, .frames = options->frames, .has = has};
    name_record(&f->pattern, f->record_name);
    int status = open_folder(f, failure);
    if (status == VIRGA_OK) status = look(f, failure);
    if (status == VIRGA_OK) status = settle(f, options, failure);
    if (status == VIRGA_OK) *folder = f;
    else frame_folder_close(f);
    return status;
}

void frame_folder_close(struct frame_folder *f) {
    if (!f) return;
    if (f->fd >= 0) close(f->fd);
    free(f->has);
    free(f);
}

bool frame_folder_has(const struct frame_folder *f, size_t index) { return f->has[index]; }

size_t frame_folder_count(const struct frame_folder *f) { return f->count; }
