// SPDX-License-Identifier: Apache-2.0
#include "field/cf_unplaced.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"

static bool stands_on(const struct source_variable *v, size_t dimension) {
    for (int d = 0; d < v->rank; d++)
        if (v->dimensions[d] == dimension) return true;
    return false;
}

static bool is_true_or_rotated(const struct source_variable *c, bool longitude) {
    return longitude ? cf_is_longitude(c) || cf_text_is(c, "standard_name", "grid_longitude") : cf_is_latitude(c) || cf_text_is(c, "standard_name", "grid_latitude");
}

// Whether longitude or latitude is told place by place along one dimension, under a name that is not the dimension's own axis.
static bool listed(const struct source *source, size_t dimension, bool longitude) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        if (c->rank == 1 && c->dimensions[0] == dimension && c->type <= SOURCE_F64 && is_true_or_rotated(c, longitude)) return true;
    }
    return false;
}

// The dimension of v that is a list of places: both longitude and latitude run along it.
static int list_dimension(const struct source *source, const struct source_variable *v) {
    for (int d = 0; d < v->rank; d++)
        if (listed(source, v->dimensions[d], true) && listed(source, v->dimensions[d], false)) return d;
    return -1;
}

static bool any_station(const struct source *source) {
    const struct source_inventory *inventory = source_inventory(source);
    const char *feature = cf_global_text(source, "featureType");
    if (!feature) feature = cf_global_text(source, "CF:featureType");
    if (feature && strcasecmp(feature, "grid") != 0) return true;
    for (size_t n = 0; n < inventory->variable_count; n++) {
        const char *role = cf_text(&inventory->variables[n], "cf_role");
        if (role && (strcasecmp(role, "timeseries_id") == 0 || strcasecmp(role, "profile_id") == 0 || strcasecmp(role, "trajectory_id") == 0)) return true;
    }
    return false;
}

static bool explain_list(const struct source *source, const struct source_variable *v, char reason[256]) {
    const struct source_inventory *inventory = source_inventory(source);
    int d = list_dimension(source, v);
    if (d < 0) return false;
    const struct source_dimension *dimension = &inventory->dimensions[v->dimensions[d]];
    int own = cf_coordinate_variable(source, v->dimensions[d]);
    const char *kind = cf_text_or_empty(v, "CDI_grid_type"), *what = "a mesh, a reduced Gaussian grid or stations", *advice = "; interpolate it to a grid of two axes first";
    if (own != CF_NO_VARIABLE && cf_text(&inventory->variables[own], "compress")) what = "a grid of which only some points are kept (compress)", advice = "; unpack it first";
    else if (any_station(source)) what = "stations, profiles or a track", advice = ", which no grid joins";
    else if (strcasecmp(kind, "unstructured") == 0) what = "an unstructured mesh";
    else if (strcasecmp(kind, "gaussian_reduced") == 0 || strcasestr(dimension->name, "reduced")) what = "a reduced Gaussian grid";
    snprintf(reason, 256, "its %zu columns are a list along one dimension (%.60s): %s%s", dimension->length, dimension->name, what, advice);
    return true;
}

// Latitude and longitude with a further dimension, which then counts tiles.
static bool explain_tiles(const struct source *source, const struct source_variable *v, char reason[256]) {
    const struct source_inventory *inventory = source_inventory(source);
    for (size_t n = 0; n < inventory->variable_count; n++) {
        const struct source_variable *c = &inventory->variables[n];
        if (c == v || c->rank < 3 || c->type > SOURCE_F64 || !cf_is_longitude(c)) continue;
        const struct source_dimension *tile = &inventory->dimensions[c->dimensions[c->rank - 3]];
        bool all = tile->length > 1;
        for (int d = c->rank - 3; d < c->rank && all; d++) all = stands_on(v, c->dimensions[d]);
        if (!all) continue;
        snprintf(reason, 256, "its columns stand on %zu tiles (dimension %.60s), as a cubed sphere's do; interpolate it to a grid of two axes first", tile->length, tile->name);
        return true;
    }
    return false;
}

bool cf_unplaced(const struct source *source, const struct source_variable *v, char reason[256]) {
    if (cf_text(v, "mesh")) {
        snprintf(reason, 256, "its columns stand on an unstructured mesh (UGRID, %.60s): one dimension for all of them; interpolate it to a grid of two axes first",
                 cf_text_or_empty(v, "mesh"));
        return true;
    }
    return explain_list(source, v, reason) || explain_tiles(source, v, reason);
}
