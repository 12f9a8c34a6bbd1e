// SPDX-License-Identifier: Apache-2.0
// The member "sequence" of a view document: which pictures are made one after the other, along which way, and into which files. Checked
// and made plain; what it means in a forecast is in frame_sequence.h. web/view/view_sequence.js is its mirror in the page.
#ifndef VIRGA_RENDER_SEQUENCE_H
#define VIRGA_RENDER_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "render/document.h"
#include "render/image.h"
#include "render/view.h"

enum { SEQUENCE_TIMES_MAX = 1000, SEQUENCE_KEYS_MAX = 256, SEQUENCE_FRAMES_MAX = 100000 };

enum sequence_times {
    SEQUENCE_VIEW,  // the view's own time
    SEQUENCE_ALL,   // every step
    SEQUENCE_LIST,  // those of the list, in its order
    SEQUENCE_SPAN,  // from … to, both included
};

enum sequence_key_at { SEQUENCE_AT_FRAME, SEQUENCE_AT_SECOND, SEQUENCE_AT_TIME };

struct sequence_key {  // of the camera's path
    enum sequence_key_at at;
    double number;               // frame, or second of the film
    char time[VIEW_TIME_TEXT];   // or rule for time
    struct view_camera camera;
};

struct sequence {  // large: not for a thread's stack
    enum sequence_times times;
    size_t time_count;
    char list[SEQUENCE_TIMES_MAX][VIEW_TIME_TEXT];
    char from[VIEW_TIME_TEXT], to[VIEW_TIME_TEXT];
    double every;       // hours between the times of a span; 0: every step
    double fps;         // frames a second of film, with values between steps blended; 0: one frame a time
    double rate;        // times a second of film
    double orbit;       // degrees around the target in all, anticlockwise from above
    size_t frames;      // how many where one time is shown; 0: not said
    size_t key_count;   // 0: the view's camera
    struct sequence_key keys[SEQUENCE_KEYS_MAX];
    bool has_format;
    enum image_format format;
    int quality;        // JPEG, 1 to 100
};

// A document_check of the member's value; out: struct sequence.
int sequence_check(struct document *document, const json_t *value, void *out);
// The sequence of a whole view document of `n` bytes, as view_parse says; its other members are not looked at. Any thread.
int sequence_parse(const char *json, size_t n, struct sequence *out, struct failure *failure);

#endif
