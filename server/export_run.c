// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/export_arguments.h"
#include "server/export_event.h"
#include "server/export_state.h"

enum { SILENT_SECONDS = 1800, BUSY_SECONDS = 1 };

bool export_job_of(const struct export_service *service, int64_t sequence, struct export_job *job) {
    for (size_t i = 0; i < service->table.count; i++)
        if (service->table.jobs[i].sequence == sequence) {
            *job = service->table.jobs[i];
            return true;
        }
    return false;
}

void export_save(struct export_service *service, const struct export_job *job) {
    struct failure failure;
    export_table_put(&service->table, job);
    if (export_store_update(service->store, job, &failure)) log_warning("export", "%s: %s", job->id, failure.message);
}

void export_run_stop(struct export_run *run) {
    export_process_free(run->process);
    run->process = NULL;
}

// Starting.

static int start_process(struct export_service *service, const struct export_job *job, const char *folder, const char *view, struct export_process **process,
                         struct failure *failure) {
    struct export_arguments arguments;
    if (export_arguments_make(service->config, folder, job->jpeg ? "jpg" : "png", service->background, &arguments))
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    const struct export_process_options options = {
        .program = service->program, .arguments = (const char *const *)arguments.list, .input = view, .background = service->background,
        .brake = service->brake};
    int status = export_process_start(&options, process, failure);
    export_arguments_destroy(&arguments);
    return status;
}

bool export_run_start(struct export_service *service, const struct export_job *job, double now) {
    struct export_job copy = *job;
    struct failure failure = {0};
    struct export_run *run = NULL;
    char folder[EXPORT_PATH], *view = NULL;
    for (size_t i = 0; i < EXPORT_MAX_RUNS && !run; i++)
        if (!service->runs[i].process) run = &service->runs[i];
    if (!run) return false;
    export_folder(service->config->state_dir, copy.id, folder);
    if (export_folder_busy(folder)) {
        copy.not_before = now + BUSY_SECONDS;
        export_table_put(&service->table, &copy);
        return true;
    }
    *run = (struct export_run){.service = service, .sequence = copy.sequence, .heard = now};
    int status = export_store_view(service->store, copy.sequence, &view, &failure);
    if (!status) status = export_folder_make(folder, &failure);
    if (!status) status = export_frames_reconcile(service->store, folder, &copy, &failure);
    if (!status) status = start_process(service, &copy, folder, view, &run->process, &failure);
    free(view);
    if (status) export_broke(&copy, failure.message, now, clock_wall());
    else export_started(&copy, clock_wall());
    export_save(service, &copy);
    log_info("export", "%s %s%s%s", copy.id, export_state_name(copy.state), copy.error[0] ? ": " : "", copy.error);
    return true;
}

// While it runs.

// The job breaks a limit, or its pictures cannot be kept: the run ends as one that went wrong.
static void give_up(struct export_run *run, const struct failure *failure) {
    if (run->said == EXPORT_WENT_WRONG) return;
    run->said = EXPORT_WENT_WRONG;
    snprintf(run->words, sizeof run->words, "%.*s", EXPORT_ERROR - 1, failure->message);
    export_process_signal(run->process, SIGKILL);
}

static void begun(struct export_run *run, struct export_job *job, const struct export_event *event) {
    struct failure failure;
    int status = export_counted(job, event->frames, &run->service->limits, &failure);
    if (event->width && event->height) {
        job->width = event->width;
        job->height = event->height;
    }
    export_save(run->service, job);
    if (status) give_up(run, &failure);
}

static void frame_came(struct export_run *run, struct export_job *job, uint32_t number) {
    struct export_service *service = run->service;
    struct export_frame frame;
    struct failure failure;
    bool fresh = false;
    char folder[EXPORT_PATH];
    export_folder(service->config->state_dir, job->id, folder);
    int status = export_frame_read(folder, job, number, &frame, &failure);
    if (!status) status = export_store_put_frame(service->store, job->sequence, &frame, &fresh, &failure);
    if (status) {
        give_up(run, &failure);
        return;
    }
    if (!fresh) return;
    export_frame_written(job, frame.size, run->heard);
    export_table_put(&service->table, job);
    if (export_grew(service->table.jobs, service->table.count, &service->limits, &failure)) give_up(run, &failure);
}

