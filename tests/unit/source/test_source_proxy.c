// SPDX-License-Identifier: Apache-2.0
// The proxy between readers of OPeNDAP and the network: what it lets through, and to whom. Servers are threads of this test, on 127.0.0.1.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka after what it needs
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "source/source_proxy.h"

struct server {  // answers each connection with the same bytes, `repeat` times, and closes it, or keeps it
    int listener, port;
    const char *answer;
    size_t repeat;
    bool keep;
    char asked[4096];
    pthread_t thread;
};

static void *serve(void *argument) {
    struct server *s = argument;
    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd)) {
        ssize_t n = recv(fd, s->asked, sizeof s->asked - 1, 0);
        s->asked[n < 0 ? 0 : n] = '\0';
        for (size_t r = 0; r < s->repeat; r++)
            if (send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL) < 0) break;
        char rest[64];
        while (s->keep && recv(fd, rest, sizeof rest, 0) > 0) continue;
    }
    return NULL;
}

static int listen_somewhere(int *port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    *port = ntohs(name.sin_port);
    return fd;
}

static void server_start(struct server *s, const char *answer, size_t repeat, bool keep) {
    *s = (struct server){.answer = answer, .repeat = repeat, .keep = keep};
    s->listener = listen_somewhere(&s->port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_end(struct server *s) {
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

static struct source_proxy *proxy_for(int port, const struct source_proxy_limits *limits) {
    char host[64];
    const char *hosts[] = {host};
    struct source_proxy *proxy;
    struct failure failure;
    snprintf(host, sizeof host, "127.0.0.1:%d", port);
    if (source_proxy_new(hosts, 1, limits, &proxy, &failure)) fail_msg("%s", failure.message);
    return proxy;
}

static struct source_proxy_limits small_limits(void) {
    struct source_proxy_limits limits;
    source_proxy_limits_default(&limits);
    limits.max_text = 1 << 20;
    limits.max_data = 4 << 20;
    limits.silent_seconds = 0.3;
    limits.total_seconds = 20;
    return limits;
}

// Asks through the proxy and gives all that comes back, up to its end; the count in *size.
static char *ask(struct source_proxy *proxy, uint64_t request, const char *text, size_t *size) {
    size_t room = 16 << 20;
    char *got = malloc(room);
    int fd;
    assert_int_equal(source_proxy_connect(proxy, request, &fd), VIRGA_OK);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    *size = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 60000), 1);
        ssize_t n = recv(fd, got + *size, room - 1 - *size, 0);
        if (n <= 0) break;
        *size += (size_t)n;
    }
    got[*size] = '\0';
    close(fd);
    return got;
}

static char *ask_path(struct source_proxy *proxy, int port, uint64_t request, const char *path, size_t *size) {
    char text[256];
    snprintf(text, sizeof text, "GET http://127.0.0.1:%d%s HTTP/1.1\r\nHost: x\r\n\r\n", port, path);
    return ask(proxy, request, text, size);
}

static void assert_reason(struct source_proxy *proxy, uint64_t request, const char *word) {
    struct failure why = {0};
    assert_true(source_proxy_reason(proxy, request, &why));
    if (!strstr(why.message, word)) fail_msg("\"%s\" does not say \"%s\"", why.message, word);
}

