// SPDX-License-Identifier: Apache-2.0
// Grid definitions: GRIB1's section 2 and GRIB2's section 3, read from their own numbers.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/reader_grib.h"

enum { AXIS_MAX = 1 << 20, GAUSSIAN_MAX = 4096 };

struct parsing {
    const struct grib_section *section;
    struct grib_grid *grid;
    struct arena *arena;
    bool failed;      // a number lies past the section's end
    double unit;      // degrees of the last place of a stored angle
};

static int refuse(struct grib_grid *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct grib_grid *g, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(g->why, sizeof g->why, format, arguments);
    va_end(arguments);
    g->usable = false;
    return VIRGA_UNSUPPORTED;
}

// --- stored numbers; octets are counted from 1 as in the manual --------------------------------------------------------------

static uint32_t raw(struct parsing *p, size_t octet, size_t bytes) {
    uint32_t v = 0;
    if (octet - 1 + bytes > p->section->size) {
        p->failed = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) v = v << 8 | p->section->bytes[octet - 1 + i];
    return v;
}

static bool missing(struct parsing *p, size_t octet, size_t bytes) {
    uint32_t v = raw(p, octet, bytes);
    return v == (bytes == 4 ? UINT32_MAX : ((uint32_t)1 << (8 * bytes)) - 1);
}

static double sign_magnitude(uint32_t v, size_t bytes) {
    uint32_t sign = (uint32_t)1 << (8 * bytes - 1);
    return v & sign ? -(double)(v & (sign - 1)) : (double)v;
}

static double signed_number(struct parsing *p, size_t octet, size_t bytes) { return sign_magnitude(raw(p, octet, bytes), bytes); }

// Some writers store negative angles in two's complement: what is no angle either way stays out of range.
static double angle(struct parsing *p, size_t octet, size_t bytes) {
    uint32_t v = raw(p, octet, bytes);
    double degrees = sign_magnitude(v, bytes) * p->unit;
    if (bytes == 4 && fabs(degrees) > 720 && fabs((double)(int32_t)v * p->unit) <= 360) {
        snprintf(p->grid->note, sizeof p->grid->note, "a negative angle of its grid is stored as a two's complement");
        return (double)(int32_t)v * p->unit;
    }
    return degrees;
}

static double ieee(struct parsing *p, size_t octet) {
    uint32_t v = raw(p, octet, 4);
    float f;
    memcpy(&f, &v, sizeof f);
    return f;
}

static double scaled(struct parsing *p, size_t octet) {  // scale factor, scaled value
    double factor = signed_number(p, octet, 1);
    if (missing(p, octet + 1, 4)) return NAN;
    if (missing(p, octet, 1)) factor = 0;
    return fabs(factor) > 20 ? NAN : (double)raw(p, octet + 1, 4) * pow(10, -factor);
}

// --- the earth -----------------------------------------------------------------------------------------------------------

static bool sane_earth(double major, double minor) { return major > 5e6 && major < 8e6 && minor > 5e6 && minor <= major * 1.0001; }

static int earth2(struct parsing *p, bool matters) {
    struct grib_grid *g = p->grid;
    unsigned code = raw(p, 15, 1);
    static const double known[10][2] = {
        [0] = {6367470, 6367470}, [2] = {6378160, 6356775}, [4] = {6378137, 6378137 * (1 - 1 / 298.257222101)},
        [5] = {6378137, 6378137 * (1 - 1 / 298.257223563)}, [6] = {6371229, 6371229}, [8] = {6371200, 6371200}, [9] = {6377563.396, 6356256.909},
    };
    double major = code < 10 ? known[code][0] : NAN, minor = code < 10 ? known[code][1] : NAN;
    if (code == 1) major = minor = scaled(p, 16);
    if (code == 3 || code == 7) {
        double unit = code == 3 ? 1000 : 1;
        major = scaled(p, 21) * unit;
        minor = scaled(p, 26) * unit;
        if (major < 10000) major *= 1000, minor *= 1000;  // kilometres where metres are due, as some writers have it
    }
    if (sane_earth(major, minor)) {
        g->major = major;
        g->minor = minor;
        return VIRGA_OK;
    }
    g->major = g->minor = 6371229;
    const char *what = code >= 10 ? "is not one of the code table" : "comes without usable axes";
    if (matters) return refuse(g, "its shape of the earth (code %u) %s, so its projection cannot be placed", code, what);
    snprintf(g->note, sizeof g->note, "its shape of the earth (code %u) %s; a sphere of 6371229 m is taken", code, what);
    return VIRGA_OK;
}

