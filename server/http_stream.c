// SPDX-License-Identifier: Apache-2.0
#include "server/http_stream.h"

#include <stdlib.h>

#include "server/web_state.h"

// One piece is read ahead while the last one is being sent: the library has taken it over when lws_write returns.
struct http_stream {
    struct letter letter;  // first
    struct peer *peer;     // NULL once it was dropped
    struct web_server *server;
    struct http_source *source;
    uint64_t at, end;      // what is not read yet
    uint64_t left;         // what is not sent yet
    bool reading;          // the buffer is a helper's
    long have;             // bytes of the buffer, or why there are none
    uint8_t buffer[LWS_PRE + WEB_PIECE];
};

static void stream_free(struct http_stream *stream) {
    stream->source->free(stream->source);
    free(stream);
}

static void read_piece(void *argument, bool cancelled) {
    struct http_stream *stream = argument;
    uint64_t left = stream->end - stream->at;
    size_t room = left < WEB_PIECE ? (size_t)left : WEB_PIECE;
    stream->have = cancelled ? VIRGA_CANCELLED : stream->source->read(stream->source, stream->at, stream->buffer + LWS_PRE, room);
    service_mailbox_post(stream->server->mailbox, &stream->letter);
}

static void piece_is_there(struct letter *letter) {
    struct http_stream *stream = (struct http_stream *)letter;
    stream->reading = false;
    if (!stream->peer) stream_free(stream);
    else lws_callback_on_writable(stream->peer->wsi);
}

static void ask(struct http_stream *stream) {
    stream->have = 0;
    if (stream->at >= stream->end) return;
    stream->reading = true;
    stream->letter.deliver = piece_is_there;
    if (!worker_pool_try_add(stream->server->files, LANE_READ, 0, read_piece, stream)) return;
    stream->reading = false;
    stream->have = VIRGA_TOO_LARGE;
}

struct http_stream *http_stream_new(struct peer *peer, struct http_source *source, uint64_t first, uint64_t count) {
    struct http_stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        source->free(source);
        return NULL;
    }
    stream->peer = peer;
    stream->server = peer->server;
    stream->source = source;
    stream->at = first;
    stream->end = first + count;
    stream->left = count;
    ask(stream);
    return stream;
}

void http_stream_drop(struct http_stream *stream) {
    if (!stream) return;
    stream->peer = NULL;
    if (!stream->reading) stream_free(stream);
}

int http_stream_write(struct http_stream *stream) {
    if (!stream->left) return 0;
    if (stream->reading) return 1;
    if (stream->have <= 0) return -1;
    size_t part = (size_t)stream->have;
    if (lws_write(stream->peer->wsi, stream->buffer + LWS_PRE, part, LWS_WRITE_HTTP) < 0) return -1;
    stream->server->counters.bytes_sent += part;
    stream->at += part;
    stream->left -= part;
    ask(stream);
    if (!stream->left) return 0;
    if (!stream->reading) lws_callback_on_writable(stream->peer->wsi);
    return 1;
}
