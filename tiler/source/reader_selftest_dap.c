// SPDX-License-Identifier: Apache-2.0
// The self-test of a reader of OPeNDAP: what looks like the network to its libraries, and is not.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/confine.h"
#include "source/reader_broker.h"
#include "source/reader_selftest.h"
#include "source/source_broker.h"
#include "source/source_library.h"
#include "source/source_proxy.h"

static const size_t SELFTEST_MEMORY = (size_t)1 << 30;
static const char JAR[] = "/tmp/virga-self-test/occookies";

static int line; // a connection to the proxy

static int try_ipv6(void) { return socket(AF_INET6, SOCK_STREAM, 0); }
static int try_datagrams(void) { return socket(AF_INET, SOCK_DGRAM, 0); }
static int try_local(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int try_raw(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int try_pair(void) { return socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}); }
static int try_listen(void) { return listen(line, 1); }
static int try_accept(void) { return accept(line, NULL, NULL); }
static int try_read_file(void) { return open("/etc/passwd", O_RDONLY); }
static int try_write_file(void) { return open("/tmp/virga-reader-self-test", O_WRONLY | O_CREAT, 0600); }
static int try_past_certificates(void) { return open("/etc/ssl/certs/../../passwd", O_RDONLY); }

static int try_bind(void) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return bind(line, (struct sockaddr *)&name, sizeof name);
}

static int try_send_to(void) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return (int)sendto(line, "x", 1, 0, (struct sockaddr *)&name, sizeof name);
}

static const struct reader_selftest_attempt attempts[] = {
    {"a socket for IPv6", try_ipv6}, {"a socket for datagrams", try_datagrams}, {"a local socket", try_local},
    {"a raw socket", try_raw}, {"a pair of sockets", try_pair}, {"binding", try_bind}, {"listening", try_listen},
    {"accepting", try_accept}, {"sending to an address", try_send_to},
    {"reading a file", try_read_file}, {"writing a file", try_write_file}, {"leaving the certificates", try_past_certificates},
};

// Whatever it connects to, the proxy is what answers, and refuses.
static bool proxy_answers(void) {
    static const char request[] = "GET http://127.0.0.1:9/ HTTP/1.1\r\n\r\n";
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[64] = "";
    line = socket(AF_INET, SOCK_STREAM, 0);
    if (line < 0 || connect(line, (struct sockaddr *)&name, sizeof name)) return false;
    if (send(line, request, sizeof request - 1, 0) != (ssize_t)sizeof request - 1) return false;
    struct pollfd p = {.fd = line, .events = POLLIN};
    if (poll(&p, 1, 10000) != 1 || recv(line, answer, sizeof answer - 1, 0) < 13) return false;
    return !strncmp(answer, "HTTP/1.1 403 ", 13);
}

static bool jar_keeps_nothing(void) {
    char byte;
    int fd = open(JAR, O_RDWR | O_CREAT, 0600);
    return fd >= 0 && write(fd, "secret", 6) == 6 && lseek(fd, 0, SEEK_SET) == 0 && read(fd, &byte, 1) == 0 && !close(fd);
}

static bool certificates_readable(void) {
    char path[256], byte;
    snprintf(path, sizeof path, "%s/ca-certificates.crt", source_library_certificates());
    int fd = open(path, O_RDONLY);
    return fd >= 0 && read(fd, &byte, 1) == 1 && !close(fd);
}

static int report(const char *what, bool right) {
    printf("%s: %s\n", what, right ? "so" : "NOT SO");
    return !right;
}

static int confined_tests(bool certificates) {
    bool landlock = false;
    struct failure failure;
    int wrong = 0;
    confine_with_network();
    if (confine(SELFTEST_MEMORY, &landlock, &failure)) {
        printf("%s\n", failure.message);
        return 1;
    }
    wrong += report("the proxy answers for every host", proxy_answers());
    wrong += report("the jar of cookies keeps nothing", jar_keeps_nothing());
    if (certificates) wrong += report("certificates are readable", certificates_readable());
    wrong += reader_selftest_attempts(attempts, sizeof attempts / sizeof *attempts);
    fflush(stdout);
    return wrong != 0;
}

int reader_selftest_dap(void) {
    struct source_proxy_limits limits;
    struct source_proxy *proxy;
    char path[256], text[4096];
    int sockets[2], pipes[2], status = 1;
    snprintf(path, sizeof path, "%s/ca-certificates.crt", source_library_certificates());
    bool certificates = !access(path, R_OK);
    source_proxy_limits_default(&limits);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) || pipe2(pipes, O_CLOEXEC)) return 1;
    pid_t pid = fork();  // before the proxy has threads
    if (pid == 0) {
        close(sockets[0]);
        dup2(pipes[1], STDOUT_FILENO);
        reader_broker_begin(sockets[1], 1);
        _exit(confined_tests(certificates));
    }
    close(sockets[1]);
    close(pipes[1]);
    if (pid > 0 && !source_proxy_new(NULL, 0, &limits, &proxy, NULL)) {
        struct source_broker broker = {.folder = -1, .proxy = proxy, .request = 1};
        reader_selftest_serve(sockets[0], &broker);
        source_proxy_free(proxy);
    }
    for (ssize_t n; (n = read(pipes[0], text, sizeof text)) > 0;) fwrite(text, 1, (size_t)n, stdout);
    fflush(stdout);
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    if (!ended) printf("the confined reader ENDED EARLY\n");
    return ended ? WEXITSTATUS(status) : 1;
}
