// SPDX-License-Identifier: Apache-2.0
// Where on Earth the places of a scene are and back, also around the data; the page's is in web/layers/basemap.js and
// projection.js. Private to the basemap. Immutable once made; any thread.
#ifndef VIRGA_RENDER_BASEMAP_PLACES_H
#define VIRGA_RENDER_BASEMAP_PLACES_H

#include <stdbool.h>

#include "field/grid.h"
#include "render/camera.h"

#define BASEMAP_AROUND 0.42  // of the domain's longer side: as far as the world goes on beyond its edges

struct beyond;

// Degrees; longitudes run on from the middle's.
struct degree_bounds { double west, east, south, north; };

struct basemap_places {
    const struct grid *grid;
    double x[2], y[2];           // edges of the domain in axis coordinates
    struct scene_bounds box;
    double size[2];              // of the box, km
    bool plain_globe;            // longitudes close the globe: the axes themselves say where things are
    bool around;                 // the world goes on beyond the edges
    bool spherical;              // places are directions: around poles, and on globes of their own
    double middle[2];            // longitude and latitude
    struct degree_bounds bounds; // of the domain
    struct degree_bounds wide;   // with what is around, and a little more
    struct beyond *beyond;       // columns made up around a curvilinear grid, or NULL
};

// VIRGA_OK or VIRGA_NO_MEMORY. The grid is kept by the caller.
int basemap_places_init(struct basemap_places *places, const struct grid *grid, const struct scene_bounds *box);
void basemap_places_destroy(struct basemap_places *places);  // a zeroed one is allowed

// Scene km of a place on Earth; false where it is nowhere in the grid's projection.
bool basemap_places_scene(const struct basemap_places *places, double lon, double lat, double at[2]);
// For the shading: longitude, latitude and nothing; or where spherical a direction, its first axis on the middle's meridian.
void basemap_places_at(const struct basemap_places *places, double X, double Y, float place[3]);
// Whether a place may be in or around the domain.
bool basemap_places_near(const struct basemap_places *places, double lon, double lat);
bool basemap_places_inside(const struct basemap_places *places, const double at[2]);
// Angle of true north from scene Y in the middle, clockwise, in degrees.
double basemap_places_north(const struct basemap_places *places);

// Index on an axis, extended linearly outside.
double basemap_axis_index(const struct grid_axis *axis, double coordinate);

// Made-up columns around a curvilinear grid, `reach` columns and rows far, that carry on along great circles. VIRGA_OK (*beyond
// NULL where there is nothing to carry on) or VIRGA_NO_MEMORY.
int beyond_new(const struct grid *grid, const double reach[2], struct beyond **beyond);
void beyond_free(struct beyond *beyond);  // NULL is allowed
bool beyond_to_lonlat(const struct beyond *beyond, double x, double y, double *lon, double *lat);
bool beyond_from_lonlat(const struct beyond *beyond, double lon, double lat, double *x, double *y);

#endif