static void earth1(struct parsing *p, unsigned flags) {
    bool oblate = flags & 0x40;
    p->grid->major = oblate ? 6378160 : 6367470;
    p->grid->minor = oblate ? 6356775 : 6367470;
}

// --- axes ----------------------------------------------------------------------------------------------------------------

static int make_axes(struct parsing *p) {
    struct grib_grid *g = p->grid;
    g->x = arena_new(p->arena, g->nx, sizeof *g->x);
    g->y = arena_new(p->arena, g->ny, sizeof *g->y);
    return g->x && g->y ? VIRGA_OK : VIRGA_NO_MEMORY;
}

// From first to last where both are there; a step that contradicts them is said.
static bool fill_axis(struct parsing *p, double *v, size_t n, double first, double span, double step, const char *which) {
    struct grib_grid *g = p->grid;
    bool spanned = isfinite(span), stepped = isfinite(step) && step != 0;
    if (n > 1 && (!spanned || span == 0) && !stepped) return refuse(g, "its %s go nowhere", which), false;
    if (n > 1 && (!spanned || span == 0)) span = step * (double)(n - 1);
    double unit = p->unit * (double)n + fabs(step) * 1e-3;
    if (n > 1 && stepped && fabs(fabs(step) * (double)(n - 1) - fabs(span)) > unit && !*g->note)
        snprintf(g->note, sizeof g->note, "the increment %g of its %s contradicts the first and last, which are taken", fabs(step), which);
    for (size_t i = 0; i < n; i++) v[i] = n > 1 ? first + span * (double)i / (double)(n - 1) : first;
    return true;
}

static void turn_axis(double *v, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        double t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
}

// Longitudes go the way the scanning flag says, once around at most.
static int longitudes(struct parsing *p, double first, double last, double step) {
    struct grib_grid *g = p->grid;
    double span = NAN;
    if (!(fabs(first) <= 360)) return refuse(g, "its first longitude of %g degrees is out of range", first);
    if (fabs(last) <= 720 && isfinite(last)) {
        span = g->from_east ? first - last : last - first;
        while (span < 0) span += 360;
        while (span > 360 + p->unit) span -= 360;
        if (span == 0 && g->nx > 1) span = isfinite(step) && fabs(step) * (double)(g->nx - 1) < 359 ? NAN : 360;
    }
    // Rounded degrees shall not leave a seam in a globe.
    double around = isfinite(span) && g->nx > 3 ? span + span / (double)(g->nx - 1) : 0;
    if (fabs(around - 360) < 3 * p->unit) span = 360.0 - 360.0 / (double)g->nx;
    if (!fill_axis(p, g->x, g->nx, first, g->from_east ? -span : span, g->from_east ? -step : step, "longitudes")) return VIRGA_UNSUPPORTED;
    if (fabs(g->x[g->nx - 1] - g->x[0]) > 360.001) return refuse(g, "its longitudes go around the globe more than once");
    if (g->from_east) turn_axis(g->x, g->nx);
    if (g->x[0] >= 360 - p->unit || (g->x[0] > 180 && g->x[g->nx - 1] > 360 + p->unit))
        for (size_t i = 0; i < g->nx; i++) g->x[i] -= 360;
    return VIRGA_OK;
}

// Latitudes are where the first and last say, whatever the scanning flag does.
static int latitudes(struct parsing *p, double first, double last, double step) {
    struct grib_grid *g = p->grid;
    double sign = g->from_north ? -1 : 1, span = fabs(last) <= 90.001 ? last - first : NAN;
    if (!(fabs(first) <= 90.001)) return refuse(g, "its first latitude of %g degrees is out of range", first);
    if (g->ny > 1 && isfinite(span) && span * sign < 0) {
        if (!*g->note) snprintf(g->note, sizeof g->note, "its scanning mode contradicts its first and last latitudes, which are taken");
        sign = -sign;
        g->from_north = sign < 0;
    }
    if (!fill_axis(p, g->y, g->ny, first, span, sign * step, "latitudes")) return VIRGA_UNSUPPORTED;
    if (g->from_north) turn_axis(g->y, g->ny);
    if (g->y[0] < -90.001 || g->y[g->ny - 1] > 90.001) return refuse(g, "its latitudes leave the range of -90 to 90 degrees");
    return VIRGA_OK;
}

