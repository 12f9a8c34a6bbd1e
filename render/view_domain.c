// SPDX-License-Identifier: Apache-2.0
#include "render/view_domain.h"

#include <math.h>

#include "render/scene_axis.h"

int view_domain_space(const struct view_resolved *resolved, const struct view_resolved_layer *layer, struct layer_spaces *spaces,
                      double seconds, const struct layer_space **space, struct failure *failure) {
    const ptrdiff_t step = view_resolved_step(layer, seconds);
    const struct field_ref field = view_resolved_field(resolved, layer, step < 0 ? 0 : (size_t)step);
    return layer_spaces_get(spaces, &field, space, failure);
}

static void widen_box(struct scene_bounds *box, const struct layer_space *space) {
    double edges[2];
    for (int axis = 0; axis < 2; axis++) {
        scene_axis_edges_km(space->dataset->grid, axis, edges);
        box->low[axis] = fmin(box->low[axis], edges[0]);
        box->high[axis] = fmax(box->high[axis], edges[1]);
    }
    box->high[2] = fmax(box->high[2], space->reach.top / 1000);
    box->low[2] = fmin(box->low[2], space->reach.ground_range[0] / 1000);
}

int view_domain_find(const struct view_resolved *resolved, struct layer_spaces *spaces, double seconds, struct view_domain *domain,
                     struct failure *failure) {
    const struct layer_space *found[VIEW_PLACED_MAX];
    size_t count = 0, volumes = 0;
    *domain = (struct view_domain){.box = {{INFINITY, INFINITY, 0}, {-INFINITY, -INFINITY, 0.01}}};
    for (size_t n = 0; n < resolved->layer_count && count < VIEW_PLACED_MAX; n++) {
        if (!resolved->layers[n].placed) continue;
        int status = view_domain_space(resolved, &resolved->layers[n], spaces, seconds, &found[count], failure);
        if (status) return status;
        if (!domain->ground && found[count]->reach.ground) domain->ground = found[count];
        if (found[count]->map && !volumes++) domain->main = found[count];
        count++;
    }
    if (!count) return failure_set(failure, VIRGA_NOT_FOUND, "layers: none of them is in this run");
    if (!domain->main) domain->main = found[0];
    for (size_t n = 0; n < count; n++)
        if (volumes ? found[n]->map != NULL : n == 0) widen_box(&domain->box, found[n]);
    return VIRGA_OK;
}
