// SPDX-License-Identifier: Apache-2.0
// The view document, checked and made plain: render/view.schema.json says what it may hold, render/README.md what it means,
// web/view/view_state.js is its mirror in the page and says the same words about each error.
#ifndef VIRGA_RENDER_VIEW_H
#define VIRGA_RENDER_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum {
    VIEW_TEXT_MAX = 65536,  // bytes of a document
    VIEW_LAYERS_MAX = 8,
    VIEW_OPACITY_MAX = 32,
    VIEW_ID_TEXT = 201,
    VIEW_TIME_TEXT = 32,
    VIEW_COLOUR_MAP_TEXT = 64,
    VIEW_UNITS_TEXT = 41,
    VIEW_LEVEL_TEXT = 40,
    VIEW_CAPTION_TEXT = 201,
    VIEW_ANTIALIASING_MAX = 4,
    VIEW_USUAL_WIDTH = 1280,  // pixels of a picture whose document names no size
    VIEW_USUAL_HEIGHT = 720,
};

enum view_camera_mode { VIEW_ORBIT, VIEW_FLY, VIEW_TOP };

// What is taken away from a layer's values.
struct view_minus {
    bool used;
    char variable[VIEW_ID_TEXT];  // "": the layer's own
    char run[VIEW_TIME_TEXT];     // "previous", "latest" or ISO 8601; "": the view's
    bool has_member;              // false: the layer's own
    unsigned member;
};

struct view_layer {
    char variable[VIEW_ID_TEXT];
    bool visible;
    bool shading;
    char colour_map[VIEW_COLOUR_MAP_TEXT];  // "": the preset's
    bool has_range;
    double range[2];                        // of the colour map, rising, in the variable's units
    char units[VIEW_UNITS_TEXT];            // that the legend is written in; "": the preset's
    size_t opacity_count;                   // 0: the preset's curve
    double opacity[VIEW_OPACITY_MAX][2];    // value in the variable's units (not falling), opacity per km of true height 0 to 1
    char level[VIEW_LEVEL_TEXT];            // the text of a surface (tile/surface.h) that a variable with levels is sliced at; "": it is a volume. No difference has one
    struct view_minus minus;                // of a difference; its range and opacity are of differences
};

struct view_camera {
    enum view_camera_mode mode;
    double eye[3], target[3], up[3];  // scene coordinates in km before exaggeration; eye and target differ
    double fov;                       // vertical, degrees
};

struct view_captions {
    bool show;                             // false: nothing is written on the picture but the scene's own labels
    bool has_title;                        // false: made from what is shown
    char title[VIEW_CAPTION_TEXT];         // UTF-8; "": none
    char attribution[VIEW_CAPTION_TEXT];   // "": none
    bool legend;
};

struct view {
    char dataset[VIEW_ID_TEXT];
    char run[VIEW_TIME_TEXT];   // "latest" or ISO 8601
    char time[VIEW_TIME_TEXT];  // "T+6", "nearest to now" or ISO 8601
    unsigned member;
    size_t layer_count;
    struct view_layer layers[VIEW_LAYERS_MAX];
    bool has_camera;            // false: frame the whole domain from the south
    struct view_camera camera;
    bool sun_by_time;           // false: by azimuth (from north through east) and elevation, degrees
    double sun_azimuth, sun_elevation;
    bool shadows;
    double ambient;             // 0 to 1
    double exaggeration;        // of height
    bool coastlines, graticule, terrain, height_axis;
    unsigned size[2];           // pixels; 0, 0: as large as there is room for, in a file VIEW_USUAL_WIDTH × VIEW_USUAL_HEIGHT
    // Of pictures that are not drawn by the page, which keeps these as they are:
    struct view_captions captions;
    unsigned antialiasing;      // samples along each axis of a pixel for ground and lines, 1 to VIEW_ANTIALIASING_MAX
    bool transparent;           // no sky: what nothing covers is clear
};

// Checks `n` bytes of JSON and fills *out, defaults included. VIRGA_INVALID with a message that begins with the place,
// such as "layers[0].opacity[1][0]: expected a number" ("view: …" for the whole), and *out unspecified; VIRGA_NO_MEMORY.
// Holds no memory afterwards. Any thread.
int view_parse(const char *json, size_t n, struct view *out, struct failure *failure);

#endif
