// SPDX-License-Identifier: Apache-2.0
// Wind symbols on a map, by WMO's rules (Manual on the GDPFS, WMO-No. 485, appendix II-4: half a barb 5 kt, a barb 10 kt, a pennant 50 kt;
// on the other side in the southern hemisphere), turned by the local direction of true north on the map.
#ifndef VIRGA_RENDER_MAP_WIND_H
#define VIRGA_RENDER_MAP_WIND_H

#include "field/catalog.h"

// What the two fields of a wind are.
enum map_wind_kind {
    MAP_WIND_NONE,
    MAP_WIND_SPEED_FROM,  // speed, and direction it comes from, clockwise from true north
    MAP_WIND_SPEED_TO,    // speed, and direction it blows to
    MAP_WIND_COMPONENTS,  // towards true east, and towards true north
};

// The variable that makes a wind with this one, on the same levels: its index in the dataset, with *kind; or -1. Where `variable` is the
// second of a pair (a direction, a northward component) there is none. Pure, any thread.
int map_wind_partner(const struct catalog_dataset *dataset, size_t variable, enum map_wind_kind *kind);

#endif
