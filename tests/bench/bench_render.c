// SPDX-License-Identifier: Apache-2.0
// Frames of the ray marcher, as VTK's volume mappers draw them: bench_render.py runs both in turn.
//
//     bench_render field FILE            writes the made field: 512 × 512 × 64 numbers of 16 bits, x fastest
//     bench_render frame COUNT [shade] [FILE [STEP]]  times COUNT frames around it on 2 threads; FILE: the last one's colours, 8 bits
//                                        each; STEP: voxels a step, 1 where it is not given
//     bench_render psnr FILE [EVERY]     such a picture against 4096 steps a ray in double, on every so many pixels along each axis
//
// The field: 24 Gaussian blobs and a ripple, 0 … 4095. Voxels are 1 × 1 × 2 km; 1280 × 720 pixels, steps of one voxel.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "field/level_heights.h"
#include "render/brick_cells.h"
#include "render/cell_heights.h"
#include "render/ray_marcher.h"

enum { NX = 512, NY = 512, NZ = 64, BLOBS = 24, WIDTH = 1280, HEIGHT = 720, STEPS = 4096, THREADS = 2 };
static const double top = 4095, rise = 2;  // largest value; km between levels

// --- The made field ------------------------------------------------------------------------------------------------------

struct blob { float x[NX], y[NY], z[NZ]; };

static double uniform(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state / 4294967296.0;
}

static float bell(double at, double middle, double width) {
    return (float)exp(-(at - middle) * (at - middle) / (2 * width * width));
}

static struct blob *make_blobs(void) {
    struct blob *blobs = calloc(BLOBS, sizeof *blobs);
    uint32_t state = 1;
    for (int b = 0; blobs && b < BLOBS; b++) {
        double spec[5];
        for (int n = 0; n < 5; n++) spec[n] = uniform(&state);
        const double width = 0.03 + 0.12 * spec[3];
        for (int n = 0; n < NX; n++) blobs[b].x[n] = bell(n / (NX - 1.0), spec[0], width);
        for (int n = 0; n < NY; n++) blobs[b].y[n] = bell(n / (NY - 1.0), spec[1], width);
        for (int n = 0; n < NZ; n++) blobs[b].z[n] = (float)spec[4] * bell(n / (NZ - 1.0), spec[2], 0.15);
    }
    return blobs;
}

static void field_row(const struct blob *blobs, int y, int z, float row[NX]) {
    const double fy = y / (NY - 1.0), fz = z / (NZ - 1.0);
    for (int x = 0; x < NX; x++) row[x] = (float)(0.05 * sin(40 * x / (NX - 1.0) + 8 * fz) * sin(37 * fy));
    for (int b = 0; b < BLOBS; b++) {
        const float scale = blobs[b].y[y] * blobs[b].z[z];
        for (int x = 0; x < NX; x++) row[x] += scale * blobs[b].x[x];
    }
}

static uint16_t *make_field(void) {
    struct blob *blobs = make_blobs();
    uint16_t *field = malloc(sizeof *field * NX * NY * NZ);
    float row[NX], low = INFINITY, high = -INFINITY;
    if (!blobs || !field) abort();
    for (int turn = 0; turn < 2; turn++)  // first the range
        for (int z = 0; z < NZ; z++)
            for (int y = 0; y < NY; y++) {
                field_row(blobs, y, z, row);
                uint16_t *to = field + ((size_t)z * NY + (size_t)y) * NX;
                for (int x = 0; x < NX; x++) {
                    if (turn) to[x] = (uint16_t)((double)((row[x] - low) / (high - low)) * top);
                    else low = fminf(low, row[x]), high = fmaxf(high, row[x]);
                }
            }
    free(blobs);
    return field;
}

// --- Colours, opacities and cameras --------------------------------------------------------------------------------------

static const double colours[3][4] = {{0, 0, 0, 0.6}, {0.5, 1, 1, 1}, {1, 1, 0, 0}};        // share of the top; red, green, blue
static const double opacities[4][2] = {{0, 0}, {0.25, 0}, {0.6, 0.05}, {1, 0.4}};          // … opacity per km

