// SPDX-License-Identifier: Apache-2.0
// Maps as pictures: colours are the scale's, missing is clear, tiles meet without seams, barbs point where the wind comes from, numbers come back exactly.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_map.h"
#include "render/map_colours.h"

enum { SEAM = 48 };  // of 255: lines of neighbouring pictures may differ in the last bits of their places

static struct grid *grid;
static const struct map_picture_options plain = {.format = IMAGE_PNG, .quality = 90, .transparent = true, .scale = 1};

static struct map_style style_of(const char *text, const struct catalog_variable *variable) {
    struct map_style style;
    struct failure failure = {0};
    if (map_style_parse(text, &style, &failure) || map_style_complete(&style, variable, NULL, &failure)) fail_msg("%s", failure.message);
    return style;
}

static struct map_frame frame_of(const char *crs, double west, double south, double east, double north, unsigned width, unsigned height) {
    return (struct map_frame){.crs = map_crs_find(crs), .box = {west, south, east, north}, .width = width, .height = height};
}

static uint8_t *drawn(const struct map_frame *frame, const struct map_picture_layer *layers, size_t count, const struct map_picture_options *options) {
    struct failure failure = {0};
    uint8_t *bytes;
    size_t size;
    if (map_picture_draw(frame, layers, count, options, &bytes, &size, &failure)) fail_msg("%s", failure.message);
    uint8_t *pixels = made_pixels(bytes, size, frame->width, frame->height);
    free(bytes);
    return pixels;
}

static double eastward(double lon, double lat) { return (void)lat, lon; }
static double half_missing(double lon, double lat) { return (void)lat, lon < 0 ? NAN : 10; }
static double ripples(double lon, double lat) { return 100 + 10 * sin(lon) * sin(lat * 1.05); }  // rings too small for labels
static double pattern(double lon, double lat) { return 100 + 0.25 * (fmod(7 * (lon + 180) + 13 * (lat + 90), 4001) - 2000); }
static double twelve(double lon, double lat) { return (void)lon, (void)lat, 12; }
static double west_wind(double lon, double lat) { return (void)lon, (void)lat, 270; }
static double turning(double lon, double lat) { return fmod(lon * 3 + lat * 2 + 720, 360); }
static double gusts(double lon, double lat) { return 20 + 15 * sin(lon * 0.3) * cos(lat * 0.4); }

// --- colours -------------------------------------------------------------------------------------------------------------------

static void pixels_have_the_colours_of_their_values(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "", "1");
    const struct map_style style = style_of("fill/thermal;range=-100,100;bands=20;below=transparent;above=112233", &variable);
    const struct map_frame frame = frame_of("CRS:84", -180, -90, 180, 90, 360, 180);
    struct plane *plane = made_plane(eastward, false);
    const struct map_picture_layer layer = {.grid = grid, .variable = &variable, .plane = plane, .style = &style};
    struct map_colours colours;
    map_colours_make(&style, &colours);
    uint8_t *pixels = drawn(&frame, &layer, 1, &plain);
    for (unsigned y = 0; y < 180; y++)
        for (unsigned x = 0; x < 359; x++) {  // the last lies between 179 and −180
            const uint8_t *pixel = pixels + 4 * (y * 360 + x), *wanted = map_colours_at(&colours, -179.5 + x);
            assert_int_equal(pixel[3], wanted[3]);
            if (wanted[3]) assert_memory_equal(pixel, wanted, 4);
        }
    assert_int_equal(pixels[3], 0);
    assert_memory_equal(pixels + 4 * 350, ((uint8_t[]){0x11, 0x22, 0x33, 255}), 4);
    free(pixels);
    plane_unref(plane);
}

static void missing_is_clear_or_the_background(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "", "1");
    const struct map_style style = style_of("fill/thermal;range=0,20;opacity=0.5", &variable);
    const struct map_frame frame = frame_of("EPSG:3857", -1e7, -1e7, 1e7, 1e7, 64, 64);
    struct plane *plane = made_plane(half_missing, false);
    const struct map_picture_layer layer = {.grid = grid, .variable = &variable, .plane = plane, .style = &style};
    struct map_picture_options opaque = plain;
    opaque.transparent = false;
    memcpy(opaque.background, ((uint8_t[]){10, 200, 30}), 3);
    uint8_t *clear = drawn(&frame, &layer, 1, &plain), *filled = drawn(&frame, &layer, 1, &opaque);
    assert_int_equal(clear[3], 0);
    assert_int_equal(clear[4 * 60 + 3], 128);
    assert_memory_equal(filled, ((uint8_t[]){10, 200, 30, 255}), 4);
    const uint8_t *over = clear + 4 * 60, *mixed = filled + 4 * 60;
    for (int c = 0; c < 3; c++) assert_true(abs(mixed[c] - (over[c] * 128 + opaque.background[c] * 127) / 255) <= 1);
    free(clear);
    free(filled);
    plane_unref(plane);
}

