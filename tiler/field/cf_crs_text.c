// SPDX-License-Identifier: Apache-2.0
// Names are compared by their letters and digits alone: "Lambert_Conformal_Conic_2SP" and "Lambert Conic Conformal (2SP)" differ
// from file to file in the rest. What is unknown makes no mapping, rather than a wrong one.
#include "field/cf_crs_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 64, TEXT_MAX = 1 << 16 };

struct pair { const char *from, *to; };

static const char *lookup(const struct pair *list, const char *name) {
    for (; list->from; list++)
        if (strcmp(list->from, name) == 0) return list->to;
    return NULL;
}

// OGC 01-009 and 18-010 with the register's names (EPSG guidance note 7-2), and GDAL's and ESRI's.
static const struct pair methods[] = {
    {"transversemercator", "transverse_mercator"}, {"gausskruger", "transverse_mercator"},
    {"lambertconformalconic1sp", "lambert_conformal_conic"}, {"lambertconicconformal1sp", "lambert_conformal_conic"},
    {"lambertconformalconic2sp", "lambert_conformal_conic"}, {"lambertconicconformal2sp", "lambert_conformal_conic"},
    {"lambertconformalconic", "lambert_conformal_conic"}, {"albersconicequalarea", "albers_conical_equal_area"},
    {"albersequalarea", "albers_conical_equal_area"}, {"albers", "albers_conical_equal_area"},
    {"lambertazimuthalequalarea", "lambert_azimuthal_equal_area"}, {"lambertazimuthalequalareaspherical", "lambert_azimuthal_equal_area"},
    {"azimuthalequidistant", "azimuthal_equidistant"}, {"modifiedazimuthalequidistant", "azimuthal_equidistant"}, {"orthographic", "orthographic"}, {"polarstereographic", "polar_stereographic"},
    {"polarstereographicvarianta", "polar_stereographic"}, {"polarstereographicvariantb", "polar_stereographic"},
    {"stereographicnorthpole", "polar_stereographic"}, {"stereographicsouthpole", "polar_stereographic"}, {"stereographic", "stereographic"},
    {"mercator", "mercator"}, {"mercator1sp", "mercator"}, {"mercator2sp", "mercator"}, {"mercatorvarianta", "mercator"}, {"mercatorvariantb", "mercator"},
    {"cylindricalequalarea", "lambert_cylindrical_equal_area"}, {"lambertcylindricalequalarea", "lambert_cylindrical_equal_area"},
    {"lambertcylindricalequalareaspherical", "lambert_cylindrical_equal_area"}, {"sinusoidal", "sinusoidal"},
    {"hotineobliquemercatorazimuthcenter", "oblique_mercator"}, {"hotineobliquemercatorvariantb", "oblique_mercator"},
    {"geostationarysatellite", "geostationary"}, {"geostationarysatellitesweepy", "geostationary"}, {"geostationarysatellitesweepx", "geostationary"},
    {"verticalperspective", "vertical_perspective"}, {"polerotationnetcdfcfconvention", "rotated_latitude_longitude"}, {NULL, NULL}};

