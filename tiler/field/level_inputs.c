// SPDX-License-Identifier: Apache-2.0
#include "field/level_inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "field/cf_attributes.h"

static const struct cf_vertical *vertical_of(const struct field_step *step) {
    return step->variable->vertical >= 0 ? &step->file->verticals[step->variable->vertical] : NULL;
}

// --- helpers of a dataset's variables -----------------------------------------------------------------------------------

static const struct field_step *any_step(const struct catalog_dataset *d, size_t variable) {
    for (size_t r = d->run_count; r-- > 0;)
        if (d->variables[variable].from->runs[r].step_count > 0) return &d->variables[variable].from->runs[r].steps[0];
    return NULL;
}

static bool same_levels(const struct field_step *mine, const struct field_step *theirs) {
    const struct cf_vertical *a = vertical_of(mine), *b = vertical_of(theirs);
    size_t *levels = a && b ? malloc(a->level_count * sizeof *levels) : NULL;
    bool same = levels && cf_vertical_match(a, b, levels);
    free(levels);
    return same;
}

static int with_helper(const struct catalog_dataset *d, enum cf_helper helper, const struct field_step *levels) {
    for (size_t v = 0; v < d->variable_count; v++) {
        const struct field_step *step = any_step(d, v);
        if (step && step->variable->helper == helper && (!levels || same_levels(levels, step))) return (int)v;
    }
    return NO_VARIABLE;
}

// Neither a sum nor averaged between levels.
static bool plain(const struct cf_variable *v) { return v->plus == CF_NO_VARIABLE && !v->average[2].on; }

// The dataset's variable that a file's variable became.
static int with_name_of(const struct catalog_dataset *d, const struct cf_file *file, int index) {
    for (size_t v = 0; index >= 0 && v < d->variable_count; v++) {
        const struct field_step *step = any_step(d, v);
        if (step && plain(step->variable) && strcmp(cf_file_variable(step->file, step->variable->index)->name, cf_file_variable(file, (size_t)index)->name) == 0)
            return (int)v;
    }
    return NO_VARIABLE;
}

static void find_terrain(struct catalog_dataset *d) {
    d->terrain = -1;
    for (int exact = 1; exact >= 0 && d->terrain < 0; exact--)
        for (size_t v = 0; v < d->variable_count; v++) {
            const struct field_step *step = any_step(d, v);
            if (!step || step->variable->helper != HELPER_GROUND || d->variables[v].vertical) continue;
            if (exact && !cf_text_is(cf_file_variable(step->file, step->variable->index), "standard_name", "surface_altitude")) continue;
            if (d->terrain < 0 || (d->variables[v].from->constant && !d->variables[d->terrain].from->constant)) d->terrain = (int)v;
        }
}

void level_inputs_find_helpers(struct catalog_dataset *d) {
    find_terrain(d);
    int pressure = with_helper(d, HELPER_SURFACE_PRESSURE, NULL);
    if (pressure < 0) pressure = with_helper(d, HELPER_LOG_SURFACE_PRESSURE, NULL);
    for (size_t v = 0; v < d->variable_count; v++) {
        const struct field_step *step = any_step(d, v);
        const struct cf_vertical *vertical = step && d->variables[v].vertical ? vertical_of(step) : NULL;
        int *helpers = d->variables[v].from->helpers;
        for (size_t h = 0; h < HELP_COUNT; h++) helpers[h] = NO_VARIABLE;
        if (!vertical) continue;
        helpers[HELP_SURFACE_PRESSURE] = with_name_of(d, step->file, vertical->surface_pressure);
        if (helpers[HELP_SURFACE_PRESSURE] < 0) helpers[HELP_SURFACE_PRESSURE] = pressure;
        helpers[HELP_GROUND] = with_name_of(d, step->file, vertical->orography);
        helpers[HELP_SMOOTH] = with_name_of(d, step->file, vertical->smooth);
        helpers[HELP_FIELD] = with_name_of(d, step->file, vertical->field.variables[0]);
        helpers[HELP_FIELD_TOO] = with_name_of(d, step->file, vertical->field.variables[1]);
        helpers[HELP_HEIGHTS] = with_helper(d, HELPER_HEIGHT, step);
        helpers[HELP_TEMPERATURE] = with_helper(d, HELPER_TEMPERATURE, step);
        helpers[HELP_HUMIDITY] = helpers[HELP_TEMPERATURE] < 0 ? NO_VARIABLE : with_helper(d, HELPER_SPECIFIC_HUMIDITY, any_step(d, (size_t)helpers[HELP_TEMPERATURE]));
        if (helpers[HELP_HUMIDITY] < 0 && helpers[HELP_TEMPERATURE] >= 0)
            helpers[HELP_HUMIDITY] = with_helper(d, HELPER_MIXING_RATIO, any_step(d, (size_t)helpers[HELP_TEMPERATURE]));
    }
}

