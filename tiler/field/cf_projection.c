// SPDX-License-Identifier: Apache-2.0
// PROJ strings from CF grid mappings. Every number is read, checked and printed here; no text of a file goes into a string.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_crs_text.h"
#include "field/cf_grid.h"

struct builder {
    const struct source_variable *mapping;
    double meridian;  // of the longitudes' origin, east of Greenwich
    char *text;
    size_t size, length;
    const char *problem;
    char problem_text[96];
};

// The first problem is the one to tell.
static void refuse(struct builder *b, const char *problem) {
    if (!b->problem) b->problem = problem;
}

static void add(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct builder *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(b->text + b->length, b->size - b->length, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= b->size - b->length) refuse(b, "its parameters are too long");
    else b->length += (size_t)n;
}

// The shortest text that reads back as the same number.
static void add_number(struct builder *b, const char *key, double value) {
    char number[40];
    double back = 0;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (sscanf(number, "%lf", &back) == 1 && back == value) break;
    }
    add(b, " +%s=%s", key, number);
}

static double number_or(struct builder *b, const char *name, double otherwise) {
    double value;
    return cf_number(b->mapping, name, &value) ? value : otherwise;
}

static double limited(struct builder *b, const char *name, double otherwise, double limit) {
    double value = number_or(b, name, otherwise);
    if (b->problem) return 0;
    if (isnan(value)) {
        snprintf(b->problem_text, sizeof b->problem_text, "its %s is absent", name);
        refuse(b, b->problem_text);
        return 0;
    }
    if (fabs(value) > limit) {
        snprintf(b->problem_text, sizeof b->problem_text, "its %s of %g is out of range", name, value);
        refuse(b, b->problem_text);
        return 0;
    }
    return value;
}

static double latitude(struct builder *b, const char *name, double otherwise) { return limited(b, name, otherwise, 90.000001); }

// The longitude that files give under several names, east of Greenwich.
static double central_longitude(struct builder *b, const char *name, double otherwise) {
    static const char *const names[] = {"longitude_of_projection_origin", "longitude_of_central_meridian", "straight_vertical_longitude_from_pole"};
    double value;
    for (size_t n = 0; n < 3 && !cf_number(b->mapping, name, &value); n++)
        if (cf_number(b->mapping, names[n], &value)) name = names[n];
    return remainder(limited(b, name, otherwise, 720) + b->meridian, 360);
}

// --- the Earth ---------------------------------------------------------------------------------------------------------

static double radius_metres(double r) { return r > 6000 && r < 7000 ? 1000 * r : r; }  // some files count the Earth's radius in km
static bool sane_radius(double r) { return r > 1e5 && r < 1e8; }

// Letters and digits alone, lower case: "GRS 1980" and "grs_1980" are one name.
static void plain_name(const char *from, char to[32]) {
    size_t n = 0;
    for (; *from && n < 31; from++) {
        char c = *from;
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) to[n++] = c;
    }
    to[n] = 0;
}

struct named_number { const char *name; double a, b; };

// Ellipsoids by their names in the EPSG register: semi-major axis and inverse flattening.
static const struct named_number ellipsoids[] = {
    {"wgs84", 6378137, 298.257223563}, {"wgs1984", 6378137, 298.257223563}, {"wgs72", 6378135, 298.26}, {"grs1980", 6378137, 298.257222101},
    {"grs80", 6378137, 298.257222101}, {"grs1967", 6378160, 298.247167427}, {"airy1830", 6377563.396, 299.3249646}, {"airy", 6377563.396, 299.3249646}, {"bessel", 6377397.155, 299.1528128}, {"clrk66", 6378206.4, 294.978698213898},
    {"intl", 6378388, 297}, {"krass", 6378245, 298.3},
    {"bessel1841", 6377397.155, 299.1528128}, {"clarke1866", 6378206.4, 294.978698213898}, {"clarke1880", 6378249.145, 293.465},
    {"clarke1880ign", 6378249.2, 293.4660212936269}, {"international1924", 6378388, 297}, {"hayford1909", 6378388, 297}, {"krassowsky1940", 6378245, 298.3},
    {"australiannationalspheroid", 6378160, 298.25}, {"everest1830", 6377276.345, 300.8017}, {"sphere", 6371229, 0}};

