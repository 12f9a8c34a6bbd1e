// SPDX-License-Identifier: Apache-2.0
#include "source/source_channel.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/status.h"

// Room for a control message with descriptors, aligned as one.
union control_room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(SOURCE_CHANNEL_MAX_FDS * sizeof(int))];
};

static int channel_flags(const struct source_channel *channel) {
    return MSG_NOSIGNAL | (channel->wait ? MSG_DONTWAIT : 0);
}

// What to do after a call that moved nothing: VIRGA_OK to try again.
static int channel_retry(const struct source_channel *channel, short events) {
    if (errno == EINTR) return VIRGA_OK;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return VIRGA_GONE;
    return channel->wait ? channel->wait(channel->context, channel->socket, events) : VIRGA_OK;
}

ssize_t source_channel_send_some(int socket, const void *data, size_t size, const int *fds, int fd_count, int flags) {
    union control_room control = {0};
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, (size_t)fd_count * sizeof(int));
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

int source_channel_send(const struct source_channel *channel, const void *data, size_t size, const int *fds, int fd_count) {
    if (fd_count > SOURCE_CHANNEL_MAX_FDS) return VIRGA_INVALID;
    const uint8_t *at = data;
    while (size) {
        ssize_t sent = source_channel_send_some(channel->socket, at, size, fds, fd_count, channel_flags(channel));
        if (sent < 0) {
            int status = channel_retry(channel, POLLOUT);
            if (status) return status;
            continue;
        }
        at += sent;
        size -= (size_t)sent;
        fd_count = 0;
    }
    return VIRGA_OK;
}

static void take_descriptors(struct msghdr *message, int *fds, int *fd_count) {
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            if (fds && *fd_count < SOURCE_CHANNEL_MAX_FDS) fds[(*fd_count)++] = fd;
            else close(fd);
        }
    }
}

int source_channel_receive(const struct source_channel *channel, void *data, size_t size, int *fds, int *fd_count) {
    uint8_t *at = data;
    while (size) {
        union control_room control;
        struct iovec part = {.iov_base = at, .iov_len = size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes};
        message.msg_controllen = fds ? sizeof control.bytes : 0;
        ssize_t got = recvmsg(channel->socket, &message, channel_flags(channel) | MSG_CMSG_CLOEXEC);
        if (got < 0) {
            int status = channel_retry(channel, POLLIN);
            if (status) return status;
            continue;
        }
        if (fds) take_descriptors(&message, fds, fd_count);
        if (!got) return VIRGA_GONE;
        at += got;
        size -= (size_t)got;
    }
    return VIRGA_OK;
}
