// SPDX-License-Identifier: Apache-2.0
// Land and hills of the demonstration forecast: hand-typed outlines of the British Isles and their neighbours (about a
// tenth of a degree), roughened, with ridged hills where the real ones stand. Believable, not a survey.
#ifndef VIRGA_SERVER_DEMO_LAND_H
#define VIRGA_SERVER_DEMO_LAND_H

#include "server/demo_grid.h"
#include "server/demo_noise.h"

struct demo_land;  // the outlines in the grid's plane; immutable, any thread

// Returns NULL when out of memory; free with demo_land_free (NULL is allowed).
struct demo_land *demo_land_new(const struct demo_noise *noise, double spacing_km);
void demo_land_free(struct demo_land *land);
// Height in m (0 over sea) and whether the place is land, at x and y km in the grid's plane.
float demo_land_height(const struct demo_land *land, float x, float y, float *land_fraction);

#endif
