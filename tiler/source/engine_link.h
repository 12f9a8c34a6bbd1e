// SPDX-License-Identifier: Apache-2.0
// Messages over the engine's socket, either way, without waiting: what cannot go yet is kept, what has not all come is gathered. One thread.
#ifndef VIRGA_SOURCE_ENGINE_LINK_H
#define VIRGA_SOURCE_ENGINE_LINK_H

#include "source/source_protocol.h"

struct engine_link {
    int socket;  // the caller's; -1 where there is none
    struct link_frame *first, *last;  // to be sent
    size_t sent;                      // of the first
    uint8_t header[SOURCE_HEADER_BYTES];
    size_t header_got, body_got;
    struct source_header in;
    uint8_t *body;
};

// Forgets what was to be sent and what has come so far. The socket stays the caller's.
void engine_link_reset(struct engine_link *link, int socket);
// Copies the message. fd (-1: none) goes with it and is to stay open until it is sent or the link reset. VIRGA_NO_MEMORY.
int engine_link_push(struct engine_link *link, const void *data, size_t size, int fd);
bool engine_link_has_output(const struct engine_link *link);
// Sends what can be sent: VIRGA_OK, or VIRGA_GONE where the other end is closed.
int engine_link_flush(struct engine_link *link);

// Most bytes that the body of this message may have, or a code: it is looked at before anything is allocated for it.
typedef int (*engine_link_limit)(void *context, const struct source_header *header, size_t *most);
// VIRGA_OK with a whole message, whose body the caller frees; VIRGA_AGAIN; VIRGA_GONE; VIRGA_INVALID for what is none, or what `limit` says;
// VIRGA_NO_MEMORY. Descriptors that come are closed.
int engine_link_receive(struct engine_link *link, engine_link_limit limit, void *context, struct source_header *header, uint8_t **body);

#endif