// Meridians of PROJ's list, degrees east of Greenwich.
static const struct named_number meridians[] = {
    {"greenwich", 0, 0}, {"lisbon", -9.131906111111111, 0}, {"paris", 2.337229166666667, 0}, {"bogota", -74.08091666666667, 0},
    {"madrid", -3.687938888888889, 0}, {"rome", 12.45233333333333, 0}, {"bern", 7.439583333333333, 0}, {"jakarta", 106.8077194444444, 0},
    {"ferro", -17.66666666666667, 0}, {"brussels", 4.367975, 0}, {"stockholm", 18.05827777777778, 0}, {"athens", 23.7163375, 0},
    {"oslo", 10.72291666666667, 0}};

static const struct named_number *find_named(const struct builder *b, const char *attribute, const struct named_number *list, size_t count) {
    const char *text = b->mapping ? cf_text(b->mapping, attribute) : NULL;
    char name[32];
    if (!text) return NULL;
    plain_name(text, name);
    for (size_t n = 0; n < count; n++)
        if (strcmp(list[n].name, name) == 0) return &list[n];
    return NULL;
}

static double prime_meridian(struct builder *b) {
    const struct named_number *named = find_named(b, "prime_meridian_name", meridians, sizeof meridians / sizeof *meridians);
    return b->mapping ? limited(b, "longitude_of_prime_meridian", named ? named->a : 0, 360) : 0;
}

static void add_earth(struct builder *b) {
    double a, c, f;
    const struct named_number *named = find_named(b, "reference_ellipsoid_name", ellipsoids, sizeof ellipsoids / sizeof *ellipsoids);
    if (!named) named = find_named(b, "horizontal_datum_name", ellipsoids, sizeof ellipsoids / sizeof *ellipsoids);
    bool own = b->mapping && (cf_number(b->mapping, "semi_major_axis", &a) || cf_number(b->mapping, "earth_radius", &a));
    if (own && sane_radius(a = radius_metres(a))) {
        if (cf_number(b->mapping, "semi_minor_axis", &c) && sane_radius(c = radius_metres(c)) && c != a) {
            add_number(b, "a", a);
            add_number(b, "b", c);
        } else if (cf_number(b->mapping, "inverse_flattening", &f) && f > 10 && f < 1e9) {
            add_number(b, "a", a);
            add_number(b, "rf", f);
        } else {
            add_number(b, "R", a);
        }
    } else if (named && named->b > 0) {
        add_number(b, "a", named->a);
        add_number(b, "rf", named->b);
    } else {
        add_number(b, "R", GRID_SPHERE);
    }
}

// --- the projections ---------------------------------------------------------------------------------------------------

static void add_origin(struct builder *b) {
    add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
    add_number(b, "lon_0", central_longitude(b, "longitude_of_projection_origin", NAN));
}

static void add_scale(struct builder *b, const char *name) {
    double k = number_or(b, name, number_or(b, "scale_factor_at_projection_origin", 1));
    if (!(k > 1e-3 && k < 1e3)) refuse(b, "its scale factor is out of range");
    add_number(b, "k_0", k);
}

static void add_parallels(struct builder *b) {
    double one = latitude(b, "standard_parallel", NAN), two = one, value;
    if (cf_number_at(b->mapping, "standard_parallel", 1, &value)) two = value;
    if (fabs(two) > 90) refuse(b, "its second standard_parallel is out of range");
    if (fabs(one + two) < 1e-9) refuse(b, "its standard parallels are opposite");
    add_number(b, "lat_1", one);
    add_number(b, "lat_2", two);
    add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
    add_number(b, "lon_0", central_longitude(b, "longitude_of_central_meridian", NAN));
    if (cf_number(b->mapping, "scale_factor_at_projection_origin", &value) && value != 1) add_scale(b, "scale_factor_at_projection_origin");
}

