// SPDX-License-Identifier: Apache-2.0
// The record that stands beside the frames of a sequence: all that their bytes depend on, so that a later run knows whether those that are
// there are its own. A JSON text, the same bytes for the same facts. Pure, any thread.
#ifndef VIRGA_RENDER_FRAME_RECORD_H
#define VIRGA_RENDER_FRAME_RECORD_H

#include <jansson.h>
#include <stddef.h>

enum { FRAME_RECORD_MAX = 1 << 20, FRAME_RECORD_WORDS = 120 };

struct frame_record {
    const char *program;            // what draws, with its version
    size_t frames;
    const char *run, *first, *last; // reference time; valid times of the first and last frame
    const char *const *editions;    // of what is shown: they change when its files do
    size_t edition_count;
    const json_t *view;             // the whole document, defaults as they were written; borrowed
};

// The caller frees it; NULL when out of memory.
char *frame_record_text(const struct frame_record *record);
// How many frames a record says, at most `most`; 0 where it is none.
size_t frame_record_frames(const char *text, size_t most);
// The run that a record of this program and view has ("" where it is another's): a view of the latest run that was begun goes on with it.
void frame_record_run(const char *text, const char *program, const json_t *view, char run[FRAME_RECORD_WORDS]);
// What sets an older record apart from a new one, to go after "another export, which": "shows another view (its camera)", "was made of files
// that have changed since". "" where they are the same.
void frame_record_difference(const char *old, const char *text, char words[FRAME_RECORD_WORDS]);

#endif
