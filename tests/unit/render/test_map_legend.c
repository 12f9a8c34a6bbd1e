// SPDX-License-Identifier: Apache-2.0
// Legends: of the size asked for whatever it is, with the style's own colours in order, and no words where only the bar is wanted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_map.h"
#include "render/map_colours.h"
#include "render/map_legend.h"

static const struct map_legend_options usual = {.scale = 1, .format = IMAGE_PNG, .quality = 90};

static struct map_style style_of(const char *text, const struct catalog_variable *variable) {
    struct map_style style;
    struct failure failure = {0};
    if (map_style_parse(text, &style, &failure) || map_style_complete(&style, variable, NULL, &failure)) fail_msg("%s", failure.message);
    return style;
}

static uint8_t *drawn(const struct catalog_variable *variable, const char *text, const struct map_legend_options *options, unsigned size[2]) {
    const struct map_style style = style_of(text, variable);
    struct failure failure = {0};
    uint8_t *bytes;
    size_t length;
    assert_int_equal(map_legend_size(variable, &style, options, size, &failure), VIRGA_OK);
    if (map_legend_draw(variable, &style, options, &bytes, &length, &failure)) fail_msg("%s", failure.message);
    uint8_t *pixels = made_pixels(bytes, length, size[0], size[1]);
    free(bytes);
    return pixels;
}

static void a_bar_has_the_colours_in_order(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("t", "air_temperature", "K");
    const struct map_style style = style_of("fill;bands=10", &variable);
    struct map_colours colours;
    map_colours_make(&style, &colours);
    for (int horizontal = 0; horizontal < 2; horizontal++) {
        struct map_legend_options options = usual;
        unsigned size[2];
        options.bar_only = true;
        options.horizontal = horizontal;
        options.width = horizontal ? 100 : 20;
        options.height = horizontal ? 20 : 100;
        uint8_t *pixels = drawn(&variable, "fill;bands=10", &options, size);
        for (unsigned band = 0; band < 10; band++) {
            const unsigned along = 10 * band + 5, x = horizontal ? along : 10, y = horizontal ? 10 : 99 - along;
            assert_memory_equal(pixels + 4 * (y * size[0] + x), colours.palette[MAP_SCALE_FIRST + band], 4);
        }
        free(pixels);
    }
}

static bool has_colour(const uint8_t *pixels, const unsigned size[2], const uint8_t rgba[4]) {
    for (size_t n = 0; n < (size_t)size[0] * size[1]; n++)
        if (memcmp(pixels + 4 * n, rgba, 4) == 0) return true;
    return false;
}

static void what_is_beyond_is_shown(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("t", "air_temperature", "K");
    const uint8_t above[] = {1, 250, 2, 255};
    unsigned size[2];
    uint8_t *with = drawn(&variable, "fill;above=01fa02", &usual, size);
    assert_true(has_colour(with, size, above));
    free(with);
    uint8_t *without = drawn(&variable, "fill", &usual, size);
    assert_false(has_colour(without, size, above));
    free(without);
}

static void every_size_is_kept(void **state) {
    (void)state;
    const struct catalog_variable wind = made_map_variable("wind_speed", "wind_speed", "m s-1");
    static const char *const styles[] = {"fill", "fill;bands=253", "fill;bands=7", "fill;log;range=1e-3,1e3", "fill;range=1e-300,1e300", "fill;range=1,1.0000001", "contours",
                                         "fill-contours", "barbs", "arrows/wind", "values", "fill;above=transparent;below=transparent"};
    static const unsigned sides[] = {0, 1, 3, 17, 60, 300};
    for (size_t s = 0; s < sizeof styles / sizeof *styles; s++)
        for (unsigned n = 0; n < 72; n++) {
            const struct map_legend_options options = {.width = sides[n % 6], .height = sides[n / 6 % 6], .horizontal = n / 36, .bar_only = n % 5 == 0, .transparent = n % 2,
                                                       .scale = n % 3 ? 1 : 2.5, .format = IMAGE_PNG};
            unsigned size[2];
            uint8_t *pixels = drawn(&wind, styles[s], &options, size);
            if (options.width) assert_int_equal(size[0], options.width);
            if (options.height) assert_int_equal(size[1], options.height);
            assert_true(size[0] <= MAP_LEGEND_SIDE_MAX && size[1] <= MAP_LEGEND_SIDE_MAX);
            free(pixels);
        }
}

static void words_do_not_change_the_limits(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("t", "air_temperature", "K");
    char title[3000];
    memset(title, 'W', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    struct map_legend_options options = usual;
    unsigned size[2];
    options.title = title;
    free(drawn(&variable, "fill", &options, size));
    assert_true(size[0] <= 300);
    options.title = "a\nb\t\x01 <b>&amp; \xf0\x9f\x8c\xa9 \xff";
    free(drawn(&variable, "fill-contours", &options, size));
    options.title = "";
    free(drawn(&variable, "fill", &options, size));
}

static void what_is_too_large_is_refused(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("t", "air_temperature", "K");
    const struct map_style style = style_of("fill", &variable);
    const struct map_legend_options bad[] = {{.width = MAP_LEGEND_SIDE_MAX + 1, .scale = 1}, {.height = 4000000000U, .scale = 1}, {.scale = 0}, {.scale = 5}, {.scale = NAN}};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        struct failure failure = {0};
        uint8_t *bytes;
        size_t length;
        unsigned size[2];
        assert_int_equal(map_legend_draw(&variable, &style, &bad[n], &bytes, &length, &failure), VIRGA_INVALID);
        assert_null(bytes);
        assert_int_equal(map_legend_size(&variable, &style, &bad[n], size, &failure), VIRGA_INVALID);
    }
}

static void a_clear_legend_has_no_ground(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("t", "air_temperature", "K");
    struct map_legend_options options = usual;
    unsigned size[2];
    options.transparent = true;
    uint8_t *clear = drawn(&variable, "fill", &options, size);
    assert_int_equal(clear[3], 0);
    free(clear);
    uint8_t *white = drawn(&variable, "fill", &usual, size);
    assert_memory_equal(white, ((uint8_t[]){255, 255, 255, 255}), 4);
    free(white);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_has_the_colours_in_order), cmocka_unit_test(what_is_beyond_is_shown),      cmocka_unit_test(every_size_is_kept),
        cmocka_unit_test(words_do_not_change_the_limits), cmocka_unit_test(what_is_too_large_is_refused), cmocka_unit_test(a_clear_legend_has_no_ground),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
