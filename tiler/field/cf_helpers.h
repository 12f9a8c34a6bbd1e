// SPDX-License-Identifier: Apache-2.0
// Variables that help to place others: what tells the ground, the surface pressure, and the air's density. By standard name
// first, by habit where there is none. Pure; any thread.
#ifndef VIRGA_FIELD_CF_HELPERS_H
#define VIRGA_FIELD_CF_HELPERS_H

#include <stdbool.h>

#include "source/source.h"

enum cf_helper {
    HELPER_NONE,
    HELPER_HEIGHT,                // metres, of levels: geopotential height, or geopotential / g
    HELPER_GROUND,                // metres: the height of the ground
    HELPER_SURFACE_PRESSURE,      // Pa
    HELPER_LOG_SURFACE_PRESSURE,  // its natural logarithm
    HELPER_TEMPERATURE,           // K
    HELPER_SPECIFIC_HUMIDITY,     // kg/kg
    HELPER_MIXING_RATIO           // kg/kg of dry air
};

// value in the unit above = value * *scale + *offset. levels: whether the variable stands on more than one level; single: whether
// it stands on one named level (a scalar coordinate), and then is no ground.
enum cf_helper cf_helper_of(const struct source_variable *variable, bool levels, bool single, double *scale, double *offset);

// The text of its units; "" when absent. "unit" serves where a file has no "units".
const char *cf_units_of(const struct source_variable *variable);

#endif
