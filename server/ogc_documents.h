// SPDX-License-Identifier: Apache-2.0
// What OGC API documents say: landing page, conformance, collections, instances, tile matrix sets, tilesets. Nothing is read; any thread. Each gives a new reference, or NULL when
// out of memory. `root` is the address of the API with its slash at the end ("https://maps.example.org/virga/ogc/").
//
// A collection is a dataset ("ukv"), for queries of all its variables, or a variable of one ("ukv:air_temperature"), for queries and map tiles.
#ifndef VIRGA_SERVER_OGC_DOCUMENTS_H
#define VIRGA_SERVER_OGC_DOCUMENTS_H

#include <jansson.h>

#include "field/catalog.h"
#include "server/ogc_query.h"
#include "tile/tile_matrix.h"

struct ogc_collection {
    const struct catalog_dataset *dataset;
    int variable;       // index, or -1: all
    const double *box;  // west, south, east, north of its grid; NULL: it is found out
};

// Which of them are told of: all that meet the box, if any, and have something at the time, if any; at most `limit` from number `offset` on.
struct ogc_page {
    bool has_box;
    double box[4];  // west, south, east, north
    struct ogc_datetime datetime;
    const char *words;  // "&bbox=…", escaped: what the link to the next page says of it; ""
    size_t offset, limit;
};
enum { OGC_PAGE = 100, OGC_PAGE_MAX = 1000 };  // collections and instances told of at once

// NOT_FOUND, with words, where there is none; *collection is as long-lived as the catalog.
int ogc_collection_find(const struct catalog *catalog, const char *id, struct ogc_collection *collection, struct failure *failure);

json_t *ogc_landing(const char *root);
json_t *ogc_conformance(void);
json_t *ogc_collections(const struct catalog *catalog, const char *root, const struct ogc_page *page);
json_t *ogc_collection(const struct ogc_collection *collection, const char *root);
json_t *ogc_instances(const struct ogc_collection *collection, const char *root, const struct ogc_page *page);
json_t *ogc_instance(const struct ogc_collection *collection, size_t run, const char *root);

json_t *ogc_matrix_sets(const char *root);
json_t *ogc_matrix_set(const struct tile_matrix_set *set);
// Of a variable's collection.
json_t *ogc_tilesets(const struct ogc_collection *collection, const char *root);
// words: "&level=…", escaped: what the tiles' address says besides; "".
json_t *ogc_tileset(const struct ogc_collection *collection, const struct tile_matrix_set *set, const char *root, const char *words);

#endif
