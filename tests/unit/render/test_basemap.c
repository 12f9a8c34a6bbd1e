// SPDX-License-Identifier: Apache-2.0
// Ground and lines of a picture: where they are, how far, and in which colours.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "made_grid.h"
#include "made_scene.h"
#include "made_world.h"
#include "render/basemap.h"

static const char lonlat[] = "+proj=longlat +R=6371229 +no_defs";
static const char polar[] = "+proj=stere +lat_0=-90 +lon_0=0 +lat_ts=-71 +R=6371229 +units=m +no_defs";
static const struct basemap_show nothing = {.terrain = true}, everything = {true, true, true, true};

// A map over a grid and a picture of it; freed by made_free.
struct made {
    struct grid *grid;
    float *ground;
    struct basemap *map;
    struct scene scene;
    float *rgba, *distance;
};

typedef double made_height(double X, double Y);  // metres at scene km

static void make(struct made *m, struct grid *grid, made_height *height, const char *world, unsigned width,
                 unsigned height_pixels) {
    *m = (struct made){.grid = grid};
    m->scene = (struct scene){.box = made_box(grid, 12), .exaggeration = 10, .width = width, .height = height_pixels,
                              .step = SCENE_FULL_STEP};
    struct light *light = &m->scene.light;
    for (int n = 0; n < 3; n++) light->colour[n] = 0.8, light->ambient[n] = 0.3, light->sky_top[n] = 0.2, light->sky_low[n] = 0.4;
    light->direction[0] = 0.3, light->direction[1] = -0.4, light->direction[2] = 0.8;
    if (height) {
        m->ground = malloc(grid->x.n * grid->y.n * sizeof *m->ground);
        for (size_t j = 0; j < grid->y.n; j++)
            for (size_t i = 0; i < grid->x.n; i++)
                m->ground[j * grid->x.n + i] = (float)height((grid->x.values[i] - grid->centre[0]) * grid->km_per_unit[0],
                                                             (grid->y.values[j] - grid->centre[1]) * grid->km_per_unit[1]);
    }
    struct failure failure = {0};
    const struct basemap_options options = {grid, m->ground, m->scene.box, world, 64 << 20};
    if (basemap_new(&options, &m->map, &failure)) fail_msg("%s", failure.message);
    m->rgba = malloc(4 * (size_t)width * height_pixels * sizeof *m->rgba);
    m->distance = malloc((size_t)width * height_pixels * sizeof *m->distance);
}

static void made_free(struct made *m) {
    basemap_unref(m->map);
    grid_free(m->grid);
    free(m->ground);
    free(m->rgba);
    free(m->distance);
}

static void look_from(struct made *m, double x, double y, double z, double fov) {
    struct view_camera camera = {.mode = VIEW_ORBIT, .eye = {x, y, z}, .target = {0, 0, 0}, .up = {0, 0, 1}, .fov = fov};
    if (x == 0 && y == 0) camera.up[1] = 1, camera.up[2] = 0;
    camera_matrices(&camera, &m->scene.box, m->scene.exaggeration, (double)m->scene.width / m->scene.height, &m->scene.matrices);
}

static void draw(struct made *m, const struct basemap_show *show, unsigned samples, size_t threads) {
    struct render_team *team = render_team_new(threads, false);
    assert_non_null(team);
    assert_int_equal(basemap_draw(m->map, team, &m->scene, show, samples, m->rgba, m->distance), VIRGA_OK);
    render_team_free(team);
}

// The ray through a pixel's middle, of depth 1.
static void ray_of(const struct made *m, unsigned x, unsigned y, double ray[3]) {
    const double *r = m->scene.matrices.relative;
    const double cx = 2 * (x + 0.5) / m->scene.width - 1, cy = 1 - 2 * (y + 0.5) / m->scene.height;
    double w = r[3] * cx + r[7] * cy + r[11] + r[15];
    for (int n = 0; n < 3; n++) ray[n] = (r[n] * cx + r[4 + n] * cy + r[8 + n] + r[12 + n]) / w;
    double length = sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2]);
    for (int n = 0; n < 3; n++) ray[n] /= length;
}

static const float *pixel(const struct made *m, double X, double Y, double Z) {
    const double shown[] = {X, Y, Z * m->scene.exaggeration};
    double at[2];
    assert_true(camera_project(&m->scene.matrices, shown, at));
    assert_true(at[0] > 0 && at[0] < 1 && at[1] > 0 && at[1] < 1);
    return m->rgba + 4 * ((size_t)(at[1] * m->scene.height) * m->scene.width + (size_t)(at[0] * m->scene.width));
}

