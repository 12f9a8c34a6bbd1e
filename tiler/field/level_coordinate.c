// SPDX-License-Identifier: Apache-2.0
#include "field/level_coordinate.h"

#include <stdlib.h>
#include <string.h>

#include "field/cf_attributes.h"
#include "field/cf_units.h"
#include "field/level_inputs.h"

static const struct cf_vertical *vertical_of(const struct field_ref *field) {
    const struct field_ref at = field_underlying(field);
    const struct field_step *step = field_step_of(&at);
    return step && step->file && step->variable->vertical >= 0 ? &step->file->verticals[step->variable->vertical] : NULL;
}

bool level_companion_levels(const struct field_ref *field, const struct level_companion *companion, size_t *theirs) {
    const struct cf_vertical *mine = vertical_of(field), *other = vertical_of(&companion->field);
    return mine && other && cf_vertical_match(mine, other, theirs);
}

static bool has_levels_of(const struct field_ref *field, const struct level_companion *companion) {
    const struct cf_vertical *mine = vertical_of(field);
    size_t *theirs = mine ? malloc(mine->level_count * sizeof *theirs) : NULL;
    const bool has = theirs && level_companion_levels(field, companion, theirs);
    free(theirs);
    return has;
}

static struct level_companion companion_of(const struct level_input *input, double scale, double offset) {
    if (!input->file || input->own) return (struct level_companion){0};
    return (struct level_companion){true, input->field, scale, offset, false};
}

// By standard name, in whatever unit of that quantity.
static struct level_companion find_named(const struct field_ref *field, const char *standard_name, const char *units) {
    const struct catalog_dataset *d = field->dataset;
    for (size_t n = 0; n < d->variable_count; n++) {
        const struct catalog_variable *v = &d->variables[n];
        double scale, offset;
        if (!v->vertical || v->from->derived || strcmp(v->standard_name, standard_name) != 0 || cf_units_convert(v->units, units, &scale, &offset)) continue;
        const struct level_input input = level_input_beside(field, (int)n);
        const struct level_companion found = companion_of(&input, scale, offset);
        if (found.there && has_levels_of(field, &found)) return found;
    }
    return (struct level_companion){0};
}

static struct level_companion helper_of(const struct level_input *input) {
    struct level_companion c = input->file ? companion_of(input, input->variable->helper_scale, input->variable->helper_offset) : (struct level_companion){0};
    if (c.there) c.logarithm = input->variable->helper == HELPER_LOG_SURFACE_PRESSURE;
    return c;
}

// A surface pressure may be named by formula_terms alone.
static struct level_companion surface_pressure_of(const struct field_ref *field, const struct level_input *input) {
    struct level_companion c = helper_of(input);
    if (c.there && input->variable->helper != HELPER_SURFACE_PRESSURE && !c.logarithm) {
        c.scale = 1, c.offset = 0;
        (void)cf_units_convert(field->dataset->variables[c.field.variable].units, "Pa", &c.scale, &c.offset);
    }
    if (c.there && field->dataset->variables[c.field.variable].nz != 1) c.there = false;
    return c;
}

static enum level_quantity quantity_of(const struct cf_vertical *v) {
    switch (v->kind) {
        case VERTICAL_HEIGHT: return LEVELS_ABOVE_GROUND;
        case VERTICAL_ALTITUDE: return LEVELS_ALTITUDE;
        case VERTICAL_HYBRID_HEIGHT: return LEVELS_HYBRID_HEIGHT;
        case VERTICAL_PRESSURE: return LEVELS_PRESSURE;
        case VERTICAL_HYBRID_PRESSURE: return LEVELS_HYBRID_PRESSURE;
        case VERTICAL_FIELD: return LEVELS_NUMBERED;
    }
    return LEVELS_NUMBERED;
}

int field_level_coordinate(const struct field_ref *field, struct level_coordinate *c, struct failure *failure) {
    const struct cf_vertical *v = NULL;
    *c = (struct level_coordinate){0};
    if (field_step_of(field) && field->dataset->variables[field->variable].vertical) v = vertical_of(field);
    if (!v) return failure_set(failure, VIRGA_NOT_FOUND, "no such field, or it has no levels");
    *c = (struct level_coordinate){.quantity = quantity_of(v), .name = v->name, .count = v->level_count, .a = v->a, .b = v->b};
    const struct field_ref at = field_underlying(field);
    struct level_inputs inputs;
    const int status = level_inputs_of(&at, &inputs, failure);
    if (status) return status;
    c->surface_pressure = surface_pressure_of(field, &inputs.surface_pressure);
    c->temperature = helper_of(&inputs.temperature);
    if (c->temperature.there && !has_levels_of(field, &c->temperature)) c->temperature.there = false;
    c->pressure = find_named(&at, "air_pressure", "Pa");
    c->theta = find_named(&at, "air_potential_temperature", "K");
    const bool told = v->kind == VERTICAL_FIELD && v->field.pressure && !v->field.halves && v->field.variables[1] == CF_NO_VARIABLE;
    if (!c->pressure.there && told) c->pressure = companion_of(&inputs.fields[0], v->field.factor, 0);
    return VIRGA_OK;
}
