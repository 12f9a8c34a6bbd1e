// SPDX-License-Identifier: Apache-2.0
// Pictures of a made file: what is where in them, the same every time, and what is said when they cannot be.
#include "../field/made_file.h"

#include "base/worker_pool.h"
#include "render/colour_map.h"
#include "render/picture.h"

enum { N = 64, LEVELS = 9, TOP = 8, STEPS = 3, WIDE = 192, TALL = 128 };

// 1 over the north-western quarter, 0 elsewhere; with each step 0.5 less.
static double value_at(size_t step, size_t j, size_t i) { return i < N / 2 && j >= N / 2 ? 1 - 0.5 * (double)step : 0; }

static void write_file(const char *name) {
    static const double times[STEPS] = {1, 2, 3};
    static float values[STEPS][LEVELS][N][N];
    int nc = made_create(name);
    const int dims[4] = {made_axis(nc, "time", STEPS, times, "time", "hours since 2026-01-31 00:00:00"), made_even_axis(nc, "height", LEVELS, 0, 1000, "height", "m"),
                         made_even_axis(nc, "lat", N, 40, 0.05, "latitude", "degrees_north"), made_even_axis(nc, "lon", N, 10, 0.05, "longitude", "degrees_east")};
    const int v = made_var(nc, "cloud", NC_FLOAT, 4, dims, "cloud_area_fraction_in_atmosphere_layer", "1");
    const int w = made_var(nc, "other", NC_FLOAT, 4, dims, "relative_humidity", "1");
    made_scalar(nc, "reference", 0, "forecast_reference_time", "hours since 2026-01-31 00:00:00");
    for (size_t t = 0; t < STEPS; t++)
        for (size_t k = 0; k < LEVELS; k++)
            for (size_t j = 0; j < N; j++)
                for (size_t i = 0; i < N; i++) values[t][k][j][i] = (float)value_at(t, j, i);
    NC(nc_put_var_float(nc, v, &values[0][0][0][0]));
    NC(nc_put_var_float(nc, w, &values[0][0][0][0]));
    NC(nc_close(nc));
}

// --- A maker over it.

struct studio {
    struct catalog *catalog;
    struct worker_pool *workers;
    struct brick_store *bricks;
    struct render_team *team;
    struct picture_maker *maker;
};

static struct studio open_studio(const char *name, size_t threads, size_t memory) {
    struct studio s = {.catalog = made_open(name)};
    const int lanes[LANE_COUNT] = {2, 2};
    const struct brick_store_options store = {.memory = 32 << 20};
    struct failure failure = {0};
    s.workers = worker_pool_new(lanes, 10000);
    assert_int_equal(brick_store_new(s.workers, &store, &s.bricks), VIRGA_OK);
    s.team = render_team_new(threads, false);
    const struct picture_options options = {.catalog = s.catalog, .bricks = s.bricks, .team = s.team, .memory = memory};
    if (picture_maker_new(&options, &s.maker, &failure)) fail_msg("%s", failure.message);
    return s;
}

static void close_studio(struct studio *s) {
    picture_maker_free(s->maker);
    render_team_free(s->team);
    brick_store_free(s->bricks);
    worker_pool_free(s->workers);
    catalog_unref(s->catalog);
}

static struct view view_of(const struct studio *s) {
    char text[2048];
    struct view view;
    struct failure failure = {0};
    const int n = snprintf(text, sizeof text,
                           "{\"version\":1,\"dataset\":\"%s\",\"run\":\"latest\",\"time\":\"T+1\",\"layers\":[{\"variable\":\"cloud\",\"colour_map\":\"blue_white_red\","
                           "\"range\":[0,1],\"opacity\":[[0.2,0],[0.9,1]],\"shading\":false}],"
                           "\"camera\":{\"mode\":\"top\",\"eye\":[0,0,400],\"target\":[0,0,0],\"up\":[0,1,0],\"fov\":60},"
                           "\"light\":{\"sun\":{\"azimuth\":180,\"elevation\":60},\"shadows\":false,\"ambient\":0.5},\"exaggeration\":1,"
                           "\"map\":{\"coastlines\":false,\"graticule\":false,\"terrain\":false,\"height_axis\":false},"
                           "\"captions\":{\"show\":false},\"size\":[%d,%d]}",
                           s->catalog->datasets[0].id, WIDE, TALL);
    if (view_parse(text, (size_t)n, &view, &failure)) fail_msg("%s", failure.message);
    return view;
}

static struct image draw(struct studio *s, const struct view *view, size_t step, double blend, struct picture_facts *facts) {
    const struct picture_moment moment = {step, blend};
    struct image image;
    struct failure failure = {0};
    if (picture_draw(s->maker, view, &moment, &image, facts, &failure)) fail_msg("%s", failure.message);
    return image;
}

static const uint8_t *pixel(const struct image *image, unsigned x, unsigned y) { return image->pixels + 4 * ((size_t)y * image->width + x); }

