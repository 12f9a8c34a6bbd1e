// SPDX-License-Identifier: Apache-2.0
// The tree of layers: the root; below it datasets; below each its variables, those with levels as a group of one layer for each kind of surface.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/map_legend.h"
#include "render/map_wind.h"
#include "render/presets.h"
#include "server/map_layer.h"
#include "server/wms_private.h"
#include "tile/map_crs.h"

// Which layers are asked for.

static bool is_listed(const char *list, const char *name) {
    for (size_t size; *list; list += size + (list[size] == ',')) {
        size = strcspn(list, ",");
        if (strlen(name) == size && !strncmp(list, name, size)) return true;
    }
    return false;
}

static bool is_wanted(const struct wms_document *d, const struct wms_layer *layer) {
    char name[WMS_NAME];
    if (!d->asked->layers[0]) return true;
    wms_layer_name(layer, name);
    return is_listed(d->asked->layers, name);
}

static bool next_kind(const struct wms_layer *of, size_t *index, struct wms_layer *layer) {
    *layer = *of;
    return wms_layer_kind_at(of->dataset, of->variable, (*index)++, &layer->kind);
}

static bool any_wanted(const struct wms_document *d, const struct wms_layer *layer) {
    struct wms_layer other;
    if (is_wanted(d, layer)) return true;
    for (size_t index = 0; next_kind(layer, &index, &other);)
        if (is_wanted(d, &other)) return true;
    return false;
}

static bool any_of_dataset(const struct wms_document *d, const struct catalog_dataset *dataset) {
    for (size_t v = 0; v < dataset->variable_count; v++)
        if (!dataset->variables[v].hidden && any_wanted(d, &(struct wms_layer){.dataset = dataset, .variable = v, .kind = SURFACE_OWN})) return true;
    return false;
}

// Where a dataset lies.

static void write_box(struct wms_document *d, const struct map_crs *crs, const struct grid *grid) {
    double box[4];
    if (map_crs_bounds(crs, grid, box)) return;
    bool swap = d->new && map_crs_north_first(crs);
    xml_open(d->xml, "BoundingBox");
    xml_attribute(d->xml, d->new ? "CRS" : "SRS", map_crs_name(crs));
    xml_attribute_number(d->xml, "minx", box[swap ? 1 : 0]);
    xml_attribute_number(d->xml, "miny", box[swap ? 0 : 1]);
    xml_attribute_number(d->xml, "maxx", box[swap ? 3 : 2]);
    xml_attribute_number(d->xml, "maxy", box[swap ? 2 : 3]);
    xml_close(d->xml);
}

static void write_geographic(struct wms_document *d, const struct grid *grid) {
    static const char *const names[] = {"westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude"};
    static const char *const old_names[] = {"minx", "miny", "maxx", "maxy"};
    static const int order[] = {0, 2, 1, 3};  // as 1.3.0 has them
    double box[4];
    map_crs_bounds_degrees(grid, box);
    if (box[2] > 180) {  // across the date line: such a box has no other words here
        box[0] = -180;
        box[2] = 180;
    }
    xml_open(d->xml, d->new ? "EX_GeographicBoundingBox" : "LatLonBoundingBox");
    for (int n = 0; n < 4; n++) {
        if (d->new) xml_number(d->xml, names[order[n]], box[order[n]]);
        else xml_attribute_number(d->xml, old_names[n], box[n]);
    }
    xml_close(d->xml);
}

static void write_place(struct wms_document *d, const struct catalog_dataset *dataset) {
    static const char *const boxes[] = {"CRS:84", "EPSG:4326", "EPSG:3857"};
    const struct map_crs *own = map_crs_own(dataset->grid);
    xml_text(d->xml, d->new ? "CRS" : "SRS", MAP_CRS_OWN);
    write_geographic(d, dataset->grid);
    for (size_t n = 0; n < sizeof boxes / sizeof *boxes; n++) write_box(d, map_crs_find(boxes[n]), dataset->grid);
    if (own) write_box(d, own, dataset->grid);
    map_crs_unref(own);
}

// Styles. Colour maps are those of the root, which all layers inherit; what has a legend of its own stands with the variable.

static bool is_colour_map(const char *style) { return strchr(style, '/') != NULL; }

// Whether its values are of another kind or size than the variable's, so that it has styles and legends of its own.
static bool looks_otherwise(enum surface_kind kind) { return kind == SURFACE_SUM || kind == SURFACE_TOP || kind == SURFACE_BASE; }

static void write_legend(struct wms_document *d, const struct wms_layer *layer, const char *style_name) {
    const struct surface surface = {.kind = layer->kind};
    struct map_style style;
    struct catalog_variable shown;
    const struct map_legend_options options = {.scale = 1, .format = IMAGE_PNG};
    char name[WMS_NAME], query[WMS_NAME + MAP_STYLE_TEXT + 240], exactly[60] = "";
    const unsigned for_numbers = 40;
    unsigned size[2];
    map_layer_shown(&layer->dataset->variables[layer->variable], &surface, &shown);
    if (map_style_parse(style_name, &style, NULL) || map_layer_complete(&style, &shown, layer->kind, NULL) || map_legend_size(&shown, &style, &options, size, NULL)) return;
    wms_layer_name(layer, name);
    if (style.range_kind == MAP_RANGE_FIELD) snprintf(exactly, sizeof exactly, "&WIDTH=%u&HEIGHT=%u", size[0] += for_numbers, size[1]);  // its numbers are those of a field, not known here
    snprintf(query, sizeof query, "SERVICE=WMS&VERSION=%s&REQUEST=GetLegendGraphic&LAYER=%s&STYLE=%s&FORMAT=image/png%s", d->new ? "1.3.0" : "1.1.1", name, style_name, exactly);
    xml_open(d->xml, "LegendURL");
    xml_attribute_number(d->xml, "width", size[0]);
    xml_attribute_number(d->xml, "height", size[1]);
    xml_text(d->xml, "Format", "image/png");
    wms_write_address(d, query);
    xml_close(d->xml);
}