static void layers_lie_over_one_another(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "", "1");
    const struct map_style below = style_of("fill/thermal;range=-180,180", &variable), above = style_of("fill/lagoon;range=0,20", &variable);
    const struct map_frame frame = frame_of("CRS:84", -90, -45, 90, 45, 90, 45);
    struct plane *a = made_plane(eastward, false), *b = made_plane(half_missing, false);
    const struct map_picture_layer layers[] = {{.grid = grid, .variable = &variable, .plane = a, .style = &below},
                                               {.grid = grid, .variable = &variable, .plane = b, .style = &above}};
    uint8_t *both = drawn(&frame, layers, 2, &plain), *first = drawn(&frame, layers, 1, &plain), *second = drawn(&frame, layers + 1, 1, &plain);
    for (unsigned y = 0; y < 45; y++) {
        assert_memory_equal(both + 4 * (y * 90), first + 4 * (y * 90), 4 * 44);
        assert_memory_equal(both + 4 * (y * 90 + 46), second + 4 * (y * 90 + 46), 4 * 44);
    }
    free(both);
    free(first);
    free(second);
    plane_unref(a);
    plane_unref(b);
}

// --- seams ---------------------------------------------------------------------------------------------------------------------

// A picture and four that cover a quarter each; the most by which a pixel's channel differs.
static int seams(const struct map_picture_layer *layer, const char *crs, const double box[4], double scale) {
    const unsigned side = 256;
    struct map_picture_options options = plain;
    options.scale = scale;
    const struct map_frame whole = frame_of(crs, box[0], box[1], box[2], box[3], 2 * side, 2 * side);
    const double x = 0.5 * (box[0] + box[2]), y = 0.5 * (box[1] + box[3]);
    uint8_t *all = drawn(&whole, layer, 1, &options);
    int most = 0, inked = 0;
    for (unsigned q = 0; q < 4; q++) {
        const struct map_frame frame = frame_of(crs, q & 1 ? x : box[0], q & 2 ? box[1] : y, q & 1 ? box[2] : x, q & 2 ? y : box[3], side, side);
        uint8_t *part = drawn(&frame, layer, 1, &options);
        for (unsigned n = 0; n < side * side; n++) {
            const uint8_t *a = part + 4 * n, *b = all + 4 * ((n / side + (q & 2 ? side : 0)) * 2 * side + n % side + (q & 1 ? side : 0));
            inked += b[3] > 128;
            for (int c = 0; c < 4; c++) most = abs(a[c] * a[3] - b[c] * b[3]) / 255 > most ? abs(a[c] * a[3] - b[c] * b[3]) / 255 : most;
        }
        free(part);
    }
    free(all);
    assert_true(inked > 500);

    return most;
}

static void contours_meet_at_the_edges_of_tiles(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "", "1");
    const struct map_style style = style_of("contours;interval=8", &variable);
    struct plane *plane = made_plane(ripples, false);
    const struct map_picture_layer layer = {.grid = grid, .variable = &variable, .plane = plane, .style = &style};
    const double m = 20037508.342789244, mercator[] = {-m / 4, 0, 0, m / 4}, world[] = {0, -20, 40, 20};
    assert_true(seams(&layer, "EPSG:3857", mercator, 1) <= SEAM);
    assert_true(seams(&layer, "CRS:84", world, 2) <= SEAM);
    plane_unref(plane);
}

