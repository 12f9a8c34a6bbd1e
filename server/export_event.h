// SPDX-License-Identifier: Apache-2.0
// What `virga export --progress json` says, one JSON object a line. Pure: any thread.
#ifndef VIRGA_SERVER_EXPORT_EVENT_H
#define VIRGA_SERVER_EXPORT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum export_event_kind { EXPORT_EVENT_NONE, EXPORT_EVENT_BEGIN, EXPORT_EVENT_FRAME, EXPORT_EVENT_DONE, EXPORT_EVENT_ERROR };

struct export_event {
    enum export_event_kind kind;
    uint32_t frames;         // begin: how many in all
    uint32_t width, height;  // begin; 0: not said
    uint32_t number;         // frame: which
    char message[400];       // error
};

// False (and EXPORT_EVENT_NONE) for a line that is none of these.
bool export_event_parse(const char *line, struct export_event *event);

#endif
