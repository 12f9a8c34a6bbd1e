// SPDX-License-Identifier: Apache-2.0
// Makes planes: finds a surface in a field's own columns, and takes the field's values there. Nothing is resampled.
//
// Values are those of the brick store's lattice, so that a map, a slice and the page's volume agree: from the store's volume where it holds that or
// where most levels are wanted, else from the levels needed alone, which are read and quantised alike. Between levels they are linear in k; where one of
// the two is missing the nearer one stands, if it is present.
//
// Where a surface lies:
//   heights              by the field's level map (level_map.h), as in the page and the probe; above ground: over the level map's ground
//   pressure             ln p linear in k between levels. p comes from the first of: the coordinate (pressures, or hybrid and sigma levels with the surface
//                        pressure), a field of pressure on the same levels, temperature by hydrostatic balance between the level map's heights, the
//                        standard atmosphere at these heights
//   flight levels        the pressure that the ICAO standard atmosphere has there
//   potential temperature   linear in k; the first crossing from the top downward. theta is a field on the same levels, or T (1000 hPa / p)^(2/7)
// Surfaces of the coordinate's own kind (pressures on pressure levels, heights on heights above sea, heights above ground on such, and model levels) show
// the file's values below the ground, too. Others are absent below the ground and above the highest level, and held from the lowest level down
// to the ground where that is known. Which of these was done is told by plane.method.
#ifndef VIRGA_TILE_PLANE_MAKE_H
#define VIRGA_TILE_PLANE_MAKE_H

#include "brick/brick_store.h"
#include "tile/plane.h"
#include "tile/surface.h"

struct plane_maker {
    struct brick_store *store;  // or NULL: everything is read
    struct catalog *catalog;    // of the field
    size_t most_columns;        // of a plane's level 0; 0: PLANE_MOST_COLUMNS
};

// The field at a surface. Blocks (reads): neither on the service thread nor on a worker of the store's pool. VIRGA_OK; VIRGA_INVALID where the surface
// is none of this variable (a level beyond its levels, any surface but OWN of one without levels, a threshold that is not said and not usual);
// VIRGA_UNSUPPORTED where it cannot be found (no temperature for theta); VIRGA_CANCELLED once field->stop is true; else the codes of reading.
int plane_make(const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface, struct plane **plane,
               struct failure *failure);
// The height of that surface in the same columns, metres above the level map's datum: where a slice in 3-D is drawn. A variable without levels lies on
// the ground (0 where that is not known); MAXIMUM and SUM too, and TOP and BASE where their values are.
int plane_make_height(const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface, struct plane **plane,
                      struct failure *failure);

// Whether a variable has surfaces of a kind, as far as is known without reading: any thread, never blocks.
bool plane_offers(const struct field_ref *field, enum surface_kind kind);

#endif
