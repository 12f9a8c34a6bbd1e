// SPDX-License-Identifier: Apache-2.0
// Heights of a field's levels, from whatever its files tell, and the level maps made from them.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"
#include "field/catalog_private.h"
#include "field/standard_atmosphere.h"

static const struct cf_vertical *vertical_of(const struct field_step *step) { return &step->file->verticals[step->variable->vertical]; }

// Derived fields stand where their inputs stand.
static struct field_ref underlying(const struct field_ref *field) { return field_underlying(field); }

static size_t columns_of(const struct catalog_dataset *d) { return d->grid->x.n * d->grid->y.n; }

// A two-dimensional piece as heights in metres, 0 where missing.
static float *read_plane(const struct cf_file *file, const struct cf_variable *v, size_t time, const struct catalog_dataset *d, double factor,
                         struct failure *failure) {
    struct field_box box = {0, 0, 0, d->grid->x.n, d->grid->y.n, 1};
    double *values = memory_new_aligned(64, columns_of(d), sizeof *values);
    float *plane = malloc(columns_of(d) * sizeof *plane);
    if (!values || !plane) failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    else if (piece_read(file, v, time, 0, &box, values, failure) == VIRGA_OK) {
        for (size_t c = 0; c < columns_of(d); c++) {
            double height = values[c] * factor;
            plane[c] = fabs(height) < 2e4 ? (float)height : 0;
        }
        free(values);
        return plane;
    }
    free(values);
    free(plane);
    return NULL;
}

static const struct field_step *terrain_step(const struct catalog_dataset *d, size_t run) {
    if (d->terrain < 0) return NULL;
    const struct variable_source *from = d->variables[d->terrain].from;
    for (size_t back = 0; back < d->run_count; back++) {
        size_t r = back == 0 ? run : d->run_count - back;
        if (r < d->run_count && from->runs[r].step_count > 0) return &from->runs[r].steps[0];
    }
    return NULL;
}

// The orography that a hybrid coordinate names, where it stands on the same grid.
static const struct cf_variable *named_orography(const struct field_step *step) {
    const struct cf_vertical *vertical = vertical_of(step);
    const struct cf_file *file = step->file;
    for (size_t n = 0; vertical->orography >= 0 && n < file->variable_count; n++) {
        const struct cf_variable *v = &file->variables[n];
        if (v->index == (size_t)vertical->orography && v->level_count == 1 && v->grid == step->variable->grid) return v;
    }
    return NULL;
}

// Steps, planes and factor that stand for the ground under a field; file NULL where nothing tells.
struct ground { const struct cf_file *file; const struct cf_variable *variable; size_t time; double factor; };

static struct ground ground_of(const struct field_ref *field, const struct field_step *step) {
    const struct cf_variable *named = vertical_of(step)->kind == VERTICAL_HYBRID_HEIGHT ? named_orography(step) : NULL;
    if (named) return (struct ground){step->file, named, 0, named->terrain_factor != 0 ? named->terrain_factor : 1};
    const struct field_step *terrain = terrain_step(field->dataset, field->run);
    if (!terrain) return (struct ground){0};
    return (struct ground){terrain->file, terrain->variable, terrain->time, terrain->variable->terrain_factor};
}

static bool same_pressure(double a, double b) { return fabs(a - b) <= 1e-5 * fabs(a); }

// The step of the dataset's height variable at the field's time. False where there is none.
static bool heights_field(const struct field_ref *field, struct field_ref *heights) {
    const struct catalog_dataset *d = field->dataset;
    int index = d->variables[field->variable].from->heights;
    if (index < 0) return false;
    const struct catalog_series *mine = &d->runs[field->run].series[field->variable], *theirs = &d->runs[field->run].series[index];
    for (size_t s = 0; theirs->present && s < theirs->time_count; s++)
        if (theirs->times[s].seconds == mine->times[field->step].seconds) {
            size_t member = d->variables[index].member_count == d->variables[field->variable].member_count ? field->member : 0;
            *heights = (struct field_ref){d, (size_t)index, member, field->run, s};
            heights->run = field->run;
            heights->member = member;
            return true;
        }
    return false;
}

bool field_heights_vary(const struct field_ref *field) {
    struct field_ref at = underlying(field), heights;
    const struct catalog_variable *v = &at.dataset->variables[at.variable];
    return v->vertical && field_step_of(&at) && heights_field(&at, &heights);
}

