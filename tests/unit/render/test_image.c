// SPDX-License-Identifier: Apache-2.0
// Files of pictures hold the very pixels and texts, read back with libpng's and libjpeg's own readers; the same picture gives the
// same bytes.
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>

#include "render/image.h"

// Smooth, with grain, as rendered pictures are; alpha of a pixel by `clear`.
static void paint(struct image *image, unsigned width, unsigned height, bool clear) {
    assert_int_equal(image_init(image, width, height), VIRGA_OK);
    uint32_t grain = 1;
    for (unsigned y = 0; y < height; y++)
        for (unsigned x = 0; x < width; x++) {
            uint8_t *pixel = image->pixels + 4 * ((size_t)y * width + x);
            grain = grain * 1664525u + 1013904223u;
            pixel[0] = (uint8_t)(x * 200 / width + (grain >> 30));
            pixel[1] = (uint8_t)(y * 200 / height + (grain >> 28 & 3));
            pixel[2] = (uint8_t)((x + y) * 100 / (width + height));
            pixel[3] = clear ? (uint8_t)(x * 7 + y) : 255;
        }
}

static void encode(const struct image *image, const struct image_options *options, uint8_t **bytes, size_t *size) {
    struct failure failure = {0};
    if (image_encode(image, options, bytes, size, &failure)) fail_msg("%s", failure.message);
}

// ---- PNG.

struct png_file {
    const uint8_t *bytes;
    size_t size, at;
};

static void read_png_bytes(png_struct *png, png_byte *out, size_t n) {
    struct png_file *file = png_get_io_ptr(png);
    if (n > file->size - file->at) png_error(png, "truncated");
    memcpy(out, file->bytes + file->at, n);
    file->at += n;
}

struct png_read {
    png_struct *png;
    png_info *info;
    struct png_file file;
};

static void open_png(struct png_read *read, const uint8_t *bytes, size_t size) {
    *read = (struct png_read){.file = {bytes, size, 0}};
    read->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    read->info = png_create_info_struct(read->png);
    png_set_read_fn(read->png, &read->file, read_png_bytes);
    png_read_png(read->png, read->info, PNG_TRANSFORM_IDENTITY, NULL);
}

static void close_png(struct png_read *read) { png_destroy_read_struct(&read->png, &read->info, NULL); }

static void png_holds_the_pixels(void **state) {
    (void)state;
    static const unsigned sizes[][2] = {{1, 1}, {3, 2}, {320, 180}, {641, 359}};
    for (size_t s = 0; s < 4; s++) {
        for (int clear = 0; clear < 2; clear++) {
            struct image image;
            uint8_t *bytes;
            size_t size;
            struct png_read read;
            const struct image_options options = {.format = IMAGE_PNG};
            paint(&image, sizes[s][0], sizes[s][1], clear);
            encode(&image, &options, &bytes, &size);
            open_png(&read, bytes, size);
            const bool alpha = png_get_color_type(read.png, read.info) == PNG_COLOR_TYPE_RGB_ALPHA;
            assert_int_equal(alpha, clear);
            int intent = -1;
            assert_int_equal(png_get_sRGB(read.png, read.info, &intent), PNG_INFO_sRGB);
            assert_int_equal(png_get_image_width(read.png, read.info), image.width);
            assert_int_equal(png_get_image_height(read.png, read.info), image.height);
            png_byte **rows = png_get_rows(read.png, read.info);
            for (unsigned y = 0; y < image.height; y++)
                for (unsigned x = 0; x < image.width; x++) {
                    const uint8_t *pixel = image.pixels + 4 * ((size_t)y * image.width + x);
                    assert_memory_equal(pixel, rows[y] + (alpha ? 4 : 3) * x, alpha ? 4 : 3);
                }
            close_png(&read);
            free(bytes);
            image_destroy(&image);
        }
    }
}

