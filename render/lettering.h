// SPDX-License-Identifier: Apache-2.0
// Text, panels and lines onto a picture, through Cairo and Pango; for caption.c and label.c. Everything is drawn on a sheet that
// covers a part of the picture and is then laid over it. One thread; its font map is its own. Out of memory within Pango's few
// kilobytes ends the process, as GLib has it.
#ifndef VIRGA_RENDER_LETTERING_H
#define VIRGA_RENDER_LETTERING_H

#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdint.h>

#include "render/image.h"

struct lettering {
    PangoLayout *layout;
    PangoFontDescription *font;
};

struct lettering_area {
    int x, y, width, height;  // pixels of the picture
};

// Part of a picture that is being drawn on; coordinates are the picture's.
struct lettering_sheet {
    struct lettering_area area;
    cairo_surface_t *surface;
    cairo_t *cairo;
};

struct lettering_style {
    int size;         // pixels
    bool bold;
    uint32_t colour;  // 0xrrggbbaa
};

enum { LETTERING_TEXT_MAX = 1024 };  // bytes of a text that are looked at

void lettering_init(struct lettering *lettering);
void lettering_destroy(struct lettering *lettering);

// Width of a text in one line, in pixels.
int lettering_width(struct lettering *lettering, const struct lettering_style *style, const char *text);
// Pixels between lines, and from a line's top to its baseline: of the size alone, so that no odd character moves what stands
// below.
int lettering_line(int size);
int lettering_baseline(int size);

// A clear sheet. VIRGA_OK or VIRGA_NO_MEMORY; either way it must be laid.
int lettering_begin(struct lettering_sheet *sheet, const struct lettering_area *area);
// Lays the sheet over the picture, colours blended as they are encoded, and frees it; what lies outside is cut. VIRGA_OK or
// VIRGA_NO_MEMORY (nothing was drawn).
int lettering_lay(struct lettering_sheet *sheet, struct image *image);

// One line from x, its line box's top at y; what is wider than `width` (0: any) ends in "…". Line ends and control characters are
// spaces.
void lettering_text(struct lettering *lettering, struct lettering_sheet *sheet, const struct lettering_style *style,
                    const char *text, int x, int y, int width);
// The same with a rim around the glyphs.
void lettering_rimmed(struct lettering *lettering, struct lettering_sheet *sheet, const struct lettering_style *style,
                      const char *text, int x, int y, double rim, uint32_t rim_colour);
void lettering_colour(struct lettering_sheet *sheet, uint32_t colour);
// Fills the whole sheet with a panel of rounded corners and a thin edge.
void lettering_panel(struct lettering_sheet *sheet, double radius, double edge, uint32_t colour, uint32_t edge_colour);

#endif
