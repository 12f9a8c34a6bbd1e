// SPDX-License-Identifier: Apache-2.0
// A process started as a child of this one: its end of a socket pair is its descriptor 3, its stderr a pipe to here, its stdin and stdout
// go nowhere. What is shared by readers (source_process.h) and the engine (source_engine.h). One thread at a time, but for the log.
#ifndef VIRGA_SOURCE_SOURCE_CHILD_H
#define VIRGA_SOURCE_SOURCE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/status.h"

struct source_child {
    pid_t pid;        // 0: none
    int pidfd;        // readable once it has ended; or -1
    int socket, log;  // this end of each; log never blocks
    bool group;       // it leads a process group of its own
    bool reaped;
    int wait_status;  // once reaped
};

struct source_child_options {
    const char *const *argv;  // argv[0] is the program's path; ends with NULL
    char *const *environment;
    // In a process group of its own, which is killed with it, and with no signal blocked. Else signals that a terminal or a service manager
    // sends to the whole group are blocked in it from its first moment: it ends when its socket closes.
    bool group;
};

// The child is told of its parent's death by the thread that calls this: call it from one that lives as long as the child. VIRGA_IO.
int source_child_start(const struct source_child_options *options, struct source_child *child, struct failure *failure);
void source_child_kill(struct source_child *child);  // it, or its group; also what is left of the group of one that ended but is not reaped
// Waits up to `milliseconds` for its end and takes its status. False: it does not end.
bool source_child_reap(struct source_child *child, int milliseconds);
// Closes what is open; the child is dead or to be left behind.
void source_child_close(struct source_child *child);
// Resident bytes of a process, shared memory counted; 0 where that cannot be told.
size_t source_child_resident(pid_t pid);

// Lines from a child's stderr, at most `most` in ten seconds.
struct source_child_lines {
    char text[512];
    size_t length;
    double window_start;
    unsigned window_lines, most;
    void (*take)(void *context, const char *line);  // without its end; longer ones in parts
    void *context;
};

// Takes what is there; false at the pipe's end (whatever was left is a line then).
bool source_child_read_lines(int log, struct source_child_lines *lines);

#endif
