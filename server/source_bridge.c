// SPDX-License-Identifier: Apache-2.0
#include "server/source_bridge.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "source/source_channel.h"
#include "source/source_engine_ask.h"
#include "source/source_protocol.h"

enum { OFFSET_BYTES = 8, MOST_FRAME = SOURCE_HEADER_BYTES + SOURCE_MAX_REQUEST_BYTES };

struct ring {
    uint8_t *at;
    size_t room, first, size;
};

// A READ that has no answer yet.
struct lent {
    int fd;  // of its slab; -1: a free place
    uint64_t request, bytes, got;
};

// A message of the process elsewhere, as far as it has come.
struct incoming {
    uint8_t header[SOURCE_HEADER_BYTES], offset[OFFSET_BYTES];
    size_t header_got, offset_got, header_sent;
    uint64_t left;       // bytes of the body
    struct lent *lent;   // of a PIECE; NULL: it is passed on
};

struct source_bridge {
    int socket, wake;
    struct source_bridge_calls calls;
    pthread_t thread;
    pthread_mutex_t lock;
    struct ring in, out;        // lock, as are those up to the thread's
    bool stopped, over, full;   // full: whoever puts waits for room
    struct failure why;
    // the thread's
    struct lent lent[SOURCE_ENGINE_REQUESTS];
    struct source_read_message message;
    uint8_t frame[MOST_FRAME];  // of the engine
    size_t frame_bytes;         // 0: none waits to go out
    struct incoming incoming;
    bool blocked;               // the engine's socket takes no more now
};

// ---- rings ----

static void ring_put(struct ring *ring, const uint8_t *data, size_t size) {
    size_t end = (ring->first + ring->size) % ring->room, before = ring->room - end < size ? ring->room - end : size;
    memcpy(ring->at + end, data, before);
    memcpy(ring->at, data + before, size - before);
    ring->size += size;
}

// The longest run that lies in one piece.
static const uint8_t *ring_look(const struct ring *ring, size_t *size) {
    *size = ring->room - ring->first < ring->size ? ring->room - ring->first : ring->size;
    return ring->at + ring->first;
}

static void ring_drop(struct ring *ring, size_t size) {
    ring->first = (ring->first + size) % ring->room;
    ring->size -= size;
}

// ---- the thread ----

// With the lock.
static void tell(struct source_bridge *b) {
    if (!b->stopped) b->calls.told(b->calls.context);
}

static struct lent *find_lent(struct source_bridge *b, uint64_t request) {
    for (size_t i = 0; i < SOURCE_ENGINE_REQUESTS; i++)
        if (b->lent[i].fd >= 0 && b->lent[i].request == request) return &b->lent[i];
    return NULL;
}

static void give_back(struct lent *lent) {
    if (lent && lent->fd >= 0) close(lent->fd);
    if (lent) *lent = (struct lent){.fd = -1};
}

static int begin_read(struct source_bridge *b, const struct source_header *header, int *fd) {
    struct lent *place = b->lent;
    struct stat stat;
    while (place < b->lent + SOURCE_ENGINE_REQUESTS && place->fd >= 0) place++;
    if (place == b->lent + SOURCE_ENGINE_REQUESTS || *fd < 0 || find_lent(b, header->request)) return VIRGA_INTERNAL;
    if (source_decode_read(b->frame + SOURCE_HEADER_BYTES, header->body_bytes, &b->message)) return VIRGA_INTERNAL;
    if (fstat(*fd, &stat) || stat.st_size < 0 || (uint64_t)stat.st_size < b->message.slab_bytes) return VIRGA_INTERNAL;
    *place = (struct lent){.fd = *fd, .request = header->request, .bytes = b->message.slab_bytes};
    *fd = -1;
    return VIRGA_OK;
}

