// SPDX-License-Identifier: Apache-2.0
#include "server/map_drawing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void map_drawing_destroy(struct map_drawing *drawing) {
    for (size_t n = 0; n < drawing->count; n++) map_layer_destroy(&drawing->layers[n]);
    map_crs_unref(drawing->frame.crs);
    memset(drawing, 0, sizeof *drawing);
}

const char *map_drawing_type(const struct map_drawing *drawing) {
    return (drawing->is_legend ? drawing->legend.format : drawing->options.format) == IMAGE_JPEG ? "image/jpeg" : "image/png";
}

size_t map_drawing_pixels(const struct map_drawing *drawing) {
    return drawing->is_legend ? 0 : (size_t)drawing->frame.width * drawing->frame.height;
}

// --- The key.

static int write_frame(const struct map_drawing *drawing, char *text, size_t room) {
    const struct map_frame *f = &drawing->frame;
    const struct map_picture_options *o = &drawing->options;
    return snprintf(text, room, "map %s %a %a %a %a %u %u %d %d %d %02x%02x%02x %a", map_crs_name(f->crs), f->box[0], f->box[1], f->box[2], f->box[3], f->width, f->height,
                    (int)o->format, o->quality, o->transparent, o->background[0], o->background[1], o->background[2], o->scale);
}

static int write_legend(const struct map_drawing *drawing, char *text, size_t room) {
    const struct map_legend_options *o = &drawing->legend;
    return snprintf(text, room, "legend %u %u %d %d %d %a %d %d", o->width, o->height, o->horizontal, o->bar_only, o->transparent, o->scale, (int)o->format, o->quality);
}

void map_drawing_key(const struct map_drawing *drawing, char key[MAP_KEY]) {
    char text[512 + MAP_PICTURE_LAYERS * MAP_KEY];
    size_t at = (size_t)(drawing->is_legend ? write_legend : write_frame)(drawing, text, 512);
    for (size_t n = 0; n < drawing->count; n++) at += (size_t)snprintf(text + at, sizeof text - at, " %s", drawing->layers[n].key);
    const XXH128_hash_t hash = XXH3_128bits(text, at);
    snprintf(key, MAP_KEY, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

// --- Drawing.

bool map_drawing_needs_plane(const struct map_drawing *drawing, size_t layer, bool partner) {
    const struct map_layer *l = &drawing->layers[layer];
    if (partner) return !drawing->is_legend && l->partner.dataset;
    return !drawing->is_legend || (!layer && l->style.range_kind == MAP_RANGE_FIELD);
}

// Styles whose range is the field's own get it now.
static int complete(const struct map_layer *layer, const struct plane *plane, struct map_style *style, struct failure *failure) {
    *style = layer->style;
    if (style->range_kind != MAP_RANGE_FIELD || !plane) return VIRGA_OK;
    const double range[2] = {plane->low, plane->high};
    return map_style_complete(style, &layer->shown, plane->low <= plane->high ? range : NULL, failure);
}

// What its numbers mean stands in the picture.
static int draw_values(const struct map_drawing *drawing, const struct map_picture_layer *layer, uint8_t **bytes, size_t *size, struct failure *failure) {
    struct map_picture_options options = drawing->options;
    char offset[40], scale[40];
    double numbers[2];
    if (drawing->count > 1 || options.format != IMAGE_PNG) return failure_set(failure, VIRGA_INVALID, "numbers of one layer alone are told, as PNG");
    map_values_scale(layer->variable, &numbers[0], &numbers[1]);
    snprintf(offset, sizeof offset, "%.17g", numbers[0]);
    snprintf(scale, sizeof scale, "%.17g", numbers[1]);
    options.texts = (const struct image_text[]){{"offset", offset}, {"scale", scale}, {"units", layer->variable->units}};
    options.text_count = 3;
    return map_picture_draw(&drawing->frame, layer, 1, &options, bytes, size, failure);
}

static int draw_map(const struct map_drawing *drawing, const struct map_planes *planes, uint8_t **bytes, size_t *size, struct failure *failure) {
    struct map_picture_layer layers[MAP_PICTURE_LAYERS];
    struct map_style styles[MAP_PICTURE_LAYERS];
    int status = VIRGA_OK;
    for (size_t n = 0; n < drawing->count && !status; n++) {
        const struct map_layer *l = &drawing->layers[n];
        status = complete(l, planes[n].plane, &styles[n], failure);
        layers[n] = (struct map_picture_layer){.grid = l->field.dataset->grid, .variable = &l->shown, .plane = planes[n].plane, .partner = planes[n].partner, .wind = l->wind, .style = &styles[n]};
        if (l->partner.dataset) layers[n].partner_variable = &l->partner.dataset->variables[l->partner.variable];
    }
    if (status) return status;
    if (drawing->layers[0].style.draw == MAP_VALUES) return draw_values(drawing, layers, bytes, size, failure);
    return map_picture_draw(&drawing->frame, layers, drawing->count, &drawing->options, bytes, size, failure);
}

static int draw_legend(const struct map_drawing *drawing, const struct map_planes *planes, uint8_t **bytes, size_t *size, struct failure *failure) {
    struct map_style style;
    int status = complete(&drawing->layers[0], planes[0].plane, &style, failure);
    return status ? status : map_legend_draw(&drawing->layers[0].shown, &style, &drawing->legend, bytes, size, failure);
}

int map_drawing_draw(const struct map_drawing *drawing, const struct map_planes *planes, struct shared_bytes **bytes, struct failure *failure) {
    uint8_t *made = NULL;
    size_t size = 0;
    *bytes = NULL;
    int status = (drawing->is_legend ? draw_legend : draw_map)(drawing, planes, &made, &size, failure);
    if (!status && !(*bytes = shared_bytes_copy(made, size))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    free(made);
    return status;
}