// layer: whose legend is named, or NULL for the styles that all have.
static void write_styles(struct wms_document *d, const struct wms_layer *layer) {
    enum map_wind_kind kind;
    char name[MAP_STYLE_TEXT], title[MAP_STYLE_TEXT];
    bool wind = layer && !looks_otherwise(layer->kind) && map_wind_partner(layer->dataset, layer->variable, &kind) >= 0;
    for (size_t n = 0; map_style_offered(n, wind, name, title); n++) {
        if (is_colour_map(name) != !layer) continue;
        xml_open(d->xml, "Style");
        xml_text(d->xml, "Name", name);
        xml_text(d->xml, "Title", title);
        if (layer) write_legend(d, layer, name);
        xml_close(d->xml);
    }
}

// Layers.

static const char *words_of(enum surface_kind kind) {
    static const char *const words[SURFACE_KINDS] = {
        [SURFACE_LEVEL] = "on model levels", [SURFACE_HEIGHT] = "at heights above sea level", [SURFACE_ABOVE_GROUND] = "at heights above the ground",
        [SURFACE_PRESSURE] = "at pressures", [SURFACE_FLIGHT_LEVEL] = "at flight levels", [SURFACE_THETA] = "at potential temperatures",
        [SURFACE_MAXIMUM] = "largest of the column", [SURFACE_SUM] = "sum of the column", [SURFACE_TOP] = "height of the top", [SURFACE_BASE] = "height of the base"};
    return words[kind];
}

static void write_about(struct wms_document *d, const struct catalog_variable *v, const char *units) {
    char text[1200];
    snprintf(text, sizeof text, "In %s.%s%s", units, v->note ? " " : "", v->note ? v->note : "");
    xml_text(d->xml, "Abstract", text);
    if (!*v->standard_name) return;
    xml_open(d->xml, "KeywordList");
    xml_text(d->xml, "Keyword", v->standard_name);
    xml_close(d->xml);
}

// One that maps can be asked of.
static void write_layer(struct wms_document *d, const struct wms_layer *layer, const char *words, bool with_styles) {
    const struct catalog_variable *v = &layer->dataset->variables[layer->variable];
    const struct surface surface = {.kind = layer->kind};
    char name[WMS_NAME], variable[PRESET_TITLE_TEXT], title[PRESET_TITLE_TEXT + 60];
    if (!is_wanted(d, layer)) return;
    presets_title(v, variable);
    snprintf(title, sizeof title, "%s%s%s", variable, *words ? ", " : "", words);
    wms_layer_name(layer, name);
    xml_open(d->xml, "Layer");
    xml_attribute(d->xml, "queryable", "1");
    xml_text(d->xml, "Name", name);
    xml_text(d->xml, "Title", title);
    write_about(d, v, surface_gives_heights(&surface) ? "m" : v->units);
    wms_write_dimensions(d, layer);
    if (with_styles) write_styles(d, layer);
    xml_close(d->xml);
}

static void write_group(struct wms_document *d, const struct wms_layer *own) {
    const struct catalog_variable *v = &own->dataset->variables[own->variable];
    struct wms_layer other;
    char title[PRESET_TITLE_TEXT];
    presets_title(v, title);
    xml_open(d->xml, "Layer");
    xml_text(d->xml, "Title", title);
    write_styles(d, own);
    write_layer(d, own, "", false);
    for (size_t index = 0; next_kind(own, &index, &other);)
        if (!looks_otherwise(other.kind)) write_layer(d, &other, words_of(other.kind), false);
    xml_close(d->xml);
    for (size_t index = 0; next_kind(own, &index, &other);)
        if (looks_otherwise(other.kind)) write_layer(d, &other, words_of(other.kind), true);
}

static void write_dataset(struct wms_document *d, const struct catalog_dataset *dataset) {
    xml_open(d->xml, "Layer");
    xml_text(d->xml, "Title", dataset->title);
    write_place(d, dataset);
    for (size_t v = 0; v < dataset->variable_count; v++) {
        const struct wms_layer own = {.dataset = dataset, .variable = v, .kind = SURFACE_OWN};
        if (dataset->variables[v].hidden || !any_wanted(d, &own)) continue;
        if (dataset->variables[v].vertical) write_group(d, &own);
        else write_layer(d, &own, "", true);
    }
    xml_close(d->xml);
}

void wms_write_layers(struct wms_document *d) {
    const struct map_crs *crs;
    xml_open(d->xml, "Layer");
    xml_text(d->xml, "Title", "Weather forecasts");
    for (size_t n = 0; (crs = map_crs_at(n)); n++) xml_text(d->xml, d->new ? "CRS" : "SRS", map_crs_name(crs));
    write_styles(d, NULL);
    for (size_t n = 0; n < d->catalog->dataset_count; n++) {
        const struct catalog_dataset *dataset = &d->catalog->datasets[n];
        if (d->asked->dataset && strcmp(d->asked->dataset, dataset->id)) continue;
        if (any_of_dataset(d, dataset)) write_dataset(d, dataset);
    }
    xml_close(d->xml);
}
