// SPDX-License-Identifier: Apache-2.0
// The light of a picture: the sun by date and place, or where the view puts it; the page's is web/layers/light.js and sun.js. Pure.
#ifndef VIRGA_RENDER_LIGHT_H
#define VIRGA_RENDER_LIGHT_H

#include <stdbool.h>

#include "render/view.h"

struct light {
    double direction[3];           // to the light, in the shown scene; of length 1
    double colour[3], ambient[3];  // factors of the sRGB-encoded colours
    double sky_top[3], sky_low[3]; // sRGB-encoded, 0 to 1
    bool shadows, night;
    double azimuth, elevation;     // of the sun, degrees; azimuth from north through east
};

// seconds since 1970 UTC; lon, lat of the scene's middle in degrees; north: angle of true north from scene Y, clockwise, degrees.
void light_init(struct light *light, const struct view *view, double seconds, double lon, double lat, double north);
// Where the sun stands, by NOAA's low-precision formulas (0.01 degree between 1950 and 2050). Degrees.
void sun_position(double seconds, double lon, double lat, double *azimuth, double *elevation);

#endif
