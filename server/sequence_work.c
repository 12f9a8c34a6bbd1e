// SPDX-License-Identifier: Apache-2.0
#include "server/sequence_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "field/cf_time.h"
#include "render/frame_record.h"

static const char program[] = "virga " VIRGA_VERSION;

// --- What the view means in the forecast.

static int make_maker(struct sequence_work *w, struct failure *failure) {
    const struct config *config = w->run->config;
    char world[sizeof config->web_root + 32];
    snprintf(world, sizeof world, "%s/node_modules/world-atlas", config->web_root);
    struct picture_options options = {
        .catalog = w->app.catalog, .bricks = w->app.bricks, .team = w->team, .world_folder = world, .memory = config->cache_memory};
    return picture_maker_new(&options, &w->maker, failure);
}

static int not_a_step(const struct sequence_work *w, const char *rule, size_t nearest, struct failure *failure) {
    double hours = (w->resolved.times[nearest].seconds - w->resolved.dataset->runs[w->resolved.run].time.seconds) / 3600;
    return failure_set(failure, VIRGA_INVALID, "\"%s\" is not a step of this run; the nearest is %s (T%+.6g)", rule,
                       w->resolved.times[nearest].iso, hours);
}

// A frame_sequence_place.
static int place(void *context, const char *rule, bool between, double *out, struct failure *failure) {
    const struct sequence_work *w = context;
    const struct catalog_time *times = w->resolved.times;
    size_t step;
    double seconds;
    bool exact;
    int status = view_resolve_time(&w->resolved, rule, w->now, &step, &exact, failure);
    if (status == VIRGA_OK) status = view_resolve_seconds(&w->resolved, rule, w->now, &seconds, failure);
    if (status != VIRGA_OK) return status;
    *out = (double)step;
    if (exact) return VIRGA_OK;
    size_t before = step && seconds < times[step].seconds ? step - 1 : step;
    if (!between || seconds < times[0].seconds || before + 1 >= w->resolved.time_count) return not_a_step(w, rule, step, failure);
    *out = (double)before + (seconds - times[before].seconds) / (times[before + 1].seconds - times[before].seconds);
    return VIRGA_OK;
}

// The member that was asked for by its label; where the dataset is not there, its absence is told of later.
static int choose_member(struct sequence_work *w, struct failure *failure) {
    const struct catalog_dataset *dataset = w->run->member ? catalog_find_dataset(w->app.catalog, w->view.dataset) : NULL;
    unsigned member;
    if (!dataset) return VIRGA_OK;
    int status = view_resolve_member(&w->view, dataset, w->run->member, &member, failure);
    if (status != VIRGA_OK) return status;
    w->view.member = member;
    return export_document_set_member(w->run->document, member, failure);
}

// Whose frames this process draws for has chosen the run already.
static void take_run(struct sequence_work *w, const char *iso) { snprintf(w->view.run, sizeof w->view.run, "%s", iso); }

// A sequence of the latest run that was begun goes on with its own run when a later one has come.
static void stay_with_run(struct sequence_work *w) {
    const struct catalog_dataset *dataset = catalog_find_dataset(w->app.catalog, w->view.dataset);
    char *record = strcmp(w->view.run, "latest") || w->run->overwrite || !dataset ? NULL : frame_folder_record(w->run->pattern);
    char run[FRAME_RECORD_WORDS] = "";
    if (record) frame_record_run(record, program, w->run->document->root, run);
    free(record);
    int index = *run ? catalog_find_run(dataset, run) : -1;
    if (index < 0 || index == dataset->latest) return;
    take_run(w, dataset->runs[index].time.iso);
    w->stayed = true;
}

int sequence_work_plan(struct sequence_work *w, struct failure *failure) {
    const struct export_document *document = w->run->document;
    struct view_camera camera = document->view.camera;
    int status = make_maker(w, failure);
    if (status == VIRGA_OK) status = choose_member(w, failure);
    if (status != VIRGA_OK) return status;
    if (w->run->served_run) take_run(w, w->run->served_run);
    else stay_with_run(w);
    status = view_resolve(&w->view, w->app.catalog, &w->resolved, failure);
    if (status == VIRGA_OK && !document->sequence->key_count)
        status = picture_camera(w->maker, &w->view, &camera, failure);
    if (status != VIRGA_OK) return status;
    struct frame_sequence_options options = {
        .sequence = document->sequence, .view_time = document->view.time, .camera = &camera, .times = w->resolved.times,
        .time_count = w->resolved.time_count, .place = place, .context = w};
    status = frame_sequence_new(&options, &w->frames, failure);
    if (status == VIRGA_OK && !w->run->pattern->numbered && frame_sequence_count(w->frames) > 1)
        status = failure_set(failure, VIRGA_INVALID, "--out: %zu frames need a number in the file's name, such as %%04d.png",
                             frame_sequence_count(w->frames));
    return status;
}

// --- The record.