static const struct pair parameters[] = {
    {"latitudeoforigin", "latitude_of_projection_origin"}, {"latitudeofcenter", "latitude_of_projection_origin"},
    {"latitudeoffalseorigin", "latitude_of_projection_origin"}, {"latitudeofnaturalorigin", "latitude_of_projection_origin"},
    {"latitudeofprojectioncentre", "latitude_of_projection_origin"}, {"latitudeoftopocentricorigin", "latitude_of_projection_origin"},
    {"centralmeridian", "longitude_of_projection_origin"}, {"longitudeofcenter", "longitude_of_projection_origin"},
    {"longitudeoforigin", "longitude_of_projection_origin"}, {"longitudeoffalseorigin", "longitude_of_projection_origin"},
    {"longitudeofnaturalorigin", "longitude_of_projection_origin"}, {"longitudeofprojectioncentre", "longitude_of_projection_origin"},
    {"longitudeoftopocentricorigin", "longitude_of_projection_origin"},
    {"standardparallel1", "standard_parallel"}, {"latitudeof1ststandardparallel", "standard_parallel"}, {"latitudeofstandardparallel", "standard_parallel"},
    {"standardparallel2", "standard_parallel 2"}, {"latitudeof2ndstandardparallel", "standard_parallel 2"},
    {"scalefactor", "scale_factor_at_projection_origin"}, {"scalefactoratnaturalorigin", "scale_factor_at_projection_origin"},
    {"scalefactoratprojectioncentre", "scale_factor_at_projection_origin"}, {"scalefactoroninitialline", "scale_factor_at_projection_origin"},
    {"scalefactorattheprojectioncentre", "scale_factor_at_projection_origin"},
    {"falseeasting", "false_easting"}, {"eastingatfalseorigin", "false_easting"}, {"eastingatprojectioncentre", "false_easting"},
    {"falsenorthing", "false_northing"}, {"northingatfalseorigin", "false_northing"}, {"northingatprojectioncentre", "false_northing"},
    {"azimuth", "azimuth_of_central_line"}, {"azimuthofinitialline", "azimuth_of_central_line"}, {"azimuthatprojectioncentre", "azimuth_of_central_line"},
    {"rectifiedgridangle", "angle_from_rectified_to_skew_grid"}, {"anglefromrectifiedtoskewgrid", "angle_from_rectified_to_skew_grid"},
    {"satelliteheight", "perspective_point_height"}, {"viewpointheight", "perspective_point_height"},
    {"gridnorthpolelatitudenetcdfcfconvention", "grid_north_pole_latitude"}, {"gridnorthpolelongitudenetcdfcfconvention", "grid_north_pole_longitude"},
    {"northpolegridlongitudenetcdfcfconvention", "north_pole_grid_longitude"}, {NULL, NULL}};

static const struct pair projections[] = {  // of PROJ strings
    {"longlat", "latitude_longitude"}, {"latlong", "latitude_longitude"}, {"lcc", "lambert_conformal_conic"}, {"aea", "albers_conical_equal_area"},
    {"laea", "lambert_azimuthal_equal_area"}, {"aeqd", "azimuthal_equidistant"}, {"ortho", "orthographic"}, {"stere", "stereographic"}, {"merc", "mercator"},
    {"tmerc", "transverse_mercator"}, {"utm", "transverse_mercator"}, {"cea", "lambert_cylindrical_equal_area"}, {"sinu", "sinusoidal"},
    {"omerc", "oblique_mercator"}, {"geos", "geostationary"}, {"nsper", "vertical_perspective"}, {"obtran", "rotated_latitude_longitude"}, {NULL, NULL}};

static const struct pair keys[] = {
    {"lat0", "latitude_of_projection_origin"}, {"lon0", "longitude_of_projection_origin"}, {"lonc", "longitude_of_projection_origin"},
    {"lat1", "standard_parallel"}, {"lat2", "standard_parallel 2"}, {"latts", "standard_parallel"}, {"k", "scale_factor_at_projection_origin"},
    {"k0", "scale_factor_at_projection_origin"}, {"x0", "false_easting"}, {"y0", "false_northing"}, {"a", "semi_major_axis"}, {"r", "earth_radius"},
    {"b", "semi_minor_axis"}, {"rf", "inverse_flattening"}, {"alpha", "azimuth_of_central_line"}, {"gamma", "angle_from_rectified_to_skew_grid"}, {"h", "perspective_point_height"},
    {"pm", "longitude_of_prime_meridian"}, {"olatp", "grid_north_pole_latitude"}, {"olonp", "north_pole_grid_longitude"}, {"zone", "zone"}, {NULL, NULL}};

// --- the mapping being made --------------------------------------------------------------------------------------------

static void plain(const char *from, size_t length, char to[NAME]) {
    size_t n = 0;
    for (size_t at = 0; at < length && n < NAME - 1; at++) {
        char c = from[at];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) to[n++] = c;
    }
    to[n] = 0;
}

static struct source_attribute *attribute(struct cf_crs_mapping *m, const char *name) {
    for (size_t n = 0; n < m->variable.attribute_count; n++)
        if (strcmp(m->attributes[n].name, name) == 0) return &m->attributes[n];
    if (m->variable.attribute_count == CF_CRS_ATTRIBUTES) return NULL;
    size_t n = m->variable.attribute_count++;
    m->attributes[n] = (struct source_attribute){(char *)(uintptr_t)name, SOURCE_F64, 0, NULL, m->numbers[n], NULL};
    return &m->attributes[n];
}

