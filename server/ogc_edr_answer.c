// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/covjson.h"
#include "server/map_section.h"
#include "server/map_times.h"
#include "server/ogc_edr.h"

enum rows_mode { ROWS_NONE, ROWS_OWN, ROWS_HEIGHTS, ROWS_LEVELS };  // no heights; each place its own; those named; all model levels

struct answering {
    struct catalog *catalog;
    struct brick_store *bricks;
    const struct ogc_edr_query *query;
    const atomic_bool *stop;
    struct failure *failure;
    json_t *coverages;
    bool lost;  // one, for lack of memory
};

// Variables that share a domain.
struct group {
    size_t count;
    const struct ogc_edr_item *items[OGC_PARAMETERS];
    enum rows_mode mode;
    struct section_rows rows;
};

static const struct catalog_variable *variable_of(const struct answering *a, const struct ogc_edr_item *item) { return &a->query->dataset->variables[item->variable]; }

static const struct catalog_time *times_of(const struct answering *a, const struct ogc_edr_item *item) {
    return a->query->dataset->runs[a->query->run].series[item->variable].times + item->first;
}

static struct field_ref field_of(const struct answering *a, const struct ogc_edr_item *item, size_t step) {
    return (struct field_ref){.dataset = a->query->dataset, .variable = item->variable, .run = a->query->run, .member = item->member, .step = item->first + step, .stop = a->stop};
}

static enum rows_mode mode_of(const struct answering *a, const struct ogc_edr_item *item) {
    if (!variable_of(a, item)->vertical) return ROWS_NONE;
    if (a->query->heights.kind == OGC_HEIGHTS_LIST) return ROWS_HEIGHTS;
    return a->query->wkt.has_z && a->query->heights.kind == OGC_HEIGHTS_NONE ? ROWS_OWN : ROWS_LEVELS;
}

static size_t rows_of(const struct answering *a, const struct group *group) {
    return group->mode == ROWS_HEIGHTS ? group->rows.count : group->mode == ROWS_LEVELS ? variable_of(a, group->items[0])->nz : 1;
}

static bool is_alike(const struct answering *a, const struct ogc_edr_item *one, const struct ogc_edr_item *other) {
    const struct catalog_variable *v = variable_of(a, one), *w = variable_of(a, other);
    const struct catalog_time *t = times_of(a, one), *u = times_of(a, other);
    if (one->constant != other->constant || one->count != other->count || strcmp(v->calendar, w->calendar) || covjson_vertical_of(v) != covjson_vertical_of(w)) return false;
    if (mode_of(a, one) == ROWS_LEVELS && (!v->level_map || !w->level_map || strcmp(v->level_map->id, w->level_map->id))) return false;
    for (size_t n = 0; n < one->count; n++)
        if (strcmp(t[n].iso, u[n].iso)) return false;
    return true;
}

// --- Coverages.

static void add_coverage(struct answering *a, const char *type, json_t *axes, const struct group *group, enum covjson_vertical vertical, json_t *parameters, json_t *ranges) {
    const char *calendar = group->items[0]->constant ? NULL : variable_of(a, group->items[0])->calendar;
    json_t *coverage = covjson_coverage(covjson_domain(type, axes, vertical, calendar), parameters, ranges);
    a->lost |= json_array_append_new(a->coverages, coverage) != 0;
}

static json_t *parameters_of(const struct answering *a, const struct group *group) {
    json_t *parameters = json_object();
    for (size_t v = 0; v < group->count; v++) {
        const struct catalog_variable *variable = variable_of(a, group->items[v]);
        json_object_set_new(parameters, variable->id, covjson_parameter(variable));
    }
    return parameters;
}

static json_t *axes_of_point(const struct section_point *point) {
    return json_pack("{s:o, s:o}", "x", covjson_axis_numbers(&point->lon, 1), "y", covjson_axis_numbers(&point->lat, 1));
}

