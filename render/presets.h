// SPDX-License-Identifier: Apache-2.0
// What a variable looks like before anybody touches it: assets/presets.json (which the program carries with it) by CF standard name,
// else by unit, else by the range of the data. The page's are web/view/presets.js and units.js, and a test holds the two against each
// other. Any thread.
#ifndef VIRGA_RENDER_PRESETS_H
#define VIRGA_RENDER_PRESETS_H

#include <stdbool.h>

#include "field/catalog.h"
#include "render/view.h"

enum { PRESET_TITLE_TEXT = 201 };

// Whether presets_fill makes use of the range of the data for this variable.
bool presets_need_data(const struct catalog_variable *variable);
// Whether no range is usual for a variable on a map: its preset's is the data's, or one of its units alone, or spans all heights. Then a map's colours follow the field
// that is shown.
bool presets_follow_field(const struct catalog_variable *variable);
// Gives a layer what it leaves open of colour map, range, opacity and units; one with a level looks as a variable on the ground does; one that is a difference what differences of the variable look like, about 0. data: smallest and largest value, or NULL where not known
// (then a range of the data is guessed from the lattice). VIRGA_OK or VIRGA_NO_MEMORY.
int presets_fill(const struct catalog_variable *variable, const double data[2], struct view_layer *layer);

// What a variable is called in lists and legends.
void presets_title(const struct catalog_variable *variable, char title[PRESET_TITLE_TEXT]);

// How a variable's numbers are written: written = value × scale + offset.
struct preset_units {
    char units[VIEW_UNITS_TEXT];  // as CF spells it: "degC"
    char label[VIEW_UNITS_TEXT];  // for people: "°C"; "" for a plain number
    double scale, offset;
};
// wanted: a view's choice, or ""; the usual unit where that is absent or cannot be had. difference: of two values, which have no offset.
void presets_units(const struct catalog_variable *variable, const char *wanted, bool difference, struct preset_units *units);
// How one variable's numbers become another's: value × *scale + *offset. False where they are of different kinds.
bool presets_convert(const struct catalog_variable *from, const struct catalog_variable *to, double *scale, double *offset);

#endif
