// SPDX-License-Identifier: Apache-2.0
#include "server/export_job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/json_time.h"

static const char *const names[] = {"queued", "running", "done", "failed", "cancelled", "deleted"};

const char *export_state_name(enum export_state state) { return names[state]; }

bool export_state_parse(const char *name, enum export_state *state) {
    for (int s = EXPORT_QUEUED; s < EXPORT_DELETED; s++)
        if (!strcmp(name, names[s])) {
            *state = (enum export_state)s;
            return true;
        }
    return false;
}

bool export_job_ended(const struct export_job *job) { return job->state >= EXPORT_DONE; }

bool export_id_valid(const char *id) { return strlen(id) == EXPORT_ID && strspn(id, "0123456789abcdef") == EXPORT_ID; }

// Limits.

static uint64_t bytes_of_all(const struct export_job *jobs, size_t count) {
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) all += jobs[i].bytes;
    return all;
}

static size_t count_state(const struct export_job *jobs, size_t count, enum export_state state) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) found += jobs[i].state == state;
    return found;
}

static double in_units(uint64_t bytes, const char **unit) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t i = 0;
    for (; value >= 1024 && i + 1 < sizeof units / sizeof *units; i++) value /= 1024;
    *unit = units[i];
    return value;
}

static int disk_spent(const struct export_limits *limits, struct failure *failure) {
    const char *unit;
    double most = in_units(limits->disk, &unit);
    return failure_set(failure, VIRGA_TOO_LARGE, "the disk that exports may use is spent (%.3g %s, setting export-disk); delete some", most, unit);
}

int export_may_add(const struct export_job *jobs, size_t count, const struct export_limits *limits, uint32_t width, uint32_t height,
                   struct failure *failure) {
    if (!limits->jobs) return failure_set(failure, VIRGA_UNSUPPORTED, "this server makes no exports (setting export-jobs)");
    if ((uint64_t)width * height > limits->pixels)
        return failure_set(failure, VIRGA_INVALID, "view.size: %u × %u are more than the %llu pixels that a frame may have here (setting export-size)",
                           width, height, (unsigned long long)limits->pixels);
    if (bytes_of_all(jobs, count) >= limits->disk) return disk_spent(limits, failure);
    if (count >= EXPORT_MOST_JOBS)
        return failure_set(failure, VIRGA_TOO_LARGE, "%d exports are kept, which is the most; delete some", EXPORT_MOST_JOBS);
    if (count_state(jobs, count, EXPORT_QUEUED) < limits->queue || (!limits->queue && !count_state(jobs, count, EXPORT_RUNNING) &&
                                                                   !count_state(jobs, count, EXPORT_QUEUED)))
        return VIRGA_OK;
    failure_set(failure, VIRGA_AGAIN, "%u exports wait already (setting export-queue); try again when one has ended", limits->queue);
    return VIRGA_AGAIN;
}

struct export_job *export_next(struct export_job *jobs, size_t count, const struct export_limits *limits, double now) {
    struct export_job *best = NULL;
    if (count_state(jobs, count, EXPORT_RUNNING) >= limits->jobs) return NULL;
    for (size_t i = 0; i < count; i++)
        if (jobs[i].state == EXPORT_QUEUED && jobs[i].not_before <= now && (!best || jobs[i].sequence < best->sequence)) best = &jobs[i];
    return best;
}

double export_next_in(const struct export_job *jobs, size_t count, double now) {
    double soonest = HUGE_VAL;
    for (size_t i = 0; i < count; i++)
        if (jobs[i].state == EXPORT_QUEUED) soonest = fmin(soonest, fmax(0, jobs[i].not_before - now));
    return soonest;
}

// What happens to one.

int export_counted(struct export_job *job, uint32_t frames, const struct export_limits *limits, struct failure *failure) {
    job->frames = frames;
    if (frames <= limits->frames) return VIRGA_OK;
    return failure_set(failure, VIRGA_TOO_LARGE, "%u frames are more than the %u that an export may have here (setting export-frames)", frames,
                       limits->frames);
}

