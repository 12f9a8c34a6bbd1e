// SPDX-License-Identifier: Apache-2.0
// Heights of a field's levels, from whatever its files tell, and the level maps made from them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "field/level_inputs.h"
#include "field/standard_atmosphere.h"

enum { STRIP_NUMBERS = 4 << 20 };

// Derived fields stand where their inputs stand.
static struct field_ref underlying(const struct field_ref *field) { return field_underlying(field); }

static int inputs_of(const struct field_ref *field, struct level_inputs *in, struct failure *failure) {
    struct field_ref at = underlying(field);
    if (!field_step_of(&at) || !field->dataset->variables[field->variable].vertical) return failure_set(failure, VIRGA_NOT_FOUND, "the field has no levels");
    return level_inputs_of(&at, in, failure);
}

bool field_heights_vary(const struct field_ref *field) {
    struct level_inputs in;
    return inputs_of(field, &in, NULL) == VIRGA_OK && level_inputs_vary(&in);
}

void field_geometry_id(const struct field_ref *field, char id[33]) {
    struct field_ref at = underlying(field);
    struct level_inputs in;
    id[0] = 0;
    if (!field->dataset->variables[field->variable].vertical || !field_step_of(&at)) return;
    struct level_map *map = at.dataset->variables[at.variable].from->runs[at.run].map;
    if (map) snprintf(id, 33, "%s", map->id);
    else if (inputs_of(&at, &in, NULL) == VIRGA_OK && level_inputs_vary(&in)) level_inputs_id(&in, id);
}

// --- exact heights ------------------------------------------------------------------------------------------------------

static double *copy_doubles(const double *from, size_t n) {
    double *to = malloc(n * sizeof *to);
    return to ? memcpy(to, from, n * sizeof *to) : NULL;
}

// Heights that follow from numbers and the ground.
static int take_numbers(const struct level_inputs *in, struct level_heights *h, struct failure *failure) {
    const struct cf_vertical *v = in->vertical;
    size_t n = v->level_count;
    if (!(h->a = copy_doubles(v->a, n))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t k = 0; v->kind == VERTICAL_PRESSURE && k < n; k++) h->a[k] = standard_atmosphere_height(h->a[k]);
    bool follows = v->kind == VERTICAL_HYBRID_HEIGHT || (v->kind == VERTICAL_HEIGHT && h->surface);
    if (follows && !(h->b = v->b ? copy_doubles(v->b, n) : malloc(n * sizeof *h->b))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t k = 0; follows && !v->b && k < n; k++) h->b[k] = 1;
    return VIRGA_OK;
}

// Two levels between which columns look alike: where they hang on the ground the lowest, else about 1.2 km; and about 16 km.
static void choose_levels(const struct level_inputs *in, size_t *low, size_t *high) {
    const struct cf_vertical *v = in->vertical;
    size_t n = v->level_count;
    *low = 0;
    *high = n - 1;
    if (v->kind != VERTICAL_PRESSURE && v->kind != VERTICAL_HYBRID_PRESSURE) return;
    double best_low = INFINITY, best_high = INFINITY;
    for (size_t k = 0; k < n; k++) {
        double height = standard_atmosphere_height(v->a[k] + (v->b ? v->b[k] * 101325 : 0));
        if (!v->b && k + 1 < n && fabs(height - 1200) < best_low) best_low = fabs(height - 1200), *low = k;
        if (k > *low && fabs(height - 16000) < best_high) best_high = fabs(height - 16000), *high = k;
    }
}

static int take_plane(void *user, size_t level, const struct column_box *box, const double *plane) {
    level_heights_add(user, level, box->y0, box->ny, plane);
    return VIRGA_OK;
}

// The input that is read level by level.
static const struct level_input *main_input(const struct level_inputs *in) {
    return in->way == WAY_HYDROSTATIC ? &in->temperature : in->way == WAY_GEOPOTENTIAL ? &in->heights : in->fields[0].file ? &in->fields[0] : NULL;
}

// Rows at a time: all, but where stored chunks hold more levels than can be held at once.
static size_t strip_rows(const struct level_inputs *in, size_t nx, size_t ny) {
    const struct level_input *input = main_input(in);
    if (!input || nx * ny <= STRIP_NUMBERS / input->variable->level_count || input->variable->z < 0) return ny;
    const struct source_variable *stored = cf_file_variable(input->file, input->variable->index);
    if (!stored->chunked || stored->chunk[input->variable->z] <= STRIP_NUMBERS / (nx * ny)) return ny;
    size_t rows = STRIP_NUMBERS / input->variable->level_count / nx;
    return rows < 1 ? 1 : rows;
}

static int take_field(const struct level_inputs *in, struct level_heights *h, struct failure *failure) {
    size_t low, high, rows = strip_rows(in, h->nx, h->ny);
    choose_levels(in, &low, &high);
    int status = level_heights_begin(h, low, high) ? failure_set(failure, VIRGA_NO_MEMORY, "out of memory") : VIRGA_OK;
    for (size_t y0 = 0; !status && y0 < h->ny; y0 += rows) {
        struct column_box box = {0, y0, h->nx, h->ny - y0 < rows ? h->ny - y0 : rows};
        status = level_inputs_read(in, &box, take_plane, h, failure);
    }
    return status;
}

