// SPDX-License-Identifier: Apache-2.0
#include "server/sequence_cluster.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "server/engine_setup.h"
#include "server/export_arguments.h"
#include "server/sequence_serve.h"
#include "source/source_address.h"

enum { LEAVE_MILLISECONDS = 15000, LINES_MAX = 100, MESSAGE_MAX = 400 };
static const uint64_t ITEM_MAX = (uint64_t)1 << 30;  // bytes of a file

// An item on its way in.
struct item {
    uint8_t head[SEQUENCE_ITEM_BYTES], *bytes;
    size_t got;  // of head and bytes
    uint32_t number, flags;
    uint64_t size;
};

struct draw {
    struct sequence_work *work;
    struct source_child child;
    struct source_child_lines lines;
    struct item item;
    bool done;
};

// --- What is asked.

static bool scheduler_only(const char *path) { return !strncmp(path, "published:", 10) || !strncmp(path, "notebook:", 9); }

int sequence_cluster_check(const struct config *config, struct failure *failure) {
    struct engine_launch *launch;
    for (size_t i = 0; i < config->path_count; i++)
        if (scheduler_only(config->paths[i]))
            return failure_set(failure, VIRGA_INVALID, "%s: workers that draw cannot open it; draw on this machine with --draw-here",
                               config->paths[i]);
    int status = engine_setup_launch(config, &launch, failure);
    if (status == VIRGA_OK) status = engine_launch_installed(launch, failure);
    engine_launch_free(launch);
    return status;
}

// As workers find it, whose working folder is another.
static json_t *absolute(const char *path) {
    char *text = NULL, *folder = NULL;
    if (source_address_like(path)) text = source_address_absolute(path);
    else if (*path == '/') text = strdup(path);
    else if ((folder = getcwd(NULL, 0)) && asprintf(&text, "%s/%s", folder, path) < 0) text = NULL;
    json_t *value = text ? json_string(text) : NULL;
    free(text);
    free(folder);
    return value;
}

