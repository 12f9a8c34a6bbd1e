// SPDX-License-Identifier: Apache-2.0
#include "source/source_selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/source_pool.h"

enum { MOST_TEXT = 64 << 10 };
static const double SECONDS = 30;

// All that comes until the other end closes, cut off where it is too much. VIRGA_TIMED_OUT.
static int read_all(int fd, char *text) {
    const double deadline = clock_monotonic() + SECONDS;
    size_t size = 0;
    for (;;) {
        char rest[512];
        double left = deadline - clock_monotonic();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0) return VIRGA_TIMED_OUT;
        if (poll(&p, 1, (int)(left * 1000) + 1) <= 0) continue;
        ssize_t n = read(fd, rest, sizeof rest);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return VIRGA_OK;
        size_t kept = (size_t)n < MOST_TEXT - 1 - size ? (size_t)n : MOST_TEXT - 1 - size;
        memcpy(text + size, rest, kept);
        text[size += kept] = '\0';
    }
}

static int spawn(const char *program, int out, pid_t *pid) {
    const char *const argv[] = {program, "--self-test", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int error = posix_spawn(pid, program, &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int run(const char *program, char *text, bool *holds, struct failure *failure) {
    int pipes[2], end = 0;
    pid_t pid = 0;
    if (pipe2(pipes, O_CLOEXEC)) return failure_set(failure, VIRGA_IO, "%s: cannot be asked: %s", program, strerror(errno));
    int error = spawn(program, pipes[1], &pid);
    close(pipes[1]);
    int status = error ? failure_set(failure, VIRGA_IO, "%s: cannot be started: %s", program, strerror(error)) : VIRGA_OK;
    if (!error && read_all(pipes[0], text)) {
        status = failure_set(failure, VIRGA_TIMED_OUT, "%s: its self-test takes longer than %g s", program, SECONDS);
        kill(pid, SIGKILL);
    }
    close(pipes[0]);
    if (!error) waitpid(pid, &end, 0);
    if (!status && !*text) status = failure_set(failure, VIRGA_IO, "%s: its self-test says nothing", program);
    *holds = !status && WIFEXITED(end) && WEXITSTATUS(end) == 0;
    return status;
}

int source_selftest(const char *reader_path, char **text, bool *holds, struct failure *failure) {
    char *program = source_pool_reader_program(reader_path);
    *holds = false;
    *text = calloc(1, MOST_TEXT);
    int status = program && *text ? run(program, *text, holds, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    free(program);
    if (status) {
        free(*text);
        *text = NULL;
    }
    return status;
}
