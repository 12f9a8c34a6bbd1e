// SPDX-License-Identifier: Apache-2.0
// The vertical coordinate of a dimension: what its levels are, told by numbers and, where these do not suffice, by variables.
// Levels go upward: level k stands at stored index order[k]. Immutable once the file is open.
#ifndef VIRGA_FIELD_CF_VERTICAL_H
#define VIRGA_FIELD_CF_VERTICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "source/source.h"

enum cf_vertical_kind {
    VERTICAL_HEIGHT,           // a: metres above the ground
    VERTICAL_ALTITUDE,         // a: metres above mean sea level
    VERTICAL_HYBRID_HEIGHT,    // metres above mean sea level = a + b orography + c smoothed orography (c: SLEVE only)
    VERTICAL_PRESSURE,         // a: Pa
    VERTICAL_HYBRID_PRESSURE,  // Pa = a + b surface pressure; pure sigma levels are of this kind, too
    VERTICAL_FIELD             // heights or pressures stand in variables of the file; a: the levels' numbers
};

// Heights or pressures of levels that variables hold: (first + second) factor, in metres or Pa.
struct cf_level_field {
    int variables[2];   // in the inventory; the second may be CF_NO_VARIABLE
    double factor;
    bool pressure;      // Pa, else metres
    bool above_ground;  // metres above the ground, else above mean sea level
    bool halves;        // they stand on the half levels around: level k lies midway between their k and k + 1
};

struct cf_vertical {
    int dimension;                // in the inventory; -1 for a scalar coordinate
    int coordinate;               // the variable that tells the levels, or CF_NO_VARIABLE
    enum cf_vertical_kind kind;
    const char *name;             // for info, static: "height", "hybrid_sigma_pressure", "sigma" …
    const char *assumed;          // what had to be assumed about its numbers, static, or NULL
    size_t level_count;
    size_t *order;                // [level_count] stored index of level k, upward
    double *a;                    // [level_count] upward
    double *b, *c;                // hybrid kinds only, else NULL
    double *half_a, *half_b;      // [2 level_count] Pa and 1: half levels below and above level k, where known, else NULL
    int orography, smooth;        // named variables in the inventory, or CF_NO_VARIABLE: orography, SLEVE's smooth part of it
    int surface_pressure;         // likewise
    struct cf_level_field field;  // VERTICAL_FIELD
    uint64_t key;                 // hash of kind and levels
    bool refused;
    struct failure failure;
};

void cf_vertical_destroy(struct cf_vertical *vertical);
// The vertical of several levels such as `one`, a plain pressure, height or altitude. levels: [count] as in `a`, each another, in any order. Stored
// indices are those upward. VIRGA_OK or VIRGA_NO_MEMORY: nothing is left of it then. The caller destroys it.
int cf_vertical_of_levels(const struct cf_vertical *one, const double *levels, size_t count, struct cf_vertical *all);
// Their level for each of my levels, in theirs [mine->level_count]. False where they lack one, or are of another kind.
bool cf_vertical_match(const struct cf_vertical *mine, const struct cf_vertical *their_levels, size_t *theirs);

#endif