// --- distance ----------------------------------------------------------------------------------------------------------

static double slope(double X, double Y) { return 900 + 0.6 * X - 0.9 * Y; }

// A plane that leans: all triangles lie in it.
static void test_distance(void **state) {
    (void)state;
    for (unsigned samples = 1; samples <= 4; samples++) {
        struct made m;
        make(&m, made_earth_grid(lonlat, true, false, 90, 10, 50, 0.1), slope, NULL, 150, 110);
        look_from(&m, 200, -700, 40, 45);
        draw(&m, &nothing, samples, 2);
        int seen = 0;
        for (unsigned y = 0; y < 110; y++)
            for (unsigned x = 0; x < 150; x++) {
                const struct scene_bounds *box = &m.scene.box;
                const double *eye = m.scene.matrices.eye, k = m.scene.exaggeration / 1000;
                double ray[3], got = (double)m.distance[y * 150 + x];
                ray_of(&m, x, y, ray);
                double t = (k * slope(eye[0], eye[1]) - eye[2]) / (ray[2] - k * 0.6 * ray[0] + k * 0.9 * ray[1]);
                double X = eye[0] + t * ray[0], Y = eye[1] + t * ray[1];
                if (t > 0 && X > box->low[0] + 1 && X < box->high[0] - 1 && Y > box->low[1] + 1 && Y < box->high[1] - 1) {
                    if (!(fabs(got - t) < 1e-4 * t)) fail_msg("%u: (%u, %u) is %g km away, not %g", samples, x, y, t, got);
                    seen++;
                }
                if (t < 0 && isfinite(got)) fail_msg("sky is %g km away", got);
            }
        assert_true(seen > 4000);
        made_free(&m);
    }
}

static double hills(double X, double Y) { return 1500 * (1 + sin(X / 40) * cos(Y / 30)); }

// Against rays that walk down to the same triangles in small steps.
static void test_distance_over_hills(void **state) {
    (void)state;
    struct made m;
    make(&m, made_earth_grid(lonlat, true, false, 60, 10, 50, 0.1), hills, NULL, 60, 40);
    look_from(&m, 100, -420, 20, 50);
    draw(&m, &nothing, 1, 2);
    const struct scene_bounds *box = &m.scene.box;
    int hits = 0, grazed = 0;
    for (unsigned y = 0; y < 40; y++)
        for (unsigned x = 0; x < 60; x++) {
            double ray[3], t = 0;
            bool hit = false;
            ray_of(&m, x, y, ray);
            for (; t < 1500 && !hit; t += 0.25) {
                double at[3], i, j;
                for (int n = 0; n < 3; n++) at[n] = m.scene.matrices.eye[n] + t * ray[n];
                if (!(at[0] > box->low[0] && at[0] < box->high[0] && at[1] > box->low[1] && at[1] < box->high[1])) continue;
                double a = modf((at[0] - box->low[0]) / (box->high[0] - box->low[0]) * 59, &i);
                double b = modf((at[1] - box->low[1]) / (box->high[1] - box->low[1]) * 59, &j);
                const float *h = m.ground + (int)j * 60 + (int)i;
                double height = a + b <= 1 ? (double)h[0] + a * (double)(h[1] - h[0]) + b * (double)(h[60] - h[0])
                                           : (double)h[61] + (1 - a) * (double)(h[60] - h[61]) + (1 - b) * (double)(h[1] - h[61]);
                hit = at[2] < height / 1000 * m.scene.exaggeration;
            }
            double got = (double)m.distance[y * 60 + x];
            if (hit && !(got <= t + 0.01)) fail_msg("(%u, %u) is %g km away, not %g", x, y, t, got);
            hits += hit;
            grazed += hit && got < t - 0.5;  // a hilltop that the walk stepped over
        }
    assert_true(hits > 800 && grazed < 8);
    made_free(&m);
}

// --- samples and threads -----------------------------------------------------------------------------------------------

