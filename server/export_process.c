// SPDX-License-Identifier: Apache-2.0
#include "server/export_process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/write_all.h"

enum { LINE = 4096, WORDS = 400, READS = 16, LEAST_NICE = 19, IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };

struct lines {  // of one pipe
    int fd;
    char text[LINE];
    size_t size;
    bool skipping;  // the rest of a line that is too long
};

struct export_process {
    pid_t pid;  // 0: it has been waited for
    int pidfd, status;
    struct export_brake *brake;  // or NULL
    struct lines out, err;
    char words[WORDS];
};

// What the child needs between vfork and exec.
struct prelude {
    const struct export_process_options *options;
    char *const *environment;
    int input, output, errors;
    pid_t parent;
};

// Settings of ours reach the child as arguments, all of them, so none may come another way.
static char **child_environment(void) {
    extern char **environ;
    size_t count = 0, n = 0;
    while (environ[count]) count++;
    char **list = calloc(count + 2, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        if (strncmp(environ[i], "VIRGA_", 6)) list[n++] = environ[i];
    static char no_file[] = "VIRGA_CONFIG=/dev/null";
    if (list) list[n] = no_file;
    return list;
}

// Of several processors one is left to viewers: a thread that gives way still leaves cold caches behind.
static void leave_a_processor(void) {
    cpu_set_t mine;
    size_t n = 0;
    if (sched_getaffinity(0, sizeof mine, &mine) || CPU_COUNT(&mine) < 2) return;
    while (!CPU_ISSET(n, &mine)) n++;
    CPU_CLR(n, &mine);
    sched_setaffinity(0, sizeof mine, &mine);
}

static void go_behind(void) {
    struct sched_param none = {0};
    leave_a_processor();
    setpriority(PRIO_PROCESS, 0, LEAST_NICE);  // where the other is refused, and for those who look at it
    sched_setscheduler(0, SCHED_IDLE, &none);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

// The child, in the parent's memory until it runs the program: nothing but system calls.
static _Noreturn void run_child(const struct prelude *p) {
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != p->parent) _exit(127);
    const struct rlimit no_core = {0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (p->options->background) go_behind();
    if (dup2(p->input, STDIN_FILENO) < 0 || dup2(p->output, STDOUT_FILENO) < 0 || dup2(p->errors, STDERR_FILENO) < 0) _exit(127);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(p->options->program, (char *const *)p->options->arguments, p->environment);
    _exit(127);
}

// vfork, as copying a large server's page tables would hold its threads up. Signals wait meanwhile: no handler of ours may run in the child.
static pid_t spawn(const struct prelude *prelude) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) run_child(prelude);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

// A file without a name that holds the text, to be read from its start; above the standard descriptors.
static int text_file(const char *text) {
    int fd = memfd_create("view", MFD_CLOEXEC);
    if (fd >= 0 && (write_all(fd, text, strlen(text)) || lseek(fd, 0, SEEK_SET))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void close_all(int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0) close(fds[i]);
}

int export_process_start(const struct export_process_options *options, struct export_process **out, struct failure *failure) {
    int fds[5] = {-1, -1, -1, -1, -1};  // input; output: ours, the child's; errors likewise
    struct export_process *process = *out = calloc(1, sizeof *process);
    char **environment = child_environment();
    int status = VIRGA_NO_MEMORY;
    if (!process || !environment) goto end;
    process->pidfd = -1;
    status = VIRGA_IO;
    if ((fds[0] = text_file(options->input)) < 0 || pipe2(fds + 1, O_CLOEXEC) || pipe2(fds + 3, O_CLOEXEC)) goto end;
    for (int i = 1; i < 5; i += 2) fcntl(fds[i], F_SETFL, O_NONBLOCK);
    const struct prelude prelude = {.options = options, .environment = environment, .input = fds[0], .output = fds[2], .errors = fds[4], .parent = getpid()};
    process->pid = spawn(&prelude);
    if (process->pid < 0) goto end;
    setpgid(process->pid, process->pid);  // both sides do, so that it is so before either goes on
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    process->brake = options->brake;
    if (process->brake) export_brake_add(process->brake, process->pid);
    process->out.fd = fds[1];
    process->err.fd = fds[3];
    fds[1] = fds[3] = -1;
    status = VIRGA_OK;
end:
    if (status == VIRGA_IO) failure_set(failure, status, "an export cannot be started: %s", strerror(errno));
    if (status == VIRGA_NO_MEMORY) failure_set(failure, status, "out of memory");
    close_all(fds, sizeof fds / sizeof *fds);
    free(environment);
    if (status) free(process);
    else *out = process;
    if (status) *out = NULL;
    return status;
}

void export_process_signal(struct export_process *process, int signal_number) {
    if (process->pid) kill(-process->pid, signal_number);
}

// Before it is waited for: its number is its own only until then.
static void leave_brake(struct export_process *process) {
    if (process->brake) export_brake_remove(process->brake, process->pid);
    process->brake = NULL;
}

bool export_process_ended(struct export_process *process, int *status) {
    if (process->pid) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid) return false;
        leave_brake(process);
        kill(-process->pid, SIGKILL);  // what it left behind in its group, whose number is its own until it is waited for
        if (waitpid(process->pid, &process->status, 0) < 0) process->status = 127 << 8;
        process->pid = 0;
    }
    *status = process->status;
    return true;
}

void export_process_free(struct export_process *process) {
    if (!process) return;
    if (process->pid) {
        leave_brake(process);
        export_process_signal(process, SIGKILL);
        while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR) continue;
    }
    int fds[] = {process->pidfd, process->out.fd, process->err.fd};
    close_all(fds, 3);
    free(process);
}

void export_process_fds(const struct export_process *process, struct pollfd fds[EXPORT_PROCESS_FDS]) {
    fds[0] = (struct pollfd){.fd = process->pidfd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = process->out.fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = process->err.fd, .events = POLLIN};
}

// Splits what has come into lines; one that is too long is left out.
static void take_text(struct lines *lines, const char *data, size_t size, void (*line)(void *user, const char *text), void *user) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n' && data[i]) {
            if (lines->size == LINE - 1) lines->skipping = true;
            else lines->text[lines->size++] = data[i];
            continue;
        }
        lines->text[lines->size] = '\0';
        if (!lines->skipping && lines->size) line(user, lines->text);
        lines->size = 0;
        lines->skipping = false;
    }
}

static void read_lines(struct lines *lines, void (*line)(void *user, const char *text), void *user) {
    char data[LINE];
    for (int i = 0; lines->fd >= 0 && i < READS; i++) {
        ssize_t n = read(lines->fd, data, sizeof data);
        if (n > 0) {
            take_text(lines, data, (size_t)n, line, user);
        } else if (n == 0) {
            close(lines->fd);
            lines->fd = -1;
        } else if (errno != EINTR) {
            break;
        }
    }
}

static void take_words(void *user, const char *text) {
    struct export_process *process = user;
    snprintf(process->words, sizeof process->words, "%.*s", WORDS - 1, text);
    utf8_clean(process->words);
    log_debug("export", "%s", process->words);
}

void export_process_read(struct export_process *process, void (*line)(void *user, const char *text), void *user) {
    read_lines(&process->out, line, user);
    read_lines(&process->err, take_words, process);
}

const char *export_process_words(const struct export_process *process) { return process->words; }
