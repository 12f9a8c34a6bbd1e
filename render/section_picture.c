// SPDX-License-Identifier: Apache-2.0
#include "render/section_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/map_colours.h"
#include "render/map_contours_draw.h"
#include "render/map_legend.h"
#include "render/presets.h"
#include "render/scale_ticks.h"

enum { LEFT = 58, RIGHT = 16, TOP = 48, BOTTOM = 56, PAD = 10, LEGEND_ROOM = 150 };

static const struct lettering_style title_style = {15, true, 0x1c232bff}, plain_style = {12, false, 0x47525eff}, tick_style = {11, false, 0x47525eff};
static const uint32_t edge_colour = 0x8b95a0ff, rule_colour = 0xe4e8ecff, faint_colour = 0x00000018, ground_colour = 0x8d8478ff, ground_edge = 0x4f483fff, line_colour = 0x1f6fb4ff,
                      nothing_colour = 0xf3f4f5ff;

// What is under way: the picture, its sheet and where its axes are.
struct plot {
    const struct section_options *options;
    struct image image;
    struct lettering lettering;
    struct lettering_sheet sheet;
    struct lettering_area area;
    double x[2], y[2];  // what the axes go over, from the left and from the bottom
};

static double across(const struct plot *p, double x) { return p->area.x + (x - p->x[0]) / (p->x[1] - p->x[0]) * p->area.width; }
static double up(const struct plot *p, double y) { return p->area.y + p->area.height - (y - p->y[0]) / (p->y[1] - p->y[0]) * p->area.height; }

static struct map_legend_options legend_options(const struct lettering_area *area) {
    return (struct map_legend_options){.height = (unsigned)area->height, .scale = 1, .format = IMAGE_PNG};
}

static int check(const struct section_options *o, struct failure *failure) {
    if (o->width >= SECTION_SIDE_MIN && o->height >= SECTION_SIDE_MIN && o->width <= SECTION_SIDE_MAX && o->height <= SECTION_SIDE_MAX) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "a section is drawn %d to %d pixels wide and high, not %u × %u", SECTION_SIDE_MIN, SECTION_SIDE_MAX, o->width, o->height);
}

static void set_area(const struct section_options *o, int legend, struct lettering_area *area) {
    *area = (struct lettering_area){LEFT, TOP, (int)o->width - LEFT - (legend ? legend : RIGHT), (int)o->height - TOP - BOTTOM};
}

// Narrow pictures have no room for a legend.
static bool has_legend(const struct section_options *o) { return o->width >= 3 * LEGEND_ROOM; }

int section_picture_area(const struct section_options *options, struct lettering_area *area, struct failure *failure) {
    unsigned size[2] = {0, 0};
    int status = check(options, failure);
    if (status) return status;
    set_area(options, 0, area);
    if (!has_legend(options)) return VIRGA_OK;
    const struct map_legend_options legend = legend_options(area);
    status = map_legend_size(options->variable, options->style, &legend, size, failure);
    if (!status) set_area(options, (int)fmin(size[0], options->width / 3) + PAD, area);
    return status;
}

// --- Axes.

static void rule(struct plot *p, double x0, double y0, double x1, double y1, uint32_t colour) {
    lettering_colour(&p->sheet, colour);
    cairo_set_line_width(p->sheet.cairo, 1);
    cairo_move_to(p->sheet.cairo, floor(x0) + 0.5, floor(y0) + 0.5);
    cairo_line_to(p->sheet.cairo, floor(x1) + 0.5, floor(y1) + 0.5);
    cairo_stroke(p->sheet.cairo);
}

static void centred(struct plot *p, const struct lettering_style *style, const char *text, double x, int y) {
    int width = lettering_width(&p->lettering, style, text), most = (int)p->options->width - width - 2;
    int at = (int)lround(x - 0.5 * width);
    lettering_text(&p->lettering, &p->sheet, style, text, at < 2 ? 2 : at > most ? most : at, y, 0);
}