// Where the camera of the views sees a place of the ground: x right, y down.
static const uint8_t *pixel_at(const struct image *image, double east_km, double north_km, double up_km) {
    const double per_km = TALL / 2.0 / tan(M_PI / 6) / (400 - up_km);
    return pixel(image, (unsigned)lround(WIDE / 2.0 + east_km * per_km), (unsigned)lround(TALL / 2.0 - north_km * per_km));
}

static void assert_colour(const uint8_t *found, const double expected[3], double within) {
    for (int n = 0; n < 3; n++)
        if (fabs(found[n] - expected[n]) > within)
            fail_msg("%u %u %u instead of %.0f %.0f %.0f", found[0], found[1], found[2], expected[0], expected[1], expected[2]);
}

static bool same_colour(const uint8_t *a, const uint8_t *b) {
    for (int n = 0; n < 3; n++)
        if (abs(a[n] - b[n]) > 3) return false;
    return true;
}

// What all its height looks like: the map's colour in the light of a sun that stands somewhere, over nothing.
static void lit(double position, double colour[3]) {
    static const double sun[3] = {1.0, 0.985, 0.95}, shade[3] = {0.86, 0.93, 1.04};
    colour_map_at(colour_map_find("blue_white_red"), position, colour);
    for (int n = 0; n < 3; n++) colour[n] = fmin(255, colour[n] * (shade[n] * 0.5 + sun[n] * (1 - 0.5 * 0.55)));
}

static void test_values_stand_in_their_place_in_their_colour(void **state) {
    (void)state;
    struct studio s = open_studio("cloud.nc", 2, 64 << 20);
    const struct view view = view_of(&s);
    struct picture_facts facts;
    struct image image = draw(&s, &view, 0, 0, &facts);
    double expected[3];
    lit(1, expected);
    assert_int_equal(image.width, WIDE);
    assert_int_equal(image.height, TALL);
    assert_colour(pixel_at(&image, -60, 80, TOP), expected, 2);                                                   // north-west
    assert_true(same_colour(pixel_at(&image, 60, 80, 0), pixel_at(&image, 60, -80, 0)));                        // north-east as south-east
    assert_true(same_colour(pixel_at(&image, -60, -80, 0), pixel_at(&image, 60, -80, 0)));                      // and south-west
    assert_false(same_colour(pixel_at(&image, -60, -80, 0), pixel_at(&image, -60, 80, 0)));
    assert_string_equal(facts.run, "2026-01-31T00:00:00Z");
    assert_string_equal(facts.valid, "2026-01-31T01:00:00Z");
    assert_true(fabs(facts.lead_hours - 1) < 1e-9);
    assert_false(facts.degraded);
    // A quarter of a domain of about 3.15 × 111.2 km × cos(41.6°) by 3.15 × 111.2 km, seen from 392 km above its top.
    const double per_km = TALL / 2.0 / tan(M_PI / 6) / (400 - TOP), size = 3.15 * 111.2 * per_km, share = size * size * cos(41.575 * M_PI / 180) / 4 / (WIDE * TALL);
    assert_true(facts.covered > 0.93 * share && facts.covered < 1.07 * share);
    image_destroy(&image);
    close_studio(&s);
}

static void test_between_steps_values_are_blended(void **state) {
    (void)state;
    struct studio s = open_studio("cloud.nc", 2, 64 << 20);
    const struct view view = view_of(&s);
    struct picture_facts facts;
    struct image image = draw(&s, &view, 0, 0.4, &facts);  // 1 and 0.5
    double expected[3];
    lit(0.8, expected);
    assert_colour(pixel_at(&image, -60, 80, TOP), expected, 3);
    assert_string_equal(facts.valid, "2026-01-31T01:24:00Z");
    image_destroy(&image);
    image = draw(&s, &view, 2, 0, &facts);  // 0 everywhere
    assert_true(facts.covered == 0);
    image_destroy(&image);
    close_studio(&s);
}

static void test_the_same_view_gives_the_same_bytes(void **state) {
    (void)state;
    struct studio one = open_studio("cloud.nc", 1, 64 << 20), three = open_studio("cloud.nc", 3, 64 << 20);
    struct view view = view_of(&one), other = view;
    view.captions.show = view.graticule = view.height_axis = view.shadows = view.layers[0].shading = true;
    other.camera.eye[0] = 300;
    const size_t size = (size_t)WIDE * TALL * 4;
    struct image first = draw(&one, &view, 0, 0.5, NULL);
    for (int turn = 0; turn < 2; turn++) {  // after others were drawn, and with other threads
        struct image between = draw(&three, &other, turn ? 2 : 1, 0.3, NULL), again = draw(&three, &view, 0, 0.5, NULL);
        assert_memory_equal(first.pixels, again.pixels, size);
        assert_true(memcmp(first.pixels, between.pixels, size) != 0);
        image_destroy(&between);
        image_destroy(&again);
    }
    image_destroy(&first);
    close_studio(&one);
    close_studio(&three);
}

