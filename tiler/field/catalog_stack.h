// SPDX-License-Identifier: Apache-2.0
// Levels that come in files of their own, one each, as some centres publish them: one file a level is as good as all in one.
#ifndef VIRGA_FIELD_CATALOG_STACK_H
#define VIRGA_FIELD_CATALOG_STACK_H

#include "field/cf_file.h"

// Stands for the files of all levels where one is asked for its levels: grids, times and source are those of the first.
struct level_stack {
    struct cf_file file;          // owns its one vertical, and nothing else
    struct cf_variable variable;  // the first's, on all levels
};

// Whether a piece is one level that others may lie above or below: a pressure, a height or an altitude that its file tells.
bool level_stack_fits(const struct cf_file *file, const struct cf_variable *piece);
// Whether two pieces that fit are levels of one kind, with the same members.
bool level_stack_alike(const struct cf_file *file, const struct cf_variable *piece, const struct cf_file *other_file, const struct cf_variable *other);
// How many levels a stack on a piece's grid may have.
size_t level_stack_most(const struct cf_file *file, const struct cf_variable *piece);
// levels: [count] as the pieces' verticals have them, each another. The file must outlive the stack. VIRGA_OK or VIRGA_NO_MEMORY.
int level_stack_new(const struct cf_file *file, const struct cf_variable *first, const double *levels, size_t count, struct level_stack **stack);
// Which level a piece is, from below; the count of levels where it is none of them.
size_t level_stack_find(const struct level_stack *stack, const struct cf_file *file, const struct cf_variable *piece);
size_t level_stack_count(const struct level_stack *stack);
void level_stack_free(struct level_stack *stack);  // NULL allowed

#endif
