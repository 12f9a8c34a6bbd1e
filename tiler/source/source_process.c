// SPDX-License-Identifier: Apache-2.0
#include "source/source_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "source/source_broker.h"
#include "source/source_channel.h"
#include "source/source_library.h"

enum { CHILD_SOCKET = 3, LOG_LINES = 20, LOG_WINDOW_SECONDS = 10, WATCH_MS = 20, REAP_MS = 2000 };

struct source_process {
    pid_t pid;
    int pidfd;   // or -1
    int socket, log;
    bool reaped;
    int wait_status;
    size_t memory_limit;
    char line[256];  // stderr so far; the logging thread's, as are the next three
    size_t line_length;
    double window_start;
    unsigned window_lines;
};

// A request under way, for source_channel_wait.
struct watch {
    struct source_process *process;
    double deadline;
    size_t resident;  // at the last look
    const atomic_bool *stop;
};

pid_t source_process_pid(const struct source_process *process) { return process->pid; }
int source_process_log_fd(const struct source_process *process) { return process->log; }

double source_process_cpu(const struct source_process *process) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(process->pid, &clock) || clock_gettime(clock, &used)) return 0;
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static size_t resident_bytes(pid_t pid) {
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = '\0';
    unsigned long long total, resident;
    if (sscanf(text, "%llu %llu", &total, &resident) != 2) return 0;
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static int watch_wait(void *context, int socket, short events) {
    struct watch *w = context;
    double left = w->deadline - clock_monotonic();
    if (w->stop && atomic_load(w->stop)) return VIRGA_CANCELLED;
    if (left <= 0) return VIRGA_TIMED_OUT;
    int ms = left * 1000 < WATCH_MS ? (int)(left * 1000) + 1 : WATCH_MS;
    struct pollfd p = {.fd = socket, .events = events};
    if (poll(&p, 1, ms) > 0) return VIRGA_OK;
    w->resident = resident_bytes(w->process->pid);
    return w->resident > w->process->memory_limit ? VIRGA_TOO_LARGE : VIRGA_OK;
}

// Waits up to REAP_MS for the child's end; a child stuck in the kernel is left behind.
static void process_reap(struct source_process *p) {
    for (int waited = 0; !p->reaped && waited <= REAP_MS; waited += 10) {
        pid_t got = waitpid(p->pid, &p->wait_status, WNOHANG);
        if (got == p->pid || (got < 0 && errno != EINTR)) p->reaped = true;
        if (p->reaped) return;
        struct pollfd end = {.fd = p->pidfd, .events = POLLIN};
        poll(&end, 1, 10);  // with no pidfd (-1) this only sleeps
    }
    if (!p->reaped) log_warning("source", "child %d does not end; left behind", (int)p->pid);
}

static void process_kill(struct source_process *p) {
    if (!p->reaped) kill(p->pid, SIGKILL);
}

void source_process_free(struct source_process *p) {
    if (!p) return;
    if (p->socket >= 0) close(p->socket);
    if (p->pid > 0) {
        process_kill(p);
        process_reap(p);
    }
    if (p->log >= 0) {
        while (source_process_log(p)) {
        }
        close(p->log);
    }
    if (p->pidfd >= 0) close(p->pidfd);
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

// Signals that a terminal or a service manager sends to the whole group stay blocked in the child from its first moment:
// it ends when its socket closes.
static void block_group_signals(posix_spawnattr_t *attributes) {
    sigset_t blocked, defaults;
    sigemptyset(&blocked);
    const int group[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof group / sizeof *group; i++) sigaddset(&blocked, group[i]);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(attributes, &blocked);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

// Descriptors above 3 are all close-on-exec here; a library's that are not are closed with closefrom.
static int process_spawn(struct source_process *p, const char *const *argv, int child_socket, int child_log) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment = child_environment();
    if (!environment) return ENOMEM;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    block_group_signals(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, child_log, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_socket, CHILD_SOCKET);
    posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_SOCKET + 1);
    int error = posix_spawn(&p->pid, argv[0], &actions, &attributes, (char *const *)argv, environment);
    if (error) p->pid = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free_environment(environment);
    return error;
}

static int receive_answer(struct source_process *p, struct watch *watch, size_t max_body, struct source_answer *answer) {
    struct source_channel channel = {.socket = p->socket, .wait = watch_wait, .context = watch};
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
    struct source_channel channel = {.socket = p->socket, .wait = watch_wait, .context = watch};
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
    struct watch watch = {.process = p, .deadline = clock_monotonic() + options->start_seconds, .stop = options->stop};
    struct source_answer answer = {0};
    struct source_hello hello;
    int status = receive_answer(p, &watch, SOURCE_MAX_REQUEST_BYTES, &answer);
    if (!status && (answer.header.kind != SOURCE_HELLO ||
                    source_decode_hello(answer.body, answer.header.body_bytes, &hello)))
        status = VIRGA_INVALID;
    free(answer.body);
    if (!status) {
        log_debug("source", "child %d: %s%s", (int)p->pid, hello.name, hello.landlock ? "" : " (no Landlock in this kernel)");
        return VIRGA_OK;
    }
    const char *why = status == VIRGA_TIMED_OUT ? "it did not answer in time" :
                      status == VIRGA_INVALID ? "it speaks another protocol" : "it ended at once";
    return failure_set(failure, VIRGA_IO, "%s could not be started: %s; is it installed beside the program, and of its version?",
                       options->argv[0], why);
}

int source_process_start(const struct source_process_options *options, struct source_process **process,
                         struct failure *failure) {
    int sockets[2] = {-1, -1}, logs[2] = {-1, -1}, status = VIRGA_OK;
    struct source_process *p = calloc(1, sizeof *p);
    *process = NULL;
    if (!p) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    *p = (struct source_process){.pidfd = -1, .socket = -1, .log = -1, .memory_limit = options->memory_limit};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) || pipe2(logs, O_CLOEXEC | O_NONBLOCK)) {
        status = failure_set(failure, VIRGA_IO, "%s could not be started: %s", options->argv[0], strerror(errno));
        goto out;
    }
    // dup2 onto itself would leave close-on-exec set, so no end may be one of the child's own numbers.
    int child_socket = fcntl(sockets[1], F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
    int child_log = fcntl(logs[1], F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
    int error = child_socket < 0 || child_log < 0 ? errno : process_spawn(p, options->argv, child_socket, child_log);
    if (child_socket >= 0) close(child_socket);
    if (child_log >= 0) close(child_log);
    if (error) {
        status = failure_set(failure, VIRGA_IO, "%s could not be started: %s", options->argv[0], strerror(error));
        goto out;
    }
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    p->socket = sockets[0];
    p->log = logs[0];
    sockets[0] = logs[0] = -1;
    close(sockets[1]);  // so that the child's death is seen as the end of the stream
    close(logs[1]);
    sockets[1] = logs[1] = -1;
    status = wait_for_hello(p, options, failure);
out:
    for (int i = 0; i < 2; i++) {
        if (sockets[i] >= 0) close(sockets[i]);
        if (logs[i] >= 0) close(logs[i]);
    }
    if (status) source_process_free(p);
    else *process = p;
    return status;
}

static int explain_end(struct source_process *p, const struct source_question *q, enum source_end *end, struct failure *failure) {
    process_kill(p);  // where only its socket is closed
    process_reap(p);
    *end = SOURCE_END_OFFENCE;
    if (p->reaped && WIFSIGNALED(p->wait_status) && WTERMSIG(p->wait_status) != SIGKILL)
        return failure_set(failure, VIRGA_GONE, "%s: the reader crashed (%s) on it; the file is probably malformed", q->about,
                           strsignal(WTERMSIG(p->wait_status)));
    if (p->reaped && WIFEXITED(p->wait_status))
        return failure_set(failure, VIRGA_GONE, "%s: the reader gave up on it (exit status %d); the file is probably malformed",
                           q->about, WEXITSTATUS(p->wait_status));
    *end = SOURCE_END_KILLED;
    return failure_set(failure, VIRGA_GONE, "%s: the reader was ended while it read it; try again, or see whether memory ran out",
                       q->about);
}

static int explain(struct source_process *p, const struct source_question *q, int status, size_t resident, enum source_end *end,
                   struct failure *failure) {
    if (status == VIRGA_GONE) return explain_end(p, q, end, failure);
    process_kill(p);
    process_reap(p);
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
    struct watch watch = {.process = p, .deadline = clock_monotonic() + q->seconds, .stop = q->stop};
    struct source_channel channel = {.socket = p->socket, .wait = watch_wait, .context = &watch};
    *answer = (struct source_answer){0};
    struct pollfd early = {.fd = p->socket, .events = POLLIN};
    int status = poll(&early, 1, 0) > 0 ? VIRGA_GONE : VIRGA_OK;  // nothing may come unasked
    if (!status) status = source_channel_send(&channel, q->frame.data, q->frame.size, q->fds, q->fd_count);
    if (status == VIRGA_GONE) {
        process_kill(p);
        process_reap(p);
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

// Logs the line so far, at most LOG_LINES in LOG_WINDOW_SECONDS.
static void log_child_line(struct source_process *p) {
    double now = clock_monotonic();
    if (now - p->window_start > LOG_WINDOW_SECONDS) {
        p->window_start = now;
        p->window_lines = 0;
    }
    p->line[p->line_length] = '\0';
    if (p->line_length && p->window_lines++ < LOG_LINES) log_debug("source", "child %d: %s", (int)p->pid, p->line);
    p->line_length = 0;
}

bool source_process_log(struct source_process *p) {
    char text[1024];
    ssize_t n = read(p->log, text, sizeof text);
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] == '\n' || p->line_length + 1 >= sizeof p->line) log_child_line(p);
        if (text[i] != '\n') p->line[p->line_length++] = text[i];
    }
    if (n == 0) log_child_line(p);
    return n > 0;
}