// From a point near (0, 0, 1) above the middle, turned down by 55 degrees and around the Y axis; VTK's ResetCamera, Elevation(-55),
// Zoom(1.5) and Azimuth.
static void place_camera(struct view_camera *camera, double azimuth) {
    const double middle[3] = {0, 0, rise * (NZ - 1) / 2}, size[3] = {NX - 1, NY - 1, rise * (NZ - 1)};
    const double radius = 0.5 * sqrt(size[0] * size[0] + size[1] * size[1] + size[2] * size[2]), away = radius / sin(M_PI / 12);
    const double down = 55 * M_PI / 180, turn = azimuth * M_PI / 180;
    const double from[3] = {cos(down) * sin(turn), -sin(down), cos(down) * cos(turn)};
    *camera = (struct view_camera){.mode = VIEW_FLY, .up = {0, 1, 0}, .fov = 20};
    for (int a = 0; a < 3; a++) camera->target[a] = middle[a], camera->eye[a] = middle[a] + from[a] * away;
}

// --- The scene -----------------------------------------------------------------------------------------------------------

struct stage {
    struct grid grid;
    struct level_map *map;
    struct pyramid_shape shape;
    struct brick_volume *volume;
    struct skip_grid skip;
    struct transfer transfer;
    struct layer_geometry *geometry;
    struct scene scene;
};

static void make_map(struct stage *s) {
    struct level_heights *heights = calloc(1, sizeof *heights);
    struct failure failure = {0};
    *heights = (struct level_heights){.nx = NX, .ny = NY, .level_count = NZ, .datum = DATUM_SEA, .method = "made", .coordinate = "height"};
    heights->a = calloc(NZ, sizeof *heights->a);
    for (int k = 0; k < NZ; k++) heights->a[k] = 1000 * rise * k;
    if (level_map_build(heights, false, NULL, &s->map, &failure)) abort();
    level_heights_free(heights);
}

static void put_bricks(struct stage *s, const uint16_t *field, uint8_t *visible, const uint32_t cells[3]) {
    struct step_table *table = step_table_new(&s->shape);
    int32_t *q = malloc(sizeof *q * BRICK_MAX_VOXELS);
    const uint32_t *n = s->shape.levels[0].bricks;
    if (!table || !q || brick_volume_new(&s->shape, &s->volume)) abort();
    for (uint32_t brick = 0; brick < n[0] * n[1] * n[2]; brick++) {
        const uint32_t at[3] = {brick % n[0], brick / n[0] % n[1], brick / n[0] / n[1]};
        struct brick_box box;
        struct brick_cells ranges;
        size_t voxel = 0;
        brick_box_init(&box, &s->shape, 0, at[0], at[1], at[2]);
        for (uint32_t z = 0; z < box.size[2]; z++)
            for (uint32_t y = 0; y < box.size[1]; y++)
                for (uint32_t x = 0; x < box.size[0]; x++)
                    q[voxel++] = field[((size_t)(box.lo[2] + z) * NY + (size_t)(box.lo[1] + y)) * NX + (size_t)(box.lo[0] + x)];
        if (brick_volume_put(s->volume, 0, at[0], at[1], at[2], q)) abort();
        step_table_at(table, 0, at[0], at[1], at[2])->kind = BRICK_FULL;
        brick_cells_fill(&ranges, &s->shape, 0, at, &box, q);
        for (uint32_t cell = 0; cell < BRICK_CELLS * BRICK_CELLS * BRICK_CELLS; cell++) {
            const uint32_t x = at[0] * BRICK_CELLS + cell % BRICK_CELLS, y = at[1] * BRICK_CELLS + cell / BRICK_CELLS % BRICK_CELLS;
            const uint32_t z = at[2] * BRICK_CELLS + cell / BRICK_CELLS / BRICK_CELLS;
            visible[(z * cells[1] + y) * cells[0] + x] = transfer_visible(&s->transfer, ranges.low[cell], ranges.high[cell]);
        }
    }
    brick_volume_finish(s->volume, table);
    step_table_free(table);
    free(q);
}