static void an_allowed_host_is_asked(void **state) {
    (void)state;
    struct server s;
    struct source_proxy_limits limits = small_limits();
    server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", 1, true);  // it would keep the connection
    struct source_proxy *proxy = proxy_for(s.port, &limits);
    size_t size;
    char *got = ask_path(proxy, s.port, 7, "/a.dds?x", &size);
    assert_string_equal(got, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    free(got);
    assert_int_equal(source_proxy_connected(proxy), 1);
    struct failure why;
    assert_false(source_proxy_reason(proxy, 7, &why));
    source_proxy_free(proxy);
    server_end(&s);
    assert_ptr_equal(strstr(s.asked, "GET /a.dds?x HTTP/1.1\r\nHost: 127.0.0.1:"), s.asked);
}

static void nothing_else_is_asked(void **state) {
    (void)state;
    int port, other;
    int allowed = listen_somewhere(&port), forbidden = listen_somewhere(&other);
    struct source_proxy_limits limits = small_limits();
    struct source_proxy *proxy = proxy_for(port, &limits);
    static const char *const forms[] = {"GET http://127.0.0.1:%d/a HTTP/1.1\r\n\r\n", "CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n", "GET http://localhost:%d/a HTTP/1.1\r\n\r\n",
                                        "GET http://127.0.0.1@127.0.0.1:%d/a HTTP/1.1\r\n\r\n", "POST http://127.0.0.1:%d/a HTTP/1.1\r\n\r\n",
                                        "GET /a HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", "GET http://127.0.0.1/a HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char text[256];
        size_t size;
        snprintf(text, sizeof text, forms[i], other);
        char *got = ask(proxy, 100 + i, text, &size);
        if (strncmp(got, "HTTP/1.1 403 ", 13)) fail_msg("%s: %s", text, got);
        assert_reason(proxy, 100 + i, i == 0 ? "opendap-hosts" : "");
        free(got);
    }
    assert_int_equal(source_proxy_connected(proxy), 0);
    struct pollfd nobody = {.fd = forbidden, .events = POLLIN};
    assert_int_equal(poll(&nobody, 1, 0), 0);
    source_proxy_free(proxy);
    close(allowed);
    close(forbidden);
}

static void answers_without_end_are_cut(void **state) {
    (void)state;
    static const struct { const char *answer, *path, *word; size_t repeat; bool keep; size_t most; } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", "/a.dds", "in time", 1, true, 100},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "/a.dds", "5 of 100", 1, false, 100},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "/a.dds", "wants to send", 1, false, 1000},
        {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "/a.dds", "503 Busy", 1, false, 100},
        {"SSH-2.0 no HTTP\r\n\r\n", "/a.dds", "no HTTP", 1, false, 1000},
        {"", "/a.dds", "without an answer", 0, false, 1000},
        {"X-More: yes\r\n", "/a.dds", "header without end", 20000, false, 1000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server s;
        struct source_proxy_limits limits = small_limits();
        server_start(&s, cases[i].answer, cases[i].repeat, cases[i].keep);
        struct source_proxy *proxy = proxy_for(s.port, &limits);
        size_t size;
        free(ask_path(proxy, s.port, i + 1, cases[i].path, &size));
        assert_true(size <= cases[i].most);
        assert_reason(proxy, i + 1, cases[i].word);
        source_proxy_free(proxy);
        server_end(&s);
    }
}

static void metadata_and_values_have_their_limits(void **state) {
    (void)state;
    char *much = malloc(100001), *answer = malloc(100100);
    memset(much, 'x', 100000);
    much[100000] = '\0';
    snprintf(answer, 100100, "HTTP/1.1 200 OK\r\n\r\n%s", much);
    static const struct { const char *path; size_t least, most; } cases[] = {{"/a.dds", 900000, 1200000}, {"/a.dods?t", 4000000, 4400000}};
    for (size_t i = 0; i < 2; i++) {
        struct server s;
        struct source_proxy_limits limits = small_limits();
        server_start(&s, answer, 100, false);
        struct source_proxy *proxy = proxy_for(s.port, &limits);
        size_t size;
        free(ask_path(proxy, s.port, 1, cases[i].path, &size));
        assert_in_range(size, cases[i].least, cases[i].most);
        assert_reason(proxy, 1, "MiB for one request");
        source_proxy_free(proxy);
        server_end(&s);
    }
    free(answer);
    free(much);
}

static void a_tunnel_carries_bytes_both_ways(void **state) {
    (void)state;
    struct server s;
    struct source_proxy_limits limits = small_limits();
    server_start(&s, "pong", 1, false);
    struct source_proxy *proxy = proxy_for(s.port, &limits);
    char text[128];
    size_t size;
    snprintf(text, sizeof text, "CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n", s.port);
    int fd;
    assert_int_equal(source_proxy_connect(proxy, 1, &fd), VIRGA_OK);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 60000), 1);
    ssize_t n = recv(fd, text, sizeof text, 0);
    assert_int_equal(n, 26);
    assert_memory_equal(text, "HTTP/1.1 200 Connected\r\n\r\n", 26);
    assert_int_equal(send(fd, "ping", 4, 0), 4);
    for (size = 0; size < 4; size += (size_t)n) {
        assert_int_equal(poll(&p, 1, 60000), 1);
        n = recv(fd, text + size, sizeof text - size, 0);
        assert_true(n > 0);
    }
    assert_memory_equal(text, "pong", 4);
    close(fd);
    source_proxy_free(proxy);
    server_end(&s);
    assert_string_equal(s.asked, "ping");
}

