// SPDX-License-Identifier: Apache-2.0
// Coordinate reference systems that maps are made in: a short checked table, and the model's own coordinates. Nothing that a client sends
// becomes a PROJ string, and PROJ's network is off.
//
// Coordinates are always (x east, y north) in the system's units here, longitude before latitude; a protocol that wants the authority's
// axis order swaps them (map_crs_north_first). Longitude and latitude are taken as the model has them: no datum is shifted.
// Immutable; any thread (PROJ objects are used under locks of their own).
#ifndef VIRGA_TILE_MAP_CRS_H
#define VIRGA_TILE_MAP_CRS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "field/grid.h"

#define MAP_CRS_OWN "virga:own"  // the name of a model's own coordinates
#define MAP_CRS_HALF_TURN 20037508.342789244  // metres of half the equator of a sphere of 6378137 m, as Web Mercator has it

struct map_crs;

// A system of the table by its name: "CRS:84", "EPSG:3857"; also "OGC:CRS84", "urn:ogc:def:crs:EPSG::3857", "http://www.opengis.net/def/crs/EPSG/0/3857"
// and "[EPSG:3857]". Letters in either case. NULL where it is none of the table. Lives as long as the program.
const struct map_crs *map_crs_find(const char *name);
// The table in its order, for capabilities; NULL beyond the last.
const struct map_crs *map_crs_at(size_t index);

// The coordinates of a grid's own axes (degrees, metres, or column numbers of a curvilinear grid). NULL when out of memory.
// The grid stays referenced until the last map_crs_unref. Those of the table need no unref, and take it.
const struct map_crs *map_crs_own(const struct grid *grid);
const struct map_crs *map_crs_ref(const struct map_crs *crs);
void map_crs_unref(const struct map_crs *crs);  // NULL allowed

const char *map_crs_name(const struct map_crs *crs);    // "EPSG:3857"; MAP_CRS_OWN
const char *map_crs_uri(const struct map_crs *crs);     // "http://www.opengis.net/def/crs/EPSG/0/3857"; "" for a model's own
bool map_crs_north_first(const struct map_crs *crs);    // whether the authority's axis order has north (latitude) first: EPSG:4326
bool map_crs_degrees(const struct map_crs *crs);        // units are degrees; else metres (or columns)
double map_crs_metres_per_unit(const struct map_crs *crs);  // as OGC tile matrix sets count scales: 111319.49… for degrees; 1 for metres
// Where the map goes on around the globe, so that x and x + period are one place: that x; else 0.
double map_crs_period(const struct map_crs *crs);
// West, south, east, north of the system's own range: what Capabilities and tile matrix sets call its bounding box.
void map_crs_range(const struct map_crs *crs, double box[4]);
// Of a model's own coordinates, its grid; else NULL.
const struct grid *map_crs_grid(const struct map_crs *crs);

// VIRGA_OK, or VIRGA_UNSUPPORTED where the system has no such place. lon is −180 to 180 (of a periodic system: any turn is taken).
int map_crs_to_lonlat(const struct map_crs *crs, double x, double y, double *lon, double *lat);
int map_crs_from_lonlat(const struct map_crs *crs, double lon, double lat, double *x, double *y);

// The box that a grid's columns lie in, from its outline and its inside. Of a periodic system the box of a grid that crosses the date line goes beyond
// the system's range in the east (170 to 190); a global grid has the whole range. VIRGA_OK, VIRGA_UNSUPPORTED (none of it is in the system).
int map_crs_bounds(const struct map_crs *crs, const struct grid *grid, double box[4]);
// The same in degrees (CRS:84), as west, south, east, north; the whole globe where none of the grid is anywhere on it.
void map_crs_bounds_degrees(const struct grid *grid, double box[4]);

#endif
