// SPDX-License-Identifier: Apache-2.0
#include "source/slab_receiver.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

enum { EXPECTED_MOST = 128, SCRATCH_BYTES = 256 << 10, LONG_RUN = 32 << 10, TURN_BYTES = 4 << 20, LOOK_MS = 500 };

struct expectation {
    struct expectation *next;
    uint8_t token[SOURCE_TOKEN_BYTES];
    struct slab_layout layout;
    struct slab_memory *memory;
    struct slab_cover cover;
    uint64_t received;
};

enum connection_state {
    CONNECTION_HEADER,   // of the next piece
    CONNECTION_WAITING,  // another connection writes into the same box
    CONNECTION_WRITING,  // what comes goes into the memory
    CONNECTION_IGNORING, // what comes goes nowhere
};

struct connection {
    int socket;
    enum connection_state state;
    uint8_t header[SLAB_PIECE_MOST];
    size_t header_got;
    struct slab_piece piece;
    struct expectation *target;  // of the piece, once it is known to fit and until it is over
    struct slab_walk walk;
    uint64_t left;               // bytes of the payload
    enum slab_verdict verdict;   // of a piece that is ignored, if its checksum is right
    XXH3_state_t *sum;
    unsigned long crc;           // the same of a piece that has that
    double since;                // the piece's first byte, or when the last was done
    double heard;                // the last byte
};

struct slab_receiver {
    struct slab_receiver_options options;
    char address[NI_MAXHOST + 16];
    int listener, wake;  // wake: of the thread
    pthread_t thread;
    bool runs;
    uint8_t *scratch;  // the thread's
    pthread_mutex_t lock;
    bool stopping;                   // lock, as is all that follows
    struct expectation *expected;
    size_t expected_count;
    struct connection *connections;  // room for options.connections
    size_t count;
    double accept_after;             // no descriptor was left
};

void slab_receiver_options_default(struct slab_receiver_options *options) {
    *options = (struct slab_receiver_options){.connections = 64, .header_seconds = 10, .silent_seconds = 30, .idle_seconds = 300,
                                              .max_piece = (size_t)256 << 20};
}

const char *slab_receiver_address(const struct slab_receiver *receiver) { return receiver->address; }

// ---- what is expected, all with the lock ----

// In a time that says nothing of how much of it was right.
static bool same_token(const uint8_t *a, const uint8_t *b) {
    unsigned differ = 0;
    for (int i = 0; i < SOURCE_TOKEN_BYTES; i++) differ |= a[i] ^ b[i];
    return !differ;
}

static struct expectation *find_expected(struct slab_receiver *r, const uint8_t *token) {
    struct expectation *found = NULL;
    for (struct expectation *e = r->expected; e; e = e->next)
        if (same_token(e->token, token)) found = e;
    return found;
}

static void free_expected(struct expectation *e) {
    slab_cover_destroy(&e->cover);
    slab_memory_unref(e->memory);
    free(e);
}

int slab_receiver_expect(struct slab_receiver *r, const struct slab_layout *layout, struct slab_memory *memory,
                         uint8_t token[SOURCE_TOKEN_BYTES]) {
    struct expectation *e = calloc(1, sizeof *e);
    int status = e && getrandom(e->token, sizeof e->token, 0) == sizeof e->token ? VIRGA_OK : VIRGA_NO_MEMORY;
    if (!status) status = slab_cover_init(&e->cover, slab_layout_points(layout));
    if (status) {
        free(e);
        return status;
    }
    e->layout = *layout;
    e->memory = slab_memory_ref(memory);
    memcpy(token, e->token, sizeof e->token);
    pthread_mutex_lock(&r->lock);
    if (r->expected_count == EXPECTED_MOST) status = VIRGA_NO_MEMORY;
    if (!status) {
        e->next = r->expected;
        r->expected = e;
        r->expected_count++;
    }
    pthread_mutex_unlock(&r->lock);
    if (status) free_expected(e);
    return status;
}

