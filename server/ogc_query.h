// SPDX-License-Identifier: Apache-2.0
// Parameters of queries as OGC API Common and EDR write them. Pure, any thread.
#ifndef VIRGA_SERVER_OGC_QUERY_H
#define VIRGA_SERVER_OGC_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "field/catalog.h"

enum { OGC_TIME_TEXT = 48, OGC_HEIGHTS = 256 };

// `datetime`: an instant, or an interval whose ends may be open.
struct ogc_datetime {
    bool said, interval;
    char from[OGC_TIME_TEXT], to[OGC_TIME_TEXT];  // ISO 8601; of an instant `from`; "": open
};
// "2026-01-31T12:00:00Z", "A/B", "../B", "A/..", ""; whether they are times is found out by ogc_datetime_steps. VIRGA_OK or VIRGA_INVALID.
int ogc_datetime_parse(const char *text, struct ogc_datetime *datetime, struct failure *failure);
// From when to when, in the calendar's seconds; infinite where it is open or not said. VIRGA_OK, or VIRGA_INVALID: the texts are no times of this calendar (of CF).
int ogc_datetime_range(const struct ogc_datetime *datetime, const char *calendar, double *from, double *to, struct failure *failure);
// Which steps of a variable in a run are meant: *count of them from *first on, none where it has none such; what was not said means all. VIRGA_OK, or VIRGA_INVALID: the texts are no times of its calendar.
int ogc_datetime_steps(const struct ogc_datetime *datetime, const struct catalog_variable *variable, const struct catalog_series *series, size_t *first, size_t *count,
                       struct failure *failure);

// `z`: heights in metres above the datum of the variables asked for.
enum ogc_heights_kind { OGC_HEIGHTS_NONE, OGC_HEIGHTS_LIST, OGC_HEIGHTS_RANGE };
struct ogc_heights {
    enum ogc_heights_kind kind;
    size_t count;                // of a list
    double values[OGC_HEIGHTS];  // of a range: from, to
};
// "500", "500,1000,1500", "R10/0/250" (ten of them, from 0, every 250), "500/2000" (whatever lies between), "". VIRGA_OK or VIRGA_INVALID.
int ogc_heights_parse(const char *text, struct ogc_heights *heights, struct failure *failure);

// `bbox`: "west,south,east,north", or with heights as third and last of six numbers, which are not looked at. West may be larger than east: over the date line. VIRGA_OK with
// *said, or VIRGA_INVALID.
int ogc_box_parse(const char *text, bool *said, double box[4], struct failure *failure);
// Whether two boxes of degrees have a place in common; either may go over the date line, or beyond 180.
bool ogc_boxes_meet(const double a[4], const double b[4]);

// `crs`: longitude and latitude in this order and no other is spoken. VIRGA_OK or VIRGA_INVALID.
int ogc_crs_check(const char *text, struct failure *failure);
// `f`: whether it is one of the names, letters in either case; "" is. names: separated by spaces. VIRGA_OK or VIRGA_INVALID.
int ogc_format_check(const char *text, const char *names, struct failure *failure);

#endif
