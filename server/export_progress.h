// SPDX-License-Identifier: Apache-2.0
// Says how far an export has come: one line with a bar that is written over on a terminal, lines every few seconds elsewhere, or one JSON object
// a line for programs. Any thread, one call at a time.
#ifndef VIRGA_SERVER_EXPORT_PROGRESS_H
#define VIRGA_SERVER_EXPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/status.h"

enum export_progress_kind { EXPORT_PROGRESS_NONE, EXPORT_PROGRESS_BAR, EXPORT_PROGRESS_LINES, EXPORT_PROGRESS_JSON };

struct export_progress {
    enum export_progress_kind kind;
    FILE *out;              // stderr; stdout for JSON
    size_t frames, done, before;  // in all; there now; there at the start
    unsigned width, height;
    const char *where;      // the pattern, as given
    double began, next;     // seconds: of the start, and when the next word is due
    bool shown;             // a bar stands on the terminal
};

// "auto" (a bar where stderr is a terminal, else lines), "bar", "lines", "json", "none". VIRGA_INVALID.
int export_progress_parse(const char *name, bool terminal, enum export_progress_kind *kind);

// now: seconds, never falling. `columns` of the terminal; 0: not known.
// JSON: {"event": "begin", "frames": 360, "done": 12, "size": [1280, 720], "out": "frames/%04d.png"}
void export_progress_begin(struct export_progress *progress, double now);
// JSON: {"event": "frame", "frame": 12, "file": "0012.png", "bytes": 123456}. VIRGA_IO: nobody reads the JSON any more.
int export_progress_frame(struct export_progress *progress, double now, unsigned columns, size_t index, const char *file, size_t bytes);
// JSON: {"event": "done", "frames": 360, "written": 348, "seconds": 57.1}
int export_progress_done(struct export_progress *progress, double now);
// Clears the bar. JSON: {"event": "error", "message": "…"}
void export_progress_error(struct export_progress *progress, const char *message);

#endif