static void add_mercator_scale(struct builder *b) {
    double value;
    if (cf_number(b->mapping, "standard_parallel", &value)) add_number(b, "lat_ts", latitude(b, "standard_parallel", 0));
    else add_scale(b, "scale_factor_at_projection_origin");
}

static void add_stereographic(struct builder *b, bool polar) {
    double value, pole = cf_number(b->mapping, "standard_parallel", &value) && value < 0 ? -90 : 90;
    double lat = latitude(b, "latitude_of_projection_origin", polar ? pole : NAN);
    if (polar && fabs(fabs(lat) - 90) > 1e-6) refuse(b, "its latitude_of_projection_origin is no pole");
    add(b, "+proj=stere");
    add_number(b, "lat_0", lat);
    add_number(b, "lon_0", central_longitude(b, "straight_vertical_longitude_from_pole", NAN));
    if (polar && cf_number(b->mapping, "standard_parallel", &value)) add_number(b, "lat_ts", latitude(b, "standard_parallel", 90));
    else add_scale(b, "scale_factor_at_projection_origin");
}

static void add_rotated(struct builder *b) {
    double pole_lat = latitude(b, "grid_north_pole_latitude", NAN), pole_lon = limited(b, "grid_north_pole_longitude", NAN, 720);
    add(b, "+proj=ob_tran +o_proj=longlat");
    add_number(b, "o_lon_p", limited(b, "north_pole_grid_longitude", 0, 720));
    add_number(b, "o_lat_p", pole_lat);
    add_number(b, "lon_0", remainder(pole_lon + 180 + b->meridian, 360));
}

static double add_satellite(struct builder *b, const char *proj) {
    double h = number_or(b, "perspective_point_height", NAN);
    if (!(h > 1e5 && h < 1e9)) refuse(b, "its perspective_point_height is absent or out of range");
    add(b, "+proj=%s", proj);
    add_number(b, "h", h);
    add_number(b, "lon_0", central_longitude(b, "longitude_of_projection_origin", NAN));
    return h;
}

static double add_geostationary(struct builder *b) {
    double h = add_satellite(b, "geos");
    if (fabs(number_or(b, "latitude_of_projection_origin", 0)) > 1e-6) refuse(b, "its latitude_of_projection_origin is not the equator");
    bool x = cf_text_is(b->mapping, "sweep_angle_axis", "x") || cf_text_is(b->mapping, "fixed_angle_axis", "y");
    add(b, " +sweep=%s", x ? "x" : "y");
    return h;
}

static bool add_named(struct builder *b, const char *name, double *height) {
    if (strcasecmp(name, "rotated_latitude_longitude") == 0) add_rotated(b);
    else if (strcasecmp(name, "lambert_conformal_conic") == 0) add(b, "+proj=lcc"), add_parallels(b);
    else if (strcasecmp(name, "albers_conical_equal_area") == 0) add(b, "+proj=aea"), add_parallels(b);
    else if (strcasecmp(name, "lambert_azimuthal_equal_area") == 0) add(b, "+proj=laea"), add_origin(b);
    else if (strcasecmp(name, "azimuthal_equidistant") == 0) add(b, "+proj=aeqd"), add_origin(b);
    else if (strcasecmp(name, "orthographic") == 0) add(b, "+proj=ortho"), add_origin(b);
    else if (strcasecmp(name, "polar_stereographic") == 0) add_stereographic(b, true);
    else if (strcasecmp(name, "stereographic") == 0) add_stereographic(b, false);
    else if (strcasecmp(name, "geostationary") == 0) *height = add_geostationary(b);
    else if (strcasecmp(name, "vertical_perspective") == 0) {
        add_satellite(b, "nsper");
        add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
    } else if (strcasecmp(name, "mercator") == 0) {
        add(b, "+proj=merc");
        add_number(b, "lon_0", central_longitude(b, "longitude_of_projection_origin", 0));
        add_mercator_scale(b);
    } else if (strcasecmp(name, "transverse_mercator") == 0) {
        add(b, "+proj=tmerc");
        add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
        add_number(b, "lon_0", central_longitude(b, "longitude_of_central_meridian", NAN));
        add_scale(b, "scale_factor_at_central_meridian");
    } else if (strcasecmp(name, "lambert_cylindrical_equal_area") == 0) {
        add(b, "+proj=cea");
        add_number(b, "lon_0", central_longitude(b, "longitude_of_central_meridian", 0));
        add_mercator_scale(b);
    } else if (strcasecmp(name, "sinusoidal") == 0) {
        add(b, "+proj=sinu");
        add_number(b, "lon_0", central_longitude(b, "longitude_of_projection_origin", 0));
    } else if (strcasecmp(name, "oblique_mercator") == 0) {
        add(b, "+proj=omerc");
        add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
        add_number(b, "lonc", central_longitude(b, "longitude_of_projection_origin", NAN));
        add_number(b, "alpha", limited(b, "azimuth_of_central_line", NAN, 360));
        double skew;  // only reference systems given as text say it; CF's axes are turned by the azimuth
        if (cf_number(b->mapping, "angle_from_rectified_to_skew_grid", &skew)) add_number(b, "gamma", limited(b, "angle_from_rectified_to_skew_grid", 0, 360));
        add_scale(b, "scale_factor_at_projection_origin");
    } else {
        return false;
    }
    return true;
}

