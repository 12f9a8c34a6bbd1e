// SPDX-License-Identifier: Apache-2.0
#include "server/export_frames.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"

enum { BLOCK = 128 * 1024 };

void export_folder(const char *state_dir, const char *name, char out[EXPORT_PATH]) {
    snprintf(out, EXPORT_PATH, "%.4200s/exports%s%.64s", state_dir, *name ? "/" : "", name);
}

int export_folder_make(const char *folder, struct failure *failure) {
    if (!mkdir(folder, 0700) || errno == EEXIST) return VIRGA_OK;
    return failure_set(failure, VIRGA_IO, "cannot make the folder %.300s: %s", folder, strerror(errno));
}

bool export_folder_busy(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool busy = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (fd >= 0) close(fd);
    return busy;
}

// The folder's entries for which `keep` is false are removed; folders among them only where they are empty.
static void remove_entries(const char *folder, bool (*keep)(const void *user, const char *name), const void *user) {
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || (keep && keep(user, entry->d_name))) continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) && errno == EISDIR) unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    if (dir) closedir(dir);
}

void export_folder_remove(const char *folder) {
    remove_entries(folder, NULL, NULL);
    if (rmdir(folder) && errno != ENOENT) log_warning("export", "cannot remove %s: %s", folder, strerror(errno));
}

static bool is_frame(const void *user, const char *name) {
    uint32_t number;
    return export_frame_number(user, name, &number);
}

void export_folder_tidy(const char *folder, const struct export_job *job) { remove_entries(folder, is_frame, job); }

static void frame_path(const char *folder, const struct export_job *job, uint32_t number, char out[EXPORT_PATH + 40]) {
    char name[32];
    export_frame_name(job, number, name, sizeof name);
    snprintf(out, EXPORT_PATH + 40, "%s/%s", folder, name);
}

int export_frame_read(const char *folder, const struct export_job *job, uint32_t number, struct export_frame *frame, struct failure *failure) {
    char path[EXPORT_PATH + 40];
    frame_path(folder, job, number, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) return failure_set(failure, VIRGA_NOT_FOUND, "frame %u is not there", number);
    unsigned char *block = fd < 0 ? NULL : malloc(BLOCK);
    ssize_t n = -1;
    *frame = (struct export_frame){.number = number};
    while (block && ((n = read(fd, block, BLOCK)) > 0 || (n < 0 && errno == EINTR))) {
        if (n < 0) continue;
        frame->crc = (uint32_t)crc32(frame->crc, block, (unsigned)n);
        frame->size += (uint64_t)n;
    }
    int reason = errno;
    free(block);
    if (fd >= 0) close(fd);
    return n == 0 ? VIRGA_OK : failure_set(failure, VIRGA_IO, "cannot read frame %u: %s", number, strerror(reason));
}

// Rows whose file is not as it was go, here and in the database.
static int drop_lost(struct export_store *store, const char *folder, struct export_job *job, struct export_frame *rows, size_t *count,
                     struct failure *failure) {
    char path[EXPORT_PATH + 40];
    struct stat is;
    size_t all = *count;
    int status = VIRGA_OK;
    *count = 0;
    job->done = 0;
    job->bytes = 0;
    for (size_t i = 0; i < all && !status; i++) {
        frame_path(folder, job, rows[i].number, path);
        if (!lstat(path, &is) && S_ISREG(is.st_mode) && (uint64_t)is.st_size == rows[i].size) {
            job->done++;
            job->bytes += rows[i].size;
            rows[(*count)++] = rows[i];
        } else {
            status = export_store_drop_frame(store, job->sequence, rows[i].number, failure);
        }
    }
    return status;
}

static bool has_row(const struct export_frame *rows, size_t count, uint32_t number) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].number == number) return true;
        if (rows[middle].number < number) low = middle + 1;
        else high = middle;
    }
    return false;
}

// Frames that were written and not told of get their rows.
static int add_untold(struct export_store *store, const char *folder, struct export_job *job, const struct export_frame *rows, size_t count,
                      struct failure *failure) {
    DIR *dir = opendir(folder);
    int status = VIRGA_OK;
    uint32_t number;
    struct export_frame frame;
    bool fresh = false;
    for (const struct dirent *entry; dir && !status && (entry = readdir(dir));) {
        if (!export_frame_number(job, entry->d_name, &number) || has_row(rows, count, number)) continue;
        status = export_frame_read(folder, job, number, &frame, failure);
        if (!status) status = export_store_put_frame(store, job->sequence, &frame, &fresh, failure);
        if (!status && fresh) {
            job->done++;
            job->bytes += frame.size;
        }
    }
    if (dir) closedir(dir);
    return status;
}

int export_frames_reconcile(struct export_store *store, const char *folder, struct export_job *job, struct failure *failure) {
    struct export_frame *rows = NULL;
    size_t count = 0;
    int status = export_store_frames(store, job->sequence, &rows, &count, failure);
    if (!status) status = drop_lost(store, folder, job, rows, &count, failure);
    if (!status) status = add_untold(store, folder, job, rows, count, failure);
    free(rows);
    return status;
}

struct kept {
    const struct export_job *jobs;
    size_t count;
};

static bool is_job(const void *user, const char *name) {
    const struct kept *kept = user;
    for (size_t i = 0; i < kept->count; i++)
        if (!strcmp(kept->jobs[i].id, name)) return true;
    return false;
}

void export_folders_sweep(const char *state_dir, const struct export_job *jobs, size_t count) {
    const struct kept kept = {.jobs = jobs, .count = count};
    char all[EXPORT_PATH], one[EXPORT_PATH];
    export_folder(state_dir, "", all);
    DIR *dir = opendir(all);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || strlen(entry->d_name) > 64 || is_job(&kept, entry->d_name)) continue;
        export_folder(state_dir, entry->d_name, one);
        export_folder_remove(one);
    }
    if (dir) closedir(dir);
}