static void set_text(struct cf_crs_mapping *m, const char *name, const char *text) {
    struct source_attribute *a = attribute(m, name);
    if (a) a->type = SOURCE_CHAR, a->count = strlen(text), a->text = (char *)(uintptr_t)text, a->numbers = NULL;
}

// The first number of a name counts: an outer system comes before the one that it is derived from.
static void set_number(struct cf_crs_mapping *m, const char *name, double value) {
    bool second = strcmp(name, "standard_parallel 2") == 0;
    struct source_attribute *a = attribute(m, second ? "standard_parallel" : name);
    if (!a || !a->numbers || a->count > (second ? 1 : 0)) return;
    if (second && a->count == 0) return;
    a->numbers[second] = value;
    a->count = second ? 2 : 1;
}

static bool get(struct cf_crs_mapping *m, const char *name, double *value) {
    for (size_t n = 0; n < m->variable.attribute_count; n++)
        if (strcmp(m->attributes[n].name, name) == 0 && m->attributes[n].numbers && m->attributes[n].count > 0) return *value = m->attributes[n].numbers[0], true;
    return false;
}

static bool is(struct cf_crs_mapping *m, const char *projection) {
    const struct source_attribute *a = attribute(m, "grid_mapping_name");
    return a && a->text && strcmp(a->text, projection) == 0;
}

// --- WKT ---------------------------------------------------------------------------------------------------------------

// A keyword, its quoted name and the first two numbers after it: KEYWORD["name",1,2…
struct node { char keyword[NAME], name[NAME]; double numbers[2]; int count; };

static const char *read_node(const char *at, struct node *node) {
    size_t length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    *node = (struct node){0};
    plain(at, length, node->keyword);
    at += length;
    at += strspn(at, " \t\r\n");
    if (*at != '[' && *at != '(') return at;
    at++;
    at += strspn(at, " \t\r\n");
    if (*at != '"') return at;
    length = strcspn(at + 1, "\"");
    plain(at + 1, length, node->name);
    at += 1 + length;
    if (*at) at++;
    while (node->count < 2) {
        const char *comma = at + strspn(at, " \t\r\n");
        char *end;
        if (*comma != ',') break;
        double value = strtod(comma + 1, &end);
        if (end == comma + 1 || !isfinite(value)) break;
        node->numbers[node->count++] = value;
        at = end;
    }
    return at;
}

static bool read_wkt(const char *at, struct cf_crs_mapping *m) {
    struct node node;
    bool geographic = false, projected = false;
    while (*at) {
        if (*at == '"') {  // a text that is no name
            at += 1 + strcspn(at + 1, "\"");
            at += *at == '"';
            continue;
        }
        bool letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');
        if (!letter) {
            at++;
            continue;
        }
        at = read_node(at, &node);
        const char *k = node.keyword, *name;
        geographic |= !strcmp(k, "geogcs") || !strcmp(k, "geogcrs") || !strcmp(k, "geographiccrs");
        projected |= !strcmp(k, "projcs") || !strcmp(k, "projcrs") || !strcmp(k, "projectedcrs");
        if (!strcmp(k, "projection") || !strcmp(k, "method")) {
            if (!(name = lookup(methods, node.name))) return false;
            set_text(m, "grid_mapping_name", name);
            if (strcmp(node.name, "geostationarysatellitesweepx") == 0) set_text(m, "sweep_angle_axis", "x");
            if (strcmp(node.name, "stereographicsouthpole") == 0) set_number(m, "latitude_of_projection_origin", -90);
        } else if (!strcmp(k, "parameter") && node.count > 0 && (name = lookup(parameters, node.name))) {
            set_number(m, name, node.numbers[0]);
        } else if ((!strcmp(k, "spheroid") || !strcmp(k, "ellipsoid")) && node.count > 0) {
            set_number(m, "semi_major_axis", node.numbers[0]);
            if (node.count > 1 && node.numbers[1] > 0) set_number(m, "inverse_flattening", node.numbers[1]);
        } else if (!strcmp(k, "unit") || !strcmp(k, "angleunit") || !strcmp(k, "lengthunit")) {
            bool usual = node.count == 0 || fabs(node.numbers[0] - 1) < 1e-9 || fabs(node.numbers[0] - 0.017453292519943295) < 1e-9;
            if (!usual) return false;  // grads, feet
        } else if (!strcmp(k, "primem") && node.count > 0) {
            set_number(m, "longitude_of_prime_meridian", node.numbers[0]);
        }
    }
    const struct source_attribute *name = attribute(m, "grid_mapping_name");
    if (name && !name->text && geographic && !projected) set_text(m, "grid_mapping_name", "latitude_longitude");
    return name && name->text;
}

