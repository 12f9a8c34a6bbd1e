// SPDX-License-Identifier: Apache-2.0
// Private to catalog_*.c: what the heights of a field's levels are made from, and how.
#ifndef VIRGA_FIELD_LEVEL_INPUTS_H
#define VIRGA_FIELD_LEVEL_INPUTS_H

#include "field/catalog_private.h"

enum height_way {
    WAY_NUMBERS,       // numbers, with the ground's height where they ask for it
    WAY_SMOOTH,        // numbers, orography and its smooth part (SLEVE)
    WAY_FIELD,         // variables that hold the heights
    WAY_GEOPOTENTIAL,  // a geopotential height on the same levels
    WAY_HYDROSTATIC,   // temperature, and humidity where it is there
    WAY_STANDARD       // pressures through the standard atmosphere
};

// A field of the dataset, or an orography of the field's own file; file NULL: there is none.
struct level_input {
    const struct cf_file *file;
    const struct cf_variable *variable;
    struct field_ref field;  // not used where `own`
    bool own;                // of the field's own file
    bool constant;           // the same for all steps of a run and all members
};

struct level_inputs {
    const struct catalog_dataset *dataset;
    const struct cf_vertical *vertical;      // of the field
    enum height_way way;
    struct level_input ground, smooth;       // planes, metres
    struct level_input surface_pressure;     // plane, Pa or its logarithm
    struct level_input fields[2];            // heights or pressures of levels: VERTICAL_FIELD
    struct level_input heights, temperature, humidity;  // on levels
};

// Never blocks. VIRGA_OK, or VIRGA_UNSUPPORTED with the reason where heights cannot be made. field: not a derived one.
int level_inputs_of(const struct field_ref *field, struct level_inputs *inputs, struct failure *failure);
// The next best way where the heights that came out do not rise with the levels. False: there is none.
bool level_inputs_next_best(struct level_inputs *inputs);
// Whether heights may differ from step to step or from member to member.
bool level_inputs_vary(const struct level_inputs *inputs);
// Equal for equal inputs: pieces of files, levels and way.
void level_inputs_id(const struct level_inputs *inputs, char id[33]);
// A variable of the field's dataset (an index, or negative for none) at the field's own time and member; file NULL where it is not there.
struct level_input level_input_beside(const struct field_ref *field, int variable);
// For people: how heights are made.
void level_inputs_method(const struct level_inputs *inputs, char method[LEVEL_METHOD_MAX]);

// Values of an input in a box, as stored or derived, NaN where missing.
int level_input_read(const struct level_input *input, const struct field_box *box, double *values, struct failure *failure);

// Fills every variable's helpers and the dataset's terrain. Call when all variables are there.
void level_inputs_find_helpers(struct catalog_dataset *dataset);

// The heights of all levels in a box of columns, level by level upward: plane[ny][nx] metres above the datum. Stops at and returns
// the first negative answer. Blocks.
struct column_box { size_t x0, y0, nx, ny; };
typedef int (*height_plane)(void *user, size_t level, const struct column_box *box, const double *plane);
int level_inputs_read(const struct level_inputs *inputs, const struct column_box *box, height_plane take, void *user, struct failure *failure);
// The ground's height in a box, metres, 0 where missing: from the orography, else from surface pressure by the standard atmosphere where
// levels hang on it. *known: false where nothing tells; ground is then 0.
int level_inputs_ground(const struct level_inputs *inputs, const struct column_box *box, double *ground, bool *known, struct failure *failure);

#endif
