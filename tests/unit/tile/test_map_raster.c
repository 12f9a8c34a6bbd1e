// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "field/grid_transform.h"
#include "tile/map_raster.h"
#include "tile/tile_matrix.h"

static struct grid_axis axis_new(size_t n, double start, double step) {
    struct grid_axis axis = {n, malloc(n * sizeof(double)), true, start, step};
    for (size_t i = 0; i < n; i++) axis.values[i] = start + step * (double)i;
    return axis;
}

static struct grid *grid_new(const char *proj, struct grid_axis x, struct grid_axis y, bool angular, bool wraps) {
    struct grid *grid = calloc(1, sizeof *grid);
    *grid = (struct grid){.x = x, .y = y, .angular = angular, .wraps = wraps};
    snprintf(grid->proj, sizeof grid->proj, "%s", proj);
    grid->centre[0] = 0.5 * (x.values[0] + x.values[x.n - 1]);
    grid->centre[1] = 0.5 * (y.values[0] + y.values[y.n - 1]);
    grid->km_per_unit[0] = grid->km_per_unit[1] = angular ? 111.2 : 0.001;
    assert_int_equal(grid_transform_new(grid), VIRGA_OK);
    return grid;
}

static const char lonlat[] = "+proj=longlat +R=6371229 +no_defs";
static struct grid *globe(void) { return grid_new(lonlat, axis_new(1440, 0, 0.25), axis_new(721, -90, 0.25), true, true); }
static struct grid *region(void) { return grid_new(lonlat, axis_new(61, -10, 0.5), axis_new(41, 40, 0.5), true, false); }

typedef float (*field)(double i, double j);

static struct plane *plane_of(const struct grid *grid, field value, bool degrees) {
    struct plane_content content = {.nx = grid->x.n, .ny = grid->y.n, .scale = 1, .wraps = grid->wraps, .degrees = degrees, .method = "",
                                    .values = malloc(grid->x.n * grid->y.n * sizeof(float))};
    for (size_t j = 0; j < grid->y.n; j++)
        for (size_t i = 0; i < grid->x.n; i++) content.values[j * grid->x.n + i] = value((double)i, (double)j);
    struct plane *plane;
    assert_int_equal(plane_new(&content, &plane, NULL), VIRGA_OK);
    return plane;
}

static float waves(double i, double j) { return (float)(280 + 20 * sin(i * (2 * M_PI / 1440) * 3) * cos(j * 0.02) + j * 0.01); }
static float tilted(double i, double j) { return (float)(3 * i + 5 * j); }
static float column_of(double i, double j) { return (void)j, (float)i; }
static float holes(double i, double j) { return fmod(i, 7) < 3 && fmod(j, 5) < 2 ? NAN : (float)(i + j); }
static float constant(double i, double j) { return (void)i, (void)j, 7; }
static float checks(double i, double j) { return fmod(i + j, 2) < 1 ? 0 : 1; }
static float northerly(double i, double j) { return (void)j, fmod(i, 2) < 1 ? 359 : 3; }

static float *raster_of(const struct grid *grid, const struct map_frame *frame, const struct plane *plane, bool nearest, struct map_places **places) {
    assert_int_equal(map_frame_check(frame, NULL), VIRGA_OK);
    assert_int_equal(map_places_new(grid, frame, places, NULL), VIRGA_OK);
    float *values = malloc((size_t)frame->width * frame->height * sizeof *values);
    assert_int_equal(map_raster(*places, plane, nearest, values, NULL), VIRGA_OK);
    return values;
}

// Bilinear over those present, in double, from the field's formula.
static double wanted_at(field value, const struct grid *grid, double i, double j) {
    const double last = (double)grid->y.n - 1, n = (double)grid->x.n;
    double i0 = floor(i), j0 = fmin(floor(j), last - 1), sum = 0, present = 0;
    for (int c = 0; c < 4; c++) {
        double at_i = i0 + (c & 1), at_j = j0 + (c >> 1), weight = (c & 1 ? i - i0 : 1 - i + i0) * (c >> 1 ? j - j0 : 1 - j + j0);
        if (at_i >= n) at_i = grid->wraps ? at_i - n : n - 1;
        const double v = (double)value(at_i, at_j);
        if (!isnan(v)) sum += weight * v, present += weight;
    }
    return present >= 0.5 ? sum / present : (double)NAN;
}

