// SPDX-License-Identifier: Apache-2.0
// Coasts, borders and land out of TopoJSON, and files that are none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "made_world.h"
#include "render/land_map.h"
#include "render/world_atlas.h"

static int parse(const char *text, struct world_atlas *atlas, struct failure *failure) {
    char *copy = strdup(text);
    assert_non_null(copy);
    int status = world_atlas_parse(copy, strlen(copy), "made.json", atlas, failure);
    free(copy);
    return status;
}

static void test_lines(void **state) {
    (void)state;
    struct world_atlas atlas;
    struct failure failure = {0};
    if (parse(made_world, &atlas, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(atlas.coasts.count, 4);
    assert_int_equal(atlas.borders.count, 1);
    assert_int_equal(atlas.borders.point_count, 3);
    assert_true(fabs(atlas.borders.points[1][0] - 10) < 1e-9 && fabs(atlas.borders.points[1][1] - 50) < 1e-9);
    world_atlas_destroy(&atlas);
}

static void test_rings(void **state) {
    (void)state;
    struct world_atlas atlas;
    assert_int_equal(parse(made_world, &atlas, NULL), VIRGA_OK);
    assert_int_equal(atlas.polygon_count, 3);
    assert_int_equal(atlas.rings.count, 3);
    for (size_t ring = 0; ring < 2; ring++) {  // closed, of arcs end to end
        const double *first = atlas.rings.points[atlas.rings.first[ring]];
        const double *last = atlas.rings.points[atlas.rings.first[ring + 1] - 1];
        assert_true(fabs(first[0] - last[0]) < 1e-9 && fabs(first[1] - last[1]) < 1e-9);
    }
    assert_int_equal(atlas.rings.first[1], 13);  // twice seven, one of them in common
    world_atlas_destroy(&atlas);
}

static void test_arcs_backwards(void **state) {
    (void)state;
    struct world_atlas atlas;
    assert_int_equal(parse("{\"arcs\": [[[0, 1], [2, 3], [4, 5]]], \"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [[-1]]}, \"countries\": {}}}", &atlas, NULL), VIRGA_OK);
    assert_true(atlas.rings.points[0][0] == 4 && atlas.rings.points[2][1] == 1);
    world_atlas_destroy(&atlas);
}

static void must_refuse(const char *text) {
    struct world_atlas atlas;
    struct failure failure = {0};
    int status = parse(text, &atlas, &failure);
    if (status != VIRGA_UNREADABLE) fail_msg("%s: status %d", text, status);
    assert_non_null(strstr(failure.message, "made.json"));
    assert_non_null(strstr(failure.message, "npm ci"));
    assert_null(atlas.coasts.points);
}

#define OBJECTS "\"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [[0]]}, \"countries\": {}}"

static void test_malformed(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "null", "[]", "{}", "{", "}", "\"", "{\"arcs\"", "{\"arcs\":", "{\"arcs\": 5, " OBJECTS "}",
        "{\"arcs\": \"[]\", " OBJECTS "}", "{\"arcs\": {}, " OBJECTS "}",
        "{\"arcs\": [], " OBJECTS "}", "{\"arcs\": [[]]}", "{\"arcs\": [5], " OBJECTS "}", "{\"arcs\": [[5]], " OBJECTS "}",
        "{\"arcs\": [[[5]]], " OBJECTS "}",
        "{\"arcs\": [[[1, 2], [3, 4]], " OBJECTS "}", "{\"arcs\": [[[1, 2], [3, 4], ]], " OBJECTS "}",
        "{\"arcs\": [[[1, \"2\"]]], " OBJECTS "}",
        "{\"arcs\": [[[1, 2] [3, 4]]], " OBJECTS "}", "{\"arcs\": [[[1, 2]],], " OBJECTS "}",
        "{\"arcs\": [[[1e999, 2]]], " OBJECTS "}", "{\"arcs\": [[[nan, 2]]], " OBJECTS "}",
        "{\"arcs\": [[[1, 91]]], " OBJECTS "}", "{\"arcs\": [[[721, 2]]], " OBJECTS "}", "{\"arcs\": [[[0x1, 2]]], " OBJECTS "}",
        "{\"arcs\": [[[1, 2, {}]]], " OBJECTS "}",
        "{\"arcs\": [[[1, 2]]], \"objects\": 5}", "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": [], \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [[1]]}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [[-2]]}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [[-9223372036854775808]]}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [[0.5]]}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"Polygon\", \"arcs\": [0]}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"Polygon\"}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"objects\": {\"land\": {\"type\": \"MultiPolygon\", \"arcs\": [[0]]}, \"countries\": {}}}",
        "{\"arcs\": [[[1, 2]]], \"transform\": {\"scale\": [1]}, " OBJECTS "}",
        "{\"arcs\": [[[1, 2]]], \"transform\": 7, " OBJECTS "}",
        "{\"arcs\": [[[1, 2]]], \"transform\": {\"scale\": [1, 1], \"translate\": [\"0\", 0]}, " OBJECTS "}",
        "{\"arcs\": [[[1, 2]]], " OBJECTS "} trailing",
        "{\"a\": [\"\\", "{\"arcs\": [[[1, 2]]]]}", "{\"arcs\": [[[1, 2]]], \"arcs\": [[[1, 2]]], " OBJECTS "}",
    };
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) must_refuse(texts[n]);
}

