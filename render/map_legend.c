// SPDX-License-Identifier: Apache-2.0
#include "render/map_legend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/map_contours_draw.h"
#include "render/map_legend_private.h"

static const uint32_t edge_colour = 0x4a586699, mark_colour = 0x4a5866ff;

static int px(const struct legend_plan *plan, double length) { return (int)lround(length * plan->scale); }

// --- the bar -------------------------------------------------------------------------------------------------------------------

// How much of a bar's length a pointed end takes; 0 where what lies beyond is clear.
static double point_length(const struct legend_plan *plan, const struct map_beyond *beyond, int length, int across) {
    return plan->options->bar_only || beyond->kind == MAP_TRANSPARENT || across < 6 || length < 6 * across ? 0 : 0.5 * across;
}

struct bar {
    const struct lettering_area *area;
    bool upright;
    double length, across, low, high;  // the range's colours stand from low to length − high
};

static struct bar bar_of(const struct legend_plan *plan) {
    const struct lettering_area *area = &plan->bar;
    struct bar bar = {.area = area, .upright = !plan->options->horizontal};
    bar.length = bar.upright ? area->height : area->width;
    bar.across = bar.upright ? area->width : area->height;
    bar.low = point_length(plan, &plan->style->below, (int)bar.length, (int)bar.across);
    bar.high = point_length(plan, &plan->style->above, (int)bar.length, (int)bar.across);
    return bar;
}

// Pixels from the bar's low end for a share of the range.
static double bar_at(const struct bar *bar, double share) { return bar->low + share * (bar->length - bar->low - bar->high); }

static void bar_point(const struct bar *bar, double along, double across, double at[2]) {
    at[0] = bar->area->x + (bar->upright ? across : along);
    at[1] = bar->upright ? bar->area->y + bar->area->height - along : bar->area->y + across;
}

static void bar_line_to(cairo_t *cairo, const struct bar *bar, double along, double across) {
    double at[2];
    bar_point(bar, along, across, at);
    cairo_line_to(cairo, at[0], at[1]);
}

// Around the bar, `in` pixels inside of its edge.
static void trace_bar(cairo_t *cairo, const struct bar *bar, double in) {
    cairo_new_path(cairo);
    bar_line_to(cairo, bar, bar->low + in * (bar->low > 0 ? 0.4 : 1), in);
    if (bar->low > 0) bar_line_to(cairo, bar, 1.4 * in, 0.5 * bar->across);
    bar_line_to(cairo, bar, bar->low + in * (bar->low > 0 ? 0.4 : 1), bar->across - in);
    bar_line_to(cairo, bar, bar->length - bar->high - in * (bar->high > 0 ? 0.4 : 1), bar->across - in);
    if (bar->high > 0) bar_line_to(cairo, bar, bar->length - 1.4 * in, 0.5 * bar->across);
    bar_line_to(cairo, bar, bar->length - bar->high - in * (bar->high > 0 ? 0.4 : 1), in);
    cairo_close_path(cairo);
}

static const uint8_t *bar_colour(const struct legend_plan *plan, const struct bar *bar, double along) {
    const double share = (along - bar->low) / (bar->length - bar->low - bar->high);
    const unsigned bands = plan->colours.scale.bands;
    if (share < 0) return plan->colours.palette[MAP_SCALE_BELOW];
    if (share >= 1) return plan->colours.palette[MAP_SCALE_FIRST + bands];
    return plan->colours.palette[MAP_SCALE_FIRST + (unsigned)(share * bands)];
}

// One pixel's thickness of a bar's length: a colour, over squares where it lets through what is below.
static void draw_slice(cairo_t *cairo, const struct legend_plan *plan, const struct bar *bar, int n) {
    const uint8_t *rgba = bar_colour(plan, bar, n + 0.5);
    const int square = px(plan, 4);
    double a[2], b[2];
    for (int from = 0; rgba[3] < 255 && from < bar->across; from += square) {
        const double grey = (n / square + from / square) & 1 ? 0.82 : 0.95;
        bar_point(bar, n, from, a);
        bar_point(bar, n + 1, fmin(bar->across, from + square), b);
        cairo_set_source_rgb(cairo, grey, grey, grey);
        cairo_rectangle(cairo, fmin(a[0], b[0]), fmin(a[1], b[1]), fabs(a[0] - b[0]), fabs(a[1] - b[1]));
        cairo_fill(cairo);
    }
    bar_point(bar, n, 0, a);
    bar_point(bar, n + 1, bar->across, b);
    cairo_set_source_rgba(cairo, rgba[0] / 255.0, rgba[1] / 255.0, rgba[2] / 255.0, rgba[3] / 255.0);
    cairo_rectangle(cairo, fmin(a[0], b[0]), fmin(a[1], b[1]), fabs(a[0] - b[0]), fabs(a[1] - b[1]));
    cairo_fill(cairo);
}

