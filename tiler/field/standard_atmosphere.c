// SPDX-License-Identifier: Apache-2.0
#include "field/standard_atmosphere.h"

#include <math.h>
#include <stddef.h>

// Geopotential height (m) and temperature (K) at the foot of each layer, lapse rate (K/m) in it: ISO 2533, table 4.
static const struct { double height, temperature, lapse; } layers[] = {
    {0, 288.15, -0.0065}, {11000, 216.65, 0}, {20000, 216.65, 0.001}, {32000, 228.65, 0.0028},
    {47000, 270.65, 0},   {51000, 270.65, -0.0028}, {71000, 214.65, -0.002},
};
enum { LAYERS = sizeof layers / sizeof *layers };
static const double sea_level_pressure = 101325, gravity = 9.80665, gas_constant = 287.05287;

static double pressure_in_layer(size_t n, double foot_pressure, double height) {
    double rise = height - layers[n].height, g = gravity / gas_constant;
    if (layers[n].lapse == 0) return foot_pressure * exp(-g * rise / layers[n].temperature);
    return foot_pressure * pow(1 + layers[n].lapse * rise / layers[n].temperature, -g / layers[n].lapse);
}

static double height_in_layer(size_t n, double foot_pressure, double pressure) {
    double g = gravity / gas_constant, ratio = pressure / foot_pressure;
    if (layers[n].lapse == 0) return layers[n].height - log(ratio) * layers[n].temperature / g;
    return layers[n].height + layers[n].temperature / layers[n].lapse * (pow(ratio, -layers[n].lapse / g) - 1);
}

double standard_atmosphere_pressure(double height) {
    double foot = sea_level_pressure;
    size_t n = 0;
    for (; n + 1 < LAYERS && height >= layers[n + 1].height; n++) foot = pressure_in_layer(n, foot, layers[n + 1].height);
    return pressure_in_layer(n, foot, height);
}

double standard_atmosphere_height(double pressure) {
    double foot = sea_level_pressure;
    for (size_t n = 0;; n++) {
        if (n + 1 == LAYERS) return height_in_layer(n, foot, pressure);
        double next = pressure_in_layer(n, foot, layers[n + 1].height);
        if (pressure > next) return height_in_layer(n, foot, pressure);
        foot = next;
    }
}