// Below the ground some models leave heights out: there the standard atmosphere's thicknesses go on.
static void fill_column(float *field, size_t columns, size_t c, const double *standard, size_t n) {
    size_t first = 0;
    while (first < n && !isfinite(field[first * columns + c])) first++;
    if (first == n) {
        for (size_t k = 0; k < n; k++) field[k * columns + c] = (float)standard[k];
        return;
    }
    for (size_t k = first; k > 0; k--) field[(k - 1) * columns + c] = (float)((double)field[k * columns + c] - standard[k] + standard[k - 1]);
    for (size_t k = first + 1; k < n; k++)
        if (!isfinite(field[k * columns + c])) field[k * columns + c] = (float)((double)field[(k - 1) * columns + c] + standard[k] - standard[k - 1]);
}

static int read_heights(const struct field_ref *from, const struct cf_vertical *vertical, struct level_heights *h, struct failure *failure) {
    const struct field_step *step = field_step_of(from);
    const struct cf_vertical *theirs = vertical_of(step);
    size_t columns = h->nx * h->ny, n = h->level_count, total;
    double factor = step->variable->height_factor;
    if (memory_multiply(columns, n, &total) || !(h->field = malloc(total * sizeof *h->field))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    double *plane = memory_new_aligned(64, columns, sizeof *plane);
    int status = plane ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t k = 0, at = 0; !status && k < n; k++) {
        while (at < theirs->level_count && !same_pressure(theirs->a[at], vertical->a[k])) at++;
        if (at == theirs->level_count) status = failure_set(failure, VIRGA_UNSUPPORTED, "its levels have no geopotential height");
        struct field_box box = {0, 0, at, h->nx, h->ny, 1};
        if (!status) status = field_read(from, &box, plane, failure);
        for (size_t c = 0; !status && c < columns; c++) h->field[k * columns + c] = (float)(plane[c] * factor);
    }
    free(plane);
    if (status) return status;
    bool rising = true;
    for (size_t c = 0; c < columns && rising; c++) {
        fill_column(h->field, columns, c, h->a, n);
        for (size_t k = 1; k < n && rising; k++) rising = h->field[k * columns + c] - h->field[(k - 1) * columns + c] > 0.01F;
        rising = rising && fabs((double)h->field[c]) < 2e5 && fabs((double)h->field[(n - 1) * columns + c]) < 2e5;
    }
    if (!rising) {  // heights that do not rise with the levels are of no use: the standard atmosphere serves
        free(h->field);
        h->field = NULL;
        h->method = "standard atmosphere";
    }
    return VIRGA_OK;
}

static double *copy_doubles(const double *from, size_t n) {
    double *to = malloc(n * sizeof *to);
    return to ? memcpy(to, from, n * sizeof *to) : NULL;
}