static void draw_bar(struct lettering_sheet *sheet, const struct legend_plan *plan) {
    const struct bar bar = bar_of(plan);
    cairo_t *cairo = sheet->cairo;
    cairo_save(cairo);
    trace_bar(cairo, &bar, 0);
    cairo_clip(cairo);
    for (int n = 0; n < bar.length; n++) draw_slice(cairo, plan, &bar, n);
    cairo_restore(cairo);
    if (plan->options->bar_only) return;
    trace_bar(cairo, &bar, 0.5 * plan->scale);
    cairo_set_line_width(cairo, plan->scale);
    lettering_colour(sheet, edge_colour);
    cairo_stroke(cairo);
}

static int clamp(int value, int low, int high) { return value > high ? high : value < low ? low : value; }

static void draw_tick(struct lettering *lettering, struct lettering_sheet *sheet, const struct legend_plan *plan, const struct bar *bar, const struct legend_tick *tick) {
    const int mark = px(plan, 4), line = lettering_line(plan->small.size), width = lettering_width(lettering, &plan->small, tick->text);
    double at[2];
    bar_point(bar, bar_at(bar, tick->share), bar->across, at);
    const int thick = px(plan, 1), x = (int)floor(at[0]), y = (int)floor(at[1]);
    lettering_colour(sheet, mark_colour);
    if (bar->upright) cairo_rectangle(sheet->cairo, x, clamp(y - thick / 2, bar->area->y, bar->area->y + bar->area->height - thick), mark, thick);
    else cairo_rectangle(sheet->cairo, clamp(x - thick / 2, bar->area->x, bar->area->x + bar->area->width - thick), y, thick, mark);
    cairo_fill(sheet->cairo);
    if (bar->upright) lettering_text(lettering, sheet, &plan->small, tick->text, x + mark + px(plan, 3), y - line / 2, plan->width - x - mark - px(plan, 3));
    else lettering_text(lettering, sheet, &plan->small, tick->text, clamp(x - width / 2, 1, plan->width - width - 1), y + mark, 0);
}

// --- words and samples ---------------------------------------------------------------------------------------------------------

static void draw_head(struct lettering *lettering, struct lettering_sheet *sheet, const struct legend_plan *plan) {
    const int inner = plan->width - 2 * plan->pad, line = lettering_line(plan->bold.size), title = lettering_width(lettering, &plan->bold, plan->title);
    const int units = lettering_width(lettering, &plan->plain, plan->units.label), gap = units ? px(plan, 8) : 0;
    if (!plan->options->horizontal) {
        lettering_text(lettering, sheet, &plan->bold, plan->title, plan->pad, plan->head_y, title > inner ? inner : 0);
        lettering_text(lettering, sheet, &plan->plain, plan->units.label, plan->pad, plan->head_y + line, units > inner ? inner : 0);
        return;
    }
    const int room = inner - units - gap, shown = title > room ? room : title;
    lettering_text(lettering, sheet, &plan->bold, plan->title, plan->pad, plan->head_y, title > room ? room : 0);
    lettering_text(lettering, sheet, &plan->plain, plan->units.label, plan->pad + shown + gap, plan->head_y, 0);
}

static void draw_contour(struct lettering_sheet *sheet, const struct legend_plan *plan, double y) {
    struct map_contours_looks looks = {.opacity = plan->style->opacity};
    map_colours_ink(plan->style, looks.ink);
    lettering_colour(sheet, map_contours_colour(&looks));
    cairo_set_line_width(sheet->cairo, 1.2 * plan->scale);
    cairo_move_to(sheet->cairo, plan->pad, y);
    cairo_line_to(sheet->cairo, plan->pad + px(plan, 34), y);
    cairo_stroke(sheet->cairo);
}

// From the west, so that feathers are seen as on a chart of the northern hemisphere.
static void draw_wind(struct lettering_sheet *sheet, const struct legend_plan *plan, double y, double speed) {
    const double west = 3 * acos(0);
    if (plan->wind.barbs) map_wind_symbol(sheet, &plan->wind, plan->pad + px(plan, 32), y + px(plan, 4), west, speed, false);
    else map_wind_symbol(sheet, &plan->wind, plan->pad + px(plan, 19), y, west, speed, false);
}

