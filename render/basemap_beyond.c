// SPDX-License-Identifier: Apache-2.0
#include "render/basemap_places.h"

#include <stdlib.h>

struct beyond { int nothing; };
struct beyond *beyond_new(const struct grid *grid, const double reach[2]) { (void)grid; (void)reach; return NULL; }
void beyond_free(struct beyond *beyond) { free(beyond); }
bool beyond_to_lonlat(const struct beyond *beyond, double x, double y, double *lon, double *lat) { (void)beyond; (void)x; (void)y; (void)lon; (void)lat; return false; }
bool beyond_from_lonlat(const struct beyond *beyond, double lon, double lat, double *x, double *y) { (void)beyond; (void)x; (void)y; (void)lon; (void)lat; return false; }
