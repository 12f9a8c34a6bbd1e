// SPDX-License-Identifier: Apache-2.0
#include "render/caption_legend.h"

#include <stdio.h>
#include <string.h>

#include "render/caption_style.h"

enum { TICKS_WANTED = 5, PRECISION_DIGITS = 2 };

static double clamp(double value, double low, double high) { return value > low ? value < high ? value : high : low; }

// ---- Words and places.

// A difference of temperatures in degrees Celsius is one in kelvins.
static const char *difference_units(const char *units) { return strcmp(units, "°C") == 0 ? "K" : units; }

static void write_words(const struct caption_legend *legend, struct caption_legend_plan *plan) {
    const char *units = legend->units && strcmp(legend->units, "1") != 0 ? legend->units : "";
    snprintf(plan->units, sizeof plan->units, "%s", units);
    plan->precision[0] = '\0';
    const double spread = legend->epsilon * fabs(legend->scale);
    if (!(spread > 0) || !isfinite(spread)) return;
    char number[SCALE_NUMBER_TEXT];
    scale_number(spread, PRECISION_DIGITS, number);
    snprintf(plan->precision, sizeof plan->precision, units[0] ? "± %s %s" : "± %s", number, difference_units(units));
}

// What is taken away in a line below the name, precision at its right; where that would be cut, the precision stands below.
static void place_difference(struct lettering *lettering, struct caption_legend_plan *plan, int gap) {
    const struct lettering_style plain = {plan->size, false, 0};
    const int inner = plan->width - 2 * plan->pad, line = lettering_line(plan->size);
    const int difference = lettering_width(lettering, &plain, plan->legend->difference), precision = lettering_width(lettering, &plain, plan->precision);
    const bool below = precision && difference + gap + precision > inner;
    plan->difference_y = plan->name_y + line;
    plan->difference_width = difference > inner ? inner : 0;
    plan->precision_x = below ? plan->pad : plan->width - plan->pad - precision;
    plan->precision_y = plan->difference_y + (below ? line : 0);
}

// Name and units from the left, precision at the right; where the name would be cut, the precision stands below it.
static void place_head(struct lettering *lettering, struct caption_legend_plan *plan, int gap) {
    const struct lettering_style bold = {plan->size, true, 0}, plain = {plan->size, false, 0};
    const int inner = plan->width - 2 * plan->pad, name = lettering_width(lettering, &bold, plan->legend->title);
    const int units = lettering_width(lettering, &plain, plan->units);
    const int precision = lettering_width(lettering, &plain, plan->precision);
    const int beside = units ? units + gap : 0;
    const bool difference = plan->legend->difference && *plan->legend->difference;
    bool below = precision && name + beside + gap + precision > inner;
    below |= difference;
    const int room = inner - beside - (precision && !below ? precision + gap : 0);
    plan->name_width = name > room ? room : 0;
    plan->units_x = plan->pad + (name > room ? room : name) + gap;
    plan->precision_x = below ? plan->pad : plan->width - plan->pad - precision;
    plan->precision_y = plan->name_y + (below ? lettering_line(plan->size) : 0);
    if (difference) place_difference(lettering, plan, gap);
}

// Whether the texts of all ticks stand clear of one another, pushed in from the bar's ends.
static bool place_ticks(struct lettering *lettering, struct caption_legend_plan *plan, double a, double b, int gap) {
    const struct lettering_style style = {plan->small, false, 0};
    const int left = plan->pad, right = plan->width - plan->pad;
    int low = -plan->width, high = 2 * plan->width;  // of the texts so far, whichever way the scale runs
    for (size_t i = 0; i < plan->ticks.count; i++) {
        const double share = (plan->ticks.values[i] - a) / (b - a);
        const int width = lettering_width(lettering, &style, plan->ticks.texts[i]);
        const int at = left + (int)floor(clamp(share, 0, 1) * (right - left - 1) + 0.5);
        const int text = (int)clamp(at - width / 2, left - 2, right + 2 - width);
        if (b > a ? i && text < low + gap : i && text + width > high - gap) return false;
        low = text + width;
        high = text;
        plan->tick_at[i] = at;
        plan->tick_text[i] = text;
    }
    return true;
}

static void choose_ticks(struct lettering *lettering, struct caption_legend_plan *plan, int gap) {
    const struct caption_legend *legend = plan->legend;
    const double a = legend->range[0] * legend->scale + legend->offset, b = legend->range[1] * legend->scale + legend->offset;
    for (unsigned wanted = TICKS_WANTED; wanted; wanted--) {
        scale_ticks(fmin(a, b), fmax(a, b), wanted, &plan->ticks);
        if (place_ticks(lettering, plan, a, b, gap)) return;
    }
    plan->ticks.count = 0;
}

