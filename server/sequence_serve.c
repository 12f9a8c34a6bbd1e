// SPDX-License-Identifier: Apache-2.0
#include "server/sequence_serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/write_all.h"

enum { IDLE_MILLISECONDS = 120000 };

static int write_bytes(const void *bytes, size_t size, struct failure *failure) {
    int reason = write_all(STDOUT_FILENO, bytes, size);
    return reason ? failure_set(failure, VIRGA_IO, "nobody takes the frames: %s", strerror(reason)) : VIRGA_OK;
}

static int write_item(uint32_t number, uint32_t flags, const void *bytes, size_t size, struct failure *failure) {
    uint8_t head[SEQUENCE_ITEM_BYTES];
    struct byte_writer w = {head, head + sizeof head, false};
    bytes_write_u32(&w, number);
    bytes_write_u32(&w, flags);
    bytes_write_u64(&w, size);
    int status = write_bytes(head, sizeof head, failure);
    return status == VIRGA_OK ? write_bytes(bytes, size, failure) : status;
}

// The next number: 1; 0 at the end.
static int next_number(const struct sequence_work *w, size_t *number, struct failure *failure) {
    char text[24];
    size_t size = 0;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (size < sizeof text) {
        int ready = poll(&input, 1, IDLE_MILLISECONDS);
        if (ready == 0) return 0;
        ssize_t n = ready < 0 ? -1 : read(STDIN_FILENO, text + size, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        if (text[size++] == '\n') break;
    }
    char *end;
    text[size - 1] = '\0';
    *number = strtoul(text, &end, 10);
    if (end != text && !*end && text[0] != '-' && *number < frame_sequence_count(w->frames)) return 1;
    return failure_set(failure, VIRGA_INVALID, "there is no frame of this number");
}

static int serve(struct sequence_work *w, size_t number, struct failure *failure) {
    struct frame_picture picture = {0};
    uint8_t *bytes = NULL;
    size_t size = 0, degraded = w->run->degraded;
    int status = sequence_work_draw(w, number, &picture, failure);
    if (status == VIRGA_OK) status = frame_picture_encode(&picture, w->run->format, w->run->document->sequence->quality, &bytes, &size, failure);
    uint32_t flags = w->run->degraded > degraded ? SEQUENCE_ITEM_DEGRADED : 0;
    if (status == VIRGA_OK) status = write_item((uint32_t)number, flags, bytes, size, failure);
    frame_picture_destroy(&picture);
    free(bytes);
    return status;
}

int sequence_serve(struct sequence_work *w, struct failure *failure) {
    char *record = NULL;
    size_t number = 0;
    int more = 0, status = sequence_work_record(w, false, &record, failure);
    if (status == VIRGA_OK) status = write_item(SEQUENCE_ITEM_RECORD, 0, record, strlen(record), failure);
    free(record);
    while (status == VIRGA_OK && (more = next_number(w, &number, failure)) == 1) status = serve(w, number, failure);
    return status == VIRGA_OK && more < 0 ? more : status;
}
