// SPDX-License-Identifier: Apache-2.0
// Where a grid's first point lies on its projection, and Gaussian latitudes. Formulas: J. P. Snyder, Map projections: a working
// manual, USGS Professional Paper 1395 (1987); equation numbers below are its own.
#include <math.h>

#include "source/reader_grib.h"

static const double radian = 0.017453292519943295;

static double eccentricity(const struct grib_grid *g) { return sqrt(fmax(0, 1 - g->minor * g->minor / (g->major * g->major))); }

static double m_of(double e, double phi) { return cos(phi) / sqrt(1 - e * e * sin(phi) * sin(phi)); }  // (14-15)

static double t_of(double e, double phi) {  // (15-9)
    double s = e * sin(phi);
    return tan(M_PI / 4 - phi / 2) / pow((1 - s) / (1 + s), e / 2);
}

static double q_of(double e, double phi) {  // (3-12)
    double s = sin(phi);
    if (e < 1e-12) return 2 * s;
    return (1 - e * e) * (s / (1 - e * e * s * s) - log((1 - e * s) / (1 + e * s)) / (2 * e));
}

static double turned(double degrees) { return remainder(degrees, 360) * radian; }

static void lambert(const struct grib_grid *g, double phi, double longitude, double *x, double *y) {  // (15-1) to (15-11)
    double e = eccentricity(g), one = g->parallel[0] * radian, two = g->parallel[1] * radian, origin = g->origin_latitude * radian;
    double n = fabs(one - two) < 1e-10 ? sin(one) : (log(m_of(e, one)) - log(m_of(e, two))) / (log(t_of(e, one)) - log(t_of(e, two)));
    double f = m_of(e, one) / (n * pow(t_of(e, one), n)), rho = g->major * f * pow(t_of(e, phi), n), rho0 = g->major * f * pow(t_of(e, origin), n);
    double theta = n * turned(longitude - g->origin_longitude);
    *x = rho * sin(theta);
    *y = rho0 - rho * cos(theta);
}

static void polar(const struct grib_grid *g, double phi, double longitude, double *x, double *y) {  // (21-30) to (21-34)
    double e = eccentricity(g), sign = g->origin_latitude < 0 ? -1 : 1, true_phi = sign * g->parallel[0] * radian, t = t_of(e, sign * phi);
    double k = fabs(g->parallel[0]) > 89.9999999 ? 2 / sqrt(pow(1 + e, 1 + e) * pow(1 - e, 1 - e)) : m_of(e, true_phi) / t_of(e, true_phi);
    double rho = g->major * k * t, theta = sign * turned(longitude - g->origin_longitude);
    *x = sign * rho * sin(theta);
    *y = -sign * rho * cos(theta);
}

static void mercator(const struct grib_grid *g, double phi, double longitude, double *x, double *y) {  // (7-6), (7-7)
    double e = eccentricity(g), k = g->major * m_of(e, g->parallel[0] * radian);
    *x = k * (longitude - g->origin_longitude) * radian;
    *y = -k * log(t_of(e, phi));
}

static void equal_area(const struct grib_grid *g, double phi, double longitude, double *x, double *y) {  // (24-17) to (24-22)
    double e = eccentricity(g), origin = g->origin_latitude * radian, lambda = turned(longitude - g->origin_longitude);
    double qp = q_of(e, M_PI / 2), beta = asin(fmax(-1, fmin(1, q_of(e, phi) / qp))), beta1 = asin(fmax(-1, fmin(1, q_of(e, origin) / qp)));
    double rq = g->major * sqrt(qp / 2);
    if (fabs(fabs(g->origin_latitude) - 90) < 1e-9) {  // (24-23) to (24-26)
        double sign = g->origin_latitude < 0 ? -1 : 1, rho = g->major * sqrt(fmax(0, qp - sign * q_of(e, phi)));
        *x = rho * sin(lambda);
        *y = -sign * rho * cos(lambda);
        return;
    }
    double d = g->major * m_of(e, origin) / (rq * cos(beta1));
    double b = rq * sqrt(2 / (1 + sin(beta1) * sin(beta) + cos(beta1) * cos(beta) * cos(lambda)));
    *x = b * d * cos(beta) * sin(lambda);
    *y = b / d * (cos(beta1) * sin(beta) - sin(beta1) * cos(beta) * cos(lambda));
}

void grib_project(const struct grib_grid *g, double latitude, double longitude, double *x, double *y) {
    double phi = fmax(-90, fmin(90, latitude)) * radian;
    *x = *y = NAN;
    if (g->projection == GRIB_LAMBERT) lambert(g, phi, longitude, x, y);
    else if (g->projection == GRIB_POLAR) polar(g, phi, longitude, x, y);
    else if (g->projection == GRIB_MERCATOR) mercator(g, phi, longitude, x, y);
    else if (g->projection == GRIB_EQUAL_AREA) equal_area(g, phi, longitude, x, y);
}

// Roots of the Legendre polynomial of degree 2 n, by Newton's method from the usual first guess.
int grib_gaussian_latitudes(size_t n, double *latitudes) {
    size_t degree = 2 * n;
    for (size_t i = 0; i < n; i++) {
        double z = cos(M_PI * ((double)i + 0.75) / ((double)degree + 0.5));
        for (int step = 0; step < 20; step++) {
            double before = 1, p = z;
            for (size_t k = 2; k <= degree; k++) {
                double next = ((2 * (double)k - 1) * z * p - ((double)k - 1) * before) / (double)k;
                before = p;
                p = next;
            }
            double change = p * (z * z - 1) / ((double)degree * (z * p - before));
            z -= change;
            if (fabs(change) < 1e-15) break;
        }
        latitudes[i] = asin(z) / radian;
        latitudes[degree - 1 - i] = -latitudes[i];
    }
    return VIRGA_OK;
}
