// SPDX-License-Identifier: Apache-2.0
// The ground as an even grid of corners over the scene, two flat triangles a cell; the page's is web/gl/ground_pass.js.
// Private to the basemap. Immutable once made; any thread.
#ifndef VIRGA_RENDER_GROUND_MESH_H
#define VIRGA_RENDER_GROUND_MESH_H

#include <stddef.h>
#include <stdint.h>

#include "render/basemap_places.h"

enum { GROUND_MOST = 320, GROUND_AROUND = 56 };  // corners along an axis
#define GROUND_AROUND_HEIGHT (-0.02)             // km, of the world around

struct ground_corner {
    float height;    // km, not exaggerated
    float slope[2];  // along X and Y
    float place[3];  // of basemap_places_at
};

struct ground_mesh {
    size_t nx, ny;
    double low[2], step[2];         // scene km
    struct ground_corner *corners;  // [ny][nx]
};

// ground: [y.n][x.n] metres or NULL for flat. VIRGA_OK or VIRGA_NO_MEMORY.
int ground_mesh_init(struct ground_mesh *mesh, const struct basemap_places *places, const float *ground);
// What lies around: flat.
int ground_mesh_init_around(struct ground_mesh *mesh, const struct basemap_places *places);
void ground_mesh_destroy(struct ground_mesh *mesh);  // a zeroed one is allowed

// The triangle at scene X, Y (held into the mesh): its value is corner[0] + a (corner[1] − corner[0]) + b (corner[2] − corner[0]),
// a along X and b along Y; per km a grows by rate[0] along X and b by rate[1] along Y.
struct ground_spot {
    const struct ground_corner *corner[3];
    float a, b, rate[2];
};
static inline void ground_mesh_spot(const struct ground_mesh *mesh, float X, float Y, struct ground_spot *spot) {
    float rate[] = {(float)(1 / mesh->step[0]), (float)(1 / mesh->step[1])};
    float x = (X - (float)mesh->low[0]) * rate[0], y = (Y - (float)mesh->low[1]) * rate[1];
    float last_x = (float)(mesh->nx - 1), last_y = (float)(mesh->ny - 1);
    x = x > 0 ? x < last_x ? x : last_x : 0, y = y > 0 ? y < last_y ? y : last_y : 0;
    uint32_t i = (uint32_t)x, j = (uint32_t)y;
    i -= i + 1 == mesh->nx, j -= j + 1 == mesh->ny;
    float a = x - (float)i, b = y - (float)j;
    const struct ground_corner *c = mesh->corners + j * mesh->nx + i;
    if (a + b <= 1) *spot = (struct ground_spot){{c, c + 1, c + mesh->nx}, a, b, {rate[0], rate[1]}};
    else *spot = (struct ground_spot){{c + mesh->nx + 1, c + mesh->nx, c + 1}, 1 - a, 1 - b, {-rate[0], -rate[1]}};
}

// Height in km at scene X, Y: what lines lie on.
double ground_mesh_height(const struct ground_mesh *mesh, const double at[2]);

#endif