// The axis of heights: ticks in kilometres and their lines.
static void draw_heights(struct plot *p, uint32_t colour) {
    struct scale_ticks ticks;
    scale_ticks(p->y[0] / 1000, p->y[1] / 1000, (unsigned)fmax(2, fmin(6, p->area.height / 50)), &ticks);
    for (size_t n = 0; n < ticks.count; n++) {
        double y = up(p, 1000 * ticks.values[n]);
        int width = lettering_width(&p->lettering, &tick_style, ticks.texts[n]);
        rule(p, p->area.x, y, p->area.x + p->area.width, y, colour);
        rule(p, p->area.x - 4, y, p->area.x, y, edge_colour);
        lettering_text(&p->lettering, &p->sheet, &tick_style, ticks.texts[n], p->area.x - 7 - width, (int)lround(y - 0.5 * lettering_line(tick_style.size)), 0);
    }
    lettering_text(&p->lettering, &p->sheet, &tick_style, p->options->height_title, 6, TOP - lettering_line(tick_style.size) - 2, 0);
}

// Another axis, upright or level, in units of its own: value × scale + offset are written.
static void draw_numbers(struct plot *p, bool upright, const struct preset_units *units, uint32_t colour) {
    struct scale_ticks ticks;
    const double *range = upright ? p->y : p->x;
    double low = range[0] * units->scale + units->offset, high = range[1] * units->scale + units->offset;
    scale_ticks(fmin(low, high), fmax(low, high), (unsigned)fmax(2, fmin(6, (upright ? p->area.height : p->area.width) / 45)), &ticks);
    for (size_t n = 0; n < ticks.count; n++) {
        double value = (ticks.values[n] - units->offset) / units->scale, x = across(p, value), y = up(p, value);
        int line = lettering_line(tick_style.size);
        if (upright) {
            rule(p, p->area.x, y, p->area.x + p->area.width, y, colour);
            lettering_text(&p->lettering, &p->sheet, &tick_style, ticks.texts[n], p->area.x - 7 - lettering_width(&p->lettering, &tick_style, ticks.texts[n]), (int)lround(y - 0.5 * line), 0);
        } else {
            rule(p, x, p->area.y, x, p->area.y + p->area.height, colour);
            rule(p, x, p->area.y + p->area.height, x, p->area.y + p->area.height + 4, edge_colour);
            centred(p, &tick_style, ticks.texts[n], x, p->area.y + p->area.height + 6);
        }
    }
}

static void place_text(const double place[2], char text[64]) {
    double lon = remainder(place[0], 360);
    snprintf(text, 64, "%.2f° %c %.2f° %c", fabs(place[1]), place[1] < 0 ? 'S' : 'N', fabs(lon), lon < 0 ? 'W' : 'E');
}

static void draw_distances(struct plot *p, const struct section_along *along) {
    const struct preset_units km = {.scale = 0.001};
    char first[64], last[64];
    int y = p->area.y + p->area.height + 6 + lettering_line(tick_style.size);
    draw_numbers(p, false, &km, 0);
    place_text(along->ends[0], first);
    place_text(along->ends[1], last);
    int width = lettering_width(&p->lettering, &plain_style, last);
    centred(p, &tick_style, "km", p->area.x + 0.5 * p->area.width, y);
    lettering_text(&p->lettering, &p->sheet, &plain_style, first, p->area.x, y, 0);
    if (2 * width + 60 < p->area.width) lettering_text(&p->lettering, &p->sheet, &plain_style, last, p->area.x + p->area.width - width, y, 0);
}

static void draw_frame(struct plot *p) {
    lettering_colour(&p->sheet, edge_colour);
    cairo_set_line_width(p->sheet.cairo, 1);
    cairo_rectangle(p->sheet.cairo, p->area.x - 0.5, p->area.y - 0.5, p->area.width + 1, p->area.height + 1);
    cairo_stroke(p->sheet.cairo);
}

static void draw_titles(struct plot *p) {
    int room = (int)p->options->width - 2 * PAD, line = lettering_line(title_style.size), title = lettering_width(&p->lettering, &title_style, p->options->title);
    int subtitle = lettering_width(&p->lettering, &plain_style, p->options->subtitle);
    lettering_text(&p->lettering, &p->sheet, &title_style, p->options->title, PAD, 6, title > room ? room : 0);
    bool beside = title + subtitle + 16 <= room;  // else at the foot
    int x = beside ? PAD + title + 16 : PAD, y = beside ? 6 + (line - lettering_line(plain_style.size)) - 1 : (int)p->options->height - lettering_line(plain_style.size) - 2;
    lettering_text(&p->lettering, &p->sheet, &plain_style, p->options->subtitle, x, y, subtitle > room ? room : 0);
}