// Many samples are what a much larger picture shows in its means, and one sample is already near.
static void test_samples(void **state) {
    (void)state;
    struct made large, small;
    make(&large, made_earth_grid(lonlat, true, false, 60, 10, 50, 0.1), hills, NULL, 512, 384);
    make(&small, made_earth_grid(lonlat, true, false, 60, 10, 50, 0.1), hills, NULL, 128, 96);
    look_from(&large, 100, -420, 20, 50);
    look_from(&small, 100, -420, 20, 50);
    draw(&large, &nothing, 1, 2);
    double error[5];
    for (unsigned samples = 1; samples <= 4; samples++) {
        draw(&small, &nothing, samples, 2);
        error[samples] = 0;
        for (size_t y = 0; y < 96; y++)
            for (size_t x = 0; x < 128; x++)
                for (size_t c = 0; c < 4; c++) {
                    double sum = 0;
                    for (size_t n = 0; n < 16; n++) sum += (double)large.rgba[4 * ((4 * y + n / 4) * 512 + 4 * x + n % 4) + c] / 16;
                    error[samples] += fabs(sum - (double)small.rgba[4 * (y * 128 + x) + c]) / (4 * 96 * 128);
                }
    }
    if (!(error[1] < 0.01 && error[4] < 0.001 && error[4] < 0.3 * error[1] && error[2] < 0.7 * error[1]))
        fail_msg("mean errors of 1, 2 and 4 samples: %g, %g, %g", error[1], error[2], error[4]);
    made_free(&large);
    made_free(&small);
}

static void test_threads(void **state) {
    (void)state;
    struct made m;
    char *world = made_world_folder(made_world);
    make(&m, made_earth_grid(lonlat, true, false, 80, 10, 50, 0.4), hills, world, 200, 130);
    look_from(&m, 300, -2000, 100, 45);
    enum { COUNT = 4 * 200 * 130 };
    float *rgba = malloc(COUNT * sizeof *rgba), *distance = malloc(COUNT / 4 * sizeof *distance);
    draw(&m, &everything, 2, 1);
    memcpy(rgba, m.rgba, COUNT * sizeof *rgba);
    memcpy(distance, m.distance, COUNT / 4 * sizeof *distance);
    draw(&m, &everything, 2, 5);
    assert_memory_equal(rgba, m.rgba, COUNT * sizeof *rgba);
    assert_memory_equal(distance, m.distance, COUNT / 4 * sizeof *distance);
    free(rgba);
    free(distance);
    made_free(&m);
    made_world_remove(world);
}

// --- land --------------------------------------------------------------------------------------------------------------

static bool is_land(const float *rgba) { return rgba[1] > rgba[2]; }  // the sea is blue

static bool land_at(const struct made *m, double lon, double lat) {
    double x, y;
    assert_int_equal(grid_from_lonlat(m->grid, lon, lat, &x, &y), VIRGA_OK);
    return is_land(pixel(m, (x - m->grid->centre[0]) * m->grid->km_per_unit[0],
                         (y - m->grid->centre[1]) * m->grid->km_per_unit[1], 0));
}

static void check_land(struct made *m, const double (*places)[3], size_t count) {
    for (size_t n = 0; n < count; n++)
        if (land_at(m, places[n][0], places[n][1]) != (places[n][2] > 0))
            fail_msg("%g, %g is %s", places[n][0], places[n][1], places[n][2] > 0 ? "sea" : "land");
}

static void test_land(void **state) {
    (void)state;
    struct made m;
    char *world = made_world_folder(made_world);
    static const double places[][3] = {{5, 50, 1}, {15, 50, 1}, {1, 41, 1}, {19, 59, 1}, {-2, 50, 0}, {22, 50, 0}, {10, 38, 0},
                                       {10, 62, 0}, {10.5, 50, 1}};
    make(&m, made_earth_grid(lonlat, true, false, 80, 10, 50, 0.4), NULL, world, 300, 300);
    look_from(&m, 0, 0, 500, 40);
    draw(&m, &nothing, 1, 2);
    check_land(&m, places, sizeof places / sizeof *places);
    made_free(&m);
    made_world_remove(world);
}

static void test_land_across_the_date_line(void **state) {
    (void)state;
    struct made m;
    char *world = made_world_folder(made_world);
    static const double places[][3] = {{171, 50, 1}, {179.9, 50, 1}, {180, 50, 1}, {-179.9, 50, 1}, {-171.5, 50, 1}, {168, 50, 0},
                                       {-169, 50, 0}, {180, 38, 0}, {180, 62, 0}};
    make(&m, made_earth_grid(lonlat, true, false, 80, 180, 50, 0.4), NULL, world, 300, 300);
    look_from(&m, 0, 0, 500, 40);
    draw(&m, &nothing, 1, 2);
    check_land(&m, places, sizeof places / sizeof *places);
    made_free(&m);
    // The same on the whole globe, whose first column is there.
    static const double all[][3] = {{171, 50, 1}, {-171.5, 50, 1}, {168, 50, 0}, {-168, 50, 0}, {5, 50, 1}, {30, 50, 0},
                                    {0, -80, 1}, {123, -75, 1}, {123, -65, 0}};
    make(&m, made_earth_grid(lonlat, true, true, 90, 359, 0, 1.9), NULL, world, 600, 300);
    look_from(&m, 0, 0, 3000, 40);
    draw(&m, &nothing, 1, 2);
    check_land(&m, all, sizeof all / sizeof *all);
    made_free(&m);
    made_world_remove(world);
}

