// SPDX-License-Identifier: Apache-2.0
// What a basemap keeps of cameras that come back, and which basemaps are shared: the picture is the same as without, and memory stays within bounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "made_grid.h"
#include "made_scene.h"
#include "made_world.h"
#include "render/basemap_cache.h"
#include "render/basemap_private.h"

enum { WIDTH = 200, HEIGHT = 130, PIXELS = WIDTH * HEIGHT };

static const char lonlat[] = "+proj=longlat +R=6371229 +no_defs";
static const struct basemap_show everything = {true, true, true, true};

struct drawn { float rgba[4 * PIXELS], distance[PIXELS]; };

static struct grid *a_grid(void) { return made_earth_grid(lonlat, true, false, 80, 10, 50, 0.4); }

static float *hills(const struct grid *grid) {
    float *ground = malloc(grid->x.n * grid->y.n * sizeof *ground);
    for (size_t n = 0; n < grid->x.n * grid->y.n; n++) ground[n] = (float)(n % 37) * 30 - 100;
    return ground;
}

static struct scene scene_from(const struct scene_bounds *box, double x, double sun) {
    struct scene scene = {.box = *box, .exaggeration = 10, .width = WIDTH, .height = HEIGHT, .step = SCENE_FULL_STEP};
    struct view_camera camera = {.mode = VIEW_ORBIT, .eye = {x, -2000, 900}, .target = {0, 0, 0}, .up = {0, 0, 1}, .fov = 45};
    camera_matrices(&camera, box, scene.exaggeration, (double)WIDTH / HEIGHT, &scene.matrices);
    struct light *light = &scene.light;
    for (int n = 0; n < 3; n++) light->colour[n] = 0.8, light->ambient[n] = 0.3, light->sky_low[n] = 0.4;
    light->direction[0] = sun, light->direction[1] = -0.4, light->direction[2] = 0.8;
    return scene;
}

static void draw(struct basemap *map, const struct scene *scene, const struct basemap_show *show, unsigned samples, size_t threads, struct drawn *drawn) {
    struct render_team *team = render_team_new(threads, false);
    assert_non_null(team);
    assert_int_equal(basemap_draw(map, team, scene, show, samples, drawn->rgba, drawn->distance), VIRGA_OK);
    render_team_free(team);
}

static struct basemap *map_of(struct grid *grid, const float *ground, const struct scene_bounds *box, const char *world, size_t memory) {
    struct failure failure = {0};
    struct basemap *map;
    const struct basemap_options options = {grid, ground, *box, world, memory};
    if (basemap_new(&options, &map, &failure)) fail_msg("%s", failure.message);
    return map;
}

static size_t kept(const struct basemap *map) {
    size_t count = 0;
    for (size_t n = 0; n < GROUND_SKETCHES_MOST; n++) count += map->sketches.kept[n] != NULL;
    return count;
}

// From what was kept, under another sun and by other threads, to the bit the picture of a basemap that keeps nothing.
static void test_same_picture(void **state) {
    (void)state;
    char *world = made_world_folder(made_world);
    struct grid *grid = a_grid();
    float *ground = hills(grid);
    const struct scene_bounds box = made_box(grid, 12);
    static struct drawn drawn, plain;
    for (unsigned samples = 1; samples <= 2; samples++) {
        struct basemap *keeps = map_of(grid, ground, &box, world, 64 << 20), *forgets = map_of(grid, ground, &box, world, 0);
        for (int n = 0; n < 4; n++) {
            const struct scene scene = scene_from(&box, 300, 0.3 - 0.2 * n);
            draw(keeps, &scene, &everything, samples, n % 2 ? 3 : 1, &drawn);
            draw(forgets, &scene, &everything, samples, 1, &plain);
            assert_memory_equal(&drawn, &plain, sizeof drawn);
            assert_int_equal(kept(keeps), n > 0);  // not for a camera that is seen once
            assert_int_equal(kept(forgets), 0);
        }
        basemap_unref(keeps);
        basemap_unref(forgets);
    }
    free(ground);
    grid_free(grid);
    made_world_remove(world);
}

// Each of size, samples, camera and what is shown makes another.
static void test_each_its_own(void **state) {
    (void)state;
    struct grid *grid = a_grid();
    const struct scene_bounds box = made_box(grid, 12);
    struct basemap *map = map_of(grid, NULL, &box, NULL, 64 << 20), *forgets = map_of(grid, NULL, &box, NULL, 0);
    const struct basemap_show less = {.terrain = true};
    const struct scene here = scene_from(&box, 300, 0.3), there = scene_from(&box, 500, 0.3);
    struct scene higher = here, smaller = here;
    higher.exaggeration = 20;
    smaller.height -= 30;
    const struct { const struct scene *scene; const struct basemap_show *show; unsigned samples; } all[] = {
        {&here, &everything, 1}, {&there, &everything, 1}, {&higher, &everything, 1}, {&smaller, &everything, 1}, {&here, &less, 1}, {&here, &everything, 3},
    };
    static struct drawn drawn, plain;
    for (int round = 0; round < 3; round++)
        for (size_t n = 0; n < sizeof all / sizeof *all; n++) {
            memset(&drawn, 0, sizeof drawn);
            memset(&plain, 0, sizeof plain);
            draw(map, all[n].scene, all[n].show, all[n].samples, 2, &drawn);
            draw(forgets, all[n].scene, all[n].show, all[n].samples, 1, &plain);
            assert_memory_equal(&drawn, &plain, sizeof drawn);
        }
    assert_int_equal(kept(map), sizeof all / sizeof *all);
    basemap_unref(map);
    basemap_unref(forgets);
    grid_free(grid);
}

