// SPDX-License-Identifier: Apache-2.0
// Editions: one name for everything a series' bricks are made from, so that a URL with it never means other bytes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "field/derived.h"

static const uint64_t format_version = 1;

static void add_text(XXH3_state_t *state, const char *text) { XXH3_128bits_update(state, text, strlen(text) + 1); }

// How numbers are made from stored ones.
static void add_making(XXH3_state_t *state, const struct cf_variable *v) {
    for (int a = 0; a < 3; a++) {
        const int64_t how[] = {v->average[a].on, v->average[a].wraps, v->average[a].hold, v->average[a].shift};
        XXH3_128bits_update(state, how, sizeof how);
    }
    const int64_t plus = v->plus;
    XXH3_128bits_update(state, &plus, sizeof plus);
    XXH3_128bits_update(state, &v->constant, sizeof v->constant);
}

// Where the numbers of one step and member stand. last: the file before, which need not be named again.
static void add_piece(XXH3_state_t *state, const struct field_step *step, const struct cf_file **last) {
    if (step->file && step->file != *last) {
        const struct source_identity *id = source_identity(step->file->source);
        uint64_t numbers[] = {id->device, id->inode, id->size, (uint64_t)id->mtime_ns};
        XXH3_128bits_update(state, numbers, sizeof numbers);
        *last = step->file;
    }
    if (step->variable && step->variable->made) add_making(state, step->variable);
    const struct cf_grid_slot *slot = step->variable ? &step->file->grids[step->variable->stored_grid] : NULL;
    if (slot && slot->moves) XXH3_128bits_update(state, &slot->moves[step->time < slot->move_count ? step->time : 0], sizeof *slot->moves);
    uint64_t at[] = {step->time, step->u_step, step->v_step, step->variable ? step->variable->index : 0, step->variable ? step->variable->extra_index : 0, step->member, step->absent};
    XXH3_128bits_update(state, at, sizeof at);
}

// What all fields of a variable in a run have in common, and where this one's levels are.
static XXH3_state_t *begin(const struct field_ref *field) {
    const struct catalog_dataset *d = field->dataset;
    const struct catalog_variable *v = &d->variables[field->variable];
    XXH3_state_t *state = XXH3_createState();
    char geometry[33];
    if (!state) return NULL;
    XXH3_128bits_reset(state);
    uint64_t header[] = {format_version, v->from->shared->grid_hash, v->nx, v->ny, v->nz, v->member_count};
    XXH3_128bits_update(state, header, sizeof header);
    add_text(state, d->id);
    add_text(state, v->id);
    add_text(state, d->runs[field->run].time.iso);
    XXH3_128bits_update(state, &v->lattice, sizeof v->lattice);
    field_geometry_id(field, geometry);
    add_text(state, geometry);
    return state;
}

