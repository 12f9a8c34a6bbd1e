// SPDX-License-Identifier: Apache-2.0
// Which of a grid's axes a coordinate variable is, by CF first and by habit after.
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_file.h"
#include "field/cf_units.h"

static bool one_of(const char *text, const char *const *list) {
    for (; text && *list; list++)
        if (strcasecmp(text, *list) == 0) return true;
    return false;
}

bool cf_is_longitude(const struct source_variable *c) {
    static const char *const units[] = {"degrees_east", "degree_east", "degree_E", "degrees_E", "degreeE", "degreesE", NULL};
    static const char *const names[] = {"lon", "longitude", "lons", "nav_lon", "xlon", "xlong", "lon2d", NULL};
    return cf_text_is(c, "standard_name", "longitude") || one_of(cf_text(c, "units"), units) || cf_text_is(c, "_CoordinateAxisType", "Lon") ||
           (!cf_text(c, "standard_name") && one_of(cf_base_name(c->name), names));
}

bool cf_is_latitude(const struct source_variable *c) {
    static const char *const units[] = {"degrees_north", "degree_north", "degree_N", "degrees_N", "degreeN", "degreesN", NULL};
    static const char *const names[] = {"lat", "latitude", "lats", "nav_lat", "xlat", "lat2d", NULL};
    return cf_text_is(c, "standard_name", "latitude") || one_of(cf_text(c, "units"), units) || cf_text_is(c, "_CoordinateAxisType", "Lat") ||
           (!cf_text(c, "standard_name") && one_of(cf_base_name(c->name), names));
}

bool cf_is_lonlat(const struct source_variable *c) {
    // A rotated longitude may carry the units "degrees_east" by mistake; its standard name says what it is.
    if (cf_text_is(c, "standard_name", "grid_longitude") || cf_text_is(c, "standard_name", "grid_latitude")) return false;
    return cf_is_longitude(c) || cf_is_latitude(c);
}

static bool is_vertical(const struct source_variable *c) {
    static const char *const standard_names[] = {
        "air_pressure", "height", "altitude", "depth", "geopotential_height", "height_above_mean_sea_level", "model_level_number",
        "height_above_geopotential_datum", "height_above_reference_ellipsoid", "atmosphere_hybrid_height_coordinate",
        "atmosphere_hybrid_sigma_pressure_coordinate", "atmosphere_sigma_coordinate", "atmosphere_ln_pressure_coordinate",
        "atmosphere_sleve_coordinate", "model_level", "air_potential_temperature", NULL};
    static const char *const types[] = {"Pressure", "Height", "GeoZ", NULL};
    static const char *const names[] = {"lev", "level", "levels", "plev", "pressure", "z", "height", "altitude", "hybrid", "isobaric",
                                        "model_level_number", "level_height", "plevs", "pressure_level", "pressure_levels", "isobaricInhPa", NULL};
    return one_of(cf_text(c, "standard_name"), standard_names) || cf_text_is(c, "axis", "Z") || cf_text(c, "positive") ||
           one_of(cf_text(c, "_CoordinateAxisType"), types) || one_of(cf_base_name(c->name), names) ||
           (cf_text(c, "units") && cf_units_convertible(cf_text(c, "units"), "Pa"));
}

bool cf_is_member_name(const char *name) {
    static const char *const members[] = {"realization", "realisation", "member", "members", "ensemble", "ens", "number", "ensemble_member",
                                          "ens_member", "ensemble_number", "perturbation", "perturbation_number", "perturbationNumber", "mem", NULL};
    return one_of(name, members);
}

enum cf_role cf_role_of(const struct source *source, const struct source_variable *c) {
    static const char *const xs[] = {"projection_x_coordinate", "grid_longitude", "projection_x_angular_coordinate", NULL};
    static const char *const ys[] = {"projection_y_coordinate", "grid_latitude", "projection_y_angular_coordinate", NULL};
    static const char *const x_names[] = {"x", "xc", "rlon", "projection_x_coordinate", "grid_longitude", NULL};
    static const char *const y_names[] = {"y", "yc", "rlat", "projection_y_coordinate", "grid_latitude", NULL};
    const char *standard_name = cf_text(c, "standard_name"), *units = cf_text(c, "units"), *name = cf_base_name(c->name);
    (void)source;
    if ((standard_name && strcasecmp(standard_name, "forecast_reference_time") == 0) || cf_text_is(c, "_CoordinateAxisType", "RunTime")) return ROLE_RUN;
    if (standard_name && strcasecmp(standard_name, "forecast_period") == 0) return ROLE_T;
    if (one_of(standard_name, xs) || cf_text_is(c, "_CoordinateAxisType", "GeoX")) return ROLE_X;
    if (one_of(standard_name, ys) || cf_text_is(c, "_CoordinateAxisType", "GeoY")) return ROLE_Y;
    if ((standard_name && strcasecmp(standard_name, "time") == 0) || cf_time_units_like(units) || cf_text_is(c, "axis", "T")) return ROLE_T;
    if ((standard_name && cf_is_member_name(standard_name)) || cf_text_is(c, "axis", "E") || cf_text_is(c, "_CoordinateAxisType", "Ensemble")) return ROLE_MEMBER;
    if (cf_is_longitude(c)) return ROLE_X;
    if (cf_is_latitude(c)) return ROLE_Y;
    if (cf_text_is(c, "axis", "X")) return ROLE_X;
    if (cf_text_is(c, "axis", "Y")) return ROLE_Y;
    if (is_vertical(c)) return ROLE_Z;
    if (one_of(name, x_names)) return ROLE_X;
    if (one_of(name, y_names)) return ROLE_Y;
    if (cf_is_member_name(name)) return ROLE_MEMBER;
    return ROLE_NONE;
}

bool cf_is_level_name(const char *name) {
    static const char *const names[] = {"lev", "level", "levels", "nlev", "nlevel", "nlevels", "z", "height", "model_level", "half_level", "full_level", NULL};
    char word[32];
    size_t length = strlen(name);
    while (length > 0 && strchr("0123456789_", name[length - 1])) length--;  // level1, height_2
    if (length == 0 || length >= sizeof word) return false;
    memcpy(word, name, length);
    word[length] = 0;
    return one_of(word, names);
}
