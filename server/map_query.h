// SPDX-License-Identifier: Apache-2.0
// The query of an address of the server's own for maps (PROTOCOL.md, "Maps"): tiles, TileJSON, legends, slices. Pure; any thread.
#ifndef VIRGA_SERVER_MAP_QUERY_H
#define VIRGA_SERVER_MAP_QUERY_H

#include "server/map_layer.h"

enum { MAP_QUERY_TEXT = 64 };

// Texts as they stand in the query, decoded; "" for what does not stand there.
struct map_query {
    char run[MAP_QUERY_TEXT], time[MAP_QUERY_TEXT], member[MAP_QUERY_TEXT], level[MAP_QUERY_TEXT], edition[MAP_QUERY_TEXT], style[MAP_STYLE_TEXT];
    char options[MAP_ASK_OPTIONS][MAP_QUERY_TEXT];  // of the style: range, bands, log, below, above, opacity, interval, ink
    char tms[MAP_QUERY_TEXT], size[MAP_QUERY_TEXT], scale[MAP_QUERY_TEXT], format[MAP_QUERY_TEXT];  // of tiles
    char transparent[MAP_QUERY_TEXT], background[MAP_QUERY_TEXT], quality[MAP_QUERY_TEXT];          // of pictures
    char width[MAP_QUERY_TEXT], height[MAP_QUERY_TEXT], horizontal[MAP_QUERY_TEXT], bar[MAP_QUERY_TEXT];  // of legends
    char dataset[256], variable[256];  // of slices, where they are no part of the path
};

// One part, "key=value", of the query; the first of two with one key counts; other keys are passed over. VIRGA_OK, or VIRGA_INVALID: the value is too long.
int map_query_add(struct map_query *query, const char *part, struct failure *failure);
// What a layer is asked for with, but for dataset and variable. Texts are the query's.
void map_query_ask(const struct map_query *query, struct map_ask *ask);

// Values of a query. VIRGA_OK, with *value as it was where the text is ""; or VIRGA_INVALID, with what is allowed.
int map_query_number(const char *key, const char *text, double low, double high, double *value, struct failure *failure);
int map_query_flag(const char *key, const char *text, bool *value, struct failure *failure);           // 1, 0, true, false
int map_query_colour(const char *key, const char *text, uint8_t rgb[3], struct failure *failure);      // RRGGBB, also with 0x or # before it

// The address of what a layer shows now, for good: "run=…&time=…&level=…&style=…&edition=…", escaped. NULL when out of memory; the caller frees it.
char *map_query_of_layer(const struct map_layer *layer, bool says_member);

#endif
