// SPDX-License-Identifier: Apache-2.0
// One export: what is known of it, and what may happen to it. Pure policy: no files, processes, threads or clocks.
#ifndef VIRGA_SERVER_EXPORT_JOB_H
#define VIRGA_SERVER_EXPORT_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "server/access.h"

enum {
    EXPORT_ID = 16,           // hexadecimal digits
    EXPORT_NAME = 120,        // bytes of a job's name
    EXPORT_ERROR = 400,
    EXPORT_ATTEMPTS = 4,      // in a row that bring no new frame, before a job fails
    EXPORT_MOST_JOBS = 1000,  // kept, in any state
    EXPORT_GRACE = 3600,      // seconds that a job of an earlier server is kept at least: its clock may be put right meanwhile
};

enum export_state { EXPORT_QUEUED, EXPORT_RUNNING, EXPORT_DONE, EXPORT_FAILED, EXPORT_CANCELLED, EXPORT_DELETED };

struct export_job {
    int64_t sequence;  // rises with every new job; never used twice
    char id[EXPORT_ID + 1];
    char name[EXPORT_NAME + 1];
    char owner[ACCESS_NAME + 1];  // the name of whoever asked for it; "": not known
    enum export_state state;
    char error[EXPORT_ERROR];  // "": none
    uint32_t frames;           // 0: not known yet
    uint32_t done;             // frames written
    uint64_t bytes;            // of these
    uint32_t width, height;
    bool jpeg;
    double created, began, ended;  // wall clock; 0: not yet
    double since;              // monotonic clock: it counts as ended from then on
    unsigned attempts;         // ended without a new frame, in a row
    double not_before;         // monotonic clock: a queued one waits until then
    double rate;               // frames a second of the attempt under way; 0: not known
    double attempt_began;      // monotonic clock: when its first frame began
    uint32_t attempt_done;     // `done` at that moment
    uint64_t changed;          // the table's own: rises with every change of any job
};

struct export_limits {
    unsigned jobs;       // that run at a time; 0: no exports
    unsigned queue;      // that wait
    unsigned frames;     // of a job
    uint64_t pixels;     // of a frame
    uint64_t disk;       // bytes of all
    double keep;         // seconds that an ended one is kept; 0: for ever
};

// "queued" …
const char *export_state_name(enum export_state state);
bool export_state_parse(const char *name, enum export_state *state);
bool export_job_ended(const struct export_job *job);
bool export_id_valid(const char *id);

// May a job with such frames be added to these? VIRGA_OK, or with the reason and what to do: VIRGA_UNSUPPORTED (there are no exports here), VIRGA_INVALID
// (too many pixels), VIRGA_AGAIN (too many wait; *failure is filled), VIRGA_TOO_LARGE (the disk is spent, or too many are kept).
int export_may_add(const struct export_job *jobs, size_t count, const struct export_limits *limits, uint32_t width, uint32_t height,
                   struct failure *failure);
// The one to start now, or NULL: the oldest that waits and may, where fewer run than may.
struct export_job *export_next(struct export_job *jobs, size_t count, const struct export_limits *limits, double now);
// Seconds until a waiting one may start, HUGE_VAL where none waits.
double export_next_in(const struct export_job *jobs, size_t count, double now);
// What a run tells. Each returns VIRGA_OK, or VIRGA_TOO_LARGE with the limit that it breaks: then the run must end.
int export_counted(struct export_job *job, uint32_t frames, const struct export_limits *limits, struct failure *failure);
int export_grew(const struct export_job *jobs, size_t count, const struct export_limits *limits, struct failure *failure);
void export_started(struct export_job *job, double wall);
// A frame more is there.
void export_frame_written(struct export_job *job, uint64_t bytes, double now);
// The run ended without a result (killed, crashed, silent): it waits for its next attempt, or has failed with these words.
void export_broke(struct export_job *job, const char *words, double now, double wall);
// The run ended because the server does.
void export_interrupted(struct export_job *job);
void export_end(struct export_job *job, enum export_state state, const char *error, double now, double wall);
// One that an earlier server ended.
void export_found(struct export_job *job, const struct export_limits *limits, double now, double wall);
// An ended one that is older than it may be, as both clocks tell: so a wall clock that jumps ahead deletes nothing. One that ended in
// the future of the wall's clock is as old as the monotonic one says.
bool export_expired(const struct export_job *job, const struct export_limits *limits, double now, double wall);
// Negative: not known.
double export_seconds_left(const struct export_job *job);

// The job as PROTOCOL.md has it; a deleted one is its id and state. NULL when out of memory.
json_t *export_job_json(const struct export_job *job);
// The file of a frame: "00012.png". `room` ≥ 32.
void export_frame_name(const struct export_job *job, uint32_t number, char *out, size_t room);
// The number in such a name; false for any other name.
bool export_frame_number(const struct export_job *job, const char *name, uint32_t *number);

#endif