// --- Begin and end.

static int plot_begin(struct plot *p, const struct section_options *options, const struct lettering_area *area, struct failure *failure) {
    const struct lettering_area all = {0, 0, (int)options->width, (int)options->height};
    *p = (struct plot){.options = options, .area = *area};
    if (image_init(&p->image, options->width, options->height)) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    memset(p->image.pixels, 0xff, (size_t)4 * options->width * options->height);
    lettering_init(&p->lettering);
    if (!lettering_begin(&p->sheet, &all)) return VIRGA_OK;
    lettering_lay(&p->sheet, &p->image);
    lettering_destroy(&p->lettering);
    image_destroy(&p->image);
    return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}

static int plot_end(struct plot *p, int status, uint8_t **bytes, size_t *size, struct failure *failure) {
    const struct image_options encoding = {.format = p->options->format, .quality = p->options->quality};
    draw_frame(p);
    draw_titles(p);
    if (lettering_lay(&p->sheet, &p->image) && !status) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status) status = image_encode(&p->image, &encoding, bytes, size, failure);
    lettering_destroy(&p->lettering);
    image_destroy(&p->image);
    return status;
}

// --- Along a line.

static void put(struct image *image, int x, int y, const uint8_t rgba[4]) {
    uint8_t *pixel = image->pixels + 4 * ((size_t)y * image->width + (size_t)x);
    for (int c = 0; c < 3; c++) pixel[c] = (uint8_t)((pixel[c] * (255 - rgba[3]) + rgba[c] * rgba[3] + 127) / 255);
}

// Colours where the style fills; where there is nothing, a grey.
static void fill(struct plot *p, const struct section_along *along) {
    struct map_colours colours;
    const uint8_t nothing[] = {nothing_colour >> 24, nothing_colour >> 16 & 255, nothing_colour >> 8 & 255, 255};
    const bool fills = !map_style_has_lines(p->options->style) || map_style_fills(p->options->style);
    map_colours_make(p->options->style, &colours);
    for (int y = 0; y < p->area.height; y++)
        for (int x = 0; x < p->area.width; x++) {
            float value = along->values[(size_t)y * along->ny / (size_t)p->area.height * along->nx + (size_t)x * along->nx / (size_t)p->area.width];
            if (isnan(value)) put(&p->image, p->area.x + x, p->area.y + y, nothing);
            else if (fills) put(&p->image, p->area.x + x, p->area.y + y, map_colours_at(&colours, (double)value));
        }
}

static int draw_contours(struct plot *p, const struct section_along *along, struct failure *failure) {
    const struct map_style *style = p->options->style;
    struct map_contours contours = {0};
    struct preset_units units;
    if (!map_style_has_lines(style) || !(style->interval > 0)) return VIRGA_OK;
    presets_units(p->options->variable, "", catalog_is_difference(p->options->variable), &units);
    double sx = (double)p->area.width / (double)along->nx, sy = (double)p->area.height / (double)along->ny;
    const struct map_lattice lattice = {along->values, along->nx, along->ny, {p->area.x + 0.5 * sx - 0.5, p->area.y + 0.5 * sy - 0.5}, {sx, sy}};
    double base = -units.offset / units.scale;  // round in the units that people read
    struct map_contours_looks looks = {.opacity = style->opacity, .halo = map_style_fills(style), .heavy = 5, .scale = 1};
    map_colours_ink(style, looks.ink);
    int status = map_contours_trace(&lattice, base, style->interval, NULL, &contours);
    looks.interval = contours.interval * units.scale;
    cairo_save(p->sheet.cairo);
    cairo_rectangle(p->sheet.cairo, p->area.x, p->area.y, p->area.width, p->area.height);
    cairo_clip(p->sheet.cairo);
    if (!status) status = map_contours_draw(&p->lettering, &p->sheet, &contours, &looks, NULL);
    cairo_restore(p->sheet.cairo);
    map_contours_destroy(&contours);
    return status ? failure_set(failure, VIRGA_NO_MEMORY, "out of memory") : VIRGA_OK;
}