static int gaussian(struct parsing *p, double first, size_t n) {
    struct grib_grid *g = p->grid;
    if (n < 1 || n > GAUSSIAN_MAX || g->ny > 2 * n) return refuse(g, "it is no Gaussian grid: N is %zu with %zu latitudes", n, g->ny);
    double *all = malloc(2 * n * sizeof *all);
    if (!all) return VIRGA_NO_MEMORY;
    int status = grib_gaussian_latitudes(n, all);
    size_t from = 0;
    for (size_t i = 1; !status && i < 2 * n; i++)
        if (fabs(all[i] - first) < fabs(all[from] - first)) from = i;
    // Some round more coarsely than the unit; half of a row's distance would be another row.
    bool right = fabs(all[from] - first) < 0.05 * 180 / (2 * (double)n) && (g->from_north ? from + g->ny <= 2 * n : from + 1 >= g->ny);
    if (!status && !right) status = refuse(g, "its first latitude of %g degrees is none of the Gaussian latitudes of N%zu", first, n);
    for (size_t j = 0; !status && j < g->ny; j++) g->y[j] = g->from_north ? all[from + g->ny - 1 - j] : all[from - j];
    free(all);
    return status;
}

// Axes of a projection, from the first point and the grid's lengths.
static int projected(struct parsing *p, double latitude, double longitude, double dx, double dy) {
    struct grib_grid *g = p->grid;
    double x, y;
    if (!(fabs(latitude) <= 90.001) || !(fabs(longitude) <= 720)) return refuse(g, "its first point is at no latitude and longitude");
    if (!(dx > 0 && dx < 1e7 && dy > 0 && dy < 1e7)) return refuse(g, "its grid lengths of %g and %g m are out of range", dx, dy);
    if (g->projection == GRIB_MERCATOR) {  // about its own middle, so that none lies beyond the projection's edge
        double wide = dx / (g->major * cos(g->parallel[0] * 0.017453292519943295)) / 0.017453292519943295 * (double)(g->nx - 1);
        g->origin_longitude = remainder(longitude + (g->from_east ? -wide : wide) / 2, 360);
        longitude = g->origin_longitude + (g->from_east ? wide : -wide) / 2;
    }
    grib_project(g, latitude, longitude, &x, &y);
    if (!(fabs(x) < 1e8 && fabs(y) < 1e8)) return refuse(g, "its first point cannot be projected");
    for (size_t i = 0; i < g->nx; i++) g->x[i] = x + (g->from_east ? (double)i - (double)(g->nx - 1) : (double)i) * dx;
    for (size_t j = 0; j < g->ny; j++) g->y[j] = y + (g->from_north ? (double)j - (double)(g->ny - 1) : (double)j) * dy;
    return VIRGA_OK;
}

static int check_shape(struct parsing *p, uint32_t nx, uint32_t ny, size_t points_max) {
    struct grib_grid *g = p->grid;
    if (!nx || !ny) return refuse(g, "its grid has no points");
    if (nx > AXIS_MAX || ny > AXIS_MAX || (uint64_t)nx * ny > points_max)
        return refuse(g, "its grid of %u x %u points is larger than a reader may hold", nx, ny);
    g->nx = nx;
    g->ny = ny;
    return make_axes(p);
}

static int scanning(struct parsing *p, unsigned mode) {
    p->grid->from_east = mode & 0x80;
    p->grid->from_north = !(mode & 0x40);
    p->grid->columns_first = mode & 0x20;
    p->grid->alternating = mode & 0x10;
    if (mode & 0x0f) return refuse(p->grid, "its scanning mode shifts rows against each other, which is not placed");
    return VIRGA_OK;
}

static int rotation(struct parsing *p, double south_latitude, double south_longitude, double turn) {
    struct grib_grid *g = p->grid;
    if (!(fabs(south_latitude) <= 90) || !(fabs(south_longitude) <= 360)) return refuse(g, "the pole of its rotation is out of range");
    if (turn != 0) return refuse(g, "its rotated grid is turned about its own pole as well, which is not placed");
    g->projection = GRIB_ROTATED;
    g->pole_latitude = -south_latitude;
    g->pole_longitude = remainder(south_longitude + 180, 360);
    if (g->x[0] >= 180)
        for (size_t i = 0; i < g->nx; i++) g->x[i] -= 360;
    return VIRGA_OK;
}

