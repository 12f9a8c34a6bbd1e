// SPDX-License-Identifier: Apache-2.0
// A global field in memory, and pictures of it read back with libpng's own reader.
#ifndef VIRGA_TESTS_MADE_MAP_H
#define VIRGA_TESTS_MADE_MAP_H

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "field/catalog_private.h"
#include "field/grid_transform.h"
#include "render/map_picture.h"

enum { MADE_COLUMNS = 360, MADE_ROWS = 181 };

static struct catalog_dataset made_dataset;
static struct dataset_shared made_shared = {.dataset = &made_dataset};
static struct variable_source made_source = {.shared = &made_shared, .u = NO_VARIABLE, .v = NO_VARIABLE};

static inline struct catalog_variable made_map_variable(const char *id, const char *standard_name, const char *units) {
    return (struct catalog_variable){.id = (char *)id, .name = (char *)id, .standard_name = (char *)standard_name, .long_name = "", .units = (char *)units,
                                     .lattice = {100, 0.25, 0.125}, .from = &made_source};
}

// Longitudes from −180 and latitudes from −90, every degree.
static inline struct grid *made_globe(void) {
    struct grid *grid = calloc(1, sizeof *grid);
    *grid = (struct grid){.angular = true, .wraps = true, .km_per_unit = {111.2, 111.2}};
    grid->x = (struct grid_axis){MADE_COLUMNS, malloc(MADE_COLUMNS * sizeof(double)), true, -180, 1};
    grid->y = (struct grid_axis){MADE_ROWS, malloc(MADE_ROWS * sizeof(double)), true, -90, 1};
    for (int n = 0; n < MADE_COLUMNS; n++) grid->x.values[n] = n - 180;
    for (int n = 0; n < MADE_ROWS; n++) grid->y.values[n] = n - 90;
    strcpy(grid->proj, "+proj=longlat +R=6371229 +no_defs");
    if (grid_transform_new(grid)) abort();
    return grid;
}

static inline struct plane *made_plane(double (*value)(double lon, double lat), bool degrees) {
    struct plane_content content = {.nx = MADE_COLUMNS, .ny = MADE_ROWS, .scale = 1, .wraps = true, .degrees = degrees, .method = "",
                                    .values = malloc(MADE_COLUMNS * MADE_ROWS * sizeof(float))};
    struct plane *plane;
    for (int j = 0; j < MADE_ROWS; j++)
        for (int i = 0; i < MADE_COLUMNS; i++) content.values[j * MADE_COLUMNS + i] = (float)value(i - 180, j - 90);
    if (plane_new(&content, &plane, NULL)) abort();
    return plane;
}

// RGBA of a PNG, the caller's.
static inline uint8_t *made_pixels(const uint8_t *bytes, size_t size, unsigned width, unsigned height) {
    png_image png = {.version = PNG_IMAGE_VERSION};
    uint8_t *pixels = malloc((size_t)width * height * 4);
    if (!png_image_begin_read_from_memory(&png, bytes, size) || png.width != width || png.height != height) abort();
    png.format = PNG_FORMAT_RGBA;
    if (!png_image_finish_read(&png, NULL, pixels, 0, NULL)) abort();
    return pixels;
}

#endif