// Every beginning of a good file, and every file with one byte changed, is refused or read, and nothing worse.
static void test_damaged(void **state) {
    (void)state;
    size_t size = strlen(made_world);
    static const char changes[] = "[]{},:\"\\-9e.x";
    struct world_atlas atlas;
    for (size_t n = 0; n < size; n++) {
        char *text = strdup(made_world);
        assert_non_null(text);
        text[n] = 0;
        int status = world_atlas_parse(text, n, "made.json", &atlas, NULL);
        assert_true(status == VIRGA_UNREADABLE || status == VIRGA_OK);
        world_atlas_destroy(&atlas);
        free(text);
        for (size_t c = 0; c < sizeof changes - 1; c++) {
            text = strdup(made_world);
            assert_non_null(text);
            text[n] = changes[c];
            status = world_atlas_parse(text, size, "made.json", &atlas, NULL);
            assert_true(status == VIRGA_UNREADABLE || status == VIRGA_OK);
            world_atlas_destroy(&atlas);
            free(text);
        }
    }
}

// A small file may not ask for a great deal of memory: the same long arc a thousand times a ring, in a thousand rings.
static void test_bomb(void **state) {
    (void)state;
    size_t room = 1 << 20, n = 0;
    char *text = malloc(room);
    assert_non_null(text);
    n += (size_t)snprintf(text + n, room - n, "{\"arcs\": [[[0, 0]");
    for (int k = 0; k < 20000; k++) n += (size_t)snprintf(text + n, room - n, ",[1,%d]", k % 2);
    n += (size_t)snprintf(text + n, room - n,
                          "]], \"objects\": {\"countries\": {}, \"land\": {\"type\": \"Polygon\", \"arcs\": [");
    for (int ring = 0; ring < 100; ring++) {
        n += (size_t)snprintf(text + n, room - n, "%s[0", ring ? "," : "");
        for (int k = 0; k < 1000; k++) n += (size_t)snprintf(text + n, room - n, ",0");
        n += (size_t)snprintf(text + n, room - n, "]");
    }
    n += (size_t)snprintf(text + n, room - n, "]}}}");
    assert_true(n < room);
    must_refuse(text);
    free(text);
}

static void test_files(void **state) {
    (void)state;
    struct world_atlas atlas;
    struct failure failure = {0};
    char *folder = made_world_folder(made_world);
    assert_int_equal(world_atlas_read(folder, "50m", &atlas, &failure), VIRGA_OK);
    assert_int_equal(atlas.polygon_count, 3);
    world_atlas_destroy(&atlas);
    assert_int_equal(world_atlas_read(folder, "5m", &atlas, &failure), VIRGA_NOT_FOUND);
    assert_non_null(strstr(failure.message, "countries-5m.json"));
    assert_non_null(strstr(failure.message, "npm ci"));
    assert_int_equal(world_atlas_read("/dev/null", "5m", &atlas, &failure), VIRGA_NOT_FOUND);
    made_world_remove(folder);
}

// The page's own files, where they are installed: known land and known sea, on a map of the whole world.
static void test_real_world(void **state) {
    (void)state;
    static const char *const details[] = {"110m", "50m", "10m"};
    static const float land[][2] = {{100, 66.5f}, {60, 67}, {-178, 66.5f}, {175, 67}, {20, -88}, {-150, -84}, {10, 50}, {-60, -15}};
    static const float sea[][2] = {{0, 85}, {-30, 66}, {-170, 20}, {170, -60}, {-40, -70}, {5, 66.5f}, {52, 42}};
    const struct degree_bounds globe = {-180, 180, -90, 90};
    if (access(VIRGA_SOURCE_DIR "/web/node_modules/world-atlas/countries-10m.json", R_OK)) skip();
    for (int n = 0; n < 3; n++) {
        struct world_atlas atlas;
        struct land_map map;
        struct failure failure = {0};
        if (world_atlas_read(VIRGA_SOURCE_DIR "/web/node_modules/world-atlas", details[n], &atlas, &failure)) fail_msg("%s", failure.message);
        assert_true(atlas.borders.count > 100 && atlas.coasts.count > 100);
        assert_int_equal(land_map_init(&map, &atlas, &globe), VIRGA_OK);
        for (size_t k = 0; k < sizeof land / sizeof *land; k++)
            if (!(land_map_at(&map, land[k][0], land[k][1], 1) > 0.5f)) fail_msg("%g, %g is sea", (double)land[k][0], (double)land[k][1]);
        for (size_t k = 0; k < sizeof sea / sizeof *sea; k++)
            if (!(land_map_at(&map, sea[k][0], sea[k][1], 1) < 0.5f)) fail_msg("%g, %g is land", (double)sea[k][0], (double)sea[k][1]);
        land_map_destroy(&map);
        world_atlas_destroy(&atlas);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_rings), cmocka_unit_test(test_arcs_backwards),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_bomb), cmocka_unit_test(test_files), cmocka_unit_test(test_real_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