static void test_what_does_not_fit_into_memory_is_coarser_and_said_to_be(void **state) {
    (void)state;
    struct studio s = open_studio("wide.nc", 2, 1);
    struct view view = view_of(&s);
    struct picture_facts facts;
    view.layers[0].opacity_count = 0;
    view.camera.eye[2] = 150;  // so near that every voxel can be told from the next
    view.size[0] = 768;
    view.size[1] = 512;
    struct image image = draw(&s, &view, 0, 0, &facts);
    assert_true(facts.degraded);
    image_destroy(&image);
    close_studio(&s);
}

static void assert_fails(struct studio *s, const struct view *view, size_t step, int status, const char *begins) {
    const struct picture_moment moment = {.step = step};
    struct image image;
    struct failure failure = {0};
    const int found = picture_draw(s->maker, view, &moment, &image, NULL, &failure);
    if (found != status || strncmp(failure.message, begins, strlen(begins))) fail_msg("%d: %s", found, failure.message);
    assert_null(image.pixels);
}

static void test_failures_name_the_views_field(void **state) {
    (void)state;
    struct studio s = open_studio("cloud.nc", 1, 64 << 20);
    struct view view = view_of(&s), wrong = view;
    strcpy(wrong.layers[0].variable, "nothing");
    assert_fails(&s, &wrong, 0, VIRGA_NOT_FOUND, "layers[0].variable: ");
    wrong = view;
    strcpy(wrong.dataset, "nothing");
    assert_fails(&s, &wrong, 0, VIRGA_NOT_FOUND, "dataset: ");
    wrong = view;
    strcpy(wrong.layers[0].colour_map, "nothing");
    assert_fails(&s, &wrong, 0, VIRGA_NOT_FOUND, "layers[0].colour_map: ");
    wrong = view;
    wrong.coastlines = true;
    assert_fails(&s, &wrong, 0, VIRGA_NOT_FOUND, "map.coastlines: ");
    assert_fails(&s, &view, STEPS, VIRGA_NOT_FOUND, "time: ");
    struct picture_moment moment;
    struct failure failure = {0};
    strcpy(wrong.time, "T+1.75");
    assert_int_equal(picture_resolve(s.maker, &wrong, 0, &moment, &failure), VIRGA_INVALID);
    assert_string_equal(failure.message, "time: \"T+1.75\" is not a step of this run; the nearest is 2026-01-31T02:00:00Z");
    struct image image = draw(&s, &view, 0, 0, NULL);  // and it still works
    image_destroy(&image);
    close_studio(&s);
}

static void test_a_file_that_vanishes_is_named(void **state) {
    (void)state;
    write_file("brief.nc");
    struct studio s = open_studio("brief.nc", 1, 64 << 20);
    const struct view view = view_of(&s);
    struct image image = draw(&s, &view, 0, 0, NULL);
    image_destroy(&image);
    assert_int_equal(remove(made_path("brief.nc")), 0);
    const struct picture_moment moment = {.step = 2};
    struct failure failure = {0};
    assert_true(picture_draw(s.maker, &view, &moment, &image, NULL, &failure) != VIRGA_OK);
    if (!strstr(failure.message, "brief.nc")) fail_msg("%s", failure.message);
    image = draw(&s, &view, 0, 0, NULL);  // what is held may still be drawn
    image_destroy(&image);
    close_studio(&s);
}

// 600 × 600 columns of noise that shows everywhere.
static void write_wide(const char *name) {
    enum { WIDTH = 600 };
    static const double times[1] = {1}, heights[2] = {0, 3000};
    float *values = calloc(2 * WIDTH * WIDTH, sizeof *values);
    int nc = made_create(name);
    const int dims[4] = {made_axis(nc, "time", 1, times, "time", "hours since 2026-01-31 00:00:00"), made_axis(nc, "height", 2, heights, "height", "m"),
                         made_even_axis(nc, "lat", WIDTH, 40, 0.01, "latitude", "degrees_north"), made_even_axis(nc, "lon", WIDTH, 10, 0.01, "longitude", "degrees_east")};
    const int v = made_var(nc, "cloud", NC_FLOAT, 4, dims, "cloud_area_fraction_in_atmosphere_layer", "1");
    made_scalar(nc, "reference", 0, "forecast_reference_time", "hours since 2026-01-31 00:00:00");
    for (size_t n = 0; n < 2 * WIDTH * WIDTH; n++) values[n] = (float)(0.5 + 0.5 * sin((double)n * 12.9898));
    NC(nc_put_var_float(nc, v, values));
    NC(nc_close(nc));
    free(values);
}

static int set_up(void **state) {
    if (made_begin(state)) return -1;
    write_file("cloud.nc");
    write_wide("wide.nc");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_stand_in_their_place_in_their_colour),
        cmocka_unit_test(test_between_steps_values_are_blended),
        cmocka_unit_test(test_the_same_view_gives_the_same_bytes),
        cmocka_unit_test(test_what_does_not_fit_into_memory_is_coarser_and_said_to_be),
        cmocka_unit_test(test_failures_name_the_views_field),
        cmocka_unit_test(test_a_file_that_vanishes_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, made_end);
}