static void test_land_at_the_pole(void **state) {
    (void)state;
    struct made m;
    char *world = made_world_folder(made_world);
    make(&m, made_earth_grid(polar, false, false, 80, 0, 0, 90e3), NULL, world, 300, 300);
    look_from(&m, 0, 0, 1000, 40);
    draw(&m, &nothing, 1, 2);
    for (int n = 0; n < 24; n++) {
        double lon = -180 + 15 * n;
        assert_true(land_at(&m, lon, -72) && land_at(&m, lon, -85));
        assert_false(land_at(&m, lon, -68));
    }
    assert_true(land_at(&m, 0, -90));
    made_free(&m);
    made_world_remove(world);
}

static double low_hill(double X, double Y) { return 100 + 0 * X * Y; }

// Without a map of land what is above the sea is land; and without tint it is grey.
static void test_without_land(void **state) {
    (void)state;
    struct made m;
    make(&m, made_earth_grid(lonlat, true, false, 20, 10, 50, 0.4), low_hill, NULL, 80, 60);
    look_from(&m, 0, 0, 200, 40);
    draw(&m, &nothing, 1, 1);
    const float *middle = pixel(&m, 0, 0, 0.1);
    assert_true(is_land(middle));
    float tinted = middle[0] / middle[1];
    draw(&m, &(struct basemap_show){0}, 1, 1);
    assert_true(fabsf(middle[0] / middle[1] - tinted) > 0.01f && fabsf(middle[0] / middle[1] - 0.3f / 0.32f) < 0.001f);
    made_free(&m);
}

// --- what lies on the ground -------------------------------------------------------------------------------------------

static int32_t western(uint32_t level, int64_t x, int64_t y, int64_t z) {
    (void)level, (void)y, (void)z;
    return x < 30 ? 1023 : LATTICE_MISSING;
}

static int32_t nowhere(uint32_t level, int64_t x, int64_t y, int64_t z) {
    (void)level, (void)x, (void)y, (void)z;
    return LATTICE_MISSING;
}

// A 2-D layer over the west hides the land there and nothing else; of two steps the nearer one says where it is.
static void test_drape(void **state) {
    (void)state;
    struct made m;
    struct pyramid_shape shape;
    struct layer_geometry *geometry;
    struct transfer transfer;
    make(&m, made_earth_grid(lonlat, true, false, 60, 10, 50, 0.1), low_hill, NULL, 120, 120);
    look_from(&m, 0, 0, 120, 40);
    pyramid_shape_init(&shape, 60, 60, 1, false, 10, 10);
    assert_int_equal(layer_geometry_new(m.grid, NULL, &geometry), VIRGA_OK);
    struct brick_volume *steps[] = {made_volume(&shape, western), made_volume(&shape, nowhere)};
    made_transfer(&transfer, 50, 50, 1, 0, 0.5f);
    draw(&m, &nothing, 2, 2);
    float land[4];
    memcpy(land, pixel(&m, 100, 0, 0.1), sizeof land);
    m.scene.drape_count = 1;
    m.scene.drapes[0] = (struct scene_layer){.geometry = geometry, .transfer = &transfer,
                                             .lookup = {1.0 / TRANSFER_ENTRIES, 0.5 / TRANSFER_ENTRIES},
                                             .steps = {steps[0], NULL}};
    for (int n = 0; n < 3; n++) {  // alone, blended with a little and with much of a step that is nowhere
        if (n) m.scene.drapes[0].steps[1] = steps[1], m.scene.drapes[0].blend = n == 1 ? 0.4 : 0.6;
        draw(&m, &nothing, 2, 2);
        const float *west = pixel(&m, -100, 0, 0.1), *east = pixel(&m, 100, 0, 0.1);
        assert_memory_equal(east, land, sizeof land);
        if (n < 2) assert_true(west[0] == 1 && west[1] == 0 && fabsf(west[2] - 0.55f) < 0.001f);
        else assert_true(fabsf(west[1] - land[1]) < 0.01f);
    }
    for (int n = 0; n < 2; n++) brick_volume_free(steps[n]);
    layer_geometry_free(geometry);
    made_free(&m);
}