static int conic(struct parsing *p, double one, double two, double longitude) {
    struct grib_grid *g = p->grid;
    if (!(fabs(one) < 90 && fabs(two) < 90) || fabs(one + two) < 1e-6) return refuse(g, "its standard parallels %g and %g are out of range", one, two);
    if (!(fabs(longitude) <= 720)) return refuse(g, "its central longitude is out of range");
    g->parallel[0] = one;
    g->parallel[1] = two;
    g->origin_longitude = longitude;
    return VIRGA_OK;
}

static int polar(struct parsing *p, bool south, double true_latitude, double longitude) {
    struct grib_grid *g = p->grid;
    if (!(fabs(true_latitude) <= 90) || !(fabs(longitude) <= 720) || true_latitude == 0) return refuse(g, "its projection's latitude or longitude is out of range");
    g->projection = GRIB_POLAR;
    g->origin_latitude = south ? -90 : 90;
    g->parallel[0] = south ? -fabs(true_latitude) : fabs(true_latitude);
    g->origin_longitude = longitude;
    return VIRGA_OK;
}

// --- edition 2 -----------------------------------------------------------------------------------------------------------

static const char *name_of_template(unsigned number) {
    switch (number) {
    case 2: case 3: case 42: case 43: return "a stretched grid";
    case 4: case 5: return "a grid of variable resolution";
    case 50: case 51: case 52: case 53: return "spherical harmonics, which have no grid points";
    case 90: return "a satellite's view";
    case 100: return "a triangular grid";
    case 101: return "an unstructured grid, whose points are not in the file";
    default: return NULL;
    }
}

static int lonlat2(struct parsing *p, unsigned number, size_t points_max) {
    uint32_t basic = missing(p, 39, 4) ? 0 : raw(p, 39, 4), parts = missing(p, 43, 4) ? 0 : raw(p, 43, 4);
    bool is_gaussian = number == 40 || number == 41;
    int status = check_shape(p, raw(p, 31, 4), raw(p, 35, 4), points_max);
    if (!status) status = scanning(p, raw(p, 72, 1));
    if (!status) status = earth2(p, false);
    if (status) return status;
    if (basic && parts) p->unit = (double)basic / (double)parts;
    double di = missing(p, 64, 4) ? NAN : raw(p, 64, 4) * p->unit, dj = missing(p, 68, 4) ? NAN : raw(p, 68, 4) * p->unit;
    double last_y = missing(p, 56, 4) ? NAN : angle(p, 56, 4), last_x = missing(p, 60, 4) ? NAN : angle(p, 60, 4);
    p->grid->winds_on_grid = raw(p, 55, 1) & 8;
    if ((status = longitudes(p, angle(p, 51, 4), last_x, di))) return status;
    status = is_gaussian ? gaussian(p, angle(p, 47, 4), raw(p, 68, 4)) : latitudes(p, angle(p, 47, 4), last_y, dj);
    if (!status && (number == 1 || number == 41)) status = rotation(p, angle(p, 73, 4), angle(p, 77, 4), ieee(p, 81));
    else p->grid->winds_on_grid = false;  // the grid's axes are east and north
    return status;
}

static int projection2(struct parsing *p, unsigned number, size_t points_max) {
    struct grib_grid *g = p->grid;
    size_t mode = number == 10 ? 60 : number == 140 ? 64 : 65, lengths = number == 10 ? 65 : 56;
    int status = check_shape(p, raw(p, 31, 4), raw(p, 35, 4), points_max);
    if (!status) status = scanning(p, raw(p, mode, 1));
    if (!status) status = earth2(p, true);
    if (status) return status;
    g->winds_on_grid = raw(p, number == 140 ? 55 : 47, 1) & 8;
    if (number == 10) {
        if (raw(p, 61, 4) && !missing(p, 61, 4)) return refuse(g, "its Mercator projection is oblique, which is not placed");
        g->projection = GRIB_MERCATOR;
        g->parallel[0] = angle(p, 48, 4);
        g->winds_on_grid = false;
        if (!(fabs(g->parallel[0]) < 89)) return refuse(g, "the latitude of its scale is out of range");
        g->origin_longitude = 0;
    } else if (number == 20) {
        status = polar(p, raw(p, 64, 1) & 0x80, angle(p, 48, 4), angle(p, 52, 4));
    } else if (number == 30) {
        g->projection = GRIB_LAMBERT;
        status = conic(p, angle(p, 66, 4), angle(p, 70, 4), angle(p, 52, 4));
        g->origin_latitude = angle(p, 48, 4);
        if (!(fabs(g->origin_latitude) < 89)) g->origin_latitude = g->parallel[0];
    } else {
        g->projection = GRIB_EQUAL_AREA;
        g->origin_latitude = angle(p, 47, 4);
        g->origin_longitude = angle(p, 51, 4);
        if (!(fabs(g->origin_latitude) <= 90 && fabs(g->origin_longitude) <= 720)) return refuse(g, "the centre of its projection is out of range");
    }
    return status ? status : projected(p, angle(p, 39, 4), angle(p, 43, 4), raw(p, lengths, 4) * 1e-3, raw(p, lengths + 4, 4) * 1e-3);
}