// A whole frame of the engine, which sends the rest of what it began without waiting for us.
static int take_frame(struct source_bridge *b) {
    const struct source_channel channel = {.socket = b->socket};
    int fds[SOURCE_CHANNEL_MAX_FDS] = {-1, -1}, count = 0;
    struct source_header header = {0};
    int status = source_channel_receive(&channel, b->frame, SOURCE_HEADER_BYTES, fds, &count);
    if (!status && (source_decode_header(b->frame, &header) || header.body_bytes > SOURCE_MAX_REQUEST_BYTES)) status = VIRGA_INTERNAL;
    if (!status) status = source_channel_receive(&channel, b->frame + SOURCE_HEADER_BYTES, header.body_bytes, fds, &count);
    if (!status && header.kind == SOURCE_READ) status = begin_read(b, &header, &fds[0]);
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0) close(fds[i]);
    if (!status) b->frame_bytes = SOURCE_HEADER_BYTES + header.body_bytes;
    return status ? failure_set(&b->why, status, "the server has let go of it") : VIRGA_OK;
}

static bool pass_frame(struct source_bridge *b) {
    pthread_mutex_lock(&b->lock);
    bool fits = b->frame_bytes && b->out.room - b->out.size >= b->frame_bytes;
    if (fits) {
        ring_put(&b->out, b->frame, b->frame_bytes);
        b->frame_bytes = 0;
        tell(b);
    }
    pthread_mutex_unlock(&b->lock);
    return fits;
}

static int refuse(struct source_bridge *b, const char *words) { return failure_set(&b->why, VIRGA_INVALID, "%s", words); }

// The header is whole.
static int begin_message(struct source_bridge *b) {
    struct incoming *m = &b->incoming;
    struct byte_reader r = {.at = m->header, .end = m->header + SOURCE_HEADER_BYTES};
    uint32_t bytes = bytes_read_u32(&r);
    uint16_t version = bytes_read_u16(&r), kind = bytes_read_u16(&r);
    struct lent *lent = find_lent(b, bytes_read_u64(&r));
    m->left = bytes;
    m->offset_got = m->header_sent = 0;
    m->lent = NULL;
    if (version != SOURCE_PROTOCOL_VERSION) return refuse(b, "a message of another version of the source protocol");
    if (kind == BRIDGE_PIECE) {
        if (!lent) return refuse(b, "a piece for a request that is over or was not made");
        if (bytes <= OFFSET_BYTES || bytes > OFFSET_BYTES + BRIDGE_MOST_PIECE) return refuse(b, "a piece of a size that none has");
        m->lent = lent;
        return VIRGA_OK;
    }
    if (kind != SOURCE_INVENTORY && bytes > SOURCE_MAX_REQUEST_BYTES) return refuse(b, "a message is too long");
    if (kind == SOURCE_SLAB && (!lent || lent->got != lent->bytes)) return refuse(b, "a slab is said to be whole and is not");
    if (kind == SOURCE_SLAB || kind == SOURCE_FAILURE) give_back(lent);  // its memory is used again once the engine has this
    else if (kind != SOURCE_HELLO && kind != SOURCE_INVENTORY && kind != SOURCE_STATE) return refuse(b, "a message of a kind that no engine sends");
    return VIRGA_OK;
}

static int check_offset(struct source_bridge *b) {
    struct incoming *m = &b->incoming;
    struct byte_reader r = {.at = m->offset, .end = m->offset + OFFSET_BYTES};
    bool right = bytes_read_u64(&r) == m->lent->got && m->left <= m->lent->bytes - m->lent->got;
    return right ? VIRGA_OK : refuse(b, "a piece does not lie where the last one ended, or reaches beyond its slab");
}

// As many bytes as one step uses: the next of the header, of the offset, or of the body.
static size_t gather(uint8_t *to, size_t whole, size_t *got, const uint8_t *data, size_t size) {
    size_t n = whole - *got < size ? whole - *got : size;
    memcpy(to + *got, data, n);
    *got += n;
    return n;
}

