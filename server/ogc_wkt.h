// SPDX-License-Identifier: Apache-2.0
// Geometries as text, as queries of OGC API EDR have them (`coords=`): the points and lines of well-known text (ISO 19125-1, OGC 06-103r4). Pure, any thread.
#ifndef VIRGA_SERVER_OGC_WKT_H
#define VIRGA_SERVER_OGC_WKT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum ogc_wkt_kind { OGC_WKT_POINT, OGC_WKT_MULTIPOINT, OGC_WKT_LINESTRING };

struct ogc_wkt_place {
    double x, y, z, m;  // finite; z and m are NaN where the text has none
};

struct ogc_wkt {
    enum ogc_wkt_kind kind;
    bool has_z, has_m;
    size_t count;  // ≥ 1; of a line ≥ 2
    struct ogc_wkt_place *places;
};

// "POINT(1 2)", "POINT Z (1 2 30)", "MULTIPOINT((1 2),(3 4))" and "MULTIPOINT(1 2,3 4)", "LINESTRING(1 2,3 4)", "LINESTRINGZM(1 2 30 1560507000,…)"; letter case and spaces
// are free. At most `most` places. VIRGA_OK with *wkt, which needs ogc_wkt_destroy; VIRGA_INVALID, VIRGA_TOO_LARGE, VIRGA_NO_MEMORY: it is zeroed.
int ogc_wkt_parse(const char *text, size_t most, struct ogc_wkt *wkt, struct failure *failure);
void ogc_wkt_destroy(struct ogc_wkt *wkt);  // a zeroed one is allowed

#endif
