// SPDX-License-Identifier: Apache-2.0
#include "render/map_wind_draw.h"

#include <math.h>

#include "field/cf_units.h"

// Of barbs, in pixels of the screen: as WMO's figures have them, a feather 0.4 of the staff, two of them a little over a tenth apart.
static const double staff = 27, feather = 11, slant = 4.5, apart = 4.4, pennant = 5.5, calm_radius = 3.5, line = 1.25, rim = 1.3;
static const double thin_rim = 0.8, more = 0.75;  // of symbols in colours, which are thicker
static const double arrow_most = 36, arrow_least = 7, head_most = 8;
static const uint32_t halo = 0xffffffa6, dark_rim = 0x141d29a6;

struct symbol_place {
    double x, y;       // pixels
    double along[2];   // unit vector on the picture towards where the wind comes from
    bool south;        // of the equator
};

static void colour(struct lettering_sheet *sheet, const struct map_wind_looks *looks, double speed) {
    const uint8_t *rgba = looks->colours ? map_colours_at(looks->colours, speed) : looks->ink;
    const double alpha = looks->colours ? rgba[3] / 255.0 : looks->opacity;
    cairo_set_source_rgba(sheet->cairo, rgba[0] / 255.0, rgba[1] / 255.0, rgba[2] / 255.0, alpha);
}

// Rim first, then the symbol: what has been traced is stroked and filled.
static void lay_symbol(struct lettering_sheet *sheet, const struct map_wind_looks *looks, double speed) {
    cairo_t *cairo = sheet->cairo;
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    const uint32_t around = looks->colours ? dark_rim : halo;  // colours of a map go from pale to dark: a thin dark rim shows them all
    lettering_colour(sheet, (around & 0xffffff00) | (uint32_t)lround((around & 255) * looks->opacity));
    cairo_set_line_width(cairo, (line + 2 * (looks->colours ? thin_rim : rim) + (looks->colours ? more : 0)) * looks->scale);
    cairo_stroke_preserve(cairo);
    colour(sheet, looks, speed);
    cairo_set_line_width(cairo, (line + (looks->colours ? more : 0)) * looks->scale);
    cairo_stroke_preserve(cairo);
}

// --- barbs ---------------------------------------------------------------------------------------------------------------------

// A frame of its own for each symbol: x along the staff, away from the place; y to the side that feathers are on.
struct brush { cairo_t *cairo; const struct symbol_place *place; double scale; };

static void at(const struct brush *b, double x, double y, double *px, double *py) {
    const double *u = b->place->along, side = b->place->south ? -1 : 1;  // to the right of the staff, seen from the place; to the left in the south
    *px = b->place->x + b->scale * (x * u[0] - side * y * u[1]);
    *py = b->place->y + b->scale * (x * u[1] + side * y * u[0]);
}

static void move_to(const struct brush *b, double x, double y) {
    double px, py;
    at(b, x, y, &px, &py);
    cairo_move_to(b->cairo, px, py);
}

static void line_to(const struct brush *b, double x, double y) {
    double px, py;
    at(b, x, y, &px, &py);
    cairo_line_to(b->cairo, px, py);
}

static double trace_pennant(const struct brush *b, double x) {
    move_to(b, x, 0);
    line_to(b, x - 0.5 * pennant + 0.4 * slant, feather);
    line_to(b, x - pennant, 0);
    cairo_close_path(b->cairo);
    return x - pennant;
}

static void trace_feather(const struct brush *b, double x, double share) {
    move_to(b, x, 0);
    line_to(b, x + share * slant, share * feather);
}

// Feathers of a speed in steps of five knots, from the staff's end inwards.
static void trace_feathers(const struct brush *b, int fives) {
    double x = staff;
    for (int n = fives / 10; n > 0; n--) x = trace_pennant(b, x) - (n > 1 ? 0.6 : 0);
    if (fives >= 10) x -= 2.4;
    for (int n = fives % 10 / 2; n > 0; n--, x -= apart) trace_feather(b, x, 1);
    if (fives == 1) x -= apart;  // a half one never stands at the end alone, where it could be taken for a whole one
    if (fives % 2) trace_feather(b, x, 0.5);
}

static void draw_barb(struct lettering_sheet *sheet, const struct map_wind_looks *looks, const struct symbol_place *place, double speed) {
    const double knots = speed * looks->knots;
    const struct brush brush = {sheet->cairo, place, looks->scale};
    const int fives = (int)fmin(MAP_WIND_FIVES_MAX, floor(knots / 5 + 0.5));
    cairo_new_path(sheet->cairo);
    if (knots < MAP_WIND_CALM) cairo_arc(sheet->cairo, place->x, place->y, calm_radius * looks->scale, 0, 2 * acos(-1));
    else {
        move_to(&brush, 0, 0);
        line_to(&brush, staff, 0);
        trace_feathers(&brush, fives);
    }
    lay_symbol(sheet, looks, speed);
    if (fives >= 10) cairo_fill(sheet->cairo);  // pennants; what is no area stays as it is
    cairo_new_path(sheet->cairo);
}

// --- arrows --------------------------------------------------------------------------------------------------------------------

// In pixels of the screen.
static double length_of(const struct map_wind_looks *looks, double speed) {
    return fmax(arrow_least, fmin(arrow_most, looks->longest > 0 ? arrow_most * speed / looks->longest : arrow_most));
}

// Centred on its place, as long as the speed, pointing where the wind goes.
static void draw_arrow(struct lettering_sheet *sheet, const struct map_wind_looks *looks, const struct symbol_place *place, double speed) {
    const struct brush b = {sheet->cairo, place, looks->scale};
    const double length = length_of(looks, speed), head = fmin(head_most, 0.45 * length + 1.5), half = 0.5 * length;
    cairo_new_path(sheet->cairo);
    move_to(&b, half, 0);
    line_to(&b, -half + 0.7 * head, 0);
    move_to(&b, -half, 0);
    line_to(&b, -half + head, 0.42 * head);
    line_to(&b, -half + 0.72 * head, 0);
    line_to(&b, -half + head, -0.42 * head);
    cairo_close_path(sheet->cairo);
    lay_symbol(sheet, looks, speed);
    cairo_fill(sheet->cairo);
}

// --- all -----------------------------------------------------------------------------------------------------------------------

void map_wind_symbol(struct lettering_sheet *sheet, const struct map_wind_looks *looks, double x, double y, double from, double speed, bool south) {
    if (!isfinite(from) || !isfinite(speed)) return;
    const struct symbol_place place = {.x = x, .y = y, .along = {sin(from), -cos(from)}, .south = south};
    if (looks->barbs) draw_barb(sheet, looks, &place, fabs(speed));
    else draw_arrow(sheet, looks, &place, fabs(speed));
}

void map_wind_looks_make(const struct map_style *style, const struct catalog_variable *variable, const struct map_colours *colours, double scale,
                         struct map_wind_looks *looks) {
    double factor, offset;
    *looks = (struct map_wind_looks){.barbs = style->draw == MAP_BARBS, .opacity = style->opacity, .scale = scale, .longest = style->range[1] / 3,
                                     .colours = *style->colour_map ? colours : NULL};
    map_colours_ink(style, looks->ink);
    looks->knots = MAP_WIND_KNOTS * (cf_units_convert(variable->units, "m s-1", &factor, &offset) ? 1 : factor);
}