// Its corners are given on the plane, in units of a centimetre.
static int transverse2(struct parsing *p, size_t points_max) {
    struct grib_grid *g = p->grid;
    int status = check_shape(p, raw(p, 31, 4), raw(p, 35, 4), points_max);
    if (!status) status = scanning(p, raw(p, 60, 1));
    if (!status) status = earth2(p, true);
    if (status) return status;
    g->projection = GRIB_TRANSVERSE;
    g->winds_on_grid = raw(p, 47, 1) & 8;
    g->origin_latitude = angle(p, 39, 4);
    g->origin_longitude = angle(p, 43, 4);
    g->scale = ieee(p, 48);
    g->false_east = signed_number(p, 52, 4) * 0.01;
    g->false_north = signed_number(p, 56, 4) * 0.01;
    if (!(fabs(g->origin_latitude) <= 90 && fabs(g->origin_longitude) <= 720 && g->scale > 0.1 && g->scale < 10))
        return refuse(g, "the reference point of its projection is out of range");
    double x1 = signed_number(p, 69, 4) * 0.01, x2 = signed_number(p, 77, 4) * 0.01, y1 = signed_number(p, 73, 4) * 0.01, y2 = signed_number(p, 81, 4) * 0.01;
    double dx = raw(p, 61, 4) * 0.01, dy = raw(p, 65, 4) * 0.01;
    p->unit = 0.01;
    if (g->from_east != (x2 < x1) && g->nx > 1) g->from_east = x2 < x1;
    if (g->from_north != (y2 < y1) && g->ny > 1) g->from_north = y2 < y1;
    if (!fill_axis(p, g->x, g->nx, x1, x2 - x1, dx, "x coordinates") || !fill_axis(p, g->y, g->ny, y1, y2 - y1, dy, "y coordinates")) return VIRGA_UNSUPPORTED;
    if (g->from_east) turn_axis(g->x, g->nx);
    if (g->from_north) turn_axis(g->y, g->ny);
    return VIRGA_OK;
}

static int grid2(struct parsing *p, size_t points_max) {
    struct grib_grid *g = p->grid;
    unsigned number = raw(p, 13, 2);
    p->unit = 1e-6;
    if (raw(p, 6, 1) != 0) return refuse(g, "its grid is not defined in the file");
    if (raw(p, 11, 1) != 0 || missing(p, 31, 4)) {
        if (number == 40 || number == 41) return refuse(g, "a reduced Gaussian grid, which is not placed yet");
        if (number <= 1) return refuse(g, "a reduced (quasi-regular) grid, which is not placed");
    }
    if (name_of_template(number)) return refuse(g, "%s (grid template %u) cannot be placed", name_of_template(number), number);
    int status;
    if (number <= 1 || number == 40 || number == 41) status = lonlat2(p, number, points_max);
    else if (number == 12) status = transverse2(p, points_max);
    else if (number == 10 || number == 20 || number == 30 || number == 140) status = projection2(p, number, points_max);
    else return refuse(g, "its grid template %u is not one that can be placed", number);
    if (!status && raw(p, 7, 4) != g->nx * g->ny) return refuse(g, "its grid has %zu x %zu points, but %u are said to be there", g->nx, g->ny, raw(p, 7, 4));
    return status;
}

// --- edition 1 -----------------------------------------------------------------------------------------------------------