static void hold(const struct grid *grid, const struct map_frame *frame, field value, double allowed) {
    struct plane *plane = plane_of(grid, value, false);
    struct map_places *places;
    float *values = raster_of(grid, frame, plane, false, &places);
    size_t inside = 0;
    for (unsigned row = 0; row < frame->height; row++)
        for (unsigned column = 0; column < frame->width; column++) {
            double x, y, lon, lat, i, j;
            const float got = values[row * frame->width + column];
            map_frame_place(frame, column + 0.5, row + 0.5, &x, &y);
            if (map_crs_to_lonlat(frame->crs, x, y, &lon, &lat) != VIRGA_OK || !grid_locate(grid, lon, lat, &i, &j)) {
                assert_true(isnan(got));
                continue;
            }
            const double wanted = wanted_at(value, grid, i, j);
            inside++;
            if (isnan(wanted) != isnan(got)) fail_msg("pixel %u, %u: %g, wanted %g", column, row, (double)got, wanted);
            if (!isnan(wanted) && fabs((double)got - wanted) > allowed) fail_msg("pixel %u, %u: %g, wanted %g", column, row, (double)got, wanted);
        }
    assert_true(inside > 0);
    free(values);
    map_places_free(places);
    plane_unref(plane);
}

static void puts_values_where_they_are(void **state) {
    (void)state;
    struct grid *grid = globe(), *part = region();
    struct map_frame tile;
    assert_int_equal(tile_matrix_frame(tile_matrix_find("WebMercatorQuad"), 5, 16, 10, 256, &tile, NULL), VIRGA_OK);
    hold(grid, &tile, waves, 1e-3);
    hold(grid, &tile, holes, 1e-2);
    hold(part, &tile, tilted, 1e-3);
    hold(part, &(struct map_frame){map_crs_find("CRS:84"), {-30, 20, 60, 70}, 211, 97}, holes, 1e-3);
    hold(grid, &(struct map_frame){map_crs_find("CRS:84"), {170, -20, 200, 20}, 200, 300}, waves, 1e-3);      // across the date line
    hold(grid, &(struct map_frame){map_crs_find("EPSG:3857"), {-300000, 2e6, 300000, 3e6}, 256, 256}, tilted, 1.5);  // across Greenwich: 3 × 1439 to 0
    grid_free(grid);
    grid_free(part);
}

// A pixel is 1/16 of itself away at most: the field changes by 8 a column.
static void follows_projections(void **state) {
    (void)state;
    struct grid *grid = globe(), *part = region();
    hold(grid, &(struct map_frame){map_crs_find("EPSG:3413"), {-1.5e6, -3e6, -0.5e6, -2e6}, 256, 256}, tilted, 8 * 0.15 / 16 + 0.01);
    hold(grid, &(struct map_frame){map_crs_find("EPSG:3413"), {1e6, 1e6, 1e6 + 1e-4, 1e6 + 1e-4}, 256, 256}, tilted, 0.01);  // finer than PROJ is exact
    hold(part, &(struct map_frame){map_crs_find("EPSG:3035"), {3.4e6, 2.4e6, 4.4e6, 3.4e6}, 200, 300}, tilted, 8 * 0.15 / 16 + 0.01);
    grid_free(grid);
    grid_free(part);
}

static void leaves_no_hole_at_poles(void **state) {
    (void)state;
    struct grid *grids[] = {globe(), grid_new(lonlat, axis_new(720, 0.25, 0.5), axis_new(360, -89.75, 0.5), true, true)};
    for (int g = 0; g < 2; g++) {
        struct plane *plane = plane_of(grids[g], constant, false);
        const struct map_frame frames[] = {{map_crs_find("EPSG:3995"), {-1e5, -1e5, 1e5, 1e5}, 65, 65}, {map_crs_find("EPSG:3031"), {-1e6, -1e6, 1e6, 1e6}, 128, 64},
                                           {map_crs_find("CRS:84"), {-180, -90, 180, 90}, 400, 200}, {map_crs_find("CRS:84"), {-200, 89, 300, 90}, 33, 400}};
        for (size_t f = 0; f < sizeof frames / sizeof *frames; f++) {
            struct map_places *places;
            float *values = raster_of(grids[g], &frames[f], plane, false, &places);
            for (unsigned p = 0; p < frames[f].width * frames[f].height; p++) assert_true(fabsf(values[p] - 7) < 1e-5F);
            free(values);
            map_places_free(places);
        }
        plane_unref(plane);
        grid_free(grids[g]);
    }
}

