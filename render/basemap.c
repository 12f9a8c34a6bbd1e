// SPDX-License-Identifier: Apache-2.0
#include "render/basemap_private.h"

#include <math.h>
#include <stdlib.h>

#include "render/graticule.h"

static int add_coasts(struct basemap *map, const char *world_folder, struct map_cut cut, struct failure *failure) {
    struct world_atlas atlas = {0};
    double km = fmax(map->places.size[0], map->places.size[1]);
    int status = world_atlas_read(world_folder, km < 1600 ? "10m" : km < 9000 ? "50m" : "110m", &atlas, failure);
    if (status == VIRGA_OK) status = land_map_init(&map->land, &atlas, &map->places.wide);
    if (status == VIRGA_OK) status = map_lines_add_degrees(&map->lines[MAP_COAST], &cut, &atlas.coasts);
    if (status == VIRGA_OK) status = map_lines_add_degrees(&map->lines[MAP_BORDER], &cut, &atlas.borders);
    if (status == VIRGA_OK && map->places.around) {
        cut.ground = NULL, cut.beyond = true, cut.shortest *= 5;
        status = map_lines_add_degrees(&map->lines[MAP_OUTER], &cut, &atlas.coasts);
    }
    world_atlas_destroy(&atlas);
    return status;
}

static int fill(struct basemap *map, const struct basemap_options *options, struct failure *failure) {
    int status = basemap_places_init(&map->places, options->grid, &options->box);
    double km = fmax(map->places.size[0], map->places.size[1]);
    map->depth = km * 0.012;
    if (status == VIRGA_OK) status = ground_mesh_init(&map->ground, &map->places, options->ground);
    if (status == VIRGA_OK && map->places.around) status = ground_mesh_init_around(&map->around, &map->places);
    if (status == VIRGA_OK) status = map_lines_add_box(&map->lines[MAP_BOX], &options->box);
    struct map_cut cut = {.places = &map->places, .ground = &map->ground, .anywhere = true, .longest = km / 3};
    if (status == VIRGA_OK) status = graticule_add(&cut, &map->lines[MAP_GRATICULE], &map->degrees, &map->degree_count);
    cut.anywhere = false, cut.shortest = km / 900;
    if (status == VIRGA_OK && options->world_folder) status = add_coasts(map, options->world_folder, cut, failure);
    return status;
}

int basemap_new(const struct basemap_options *options, struct basemap **basemap, struct failure *failure) {
    struct basemap *map = calloc(1, sizeof *map);
    struct failure inner = {0};
    *basemap = NULL;
    if (map && ground_sketches_init(&map->sketches, options->memory)) {
        free(map);
        map = NULL;
    }
    if (map) map->grid = grid_ref(options->grid);
    int status = map ? fill(map, options, &inner) : VIRGA_NO_MEMORY;
    if (status == VIRGA_OK) {
        *basemap = map;
        return VIRGA_OK;
    }
    basemap_unref(map);
    return failure_set(failure, status, "%s", inner.status ? inner.message : "map: out of memory");
}

struct basemap *basemap_ref(struct basemap *basemap) {
    atomic_fetch_add(&basemap->more, 1);
    return basemap;
}

void basemap_unref(struct basemap *basemap) {
    if (!basemap || atomic_fetch_sub(&basemap->more, 1) > 0) return;
    ground_sketches_destroy(&basemap->sketches);
    for (int n = 0; n < MAP_LINES; n++) map_lines_destroy(&basemap->lines[n]);
    land_map_destroy(&basemap->land);
    ground_mesh_destroy(&basemap->ground);
    ground_mesh_destroy(&basemap->around);
    basemap_places_destroy(&basemap->places);
    grid_free(basemap->grid);
    free(basemap->degrees);
    free(basemap);
}

void basemap_middle(const struct basemap *basemap, double *lon, double *lat, double *north) {
    *lon = basemap->places.middle[0];
    *lat = basemap->places.middle[1];
    *north = basemap_places_north(&basemap->places);
}

const struct basemap_degree *basemap_degrees(const struct basemap *basemap, size_t *count) {
    *count = basemap->degree_count;
    return basemap->degrees;
}
