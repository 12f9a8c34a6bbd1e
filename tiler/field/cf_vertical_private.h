// SPDX-License-Identifier: Apache-2.0
// Private to cf_vertical*.c: recognising one kind of levels. Each function fills kind, name, a, b … in the file's order of levels
// and returns VERTICAL_IS; VERTICAL_IS_NOT where the coordinate is of another kind; or a negative code where it is of this kind
// but cannot be used, with the reason.
#ifndef VIRGA_FIELD_CF_VERTICAL_PRIVATE_H
#define VIRGA_FIELD_CF_VERTICAL_PRIVATE_H

#include "field/cf_attributes.h"
#include "field/cf_file.h"

enum { VERTICAL_IS_NOT = 0, VERTICAL_IS = 1, VERTICAL_LEVELS_MAX = 4096 };

// c: a candidate on the levels' dimension, or a scalar coordinate; index: its place in the inventory.
int cf_vertical_hybrid_height(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure);
int cf_vertical_hybrid_pressure(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure);
int cf_vertical_sleve(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure);
int cf_vertical_ln_pressure(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure);
int cf_vertical_sigma(struct cf_file *file, struct cf_vertical *v, int index, struct failure *failure);
// Heights or pressures of the dimension's levels in a variable; `of` is one that stands on these levels.
int cf_vertical_field(struct cf_file *file, struct cf_vertical *v, const struct source_variable *of, struct failure *failure);

// A one-dimensional variable on a dimension whose name, standard name or long name is one of a list. CF_NO_VARIABLE when none.
int cf_vertical_on_dimension(const struct source *source, int dimension, const char *const *names);
// level_count numbers of a variable, times scale; all finite, else a reason.
int cf_vertical_numbers(struct cf_file *file, const struct cf_vertical *v, int index, double scale, double **numbers, struct failure *failure);

#endif
