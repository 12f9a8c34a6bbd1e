// SPDX-License-Identifier: Apache-2.0
// Line segments over the ground of a tile, of an even width in pixels (web/shaders/line.*.glsl). Private to the basemap.
#ifndef VIRGA_RENDER_LINE_DRAW_H
#define VIRGA_RENDER_LINE_DRAW_H

#include "render/ground_raster.h"
#include "render/map_lines.h"

struct line_style { float ink[4]; float width; };  // sRGB and opacity, pixels

// A picture's segments: where they are in it, in runs with the rectangle around each.
struct shown_lines {
    size_t count;
    struct shown_segment { float x[2], y[2], near[2]; } *segments;
    struct shown_run { size_t count; float low[2], high[2]; } *runs;
};
enum { SHOWN_RUN = 64 };

// Room for lines' segments. VIRGA_OK or VIRGA_NO_MEMORY.
int shown_lines_init(struct shown_lines *shown, const struct map_lines *lines);
void shown_lines_destroy(struct shown_lines *shown);  // a zeroed one is allowed
size_t shown_lines_runs(const struct shown_lines *shown);
// Places one run in the picture. Different runs may be placed by different threads.
void shown_lines_place(struct shown_lines *shown, const struct map_lines *lines, const struct ground_camera *camera,
                       double exaggeration, size_t run);

// What lines put over a tile: ink[height][width][4], colour times alpha; over what is in it, or if there is nothing yet. share: room for the tile's pixels.
// False where they do not touch the tile, and nothing was done.
bool line_draw(const struct shown_lines *shown, const struct line_style *style, const struct ground_camera *camera,
               const struct ground_raster *raster, float *share, float *ink, bool over);

#endif
