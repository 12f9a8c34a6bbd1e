// SPDX-License-Identifier: Apache-2.0
// What a name of a layer means, and which values its ELEVATION has. Names are DATASET/VARIABLE, with a variable's own levels; and, of variables that have levels,
// DATASET/VARIABLE/KIND, with surfaces of a kind (surface_kind_name): "pressure", "height", …, "maximum". Looks into the catalog and reads nothing. Any thread.
#ifndef VIRGA_SERVER_WMS_LAYER_H
#define VIRGA_SERVER_WMS_LAYER_H

#include <stdbool.h>

#include "field/catalog.h"
#include "server/wms_query.h"
#include "tile/surface.h"

struct wms_layer {
    const struct catalog_dataset *dataset;
    size_t variable;
    enum surface_kind kind;  // SURFACE_OWN: the variable's own levels, or none
};

// VIRGA_OK, or VIRGA_NOT_FOUND with LayerNotDefined. dataset: the only one that is meant, or NULL.
int wms_layer_find(const struct catalog *catalog, const char *dataset, const char *name, struct wms_layer *layer, struct wms_exception *exception);
// The reverse.
void wms_layer_name(const struct wms_layer *layer, char name[WMS_NAME]);
// Which kinds of a variable are offered besides its own levels, in order; false beyond the last. What is not offered may be asked for all the same.
bool wms_layer_kind_at(const struct catalog_dataset *dataset, size_t variable, size_t index, enum surface_kind *kind);

// The dimension of a layer besides time: its levels, or the threshold of a top or base.
struct wms_elevation {
    bool there;
    const char *name;             // "elevation", "threshold"
    const char *units, *symbol;   // symbol: "" where there is none; both static, or the variable's own
    double usual;                 // what is meant where none is said; NaN: it must be said
    size_t count;
    double *values;               // that are offered
    bool only;                    // there are no others: the nearest is taken
};
// VIRGA_OK with *elevation, for wms_elevation_destroy; or VIRGA_NO_MEMORY.
int wms_layer_elevation(const struct wms_layer *layer, struct wms_elevation *elevation);
void wms_elevation_destroy(struct wms_elevation *elevation);

// What a map is to show: the text of a level (surface.h), and how the number that was asked for became it.
struct wms_level {
    char text[SURFACE_TEXT];
    bool there;       // the layer has such a dimension
    bool usual;       // none was said
    bool nearest;     // another was said
    double value;     // of the dimension, that is shown
    const char *name, *units;  // of the dimension; static, or the variable's own
};
// text: of ELEVATION or DIM_THRESHOLD, "" where it is not said. VIRGA_OK; VIRGA_INVALID with InvalidDimensionValue or MissingDimensionValue; VIRGA_NO_MEMORY.
int wms_layer_level(const struct wms_layer *layer, const char *text, struct wms_level *level, struct wms_exception *exception);

#endif
