// SPDX-License-Identifier: Apache-2.0
// Palette pictures hold the very colours, read back with libpng's own reader.
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/image_palette.h"

enum { WIDTH = 61, HEIGHT = 37 };

static uint8_t indices[WIDTH * HEIGHT];

static struct image_palette picture(unsigned count) {
    struct image_palette palette = {.width = WIDTH, .height = HEIGHT, .indices = indices, .count = count};
    for (unsigned c = 0; c < count; c++) {
        const uint8_t colour[4] = {(uint8_t)c, (uint8_t)(255 - c), (uint8_t)(3 * c), c == 0 ? 0 : c == 5 ? 128 : 255};
        memcpy(palette.colours[c], colour, 4);
    }
    for (unsigned p = 0; p < WIDTH * HEIGHT; p++) indices[p] = (uint8_t)((p / 7 + p % WIDTH) % count);
    return palette;
}

static void holds_the_very_colours(void **state) {
    (void)state;
    const unsigned counts[] = {1, 2, 17, 256};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        const struct image_palette palette = picture(counts[k]);
        const struct image_text text = {"offset", "273.15"};
        const struct image_options options = {.format = IMAGE_PNG, .texts = &text, .text_count = 1};
        uint8_t *bytes, *again, pixels[WIDTH * HEIGHT * 4];
        size_t size, size_again;
        assert_int_equal(image_palette_encode(&palette, &options, &bytes, &size, NULL), VIRGA_OK);
        assert_int_equal(image_palette_encode(&palette, &options, &again, &size_again, NULL), VIRGA_OK);
        assert_true(size == size_again && memcmp(bytes, again, size) == 0);
        assert_int_equal(bytes[24], 8);  // IHDR: bits and kind
        assert_int_equal(bytes[25], PNG_COLOR_TYPE_PALETTE);
        assert_non_null(memmem(bytes, size, "tEXtoffset\0" "273.15", 17));
        png_image png = {.version = PNG_IMAGE_VERSION};
        assert_true(png_image_begin_read_from_memory(&png, bytes, size) && png.width == WIDTH && png.height == HEIGHT);
        png.format = PNG_FORMAT_RGBA;
        assert_true(png_image_finish_read(&png, NULL, pixels, 0, NULL));
        for (unsigned p = 0; p < WIDTH * HEIGHT; p++) assert_memory_equal(pixels + 4 * p, palette.colours[indices[p]], 4);
        free(bytes);
        free(again);
    }
}

static void draws_over_what_is_there(void **state) {
    (void)state;
    const struct image_palette palette = picture(8);
    struct image image;
    assert_int_equal(image_init(&image, WIDTH, HEIGHT), VIRGA_OK);
    for (unsigned p = 0; p < WIDTH * HEIGHT; p++) memcpy(image.pixels + 4 * p, (const uint8_t[]){100, 100, 100, 255}, 4);
    image_palette_draw(&palette, &image);
    for (unsigned p = 0; p < WIDTH * HEIGHT; p++) {
        const uint8_t *pixel = image.pixels + 4 * p, *colour = palette.colours[indices[p]];
        for (int c = 0; c < 3; c++) {
            const double wanted = (colour[c] * colour[3] + 100.0 * (255 - colour[3])) / 255;
            assert_true(pixel[c] >= wanted - 0.51 && pixel[c] <= wanted + 0.51);
        }
        assert_int_equal(pixel[3], 255);
    }
    image_destroy(&image);
}

static void writes_jpegs(void **state) {
    (void)state;
    const struct image_palette palette = picture(8);
    const struct image_options options = {.format = IMAGE_JPEG, .quality = 90};
    uint8_t *bytes;
    size_t size;
    assert_int_equal(image_palette_encode(&palette, &options, &bytes, &size, NULL), VIRGA_OK);
    assert_true(size > 100 && bytes[0] == 0xff && bytes[1] == 0xd8);
    free(bytes);
}

static void refuses_what_is_no_picture(void **state) {
    (void)state;
    struct image_palette palette = picture(8);
    const struct image_options options = {.format = IMAGE_PNG};
    uint8_t *bytes;
    size_t size;
    palette.count = 7;  // of which pixels have the eighth
    assert_int_equal(image_palette_encode(&palette, &options, &bytes, &size, NULL), VIRGA_INVALID);
    assert_null(bytes);
    palette.count = 257;
    assert_int_equal(image_palette_encode(&palette, &options, &bytes, &size, NULL), VIRGA_INVALID);
    palette = picture(8);
    palette.width = 0;
    assert_int_equal(image_palette_encode(&palette, &options, &bytes, &size, NULL), VIRGA_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_very_colours), cmocka_unit_test(draws_over_what_is_there), cmocka_unit_test(writes_jpegs),
        cmocka_unit_test(refuses_what_is_no_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