void slab_receiver_end(struct slab_receiver *r, const uint8_t token[SOURCE_TOKEN_BYTES], bool *complete, uint64_t *received) {
    struct expectation **at, *e = NULL;
    *complete = false;
    *received = 0;
    pthread_mutex_lock(&r->lock);
    for (at = &r->expected; *at && !same_token((*at)->token, token); at = &(*at)->next) continue;
    if ((e = *at)) {
        *at = e->next;
        r->expected_count--;
        *complete = e->cover.present == e->cover.points;
        *received = e->received;
        for (struct connection *c = r->connections; c < r->connections + r->count; c++) {
            if (c->target != e) continue;
            c->target = NULL;
            if (c->state != CONNECTION_IGNORING) c->verdict = SLAB_UNKNOWN;
            c->state = CONNECTION_IGNORING;
        }
    }
    pthread_mutex_unlock(&r->lock);
    if (!e) return;
    free_expected(e);
    wakeup_send(r->wake);  // what waited is to be read on
}

// ---- one connection, all with the lock and on the thread ----

static void connection_close(struct slab_receiver *r, struct connection *c) {
    close(c->socket);
    XXH3_freeState(c->sum);
    *c = r->connections[--r->count];
}

// Answers; false where the connection is to be closed.
static bool answer(struct slab_receiver *r, struct connection *c, enum slab_verdict verdict) {
    uint8_t byte = (uint8_t)verdict;
    bool sent = send(c->socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
    c->state = CONNECTION_HEADER;
    c->header_got = 0;
    c->target = NULL;
    c->since = clock_monotonic();
    if (sent && (verdict == SLAB_TAKEN || verdict == SLAB_UNKNOWN)) return true;
    shutdown(c->socket, SHUT_WR);  // what has come is read, so that closing does not take the answer back
    for (int i = 0; i < 8 && recv(c->socket, r->scratch, SCRATCH_BYTES, MSG_DONTWAIT) > 0; i++) continue;
    return false;
}

// Whether another connection is just writing into the piece's box.
static bool is_written(const struct slab_receiver *r, const struct connection *mine) {
    for (const struct connection *c = r->connections; c < r->connections + r->count; c++)
        if (c != mine && c->state == CONNECTION_WRITING && c->target == mine->target && slab_boxes_meet(&c->piece.box, &mine->piece.box))
            return true;
    return false;
}

// What is there is not written again: it was right, and one that comes twice may be wrong. What is written counts once all of it is right.
static void start_payload(struct slab_receiver *r, struct connection *c) {
    struct expectation *e = c->target;
    c->state = CONNECTION_IGNORING;
    c->verdict = SLAB_TAKEN;
    if (slab_cover_has(&e->cover, &c->piece.box, &e->layout)) return;
    c->state = is_written(r, c) ? CONNECTION_WAITING : CONNECTION_WRITING;
    if (c->state == CONNECTION_WAITING) return;
    slab_cover_mark(&e->cover, &c->piece.box, &e->layout, false);
    slab_walk_begin(&c->walk, &c->piece.box, &e->layout, e->layout.each, e->layout.arrays);
}

// The header is whole. False where the connection is to be closed.
static bool begin_piece(struct slab_receiver *r, struct connection *c) {
    if (slab_piece_parse(c->header, &c->piece)) return answer(r, c, SLAB_MALFORMED);
    struct expectation *e = find_expected(r, c->piece.token);
    if (e ? !slab_piece_fits(&c->piece, &e->layout) : c->piece.payload_bytes > r->options.max_piece) return answer(r, c, SLAB_MALFORMED);
    c->left = c->piece.payload_bytes;
    XXH3_64bits_reset(c->sum);
    c->crc = crc32(0, NULL, 0);
    c->target = e;
    if (e) {
        start_payload(r, c);
    } else {
        c->state = CONNECTION_IGNORING;
        c->verdict = SLAB_UNKNOWN;
        if (!c->left) return answer(r, c, SLAB_UNKNOWN);
    }
    return true;
}

static bool end_piece(struct slab_receiver *r, struct connection *c) {
    struct expectation *e = c->target;
    bool written = c->state == CONNECTION_WRITING;
    bool right = (c->piece.crc ? (uint64_t)c->crc : XXH3_64bits_digest(c->sum)) == c->piece.checksum;
    if (!right) return answer(r, c, SLAB_DAMAGED);
    if (written) slab_cover_mark(&e->cover, &c->piece.box, &e->layout, true);
    if (e) e->received += c->piece.payload_bytes;
    return answer(r, c, written ? SLAB_TAKEN : c->verdict);
}

static void scatter(struct connection *c, const uint8_t *bytes, size_t n) {
    uint8_t *memory = c->target->memory->at;
    while (n) {
        size_t part = n < c->walk.left ? n : c->walk.left;
        memcpy(memory + c->walk.at, bytes, part);
        slab_walk_advance(&c->walk, part);
        bytes += part;
        n -= part;
    }
}

// Bytes of the header that are still to come; as recv.
static ssize_t read_header(struct connection *c) {
    size_t whole = c->header_got < SLAB_PIECE_BEGIN ? SLAB_PIECE_BEGIN : slab_piece_header_bytes(c->header);
    ssize_t n = recv(c->socket, c->header + c->header_got, whole - c->header_got, MSG_DONTWAIT);
    if (n > 0) c->header_got += (size_t)n;
    return n;
}

// Long runs go straight to their place.
static ssize_t read_payload(struct slab_receiver *r, struct connection *c) {
    bool writing = c->state == CONNECTION_WRITING, straight = writing && c->walk.left >= LONG_RUN;
    uint8_t *to = straight ? (uint8_t *)c->target->memory->at + c->walk.at : r->scratch;
    size_t room = straight ? c->walk.left : SCRATCH_BYTES;
    ssize_t n = recv(c->socket, to, room < c->left ? room : (size_t)c->left, MSG_DONTWAIT);
    if (n <= 0) return n;
    if (c->piece.crc) c->crc = crc32_z(c->crc, to, (size_t)n);
    else XXH3_64bits_update(c->sum, to, (size_t)n);
    if (straight) slab_walk_advance(&c->walk, (size_t)n);
    else if (writing) scatter(c, to, (size_t)n);
    c->left -= (uint64_t)n;
    return n;
}

// What was read may have ended a header or a payload. False where the connection is to be closed.
static bool take_step(struct slab_receiver *r, struct connection *c) {
    if (c->state != CONNECTION_HEADER) return c->left ? true : end_piece(r, c);
    if (c->header_got < SLAB_PIECE_BEGIN) return true;
    size_t whole = slab_piece_header_bytes(c->header);
    if (!whole) return answer(r, c, SLAB_MALFORMED);
    return c->header_got < whole ? true : begin_piece(r, c);
}

// Reads what has come, up to a share. False where the connection is over.
static bool serve(struct slab_receiver *r, struct connection *c) {
    size_t taken = 0;
    while (taken < TURN_BYTES && c->state != CONNECTION_WAITING) {
        bool header = c->state == CONNECTION_HEADER, first = header && !c->header_got;
        ssize_t n = header ? read_header(c) : read_payload(r, c);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
        if (n <= 0) return false;
        c->heard = clock_monotonic();
        if (first) c->since = c->heard;
        taken += (size_t)n;
        if (!take_step(r, c)) return false;
    }
    return true;
}

// Those that waited for another to be done with their box.
static void start_waiting(struct slab_receiver *r) {
    for (struct connection *c = r->connections; c < r->connections + r->count; c++) {
        if (c->state != CONNECTION_WAITING) continue;
        start_payload(r, c);
        c->heard = clock_monotonic();
    }
}

static bool is_late(const struct slab_receiver *r, const struct connection *c, double now) {
    if (c->state == CONNECTION_WAITING) return false;  // the one it waits for may be late
    if (c->state != CONNECTION_HEADER) return now - c->heard > r->options.silent_seconds;
    return now - c->since > (c->header_got ? r->options.header_seconds : r->options.idle_seconds);
}

static void close_late(struct slab_receiver *r) {
    double now = clock_monotonic();
    for (size_t i = r->count; i-- > 0;)
        if (is_late(r, &r->connections[i], now)) connection_close(r, &r->connections[i]);
}

// One that is idle, or sends what is for nothing; the longest of them.
static struct connection *find_superfluous(struct slab_receiver *r) {
    struct connection *found = NULL;
    for (struct connection *c = r->connections; c < r->connections + r->count; c++)
        if (!c->target && (!found || c->since < found->since)) found = c;
    return found;
}

static void accept_one(struct slab_receiver *r) {
    int socket = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;
    if (socket < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) r->accept_after = clock_monotonic() + 1;
        return;
    }
    if (r->count == r->options.connections) {
        struct connection *old = find_superfluous(r);
        if (old) connection_close(r, old);
    }
    XXH3_state_t *sum = r->count < r->options.connections ? XXH3_createState() : NULL;
    if (!sum) {
        uint8_t busy = SLAB_BUSY;
        ssize_t n = send(socket, &busy, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)n;
        close(socket);
        return;
    }
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    double now = clock_monotonic();
    r->connections[r->count++] = (struct connection){.socket = socket, .sum = sum, .since = now, .heard = now};
}

