// SPDX-License-Identifier: Apache-2.0
// Encodes and writes pictures on a thread of its own, in the order in which they are given, so that the next one is drawn meanwhile.
#ifndef VIRGA_RENDER_FRAME_WRITER_H
#define VIRGA_RENDER_FRAME_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "render/frame_folder.h"
#include "render/image.h"

enum { FRAME_TEXTS_MAX = 8 };

struct frame_writer;

struct frame_writer_options {
    struct frame_folder *folder;   // must outlive the writer
    enum image_format format;
    int quality;
    // Called on the writer's thread after a frame is there. Must not block for long. A failure ends the writer.
    int (*written)(void *context, size_t index, size_t bytes, struct failure *failure);
    void *context;
};

// A picture and what is written into its file: keys are static, values are the frame's own, from malloc.
struct frame_picture {
    size_t index;
    struct image image;
    size_t text_count;
    struct { const char *key; char *value; } texts[FRAME_TEXTS_MAX];
};

// NULL when out of memory or threads.
struct frame_writer *frame_writer_new(const struct frame_writer_options *options);
// Takes over the picture, whatever is returned, and leaves an empty one. Waits while two are waiting (one where they are large). The failure
// of an earlier frame, after which nothing more is written.
int frame_writer_put(struct frame_writer *writer, struct frame_picture *picture, struct failure *failure);
// Writes what is waiting, or drops it, ends the thread and frees the writer. The failure of any frame. NULL is allowed.
int frame_writer_finish(struct frame_writer *writer, bool drop, struct failure *failure);
// The file's bytes; the caller frees them. Any thread.
int frame_picture_encode(const struct frame_picture *picture, enum image_format format, int quality, uint8_t **bytes, size_t *size, struct failure *failure);
void frame_picture_destroy(struct frame_picture *picture);  // a zeroed one is allowed

#endif
