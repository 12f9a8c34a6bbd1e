// SPDX-License-Identifier: Apache-2.0
// PROJ strings from CF grid mappings. Every number is read, checked and printed here; no text of a file goes into a string.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "field/cf_attributes.h"
#include "field/cf_grid.h"

static const double model_sphere = 6371229;

struct builder {
    const struct source_variable *mapping;
    char *text;
    size_t size, length;
    const char *problem;
    char problem_text[96];
};

static void add(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct builder *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(b->text + b->length, b->size - b->length, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= b->size - b->length) b->problem = "its parameters are too long";
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
    if (isnan(value)) {
        snprintf(b->problem_text, sizeof b->problem_text, "its %s is absent", name);
        b->problem = b->problem_text;
        return 0;
    }
    if (fabs(value) > limit) {
        snprintf(b->problem_text, sizeof b->problem_text, "its %s of %g is out of range", name, value);
        b->problem = b->problem_text;
        return 0;
    }
    return value;
}

static double latitude(struct builder *b, const char *name, double otherwise) { return limited(b, name, otherwise, 90.000001); }
static double longitude(struct builder *b, const char *name, double otherwise) { return limited(b, name, otherwise, 720); }

static bool sane_radius(double r) { return r > 1e5 && r < 1e8; }

static void add_earth(struct builder *b) {
    double a, c, f;
    const char *name = b->mapping ? cf_text(b->mapping, "reference_ellipsoid_name") : NULL;
    if (!b->mapping) {
        add_number(b, "R", model_sphere);
    } else if ((cf_number(b->mapping, "semi_major_axis", &a) || cf_number(b->mapping, "earth_radius", &a)) && sane_radius(a)) {
        if (cf_number(b->mapping, "semi_minor_axis", &c) && sane_radius(c) && c != a) {
            add_number(b, "a", a);
            add_number(b, "b", c);
        } else if (cf_number(b->mapping, "inverse_flattening", &f) && f > 10 && f < 1e9) {
            add_number(b, "a", a);
            add_number(b, "rf", f);
        } else {
            add_number(b, "R", a);
        }
    } else if (name && (strcasecmp(name, "WGS 84") == 0 || strcasecmp(name, "WGS84") == 0)) {
        add(b, " +ellps=WGS84");
    } else if (name && (strcasecmp(name, "GRS 1980") == 0 || strcasecmp(name, "GRS80") == 0)) {
        add(b, " +ellps=GRS80");
    } else if (name && strcasecmp(name, "Airy 1830") == 0) {
        add(b, " +ellps=airy");
    } else {
        add_number(b, "R", model_sphere);
    }
}

static void add_origin(struct builder *b) {
    add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
    add_number(b, "lon_0", longitude(b, "longitude_of_projection_origin", NAN));
}

static void add_parallels(struct builder *b) {
    double one = latitude(b, "standard_parallel", NAN), two = one, value;
    if (cf_number_at(b->mapping, "standard_parallel", 1, &value)) two = value;
    if (fabs(two) > 90) b->problem = "its second standard_parallel is out of range";
    if (fabs(one + two) < 1e-9) b->problem = "its standard parallels are opposite";
    add_number(b, "lat_1", one);
    add_number(b, "lat_2", two);
    add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
    add_number(b, "lon_0", longitude(b, "longitude_of_central_meridian", NAN));
}

static void add_scale(struct builder *b, const char *name) {
    double k = number_or(b, name, 1);
    if (!(k > 1e-3 && k < 1e3)) b->problem = "its scale factor is out of range";
    add_number(b, "k_0", k);
}

static void add_mercator_scale(struct builder *b) {
    double value;
    if (cf_number(b->mapping, "standard_parallel", &value)) add_number(b, "lat_ts", latitude(b, "standard_parallel", 0));
    else add_scale(b, "scale_factor_at_projection_origin");
}

static void add_stereographic(struct builder *b, bool polar) {
    double lat = latitude(b, "latitude_of_projection_origin", 90), value;
    bool straight = cf_number(b->mapping, "straight_vertical_longitude_from_pole", &value);
    if (polar && fabs(fabs(lat) - 90) > 1e-6) b->problem = "its latitude_of_projection_origin is no pole";
    add(b, "+proj=stere");
    add_number(b, "lat_0", lat);
    add_number(b, "lon_0", longitude(b, straight ? "straight_vertical_longitude_from_pole" : "longitude_of_projection_origin", NAN));
    if (polar && cf_number(b->mapping, "standard_parallel", &value)) add_number(b, "lat_ts", latitude(b, "standard_parallel", 90));
    else add_scale(b, "scale_factor_at_projection_origin");
}

