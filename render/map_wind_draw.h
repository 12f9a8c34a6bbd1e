// SPDX-License-Identifier: Apache-2.0
// One wind symbol onto a picture. For map_wind.h; one thread.
#ifndef VIRGA_RENDER_MAP_WIND_DRAW_H
#define VIRGA_RENDER_MAP_WIND_DRAW_H

#include "render/lettering.h"
#include "render/map_colours.h"
#include "render/map_wind.h"

#define MAP_WIND_KNOTS (3600 / 1852.0)  // of 1 m/s
#define MAP_WIND_CALM 1.0               // kt: below it there is a circle; up to 2.5 kt the staff alone
enum { MAP_WIND_FIVES_MAX = 60 };       // steps of 5 kt that are drawn at most: what is faster than any wind
enum { MAP_WIND_REACH = 32 };           // pixels of the screen that a symbol reaches from its place at most

struct map_wind_looks {
    bool barbs;             // else arrows
    uint8_t ink[3];
    const struct map_colours *colours;  // by speed; or NULL: the ink
    double opacity, scale;  // scale: pixels of the picture for one of the screen
    double knots;           // of one of the speed's units
    double longest;         // speed from which on an arrow does not grow
};

void map_wind_looks_make(const struct map_style *style, const struct catalog_variable *variable, const struct map_colours *colours, double scale,
                         struct map_wind_looks *looks);

// At a pixel. from: where the wind comes from, radians clockwise from the top of the picture. speed: in the variable's units. Nothing where either is not finite.
void map_wind_symbol(struct lettering_sheet *sheet, const struct map_wind_looks *looks, double x, double y, double from, double speed, bool south);

#endif