static void barbs_meet_at_the_edges_of_tiles(void **state) {
    (void)state;
    const struct catalog_variable speed = made_map_variable("wind_speed", "wind_speed", "m s-1"), direction = made_map_variable("d", "wind_from_direction", "degree");
    const double m = 20037508.342789244, mercator[] = {-m / 4, 0, 0, m / 4}, polar[] = {-3e6, -3e6, 3e6, 3e6};
    const char *const styles[] = {"barbs", "arrows", "barbs/wind"};
    struct plane *a = made_plane(gusts, false), *b = made_plane(turning, true);
    for (size_t n = 0; n < 3; n++) {
        const struct map_style style = style_of(styles[n], &speed);
        const struct map_picture_layer layer = {.grid = grid, .variable = &speed, .plane = a, .partner_variable = &direction, .partner = b, .wind = MAP_WIND_SPEED_FROM,
                                                .style = &style};
        assert_true(seams(&layer, "EPSG:3857", mercator, 1) <= SEAM);
        assert_true(seams(&layer, "EPSG:3857", mercator, 2) <= SEAM);
        if (n == 0) assert_true(seams(&layer, "EPSG:3413", polar, 1) <= SEAM);
    }
    plane_unref(a);
    plane_unref(b);
}

// --- wind ------------------------------------------------------------------------------------------------------------------------

// Where the ink around a barb's place is, from there: x to the right, y up. Within 11 pixels there is its staff alone.
static void ink_of_barb(const char *crs, double x, double y, double pixel, double (*from)(double, double), enum map_wind_kind kind, double reach, double at[2]) {
    const struct catalog_variable speed = made_map_variable("s", "wind_speed", "m s-1"), direction = made_map_variable("d", "wind_from_direction", "degree");
    const struct map_style style = style_of("barbs", &speed);
    struct plane *a = made_plane(twelve, false), *b = made_plane(from, kind != MAP_WIND_COMPONENTS);
    const struct map_picture_layer layer = {.grid = grid, .variable = &speed, .plane = a, .partner_variable = &direction, .partner = b, .wind = kind, .style = &style};
    // The lattice's points are (40 n + ½) pixels from the origin, (n + ½) 40 + ½ in odd rows: one in an even row.
    const double across = round(x / pixel / 40) * 40 + 0.5, up = round(y / pixel / 80) * 80 + 0.5;
    const struct map_frame frame = frame_of(crs, (across - 19.5) * pixel, (up - 19.5) * pixel, (across + 19.5) * pixel, (up + 19.5) * pixel, 39, 39);
    uint8_t *pixels = drawn(&frame, &layer, 1, &plain);
    double sum = 0;
    at[0] = at[1] = 0;
    for (int n = 0; n < 39 * 39; n++) {
        const double dx = n % 39 - 19, dy = 19 - n / 39, ink = pixels[4 * n + 3] > 200 && pixels[4 * n] < 80;
        if (hypot(dx, dy) > reach) continue;
        sum += ink;
        at[0] += ink * dx;
        at[1] += ink * dy;
    }
    assert_true(sum > 5);
    at[0] /= sum;
    at[1] /= sum;
    free(pixels);
    plane_unref(a);
    plane_unref(b);
}

static double none(double lon, double lat) { return (void)lon, (void)lat, 0; }

static void barbs_point_where_the_wind_comes_from(void **state) {
    (void)state;
    double at[2];
    ink_of_barb("EPSG:3857", 1e6, 6e6, 5000, west_wind, MAP_WIND_SPEED_FROM, 11, at);
    assert_true(at[0] < -3 && at[1] > -1 && fabs(at[1]) < 0.5 * fabs(at[0]));
    ink_of_barb("EPSG:3857", 1e6, 6e6, 5000, west_wind, MAP_WIND_SPEED_TO, 11, at);
    assert_true(at[0] > 3);
    ink_of_barb("EPSG:3857", 1e6, 6e6, 5000, none, MAP_WIND_COMPONENTS, 11, at);  // 12 m/s towards east
    assert_true(at[0] < -3);
    ink_of_barb("CRS:84", 10, 50, 0.05, none, MAP_WIND_SPEED_FROM, 11, at);
    assert_true(at[1] > 3 && fabs(at[0]) < 0.6 * at[1]);
    ink_of_barb("CRS:84", 10, 50, 0.05, none, MAP_WIND_SPEED_TO, 11, at);
    assert_true(at[1] < -3);
}