static int take_ground(const struct level_inputs *in, struct level_heights *h, struct failure *failure) {
    size_t columns = h->nx * h->ny;
    struct column_box box = {0, 0, h->nx, h->ny};
    bool known = false;
    double *plane = memory_new_aligned(64, columns, sizeof *plane);
    int status = plane ? level_inputs_ground(in, &box, plane, &known, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (!status && known && !(h->surface = h->ground = malloc(columns * sizeof *h->ground))) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t c = 0; !status && known && c < columns; c++) h->ground[c] = (float)plane[c];
    free(plane);
    return status;
}

// Whether heights are metres above a ground that nobody knows.
static bool above_unknown_ground(const struct level_inputs *in, bool ground) {
    const struct cf_vertical *v = in->vertical;
    return !ground && (v->kind == VERTICAL_HEIGHT || v->kind == VERTICAL_HYBRID_HEIGHT || (v->kind == VERTICAL_FIELD && !v->field.pressure && v->field.above_ground));
}

static int fill_heights(const struct level_inputs *in, struct level_heights *h, struct failure *failure) {
    h->nx = in->dataset->grid->x.n, h->ny = in->dataset->grid->y.n, h->level_count = in->vertical->level_count;
    h->coordinate = in->vertical->name;
    level_inputs_method(in, h->method);
    int status = take_ground(in, h, failure);
    if (status) return status;
    h->datum = above_unknown_ground(in, h->ground != NULL) ? DATUM_GROUND : DATUM_SEA;
    return in->way == WAY_NUMBERS ? take_numbers(in, h, failure) : take_field(in, h, failure);
}

static int heights_by(struct level_inputs *in, struct level_heights **result, struct failure *failure) {
    *result = NULL;
    for (;;) {
        struct level_heights *h = calloc(1, sizeof *h);
        if (!h) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
        int status = fill_heights(in, h, failure);
        if (status || !h->falls || !level_inputs_next_best(in)) {
            if (status) level_heights_free(h);
            else *result = h;
            return status;
        }
        level_heights_free(h);
    }
}

struct column_sink { double *heights; size_t count; bool falls; };

static int take_column(void *user, size_t level, const struct column_box *box, const double *plane) {
    struct column_sink *sink = user;
    (void)box;
    sink->heights[level] = plane[0];
    sink->falls |= !isfinite(plane[0]) || (level > 0 && !(plane[0] > sink->heights[level - 1]));
    return VIRGA_OK;
}

int field_column_heights(const struct field_ref *field, size_t i, size_t j, double *heights, double *ground, struct failure *failure) {
    struct level_inputs in;
    struct column_box box = {i, j, 1, 1};
    struct column_sink sink = {heights, 0, false};
    bool known;
    int status = inputs_of(field, &in, failure);
    do {
        sink.falls = false;
        if (!status) status = level_inputs_read(&in, &box, take_column, &sink, failure);
    } while (!status && sink.falls && level_inputs_next_best(&in));
    return status ? status : level_inputs_ground(&in, &box, ground, &known, failure);
}

// --- maps --------------------------------------------------------------------------------------------------------------

static struct level_map *cached_map(struct dataset_shared *shared, const char *id) {
    struct level_map *map = NULL;
    pthread_mutex_lock(&shared->lock);
    for (size_t n = 0; n < CACHED_MAPS; n++)
        if (shared->cached[n].map && strcmp(shared->cached[n].id, id) == 0) {
            map = level_map_ref(shared->cached[n].map);
            shared->cached[n].used = ++shared->clock;
        }
    pthread_mutex_unlock(&shared->lock);
    return map;
}

static void cache_map(struct dataset_shared *shared, const char *id, struct level_map *map) {
    pthread_mutex_lock(&shared->lock);
    size_t oldest = 0;
    for (size_t n = 1; n < CACHED_MAPS; n++)
        if (shared->cached[n].used < shared->cached[oldest].used) oldest = n;
    level_map_unref(shared->cached[oldest].map);
    shared->cached[oldest].map = level_map_ref(map);
    shared->cached[oldest].used = ++shared->clock;
    snprintf(shared->cached[oldest].id, sizeof shared->cached[oldest].id, "%s", id);
    pthread_mutex_unlock(&shared->lock);
}

void catalog_take_maps(struct dataset_shared *shared, const struct catalog_dataset *from) {
    struct dataset_shared *other = from->variable_count > 0 ? from->variables[0].from->shared : NULL;
    if (!other) return;
    pthread_mutex_lock(&other->lock);
    for (size_t n = 0; n < CACHED_MAPS; n++) {
        shared->cached[n] = other->cached[n];
        level_map_ref(shared->cached[n].map);
    }
    shared->clock = other->clock;
    pthread_mutex_unlock(&other->lock);
}