static void takes_means_when_it_makes_smaller(void **state) {
    (void)state;
    struct grid *grid = globe();
    struct plane *plane = plane_of(grid, checks, false);
    struct map_frame frame;
    struct map_places *places;
    assert_int_equal(tile_matrix_frame(tile_matrix_find("WebMercatorQuad"), 1, 0, 0, 256, &frame, NULL), VIRGA_OK);
    float *values = raster_of(grid, &frame, plane, false, &places);
    assert_true(places->spacing > 2.7 && places->spacing < 2.9);
    for (unsigned p = 0; p < 256 * 256; p++) assert_true(fabsf(values[p] - 0.5F) < 1e-5F);
    free(values);
    map_places_free(places);
    plane_unref(plane);
    grid_free(grid);
}

static void keeps_the_seam_of_the_globe_closed(void **state) {
    (void)state;
    struct grid *grid = globe();
    struct plane *plane = plane_of(grid, waves, false);
    for (unsigned zoom = 0; zoom < 4; zoom++) {
        struct map_frame frame = {map_crs_find("CRS:84"), {-20, -40, 20, 40}, 512u >> zoom, 64};  // Greenwich is the grid's seam
        struct map_places *places;
        float *values = raster_of(grid, &frame, plane, false, &places);
        for (unsigned x = 1; x < frame.width; x++) assert_true(fabsf(values[x] - values[x - 1]) < 10.0F / (float)frame.width * 4 + 0.02F);
        free(values);
        map_places_free(places);
    }
    plane_unref(plane);
    grid_free(grid);
}

static void takes_directions_and_codes_as_they_are(void **state) {
    (void)state;
    struct grid *grid = region();
    struct plane *plane = plane_of(grid, northerly, true), *codes = plane_of(grid, column_of, false);
    struct map_frame frame = {map_crs_find("CRS:84"), {-5, 45, 5, 50}, 100, 50};
    struct map_places *places, *same;
    float *values = raster_of(grid, &frame, plane, false, &places), *near = raster_of(grid, &frame, codes, true, &same);
    for (unsigned p = 0; p < 100 * 50; p++) {
        assert_true(values[p] >= 358.99F || values[p] <= 3.01F);
        assert_true(near[p] == rintf(near[p]));
    }
    free(values);
    free(near);
    map_places_free(places);
    map_places_free(same);
    plane_unref(plane);
    plane_unref(codes);
    grid_free(grid);
}

// A grid known column by column, turned by 30°: each pixel as grid_locate has it, also where the grid is far smaller than the map.
static struct grid *turned(size_t nx, size_t ny, double step) {
    struct grid *grid = calloc(1, sizeof *grid);
    *grid = (struct grid){.x = axis_new(nx, 0, 1), .y = axis_new(ny, 0, 1), .centre = {0.5 * (double)(nx - 1), 0.5 * (double)(ny - 1)},
                          .lon = malloc(nx * ny * sizeof(double)), .lat = malloc(nx * ny * sizeof(double))};
    for (size_t j = 0; j < ny; j++)
        for (size_t i = 0; i < nx; i++) {
            grid->lon[j * nx + i] = 5 + step * (0.866 * (double)i - 0.5 * (double)j);
            grid->lat[j * nx + i] = 50 + step * (0.5 * (double)i + 0.866 * (double)j);
        }
    assert_int_equal(grid_transform_new(grid), VIRGA_OK);
    return grid;
}

static void finds_columns_that_stand_anywhere(void **state) {
    (void)state;
    struct grid *grid = turned(40, 30, 0.1), *small = turned(5, 4, 0.1);
    hold(grid, &(struct map_frame){map_crs_find("EPSG:3857"), {3e5, 6.3e6, 1.2e6, 7.2e6}, 256, 256}, tilted, 8 * 0.4 / 16 + 0.05);
    const struct map_frame wide = {map_crs_find("EPSG:3857"), {-6e6, 1e6, 7e6, 1.4e7}, 256, 256};
    struct plane *plane = plane_of(small, constant, false);
    struct map_places *places;
    float *values = raster_of(small, &wide, plane, false, &places);
    unsigned there = 0;
    for (unsigned p = 0; p < 256 * 256; p++) there += !isnan(values[p]);
    assert_true(there > 0);  // a pixel or two
    free(values);
    map_places_free(places);
    plane_unref(plane);
    grid_free(grid);
    grid_free(small);
}