// In EPSG:3413 the meridian of 45 °W goes down from the pole: on its opposite side, 135 °E, north is down on the picture; at 45 °E it is to the left, at 135 °W to the right.
static void barbs_turn_with_true_north(void **state) {
    (void)state;
    double at[2];
    ink_of_barb("EPSG:3413", 0, -2e6, 4000, none, MAP_WIND_SPEED_FROM, 11, at);
    assert_true(at[1] > 3);
    ink_of_barb("EPSG:3413", 0, 2e6, 4000, none, MAP_WIND_SPEED_FROM, 11, at);
    assert_true(at[1] < -3);
    ink_of_barb("EPSG:3413", 2e6, 0, 4000, none, MAP_WIND_SPEED_FROM, 11, at);
    assert_true(at[0] < -3);
    ink_of_barb("EPSG:3413", -2e6, 0, 4000, none, MAP_WIND_SPEED_FROM, 11, at);
    assert_true(at[0] > 3);
}

static void feathers_are_on_the_other_side_in_the_south(void **state) {
    (void)state;
    double north[2], south[2];
    ink_of_barb("CRS:84", 10, 40, 0.05, west_wind, MAP_WIND_SPEED_FROM, 19, north);
    ink_of_barb("CRS:84", 10, -40, 0.05, west_wind, MAP_WIND_SPEED_FROM, 19, south);
    assert_true(north[1] > 0.5);
    assert_true(south[1] < -0.5);
}

// --- numbers -------------------------------------------------------------------------------------------------------------------

static void numbers_come_back_exactly(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "", "1");
    const struct map_style style = style_of("values", &variable);
    const struct map_frame frame = frame_of("CRS:84", -180.5, -90.5, 179.5, 90.5, 360, 181);
    struct plane *plane = made_plane(pattern, false);
    const struct map_picture_layer layer = {.grid = grid, .variable = &variable, .plane = plane, .style = &style};
    double offset, scale;
    map_values_scale(&variable, &offset, &scale);
    uint8_t *pixels = drawn(&frame, &layer, 1, &plain);
    for (int n = 0; n < 360 * 181; n++) {
        const uint8_t *p = pixels + 4 * n;
        const double value = offset + scale * (65536.0 * p[0] + 256.0 * p[1] + p[2]);
        if (p[3] != 255 || value != pattern(n % 360 - 180, 90 - n / 360)) fail_msg("%g at %d, %d", value, n % 360, n / 360);
    }
    free(pixels);
    plane_unref(plane);
}

// --- files ---------------------------------------------------------------------------------------------------------------------

static int kind_of(const char *text, bool transparent) {
    const struct catalog_variable speed = made_map_variable("s", "wind_speed", "m s-1"), direction = made_map_variable("d", "wind_from_direction", "degree");
    const struct map_style style = style_of(text, &speed);
    const struct map_frame frame = frame_of("CRS:84", 0, 0, 90, 90, 256, 256);
    struct map_picture_options options = plain;
    struct plane *a = made_plane(gusts, false), *b = made_plane(turning, true);
    const struct map_picture_layer layer = {.grid = grid, .variable = &speed, .plane = a, .partner_variable = &direction, .partner = b, .wind = MAP_WIND_SPEED_FROM, .style = &style};
    uint8_t *bytes;
    size_t size;
    options.transparent = transparent;
    assert_int_equal(map_picture_draw(&frame, &layer, 1, &options, &bytes, &size, NULL), VIRGA_OK);
    const int kind = bytes[25];
    free(bytes);
    plane_unref(a);
    plane_unref(b);
    return kind;
}

static void few_colours_make_a_palette(void **state) {
    (void)state;
    assert_int_equal(kind_of("fill", true), PNG_COLOR_TYPE_PALETTE);
    assert_int_equal(kind_of("fill", false), PNG_COLOR_TYPE_PALETTE);
    assert_int_equal(kind_of("contours", true), PNG_COLOR_TYPE_PALETTE);
    assert_int_equal(kind_of("barbs;ink=ffffff", true), PNG_COLOR_TYPE_PALETTE);
    assert_int_equal(kind_of("barbs", false), PNG_COLOR_TYPE_RGB);
    assert_int_equal(kind_of("barbs/wind", true), PNG_COLOR_TYPE_RGB_ALPHA);
    assert_int_equal(kind_of("fill-contours;above=transparent;range=0,20", true), PNG_COLOR_TYPE_RGB_ALPHA);
}