void caption_legend_plan(struct lettering *lettering, const struct caption_legend *legend, double scale, int width,
                         struct caption_legend_plan *plan) {
    *plan = (struct caption_legend_plan){.legend = legend, .width = width, .pad = caption_pixels(12, scale)};
    plan->size = caption_pixels(13, scale);
    plan->small = caption_pixels(12, scale);
    plan->name_y = caption_pixels(6, scale);
    write_words(legend, plan);
    place_head(lettering, plan, caption_pixels(8, scale));
    plan->bar_y = plan->precision_y + lettering_line(plan->size) + caption_pixels(4, scale);
    plan->bar_height = caption_pixels(12, scale);
    plan->mark = caption_pixels(4, scale);
    plan->ticks_y = plan->bar_y + plan->bar_height + plan->mark;
    choose_ticks(lettering, plan, caption_pixels(7, scale));
    const int ticks = plan->mark + lettering_line(plan->small) + caption_pixels(4, scale);
    const int below = plan->ticks.count ? ticks : caption_pixels(9, scale);
    plan->height = plan->bar_y + plan->bar_height + below;
}

// ---- Drawing.

static void entry_at(const struct transfer *transfer, double value, double entry[4]) {
    const double at = clamp((value - transfer->low) / (transfer->high - transfer->low), 0, 1) * (TRANSFER_ENTRIES - 1);
    const int low = at < TRANSFER_ENTRIES - 1 ? (int)at : TRANSFER_ENTRIES - 2;
    for (int c = 0; c < 4; c++) entry[c] = transfer->data[low][c] + (at - low) * (transfer->data[low + 1][c] - transfer->data[low][c]);
}

static double opacity_of(double tau) { return -expm1(-tau); }

static double most_opacity(const struct transfer *transfer) {
    double most = 0;
    for (int i = 0; i < TRANSFER_ENTRIES; i++) most = fmax(most, transfer->data[i][3]);
    return fmax(1e-6, opacity_of(most));
}

// Over a background of 0 to 255, which comes through where there is little opacity.
static void mix(const double entry[4], double most, const double background[3], double rgb[3]) {
    const double share = fmin(1, sqrt(opacity_of(entry[3]) / most));
    for (int c = 0; c < 3; c++) rgb[c] = background[c] + share * (clamp(entry[c], 0, 1) * 255 - background[c]);
}

static uint32_t opaque(const double rgb[3]) {
    uint32_t word = 0xff;
    for (int c = 0; c < 3; c++) word = word << 8 | (uint32_t)(rgb[c] + 0.5);
    return word;
}

// Straight into the sheet's pixels: each column a value's own colour, over a checker that shows through where it is transparent.
static void draw_bar(struct lettering_sheet *sheet, const struct caption_legend_plan *plan) {
    static const double checker[2][3] = {{0x3a, 0x46, 0x52}, {0x25, 0x30, 0x3a}};
    const struct caption_legend *legend = plan->legend;
    const int length = plan->width - 2 * plan->pad, square = plan->bar_height > 8 ? plan->bar_height / 2 : 4;
    const double most = most_opacity(legend->transfer);
    cairo_surface_flush(sheet->surface);
    unsigned char *data = cairo_image_surface_get_data(sheet->surface);
    const size_t stride = (size_t)cairo_image_surface_get_stride(sheet->surface);
    if (!data) return;
    for (int x = 0; x < length; x++) {
        double entry[4], rgb[3];
        entry_at(legend->transfer, legend->range[0] + (x + 0.5) / length * (legend->range[1] - legend->range[0]), entry);
        for (int y = 0; y < plan->bar_height; y++) {
            mix(entry, most, checker[(x / square + y / square) & 1], rgb);
            ((uint32_t *)(void *)(data + (size_t)(plan->bar_y + y) * stride))[plan->pad + x] = opaque(rgb);
        }
    }
    cairo_surface_mark_dirty(sheet->surface);
}

static void draw_ticks(struct lettering *lettering, struct lettering_sheet *sheet, const struct caption_legend_plan *plan) {
    const struct lettering_style style = {plan->small, false, caption_text};
    const int x0 = sheet->area.x, y0 = sheet->area.y, thick = plan->mark > 3 ? plan->mark / 3 : 1;
    for (size_t i = 0; i < plan->ticks.count; i++) {
        int left = plan->tick_at[i] - thick / 2;
        if (left + thick > plan->width - plan->pad) left = plan->width - plan->pad - thick;
        lettering_colour(sheet, caption_muted);
        cairo_rectangle(sheet->cairo, x0 + left, y0 + plan->bar_y + plan->bar_height, thick, plan->mark);
        cairo_fill(sheet->cairo);
        lettering_text(lettering, sheet, &style, plan->ticks.texts[i], x0 + plan->tick_text[i], y0 + plan->ticks_y, 0);
    }
}

void caption_legend_draw(struct lettering *lettering, struct lettering_sheet *sheet, const struct caption_legend_plan *plan) {
    const struct lettering_style name = {plan->size, true, caption_text}, muted = {plan->size, false, caption_muted};
    const int x = sheet->area.x, y = sheet->area.y;
    lettering_text(lettering, sheet, &name, plan->legend->title, x + plan->pad, y + plan->name_y, plan->name_width);
    lettering_text(lettering, sheet, &muted, plan->units, x + plan->units_x, y + plan->name_y, 0);
    if (plan->difference_y) lettering_text(lettering, sheet, &muted, plan->legend->difference, x + plan->pad, y + plan->difference_y, plan->difference_width);
    lettering_text(lettering, sheet, &muted, plan->precision, x + plan->precision_x, y + plan->precision_y, 0);
    draw_bar(sheet, plan);
    draw_ticks(lettering, sheet, plan);
}
