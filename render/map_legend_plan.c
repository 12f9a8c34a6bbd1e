// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/map_legend_private.h"

// Pixels of the screen.
enum { PAD = 8, BAR_THICK = 16, BAR_LONG = 180, BAR_WIDE = 300, MARK = 4, TITLE_SIZE = 12, SMALL_SIZE = 11, ROW = 22, WIND_ROW = 32, WIDE_MOST = 240, WIDE_LEAST = 84 };

static int px(const struct legend_plan *plan, double length) { return (int)lround(length * plan->scale); }

// --- what there is -------------------------------------------------------------------------------------------------------------

static void add_row(struct legend_plan *plan, enum legend_row_kind kind, double speed, const char *number, const char *units, const char *before) {
    struct legend_row *row = &plan->rows[plan->row_count++];
    row->kind = kind;
    row->speed = speed;
    snprintf(row->text, sizeof row->text, "%s%s%s%s", before, number, *units ? " " : "", units);
}

static void add_contours(struct legend_plan *plan, const char *difference_units) {
    char number[SCALE_NUMBER_TEXT];
    scale_number(plan->style->interval * fabs(plan->units.scale), 4, number);
    add_row(plan, LEGEND_CONTOUR, 0, number, difference_units, "every ");
}

static void add_winds(struct legend_plan *plan) {
    static const struct { double knots; const char *text; } barbs[] = {{5, "5"}, {10, "10"}, {50, "50"}};
    if (plan->wind.barbs) {
        for (size_t n = 0; n < 3; n++) add_row(plan, LEGEND_WIND, barbs[n].knots / plan->wind.knots, barbs[n].text, "kt", "");
        return;
    }
    char number[SCALE_NUMBER_TEXT];
    scale_number(plan->wind.longest * plan->units.scale + plan->units.offset, 3, number);
    add_row(plan, LEGEND_WIND, plan->wind.longest, number, plan->units.label, "");
}

static void add_rows(struct legend_plan *plan) {
    const char *units = strcmp(plan->units.label, "°C") == 0 ? "K" : plan->units.label;
    if (map_style_has_lines(plan->style)) add_contours(plan, units);
    if (map_style_is_wind(plan->style)) add_winds(plan);
}

// --- how large -----------------------------------------------------------------------------------------------------------------

static int head_height(const struct legend_plan *plan) { return lettering_line(plan->bold.size) * (plan->options->horizontal || !*plan->units.label ? 1 : 2) + px(plan, 4); }
static int rows_height(const struct legend_plan *plan) { return (int)plan->row_count * plan->row_height; }
static int ticks_across(const struct legend_plan *plan) { return px(plan, MARK) + lettering_line(plan->small.size); }  // of a lying bar

static int longest_text(struct lettering *lettering, const struct legend_plan *plan) {
    const bool beside = plan->options->horizontal && *plan->units.label;
    int most = lettering_width(lettering, &plan->bold, plan->title) + (beside ? px(plan, 8) + lettering_width(lettering, &plan->plain, plan->units.label) : 0);
    for (size_t n = 0; n < plan->row_count; n++) {
        const int row = px(plan, 46) + lettering_width(lettering, &plan->small, plan->rows[n].text);
        if (row > most) most = row;
    }
    return most;
}

static int natural_width(struct lettering *lettering, const struct legend_plan *plan) {
    if (plan->options->bar_only) return px(plan, plan->options->horizontal ? BAR_WIDE : BAR_THICK);
    const int text = longest_text(lettering, plan) + 2 * plan->pad, least = px(plan, plan->options->horizontal && plan->has_bar ? BAR_WIDE : WIDE_LEAST);
    const int most = px(plan, plan->options->horizontal ? BAR_WIDE : WIDE_MOST);
    return text < least ? least : text > most ? most : text;
}

static int natural_height(const struct legend_plan *plan) {
    const bool horizontal = plan->options->horizontal;
    if (plan->options->bar_only) return px(plan, horizontal ? BAR_THICK : BAR_LONG);
    const int bar = !plan->has_bar ? 0 : horizontal ? px(plan, BAR_THICK) + ticks_across(plan) : px(plan, BAR_LONG) + px(plan, 6);
    return 2 * plan->pad + head_height(plan) + bar + rows_height(plan);
}

