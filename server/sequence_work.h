// SPDX-License-Identifier: Apache-2.0
// A view document's sequence in a forecast that is open: which frames there are, and each of them drawn. What sequence_export.c (frames into a
// folder), sequence_cluster.c (drawn elsewhere) and sequence_serve.c (drawn here for elsewhere) have in common. Main thread.
#ifndef VIRGA_SERVER_SEQUENCE_WORK_H
#define VIRGA_SERVER_SEQUENCE_WORK_H

#include <stdbool.h>

#include "render/frame_folder.h"
#include "render/frame_sequence.h"
#include "render/frame_writer.h"
#include "render/picture.h"
#include "render/view_resolve.h"
#include "server/sequence_export.h"

// All that a run needs while it draws.
struct sequence_work {
    struct sequence_export *run;
    struct app app;
    struct render_team *team;
    struct picture_maker *maker;
    struct view_resolved resolved;
    struct frame_sequence *frames;
    struct frame_folder *folder;  // NULL where none is written
    struct view view;  // the document's, with the frame's camera
    bool stayed;       // with a run that is no longer the latest
    double now;        // what "nearest to now" means
};

// Finds what the view means: makes `maker`, `resolved` and `frames`. VIRGA_INVALID and others with the view's field.
int sequence_work_plan(struct sequence_work *work, struct failure *failure);
// The text of the record (frame_record.h). editions: with those of what is shown, which are the same on this machine only. The caller frees it.
int sequence_work_record(const struct sequence_work *work, bool editions, char **text, struct failure *failure);
// Draws a frame, with what is written into its file. VIRGA_OK, or a message that names the frame.
int sequence_work_draw(struct sequence_work *work, size_t index, struct frame_picture *picture, struct failure *failure);
// A frame is in the folder: says so. VIRGA_IO: nobody reads the progress any more.
int sequence_work_tell(struct sequence_work *work, size_t index, size_t bytes, struct failure *failure);

// The first of SIGINT and SIGTERM that came since frames began to be drawn into a folder, or 0. A second one ends the process at once.
int sequence_signal(void);

#endif
