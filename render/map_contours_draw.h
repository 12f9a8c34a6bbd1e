// SPDX-License-Identifier: Apache-2.0
// Contours onto a picture: smooth lines, some heavier, with their values where a label is whole within the picture. One thread.
#ifndef VIRGA_RENDER_MAP_CONTOURS_DRAW_H
#define VIRGA_RENDER_MAP_CONTOURS_DRAW_H

#include "render/lettering.h"
#include "render/map_contours.h"

struct map_contours_looks {
    uint8_t ink[3];
    double opacity;        // of lines and labels
    bool halo;             // a light rim, so that lines are seen on any map
    unsigned heavy;        // lines whose number is a multiple of this are heavier; 0: none
    double scale;          // pixels of the picture for one of the screen
    double base, interval; // of the labels: that of line n is base + n interval, in the units that people read
};

// On a sheet that covers the whole picture. stop: once true it is given up, VIRGA_CANCELLED; or NULL. VIRGA_OK or VIRGA_NO_MEMORY.
int map_contours_draw(struct lettering *lettering, struct lettering_sheet *sheet, const struct map_contours *contours, const struct map_contours_looks *looks,
                      const atomic_bool *stop);
// The ink as lettering_colour takes it.
uint32_t map_contours_colour(const struct map_contours_looks *looks);

#endif
