// SPDX-License-Identifier: Apache-2.0
#include "field/catalog_stack.h"

#include <stdlib.h>
#include <string.h>

#include "field/cf_helpers.h"

enum { LEVELS_MAX = 4096 };

static const struct cf_vertical *vertical_of(const struct cf_file *file, const struct cf_variable *piece) {
    return piece->vertical >= 0 ? &file->verticals[piece->vertical] : NULL;
}

bool level_stack_fits(const struct cf_file *file, const struct cf_variable *piece) {
    const struct cf_vertical *v = vertical_of(file, piece);
    bool plain = v && (v->kind == VERTICAL_PRESSURE || v->kind == VERTICAL_HEIGHT || v->kind == VERTICAL_ALTITUDE);
    return plain && !v->refused && v->level_count == 1 && piece->level_count == 1 && v->a && !piece->made && !piece->hidden;
}

bool level_stack_alike(const struct cf_file *file, const struct cf_variable *piece, const struct cf_file *other_file, const struct cf_variable *other) {
    bool alike = vertical_of(file, piece)->kind == vertical_of(other_file, other)->kind && piece->member_count == other->member_count;
    for (size_t m = 0; alike && m < piece->member_count; m++) alike = strcmp(piece->members[m], other->members[m]) == 0;
    return alike;
}

size_t level_stack_most(const struct cf_file *file, const struct cf_variable *piece) {
    const struct grid *grid = file->grids[piece->grid].grid;
    const size_t fitting = CF_VOXELS_MAX / (grid->x.n * grid->y.n);
    return fitting < LEVELS_MAX ? fitting : LEVELS_MAX;
}

int level_stack_new(const struct cf_file *file, const struct cf_variable *first, const double *levels, size_t count, struct level_stack **result) {
    struct level_stack *stack = calloc(1, sizeof *stack);
    *result = NULL;
    if (!stack) return VIRGA_NO_MEMORY;
    stack->file = (struct cf_file){.source = file->source, .wrf = file->wrf, .grid_count = file->grid_count, .grids = file->grids, .time_count = file->time_count,
                                   .times = file->times, .variable_count = file->variable_count, .variables = file->variables};
    stack->file.verticals = calloc(1, sizeof *stack->file.verticals);
    if (!stack->file.verticals || cf_vertical_of_levels(vertical_of(file, first), levels, count, &stack->file.verticals[0])) {
        level_stack_free(stack);
        return VIRGA_NO_MEMORY;
    }
    stack->file.vertical_count = 1;
    stack->variable = *first;
    stack->variable.vertical = stack->variable.stored_vertical = 0;
    stack->variable.z = -1;
    stack->variable.level_count = count;
    stack->variable.helper = cf_helper_of(cf_file_variable(file, first->index), true, true, &stack->variable.helper_scale, &stack->variable.helper_offset);
    *result = stack;
    return VIRGA_OK;
}

size_t level_stack_count(const struct level_stack *stack) { return stack->variable.level_count; }

size_t level_stack_find(const struct level_stack *stack, const struct cf_file *file, const struct cf_variable *piece) {
    size_t k = 0;
    const double level = vertical_of(file, piece)->a[0];
    while (k < level_stack_count(stack) && stack->file.verticals[0].a[k] != level) k++;
    return k;
}

void level_stack_free(struct level_stack *stack) {
    if (!stack) return;
    if (stack->file.verticals) cf_vertical_destroy(&stack->file.verticals[0]);
    free(stack->file.verticals);
    free(stack);
}
