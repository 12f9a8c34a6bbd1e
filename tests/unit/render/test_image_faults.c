// SPDX-License-Identifier: Apache-2.0
// Out of memory fails one picture, from whichever allocation on, and leaks nothing: there is room for one more each time, until a
// file or a caption comes out. Exit 77 under sanitizers, whose allocator cannot be replaced.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/caption.h"
#include "render/image_palette.h"

#ifdef VIRGA_SANITIZED

int main(void) {
    puts("skipped: the sanitizer's allocator cannot be replaced");
    return 77;
}

#else

#include "failing_allocator.h"

static void paint(struct image *image, unsigned width, unsigned height) {
    assert_int_equal(image_init(image, width, height), VIRGA_OK);
    uint32_t grain = 1;
    for (size_t i = 0; i < (size_t)width * height * 4; i++) image->pixels[i] = (uint8_t)((grain = grain * 1664525u + 1013904223u) >> 24);
}

static void each_allocation_fails_one_file(void **state) {
    (void)state;
    const struct image_text texts[] = {{"Run", "now"}, {"Title", "Température"}};
    struct image image;
    paint(&image, 400, 300);  // of noise: the file outgrows its first room
    for (int format = IMAGE_PNG; format <= IMAGE_JPEG; format++) {
        const struct image_options options = {.format = (enum image_format)format, .quality = 100, .texts = texts, .text_count = 2};
        int status = VIRGA_NO_MEMORY;
        long failed = 0;
        for (long n = 0; status; n++) {
            struct failure failure = {0};
            uint8_t *bytes;
            size_t size;
            const long before = live;
            room = n;
            status = image_encode(&image, &options, &bytes, &size, &failure);
            room = -1;
            assert_true(status == VIRGA_OK || (status == VIRGA_NO_MEMORY && strstr(failure.message, "out of memory") && !bytes));
            if (status) failed++;
            free(bytes);
            assert_int_equal(live, before);
        }
        assert_true(failed >= 8);
    }
    image_destroy(&image);
}

static void each_allocation_fails_one_palette(void **state) {
    (void)state;
    static uint8_t indices[400 * 300];
    struct image_palette palette = {.width = 400, .height = 300, .indices = indices, .count = IMAGE_PALETTE_COLOURS};
    uint32_t grain = 1;
    for (size_t i = 0; i < sizeof indices; i++) indices[i] = (uint8_t)((grain = grain * 1664525u + 1013904223u) >> 24);
    for (int format = IMAGE_PNG; format <= IMAGE_JPEG; format++) {
        const struct image_options options = {.format = (enum image_format)format, .quality = 100};
        int status = VIRGA_NO_MEMORY;
        long failed = 0;
        for (long n = 0; status; n++, failed++) {
            uint8_t *bytes;
            size_t size;
            const long before = live;
            room = n;
            status = image_palette_encode(&palette, &options, &bytes, &size, NULL);
            room = -1;
            assert_true(status == VIRGA_OK || (status == VIRGA_NO_MEMORY && !bytes));
            free(bytes);
            assert_int_equal(live, before);
        }
        assert_true(failed >= 6);
    }
}

static void no_room_for_a_picture(void **state) {
    (void)state;
    struct image image;
    room = 0;
    assert_int_equal(image_init(&image, 100, 100), VIRGA_NO_MEMORY);
    room = -1;
    assert_null(image.pixels);
    image_destroy(&image);
}

// Only what is large, which is virga's own; small ones are Pango's, of which GLib ends the process.
static void no_room_for_a_panel(void **state) {
    (void)state;
    static struct transfer transfer;
    transfer_init(&transfer, colour_map_find(colour_map_name(0)), (const double[]){0, 1}, NULL, 0);
    const struct caption caption = {.title = "Title", .valid = "Thu 19 Nov 2009, 10:00 UTC", .run = "run 03:00 UTC, T+7 h", .attribution = "A national weather service, in many words",
                                    .legend_count = 1, .legends = {{"Name", "m/s", 1, 0, {0, 1}, &transfer, 0.5}}};
    struct image image;
    paint(&image, 3840, 2160);
    assert_int_equal(caption_draw(&image, &caption), VIRGA_OK);  // fonts are loaded now
    counted_from = 100000;
    int status = VIRGA_NO_MEMORY;
    long failed = 0;
    for (long n = 0; status; n++, failed++) {
        room = n;
        status = caption_draw(&image, &caption);
        room = -1;
        assert_true(status == VIRGA_OK || status == VIRGA_NO_MEMORY);
    }
    counted_from = 0;
    assert_true(failed > 3);  // three panels, one after the other
    image_destroy(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_one_file),
        cmocka_unit_test(each_allocation_fails_one_palette),
        cmocka_unit_test(no_room_for_a_picture),
        cmocka_unit_test(no_room_for_a_panel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