static void add_rotated(struct builder *b) {
    double pole_lat = latitude(b, "grid_north_pole_latitude", NAN), pole_lon = longitude(b, "grid_north_pole_longitude", NAN);
    add(b, "+proj=ob_tran +o_proj=longlat");
    add_number(b, "o_lon_p", longitude(b, "north_pole_grid_longitude", 0));
    add_number(b, "o_lat_p", pole_lat);
    add_number(b, "lon_0", remainder(pole_lon + 180, 360));
}

static double add_satellite(struct builder *b, const char *proj) {
    double h = number_or(b, "perspective_point_height", NAN);
    if (!(h > 1e5 && h < 1e9)) b->problem = "its perspective_point_height is absent or out of range";
    add(b, "+proj=%s", proj);
    add_number(b, "h", h);
    add_number(b, "lon_0", longitude(b, "longitude_of_projection_origin", NAN));
    return h;
}

static double add_geostationary(struct builder *b) {
    double h = add_satellite(b, "geos");
    bool x = cf_text_is(b->mapping, "sweep_angle_axis", "x") || cf_text_is(b->mapping, "fixed_angle_axis", "y");
    add(b, " +sweep=%s", x ? "x" : "y");
    return h;
}

static bool add_named(struct builder *b, const char *name, double *height) {
    if (strcmp(name, "rotated_latitude_longitude") == 0) add_rotated(b);
    else if (strcmp(name, "lambert_conformal_conic") == 0) add(b, "+proj=lcc"), add_parallels(b);
    else if (strcmp(name, "albers_conical_equal_area") == 0) add(b, "+proj=aea"), add_parallels(b);
    else if (strcmp(name, "lambert_azimuthal_equal_area") == 0) add(b, "+proj=laea"), add_origin(b);
    else if (strcmp(name, "azimuthal_equidistant") == 0) add(b, "+proj=aeqd"), add_origin(b);
    else if (strcmp(name, "orthographic") == 0) add(b, "+proj=ortho"), add_origin(b);
    else if (strcmp(name, "polar_stereographic") == 0) add_stereographic(b, true);
    else if (strcmp(name, "stereographic") == 0) add_stereographic(b, false);
    else if (strcmp(name, "geostationary") == 0) *height = add_geostationary(b);
    else if (strcmp(name, "vertical_perspective") == 0) {
        add_satellite(b, "nsper");
        add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
    } else if (strcmp(name, "mercator") == 0) {
        add(b, "+proj=merc");
        add_number(b, "lon_0", longitude(b, "longitude_of_projection_origin", 0));
        add_mercator_scale(b);
    } else if (strcmp(name, "transverse_mercator") == 0) {
        add(b, "+proj=tmerc");
        add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
        add_number(b, "lon_0", longitude(b, "longitude_of_central_meridian", NAN));
        add_scale(b, "scale_factor_at_central_meridian");
    } else if (strcmp(name, "lambert_cylindrical_equal_area") == 0) {
        add(b, "+proj=cea");
        add_number(b, "lon_0", longitude(b, "longitude_of_central_meridian", 0));
        add_mercator_scale(b);
    } else if (strcmp(name, "sinusoidal") == 0) {
        add(b, "+proj=sinu");
        add_number(b, "lon_0", longitude(b, "longitude_of_projection_origin", 0));
    } else if (strcmp(name, "oblique_mercator") == 0) {
        add(b, "+proj=omerc");
        add_number(b, "lat_0", latitude(b, "latitude_of_projection_origin", 0));
        add_number(b, "lonc", longitude(b, "longitude_of_projection_origin", NAN));
        add_number(b, "alpha", limited(b, "azimuth_of_central_line", NAN, 360));
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

int cf_projection(const struct source_variable *mapping, double metres_per_unit, char proj[512], bool *angular,
                  double *height, struct failure *failure) {
    struct builder b = {.mapping = mapping, .text = proj, .size = 512};
    const char *name = mapping ? cf_text(mapping, "grid_mapping_name") : "latitude_longitude";
    proj[0] = 0;
    *height = 0;
    if (!name) return failure_set(failure, VIRGA_UNSUPPORTED, "grid mapping %.80s has no grid_mapping_name", mapping->name);
    bool plain = strcmp(name, "latitude_longitude") == 0;
    *angular = plain || strcmp(name, "rotated_latitude_longitude") == 0;
    if (plain) add(&b, "+proj=longlat");
    else if (!add_named(&b, name, height))
        return failure_set(failure, VIRGA_UNSUPPORTED, "grid mapping %.80s is not one that can be placed", name);
    add_earth(&b);
    if (!*angular) add_false_origin(&b, metres_per_unit);
    double meridian = mapping ? limited(&b, "longitude_of_prime_meridian", 0, 360) : 0;
    if (meridian != 0) add_number(&b, "pm", meridian);
    add(&b, "%s +no_defs", *angular ? "" : " +units=m");
    if (b.problem) return failure_set(failure, VIRGA_UNSUPPORTED, "grid mapping %.80s cannot be used: %s", name, b.problem);
    return VIRGA_OK;
}
