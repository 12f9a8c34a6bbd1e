// SPDX-License-Identifier: Apache-2.0
// Private to the export service: who holds what. Everything here belongs to its thread unless said otherwise.
#ifndef VIRGA_SERVER_EXPORT_STATE_H
#define VIRGA_SERVER_EXPORT_STATE_H

#include "server/export_brake.h"
#include "server/export_process.h"
#include "server/export_service.h"

enum { EXPORT_MAX_RUNS = EXPORT_BRAKE_GROUPS, EXPORT_MAX_PREVIEWS = 4 };

enum export_outcome { EXPORT_RUNS, EXPORT_SUCCEEDED, EXPORT_WENT_WRONG };

struct export_run {  // a job that runs
    struct export_service *service;
    struct export_process *process;  // NULL: this place is free
    int64_t sequence;
    double heard;                    // monotonic clock: its last sign of life
    enum export_outcome said;        // by its last event
    char words[EXPORT_ERROR];
};

struct export_service {
    struct config *config;           // its own copy
    struct export_limits limits;
    const char *program;             // that makes pictures
    bool background;                 // jobs give way to everything else
    struct export_brake *brake;      // jobs stand still while viewers wait
    struct export_store *store;
    struct export_table table;       // its own lock
    struct export_run runs[EXPORT_MAX_RUNS];
    struct export_preview *previews;  // the first is being made, the others wait
    void (*changed)(void *user);
    void *user;
    uint64_t told;                   // table.changes when `changed` was last called
    double told_at, swept_at;
    struct thread_inbox commands;   // its own lock
    pthread_mutex_t lock;
    struct config *next_config;      // lock; in force with the next look, or NULL
};

// export_run.c
// The job, to be changed and given to export_save. False: it is gone.
bool export_job_of(const struct export_service *service, int64_t sequence, struct export_job *job);
// Into table and database. A database that fails is logged: the table is what counts until the next start.
void export_save(struct export_service *service, const struct export_job *job);
// Starts it, or ends it where it cannot be started. False: as many run as there are places for.
bool export_run_start(struct export_service *service, const struct export_job *job, double now);
// Takes in what a run says, and ends it where it has ended or must. Nothing where the place is free.
void export_run_look(struct export_run *run, double now);
// Kills it. The job stays as it is.
void export_run_stop(struct export_run *run);

// export_preview.c
void export_previews_look(struct export_service *service, double now);
void export_previews_end(struct export_service *service);

#endif
