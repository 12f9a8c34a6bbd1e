// SPDX-License-Identifier: Apache-2.0
// Out of memory fails one map or one picture of it, from whichever allocation on, and leaks nothing. Exit 77 under sanitizers,
// whose allocator cannot be replaced.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#ifdef VIRGA_SANITIZED

int main(void) {
    puts("skipped: the sanitizer's allocator cannot be replaced");
    return 77;
}

#else

#include "failing_allocator.h"
#include "made_grid.h"
#include "made_world.h"
#include "render/basemap.h"

enum { WIDTH = 100, HEIGHT = 80 };

static void each_allocation_fails_one_map(struct grid *grid, const char *world) {
    const struct basemap_options options = {grid, NULL, made_box(grid, 12), world, 0};
    struct basemap *map;
    int status = VIRGA_NO_MEMORY;
    long failed = 0;
    assert_int_equal(basemap_new(&options, &map, NULL), VIRGA_OK);  // libraries keep what they need from here on
    basemap_unref(map);
    for (long n = 0; status; n++, failed++) {
        struct failure failure = {0};
        const long before = live;
        room = n;
        status = basemap_new(&options, &map, &failure);
        room = -1;
        // jansson and the C library do not always say that it was memory.
        assert_true(status == VIRGA_OK || (failure.message[0] && !map));
        basemap_unref(map);
        if (live > before) fail_msg("after %ld allocations: %ld leaked", n, live - before);
    }
    assert_true(failed > 20);
    grid_free(grid);
}

static void test_maps(void **state) {
    (void)state;
    char *world = made_world_folder(made_world);
    each_allocation_fails_one_map(made_earth_grid("+proj=longlat +R=6371229 +no_defs", true, false, 30, 10, 50, 0.5), world);
    each_allocation_fails_one_map(made_curvilinear_grid(30, 10, 50, 40, 20), world);
    made_world_remove(world);
}

// memory: for what is kept of a camera that comes back. Then it fails to be kept, and the picture is drawn all the same.
static void each_allocation_fails_one_picture(size_t memory) {
    struct grid *grid = made_earth_grid("+proj=longlat +R=6371229 +no_defs", true, false, 30, 10, 50, 0.5);
    const struct basemap_options options = {grid, NULL, made_box(grid, 12), NULL, memory};
    const struct basemap_show show = {true, true, true, true};
    struct scene scene = {.box = options.box, .exaggeration = 10, .width = WIDTH, .height = HEIGHT};
    struct view_camera camera;
    struct render_team *team = render_team_new(1, false);
    struct basemap *map;
    static float rgba[4 * WIDTH * HEIGHT], distance[WIDTH * HEIGHT];
    camera_frame(&camera, &scene.box, 10, (double)WIDTH / HEIGHT);
    camera_matrices(&camera, &scene.box, 10, (double)WIDTH / HEIGHT, &scene.matrices);
    assert_int_equal(basemap_new(&options, &map, NULL), VIRGA_OK);
    int status = VIRGA_NO_MEMORY;
    long failed = 0;
    for (long n = 0; status; n++, failed++) {
        const long before = live;
        room = n;
        status = basemap_draw(map, team, &scene, &show, 2, rgba, distance);
        room = -1;
        assert_true(status == VIRGA_OK || status == VIRGA_NO_MEMORY);
        if (!memory || status) assert_int_equal(live, before);
    }
    assert_true(failed > 10);
    basemap_unref(map);
    render_team_free(team);
    grid_free(grid);
}

static void test_pictures(void **state) {
    (void)state;
    each_allocation_fails_one_picture(0);
    each_allocation_fails_one_picture(16 << 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_maps), cmocka_unit_test(test_pictures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
