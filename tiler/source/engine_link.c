// SPDX-License-Identifier: Apache-2.0
#include "source/engine_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "source/source_channel.h"

struct link_frame {
    struct link_frame *next;
    int fd;
    size_t size;
    uint8_t data[];
};

static void drop_first(struct engine_link *link) {
    struct link_frame *frame = link->first;
    link->first = frame->next;
    if (!link->first) link->last = NULL;
    link->sent = 0;
    free(frame);
}

void engine_link_reset(struct engine_link *link, int socket) {
    while (link->first) drop_first(link);
    free(link->body);
    *link = (struct engine_link){.socket = socket};
}

int engine_link_push(struct engine_link *link, const void *data, size_t size, int fd) {
    struct link_frame *frame = malloc(sizeof *frame + size);
    if (!frame) return VIRGA_NO_MEMORY;
    *frame = (struct link_frame){.fd = fd, .size = size};
    memcpy(frame->data, data, size);
    if (link->last) link->last->next = frame;
    else link->first = frame;
    link->last = frame;
    return VIRGA_OK;
}

bool engine_link_has_output(const struct engine_link *link) { return link->first != NULL; }

int engine_link_flush(struct engine_link *link) {
    while (link->first) {
        struct link_frame *frame = link->first;
        int fd_count = frame->fd >= 0 && !link->sent ? 1 : 0;
        ssize_t n = source_channel_send_some(link->socket, frame->data + link->sent, frame->size - link->sent, &frame->fd, fd_count, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? VIRGA_OK : VIRGA_GONE;
        link->sent += (size_t)n;
        if (link->sent == frame->size) drop_first(link);
    }
    return VIRGA_OK;
}

// As many as are there of those wanted: VIRGA_OK once all are.
static int take(int socket, uint8_t *to, size_t whole, size_t *got) {
    while (*got < whole) {
        ssize_t n = recv(socket, to + *got, whole - *got, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return VIRGA_AGAIN;
        if (n <= 0) return VIRGA_GONE;
        *got += (size_t)n;
    }
    return VIRGA_OK;
}

static int begin_body(struct engine_link *link, engine_link_limit limit, void *context) {
    size_t most = 0;
    if (source_decode_header(link->header, &link->in)) return VIRGA_INVALID;
    int status = limit(context, &link->in, &most);
    if (status) return status;
    if (link->in.body_bytes > most) return VIRGA_INVALID;
    link->body = malloc(link->in.body_bytes + 1);
    link->body_got = 0;
    return link->body ? VIRGA_OK : VIRGA_NO_MEMORY;
}

int engine_link_receive(struct engine_link *link, engine_link_limit limit, void *context, struct source_header *header, uint8_t **body) {
    int status = take(link->socket, link->header, sizeof link->header, &link->header_got);
    if (!status && !link->body) status = begin_body(link, limit, context);
    if (!status) status = take(link->socket, link->body, link->in.body_bytes, &link->body_got);
    if (status) return status;
    *header = link->in;
    *body = link->body;
    link->body = NULL;
    link->header_got = 0;
    return VIRGA_OK;
}
