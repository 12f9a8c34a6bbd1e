// SPDX-License-Identifier: Apache-2.0
// Which bricks a view needs, and in which order. Pure: no sockets, no clock, no threads; the caller owns all memory.
#ifndef VIRGA_SERVER_VIEW_PRIORITY_H
#define VIRGA_SERVER_VIEW_PRIORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/brick_boxes.h"
#include "server/view_table.h"

enum { VIEW_MAX_LAYERS = 4, VIEW_MAX_AHEAD = 8, VIEW_MAX_CURVE = 64 };

struct view_priority_camera {
    bool whole;  // no camera: the whole volume is wanted, and the rest of this is ignored
    double eye[3], target[3], up[3];  // scene kilometres before exaggeration
    double fov;                       // degrees, vertical
    double width, height;             // pixels
    double exaggeration;
};

// Opacity per kilometre over values, linear between points, held beyond the ends.
struct opacity_curve {
    bool all;      // no curve: everything is visible
    size_t count;  // 1 … VIEW_MAX_CURVE when not `all`
    double value[VIEW_MAX_CURVE], opacity[VIEW_MAX_CURVE];  // value not decreasing, opacity ≥ 0
};

// The curve's largest opacity for values in lo … hi; 1 for `all`; 0 when lo > hi.
double opacity_curve_max(const struct opacity_curve *curve, double lo, double hi);

struct view_frustum {
    bool whole;
    double eye[3], forward[3];    // in exaggerated kilometres
    double plane[4][4];           // inward normals and offsets: left, right, bottom, top
    double exaggeration;
    double pixels;                // of one kilometre at a distance of one kilometre
    double aspect, tangent;
};

void view_frustum_init(struct view_frustum *frustum, const struct view_priority_camera *camera);
// False only when the box (kilometres before exaggeration) is wholly outside the picture.
bool view_frustum_sees(const struct view_frustum *frustum, const struct scene_box *box);

struct view_brick {
    float score;  // the higher the sooner
    uint8_t layer, level;
    uint16_t x, y, z;
};

struct view_list {  // caller's memory
    struct view_brick *items;
    size_t count, capacity;
    bool overflowed;  // more were wanted than fit
};

struct view_field {  // one layer at one step
    const struct pyramid_shape *shape;
    const struct view_table *table;
    const struct brick_boxes *boxes;  // may be NULL when the frustum is `whole`
    const struct opacity_curve *curve;
    double v0, step;  // lattice
    uint8_t layer;
    uint32_t max_level;  // finest level wanted
};

// Adds the coarsest level's bricks that have bytes, whatever is in view.
void view_select_coarsest(const struct view_frustum *frustum, const struct view_field *field, struct view_list *list);
// Adds the bricks finer than the coarsest that have bytes, lie in the picture, show something under the curve, and whose
// absence shows: the next coarser voxel there is more than `above` and at most `up_to` pixels large.
void view_select_visible(const struct view_frustum *frustum, const struct view_field *field, double above, double up_to,
                         struct view_list *list);
// Highest score first; equal scores coarse first, then by place, so that the order is the same every time.
void view_list_sort(struct view_list *list);

#endif
