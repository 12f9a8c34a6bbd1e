// SPDX-License-Identifier: Apache-2.0
#include "source/reader_selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/confine.h"

static const size_t SELFTEST_MEMORY = (size_t)1 << 30;

static int try_network(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int try_local_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int try_read_file(void) { return open("/etc/passwd", O_RDONLY); }
static int try_read_by_number(void) { return (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }
static int try_write_file(void) { return open("/tmp/virga-reader-self-test", O_WRONLY | O_CREAT, 0600); }
static int try_list_folder(void) { return open("/", O_RDONLY | O_DIRECTORY); }
static int try_remove_file(void) { return errno = 0, unlink("/tmp/virga-reader-self-test") && errno == ENOENT ? 0 : -1; }
static int try_signal(void) { return kill(getppid(), 0); }
static int try_trace(void) { return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static int try_raise_limit(void) { return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); }

static int try_new_process(void) {
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
    if (pid == 0) _exit(0);
    return (int)pid;
}

static int try_run_program(void) {
    char *const argv[] = {"/bin/true", NULL}, *const environment[] = {NULL};
    return execve(argv[0], argv, environment);  // comes back only where it is denied
}

static int try_new_code(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int try_memory(void) {
    void *p = mmap(NULL, SELFTEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return -1;
    munmap(p, SELFTEST_MEMORY);
    return 0;
}

static const struct {
    const char *name;
    int (*attempt)(void);  // below 0: denied
} attempts[] = {
    {"network", try_network}, {"local sockets", try_local_socket}, {"reading a file", try_read_file},
    {"reading a file by system call", try_read_by_number}, {"writing a file", try_write_file},
    {"listing a folder", try_list_folder}, {"removing a file", try_remove_file}, {"signals to others", try_signal},
    {"tracing", try_trace}, {"changing limits", try_raise_limit}, {"new processes", try_new_process},
    {"running programs", try_run_program}, {"new code", try_new_code}, {"memory over the limit", try_memory},
};

int reader_selftest(void) {
    bool landlock = false;
    struct failure failure;
    int lent = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), allowed = 0;
    if (confine(SELFTEST_MEMORY, &landlock, &failure)) {
        printf("%s\n", failure.message);
        return 1;
    }
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        int denied = attempts[i].attempt() < 0;
        allowed += !denied;
        printf("%s: %s\n", attempts[i].name, denied ? "denied" : "ALLOWED");
    }
    char path[64], first[4];
    snprintf(path, sizeof path, "/proc/self/fd/%d", lent);
    FILE *f = fopen(path, "rb");
    int readable = f && fread(first, 1, 4, f) == 4 && first[1] == 'E';
    printf("a lent descriptor: %s\n", readable ? "readable" : "NOT READABLE");
    printf("Landlock: %s\n", landlock ? "in force" : "not in this kernel");
    fflush(stdout);
    return allowed || !readable;
}
