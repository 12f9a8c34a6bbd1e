// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "server/export_arguments.h"
#include "server/export_event.h"
#include "server/export_state.h"

enum { PREVIEW_SECONDS = 60 };
static const size_t most = 16 << 20;  // bytes of a preview

int export_service_preview(struct export_service *service, struct export_preview *preview, struct failure *failure) {
    struct export_preview **at = &service->previews;
    size_t count = 0;
    for (; *at; at = &(*at)->next) count++;
    if (count >= EXPORT_MAX_PREVIEWS) {
        failure_set(failure, VIRGA_AGAIN, "%d previews are being made; try again in a moment", EXPORT_MAX_PREVIEWS);
        return VIRGA_AGAIN;
    }
    *at = preview;
    return VIRGA_OK;
}

static int start(struct export_service *service, struct export_preview *preview, double now, struct failure *failure) {
    static unsigned number;
    struct export_arguments arguments;
    char name[32];
    snprintf(name, sizeof name, "preview-%u", number++);
    export_folder(service->config->state_dir, name, preview->folder);
    int status = export_folder_make(preview->folder, failure);
    if (status) return status;
    if (export_arguments_make(service->config, preview->folder, preview->jpeg ? "jpg" : "png", false, &arguments))
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const struct export_process_options options = {
        .program = service->program, .arguments = (const char *const *)arguments.list, .input = preview->view};
    status = export_process_start(&options, &preview->process, failure);
    export_arguments_destroy(&arguments);
    preview->deadline = now + PREVIEW_SECONDS;
    return status;
}

static void take_line(void *user, const char *line) {
    struct export_preview *preview = user;
    struct export_event event;
    if (export_event_parse(line, &event) && event.kind == EXPORT_EVENT_ERROR && !preview->words[0])
        snprintf(preview->words, sizeof preview->words, "%s", event.message);
}

static struct shared_bytes *read_picture(const struct export_preview *preview) {
    char path[EXPORT_PATH + 40], name[32];
    const struct export_job like = {.jpeg = preview->jpeg};
    export_frame_name(&like, 0, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s", preview->folder, name);
    return shared_bytes_of_file(path, most);
}

// Takes one off the list and tells of it.
static void finish_at(struct export_preview **at, int status, struct shared_bytes *bytes, const struct failure *failure) {
    struct export_preview *preview = *at;
    *at = preview->next;
    export_process_free(preview->process);
    preview->process = NULL;
    if (preview->folder[0]) export_folder_remove(preview->folder);
    preview->made(preview, status, bytes, failure);
}

static void finish(struct export_service *service, int status, struct shared_bytes *bytes, const struct failure *failure) {
    finish_at(&service->previews, status, bytes, failure);
}

static void finish_ended(struct export_service *service, int status) {
    struct export_preview *preview = service->previews;
    struct failure failure = {0};
    struct shared_bytes *bytes = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? read_picture(preview) : NULL;
    const char *words = preview->words[0] ? preview->words : export_process_words(preview->process);
    if (bytes) finish(service, VIRGA_OK, bytes, NULL);
    else finish(service, failure_set(&failure, VIRGA_UNREADABLE, "%.400s", *words ? words : "the picture could not be made"), NULL, &failure);
}

// What happens to the first; false where it goes on.
static bool look_first(struct export_service *service, double now) {
    struct export_preview *preview = service->previews;
    struct failure failure = {0};
    int status = VIRGA_OK;
    if (!preview->process) {
        status = start(service, preview, now, &failure);
        if (!status) return false;
        finish(service, status, NULL, &failure);
        return true;
    }
    bool over = export_process_ended(preview->process, &status);
    export_process_read(preview->process, take_line, preview);
    if (over) {
        finish_ended(service, status);
    } else if (now > preview->deadline) {
        failure_set(&failure, VIRGA_TIMED_OUT, "the picture took longer than %d seconds", PREVIEW_SECONDS);
        finish(service, VIRGA_TIMED_OUT, NULL, &failure);
    } else {
        return false;
    }
    return true;
}

// Be it the one that is being made or one that waits.
static void end_dropped(struct export_service *service) {
    struct failure failure;
    failure_set(&failure, VIRGA_CANCELLED, "nobody waits for it");
    for (struct export_preview **at = &service->previews; *at;)
        if (atomic_load(&(*at)->dropped)) finish_at(at, VIRGA_CANCELLED, NULL, &failure);
        else at = &(*at)->next;
}

void export_previews_look(struct export_service *service, double now) {
    end_dropped(service);
    while (service->previews && look_first(service, now)) continue;
}

void export_previews_end(struct export_service *service) {
    struct failure failure;
    failure_set(&failure, VIRGA_CANCELLED, "the server is stopping");
    while (service->previews) finish(service, VIRGA_CANCELLED, NULL, &failure);
}
