// SPDX-License-Identifier: Apache-2.0
// Coordinate reference systems that a file gives as text only (WKT 1 and 2, PROJ strings): read here, number by number, into the
// attributes that a CF grid mapping would have had. No text goes to PROJ. Any thread.
#ifndef VIRGA_FIELD_CF_CRS_TEXT_H
#define VIRGA_FIELD_CF_CRS_TEXT_H

#include <stdbool.h>

#include "source/source.h"

enum { CF_CRS_ATTRIBUTES = 24 };

struct cf_crs_mapping {
    struct source_variable variable;  // a grid mapping; false origins are in metres
    struct source_attribute attributes[CF_CRS_ATTRIBUTES];
    double numbers[CF_CRS_ATTRIBUTES][2];
    char ellipsoid[32];
};

// From crs_wkt, spatial_ref or a PROJ string among the attributes of `from`, which names the result. False where there is none
// that is understood.
bool cf_crs_mapping(const struct source_variable *from, struct cf_crs_mapping *mapping);

#endif
