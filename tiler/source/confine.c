// SPDX-License-Identifier: Apache-2.0
#include "source/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/status.h"
#include "source/reader_broker.h"
#include "source/source_library.h"

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

int confine_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 1 ? 0 : (int)version;
}

// Denies every access to the file system that this kernel's Landlock knows. Descriptors at hand keep working.
static bool confine_files(void) {
    int version = confine_landlock_version();
    if (!version) return false;
    struct landlock_ruleset_attr rules = {.handled_access_fs = (1ULL << 13) - 1};  // of the first version
    if (version >= 2) rules.handled_access_fs |= 1ULL << 13;                       // link and rename across folders
    if (version >= 3) rules.handled_access_fs |= 1ULL << 14;                       // truncate
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (fd < 0) return false;
    bool done = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return done;
}

// Where a path that a library names lies.
enum place_kind {
    PLACE_NOWHERE,
    PLACE_LENT,     // "/proc/self/fd/N": descriptor N itself
    PLACE_INSIDE,   // "/proc/self/fd/N/path": inside the folder that was lent with the request
    PLACE_LIBRARY,  // below a folder of source_library.h
};

struct place {
    enum place_kind kind;
    int fd;            // PLACE_LENT
    const char *path;  // as reader_broker_want takes it
};

static const char *library_roots = "";
static bool network;          // of a reader of OPeNDAP
static int nothing_kept = -1; // /dev/null, open for both ways

static struct place place_of(const char *path) {
    static const char prefix[] = "/proc/self/fd/";
    static const struct place nowhere = {PLACE_NOWHERE, -1, NULL};
    const char *root;
    size_t length;
    int fd = 0;
    if (!path) return nowhere;
    if (strncmp(path, prefix, sizeof prefix - 1)) {
        bool below = source_library_below(library_roots, path, &root, &length) != NULL ||
                     (network && (!strcmp(path, source_library_certificates()) ||
                                  source_library_below(source_library_certificates(), path, &root, &length)));
        return below ? (struct place){PLACE_LIBRARY, -1, path} : nowhere;
    }
    const char *digits = path + sizeof prefix - 1, *c = digits;
    for (; *c >= '0' && *c <= '9' && fd <= 100000; c++) fd = fd * 10 + (*c - '0');
    if (c == digits || (*c && *c != '/')) return nowhere;
    if (!*c) return (struct place){PLACE_LENT, fd, NULL};
    return (struct place){PLACE_INSIDE, -1, c + strspn(c, "/")};
}

static long copy_lent(int fd) {
    struct stat s;
    if (fstat(fd, &s)) return -ENOENT;
    if (S_ISDIR(s.st_mode)) return reader_broker_want(SOURCE_INSIDE, "");  // a copy would share its place in the list
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 4);
    if (copy < 0) return -errno;
    return lseek(copy, 0, SEEK_SET) < 0 ? -errno : copy;
}

static long open_place(const char *path) {
    struct place p = place_of(path);
    switch (p.kind) {
    case PLACE_LENT: return copy_lent(p.fd);
    case PLACE_INSIDE: return reader_broker_want(SOURCE_INSIDE, p.path);
    case PLACE_LIBRARY: return reader_broker_want(SOURCE_LIBRARY, p.path);
    default: return -ENOENT;
    }
}

// The jar that netCDF-C makes for cookies in the folder for temporary files, whatever it is told.
static bool is_cookie_jar(const char *path) { return network && path && strstr(path, "/occookie") != NULL; }

static long answer_open(const char *path, int flags) {
    struct stat s;
    if (is_cookie_jar(path)) return fcntl(nothing_kept, F_DUPFD_CLOEXEC, 4);
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))) return -EACCES;
    long fd = open_place(path);
    if (fd < 0 || !(flags & O_DIRECTORY) || (!fstat((int)fd, &s) && S_ISDIR(s.st_mode))) return fd;
    close((int)fd);
    return -ENOTDIR;
}

static long answer_stat(const char *path, struct stat *out) {
    struct place p = place_of(path);
    if (p.kind == PLACE_LENT) return fstat(p.fd, out) ? -ENOENT : 0;
    long fd = open_place(path);
    if (fd < 0) return fd;
    long result = fstat((int)fd, out) ? -errno : 0;
    close((int)fd);
    return result;
}

static long answer_access(const char *path, int mode) {
    struct stat s;
    long result = answer_stat(path, &s);
    return result ? result : mode & W_OK ? -EACCES : 0;
}

// Nothing that can be named is a link.
static long answer_readlink(const char *path) {
    struct stat s;
    long result = answer_stat(path, &s);
    return result ? result : -EINVAL;
}

// --- the network of a reader of OPeNDAP: the proxy's socket pairs, dressed as connections --------------------------------