static int use_piece(struct source_bridge *b, const uint8_t *data, size_t size, size_t *used) {
    struct incoming *m = &b->incoming;
    if (m->offset_got < OFFSET_BYTES) {
        *used = gather(m->offset, OFFSET_BYTES, &m->offset_got, data, size);
        m->left -= *used;
        return m->offset_got == OFFSET_BYTES ? check_offset(b) : VIRGA_OK;
    }
    ssize_t n = pwrite(m->lent->fd, data, size < m->left ? size : m->left, (off_t)m->lent->got);
    if (n <= 0) return n < 0 && errno == EINTR ? VIRGA_OK : failure_set(&b->why, VIRGA_IO, "the slab cannot be written: %s", strerror(errno));
    m->lent->got += (uint64_t)n;
    m->left -= (uint64_t)n;
    *used = (size_t)n;
    return VIRGA_OK;
}

// What could be sent now of this, to the engine.
static int send_some(struct source_bridge *b, const void *data, size_t size, size_t *sent) {
    ssize_t n = send(b->socket, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    *sent = n > 0 ? (size_t)n : 0;
    if (n >= 0 || errno == EINTR) return VIRGA_OK;
    b->blocked = errno == EAGAIN || errno == EWOULDBLOCK;
    return b->blocked ? VIRGA_OK : failure_set(&b->why, VIRGA_GONE, "the server has let go of it");
}

static int use_passed(struct source_bridge *b, const uint8_t *data, size_t size, size_t *used) {
    struct incoming *m = &b->incoming;
    size_t sent = 0;
    int status = VIRGA_OK;
    if (m->header_sent < SOURCE_HEADER_BYTES) {
        status = send_some(b, m->header + m->header_sent, SOURCE_HEADER_BYTES - m->header_sent, &sent);
        m->header_sent += sent;
        return status;
    }
    status = send_some(b, data, size < m->left ? size : m->left, used);
    m->left -= *used;
    return status;
}

// Whether the message is complete and gone.
static bool is_done(const struct incoming *m) { return !m->left && (m->lent || m->header_sent == SOURCE_HEADER_BYTES); }

static int use(struct source_bridge *b, const uint8_t *data, size_t size, size_t *used) {
    struct incoming *m = &b->incoming;
    int status = VIRGA_OK;
    *used = 0;
    if (m->header_got < SOURCE_HEADER_BYTES) {
        *used = gather(m->header, SOURCE_HEADER_BYTES, &m->header_got, data, size);
        if (m->header_got == SOURCE_HEADER_BYTES) status = begin_message(b);
        return status;
    }
    status = m->lent ? use_piece(b, data, size, used) : use_passed(b, data, size, used);
    if (is_done(m)) m->header_got = 0;
    return status;
}

static bool has_begun(const struct incoming *m) { return m->header_got == SOURCE_HEADER_BYTES; }

// What has come, as it lies in one piece. *more: there may be more to do at once.
static int take_incoming(struct source_bridge *b, bool *more) {
    size_t size, all = 0, used = 1;
    int status = VIRGA_OK;
    pthread_mutex_lock(&b->lock);
    const uint8_t *data = ring_look(&b->in, &size);
    pthread_mutex_unlock(&b->lock);
    b->blocked = false;
    // A message without a body is passed on without bytes that follow it.
    while (!status && !b->blocked && (all < size || (has_begun(&b->incoming) && !b->incoming.left))) {
        status = use(b, data + all, size - all, &used);
        all += used;
    }
    pthread_mutex_lock(&b->lock);
    ring_drop(&b->in, all);
    *more = b->in.size && !b->blocked;
    if (b->full && b->in.size < BRIDGE_IN / 4) {
        b->full = false;
        tell(b);
    }
    pthread_mutex_unlock(&b->lock);
    return status;
}

static void wait_for_something(struct source_bridge *b, bool more) {
    short events = (short)((b->frame_bytes ? 0 : POLLIN) | (b->blocked ? POLLOUT : 0));
    struct pollfd polls[] = {{.fd = b->wake, .events = POLLIN}, {.fd = events ? b->socket : -1, .events = events}};
    poll(polls, 2, more ? 0 : -1);
    if (polls[0].revents) wakeup_clear(b->wake);
}

static bool is_readable(const struct source_bridge *b) {
    struct pollfd one = {.fd = b->socket, .events = POLLIN};
    return poll(&one, 1, 0) > 0 && one.revents;
}

static bool is_stopped(struct source_bridge *b) {
    pthread_mutex_lock(&b->lock);
    bool stopped = b->stopped;
    pthread_mutex_unlock(&b->lock);
    return stopped;
}

static void *bridge_main(void *argument) {
    struct source_bridge *b = argument;
    int status = VIRGA_OK;
    while (!status && !is_stopped(b)) {
        bool more = false;
        while (!status && (!b->frame_bytes || pass_frame(b)) && is_readable(b)) status = take_frame(b);
        if (!status) status = take_incoming(b, &more);
        if (!status) wait_for_something(b, more);
    }
    shutdown(b->socket, SHUT_RDWR);
    for (size_t i = 0; i < SOURCE_ENGINE_REQUESTS; i++) give_back(&b->lent[i]);
    pthread_mutex_lock(&b->lock);
    b->over = true;
    tell(b);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

// ---- life ----

static void destroy(struct source_bridge *b) {
    close(b->socket);
    if (b->wake >= 0) close(b->wake);
    pthread_mutex_destroy(&b->lock);
    free(b->in.at);
    free(b->out.at);
    free(b);
}

int source_bridge_new(int socket, const struct source_bridge_calls *calls, struct source_bridge **bridge, struct failure *failure) {
    struct source_bridge *b = calloc(1, sizeof *b);
    *bridge = NULL;
    if (!b) {
        close(socket);
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    }
    b->socket = socket;
    b->calls = *calls;
    pthread_mutex_init(&b->lock, NULL);
    for (size_t i = 0; i < SOURCE_ENGINE_REQUESTS; i++) b->lent[i].fd = -1;
    b->wake = wakeup_new();
    b->in = (struct ring){.at = malloc(BRIDGE_IN), .room = BRIDGE_IN};
    b->out = (struct ring){.at = malloc(BRIDGE_OUT), .room = BRIDGE_OUT};
    if (b->wake >= 0 && b->in.at && b->out.at && !thread_start(&b->thread, bridge_main, b)) {
        *bridge = b;
        return VIRGA_OK;
    }
    destroy(b);
    return failure_set(failure, VIRGA_NO_MEMORY, "no memory or thread for a notebook");
}

void source_bridge_stop(struct source_bridge *b) {
    pthread_mutex_lock(&b->lock);
    b->stopped = true;
    pthread_mutex_unlock(&b->lock);
    shutdown(b->socket, SHUT_RDWR);
    wakeup_send(b->wake);
}

void source_bridge_free(struct source_bridge *b) {
    if (!b) return;
    source_bridge_stop(b);
    pthread_join(b->thread, NULL);
    destroy(b);
}

// ---- the other side ----

int source_bridge_put(struct source_bridge *b, const void *data, size_t size) {
    pthread_mutex_lock(&b->lock);
    int status = b->over ? VIRGA_GONE : size > b->in.room - b->in.size ? VIRGA_TOO_LARGE : VIRGA_OK;
    if (!status) {
        ring_put(&b->in, data, size);
        b->full = b->in.size > BRIDGE_IN / 2;
        if (b->full) status = VIRGA_AGAIN;
    }
    pthread_mutex_unlock(&b->lock);
    wakeup_send(b->wake);
    return status;
}

bool source_bridge_has_room(struct source_bridge *b) {
    pthread_mutex_lock(&b->lock);
    bool room = !b->full;
    pthread_mutex_unlock(&b->lock);
    return room;
}

size_t source_bridge_take(struct source_bridge *b, void *out, size_t room) {
    size_t size;
    pthread_mutex_lock(&b->lock);
    const uint8_t *data = ring_look(&b->out, &size);
    if (size > room) size = room;
    memcpy(out, data, size);
    ring_drop(&b->out, size);
    pthread_mutex_unlock(&b->lock);
    if (size) wakeup_send(b->wake);
    return size;
}

bool source_bridge_is_over(struct source_bridge *b, struct failure *why) {
    pthread_mutex_lock(&b->lock);
    bool over = b->over;
    if (over) *why = b->why;
    pthread_mutex_unlock(&b->lock);
    return over;
}