static void end(XXH3_state_t *state, char edition[33]) {
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(edition, 33, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

// What a field is made from: its inputs belong to a derived one; where all members are its input, of all.
static void add_field(XXH3_state_t *state, const struct field_ref *field) {
    const struct catalog_variable *variable = &field->dataset->variables[field->variable];
    const struct variable_source *from = variable->from;
    struct field_ref one = *field;
    const struct cf_file *last = NULL;
    const bool all = field->member == MEMBER_MEAN;
    const size_t first = all ? 0 : field->member, after = all ? variable->member_count : first + 1;
    for (one.member = first; one.member < after; one.member++) {
        const struct field_step *step = field_step_of(&one);
        for (size_t k = 0; step && step->levels && k < variable->nz; k++) add_piece(state, &step->levels[k], &last);
        if (step && !step->levels) add_piece(state, step, &last);
    }
    if (!from->derived || !field_step_of(field)) return;
    add_text(state, from->derived->name);
    for (int v = 0; v < (from->v == NO_VARIABLE ? 1 : 2); v++) {
        const struct field_ref input = field_input(field, v);
        add_field(state, &input);
    }
}

// All members' steps together.
static int set_step_edition(const struct catalog_dataset *d, size_t variable, size_t run, size_t step, char edition[33]) {
    struct field_ref field = {.dataset = d, .variable = variable, .run = run, .step = step};
    XXH3_state_t *state = begin(&field);
    if (!state) return VIRGA_NO_MEMORY;
    XXH3_128bits_update(state, &d->runs[run].series[variable].times[step].seconds, sizeof(double));
    for (; field.member < d->variables[variable].member_count; field.member++) add_field(state, &field);
    end(state, edition);
    return VIRGA_OK;
}

static int set_edition(const struct catalog_dataset *d, size_t variable, size_t run) {
    struct catalog_series *series = &d->runs[run].series[variable];
    int status = (series->editions = calloc(series->time_count + 1, sizeof *series->editions)) ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (size_t s = 0; !status && s < series->time_count; s++) status = set_step_edition(d, variable, run, s, series->editions[s]);
    XXH3_state_t *state = status ? NULL : begin(&(struct field_ref){.dataset = d, .variable = variable, .run = run});
    if (!state) return VIRGA_NO_MEMORY;
    XXH3_128bits_update(state, series->editions, series->time_count * sizeof *series->editions);
    end(state, series->edition);
    return VIRGA_OK;
}

static void add_run(XXH3_state_t *state, const struct catalog_dataset *d, const struct catalog_run *run) {
    const uint64_t state_of_run[] = {run->complete, run->expected, run->missing};
    add_text(state, run->time.iso);
    XXH3_128bits_update(state, state_of_run, sizeof state_of_run);
    for (size_t v = 0; v < d->variable_count; v++) add_text(state, run->series[v].present ? run->series[v].edition : "");
}

// Editions tell of files, times and levels; the rest is said of them.
static int set_fingerprint(struct catalog_dataset *d) {
    XXH3_state_t *state = XXH3_createState();
    if (!state) return VIRGA_NO_MEMORY;
    XXH3_128bits_reset(state);
    add_text(state, d->id);
    add_text(state, d->title);
    XXH3_128bits_update(state, &d->latest, sizeof d->latest);
    XXH3_128bits_update(state, &d->latest_has_step, sizeof d->latest_has_step);
    for (size_t v = 0; v < d->variable_count; v++) {
        add_text(state, d->variables[v].id);
        add_text(state, d->variables[v].note ? d->variables[v].note : "");
    }
    for (size_t r = 0; r < d->run_count; r++) add_run(state, d, &d->runs[r]);
    d->fingerprint = XXH3_128bits_digest(state).low64;
    XXH3_freeState(state);
    return VIRGA_OK;
}

uint64_t catalog_fingerprint(const struct catalog *catalog) {
    uint64_t hash = 0;
    for (size_t n = 0; n < catalog->dataset_count; n++) hash = XXH3_64bits_withSeed(&catalog->datasets[n].fingerprint, sizeof(uint64_t), hash);
    for (size_t n = 0; n < catalog->problem_count; n++) {
        const struct catalog_problem *p = &catalog->problems[n];
        const char *texts[] = {p->variable ? p->variable : "", p->file, p->reason};
        for (size_t t = 0; t < 3; t++) hash = XXH3_64bits_withSeed(texts[t], strlen(texts[t]) + 1, hash);
    }
    return hash;
}

int catalog_set_editions(struct catalog_dataset *d) {
    int status = VIRGA_OK;
    for (size_t r = 0; r < d->run_count; r++)
        for (size_t v = 0; v < d->variable_count && !status; v++)
            if (d->runs[r].series[v].present) status = set_edition(d, v, r);
    return status ? status : set_fingerprint(d);
}

double catalog_run_written(const struct catalog_dataset *dataset, size_t run) {
    int64_t newest = 0;
    for (size_t v = 0; v < dataset->variable_count; v++) {
        const struct catalog_variable *variable = &dataset->variables[v];
        if (variable->from->constant || !dataset->runs[run].series[v].present) continue;
        for (size_t s = 0; s < run_piece_count(variable, run); s++) {
            const struct cf_file *file = run_piece(variable, run, s)->file;
            const int64_t written = file ? source_identity(file->source)->mtime_ns : 0;
            if (written > newest) newest = written;
        }
    }
    return (double)newest / 1e9;
}
