// SPDX-License-Identifier: Apache-2.0
// What the parts of a map tile cost on one processor: places, raster to palette indices, and the palette PNG, of a made field on a global 0.25° grid.
//
//     bench_map [TIMES (200)]
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "field/grid_transform.h"
#include "render/colour_map.h"
#include "render/image_palette.h"
#include "tile/map_raster.h"
#include "tile/tile_matrix.h"

enum { NX = 1440, NY = 721, WAVES = 400 };

static struct grid_axis axis_new(size_t n, double start, double step) {
    struct grid_axis axis = {n, malloc(n * sizeof(double)), true, start, step};
    for (size_t i = 0; i < n; i++) axis.values[i] = start + step * (double)i;
    return axis;
}

static struct grid *grid_new(void) {
    struct grid *grid = calloc(1, sizeof *grid);
    *grid = (struct grid){.x = axis_new(NX, 0, 360.0 / NX), .y = axis_new(NY, -90, 180.0 / (NY - 1)), .angular = true, .wraps = true,
                          .proj = "+proj=longlat +R=6371229 +no_defs"};
    return grid_transform_new(grid) ? NULL : grid;
}

// Temperature-like: waves of all lengths, the short ones weak.
static float *field_new(void) {
    float *values = calloc((size_t)NX * NY, sizeof *values);
    srand(1);
    for (int w = 0; w < WAVES; w++) {
        const double length = exp(log(3) + (log(NX) - log(3)) * rand() / RAND_MAX), angle = 2 * M_PI * rand() / RAND_MAX, phase = 6.3 * rand() / RAND_MAX;
        const double kx = round(NX / length * cos(angle)) * 2 * M_PI / NX, ky = 2 * M_PI / length * sin(angle), size = 2.5 * pow(length / NX, 0.85);
        for (size_t j = 0; j < NY; j++)
            for (size_t i = 0; i < NX; i++) values[j * NX + i] += (float)(size * sin(kx * (double)i + ky * (double)j + phase));
    }
    for (size_t j = 0; j < NY; j++)
        for (size_t i = 0; i < NX; i++) values[j * NX + i] += (float)(255 + 45 * sin(M_PI * (double)j / (NY - 1)));
    return values;
}

static int by_size(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, by_size);
    return values[n / 2];
}

struct bench {
    const struct grid *grid;
    struct plane *plane;
    struct image_palette palette;
    struct map_scale scale;
    size_t times;
};

static int measure(struct bench *bench, const char *what, const struct map_frame *frame, enum image_format format) {
    double *places_s = malloc(3 * bench->times * sizeof(double)), *raster_s = places_s + bench->times, *encode_s = raster_s + bench->times;
    uint8_t *indices = malloc((size_t)frame->width * frame->height), *bytes = NULL;
    size_t size = 0;
    int status = VIRGA_OK;
    for (size_t t = 0; t < bench->times && !status; t++) {
        struct map_places *places = NULL;
        struct failure failure;
        const struct image_options options = {.format = format, .quality = 85};
        const double begun = clock_monotonic();
        status = map_places_new(bench->grid, frame, &places, &failure);
        const double placed = clock_monotonic();
        if (!status) status = map_raster_indices(places, bench->plane, &bench->scale, indices, &failure);
        const double drawn = clock_monotonic();
        bench->palette.width = frame->width, bench->palette.height = frame->height, bench->palette.indices = indices;
        if (!status) status = image_palette_encode(&bench->palette, &options, &bytes, &size, &failure);
        places_s[t] = placed - begun, raster_s[t] = drawn - placed, encode_s[t] = clock_monotonic() - drawn;
        map_places_free(places);
        free(bytes);
        if (status) fprintf(stderr, "%s\n", failure.message);
    }
    if (!status)
        printf("%s: places %.3f ms, raster %.3f ms, %s %.3f ms, %zu bytes\n", what, 1e3 * median(places_s, bench->times), 1e3 * median(raster_s, bench->times),
               format == IMAGE_PNG ? "PNG" : "JPEG", 1e3 * median(encode_s, bench->times), size);
    free(places_s);
    free(indices);
    return status;
}

int main(int argc, char **argv) {
    struct bench bench = {.grid = grid_new(), .scale = {220, 310, false, MAP_SCALE_BANDS_MAX}, .times = argc > 1 ? strtoul(argv[1], NULL, 10) : 200};
    struct plane_content content = {.nx = NX, .ny = NY, .scale = 1, .wraps = true, .values = field_new()};
    if (!bench.grid || bench.times < 1 || plane_new(&content, &bench.plane, NULL)) return 1;
    const struct colour_map *map = colour_map_find("thermal");
    bench.palette.count = IMAGE_PALETTE_COLOURS;
    for (int c = 1; c < IMAGE_PALETTE_COLOURS; c++) {
        double rgb[3];
        colour_map_at(map, (c - 2 + 0.5) / MAP_SCALE_BANDS_MAX, rgb);
        for (int k = 0; k < 3; k++) bench.palette.colours[c][k] = (uint8_t)(rgb[k] + 0.5);
        bench.palette.colours[c][3] = 255;
    }
    static const unsigned tiles[][3] = {{0, 0, 0}, {2, 2, 1}, {3, 4, 2}, {4, 8, 5}, {5, 16, 10}, {7, 65, 41}, {10, 520, 330}};
    int status = 0;
    for (size_t t = 0; t < sizeof tiles / sizeof *tiles && !status; t++) {
        struct map_frame frame;
        char what[64];
        tile_matrix_frame(tile_matrix_find("WebMercatorQuad"), tiles[t][0], tiles[t][1], tiles[t][2], 256, &frame, NULL);
        snprintf(what, sizeof what, "web mercator %u/%u/%u", tiles[t][0], tiles[t][1], tiles[t][2]);
        status = measure(&bench, what, &frame, IMAGE_PNG);
        if (!status && tiles[t][0] == 4) status = measure(&bench, "the same", &frame, IMAGE_JPEG);
    }
    if (!status) status = measure(&bench, "polar stereographic 256", &(struct map_frame){map_crs_find("EPSG:3413"), {-3e6, -3e6, 0, 0}, 256, 256}, IMAGE_PNG);
    if (!status) status = measure(&bench, "longitude, latitude 1024 × 512", &(struct map_frame){map_crs_find("CRS:84"), {-180, -90, 180, 90}, 1024, 512}, IMAGE_PNG);
    return status ? 1 : 0;
}