// Where no sunlight comes through only the ambient is left.
static void test_shadow(void **state) {
    (void)state;
    struct made m;
    make(&m, made_earth_grid(lonlat, true, false, 60, 10, 50, 0.1), low_hill, NULL, 120, 120);
    look_from(&m, 0, 0, 120, 40);
    struct light_grid shade = {.share = calloc((size_t)LIGHT_CELLS_X * LIGHT_CELLS_Y * LIGHT_CELLS_Z, sizeof *shade.share)};
    for (size_t n = 0; n < (size_t)LIGHT_CELLS_X * LIGHT_CELLS_Y * LIGHT_CELLS_Z; n++) shade.share[n] = n % LIGHT_CELLS_X < LIGHT_CELLS_X / 2 ? 0 : 1;
    for (int n = 0; n < 3; n++) {
        double stretch = n == 2 ? m.scene.exaggeration : 1;
        shade.low[n] = m.scene.box.low[n] * stretch;
        shade.rate[n] = 1 / (stretch * (m.scene.box.high[n] - m.scene.box.low[n]));
    }
    m.scene.shade = &shade, m.scene.volume_count = 1, m.scene.light.shadows = true;
    draw(&m, &nothing, 1, 2);
    const float *dark = pixel(&m, -100, 0, 0.1), *lit = pixel(&m, 100, 0, 0.1);
    // A flat place is lit by the whole of both.
    for (int c = 0; c < 3; c++) assert_true(fabsf(dark[c] / lit[c] - 0.3f / 1.1f) < 1e-3f);
    m.scene.light.shadows = false;
    draw(&m, &nothing, 1, 2);
    for (int c = 0; c < 3; c++) assert_true(fabsf(dark[c] - lit[c]) < 1e-3f);
    free(shade.share);
    made_free(&m);
}

// --- lines -------------------------------------------------------------------------------------------------------------

static float brighter(const struct made *m, const float *bare, double lon, double lat) {
    double X = (lon - m->grid->centre[0]) * m->grid->km_per_unit[0], Y = (lat - m->grid->centre[1]) * m->grid->km_per_unit[1];
    double height = m->ground ? (double)m->ground[(size_t)lround((lat - m->grid->y.start) / m->grid->y.step) * m->grid->x.n + m->grid->x.n / 2] / 1000 : 0;
    const float *here = pixel(m, X, Y, height), *was = bare + (here - m->rgba);
    float most = 0;  // a line lies between pixels: one of the neighbours
    for (int n = 0; n < 9; n++) {
        ptrdiff_t to = 4 * ((n / 3 - 1) * (ptrdiff_t)m->scene.width + n % 3 - 1);
        most = fmaxf(most, here[to] - was[to]);
    }
    return most;
}

static void test_lines(void **state) {
    (void)state;
    struct made m;
    char *world = made_world_folder(made_world);
    make(&m, made_earth_grid(lonlat, true, false, 80, 10, 50, 0.4), NULL, world, 300, 300);
    look_from(&m, 0, 0, 500, 40);
    draw(&m, &nothing, 1, 2);
    float *bare = malloc(4 * 300 * 300 * sizeof *bare);
    memcpy(bare, m.rgba, 4 * 300 * 300 * sizeof *bare);
    draw(&m, &(struct basemap_show){.coastlines = true, .terrain = true}, 1, 2);
    assert_true(brighter(&m, bare, 0, 47.5) > 0.3f && brighter(&m, bare, 20, 53) > 0.3f && brighter(&m, bare, 7, 40) > 0.3f);
    assert_true(brighter(&m, bare, 10, 53) > 0.06f && brighter(&m, bare, 10, 53) < 0.25f);  // the border is thinner
    assert_true(brighter(&m, bare, 5, 50) == 0 && brighter(&m, bare, -3, 50) == 0);
    draw(&m, &(struct basemap_show){.graticule = true, .terrain = true}, 1, 2);
    assert_true(brighter(&m, bare, 5, 52.5) > 0.03f && brighter(&m, bare, 7, 55) > 0.03f);
    assert_true(brighter(&m, bare, 0, 47.5) > 0.03f);  // a meridian, where the coast was
    assert_true(brighter(&m, bare, 20, 37) > 0.03f && brighter(&m, bare, 2.5, 47.5) == 0);
    draw(&m, &(struct basemap_show){.box = true, .terrain = true}, 1, 2);
    assert_true(brighter(&m, bare, -5.8, 50) > 0.05f);
    free(bare);
    made_free(&m);
    made_world_remove(world);
}