static void draw_ground(struct plot *p, const struct section_along *along) {
    cairo_t *cairo = p->sheet.cairo;
    double step = (double)p->area.width / (double)along->nx, floor_y = p->area.y + p->area.height;
    bool drawn = false;
    cairo_save(cairo);
    cairo_rectangle(cairo, p->area.x, p->area.y, p->area.width, p->area.height);
    cairo_clip(cairo);
    for (size_t n = 0; n <= along->nx; n++) {
        bool there = n < along->nx && isfinite(along->ground[n]);
        double x = p->area.x + (double)n * step;
        if (there && !drawn) cairo_move_to(cairo, x, floor_y + 2);
        if (there) cairo_line_to(cairo, n ? x + 0.5 * step : x, up(p, along->ground[n]));
        if (n + 1 == along->nx && there) cairo_line_to(cairo, x + step, up(p, along->ground[n]));
        if (!there && drawn) cairo_line_to(cairo, x, floor_y + 2);
        drawn = there;
    }
    lettering_colour(&p->sheet, ground_colour);
    cairo_fill_preserve(cairo);
    lettering_colour(&p->sheet, ground_edge);
    cairo_set_line_width(cairo, 1);
    cairo_stroke(cairo);
    cairo_restore(cairo);
}

static void draw_marks(struct plot *p, const struct section_along *along) {
    for (size_t n = 0; n < along->mark_count; n++) {
        double x = across(p, along->marks[n]);
        rule(p, x, p->area.y, x, p->area.y + p->area.height, 0x00000040);
    }
}

// The legend right of the area, as map_legend has it.
static int draw_legend(struct plot *p, struct failure *failure) {
    const struct map_legend_options legend = legend_options(&p->area);
    struct image image;
    if (!has_legend(p->options)) return VIRGA_OK;
    int status = map_legend_image(p->options->variable, p->options->style, &legend, &image, failure);
    if (status) return status;
    int left = p->area.x + p->area.width + PAD;
    for (unsigned y = 0; y < image.height && y + TOP < p->image.height; y++)
        for (unsigned x = 0; x < image.width && x + (unsigned)left < p->image.width; x++)
            put(&p->image, left + (int)x, TOP + (int)y, image.pixels + 4 * ((size_t)y * image.width + x));
    image_destroy(&image);
    return VIRGA_OK;
}

// --- Lines of values.

// A tenth more than what there is on both sides; something where it is all the same.
static void widen(double range[2]) {
    if (!(range[0] <= range[1])) range[0] = 0, range[1] = 1;
    double more = range[1] > range[0] ? 0.05 * (range[1] - range[0]) : fmax(1e-6, 0.01 * fabs(range[0]));
    range[0] -= more;
    range[1] += more;
}

static void include(double range[2], double value) {
    if (!isfinite(value)) return;
    range[0] = fmin(range[0], value);
    range[1] = fmax(range[1], value);
}

struct curve {
    struct plot *plot;
    bool pen;  // is down
};

static void curve_to(struct curve *c, double x, double y) {
    cairo_t *cairo = c->plot->sheet.cairo;
    bool there = isfinite(x) && isfinite(y);
    if (there && c->pen) cairo_line_to(cairo, across(c->plot, x), up(c->plot, y));
    else if (there) cairo_move_to(cairo, across(c->plot, x), up(c->plot, y));
    c->pen = there;
}

