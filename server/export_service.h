// SPDX-License-Identifier: Apache-2.0
// Exports of this server: what is asked for is kept in the database and made by child processes, one after the other. A thread of its own has their rows,
// the children and their folders, and may block; what others know of jobs is a table in memory.
#ifndef VIRGA_SERVER_EXPORT_SERVICE_H
#define VIRGA_SERVER_EXPORT_SERVICE_H

#include <stdatomic.h>

#include "base/shared_bytes.h"
#include "server/app.h"
#include "server/thread_inbox.h"
#include "server/export_frames.h"
#include "server/export_job.h"
#include "server/export_table.h"

struct export_service;

// Puts jobs that ran back into the queue, and starts the thread. `changed` is called from the thread, at most a few times a second, when the table changed.
// The app, whose database is open, must outlive it; while its workers have anything to do, a viewer waits, and jobs stand still (export_pace.h).
// VIRGA_IO, VIRGA_NO_MEMORY with words.
int export_service_new(const struct app *app, void (*changed)(void *user), void *user, struct export_service **out, struct failure *failure);
// Ends the children, whose jobs wait for the next start. NULL is allowed.
void export_service_free(struct export_service *service);

// Any thread: this configuration, of which it takes a copy, from now on. What runs goes on as it began. VIRGA_OK or VIRGA_NO_MEMORY.
int export_service_configure(struct export_service *service, const struct config *config);
// Any thread.
struct export_table *export_service_table(struct export_service *service);

// Any thread: to ask the thread to do something, and to wake it after setting `dropped` of a preview.
struct thread_inbox *export_service_commands(struct export_service *service);

// Within a command.
// Makes a job for a view that was checked; *job begins with name, width, height and jpeg, and is complete afterwards. Refusals as export_may_add.
int export_service_add(struct export_service *service, struct export_job *job, const char *view, struct failure *failure);
// VIRGA_NOT_FOUND; VIRGA_INVALID: it has ended already. *job as it is now.
int export_service_cancel(struct export_service *service, const char *id, struct export_job *job, struct failure *failure);
int export_service_delete(struct export_service *service, const char *id, struct failure *failure);
// The frames so far, by rising number, and the job; the caller frees *frames.
int export_service_frames(struct export_service *service, const char *id, struct export_job *job, struct export_frame **frames, size_t *count,
                          struct failure *failure);

// One picture, made at once: previews take turns.
struct export_preview {
    struct export_preview *next;  // the service's own, as all down to `made`
    struct export_process *process;
    char folder[EXPORT_PATH];
    double deadline;
    char words[EXPORT_ERROR];
    const char *view;             // the document; lives as long as this
    bool jpeg;
    // On the thread, once. The bytes are the receiver's (one reference; NULL with a failure).
    void (*made)(struct export_preview *preview, int status, struct shared_bytes *bytes, const struct failure *failure);
    atomic_bool dropped;          // any thread: nobody wants it any more; it is told of all the same (VIRGA_CANCELLED)
};
// Within a command. VIRGA_AGAIN with words: too many wait; `made` is not called then.
int export_service_preview(struct export_service *service, struct export_preview *preview, struct failure *failure);

#endif
