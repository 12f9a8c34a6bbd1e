// SPDX-License-Identifier: Apache-2.0
// Queries of OGC API Environmental Data Retrieval 1.1 (19-086r6): values at positions and along trajectories, as CoverageJSON.
//
// Values are those of map_section.h. What is asked of one place gives, for variables that stand on the same heights and times, one coverage: a Point, PointSeries, VerticalProfile
// or Grid (of one column), by how many times and heights there are. Where no height is named, each time gives the VerticalProfile of all model levels at their own heights.
// Along a line there are values at its vertices and between them, about a column apart: a Trajectory where each place has one height (of the line, or one for all), else a Section:
// at the heights that are named, or on all model levels, whose heights are given as the parameter "height". Lines with M have times of their own (seconds since 1970): the nearest
// step's values; other lines give a coverage for each time.
#ifndef VIRGA_SERVER_OGC_EDR_H
#define VIRGA_SERVER_OGC_EDR_H

#include "brick/brick_store.h"
#include "server/ogc_query.h"
#include "server/ogc_wkt.h"

enum {
    OGC_PLACES = 1000,      // of a geometry, and of a line with those between its vertices
    OGC_PARAMETERS = 256,   // that may be asked for at once
    OGC_FIELDS = 1000,      // variables × times
    OGC_VALUES = 250000,    // in an answer
};

struct ogc_edr_item {  // a variable and its steps
    size_t variable, first, count;
    size_t member;
    bool constant;  // its step stands for every time
};

struct ogc_edr_query {
    bool trajectory;
    const struct catalog_dataset *dataset;
    size_t run;
    struct ogc_wkt wkt;
    struct ogc_datetime datetime;
    struct ogc_heights heights;
    size_t item_count;
    struct ogc_edr_item items[OGC_PARAMETERS];
};

// Texts as they stand in the query; "" or NULL: not said.
struct ogc_edr_ask {
    bool trajectory;
    const char *dataset;   // an id
    const char *variable;  // an id, where the collection is of one variable only
    const char *run;       // a reference time, where it is an instance's; else the latest run that has what is asked for
    const char *coords, *datetime, *z, *parameters, *crs, *member;
};

// Looks up what is asked for; reads nothing. VIRGA_OK; VIRGA_INVALID; VIRGA_NOT_FOUND: no such collection, run, member, or nothing at these times; VIRGA_TOO_LARGE: too much at
// once; VIRGA_NO_MEMORY. *query needs ogc_edr_destroy, whatever came of it. Any thread; the catalog must outlive it.
int ogc_edr_resolve(const struct catalog *catalog, const struct ogc_edr_ask *ask, double now, struct ogc_edr_query *query, struct failure *failure);
void ogc_edr_destroy(struct ogc_edr_query *query);

// The answer, a JSON text that the caller frees. Blocks on files and bricks: not on the service thread, nor on a worker of the store's pool. VIRGA_OK, VIRGA_NOT_FOUND (the places
// lie outside the grid), VIRGA_TOO_LARGE, VIRGA_CANCELLED (*stop), or what reading failed with.
int ogc_edr_answer(struct catalog *catalog, struct brick_store *bricks, const struct ogc_edr_query *query, const atomic_bool *stop, char **json, struct failure *failure);

#endif
