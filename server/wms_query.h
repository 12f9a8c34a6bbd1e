// SPDX-License-Identifier: Apache-2.0
// A request of the Web Map Service, versions 1.3.0 (OGC 06-042) and 1.1.1 (OGC 01-068r3), with the parameters that ncWMS has besides, read from its query and checked as
// far as that goes without a catalog. Pure; any thread.
#ifndef VIRGA_SERVER_WMS_QUERY_H
#define VIRGA_SERVER_WMS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "render/image.h"
#include "render/map_legend.h"
#include "render/map_picture.h"
#include "tile/map_crs.h"

enum { WMS_PARAMETERS = 64, WMS_TEXT = 8192, WMS_NAME = 384, WMS_SIDE_MAX = 100000 };

// The parameters of a request, decoded.
struct wms_parameters {
    size_t count, used;
    struct { uint16_t key, value; } items[WMS_PARAMETERS];  // where they stand in `text`
    char text[WMS_TEXT];
};
// "KEY=value"; without "=" the value is "". VIRGA_OK, or VIRGA_TOO_LARGE where that is more than there is room for.
int wms_parameters_add(struct wms_parameters *parameters, const char *part);
// The value of a key, letters in either case; the first where there are several, NULL where there is none.
const char *wms_parameter(const struct wms_parameters *parameters, const char *key);

enum wms_version { WMS_1_1_1, WMS_1_3_0 };
enum wms_request { WMS_CAPABILITIES, WMS_MAP, WMS_FEATURE_INFO, WMS_LEGEND, WMS_VERTICAL_PROFILE, WMS_TRANSECT };
enum wms_refusal { WMS_REFUSE_XML, WMS_REFUSE_IN_IMAGE, WMS_REFUSE_BLANK };
enum wms_info { WMS_INFO_XML, WMS_INFO_JSON, WMS_INFO_TEXT, WMS_INFO_HTML };

// What a request gets that cannot be answered.
struct wms_exception {
    const char *code;     // the standard's word for it, static; NULL: it has none
    const char *locator;  // the parameter that is wrong, static; or NULL
    struct failure failure;
};
// Fills it and returns `status`.
int wms_exception_set(struct wms_exception *exception, int status, const char *code, const char *locator, const char *format, ...) __attribute__((format(printf, 5, 6)));

// One value of TIME, ELEVATION, … as it stands in the query, also where it is repeated ("T,T"); "" where it does not.
enum { WMS_VALUE = 104 };
struct wms_dimensions {
    char time[WMS_VALUE], elevation[WMS_VALUE], run[WMS_VALUE], member[WMS_VALUE], threshold[WMS_VALUE];
};

// Parameters of ncWMS, as map_style_set has them; "" where they do not stand in the query.
enum { WMS_RANGE, WMS_BANDS, WMS_LOG, WMS_BELOW, WMS_ABOVE, WMS_OPACITY, WMS_OPTIONS };
extern const char *const wms_option_names[WMS_OPTIONS];  // "range", …

struct wms_query {
    enum wms_version version;
    enum wms_request request;
    enum wms_refusal refusal;
    const struct wms_parameters *parameters;
    // Of all but capabilities.
    size_t layer_count;
    char layers[MAP_PICTURE_LAYERS][WMS_NAME], styles[MAP_PICTURE_LAYERS][WMS_NAME];  // from the bottom to the top; style: "" for the layer's own
    size_t asked_count;
    size_t asked[MAP_PICTURE_LAYERS];  // QUERY_LAYERS: indices of `layers`
    struct wms_dimensions dimensions;
    char options[WMS_OPTIONS][64];
    // A map, and what lies at a pixel of one.
    char crs[64];         // of a profile and transect "CRS:84" where it is not said
    bool north_first;     // as the authority of the CRS has its axes; `box` is west, south, east, north all the same
    double box[4];        // of units of the CRS
    unsigned width, height;
    enum image_format format;
    bool transparent;
    uint8_t background[3];
    double scale;         // of letters, lines and symbols, as map_picture_options has it: what QGIS, MapServer and GeoServer call a resolution
    unsigned column, row;
    enum wms_info info;
    // A legend, a profile, a transect: `width` and `height` are 0 where they are not said.
    bool horizontal, bar_only;
};

// VIRGA_OK, or VIRGA_INVALID with *exception. version, request and refusal are set in any case, so that the exception can be told in its form; and where pictures are asked
// for, `format`, `width` and `height`, each 0 where it could not be read. *query borrows `parameters`.
int wms_query_read(const struct wms_parameters *parameters, struct wms_query *query, struct wms_exception *exception);


#endif
