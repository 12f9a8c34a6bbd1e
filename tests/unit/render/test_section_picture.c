// SPDX-License-Identifier: Apache-2.0
// Sections as pictures: of the size asked for, with each value's own colour where it stands, whatever is missing, flat or beyond the axes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "made_map.h"
#include "render/map_colours.h"
#include "render/section_picture.h"

enum { NX = 40, NY = 30 };

static struct catalog_variable variable;
static struct map_style style;

static struct section_options options_of(unsigned width, unsigned height, const char *text) {
    struct failure failure = {0};
    variable = made_map_variable("t", "air_temperature", "K");
    if (map_style_parse(text, &style, &failure) || map_style_complete(&style, &variable, NULL, &failure)) fail_msg("%s", failure.message);
    return (struct section_options){.width = width, .height = height, .format = IMAGE_PNG, .quality = 90, .title = "Temperature", .subtitle = "valid now", .variable = &variable,
                                    .style = &style, .height_title = "km", .bottom = 0, .top = 10000};
}

static uint8_t *along_of(const struct section_options *options, const struct section_along *along) {
    struct failure failure = {0};
    uint8_t *bytes;
    size_t size;
    if (section_picture_along(options, along, &bytes, &size, &failure)) fail_msg("%s", failure.message);
    uint8_t *pixels = made_pixels(bytes, size, options->width, options->height);
    free(bytes);
    return pixels;
}

static void values_have_their_colours_in_their_places(void **state) {
    (void)state;
    static float values[NY][NX];
    const struct section_options options = options_of(700, 400, "fill;range=200,300;bands=20");
    struct lettering_area area;
    struct map_colours colours;
    for (int y = 0; y < NY; y++)
        for (int x = 0; x < NX; x++) values[y][x] = x == 7 ? NAN : (float)(202.5 + 5 * ((x + y) % 19));
    assert_int_equal(section_picture_area(&options, &area, NULL), VIRGA_OK);
    const struct section_along along = {.length = 5e5, .nx = NX, .ny = NY, .values = values[0], .ends = {{-3, 50}, {2, 55}}};
    uint8_t *pixels = along_of(&options, &along);
    map_colours_make(&style, &colours);
    size_t same = 0;
    for (int y = 0; y < NY; y++)
        for (int x = 0; x < NX; x++) {
            int px = area.x + (int)((x + 0.5) * area.width / NX), py = area.y + (int)((y + 0.5) * area.height / NY);
            const uint8_t *pixel = pixels + 4 * ((size_t)py * options.width + (size_t)px);
            if (x == 7) assert_true(pixel[0] > 220 && pixel[1] > 220 && pixel[2] > 220);
            else same += !memcmp(pixel, map_colours_at(&colours, (double)values[y][x]), 3);
        }
    assert_true(same > NX * (NY - 1) - 6 * NX);  // lines of heights cross a few
    free(pixels);
}

static void whatever_there_is_can_be_drawn(void **state) {
    (void)state;
    static float values[NY * NX];
    static double ground[NX];
    const double marks[] = {0, 1e5, 9e9};
    for (int kind = 0; kind < 5; kind++) {
        for (int n = 0; n < NX * NY; n++) values[n] = kind == 0 ? NAN : kind == 1 ? 280 : kind == 2 ? (float)(n % 7 ? 1e30 : -1e30) : n % 3 ? NAN : (float)n;
        for (int n = 0; n < NX; n++) ground[n] = kind == 0 ? NAN : kind == 2 ? 1e9 : n % 5 ? 300.0 * n : NAN;
        for (int size = 0; size < 3; size++)
            for (int flat = 0; flat < 2; flat++) {
                const struct section_options options = options_of(size == 0 ? 200 : size == 1 ? 333 : 1500, size == 0 ? 200 : 260, kind % 2 ? "fill-contours" : "contours;interval=0.01");
                const struct section_along along = {.length = kind == 1 ? 0 : 5e5, .nx = kind == 3 ? 1 : NX, .ny = flat ? 0 : kind == 4 ? 1 : NY, .values = values, .ground = ground,
                                                    .marks = marks, .mark_count = 3, .ends = {{-3, 50}, {540, -55}}};
                free(along_of(&options, &along));
            }
    }
}

static void profiles_are_drawn_with_what_there_is(void **state) {
    (void)state;
    double heights[] = {10, 500, 2000, NAN, 9000, 30000}, values[] = {280, NAN, 270, 265, 220, 210};
    for (int kind = 0; kind < 3; kind++) {
        const struct section_options options = options_of(300, 400, "fill");
        const struct section_profile profile = {{3, 50}, kind == 1 ? 0 : 6, heights, values, kind == 2 ? NAN : 120};
        struct failure failure = {0};
        uint8_t *bytes;
        size_t size;
        if (section_picture_profile(&options, &profile, &bytes, &size, &failure)) fail_msg("%s", failure.message);
        free(made_pixels(bytes, size, 300, 400));
        free(bytes);
    }
}

static void sizes_have_limits(void **state) {
    (void)state;
    static const unsigned sizes[][2] = {{0, 0}, {199, 400}, {400, 199}, {2049, 400}, {400, 4000000000u}};
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        const struct section_options options = options_of(sizes[n][0], sizes[n][1], "fill");
        struct lettering_area area;
        struct failure failure = {0};
        assert_int_equal(section_picture_area(&options, &area, &failure), VIRGA_INVALID);
        assert_true(failure.message[0] != '\0');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_colours_in_their_places),
        cmocka_unit_test(whatever_there_is_can_be_drawn),
        cmocka_unit_test(profiles_are_drawn_with_what_there_is),
        cmocka_unit_test(sizes_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
