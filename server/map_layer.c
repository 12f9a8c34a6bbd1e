// SPDX-License-Identifier: Apache-2.0
#include "server/map_layer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tile/plane_cache.h"

static const char *text_of(const char *text) { return text ? text : ""; }

const struct catalog_variable *map_layer_variable(const struct map_layer *layer) { return &layer->field.dataset->variables[layer->field.variable]; }
const struct catalog_time *map_layer_run(const struct map_layer *layer) { return &layer->field.dataset->runs[layer->field.run].time; }

const struct catalog_time *map_layer_time(const struct map_layer *layer) {
    return &layer->field.dataset->runs[layer->field.run].series[layer->field.variable].times[layer->field.step];
}

// --- Field.

static int find_variable(const struct catalog *catalog, const struct map_ask *ask, struct field_ref *field, struct failure *failure) {
    const char *dataset = text_of(ask->dataset), *variable = text_of(ask->variable);
    field->dataset = catalog_find_dataset(catalog, dataset);
    if (!field->dataset) return failure_set(failure, VIRGA_NOT_FOUND, "there is no dataset \"%.100s\"", dataset);
    int index = catalog_find_variable(field->dataset, variable);
    if (index < 0 || field->dataset->variables[index].hidden)
        return failure_set(failure, VIRGA_NOT_FOUND, "%.100s has no variable \"%.100s\"", dataset, variable);
    field->variable = (size_t)index;
    return VIRGA_OK;
}

// The member with this label; "" or NULL: the first that has the field's step. Into field->member.
static int find_member(struct field_ref *field, const char *label, struct failure *failure) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    for (field->member = 0; field->member < v->member_count; field->member++) {
        if (label && *label ? !strcmp(v->members[field->member], label) : catalog_has_member(field)) return VIRGA_OK;
    }
    field->member = 0;
    if (!label || !*label) return VIRGA_OK;  // none has it: all is missing
    if (v->member_count == 1 && !*v->members[0])
        return failure_set(failure, VIRGA_NOT_FOUND, "there is no member %.60s: %.100s has none to choose from", label, v->name);
    return failure_set(failure, VIRGA_NOT_FOUND, "there is no member %.60s; there %s %zu, from %.60s to %.60s", label, v->member_count == 1 ? "is" : "are", v->member_count,
                       v->members[0], v->members[v->member_count - 1]);
}

// --- Surface.

static int check_level(const struct catalog_variable *v, const struct surface *surface, struct failure *failure) {
    if (surface->kind != SURFACE_LEVEL || surface->value < (double)v->nz) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "%.100s has no model level %.0f: they are k0 to k%zu", v->id, surface->value, v->nz - 1);
}

static int find_surface(const struct catalog_variable *v, const char *level, struct surface *surface, struct failure *failure) {
    int status = surface_parse(level, surface, failure);
    if (status) return status;
    if (!v->vertical) return surface->kind == SURFACE_OWN ? VIRGA_OK : failure_set(failure, VIRGA_INVALID, "%.100s has no levels to choose from", v->id);
    if (surface->kind == SURFACE_OWN) *surface = (struct surface){.kind = SURFACE_LEVEL};
    if ((surface->kind == SURFACE_TOP || surface->kind == SURFACE_BASE) && isnan(surface->value)) {
        surface->value = surface_threshold(surface, v->units, v->standard_name);
        if (isnan(surface->value)) return failure_set(failure, VIRGA_INVALID, "%.100s has no usual threshold: name one, such as %s:10", v->id, surface_kind_name(surface->kind));
    }
    return check_level(v, surface, failure);
}

// Heights are no values of the variable: they look like heights, and count in tenths of a metre.
void map_layer_shown(const struct catalog_variable *v, const struct surface *surface, struct catalog_variable *shown) {
    static char units[] = "m", altitude[] = "altitude", top[] = "height of the top", base[] = "height of the base";
    *shown = *v;
    if (!surface_gives_heights(surface)) return;
    shown->units = units;
    shown->standard_name = altitude;
    shown->long_name = surface->kind == SURFACE_TOP ? top : base;
    shown->lattice = (struct lattice_spec){.v0 = 0, .step = 0.1, .epsilon = 0.05};
    shown->valid[0] = -INFINITY;
    shown->valid[1] = INFINITY;
}

// --- Style.

static int find_style(const struct map_ask *ask, struct map_style *style, struct failure *failure) {
    int status = map_style_parse(text_of(ask->style), style, failure);
    for (size_t n = 0; n < MAP_ASK_OPTIONS && !status; n++)
        if (ask->options[n].option && ask->options[n].value && *ask->options[n].value) status = map_style_set(style, ask->options[n].option, ask->options[n].value, failure);
    return status;
}