static void make_stage(struct stage *s, bool shade) {
    const struct lattice_spec lattice = {.v0 = 0, .step = 1, .epsilon = 0.5};
    struct colour_map map = {.count = 3};
    double curve[4][2];
    struct cell_heights heights;
    for (int n = 0; n < 3; n++)
        for (int c = 0; c < 4; c++) map.points[n][c] = colours[n][c] * (c ? 255 : 1);
    for (int n = 0; n < 4; n++) curve[n][0] = opacities[n][0] * top, curve[n][1] = opacities[n][1];
    transfer_init(&s->transfer, &map, (const double[]){0, top}, (const double(*)[2])curve, 4);
    make_map(s);
    s->grid = (struct grid){
        .x = {.n = NX, .regular = true, .step = 1000}, .y = {.n = NY, .regular = true, .step = 1000},
        .centre = {500.0 * (NX - 1), 500.0 * (NY - 1)}, .km_per_unit = {0.001, 0.001},
    };
    s->scene = (struct scene){
        .box = {{-0.5 * (NX - 1), -0.5 * (NY - 1), 0}, {0.5 * (NX - 1), 0.5 * (NY - 1), rise * (NZ - 1)}}, .exaggeration = 1,
        .width = WIDTH, .height = HEIGHT, .step = 1, .volume_count = 1, .light = {.ambient = {1, 1, 1}, .direction = {0, -0.6, 0.8}},
    };
    if (shade) s->scene.light = (struct light){.ambient = {0.3, 0.3, 0.3}, .colour = {0.8, 0.8, 0.8}, .direction = {0, -0.6, 0.8}};
    pyramid_shape_init(&s->shape, NX, NY, NZ, false, 1000, 2000);
    if (layer_geometry_new(&s->grid, s->map, &s->geometry) || cell_heights_init(&heights, &s->grid, s->map)) abort();
    if (skip_grid_init(&s->skip, &s->grid, &s->scene.box)) abort();
    uint16_t *field = make_field();
    uint8_t *visible = calloc((size_t)heights.count[0] * heights.count[1], heights.count[2]);
    put_bricks(s, field, visible, heights.count);
    free(field);
    skip_grid_mark(&s->skip, &s->grid, &heights, visible);
    if (skip_grid_finish(&s->skip)) abort();
    free(visible);
    cell_heights_destroy(&heights);
    s->scene.skip = &s->skip;
    struct scene_layer *layer = &s->scene.volumes[0];
    *layer = (struct scene_layer){.geometry = s->geometry, .transfer = &s->transfer, .steps = {s->volume}, .shading = shade};
    transfer_lookup(&s->transfer, &lattice, layer->lookup);
}

// --- Frames --------------------------------------------------------------------------------------------------------------

// Of all threads together.
static double processor_milliseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1e3 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1e-3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void write_picture(const char *path, const float *rgba) {
    FILE *file = fopen(path, "wb");
    if (!file) abort();
    for (size_t n = 0; n < (size_t)WIDTH * HEIGHT * 4; n++)
        if (n % 4 < 3) fputc((int)lrintf(fminf(fmaxf(rgba[n], 0), 1) * 255), file);
    fclose(file);
}

