// SPDX-License-Identifier: Apache-2.0
#include "server/demo_forecast.h"

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/thread.h"
#include "server/demo_netcdf.h"
#include "server/demo_step.h"

enum { MAX_PATH = 4096, NOISE_SEED = 20150, EDITION = 3 };  // raise EDITION when the numbers written change

// --- the plan ------------------------------------------------------------------------------------------------------

static uint64_t step_numbers(const struct demo_plan *plan) {  // of one step of one run
    uint64_t columns = (uint64_t)plan->nx * (uint64_t)plan->ny, numbers = 0;
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++)
        if (plan->wanted[v]) numbers += columns * (demo_variables[v].flat ? 1 : (uint64_t)plan->nk);
    return numbers;
}

// Rounded, shuffled and deflated numbers were measured at 0.2 to 0.35 of their raw size.
static uint64_t bytes_of(const struct demo_plan *plan) {
    double share = plan->deflate ? 0.4 : 1.02;
    double bytes = share * 4 * (double)step_numbers(plan) * plan->nt * plan->runs + 32.0 * plan->nx * plan->ny * plan->runs + 1e6;
    return bytes > 1e19 ? UINT64_MAX : (uint64_t)bytes;
}

static void path_of(const struct demo_plan *plan, int run, char *path, size_t size) {
    time_t reference = plan->start + (time_t)run * plan->run_spacing * 3600;
    struct tm utc;
    char stamp[64] = "";
    if (gmtime_r(&reference, &utc)) strftime(stamp, sizeof stamp, "%Y%m%dT%H%MZ", &utc);
    snprintf(path, size, "%s/virga-demo_%s.nc", plan->folder, stamp);
}

void demo_plan_describe(const struct demo_plan *plan, char *text, size_t size) {
    int used = snprintf(text, size, "edition %d, %dx%dx%dx%d, %d runs every %d h from %lld, deflate %d:", EDITION, plan->nx, plan->ny, plan->nk,
                        plan->nt, plan->runs, plan->run_spacing, (long long)plan->start, plan->deflate);
    for (int v = 0; v < DEMO_VARIABLE_COUNT && used > 0 && (size_t)used < size; v++)
        if (plan->wanted[v]) used += snprintf(text + used, size - (size_t)used, " %s", demo_variables[v].name);
}

// --- what is there already -----------------------------------------------------------------------------------------

static bool all_there(const struct demo_plan *plan) {
    char path[MAX_PATH], description[1024];
    demo_plan_describe(plan, description, sizeof description);
    for (int run = 0; run < plan->runs; run++) {
        path_of(plan, run, path, sizeof path);
        if (!demo_file_matches(path, description)) return false;
    }
    return true;
}

// What an earlier demo left when it was killed.
static void remove_parts(const struct demo_plan *plan) {
    char pattern[MAX_PATH];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/virga-demo_*.nc.part", plan->folder);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t n = 0; n < found.gl_pathc; n++) unlink(found.gl_pathv[n]);
    globfree(&found);
}

// Files of another demonstration would become runs of the same dataset, or clash with it.
static int clear_folder(const struct demo_plan *plan, struct failure *failure) {
    char pattern[MAX_PATH], description[1024];
    glob_t found = {0};
    int status = VIRGA_OK;
    demo_plan_describe(plan, description, sizeof description);
    snprintf(pattern, sizeof pattern, "%s/virga-demo_*.nc", plan->folder);
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0) found.gl_pathc = 0;
    for (size_t n = 0; n < found.gl_pathc && status == VIRGA_OK; n++) {
        if (plan->force)
            unlink(found.gl_pathv[n]);
        else if (!demo_file_matches(found.gl_pathv[n], description))
            status = failure_set(failure, VIRGA_IO, "%s holds another demonstration (%s); choose another folder, or --force to replace it",
                                 plan->folder, strrchr(found.gl_pathv[n], '/') + 1);
    }
    globfree(&found);
    return status;
}

static int make_folder(const char *folder, struct failure *failure) {
    char path[MAX_PATH];
    struct stat what;
    if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path - 64)
        return failure_set(failure, VIRGA_INVALID, "the folder's name is too long: %.80s…", folder);
    for (char *slash = path + 1;; slash++) {
        if (*slash && *slash != '/') continue;
        char kept = *slash;
        *slash = 0;
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return failure_set(failure, VIRGA_IO, "cannot make the folder %s: %s", path, strerror(errno));
        *slash = kept;
        if (!kept) break;
    }
    if (stat(path, &what) < 0 || !S_ISDIR(what.st_mode))
        return failure_set(failure, VIRGA_IO, "%s is not a folder; choose another place with --out", path);
    return VIRGA_OK;
}

static int check_room(const struct demo_plan *plan, struct failure *failure) {
    struct statvfs disk;
    uint64_t needed = bytes_of(plan);
    if (statvfs(plan->folder, &disk) < 0)
        return failure_set(failure, VIRGA_IO, "cannot ask how much room %s has: %s", plan->folder, strerror(errno));
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (room >= needed) return VIRGA_OK;
    return failure_set(failure, VIRGA_IO, "%s has %.1f GB free and the forecast may need %.1f GB; free some, or choose a smaller --size or another --out",
                       plan->folder, (double)room / 1e9, (double)needed / 1e9);
}

// --- computing ahead of writing ------------------------------------------------------------------------------------

