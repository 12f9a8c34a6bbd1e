// SPDX-License-Identifier: Apache-2.0
// A scene prepared for packets of rays, and the code that marches them: ray_packet.h, compiled once for each kind of processor.
#ifndef VIRGA_RENDER_RAY_MARCHER_PRIVATE_H
#define VIRGA_RENDER_RAY_MARCHER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "render/layer_geometry_private.h"
#include "render/brick_volume_private.h"
#include "render/scene.h"

enum { MARCH_TILE = 32, MARCH_TURNS = 4096 };

// From the shown scene to indices where all axes are regular and all voxels of one pyramid level: then nothing else is asked.
struct march_lines {
    bool apply;
    float rate[3], offset[3];             // index = scene × rate + offset
    float low[3], high[3];                // indices inside the grid …
    float last[3];                        // … are held between 0 and these
    float density[3];                     // voxels of the level a km of the shown scene
};

struct march_minus {
    const struct layer_geometry *geometry;  // NULL: at the same indices as the layer's
    const struct brick_volume *steps[2];    // the first NULL: nothing is taken away
    float ratio;
};

struct march_volume {
    const struct layer_geometry *geometry;
    const struct brick_volume *steps[2];  // the second NULL where nothing is blended in
    float blend;
    bool shading;
    struct march_lines lines;
    struct march_minus minus;
    float gain, bias;                     // entry of the transfer table = lattice integer × gain + bias
    const float (*data)[4];               // of the transfer table
    float rows[TRANSFER_ENTRIES][8], integral[TRANSFER_ENTRIES][8];  // likewise, and the change up to the next entry
    float clear;                          // up to this entry nothing shows, and integrals are 0
    float before_first[4], after_last[4]; // change of the integral with each entry beyond the table's ends
};

struct march_code;

struct march {
    const struct march_code *code;
    unsigned width, height;
    unsigned piece;                       // tiles along a side of what a thread draws in one go
    float corner[4], across[4], down[4];  // of a pixel's far point, homogeneous, seen from the eye: corner + (x + ½) across + (y + ½) down
    float eye[3], low[3], high[3];        // shown scene
    float exaggeration, shrink, step;     // shrink: 1 / exaggeration
    int32_t volume_count;
    struct march_volume volumes[SCENE_VOLUMES_MAX];
    const uint8_t *skip;                  // bytes of the skip grid with three more behind them; NULL for none
    int32_t skip_size[3];
    float skip_low[3], skip_rate[3];      // shown scene
    const struct light_grid *shade;
    float light_low[3], light_rate[3];
    float light[3], colour[3], ambient[3];
    const float *distance;
    float *rgba;
    float *share;                         // of the light grid that is being made
};

// What each kind of processor has of its own.
struct march_code {
    const char *isa;
    void (*tile)(const struct march *march, unsigned x, unsigned y);           // draws the tile that begins at pixel x, y
    void (*light_row)(const struct march *march, unsigned y, unsigned z);      // share[z][y][…] = of the light that passes one slice
};
const struct march_code *march_code_here(void);
extern const struct march_code march_code_portable, march_code_v2, march_code_v3, march_code_v4, march_code_neon;

// false: nothing to march through.
bool march_init(struct march *march, const struct scene *scene);

#endif
