// SPDX-License-Identifier: Apache-2.0
#include "field/cf_helpers.h"

#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_units.h"
#include "field/hydrostatic.h"

const char *cf_units_of(const struct source_variable *v) {
    const char *units = cf_text(v, "units");
    return units ? units : cf_text_or_empty(v, "unit");
}

static bool one_of(const char *text, const char *const *list) {
    for (; text && *list; list++)
        if (strcasecmp(text, *list) == 0) return true;
    return false;
}

static bool converts(const char *from, const char *to, double *scale, double *offset) {
    return cf_units_convert(from, to, scale, offset) == VIRGA_OK;
}

// Metres, or a geopotential.
static bool as_height(const struct source_variable *v, double *scale, double *offset) {
    const char *units = cf_units_of(v);
    if (converts(units, "m", scale, offset) && *offset == 0) return true;
    if (!converts(units, "m2 s-2", scale, offset) || *offset != 0) return false;
    *scale /= HYDROSTATIC_GRAVITY;
    return true;
}

static bool is_ground(const struct source_variable *v, bool single) {
    static const char *const standard[] = {"surface_altitude", "surface_geopotential", "surface_geopotential_height", NULL};
    static const char *const names[] = {"orog", "oro", "orography", "hgt", "hgtsfc", "phis", "fis", "zsfc", "zs", "hsurf", "topo", "topography",
                                        "terrain", "terrain_height", "ter", "geopotential_height_surface", "geopotential_surface", "z_surface",
                                        "surface_geopotential", "surface_altitude", "elevation", "altitude_of_surface", NULL};
    const char *name = cf_text(v, "standard_name"), *base = cf_base_name(v->name);
    if (one_of(name, standard)) return true;
    bool geopotential = name && (strcasecmp(name, "geopotential_height") == 0 || strcasecmp(name, "geopotential") == 0);
    if (name && *name && !geopotential) return false;
    if (cf_text_is(v, "GRIB_typeOfLevel", "surface") && (geopotential || one_of(base, names))) return true;
    return !single && one_of(base, names);
}

static bool is_level_height(const struct source_variable *v) {
    static const char *const standard[] = {"geopotential_height", "geopotential", NULL};
    static const char *const names[] = {"hgt", "gh", "zg", "geopotential_height", NULL};
    const char *name = cf_text(v, "standard_name");
    if (name && *name) return one_of(name, standard);
    return one_of(cf_base_name(v->name), names) || strcasestr(cf_text_or_empty(v, "long_name"), "geopotential height");
}

static bool mentions_log_pressure(const struct source_variable *v) {
    static const char *const names[] = {"lnsp", "lnps", "log_surface_pressure", NULL};
    const char *text = cf_text_or_empty(v, "long_name");
    double id = 0;
    if (cf_number(v, "GRIB_paramId", &id) && id == 152) return true;
    return one_of(cf_base_name(v->name), names) || (strcasestr(text, "logarithm") && strcasestr(text, "surface pressure"));
}

static enum cf_helper of_surface(const struct source_variable *v, bool single, double *scale, double *offset) {
    static const char *const names[] = {"ps", "sp", "psfc", "pressfc", "surface_pressure", "pressure_surface", "apsurf", NULL};
    const char *name = cf_text(v, "standard_name");
    *scale = 1, *offset = 0;
    if (mentions_log_pressure(v)) return HELPER_LOG_SURFACE_PRESSURE;
    if (name && *name ? strcasecmp(name, "surface_air_pressure") == 0 : one_of(cf_base_name(v->name), names))
        return converts(cf_units_of(v), "Pa", scale, offset) && *offset == 0 ? HELPER_SURFACE_PRESSURE : HELPER_NONE;
    if (is_ground(v, single)) return as_height(v, scale, offset) ? HELPER_GROUND : HELPER_NONE;
    return HELPER_NONE;
}

static enum cf_helper of_levels(const struct source_variable *v, double *scale, double *offset) {
    static const char *const temperatures[] = {"t", "ta", "temp", "temperature", "tmp", "tk", "tmpprs", NULL};
    static const char *const humidities[] = {"q", "hus", "qv", "shum", "spfh", "specific_humidity", NULL};
    static const char *const ratios[] = {"qvapor", "mixing_ratio", "humidity_mixing_ratio", NULL};
    const char *name = cf_text(v, "standard_name"), *base = cf_base_name(v->name), *units = cf_units_of(v);
    bool unnamed = !name || !*name;
    if (is_level_height(v)) return as_height(v, scale, offset) ? HELPER_HEIGHT : HELPER_NONE;
    if (unnamed ? one_of(base, temperatures) || strncasecmp(base, "temperature_", 12) == 0 : strcasecmp(name, "air_temperature") == 0)
        return converts(units, "K", scale, offset) ? HELPER_TEMPERATURE : HELPER_NONE;
    bool specific = unnamed ? one_of(base, humidities) || strncasecmp(base, "specific_humidity_", 18) == 0 : strcasecmp(name, "specific_humidity") == 0;
    bool ratio = unnamed ? one_of(base, ratios) : strcasecmp(name, "humidity_mixing_ratio") == 0;
    if (!specific && !ratio) return HELPER_NONE;
    if (!converts(units, "1", scale, offset) || *offset != 0) return HELPER_NONE;
    return specific ? HELPER_SPECIFIC_HUMIDITY : HELPER_MIXING_RATIO;
}

enum cf_helper cf_helper_of(const struct source_variable *v, bool levels, bool single, double *scale, double *offset) {
    *scale = 1, *offset = 0;
    return levels ? of_levels(v, scale, offset) : of_surface(v, single, scale, offset);
}
