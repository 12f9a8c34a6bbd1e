// SPDX-License-Identifier: Apache-2.0
#include "field/hydrostatic.h"

#include <math.h>

static const double gravity = HYDROSTATIC_GRAVITY, dry_air = HYDROSTATIC_DRY_AIR, water_vapour = 461.5250, lapse_rate = 0.0065;

double hydrostatic_virtual_temperature(double temperature, double specific_humidity) {
    return temperature * (1 + (water_vapour / dry_air - 1) * specific_humidity);
}

double hydrostatic_layer(double t, double below, double above) { return dry_air * t / gravity * log(below / above); }

double hydrostatic_to_level(double t, double below, double above) {
    double alpha = above > 0 ? 1 - above / (below - above) * log(below / above) : log(2);
    return alpha * dry_air * t / gravity;
}

double hydrostatic_between(double low, double below, double high, double above) { return hydrostatic_layer((low + high) / 2, below, above); }

double hydrostatic_lapse(double t, double from, double to) {
    return t / lapse_rate * (1 - pow(to / from, dry_air * lapse_rate / gravity));
}
