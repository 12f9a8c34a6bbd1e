// SPDX-License-Identifier: Apache-2.0
// Says how far opening many files has come: one line that is written over on a terminal, else a line in the log every few seconds.
// What is over in a moment says nothing. One thread at a time.
#ifndef VIRGA_SERVER_OPENING_PROGRESS_H
#define VIRGA_SERVER_OPENING_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct opening_progress {
    FILE *terminal;   // or NULL: to the log, at level info
    double next;      // seconds when the next word is due; 0 before the first
    bool shown;       // a line stands on the terminal
};

// `now`: seconds, never falling. Returns whether something was said.
bool opening_progress_at(struct opening_progress *progress, double now, size_t done, size_t total);
// The same now, as catalog_options has it.
void opening_progress_tell(void *progress, size_t done, size_t total);
// Clears the terminal's line.
void opening_progress_end(struct opening_progress *progress);

#endif
