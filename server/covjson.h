// SPDX-License-Identifier: Apache-2.0
// CoverageJSON (OGC 21-069r2): the pieces that answers are put together from. Any thread. Each function gives a new reference, or NULL when out of memory; references that are
// given are taken over, and NULL ones passed on, so that it is enough to look at what comes out at the end.
#ifndef VIRGA_SERVER_COVJSON_H
#define VIRGA_SERVER_COVJSON_H

#include <jansson.h>

#include "field/catalog.h"

#define COVJSON_TYPE "application/prs.coverage+json"
enum { COVJSON_DIGITS = 9 };  // of numbers: JSON_REAL_PRECISION

enum covjson_vertical {
    COVJSON_NO_VERTICAL,
    COVJSON_SEA,     // metres above mean sea level
    COVJSON_GROUND,  // metres above the ground
    COVJSON_LEVELS,  // model levels, counted from 0 at the lowest
};
// Of a variable's heights.
enum covjson_vertical covjson_vertical_of(const struct catalog_variable *variable);

// Axes of a domain.
json_t *covjson_axis_numbers(const double *values, size_t count);
json_t *covjson_axis_times(const struct catalog_time *times, size_t count);
// An axis of tuples: names is "t,x,y" or the like; `tuples` an array of arrays.
json_t *covjson_axis_tuples(const char *names, json_t *tuples);

// The domain of a coverage. type: "Point", "PointSeries", "VerticalProfile", "Grid", "Trajectory", "Section". axes: by name. calendar: of CF, or NULL where there is no time.
json_t *covjson_domain(const char *type, json_t *axes, enum covjson_vertical vertical, const char *calendar);
// What values mean.
json_t *covjson_parameter(const struct catalog_variable *variable);
json_t *covjson_parameter_height(enum covjson_vertical vertical);  // of the heights of model levels
// Values in the order of axes ("t,z" of names), shape [axes], row after row; those that are not finite are null. "": a single value without axes.
json_t *covjson_range(const char *names, const size_t *shape, const double *values, size_t count);

// parameters and ranges have the same keys.
json_t *covjson_coverage(json_t *domain, json_t *parameters, json_t *ranges);
// coverages: an array, whose only one is given alone.
json_t *covjson_collection(json_t *coverages);

#endif
