// SPDX-License-Identifier: Apache-2.0
// One child process that speaks the source protocol: started, asked, watched and killed. The child's end of the socket is
// its descriptor 3; what it prints on stderr goes to the log at debug level. One thread calls at a time, except where noted.
#ifndef VIRGA_SOURCE_SOURCE_PROCESS_H
#define VIRGA_SOURCE_SOURCE_PROCESS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "source/source_protocol.h"

struct source_process;

struct source_process_options {
    const char *const *argv;  // argv[0] is the program's path; ends with NULL
    size_t memory_limit;      // bytes resident, shared memory counted, beyond which a child is killed
    double start_seconds;     // until it has said hello
    const atomic_bool *stop;  // or NULL; as a question's
};

struct source_answer;
struct source_broker;

struct source_question {
    struct source_frame frame;
    uint64_t request;
    int fds[2];
    int fd_count;
    double seconds;        // until the whole answer is here; what this process does not run does not count
    struct source_broker *broker;  // opens what the child wants meanwhile; NULL: it may want nothing
    size_t max_body;       // of an answer
    const char *about;     // the file's name, for messages
    bool reading;          // rather than listing
    // Called with an answer before the child is trusted again; VIRGA_INVALID where it makes no sense ends the child.
    int (*check)(void *context, struct source_answer *answer);
    void *context;
    const atomic_bool *stop;  // or NULL; once true, waiting ends: VIRGA_CANCELLED
};

enum source_end {           // how a child ended over a question
    SOURCE_END_NONE,        // it lives, or its end says nothing about the file
    SOURCE_END_OFFENCE,     // it crashed, gave up, broke the protocol or took too much memory
    SOURCE_END_LATE,
    SOURCE_END_KILLED,      // by somebody else: perhaps for want of memory
};

struct source_answer {
    struct source_header header;
    uint8_t *body;  // header.body_bytes long, freed by the caller with free()
    bool retire;    // set by `check`: the child is to be replaced though it answered
    enum source_end end;
};

// Starts the child and waits for its hello. The child is killed when the thread that calls this ends: call it from a
// thread that lives as long as the children.
int source_process_start(const struct source_process_options *options, struct source_process **process,
                         struct failure *failure);
// Kills and reaps. NULL allowed.
void source_process_free(struct source_process *process);
pid_t source_process_pid(const struct source_process *process);
// Seconds of CPU time that it has used, all threads together; 0 where that cannot be told. Any thread.
double source_process_cpu(const struct source_process *process);

// Asks and waits. VIRGA_OK with an answer that carries the question's number and is no longer than max_body (what it
// says is still to be decoded). Otherwise the child is dead on return: VIRGA_GONE (it died or broke the protocol),
// VIRGA_TIMED_OUT, VIRGA_TOO_LARGE (memory), VIRGA_NO_MEMORY (in this process), VIRGA_CANCELLED; VIRGA_AGAIN when it was dead before it was
// asked, so that another child may be. A code that `check` returned is passed on; VIRGA_INVALID becomes VIRGA_GONE.
int source_process_ask(struct source_process *process, const struct source_question *question,
                       struct source_answer *answer, struct failure *failure);

// The read end of the child's stderr, for poll, and logging what is there; returns false at its end. May be called by one
// thread while another asks.
int source_process_log_fd(const struct source_process *process);
bool source_process_log(struct source_process *process);

#endif