int export_grew(const struct export_job *jobs, size_t count, const struct export_limits *limits, struct failure *failure) {
    return bytes_of_all(jobs, count) > limits->disk ? disk_spent(limits, failure) : VIRGA_OK;
}

void export_started(struct export_job *job, double wall) {
    job->state = EXPORT_RUNNING;
    if (!job->began) job->began = wall;
    job->rate = 0;
    job->attempt_began = 0;
    job->attempt_done = job->done;
}

void export_frame_written(struct export_job *job, uint64_t bytes, double now) {
    job->done++;
    job->bytes += bytes;
    job->attempts = 0;
    if (!job->attempt_began) {  // the first is not counted: it opened the files, too
        job->attempt_began = now;
        job->attempt_done = job->done;
    } else if (now > job->attempt_began) {
        job->rate = (job->done - job->attempt_done) / (now - job->attempt_began);
    }
}

void export_end(struct export_job *job, enum export_state state, const char *error, double now, double wall) {
    job->state = state;
    job->ended = wall;
    job->since = now;
    job->rate = 0;
    snprintf(job->error, sizeof job->error, "%s", error ? error : "");
    utf8_clean(job->error);
}

void export_broke(struct export_job *job, const char *words, double now, double wall) {
    static const double waits[EXPORT_ATTEMPTS] = {0.5, 2, 8, 30};
    if (job->attempts + 1 >= EXPORT_ATTEMPTS) {
        export_end(job, EXPORT_FAILED, words, now, wall);
        return;
    }
    job->state = EXPORT_QUEUED;
    job->not_before = now + waits[job->attempts++];
    job->rate = 0;
}

void export_interrupted(struct export_job *job) {
    job->state = EXPORT_QUEUED;
    job->not_before = job->rate = 0;
}

void export_found(struct export_job *job, const struct export_limits *limits, double now, double wall) {
    job->since = now - fmax(0, fmin(wall - job->ended, limits->keep - EXPORT_GRACE));
}

bool export_expired(const struct export_job *job, const struct export_limits *limits, double now, double wall) {
    if (!(limits->keep > 0) || !export_job_ended(job) || now - job->since <= limits->keep) return false;
    return wall - job->ended > limits->keep || wall < job->ended;
}

double export_seconds_left(const struct export_job *job) {
    if (job->state != EXPORT_RUNNING || !job->frames || !(job->rate > 0)) return -1;
    return job->frames > job->done ? (job->frames - job->done) / job->rate : 0;
}

// As text.

json_t *export_job_json(const struct export_job *job) {
    double left = export_seconds_left(job);
    if (job->state == EXPORT_DELETED) return json_pack("{s:s, s:s}", "id", job->id, "state", names[job->state]);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:[i,i], s:s}", "id", job->id, "name", job->name, "owner", job->owner, "state",
                     names[job->state], "frames", job->frames ? json_integer(job->frames) : json_null(), "done", (int)job->done, "bytes",
                     (json_int_t)job->bytes, "rate", job->rate > 0 ? json_real(round(job->rate * 1000) / 1000) : json_null(), "seconds_left",
                     left >= 0 ? json_real(round(left * 10) / 10) : json_null(), "error", job->error[0] ? json_string(job->error) : json_null(),
                     "created", json_time(job->created), "began", json_time(job->began), "ended", json_time(job->ended), "format",
                     job->jpeg ? "jpeg" : "png", "size", (int)job->width, (int)job->height, "files", job->jpeg ? "%05d.jpg" : "%05d.png");
}

void export_frame_name(const struct export_job *job, uint32_t number, char *out, size_t room) {
    snprintf(out, room, "%05u.%s", number, job->jpeg ? "jpg" : "png");
}

bool export_frame_number(const struct export_job *job, const char *name, uint32_t *number) {
    char again[32];
    char *end;
    unsigned long n = strtoul(name, &end, 10);
    if (end == name || n > 9999999) return false;
    export_frame_name(job, (uint32_t)n, again, sizeof again);
    *number = (uint32_t)n;
    return !strcmp(name, again);
}