// Of the previous catalog, which shows it as the first step's.
static struct level_map *shown_before(const struct dataset_shared *shared, const char *id) {
    for (size_t v = 0; shared->before && v < shared->before->variable_count; v++) {
        struct level_map *map = shared->before->variables[v].level_map;
        if (map && strcmp(map->id, id) == 0) return level_map_ref(map);
    }
    return NULL;
}

int catalog_level_map(const struct catalog *catalog, const struct field_ref *field, struct level_map **map, struct failure *failure) {
    (void)catalog;
    struct field_ref at = underlying(field);
    const struct catalog_dataset *d = field->dataset;
    char id[33];
    *map = NULL;
    if (!field_step_of(field)) return failure_set(failure, VIRGA_NOT_FOUND, "no such field");
    if (!d->variables[field->variable].vertical) return VIRGA_OK;
    const struct variable_source *from = d->variables[at.variable].from;
    if (from->runs[at.run].map) {
        *map = level_map_ref(from->runs[at.run].map);
        return VIRGA_OK;
    }
    struct level_heights *heights;
    struct level_inputs in;
    int status = inputs_of(&at, &in, failure);
    if (status) return status;
    bool varies = level_inputs_vary(&in);
    if (varies) {
        level_inputs_id(&in, id);
        if ((*map = cached_map(from->shared, id)) || (*map = shown_before(from->shared, id))) return VIRGA_OK;
    }
    if ((status = heights_by(&in, &heights, failure))) return status;
    status = level_map_build(heights, d->grid->wraps, varies ? id : NULL, map, failure);
    level_heights_free(heights);
    if (!status && varies) cache_map(from->shared, id, *map);
    return status;
}

// A map that another variable or run has already, made from the same pieces.
static struct level_map *find_equal(const struct catalog_dataset *d, const char *inputs, size_t before) {
    for (size_t v = 0; v < d->variable_count && v <= before; v++) {
        const struct variable_source *from = d->variables[v].from;
        for (size_t r = 0; !from->derived && r < d->run_count; r++)
            if (from->runs[r].map && strcmp(from->runs[r].map_inputs, inputs) == 0) return from->runs[r].map;
    }
    return NULL;
}

static bool same_planes(const float *a, const float *b, size_t columns) {
    return a == b || (a && b && memcmp(a, b, columns * sizeof *a) == 0);
}

// A map made from the same levels over a ground of the same heights: most runs bring the same orography along.
static struct level_map *find_same_contents(struct catalog_dataset *d, const struct cf_vertical *vertical, const struct level_heights *h, size_t before) {
    if (h->field) return NULL;
    for (size_t v = 0; v <= before; v++) {
        const struct variable_source *from = d->variables[v].from;
        for (size_t r = 0; !from->derived && r < d->run_count; r++) {
            struct level_map *map = from->runs[r].map;
            if (!map || from->runs[r].step_count == 0 || map->kind == LEVEL_MAP_COARSE) continue;
            const struct field_step *step = &from->runs[r].steps[0];
            if (step->file->verticals[step->variable->vertical].key == vertical->key && map->datum == h->datum && strcmp(map->method, h->method) == 0 &&
                same_planes(map->ground, h->ground, h->nx * h->ny))
                return map;
        }
    }
    return NULL;
}

// The one map of all steps of a run.
static int make_static_map(struct catalog_dataset *d, const struct field_ref *field, struct level_map **map, struct failure *failure) {
    struct level_inputs in;
    struct level_heights *heights;
    int status = level_inputs_of(field, &in, failure);
    if (status) return status;
    char *inputs = d->variables[field->variable].from->runs[field->run].map_inputs;
    level_inputs_id(&in, inputs);
    const struct catalog_dataset *previous = d->variables[field->variable].from->shared->before;
    struct level_map *same = find_equal(d, inputs, field->variable);
    if (!same && previous) same = find_equal(previous, inputs, SIZE_MAX);
    if (same) {
        *map = level_map_ref(same);
        return VIRGA_OK;
    }
    if ((status = heights_by(&in, &heights, failure))) return status;
    if ((same = find_same_contents(d, in.vertical, heights, field->variable))) *map = level_map_ref(same);
    else status = level_map_build(heights, d->grid->wraps, NULL, map, failure);
    level_heights_free(heights);
    return status;
}

int catalog_make_maps(struct catalog_dataset *d, size_t variable, struct failure *failure) {
    struct variable_source *from = d->variables[variable].from;
    bool latest = true;
    for (size_t back = 1; back <= d->run_count; back++) {
        size_t r = d->run_count - back;
        struct field_ref field = {.dataset = d, .variable = variable, .run = r};
        if (!field_step_of(&field)) continue;
        struct level_map *map = NULL;
        int status = VIRGA_OK;
        bool varies = field_heights_vary(&field);
        if (!varies) status = make_static_map(d, &field, &map, latest ? failure : NULL);
        else if (latest) status = catalog_level_map(NULL, &field, &map, failure);
        if (status && latest) return status;
        if (latest) d->variables[variable].level_map = level_map_ref(map);
        latest = false;
        if (!varies) from->runs[r].map = level_map_ref(map);
        level_map_unref(map);
    }
    return VIRGA_OK;
}