// ---- the thread ----

// One look at everything. False: the receiver is ending.
static bool look(struct slab_receiver *r, struct pollfd *polls) {
    pthread_mutex_lock(&r->lock);
    size_t count = r->count;
    bool goes_on = !r->stopping;
    polls[0] = (struct pollfd){.fd = r->wake, .events = POLLIN};
    bool full = r->accept_after > clock_monotonic();
    polls[1] = (struct pollfd){.fd = full ? -1 : r->listener, .events = POLLIN};
    for (size_t i = 0; i < count; i++)
        polls[i + 2] = (struct pollfd){.fd = r->connections[i].state == CONNECTION_WAITING ? -1 : r->connections[i].socket, .events = POLLIN};
    pthread_mutex_unlock(&r->lock);
    if (!goes_on) return false;
    poll(polls, (nfds_t)count + 2, count || full ? LOOK_MS : -1);
    if (polls[0].revents) wakeup_clear(r->wake);
    for (size_t i = count; i-- > 0;) {  // from the end, since closing moves the last
        pthread_mutex_lock(&r->lock);
        if (polls[i + 2].revents && !serve(r, &r->connections[i])) connection_close(r, &r->connections[i]);
        pthread_mutex_unlock(&r->lock);
    }
    pthread_mutex_lock(&r->lock);
    start_waiting(r);
    close_late(r);
    if (polls[1].revents) accept_one(r);
    pthread_mutex_unlock(&r->lock);
    return true;
}

