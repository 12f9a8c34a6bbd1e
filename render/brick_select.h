// SPDX-License-Identifier: Apache-2.0
// Which bricks of a field a camera wants: the coarsest level, then what it sees until voxels are small enough on screen. The page's is
// web/data/selection.js.
#ifndef VIRGA_RENDER_BRICK_SELECT_H
#define VIRGA_RENDER_BRICK_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "brick/step_table.h"
#include "field/grid.h"
#include "render/camera.h"
#include "render/level_reach.h"

#define BRICK_SELECT_VOXEL_PIXELS 1.4  // size on screen that a voxel may have before the next finer level is wanted

// Where the bricks of a pyramid stand in the scene. Immutable once made; any thread.
struct brick_places;
// VIRGA_OK or VIRGA_NO_MEMORY.
int brick_places_new(const struct grid *grid, const struct level_reach *reach, const struct pyramid_shape *shape, struct brick_places **places);
void brick_places_free(struct brick_places *places);  // NULL is allowed

struct brick_choice {
    uint32_t level, x, y, z;
    bool coarsest;    // of the coarsest level
    double priority;  // among those of a level
    size_t order;     // among equals
};

struct brick_camera {
    struct camera_matrices matrices;
    unsigned height;  // pixels
    double exaggeration;
};

// Whether values between two lattice integers show.
typedef bool (*brick_shows)(const void *user, int32_t lowest, int32_t highest);

// *choices[0 … *count − 1], coarse levels first, within a level the most wanted first, without bricks that have no bytes. The caller frees
// *choices with free(). The table must be of the places' pyramid. VIRGA_OK or VIRGA_NO_MEMORY.
int brick_select(const struct brick_places *places, const struct step_table *table, const struct brick_camera *camera, brick_shows shows,
                 const void *user, struct brick_choice **choices, size_t *count);

// For a field that is wanted whole, without a camera: the bricks of the finest level that has at most `most` of them.
int brick_select_all(const struct step_table *table, size_t most, struct brick_choice **choices, size_t *count);

#endif
