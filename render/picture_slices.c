// SPDX-License-Identifier: Apache-2.0
// From layers with a level to the scene's slices. The page's are web/data/slices.js.
#include "render/picture_scene.h"

#include <string.h>

void picture_slices_drop(struct picture_maker *maker) {
    for (size_t n = 0; n < maker->slice_count; n++) {
        plane_unref(maker->slices[n].values);
        plane_unref(maker->slices[n].heights);
    }
    maker->slice_count = 0;
}

// The valid time whose step is shown: between two the nearer one, as values of planes are not blended.
static double shown_seconds(const struct picture_maker *maker, const struct picture_moment *moment) {
    const bool later = picture_blended(maker, moment) && moment->blend >= 0.5;
    return maker->resolved.times[moment->step + later].seconds;
}

static int bring(struct picture_maker *maker, double seconds, size_t index, struct picture_slice *slice, struct failure *failure) {
    const struct view_resolved_layer *layer = &maker->resolved.layers[index];
    const struct plane_maker planes = {.store = maker->options.bricks, .catalog = maker->options.catalog};
    const struct colour_map *map = colour_map_find(layer->look.colour_map);
    struct field_ref field = view_resolved_field(&maker->resolved, layer, (size_t)view_resolved_step(layer, seconds));
    struct failure why = {0};
    field.stop = maker->options.stop;
    *slice = (struct picture_slice){.layer = {.layer = layer}};
    if (!map) return failure_set(failure, VIRGA_NOT_FOUND, "layers[%zu].colour_map: there is no map \"%s\"", index, layer->look.colour_map);
    plane_key(&field, &layer->surface, slice->key);
    transfer_init(&slice->layer.transfer, map, layer->look.range, layer->look.opacity, layer->look.opacity_count);
    int status = plane_cache_get(maker->planes, &planes, &field, &layer->surface, &slice->values, &why);
    if (!status) status = plane_cache_get_height(maker->planes, &planes, &field, &layer->surface, &slice->heights, &why);
    return status ? failure_set(failure, status, "layers[%zu].level: %s", index, why.message) : VIRGA_OK;
}

int picture_slices(struct picture_maker *maker, const struct picture_moment *moment, struct scene *scene, struct failure *failure) {
    size_t indices[VIEW_DRAWN_MAX];
    const double seconds = shown_seconds(maker, moment);
    const size_t count = view_resolved_drawn(&maker->resolved, seconds, VIEW_FORM_SLICE, indices);
    picture_slices_drop(maker);
    for (size_t n = 0; n < count; n++) {
        struct picture_slice *slice = &maker->slices[n];
        maker->slice_count++;
        const int status = bring(maker, seconds, indices[n], slice, failure);
        if (status) return status;
        scene->slices[scene->slice_count++] = (struct scene_slice){.grid = maker->resolved.dataset->grid, .values = slice->values, .heights = slice->heights, .transfer = &slice->layer.transfer};
    }
    return VIRGA_OK;
}

void picture_slices_key(const struct picture_maker *maker, struct picture_key *key) {
    for (size_t n = 0; n < maker->slice_count; n++) {
        const struct picture_slice *slice = &maker->slices[n];
        const struct view_layer *look = &slice->layer.layer->look;
        picture_key_add(key, slice->key, strlen(slice->key));
        picture_key_add(key, look->colour_map, strlen(look->colour_map));
        picture_key_add(key, look->range, sizeof look->range);
        picture_key_add(key, look->opacity, look->opacity_count * sizeof *look->opacity);
    }
}
