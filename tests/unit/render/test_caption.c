// SPDX-License-Identifier: Apache-2.0
// Captions lie inside their picture and never on one another, at any size and with any text; missing parts leave no hole; colour
// bars have the transfer function's colours; clear pictures get their alpha.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/caption.h"
#include "render/caption_legend.h"
#include "render/caption_style.h"

static const unsigned sizes[][2] = {{16, 16}, {64, 200}, {160, 90}, {320, 180}, {640, 360}, {1280, 720}, {720, 1280}, {1000, 1000}, {1920, 1080}, {2560, 400}, {3840, 2160}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static struct transfer cloud, temperature;

static struct caption full(void) {
    return (struct caption){
        .title = "Cloud fraction, air temperature", .valid = "Thu 19 Nov 2009, 10:00 UTC", .run = "run 03:00 UTC, T+7 h", .note = "between steps",
        .attribution = "A national weather service", .legend_count = 2,
        .legends = {{"Cloud fraction", "%", 100, 0, {0, 1}, &cloud, 0.005, NULL}, {"Air temperature", "°C", 1, -273.15, {233.15, 313.15}, &temperature, 0.05, "run 12Z minus 06Z"}},
    };
}

static void paint(struct image *image, unsigned width, unsigned height, uint32_t rgba) {
    assert_int_equal(image_init(image, width, height), VIRGA_OK);
    for (size_t i = 0; i < (size_t)width * height * 4; i++) image->pixels[i] = (uint8_t)(rgba >> (24 - 8 * (i & 3)));
}

static const uint8_t *pixel(const struct image *image, int x, int y) { return image->pixels + 4 * ((size_t)y * image->width + (size_t)x); }

static bool within(const struct caption_area *area, int x, int y) {
    return x >= area->x && x < area->x + area->width && y >= area->y && y < area->y + area->height;
}

static void areas_are_apart(const struct caption_area *areas, size_t count, unsigned width, unsigned height) {
    for (size_t i = 0; i < count; i++) {
        const struct caption_area *a = &areas[i];
        assert_true(a->width > 0 && a->height > 0);
        assert_true(a->x >= 0 && a->y >= 0 && a->x + a->width <= (int)width && a->y + a->height <= (int)height);
        for (size_t j = 0; j < i; j++) {
            const struct caption_area *b = &areas[j];
            assert_true(a->x >= b->x + b->width || b->x >= a->x + a->width || a->y >= b->y + b->height || b->y >= a->y + a->height);
        }
    }
}

// Draws a caption on grey and checks that what changed is just the areas.
static size_t draws_its_areas(const struct caption *caption, unsigned width, unsigned height) {
    struct image image;
    struct caption_area areas[CAPTION_AREAS_MAX];
    bool touched[CAPTION_AREAS_MAX] = {false};
    paint(&image, width, height, 0x808080ff);
    const size_t count = caption_areas(width, height, caption, areas);
    areas_are_apart(areas, count, width, height);
    assert_int_equal(caption_draw(&image, caption), VIRGA_OK);
    for (int y = 0; y < (int)height; y++)
        for (int x = 0; x < (int)width; x++) {
            if (!memcmp(pixel(&image, x, y), (const uint8_t[]){0x80, 0x80, 0x80, 0xff}, 4)) continue;
            size_t n = 0;
            while (n < count && !within(&areas[n], x, y)) n++;
            if (n == count) fail_msg("%u × %u: a pixel outside the areas changed: %d, %d", width, height, x, y);
            touched[n] = true;
        }
    for (size_t n = 0; n < count; n++) assert_true(touched[n]);
    image_destroy(&image);
    return count;
}

static void captions_lie_inside_and_apart(void **state) {
    (void)state;
    struct caption more = full();
    more.legend_count = CAPTION_LEGENDS_MAX;
    more.legends[2] = (struct caption_legend){"A name that is far longer than any legend is wide, and then some more of it", "kg m⁻² s⁻¹", 1, 0, {1e-9, 1e-8}, &cloud, 1e-11, "minus another name that is far longer than any legend is wide, and some more of it"};
    more.legends[3] = (struct caption_legend){"", "", -2, 5, {97500, 104500}, &temperature, 0, "run 12Z minus 06Z"};
    more.attribution = "Contains information of a national weather service and of three more, each of which wants to be named in full, in this very order, always";
    for (size_t i = 0; i < SIZES; i++) {
        const struct caption usual = full();
        draws_its_areas(&usual, sizes[i][0], sizes[i][1]);
        draws_its_areas(&more, sizes[i][0], sizes[i][1]);
    }
}

static void usual_sizes_have_room_for_all(void **state) {
    (void)state;
    static const unsigned roomy[][2] = {{640, 360}, {1280, 720}, {1000, 1000}, {720, 1280}, {1920, 1080}, {3840, 2160}};
    const struct caption caption = full();
    for (size_t i = 0; i < 6; i++) assert_int_equal(draws_its_areas(&caption, roomy[i][0], roomy[i][1]), 4);
    assert_true(draws_its_areas(&caption, 320, 180) >= 2);  // times and a legend at the least
    assert_true(draws_its_areas(&caption, 160, 90) >= 1);   // times
}

static void nothing_is_drawn_for_nothing(void **state) {
    (void)state;
    const struct caption none = {.title = "", .valid = "", .run = "", .note = "", .attribution = ""}, null = {0};
    assert_int_equal(draws_its_areas(&none, 640, 360), 0);
    assert_int_equal(draws_its_areas(&null, 640, 360), 0);
    const struct caption bare = {.legend_count = 1, .legends = {{"Without colours", "", 1, 0, {0, 1}, NULL, 0}}};
    assert_int_equal(draws_its_areas(&bare, 640, 360), 0);
}

// Redder than blue, as warnings are.
static size_t warm_pixels(const struct caption *caption) {
    struct image image;
    size_t warm = 0;
    paint(&image, 640, 360, 0x000000ff);
    assert_int_equal(caption_draw(&image, caption), VIRGA_OK);
    for (size_t i = 0; i < (size_t)640 * 360; i++) warm += image.pixels[4 * i] > image.pixels[4 * i + 2] + 60;
    image_destroy(&image);
    return warm;
}

static void only_a_note_that_warns_has_the_colour_of_warnings(void **state) {
    (void)state;
    const struct caption warns = {.valid = "Thu 19 Nov 2009, 10:00 UTC", .note = "Run 6 h old"};
    struct caption calm = warns;
    calm.calm = true;
    assert_true(warm_pixels(&warns) > 20);
    assert_int_equal(warm_pixels(&calm), 0);
}

static void missing_parts_leave_no_hole(void **state) {
    (void)state;
    struct caption_area all[CAPTION_AREAS_MAX], fewer[CAPTION_AREAS_MAX];
    struct caption caption = full();
    size_t count = caption_areas(1280, 720, &caption, all);
    const char **parts[] = {&caption.title, &caption.run, &caption.note};
    for (size_t i = 0; i < 3; i++) {  // each line less makes the head so much lower
        caption = full();
        *parts[i] = "";
        assert_int_equal(caption_areas(1280, 720, &caption, fewer), count);
        assert_int_equal(fewer[0].y, all[0].y);
        assert_in_range(all[0].height - fewer[0].height, 12, 40);
    }
    caption = full();
    caption.attribution = "";
    assert_int_equal(caption_areas(1280, 720, &caption, fewer), count - 1);
    caption = full();
    caption.legend_count = 1;  // the only legend stands where the last one stood
    count = caption_areas(1280, 720, &caption, fewer);
    assert_int_equal(fewer[count - 1].y + fewer[count - 1].height, all[3].y + all[3].height);
    caption = full();
    caption.legends[0].epsilon = 0;
    caption.legends[0].units = "1";
    draws_its_areas(&caption, 1280, 720);
}

static void any_text_does_no_harm(void **state) {
    (void)state;
    static const char *const texts[] = {
        "درجة حرارة الهواء والسحب", "\xe2\x80\xae" "reversed and never ended", "雲量と気温", "line\nafter\tline\r\x01\x7f", "\xff\xfe\xc3", "Z̷̡̢̛̛̦̗̮̣̟̍̓a̸̛̹̭̗̐l̵̰̏g̴̱̈́o̷̬͝", "<b>&amp;</i>", "%s%n%d", " ",
        "🌩️⛈️🌀 👨‍👩‍👧‍👦", "\u2028\u2029\u200b",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct caption caption = full();
        caption.title = caption.valid = caption.run = caption.note = caption.attribution = caption.legends[0].title = caption.legends[0].units = texts[i];
        draws_its_areas(&caption, 640, 360);
    }
    char *longest = malloc(3 * 70000 + 1);
    for (size_t i = 0; i < 70000; i++) memcpy(longest + 3 * i, "雲", 3);
    longest[3 * 70000] = '\0';
    struct caption caption = full();
    caption.title = caption.attribution = caption.legends[0].title = longest;
    for (size_t i = 0; i < SIZES; i++) draws_its_areas(&caption, sizes[i][0], sizes[i][1]);
    caption.valid = longest;  // a time is never cut short
    struct caption_area areas[CAPTION_AREAS_MAX];
    caption.title = "";
    caption.run = caption.note = "";
    const size_t count = caption_areas(1280, 720, &caption, areas);
    assert_true(count > 0 && areas[0].y > 360);  // no head
    free(longest);
}

static void odd_numbers_do_no_harm(void **state) {
    (void)state;
    static const double ranges[][2] = {{0, 0}, {1, -1}, {NAN, NAN}, {-INFINITY, INFINITY}, {1e300, 1e301}, {-1e-300, 1e-300}, {5, 5.0000000001}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct caption caption = full();
        memcpy(caption.legends[0].range, ranges[i], sizeof ranges[i]);
        caption.legends[0].epsilon = ranges[i][1];
        caption.legends[1].scale = i & 1 ? 1e300 : NAN;
        draws_its_areas(&caption, 640, 360);
    }
}

static void the_same_pixels_each_time(void **state) {
    (void)state;
    struct image image[2];
    const struct caption caption = full();
    for (int i = 0; i < 2; i++) {
        paint(&image[i], 1280, 720, 0x123456ff);
        assert_int_equal(caption_draw(&image[i], &caption), VIRGA_OK);
    }
    assert_memory_equal(image[0].pixels, image[1].pixels, 1280 * 720 * 4);
    image_destroy(&image[0]);
    image_destroy(&image[1]);
}

// ---- Alpha.

static void near(const uint8_t *found, const double *wanted, double within_this) {
    for (int c = 0; c < 4; c++)
        if (fabs(found[c] - wanted[c]) > within_this) fail_msg("channel %d is %u, not %g", c, found[c], wanted[c]);
}

static void panels_lie_over_the_picture(void **state) {
    (void)state;
    static const uint32_t grounds[] = {0xffffffff, 0x000000ff, 0x00000000, 0x40a0e080, 0xff000001};
    const double glass[4] = {0x11, 0x17, 0x1e, 0xd1};
    const struct caption caption = full();
    struct caption_area areas[CAPTION_AREAS_MAX];
    caption_areas(1280, 720, &caption, areas);
    for (size_t i = 0; i < 5; i++) {
        struct image image;
        double wanted[4], ground[4], share = glass[3] / 255;
        paint(&image, 1280, 720, grounds[i]);
        assert_int_equal(caption_draw(&image, &caption), VIRGA_OK);
        for (int c = 0; c < 4; c++) ground[c] = grounds[i] >> (24 - 8 * c) & 255;
        const double rest = ground[3] / 255 * (1 - share), alpha = share + rest;
        for (int c = 0; c < 3; c++) wanted[c] = (glass[c] * share + ground[c] * rest) / alpha;
        wanted[3] = 255 * alpha;
        near(pixel(&image, areas[0].x + 6, areas[0].y + areas[0].height / 2), wanted, 1.6);  // beside the writing; Cairo rounds colour times alpha
        near(pixel(&image, 640, 360), ground, 0);
        image_destroy(&image);
    }
}

// ---- Colour bars.

// The opacity per km of a value by the curve alone.
static double curve(const double (*points)[2], size_t n, double value) {
    if (value <= points[0][0]) return points[0][1];
    for (size_t i = 1; i < n; i++)
        if (value <= points[i][0]) return points[i - 1][1] + (value - points[i - 1][0]) / (points[i][0] - points[i - 1][0]) * (points[i][1] - points[i - 1][1]);
    return points[n - 1][1];
}

static void bars_have_the_colours_of_the_transfer(void **state) {
    (void)state;
    static const double range[2] = {-3, 7}, points[][2] = {{-3, 0}, {0, 0.05}, {2, 0.6}, {7, 0.6}}, background[][3] = {{0x3a, 0x46, 0x52}, {0x25, 0x30, 0x3a}};
    const struct colour_map *map = colour_map_find(colour_map_name(0));
    struct transfer transfer;
    transfer_init(&transfer, map, range, points, 4);
    const struct caption caption = {.legend_count = 1, .legends = {{"Name", "m/s", 1, 0, {-3, 7}, &transfer, 0}}};
    for (size_t s = 4; s < SIZES; s++) {
        struct image image;
        struct caption_area area;
        struct lettering lettering;
        struct caption_legend_plan plan;
        paint(&image, sizes[s][0], sizes[s][1], 0x808080ff);
        assert_int_equal(caption_draw(&image, &caption), VIRGA_OK);
        assert_int_equal(caption_areas(image.width, image.height, &caption, (struct caption_area[CAPTION_AREAS_MAX]){{0}}), 1);
        struct caption_area areas[CAPTION_AREAS_MAX];
        caption_areas(image.width, image.height, &caption, areas);
        area = areas[0];
        lettering_init(&lettering);
        caption_legend_plan(&lettering, &caption.legends[0], caption_scale(image.width, image.height), area.width, &plan);
        lettering_destroy(&lettering);
        const int length = plan.width - 2 * plan.pad;
        for (int x = 0; x < length; x++) {
            const double place = (x + 0.5) / length, value = -3 + 10 * place, share = sqrt(curve(points, 4, value) / 0.6);
            double rgb[3], either[2][4];
            colour_map_at(map, place, rgb);
            for (int b = 0; b < 2; b++) {
                for (int c = 0; c < 3; c++) either[b][c] = background[b][c] + share * (rgb[c] - background[b][c]);
                either[b][3] = 255;
            }
            const uint8_t *found = pixel(&image, area.x + plan.pad + x, area.y + plan.bar_y + 1);
            const bool first = fabs(found[0] - either[0][0]) + fabs(found[1] - either[0][1]) < fabs(found[0] - either[1][0]) + fabs(found[1] - either[1][1]);
            near(found, either[first ? 0 : 1], 2);
        }
        image_destroy(&image);
    }
}

int main(void) {
    static const double shares[2] = {0, 1}, kelvins[2] = {233.15, 313.15}, fades[][2] = {{0.1, 0}, {1, 0.6}};
    transfer_init(&cloud, colour_map_find(colour_map_name(0)), shares, fades, 2);
    transfer_init(&temperature, colour_map_find(colour_map_name(1)), kelvins, NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_lie_inside_and_apart),
        cmocka_unit_test(usual_sizes_have_room_for_all),
        cmocka_unit_test(nothing_is_drawn_for_nothing),
        cmocka_unit_test(only_a_note_that_warns_has_the_colour_of_warnings), cmocka_unit_test(missing_parts_leave_no_hole),
        cmocka_unit_test(any_text_does_no_harm),
        cmocka_unit_test(odd_numbers_do_no_harm),
        cmocka_unit_test(the_same_pixels_each_time),
        cmocka_unit_test(panels_lie_over_the_picture),
        cmocka_unit_test(bars_have_the_colours_of_the_transfer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