static int time_frames(int count, bool shade, const char *path, double step) {
    struct stage stage = {0};
    struct render_team *team = render_team_new(THREADS, false);
    float *rgba = malloc(sizeof *rgba * WIDTH * HEIGHT * 4);
    double *times = calloc((size_t)count + 1, sizeof *times);
    struct rusage usage;
    if (!team || !rgba || !times) return 1;
    make_stage(&stage, shade);
    stage.scene.step = step;
    double worked = 0;
    for (int n = 0; n <= count; n++) {
        struct view_camera camera;
        place_camera(&camera, 360.0 * n / count);
        const double start = clock_monotonic();
        camera_matrices(&camera, &stage.scene.box, 1, (double)WIDTH / HEIGHT, &stage.scene.matrices);
        ray_marcher_draw(team, &stage.scene, NULL, rgba);
        times[n] = 1e3 * (clock_monotonic() - start);
        if (n == 0) worked = processor_milliseconds();
    }
    worked = (processor_milliseconds() - worked) / count;
    const double first = times[0];
    qsort(times + 1, (size_t)count, sizeof *times, by_size);
    getrusage(RUSAGE_SELF, &usage);
    printf("virga %s %s %dx%dx%d %dx%d: first %.0f ms, median %.1f ms, p95 %.1f ms, %.1f ms of processor time, %ld MB\n", ray_marcher_isa(), shade ? "shaded" : "unshaded",
           NX, NY, NZ, WIDTH, HEIGHT, first, times[(count + 1) / 2], times[(int)ceil(0.95 * count)], worked, usage.ru_maxrss / 1024);
    if (path) write_picture(path, rgba);
    render_team_free(team);
    free(rgba);
    free(times);
    return 0;
}

// --- The reference -------------------------------------------------------------------------------------------------------

static double curve_at(const double *points, int count, int stride, int column, double at) {
    for (int n = 1; n < count; n++) {
        const double a = points[(n - 1) * stride], b = points[n * stride];
        if (at > b && n < count - 1) continue;
        const double f = fmin(fmax((at - a) / (b - a), 0), 1);
        return points[(n - 1) * stride + column] * (1 - f) + points[n * stride + column] * f;
    }
    return 0;
}

static double value_between(const uint16_t *field, const double at[3]) {
    const int n[3] = {NX, NY, NZ};
    size_t low[3];
    double f[3], sum = 0;
    for (int a = 0; a < 3; a++) {
        const double x = fmin(fmax(at[a], 0), n[a] - 1.0);
        low[a] = (size_t)fmin(x, n[a] - 2.0);
        f[a] = x - (double)low[a];
    }
    for (int c = 0; c < 8; c++) {
        const size_t x = low[0] + (c & 1), y = low[1] + (c >> 1 & 1), z = low[2] + (size_t)(c >> 2);
        sum += (c & 1 ? f[0] : 1 - f[0]) * (c & 2 ? f[1] : 1 - f[1]) * (c & 4 ? f[2] : 1 - f[2]) * field[(z * NY + y) * NX + x];
    }
    return sum;
}

// One pixel: STEPS steps between where its ray enters the box and leaves it.
static void reference_pixel(const uint16_t *field, const struct view_camera *camera, int px, int py, double rgb[3]) {
    double forward[3], right[3], up[3], ray[3], length = 0, low = 0, high = INFINITY;
    for (int a = 0; a < 3; a++) length += pow(camera->target[a] - camera->eye[a], 2);
    for (int a = 0; a < 3; a++) forward[a] = (camera->target[a] - camera->eye[a]) / sqrt(length);
    const double wide = hypot(forward[0], forward[2]);
    right[0] = -forward[2] / wide, right[1] = 0, right[2] = forward[0] / wide;  // forward × Y
    for (int a = 0; a < 3; a++) up[a] = right[(a + 1) % 3] * forward[(a + 2) % 3] - right[(a + 2) % 3] * forward[(a + 1) % 3];
    const double tall = tan(camera->fov * M_PI / 360), u = (2 * (px + 0.5) / WIDTH - 1) * tall * WIDTH / HEIGHT, v = (1 - 2 * (py + 0.5) / HEIGHT) * tall;
    const double box[3] = {0.5 * (NX - 1), 0.5 * (NY - 1), rise * (NZ - 1)};
    for (int a = 0; a < 3; a++) ray[a] = (forward[a] + right[a] * u + up[a] * v) / sqrt(1 + u * u + v * v);
    for (int a = 0; a < 3; a++) {
        const double one = ((a < 2 ? -box[a] : 0) - camera->eye[a]) / ray[a], other = (box[a] - camera->eye[a]) / ray[a];
        low = fmax(low, fmin(one, other));
        high = fmin(high, fmax(one, other));
    }
    rgb[0] = rgb[1] = rgb[2] = 0;
    double through = 1;
    const double step = (high - low) / STEPS;
    for (int n = 0; n < STEPS && high > low && through > 1e-6; n++) {
        const double t = low + (n + 0.5) * step, at[3] = {camera->eye[0] + ray[0] * t + box[0], camera->eye[1] + ray[1] * t + box[1], (camera->eye[2] + ray[2] * t) / rise};
        const double share = value_between(field, at) / top, a = curve_at(&opacities[0][0], 4, 2, 1, share);
        if (a <= 0) continue;
        const double alpha = 1 - pow(1 - a, step);
        for (int c = 0; c < 3; c++) rgb[c] += through * alpha * curve_at(&colours[0][0], 3, 4, c + 1, share);
        through *= 1 - alpha;
    }
}

