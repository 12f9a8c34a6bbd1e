// SPDX-License-Identifier: Apache-2.0
// A child that makes pictures: `virga export`. It has a process group of its own, ends with this server whatever happens to it, and never blocks us.
// Thread: the one that started it; when that thread ends, the child is killed.
#ifndef VIRGA_SERVER_EXPORT_PROCESS_H
#define VIRGA_SERVER_EXPORT_PROCESS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "server/export_brake.h"

enum { EXPORT_PROCESS_FDS = 3 };

struct export_process;

struct export_process_options {
    const char *program;
    const char *const *arguments;  // [0] is the name; NULL ends them
    const char *input;             // what it reads from its standard input
    bool background;               // only when nobody else wants the processor or the disk
    struct export_brake *brake;    // has it stand still while viewers wait, or NULL; outlives it
};

// VIRGA_IO or VIRGA_NO_MEMORY with words.
int export_process_start(const struct export_process_options *options, struct export_process **out, struct failure *failure);
// Kills the group where it still runs, waits for the child. NULL is allowed.
void export_process_free(struct export_process *process);
// What to wait for.
void export_process_fds(const struct export_process *process, struct pollfd fds[EXPORT_PROCESS_FDS]);
// Takes in what it has said; `line` gets each whole line of its standard output.
void export_process_read(struct export_process *process, void (*line)(void *user, const char *text), void *user);
// Whether it has ended; *status is as waitpid has it.
bool export_process_ended(struct export_process *process, int *status);
// Sends a signal to the whole group.
void export_process_signal(struct export_process *process, int signal_number);
// The last line that it wrote to its standard error, or "".
const char *export_process_words(const struct export_process *process);

#endif
