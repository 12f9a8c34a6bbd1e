// SPDX-License-Identifier: Apache-2.0
#include "render/lettering.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

#ifdef VIRGA_SANITIZED
// What fontconfig caches for Pango's own thread is not found at exit; it does not grow with what is written.
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\n"; }
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
const char *__lsan_default_options(void) { return "print_suppressions=0"; }  // what a program says is the same with sanitizers
#endif

// DejaVu Sans comes with virga's packages; what it lacks, and where it is missing, fontconfig fills in.
static const char family[] = "DejaVu Sans, sans-serif";

// Grey antialiasing (coloured fringes are wrong on pictures that are scaled or filmed) and whole-pixel advances, whatever the
// desktop's settings.
static void set_options(PangoContext *context) {
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_ON);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
}

void lettering_init(struct lettering *lettering) {
    PangoContext *context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    set_options(context);
    pango_context_set_language(context, pango_language_from_string("en"));
    lettering->layout = pango_layout_new(context);
    lettering->font = pango_font_description_from_string(family);
    g_object_unref(context);
    // Text that runs from right to left is shaped as it should be but stands where the other would.
    pango_layout_set_auto_dir(lettering->layout, FALSE);
    pango_layout_set_single_paragraph_mode(lettering->layout, TRUE);
}

void lettering_destroy(struct lettering *lettering) {
    pango_font_description_free(lettering->font);
    g_object_unref(lettering->layout);
}

