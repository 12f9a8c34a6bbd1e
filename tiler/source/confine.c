// SPDX-License-Identifier: Apache-2.0
#include "source/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/status.h"

// A lower limit that is there already stays.
static int limit(int resource, rlim_t most) {
    struct rlimit l;
    if (getrlimit(resource, &l)) return VIRGA_IO;
    if (l.rlim_max < most) most = l.rlim_max;  // RLIM_INFINITY is the largest
    l = (struct rlimit){.rlim_cur = most, .rlim_max = most};
    return setrlimit(resource, &l) ? VIRGA_IO : VIRGA_OK;
}

static int confine_resources(size_t memory) {
    int status = limit(RLIMIT_CORE, 0);
    if (!status) status = limit(RLIMIT_FSIZE, 0);
    if (!status) status = limit(RLIMIT_NOFILE, 256);
#ifdef VIRGA_SANITIZED
    (void)memory;
#else
    if (!status) status = limit(RLIMIT_AS, memory);
#endif
    return status;
}

// Denies every access to the file system that this kernel's Landlock knows. Descriptors at hand keep working.
static bool confine_files(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return false;
    struct landlock_ruleset_attr rules = {.handled_access_fs = (1ULL << 13) - 1};  // of the first version
    if (version >= 2) rules.handled_access_fs |= 1ULL << 13;                       // link and rename across folders
    if (version >= 3) rules.handled_access_fs |= 1ULL << 14;                       // truncate
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (fd < 0) return false;
    bool done = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return done;
}

// The number in "/proc/self/fd/N", or -1.
static int lent_descriptor(const char *path) {
    static const char prefix[] = "/proc/self/fd/";
    int fd = 0;
    if (!path || strncmp(path, prefix, sizeof prefix - 1)) return -1;
    const char *c = path + sizeof prefix - 1;
    if (!*c) return -1;
    for (; *c; c++) {
        if (*c < '0' || *c > '9' || fd > 100000) return -1;
        fd = fd * 10 + (*c - '0');
    }
    return fd;
}

static long open_lent(const char *path, int flags) {
    int fd = lent_descriptor(path);
    if (fd < 0) return -ENOENT;
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))) return -EACCES;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 4);
    if (copy < 0) return -errno;
    return lseek(copy, 0, SEEK_SET) < 0 ? -errno : copy;
}

static long stat_lent(const char *path, struct stat *out) {
    int fd = lent_descriptor(path);
    if (fd < 0) return -ENOENT;
    return fstat(fd, out) ? -errno : 0;
}

// A call that takes a path, made by a library: answered here as confine.h says. Async-signal-safe.
static long answer_call(int call, const uintptr_t argument[4]) {
    switch (call) {
    case SYS_openat: return open_lent((const char *)argument[1], (int)argument[2]);
    case SYS_newfstatat: return stat_lent((const char *)argument[1], (struct stat *)argument[2]);
#ifdef SYS_open
    case SYS_open: return open_lent((const char *)argument[0], (int)argument[1]);
    case SYS_stat:
    case SYS_lstat: return stat_lent((const char *)argument[0], (struct stat *)argument[1]);
    case SYS_access: return lent_descriptor((const char *)argument[0]) < 0 ? -ENOENT : 0;
    case SYS_readlink: return lent_descriptor((const char *)argument[0]) < 0 ? -ENOENT : -EINVAL;
#endif
    case SYS_faccessat: return lent_descriptor((const char *)argument[1]) < 0 ? -ENOENT : 0;
    case SYS_readlinkat: return lent_descriptor((const char *)argument[1]) < 0 ? -ENOENT : -EINVAL;
    default: return -EPERM;
    }
}

static void on_trapped_call(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    ucontext_t *machine = context;
    int saved = errno;
#if defined(__x86_64__)
    greg_t *r = machine->uc_mcontext.gregs;
    const uintptr_t argument[4] = {(uintptr_t)r[REG_RDI], (uintptr_t)r[REG_RSI], (uintptr_t)r[REG_RDX], (uintptr_t)r[REG_R10]};
    r[REG_RAX] = answer_call(info->si_syscall, argument);
#elif defined(__aarch64__)
    unsigned long long *r = machine->uc_mcontext.regs;
    const uintptr_t argument[4] = {(uintptr_t)r[0], (uintptr_t)r[1], (uintptr_t)r[2], (uintptr_t)r[3]};
    r[0] = (unsigned long long)answer_call(info->si_syscall, argument);
#else
#error "confine.c knows the system call registers of x86_64 and aarch64 only"
#endif
    errno = saved;
}

static const int allowed_calls[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(fadvise64),
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mincore),
    SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(getrandom), SCMP_SYS(getcwd), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
    SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static const int trapped_calls[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat),
};

// Adds one rule; calls that this machine does not have are passed over.
static int rule(scmp_filter_ctx filter, uint32_t action, int call, unsigned count, const struct scmp_arg_cmp *conditions) {
    if (call < 0) return 0;
    return seccomp_rule_add_array(filter, action, call, count, conditions);
}

static int conditional_rules(scmp_filter_ctx filter) {
    const struct scmp_arg_cmp no_code[] = {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)};
    const struct scmp_arg_cmp by_descriptor[] = {SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)};
    const struct scmp_arg_cmp by_path[] = {SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0)};
    const struct scmp_arg_cmp only_asks[] = {SCMP_A2(SCMP_CMP_EQ, 0)};
    const struct scmp_arg_cmp itself[] = {SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())};
    static const int descriptor_commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_GETLK, F_SETLK};
    int error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code);
    if (!error) error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
    if (!error) error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, by_descriptor);
    if (!error) error = rule(filter, SCMP_ACT_TRAP, SCMP_SYS(newfstatat), 1, by_path);
    if (!error) error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, only_asks);
    if (!error) error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, itself);
    for (size_t i = 0; !error && i < sizeof descriptor_commands / sizeof *descriptor_commands; i++) {
        const struct scmp_arg_cmp command[] = {SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)descriptor_commands[i])};
        error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, command);
    }
    return error;
}

// Everything else fails with EPERM: libraries try much that they can do without.
static int confine_calls(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) return VIRGA_NO_MEMORY;
    int error = 0;
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree; where the library is too old, a list does as well
    for (size_t i = 0; !error && i < sizeof allowed_calls / sizeof *allowed_calls; i++)
        error = rule(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0, NULL);
    for (size_t i = 0; !error && i < sizeof trapped_calls / sizeof *trapped_calls; i++)
        error = rule(filter, SCMP_ACT_TRAP, trapped_calls[i], 0, NULL);
    if (!error) error = conditional_rules(filter);
    if (!error) error = seccomp_load(filter);
    seccomp_release(filter);
    return error ? VIRGA_IO : VIRGA_OK;
}

int confine(size_t memory, bool *landlock, struct failure *failure) {
    struct sigaction trapped = {.sa_sigaction = on_trapped_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSYS, &trapped, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return failure_set(failure, VIRGA_IO, "cannot be confined: %s", strerror(errno));
    if (confine_resources(memory)) return failure_set(failure, VIRGA_IO, "limits cannot be set: %s", strerror(errno));
    *landlock = confine_files();
    if (confine_calls()) return failure_set(failure, VIRGA_IO, "this kernel does not take a seccomp filter");
    return VIRGA_OK;
}
