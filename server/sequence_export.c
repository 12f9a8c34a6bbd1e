// SPDX-License-Identifier: Apache-2.0
#include "server/sequence_export.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/sequence_cluster.h"
#include "server/sequence_serve.h"
#include "server/sequence_work.h"

// --- Signals: the first one ends the work between two frames, a second one at once.

static volatile sig_atomic_t came;

static void on_signal(int number) {
    if (came) {
        frame_folder_drop_temporary();
        _exit(128 + number);
    }
    came = number;
}

static void listen_to_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int sequence_signal(void) { return came; }

// --- The folder.

static int open_folder(struct sequence_work *w, struct failure *failure) {
    char *record;
    int status = sequence_work_record(w, true, &record, failure);
    if (status != VIRGA_OK) return status;
    struct frame_folder_options options = {
        .pattern = w->run->pattern, .frames = frame_sequence_count(w->frames), .record = record, .overwrite = w->run->overwrite};
    status = frame_folder_open(&options, &w->folder, failure);
    free(record);
    if (status == VIRGA_OK && w->stayed && frame_folder_count(w->folder) == options.frames)
        status = failure_set(failure, VIRGA_IO, "%s has all frames of the run %s, and a later one has come; name other files, or replace "
                             "them with --overwrite", w->run->progress.where, w->view.run);
    return status;
}

// --- The frames.

// On the writer's thread, the only one that tells of progress meanwhile.
static int written(void *context, size_t index, size_t bytes, struct failure *failure) {
    return sequence_work_tell(context, index, bytes, failure);
}

static int draw_here(struct sequence_work *w, struct failure *failure) {
    struct frame_writer_options options = {
        .folder = w->folder, .format = w->run->format, .quality = w->run->document->sequence->quality, .written = written, .context = w};
    struct frame_picture picture = {0};
    int status = VIRGA_OK;
    struct frame_writer *writer = frame_writer_new(&options);
    if (!writer) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < frame_sequence_count(w->frames) && status == VIRGA_OK && !sequence_signal(); i++) {
        if (frame_folder_has(w->folder, i)) continue;
        status = sequence_work_draw(w, i, &picture, failure);
        if (sequence_signal()) frame_picture_destroy(&picture);
        else if (status == VIRGA_OK) status = frame_writer_put(writer, &picture, failure);
    }
    struct failure later = {0};
    bool stopped = sequence_signal();
    int other = frame_writer_finish(writer, stopped, &later);
    if (stopped && frame_folder_count(w->folder) < frame_sequence_count(w->frames)) return VIRGA_CANCELLED;
    if (status == VIRGA_OK && other != VIRGA_OK) *failure = later;
    return status == VIRGA_OK ? other : status;
}

static void describe(struct sequence_work *w) {
    struct export_progress *progress = &w->run->progress;
    progress->frames = frame_sequence_count(w->frames);
    progress->done = frame_folder_count(w->folder);
    progress->width = w->view.size[0];
    progress->height = w->view.size[1];
}

static int draw_into_folder(struct sequence_work *w, struct failure *failure) {
    int status = open_folder(w, failure);
    if (status != VIRGA_OK) return status;
    describe(w);
    export_progress_begin(&w->run->progress, clock_monotonic());
    listen_to_signals();
    if (w->run->progress.done < w->run->progress.frames)
        status = w->run->on_cluster ? sequence_cluster_draw(w, failure) : draw_here(w, failure);
    w->run->signal_number = status == VIRGA_CANCELLED ? sequence_signal() : 0;
    if (status == VIRGA_OK && export_progress_done(&w->run->progress, clock_monotonic()) != VIRGA_OK)
        status = failure_set(failure, VIRGA_IO, "nobody reads the progress any more");
    return status;
}

int sequence_export_run(struct sequence_export *run, struct failure *failure) {
    struct sequence_work *w = calloc(1, sizeof *w);
    if (!w) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    w->run = run;
    w->view = run->document->view;
    w->now = run->served_run ? run->served_now : clock_wall();
    signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of that write
    // First of all, so that where it gives way all threads and readers that are begun after it do, too.
    w->team = render_team_new(run->threads, run->config->background);
    int status = w->team ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "cannot start the threads");
    if (status == VIRGA_OK) status = app_init(&w->app, run->config, failure);
    if (status == VIRGA_OK) status = sequence_work_plan(w, failure);
    if (status == VIRGA_OK) status = run->served_run ? sequence_serve(w, failure) : draw_into_folder(w, failure);
    frame_folder_close(w->folder);
    frame_sequence_free(w->frames);
    picture_maker_free(w->maker);
    app_destroy(&w->app);
    render_team_free(w->team);
    free(w);
    return status;
}