static int no_memory(const struct answering *a) { return failure_set(a->failure, VIRGA_NO_MEMORY, "out of memory"); }

// --- One place: at named heights, or where there are none.

// values: [times][places][rows]; those of one place are taken.
static json_t *range_of_place(const double *values, size_t times, size_t places, size_t rows, size_t place, bool series) {
    double *own = malloc(times * rows * sizeof *own);
    json_t *range = NULL;
    for (size_t t = 0; own && t < times; t++) memcpy(own + t * rows, values + (t * places + place) * rows, rows * sizeof *own);
    const size_t grid[] = {times, rows, 1, 1};
    if (!own) return NULL;
    if (series && rows > 1) range = covjson_range("t,z,y,x", grid, own, times * rows);
    else if (rows > 1) range = covjson_range("z", &rows, own, rows);
    else if (series) range = covjson_range("t", &times, own, times);
    else range = covjson_range("", NULL, own, 1);
    free(own);
    return range;
}

static void add_place(struct answering *a, const struct group *group, const struct section_point *points, size_t places, size_t place, const double *values) {
    const struct ogc_edr_item *first = group->items[0];
    size_t rows = rows_of(a, group), times = first->count;
    bool series = times > 1;
    json_t *axes = axes_of_point(&points[place]), *ranges = json_object();
    if (!first->constant) json_object_set_new(axes, "t", covjson_axis_times(times_of(a, first), times));
    if (group->mode == ROWS_HEIGHTS) json_object_set_new(axes, "z", covjson_axis_numbers(group->rows.heights, rows));
    if (group->mode == ROWS_OWN) json_object_set_new(axes, "z", covjson_axis_numbers(&points[place].height, 1));
    for (size_t v = 0; v < group->count; v++)
        json_object_set_new(ranges, variable_of(a, group->items[v])->id, range_of_place(values + v * times * places * rows, times, places, rows, place, series));
    const char *type = series && rows > 1 ? "Grid" : series ? "PointSeries" : rows > 1 ? "VerticalProfile" : "Point";
    add_coverage(a, type, axes, group, covjson_vertical_of(variable_of(a, first)), parameters_of(a, group), ranges);
}

static int answer_places(struct answering *a, const struct group *group, const struct section_point *points, size_t places) {
    size_t rows = rows_of(a, group), times = group->items[0]->count, one = places * rows;
    double *values = calloc(group->count * times * one, sizeof *values);
    int status = values ? VIRGA_OK : no_memory(a);
    for (size_t n = 0; n < group->count * times && !status; n++) {
        struct section section;
        const struct field_ref field = field_of(a, group->items[n / times], n % times);
        status = section_read(a->catalog, a->bricks, &field, points, places, &group->rows, &section, a->failure);
        if (status) break;
        memcpy(values + n * one, section.values, one * sizeof *values);
        section_destroy(&section);
    }
    for (size_t p = 0; p < places && !status; p++) add_place(a, group, points, places, p, values);
    free(values);
    return status;
}

// --- One place: all model levels.

// Moves the levels whose heights lie in the range to the front; gives how many.
static size_t pick_levels(const struct ogc_heights *range, const double *heights, size_t count, size_t *picked) {
    size_t found = 0;
    for (size_t k = 0; k < count; k++) {
        bool within = range->kind != OGC_HEIGHTS_RANGE || (heights[k] >= range->values[0] && heights[k] <= range->values[1]);
        if (isfinite(heights[k]) && within) picked[found++] = k;
    }
    return found;
}

