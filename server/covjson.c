// SPDX-License-Identifier: Apache-2.0
#include "server/covjson.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "field/cf_time.h"
#include "render/presets.h"

enum covjson_vertical covjson_vertical_of(const struct catalog_variable *variable) {
    if (!variable->vertical) return COVJSON_NO_VERTICAL;
    return variable->level_map && variable->level_map->datum == DATUM_GROUND ? COVJSON_GROUND : COVJSON_SEA;
}

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

// The array, or NULL where it has become shorter than it was to be.
static json_t *whole(json_t *array, size_t count) {
    if (json_array_size(array) == count) return array;
    json_decref(array);
    return NULL;
}

static json_t *numbers(const double *values, size_t count) {
    json_t *array = json_array();
    for (size_t n = 0; n < count; n++) json_array_append_new(array, number(values[n]));
    return whole(array, count);
}

json_t *covjson_axis_numbers(const double *values, size_t count) { return json_pack("{s:o}", "values", numbers(values, count)); }

json_t *covjson_axis_times(const struct catalog_time *times, size_t count) {
    json_t *array = json_array();
    for (size_t n = 0; n < count; n++) json_array_append_new(array, json_string(times[n].iso));
    return json_pack("{s:o}", "values", whole(array, count));
}

// "t,x,y" as an array of texts.
static json_t *names_of(const char *names) {
    json_t *array = json_array();
    while (*names) {
        size_t length = strcspn(names, ",");
        json_array_append_new(array, json_stringn(names, length));
        names += length + (names[length] == ',');
    }
    return array;
}

json_t *covjson_axis_tuples(const char *names, json_t *tuples) {
    return json_pack("{s:s, s:o, s:o}", "dataType", "tuple", "coordinates", names_of(names), "values", tuples);
}

// A file's own words, made fit for JSON.
static void copy_clean(char *to, size_t room, const char *text) {
    size_t length = strnlen(text, room - 1);
    memcpy(to, text, length);
    to[length] = '\0';
    utf8_clean(to);
}

static json_t *text_of(const char *english) {
    char text[512];
    copy_clean(text, sizeof text, english);
    return json_pack("{s:s}", "en", text);
}

// Calendars but the usual one have CF's names.
static json_t *temporal_system(const char *calendar) {
    enum cf_calendar known = CALENDAR_STANDARD;
    bool gregorian = cf_calendar_parse(calendar, &known) || known == CALENDAR_STANDARD || known == CALENDAR_PROLEPTIC_GREGORIAN;
    return json_pack("{s:[s], s:{s:s, s:s}}", "coordinates", "t", "system", "type", "TemporalRS", "calendar", gregorian ? "Gregorian" : cf_calendar_name(known));
}

static json_t *vertical_system(enum covjson_vertical vertical) {
    static const struct { const char *id, *name, *axis, *symbol; } systems[] = {
        [COVJSON_SEA] = {"http://www.opengis.net/def/crs/EPSG/0/5714", "Height above mean sea level", "Height", "m"},
        [COVJSON_GROUND] = {NULL, "Height above the ground", "Height", "m"},
        [COVJSON_LEVELS] = {NULL, "Model level, counted from 0 at the lowest", "Level", "1"},
    };
    return json_pack("{s:[s], s:{s:s, s:s*, s:o, s:{s:[{s:o, s:s, s:{s:s}}]}}}", "coordinates", "z", "system", "type", "VerticalCRS", "id", systems[vertical].id, "description",
                     text_of(systems[vertical].name), "cs", "csAxes", "name", text_of(systems[vertical].axis), "direction", "up", "unit", "symbol", systems[vertical].symbol);
}

json_t *covjson_domain(const char *type, json_t *axes, enum covjson_vertical vertical, const char *calendar) {
    json_t *systems = json_pack("[{s:[s,s], s:{s:s, s:s}}]", "coordinates", "x", "y", "system", "type", "GeographicCRS", "id", "http://www.opengis.net/def/crs/OGC/1.3/CRS84");
    if (vertical != COVJSON_NO_VERTICAL) json_array_append_new(systems, vertical_system(vertical));
    if (calendar) json_array_append_new(systems, temporal_system(calendar));
    return json_pack("{s:s, s:s, s:o, s:o}", "type", "Domain", "domainType", type, "axes", axes, "referencing", systems);
}

json_t *covjson_parameter(const struct catalog_variable *variable) {
    char title[PRESET_TITLE_TEXT], units[128], name[128], id[256];
    presets_title(variable, title);
    copy_clean(units, sizeof units, variable->units);
    copy_clean(name, sizeof name, variable->standard_name);
    snprintf(id, sizeof id, "http://vocab.nerc.ac.uk/standard_name/%s/", name);
    json_t *property = json_pack("{s:s*, s:o}", "id", *name ? id : NULL, "label", text_of(title));
    return json_pack("{s:s, s:o, s:{s:o, s:s}, s:o}", "type", "Parameter", "description", text_of(*variable->long_name ? variable->long_name : title), "unit", "label",
                     text_of(units), "symbol", units, "observedProperty", property);
}

json_t *covjson_parameter_height(enum covjson_vertical vertical) {
    const char *title = vertical == COVJSON_GROUND ? "Height of the level above the ground" : "Height of the level above mean sea level";
    return json_pack("{s:s, s:o, s:{s:o, s:s}, s:{s:o}}", "type", "Parameter", "description", text_of(title), "unit", "label", text_of("m"), "symbol", "m", "observedProperty",
                     "label", text_of(title));
}

json_t *covjson_range(const char *names, const size_t *shape, const double *values, size_t count) {
    json_t *array = numbers(values, count), *sizes = json_array(), *axes = names_of(names);
    for (size_t n = 0; n < json_array_size(axes); n++) json_array_append_new(sizes, json_integer((json_int_t)shape[n]));
    if (*names) return json_pack("{s:s, s:s, s:o, s:o, s:o}", "type", "NdArray", "dataType", "float", "axisNames", axes, "shape", sizes, "values", array);
    json_decref(axes);
    json_decref(sizes);
    return json_pack("{s:s, s:s, s:o}", "type", "NdArray", "dataType", "float", "values", array);
}

json_t *covjson_coverage(json_t *domain, json_t *parameters, json_t *ranges) {
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "Coverage", "domain", domain, "parameters", parameters, "ranges", ranges);
}

json_t *covjson_collection(json_t *coverages) {
    json_t *alone = json_array_size(coverages) == 1 ? json_incref(json_array_get(coverages, 0)) : NULL;
    if (!alone) return json_pack("{s:s, s:o}", "type", "CoverageCollection", "coverages", coverages);
    json_decref(coverages);
    return alone;
}
