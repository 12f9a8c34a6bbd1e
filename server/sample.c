// SPDX-License-Identifier: Apache-2.0
#include "server/sample.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "brick/volume_sample.h"
#include "field/cf_units.h"
#include "field/source_sample.h"
#include "server/map_times.h"

void sample_query_init(struct sample_query *query) {
    *query = (struct sample_query){.lon = NAN, .lat = NAN, .height = NAN};
}

static int set_number(double *number, const char *key, const char *value, double low, double high, struct failure *failure) {
    char *end;
    double parsed = strtod(value, &end);
    if (end == value || *end || !(parsed >= low && parsed <= high))
        return failure_set(failure, VIRGA_INVALID, "%s = \"%s\" is not a number from %g to %g", key, value, low, high);
    *number = parsed;
    return VIRGA_OK;
}

static int set_text(char text[SAMPLE_TEXT], const char *key, const char *value, struct failure *failure) {
    if (strlen(value) >= SAMPLE_TEXT) return failure_set(failure, VIRGA_INVALID, "%s is too long", key);
    strcpy(text, value);
    return VIRGA_OK;
}

int sample_query_set(struct sample_query *query, const char *key, const char *value, struct failure *failure) {
    if (!strcmp(key, "dataset")) return set_text(query->dataset, key, value, failure);
    if (!strcmp(key, "variable")) return set_text(query->variable, key, value, failure);
    if (!strcmp(key, "run")) return set_text(query->run, key, value, failure);
    if (!strcmp(key, "member")) return set_text(query->member, key, value, failure);
    if (!strcmp(key, "units")) return set_text(query->units, key, value, failure);
    if (!strcmp(key, "time")) return set_text(query->time, key, value, failure);
    if (!strcmp(key, "lon")) return set_number(&query->lon, key, value, -720, 720, failure);
    if (!strcmp(key, "lat")) return set_number(&query->lat, key, value, -90, 90, failure);
    if (!strcmp(key, "height")) return set_number(&query->height, key, value, -1e6, 1e6, failure);
    if (strcmp(key, "profile")) return failure_set(failure, VIRGA_INVALID, "there is no parameter \"%s\"", key);
    if (strcmp(value, "0") && strcmp(value, "1"))
        return failure_set(failure, VIRGA_INVALID, "profile = \"%s\" must be 1 or 0", value);
    query->profile = *value == '1';
    return VIRGA_OK;
}

// "a, b, c" of what there is, as far as there is room.
static void list_variables(const struct catalog *catalog, const char *dataset, char *text, size_t room) {
    size_t used = 0;
    *text = '\0';
    for (size_t d = 0; d < catalog->dataset_count; d++) {
        const struct catalog_dataset *set = &catalog->datasets[d];
        for (size_t v = 0; v < set->variable_count && used < room; v++)
            if (!set->variables[v].hidden && (!*dataset || !strcmp(dataset, set->id)))
                used += (size_t)snprintf(text + used, room - used, "%s%s", used ? ", " : "", set->variables[v].id);
    }
}

static int find_dataset_of_variable(const struct catalog *catalog, const struct sample_query *query, struct field_ref *field,
                                    struct failure *failure) {
    char known[300];
    for (size_t d = 0; d < catalog->dataset_count; d++) {
        const struct catalog_dataset *set = &catalog->datasets[d];
        int index = *query->dataset && strcmp(query->dataset, set->id) ? -1 : catalog_find_variable_named(set, query->variable);
        if (index < 0) continue;
        if (field->dataset)
            return failure_set(failure, VIRGA_INVALID, "several datasets have the variable %s: name one, such as dataset %s or %s",
                               query->variable, field->dataset->id, set->id);
        *field = (struct field_ref){.dataset = set, .variable = (size_t)index};
    }
    if (field->dataset) return VIRGA_OK;
    list_variables(catalog, query->dataset, known, sizeof known);
    return failure_set(failure, VIRGA_NOT_FOUND, "there is no variable %s; there are: %s", query->variable, *known ? known : "none");
}