static double ridge(double X, double Y) { return 4000 * exp(-pow((Y + 200) / 60, 2)) + 0 * X; }

// A coast behind a ridge is hidden, one on this side is not; also when seen along the ground.
static void test_hidden_lines(void **state) {
    (void)state;
    struct made m;
    char *world = made_world_folder(made_world);
    make(&m, made_earth_grid(lonlat, true, false, 120, 10, 41, 0.1), ridge, world, 400, 300);
    look_from(&m, 0, -700, 8, 40);
    draw(&m, &nothing, 1, 2);
    float *bare = malloc(4 * 400 * 300 * sizeof *bare);
    memcpy(bare, m.rgba, 4 * 400 * 300 * sizeof *bare);
    draw(&m, &(struct basemap_show){.coastlines = true, .terrain = true}, 1, 2);
    assert_true(brighter(&m, bare, 10.7, 40) == 0);
    look_from(&m, 0, 700, 60, 40);
    draw(&m, &nothing, 1, 2);
    memcpy(bare, m.rgba, 4 * 400 * 300 * sizeof *bare);
    draw(&m, &(struct basemap_show){.coastlines = true, .terrain = true}, 1, 2);
    for (int n = 0; n < 20; n++)
        if (!(brighter(&m, bare, 8.1 + 0.2 * n, 40) > 0.2f)) fail_msg("the coast is not seen at %g", 8.1 + 0.2 * n);
    free(bare);
    made_free(&m);
    made_world_remove(world);
}

// --- the rest ----------------------------------------------------------------------------------------------------------

static void test_degrees(void **state) {
    (void)state;
    struct made m;
    make(&m, made_earth_grid(lonlat, true, false, 81, 10, 50, 0.1), NULL, NULL, 8, 8);
    size_t count, at_edge = 0;
    const struct basemap_degree *degrees = basemap_degrees(m.map, &count);
    assert_int_equal(count, 2 * 5 + 2 * 5);  // 6, 8 … 14 east and 46, 48 … 54 north, at both ends
    for (size_t n = 0; n < count; n++) {
        const struct basemap_degree *d = &degrees[n];
        double value = d->longitude ? 10 + d->at[0] / m.grid->km_per_unit[0] : 50 + d->at[1] / m.grid->km_per_unit[1];
        assert_true(fabs(value - d->value) < 1e-3);
        for (int axis = 0; axis < 2; axis++)
            if (d->side[axis] != 0) at_edge += fabs(d->at[axis] - (d->side[axis] > 0 ? m.scene.box.high : m.scene.box.low)[axis]) < 0.02 * 890;
    }
    assert_int_equal(at_edge, count);
    double lon, lat, north;
    basemap_middle(m.map, &lon, &lat, &north);
    assert_true(fabs(lon - 10) < 1e-9 && fabs(lat - 50) < 1e-9 && fabs(north) < 1e-9);
    made_free(&m);
}

static void test_failures(void **state) {
    (void)state;
    struct grid *grid = made_earth_grid(lonlat, true, false, 20, 10, 50, 0.4);
    struct basemap *map;
    struct failure failure = {0};
    struct basemap_options options = {grid, NULL, made_box(grid, 12), "/nowhere/at/all", 0};
    assert_int_equal(basemap_new(&options, &map, &failure), VIRGA_NOT_FOUND);
    assert_null(map);
    assert_non_null(strstr(failure.message, "/nowhere/at/all/countries-"));
    assert_non_null(strstr(failure.message, "npm ci"));
    char *world = made_world_folder("{\"arcs\": 7}");
    options.world_folder = world;
    assert_int_equal(basemap_new(&options, &map, &failure), VIRGA_UNREADABLE);
    assert_null(map);
    made_world_remove(world);
    grid_free(grid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance), cmocka_unit_test(test_distance_over_hills), cmocka_unit_test(test_samples),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_land), cmocka_unit_test(test_land_across_the_date_line), cmocka_unit_test(test_land_at_the_pole),
        cmocka_unit_test(test_without_land),
        cmocka_unit_test(test_drape), cmocka_unit_test(test_shadow),
        cmocka_unit_test(test_lines), cmocka_unit_test(test_hidden_lines), cmocka_unit_test(test_degrees),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
