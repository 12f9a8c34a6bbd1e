// SPDX-License-Identifier: Apache-2.0
// Contours and wind of one layer. Both stand on lattices whose points are whole multiples of a distance in the CRS: neighbouring pictures share them.
#include <math.h>
#include <stdlib.h>

#include "render/map_contours_draw.h"
#include "render/map_picture_private.h"
#include "render/map_smooth.h"
#include "render/map_wind_draw.h"
#include "render/presets.h"
#include "tile/map_places.h"

static const double contour_step = 4, contour_margin = 24;  // pixels of the screen: between lattice points; around the picture
static const double smooth_share = 0.6;  // of a column, to either side
static const double wind_step = 40, degree = 0.017453292519943295;

// --- lattices in the CRS -------------------------------------------------------------------------------------------------------

struct span { double first, step; long low, high; };  // points at (first + n) step, low ≤ n ≤ high, in units of the CRS

// Points every so many pixels over a side of the box and a margin.
static struct span span_over(double low, double high, unsigned pixels, double every, double margin, double first) {
    const double pixel = (high - low) / pixels;
    struct span span = {.first = first, .step = every * pixel};
    span.low = (long)floor((low - margin * pixel) / span.step - first);
    span.high = (long)ceil((high + margin * pixel) / span.step - first);
    return span;
}

static double span_at(const struct span *span, long n) { return ((double)n + span->first) * span->step; }

// --- contours --------------------------------------------------------------------------------------------------------------------

// The frame whose pixels' centres are the lattice's points.
static struct map_frame lattice_frame(const struct map_frame *frame, double every, double margin, struct map_lattice *lattice) {
    const struct span x = span_over(frame->box[0], frame->box[2], frame->width, every, margin, 0);
    const struct span y = span_over(frame->box[1], frame->box[3], frame->height, every, margin, 0);
    map_frame_pixel(frame, span_at(&x, x.low), span_at(&y, y.high), &lattice->first[0], &lattice->first[1]);
    lattice->step[0] = lattice->step[1] = every;
    lattice->nx = (size_t)(x.high - x.low) + 1;
    lattice->ny = (size_t)(y.high - y.low) + 1;
    return (struct map_frame){.crs = frame->crs, .width = (unsigned)lattice->nx, .height = (unsigned)lattice->ny,
                              .box = {span_at(&x, x.low) - 0.5 * x.step, span_at(&y, y.low) - 0.5 * y.step, span_at(&x, x.high) + 0.5 * x.step,
                                      span_at(&y, y.high) + 0.5 * y.step}};
}

// Lines stand at round numbers of the units that people read: base and interval in the variable's own, and in those.
static double line_base(const struct map_picture_layer *layer, struct map_contours_looks *looks) {
    struct preset_units units;
    presets_units(layer->variable, "", false, &units);
    looks->interval = layer->style->interval * units.scale;
    looks->base = 0;
    return units.scale != 0 ? -units.offset / units.scale : 0;
}

// Heavier lines stand at round numbers, too.
static unsigned heavy_every(double interval) {
    const double digits = interval / pow(10, floor(log10(interval)));
    return fabs(digits - 2.5) < 1e-6 ? 4 : 5;
}

static int draw_contours(const struct map_drawing *drawing, const struct map_contours *contours, const struct map_contours_looks *looks) {
    const struct lettering_area all = {0, 0, (int)drawing->image->width, (int)drawing->image->height};
    struct lettering lettering;
    struct lettering_sheet sheet;
    lettering_init(&lettering);
    int status = lettering_begin(&sheet, &all);
    if (!status) status = map_contours_draw(&lettering, &sheet, contours, looks, drawing->options->stop);
    const int laid = lettering_lay(&sheet, drawing->image);
    lettering_destroy(&lettering);
    return status ? status : laid;
}

// Lattice steps that a column of the model is wide, about the same for all pictures around; 1 where it is narrower than one.
static int column_width(const struct map_frame *frame, const struct map_picture_layer *layer, double every, double *width, struct failure *failure) {
    struct map_frame sparse = *frame;
    struct map_places *places = NULL;
    sparse.width = sparse.height = 16;
    const int status = map_places_new(layer->grid, &sparse, &places, failure);
    if (status) return status;
    const double columns = places->spacing * 16 * every / fmax(frame->width, frame->height);
    *width = columns > 0 && columns < 1 ? 1 / columns : 1;
    map_places_free(places);
    return VIRGA_OK;
}

// The field on the lattice, smoothed where columns are far apart.
static int lattice_values(const struct map_drawing *drawing, const struct map_picture_layer *layer, struct map_lattice *lattice, float **values,
                          struct failure *failure) {
    const double every = contour_step * drawing->options->scale;
    double width = 1;
    *values = NULL;
    int status = column_width(drawing->frame, layer, every, &width, failure);
    if (status) return status;
    const double half = fmin(MAP_SMOOTH_REACH, smooth_share * width), margin = contour_margin * drawing->options->scale + every * half;
    const struct map_frame around = lattice_frame(drawing->frame, every, margin, lattice);
    status = map_drawing_rasters(&around, layer->grid, &layer->plane, 1, values, failure);
    if (!status && map_smooth(*values, lattice->nx, lattice->ny, half)) status = failure_set(failure, VIRGA_NO_MEMORY, "map: out of memory for contours");
    lattice->values = *values;
    return status;
}

