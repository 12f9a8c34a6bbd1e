// SPDX-License-Identifier: Apache-2.0
// libpng's errors come back by longjmp: whatever must outlive one stands in `struct stream`.
#include "render/image_png_stream.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct stream {
    png_struct *png;
    png_info *info;
    struct image_bytes *bytes;
    bool no_memory;
    char message[128];
};

static void report(png_struct *png, const char *message) {
    struct stream *stream = png_get_error_ptr(png);
    strncpy(stream->message, message, sizeof stream->message - 1);
    png_longjmp(png, 1);
}

static void ignore(png_struct *png, const char *message) { (void)png, (void)message; }

static void *take(png_struct *png, png_alloc_size_t size) {
    struct stream *stream = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (!memory) stream->no_memory = true;
    return memory;
}

static void give(png_struct *png, void *memory) {
    (void)png;
    free(memory);
}

static void append(png_struct *png, png_byte *data, size_t n) {
    struct stream *stream = png_get_io_ptr(png);
    if (image_bytes_append(stream->bytes, data, n)) return;
    stream->no_memory = true;
    png_error(png, "out of memory");
}

static void flush(png_struct *png) { (void)png; }

static bool is_ascii(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80) return false;
    return true;
}

void image_png_texts(png_struct *png, png_info *info, const struct image_options *options) {
    for (size_t i = 0; i < options->text_count; i++) {
        png_text text = {
            .compression = is_ascii(options->texts[i].value) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE,
            .key = (char *)(uintptr_t)options->texts[i].key,    // libpng copies both
            .text = (char *)(uintptr_t)options->texts[i].value,
            .text_length = strlen(options->texts[i].value),
            .lang = (char[]){""},
            .lang_key = (char[]){""},
        };
        png_set_text(png, info, &text, 1);
    }
}

static bool wrote_all(struct stream *stream, image_png_body body, const void *user) {
    if (setjmp(png_jmpbuf(stream->png))) return false;
    png_set_write_fn(stream->png, stream, append, flush);
    body(stream->png, stream->info, user);
    png_write_end(stream->png, NULL);
    return true;
}

int image_png_stream(struct image_bytes *bytes, image_png_body body, const void *user, struct failure *failure) {
    struct stream stream = {.bytes = bytes};
    stream.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &stream, report, ignore, &stream, take, give);
    if (stream.png) stream.info = png_create_info_struct(stream.png);
    int status = VIRGA_OK;
    const bool wrote = stream.info && wrote_all(&stream, body, user);
    if (!wrote && (!stream.info || stream.no_memory)) status = failure_set(failure, VIRGA_NO_MEMORY, "png: out of memory");
    else if (!wrote) status = failure_set(failure, VIRGA_INTERNAL, "png: %s", stream.message);
    png_destroy_write_struct(&stream.png, &stream.info);
    return status;
}
