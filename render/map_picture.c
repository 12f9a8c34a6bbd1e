// SPDX-License-Identifier: Apache-2.0
#include "render/map_picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/image_palette.h"
#include "render/map_picture_private.h"
#include "tile/map_raster.h"

enum { VALUES_MOST = 0xffffff, VALUES_MIDDLE = 0x800000, FINER = 16 };

int map_drawing_stopped(const struct map_drawing *drawing, struct failure *failure) {
    const atomic_bool *stop = drawing->options->stop;
    return stop && atomic_load(stop) ? failure_set(failure, VIRGA_CANCELLED, "map: nobody waits for it any more") : VIRGA_OK;
}

static int no_memory(struct failure *failure) { return failure_set(failure, VIRGA_NO_MEMORY, "map: out of memory"); }

static size_t pixels(const struct map_frame *frame) { return (size_t)frame->width * frame->height; }

int map_drawing_rasters(const struct map_frame *frame, const struct grid *grid, const struct plane *const *planes, size_t count, float **rasters,
                        struct failure *failure) {
    struct map_places *places = NULL;
    memset(rasters, 0, count * sizeof *rasters);
    int status = map_places_new(grid, frame, &places, failure);
    for (size_t n = 0; n < count && !status; n++) {
        rasters[n] = malloc(pixels(frame) * sizeof **rasters);
        status = rasters[n] ? map_raster(places, planes[n], false, rasters[n], failure) : no_memory(failure);
    }
    map_places_free(places);
    for (size_t n = 0; n < count && status; n++) {
        free(rasters[n]);
        rasters[n] = NULL;
    }
    return status;
}

static int raster_indices(const struct map_frame *frame, const struct map_picture_layer *layer, const struct map_scale *scale, uint8_t **indices,
                          struct failure *failure) {
    struct map_places *places = NULL;
    *indices = NULL;
    int status = map_places_new(layer->grid, frame, &places, failure);
    if (status) return status;
    *indices = malloc(pixels(frame));
    status = *indices ? map_raster_indices(places, layer->plane, scale, *indices, failure) : no_memory(failure);
    map_places_free(places);
    if (!status) return VIRGA_OK;
    free(*indices);
    *indices = NULL;
    return status;
}

// --- colours -------------------------------------------------------------------------------------------------------------------

static void set_palette(const struct map_frame *frame, const uint8_t *indices, const struct map_colours *colours, struct image_palette *palette) {
    *palette = (struct image_palette){.width = frame->width, .height = frame->height, .indices = indices, .count = MAP_SCALE_FIRST + colours->scale.bands + 1};
    memcpy(palette->colours, colours->palette, palette->count * sizeof *palette->colours);
}

static int fill(const struct map_drawing *drawing, const struct map_picture_layer *layer, const struct map_colours *colours, struct failure *failure) {
    struct image_palette palette;
    uint8_t *indices;
    const int status = raster_indices(drawing->frame, layer, &colours->scale, &indices, failure);
    if (status) return status;
    set_palette(drawing->frame, indices, colours, &palette);
    image_palette_draw(&palette, drawing->image);
    free(indices);
    return VIRGA_OK;
}

static bool is_clear(const struct map_picture_options *options) { return options->transparent && options->format == IMAGE_PNG; }

static uint8_t mixed(unsigned over, unsigned below, unsigned alpha) { return (uint8_t)((over * alpha + below * (255 - alpha) + 127) / 255); }

static struct image_options encoding(const struct map_picture_options *options) {
    return (struct image_options){.format = options->format, .quality = options->quality, .texts = options->texts, .text_count = options->text_count};
}

// One layer that only fills: its palette goes into the file, over the background where there is one.
static int draw_filled(const struct map_frame *frame, const struct map_picture_layer *layer, const struct map_picture_options *options, uint8_t **bytes,
                       size_t *size, struct failure *failure) {
    const struct image_options encode = encoding(options);
    struct image_palette palette;
    struct map_colours colours;
    uint8_t *indices;
    map_colours_make(layer->style, &colours);
    int status = raster_indices(frame, layer, &colours.scale, &indices, failure);
    if (status) return status;
    set_palette(frame, indices, &colours, &palette);
    for (unsigned n = 0; n < palette.count && !is_clear(options); n++) {
        for (int c = 0; c < 3; c++) palette.colours[n][c] = mixed(palette.colours[n][c], options->background[c], palette.colours[n][3]);
        palette.colours[n][3] = 255;
    }
    const struct map_drawing drawing = {frame, options, NULL};
    status = map_drawing_stopped(&drawing, failure);
    if (!status) status = image_palette_encode(&palette, &encode, bytes, size, failure);
    free(indices);
    return status;
}

static void paint_background(const struct map_drawing *drawing) {
    const struct map_picture_options *options = drawing->options;
    const uint8_t *rgb = options->background, pixel[4] = {rgb[0], rgb[1], rgb[2], 255};
    if (is_clear(options)) return;
    for (size_t n = 0; n < pixels(drawing->frame); n++) memcpy(drawing->image->pixels + 4 * n, pixel, 4);
}