static void stroke(struct plot *p, double width) {
    lettering_colour(&p->sheet, line_colour);
    cairo_set_line_width(p->sheet.cairo, width);
    cairo_set_line_join(p->sheet.cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(p->sheet.cairo);
}

static void draw_value_line(struct plot *p, const struct section_along *along) {
    struct curve curve = {.plot = p};
    for (size_t n = 0; n < along->nx; n++) curve_to(&curve, along->length * ((double)n + 0.5) / (double)along->nx, (double)along->values[n]);
    stroke(p, 2);
}

static void draw_units(struct plot *p, const struct preset_units *units, bool upright) {
    if (upright) lettering_text(&p->lettering, &p->sheet, &tick_style, units->label, 6, TOP - lettering_line(tick_style.size) - 2, 0);
    else centred(p, &plain_style, units->label, p->area.x + 0.75 * p->area.width, p->area.y + p->area.height + 6 + lettering_line(tick_style.size));
}

static void draw_surface_values(struct plot *p, const struct section_along *along) {
    struct preset_units units;
    presets_units(p->options->variable, "", catalog_is_difference(p->options->variable), &units);
    p->y[0] = INFINITY, p->y[1] = -INFINITY;
    for (size_t n = 0; n < along->nx; n++) include(p->y, (double)along->values[n]);
    widen(p->y);
    draw_numbers(p, true, &units, rule_colour);
    draw_units(p, &units, true);
    draw_value_line(p, along);
}

int section_picture_along(const struct section_options *options, const struct section_along *along, uint8_t **bytes, size_t *size, struct failure *failure) {
    struct lettering_area area;
    struct plot p;
    *bytes = NULL;
    int status = along->ny ? section_picture_area(options, &area, failure) : check(options, failure);
    if (status) return status;
    if (!along->ny) set_area(options, 0, &area);
    status = plot_begin(&p, options, &area, failure);
    if (status) return status;
    p.x[0] = 0, p.x[1] = along->length > 0 ? along->length : 1;
    p.y[0] = options->bottom, p.y[1] = options->top;
    if (along->ny) {
        fill(&p, along);
        status = draw_contours(&p, along, failure);
        if (along->ground) draw_ground(&p, along);
        draw_heights(&p, faint_colour);
        if (!status) status = draw_legend(&p, failure);
    } else {
        draw_surface_values(&p, along);
    }
    draw_distances(&p, along);
    draw_marks(&p, along);
    return plot_end(&p, status, bytes, size, failure);
}

// --- At a place.

static void draw_points(struct plot *p, const double *heights, const double *values, size_t count) {
    struct curve curve = {.plot = p};
    cairo_save(p->sheet.cairo);
    cairo_rectangle(p->sheet.cairo, p->area.x, p->area.y, p->area.width, p->area.height);
    cairo_clip(p->sheet.cairo);
    for (size_t n = 0; n < count; n++) curve_to(&curve, values[n], heights[n]);
    stroke(p, 2);
    for (size_t n = 0; n < count; n++) {
        if (!isfinite(values[n]) || !isfinite(heights[n])) continue;
        cairo_arc(p->sheet.cairo, across(p, values[n]), up(p, heights[n]), 2.5, 0, 6.2831853);
        cairo_fill(p->sheet.cairo);
    }
    cairo_restore(p->sheet.cairo);
}

int section_picture_profile(const struct section_options *options, const struct section_profile *profile, uint8_t **bytes, size_t *size, struct failure *failure) {
    struct preset_units units;
    char place[64];
    struct lettering_area area;
    struct plot p;
    *bytes = NULL;
    int status = check(options, failure);
    if (status) return status;
    set_area(options, 0, &area);
    status = plot_begin(&p, options, &area, failure);
    if (status) return status;
    presets_units(options->variable, "", catalog_is_difference(options->variable), &units);
    p.x[0] = INFINITY, p.x[1] = -INFINITY;
    p.y[0] = options->bottom, p.y[1] = options->top;
    for (size_t n = 0; n < profile->count; n++)
        if (profile->heights[n] >= options->bottom && profile->heights[n] <= options->top) include(p.x, profile->values[n]);
    widen(p.x);
    draw_heights(&p, rule_colour);
    draw_numbers(&p, false, &units, rule_colour);
    draw_units(&p, &units, false);
    place_text(profile->place, place);
    lettering_text(&p.lettering, &p.sheet, &plain_style, place, area.x, area.y + area.height + 6 + lettering_line(tick_style.size), 0);
    const double twice[2] = {profile->ground, profile->ground};
    const struct section_along below = {.nx = 2, .ground = twice};
    if (isfinite(profile->ground)) draw_ground(&p, &below);
    draw_points(&p, profile->heights, profile->values, profile->count);
    return plot_end(&p, status, bytes, size, failure);
}
