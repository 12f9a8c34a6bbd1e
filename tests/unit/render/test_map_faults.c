// SPDX-License-Identifier: Apache-2.0
// Out of memory fails one map or legend, from whichever allocation on, and leaks nothing. Only what is large counts, which is virga's own; small ones are
// Pango's, of which GLib ends the process. Exit 77 under sanitizers, whose allocator cannot be replaced.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "made_map.h"
#include "render/map_contours.h"
#include "render/map_legend.h"

#ifdef VIRGA_SANITIZED

int main(void) {
    puts("skipped: the sanitizer's allocator cannot be replaced");
    return 77;
}

#else

#include "failing_allocator.h"

enum { LARGE = 40000 };

static double waves(double lon, double lat) { return 20 + 15 * sin(lon * 0.3) * cos(lat * 0.4); }
static double turning(double lon, double lat) { return fmod(lon * 3 + lat * 2 + 720, 360); }

struct made { struct map_frame frame; struct map_picture_layer layer; struct map_style style; struct catalog_variable speed, direction; };

static int draw(const struct made *made, uint8_t **bytes, struct failure *failure) {
    const struct map_picture_options options = {.format = IMAGE_PNG, .transparent = true, .scale = 1};
    size_t size;
    return map_picture_draw(&made->frame, &made->layer, 1, &options, bytes, &size, failure);
}

static int draw_legend(const struct made *made, uint8_t **bytes, struct failure *failure) {
    const struct map_legend_options options = {.format = IMAGE_PNG, .scale = 1};
    size_t size;
    return map_legend_draw(&made->speed, &made->style, &options, bytes, &size, failure);
}

// How many allocations there were to fail.
static long each_fails(const struct made *made, int (*made_by)(const struct made *, uint8_t **, struct failure *)) {
    long failed = 0;
    uint8_t *bytes;
    assert_int_equal(made_by(made, &bytes, NULL), VIRGA_OK);  // what is kept for later is there from now on
    free(bytes);
    counted_from = LARGE;
    for (int status = VIRGA_NO_MEMORY; status; failed++) {
        struct failure failure = {0};
        room = failed;
        once = true;
        status = made_by(made, &bytes, &failure);
        room = -1;
        assert_true(status == VIRGA_OK || (status == VIRGA_NO_MEMORY && strstr(failure.message, "out of memory") && !bytes));
        free(bytes);
        if (failed > 1000) break;
    }
    counted_from = 0;
    return failed - 1;
}

static void each_allocation_fails_one_map(void **state) {
    (void)state;
    static const char *const styles[] = {"fill", "contours", "fill-contours", "barbs", "values"};
    struct grid *grid = made_globe();
    struct plane *speed = made_plane(waves, false), *direction = made_plane(turning, true);
    for (size_t n = 0; n < sizeof styles / sizeof *styles; n++) {
        struct made made = {.speed = made_map_variable("s", "wind_speed", "m s-1"), .direction = made_map_variable("d", "wind_from_direction", "degree")};
        assert_int_equal(map_style_parse(styles[n], &made.style, NULL), VIRGA_OK);
        assert_int_equal(map_style_complete(&made.style, &made.speed, NULL, NULL), VIRGA_OK);
        made.frame = (struct map_frame){.crs = map_crs_find("EPSG:3413"), .box = {-3e6, -3e6, 3e6, 3e6}, .width = 320, .height = 320};
        made.layer = (struct map_picture_layer){.grid = grid, .variable = &made.speed, .plane = speed, .partner_variable = &made.direction, .partner = direction,
                                                .wind = MAP_WIND_SPEED_FROM, .style = &made.style};
        assert_true(each_fails(&made, draw) >= 2);
        each_fails(&made, draw_legend);
    }
    plane_unref(speed);
    plane_unref(direction);
    grid_free(grid);
}

static void each_allocation_fails_the_contours(void **state) {
    (void)state;
    enum { SIDE = 100 };
    static float values[SIDE * SIDE];
    for (int n = 0; n < SIDE * SIDE; n++) values[n] = (float)waves(n % SIDE, n / SIDE);
    const struct map_lattice lattice = {values, SIDE, SIDE, {0, 0}, {1, 1}};
    const long before = live;
    int status = VIRGA_NO_MEMORY;
    for (long n = 0; status; n++) {
        struct map_contours contours;
        room = n;
        once = false;
        status = map_contours_trace(&lattice, 0, 1, NULL, &contours);
        room = -1;
        map_contours_destroy(&contours);
        assert_int_equal(live, before);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_fails_one_map), cmocka_unit_test(each_allocation_fails_the_contours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