// What a sum over levels comes to says no preset: its range is the field's.
int map_layer_complete(struct map_style *style, const struct catalog_variable *shown, enum surface_kind kind, struct failure *failure) {
    if (kind == SURFACE_SUM && style->range_kind == MAP_RANGE_PRESET) style->range_kind = MAP_RANGE_FIELD;
    return map_style_complete(style, shown, NULL, failure);
}

static bool find_step(const struct catalog_series *series, double seconds, size_t *step) {
    if (!series->present || !series->time_count) return false;
    *step = map_times_nearest(series->times, series->time_count, seconds);
    return fabs(series->times[*step].seconds - seconds) < 0.5;
}

static int find_partner(struct map_layer *layer, struct failure *failure) {
    const struct catalog_dataset *dataset = layer->field.dataset;
    if (!map_style_is_wind(&layer->style)) return VIRGA_OK;
    int index = map_wind_partner(dataset, layer->field.variable, &layer->wind);
    if (index < 0)
        return failure_set(failure, VIRGA_INVALID, "%.100s is no wind that this style can draw: ask for it with a wind's speed or its eastward component",
                           map_layer_variable(layer)->id);
    layer->partner = layer->field;
    layer->partner.variable = (size_t)index;
    if (find_step(&dataset->runs[layer->field.run].series[index], map_layer_time(layer)->seconds, &layer->partner.step)) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "the run of %s has no %.100s at %s", map_layer_run(layer)->iso, dataset->variables[index].id, map_layer_time(layer)->iso);
}

// --- What it depends on.

static void add_text(XXH3_state_t *state, const char *text) { XXH3_128bits_update(state, text, strlen(text) + 1); }

static void write_hash(const XXH3_state_t *state, char text[MAP_KEY]) {
    const XXH128_hash_t hash = XXH3_128bits_digest(state);
    snprintf(text, MAP_KEY, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

static void add_plane(XXH3_state_t *state, const struct field_ref *field, const struct surface *surface) {
    char key[PLANE_KEY];
    plane_key(field, surface, key);
    add_text(state, key);
}

static int set_keys(struct map_layer *layer, struct failure *failure) {
    char style[MAP_STYLE_TEXT];
    XXH3_state_t *state = XXH3_createState();
    if (!state) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    XXH3_128bits_reset(state);
    add_text(state, VIRGA_VERSION);
    add_plane(state, &layer->field, &layer->surface);
    if (layer->partner.dataset) add_plane(state, &layer->partner, &layer->surface);
    write_hash(state, layer->edition);
    map_style_write(&layer->style, style);
    add_text(state, layer->field.dataset->id);
    add_text(state, map_layer_variable(layer)->id);
    add_text(state, style);
    write_hash(state, layer->key);
    XXH3_freeState(state);
    return VIRGA_OK;
}

static int check_edition(const char *asked, struct map_layer *layer, struct failure *failure) {
    const bool named = layer->time.run_said && layer->time.time_said;
    layer->keeping = named && *asked ? MAP_KEEP_EVER : named ? MAP_KEEP_NAMED : MAP_KEEP_LATEST;
    if (!*asked || !strcmp(asked, layer->edition)) return VIRGA_OK;
    return failure_set(failure, VIRGA_CHANGED, "the data of %.100s at %s is no longer of this edition: ask for the address again", map_layer_variable(layer)->id,
                       map_layer_time(layer)->iso);
}

// --- All of it.

int map_layer_resolve(struct catalog *catalog, const struct map_ask *ask, double now, struct map_layer *layer, struct failure *failure) {
    struct field_ref *field = &layer->field;
    memset(layer, 0, sizeof *layer);
    int status = find_variable(catalog, ask, field, failure);
    if (!status) status = map_times_find(field->dataset, field->variable, ask->run, ask->time, now, &layer->time, failure);
    if (status) return status;
    field->run = layer->time.run;
    field->step = layer->time.step;
    status = find_member(field, ask->member, failure);
    if (!status) status = find_surface(map_layer_variable(layer), text_of(ask->level), &layer->surface, failure);
    if (status) return status;
    map_layer_shown(map_layer_variable(layer), &layer->surface, &layer->shown);
    status = find_style(ask, &layer->style, failure);
    if (!status) status = map_layer_complete(&layer->style, &layer->shown, layer->surface.kind, failure);
    if (!status) status = find_partner(layer, failure);
    if (!status) status = set_keys(layer, failure);
    if (!status) status = check_edition(text_of(ask->edition), layer, failure);
    if (!status) layer->catalog = catalog_ref(catalog);
    return status;
}

void map_layer_destroy(struct map_layer *layer) {
    if (layer->catalog) catalog_unref(layer->catalog);
    memset(layer, 0, sizeof *layer);
}
