// SPDX-License-Identifier: Apache-2.0
// What tells map clients of a layer's tiles: TileJSON 3.0.0 (https://github.com/mapbox/tilejson-spec/tree/master/3.0.0), with what virga knows besides in "virga".
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/presets.h"
#include "server/http_address.h"
#include "server/http_maps.h"
#include "server/map_query.h"
#include "tile/tile_matrix.h"

enum { ADDRESS = 2048 };

static json_t *tiles_of(struct peer *peer, const struct map_layer *layer, const struct tile_matrix_set *set, bool says_member) {
    char root[HTTP_ADDRESS], address[ADDRESS];
    char *query = map_query_of_layer(layer, says_member);
    http_address(peer, root);
    const bool mercator = !strcmp(set->name, "WebMercatorQuad");
    int length = snprintf(address, sizeof address, "%stiles/%s/%s/{z}/{x}/{y}.png?%s%s%s", root, layer->field.dataset->id, map_layer_variable(layer)->id, query ? query : "",
                          mercator ? "" : "&tms=", mercator ? "" : set->name);
    bool whole = query && length < (int)sizeof address;
    free(query);
    return whole ? json_pack("[s]", address) : NULL;
}

// A box that goes beyond the date line has no bounds in TileJSON but the whole circle.
static json_t *bounds_of(const struct grid *grid, double latitude) {
    double box[4];
    map_crs_bounds_degrees(grid, box);
    if (box[2] > 180) box[0] = -180, box[2] = 180;
    return json_pack("[f, f, f, f]", box[0], fmax(box[1], -latitude), box[2], fmin(box[3], latitude));
}

static json_t *text_or_null(const char *text) { return *text ? json_string(text) : json_null(); }

// What of a layer's style a client needs that colours or draws a legend by itself.
static json_t *style_of(const struct map_layer *layer) {
    char style[MAP_STYLE_TEXT];
    double offset, scale;
    const bool known = layer->style.range_kind != MAP_RANGE_FIELD;
    map_style_write(&layer->style, style);
    map_values_scale(&layer->shown, &offset, &scale);
    return json_pack("{s:s, s:s, s:o, s:f, s:f}", "style", style, "colour_map", layer->style.colour_map, "range",
                     known ? json_pack("[f, f]", layer->style.range[0], layer->style.range[1]) : json_null(), "offset", offset, "scale", scale);
}

static json_t *facts_of(const struct map_layer *layer) {
    const struct catalog_variable *v = map_layer_variable(layer);
    char level[SURFACE_TEXT], title[SURFACE_TITLE];
    surface_write(&layer->surface, level);
    surface_title(&layer->surface, title);
    json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:s, s:s}", "dataset", layer->field.dataset->id, "variable", v->id, "run", map_layer_run(layer)->iso, "time",
                              map_layer_time(layer)->iso, "exact", layer->time.exact, "member", v->members[layer->field.member], "level", text_or_null(level), "level_title",
                              text_or_null(title), "units", layer->shown.units, "edition", layer->edition);
    json_t *style = style_of(layer);
    if (facts && style) json_object_update(facts, style);
    json_decref(style);
    return facts;
}

static void write_description(const struct map_layer *layer, char *out, size_t room) {
    char title[SURFACE_TITLE];
    surface_title(&layer->surface, title);
    snprintf(out, room, "%s%s%s, run of %s, valid at %s", layer->shown.long_name[0] ? layer->shown.long_name : layer->shown.id, *title ? ", " : "", title, map_layer_run(layer)->iso,
             map_layer_time(layer)->iso);
}

static int answer(struct peer *peer, const struct map_layer *layer, const struct tile_matrix_set *set, bool says_member) {
    const struct grid *grid = layer->field.dataset->grid;
    char name[PRESET_TITLE_TEXT], description[600];
    presets_title(&layer->shown, name);
    write_description(layer, description, sizeof description);
    const double latitude = strcmp(set->name, "WebMercatorQuad") ? 90 : 85.0511287798066;
    json_t *tiles = tiles_of(peer, layer, set, says_member);
    if (!tiles) return http_map_refuse(peer, 503, VIRGA_NO_MEMORY, "out of memory");
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:o, s:s, s:o}", "tilejson", "3.0.0", "name", name, "description", description, "scheme", "xyz", "tiles", tiles,
                             "minzoom", 0, "maxzoom", (int)tile_matrix_zoom_max(set, grid), "bounds", bounds_of(grid, latitude), "attribution", layer->field.dataset->title, "virga",
                             facts_of(layer));
    int status = http_answer_json(peer, 200, root, 0);
    peer->reply.cache = "no-cache";
    return status;
}

int http_tilejson(struct peer *peer, const char *dataset, const char *variable, const struct map_query *query) {
    struct failure failure = {0};
    struct map_layer layer = {0};
    const struct tile_matrix_set *set = tile_matrix_find(*query->tms ? query->tms : "WebMercatorQuad");
    if (!set) return http_map_refuse(peer, 400, VIRGA_INVALID, "tms: there are WebMercatorQuad and WorldCRS84Quad");
    int status = http_map_resolve(peer, query, dataset, variable, &layer, &failure);
    int answered = status ? http_map_refuse(peer, http_map_status(status), status, failure.message) : answer(peer, &layer, set, *query->member);
    map_layer_destroy(&layer);
    return answered;
}
