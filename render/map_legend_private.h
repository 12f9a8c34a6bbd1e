// SPDX-License-Identifier: Apache-2.0
// A legend's plan: what stands where. For the map_legend_* files.
#ifndef VIRGA_RENDER_MAP_LEGEND_PRIVATE_H
#define VIRGA_RENDER_MAP_LEGEND_PRIVATE_H

#include "render/lettering.h"
#include "render/map_colours.h"
#include "render/map_legend.h"
#include "render/map_wind_draw.h"
#include "render/presets.h"
#include "render/scale_ticks.h"

enum { LEGEND_TICKS_MAX = 256, LEGEND_ROWS_MAX = 4, LEGEND_ROW_TEXT = 128 };

struct legend_tick {
    double share;  // along the bar, 0 at the range's low end
    char text[SCALE_NUMBER_TEXT];
};

enum legend_row_kind { LEGEND_CONTOUR, LEGEND_WIND };

// A sample and what it means.
struct legend_row {
    enum legend_row_kind kind;
    double speed;  // of a wind, in the variable's units
    char text[LEGEND_ROW_TEXT];
};

struct legend_plan {
    const struct map_style *style;
    const struct map_legend_options *options;
    struct map_colours colours;
    struct preset_units units;
    struct map_wind_looks wind;
    double scale;
    char title[PRESET_TITLE_TEXT];
    int width, height, pad;
    bool has_bar, has_head;
    struct lettering_area bar;  // with its pointed ends
    int head_y, rows_y, row_height;
    size_t tick_count, row_count;
    struct legend_tick ticks[LEGEND_TICKS_MAX];
    struct legend_row rows[LEGEND_ROWS_MAX];
    struct lettering_style bold, plain, small;
};

void legend_plan_make(struct lettering *lettering, const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options,
                      struct legend_plan *plan);
// Marks along the bar whose texts keep clear of one another on a bar so many pixels long (0: none).
void legend_ticks_make(struct lettering *lettering, int length, struct legend_plan *plan);

#endif
