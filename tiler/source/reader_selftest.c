// SPDX-License-Identifier: Apache-2.0
#include "source/reader_selftest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/confine.h"
#include "source/reader_broker.h"
#include "source/source_broker.h"
#include "source/source_channel.h"
#include "source/source_library.h"

static const size_t SELFTEST_MEMORY = (size_t)1 << 30;

// What the server would lend: a file, and a folder that holds a file "inside" and the links "out" and "up".
static int lent_file, lent_folder;

// A path within the lent folder, as libraries name it.
static const char *in_folder(const char *path) {
    static char text[128];
    snprintf(text, sizeof text, "/proc/self/fd/%d/%s", lent_folder, path);
    return text;
}

// A path that begins as the first of the libraries' folders does.
static const char *in_library(const char *path) {
    static char text[4200];
    const char *roots = source_library_roots();
    snprintf(text, sizeof text, "%.*s/%s", (int)strcspn(roots, ":"), roots, path);
    return text;
}

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

#ifndef VIRGA_SANITIZED
static int try_memory(void) {
    void *p = mmap(NULL, SELFTEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return -1;
    munmap(p, SELFTEST_MEMORY);
    return 0;
}
#endif

static int try_connect(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
    return errno = 0, connect(lent_file, (struct sockaddr *)&address, sizeof address) && errno == EPERM ? -1 : 0;
}

static int try_stat(void) {
    struct stat s;
    return stat("/etc/passwd", &s);
}

static int try_up(void) { return open(in_folder("../../../etc/passwd"), O_RDONLY); }
static int try_absolute(void) { return open(in_folder("/etc/passwd"), O_RDONLY); }
static int try_link_out(void) { return open(in_folder("out"), O_RDONLY); }
static int try_link_up(void) { return open(in_folder("up/etc/passwd"), O_RDONLY); }
static int try_write_inside(void) { return open(in_folder("inside"), O_RDWR); }
static int try_make_inside(void) { return open(in_folder("new"), O_WRONLY | O_CREAT, 0600); }
static int try_library_up(void) { return open(in_library("../../../../../../etc/passwd"), O_RDONLY); }
static int try_library_write(void) { return open(in_library("boot.def"), O_WRONLY); }

static const struct reader_selftest_attempt attempts[] = {
    {"network", try_network}, {"local sockets", try_local_socket}, {"connecting", try_connect}, {"reading a file", try_read_file},
    {"reading a file by system call", try_read_by_number}, {"looking at a file", try_stat}, {"writing a file", try_write_file},
    {"listing a folder", try_list_folder}, {"removing a file", try_remove_file}, {"signals to others", try_signal},
    {"tracing", try_trace}, {"changing limits", try_raise_limit}, {"new processes", try_new_process},
    {"running programs", try_run_program}, {"new code", try_new_code},
#ifndef VIRGA_SANITIZED  // in those builds the server watches the memory
    {"memory over the limit", try_memory},
#endif
    {"leaving a lent folder", try_up}, {"another path in a lent folder", try_absolute}, {"a link out of a lent folder", try_link_out},
    {"a link up from a lent folder", try_link_up}, {"writing in a lent folder", try_write_inside},
    {"a new file in a lent folder", try_make_inside}, {"leaving the libraries' folders", try_library_up},
    {"writing in the libraries' folders", try_library_write},
};

static bool readable(const char *path) {
    FILE *f = fopen(path, "rb");
    bool got = f && fgetc(f) != EOF;
    if (f) fclose(f);
    return got;
}

static bool listed(const char *path, const char *name) {
    DIR *folder = opendir(path);
    bool found = false;
    for (const struct dirent *e; folder && (e = readdir(folder));) found |= !strcmp(e->d_name, name);
    if (folder) closedir(folder);
    return found;
}

static int report(const char *what, bool works) {
    printf("%s: %s\n", what, works ? "readable" : "NOT READABLE");
    return !works;
}

static unsigned long long limit_of(int resource) {
    struct rlimit l;
    return getrlimit(resource, &l) ? 0 : (unsigned long long)l.rlim_cur;
}

// As they are here; how much memory a reader of the server gets, that one decides.
static void print_limits(void) {
#ifdef VIRGA_SANITIZED
    printf("memory: watched by the server alone in this build\n");
#else
    printf("memory: limited by the kernel, and watched by the server\n");
#endif
    printf("limits: %llu descriptors, files of %llu bytes, core dumps of %llu bytes\n", limit_of(RLIMIT_NOFILE), limit_of(RLIMIT_FSIZE),
           limit_of(RLIMIT_CORE));
    printf("CPU time: one thread within the time limit of a request; an idle reader that works is ended by the server\n");
}

int reader_selftest_attempts(const struct reader_selftest_attempt *list, size_t count) {
    int allowed = 0;
    for (size_t i = 0; i < count; i++) {
        bool denied = list[i].attempt() < 0;
        allowed += !denied;
        printf("%s: %s\n", list[i].name, denied ? "denied" : "ALLOWED");
    }
    return allowed;
}

// Confined; returns the exit status.
static int confined_tests(void) {
    bool landlock = false;
    struct failure failure;
    char lent[64];
    int wrong = 0;
    int version = confine_landlock_version();
    if (confine(SELFTEST_MEMORY, &landlock, &failure)) {
        printf("%s\n", failure.message);
        return 1;
    }
    wrong += reader_selftest_attempts(attempts, sizeof attempts / sizeof *attempts);
    snprintf(lent, sizeof lent, "/proc/self/fd/%d", lent_file);
    wrong += report("a lent descriptor", readable(lent));
    wrong += report("a file in a lent folder", readable(in_folder("inside")));
    wrong += report("a lent folder", listed(in_folder(""), "inside"));
    if (*source_library_roots()) wrong += report("ecCodes' definitions", readable(in_library("boot.def")));
    else printf("ecCodes' definitions: not installed\n");
    printf("seccomp: in force\n");
    if (landlock) printf("Landlock: in force, version %d\n", version);
    else printf("Landlock: MISSING: this kernel has none, or it is switched off; seccomp alone keeps paths from readers\n");
    print_limits();
    fflush(stdout);
    return wrong != 0;
}

void reader_selftest_serve(int socket, struct source_broker *broker) {
    static struct source_want want;
    static uint8_t body[SOURCE_MAX_WANT_BYTES];
    struct source_channel channel = {.socket = socket};
    uint8_t bytes[SOURCE_HEADER_BYTES];
    struct source_header header;
    struct source_frame frame;
    while (!source_channel_receive(&channel, bytes, sizeof bytes, NULL, NULL)) {
        int fd = -1;
        if (source_decode_header(bytes, &header) || header.body_bytes > sizeof body) return;
        if (source_channel_receive(&channel, body, header.body_bytes, NULL, NULL)) return;
        if (source_decode_want(body, header.body_bytes, &want)) return;
        int status = source_broker_open(broker, &want, &fd);
        if (source_encode_grant(header.request, status, &frame)) return;
        source_channel_send(&channel, frame.data, frame.size, &fd, status ? 0 : 1);
        source_frame_free(&frame);
        if (fd >= 0) close(fd);
    }
}

static bool make_folder(char *path) {
    char name[256];
    if (!mkdtemp(path)) return false;
    lent_folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = openat(lent_folder, "inside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool made = lent_folder >= 0 && file >= 0 && write(file, "x", 1) == 1;
    if (file >= 0) close(file);
    snprintf(name, sizeof name, "%s/out", path);
    made = !symlink("/etc/passwd", name) && made;
    snprintf(name, sizeof name, "%s/up", path);
    return !symlink("../..", name) && made;
}

static void remove_folder(const char *path) {
    static const char *const names[] = {"inside", "out", "up"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlinkat(lent_folder, names[i], 0);
    rmdir(path);
}

// What the confined child printed, on this process's own output: the child may not write to files.
static void pass_on(int from) {
    char text[4096];
    for (ssize_t n; (n = read(from, text, sizeof text)) > 0;) fwrite(text, 1, (size_t)n, stdout);
    fflush(stdout);
}

int reader_selftest(void) {
    char path[] = "/tmp/virga-reader-self-test-XXXXXX";
    int sockets[2], pipes[2], status = 1;
    lent_file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (!make_folder(path) || lent_file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) || pipe2(pipes, O_CLOEXEC)) {
        printf("the self-test cannot be set up: %s\n", strerror(errno));
        return 1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(sockets[0]);
        dup2(pipes[1], STDOUT_FILENO);
        reader_broker_begin(sockets[1], 1);
        _exit(confined_tests());
    }
    close(sockets[1]);
    close(pipes[1]);
    struct source_broker broker = {.folder = lent_folder};
    if (pid > 0) reader_selftest_serve(sockets[0], &broker);
    if (pid > 0) pass_on(pipes[0]);
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    if (!ended) printf("the confined reader ENDED EARLY\n");
    remove_folder(path);
    return ended ? WEXITSTATUS(status) : 1;
}