static void take_line(void *user, const char *line) {
    struct export_run *run = user;
    struct export_event event;
    struct export_job job;
    if (run->said == EXPORT_WENT_WRONG || !export_event_parse(line, &event) || !export_job_of(run->service, run->sequence, &job)) return;
    run->heard = clock_monotonic();
    switch (event.kind) {
        case EXPORT_EVENT_BEGIN: begun(run, &job, &event); break;
        case EXPORT_EVENT_FRAME: frame_came(run, &job, event.number); break;
        case EXPORT_EVENT_DONE: run->said = EXPORT_SUCCEEDED; break;
        case EXPORT_EVENT_ERROR:
            run->said = EXPORT_WENT_WRONG;
            snprintf(run->words, sizeof run->words, "%s", event.message);
            break;
        case EXPORT_EVENT_NONE: break;
    }
}

// Its end.

// Everything that it should have written is there.
static bool complete(struct export_run *run, struct export_job *job) {
    char folder[EXPORT_PATH];
    struct failure failure;
    export_folder(run->service->config->state_dir, job->id, folder);
    if (export_frames_reconcile(run->service->store, folder, job, &failure)) {
        snprintf(run->words, sizeof run->words, "%.*s", EXPORT_ERROR - 1, failure.message);
        return false;
    }
    if (job->frames && job->done >= job->frames) return true;
    snprintf(run->words, sizeof run->words, "%u of %u frames were written", job->done, job->frames);
    return false;
}

static void say_how(const struct export_run *run, int status, char *words, size_t room) {
    const char *last = run->words[0] ? run->words : export_process_words(run->process);
    if (WIFSIGNALED(status)) snprintf(words, room, "the export was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else snprintf(words, room, "the export ended with status %d", WEXITSTATUS(status));
    size_t at = strlen(words);
    if (*last) snprintf(words + at, room - at, ": %.300s", last);
}

// By somebody who stops processes, as a system does that shuts down: the work is not at fault.
static bool was_stopped(int status) {
    return WIFEXITED(status) && (WEXITSTATUS(status) == 128 + SIGINT || WEXITSTATUS(status) == 128 + SIGTERM);
}

static void ended(struct export_run *run, int status, double now) {
    struct export_job job;
    char folder[EXPORT_PATH], words[EXPORT_ERROR];
    double wall = clock_wall();
    bool exited = WIFEXITED(status) && WEXITSTATUS(status) == 0, gone = !export_job_of(run->service, run->sequence, &job);
    if (gone) {
        export_run_stop(run);
        return;
    }
    if (run->said == EXPORT_WENT_WRONG && !was_stopped(status)) export_end(&job, EXPORT_FAILED, run->words, now, wall);
    else if (exited && complete(run, &job)) export_end(&job, EXPORT_DONE, NULL, now, wall);
    else {
        say_how(run, status, words, sizeof words);
        export_broke(&job, words, now, wall);
        log_warning("export", "%s: %s; %s", job.id, words, job.state == EXPORT_QUEUED ? "it is tried again" : "it is given up");
    }
    export_run_stop(run);
    export_folder(run->service->config->state_dir, job.id, folder);
    if (export_job_ended(&job)) export_folder_tidy(folder, &job);
    export_save(run->service, &job);
    log_info("export", "%s %s%s%s", job.id, export_state_name(job.state), job.error[0] ? ": " : "", job.error);
}

void export_run_look(struct export_run *run, double now) {
    int status;
    if (!run->process) return;
    // Asked first: what it said before it ended is then all there.
    bool over = export_process_ended(run->process, &status);
    export_process_read(run->process, take_line, run);
    if (over) ended(run, status, now);
    else if (now - run->heard > SILENT_SECONDS) export_process_signal(run->process, SIGKILL);
}