static void png_holds_the_texts(void **state) {
    (void)state;
    struct image image;
    uint8_t *bytes;
    size_t size;
    struct png_read read;
    char *longer = calloc(1, 65537);
    memset(longer, 'x', 65536);
    const struct image_text texts[] = {{"virga view", "{\"version\": 1,\n \"dataset\": \"a\"}"}, {"Title", "Température, 雲, غيوم"}, {"Empty", ""}, {"Long", longer}};
    const struct image_options options = {.format = IMAGE_PNG, .texts = texts, .text_count = 4};
    paint(&image, 20, 10, false);
    encode(&image, &options, &bytes, &size);
    open_png(&read, bytes, size);
    png_text *found;
    int count;
    png_get_text(read.png, read.info, &found, &count);
    assert_int_equal(count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(found[i].key, texts[i].key);
        assert_string_equal(found[i].text, texts[i].value);
    }
    assert_int_equal(found[0].compression, PNG_TEXT_COMPRESSION_NONE);  // tEXt, which every reader knows
    assert_int_equal(found[1].compression, PNG_ITXT_COMPRESSION_NONE);
    close_png(&read);
    free(bytes);
    free(longer);
    image_destroy(&image);
}

// ---- JPEG.

static uint8_t *read_jpeg(const uint8_t *bytes, size_t size, const struct image *like, char *comments, size_t room) {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, size);
    jpeg_save_markers(&jpeg, JPEG_COM, 0xffff);
    jpeg_read_header(&jpeg, TRUE);
    assert_int_equal(jpeg.image_width, like->width);
    assert_int_equal(jpeg.image_height, like->height);
    assert_int_equal(jpeg.progressive_mode, FALSE);
    for (int c = 0; c < 3; c++) assert_int_equal(jpeg.comp_info[c].h_samp_factor * jpeg.comp_info[c].v_samp_factor, 1);
    size_t used = 0;
    for (const struct jpeg_marker_struct *marker = jpeg.marker_list; marker; marker = marker->next) {
        assert_true(used + marker->data_length + 2 < room);
        memcpy(comments + used, marker->data, marker->data_length);
        used += marker->data_length;
        comments[used++] = '\n';
    }
    comments[used] = '\0';
    jpeg_start_decompress(&jpeg);
    uint8_t *pixels = malloc((size_t)like->width * like->height * 3);
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPLE *row = pixels + (size_t)jpeg.output_scanline * like->width * 3;
        jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
    assert_int_equal(errors.num_warnings, 0);
    jpeg_destroy_decompress(&jpeg);
    return pixels;
}

static void jpeg_is_the_picture_over_black(void **state) {
    (void)state;
    for (int clear = 0; clear < 2; clear++) {
        struct image image;
        uint8_t *bytes;
        size_t size;
        char comments[1000];
        const struct image_text texts[] = {{"Run", "2026-01-31T00:00Z"}, {"Title", "Température"}};
        const struct image_options options = {.format = IMAGE_JPEG, .quality = 95, .texts = texts, .text_count = 2};
        paint(&image, 321, 179, clear);
        encode(&image, &options, &bytes, &size);
        uint8_t *pixels = read_jpeg(bytes, size, &image, comments, sizeof comments);
        double sum = 0;
        for (size_t i = 0; i < (size_t)image.width * image.height; i++)
            for (size_t c = 0; c < 3; c++) sum += abs(pixels[3 * i + c] - image.pixels[4 * i + c] * image.pixels[4 * i + 3] / 255);
        assert_true(sum / (image.width * image.height * 3.0) < (clear ? 4 : 2));
        assert_string_equal(comments, "Run: 2026-01-31T00:00Z\nTitle: Température\n");
        free(pixels);
        free(bytes);
        image_destroy(&image);
    }
}

