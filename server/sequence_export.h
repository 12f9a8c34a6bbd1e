// SPDX-License-Identifier: Apache-2.0
// Draws the frames of a view document's sequence into a folder, those that are not there yet. Main thread.
#ifndef VIRGA_SERVER_SEQUENCE_EXPORT_H
#define VIRGA_SERVER_SEQUENCE_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "render/frame_pattern.h"
#include "server/app.h"
#include "server/export_document.h"
#include "server/export_progress.h"

struct sequence_export {
    struct export_document *document;
    const char *member;  // the label of one that is shown in place of the document's, or NULL
    const struct frame_pattern *pattern;
    enum image_format format;
    bool overwrite;
    size_t threads;     // 0: one a processor
    const struct config *config;
    bool on_cluster;        // frames are drawn by workers of the engine's cluster (sequence_cluster.h)
    const char *worker_program;  // what they run; NULL: VIRGA_PROGRAM there, else virga on their path
    const char *served_run; // not NULL: no folder; frames are drawn for another process (sequence_serve.h), of this run
    double served_now;      // and that time, by which it counts
    struct export_progress progress;  // kind, out and where are set by the caller; says all but errors
    size_t degraded;    // set: frames that were drawn from coarser data than the camera could tell apart, for want of memory
    int signal_number;  // set: SIGINT or SIGTERM came, and nothing was finished after it
};

// Opens the forecast, then draws, encodes and writes. VIRGA_OK: every frame is there. VIRGA_CANCELLED: a signal came. Else the message
// says what and where; frames that were finished stay, and the same again goes on with the others.
int sequence_export_run(struct sequence_export *run, struct failure *failure);

#endif
