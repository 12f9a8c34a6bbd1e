// SPDX-License-Identifier: Apache-2.0
#include "render/frame_sequence.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const double SAME_SECONDS = 2;  // as render/view_resolve.c: leads are written with at most six decimals of an hour
static const double BLENDS = 4096;

struct frame_sequence {
    double fps, rate, orbit;
    size_t count;
    size_t place_count;  // of the times shown, in order
    double *places;      // in steps
    size_t key_count;
    struct camera_key *keys;
    struct view_camera camera;
};

static int wrong(struct failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(struct failure *failure, const char *format, ...) {
    char problem[sizeof failure->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);
    return failure_set(failure, VIRGA_INVALID, "%s", problem);
}

// The place of a rule; what is wrong with it is said with the field that holds it.
static int find(const struct frame_sequence_options *o, const char *field, const char *rule, bool between, double *place,
                struct failure *failure) {
    struct failure why = {0};
    int status = o->place(o->context, rule, between, place, &why);
    return status == VIRGA_OK ? status : failure_set(failure, status, "%s: %s", field, why.message);
}

static bool add_place(struct frame_sequence *f, double place) {
    if ((f->place_count & (f->place_count - 1)) == 0) {  // room for a power of two
        double *grown = realloc(f->places, (f->place_count ? 2 * f->place_count : 1) * sizeof *grown);
        if (!grown) return false;
        f->places = grown;
    }
    f->places[f->place_count++] = place;
    return true;
}

static int no_memory(struct failure *failure) { return failure_set(failure, VIRGA_NO_MEMORY, "sequence: out of memory"); }

static int take_list(struct frame_sequence *f, const struct frame_sequence_options *o, struct failure *failure) {
    for (size_t i = 0; i < o->sequence->time_count; i++) {
        char field[40];
        double place;
        snprintf(field, sizeof field, "sequence.times[%zu]", i);
        int status = find(o, field, o->sequence->list[i], o->sequence->fps > 0, &place, failure);
        if (status != VIRGA_OK) return status;
        if (!add_place(f, place)) return no_memory(failure);
    }
    return VIRGA_OK;
}

static size_t nearest(const struct frame_sequence_options *o, double seconds) {
    size_t best = 0;
    for (size_t t = 1; t < o->time_count; t++)
        if (fabs(o->times[t].seconds - seconds) < fabs(o->times[best].seconds - seconds)) best = t;
    return best;
}

// Steps of a span that are a whole number of `every` hours after its first; each must be there.
static int take_every(struct frame_sequence *f, const struct frame_sequence_options *o, size_t first, size_t last,
                      struct failure *failure) {
    for (size_t n = 0;; n++) {
        double hours = (double)n * o->sequence->every, seconds = o->times[first].seconds + 3600 * hours;
        if (seconds > o->times[last].seconds + SAME_SECONDS) return VIRGA_OK;
        size_t step = nearest(o, seconds);
        if (fabs(o->times[step].seconds - seconds) > SAME_SECONDS)
            return wrong(failure, "sequence.times.every: %g hours after %s is no step; the nearest is %s", hours, o->times[first].iso,
                         o->times[step].iso);
        if (!add_place(f, (double)step)) return no_memory(failure);
    }
}

static int take_span(struct frame_sequence *f, const struct frame_sequence_options *o, struct failure *failure) {
    double from, to;
    int status = find(o, "sequence.times.from", o->sequence->from, false, &from, failure);
    if (status == VIRGA_OK) status = find(o, "sequence.times.to", o->sequence->to, false, &to, failure);
    if (status != VIRGA_OK) return status;
    if (to < from) return wrong(failure, "sequence.times.to: expected a time that is not before the first");
    if (o->sequence->every > 0) return take_every(f, o, (size_t)from, (size_t)to, failure);
    for (size_t step = (size_t)from; step <= (size_t)to; step++)
        if (!add_place(f, (double)step)) return no_memory(failure);
    return VIRGA_OK;
}

static int take_times(struct frame_sequence *f, const struct frame_sequence_options *o, struct failure *failure) {
    double place;
    switch (o->sequence->times) {
    case SEQUENCE_LIST: return take_list(f, o, failure);
    case SEQUENCE_SPAN: return take_span(f, o, failure);
    case SEQUENCE_ALL:
        for (size_t step = 0; step < o->time_count; step++)
            if (!add_place(f, (double)step)) return no_memory(failure);
        return VIRGA_OK;
    case SEQUENCE_VIEW: break;
    }
    int status = find(o, "time", o->view_time, false, &place, failure);
    return status == VIRGA_OK && !add_place(f, place) ? no_memory(failure) : status;
}

// Frames that the last key of the camera's path asks for; 0 where it counts otherwise.
static double frames_of_path(const struct sequence *s) {
    const struct sequence_key *last = s->key_count ? &s->keys[s->key_count - 1] : NULL;
    if (!last || last->at == SEQUENCE_AT_TIME) return 0;
    return floor((last->at == SEQUENCE_AT_SECOND ? last->number * s->fps : last->number) + 1e-6) + 1;
}

static int count_frames(struct frame_sequence *f, const struct sequence *s, struct failure *failure) {
    double count = (double)f->place_count;
    if (f->place_count > 1) {
        if (s->frames)
            return wrong(failure, "sequence.frames: expected only where one time is shown, and here are %zu", f->place_count);
        if (s->fps > 0) count = floor((count - 1) * s->fps / s->rate + 1e-6) + 1;
    } else if (s->frames) {
        count = (double)s->frames;
    } else if (frames_of_path(s) > 0) {
        count = frames_of_path(s);
    } else if (s->orbit != 0) {
        return wrong(failure, "sequence.frames: missing; an orbit around a single time needs their number");
    }
    if (count > SEQUENCE_FRAMES_MAX)
        return failure_set(failure, VIRGA_TOO_LARGE, "sequence: %.0f frames are more than %d; show fewer times, or fewer frames a second",
                           count, SEQUENCE_FRAMES_MAX);
    f->count = (size_t)count;
    return VIRGA_OK;
}

// The frame, not always a whole number, that shows a place among the steps; the first where there are several. False: none does.
static bool frame_of_place(const struct frame_sequence *f, double place, double *frame) {
    double spacing = f->fps > 0 ? f->fps / f->rate : 1;
    for (size_t k = 0; k < f->place_count; k++) {
        double here = f->places[k], next = k + 1 < f->place_count && f->fps > 0 ? f->places[k + 1] : here;
        if (fabs(place - here) > 1e-9 && (place - here) * (place - next) > 0) continue;
        if (fabs(place - here) > 1e-9 && here == next) continue;
        *frame = ((double)k + (here == next ? 0 : (place - here) / (next - here))) * spacing;
        return true;
    }
    return false;
}

static int place_key(struct frame_sequence *f, const struct frame_sequence_options *o, size_t k, double *at,
                     struct failure *failure) {
    const struct sequence_key *key = &o->sequence->keys[k];
    char field[60];
    double place;
    *at = key->at == SEQUENCE_AT_SECOND ? key->number * f->fps : key->number;
    if (key->at != SEQUENCE_AT_TIME) return VIRGA_OK;
    snprintf(field, sizeof field, "sequence.camera_path[%zu].time", k);
    int status = find(o, field, key->time, f->fps > 0, &place, failure);
    if (status == VIRGA_OK && !frame_of_place(f, place, at)) status = wrong(failure, "%s: no frame shows %s", field, key->time);
    return status;
}

static int take_keys(struct frame_sequence *f, const struct frame_sequence_options *o, struct failure *failure) {
    size_t count = o->sequence->key_count;
    if (!count) return VIRGA_OK;
    f->keys = calloc(count, sizeof *f->keys);
    if (!f->keys) return no_memory(failure);
    for (f->key_count = 0; f->key_count < count; f->key_count++) {
        struct camera_key *key = &f->keys[f->key_count];
        key->camera = o->sequence->keys[f->key_count].camera;
        int status = place_key(f, o, f->key_count, &key->at, failure);
        if (status != VIRGA_OK) return status;
        if (f->key_count && !(key->at > key[-1].at))
            return wrong(failure, "sequence.camera_path[%zu]: expected a place after the one before (frame %g after frame %g)",
                         f->key_count, key->at, key[-1].at);
    }
    return VIRGA_OK;
}

// A way through its own target has no direction there.
static int check_cameras(const struct frame_sequence *f, struct failure *failure) {
    for (size_t i = 0; f->key_count && i < f->count; i++) {
        struct frame frame;
        frame_sequence_at(f, i, &frame);
        const double *eye = frame.camera.eye, *target = frame.camera.target;
        if (hypot(hypot(eye[0] - target[0], eye[1] - target[1]), eye[2] - target[2]) < 1e-6)
            return wrong(failure, "sequence.camera_path: the camera meets its target at frame %zu", i);
    }
    return VIRGA_OK;
}

int frame_sequence_new(const struct frame_sequence_options *options, struct frame_sequence **frames, struct failure *failure) {
    const struct sequence *s = options->sequence;
    struct frame_sequence *f = calloc(1, sizeof *f);
    *frames = NULL;
    if (!f) return no_memory(failure);
    *f = (struct frame_sequence){.fps = s->fps, .rate = s->rate, .orbit = s->orbit, .camera = *options->camera};
    int status = take_times(f, options, failure);
    if (status == VIRGA_OK) status = count_frames(f, s, failure);
    if (status == VIRGA_OK) status = take_keys(f, options, failure);
    if (status == VIRGA_OK) status = check_cameras(f, failure);
    if (status == VIRGA_OK) *frames = f;
    else frame_sequence_free(f);
    return status;
}

void frame_sequence_free(struct frame_sequence *f) {
    if (!f) return;
    free(f->places);
    free(f->keys);
    free(f);
}

size_t frame_sequence_count(const struct frame_sequence *f) { return f->count; }

// Where a frame is among the steps.
static double place_of_frame(const struct frame_sequence *f, size_t index) {
    if (f->place_count == 1) return f->places[0];
    double at = f->fps > 0 ? (double)index * f->rate / f->fps : (double)index;
    if (fabs(at - round(at)) < 1e-6) at = round(at);
    size_t k = (size_t)at;
    if (k + 1 >= f->place_count) return f->places[f->place_count - 1];
    return f->places[k] + (at - (double)k) * (f->places[k + 1] - f->places[k]);
}

void frame_sequence_at(const struct frame_sequence *f, size_t index, struct frame *frame) {
    double place = round(place_of_frame(f, index) * BLENDS) / BLENDS;
    frame->step = (size_t)place;
    frame->blend = place - (double)frame->step;
    if (f->key_count) camera_path_at(f->keys, f->key_count, (double)index, &frame->camera);
    else frame->camera = f->camera;
    camera_path_turn(&frame->camera, f->orbit * (double)index / (double)f->count);
}

double frame_seconds(const struct frame *frame, const struct catalog_time *times, size_t time_count) {
    double seconds = times[frame->step].seconds;
    if (frame->blend > 0 && frame->step + 1 < time_count) seconds += frame->blend * (times[frame->step + 1].seconds - seconds);
    return seconds;
}
