// SPDX-License-Identifier: Apache-2.0
// What a view's pictures stand in: the box around its layers, and whose ground lies there. The page's is #makeScene in web/viewer.js.
#ifndef VIRGA_RENDER_VIEW_DOMAIN_H
#define VIRGA_RENDER_VIEW_DOMAIN_H

#include "render/camera.h"
#include "render/layer_space.h"
#include "render/view_resolve.h"

struct view_domain {
    struct scene_bounds box;
    const struct layer_space *ground;  // the first layer's with a ground, or NULL; as long-lived as `spaces` has them
    const struct layer_space *main;    // of the first volume, or of the first layer
};

// seconds: the valid time, in the calendar of the first layer. Blocks (may read). VIRGA_OK, or the codes of layer_spaces_get.
int view_domain_find(const struct view_resolved *resolved, struct layer_spaces *spaces, double seconds, struct view_domain *domain,
                     struct failure *failure);
// The space of a layer at a valid time; of its first step where it has none then.
int view_domain_space(const struct view_resolved *resolved, const struct view_resolved_layer *layer, struct layer_spaces *spaces,
                      double seconds, const struct layer_space **space, struct failure *failure);

#endif
