// SPDX-License-Identifier: Apache-2.0
#include "source/reader_broker.h"

#include <errno.h>
#include <unistd.h>

#include "source/source_channel.h"

static struct {
    struct source_channel channel;
    uint64_t request;
} broker;

void reader_broker_begin(int socket, uint64_t request) {
    broker.channel.socket = socket;
    broker.request = request;
}

void reader_broker_end(void) { broker.request = 0; }

static int error_of(int status) {
    switch (status) {
    case VIRGA_NOT_FOUND: return -ENOENT;
    case VIRGA_TOO_LARGE: return -EMFILE;
    default: return -EACCES;
    }
}

// The server answers at once and in turn: anything else cannot be made good here.
static void receive_grant(int *answer, int fds[SOURCE_CHANNEL_MAX_FDS], int *fd_count) {
    uint8_t bytes[SOURCE_HEADER_BYTES], body[SOURCE_GRANT_BYTES];
    struct source_header header;
    if (source_channel_receive(&broker.channel, bytes, sizeof bytes, fds, fd_count)) _exit(0);
    if (source_decode_header(bytes, &header) || header.kind != SOURCE_GRANT || header.request != broker.request ||
        header.body_bytes != sizeof body)
        _exit(1);
    if (source_channel_receive(&broker.channel, body, sizeof body, fds, fd_count)) _exit(0);
    if (source_decode_grant(body, sizeof body, answer) || *fd_count != (*answer == VIRGA_OK)) _exit(1);
}

int reader_broker_want(enum source_space space, const char *path) {
    uint8_t frame[SOURCE_HEADER_BYTES + SOURCE_MAX_WANT_BYTES];
    int answer, fds[SOURCE_CHANNEL_MAX_FDS], fd_count = 0;
    if (!broker.request) return -ENOENT;
    size_t bytes = source_write_want(broker.request, space, path, frame);
    if (!bytes) return -ENAMETOOLONG;
    if (source_channel_send(&broker.channel, frame, bytes, NULL, 0)) _exit(0);
    receive_grant(&answer, fds, &fd_count);
    return answer ? error_of(answer) : fds[0];
}
