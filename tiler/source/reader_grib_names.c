// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "source/reader_grib_view.h"

// "m**2 s**-2" as udunits spells it; numbers without a unit are 1. Unknown units are none.
void grib_units(const char *stored, char out[128]) {
    static const char *const pairs[][2] = {
        {"~", "1"}, {"(0 - 1)", "1"}, {"0-1", "1"}, {"Proportion", "1"}, {"Fraction", "1"}, {"Numeric", "1"}, {"dimensionless", "1"}, {"Dimensionless", "1"},
        {"Integer", "1"}, {"index", "1"}, {"Index", "1"}, {"integer", "1"}, {"Degree true", "degree"}, {"deg", "degree"}, {"Degree", "degree"}, {"degree true", "degree"},
        {"C", "degC"}, {"deg C", "degC"}, {"unknown", ""}, {"day", "days"}, {"non-dim", "1"}, {"bar", "1"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs - 1; i++)
        if (!strcmp(stored, pairs[i][0])) {
            snprintf(out, 128, "%s", pairs[i][1]);
            return;
        }
    if (!strncmp(stored, "(Code table", 11) || !strncmp(stored, "(code table", 11)) {
        snprintf(out, 128, "1");
        return;
    }
    size_t n = 0;
    for (const char *c = stored; *c && n < 127; c++) {
        if (c[0] == '*' && c[1] == '*') c++;
        else out[n++] = *c;
    }
    out[n] = 0;
}

// Levels of a generalized height coordinate: their numbers tell nothing, and a field of heights tells where they are.
static bool general_vertical(const struct grib_parameter *p) { return !strncmp(p->type_of_level, "generalVertical", 15) || !strncmp(p->type_of_level, "level150", 8); }

// Where ecCodes' tables of an edition name none, or one that is not the quantity's own.
static const char *own_name(const struct grib_parameter *p, bool at_surface) {
    switch (p->param_id) {
    case 129: return at_surface ? "surface_geopotential" : "geopotential";
    case 130:
    case 167: return "air_temperature";
    case 131:
    case 165: return "eastward_wind";
    case 132:
    case 166: return "northward_wind";
    case 133: return "specific_humidity";
    case 134: return "surface_air_pressure";
    case 135: return "lagrangian_tendency_of_air_pressure";
    case 151:
    case 260074: return "air_pressure_at_mean_sea_level";
    case 152: return "";
    case 156: return at_surface ? "surface_altitude" : "geopotential_height";
    case 157: return "relative_humidity";
    case 168: return "dew_point_temperature";
    case 3008: return general_vertical(p) ? "altitude" : NULL;
    case 500008: return "altitude";  // heights of the half levels of COSMO and ICON
    case 228002: return "surface_altitude";
    default: return NULL;
    }
}

void grib_standard_name(const struct grib_parameter *p, bool winds_on_grid, bool at_surface, char out[128]) {
    const char *own = own_name(p, at_surface);
    snprintf(out, 128, "%.127s", own ? own : p->standard_name);
    if (strcmp(p->suffix, "") && (strstr(p->suffix, "probability") || strstr(p->suffix, "index"))) *out = 0;
    if (!winds_on_grid) return;
    if (!strcmp(out, "eastward_wind")) snprintf(out, 128, "x_wind");
    else if (!strcmp(out, "northward_wind")) snprintf(out, 128, "y_wind");
}

// Of common code table C-11, those that publish models.
const char *grib_centre(int32_t centre, char out[64]) {
    static const struct { int32_t number; const char *name; } centres[] = {
        {1, "Bureau of Meteorology, Melbourne"}, {7, "US National Weather Service, NCEP"}, {34, "Japan Meteorological Agency"}, {38, "China Meteorological Administration"},
        {40, "Korea Meteorological Administration"}, {46, "CPTEC, Brazil"}, {54, "Canadian Meteorological Service"}, {57, "US Air Force Weather Agency"},
        {58, "US Navy, FNMOC"}, {59, "NOAA Earth System Research Laboratory"}, {74, "UK Met Office"}, {78, "Deutscher Wetterdienst"}, {80, "Italian Meteorological Service"},
        {82, "Swedish Meteorological and Hydrological Institute"}, {84, "Meteo-France, Toulouse"}, {85, "Meteo-France, Toulouse"}, {86, "Finnish Meteorological Institute"},
        {88, "Norwegian Meteorological Institute"}, {94, "Danish Meteorological Institute"}, {98, "ECMWF"}, {99, "Royal Netherlands Meteorological Institute"},
        {214, "Spanish Meteorological Service"}, {215, "MeteoSwiss"}, {224, "GeoSphere Austria"},
    };
    for (size_t n = 0; n < sizeof centres / sizeof *centres; n++)
        if (centres[n].number == centre) return centres[n].name;
    snprintf(out, 64, "originating centre %d", (int)centre);
    return out;
}
