// SPDX-License-Identifier: Apache-2.0
#include "source/source_proxy.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "source/proxy_http.h"

enum { REASONS = 32, BUFFER = 65536, FREE_WAIT_SECONDS = 2 };

struct source_proxy {
    struct source_proxy_limits limits;
    char **hosts;
    size_t host_count;
    int stop;                   // readable once it is to end
    atomic_size_t references;   // its owner's and each connection's
    atomic_size_t connected;
    pthread_mutex_t lock;
    pthread_cond_t changed;     // a connection ended
    size_t connections;         // lock
    bool stopping;              // lock
    struct { uint64_t request; struct failure why; } reasons[REASONS];  // lock; a ring
    size_t next_reason;         // lock
};

struct passage {  // one connection; its thread's
    struct source_proxy *proxy;
    uint64_t request;
    int reader, server;  // -1: not connected
    double deadline;     // of the whole answer
    char name[SOURCE_URL_HOST + 16];  // "host:port", for messages
    struct proxy_http_request asked;
    size_t held;         // bytes in `buffer`
    char buffer[BUFFER + 1], header[BUFFER + 1024];
};

void source_proxy_limits_default(struct source_proxy_limits *limits) {
    *limits = (struct source_proxy_limits){.connections = 32, .max_text = (size_t)16 << 20, .max_data = (size_t)128 << 20,
                                           .connect_seconds = 8, .silent_seconds = 12, .total_seconds = 60};
}

