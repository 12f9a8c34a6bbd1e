// SPDX-License-Identifier: Apache-2.0
#include "tile/tile_matrix.h"

#include <math.h>
#include <strings.h>

#define TMS(name) "http://www.opengis.net/def/tilematrixset/OGC/1.0/" name

static const struct tile_matrix_set table[] = {
    {"WebMercatorQuad", "Google Maps Compatible for the World", TMS("WebMercatorQuad"), "EPSG:3857", 1, 1, {-MAP_CRS_HALF_TURN, -MAP_CRS_HALF_TURN, MAP_CRS_HALF_TURN, MAP_CRS_HALF_TURN}},
    {"WorldCRS84Quad", "CRS84 for the World", TMS("WorldCRS84Quad"), "CRS:84", 2, 1, {-180, -90, 180, 90}},
};

enum { SETS = sizeof table / sizeof *table };

const struct tile_matrix_set *tile_matrix_at(size_t index) { return index < SETS ? &table[index] : NULL; }

const struct tile_matrix_set *tile_matrix_find(const char *name) {
    for (size_t i = 0; i < SETS; i++)
        if (strcasecmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

int tile_matrix_frame(const struct tile_matrix_set *set, unsigned zoom, unsigned column, unsigned row, unsigned size, struct map_frame *frame,
                      struct failure *failure) {
    if (size != 256 && size != 512) return failure_set(failure, VIRGA_INVALID, "tiles have 256 or 512 pixels a side, not %u", size);
    if (zoom > TILE_ZOOM_MAX) return failure_set(failure, VIRGA_NOT_FOUND, "there is no zoom %u; it is 0 to %d", zoom, (int)TILE_ZOOM_MAX);
    const unsigned columns = set->columns << zoom, rows = set->rows << zoom;
    if (column >= columns || row >= rows)
        return failure_set(failure, VIRGA_NOT_FOUND, "%s has no tile %u/%u/%u; zoom %u has columns 0 to %u and rows 0 to %u", set->name, zoom, column, row,
                           zoom, columns - 1, rows - 1);
    const double side[2] = {(set->box[2] - set->box[0]) / columns, (set->box[3] - set->box[1]) / rows};
    *frame = (struct map_frame){.crs = map_crs_find(set->crs_name), .width = size, .height = size};
    frame->box[0] = set->box[0] + side[0] * column;
    frame->box[2] = set->box[0] + side[0] * (column + 1);
    frame->box[3] = set->box[3] - side[1] * row;
    frame->box[1] = set->box[3] - side[1] * (row + 1);
    return VIRGA_OK;
}

double tile_matrix_cell(const struct tile_matrix_set *set, unsigned zoom) {
    return (set->box[2] - set->box[0]) / (256.0 * set->columns * (double)(1u << zoom));
}

double tile_matrix_scale(const struct tile_matrix_set *set, unsigned zoom) {
    return tile_matrix_cell(set, zoom) * map_crs_metres_per_unit(map_crs_find(set->crs_name)) / 0.00028;
}

unsigned tile_matrix_zoom_max(const struct tile_matrix_set *set, const struct grid *grid) {
    const double spacing[2] = {(grid->x.values[grid->x.n - 1] - grid->x.values[0]) / (double)(grid->x.n > 1 ? grid->x.n - 1 : 1),
                               (grid->y.values[grid->y.n - 1] - grid->y.values[0]) / (double)(grid->y.n > 1 ? grid->y.n - 1 : 1)};
    const double metres = 1000 * fmin(spacing[0] * grid->km_per_unit[0], spacing[1] * grid->km_per_unit[1]);
    unsigned zoom = 0;
    while (zoom < TILE_ZOOM_MAX - 2 && metres > 0 && tile_matrix_scale(set, zoom) * 0.00028 > metres / 8) zoom++;
    return zoom;
}
