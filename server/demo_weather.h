// SPDX-License-Identifier: Apache-2.0
// The weather of the demonstration forecast at its larger scales: a frontal cyclone that crosses the British Isles, on a
// coarse mesh of columns (about 10 km) and fixed heights. Temperature is built from air masses; pressure follows from
// temperature hydrostatically, wind from pressure by gradient-wind balance; moisture and ascent follow the fronts.
#ifndef VIRGA_SERVER_DEMO_WEATHER_H
#define VIRGA_SERVER_DEMO_WEATHER_H

#include "server/demo_noise.h"

enum { DEMO_NZ = 44 };  // heights of the mesh, z = demo_weather_top · (m / (DEMO_NZ − 1))²

enum demo_bulk {  // fields of the mesh in 3-D, beside each other at a point
    DEMO_T,       // air temperature, K
    DEMO_LNP,     // natural logarithm of the pressure in Pa
    DEMO_U,       // wind along x, m/s, without friction
    DEMO_V,       // wind along y, m/s
    DEMO_W,       // large-scale upward velocity, m/s
    DEMO_BASE,    // relative humidity of the clear air, 0 to 1
    DEMO_MOIST,   // how far the air is lifted towards saturation by fronts: 0 none, 1 fully
    DEMO_ROUGH,   // height of small-scale noise to be added to DEMO_MOIST
    DEMO_BULK_COUNT
};

enum demo_flat {   // fields of the mesh in 2-D
    DEMO_PMSL,     // pressure at sea level, Pa
    DEMO_SHOWERS,  // 0 to 1: how likely convection is
    DEMO_SHEET,    // 0 to 1: stratocumulus
    DEMO_SHEET_Z,  // height of that sheet's top, m
    DEMO_FLAT_COUNT
};

struct demo_weather {  // one time of one run; immutable once made
    int nx, ny;
    float x0, y0, dx, dy;  // km in the grid's plane: first column and spacing
    double top;            // m
    float *bulk;           // [ny][DEMO_NZ][nx][DEMO_BULK_COUNT]
    float *flat;           // [ny][nx][DEMO_FLAT_COUNT]
    double hours;          // since the demonstration's start
    int run;
    float low_x, low_y;    // km, centre of the low
};

// The mesh covers the grid's area with a margin; spacing is made no finer than 10 km and no coarser than needed for
// `columns` of the grid along x. NULL when out of memory. Free with demo_weather_free (NULL is allowed).
struct demo_weather *demo_weather_new(int columns, double top);
void demo_weather_free(struct demo_weather *weather);
// Sets the time and run, and places the low. Then each row j of ny may be filled by any thread, in any order; when all rows
// are filled, each row may be balanced by any thread (reads its neighbours' pressure, writes its own wind).
void demo_weather_begin(struct demo_weather *weather, double hours, int run, double lead_hours);
void demo_weather_fill_row(struct demo_weather *weather, const struct demo_noise *noise, int j);
void demo_weather_balance_row(struct demo_weather *weather, int j);

static inline float *demo_weather_bulk(const struct demo_weather *weather, int j, int m, int i) {
    return weather->bulk + (((long)j * DEMO_NZ + m) * weather->nx + i) * DEMO_BULK_COUNT;
}
static inline float *demo_weather_flat(const struct demo_weather *weather, int j, int i) {
    return weather->flat + ((long)j * weather->nx + i) * DEMO_FLAT_COUNT;
}

#endif
