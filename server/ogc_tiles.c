// SPDX-License-Identifier: Apache-2.0
// Documents of OGC API Tiles 1.0 (20-057) and of tile matrix sets (17-083r4).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/ogc_documents.h"

#define JSON "application/json"
#define RELATION "http://www.opengis.net/def/rel/ogc/1.0/"

enum { ADDRESS = 1400, TILE = 256 };

static const char *crs_uri(const struct tile_matrix_set *set) { return map_crs_uri(map_crs_find(set->crs_name)); }

json_t *ogc_matrix_sets(const char *root) {
    json_t *array = json_array();
    const struct tile_matrix_set *set;
    for (size_t n = 0; (set = tile_matrix_at(n)) != NULL; n++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:s++}]}", "id", set->name, "title", set->title, "uri", set->uri, "crs", crs_uri(set), "links", "rel",
                                               RELATION "tiling-scheme", "type", JSON, "href", root, "tileMatrixSets/", set->name));
    return json_pack("{s:o}", "tileMatrixSets", array);
}

static json_t *matrix(const struct tile_matrix_set *set, unsigned zoom) {
    char id[16];
    snprintf(id, sizeof id, "%u", zoom);
    return json_pack("{s:s, s:f, s:f, s:s, s:[f, f], s:i, s:i, s:I, s:I}", "id", id, "scaleDenominator", tile_matrix_scale(set, zoom), "cellSize", tile_matrix_cell(set, zoom),
                     "cornerOfOrigin", "topLeft", "pointOfOrigin", set->box[0], set->box[3], "tileWidth", TILE, "tileHeight", TILE, "matrixWidth", (json_int_t)set->columns << zoom,
                     "matrixHeight", (json_int_t)set->rows << zoom);
}

json_t *ogc_matrix_set(const struct tile_matrix_set *set) {
    json_t *array = json_array();
    bool degrees = map_crs_degrees(map_crs_find(set->crs_name));
    for (unsigned zoom = 0; zoom <= TILE_ZOOM_MAX; zoom++) json_array_append_new(array, matrix(set, zoom));
    return json_pack("{s:s, s:s, s:s, s:s, s:[s, s], s:o}", "id", set->name, "title", set->title, "uri", set->uri, "crs", crs_uri(set), "orderedAxes", degrees ? "Lon" : "X",
                     degrees ? "Lat" : "Y", "tileMatrices", array);
}

// --- Tilesets.

static void address_of(const struct ogc_collection *c, const char *root, const char *set, char address[ADDRESS]) {
    snprintf(address, ADDRESS, "%scollections/%.250s:%.250s/map/tiles%s%s", root, c->dataset->id, c->dataset->variables[c->variable].id, *set ? "/" : "", set);
}

static json_t *link_to(const char *rel, const char *type, const char *root, const char *path) {
    return json_pack("{s:s, s:s, s:s+}", "rel", rel, "type", type, "href", root, path);
}

static json_t *item_of(const char *address, const char *type, const char *format, const char *words) {
    return json_pack("{s:s, s:s, s:b, s:s+++}", "rel", "item", "type", type, "templated", 1, "href", address, "/{tileMatrix}/{tileRow}/{tileCol}?f=", format, words);
}

static json_t *summary(const struct ogc_collection *c, const struct tile_matrix_set *set, const char *root) {
    char address[ADDRESS];
    address_of(c, root, set->name, address);
    return json_pack("{s:s, s:s, s:s, s:s, s:[o, o]}", "title", set->title, "dataType", "map", "crs", crs_uri(set), "tileMatrixSetURI", set->uri, "links",
                     link_to("self", JSON, address, ""), json_pack("{s:s, s:s, s:s++}", "rel", RELATION "tiling-scheme", "type", JSON, "href", root, "tileMatrixSets/", set->name));
}

json_t *ogc_tilesets(const struct ogc_collection *collection, const char *root) {
    json_t *array = json_array();
    const struct tile_matrix_set *set;
    char address[ADDRESS];
    address_of(collection, root, "", address);
    for (size_t n = 0; (set = tile_matrix_at(n)) != NULL; n++) json_array_append_new(array, summary(collection, set, root));
    return json_pack("{s:[o], s:o}", "links", link_to("self", JSON, address, ""), "tilesets", array);
}

// From the first to the last tile of an axis that a part of it covers.
static void cover(double low, double high, double size, json_int_t count, json_int_t *first, json_int_t *last) {
    *first = (json_int_t)fmax(0, fmin((double)(count - 1), floor(low / size)));
    *last = (json_int_t)fmax((double)*first, fmin((double)(count - 1), ceil(high / size) - 1));
}

// Which tiles have anything of the grid. Over the date line that is all columns.
static json_t *limits(const struct tile_matrix_set *set, const struct grid *grid) {
    double box[4];
    json_t *array = json_array();
    if (map_crs_bounds(map_crs_find(set->crs_name), grid, box)) memcpy(box, set->box, sizeof box);
    if (box[2] > set->box[2]) box[0] = set->box[0];
    for (unsigned zoom = 0; zoom <= tile_matrix_zoom_max(set, grid); zoom++) {
        double size = TILE * tile_matrix_cell(set, zoom);
        json_int_t left, right, top, bottom;
        char id[16];
        snprintf(id, sizeof id, "%u", zoom);
        cover(box[0] - set->box[0], box[2] - set->box[0], size, (json_int_t)set->columns << zoom, &left, &right);
        cover(set->box[3] - box[3], set->box[3] - box[1], size, (json_int_t)set->rows << zoom, &top, &bottom);
        json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:I, s:I}", "tileMatrix", id, "minTileRow", top, "maxTileRow", bottom, "minTileCol", left, "maxTileCol", right));
    }
    return array;
}

json_t *ogc_tileset(const struct ogc_collection *collection, const struct tile_matrix_set *set, const char *root, const char *words) {
    char address[ADDRESS];
    json_t *object = summary(collection, set, root), *links = json_object_get(object, "links");
    address_of(collection, root, set->name, address);
    json_array_append_new(links, item_of(address, "image/jpeg", "jpeg", words));
    json_array_append_new(links, item_of(address, "image/png", "png", words));  // clients that take either take the last one
    json_object_set_new(object, "tileMatrixSetLimits", limits(set, collection->dataset->grid));
    return object;
}
