// SPDX-License-Identifier: Apache-2.0
// Names of numbered pictures: "frames/%04d.png". Pure, any thread.
#ifndef VIRGA_RENDER_FRAME_PATTERN_H
#define VIRGA_RENDER_FRAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "render/image.h"

enum { FRAME_FOLDER_TEXT = 4096, FRAME_NAME_TEXT = 256 };

struct frame_pattern {
    char folder[FRAME_FOLDER_TEXT];                    // without a slash at its end; "." where the pattern has none
    char before[FRAME_NAME_TEXT], after[FRAME_NAME_TEXT];  // the number in a file's name; all is `before` where it has none
    bool numbered;
    int digits;                                        // least; 0: no leading zeros
};

// The number is one %d or %04d (1 to 9 digits) in the file's name; %% stands for a percent sign; no other % may be there. A name without a
// number is that of a single picture. VIRGA_INVALID with what is wrong.
int frame_pattern_parse(const char *text, struct frame_pattern *pattern, struct failure *failure);
// A frame's name in the folder.
void frame_pattern_name(const struct frame_pattern *pattern, size_t index, char name[FRAME_NAME_TEXT]);
// The reverse, at most `most`. False for a name that is none of this pattern's.
bool frame_pattern_index(const struct frame_pattern *pattern, const char *name, size_t most, size_t *index);
// The format that the name's end says: .png, .jpg, .jpeg (letter case ignored). False: none of these.
bool frame_pattern_format(const struct frame_pattern *pattern, enum image_format *format);

#endif