// --- where ---------------------------------------------------------------------------------------------------------------------

static int widest_tick(struct lettering *lettering, const struct legend_plan *plan) {
    int most = 0;
    for (size_t n = 0; n < plan->tick_count; n++) {
        const int width = lettering_width(lettering, &plan->small, plan->ticks[n].text);
        if (width > most) most = width;
    }
    return most;
}

// Ticks below a lying bar, where there is room for both.
static void place_lying(struct lettering *lettering, struct legend_plan *plan) {
    if (plan->bar.height < px(plan, 5) + ticks_across(plan)) return;
    legend_ticks_make(lettering, plan->bar.width, plan);
    if (plan->tick_count) plan->bar.height -= ticks_across(plan);
}

// Ticks at the right of an upright bar, whose first and last reach beyond its ends by half a line.
static void place_upright(struct lettering *lettering, struct legend_plan *plan) {
    const int over = lettering_line(plan->small.size) / 2 - px(plan, 2), top = plan->has_head ? px(plan, 2) : over;
    legend_ticks_make(lettering, plan->bar.height - top - over, plan);
    const int room = plan->bar.width - px(plan, MARK + 3) - widest_tick(lettering, plan), thick = px(plan, BAR_THICK);
    if (room < px(plan, 5)) plan->tick_count = 0;
    if (!plan->tick_count) return;
    plan->bar.y += top;
    plan->bar.height -= top + over;
    plan->bar.width = thick < room ? thick : room;
}

// Rows go first where there is no room, then the head, then the ticks.
static void place_all(struct lettering *lettering, struct legend_plan *plan) {
    const int inner = plan->height - 2 * plan->pad, least_bar = !plan->has_bar ? 0 : plan->options->horizontal ? px(plan, 6) + ticks_across(plan) : px(plan, 36);
    const bool wide = plan->width - 2 * plan->pad >= px(plan, 40);
    if (!wide || head_height(plan) + least_bar + rows_height(plan) > inner) plan->row_count = 0;
    plan->has_head = wide && head_height(plan) + least_bar <= inner;
    const int head = plan->has_head ? head_height(plan) : 0;
    plan->head_y = plan->pad;
    plan->rows_y = plan->height - plan->pad - rows_height(plan);
    plan->bar = (struct lettering_area){plan->pad, plan->pad + head, plan->width - 2 * plan->pad, plan->rows_y - plan->pad - head};
    if (plan->has_bar && plan->options->horizontal) place_lying(lettering, plan);
    else if (plan->has_bar) place_upright(lettering, plan);
    if (!plan->has_head && !plan->tick_count) plan->bar = (struct lettering_area){0, 0, plan->width, plan->height};
}

void legend_plan_make(struct lettering *lettering, const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options,
                      struct legend_plan *plan) {
    *plan = (struct legend_plan){.style = style, .options = options, .scale = options->scale};
    map_colours_make(style, &plan->colours);
    presets_units(variable, "", false, &plan->units);
    map_wind_looks_make(style, variable, &plan->colours, plan->scale, &plan->wind);
    plan->has_bar = options->bar_only || *style->colour_map;
    const bool counts_knots = plan->wind.barbs && !plan->has_bar;
    plan->pad = options->bar_only ? 0 : px(plan, PAD);
    plan->bold = (struct lettering_style){px(plan, TITLE_SIZE), true, 0x18222eff};
    plan->plain = (struct lettering_style){px(plan, TITLE_SIZE), false, 0x4a5866ff};
    plan->small = (struct lettering_style){px(plan, SMALL_SIZE), false, 0x18222eff};
    plan->row_height = px(plan, map_style_is_wind(style) ? WIND_ROW : ROW);
    if (options->title) snprintf(plan->title, sizeof plan->title, "%s", options->title);
    else presets_title(variable, plan->title);
    if (!options->bar_only) add_rows(plan);
    if (counts_knots) plan->units.label[0] = '\0';  // its rows say so
    plan->width = options->width ? (int)options->width : natural_width(lettering, plan);
    plan->height = options->height ? (int)options->height : natural_height(plan);
    if (options->bar_only) plan->bar = (struct lettering_area){0, 0, plan->width, plan->height};
    else place_all(lettering, plan);
}