static void ink_is_the_one_asked_for(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "", "1");
    const struct map_style style = style_of("contours;ink=c01030;interval=8", &variable);
    const struct map_frame frame = frame_of("CRS:84", 0, 0, 90, 90, 256, 256);
    struct plane *plane = made_plane(gusts, false);
    const struct map_picture_layer layer = {.grid = grid, .variable = &variable, .plane = plane, .style = &style};
    uint8_t *pixels = drawn(&frame, &layer, 1, &plain);
    size_t exact = 0;
    for (size_t n = 0; n < 256 * 256; n++) {
        exact += memcmp(pixels + 4 * n, ((uint8_t[]){0xc0, 0x10, 0x30, 255}), 4) == 0;
        assert_true(pixels[4 * n + 3] == 0 || pixels[4 * n] >= 0xc0);  // between the ink and white
    }
    assert_true(exact > 20);
    free(pixels);
    plane_unref(plane);
}

// --- refusals ------------------------------------------------------------------------------------------------------------------

static int refused(const struct map_frame *frame, const struct map_picture_layer *layers, size_t count, const struct map_picture_options *options) {
    struct failure failure = {0};
    uint8_t *bytes;
    size_t size;
    const int status = map_picture_draw(frame, layers, count, options, &bytes, &size, &failure);
    assert_null(bytes);
    assert_true(status < VIRGA_AGAIN && *failure.message);
    return status;
}

static void what_cannot_be_drawn_is_refused(void **state) {
    (void)state;
    const struct catalog_variable variable = made_map_variable("x", "wind_speed", "m s-1");
    const struct map_style fill = style_of("fill", &variable), values = style_of("values", &variable), barbs = style_of("barbs", &variable);
    struct plane *plane = made_plane(eastward, false);
    struct map_picture_layer layers[MAP_PICTURE_LAYERS + 1];
    for (size_t n = 0; n < MAP_PICTURE_LAYERS + 1; n++) layers[n] = (struct map_picture_layer){.grid = grid, .variable = &variable, .plane = plane, .style = &fill};
    const struct map_frame frame = frame_of("CRS:84", 0, 0, 10, 10, 20, 20);
    struct map_frame bad = frame;
    bad.box[2] = NAN;
    struct map_picture_options options = plain;
    assert_int_equal(refused(&frame, layers, 0, &plain), VIRGA_INVALID);
    assert_int_equal(refused(&frame, layers, MAP_PICTURE_LAYERS + 1, &plain), VIRGA_INVALID);
    assert_int_equal(refused(&bad, layers, 1, &plain), VIRGA_INVALID);
    options.scale = NAN;
    assert_int_equal(refused(&frame, layers, 1, &options), VIRGA_INVALID);
    options = plain;
    options.format = IMAGE_JPEG;
    layers[0].style = &values;
    assert_int_equal(refused(&frame, layers, 1, &options), VIRGA_INVALID);
    assert_int_equal(refused(&frame, layers, 2, &plain), VIRGA_INVALID);
    layers[0].style = &barbs;
    assert_int_equal(refused(&frame, layers, 1, &plain), VIRGA_INVALID);
    atomic_bool stop = true;
    options = plain;
    options.stop = &stop;
    assert_int_equal(refused(&frame, layers + 1, 2, &options), VIRGA_CANCELLED);
    assert_int_equal(refused(&frame, layers + 1, 1, &options), VIRGA_CANCELLED);
    plane_unref(plane);
}

static int begin(void **state) {
    (void)state;
    grid = made_globe();
    return 0;
}

static int end(void **state) {
    (void)state;
    grid_free(grid);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_have_the_colours_of_their_values),
        cmocka_unit_test(missing_is_clear_or_the_background),
        cmocka_unit_test(layers_lie_over_one_another),
        cmocka_unit_test(contours_meet_at_the_edges_of_tiles),
        cmocka_unit_test(barbs_meet_at_the_edges_of_tiles),
        cmocka_unit_test(barbs_point_where_the_wind_comes_from),
        cmocka_unit_test(barbs_turn_with_true_north),
        cmocka_unit_test(feathers_are_on_the_other_side_in_the_south),
        cmocka_unit_test(numbers_come_back_exactly),
        cmocka_unit_test(few_colours_make_a_palette),
        cmocka_unit_test(ink_is_the_one_asked_for),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
