// SPDX-License-Identifier: Apache-2.0
// One legend of a caption: name, units and precision, the colour bar, ticks. For caption.c.
#ifndef VIRGA_RENDER_CAPTION_LEGEND_H
#define VIRGA_RENDER_CAPTION_LEGEND_H

#include "render/caption.h"
#include "render/lettering.h"
#include "render/scale_ticks.h"

// What is written where, relative to the panel.
struct caption_legend_plan {
    const struct caption_legend *legend;
    int width, height, pad;
    int size, small;                         // of letters, pixels
    int name_width;                          // 0: as wide as it is
    char units[64];                          // "" for none
    char precision[64];                      // "± 0.05 K", "" for none
    int units_x, precision_x, precision_y;
    int difference_y, difference_width;      // 0: not written; 0: as wide as it is
    int name_y, bar_y, bar_height, mark, ticks_y;
    struct scale_ticks ticks;
    int tick_at[SCALE_TICKS_MAX];            // of the mark
    int tick_text[SCALE_TICKS_MAX];          // left end of the text
};

// scale: caption_scale of the picture. width: of the panel.
void caption_legend_plan(struct lettering *lettering, const struct caption_legend *legend, double scale, int width,
                         struct caption_legend_plan *plan);
// On a sheet that covers the panel, which is painted already.
void caption_legend_draw(struct lettering *lettering, struct lettering_sheet *sheet, const struct caption_legend_plan *plan);

#endif
