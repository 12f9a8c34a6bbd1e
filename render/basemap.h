// SPDX-License-Identifier: Apache-2.0
// What stands around the data: terrain mesh, land and sea, coasts, borders, graticule, the box. Made once a domain, drawn for each
// picture, by any thread. The page's are web/layers/basemap.js, web/gl/ground_pass.js and web/gl/line_pass.js.
#ifndef VIRGA_RENDER_BASEMAP_H
#define VIRGA_RENDER_BASEMAP_H

#include "base/status.h"
#include "field/grid.h"
#include "render/render_team.h"
#include "render/scene.h"

struct basemap;

struct basemap_options {
    struct grid *grid;                // of the first volume, or of the first layer; the basemap takes a reference
    const float *ground;              // [y.n][x.n] metres above the datum, or NULL for flat; copied
    struct scene_bounds box;
    // Where countries-10m.json, -50m.json and -110m.json of world-atlas are; NULL: no coastlines, and what is above the sea is land.
    const char *world_folder;
    size_t memory;                    // bytes of what cameras that come back have seen, kept for the next picture; 0: nothing is kept
};

// VIRGA_OK, VIRGA_NO_MEMORY, or VIRGA_NOT_FOUND / VIRGA_UNREADABLE for the coastlines (the message names the file and what to do).
int basemap_new(const struct basemap_options *options, struct basemap **basemap, struct failure *failure);
struct basemap *basemap_ref(struct basemap *basemap);
void basemap_unref(struct basemap *basemap);  // NULL is allowed

// The scene's middle in degrees, and the angle of true north from scene Y, clockwise, in degrees: for the sun.
void basemap_middle(const struct basemap *basemap, double *lon, double *lat, double *north);

struct basemap_show { bool coastlines, graticule, terrain, box; };

// Ground and lines: rgba[height][width][4], top row first, colour times alpha, and distance as ray_marcher_draw wants it. samples:
// along each axis of a pixel, 1 to 4 (1 is the page's picture). Draped layers and shadows of the scene lie on the ground. VIRGA_OK
// or VIRGA_NO_MEMORY. Any thread, several at once.
int basemap_draw(struct basemap *basemap, struct render_team *team, const struct scene *scene, const struct basemap_show *show,
                 unsigned samples, float *rgba, float *distance);

// Where the graticule's labels stand: on the domain's edges.
struct basemap_degree {
    bool longitude;    // else latitude
    double value;      // degrees
    double at[3];      // scene km
    double side[2];    // outward direction of the edge in scene km
};
const struct basemap_degree *basemap_degrees(const struct basemap *basemap, size_t *count);

#endif
