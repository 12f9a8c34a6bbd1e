// SPDX-License-Identifier: Apache-2.0
// What `virga info --json` and GET /api/catalog say.
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "field/catalog_group.h"
#include "field/cf_units.h"

enum { PYRAMID_ROOM = 32 };

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *numbers(const double *values, size_t count) {
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++) json_array_append_new(list, number(values[n]));
    return list;
}

static json_t *sizes(const size_t *values, size_t count) {
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++) json_array_append_new(list, json_integer((json_int_t)values[n]));
    return list;
}

static json_t *grid_json(const struct grid *grid) {
    json_t *corners = json_array(), *o = json_object();
    for (int c = 0; c < 4; c++) json_array_append_new(corners, numbers(grid->corners[c], 2));
    json_object_set_new(o, "proj", grid_is_curvilinear(grid) ? json_null() : json_string(grid->proj));
    json_object_set_new(o, "nx", json_integer((json_int_t)grid->x.n));
    json_object_set_new(o, "ny", json_integer((json_int_t)grid->y.n));
    json_object_set_new(o, "corners", corners);
    json_object_set_new(o, "angular", json_boolean(grid->angular));
    json_object_set_new(o, "wraps", json_boolean(grid->wraps));
    json_object_set_new(o, "centre", numbers(grid->centre, 2));
    json_object_set_new(o, "km_per_unit", numbers(grid->km_per_unit, 2));
    return o;
}

static json_t *vertical_json(const struct catalog_variable *v) {
    const struct level_map *map = v->level_map;
    if (!v->vertical || !map) return json_null();
    json_t *o = json_object();
    const double ends[] = {map->lowest, map->highest};
    json_object_set_new(o, "kind", json_string(map->coordinate));
    json_object_set_new(o, "levels", json_integer((json_int_t)v->nz));
    json_object_set_new(o, "heights", numbers(ends, 2));
    json_object_set_new(o, "datum", json_string(map->datum == DATUM_SEA ? "sea" : "ground"));
    json_object_set_new(o, "map_error", number(map->max_error));
    json_object_set_new(o, "map_error_low", number(map->error_low));
    json_object_set_new(o, "map_error_high", number(map->error_high));
    if (map->tested_columns < map->nx * map->ny) json_object_set_new(o, "map_tested", json_integer((json_int_t)map->tested_columns));
    json_object_set_new(o, "method", json_string(map->method));
    json_object_set_new(o, "nominal", numbers(map->nominal, map->level_count));
    return o;
}

static json_t *times_json(const struct catalog_series *series) {
    json_t *list = json_array();
    for (size_t s = 0; s < series->time_count; s++) json_array_append_new(list, json_string(series->times[s].iso));
    return list;
}

static json_t *pyramid_json(const struct catalog_dataset *d, size_t variable, catalog_pyramid pyramid) {
    struct catalog_pyramid_level levels[PYRAMID_ROOM];
    size_t count = pyramid(d, variable, levels, PYRAMID_ROOM);
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++) {
        json_t *o = json_object();
        json_object_set_new(o, "n", sizes(levels[n].n, 3));
        json_object_set_new(o, "scale", sizes(levels[n].scale, 3));
        json_array_append_new(list, o);
    }
    return list;
}

static const struct catalog_series *latest_series(const struct catalog_dataset *d, size_t variable) {
    if (d->runs[d->latest].series[variable].present) return &d->runs[d->latest].series[variable];
    for (size_t r = d->run_count; r-- > 0;)
        if (d->runs[r].series[variable].present) return &d->runs[r].series[variable];
    return &d->runs[d->run_count - 1].series[variable];
}

static json_t *level_json(const struct catalog_dataset *d, size_t variable) {
    struct catalog_level level;
    if (!catalog_single_level(d, variable, &level)) return NULL;
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_string(level.kind));
    json_object_set_new(o, "value", number(level.value));
    json_object_set_new(o, "units", json_string(level.units));
    return o;
}

// [{"units", "scale", "offset"}]: shown = value * scale + offset, the usual unit first.
static json_t *choices_json(const struct catalog_variable *v) {
    struct cf_units_choice choices[UNITS_CHOICES_MAX];
    size_t count = cf_units_choices(v->units, v->standard_name, catalog_is_difference(v), choices);
    json_t *list = json_array();
    for (size_t n = 0; n < count; n++)
        json_array_append_new(list, json_pack("{s:s, s:f, s:f}", "units", choices[n].units, "scale", choices[n].scale, "offset", choices[n].offset));
    return list;
}