static void set_text(struct lettering *lettering, const struct lettering_style *style, const char *text, int width) {
    char clean[LETTERING_TEXT_MAX];
    size_t n = strnlen(text, sizeof clean - 1);
    while (n && (text[n] & 0xc0) == 0x80) n--;  // no half character at the end
    memcpy(clean, text, n);
    clean[n] = '\0';
    utf8_clean(clean);
    pango_font_description_set_absolute_size(lettering->font, (double)style->size * PANGO_SCALE);
    pango_font_description_set_weight(lettering->font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(lettering->layout, lettering->font);
    pango_layout_set_ellipsize(lettering->layout, width > 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
    pango_layout_set_width(lettering->layout, width > 0 ? width * PANGO_SCALE : -1);
    pango_layout_set_text(lettering->layout, clean, -1);
}

int lettering_width(struct lettering *lettering, const struct lettering_style *style, const char *text) {
    if (!text[0]) return 0;
    set_text(lettering, style, text, 0);
    int width, height;
    pango_layout_get_pixel_size(lettering->layout, &width, &height);
    return width;
}

int lettering_line(int size) { return (int)lround(size * 1.4); }

int lettering_baseline(int size) { return (int)lround(0.5 * lettering_line(size) + 0.365 * size); }

int lettering_begin(struct lettering_sheet *sheet, const struct lettering_area *area) {
    sheet->area = *area;
    sheet->surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, area->width, area->height);
    sheet->cairo = cairo_create(sheet->surface);
    cairo_translate(sheet->cairo, -area->x, -area->y);
    return cairo_status(sheet->cairo) ? VIRGA_NO_MEMORY : VIRGA_OK;
}

static uint8_t rounded(uint32_t value, uint32_t whole) { return (uint8_t)((value + whole / 2) / whole); }

// over: alpha and colours times alpha, 8 bits each, alpha highest, as Cairo has them.
static void blend(uint8_t pixel[4], uint32_t over) {
    const uint32_t alpha = over >> 24, rest = (255 - alpha) * pixel[3], whole = alpha * 255 + rest;
    if (!alpha) return;
    for (int c = 0; c < 3; c++) {
        const uint32_t colour = over >> (16 - 8 * c) & 255, sum = colour * 65025 + pixel[c] * rest;
        pixel[c] = sum >= 255 * whole ? 255 : rounded(sum, whole);
    }
    pixel[3] = rounded(whole, 255);
}

static int later(int a, int b) { return a > b ? a : b; }
static int sooner(int a, int b) { return a < b ? a : b; }

static void lay_over(const struct lettering_sheet *sheet, struct image *image) {
    const struct lettering_area *area = &sheet->area;
    const unsigned char *data = cairo_image_surface_get_data(sheet->surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(sheet->surface);
    const int x0 = later(area->x, 0), x1 = sooner(area->x + area->width, (int)image->width);
    const int y0 = later(area->y, 0), y1 = sooner(area->y + area->height, (int)image->height);
    for (int y = y0; y < y1; y++) {
        const uint32_t *over = (const void *)(data + (size_t)(y - area->y) * stride);
        uint8_t *row = image->pixels + (size_t)y * image->width * 4;
        for (int x = x0; x < x1; x++) blend(row + 4 * (size_t)x, over[x - area->x]);
    }
}

int lettering_lay(struct lettering_sheet *sheet, struct image *image) {
    cairo_surface_flush(sheet->surface);
    const bool drawn = !cairo_status(sheet->cairo) && !cairo_surface_status(sheet->surface);
    if (drawn) lay_over(sheet, image);
    cairo_destroy(sheet->cairo);
    cairo_surface_destroy(sheet->surface);
    return drawn ? VIRGA_OK : VIRGA_NO_MEMORY;
}

void lettering_colour(struct lettering_sheet *sheet, uint32_t colour) {
    cairo_set_source_rgba(sheet->cairo, (colour >> 24) / 255.0, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                          (colour & 255) / 255.0);
}

void lettering_text(struct lettering *lettering, struct lettering_sheet *sheet, const struct lettering_style *style,
                    const char *text, int x, int y, int width) {
    if (!text[0]) return;
    set_text(lettering, style, text, width);
    lettering_colour(sheet, style->colour);
    cairo_move_to(sheet->cairo, x, y + lettering_baseline(style->size));
    pango_cairo_show_layout_line(sheet->cairo, pango_layout_get_line_readonly(lettering->layout, 0));
}

void lettering_rimmed(struct lettering *lettering, struct lettering_sheet *sheet, const struct lettering_style *style,
                      const char *text, int x, int y, double rim, uint32_t rim_colour) {
    if (!text[0]) return;
    set_text(lettering, style, text, 0);
    PangoLayoutLine *line = pango_layout_get_line_readonly(lettering->layout, 0);
    cairo_move_to(sheet->cairo, x, y + lettering_baseline(style->size));
    pango_cairo_layout_line_path(sheet->cairo, line);
    cairo_set_line_join(sheet->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(sheet->cairo, 2 * rim);
    lettering_colour(sheet, rim_colour);
    cairo_stroke(sheet->cairo);
    lettering_colour(sheet, style->colour);
    cairo_move_to(sheet->cairo, x, y + lettering_baseline(style->size));
    pango_cairo_show_layout_line(sheet->cairo, line);
}

// Along the middle of the edge, so that a thin one is sharp.
static void trace_panel(cairo_t *cairo, const struct lettering_area *area, double radius, double inset) {
    const double left = area->x + inset, top = area->y + inset, right = area->x + area->width - inset, bottom = area->y + area->height - inset;
    const double quarter = acos(0), r = fmax(0, radius - inset);
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, right - r, top + r, r, -quarter, 0);
    cairo_arc(cairo, right - r, bottom - r, r, 0, quarter);
    cairo_arc(cairo, left + r, bottom - r, r, quarter, 2 * quarter);
    cairo_arc(cairo, left + r, top + r, r, 2 * quarter, 3 * quarter);
    cairo_close_path(cairo);
}

void lettering_panel(struct lettering_sheet *sheet, double radius, double edge, uint32_t colour, uint32_t edge_colour) {
    trace_panel(sheet->cairo, &sheet->area, radius, 0);
    lettering_colour(sheet, colour);
    cairo_fill(sheet->cairo);
    trace_panel(sheet->cairo, &sheet->area, radius, edge / 2);
    cairo_set_line_width(sheet->cairo, edge);
    lettering_colour(sheet, edge_colour);
    cairo_stroke(sheet->cairo);
}