static long answer_socket(int domain, int type) {
    if (domain != AF_INET || (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM) return -EAFNOSUPPORT;
    return reader_broker_want(SOURCE_NETWORK, "");
}

static long answer_name(struct sockaddr *out, socklen_t *size) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (!out || !size) return -EFAULT;
    memcpy(out, &name, *size < sizeof name ? *size : sizeof name);
    *size = sizeof name;
    return 0;
}

static long answer_option(void *value, socklen_t *size) {
    if (!value || !size) return -EFAULT;
    memset(value, 0, *size < sizeof(int) ? *size : sizeof(int));
    *size = sizeof(int);
    return 0;
}

// A call made by a library: answered here as confine.h says. Async-signal-safe.
static long answer_call(int call, const uintptr_t argument[5]) {
    switch (call) {
    case SYS_socket: return answer_socket((int)argument[0], (int)argument[1]);
    case SYS_connect:
    case SYS_setsockopt: return 0;
    case SYS_getsockname:
    case SYS_getpeername: return answer_name((struct sockaddr *)argument[1], (socklen_t *)argument[2]);
    case SYS_getsockopt: return answer_option((void *)argument[3], (socklen_t *)argument[4]);
    case SYS_openat: return answer_open((const char *)argument[1], (int)argument[2]);
    case SYS_newfstatat: return answer_stat((const char *)argument[1], (struct stat *)argument[2]);
#ifdef SYS_open
    case SYS_open: return answer_open((const char *)argument[0], (int)argument[1]);
    case SYS_stat:
    case SYS_lstat: return answer_stat((const char *)argument[0], (struct stat *)argument[1]);
    case SYS_access: return answer_access((const char *)argument[0], (int)argument[1]);
    case SYS_readlink: return answer_readlink((const char *)argument[0]);
#endif
    case SYS_faccessat: return answer_access((const char *)argument[1], (int)argument[2]);
    case SYS_readlinkat: return answer_readlink((const char *)argument[1]);
    default: return -EPERM;
    }
}

static void on_trapped_call(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    ucontext_t *machine = context;
    int saved = errno;
#if defined(__x86_64__)
    greg_t *r = machine->uc_mcontext.gregs;
    const uintptr_t argument[5] = {(uintptr_t)r[REG_RDI], (uintptr_t)r[REG_RSI], (uintptr_t)r[REG_RDX], (uintptr_t)r[REG_R10],
                                   (uintptr_t)r[REG_R8]};
    r[REG_RAX] = answer_call(info->si_syscall, argument);
#elif defined(__aarch64__)
    unsigned long long *r = machine->uc_mcontext.regs;
    const uintptr_t argument[5] = {(uintptr_t)r[0], (uintptr_t)r[1], (uintptr_t)r[2], (uintptr_t)r[3], (uintptr_t)r[4]};
    r[0] = (unsigned long long)answer_call(info->si_syscall, argument);
#else
#error "confine.c knows the system call registers of x86_64 and aarch64 only"
#endif
    errno = saved;
}

static const int allowed_calls[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev),
    SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(fadvise64), SCMP_SYS(getdents64),
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mincore),
    SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(getrandom), SCMP_SYS(getcwd), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit), SCMP_SYS(getrusage),
    SCMP_SYS(exit), SCMP_SYS(exit_group),
};

// Each with its answer in answer_call.
static const int trapped_calls[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat),
};

// Likewise, where there is a network.
static const int network_calls[] = {
    SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
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

// Sending and receiving name no address: only what is connected already.
static int network_rules(scmp_filter_ctx filter) {
    const struct scmp_arg_cmp no_address[] = {SCMP_A4(SCMP_CMP_EQ, 0)};
    int error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, no_address);
    if (!error) error = rule(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvfrom), 1, no_address);
    for (size_t i = 0; !error && i < sizeof network_calls / sizeof *network_calls; i++)
        error = rule(filter, SCMP_ACT_TRAP, network_calls[i], 0, NULL);
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
    if (!error && network) error = network_rules(filter);
    if (!error) error = seccomp_load(filter);
    seccomp_release(filter);
    return error ? VIRGA_IO : VIRGA_OK;
}

void confine_with_network(void) {
    network = true;
    nothing_kept = open("/dev/null", O_RDWR | O_CLOEXEC);
}

int confine(size_t memory, bool *landlock, struct failure *failure) {
    library_roots = source_library_roots();
    struct sigaction trapped = {.sa_sigaction = on_trapped_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGSYS, &trapped, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return failure_set(failure, VIRGA_IO, "cannot be confined: %s", strerror(errno));
    if (confine_resources(memory)) return failure_set(failure, VIRGA_IO, "limits cannot be set: %s", strerror(errno));
    *landlock = confine_files();
    if (confine_calls()) return failure_set(failure, VIRGA_IO, "this kernel does not take a seccomp filter");
    return VIRGA_OK;
}