static void add_false_origin(struct builder *b, double metres_per_unit) {
    double east = limited(b, "false_easting", 0, 1e9), north = limited(b, "false_northing", 0, 1e9);
    if (east != 0) add_number(b, "x_0", east * metres_per_unit);
    if (north != 0) add_number(b, "y_0", north * metres_per_unit);
}

// Two numbers alone say that the pole is rotated, where a file forgets the name.
static const char *mapping_name(const struct source_variable *mapping) {
    const char *name = cf_text(mapping, "grid_mapping_name");
    double value;
    if (!name) name = cf_text(mapping, "transform_name");
    if (!name && cf_number(mapping, "grid_north_pole_latitude", &value) && cf_number(mapping, "grid_north_pole_longitude", &value)) return "rotated_latitude_longitude";
    return name;
}

// False when the name is none of CF's.
static bool project(struct builder *b, const char *name, double metres_per_unit, struct cf_projection *p) {
    bool plain = strcasecmp(name, "latitude_longitude") == 0;
    p->angular = plain || strcasecmp(name, "rotated_latitude_longitude") == 0;
    b->meridian = prime_meridian(b);
    if (plain) p->meridian = b->meridian, add(b, "+proj=longlat");
    else if (!add_named(b, name, &p->height)) return false;
    add_earth(b);
    if (!p->angular) add_false_origin(b, metres_per_unit);
    add(b, "%s +no_defs", p->angular ? "" : " +units=m");
    return true;
}

int cf_projection(const struct source_variable *mapping, double metres_per_unit, struct cf_projection *p, struct failure *failure) {
    struct cf_crs_mapping text;
    struct builder b = {.mapping = mapping, .text = p->proj, .size = sizeof p->proj};
    const char *name = mapping ? mapping_name(mapping) : "latitude_longitude";
    *p = (struct cf_projection){0};
    bool known = name && project(&b, name, metres_per_unit, p);
    if ((!known || b.problem) && mapping && cf_crs_mapping(mapping, &text)) {
        struct cf_projection other = {0};
        struct builder second = {.mapping = &text.variable, .text = other.proj, .size = sizeof other.proj};
        if (project(&second, mapping_name(&text.variable), 1, &other) && !second.problem) return *p = other, VIRGA_OK;
    }
    if (!name) return failure_set(failure, VIRGA_UNSUPPORTED, "grid mapping %.80s has no grid_mapping_name", mapping->name);
    if (!known) return failure_set(failure, VIRGA_UNSUPPORTED, "grid mapping %.80s is not one that can be placed", name);
    if (b.problem) return failure_set(failure, VIRGA_UNSUPPORTED, "grid mapping %.80s cannot be used: %s", name, b.problem);
    return VIRGA_OK;
}