static json_t *strings_of(const struct config *config) {
    json_t *list = json_array();
    for (size_t i = 0; i < config->path_count; i++)
        if (json_array_append_new(list, absolute(config->paths[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *arguments_of(const struct sequence_work *w) {
    struct export_arguments arguments;
    char served[160];
    if (export_arguments_for_worker(w->run->config, w->run->threads, &arguments)) return NULL;
    json_t *list = json_array();
    bool whole = true;
    for (size_t i = 0; i < arguments.count; i++) whole = !json_array_append_new(list, json_string(arguments.list[i])) && whole;
    snprintf(served, sizeof served, "--serve-frames=%.17g %s", w->now, w->resolved.dataset->runs[w->resolved.run].time.iso);
    whole = !json_array_append_new(list, json_string(served)) && whole;
    whole = !json_array_append_new(list, json_sprintf("--out=%%d.%s", image_suffix(w->run->format))) && whole;
    export_arguments_destroy(&arguments);
    if (whole) return list;
    json_decref(list);
    return NULL;
}

static json_t *missing_frames(const struct sequence_work *w) {
    json_t *list = json_array();
    for (size_t i = 0; i < frame_sequence_count(w->frames); i++)
        if (!frame_folder_has(w->folder, i) && json_array_append_new(list, json_integer((json_int_t)i))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

// On this machine workers run the very program that asks.
static json_t *program_of(const struct sequence_work *w) {
    char path[4096];
    ssize_t n = strncmp(w->run->config->engine, "local", 5) ? -1 : readlink("/proc/self/exe", path, sizeof path);
    if (w->run->worker_program) return json_string(w->run->worker_program);
    return n > 0 && (size_t)n < sizeof path ? json_stringn(path, (size_t)n) : json_null();
}

static char *job_text(const struct sequence_work *w, struct failure *failure) {
    char *record = NULL, *text = NULL;
    if (sequence_work_record(w, false, &record, failure)) return NULL;
    char *view = json_dumps(w->run->document->root, JSON_COMPACT);  // a text, so that its numbers are written as here
    json_t *job = json_pack("{s:o*, s:s, s:s*, s:o*, s:o*, s:o*}", "program", program_of(w), "record", record, "view", view, "arguments",
                            arguments_of(w), "paths", strings_of(w->run->config), "frames", missing_frames(w));
    free(view);
    if (job && json_object_size(job) == 6) text = json_dumps(job, JSON_COMPACT);
    if (!text) failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    json_decref(job);
    free(record);
    return text;
}

static int send_all(int socket, const void *bytes, size_t size, struct failure *failure) {
    for (const uint8_t *at = bytes, *end = at + size; at < end;) {
        ssize_t n = send(socket, at, (size_t)(end - at), MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) return failure_set(failure, VIRGA_GONE, "the engine ended before it was asked; run it again, with --log-level debug");
        if (n > 0) at += n;
    }
    return VIRGA_OK;
}

static int ask(struct draw *d, struct failure *failure) {
    uint8_t head[4];
    char *job = job_text(d->work, failure);
    if (!job) return failure ? failure->status : VIRGA_NO_MEMORY;
    size_t size = strlen(job);
    struct byte_writer w = {head, head + sizeof head, false};
    bytes_write_u32(&w, (uint32_t)size);
    int status = size > UINT32_MAX ? failure_set(failure, VIRGA_TOO_LARGE, "the view is too long") : send_all(d->child.socket, head, sizeof head, failure);
    if (status == VIRGA_OK) status = send_all(d->child.socket, job, size, failure);
    free(job);
    return status;
}

// --- What comes back. Workers are others' machines: nothing of it is believed unseen.

static bool is_picture(const struct sequence_work *w, const struct item *item) {
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'}, jpeg[] = {0xff, 0xd8, 0xff};
    const uint8_t *start = w->run->format == IMAGE_PNG ? png : jpeg;
    size_t size = w->run->format == IMAGE_PNG ? sizeof png : sizeof jpeg;
    return item->size > size && !memcmp(item->bytes, start, size);
}

static int take_frame(struct sequence_work *w, const struct item *item, struct failure *failure) {
    if (item->number >= frame_sequence_count(w->frames) || !is_picture(w, item))
        return failure_set(failure, VIRGA_INVALID, "a worker sent what is no picture of this sequence");
    if (frame_folder_has(w->folder, item->number)) return VIRGA_OK;  // done twice, as a worker was thought lost
    int status = frame_folder_write(w->folder, item->number, item->bytes, item->size, failure);
    w->run->degraded += status == VIRGA_OK && item->flags & SEQUENCE_ITEM_DEGRADED;
    return status == VIRGA_OK ? sequence_work_tell(w, item->number, item->size, failure) : status;
}

static int take_item(struct draw *d, struct failure *failure) {
    const struct item *item = &d->item;
    if (item->number == SEQUENCE_ITEM_DONE) return d->done = true, VIRGA_OK;
    if (item->number != SEQUENCE_ITEM_FAILURE) return take_frame(d->work, item, failure);
    size_t length = item->size < MESSAGE_MAX ? (size_t)item->size : MESSAGE_MAX;
    return failure_set(failure, VIRGA_IO, "%.*s", (int)length, (const char *)item->bytes);
}

static int take_head(struct item *item, struct failure *failure) {
    struct byte_reader r = {item->head, item->head + sizeof item->head, false};
    item->number = bytes_read_u32(&r);
    item->flags = bytes_read_u32(&r);
    item->size = bytes_read_u64(&r);
    if (item->size > ITEM_MAX) return failure_set(failure, VIRGA_TOO_LARGE, "a worker sent a frame of %llu bytes", (unsigned long long)item->size);
    item->bytes = malloc((size_t)item->size + 1);
    return item->bytes ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static void drop_item(struct item *item) {
    free(item->bytes);
    *item = (struct item){0};
}

// Reads once; VIRGA_AGAIN where nothing is there yet.
static int receive(struct draw *d, struct failure *failure) {
    struct item *item = &d->item;
    bool heading = item->got < sizeof item->head;
    uint8_t *to = heading ? item->head + item->got : item->bytes + (item->got - sizeof item->head);
    size_t room = heading ? sizeof item->head - item->got : (size_t)item->size + sizeof item->head - item->got;
    ssize_t n = recv(d->child.socket, to, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return VIRGA_AGAIN;
    if (n <= 0) return failure_set(failure, VIRGA_GONE, "the engine ended while frames were drawn; run the same again to go on");
    item->got += (size_t)n;
    int status = heading && item->got == sizeof item->head ? take_head(item, failure) : VIRGA_OK;
    if (status != VIRGA_OK || item->got < sizeof item->head || item->got < item->size + sizeof item->head) return status;
    item->bytes[item->size] = '\0';
    status = take_item(d, failure);
    drop_item(item);
    return status;
}

static void take_line(void *context, const char *line) {
    (void)context;
    if (!strncmp(line, "warning: ", 9)) log_warning("engine", "%s", line + 9);
    else if (!strncmp(line, "info: ", 6)) log_info("engine", "%s", line + 6);
    else log_debug("engine", "%s", line);
}

static int receive_all(struct draw *d, struct failure *failure) {
    int status = VIRGA_OK;
    struct pollfd fds[2] = {{.fd = d->child.socket, .events = POLLIN}, {.fd = d->child.log, .events = POLLIN}};
    while (!d->done && (status == VIRGA_OK || status == VIRGA_AGAIN)) {
        if (sequence_signal()) return VIRGA_CANCELLED;
        // Not for ever: a signal that came just before is seen at the next turn.
        if (poll(fds, 2, 500) < 0) continue;
        if (fds[1].revents && !source_child_read_lines(d->child.log, &d->lines)) fds[1].fd = -1;
        if (fds[0].revents) status = receive(d, failure);
    }
    return d->done ? VIRGA_OK : status;
}

// It ends its cluster, which takes a while, when the socket closes.
static void leave(struct draw *d) {
    shutdown(d->child.socket, SHUT_RDWR);
    if (!source_child_reap(&d->child, LEAVE_MILLISECONDS)) {
        source_child_kill(&d->child);
        source_child_reap(&d->child, LEAVE_MILLISECONDS);
    }
    source_child_read_lines(d->child.log, &d->lines);
    source_child_close(&d->child);
    drop_item(&d->item);
}

int sequence_cluster_draw(struct sequence_work *w, struct failure *failure) {
    struct draw d = {.work = w, .lines = {.most = LINES_MAX, .take = take_line}};
    struct engine_launch *launch;
    int status = engine_setup_launch(w->run->config, &launch, failure);
    if (status == VIRGA_OK) status = engine_launch_module(launch, "virga_engine.export", &d.child, failure);
    engine_launch_free(launch);
    if (status != VIRGA_OK) return status;
    status = ask(&d, failure);
    if (status == VIRGA_OK) status = receive_all(&d, failure);
    leave(&d);
    return status;
}
