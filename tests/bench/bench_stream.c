// SPDX-License-Identifier: Apache-2.0
// The client of bench_stream.py, bench_switch.py and bench_tiles.py, one program for all sides:
//   bench_stream ws HOST PORT CLIENTS SECONDS INTEREST      INTEREST: the message's text; sent again whenever all has come
//   bench_stream http HOST PORT CLIENTS SECONDS PATHS       PATHS: a file, one path a line; asked for in turn, kept alive
// Prints: brick bytes, bricks, seconds.
//   bench_stream once HOST PORT CLIENTS 0 PATHS             as http, but each path once, by whichever client is free
// Prints: milliseconds of each answer, and then as http.
//   bench_stream switch HOST PORT CLIENTS SECONDS INTERESTS PAUSE   INTERESTS: a file, a message a line, the warm-up's first; each client sends one by
//                                                    chance, and PAUSE seconds, half to one and a half times, after all of it has come another
// Prints: a line for each switch: milliseconds and brick bytes.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { ROOM = 1 << 20 };

struct client {
    int fd;
    uint8_t *in;
    size_t have;
    bool open;      // the handshake is done
    size_t left;    // HTTP: bytes of the body still to come
    bool chunked;
    size_t path;
    double asked, next;        // switch: when the interest was sent, and when the next one is due; 0: not
    unsigned long long before;  // its bytes until then
    unsigned long long bytes;
};

static bool websocket, switching, once, counting;
static double pause_seconds;
static const char *interest;
static char **paths;
static size_t path_count, next_path, answered;
static unsigned long long bytes, bricks;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void send_all(int fd, const void *data, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t n = send(fd, (const uint8_t *)data + at, size - at, MSG_NOSIGNAL);
        if (n <= 0) die("send");
        at += (size_t)n;
    }
}

static void say(int fd, const char *text) {
    uint8_t frame[8192 + 14];
    size_t size = strlen(text), head = 2;
    frame[0] = 0x81;
    if (size < 126) {
        frame[1] = (uint8_t)(0x80 | size);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(size >> 8);
        frame[3] = (uint8_t)size;
        head = 4;
    }
    memset(frame + head, 0, 4);  // a mask of zeros
    memcpy(frame + head + 4, text, size);
    send_all(fd, frame, head + 4 + size);
}

static void ask(struct client *c) {
    char text[1024];
    if (once && next_path == path_count) return;
    if (once) c->path = next_path++;
    c->asked = clock_monotonic();
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", paths[c->path]);
    c->path = (c->path + 1) % path_count;
    send_all(c->fd, text, (size_t)n);
}

static void begin(struct client *c, const char *host, int port, size_t number) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    static const char upgrade[] = "GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: virga.1\r\n\r\n";
    int one = 1;
    inet_pton(AF_INET, host, &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->in = malloc(ROOM);
    if (c->fd < 0 || !c->in || connect(c->fd, (struct sockaddr *)&to, sizeof to)) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (websocket) {
        send_all(c->fd, upgrade, sizeof upgrade - 1);
    } else {
        c->path = number * 37 % path_count;
        ask(c);
    }
}

