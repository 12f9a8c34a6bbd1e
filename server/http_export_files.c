// SPDX-License-Identifier: Apache-2.0
#include "server/http_export_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/export_service.h"
#include "server/zip_layout.h"

// Frames and zips are files of one folder, of which a zip may have many: none stays open between two reads.
struct files_source {
    struct http_source source;  // first
    char folder[EXPORT_PATH];
    char name[40];              // of a frame's file
    struct zip_layout *zip;     // of a zip; NULL of a frame
    struct zip_piece piece;
};

// A new handle for each piece: a frame that was deleted meanwhile ends the answer.
static long read_file(const struct files_source *files, const char *name, uint64_t at, uint8_t *out, size_t room) {
    char path[EXPORT_PATH + ZIP_NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", files->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return VIRGA_GONE;
    ssize_t n;
    do n = pread(fd, out, room, (off_t)at);
    while (n < 0 && errno == EINTR);
    close(fd);
    return n > 0 ? (long)n : VIRGA_GONE;
}

static long read_frame(struct http_source *source, uint64_t at, uint8_t *out, size_t room) {
    const struct files_source *files = (const struct files_source *)source;
    return read_file(files, files->name, at, out, room);
}

// As many pieces as there is room for: frames may be small.
static long read_zip(struct http_source *source, uint64_t at, uint8_t *out, size_t room) {
    struct files_source *files = (struct files_source *)source;
    size_t have = 0;
    while (have < room && at + have < source->size) {
        struct zip_piece *piece = &files->piece;
        if (zip_layout_piece(files->zip, at + have, piece)) return VIRGA_INTERNAL;
        size_t part = piece->count < room - have ? (size_t)piece->count : room - have;
        if (piece->bytes) {
            memcpy(out + have, piece->bytes, part);
        } else {
            long n = read_file(files, zip_layout_name(files->zip, piece->entry), piece->from, out + have, part);
            if (n < 0) return have ? (long)have : n;
            part = (size_t)n;
        }
        have += part;
    }
    return (long)have;
}

static void free_source(struct http_source *source) {
    struct files_source *files = (struct files_source *)source;
    zip_layout_free(files->zip);
    free(files);
}

static struct files_source *new_source(const struct config *config, const char *id) {
    struct files_source *files = calloc(1, sizeof *files);
    if (!files) return NULL;
    files->source.read = read_frame;
    files->source.free = free_source;
    export_folder(config->state_dir, id, files->folder);
    return files;
}

// What the export service's thread looks up.

struct files_job {
    struct http_job job;  // first
    struct thread_command command;
    char id[EXPORT_ID + 1];
    bool whole;           // the zip, not a frame
    uint32_t number;
    struct files_source *files;  // found, until it is given to the answer
    struct export_job export;
};

// Files may have been taken away behind our back: better said than begun and cut off.
static bool is_there(const struct files_source *files, const struct export_frame *frame) {
    char path[EXPORT_PATH + sizeof files->name + 2];
    struct stat is;
    snprintf(path, sizeof path, "%s/%s", files->folder, files->name);
    return !lstat(path, &is) && S_ISREG(is.st_mode) && (uint64_t)is.st_size == frame->size;
}

static int look_up_frame(struct files_job *job, const struct export_frame *frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (frames[i].number == job->number) {
            export_frame_name(&job->export, job->number, job->files->name, sizeof job->files->name);
            if (!is_there(job->files, &frames[i])) return failure_set(&job->job.failure, VIRGA_NOT_FOUND, "the file of frame %u is gone", job->number);
            job->files->source.size = frames[i].size;
            snprintf(job->job.etag, sizeof job->job.etag, "\"%s-%u-%08x\"", job->export.id, job->number, frames[i].crc);
            return VIRGA_OK;
        }
    return failure_set(&job->job.failure, VIRGA_NOT_FOUND, "there is no frame %u (yet)", job->number);
}

static int look_up_zip(struct files_job *job, const struct export_frame *frames, size_t count) {
    char name[32];
    struct zip_layout *zip = job->files->zip = zip_layout_new();
    int status = zip ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        export_frame_name(&job->export, frames[i].number, name, sizeof name);
        status = zip_layout_add(zip, name, frames[i].size, frames[i].crc);
    }
    if (status) return failure_set(&job->job.failure, status, "the zip cannot be made: %s", status_name(status));
    job->files->source.size = zip_layout_size(zip);
    job->files->source.read = read_zip;
    snprintf(job->job.etag, sizeof job->job.etag, "\"%s-%zu-%016llx\"", job->export.id, count, (unsigned long long)zip_layout_hash(zip));
    return VIRGA_OK;
}