// --- PROJ strings ------------------------------------------------------------------------------------------------------

static bool read_proj(const char *at, struct cf_crs_mapping *m) {
    while ((at = strchr(at, '+'))) {
        size_t length = strcspn(++at, " \t\r\n="), value_length = 0;
        char key[NAME], value[NAME];
        const char *text = at + length, *name;
        plain(at, length, key);
        if (*text == '=') value_length = strcspn(++text, " \t\r\n");
        plain(text, value_length, value);
        if (strcmp(key, "proj") == 0) {
            if (!(name = lookup(projections, value))) return false;
            set_text(m, "grid_mapping_name", name);
        } else if (strcmp(key, "oproj") == 0 && strcmp(value, "longlat") != 0 && strcmp(value, "latlong") != 0) {
            return false;
        } else if (strcmp(key, "ellps") == 0 || strcmp(key, "datum") == 0) {
            snprintf(m->ellipsoid, sizeof m->ellipsoid, "%.31s", value);
            set_text(m, "reference_ellipsoid_name", m->ellipsoid);
        } else if (strcmp(key, "sweep") == 0 && strcmp(value, "x") == 0) {
            set_text(m, "sweep_angle_axis", "x");
        } else if (strcmp(key, "south") == 0) {
            set_number(m, "false_northing", 1e7);
        } else if ((name = lookup(keys, key))) {
            char *end;
            double number = strtod(text, &end);
            if (end > text && isfinite(number)) set_number(m, name, number);
        }
        at = text + value_length;
    }
    const struct source_attribute *name = attribute(m, "grid_mapping_name");
    return name && name->text;
}

static void finish_proj(struct cf_crs_mapping *m) {
    double value;
    if (get(m, "zone", &value)) {
        set_number(m, "longitude_of_projection_origin", 6 * value - 183);
        set_number(m, "scale_factor_at_projection_origin", 0.9996);
        set_number(m, "false_easting", 5e5);
    }
    if (is(m, "rotated_latitude_longitude")) set_number(m, "grid_north_pole_longitude", get(m, "longitude_of_projection_origin", &value) ? value - 180 : -180);
    else if (!is(m, "latitude_longitude")) set_number(m, "longitude_of_projection_origin", 0);
    if (is(m, "stereographic") && get(m, "latitude_of_projection_origin", &value) && fabs(fabs(value) - 90) < 1e-9) set_text(m, "grid_mapping_name", "polar_stereographic");
}

// --- both --------------------------------------------------------------------------------------------------------------

// What the two languages leave out and CF wants said.
static void finish(struct cf_crs_mapping *m) {
    double lat, value;
    if (!get(m, "latitude_of_projection_origin", &lat)) return;
    // With one parallel, the origin is on it.
    if (is(m, "lambert_conformal_conic") && !get(m, "standard_parallel", &value)) set_number(m, "standard_parallel", lat);
    if (is(m, "polar_stereographic") && fabs(fabs(lat) - 90) > 1e-6) {  // the old WKT calls the parallel of true scale an origin
        set_number(m, "standard_parallel", lat);
        attribute(m, "latitude_of_projection_origin")->numbers[0] = lat < 0 ? -90 : 90;
    }
}

bool cf_crs_mapping(const struct source_variable *from, struct cf_crs_mapping *m) {
    static const char *const names[] = {"crs_wkt", "spatial_ref", "esri_pe_string", "proj4", "proj4_params", "proj4text", "proj4_string", "proj4string", "proj_params"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const struct source_attribute *text = source_find_attribute(from->attributes, from->attribute_count, names[n]);
        if (!text || !text->text || text->count > TEXT_MAX) continue;
        *m = (struct cf_crs_mapping){.variable = {.name = from->name}};
        m->variable.attributes = m->attributes;
        bool proj = strstr(text->text, "+proj=") != NULL;
        if (!(proj ? read_proj(text->text, m) : read_wkt(text->text, m))) continue;
        if (proj) finish_proj(m);
        finish(m);
        return true;
    }
    return false;
}