static uint32_t u32(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

static double chance(void) { return (double)rand() / RAND_MAX; }

static void switch_now(struct client *c) {
    c->next = 0;
    c->before = c->bytes;
    c->asked = clock_monotonic();
    say(c->fd, paths[(size_t)rand() % path_count]);
}

static void has_all(struct client *c) {
    if (!switching) {
        say(c->fd, interest);
        return;
    }
    double now = clock_monotonic();
    if (counting && c->asked > 0) printf("%.3f %llu\n", 1000 * (now - c->asked), c->bytes - c->before);
    c->next = now + pause_seconds * (0.5 + chance());
}

static void take_batch(struct client *c, const uint8_t *data, size_t size) {
    char text[64];
    size_t payload = 0, at = 12;
    for (uint32_t n = u32(data + 8); n-- > 0 && at + 20 <= size;) {
        uint32_t part = u32(data + at + 16);
        if (data[at] == 2) bytes += part, c->bytes += part, bricks++;
        payload += part;
        at += 20 + part;
    }
    snprintf(text, sizeof text, "{\"type\":\"ack\",\"bytes\":%zu}", payload);
    say(c->fd, text);
}

// One whole frame from the front; its length, or 0 when it is not all there.
static size_t take_frame(struct client *c, const uint8_t *p, size_t have) {
    if (have < 2) return 0;
    size_t size = p[1] & 127, head = 2;
    if (size == 126) head = 4, size = have < 4 ? 0 : (size_t)p[2] << 8 | p[3];
    else if (size == 127) head = 10, size = have < 10 ? 0 : (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
    if (have < head || have < head + size) return 0;
    int opcode = p[0] & 15;
    if (opcode == 2) take_batch(c, p + head, size);
    else if (opcode == 1 && memmem(p + head, size, "\"type\":\"done\"", 13)) has_all(c);
    else if (opcode == 8) die("closed by the server");
    return head + size;
}

static size_t take_head(struct client *c) {
    uint8_t *end = memmem(c->in, c->have, "\r\n\r\n", 4);
    return end ? (size_t)(end + 4 - c->in) : 0;
}

static void consume(struct client *c, size_t n) {
    memmove(c->in, c->in + n, c->have - n);
    c->have -= n;
}

static void take_websocket(struct client *c) {
    size_t at = 0, n;
    if (!c->open) {
        if (!(n = take_head(c))) return;
        if (memcmp(c->in, "HTTP/1.1 101", 12)) die("no websocket");
        c->open = true;
        consume(c, n);
        if (switching) c->next = clock_monotonic() + pause_seconds * chance();
        else say(c->fd, interest);
    }
    while ((n = take_frame(c, c->in + at, c->have - at))) at += n;
    consume(c, at);
}

// A body in chunks (MapServer's) is all there when its last one is; its head and ends count as bytes of it.
static void find_chunks(struct client *c) {
    const bool whole = c->have >= 7 && !memcmp(c->in + c->have - 7, "\r\n0\r\n\r\n", 7);
    c->left = whole ? c->have : SIZE_MAX;
}

static void take_http(struct client *c) {
    if (!c->open) {
        size_t n = take_head(c);
        if (!n) return;
        c->in[n - 1] = '\0';
        const char *length = strcasestr((char *)c->in, "\r\ncontent-length:");
        c->chunked = !length && strcasestr((char *)c->in, "\r\ntransfer-encoding: chunked");
        if (memcmp(c->in, "HTTP/1.1 200", 12) || (!length && !c->chunked)) die("no answer");
        c->left = length ? strtoull(length + 17, NULL, 10) : 0;
        c->open = true;
        consume(c, n);
    }
    if (c->chunked) find_chunks(c);
    if (c->chunked && c->left == SIZE_MAX) return;
    size_t part = c->have < c->left ? c->have : c->left;
    bytes += part;
    c->left -= part;
    consume(c, part);
    if (c->left) return;
    bricks++;
    answered++;
    c->open = false;
    if (once) printf("%.3f\n", 1000 * (clock_monotonic() - c->asked));
    ask(c);
}

static void read_paths(const char *name) {
    char line[8192];
    FILE *file = fopen(name, "r");
    if (!file) die(name);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        paths = realloc(paths, (path_count + 1) * sizeof *paths);
        paths[path_count++] = strdup(line);
    }
    fclose(file);
}

// Those that are due; milliseconds until the next one may be.
static int switch_due(struct client *clients, size_t count) {
    double now = clock_monotonic(), soonest = now + 0.1;
    for (size_t i = 0; i < count; i++) {
        if (clients[i].next > 0 && clients[i].next <= now) switch_now(&clients[i]);
        else if (clients[i].next > 0 && clients[i].next < soonest) soonest = clients[i].next;
    }
    return (int)(1000 * (soonest - now)) + 1;
}

int main(int argc, char **argv) {
    switching = argc == 8 && !strcmp(argv[1], "switch");
    if (argc != 7 && !switching) return fprintf(stderr, "bench_stream ws|http|once|switch HOST PORT CLIENTS SECONDS INTEREST|PATHS|INTERESTS [PAUSE]\n"), 2;
    once = !strcmp(argv[1], "once");
    websocket = switching || !strcmp(argv[1], "ws");
    if (switching) pause_seconds = strtod(argv[7], NULL);
    size_t count = strtoul(argv[4], NULL, 10);
    double seconds = strtod(argv[5], NULL), start, warm = 0.3 * seconds;
    if (websocket && !switching) interest = argv[6];
    else read_paths(argv[6]);
    struct client *clients = calloc(count, sizeof *clients);
    int poller = epoll_create1(0);
    for (size_t i = 0; i < count; i++) {
        begin(&clients[i], argv[2], (int)strtol(argv[3], NULL, 10), i);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &event);
    }
    for (start = clock_monotonic(); once ? answered < path_count : clock_monotonic() < start + seconds;) {
        struct epoll_event events[64];
        int n = epoll_wait(poller, events, 64, switching ? switch_due(clients, count) : 100);
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            ssize_t got = recv(c->fd, c->in + c->have, ROOM - c->have, 0);
            if (got <= 0) die("recv");
            c->have += (size_t)got;
            if (websocket) take_websocket(c);
            else take_http(c);
        }
        if (!once && !counting && clock_monotonic() >= start + warm) {
            counting = true;
            bytes = bricks = 0;
            seconds -= warm;
            start += warm;
        }
    }
    if (!switching) printf("%llu %llu %.3f\n", bytes, bricks, clock_monotonic() - start);
    return 0;
}