static json_t *variable_json(const struct catalog_dataset *d, size_t index, catalog_pyramid pyramid) {
    const struct catalog_variable *v = &d->variables[index];
    json_t *o = json_object(), *members = json_array(), *lattice = json_object();
    const size_t shape[] = {v->nz, v->ny, v->nx};
    for (size_t m = 0; m < v->member_count; m++) json_array_append_new(members, json_string(v->members[m]));
    json_object_set_new(lattice, "v0", number(v->lattice.v0));
    json_object_set_new(lattice, "step", number(v->lattice.step));
    json_object_set_new(lattice, "epsilon", number(v->lattice.epsilon));
    json_object_set_new(o, "id", json_string(v->id));
    json_object_set_new(o, "name", json_string(v->name));
    json_object_set_new(o, "standard_name", json_string(v->standard_name));
    json_object_set_new(o, "long_name", json_string(v->long_name));
    json_object_set_new(o, "units", json_string(v->units));
    json_object_set_new(o, "units_canonical", json_string(cf_units_canonical(v->units)));
    json_object_set_new(o, "units_choices", choices_json(v));
    json_object_set_new(o, "derived", json_boolean(catalog_is_derived(v)));
    json_object_set_new(o, "shape", v->vertical ? sizes(shape, 3) : sizes(shape + 1, 2));
    json_object_set_new(o, "vertical", vertical_json(v));
    json_object_set_new(o, "times", times_json(latest_series(d, index)));
    json_object_set_new(o, "calendar", json_string(v->calendar));
    json_object_set_new(o, "members", members);
    json_object_set_new(o, "epsilon", number(v->lattice.epsilon));
    json_object_set_new(o, "lattice", lattice);
    json_t *level = level_json(d, index);
    if (level) json_object_set_new(o, "level", level);
    if (catalog_is_constant(v)) json_object_set_new(o, "constant", json_true());
    if (v->note) json_object_set_new(o, "note", json_string(v->note));
    if (isfinite(v->valid[0]) || isfinite(v->valid[1])) json_object_set_new(o, "valid_range", numbers(v->valid, 2));
    const char *statistic = catalog_statistic(v);
    if (statistic) {
        json_object_set_new(o, "statistic", json_string(statistic));
        json_object_set_new(o, "of", json_string(d->variables[v->from->u].id));
    }
    if (pyramid) json_object_set_new(o, "pyramid", pyramid_json(d, index, pyramid));
    return o;
}

static json_t *geometry_json(const struct catalog_dataset *d, size_t variable, size_t run) {
    struct field_ref field = {.dataset = d, .variable = variable, .run = run};
    if (!d->variables[variable].vertical) return json_null();
    json_t *list = json_array();
    bool varies = field_heights_vary(&field);
    for (size_t s = 0; s < (varies ? d->runs[run].series[variable].time_count : 1); s++) {
        char id[33];
        field.step = s;
        field_geometry_id(&field, id);
        json_array_append_new(list, json_string(id));
    }
    return list;
}

// Whether members stand at heights of their own: their geometries are named by edition, member and step.
static bool members_differ(const struct catalog_dataset *d, size_t variable, size_t run) {
    struct field_ref field = {.dataset = d, .variable = variable, .run = run};
    char first[33], second[33];
    if (!d->variables[variable].vertical || d->variables[variable].member_count < 2 || !field_heights_vary(&field)) return false;
    field_geometry_id(&field, first);
    field.member = 1;
    field_geometry_id(&field, second);
    return strcmp(first, second) != 0;
}

// Members that a run has something of, where it is not all; else NULL.
static json_t *present_json(const struct catalog_dataset *d, size_t variable, size_t run) {
    const struct catalog_variable *v = &d->variables[variable];
    const struct catalog_variable *stored = v;
    while (stored->derived) stored = &d->variables[stored->from->u];
    if (!stored->from->members_apart || v->member_count < 2) return NULL;
    json_t *list = json_array();
    for (size_t m = 0; m < v->member_count; m++) {
        bool any = false;
        for (size_t s = 0; s < d->runs[run].series[variable].time_count && !any; s++)
            any = catalog_has_member(&(struct field_ref){.dataset = d, .variable = variable, .run = run, .member = m, .step = s});
        if (any) json_array_append_new(list, json_integer((json_int_t)m));
    }
    if (json_array_size(list) < v->member_count) return list;
    json_decref(list);
    return NULL;
}

static json_t *run_json(const struct catalog_dataset *d, size_t run) {
    json_t *o = json_object(), *all = json_object();
    for (size_t v = 0; v < d->variable_count; v++) {
        const struct catalog_series *series = &d->runs[run].series[v];
        if (!series->present || d->variables[v].hidden) continue;
        json_t *one = json_object(), *seconds = json_array(), *editions = json_array();
        for (size_t s = 0; s < series->time_count; s++) json_array_append_new(seconds, number(series->times[s].seconds));
        json_object_set_new(one, "edition", json_string(series->edition));
        for (size_t s = 0; s < series->time_count; s++) json_array_append_new(editions, json_string(series->editions ? series->editions[s] : series->edition));
        json_object_set_new(one, "editions", editions);
        json_object_set_new(one, "times", times_json(series));
        json_object_set_new(one, "seconds", seconds);
        json_object_set_new(one, "geometry", geometry_json(d, v, run));
        json_t *present = present_json(d, v, run);
        if (present) json_object_set_new(one, "members", present);
        if (members_differ(d, v, run)) json_object_set_new(one, "member_geometry", json_true());
        json_object_set_new(all, d->variables[v].id, one);
    }
    json_object_set_new(o, "time", json_string(d->runs[run].time.iso));
    json_object_set_new(o, "complete", json_boolean(d->runs[run].complete));
    json_object_set_new(o, "expected", json_integer((json_int_t)d->runs[run].expected));
    json_object_set_new(o, "missing", json_integer((json_int_t)d->runs[run].missing));
    json_object_set_new(o, "series", all);
    return o;
}