static int lonlat1(struct parsing *p, unsigned type) {
    bool is_gaussian = type == 4 || type == 14;
    unsigned flags = raw(p, 17, 1);
    double di = missing(p, 24, 2) || !(flags & 0x80) ? NAN : raw(p, 24, 2) * p->unit, dj = missing(p, 26, 2) || !(flags & 0x80) ? NAN : raw(p, 26, 2) * p->unit;
    earth1(p, flags);
    p->grid->winds_on_grid = flags & 8;
    int status = longitudes(p, angle(p, 14, 3), missing(p, 21, 3) ? NAN : angle(p, 21, 3), di);
    if (!status) status = is_gaussian ? gaussian(p, angle(p, 11, 3), raw(p, 26, 2)) : latitudes(p, angle(p, 11, 3), missing(p, 18, 3) ? NAN : angle(p, 18, 3), dj);
    if (!status && (type == 10 || type == 14)) status = rotation(p, angle(p, 33, 3), angle(p, 36, 3), raw(p, 39, 4) & 0x7fffffff ? 1 : 0);
    else p->grid->winds_on_grid = false;
    return status;
}

static int projection1(struct parsing *p, unsigned type) {
    struct grib_grid *g = p->grid;
    int status = VIRGA_OK;
    unsigned flags = raw(p, 17, 1);
    size_t lengths = type == 1 ? 29 : 21;
    earth1(p, flags);
    g->winds_on_grid = flags & 8;
    if (type == 1) {
        g->projection = GRIB_MERCATOR;
        g->parallel[0] = angle(p, 24, 3);
        g->winds_on_grid = false;
        if (!(fabs(g->parallel[0]) < 89)) return refuse(g, "the latitude of its scale is out of range");
    } else if (type == 5) {
        status = polar(p, raw(p, 27, 1) & 0x80, 60, angle(p, 18, 3));
    } else {
        g->projection = GRIB_LAMBERT;
        status = conic(p, angle(p, 29, 3), angle(p, 32, 3), angle(p, 18, 3));
        g->origin_latitude = g->parallel[0];
    }
    return status ? status : projected(p, angle(p, 11, 3), angle(p, 14, 3), raw(p, lengths, 3), raw(p, lengths + 3, 3));
}

static int grid1(struct parsing *p, size_t points_max) {
    struct grib_grid *g = p->grid;
    unsigned type = raw(p, 6, 1);
    p->unit = 1e-3;
    if (type >= 50 && type <= 80) return refuse(g, "spherical harmonics have no grid points and cannot be placed");
    if (type == 20 || type == 24 || type == 30 || type == 34) return refuse(g, "a stretched grid cannot be placed");
    if (type == 90) return refuse(g, "a satellite's view cannot be placed");
    if (type != 0 && type != 1 && type != 3 && type != 4 && type != 5 && type != 10 && type != 14)
        return refuse(g, "its data representation type %u is not one that can be placed", type);
    if (missing(p, 7, 2) || missing(p, 9, 2))
        return refuse(g, type == 4 ? "a reduced Gaussian grid, which is not placed yet" : "a reduced (quasi-regular) grid, which is not placed");
    int status = check_shape(p, raw(p, 7, 2), raw(p, 9, 2), points_max);
    if (!status) status = scanning(p, raw(p, 28, 1));
    if (status) return status;
    return type == 1 || type == 3 || type == 5 ? projection1(p, type) : lonlat1(p, type);
}

int grib_grid_parse(struct arena *arena, const struct grib_section *section, size_t points_max, struct grib_grid *grid) {
    struct parsing p = {.section = section, .grid = grid, .arena = arena};
    *grid = (struct grib_grid){.usable = true, .scale = 1};
    int status = section->edition == 2 ? grid2(&p, points_max) : grid1(&p, points_max);
    if (status == VIRGA_NO_MEMORY) return status;
    if (!status && p.failed) refuse(grid, "its grid definition is cut short");
    return VIRGA_OK;
}

static bool same_axis(const double *a, const double *b, size_t n) {
    double step = n > 1 ? fabs(a[n - 1] - a[0]) / (double)(n - 1) : 1;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= 1e-4 * step)) return false;
    return true;
}

bool grib_grid_equal(const struct grib_grid *a, const struct grib_grid *b) {
    return a->usable && b->usable && a->projection == b->projection && a->nx == b->nx && a->ny == b->ny && a->major == b->major && a->minor == b->minor &&
           a->origin_latitude == b->origin_latitude && a->origin_longitude == b->origin_longitude && a->parallel[0] == b->parallel[0] &&
           a->parallel[1] == b->parallel[1] && a->scale == b->scale && a->false_east == b->false_east && a->false_north == b->false_north &&
           a->pole_latitude == b->pole_latitude && a->pole_longitude == b->pole_longitude && same_axis(a->x, b->x, a->nx) && same_axis(a->y, b->y, a->ny);
}
