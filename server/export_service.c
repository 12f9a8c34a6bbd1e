// SPDX-License-Identifier: Apache-2.0
#include "server/export_service.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "server/config_reload.h"
#include "server/export_state.h"
#include "server/secret.h"

enum { MAX_COMMANDS = 256, NICENESS = 10, TELL_MS = 250, LONGEST_WAIT = 60, FDS = 1 + EXPORT_PROCESS_FDS * (EXPORT_MAX_RUNS + 1) };

struct export_table *export_service_table(struct export_service *service) { return &service->table; }

struct thread_inbox *export_service_commands(struct export_service *service) { return &service->commands; }

// Within commands.

int export_service_add(struct export_service *service, struct export_job *job, const char *view, struct failure *failure) {
    int status = export_may_add(service->table.jobs, service->table.count, &service->limits, job->width, job->height, failure);
    if (status) return status;
    job->state = EXPORT_QUEUED;
    job->created = clock_wall();
    if (!secret_name(job->id, EXPORT_ID)) return failure_set(failure, VIRGA_IO, "there are no random numbers: %s", strerror(errno));
    status = export_store_add(service->store, job, view, failure);
    if (!status && export_table_put(&service->table, job)) {
        export_store_delete(service->store, job->sequence, NULL);
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    return status;
}

static void stop_run_of(struct export_service *service, int64_t sequence) {
    for (size_t i = 0; i < EXPORT_MAX_RUNS; i++)
        if (service->runs[i].process && service->runs[i].sequence == sequence) export_run_stop(&service->runs[i]);
}

static const struct export_job *find(const struct export_service *service, const char *id, struct failure *failure) {
    const struct export_job *job = export_table_find(&service->table, id);
    if (!job) failure_set(failure, VIRGA_NOT_FOUND, "there is no export %.40s", id);
    return job;
}

int export_service_cancel(struct export_service *service, const char *id, struct export_job *job, struct failure *failure) {
    const struct export_job *found = find(service, id, failure);
    char folder[EXPORT_PATH];
    if (!found) return VIRGA_NOT_FOUND;
    *job = *found;
    if (export_job_ended(job)) return failure_set(failure, VIRGA_INVALID, "the export has ended already (%s)", export_state_name(job->state));
    stop_run_of(service, job->sequence);
    export_folder(service->config->state_dir, job->id, folder);
    export_folder_tidy(folder, job);
    export_frames_reconcile(service->store, folder, job, NULL);
    export_end(job, EXPORT_CANCELLED, NULL, clock_monotonic(), clock_wall());
    export_save(service, job);
    return VIRGA_OK;
}

// A job whose run was ended, and that stays after all, waits to go on.
static void take_back(struct export_service *service, int64_t sequence) {
    struct export_job job;
    if (!export_job_of(service, sequence, &job) || job.state != EXPORT_RUNNING) return;
    export_interrupted(&job);
    export_save(service, &job);
}

int export_service_delete(struct export_service *service, const char *id, struct failure *failure) {
    const struct export_job *found = find(service, id, failure);
    char folder[EXPORT_PATH];
    if (!found) return VIRGA_NOT_FOUND;
    int64_t sequence = found->sequence;
    export_folder(service->config->state_dir, found->id, folder);
    stop_run_of(service, sequence);
    int status = export_store_delete(service->store, sequence, failure);
    if (status) {
        take_back(service, sequence);
        return status;
    }
    export_table_remove(&service->table, sequence);
    export_folder_remove(folder);
    return VIRGA_OK;
}

int export_service_frames(struct export_service *service, const char *id, struct export_job *job, struct export_frame **frames, size_t *count,
                          struct failure *failure) {
    const struct export_job *found = find(service, id, failure);
    if (!found) return VIRGA_NOT_FOUND;
    *job = *found;
    return export_store_frames(service->store, job->sequence, frames, count, failure);
}

// The thread.

static struct export_limits limits_of(const struct config *c) {
    return (struct export_limits){.jobs = (unsigned)c->export_jobs, .queue = (unsigned)c->export_queue, .frames = (unsigned)c->export_frames,
                                  .pixels = (uint64_t)c->export_size[0] * c->export_size[1], .disk = c->export_disk, .keep = c->export_keep};
}

static void forget_config(struct config *config) {
    if (config) config_destroy(config);
    free(config);
}

// The newest that was given, in the place of the one in force.
static void take_config(struct export_service *service) {
    pthread_mutex_lock(&service->lock);
    struct config *next = service->next_config;
    service->next_config = NULL;
    pthread_mutex_unlock(&service->lock);
    if (!next) return;
    forget_config(service->config);
    service->config = next;
    service->limits = limits_of(next);
}

static void start_next(struct export_service *service, double now) {
    const struct export_job *job;
    // Each start changes the job, or when it may start, so this comes to an end.
    while ((job = export_next(service->table.jobs, service->table.count, &service->limits, now)) && export_run_start(service, job, now)) continue;
}

// Seconds between two looks for old ones.
static double sweep_every(const struct export_service *service) { return fmax(1, fmin(LONGEST_WAIT, service->limits.keep / 10)); }

static void sweep_old(struct export_service *service, double now) {
    double wall = clock_wall();
    if (now - service->swept_at < sweep_every(service) && service->swept_at > 0) return;
    service->swept_at = now;
    for (size_t i = service->table.count; i--;) {
        const struct export_job job = service->table.jobs[i];
        if (!export_expired(&job, &service->limits, now, wall)) continue;
        log_info("export", "%s is deleted: it is older than export-keep", job.id);
        export_service_delete(service, job.id, NULL);
    }
}

// Milliseconds until something is due though nothing happens.
static int tell(struct export_service *service, double now) {
    if (service->told == service->table.log.changes) return LONGEST_WAIT * 1000;
    double wait = TELL_MS - (now - service->told_at) * 1000;
    if (wait > 0) return (int)wait + 1;
    service->told = service->table.log.changes;
    service->told_at = now;
    service->changed(service->user);
    return LONGEST_WAIT * 1000;
}

static int least(int a, int b) { return a < b ? a : b; }

static void wait_for_something(struct export_service *service, int milliseconds, double now) {
    struct pollfd fds[FDS] = {{.fd = service->commands.wake, .events = POLLIN}};
    nfds_t count = 1;
    for (size_t i = 0; i < EXPORT_MAX_RUNS; i++)
        if (service->runs[i].process) {
            export_process_fds(service->runs[i].process, fds + count);
            count += EXPORT_PROCESS_FDS;
        }
    if (service->previews && service->previews->process) {
        export_process_fds(service->previews->process, fds + count);
        count += EXPORT_PROCESS_FDS;
        milliseconds = least(milliseconds, 1000);  // its time is limited
    }
    if (service->limits.keep > 0) milliseconds = least(milliseconds, (int)(sweep_every(service) * 1000));
    double waiting = export_next_in(service->table.jobs, service->table.count, now);
    if (waiting > 0 && waiting < LONGEST_WAIT) milliseconds = least(milliseconds, (int)(waiting * 1000) + 1);
    poll(fds, count, milliseconds);
    if (fds[0].revents) thread_inbox_woken(&service->commands);
}

static void stop_all(struct export_service *service) {
    for (size_t i = 0; i < EXPORT_MAX_RUNS; i++) {
        struct export_run *run = &service->runs[i];
        if (!run->process) continue;
        export_run_stop(run);
        take_back(service, run->sequence);
    }
    export_previews_end(service);
}

static void *serve(void *argument) {
    struct export_service *service = argument;
    bool stopping = false;
    thread_be_nice(NICENESS);  // of this thread: sums of files can wait
    while (!stopping) {
        struct thread_command *commands = thread_inbox_take(&service->commands, &stopping);
        take_config(service);
        double now = clock_monotonic();
        thread_inbox_run_all(commands, service, stopping);
        if (stopping) break;
        for (size_t i = 0; i < EXPORT_MAX_RUNS; i++) export_run_look(&service->runs[i], now);
        export_previews_look(service, now);
        sweep_old(service, now);
        start_next(service, now);
        wait_for_something(service, tell(service, now), now);
    }
    stop_all(service);
    return NULL;
}

// Coming and going.

// What a run of this server, or of one that was killed, left.
static int take_up(struct export_service *service, struct failure *failure) {
    struct export_job *jobs = NULL;
    char folder[EXPORT_PATH];
    size_t count = 0;
    int status = export_store_load(service->store, &jobs, &count, failure);
    if (status) return status;
    export_folder(service->config->state_dir, "", folder);
    status = export_folder_make(folder, failure);
    if (!status) export_folders_sweep(service->config->state_dir, jobs, count);
    for (size_t i = 0; i < count && !status; i++) {
        if (jobs[i].state == EXPORT_RUNNING) export_interrupted(&jobs[i]);
        if (export_job_ended(&jobs[i])) export_found(&jobs[i], &service->limits, clock_monotonic(), clock_wall());
        status = export_table_put(&service->table, &jobs[i]);
    }
    free(jobs);
    return status == VIRGA_NO_MEMORY ? failure_set(failure, status, "out of memory") : status;
}

int export_service_configure(struct export_service *service, const struct config *config) {
    struct config *copy = calloc(1, sizeof *copy);
    if (!copy || config_copy(copy, config)) {
        forget_config(copy);
        return VIRGA_NO_MEMORY;
    }
    pthread_mutex_lock(&service->lock);
    struct config *before = service->next_config;
    service->next_config = copy;
    pthread_mutex_unlock(&service->lock);
    forget_config(before);
    thread_inbox_wake(&service->commands);
    return VIRGA_OK;
}

static void set_program(struct export_service *service) {
    const char *named = getenv("VIRGA_EXPORT_PROGRAM");  // for tests: a stand-in that makes pictures
    service->program = named && *named ? named : "/proc/self/exe";
    service->background = !getenv("VIRGA_EXPORT_FOREGROUND");  // for tests: where all others are busy, who gives way waits
}

int export_service_new(const struct app *app, void (*changed)(void *user), void *user, struct export_service **out, struct failure *failure) {
    struct export_service *service = *out = calloc(1, sizeof *service);
    if (!service) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    service->changed = changed;
    service->user = user;
    set_program(service);
    if (export_table_init(&service->table) || pthread_mutex_init(&service->lock, NULL)) {
        free(service);
        *out = NULL;
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    int status = thread_inbox_init(&service->commands, MAX_COMMANDS, failure);
    if (!status && export_service_configure(service, &app->config)) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    take_config(service);
    if (!status) status = export_store_new(app->database, &service->store, failure);
    if (!status) status = take_up(service, failure);
    if (!status) status = export_brake_new(app->workers, &service->brake, failure);
    if (!status) status = thread_inbox_serve(&service->commands, serve, service, failure);
    if (!status) return VIRGA_OK;
    export_service_free(service);
    *out = NULL;
    return status;
}

void export_service_free(struct export_service *service) {
    if (!service) return;
    thread_inbox_stop(&service->commands);
    export_brake_free(service->brake);
    thread_inbox_destroy(&service->commands);
    export_store_free(service->store);
    export_table_destroy(&service->table);
    pthread_mutex_destroy(&service->lock);
    forget_config(service->config);
    forget_config(service->next_config);
    free(service);
}