static void run(struct thread_command *command, void *service, bool cancelled) {
    struct files_job *job = lws_container_of(command, struct files_job, command);
    struct http_job *http = &job->job;
    struct export_frame *frames = NULL;
    size_t count = 0;
    http->status = cancelled ? VIRGA_CANCELLED : export_service_frames(service, job->id, &job->export, &frames, &count, &http->failure);
    if (!http->status) {
        job->files = new_source(&http->server->app->config, job->id);
        if (!job->files) http->status = failure_set(&http->failure, VIRGA_NO_MEMORY, "out of memory");
        else http->status = job->whole ? look_up_zip(job, frames, count) : look_up_frame(job, frames, count);
    }
    free(frames);
    http_job_post(http);
}

// "export-NAME.zip", of the characters of the name that every system takes.
static void write_disposition(const struct export_job *job, char *out, size_t room) {
    char name[EXPORT_NAME + 1];
    size_t at = 0;
    for (const char *c = job->name; *c && at < 60; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || strchr("-_+", *c);
        if (plain || (at && name[at - 1] != '-')) name[at++] = plain ? *c : '-';
    }
    name[at] = '\0';
    snprintf(out, room, "Content-Disposition: attachment; filename=\"virga-%s.zip\"\r\n", at ? name : job->id);
}

static void finish(struct http_job *http, struct peer *peer) {
    struct files_job *job = (struct files_job *)http;
    struct http_reply *reply = &peer->reply;
    if (http->status) {
        http_answer_failure(peer, http_status_of(http->status), http);
        return;
    }
    // The zip of a job that still runs is another in a moment.
    reply->cache = job->whole ? "no-cache" : "private, max-age=31536000, immutable";
    if (http_has_copy(peer, http->etag)) {
        http_answer(peer, 304, NULL, NULL);
        memcpy(reply->etag, http->etag, sizeof reply->etag);
        return;
    }
    struct http_source *source = &job->files->source;
    job->files = NULL;
    if (job->whole) write_disposition(&job->export, reply->more, sizeof reply->more);
    http_answer_source(peer, job->whole ? "application/zip" : job->export.jpeg ? "image/jpeg" : "image/png", http->etag, source);
}

static void destroy(struct http_job *http) {
    struct files_job *job = (struct files_job *)http;
    if (job->files) free_source(&job->files->source);
}

static int ask(const struct http_request *request, const char *id, bool whole, uint32_t number) {
    struct peer *peer = request->peer;
    struct files_job *job = (struct files_job *)http_job_new(peer, sizeof *job, NULL);
    if (!job) return http_answer_error(peer, 503, "out of memory");
    memcpy(job->id, id, sizeof job->id);
    job->whole = whole;
    job->number = number;
    job->command.run = run;
    job->job.finish = finish;
    job->job.destroy = destroy;
    return http_export_ask(&job->job, &job->command);
}

int http_export_zip(const struct http_request *request, const char *id) { return ask(request, id, true, 0); }

int http_export_frame(const struct http_request *request, const char *id, const char *number) {
    size_t length = strlen(number);
    bool plain = length && length <= 7 && strspn(number, "0123456789") == length && (length == 1 || *number != '0');
    return plain ? ask(request, id, false, (uint32_t)strtoul(number, NULL, 10)) : http_answer_nothing(request->peer);
}
