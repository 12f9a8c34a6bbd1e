// SPDX-License-Identifier: Apache-2.0
#include "render/layer_space.h"

#include <stdlib.h>
#include <string.h>

#include "brick/brick_store.h"

struct layer_spaces {
    struct catalog *catalog;
    const atomic_bool *stop;
    struct layer_space *kept[LAYER_SPACES_MOST];
    uint64_t picture;
};

static void space_free(struct layer_space *space) {
    if (!space) return;
    brick_places_free(space->places);
    cell_heights_destroy(&space->heights);
    layer_geometry_free(space->geometry);
    free(space->terrain);
    level_map_unref(space->map);
    free(space);
}

struct layer_spaces *layer_spaces_new(struct catalog *catalog, const atomic_bool *stop) {
    struct layer_spaces *spaces = calloc(1, sizeof *spaces);
    if (spaces) *spaces = (struct layer_spaces){.catalog = catalog, .stop = stop};
    return spaces;
}

void layer_spaces_free(struct layer_spaces *spaces) {
    for (size_t n = 0; spaces && n < LAYER_SPACES_MOST; n++) space_free(spaces->kept[n]);
    free(spaces);
}

static int prepare(struct layer_space *space) {
    const struct grid *grid = space->dataset->grid;
    struct pyramid_shape shape;
    level_reach_init(&space->reach, grid, space->map, space->terrain);
    int status = layer_geometry_new(grid, space->map, &space->geometry);
    if (status || !space->map) return status;
    brick_store_shape(space->dataset, space->variable, &shape);
    status = cell_heights_init(&space->heights, grid, space->map);
    return status ? status : brick_places_new(grid, &space->reach, &shape, &space->places);
}

static int space_new(struct catalog *catalog, const struct field_ref *field, const char *id, struct layer_space **result, struct failure *failure) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    struct layer_space *space = calloc(1, sizeof *space);
    if (!space) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    memcpy(space->id, id, sizeof space->id);
    space->dataset = field->dataset;
    space->variable = field->variable;
    int status = v->vertical ? catalog_level_map(catalog, field, &space->map, failure) : catalog_terrain(field->dataset, &space->terrain, failure);
    if (!status && v->vertical && !space->map) status = failure_set(failure, VIRGA_UNSUPPORTED, "%s: its levels have no heights", v->id);
    if (!status && (status = prepare(space))) failure_set(failure, status, "out of memory");
    if (status) space_free(space);
    else *result = space;
    return status;
}

int layer_spaces_get(struct layer_spaces *spaces, const struct field_ref *field, const struct layer_space **result, struct failure *failure) {
    char id[33] = "";
    struct layer_space **room = NULL;
    field_geometry_id(field, id);
    for (size_t n = 0; n < LAYER_SPACES_MOST; n++) {
        struct layer_space *space = spaces->kept[n];
        if (space && space->dataset == field->dataset && space->variable == field->variable && !strcmp(space->id, id)) {
            space->used = spaces->picture;
            *result = space;
            return VIRGA_OK;
        }
        if (!space || (space->used < spaces->picture && (!room || *room))) room = &spaces->kept[n];
    }
    if (!room) return failure_set(failure, VIRGA_TOO_LARGE, "too many layers");
    struct layer_space *space = NULL;
    struct field_ref wanted = *field;
    wanted.stop = spaces->stop;
    int status = space_new(spaces->catalog, &wanted, id, &space, failure);
    if (status) return status;
    space->used = spaces->picture;
    space_free(*room);
    *room = space;
    *result = space;
    return VIRGA_OK;
}

void layer_spaces_trim(struct layer_spaces *spaces) {
    for (size_t n = 0; n < LAYER_SPACES_MOST; n++) {
        if (!spaces->kept[n] || spaces->kept[n]->used + 1 >= spaces->picture) continue;
        space_free(spaces->kept[n]);
        spaces->kept[n] = NULL;
    }
    spaces->picture++;
}