static void draw_row(struct lettering *lettering, struct lettering_sheet *sheet, const struct legend_plan *plan, size_t n) {
    const struct legend_row *row = &plan->rows[n];
    const int top = plan->rows_y + (int)n * plan->row_height;
    const double y = top + 0.5 * plan->row_height;
    if (row->kind == LEGEND_CONTOUR) draw_contour(sheet, plan, y);
    else draw_wind(sheet, plan, y, row->speed);
    const int x = plan->pad + px(plan, 44), width = lettering_width(lettering, &plan->small, row->text), room = plan->width - plan->pad - x;
    if (room > px(plan, 12)) lettering_text(lettering, sheet, &plan->small, row->text, x, (int)lround(y - 0.5 * lettering_line(plan->small.size)), width > room ? room : 0);
}

// --- all -----------------------------------------------------------------------------------------------------------------------

static void draw_all(struct lettering *lettering, struct lettering_sheet *sheet, const struct legend_plan *plan) {
    const struct map_legend_options *options = plan->options;
    if (!options->transparent || options->format == IMAGE_JPEG) {
        lettering_colour(sheet, 0xffffffff);
        cairo_paint(sheet->cairo);
    }
    if (plan->has_head) draw_head(lettering, sheet, plan);
    if (plan->has_bar) draw_bar(sheet, plan);
    const struct bar bar = bar_of(plan);
    for (size_t n = 0; n < plan->tick_count; n++) draw_tick(lettering, sheet, plan, &bar, &plan->ticks[n]);
    for (size_t n = 0; n < plan->row_count; n++) draw_row(lettering, sheet, plan, n);
}

static int draw(struct lettering *lettering, const struct legend_plan *plan, struct image *image, struct failure *failure) {
    const struct lettering_area all = {0, 0, plan->width, plan->height};
    struct lettering_sheet sheet;
    int status = image_init(image, (unsigned)plan->width, (unsigned)plan->height);
    if (status) return failure_set(failure, VIRGA_NO_MEMORY, "legend: out of memory");
    status = lettering_begin(&sheet, &all);
    if (!status) draw_all(lettering, &sheet, plan);
    if (!lettering_lay(&sheet, image) && !status) return VIRGA_OK;
    image_destroy(image);
    return failure_set(failure, VIRGA_NO_MEMORY, "legend: out of memory");
}

static int check(const struct map_legend_options *options, struct failure *failure) {
    if (options->width > MAP_LEGEND_SIDE_MAX || options->height > MAP_LEGEND_SIDE_MAX)
        return failure_set(failure, VIRGA_INVALID, "a legend is at most %d pixels wide and high, not %u x %u", MAP_LEGEND_SIDE_MAX, options->width, options->height);
    if (!(options->scale >= 1 && options->scale <= MAP_LEGEND_SCALE_MAX))
        return failure_set(failure, VIRGA_INVALID, "letters of a legend are 1 to %d times as large as usual", MAP_LEGEND_SCALE_MAX);
    return VIRGA_OK;
}

static struct legend_plan *plan_new(struct lettering *lettering, const struct catalog_variable *variable, const struct map_style *style,
                                    const struct map_legend_options *options) {
    struct legend_plan *plan = malloc(sizeof *plan);
    if (plan) legend_plan_make(lettering, variable, style, options, plan);
    return plan;
}

int map_legend_image(const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options, struct image *image,
                     struct failure *failure) {
    *image = (struct image){0};
    int status = check(options, failure);
    if (status) return status;
    struct lettering lettering;
    lettering_init(&lettering);
    struct legend_plan *plan = plan_new(&lettering, variable, style, options);
    status = plan ? draw(&lettering, plan, image, failure) : failure_set(failure, VIRGA_NO_MEMORY, "legend: out of memory");
    free(plan);
    lettering_destroy(&lettering);
    return status;
}

int map_legend_draw(const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options,
                    uint8_t **bytes, size_t *size, struct failure *failure) {
    const struct image_options encode = {.format = options->format, .quality = options->quality};
    struct image image;
    *bytes = NULL;
    *size = 0;
    int status = map_legend_image(variable, style, options, &image, failure);
    if (!status) status = image_encode(&image, &encode, bytes, size, failure);
    image_destroy(&image);
    return status;
}

int map_legend_size(const struct catalog_variable *variable, const struct map_style *style, const struct map_legend_options *options,
                    unsigned size[2], struct failure *failure) {
    int status = check(options, failure);
    if (status) return status;
    struct lettering lettering;
    lettering_init(&lettering);
    struct legend_plan *plan = plan_new(&lettering, variable, style, options);
    if (plan) size[0] = (unsigned)plan->width, size[1] = (unsigned)plan->height;
    else status = failure_set(failure, VIRGA_NO_MEMORY, "legend: out of memory");
    free(plan);
    lettering_destroy(&lettering);
    return status;
}