// --- pieces at a field's time -------------------------------------------------------------------------------------------

// An orography of the field's own file: each run may bring one of its own.
static struct level_input own_ground(const struct field_ref *field, const struct field_step *step, int index) {
    for (size_t n = 0; index >= 0 && n < step->file->variable_count; n++) {
        const struct cf_variable *v = &step->file->variables[n];
        bool here = step->file->grids[v->grid].hash == field->dataset->variables[field->variable].from->shared->grid_hash;
        if (v->index == (size_t)index && here && plain(v) && v->time < 0 && v->member_count == 1 && v->level_count == 1)
            return (struct level_input){.file = step->file, .variable = v, .own = true, .constant = true};
    }
    return (struct level_input){0};
}

static struct level_input input_of(const struct field_ref *field, bool constant) {
    const struct field_step *step = field_step_of(field);
    if (!step || step->absent || !step->file) return (struct level_input){0};
    return (struct level_input){step->file, step->variable, *field, false, constant};
}

struct level_input level_input_beside(const struct field_ref *field, int index) {
    const struct catalog_dataset *d = field->dataset;
    if (index < 0) return (struct level_input){0};
    const struct catalog_variable *v = &d->variables[index];
    bool members = v->member_count == d->variables[field->variable].member_count;
    struct field_ref at = {.dataset = d, .variable = (size_t)index, .run = field->run, .member = members ? field->member : 0};
    const struct catalog_series *mine = &d->runs[field->run].series[field->variable], *theirs = &d->runs[field->run].series[index];
    if (v->from->constant) return input_of(&at, v->member_count == 1);
    for (; theirs->present && at.step < theirs->time_count; at.step++)
        if (theirs->times[at.step].seconds == mine->times[field->step].seconds) return input_of(&at, false);
    return (struct level_input){0};
}

// The ground hardly moves: where it is told at other times only, the run's first serves, else any run's.
static struct level_input ground_in_dataset(const struct field_ref *field, int index) {
    const struct catalog_dataset *d = field->dataset;
    struct level_input at_time = level_input_beside(field, index);
    for (size_t back = 0; index >= 0 && !at_time.file && back <= d->run_count; back++) {
        struct field_ref first = {.dataset = d, .variable = (size_t)index, .run = back == 0 ? field->run : d->run_count - back};
        at_time = input_of(&first, true);
    }
    return at_time;
}

// Heights of levels that are told once in a run stand still: models write them with its first step only. Pressures do not.
static struct level_input heights_beside(const struct field_ref *field, int index, bool pressure) {
    const struct catalog_dataset *d = field->dataset;
    const struct catalog_series *theirs = index < 0 ? NULL : &d->runs[field->run].series[index];
    if (pressure || !theirs || !theirs->present || theirs->time_count != 1 || d->runs[field->run].series[field->variable].time_count < 2) return level_input_beside(field, index);
    const bool members = d->variables[index].member_count == d->variables[field->variable].member_count;
    const struct field_ref at = {.dataset = d, .variable = (size_t)index, .run = field->run, .member = members ? field->member : 0};
    return input_of(&at, d->variables[index].member_count == 1);
}

// Beside a grid that moves the nearest heights stand, so that values there are missing but have a place.
int level_input_read(const struct level_input *input, const struct field_box *box, double *values, struct failure *failure) {
    struct cf_variable held = *input->variable;
    held.hold = true;
    struct field_piece piece = {input->file, &held, 0, 0, input->field.stop, NULL};
    if (input->own) return field_piece_read(&piece, box, values, failure);
    const struct field_step *step = field_step_of(&input->field);
    if (!input->file->grids[held.stored_grid].moves || input->field.member == MEMBER_MEAN || !step) return field_read(&input->field, box, values, failure);
    piece = field_piece_of(&input->field, step);
    piece.variable = &held;
    return field_piece_read(&piece, box, values, failure);
}

static void find_pieces(const struct field_ref *field, const struct field_step *step, struct level_inputs *in) {
    const struct cf_vertical *v = in->vertical;
    const int *helpers = field->dataset->variables[field->variable].from->helpers;
    bool hybrid = v->kind == VERTICAL_HYBRID_HEIGHT || v->kind == VERTICAL_HYBRID_PRESSURE;
    if (hybrid) in->ground = own_ground(field, step, v->orography);
    if (hybrid && !in->ground.file) in->ground = ground_in_dataset(field, helpers[HELP_GROUND]);
    if (!in->ground.file) in->ground = ground_in_dataset(field, field->dataset->terrain);
    in->smooth = own_ground(field, step, v->smooth);
    if (!in->smooth.file) in->smooth = ground_in_dataset(field, helpers[HELP_SMOOTH]);
    in->surface_pressure = level_input_beside(field, helpers[HELP_SURFACE_PRESSURE]);
    in->fields[0] = heights_beside(field, helpers[HELP_FIELD], v->field.pressure);
    in->fields[1] = heights_beside(field, helpers[HELP_FIELD_TOO], v->field.pressure);
    in->heights = level_input_beside(field, helpers[HELP_HEIGHTS]);
    in->temperature = level_input_beside(field, helpers[HELP_TEMPERATURE]);
    in->humidity = level_input_beside(field, helpers[HELP_HUMIDITY]);
}

