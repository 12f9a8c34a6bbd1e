// SPDX-License-Identifier: Apache-2.0
// Whole runs of bytes, with file descriptors beside them, over one end of a Unix stream socket. One thread at a time.
#ifndef VIRGA_SOURCE_SOURCE_CHANNEL_H
#define VIRGA_SOURCE_SOURCE_CHANNEL_H

#include <stddef.h>
#include <sys/types.h>

enum { SOURCE_CHANNEL_MAX_FDS = 2 };

// Called whenever the socket is not ready for `events` (of poll); returns VIRGA_OK to try again or a code to give up.
// Without one, calls block until done.
typedef int (*source_channel_wait)(void *context, int socket, short events);

struct source_channel {
    int socket;
    source_channel_wait wait;  // or NULL
    void *context;
};

// Sends what goes at once, as send(2): the bytes that went, or -1 and errno. The descriptors travel with the first byte.
ssize_t source_channel_send_some(int socket, const void *data, size_t size, const int *fds, int fd_count, int flags);
// Sends all; the descriptors travel with the first byte and stay open here. VIRGA_GONE when the other end is closed.
int source_channel_send(const struct source_channel *channel, const void *data, size_t size, const int *fds, int fd_count);
// Receives exactly `size` bytes. Descriptors that came go to fds (room for SOURCE_CHANNEL_MAX_FDS, *fd_count grows, the
// caller closes them); with fds NULL any that came are closed. VIRGA_GONE when the other end closed before that.
int source_channel_receive(const struct source_channel *channel, void *data, size_t size, int *fds, int *fd_count);

#endif
