// SPDX-License-Identifier: Apache-2.0
// Labels of graticule and height axis: where the camera sees their places, clear of captions and of one another, on the edges
// that face the eye.
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

static struct basemap_degree degrees[300];
static size_t degree_count;

// In place of the map's own: labels where this test wants them.
const struct basemap_degree *basemap_degrees(const struct basemap *basemap, size_t *count) {
    (void)basemap;
    *count = degree_count;
    return degrees;
}

static const struct scene_bounds box = {{-500, -400, 0}, {500, 400, 16}};

static void look(struct scene *scene, unsigned width, unsigned height, bool top) {
    struct view_camera camera;
    *scene = (struct scene){.box = box, .exaggeration = 15, .width = width, .height = height};
    if (top) camera_frame_top(&camera, &box, 15, (double)width / height);
    else camera_frame(&camera, &box, 15, (double)width / height);
    camera_matrices(&camera, &box, 15, (double)width / height, &scene->matrices);
}

static void put_degree(double x, double y, double side_x, double side_y) {
    degrees[degree_count++] = (struct basemap_degree){.longitude = side_y != 0, .value = x / 100, .at = {x, y, 0}, .side = {side_x, side_y}};
}

static void put_all(void) {
    degree_count = 0;
    for (int i = -4; i <= 4; i += 2) {
        put_degree(i * 100, -400, 0, -100);
        put_degree(i * 100, 400, 0, 100);
        put_degree(-500, i * 90, -100, 0);
        put_degree(500, i * 90, 100, 0);
    }
}

static uint8_t *changed(struct image *image) {  // a byte a pixel
    uint8_t *map = calloc((size_t)image->width * image->height, 1);
    for (size_t i = 0; i < (size_t)image->width * image->height; i++) map[i] = image->pixels[4 * i + 3] != 0;
    return map;
}

static size_t changed_within(const struct image *image, double x, double y, double reach) {
    size_t count = 0;
    for (int v = (int)fmax(0, y - reach); v < fmin(image->height, y + reach); v++)
        for (int u = (int)fmax(0, x - reach); u < fmin(image->width, x + reach); u++) count += image->pixels[4 * ((size_t)v * image->width + (size_t)u) + 3] != 0;
    return count;
}

static void seen(const struct scene *scene, const struct basemap_degree *degree, double pixel[2]) {
    const double at[3] = {degree->at[0], degree->at[1], degree->at[2] * 15}, out[3] = {at[0] + degree->side[0], at[1] + degree->side[1], at[2]};
    double p[2], q[2];
    assert_true(camera_project(&scene->matrices, at, p) && camera_project(&scene->matrices, out, q));
    const double along[2] = {(q[0] - p[0]) * scene->width, (q[1] - p[1]) * scene->height}, length = hypot(along[0], along[1]);
    pixel[0] = p[0] * scene->width + along[0] / length * 16;
    pixel[1] = p[1] * scene->height + along[1] / length * 16;
}

static void degrees_stand_outside_the_edges_that_face_the_eye(void **state) {
    (void)state;
    put_all();
    for (int top = 0; top < 2; top++) {
        struct scene scene;
        struct image image;
        look(&scene, 1280, 720, top);
        assert_int_equal(image_init(&image, 1280, 720), VIRGA_OK);
        assert_int_equal(label_draw(&image, &scene, NULL, &(struct label_options){.degrees = true}), VIRGA_OK);
        for (size_t i = 0; i < degree_count; i++) {
            double pixel[2];
            seen(&scene, &degrees[i], pixel);
            const bool north = degrees[i].side[1] > 0;  // turned away from an eye in the south
            if (pixel[0] < 30 || pixel[1] < 12 || pixel[0] > 1250 || pixel[1] > 708) continue;
            if (north && !top) assert_int_equal(changed_within(&image, pixel[0], pixel[1], 2), 0);
            else assert_true(changed_within(&image, pixel[0], pixel[1], 12) > 20);
        }
        image_destroy(&image);
    }
}

static void labels_do_not_cover_each_other(void **state) {
    (void)state;
    struct scene scene;
    struct image one, many;
    look(&scene, 1280, 720, false);
    degree_count = 0;
    put_degree(0, -400, 0, -100);
    assert_int_equal(image_init(&one, 1280, 720), VIRGA_OK);
    assert_int_equal(label_draw(&one, &scene, NULL, &(struct label_options){.degrees = true}), VIRGA_OK);
    for (int i = 0; i < 299; i++) put_degree(0.01 * i, -400, 0, -100);  // all but at the same place
    assert_int_equal(image_init(&many, 1280, 720), VIRGA_OK);
    assert_int_equal(label_draw(&many, &scene, NULL, &(struct label_options){.degrees = true}), VIRGA_OK);
    assert_memory_equal(one.pixels, many.pixels, 1280 * 720 * 4);
    image_destroy(&one);
    image_destroy(&many);
}

