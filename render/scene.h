// SPDX-License-Identifier: Apache-2.0
// All that a picture is made from, in numbers: no catalog, no files, nothing of the view's words. Whoever fills it keeps what it
// points to until the picture is drawn.
#ifndef VIRGA_RENDER_SCENE_H
#define VIRGA_RENDER_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "render/brick_volume.h"
#include "render/camera.h"
#include "render/layer_geometry.h"
#include "render/light.h"
#include "render/light_grid.h"
#include "render/skip_grid.h"
#include "render/transfer.h"
#include "tile/plane.h"

enum { SCENE_VOLUMES_MAX = 2, SCENE_DRAPES_MAX = 2, SCENE_SLICES_MAX = 2 };
#define SCENE_FULL_STEP 1.35  // voxels a step of a picture in full, as the page has it

// What a difference takes away from its layer's values; steps[0] NULL: nothing.
struct scene_minus {
    const struct layer_geometry *geometry; // the layer's own where places have the same indices
    const struct brick_volume *steps[2];   // at the valid times of the layer's
    double ratio;                          // so many of the layer's lattice steps is one of these
};

struct scene_layer {
    const struct layer_geometry *geometry;
    const struct transfer *transfer;
    double lookup[2];                      // of transfer_lookup
    const struct brick_volume *steps[2];   // the step in view, and the later one that is blended in (or NULL)
    double blend;                          // share of the later one, 0 to 1; 0 where there is none
    bool shading;                          // gradients
    struct scene_minus minus;              // then lookup is of q − ratio × q of minus
};

// A variable at a surface: a sheet at the surface's own heights (slice_draw.h).
struct scene_slice {
    const struct grid *grid;
    const struct plane *values, *heights;  // heights: metres above the datum
    const struct transfer *transfer;
};

struct scene {
    struct scene_bounds box;
    double exaggeration;
    struct camera_matrices matrices;
    struct light light;
    unsigned width, height;  // pixels
    double step;             // voxels a step: SCENE_FULL_STEP
    size_t volume_count, drape_count, slice_count;
    struct scene_layer volumes[SCENE_VOLUMES_MAX], drapes[SCENE_DRAPES_MAX];
    struct scene_slice slices[SCENE_SLICES_MAX];
    const struct skip_grid *skip;     // NULL: nothing is skipped
    const struct light_grid *shade;   // NULL: no shadows
};

#endif