static int add_profile(struct answering *a, const struct group *group, size_t step, const struct section *sections, const struct section_point *point, size_t place) {
    const struct ogc_edr_item *first = group->items[0];
    const struct field_ref field = field_of(a, first, step);
    size_t nz = variable_of(a, first)->nz;
    double *heights = malloc(2 * nz * sizeof *heights);
    size_t *picked = malloc(nz * sizeof *picked);
    int status = heights && picked ? section_exact_heights(&field, point->lon, point->lat, heights, a->failure) : no_memory(a);
    size_t count = status ? 0 : pick_levels(&a->query->heights, heights, nz, picked);
    if (!count) goto done;
    json_t *axes = axes_of_point(point), *ranges = json_object();
    for (size_t n = 0; n < count; n++) heights[n] = heights[picked[n]];
    json_object_set_new(axes, "z", covjson_axis_numbers(heights, count));
    if (!first->constant) json_object_set_new(axes, "t", covjson_axis_times(times_of(a, first) + step, 1));
    for (size_t v = 0; v < group->count; v++) {
        for (size_t n = 0; n < count; n++) heights[nz + n] = sections[v].values[place * nz + picked[n]];
        json_object_set_new(ranges, variable_of(a, group->items[v])->id, covjson_range("z", &count, heights + nz, count));
    }
    add_coverage(a, "VerticalProfile", axes, group, covjson_vertical_of(variable_of(a, first)), parameters_of(a, group), ranges);
done:
    free(heights);
    free(picked);
    return status;
}

static int answer_profiles(struct answering *a, const struct group *group, const struct section_point *points, size_t places) {
    int status = VIRGA_OK;
    for (size_t t = 0; t < group->items[0]->count && !status; t++) {
        struct section sections[OGC_PARAMETERS] = {0};
        for (size_t v = 0; v < group->count && !status; v++) {
            const struct field_ref field = field_of(a, group->items[v], t);
            status = section_read(a->catalog, a->bricks, &field, points, places, &group->rows, &sections[v], a->failure);
        }
        for (size_t p = 0; p < places && !status; p++) status = add_profile(a, group, t, sections, &points[p], p);
        for (size_t v = 0; v < group->count; v++) section_destroy(&sections[v]);
    }
    return status;
}

// --- Along a line.

struct along {
    const struct section_line *line;
    size_t *steps;     // [places]
    size_t rows;
    double *values;    // [places][rows], of the variable that is being read
    double *heights;   // likewise
};

// Reads places that have the same step together.
static int read_along(const struct answering *a, const struct group *group, const struct ogc_edr_item *item, const struct along *along) {
    int status = VIRGA_OK;
    for (size_t p = 0, end; p < along->line->count && !status; p = end) {
        const struct field_ref field = field_of(a, item, along->steps[p]);
        struct section section;
        for (end = p; end < along->line->count && along->steps[end] == along->steps[p];) end++;
        status = section_read(a->catalog, a->bricks, &field, along->line->points + p, end - p, &group->rows, &section, a->failure);
        if (status) break;
        memcpy(along->values + p * along->rows, section.values, (end - p) * along->rows * sizeof *along->values);
        memcpy(along->heights + p * along->rows, section.heights, (end - p) * along->rows * sizeof *along->heights);
        section_destroy(&section);
    }
    return status;
}

// Of levels whose heights are asked for, others are left out.
static void mask(const struct ogc_heights *range, const struct along *along) {
    for (size_t n = 0; range->kind == OGC_HEIGHTS_RANGE && n < along->line->count * along->rows; n++)
        if (!(along->heights[n] >= range->values[0] && along->heights[n] <= range->values[1])) along->values[n] = along->heights[n] = NAN;
}

static bool is_section(const struct group *group) { return group->mode == ROWS_LEVELS || (group->mode == ROWS_HEIGHTS && group->rows.count > 1); }