static int fill_heights(const struct field_ref *field, struct level_heights *h, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    const struct cf_vertical *vertical = vertical_of(step);
    struct ground ground = ground_of(field, step);
    struct field_ref heights;
    size_t n = vertical->level_count;
    h->nx = field->dataset->grid->x.n, h->ny = field->dataset->grid->y.n, h->level_count = n;
    if (!(h->a = copy_doubles(vertical->a, n))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if (ground.file && !(h->surface = h->ground = read_plane(ground.file, ground.variable, ground.time, field->dataset, ground.factor, failure))) return VIRGA_UNREADABLE;
    h->datum = DATUM_SEA;
    h->method = "coordinate";
    switch (vertical->kind) {
        case VERTICAL_ALTITUDE: h->coordinate = "altitude"; return VIRGA_OK;
        case VERTICAL_HEIGHT:
            h->coordinate = "height";
            if (!h->surface) return h->datum = DATUM_GROUND, VIRGA_OK;
            h->method = "height above the ground + orography";
            if (!(h->b = malloc(n * sizeof *h->b))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
            for (size_t k = 0; k < n; k++) h->b[k] = 1;
            return VIRGA_OK;
        case VERTICAL_HYBRID_HEIGHT:
            h->coordinate = "hybrid_height";
            h->method = h->surface ? "hybrid height" : "hybrid height without orography";
            if (!h->surface) h->datum = DATUM_GROUND;
            if (!(h->b = copy_doubles(vertical->b, n))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
            return VIRGA_OK;
        case VERTICAL_PRESSURE:
            h->coordinate = "pressure";
            h->method = "standard atmosphere";
            for (size_t k = 0; k < n; k++) h->a[k] = standard_atmosphere_height(h->a[k]);
            if (!heights_field(field, &heights)) return VIRGA_OK;
            h->method = "geopotential height";
            return read_heights(&heights, vertical, h, failure);
    }
    return failure_set(failure, VIRGA_INTERNAL, "an unknown vertical coordinate");
}

int field_heights(const struct field_ref *field, struct level_heights **result, struct failure *failure) {
    struct field_ref at = underlying(field);
    const struct field_step *step = field_step_of(&at);
    *result = NULL;
    if (!step || !field->dataset->variables[field->variable].vertical) return failure_set(failure, VIRGA_NOT_FOUND, "the field has no levels");
    struct level_heights *h = calloc(1, sizeof *h);
    if (!h) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    int status = fill_heights(&at, h, failure);
    if (status) level_heights_free(h);
    else *result = h;
    return status;
}

// --- ids of maps that vary ---------------------------------------------------------------------------------------------

static void hash_step(XXH3_state_t *state, const struct field_step *step) {
    const struct source_identity *id = source_identity(step->file->source);
    uint64_t numbers[] = {id->device, id->inode, id->size, (uint64_t)id->mtime_ns, step->variable->index, step->time};
    XXH3_128bits_update(state, numbers, sizeof numbers);
}

static void varying_id(const struct field_ref *at, char id[33]) {
    struct field_ref heights;
    const struct field_step *step = field_step_of(at), *terrain = terrain_step(at->dataset, at->run);
    const struct cf_vertical *vertical = vertical_of(step);
    XXH3_state_t *state = XXH3_createState();
    id[0] = 0;
    if (!state) return;
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, "varying level map 2", 19);
    if (heights_field(at, &heights)) {
        uint64_t member = heights.member;
        hash_step(state, field_step_of(&heights));
        XXH3_128bits_update(state, &member, sizeof member);
    }
    if (terrain) hash_step(state, terrain);
    XXH3_128bits_update(state, vertical->a, vertical->level_count * sizeof *vertical->a);
    XXH3_128bits_update(state, &at->dataset->variables[0].from->shared->grid_hash, sizeof(uint64_t));
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    snprintf(id, 33, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

void field_geometry_id(const struct field_ref *field, char id[33]) {
    struct field_ref at = underlying(field);
    id[0] = 0;
    if (!field->dataset->variables[field->variable].vertical || !field_step_of(&at)) return;
    struct level_map *map = at.dataset->variables[at.variable].from->runs[at.run].map;
    if (map) snprintf(id, 33, "%s", map->id);
    else if (field_heights_vary(field)) varying_id(&at, id);
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
    bool varies = field_heights_vary(&at);
    if (varies) {
        varying_id(&at, id);
        if ((*map = cached_map(from->shared, id))) return VIRGA_OK;
    }
    int status = field_heights(&at, &heights, failure);
    if (status) return status;
    status = level_map_build(heights, d->grid->wraps, varies ? id : NULL, map, failure);
    level_heights_free(heights);
    if (!status && varies) cache_map(from->shared, id, *map);
    return status;
}

// A map that another variable or run has already, made from the same numbers.
static struct level_map *find_equal(struct catalog_dataset *d, const struct cf_vertical *vertical, const struct ground *ground, size_t before) {
    for (size_t v = 0; v <= before; v++) {
        const struct variable_source *from = d->variables[v].from;
        for (size_t r = 0; !from->derived && r < d->run_count; r++) {
            if (!from->runs[r].map || from->runs[r].step_count == 0) continue;
            const struct field_step *step = &from->runs[r].steps[0];
            struct field_ref other = {.dataset = d, .variable = v, .run = r};
            struct ground theirs = ground_of(&other, step);
            if (vertical_of(step)->key == vertical->key && theirs.file == ground->file && theirs.variable == ground->variable && theirs.time == ground->time)
                return from->runs[r].map;
        }
    }
    return NULL;
}

static bool same_planes(const float *a, const float *b, size_t columns) {
    return a == b || (a && b && memcmp(a, b, columns * sizeof *a) == 0);
}

// A map made from the same levels over a ground of the same heights: most runs bring the same orography along.
static struct level_map *find_same_contents(struct catalog_dataset *d, const struct cf_vertical *vertical, const struct level_heights *h, size_t before) {
    for (size_t v = 0; v <= before; v++) {
        const struct variable_source *from = d->variables[v].from;
        for (size_t r = 0; !from->derived && r < d->run_count; r++) {
            struct level_map *map = from->runs[r].map;
            if (map && vertical_of(&from->runs[r].steps[0])->key == vertical->key && map->datum == h->datum && map->method == h->method &&
                same_planes(map->ground, h->ground, h->nx * h->ny))
                return map;
        }
    }
    return NULL;
}

// The one map of all steps of a run.
static int make_static_map(struct catalog_dataset *d, const struct field_ref *field, struct level_map **map, struct failure *failure) {
    const struct field_step *step = field_step_of(field);
    struct ground ground = ground_of(field, step);
    struct level_heights *heights;
    struct level_map *same = find_equal(d, vertical_of(step), &ground, field->variable);
    if (same) {
        *map = level_map_ref(same);
        return VIRGA_OK;
    }
    int status = field_heights(field, &heights, failure);
    if (status) return status;
    if ((same = find_same_contents(d, vertical_of(step), heights, field->variable))) *map = level_map_ref(same);
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
