// SPDX-License-Identifier: Apache-2.0
// As web/layers/light.js and sun.js. The sun: NOAA Global Monitoring Laboratory, "Solar Calculation Details", after J. Meeus, Astronomical
// Algorithms.
#include "render/light.h"

#include <math.h>

static const double rad = 0.017453292519943295, lowest = 9;
enum { NIGHT_AZIMUTH = 215, NIGHT_ELEVATION = 38, NIGHT_BELOW = -4 };

static double share(double value)
{
    return fmin(1, fmax(0, value));
}

static void mix(const double a[3], const double b[3], double t, double out[3])
{
    for (int n = 0; n < 3; n++)
        out[n] = a[n] + (b[n] - a[n]) * t;
}

// In [0, m), as angles are counted.
static double turned(double value, double m)
{
    return fmod(fmod(value, m) + m, m);
}

// Declination in radians and the equation of time in minutes.
static void sun_of_day(double T, double *declination, double *minutes)
{
    double L = 280.46646 + T * (36000.76983 + T * 0.0003032), M = (357.52911 + T * (35999.05029 - 0.0001537 * T)) * rad;
    double e = 0.016708634 - T * (0.000042037 + 0.0000001267 * T);
    double C = sin(M) * (1.914602 - T * (0.004817 + 0.000014 * T)) + sin(2 * M) * (0.019993 - 0.000101 * T) + sin(3 * M) * 0.000289;
    double omega = (125.04 - 1934.136 * T) * rad, lambda = (L + C - 0.00569 - 0.00478 * sin(omega)) * rad;
    double tilt = (23 + (26 + (21.448 - T * (46.815 + T * (0.00059 - T * 0.001813))) / 60) / 60 + 0.00256 * cos(omega)) * rad;
    double y = tan(tilt / 2) * tan(tilt / 2), L0 = L * rad;
    *declination = asin(sin(tilt) * sin(lambda));
    *minutes = 4 / rad * (y * sin(2 * L0) - 2 * e * sin(M) + 4 * e * y * sin(M) * cos(2 * L0) - y * y / 2 * sin(4 * L0) -
                          1.25 * e * e * sin(2 * M));
}

void sun_position(double seconds, double lon, double lat, double *azimuth, double *elevation)
{
    double declination, minutes;
    sun_of_day((seconds / 86400 + 2440587.5 - 2451545) / 36525, &declination, &minutes);
    double hour = (turned(seconds / 60 + minutes + 4 * lon, 1440) / 4 - 180) * rad, phi = lat * rad;
    double up = sin(phi) * sin(declination) + cos(phi) * cos(declination) * cos(hour);
    double across = -sin(hour) * cos(declination), along = sin(declination) * cos(phi) - cos(declination) * sin(phi) * cos(hour);
    *azimuth = turned(atan2(across, along) / rad, 360);
    *elevation = asin(fmin(1, fmax(-1, up))) / rad;
}

// How bright and of which colour, by day, at dusk and at night.
static void set_colours(struct light *light, const struct view *view)
{
    static const double white[3] = {1.0, 0.985, 0.95}, warm[3] = {1.0, 0.78, 0.56}, moon[3] = {0.72, 0.82, 1.0};
    static const double shade[3] = {0.86, 0.93, 1.04}, night_shade[3] = {0.80, 0.92, 1.12};
    bool by_time = view->sun_by_time;
    double day = share((light->elevation + 4) / 12), strength = 1 - view->ambient * 0.55;
    mix(white, warm, by_time ? share((14 - light->elevation) / 16) : 0, light->colour);
    if (by_time)
        strength *= 0.55 + 0.45 * day;
    for (int n = 0; n < 3; n++) {
        light->ambient[n] = shade[n] * view->ambient;
        if (by_time)
            light->ambient[n] = light->ambient[n] * (0.8 + 0.2 * day) * (n == 2 ? 1.03 : 1);
        if (light->night)
            light->ambient[n] = night_shade[n] * view->ambient * 0.85;
        light->colour[n] = light->night ? moon[n] * 0.46 : light->colour[n] * strength;
    }
}

static void set_sky(struct light *light, const struct view *view)
{
    static const double day_top[3] = {0.115, 0.175, 0.265}, night_top[3] = {0.030, 0.045, 0.090};
    static const double day_low[3] = {0.245, 0.325, 0.415}, night_low[3] = {0.075, 0.095, 0.150};
    double dusk = view->sun_by_time ? share(1 - share((light->elevation + 4) / 12)) : 0;
    mix(day_top, night_top, dusk, light->sky_top);
    mix(day_low, night_low, dusk, light->sky_low);
}

void light_init(struct light *light, const struct view *view, double seconds, double lon, double lat, double north)
{
    *light = (struct light){.azimuth = view->sun_azimuth, .elevation = view->sun_elevation, .shadows = view->shadows};
    if (view->sun_by_time)
        sun_position(seconds, lon, lat, &light->azimuth, &light->elevation);
    // At night the scene is lit from where the moon might be, cooler and dimmer, so that shapes can still be read.
    light->night = view->sun_by_time && light->elevation < NIGHT_BELOW;
    double used = fmax(lowest, light->night ? NIGHT_ELEVATION : light->elevation) * rad;
    double turn = ((light->night ? NIGHT_AZIMUTH : light->azimuth) + north) * rad;
    light->direction[0] = sin(turn) * cos(used);
    light->direction[1] = cos(turn) * cos(used);
    light->direction[2] = sin(used);
    set_colours(light, view);
    set_sky(light, view);
}
