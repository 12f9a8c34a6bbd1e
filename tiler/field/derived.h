// SPDX-License-Identifier: Apache-2.0
// Derived quantities: one const object a kind tells what it is made from and how. Private to the field layer; any thread.
#ifndef VIRGA_FIELD_DERIVED_H
#define VIRGA_FIELD_DERIVED_H

#include "field/catalog_private.h"

struct derived_kind {
    const char *name;         // part of editions: another computation needs another name
    int inputs;               // 1: u alone; 2: u and v
    bool folds_members;       // one field made from all members of its input
    const char *statistic;    // what such a field is of the members; NULL where it is not of members
    const char *note;         // what a reader of its values should know; NULL: nothing
    // values[nz][ny][nx] of a box that lies inside the field; NaN where absent. As field_read.
    int (*read)(const struct field_ref *field, const struct field_box *box, double *values, struct failure *failure);
};

extern const struct derived_kind derived_wind_speed, derived_wind_direction, derived_temperature, derived_member_mean, derived_member_spread;

// Adds derived variables of one sort to a dataset. Call when levels are known. VIRGA_OK or VIRGA_NO_MEMORY.
int derived_add_winds(struct catalog_dataset *dataset);
int derived_add_temperatures(struct catalog_dataset *dataset);
int derived_add_member_statistics(struct catalog_dataset *dataset);

// A new variable that stands where `u` does, in the runs and steps that all inputs have; `v` is NO_VARIABLE for kinds with one
// input. Takes nothing over from texts. VIRGA_OK also where no step is left and nothing was added.
struct derived_texts { const char *name, *standard_name, *long_name, *units; };
int derived_add(struct catalog_dataset *dataset, const struct derived_kind *kind, int u, int v, const struct derived_texts *texts,
                struct variable_source **added);
// Whether any variable of a dataset has this name by now.
bool derived_name_is_taken(const struct catalog_dataset *dataset, const char *name);
// Which levels a variable stands on (of the newest run with a step): the same for two on the same levels; 0 where it has none of its own.
uint64_t derived_level_key(const struct catalog_dataset *dataset, const struct catalog_variable *variable);

#endif