static void proxy_unref(struct source_proxy *p) {
    if (atomic_fetch_sub(&p->references, 1) != 1) return;
    for (size_t n = 0; n < p->host_count; n++) free(p->hosts[n]);
    free(p->hosts);
    if (p->stop >= 0) close(p->stop);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int source_proxy_new(const char *const *hosts, size_t count, const struct source_proxy_limits *limits,
                     struct source_proxy **proxy, struct failure *failure) {
    struct source_proxy *p = calloc(1, sizeof *p);
    struct source_url url;
    *proxy = NULL;
    if (!p) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    p->limits = *limits;
    atomic_init(&p->references, 1);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->stop = wakeup_new();
    p->hosts = calloc(count + 1, sizeof *p->hosts);
    int status = p->stop >= 0 && p->hosts ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; !status && n < count; n++) {
        if (source_url_parse_host(hosts[n], 80, &url))
            status = failure_set(failure, VIRGA_INVALID, "\"%.200s\" is no host or host:port", hosts[n]);
        else if (!(p->hosts[p->host_count++] = strdup(hosts[n]))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    if (status) proxy_unref(p);
    else *proxy = p;
    return status;
}

void source_proxy_stop(struct source_proxy *p) {
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_mutex_unlock(&p->lock);
    wakeup_send(p->stop);
}

void source_proxy_free(struct source_proxy *p) {
    struct timespec until;
    if (!p) return;
    source_proxy_stop(p);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FREE_WAIT_SECONDS;
    pthread_mutex_lock(&p->lock);
    while (p->connections && !pthread_cond_timedwait(&p->changed, &p->lock, &until)) continue;
    pthread_mutex_unlock(&p->lock);
    proxy_unref(p);
}

int source_proxy_allows(struct source_proxy *p, const struct source_url *url, struct failure *failure) {
    if (source_url_allowed(url, (const char *const *)p->hosts, p->host_count)) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "%s:%d is not a host that may be asked; name it in the setting opendap-hosts",
                       url->host, url->port);
}

size_t source_proxy_connected(struct source_proxy *p) { return atomic_load(&p->connected); }

bool source_proxy_reason(struct source_proxy *p, uint64_t request, struct failure *reason) {
    bool found = false;
    pthread_mutex_lock(&p->lock);
    for (size_t back = 1; back <= REASONS && !found; back++) {
        size_t at = (p->next_reason + REASONS - back) % REASONS;
        found = p->reasons[at].why.status && p->reasons[at].request == request;
        if (found) *reason = p->reasons[at].why;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void keep_reason(struct passage *w, const struct failure *why) {
    struct source_proxy *p = w->proxy;
    log_debug("proxy", "%s", why->message);
    pthread_mutex_lock(&p->lock);
    p->reasons[p->next_reason].request = w->request;
    p->reasons[p->next_reason].why = *why;
    p->next_reason = (p->next_reason + 1) % REASONS;
    pthread_mutex_unlock(&p->lock);
}

// --- bytes to and fro --------------------------------------------------------------------------------------------------

static double earlier(double a, double b) { return a < b ? a : b; }

// Until a descriptor is ready, or `until`. VIRGA_TIMED_OUT, or VIRGA_CANCELLED when the proxy stops.
static int wait_until(const struct passage *w, struct pollfd *fds, nfds_t count, double until) {
    for (;;) {
        double left = until - clock_monotonic();
        if (left <= 0) return VIRGA_TIMED_OUT;
        struct pollfd all[3] = {{.fd = w->proxy->stop, .events = POLLIN}};
        for (nfds_t n = 0; n < count; n++) all[n + 1] = fds[n];
        int ready = poll(all, count + 1, (int)(left * 1000) + 1);
        if (ready < 0 && errno != EINTR) return VIRGA_IO;
        if (ready > 0 && all[0].revents) return VIRGA_CANCELLED;
        for (nfds_t n = 0; n < count; n++) fds[n].revents = ready > 0 ? all[n + 1].revents : 0;
        if (ready > 0) return VIRGA_OK;
    }
}

static int wait_for(const struct passage *w, int fd, short events, double until) {
    return wait_until(w, &(struct pollfd){.fd = fd, .events = events}, 1, until);
}

// Some bytes: their number, 0 at the end, or a code.
static ssize_t receive_some(const struct passage *w, int fd, void *data, size_t room, double until) {
    for (;;) {
        ssize_t n = recv(fd, data, room, MSG_DONTWAIT);
        if (n >= 0) return n;
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return VIRGA_IO;
        int status = wait_for(w, fd, POLLIN, until);
        if (status) return status;
    }
}

static int send_all(const struct passage *w, int fd, const char *data, size_t bytes, double until) {
    while (bytes) {
        ssize_t n = send(fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return VIRGA_IO;
        int status = n < 0 && errno == EAGAIN ? wait_for(w, fd, POLLOUT, until) : VIRGA_OK;
        if (status) return status;
        if (n > 0) data += n, bytes -= (size_t)n;
    }
    return VIRGA_OK;
}

// A whole header into the buffer, with what came after it. Returns its bytes, or a code; VIRGA_GONE: ended before.
static ssize_t receive_header(struct passage *w, int fd, size_t most) {
    w->held = 0;
    for (;;) {
        size_t header = proxy_http_header(w->buffer, w->held);
        if (header) return (ssize_t)header;
        if (w->held >= most) return VIRGA_TOO_LARGE;
        double until = earlier(w->deadline, clock_monotonic() + w->proxy->limits.silent_seconds);
        ssize_t n = receive_some(w, fd, w->buffer + w->held, most - w->held, until);
        if (n < 0) return n;
        if (n == 0) return VIRGA_GONE;
        w->held += (size_t)n;
    }
}

// --- one request -------------------------------------------------------------------------------------------------------

// Tells the reader no, and keeps why. The library there shows its own words for the number; the server adds these.
static void refuse(struct passage *w, int code, const struct failure *why) {
    char answer[1024];
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 %d Refused\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     code, strlen(why->message), why->message);
    keep_reason(w, why);
    send_all(w, w->reader, answer, (size_t)n, clock_monotonic() + 1);
}

static void refuse_server(struct passage *w, int status, const char *what) {
    struct failure why;
    failure_set(&why, status, "%s %s", w->name, what);
    refuse(w, 502, &why);
}

static int connect_address(struct passage *w, const struct addrinfo *address, double until) {
    int error = 0;
    socklen_t size = sizeof error;
    w->server = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
    if (w->server < 0) return errno;
    if (connect(w->server, address->ai_addr, address->ai_addrlen) && errno != EINPROGRESS) error = errno;
    else if (wait_for(w, w->server, POLLOUT, until)) error = ETIMEDOUT;
    else if (getsockopt(w->server, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
    if (!error) return 0;
    close(w->server);
    w->server = -1;
    return error;
}

static int connect_server(struct passage *w, struct failure *why) {
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char port[8];
    snprintf(port, sizeof port, "%d", w->asked.url.port);
    int error = getaddrinfo(w->asked.url.host, port, &wanted, &found);
    if (error) return failure_set(why, VIRGA_IO, "%s cannot be found: %s", w->name, gai_strerror(error));
    double until = clock_monotonic() + w->proxy->limits.connect_seconds;
    error = EHOSTUNREACH;
    for (const struct addrinfo *a = found; a && w->server < 0; a = a->ai_next) error = connect_address(w, a, until);
    freeaddrinfo(found);
    if (w->server < 0) return failure_set(why, VIRGA_IO, "%s cannot be reached: %s", w->name, strerror(error));
    atomic_fetch_add(&w->proxy->connected, 1);
    return VIRGA_OK;
}

static const char *went_wrong(int status) {
    switch (status) {
    case VIRGA_TIMED_OUT: return "does not answer in time";
    case VIRGA_TOO_LARGE: return "sends a header without end";
    case VIRGA_GONE: return "ended the connection without an answer";
    default: return "broke the connection";
    }
}

// What is left of the answer, up to its stated length, the limit, or the end.
static void relay_body(struct passage *w, const char *rest, size_t bytes, long long length) {
    const struct source_proxy_limits *limits = &w->proxy->limits;
    size_t most = w->asked.data ? limits->max_data : limits->max_text, sent = 0;
    struct failure why = {0};
    for (;;) {
        sent += bytes;
        if (sent > most) {
            failure_set(&why, VIRGA_TOO_LARGE, "%s sends more than %zu MiB for one request", w->name, most >> 20);
            break;
        }
        if (send_all(w, w->reader, rest, bytes, w->deadline) || (length >= 0 && sent >= (size_t)length)) return;
        struct pollfd ends[2] = {{.fd = w->server, .events = POLLIN}, {.fd = w->reader, .events = POLLRDHUP}};
        wait_until(w, ends, 2, earlier(w->deadline, clock_monotonic() + limits->silent_seconds));
        if (ends[1].revents) return;  // it has all it wanted, or is gone
        ssize_t n = receive_some(w, w->server, w->buffer, BUFFER, clock_monotonic());
        if (n == VIRGA_CANCELLED) return;
        if (n == VIRGA_TIMED_OUT) failure_set(&why, VIRGA_TIMED_OUT, "%s does not send its answer in time", w->name);
        else if (n < 0) failure_set(&why, (int)n, "%s broke the connection", w->name);
        else if (n == 0 && length >= 0)
            failure_set(&why, VIRGA_IO, "%s ended the connection after %zu of %lld bytes", w->name, sent, length);
        if (n <= 0) break;
        rest = w->buffer;
        bytes = (size_t)n;
    }
    if (why.status) keep_reason(w, &why);
}

static void note_answer(struct passage *w, const struct proxy_http_response *response) {
    struct failure why;
    if (response->status < 400) return;
    int status = response->status == 404 || response->status == 410 ? VIRGA_NOT_FOUND : VIRGA_IO;
    failure_set(&why, status, "%s answers %d %s", w->name, response->status, response->reason);
    keep_reason(w, &why);
}

static void pass_request(struct passage *w, size_t header_bytes) {
    struct proxy_http_response response = {.status = 100};
    struct failure why;
    size_t out = proxy_http_write_request(&w->asked, w->buffer, header_bytes, w->header, sizeof w->header);
    if (!out || send_all(w, w->server, w->header, out, w->deadline)) {
        refuse_server(w, VIRGA_IO, "broke the connection");
        return;
    }
    ssize_t n = receive_header(w, w->server, PROXY_HTTP_RESPONSE_BYTES);
    if (n < 0) {
        if (n != VIRGA_CANCELLED) refuse_server(w, (int)n, went_wrong((int)n));
        return;
    }
    if (proxy_http_take_response(w->buffer, (size_t)n, &response, w->header, sizeof w->header, &out, &why) ||
        response.status < 200) {
        refuse_server(w, VIRGA_UNREADABLE, "gives an answer that is no HTTP");
        return;
    }
    size_t most = w->asked.data ? w->proxy->limits.max_data : w->proxy->limits.max_text;
    if (response.length > (long long)most) {
        failure_set(&why, VIRGA_TOO_LARGE, "%s wants to send %lld MiB for one request, more than the %zu MiB that are taken",
                    w->name, response.length >> 20, most >> 20);
        refuse(w, 502, &why);
        return;
    }
    note_answer(w, &response);
    if (send_all(w, w->reader, w->header, out, w->deadline)) return;
    if (w->asked.head || response.status == 204 || response.status == 304) return;
    relay_body(w, w->buffer + n, w->held - (size_t)n, response.length);
}

// Bytes both ways until one end closes. What comes is bounded from each thing the reader says to the next.
static void pass_tunnel(struct passage *w) {
    const struct source_proxy_limits *limits = &w->proxy->limits;
    struct failure why = {0};
    size_t came = 0;
    bool asked = false;
    if (send_all(w, w->reader, "HTTP/1.1 200 Connected\r\n\r\n", 26, w->deadline)) return;
    for (;;) {
        struct pollfd ends[2] = {{.fd = w->reader, .events = POLLIN}, {.fd = w->server, .events = POLLIN}};
        int status = wait_until(w, ends, 2, earlier(w->deadline, clock_monotonic() + limits->silent_seconds));
        if (status == VIRGA_TIMED_OUT && asked) failure_set(&why, status, "%s does not send its answer in time", w->name);
        if (status) break;
        bool out = ends[0].revents != 0;
        ssize_t n = receive_some(w, out ? w->reader : w->server, w->buffer, BUFFER, w->deadline);
        if (n <= 0) break;
        if (out) w->deadline = clock_monotonic() + limits->total_seconds;
        came = out ? 0 : came + (size_t)n;
        asked = out || (asked && came == 0);
        if (came > limits->max_data)
            failure_set(&why, VIRGA_TOO_LARGE, "%s sends more than %zu MiB for one request", w->name, limits->max_data >> 20);
        if (why.status || send_all(w, out ? w->server : w->reader, w->buffer, (size_t)n, w->deadline)) break;
    }
    if (why.status) keep_reason(w, &why);
}

static void serve(struct passage *w) {
    struct failure why = {0};
    w->deadline = clock_monotonic() + w->proxy->limits.total_seconds;
    ssize_t n = receive_header(w, w->reader, PROXY_HTTP_REQUEST_BYTES);
    if (n < 0) return;
    int status = proxy_http_parse_request(w->buffer, (size_t)n, &w->asked, &why);
    if (!status) status = source_proxy_allows(w->proxy, &w->asked.url, &why);
    if (status) {
        refuse(w, 403, &why);
        return;
    }
    bool colons = strchr(w->asked.url.host, ':') != NULL;
    snprintf(w->name, sizeof w->name, "%s%s%s:%d", colons ? "[" : "", w->asked.url.host, colons ? "]" : "", w->asked.url.port);
    if (connect_server(w, &why)) refuse(w, 502, &why);
    else if (w->asked.tunnel) pass_tunnel(w);
    else pass_request(w, (size_t)n);
}

// --- connections -------------------------------------------------------------------------------------------------------

static void connection_ended(struct source_proxy *p) {
    pthread_mutex_lock(&p->lock);
    p->connections--;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    proxy_unref(p);
}

static void passage_free(struct passage *w) {
    if (w->server >= 0) close(w->server);
    if (w->reader >= 0) close(w->reader);
    free(w);
}

static void *passage_main(void *argument) {
    struct passage *w = argument;
    struct source_proxy *p = w->proxy;
    serve(w);
    passage_free(w);
    connection_ended(p);
    return NULL;
}

static int start_thread(struct passage *w) {
    pthread_t thread;
    if (thread_start(&thread, passage_main, w)) return VIRGA_NO_MEMORY;
    pthread_detach(thread);
    return VIRGA_OK;
}

static int take_place(struct source_proxy *p) {
    pthread_mutex_lock(&p->lock);
    int status = p->stopping ? VIRGA_CANCELLED : p->connections >= p->limits.connections ? VIRGA_TOO_LARGE : VIRGA_OK;
    if (!status) p->connections++;
    pthread_mutex_unlock(&p->lock);
    if (!status) atomic_fetch_add(&p->references, 1);
    return status;
}

int source_proxy_connect(struct source_proxy *p, uint64_t request, int *fd) {
    int ends[2];
    *fd = -1;
    int status = take_place(p);
    if (status) return status;
    struct passage *w = calloc(1, sizeof *w);
    if (w) {
        w->proxy = p;
        w->request = request;
        w->reader = w->server = -1;
    }
    if (w && !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)) {
        w->reader = ends[0];
        *fd = ends[1];
        if (!start_thread(w)) return VIRGA_OK;
        close(*fd);
        *fd = -1;
    }
    if (w) passage_free(w);
    connection_ended(p);
    return VIRGA_NO_MEMORY;
}