void demo_fields_free(struct demo_fields *fields) {
    if (!fields) return;
    for (int v = 0; v < DEMO_VARIABLE_COUNT; v++) free(fields->of[v]);
    free(fields);
}

static struct demo_fields *fields_new(const struct demo_plan *plan) {
    struct demo_fields *fields = calloc(1, sizeof *fields);
    size_t columns = (size_t)plan->nx * (size_t)plan->ny;
    for (int v = 0; fields && v < DEMO_VARIABLE_COUNT; v++) {
        if (!plan->wanted[v]) continue;
        fields->of[v] = malloc(columns * (demo_variables[v].flat ? 1 : (size_t)plan->nk) * sizeof(float));
        if (fields->of[v]) continue;
        demo_fields_free(fields);
        fields = NULL;
    }
    return fields;
}

struct job {
    const struct demo_plan *plan;
    struct demo_noise *noise;
    struct demo_grid *grid;
    struct demo_step *step;
    struct demo_fields *fields[2];  // one is written while the other is filled
    int run, next;                  // what the thread below computes, into fields[next & 1]
};

static void *compute(void *argument) {
    struct job *job = argument;
    double hours = job->run * job->plan->run_spacing + job->next;
    demo_step_compute(job->step, hours, job->run, job->next, job->fields[job->next & 1]);
    return NULL;
}

static int write_steps(struct job *job, struct demo_file *file, const char *path, demo_progress *progress, void *context, struct failure *failure) {
    int status = VIRGA_OK;
    job->next = 0;
    compute(job);
    for (int t = 0; t < job->plan->nt && status == VIRGA_OK; t++) {
        pthread_t thread;
        bool more = t + 1 < job->plan->nt, threaded = false;
        job->next = t + 1;
        if (more) threaded = thread_start(&thread, compute, job) == 0;
        status = demo_file_put(file, t, job->fields[t & 1], failure);
        if (threaded)
            pthread_join(thread, NULL);
        else if (more && status == VIRGA_OK)
            compute(job);
        if (status == VIRGA_OK && progress && !progress(context, path, job->run, t))
            status = failure_set(failure, VIRGA_CANCELLED, "stopped; nothing of %s was kept", path);
    }
    return status;
}

static int write_run(struct job *job, int run, demo_progress *progress, void *context, struct failure *failure) {
    char path[MAX_PATH], part[MAX_PATH + 16];
    struct demo_file *file = NULL;
    job->run = run;
    path_of(job->plan, run, path, sizeof path);
    snprintf(part, sizeof part, "%s.part", path);
    int status = demo_file_create(part, job->plan, job->grid, run, &file, failure);
    if (status == VIRGA_OK) {
        status = write_steps(job, file, path, progress, context, failure);
        int closed = demo_file_close(file, status == VIRGA_OK ? failure : NULL);
        if (status == VIRGA_OK) status = closed;
    }
    if (status == VIRGA_OK && rename(part, path) < 0)
        status = failure_set(failure, VIRGA_IO, "cannot rename %s to %s: %s", part, path, strerror(errno));
    if (status != VIRGA_OK) unlink(part);
    return status;
}

static void job_destroy(struct job *job) {
    demo_fields_free(job->fields[0]);
    demo_fields_free(job->fields[1]);
    demo_step_free(job->step);
    demo_grid_free(job->grid);
    demo_noise_free(job->noise);
}

static int job_init(struct job *job, const struct demo_plan *plan, struct failure *failure) {
    *job = (struct job){.plan = plan, .noise = demo_noise_new(NOISE_SEED)};
    if (job->noise) job->grid = demo_grid_new(plan->nx, plan->ny, plan->nk, job->noise);
    if (job->grid) job->step = demo_step_new(job->grid, job->noise, plan->threads);
    if (job->step) job->fields[0] = fields_new(plan);
    if (job->fields[0]) job->fields[1] = fields_new(plan);
    if (job->fields[1]) return VIRGA_OK;
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory: one step of this size takes %.1f GB; choose a smaller --size or fewer --variables",
                       8 * (double)step_numbers(plan) / 1e9);
}

int demo_forecast_write(const struct demo_plan *plan, demo_progress *progress, void *context, enum demo_outcome *outcome,
                        struct failure *failure) {
    struct job job = {0};
    *outcome = DEMO_WRITTEN;
    int status = make_folder(plan->folder, failure);
    if (status == VIRGA_OK && all_there(plan)) {
        *outcome = DEMO_ALREADY_THERE;
        return VIRGA_OK;
    }
    if (status == VIRGA_OK) status = clear_folder(plan, failure);
    if (status == VIRGA_OK) remove_parts(plan);
    if (status == VIRGA_OK) status = check_room(plan, failure);
    if (status == VIRGA_OK) status = job_init(&job, plan, failure);
    for (int run = 0; run < plan->runs && status == VIRGA_OK; run++) status = write_run(&job, run, progress, context, failure);
    job_destroy(&job);
    return status;
}

struct demo_fields *demo_forecast_step(const struct demo_plan *plan, const struct demo_grid *grid, int run, int step) {
    struct demo_noise *noise = demo_noise_new(NOISE_SEED);
    struct demo_step *computer = noise ? demo_step_new(grid, noise, plan->threads) : NULL;
    struct demo_fields *fields = computer ? fields_new(plan) : NULL;
    if (fields) demo_step_compute(computer, run * plan->run_spacing + step, run, step, fields);
    demo_step_free(computer);
    demo_noise_free(noise);
    return fields;
}
