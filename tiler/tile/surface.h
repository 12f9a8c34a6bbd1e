// SPDX-License-Identifier: Apache-2.0
// Horizontal surfaces through a field, and quantities of its columns: what a map or a slice shows of a variable with levels. Their texts stand in
// URLs ("level=850hPa"). Pure; any thread.
#ifndef VIRGA_TILE_SURFACE_H
#define VIRGA_TILE_SURFACE_H

#include <stdbool.h>

#include "base/status.h"

enum { SURFACE_TEXT = 40, SURFACE_TITLE = 64 };

enum surface_kind {
    SURFACE_OWN,           // "": a variable without levels; of one with levels the lowest
    SURFACE_LEVEL,         // "k5": the number of a model level, 0 the lowest
    SURFACE_HEIGHT,        // "1500m", "1.5km": metres above mean sea level
    SURFACE_ABOVE_GROUND,  // "100m-above-ground": metres
    SURFACE_PRESSURE,      // "850hPa", "85000Pa": Pa
    SURFACE_FLIGHT_LEVEL,  // "FL100": hundreds of feet of pressure altitude in the ICAO standard atmosphere
    SURFACE_THETA,         // "300K": potential temperature, K; the highest place of a column that has it
    SURFACE_MAXIMUM,       // "max": the largest value of a column
    SURFACE_SUM,           // "sum": the sum over a column's levels
    SURFACE_TOP,           // "top:0.5": the height in metres above mean sea level below which the variable reaches the threshold for the last time …
    SURFACE_BASE,          // "base:0.5": … above which for the first time. Without a threshold ("top"): surface_threshold's
    SURFACE_KINDS
};

struct surface {
    enum surface_kind kind;
    double value;  // in the unit above; TOP, BASE: the threshold in the variable's units, NaN where none is said; 0 where there is none
};

// A whole text. VIRGA_OK, or VIRGA_INVALID with a message that says what would be right; text may be anything, also long. NULL is "".
int surface_parse(const char *text, struct surface *surface, struct failure *failure);
// The canonical text: what surface_parse takes. The same surface ⇔ the same text.
void surface_write(const struct surface *surface, char text[SURFACE_TEXT]);
// For people: "850 hPa", "FL100", "1500 m", "100 m above ground", "θ = 300 K", "model level 5", "column maximum", "top of ≥ 0.5"; "" for OWN.
void surface_title(const struct surface *surface, char title[SURFACE_TITLE]);

// A name for the kind in layer names of WMS and the like: "pressure", "height", "height-above-ground", "flight-level", "potential-temperature",
// "model-level", "maximum", "sum", "top", "base"; "" for OWN. Static.
const char *surface_kind_name(enum surface_kind kind);
// The reverse; -1 for a name of none.
int surface_kind_named(const char *name);
// The unit in which such a name's numbers (WMS ELEVATION) are: "hPa", "m", "FL", "K", "1"; "" for kinds without a number. Static.
const char *surface_kind_units(enum surface_kind kind);
// The surface of a number in that unit. VIRGA_OK, or VIRGA_INVALID where no such surface can be.
int surface_of_number(enum surface_kind kind, double number, struct surface *surface, struct failure *failure);
// The number in that unit; NaN for kinds without one.
double surface_number(const struct surface *surface);

// Whether values on the surface are heights (metres above mean sea level) and not the variable's own.
bool surface_gives_heights(const struct surface *surface);
// What a pressure in Pa is at a surface of PRESSURE or FLIGHT_LEVEL; NaN for others.
double surface_pressure(const struct surface *surface);
// The threshold of TOP and BASE for a variable of these units where none is said: 0.5 of a fraction, 50 %, 10⁻⁵ kg kg⁻¹; NaN where nothing is
// usual, and one must be said.
double surface_threshold(const struct surface *surface, const char *units, const char *standard_name);

#endif
