// SPDX-License-Identifier: Apache-2.0
// What a field's levels are by their own numbers, and which fields beside it tell more of them: what surfaces of pressure, height or potential
// temperature are found by. Never blocks; any thread. What is pointed to belongs to the catalog.
#ifndef VIRGA_FIELD_LEVEL_COORDINATE_H
#define VIRGA_FIELD_LEVEL_COORDINATE_H

#include "field/catalog.h"

enum level_quantity {
    LEVELS_NUMBERED,         // a: numbers without a unit; where levels are stands in fields
    LEVELS_PRESSURE,         // a: Pa
    LEVELS_HYBRID_PRESSURE,  // a + b surface pressure: Pa (sigma levels, too)
    LEVELS_ALTITUDE,         // a: metres above mean sea level
    LEVELS_ABOVE_GROUND,     // a: metres above the ground
    LEVELS_HYBRID_HEIGHT     // metres above mean sea level: a + b orography (and with more terms)
};

// A field at the same time and member. value in the unit said below = number * scale + offset, or exp of that.
struct level_companion {
    bool there;
    struct field_ref field;
    double scale, offset;
    bool logarithm;
};

struct level_coordinate {
    enum level_quantity quantity;
    const char *name;  // for people, static: "hybrid_sigma_pressure" …
    size_t count;
    const double *a, *b;  // [count], level 0 the lowest; b: hybrid kinds only, else NULL
    struct level_companion surface_pressure;             // Pa, without levels
    struct level_companion pressure, theta, temperature; // Pa, K, K, on levels that contain the field's
};

// VIRGA_OK; VIRGA_NOT_FOUND where there is no such field or it has no levels.
int field_level_coordinate(const struct field_ref *field, struct level_coordinate *coordinate, struct failure *failure);
// Which level of a companion on levels is which of the field's: theirs[coordinate.count]. False where some is missing.
bool level_companion_levels(const struct field_ref *field, const struct level_companion *companion, size_t *theirs);

#endif