static void jpeg_continues_a_long_comment(void **state) {
    (void)state;
    struct image image;
    uint8_t *bytes;
    size_t size;
    char *value = calloc(1, 65537), *comments = malloc(70000);
    memset(value, 'x', 65536);
    const struct image_text text = {"View", value};
    const struct image_options options = {.format = IMAGE_JPEG, .quality = 1, .texts = &text, .text_count = 1};
    paint(&image, 16, 16, false);
    encode(&image, &options, &bytes, &size);
    free(read_jpeg(bytes, size, &image, comments, 70000));
    assert_int_equal(strlen(comments), strlen("View: ") + 65536 + 2);
    assert_int_equal(comments[65533], '\n');  // where the first marker is full
    free(comments);
    free(value);
    free(bytes);
    image_destroy(&image);
}

// ---- Both.

static void the_same_picture_gives_the_same_bytes(void **state) {
    (void)state;
    for (int format = IMAGE_PNG; format <= IMAGE_JPEG; format++) {
        struct image image;
        uint8_t *bytes[2];
        size_t size[2];
        const struct image_text text = {"Run", "now"};
        const struct image_options options = {.format = (enum image_format)format, .quality = 80, .texts = &text, .text_count = 1};
        for (int i = 0; i < 2; i++) {
            paint(&image, 500, 400, false);
            encode(&image, &options, &bytes[i], &size[i]);
            image_destroy(&image);
        }
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(bytes[0], bytes[1], size[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
}

static void what_cannot_be_written_is_refused(void **state) {
    (void)state;
    const struct { struct image_options options; const char *word; } wrong[] = {
        {{.format = (enum image_format)7}, "format"},
        {{.format = IMAGE_JPEG, .quality = 0}, "quality"},
        {{.format = IMAGE_JPEG, .quality = 101}, "quality"},
        {{.texts = &(struct image_text){"", "x"}, .text_count = 1}, "key"},
        {{.texts = &(struct image_text){" x", "x"}, .text_count = 1}, "key"},
        {{.texts = &(struct image_text){"x\n", "x"}, .text_count = 1}, "key"},
        {{.texts = &(struct image_text){"a key of more than seventy-nine bytes, which is more than a chunk of a PNG may have", "x"}, .text_count = 1}, "key"},
        {{.texts = &(struct image_text){"x", "\xff\xfe"}, .text_count = 1}, "UTF-8"},
    };
    struct image image;
    struct failure failure;
    uint8_t *bytes = (uint8_t *)&image;
    size_t size = 1;
    paint(&image, 4, 4, false);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(image_encode(&image, &wrong[i].options, &bytes, &size, &failure), VIRGA_INVALID);
        assert_non_null(strstr(failure.message, wrong[i].word));
        assert_null(bytes);
        assert_int_equal(size, 0);
    }
    image_destroy(&image);
    assert_int_equal(image_encode(&image, &(struct image_options){.format = IMAGE_PNG}, &bytes, &size, &failure), VIRGA_INVALID);
    static const unsigned sides[][2] = {{0, 1}, {1, 0}, {IMAGE_SIDE_MAX + 1, 1}, {1, 4294967295u}};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(image_init(&image, sides[i][0], sides[i][1]), VIRGA_INVALID);
        assert_null(image.pixels);
        image_destroy(&image);
    }
}

static void a_new_picture_is_clear(void **state) {
    (void)state;
    struct image image;
    assert_int_equal(image_init(&image, 7, 5), VIRGA_OK);
    for (size_t i = 0; i < 7 * 5 * 4; i++) assert_int_equal(image.pixels[i], 0);
    image_destroy(&image);
    assert_string_equal(image_suffix(IMAGE_PNG), "png");
    assert_string_equal(image_suffix(IMAGE_JPEG), "jpg");
    assert_string_equal(image_type(IMAGE_JPEG), "image/jpeg");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_holds_the_pixels),
        cmocka_unit_test(png_holds_the_texts),
        cmocka_unit_test(jpeg_is_the_picture_over_black),
        cmocka_unit_test(jpeg_continues_a_long_comment),
        cmocka_unit_test(the_same_picture_gives_the_same_bytes),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(a_new_picture_is_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
