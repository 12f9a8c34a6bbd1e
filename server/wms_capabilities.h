// SPDX-License-Identifier: Apache-2.0
// The capabilities of the Web Map Service, in both versions, by the best practice for time- and elevation-dependent data (OGC 12-111r1): TIME is the valid time,
// ELEVATION the level, DIM_REFERENCE_TIME the run. Reads a catalog alone; any thread.
#ifndef VIRGA_SERVER_WMS_CAPABILITIES_H
#define VIRGA_SERVER_WMS_CAPABILITIES_H

#include "field/catalog.h"
#include "server/wms_query.h"

struct wms_capabilities {
    enum wms_version version;
    const char *address;     // of the service, without "?"
    const char *dataset;     // id of the only one that is listed; NULL: all
    const char *layers;      // names with commas between, of those that are listed; "": all. Others are passed over
    unsigned most_side;      // pixels of a map
    double now;              // seconds since 1970 UTC
};

// XML, zero-terminated, which the caller frees; NULL when out of memory.
char *wms_capabilities_write(const struct catalog *catalog, const struct wms_capabilities *asked, size_t *size);
// An exception, likewise.
char *wms_exception_write(enum wms_version version, const struct wms_exception *exception, size_t *size);
// Media types, static.
const char *wms_capabilities_type(enum wms_version version);
const char *wms_exception_type(enum wms_version version);

#endif