// The time asked for as seconds.
static int parse_time(const struct sample_query *query, const struct field_ref *field, double *seconds, struct failure *failure) {
    const struct catalog_dataset *set = field->dataset;
    return map_times_parse(&set->variables[field->variable], query->time, set->runs[field->run].time.seconds, seconds, failure);
}

// Of the latest run a step may be asked for.
static int latest_run(const struct sample_query *query, const struct field_ref *field) {
    const struct catalog_dataset *set = field->dataset;
    struct field_ref at = *field;
    int variable = (int)field->variable;
    struct catalog_asked asked = {.count = 1, .variables = &variable, .lead = *query->time == 'T' || *query->time == 't'};
    if (set->latest < 0) return -1;
    at.run = (size_t)set->latest;
    if (parse_time(query, &at, &asked.seconds, NULL)) return set->latest;
    if (asked.lead) asked.seconds -= set->runs[set->latest].time.seconds;
    return catalog_find_latest(set, &asked);
}

static int find_run(const struct sample_query *query, struct field_ref *field, struct failure *failure) {
    const struct catalog_dataset *set = field->dataset;
    int run = !*query->run || !strcmp(query->run, "latest") ? latest_run(query, field) : catalog_find_run(set, query->run);
    if (run < 0)
        return failure_set(failure, VIRGA_NOT_FOUND, "there is no run %s; the latest is %s", query->run,
                           set->run_count ? set->runs[set->latest].time.iso : "none");
    field->run = (size_t)run;
    if (!set->runs[run].series[field->variable].present)
        return failure_set(failure, VIRGA_NOT_FOUND, "the run %s has no %s", set->runs[run].time.iso,
                           set->variables[field->variable].name);
    return VIRGA_OK;
}

static int find_member(const struct sample_query *query, struct field_ref *field, struct failure *failure) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    for (size_t m = 0; m < v->member_count && *query->member; m++) {
        field->member = m;
        if (!strcmp(v->members[m], query->member)) return VIRGA_OK;
    }
    field->member = 0;
    if (!*query->member) return VIRGA_OK;
    if (v->member_count == 1 && !*v->members[0]) return failure_set(failure, VIRGA_NOT_FOUND, "there is no member %s: %s has none to choose from", query->member, v->name);
    return failure_set(failure, VIRGA_NOT_FOUND, "there is no member %s; there %s %zu, from %s to %s", query->member,
                       v->member_count == 1 ? "is" : "are", v->member_count, v->members[0], v->members[v->member_count - 1]);
}

static int find_step(const struct sample_query *query, struct field_ref *field, struct failure *failure) {
    const struct catalog_series *series = &field->dataset->runs[field->run].series[field->variable];
    double seconds = 0;
    int status = parse_time(query, field, &seconds, failure);
    if (status != VIRGA_OK) return status;
    if (!series->time_count) return failure_set(failure, VIRGA_NOT_FOUND, "the variable %s has no times", query->variable);
    field->step = map_times_nearest(series->times, series->time_count, seconds);
    if (fabs(series->times[field->step].seconds - seconds) < 0.5) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "time = \"%s\" is not a step of %s; the nearest is %s", query->time, query->variable,
                       series->times[field->step].iso);
}

static int check_place(const struct sample_query *query, const struct catalog_variable *variable, struct failure *failure) {
    if (isnan(query->lon) || isnan(query->lat)) return failure_set(failure, VIRGA_INVALID, "the place needs lon and lat, in degrees");
    if (variable->vertical && !query->profile && isnan(query->height))
        return failure_set(failure, VIRGA_INVALID, "%s is on levels: name a height in metres, or ask for the profile", query->variable);
    return VIRGA_OK;
}