// --- the way ------------------------------------------------------------------------------------------------------------

static int by_pressure(struct level_inputs *in, struct failure *failure) {
    const struct cf_vertical *v = in->vertical;
    bool anchored = in->ground.file && in->surface_pressure.file;
    if (v->kind == VERTICAL_HYBRID_PRESSURE && !in->surface_pressure.file && !in->ground.file)
        return failure_set(failure, VIRGA_UNSUPPORTED, "its %s levels need the surface pressure, and no file has it at this time", strcmp(v->name, "sigma") == 0 ? "sigma" : "hybrid sigma-pressure");
    if (in->heights.file) in->way = WAY_GEOPOTENTIAL;
    else if (in->temperature.file && (anchored || v->kind != VERTICAL_PRESSURE)) in->way = WAY_HYDROSTATIC;
    else in->way = v->kind == VERTICAL_PRESSURE ? WAY_NUMBERS : WAY_STANDARD;
    return VIRGA_OK;
}

static int choose_way(struct level_inputs *in, struct failure *failure) {
    const struct cf_vertical *v = in->vertical;
    if (v->kind == VERTICAL_FIELD && (!in->fields[0].file || (v->field.variables[1] != CF_NO_VARIABLE && !in->fields[1].file)))
        return failure_set(failure, VIRGA_UNSUPPORTED, "the %s of its levels are not there at this time", v->field.pressure ? "pressures" : "heights");
    switch (v->kind) {
        case VERTICAL_HEIGHT:
        case VERTICAL_ALTITUDE: in->way = WAY_NUMBERS; return VIRGA_OK;
        case VERTICAL_HYBRID_HEIGHT:
            in->way = v->c ? WAY_SMOOTH : WAY_NUMBERS;
            if (v->c && (!in->ground.file || !in->smooth.file)) return failure_set(failure, VIRGA_UNSUPPORTED, "its SLEVE levels need both parts of the orography, and no file has them");
            return VIRGA_OK;
        case VERTICAL_FIELD:
            in->way = WAY_FIELD;
            return v->field.pressure ? by_pressure(in, failure) : VIRGA_OK;
        case VERTICAL_PRESSURE:
        case VERTICAL_HYBRID_PRESSURE: return by_pressure(in, failure);
    }
    return failure_set(failure, VIRGA_INTERNAL, "an unknown vertical coordinate");
}

int level_inputs_of(const struct field_ref *field, struct level_inputs *in, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    *in = (struct level_inputs){.dataset = field->dataset};
    if (!step || !(in->vertical = vertical_of(step))) return failure_set(failure, VIRGA_NOT_FOUND, "the field has no levels");
    find_pieces(field, step, in);
    return choose_way(in, failure);
}

bool level_inputs_next_best(struct level_inputs *in) {
    if (in->way != WAY_GEOPOTENTIAL && in->way != WAY_HYDROSTATIC) return false;
    in->way = in->vertical->kind == VERTICAL_PRESSURE ? WAY_NUMBERS : WAY_STANDARD;
    return true;
}

// --- what of it is used -------------------------------------------------------------------------------------------------

static size_t used_pieces(const struct level_inputs *in, const struct level_input *used[8]) {
    size_t n = 0;
    bool pressure = in->vertical->kind == VERTICAL_HYBRID_PRESSURE || (in->vertical->kind == VERTICAL_PRESSURE && in->way == WAY_HYDROSTATIC) || in->vertical->kind == VERTICAL_FIELD;
    if (in->ground.file) used[n++] = &in->ground;
    if (in->way == WAY_SMOOTH) used[n++] = &in->smooth;
    if (pressure && in->surface_pressure.file) used[n++] = &in->surface_pressure;
    for (int f = 0; f < 2; f++)
        if (in->vertical->kind == VERTICAL_FIELD && in->way != WAY_GEOPOTENTIAL && in->fields[f].file) used[n++] = &in->fields[f];
    if (in->way == WAY_GEOPOTENTIAL) used[n++] = &in->heights;
    if (in->way == WAY_HYDROSTATIC) used[n++] = &in->temperature;
    if (in->way == WAY_HYDROSTATIC && in->humidity.file) used[n++] = &in->humidity;
    return n;
}