static int draw_layer(const struct map_drawing *drawing, const struct map_picture_layer *layer, struct failure *failure) {
    struct map_colours colours;
    map_colours_make(layer->style, &colours);
    int status = map_drawing_stopped(drawing, failure);
    if (!status && map_style_fills(layer->style)) status = fill(drawing, layer, &colours, failure);
    if (!status && map_style_has_lines(layer->style)) status = map_picture_lines(drawing, layer, failure);
    if (!status && map_style_is_wind(layer->style)) status = map_picture_wind(drawing, layer, &colours, failure);
    return status;
}

// --- numbers -------------------------------------------------------------------------------------------------------------------

// Steps of the lattice, which the field's own values are exactly, or 16ths of them for what lies between columns, where 24 bits reach far enough around all that the
// variable is expected to be.
void map_values_scale(const struct catalog_variable *variable, double *offset, double *scale) {
    struct map_style style = map_style_default;
    const double v0 = variable->lattice.v0, step = variable->lattice.step > 0 ? variable->lattice.step : 1;
    double far = INFINITY;
    if (!map_style_complete(&style, variable, NULL, NULL)) far = fmax(fabs(style.range[0] - v0), fabs(style.range[1] - v0));
    *scale = 4 * far < VALUES_MIDDLE * step / FINER ? step / FINER : step;
    *offset = v0 - VALUES_MIDDLE * *scale;
}

static void write_value(float value, double offset, double scale, uint8_t pixel[4]) {
    const double step = round(((double)value - offset) / scale);
    if (isnan(step)) return;
    const unsigned q = (unsigned)fmax(0, fmin(VALUES_MOST, step));
    pixel[0] = (uint8_t)(q >> 16), pixel[1] = (uint8_t)(q >> 8), pixel[2] = (uint8_t)q, pixel[3] = 255;
}

static int draw_values(const struct map_drawing *drawing, const struct map_picture_layer *layer, struct failure *failure) {
    double offset, scale;
    float *values;
    map_values_scale(layer->variable, &offset, &scale);
    const int status = map_drawing_rasters(drawing->frame, layer->grid, &layer->plane, 1, &values, failure);
    if (status) return status;
    for (size_t n = 0; n < pixels(drawing->frame); n++) write_value(values[n], offset, scale, drawing->image->pixels + 4 * n);
    free(values);
    return VIRGA_OK;
}

// --- all -----------------------------------------------------------------------------------------------------------------------

static int check(const struct map_frame *frame, const struct map_picture_layer *layers, size_t count, const struct map_picture_options *options,
                 struct failure *failure) {
    if (count == 0 || count > MAP_PICTURE_LAYERS) return failure_set(failure, VIRGA_INVALID, "a map has 1 to %d layers, not %zu", MAP_PICTURE_LAYERS, count);
    if (!(options->scale >= 1 && options->scale <= MAP_PICTURE_SCALE_MAX))
        return failure_set(failure, VIRGA_INVALID, "lines and letters of a map are 1 to %d times as large as usual", MAP_PICTURE_SCALE_MAX);
    for (size_t n = 0; n < count; n++) {
        if (layers[n].style->draw == MAP_VALUES && (count > 1 || options->format != IMAGE_PNG))
            return failure_set(failure, VIRGA_INVALID, "values of %s can only be drawn alone, and as PNG", layers[n].variable->id);
        if (map_style_is_wind(layers[n].style) && (!layers[n].partner || layers[n].wind == MAP_WIND_NONE))
            return failure_set(failure, VIRGA_INVALID, "%s is no wind: it has no direction to draw barbs or arrows by", layers[n].variable->id);
    }
    return map_frame_check(frame, failure);
}

static int draw_all(const struct map_drawing *drawing, const struct map_picture_layer *layers, size_t count, struct failure *failure) {
    if (layers[0].style->draw == MAP_VALUES) return draw_values(drawing, &layers[0], failure);
    paint_background(drawing);
    int status = VIRGA_OK;
    for (size_t n = 0; n < count && !status; n++) status = draw_layer(drawing, &layers[n], failure);
    return status;
}

static int draw_pixels(const struct map_frame *frame, const struct map_picture_layer *layers, size_t count, const struct map_picture_options *options,
                       uint8_t **bytes, size_t *size, struct failure *failure) {
    struct image image;
    const struct map_drawing drawing = {frame, options, &image};
    if (image_init(&image, frame->width, frame->height)) return no_memory(failure);
    int status = draw_all(&drawing, layers, count, failure);
    if (!status) status = map_drawing_stopped(&drawing, failure);
    const struct image_options encode = encoding(options);
    if (!status && map_picture_is_ink(layers, count, options)) status = map_picture_encode_ink(&image, layers, &encode, bytes, size, failure);
    else if (!status) status = image_encode(&image, &encode, bytes, size, failure);
    image_destroy(&image);
    return status;
}

int map_picture_draw(const struct map_frame *frame, const struct map_picture_layer *layers, size_t count, const struct map_picture_options *options,
                     uint8_t **bytes, size_t *size, struct failure *failure) {
    *bytes = NULL;
    *size = 0;
    int status = check(frame, layers, count, options, failure);
    if (status) return status;
    if (count == 1 && layers->style->draw == MAP_FILL) return draw_filled(frame, layers, options, bytes, size, failure);
    return draw_pixels(frame, layers, count, options, bytes, size, failure);
}
