// SPDX-License-Identifier: Apache-2.0
#include "source/source_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/source_broker.h"
#include "source/source_channel.h"
#include "source/source_child.h"
#include "source/source_library.h"

enum { LOG_LINES = 20, WATCH_MS = 20, REAP_MS = 2000 };

struct source_process {
    struct source_child child;
    size_t memory_limit;
    struct source_child_lines lines;  // the logging thread's
};

// A request under way, for source_channel_wait.
struct watch {
    struct source_process *process;
    double left;      // seconds
    double looked;    // when that was so
    size_t resident;  // at the last look
    const atomic_bool *stop;
};

pid_t source_process_pid(const struct source_process *process) { return process->child.pid; }
int source_process_log_fd(const struct source_process *process) { return process->child.log; }

double source_process_cpu(const struct source_process *process) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(process->child.pid, &clock) || clock_gettime(clock, &used)) return 0;
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static int watch_wait(void *context, int socket, short events) {
    struct watch *w = context;
    w->left -= clock_step(&w->looked, WATCH_MS * 1e-3);
    if (w->stop && atomic_load(w->stop)) return VIRGA_CANCELLED;
    if (w->left <= 0) return VIRGA_TIMED_OUT;
    int ms = w->left * 1000 < WATCH_MS ? (int)(w->left * 1000) + 1 : WATCH_MS;
    struct pollfd p = {.fd = socket, .events = events};
    if (poll(&p, 1, ms) > 0) return VIRGA_OK;
    w->resident = source_child_resident(w->process->child.pid);
    return w->resident > w->process->memory_limit ? VIRGA_TOO_LARGE : VIRGA_OK;
}

static void process_end(struct source_process *p) {
    source_child_kill(&p->child);
    if (!source_child_reap(&p->child, REAP_MS)) log_warning("source", "child %d does not end; left behind", (int)p->child.pid);
}

void source_process_free(struct source_process *p) {
    if (!p) return;
    if (p->child.socket >= 0) close(p->child.socket);
    p->child.socket = -1;
    process_end(p);
    while (p->child.log >= 0 && source_process_log(p)) {
    }
    source_child_close(&p->child);
    free(p);
}

// The child's environment: nothing of the server's but what locale, time zone and sanitizers need.
static char **child_environment(void) {
    // File locks would stop the model that writes the file; a file that changes is noticed by its identity. The last is for
    // sanitizer builds: an allocation that a malformed file asks for fails as in any other build, and no leak search, which
    // needs calls that are denied.
    static const char *const fixed[] = {"LC_ALL=C", "TZ=UTC", "HDF5_PLUGIN_PRELOAD=::", "HDF5_USE_FILE_LOCKING=FALSE",
                                        "ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0"};
    static const char *const passed[] = {"UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH"};
    size_t n = 0, most = sizeof fixed / sizeof *fixed + sizeof passed / sizeof *passed + 2;
    char **list = calloc(most, sizeof *list);
    for (size_t i = 0; list && i < sizeof fixed / sizeof *fixed; i++) {
        list[n] = strdup(fixed[i]);
        n += list[n] != NULL;
    }
    if (list && *source_library_roots()) {
        if (asprintf(&list[n], "ECCODES_DEFINITION_PATH=%s", source_library_roots()) >= 0) n++;
        else list[n] = NULL;
    }
    for (size_t i = 0; list && i < sizeof passed / sizeof *passed; i++) {
        const char *value = getenv(passed[i]);
        if (value && asprintf(&list[n], "%s=%s", passed[i], value) >= 0) n++;
        else list[n] = NULL;
    }
    return list;
}

static void free_environment(char **list) {
    for (char **e = list; e && *e; e++) free(*e);
    free(list);
}

static int receive_answer(struct source_process *p, struct watch *watch, size_t max_body, struct source_answer *answer) {
    struct source_channel channel = {.socket = p->child.socket, .wait = watch_wait, .context = watch};
    uint8_t header[SOURCE_HEADER_BYTES];
    int status = source_channel_receive(&channel, header, sizeof header, NULL, NULL);
    if (status) return status;
    if (source_decode_header(header, &answer->header) || answer->header.body_bytes > max_body) return VIRGA_INVALID;
    answer->body = malloc(answer->header.body_bytes + 1);
    if (!answer->body) return VIRGA_NO_MEMORY;
    status = source_channel_receive(&channel, answer->body, answer->header.body_bytes, NULL, NULL);
    if (status) {
        free(answer->body);
        answer->body = NULL;
    }
    return status;
}

// A WANT is answered; what breaks the protocol is VIRGA_INVALID.
static int grant_wanted(struct source_process *p, struct watch *watch, const struct source_question *q,
                        const struct source_answer *answer) {
    struct source_channel channel = {.socket = p->child.socket, .wait = watch_wait, .context = watch};
    struct source_want want;
    struct source_frame frame;
    int fd = -1;
    if (!q->broker || answer->header.request != q->request) return VIRGA_INVALID;
    if (source_decode_want(answer->body, answer->header.body_bytes, &want)) return VIRGA_INVALID;
    int opened = source_broker_open(q->broker, &want, &fd);
    if (opened == VIRGA_INVALID) return VIRGA_INVALID;
    int status = source_encode_grant(q->request, opened, &frame);
    if (!status) status = source_channel_send(&channel, frame.data, frame.size, &fd, opened ? 0 : 1);
    source_frame_free(&frame);
    if (fd >= 0) close(fd);
    return status;
}