static void labels_keep_clear_of_captions(void **state) {
    (void)state;
    const struct caption caption = {.title = "A title that is quite long, so that it reaches far to the right", .valid = "Thu 19 Nov 2009, 10:00 UTC", .attribution = "A service"};
    struct caption_area areas[CAPTION_AREAS_MAX];
    const size_t count = caption_areas(640, 360, &caption, areas);
    assert_int_equal(count, 2);
    degree_count = 0;
    for (int i = -10; i <= 10; i++)
        for (int j = -6; j <= 6; j++) put_degree(i * 50, j * 66, 30, 0);
    size_t under[2];
    for (int keep = 0; keep < 2; keep++) {
        struct scene scene;
        struct image image;
        look(&scene, 640, 360, true);
        assert_int_equal(image_init(&image, 640, 360), VIRGA_OK);
        assert_int_equal(label_draw(&image, &scene, NULL, &(struct label_options){.degrees = true, .top = true, .caption = keep ? &caption : NULL}), VIRGA_OK);
        uint8_t *map = changed(&image);
        under[keep] = 0;
        for (size_t a = 0; a < count; a++)
            for (int y = areas[a].y; y < areas[a].y + areas[a].height; y++)
                for (int x = areas[a].x; x < areas[a].x + areas[a].width; x++) under[keep] += map[(size_t)y * 640 + (size_t)x];
        free(map);
        image_destroy(&image);
    }
    assert_true(under[0] > 100);
    assert_int_equal(under[1], 0);
}

static void heights_stand_on_the_left_edge(void **state) {
    (void)state;
    static const unsigned sizes[][2] = {{320, 180}, {640, 360}, {1280, 720}, {3840, 2160}};
    degree_count = 0;
    for (size_t s = 0; s < 4; s++) {
        struct scene scene;
        struct image image, above;
        look(&scene, sizes[s][0], sizes[s][1], false);
        assert_int_equal(image_init(&image, sizes[s][0], sizes[s][1]), VIRGA_OK);
        assert_int_equal(image_init(&above, sizes[s][0], sizes[s][1]), VIRGA_OK);
        assert_int_equal(label_draw(&image, &scene, NULL, &(struct label_options){.heights = true}), VIRGA_OK);
        assert_int_equal(label_draw(&above, &scene, NULL, &(struct label_options){.heights = true, .above_ground = true}), VIRGA_OK);
        double foot[2], head[2], most = 1;
        for (int n = 0; n < 4; n++) {
            const double low[3] = {n & 1 ? 500 : -500, n & 2 ? 400 : -400, 0}, high[3] = {low[0], low[1], 16 * 15};
            double pixel[2];
            if (!camera_project(&scene.matrices, low, pixel) || pixel[0] >= most) continue;
            most = pixel[0];
            memcpy(foot, pixel, sizeof foot);
            camera_project(&scene.matrices, high, head);
        }
        for (int i = 1; i < 10; i++) {  // the axis itself
            const double x = foot[0] + (head[0] - foot[0]) * i / 10, y = foot[1] + (head[1] - foot[1]) * i / 10;
            assert_true(changed_within(&image, x * sizes[s][0], y * sizes[s][1], 2) > 0);
        }
        assert_int_equal(changed_within(&image, sizes[s][0] * 0.6, sizes[s][1] / 2.0, sizes[s][1] / 3.0), 0);  // and nothing in the middle
        assert_memory_not_equal(image.pixels, above.pixels, (size_t)sizes[s][0] * sizes[s][1] * 4);            // "km", "km above ground"
        image_destroy(&image);
        image_destroy(&above);
    }
}

static void nothing_is_written_where_nothing_is_asked_or_seen(void **state) {
    (void)state;
    struct scene scene;
    struct image image;
    put_all();
    degrees[0].at[0] = NAN;
    degrees[1].at[0] = 1e30;
    degrees[2].side[1] = INFINITY;
    look(&scene, 640, 360, false);
    assert_int_equal(image_init(&image, 640, 360), VIRGA_OK);
    assert_int_equal(label_draw(&image, &scene, NULL, &(struct label_options){0}), VIRGA_OK);
    for (size_t i = 0; i < 640 * 360 * 4; i++) assert_int_equal(image.pixels[i], 0);
    const struct view_camera camera = {.eye = {0, -5000, 10}, .target = {0, -9000, 10}, .up = {0, 0, 1}, .fov = 40};  // looking away
    camera_matrices(&camera, &box, 15, 640 / 360.0, &scene.matrices);
    assert_int_equal(label_draw(&image, &scene, NULL, &(struct label_options){.degrees = true, .heights = true}), VIRGA_OK);
    for (size_t i = 0; i < 640 * 360 * 4; i++) assert_int_equal(image.pixels[i], 0);
    look(&scene, 640, 360, false);
    assert_int_equal(label_draw(&image, &scene, NULL, &(struct label_options){.degrees = true, .heights = true}), VIRGA_OK);
    image_destroy(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(degrees_stand_outside_the_edges_that_face_the_eye),
        cmocka_unit_test(labels_do_not_cover_each_other),
        cmocka_unit_test(labels_keep_clear_of_captions),
        cmocka_unit_test(heights_stand_on_the_left_edge),
        cmocka_unit_test(nothing_is_written_where_nothing_is_asked_or_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