static const char *edition_of(const struct sequence_work *w, size_t run, size_t variable) {
    const struct catalog_series *series = &w->resolved.dataset->runs[run].series[variable];
    return series->present ? series->edition : "";
}

static int time_text(const struct sequence_work *w, const struct frame *frame, char text[CF_TIME_TEXT], struct failure *failure) {
    enum cf_calendar calendar = CALENDAR_STANDARD;
    cf_calendar_parse(w->resolved.layers[w->resolved.first].of->calendar, &calendar);
    int status = cf_time_text(calendar, frame_seconds(frame, w->resolved.times, w->resolved.time_count), text);
    return status == VIRGA_OK ? status : failure_set(failure, status, "a valid time cannot be written");
}

int sequence_work_record(const struct sequence_work *w, bool with_editions, char **text, struct failure *failure) {
    const char *editions[2 * VIEW_LAYERS_MAX + 1];
    char first[CF_TIME_TEXT], last[CF_TIME_TEXT];
    struct frame frame;
    const struct catalog_dataset *dataset = w->resolved.dataset;
    struct frame_record record = {
        .program = program, .frames = frame_sequence_count(w->frames), .first = first, .last = last,
        .run = dataset->runs[w->resolved.run].time.iso, .editions = editions, .view = w->run->document->root};
    for (size_t i = 0; with_editions && i < w->resolved.layer_count; i++) {
        const struct view_resolved_layer *layer = &w->resolved.layers[i];
        editions[record.edition_count++] = edition_of(w, w->resolved.run, layer->variable);
        if (layer->minus.series) editions[record.edition_count++] = edition_of(w, layer->minus.run, layer->minus.variable);
    }
    if (with_editions && dataset->terrain >= 0) editions[record.edition_count++] = edition_of(w, w->resolved.run, (size_t)dataset->terrain);
    frame_sequence_at(w->frames, 0, &frame);
    int status = time_text(w, &frame, first, failure);
    frame_sequence_at(w->frames, record.frames - 1, &frame);
    if (status == VIRGA_OK) status = time_text(w, &frame, last, failure);
    *text = status == VIRGA_OK ? frame_record_text(&record) : NULL;
    return status == VIRGA_OK && !*text ? failure_set(failure, VIRGA_NO_MEMORY, "out of memory") : status;
}

// --- The frames.

static unsigned terminal_columns(void) {
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

int sequence_work_tell(struct sequence_work *w, size_t index, size_t bytes, struct failure *failure) {
    char name[FRAME_NAME_TEXT];
    frame_pattern_name(w->run->pattern, index, name);
    unsigned columns = w->run->progress.kind == EXPORT_PROGRESS_BAR ? terminal_columns() : 0;
    if (export_progress_frame(&w->run->progress, clock_monotonic(), columns, index, name, bytes) == VIRGA_OK) return VIRGA_OK;
    return failure_set(failure, VIRGA_IO, "nobody reads the progress any more");
}

static void add_text(struct frame_picture *picture, const char *key, char *value) {
    picture->texts[picture->text_count].key = key;
    picture->texts[picture->text_count++].value = value;
}

static int add_texts(const struct sequence_work *w, const struct frame *frame, const struct picture_facts *facts, struct frame_picture *picture,
                     struct failure *failure) {
    const struct view *view = &w->run->document->view;
    const char *step = w->resolved.times[frame->step].iso;
    char between[CF_TIME_TEXT];
    int status = time_text(w, frame, between, failure);
    if (status != VIRGA_OK) return status;
    add_text(picture, "Title", strdup(view->captions.has_title ? view->captions.title : w->resolved.title));
    add_text(picture, "Software", strdup(program));
    add_text(picture, "virga:run", strdup(facts->run));
    add_text(picture, "virga:valid", strdup(facts->valid));
    add_text(picture, "virga:view",
             export_document_frame(w->run->document, facts->run, step, frame->blend > 0 ? between : NULL, &frame->camera));
    for (size_t i = 0; i < picture->text_count; i++)
        if (!picture->texts[i].value) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    return VIRGA_OK;
}

int sequence_work_draw(struct sequence_work *w, size_t index, struct frame_picture *picture, struct failure *failure) {
    struct frame frame;
    struct picture_facts facts;
    struct failure why = {0};
    frame_sequence_at(w->frames, index, &frame);
    export_document_round(&frame.camera);
    w->view.has_camera = true;
    w->view.camera = frame.camera;
    *picture = (struct frame_picture){.index = index};
    struct picture_moment moment = {.step = frame.step, .blend = frame.blend};
    int status = picture_draw(w->maker, &w->view, &moment, &picture->image, &facts, &why);
    w->run->degraded += status == VIRGA_OK && facts.degraded;
    if (status == VIRGA_OK) status = add_texts(w, &frame, &facts, picture, &why);
    if (status == VIRGA_OK) return status;
    frame_picture_destroy(picture);
    return failure_set(failure, status, "frame %zu (%s): %s", index, w->resolved.times[frame.step].iso, why.message);
}