static int find_field(const struct catalog *catalog, const struct sample_query *query, struct field_ref *field,
                      struct failure *failure) {
    if (!*query->variable) return failure_set(failure, VIRGA_INVALID, "the variable is not named");
    if (!*query->time) return failure_set(failure, VIRGA_INVALID, "the time is not named");
    if (*query->dataset && !catalog_find_dataset(catalog, query->dataset))
        return failure_set(failure, VIRGA_NOT_FOUND, "there is no dataset %s", query->dataset);
    int status = find_dataset_of_variable(catalog, query, field, failure);
    if (status == VIRGA_OK) status = check_place(query, &field->dataset->variables[field->variable], failure);
    if (status == VIRGA_OK) status = find_run(query, field, failure);
    if (status == VIRGA_OK) status = find_member(query, field, failure);
    if (status == VIRGA_OK) status = find_step(query, field, failure);
    size_t members = status == VIRGA_OK && !*query->member ? field->dataset->variables[field->variable].member_count : 0;
    while (field->member < members && !catalog_has_member(field)) field->member++;
    if (members && field->member == members) field->member = 0;
    return status;
}

// How values turn into the units asked for. A spread is a difference: it has no offset.
static int find_units(const struct sample_query *query, const struct field_ref *field, struct cf_units_choice *units, struct failure *failure) {
    const struct catalog_variable *v = &field->dataset->variables[field->variable];
    struct cf_units_choice choices[UNITS_CHOICES_MAX];
    char list[256] = "";
    *units = (struct cf_units_choice){v->units, 1, 0};
    if (!*query->units || cf_units_show(v->units, query->units, catalog_is_difference(v), units) == VIRGA_OK) return VIRGA_OK;
    size_t count = cf_units_choices(v->units, v->standard_name, catalog_is_difference(v), choices);
    for (size_t n = 0, used = 0; n < count && used < sizeof list; n++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "", choices[n].units);
    return failure_set(failure, VIRGA_INVALID, "units = \"%s\" is not what %s can be had in; choose from %s", query->units, v->name, list);
}

struct answer {
    size_t count;  // levels of a profile, or 1
    double *bricks, *source, *height;
};

static void answer_free(struct answer *answer) {
    free(answer->bricks);
    free(answer->source);
    free(answer->height);
}

static int answer_init(struct answer *answer, size_t count, struct failure *failure) {
    answer->count = count;
    answer->bricks = calloc(count, sizeof(double));
    answer->source = calloc(count, sizeof(double));
    answer->height = calloc(count, sizeof(double));
    if (!answer->bricks || !answer->source || !answer->height)
        return failure_set(failure, VIRGA_NO_MEMORY, "out of memory for an answer of %zu levels", count);
    for (size_t n = 0; n < count; n++) answer->bricks[n] = answer->source[n] = answer->height[n] = NAN;
    return VIRGA_OK;
}

// The picture's side: its own axes and level map, then decoded bricks.
static int ask_bricks(struct catalog *catalog, struct brick_store *bricks, const struct field_ref *field,
                      const struct sample_query *query, struct answer *answer, struct failure *failure) {
    const struct grid *grid = field->dataset->grid;
    struct level_map *map = NULL;
    double i, j, *k = calloc(answer->count, sizeof *k);
    if (!k) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = VIRGA_OK;
    bool inside = grid_locate(grid, query->lon, query->lat, &i, &j);
    if (inside && !query->profile) status = catalog_level_map(catalog, field, &map, failure);
    if (map && !status) inside = level_map_locate(map, grid->wraps, i, j, query->height, &k[0]);
    for (size_t n = 0; n < answer->count && query->profile; n++) k[n] = (double)n;
    if (inside && !status) status = brick_samples_at(bricks, catalog, field, i, j, k, answer->count, answer->bricks, failure);
    level_map_unref(map);
    free(k);
    return status;
}