static void test_bounds(void **state) {
    (void)state;
    enum { MOST = 5 << 20 };
    struct grid *grid = a_grid();
    const struct scene_bounds box = made_box(grid, 12);
    struct basemap *map = map_of(grid, NULL, &box, NULL, MOST);
    static struct drawn drawn;
    for (int n = 0; n < 40; n++) {
        const struct scene scene = scene_from(&box, 10 * n, 0.3);
        draw(map, &scene, &everything, 1, 1, &drawn);
        draw(map, &scene, &everything, 1, 1, &drawn);
        assert_true(map->sketches.memory <= MOST);
    }
    assert_in_range(kept(map), 2, 16);
    const struct scene last = scene_from(&box, 390, 0.3), first = scene_from(&box, 0, 0.3);
    struct ground_sketch *found[2];
    for (int n = 0; n < 2; n++) {
        const struct scene *scene = n ? &first : &last;
        struct ground_sketch_key key;
        bool again;
        memset(&key, 0, sizeof key);
        key.matrices = scene->matrices, key.exaggeration = scene->exaggeration, key.width = WIDTH, key.height = HEIGHT, key.across = 1, key.show = everything;
        found[n] = ground_sketches_find(&map->sketches, &key, &again);
    }
    assert_non_null(found[0]);
    assert_null(found[1]);
    basemap_unref(map);
    ground_sketch_unref(found[0]);
    grid_free(grid);
}

// --- shared basemaps ---------------------------------------------------------------------------------------------------

static struct basemap *get(struct basemap_cache *cache, struct grid *grid, const float *ground, double top) {
    struct failure failure = {0};
    struct basemap *map;
    const struct basemap_options options = {grid, ground, made_box(grid, top), NULL, 0};
    if (basemap_cache_get(cache, &options, &map, &failure)) fail_msg("%s", failure.message);
    return map;
}

static void test_found_by_content(void **state) {
    (void)state;
    struct basemap_cache *cache = basemap_cache_new(2, 1 << 20);
    struct grid *grid = a_grid(), *same = a_grid(), *other = made_earth_grid(lonlat, true, false, 80, 10.4, 50, 0.4);
    float *ground = hills(grid), *copy = hills(same);
    struct basemap *maps[6] = {get(cache, grid, ground, 12)};
    grid_free(grid);  // the basemap has a reference of its own
    maps[1] = get(cache, same, copy, 12);
    assert_ptr_equal(maps[0], maps[1]);
    copy[7] += 1;
    maps[2] = get(cache, same, copy, 12);
    assert_ptr_not_equal(maps[2], maps[0]);
    maps[3] = get(cache, other, copy, 12);  // the third: the first leaves
    assert_ptr_not_equal(maps[3], maps[2]);
    maps[4] = get(cache, same, copy, 12);
    assert_ptr_equal(maps[4], maps[2]);
    maps[5] = get(cache, same, copy, 13);
    assert_ptr_not_equal(maps[5], maps[2]);
    basemap_cache_clear(cache);
    for (int n = 0; n < 6; n++) {
        double lon, lat, north;
        basemap_middle(maps[n], &lon, &lat, &north);  // all still whole
        assert_true(fabs(lat - 50) < 1);
        basemap_unref(maps[n]);
    }
    grid_free(same);
    grid_free(other);
    free(ground);
    free(copy);
    basemap_cache_free(cache);
}

static void test_failure(void **state) {
    (void)state;
    struct basemap_cache *cache = basemap_cache_new(1, 0);
    struct grid *grid = a_grid();
    struct basemap *map;
    for (int n = 0; n < 2; n++) {  // it is tried again
        struct failure failure = {0};
        const struct basemap_options options = {grid, NULL, made_box(grid, 12), "/nowhere/at/all", 0};
        assert_int_equal(basemap_cache_get(cache, &options, &map, &failure), VIRGA_NOT_FOUND);
        assert_null(map);
        assert_non_null(strstr(failure.message, "/nowhere/at/all/countries-"));
    }
    grid_free(grid);
    basemap_cache_free(cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_picture), cmocka_unit_test(test_each_its_own), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_found_by_content), cmocka_unit_test(test_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
