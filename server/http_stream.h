// SPDX-License-Identifier: Apache-2.0
// Bodies that come from files, piece by piece, in constant memory: other threads read, the service thread sends.
#ifndef VIRGA_SERVER_HTTP_STREAM_H
#define VIRGA_SERVER_HTTP_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct peer;
struct http_stream;

struct http_source {
    uint64_t size;
    // Fills up to `room` bytes from `at` on (at < size), at least one; how many, or a negative code. May block. One call at a time.
    long (*read)(struct http_source *source, uint64_t at, uint8_t *out, size_t room);
    void (*free)(struct http_source *source);  // any thread
};

// All for the service thread.
// Sends `count` bytes from `first` on. Takes over the source, on failure too. NULL when out of memory.
struct http_stream *http_stream_new(struct peer *peer, struct http_source *source, uint64_t first, uint64_t count);
// The client is gone, or has it all.
void http_stream_drop(struct http_stream *stream);
// In a writable callback. 1: something is left, the callback comes again; 0: all is sent; -1: it cannot go on, close.
int http_stream_write(struct http_stream *stream);

#endif