// The file's side. Levels of a profile come from the ground up, as those of the volume do.
static int ask_source(const struct field_ref *field, const struct sample_query *query, struct answer *answer,
                      struct failure *failure) {
    struct source_profile profile = {0};
    if (!query->profile) {
        if (field->dataset->variables[field->variable].vertical) answer->height[0] = query->height;
        return catalog_sample_source(field, query->lon, query->lat, query->height, answer->source, failure);
    }
    int status = catalog_profile_source(field, query->lon, query->lat, &profile, failure);
    for (size_t n = 0; status == VIRGA_OK && n < profile.count && n < answer->count; n++) {
        answer->height[n] = profile.heights[n];
        answer->source[n] = profile.values[n];
    }
    source_profile_destroy(&profile);
    return status;
}

static void convert(struct answer *answer, const struct cf_units_choice *units) {
    for (size_t n = 0; n < answer->count; n++) {
        answer->bricks[n] = answer->bricks[n] * units->scale + units->offset;
        answer->source[n] = answer->source[n] * units->scale + units->offset;
    }
}

static json_t *number_or_null(double number) { return isfinite(number) ? json_real(number) : json_null(); }

// A number, or for a profile the array of them.
static json_t *numbers(const struct answer *answer, const double *values, bool profile) {
    if (!profile) return number_or_null(values[0]);
    json_t *array = json_array();
    for (size_t n = 0; n < answer->count; n++) json_array_append_new(array, number_or_null(values[n]));
    return array;
}

static json_t *differences(const struct answer *answer, bool profile) {
    json_t *array = json_array();
    for (size_t n = 0; n < answer->count; n++)
        json_array_append_new(array, number_or_null(answer->bricks[n] - answer->source[n]));
    json_t *first = profile ? NULL : json_incref(json_array_get(array, 0));
    if (!profile) json_decref(array);
    return profile ? array : first;
}

static char *to_json(const struct field_ref *field, const struct sample_query *query, const struct answer *answer,
                     const struct cf_units_choice *units) {
    const struct catalog_dataset *set = field->dataset;
    const struct catalog_variable *v = &set->variables[field->variable];
    const struct catalog_run *run = &set->runs[field->run];
    const char *datum = v->level_map ? v->level_map->datum == DATUM_SEA ? "sea" : "ground" : NULL;
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:f, s:s, s:s, s:s, s:f, s:f, s:o, s:s, s:s, s:s, s:s?, s:o}",
        "bricks", numbers(answer, answer->bricks, query->profile), "source", numbers(answer, answer->source, query->profile),
        "difference", differences(answer, query->profile), "epsilon", v->lattice.epsilon * fabs(units->scale), "units", units->units, "run",
        run->time.iso, "time", run->series[field->variable].times[field->step].iso, "lon", query->lon, "lat", query->lat,
        "height", numbers(answer, answer->height, query->profile), "dataset", set->id, "variable", v->name, "member",
        v->members[field->member], "datum", datum, "map_error",
        v->level_map ? json_real(v->level_map->max_error) : json_null());
    char *text = object ? json_dumps(object, JSON_REAL_PRECISION(15)) : NULL;
    json_decref(object);
    return text;
}

int sample_run(struct catalog *catalog, struct brick_store *bricks, const struct sample_query *query, char **json,
               struct failure *failure) {
    struct field_ref field = {0};
    struct answer answer = {0};
    struct cf_units_choice units;
    *json = NULL;
    int status = find_field(catalog, query, &field, failure);
    if (status == VIRGA_OK) status = find_units(query, &field, &units, failure);
    size_t levels = status == VIRGA_OK && query->profile ? field.dataset->variables[field.variable].nz : 1;
    if (status == VIRGA_OK) status = answer_init(&answer, levels, failure);
    if (status == VIRGA_OK) status = ask_bricks(catalog, bricks, &field, query, &answer, failure);
    if (status == VIRGA_OK) status = ask_source(&field, query, &answer, failure);
    if (status == VIRGA_OK) convert(&answer, &units);
    if (status == VIRGA_OK && !(*json = to_json(&field, query, &answer, &units)))
        status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory for the answer");
    answer_free(&answer);
    return status;
}
