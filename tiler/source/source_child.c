// SPDX-License-Identifier: Apache-2.0
#include "source/source_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { CHILD_SOCKET = 3, LOG_WINDOW_SECONDS = 10 };

static void set_signals(posix_spawnattr_t *attributes, bool group) {
    static const int of_groups[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t blocked, defaults;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof of_groups / sizeof *of_groups && !group; i++) sigaddset(&blocked, of_groups[i]);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(attributes, &blocked);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (group ? POSIX_SPAWN_SETPGROUP : 0));
}

// Descriptors above 3 are all close-on-exec here; a library's that are not are closed with closefrom.
static int spawn(struct source_child *child, const struct source_child_options *options, int child_socket, int child_log) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    set_signals(&attributes, options->group);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, child_log, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_socket, CHILD_SOCKET);
    posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_SOCKET + 1);
    int error = posix_spawn(&child->pid, options->argv[0], &actions, &attributes, (char *const *)options->argv, options->environment);
    if (error) child->pid = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void close_one(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

int source_child_start(const struct source_child_options *options, struct source_child *child, struct failure *failure) {
    int sockets[2] = {-1, -1}, logs[2] = {-1, -1}, error = 0;
    *child = (struct source_child){.pidfd = -1, .socket = -1, .log = -1, .group = options->group};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) || pipe2(logs, O_CLOEXEC | O_NONBLOCK)) error = errno;
    // dup2 onto itself would leave close-on-exec set, so no end may be one of the child's own numbers.
    int child_socket = error ? -1 : fcntl(sockets[1], F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
    int child_log = error ? -1 : fcntl(logs[1], F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
    if (!error) error = child_socket < 0 || child_log < 0 ? errno : spawn(child, options, child_socket, child_log);
    close_one(&child_socket);
    close_one(&child_log);
    close_one(&sockets[1]);  // so that the child's death is seen as the end of the stream
    close_one(&logs[1]);
    if (error) {
        close_one(&sockets[0]);
        close_one(&logs[0]);
        return failure_set(failure, VIRGA_IO, "%s could not be started: %s", options->argv[0], strerror(error));
    }
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    child->socket = sockets[0];
    child->log = logs[0];
    return VIRGA_OK;
}

void source_child_kill(struct source_child *child) {
    if (child->pid > 0 && !child->reaped) kill(child->group ? -child->pid : child->pid, SIGKILL);
}

// Its number stays its own until it is waited for, so that its group can be ended before.
static bool has_ended(const struct source_child *child) {
    siginfo_t info = {0};
    int got = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return got ? errno != EINTR : info.si_pid == child->pid;
}

bool source_child_reap(struct source_child *child, int milliseconds) {
    double end = clock_monotonic() + milliseconds / 1000.0;
    while (child->pid > 0 && !child->reaped) {
        if (has_ended(child)) {
            if (child->group) source_child_kill(child);
            while (waitpid(child->pid, &child->wait_status, 0) < 0 && errno == EINTR) continue;
            child->reaped = true;
        } else {
            double left = end - clock_monotonic();
            if (left <= 0) return false;
            struct pollfd p = {.fd = child->pidfd, .events = POLLIN};
            poll(&p, 1, child->pidfd < 0 || left < 0.01 ? 10 : (int)(left * 1000));  // with no pidfd (-1) this only sleeps
        }
    }
    return true;
}

void source_child_close(struct source_child *child) {
    close_one(&child->socket);
    close_one(&child->log);
    close_one(&child->pidfd);
}

size_t source_child_resident(pid_t pid) {
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

static void end_line(struct source_child_lines *lines) {
    double now = clock_monotonic();
    if (now - lines->window_start > LOG_WINDOW_SECONDS) {
        lines->window_start = now;
        lines->window_lines = 0;
    }
    lines->text[lines->length] = '\0';
    if (lines->length && lines->window_lines++ < lines->most) lines->take(lines->context, lines->text);
    lines->length = 0;
}

bool source_child_read_lines(int log, struct source_child_lines *lines) {
    char text[1024];
    ssize_t n = read(log, text, sizeof text);
    for (ssize_t i = 0; i < n; i++) {
        if (text[i] == '\n' || lines->length + 1 >= sizeof lines->text) end_line(lines);
        if (text[i] != '\n') lines->text[lines->length++] = text[i];
    }
    if (n == 0) end_line(lines);
    return n > 0;
}