static void draws_the_models_own_coordinates(void **state) {
    (void)state;
    struct grid *grid = grid_new("+proj=laea +lat_0=55 +lon_0=-3 +R=6371229 +no_defs", axis_new(100, -1e5, 2000), axis_new(80, -5e4, 2000), false, false);
    const struct map_crs *own = map_crs_own(grid);
    struct plane *plane = plane_of(grid, tilted, false);
    struct map_frame frame = {own, {-1.01e5, -5.1e4, 0.99e5, 1.09e5}, 100, 80};  // a pixel is a column
    struct map_places *places;
    float *values = raster_of(grid, &frame, plane, false, &places);
    for (unsigned row = 0; row < 80; row++)
        for (unsigned column = 0; column < 100; column++) assert_true(fabsf(values[row * 100 + column] - tilted(column, 79 - row)) < 1e-2F);
    free(values);
    map_places_free(places);
    struct grid *other = region();
    assert_int_equal(map_places_new(other, &frame, &places, NULL), VIRGA_INVALID);
    assert_null(places);
    grid_free(other);
    plane_unref(plane);
    map_crs_unref(own);
    grid_free(grid);
}

static void counts_bands_from_low_to_high(void **state) {
    (void)state;
    const struct map_scale scale = {10, 20, false, 5};
    const float values[] = {NAN, -1e30F, 9.99F, 10, 11.99F, 12, 19.99F, 20, 20.01F, 1e30F, -INFINITY, INFINITY};
    const uint8_t wanted[] = {0, 1, 1, 2, 2, 3, 6, 6, 7, 7, 1, 7};
    uint8_t got[sizeof wanted];
    map_scale_indices(&scale, values, sizeof wanted, got);
    for (size_t k = 0; k < sizeof wanted; k++) assert_int_equal(got[k], wanted[k]);
    const struct map_scale decades = {0.01F, 100, true, 4};
    const float numbers[] = {0, -5, 0.009F, 0.011F, 0.5F, 5, 99, 101, NAN};
    const uint8_t places[] = {1, 1, 1, 2, 3, 4, 5, 6, 0};
    map_scale_indices(&decades, numbers, sizeof places, got);
    for (size_t k = 0; k < sizeof places; k++) assert_int_equal(got[k], places[k]);
    assert_true(fabs(map_scale_middle(&scale, 0) - 11) < 1e-6 && fabs(map_scale_middle(&decades, 1) - sqrt(0.1)) < 1e-6);
    for (unsigned bands = 1; bands <= MAP_SCALE_BANDS_MAX; bands++)
        for (unsigned band = 0; band < bands; band++) {
            const struct map_scale each = {-3, 8, false, bands};
            const float middle = (float)map_scale_middle(&each, band);
            map_scale_indices(&each, &middle, 1, got);
            assert_int_equal(got[0], MAP_SCALE_FIRST + band);
        }
}

static void finds_the_box_of_a_grid(void **state) {
    (void)state;
    struct grid *grids[] = {globe(), region(), grid_new(lonlat, axis_new(41, 170, 0.5), axis_new(41, -20, 0.5), true, false)};
    const double wanted[][4] = {{-180, -90, 180, 90}, {-10, 40, 20, 60}, {170, -20, 190, 0}};
    for (int g = 0; g < 3; g++) {
        double box[4];
        assert_int_equal(map_crs_bounds(map_crs_find("EPSG:4326"), grids[g], box), VIRGA_OK);
        for (int a = 0; a < 4; a++) assert_true(fabs(box[a] - wanted[g][a]) < 1e-6);
        assert_int_equal(map_crs_bounds(map_crs_find("EPSG:3857"), grids[g], box), VIRGA_OK);
        assert_true(box[3] <= 20037508.4 && box[1] >= -20037508.4);
        grid_free(grids[g]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_values_where_they_are), cmocka_unit_test(follows_projections), cmocka_unit_test(leaves_no_hole_at_poles),
        cmocka_unit_test(takes_means_when_it_makes_smaller), cmocka_unit_test(keeps_the_seam_of_the_globe_closed),
        cmocka_unit_test(takes_directions_and_codes_as_they_are), cmocka_unit_test(finds_columns_that_stand_anywhere), cmocka_unit_test(draws_the_models_own_coordinates),
        cmocka_unit_test(counts_bands_from_low_to_high), cmocka_unit_test(finds_the_box_of_a_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
