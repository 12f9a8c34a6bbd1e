// SPDX-License-Identifier: Apache-2.0
// The value at a place, twice: from decoded full-resolution bricks and from the source's own numbers. One answer for
// `virga sample` and for GET /api/sample.
#ifndef VIRGA_SERVER_SAMPLE_H
#define VIRGA_SERVER_SAMPLE_H

#include <stdbool.h>

#include "brick/brick_store.h"
#include "field/catalog.h"

enum { SAMPLE_TEXT = 256 };

struct sample_query {
    char dataset[SAMPLE_TEXT];   // id; "" when only one dataset has the variable
    char variable[SAMPLE_TEXT];  // id, name or standard name
    char run[SAMPLE_TEXT];       // ISO 8601 or "latest"; "" for the latest
    char member[SAMPLE_TEXT];    // label; "" for the first
    char time[SAMPLE_TEXT];      // a valid time (ISO 8601) or a lead time ("T+6", in hours)
    char units[SAMPLE_TEXT];     // what values are given in; "" for the file's own
    double lon, lat;             // degrees; NaN until set
    double height;               // metres above the variable's datum; NaN until set; unused for 2-D variables and profiles
    bool profile;                // every model level instead of one height
};

void sample_query_init(struct sample_query *query);
// Sets one part from text: key is "dataset", "variable", "run", "member", "time", "units", "lon", "lat", "height" or "profile"
// ("1" or "0"). VIRGA_OK, or VIRGA_INVALID for an unknown key or a value that is no such thing.
int sample_query_set(struct sample_query *query, const char *key, const char *value, struct failure *failure);

// Answers a query as one JSON object. Blocks while files are read and bricks are made: not on the service thread, and not
// on a worker of the store's own pool, which has to make them.
// VIRGA_OK: *json is the caller's, freed with free(). VIRGA_INVALID: wrong use (something is not set, the time is no step,
// the variable is in several datasets or cannot be had in these units). VIRGA_NOT_FOUND: no such dataset, variable, run or member. Other codes: reading failed.
// Outside and missing are null in an answer, not failures.
int sample_run(struct catalog *catalog, struct brick_store *bricks, const struct sample_query *query, char **json,
               struct failure *failure);

#endif