static void *receiver_main(void *argument) {
    struct slab_receiver *r = argument;
    struct pollfd *polls = calloc(r->options.connections + 2, sizeof *polls);
    while (polls && look(r, polls)) continue;
    free(polls);
    return NULL;
}

static int listen_at(struct slab_receiver *r, const struct addrinfo *place) {
    int one = 1;
    r->listener = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->listener < 0) return errno;
    setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(r->listener, place->ai_addr, place->ai_addrlen) || listen(r->listener, 64)) return errno;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char host[NI_MAXHOST], port[16];
    if (getsockname(r->listener, (struct sockaddr *)&bound, &size)) return errno;
    if (getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV)) return EINVAL;
    snprintf(r->address, sizeof r->address, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

static int open_listener(struct slab_receiver *r, struct failure *failure) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *places = NULL;
    char port[16];
    snprintf(port, sizeof port, "%d", r->options.port);
    int wrong = getaddrinfo(r->options.host, port, &hints, &places);
    const char *why = wrong ? gai_strerror(wrong) : NULL;
    if (!wrong) {
        int error = listen_at(r, places);
        if (error) why = strerror(error);
        freeaddrinfo(places);
    }
    return why ? failure_set(failure, VIRGA_IO, "slabs cannot be received at %s:%d: %s; see the setting engine-slabs", r->options.host,
                             r->options.port, why) : VIRGA_OK;
}

int slab_receiver_new(const struct slab_receiver_options *options, struct slab_receiver **receiver, struct failure *failure) {
    struct slab_receiver *r = calloc(1, sizeof *r);
    *receiver = NULL;
    if (!r) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    r->options = *options;
    r->listener = -1;
    r->wake = wakeup_new();
    r->scratch = malloc(SCRATCH_BYTES);
    r->connections = calloc(options->connections, sizeof *r->connections);
    pthread_mutex_init(&r->lock, NULL);
    int status = r->wake >= 0 && r->scratch && r->connections ? open_listener(r, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) r->runs = !thread_start(&r->thread, receiver_main, r);
    if (!status && !r->runs) status = failure_set(failure, VIRGA_NO_MEMORY, "no thread to receive slabs");
    r->options.host = NULL;  // the caller's
    if (status) slab_receiver_free(r);
    else *receiver = r;
    return status;
}

void slab_receiver_free(struct slab_receiver *r) {
    if (!r) return;
    if (r->runs) {
        pthread_mutex_lock(&r->lock);
        r->stopping = true;
        pthread_mutex_unlock(&r->lock);
        wakeup_send(r->wake);
        pthread_join(r->thread, NULL);
    }
    while (r->count) connection_close(r, &r->connections[0]);
    while (r->expected) {
        struct expectation *e = r->expected;
        r->expected = e->next;
        free_expected(e);
    }
    if (r->listener >= 0) close(r->listener);
    if (r->wake >= 0) close(r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r->connections);
    free(r->scratch);
    free(r);
}