bool level_inputs_vary(const struct level_inputs *in) {
    const struct level_input *used[8];
    size_t n = used_pieces(in, used);
    for (size_t u = 0; u < n; u++)
        if (used[u] != &in->ground && !used[u]->constant) return true;
    // A ground that is told for every step is taken to stand still, but where heights vary anyway.
    return false;
}

static void hash_piece(XXH3_state_t *state, const struct cf_file *file, const struct cf_variable *v, uint64_t time, uint64_t member) {
    const struct source_identity *id = source_identity(file->source);
    uint64_t numbers[] = {id->device, id->inode, id->size, (uint64_t)id->mtime_ns, v->index, (uint64_t)v->plus, (uint64_t)v->stored_grid, time, member};
    XXH3_128bits_update(state, numbers, sizeof numbers);
}

// The pieces of all members where it is their mean.
static void hash_input(XXH3_state_t *state, const struct level_input *input) {
    struct field_ref at = input->field;
    bool mean = !input->own && at.member == MEMBER_MEAN;
    size_t members = mean ? at.dataset->variables[at.variable].member_count : 1;
    if (input->own) hash_piece(state, input->file, input->variable, 0, 0);
    for (size_t m = 0; !input->own && m < members; m++) {
        if (mean) at.member = m;
        const struct field_step *step = field_step_of(&at);
        const struct catalog_variable *variable = &at.dataset->variables[at.variable];
        const size_t member = variable->member_count > 1 ? at.member : 0;
        for (size_t k = 0; step && step->levels && k < variable->nz; k++)
            if (step->levels[k].file) hash_piece(state, step->levels[k].file, step->levels[k].variable, step->levels[k].time, member);
        if (step && step->file && !step->levels) hash_piece(state, step->file, step->variable, step->time, member);
    }
    if (mean) XXH3_128bits_update(state, "mean", 4);
}

void level_inputs_id(const struct level_inputs *in, char id[33]) {
    const struct level_input *used[8];
    size_t n = used_pieces(in, used);
    XXH3_state_t *state = XXH3_createState();
    id[0] = 0;
    if (!state) return;
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, "varying level map 3", 19);
    for (size_t u = 0; u < n; u++) hash_input(state, used[u]);
    uint64_t rest[] = {in->vertical->key, (uint64_t)in->way, in->dataset->variables[0].from->shared->grid_hash};
    XXH3_128bits_update(state, rest, sizeof rest);
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(id, 33, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

static const char *on_what(const struct level_inputs *in) {
    bool pressure = in->vertical->kind == VERTICAL_HYBRID_PRESSURE;
    if (in->ground.file && in->surface_pressure.file) return " from the orography and the surface pressure";
    if (in->ground.file) return pressure ? " from the orography, where the surface pressure of the standard atmosphere is assumed" : " from the orography, where the standard atmosphere's pressure is assumed";
    if (in->surface_pressure.file) return " from the surface pressure, whose height is assumed to be the standard atmosphere's";
    return ", the lowest level at the standard atmosphere's height";
}

void level_inputs_method(const struct level_inputs *in, char method[LEVEL_METHOD_MAX]) {
    const char *how = "", *on = "";
    bool ground = in->ground.file != NULL;
    switch (in->way) {
        case WAY_NUMBERS:
            if (in->vertical->kind == VERTICAL_HEIGHT) how = ground ? "height above the ground + orography" : "coordinate";
            if (in->vertical->kind == VERTICAL_ALTITUDE) how = "coordinate";
            if (in->vertical->kind == VERTICAL_HYBRID_HEIGHT) how = ground ? "hybrid height" : "hybrid height without orography";
            if (in->vertical->kind == VERTICAL_PRESSURE) how = "standard atmosphere";
            break;
        case WAY_SMOOTH: how = "large and small scale orography"; break;
        case WAY_FIELD: how = in->vertical->field.halves ? "heights of half levels in the file" : "heights in the file"; break;
        case WAY_GEOPOTENTIAL: how = "geopotential height"; break;
        case WAY_HYDROSTATIC: how = in->humidity.file ? "hydrostatic heights by temperature and humidity" : "hydrostatic heights by temperature of dry air", on = on_what(in); break;
        case WAY_STANDARD: how = "standard atmosphere", on = on_what(in); break;
    }
    const char *assumed = in->vertical->assumed && in->way != WAY_GEOPOTENTIAL ? in->vertical->assumed : "";
    snprintf(method, LEVEL_METHOD_MAX, "%s%s%s%s", how, on, *assumed ? ", " : "", assumed);
}
