// SPDX-License-Identifier: Apache-2.0
// What a view's sequence means in a forecast: for each frame the step, the share of the next one, and the camera. Pure; any thread.
#ifndef VIRGA_RENDER_FRAME_SEQUENCE_H
#define VIRGA_RENDER_FRAME_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "field/catalog.h"
#include "render/camera_path.h"
#include "render/sequence.h"

struct frame_sequence;

// Where a rule for time is among the steps, counted in steps from the first: 2.25 is a quarter of the way from the third to the fourth.
// Where `between` is false, only a step itself will do. VIRGA_OK, or VIRGA_INVALID with a message that says what is there instead, such
// as ""T+99" is not a step; the nearest is T+36 (…)".
typedef int frame_sequence_place(void *context, const char *rule, bool between, double *place, struct failure *failure);

struct frame_sequence_options {
    const struct sequence *sequence;
    const char *view_time;              // the view's rule, for a sequence without times
    const struct view_camera *camera;   // without a path
    const struct catalog_time *times;   // of the steps
    size_t time_count;                  // at least 1
    frame_sequence_place *place;
    void *context;
};

struct frame {
    size_t step;
    double blend;  // share of the next step, in 4096ths, so that a frame's valid time, written to the millisecond, finds it again
    struct view_camera camera;
};

// Nothing of the options is kept. VIRGA_INVALID with a message that begins with the view's field ("sequence.times[2]: …"),
// VIRGA_TOO_LARGE (more than SEQUENCE_FRAMES_MAX frames), VIRGA_NO_MEMORY.
int frame_sequence_new(const struct frame_sequence_options *options, struct frame_sequence **frames, struct failure *failure);
void frame_sequence_free(struct frame_sequence *frames);  // NULL is allowed
size_t frame_sequence_count(const struct frame_sequence *frames);  // at least 1
// index < count.
void frame_sequence_at(const struct frame_sequence *frames, size_t index, struct frame *frame);
// The valid time of a frame, as catalog_time counts it.
double frame_seconds(const struct frame *frame, const struct catalog_time *times, size_t time_count);

#endif