static json_t *axis_along(const struct answering *a, const struct group *group, const struct along *along) {
    bool timed = !group->items[0]->constant, high = !is_section(group) && group->mode != ROWS_NONE;
    json_t *tuples = json_array();
    for (size_t p = 0; p < along->line->count; p++) {
        const struct section_point *point = &along->line->points[p];
        json_t *tuple = json_array();
        if (timed) json_array_append_new(tuple, json_string(times_of(a, group->items[0])[along->steps[p]].iso));
        json_array_append_new(tuple, json_real(point->lon));
        json_array_append_new(tuple, json_real(point->lat));
        if (high) json_array_append_new(tuple, json_real(group->mode == ROWS_OWN ? point->height : group->rows.heights[0]));
        json_array_append_new(tuples, tuple);
    }
    return covjson_axis_tuples(timed && high ? "t,x,y,z" : timed ? "t,x,y" : high ? "x,y,z" : "x,y", tuples);
}

static json_t *axis_of_rows(const struct group *group, size_t rows) {
    double *levels = malloc(rows * sizeof *levels);
    json_t *axis = NULL;
    for (size_t n = 0; levels && n < rows; n++) levels[n] = group->mode == ROWS_LEVELS ? (double)n : group->rows.heights[n];
    if (levels) axis = covjson_axis_numbers(levels, rows);
    free(levels);
    return axis;
}

static int add_line(struct answering *a, const struct group *group, const struct along *along) {
    bool section = is_section(group);
    const size_t shape[] = {along->line->count, along->rows};
    const char *names = section ? "composite,z" : "composite";
    enum covjson_vertical heights = covjson_vertical_of(variable_of(a, group->items[0])), vertical = group->mode == ROWS_LEVELS ? COVJSON_LEVELS : heights;
    json_t *axes = json_pack("{s:o}", "composite", axis_along(a, group, along)), *ranges = json_object(), *parameters = parameters_of(a, group);
    if (section) json_object_set_new(axes, "z", axis_of_rows(group, along->rows));
    int status = VIRGA_OK;
    for (size_t v = 0; v < group->count && !status; v++) {
        status = read_along(a, group, group->items[v], along);
        if (!status && group->mode == ROWS_LEVELS) mask(&a->query->heights, along);
        if (!status) json_object_set_new(ranges, variable_of(a, group->items[v])->id, covjson_range(names, shape, along->values, shape[0] * shape[1]));
    }
    if (group->mode == ROWS_LEVELS && !status) {
        json_object_set_new(parameters, "height", covjson_parameter_height(heights));
        json_object_set_new(ranges, "height", covjson_range(names, shape, along->heights, shape[0] * shape[1]));
    }
    add_coverage(a, section ? "Section" : "Trajectory", axes, group, vertical, parameters, ranges);
    return status;
}

// The nearest step for each place's own time.
static int find_steps(const struct answering *a, const struct ogc_edr_item *item, const struct along *along) {
    const struct catalog_time *t = times_of(a, item);
    size_t count = item->count;
    double half = count > 1 ? 0.5 * fmax(t[1].seconds - t[0].seconds, t[count - 1].seconds - t[count - 2].seconds) : 0.5;
    for (size_t p = 0; p < along->line->count; p++) {
        double seconds = along->line->points[p].seconds;
        along->steps[p] = map_times_nearest(t, count, seconds);
        if (!item->constant && (seconds < t[0].seconds - half || seconds > t[count - 1].seconds + half))
            return failure_set(a->failure, VIRGA_NOT_FOUND, "the line has times (M, seconds since 1970) that the run has not: its times are from %s to %s", t[0].iso, t[count - 1].iso);
    }
    return VIRGA_OK;
}

static int answer_line(struct answering *a, const struct group *group, const struct section_line *line) {
    size_t rows = rows_of(a, group), slices = a->query->wkt.has_m ? 1 : group->items[0]->count;
    if (slices * line->count * rows * group->count > OGC_VALUES)
        return failure_set(a->failure, VIRGA_TOO_LARGE, "%zu values at once are too many: ask for fewer times, parameters or heights", slices * line->count * rows * group->count);
    struct along along = {line, calloc(line->count, sizeof *along.steps), rows, calloc(line->count * rows, sizeof(double)), calloc(line->count * rows, sizeof(double))};
    int status = along.steps && along.values && along.heights ? VIRGA_OK : no_memory(a);
    if (!status && a->query->wkt.has_m) status = find_steps(a, group->items[0], &along);
    for (size_t t = 0; t < slices && !status; t++) {
        for (size_t p = 0; p < line->count && !a->query->wkt.has_m; p++) along.steps[p] = t;
        status = add_line(a, group, &along);
    }
    free(along.steps);
    free(along.values);
    free(along.heights);
    return status;
}

