// SPDX-License-Identifier: Apache-2.0
// View documents, as a page or a pin sends them, and what their sequences mean.
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "render/frame_sequence.h"
#include "render/view.h"

// Rules are taken by their last digits.
static int place(void *context, const char *rule, bool between, double *place, struct failure *failure) {
    (void)context, (void)failure;
    *place = (double)(strtoul(rule + (*rule ? 1 : 0), NULL, 10) % 40) / (between ? 13 : 1);
    return *place < 4 ? VIRGA_OK : VIRGA_INVALID;
}

static void look_at_frames(const struct view *view, const struct sequence *sequence) {
    static const struct catalog_time times[4] = {{"a", 0}, {"b", 3600}, {"c", 7200}, {"d", 18000}};
    struct frame_sequence *frames;
    struct failure failure;
    struct frame frame;
    const struct frame_sequence_options options = {
        .sequence = sequence, .view_time = view->time, .camera = &view->camera, .times = times, .time_count = 4, .place = place};
    if (frame_sequence_new(&options, &frames, &failure)) return;
    size_t count = frame_sequence_count(frames);
    if (!count || count > SEQUENCE_FRAMES_MAX) abort();
    for (size_t i = 0; i < count; i += 1 + count / 100) {
        frame_sequence_at(frames, i, &frame);
        if (frame.step > 3 || !(frame.blend >= 0 && frame.blend < 1) || (frame.step == 3 && frame.blend > 0)) abort();
    }
    frame_sequence_free(frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct failure failure;
    struct view *view = malloc(sizeof *view);
    struct sequence *sequence = malloc(sizeof *sequence);
    if (view && sequence && !view_parse((const char *)bytes, size, view, &failure)) {
        if (view->layer_count > VIEW_LAYERS_MAX || sequence_parse((const char *)bytes, size, sequence, &failure)) abort();
        look_at_frames(view, sequence);
    }
    free(sequence);
    free(view);
    return 0;
}