static void connections_are_counted_and_end_with_the_proxy(void **state) {
    (void)state;
    int port, listener = listen_somewhere(&port), fds[3];
    struct source_proxy_limits limits = small_limits();
    limits.connections = 2;
    limits.silent_seconds = 60;
    struct source_proxy *proxy = proxy_for(port, &limits);
    assert_int_equal(source_proxy_connect(proxy, 1, &fds[0]), VIRGA_OK);
    assert_int_equal(source_proxy_connect(proxy, 1, &fds[1]), VIRGA_OK);
    assert_int_equal(source_proxy_connect(proxy, 1, &fds[2]), VIRGA_TOO_LARGE);
    double begin = clock_monotonic();
    source_proxy_stop(proxy);
    assert_int_equal(source_proxy_connect(proxy, 1, &fds[2]), VIRGA_CANCELLED);
    source_proxy_free(proxy);
    assert_true(clock_monotonic() - begin < 20);
    for (int i = 0; i < 2; i++) {
        char byte;
        struct pollfd p = {.fd = fds[i], .events = POLLIN};
        assert_int_equal(poll(&p, 1, 60000), 1);
        assert_true(recv(fds[i], &byte, 1, 0) <= 0);
        close(fds[i]);
    }
    close(listener);
}

static void hosts_are_looked_at(void **state) {
    (void)state;
    struct source_proxy *proxy;
    struct source_proxy_limits limits = small_limits();
    struct failure failure = {0};
    const char *const hosts[] = {"good.org", "b ad"};
    assert_int_equal(source_proxy_new(hosts, 2, &limits, &proxy, &failure), VIRGA_INVALID);
    assert_non_null(strstr(failure.message, "b ad"));
    assert_null(proxy);
}

static void a_reader_of_addresses_has_no_network_of_its_own(void **state) {
    (void)state;
    FILE *said = popen(VIRGA_READER " --self-test dap", "r");
    char text[256];
    int denied = 0, right = 0;
    assert_non_null(said);
    while (fgets(text, sizeof text, said)) {
        denied += strstr(text, ": denied") != NULL;
        right += strstr(text, ": so") != NULL;
        if (strstr(text, "ALLOWED") || strstr(text, "NOT SO")) fail_msg("%s", text);
    }
    assert_int_equal(pclose(said), 0);
    assert_int_equal(denied, 12);
    assert_true(right >= 2);  // a third where certificates are installed
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_allowed_host_is_asked),
        cmocka_unit_test(nothing_else_is_asked),
        cmocka_unit_test(answers_without_end_are_cut),
        cmocka_unit_test(metadata_and_values_have_their_limits),
        cmocka_unit_test(a_tunnel_carries_bytes_both_ways),
        cmocka_unit_test(connections_are_counted_and_end_with_the_proxy),
        cmocka_unit_test(hosts_are_looked_at),
        cmocka_unit_test(a_reader_of_addresses_has_no_network_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