struct comparing {
    const uint16_t *field;
    const uint8_t *picture;
    int every;
    double squares[HEIGHT];
    size_t covered[HEIGHT];
};

static void compare_row(void *argument, size_t index, size_t thread) {
    (void)thread;
    struct comparing *c = argument;
    struct view_camera camera;
    const int y = (int)index * c->every;
    place_camera(&camera, 0);
    for (int x = 0; x < WIDTH; x += c->every) {
        double rgb[3], sum = 0;
        reference_pixel(c->field, &camera, x, y, rgb);
        const uint8_t *p = c->picture + ((size_t)y * WIDTH + (size_t)x) * 3;
        for (int n = 0; n < 3; n++) sum += pow(rgb[n] * 255 - p[n], 2);
        if (rgb[0] + rgb[1] + rgb[2] < 1 / 255.0) continue;  // nothing to be seen there
        c->squares[index] += sum / 3;
        c->covered[index]++;
    }
}

static int compare(const char *path, int every) {
    struct comparing *c = calloc(1, sizeof *c);
    uint8_t *picture = malloc((size_t)WIDTH * HEIGHT * 3);
    FILE *file = fopen(path, "rb");
    struct render_team *team = render_team_new(THREADS, false);
    if (!file || !picture || !c || !team || fread(picture, 3, (size_t)WIDTH * HEIGHT, file) != (size_t)WIDTH * HEIGHT) {
        fprintf(stderr, "%s: not a picture of %d x %d\n", path, WIDTH, HEIGHT);
        return 1;
    }
    c->field = make_field();
    c->picture = picture;
    c->every = every;
    render_team_run(team, (size_t)((HEIGHT + every - 1) / every), compare_row, c);
    double squares = 0;
    size_t covered = 0;
    for (int y = 0; y < HEIGHT; y++) squares += c->squares[y], covered += c->covered[y];
    printf("%.2f dB over %zu pixels that are covered\n", 10 * log10(255 * 255 / (squares / (double)covered)), covered);
    return 0;
}

static int write_field(const char *path) {
    uint16_t *field = make_field();
    FILE *file = fopen(path, "wb");
    const bool written = file && fwrite(field, sizeof *field, (size_t)NX * NY * NZ, file) == (size_t)NX * NY * NZ;
    free(field);
    return file && !fclose(file) && written ? 0 : 1;
}

int main(int count, char **words) {
    if (count > 2 && !strcmp(words[1], "field")) return write_field(words[2]);
    if (count > 2 && !strcmp(words[1], "psnr")) return compare(words[2], count > 3 ? atoi(words[3]) : 4);
    if (count > 2 && !strcmp(words[1], "frame") && atoi(words[2]) > 0) {
        const bool shade = count > 3 && !strcmp(words[3], "shade");
        const double step = count > 4 + shade ? atof(words[4 + shade]) : 1;
        return time_frames(atoi(words[2]), shade, count > 3 + shade ? words[3 + shade] : NULL, step > 0 ? step : 1);
    }
    fprintf(stderr, "usage: bench_render field FILE | frame COUNT [shade] [FILE [STEP]] | psnr FILE [EVERY]\n");
    return 2;
}
