// SPDX-License-Identifier: Apache-2.0
// The folder that a sequence of pictures is written into. A picture appears there whole or not at all: it is written under a temporary name,
// made durable, and renamed. A record beside them (".PATTERN.virga-export", see frame_record.h) says whose they are, so that a run that was
// killed is continued and one that was finished has nothing to do. What else is in the folder is left alone.
#ifndef VIRGA_RENDER_FRAME_FOLDER_H
#define VIRGA_RENDER_FRAME_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "render/frame_pattern.h"

struct frame_folder;

struct frame_folder_options {
    const struct frame_pattern *pattern;  // copied
    size_t frames;                        // numbered from 0
    const char *record;                   // of frame_record_text
    bool overwrite;                       // another export's frames of this pattern are removed first; without, they are a failure
};

// The record that is there before anything is opened, or NULL; the caller frees it.
char *frame_folder_record(const struct frame_pattern *pattern);

// Makes the folder where it is absent, removes what killed runs left half written, and takes the folder for this process alone. VIRGA_IO with
// words (it cannot be made or written to, another process has it, another export, other files, or what is no file of these names are in it), VIRGA_NO_MEMORY.
int frame_folder_open(const struct frame_folder_options *options, struct frame_folder **folder, struct failure *failure);
void frame_folder_close(struct frame_folder *folder);  // NULL is allowed

bool frame_folder_has(const struct frame_folder *folder, size_t index);
size_t frame_folder_count(const struct frame_folder *folder);  // how many are there

// Writes a frame; it is there, and stays after a power cut, when this returns VIRGA_OK. Otherwise nothing new is there: VIRGA_IO with words.
// One thread at a time; the functions above may run beside it for other frames.
int frame_folder_write(struct frame_folder *folder, size_t index, const uint8_t *bytes, size_t size, struct failure *failure);

// Removes the temporary file of a write that is under way in this process, if any. Async-signal-safe: for a process that is about to end.
void frame_folder_drop_temporary(void);

#endif
