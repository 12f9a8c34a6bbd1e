// SPDX-License-Identifier: Apache-2.0
// JPEG through libjpeg-turbo: baseline, every pixel with its own colour (4:4:4), so that thin lines and small coloured text stay
// sharp. Its errors come back by longjmp: whatever must outlive one stands in `struct encoder`.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "render/image_writer.h"

enum {
    COMMENT_MAX = 65533,  // bytes that a marker holds
    BLOCK = 16384,        // bytes handed on at a time
};

struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf escape;
    JSAMPLE *row;
    char *comment;
    struct image_bytes *bytes;
    JOCTET block[BLOCK];
    char message[JMSG_LENGTH_MAX];
};

static void report(j_common_ptr common) {
    struct encoder *encoder = common->client_data;
    common->err->format_message(common, encoder->message);
    longjmp(encoder->escape, 1);
}

static void ignore(j_common_ptr common) { (void)common; }

static void begin_block(j_compress_ptr jpeg) {
    struct encoder *encoder = jpeg->client_data;
    encoder->destination.next_output_byte = encoder->block;
    encoder->destination.free_in_buffer = BLOCK;
}

static void hand_on(struct encoder *encoder, size_t n) {
    if (!image_bytes_append(encoder->bytes, encoder->block, n)) ERREXIT1(&encoder->jpeg, JERR_OUT_OF_MEMORY, 0);
}

static boolean end_block(j_compress_ptr jpeg) {  // of which libjpeg always fills all
    hand_on(jpeg->client_data, BLOCK);
    begin_block(jpeg);
    return TRUE;
}

static void end_file(j_compress_ptr jpeg) {
    struct encoder *encoder = jpeg->client_data;
    hand_on(encoder, BLOCK - encoder->destination.free_in_buffer);
}

static void write_comment(struct encoder *encoder, const struct image_text *text) {
    const size_t n = strlen(text->key) + 2 + strlen(text->value);
    encoder->comment = malloc(n + 1);
    if (!encoder->comment) ERREXIT1(&encoder->jpeg, JERR_OUT_OF_MEMORY, 0);
    snprintf(encoder->comment, n + 1, "%s: %s", text->key, text->value);
    for (size_t at = 0; at < n; at += COMMENT_MAX)
        jpeg_write_marker(&encoder->jpeg, JPEG_COM, (const JOCTET *)encoder->comment + at,
                          n - at < COMMENT_MAX ? (unsigned)(n - at) : COMMENT_MAX);
    free(encoder->comment);
    encoder->comment = NULL;
}

// Over black.
static void fill_row(JSAMPLE *row, const uint8_t *pixels, unsigned width) {
    for (unsigned x = 0; x < width; x++)
        for (unsigned c = 0; c < 3; c++) row[3 * x + c] = (JSAMPLE)((pixels[4 * x + c] * pixels[4 * x + 3] + 127) / 255);
}

static void write_all(struct encoder *encoder, const struct image *image, const struct image_options *options) {
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    jpeg_create_compress(jpeg);
    jpeg->dest = &encoder->destination;
    jpeg->image_width = image->width;
    jpeg->image_height = image->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, options->quality, TRUE);
    for (int c = 0; c < jpeg->num_components; c++) jpeg->comp_info[c].h_samp_factor = jpeg->comp_info[c].v_samp_factor = 1;
    jpeg_start_compress(jpeg, TRUE);
    for (size_t i = 0; i < options->text_count; i++) write_comment(encoder, &options->texts[i]);
    for (unsigned y = 0; y < image->height; y++) {
        fill_row(encoder->row, image->pixels + (size_t)y * image->width * 4, image->width);
        jpeg_write_scanlines(jpeg, &encoder->row, 1);
    }
    jpeg_finish_compress(jpeg);
}

static bool wrote_all(struct encoder *encoder, const struct image *image, const struct image_options *options) {
    if (setjmp(encoder->escape)) return false;
    write_all(encoder, image, options);
    return true;
}

static int fail(const struct encoder *encoder, struct failure *failure) {
    if (encoder->errors.msg_code == JERR_OUT_OF_MEMORY) return failure_set(failure, VIRGA_NO_MEMORY, "jpeg: out of memory");
    return failure_set(failure, VIRGA_INTERNAL, "jpeg: %s", encoder->message);
}

static int encode(const struct image *image, const struct image_options *options, struct image_bytes *bytes,
                  struct failure *failure) {
    struct encoder encoder = {.bytes = bytes, .row = malloc((size_t)image->width * 3)};
    if (!encoder.row) return failure_set(failure, VIRGA_NO_MEMORY, "jpeg: out of memory");
    encoder.destination = (struct jpeg_destination_mgr){.init_destination = begin_block, .empty_output_buffer = end_block,
                                                        .term_destination = end_file};
    encoder.jpeg.err = jpeg_std_error(&encoder.errors);
    encoder.jpeg.client_data = &encoder;
    encoder.errors.error_exit = report;
    encoder.errors.output_message = ignore;
    int status = wrote_all(&encoder, image, options) ? VIRGA_OK : fail(&encoder, failure);
    jpeg_destroy_compress(&encoder.jpeg);
    free(encoder.row);
    free(encoder.comment);
    return status;
}

const struct image_writer image_jpeg = {.suffix = "jpg", .type = "image/jpeg", .encode = encode};