// The answer, after whatever the child wants before it.
static int receive_final(struct source_process *p, struct watch *watch, const struct source_question *q,
                         struct source_answer *answer) {
    for (;;) {
        int status = receive_answer(p, watch, q->max_body, answer);
        if (status || answer->header.kind != SOURCE_WANT) return status;
        status = grant_wanted(p, watch, q, answer);
        free(answer->body);
        *answer = (struct source_answer){0};
        if (status) return status;
    }
}

static int wait_for_hello(struct source_process *p, const struct source_process_options *options, struct failure *failure) {
    struct watch watch = {.process = p, .left = options->start_seconds, .looked = clock_monotonic(), .stop = options->stop};
    struct source_answer answer = {0};
    struct source_hello hello;
    int status = receive_answer(p, &watch, SOURCE_MAX_REQUEST_BYTES, &answer);
    if (!status && (answer.header.kind != SOURCE_HELLO ||
                    source_decode_hello(answer.body, answer.header.body_bytes, &hello)))
        status = VIRGA_INVALID;
    free(answer.body);
    if (!status) {
        log_debug("source", "child %d: %s%s", (int)p->child.pid, hello.name, hello.landlock ? "" : " (no Landlock in this kernel)");
        return VIRGA_OK;
    }
    const char *why = status == VIRGA_TIMED_OUT ? "it did not answer in time" :
                      status == VIRGA_INVALID ? "it speaks another protocol" : "it ended at once";
    return failure_set(failure, VIRGA_IO, "%s could not be started: %s; is it installed beside the program, and of its version?",
                       options->argv[0], why);
}

static void log_line_of_child(void *context, const char *line) {
    const struct source_process *p = context;
    log_debug("source", "child %d: %s", (int)p->child.pid, line);
}

int source_process_start(const struct source_process_options *options, struct source_process **process,
                         struct failure *failure) {
    struct source_process *p = calloc(1, sizeof *p);
    char **environment = p ? child_environment() : NULL;
    *process = NULL;
    if (!environment) {
        free(p);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    *p = (struct source_process){.memory_limit = options->memory_limit, .lines = {.most = LOG_LINES, .take = log_line_of_child, .context = p}};
    int status = source_child_start(&(struct source_child_options){.argv = options->argv, .environment = environment}, &p->child, failure);
    free_environment(environment);
    if (!status) status = wait_for_hello(p, options, failure);
    if (status) source_process_free(p);
    else *process = p;
    return status;
}

static int explain_end(struct source_process *p, const struct source_question *q, enum source_end *end, struct failure *failure) {
    process_end(p);  // where only its socket is closed
    *end = SOURCE_END_OFFENCE;
    if (p->child.reaped && WIFSIGNALED(p->child.wait_status) && WTERMSIG(p->child.wait_status) != SIGKILL)
        return failure_set(failure, VIRGA_GONE, "%s: the reader crashed (%s) on it; the file is probably malformed", q->about,
                           strsignal(WTERMSIG(p->child.wait_status)));
    if (p->child.reaped && WIFEXITED(p->child.wait_status))
        return failure_set(failure, VIRGA_GONE, "%s: the reader gave up on it (exit status %d); the file is probably malformed",
                           q->about, WEXITSTATUS(p->child.wait_status));
    *end = SOURCE_END_KILLED;
    return failure_set(failure, VIRGA_GONE, "%s: the reader was ended while it read it; try again, or see whether memory ran out",
                       q->about);
}

static int explain(struct source_process *p, const struct source_question *q, int status, size_t resident, enum source_end *end,
                   struct failure *failure) {
    if (status == VIRGA_GONE) return explain_end(p, q, end, failure);
    process_end(p);
    switch (status) {
    case VIRGA_TIMED_OUT:
        *end = SOURCE_END_LATE;
        return failure_set(failure, status, "%s: reading it took longer than %g s and was stopped; the file is malformed, or "
                           "its disk slow", q->about, q->seconds);
    case VIRGA_TOO_LARGE:
        *end = SOURCE_END_OFFENCE;
        return failure_set(failure, status, "%s: reading it took more memory (%zu MiB) than a reader may use (%zu MiB)", q->about,
                           resident >> 20, p->memory_limit >> 20);
    case VIRGA_NO_MEMORY:
        return failure_set(failure, status, "%s: out of memory", q->about);
    case VIRGA_CANCELLED:
        return failure_set(failure, status, "%s: not read, the program is ending", q->about);
    default:
        *end = SOURCE_END_OFFENCE;
        return failure_set(failure, VIRGA_GONE, "%s: the reader broke its protocol on it and was stopped; the file is probably "
                           "malformed", q->about);
    }
}

int source_process_ask(struct source_process *p, const struct source_question *q, struct source_answer *answer,
                       struct failure *failure) {
    struct watch watch = {.process = p, .left = q->seconds, .looked = clock_monotonic(), .stop = q->stop};
    struct source_channel channel = {.socket = p->child.socket, .wait = watch_wait, .context = &watch};
    *answer = (struct source_answer){0};
    struct pollfd early = {.fd = p->child.socket, .events = POLLIN};
    int status = poll(&early, 1, 0) > 0 ? VIRGA_GONE : VIRGA_OK;  // nothing may come unasked
    if (!status) status = source_channel_send(&channel, q->frame.data, q->frame.size, q->fds, q->fd_count);
    if (status == VIRGA_GONE) {
        process_end(p);
        return VIRGA_AGAIN;
    }
    if (!status) status = receive_final(p, &watch, q, answer);
    if (!status && answer->header.request != q->request) status = VIRGA_INVALID;
    if (!status) status = q->check(q->context, answer);
    if (!status) return VIRGA_OK;
    free(answer->body);
    answer->body = NULL;
    return explain(p, q, status, watch.resident, &answer->end, failure);
}

bool source_process_log(struct source_process *p) { return source_child_read_lines(p->child.log, &p->lines); }