// --- All.

static int answer_group(struct answering *a, struct group *group, const struct section_line *line) {
    static const enum section_rows_kind kinds[] = {[ROWS_NONE] = SECTION_LEVELS, [ROWS_OWN] = SECTION_OWN, [ROWS_HEIGHTS] = SECTION_HEIGHTS, [ROWS_LEVELS] = SECTION_LEVELS};
    group->mode = mode_of(a, group->items[0]);
    group->rows = (struct section_rows){kinds[group->mode], a->query->heights.count, a->query->heights.values};
    if (a->query->trajectory) return answer_line(a, group, line);
    return group->mode == ROWS_LEVELS ? answer_profiles(a, group, line->points, line->count) : answer_places(a, group, line->points, line->count);
}

static int answer_groups(struct answering *a, const struct section_line *line) {
    bool done[OGC_PARAMETERS] = {false};
    int status = VIRGA_OK;
    for (size_t n = 0; n < a->query->item_count && !status; n++) {
        struct group group = {0};
        for (size_t m = n; m < a->query->item_count; m++) {
            if (done[m] || !is_alike(a, &a->query->items[n], &a->query->items[m])) continue;
            done[m] = true;
            group.items[group.count++] = &a->query->items[m];
        }
        if (group.count) status = answer_group(a, &group, line);
    }
    return status;
}

static bool any_inside(const struct grid *grid, const struct section_line *line) {
    double i, j;
    for (size_t n = 0; n < line->count; n++)
        if (grid_locate(grid, line->points[n].lon, line->points[n].lat, &i, &j)) return true;
    return false;
}

// The geometry's places; of a line those between its vertices, too.
static int lay_line(const struct answering *a, struct section_line *line) {
    const struct ogc_wkt *wkt = &a->query->wkt;
    struct section_point *points = calloc(wkt->count, sizeof *points);
    int status = points ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (size_t n = 0; n < wkt->count && !status; n++)
        points[n] = (struct section_point){.lon = wkt->places[n].x, .lat = wkt->places[n].y, .height = wkt->places[n].z, .seconds = wkt->places[n].m};
    if (!status) status = section_line_init(line, a->query->dataset->grid, points, wkt->count, a->query->trajectory ? OGC_PLACES : wkt->count);
    free(points);
    if (status) return no_memory(a);
    return any_inside(a->query->dataset->grid, line) ? VIRGA_OK : failure_set(a->failure, VIRGA_NOT_FOUND, "coords lie outside of the collection's area");
}

int ogc_edr_answer(struct catalog *catalog, struct brick_store *bricks, const struct ogc_edr_query *query, const atomic_bool *stop, char **json, struct failure *failure) {
    struct answering a = {.catalog = catalog, .bricks = bricks, .query = query, .stop = stop, .failure = failure, .coverages = json_array()};
    struct section_line line = {0};
    *json = NULL;
    int status = lay_line(&a, &line);
    if (!status) status = answer_groups(&a, &line);
    if (!status && a.lost) status = no_memory(&a);
    if (!status && !json_array_size(a.coverages)) status = failure_set(failure, VIRGA_NOT_FOUND, "nothing lies in this range of heights");
    section_line_destroy(&line);
    json_t *root = status ? NULL : covjson_collection(json_incref(a.coverages));
    json_decref(a.coverages);
    if (root) *json = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(COVJSON_DIGITS));
    json_decref(root);
    return status || *json ? status : no_memory(&a);
}