// What concerns a dataset's files stands with it; what concerns none, with the first.
static bool concerns(const struct catalog_dataset *d, const char *file) {
    for (size_t v = 0; v < d->variable_count; v++)
        for (size_t r = 0; r < d->run_count; r++)
            for (size_t s = 0; s < run_piece_count(&d->variables[v], r); s++) {
                const struct field_step *step = run_piece(&d->variables[v], r, s);
                if (step->file && strcmp(source_path(step->file->source), file) == 0) return true;
            }
    return false;
}

static json_t *problem_json(const struct catalog_problem *p) {
    json_t *o = json_object();
    json_object_set_new(o, "variable", p->variable ? json_string(p->variable) : json_null());
    json_object_set_new(o, "file", json_string(p->file));
    json_object_set_new(o, "reason", json_string(p->reason));
    return o;
}

static json_t *dataset_json(const struct catalog_dataset *d, catalog_pyramid pyramid) {
    json_t *o = json_object(), *runs = json_array(), *variables = json_array();
    for (size_t r = 0; r < d->run_count; r++) json_array_append_new(runs, run_json(d, r));
    for (size_t v = 0; v < d->variable_count; v++)
        if (!d->variables[v].hidden) json_array_append_new(variables, variable_json(d, v, pyramid));
    json_object_set_new(o, "id", json_string(d->id));
    json_object_set_new(o, "title", json_string(d->title));
    json_object_set_new(o, "runs", runs);
    json_object_set_new(o, "latest", d->latest >= 0 ? json_string(d->runs[d->latest].time.iso) : json_null());
    json_object_set_new(o, "latest_rule", json_string(d->latest_has_step ? "step" : "complete"));
    json_object_set_new(o, "grid", grid_json(d->grid));
    json_object_set_new(o, "terrain", d->terrain >= 0 ? json_string(d->variables[d->terrain].id) : json_null());
    json_object_set_new(o, "variables", variables);
    json_object_set_new(o, "problems", json_array());
    return o;
}

// A problem stands in the list of all and with the dataset that it concerns.
static void add_problem(const struct catalog *catalog, const struct catalog_problem *problem, json_t *problems, json_t *datasets) {
    json_array_append_new(problems, problem_json(problem));
    for (size_t n = 0; n < catalog->dataset_count; n++)
        if (concerns(&catalog->datasets[n], problem->file)) {
            json_array_append_new(json_object_get(json_array_get(datasets, n), "problems"), problem_json(problem));
            return;
        }
}

// Files that were found to harm readers after the catalog was made, which stays as it is.
static void add_condemned(const struct catalog *catalog, json_t *problems, json_t *datasets) {
    const struct catalog_whole *whole = (const struct catalog_whole *)catalog;
    for (size_t n = 0; n < whole->scanned.count; n++) {
        const struct cf_file *known = whole->scanned.files[n].file;
        const struct source *source = known ? known->source : NULL;  // those that could not be read have none
        struct failure why;
        if (!source || !source_is_condemned(source, &why)) continue;
        char *file = strdup(source_path(source)), *reason = strdup(catalog_without_file(why.message, source_path(source)));
        if (file && reason) {
            utf8_clean(file);
            add_problem(catalog, &(struct catalog_problem){.file = file, .reason = reason}, problems, datasets);
        }
        free(file);
        free(reason);
    }
}

char *catalog_to_json_with(const struct catalog *catalog, catalog_pyramid pyramid) {
    json_t *root = json_object(), *datasets = json_array(), *problems = json_array();
    for (size_t n = 0; n < catalog->dataset_count; n++) json_array_append_new(datasets, dataset_json(&catalog->datasets[n], pyramid));
    for (size_t p = 0; p < catalog->problem_count; p++) add_problem(catalog, &catalog->problems[p], problems, datasets);
    add_condemned(catalog, problems, datasets);
    json_object_set_new(root, "datasets", datasets);
    json_object_set_new(root, "problems", problems);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(root);
    return text;
}

char *catalog_to_json(const struct catalog *catalog) { return catalog_to_json_with(catalog, NULL); }