int map_picture_lines(const struct map_drawing *drawing, const struct map_picture_layer *layer, struct failure *failure) {
    struct map_contours_looks looks = {.scale = drawing->options->scale, .halo = layer->style->draw == MAP_CONTOURS, .opacity = layer->style->opacity};
    const double base = line_base(layer, &looks);
    map_colours_ink(layer->style, looks.ink);
    if (!looks.halo) looks.opacity *= 0.8;
    looks.heavy = heavy_every(looks.interval);
    struct map_contours contours = {0};
    struct map_lattice lattice;
    float *values;
    int status = lattice_values(drawing, layer, &lattice, &values, failure);
    if (!status) status = map_drawing_stopped(drawing, failure);
    if (status) {
        free(values);
        return status;
    }
    status = map_contours_trace(&lattice, base, layer->style->interval, drawing->options->stop, &contours);
    free(values);
    looks.interval *= contours.interval / layer->style->interval;
    if (!status) status = draw_contours(drawing, &contours, &looks);
    map_contours_destroy(&contours);
    if (status == VIRGA_CANCELLED) return map_drawing_stopped(drawing, failure);
    return status ? failure_set(failure, VIRGA_NO_MEMORY, "map: out of memory for contours of %s", layer->variable->id) : VIRGA_OK;
}

// --- wind ------------------------------------------------------------------------------------------------------------------------

struct map_place { double x, y, lon, lat; };  // in the CRS, and on Earth

// Radians clockwise from the top of the picture to true north. False where the system has no place beside this one.
static bool north_at(const struct map_frame *frame, const struct map_place *at, double *north) {
    const double by = at->lat > 0 ? -0.01 : 0.01, period = map_crs_period(frame->crs), *box = frame->box;  // away from the pole
    double to[2];
    if (map_crs_from_lonlat(frame->crs, at->lon, at->lat + by, &to[0], &to[1])) return false;
    const double dx = period > 0 ? remainder(to[0] - at->x, period) : to[0] - at->x, dy = to[1] - at->y;
    const double right = dx * frame->width / (box[2] - box[0]), up = dy * frame->height / (box[3] - box[1]), sign = by > 0 ? 1 : -1;
    *north = atan2(sign * right, sign * up);
    return true;
}

struct wind { double from, speed; };  // radians clockwise from true north, the variable's units

static struct wind wind_of(enum map_wind_kind kind, double first, double second) {
    if (kind == MAP_WIND_COMPONENTS) return (struct wind){atan2(-first, -second), hypot(first, second)};
    return (struct wind){(second + (kind == MAP_WIND_SPEED_TO ? 180 : 0)) * degree, first};
}

// The value at the very place, as a probe would tell it.
static void draw_symbol(const struct map_drawing *drawing, const struct map_picture_layer *layer, double x, double y, struct lettering_sheet *sheet,
                        const struct map_wind_looks *looks) {
    struct map_place at = {.x = x, .y = y};
    double i, j, north, column, row;
    if (map_crs_to_lonlat(drawing->frame->crs, x, y, &at.lon, &at.lat) || !grid_locate(layer->grid, at.lon, at.lat, &i, &j)) return;
    const struct wind wind = wind_of(layer->wind, plane_sample(layer->plane, i, j), plane_sample(layer->partner, i, j));
    if (!isfinite(wind.from) || !isfinite(wind.speed) || !north_at(drawing->frame, &at, &north)) return;
    map_frame_pixel(drawing->frame, x, y, &column, &row);
    map_wind_symbol(sheet, looks, column, row, north + wind.from, wind.speed, at.lat < 0);
}

// Every second row is moved by half a step, so that symbols stand in no one's shadow.
static int draw_symbols(const struct map_drawing *drawing, const struct map_picture_layer *layer, const struct map_colours *colours) {
    const struct map_frame *frame = drawing->frame;
    const double scale = drawing->options->scale, every = wind_step * scale, reach = MAP_WIND_REACH * scale;
    const struct span y = span_over(frame->box[1], frame->box[3], frame->height, every, reach, 0.5 / every);
    const struct lettering_area all = {0, 0, (int)drawing->image->width, (int)drawing->image->height};
    struct map_wind_looks looks;
    struct lettering_sheet sheet;
    map_wind_looks_make(layer->style, layer->variable, colours, scale, &looks);
    const int status = lettering_begin(&sheet, &all);
    for (long row = y.low; row <= y.high && !status; row++) {
        const struct span x = span_over(frame->box[0], frame->box[2], frame->width, every, reach, 0.5 / every + (row % 2 ? 0.5 : 0));
        for (long n = x.low; n <= x.high; n++) draw_symbol(drawing, layer, span_at(&x, n), span_at(&y, row), &sheet, &looks);
    }
    const int laid = lettering_lay(&sheet, drawing->image);
    return status ? status : laid;
}

int map_picture_wind(const struct map_drawing *drawing, const struct map_picture_layer *layer, const struct map_colours *colours, struct failure *failure) {
    return draw_symbols(drawing, layer, colours) ? failure_set(failure, VIRGA_NO_MEMORY, "map: out of memory for the wind symbols") : VIRGA_OK;
}
