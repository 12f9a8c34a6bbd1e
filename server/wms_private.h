// SPDX-License-Identifier: Apache-2.0
// Private to wms_capabilities*.c.
#ifndef VIRGA_SERVER_WMS_PRIVATE_H
#define VIRGA_SERVER_WMS_PRIVATE_H

#include "server/wms_capabilities.h"
#include "server/wms_layer.h"
#include "server/xml_writer.h"

#define WMS_XLINK "http://www.w3.org/1999/xlink"

// A document that is being written.
struct wms_document {
    struct xml_writer *xml;
    const struct wms_capabilities *asked;
    const struct catalog *catalog;
    bool new;              // version 1.3.0
    bool failed;           // out of memory
    const struct catalog_dataset *times_dataset;  // whose times `times` holds
    size_t times_variable;
    char *times, *runs;    // as extents
    char usual_time[CATALOG_TIME_TEXT], usual_run[CATALOG_TIME_TEXT];
};

// Addresses of this service: "?" and what follows, in an element of its own.
void wms_write_address(struct wms_document *document, const char *query);
// All layers: the root with those that are asked for in it.
void wms_write_layers(struct wms_document *document);
// Dimensions of a layer.
void wms_write_dimensions(struct wms_document *document, const struct wms_layer *layer);
void wms_forget_times(struct wms_document *document);

#endif
