// SPDX-License-Identifier: Apache-2.0
// Sections through the atmosphere as pictures with axes: colours and contours over distance and height, or a line of values over height or distance. Any thread.
#ifndef VIRGA_RENDER_SECTION_PICTURE_H
#define VIRGA_RENDER_SECTION_PICTURE_H

#include "field/catalog.h"
#include "render/image.h"
#include "render/lettering.h"
#include "render/map_style.h"

enum { SECTION_SIDE_MIN = 200, SECTION_SIDE_MAX = 2048 };  // pixels

struct section_options {
    unsigned width, height;  // SECTION_SIDE_MIN to SECTION_SIDE_MAX
    enum image_format format;
    int quality;             // JPEG
    const char *title, *subtitle;
    const struct catalog_variable *variable;
    const struct map_style *style;  // complete
    const char *height_title;       // of the axis of heights: "km above sea level"
    double bottom, top;             // metres that it shows, bottom < top; not looked at where there are no heights
};

// Where the values of a section are drawn, in pixels of the picture: with them it is known how many are wanted. VIRGA_OK or VIRGA_INVALID (sides; the message says which).
int section_picture_area(const struct section_options *options, struct lettering_area *area, struct failure *failure);

struct section_along {
    double length;         // metres from the left to the right edge
    size_t nx, ny;         // values across and down, evenly spread, each in the middle of its piece
    const float *values;   // [ny][nx], from `top` down, in the variable's units; NaN: none. ny of 0: [nx], of a variable without heights
    const double *ground;  // [nx] metres; or NULL
    const double *marks;   // metres along, where the line bends
    size_t mark_count;
    double ends[2][2];     // longitude and latitude of the first and last place
};
// *bytes is the caller's, freed with free(); NULL where it failed. VIRGA_OK, VIRGA_NO_MEMORY, VIRGA_INVALID.
int section_picture_along(const struct section_options *options, const struct section_along *along, uint8_t **bytes, size_t *size, struct failure *failure);

struct section_profile {
    double place[2];  // longitude and latitude
    size_t count;
    const double *heights, *values;  // heights rise; where either is NaN there is no point
    double ground;                   // metres, or NaN
};
// Values over height at one place.
int section_picture_profile(const struct section_options *options, const struct section_profile *profile, uint8_t **bytes, size_t *size, struct failure *failure);

#endif
