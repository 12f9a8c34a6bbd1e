// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "server/map_section.h"

static double axis[] = {0, 1, 2, 3, 4};
// Columns one degree apart, at the equator.
static struct grid grid = {.x = {.n = 5, .values = axis}, .y = {.n = 5, .values = axis}, .angular = true, .km_per_unit = {111.2, 111.2}};

static struct section_point at(double lon, double lat) { return (struct section_point){.lon = lon, .lat = lat, .height = NAN, .seconds = NAN}; }

static void places_stand_no_further_apart_than_columns(void **state) {
    (void)state;
    struct section_point vertices[] = {at(0, 0), at(3.5, 0), at(3.5, 0.25)};
    struct section_line line;
    assert_int_equal(section_line_init(&line, &grid, vertices, 3, 100), VIRGA_OK);
    assert_int_equal(line.count, 6);  // 4 pieces, 1 piece
    assert_true(line.points[4].lon == 3.5 && line.points[4].lat == 0 && line.points[5].lat == 0.25);
    for (size_t n = 1; n < 5; n++) assert_true(fabs(line.points[n].lon - 0.875 * (double)n) < 1e-12);
    assert_true(fabs(line.points[4].distance - 3.5 * 111198.9) < 2000 && line.points[0].distance == 0 && isnan(line.points[2].height));
    section_line_destroy(&line);
}

static void there_are_no_more_places_than_asked_for(void **state) {
    (void)state;
    struct section_point vertices[] = {at(-170, 0), at(-10, 60), at(100, 0), at(170, -80)};
    for (size_t most = 4; most < 60; most++) {
        struct section_line line;
        size_t found = 0;
        assert_int_equal(section_line_init(&line, &grid, vertices, 4, most), VIRGA_OK);
        assert_in_range(line.count, 4, most);
        for (size_t n = 0; n < line.count && found < 4; n++) found += line.points[n].lon == vertices[found].lon && line.points[n].lat == vertices[found].lat;
        assert_int_equal(found, 4);
        section_line_destroy(&line);
    }
}

static void heights_and_times_change_evenly(void **state) {
    (void)state;
    struct section_point vertices[] = {{.lon = 0, .lat = 0, .height = 1000, .seconds = 3600}, {.lon = 2, .lat = 0, .height = 2000, .seconds = 7200}};
    struct section_line line;
    assert_int_equal(section_line_init(&line, &grid, vertices, 2, 100), VIRGA_OK);
    assert_int_equal(line.count, 3);
    assert_true(line.points[1].height == 1500 && line.points[1].seconds == 5400);
    section_line_destroy(&line);
}

static void lines_go_the_shorter_way_round(void **state) {
    (void)state;
    struct section_point vertices[] = {at(179, 10), at(-179, 10)}, same[] = {at(5, 5), at(5, 5)}, alone = at(7, 8);
    struct section_line line;
    assert_int_equal(section_line_init(&line, &grid, vertices, 2, 100), VIRGA_OK);
    assert_int_equal(line.count, 3);
    assert_true(line.points[1].lon == 180 && line.points[2].distance < 300e3);
    section_line_destroy(&line);
    assert_int_equal(section_line_init(&line, &grid, same, 2, 100), VIRGA_OK);
    assert_int_equal(line.count, 2);
    assert_true(line.points[1].distance == 0);
    section_line_destroy(&line);
    assert_int_equal(section_line_init(&line, &grid, &alone, 1, 1), VIRGA_OK);
    assert_int_equal(line.count, 1);
    section_line_destroy(&line);
}

static void places_can_stand_evenly(void **state) {
    (void)state;
    struct section_point vertices[] = {at(0, 0), at(1, 0), at(1, 0), at(3, 0)}, same[] = {at(5, 5), at(5, 5)};
    struct section_line line;
    double marks[4];
    assert_int_equal(section_line_even(&line, vertices, 4, 6, marks), VIRGA_OK);
    assert_int_equal(line.count, 6);
    for (size_t n = 0; n < 6; n++) assert_true(fabs(line.points[n].lon - (0.25 + 0.5 * (double)n)) < 1e-9);
    assert_true(fabs(marks[3] - 3 * marks[1]) < 1e-6 * marks[3] && marks[1] == marks[2] && fabs(line.points[5].distance - marks[3] * 11 / 12) < 1e-6 * marks[3]);
    section_line_destroy(&line);
    assert_int_equal(section_line_even(&line, same, 2, 3, marks), VIRGA_OK);
    assert_true(line.count == 3 && line.points[2].lon == 5 && line.points[2].lat == 5 && marks[1] == 0);
    section_line_destroy(&line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_stand_no_further_apart_than_columns),
        cmocka_unit_test(there_are_no_more_places_than_asked_for),
        cmocka_unit_test(heights_and_times_change_evenly),
        cmocka_unit_test(places_can_stand_evenly),
        cmocka_unit_test(lines_go_the_shorter_way_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
