// SPDX-License-Identifier: Apache-2.0
#include "tile/plane_make.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tile/plane_place.h"

static const struct catalog_variable *variable_of(const struct field_ref *field) { return &field->dataset->variables[field->variable]; }

static int check_field(const struct field_ref *field, struct failure *failure) {
    const struct catalog_dataset *d = field->dataset;
    const bool variable = d && field->variable < d->variable_count && field->run < d->run_count;
    const struct catalog_series *series = variable ? &d->runs[field->run].series[field->variable] : NULL;
    if (series && series->present && field->step < series->time_count && field->member < variable_of(field)->member_count) return VIRGA_OK;
    return failure_set(failure, VIRGA_NOT_FOUND, "no such variable, run, time or member");
}

static bool of_columns(const struct surface *surface) { return surface->kind >= SURFACE_MAXIMUM; }

static bool in_degrees(const struct catalog_variable *v) {
    return (strstr(v->standard_name, "from_direction") || strstr(v->standard_name, "to_direction")) && strncmp(v->units, "degree", 6) == 0;
}

// --- Values at fractional levels.

static void level_range(const struct plane_place *place, size_t count, double *low, double *high) {
    *low = INFINITY, *high = -INFINITY;
    if (place->uniform) *low = *high = place->k;  // NaN: the surface is nowhere
    for (size_t c = 0; !place->uniform && c < count; c++) {
        const double k = (double)place->at[c];
        *low = k < *low ? k : *low;
        *high = k > *high ? k : *high;
    }
}

// Between two levels; the nearer one alone where the other is missing.
static float mix(float below, float above, float share) {
    if (isnan(above) || share == 0) return share <= 0.5F ? below : above;
    if (isnan(below)) return share >= 0.5F ? above : below;
    return below + (above - below) * share;
}

// Columns whose place is in the interval from the level under `k` up to it.
static void take_interval(const struct plane_place *place, size_t count, size_t k, const float *below, const float *above, float *values) {
    for (size_t c = 0; c < count; c++) {
        const float at = place->uniform ? (float)place->k : place->at[c];
        const float share = at - (float)(k - 1);
        if (share > 0 && share <= 1) values[c] = mix(below[c], above[c], share);
    }
}

static void take_level(const struct plane_place *place, size_t count, size_t k, const float *level, float *values) {
    for (size_t c = 0; c < count; c++)
        if ((place->uniform ? (float)place->k : place->at[c]) == (float)k) values[c] = level[c];
}

static int take_values(struct plane_work *work, const struct plane_place *place, float *values, struct failure *failure) {
    const size_t count = work->columns.count, nz = variable_of(work->field)->nz;
    double low, high;
    level_range(place, count, &low, &high);
    for (size_t c = 0; c < count; c++) values[c] = NAN;
    if (!(low <= high)) return VIRGA_OK;
    const size_t first = (size_t)floor(low), last = (size_t)ceil(high), wanted = last - first + 1;
    struct plane_reader reader;
    int status = plane_reader_open(&reader, work->maker, &work->columns, work->field, false, last, nz > 2 && 2 * wanted > nz, failure);
    if (status) return status;
    if (wanted == 1 && place->uniform) {
        status = plane_reader_level(&reader, first, values, failure);
        goto done;
    }
    float *below = memory_new_aligned(64, count, sizeof *below), *above = memory_new_aligned(64, count, sizeof *above);
    if (!below || !above) status = failure_set(failure, VIRGA_NO_MEMORY, "out of memory for a surface of %zu columns", count);
    for (size_t k = first; !status && k <= last; k++) {
        if ((status = plane_reader_level(&reader, k, above, failure))) break;
        if (k == first) take_level(place, count, k, above, values);
        else take_interval(place, count, k, below, above, values);
        float *const passed = below;
        below = above, above = passed;
    }
    free(below);
    free(above);
done:
    plane_reader_close(&reader);
    return status;
}

// --- The plane.

static int work_begin(struct plane_work *work, const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface,
                      float **values, struct failure *failure) {
    *values = NULL;
    *work = (struct plane_work){.maker = maker, .field = field, .surface = surface};
    const int status = check_field(field, failure);
    if (status) return status;
    plane_columns_init(&work->columns, field->dataset, maker->most_columns ? maker->most_columns : PLANE_MOST_COLUMNS);
    if (work->columns.scale > 1) plane_work_say(work, "means of %u × %u columns", work->columns.scale, work->columns.scale);
    *values = memory_new_large(work->columns.count, sizeof **values);
    return *values ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory for a surface of %zu columns", work->columns.count);
}

static int work_end(struct plane_work *work, int status, float *values, bool degrees, struct plane **plane, struct failure *failure) {
    const struct plane_columns *c = &work->columns;
    *plane = NULL;
    if (status) free(values);
    else status = plane_new(&(struct plane_content){c->nx, c->ny, c->scale, c->wraps, degrees, values, work->method}, plane, failure);
    plane_work_close(work);
    return status;
}

int plane_make(const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface, struct plane **plane,
               struct failure *failure) {
    struct plane_work work;
    struct plane_place place = {0};
    float *values;
    int status = work_begin(&work, maker, field, surface, &values, failure);
    if (!status && of_columns(surface)) status = plane_column_values(&work, values, failure);
    else if (!status && !(status = plane_place_find(&work, &place, failure))) status = take_values(&work, &place, values, failure);
    free(place.at);
    return work_end(&work, status, values, !status && !surface_gives_heights(surface) && in_degrees(variable_of(field)), plane, failure);
}

// --- Heights.

static int ground_heights(struct plane_work *work, float *values, struct failure *failure) {
    const struct plane_columns *c = &work->columns;
    float *ground = NULL;
    const int status = catalog_terrain(work->field->dataset, &ground, failure);
    for (size_t n = 0; !status && n < c->count; n++) {
        const size_t i = (size_t)plane_columns_at(c->scale, n % c->cx, c->nx), j = (size_t)plane_columns_at(c->scale, n / c->cx, c->ny);
        values[n] = ground ? ground[j * c->nx + i] : 0;
    }
    free(ground);
    return status;
}

static int surface_heights(struct plane_work *work, float *values, struct failure *failure) {
    struct plane_place place;
    const enum surface_kind kind = work->surface->kind;
    int status = plane_work_levels(work, failure);
    const bool known = kind == SURFACE_HEIGHT || kind == SURFACE_ABOVE_GROUND;
    for (size_t c = 0; !status && known && c < work->columns.count; c++)
        values[c] = (float)(work->surface->value + (kind == SURFACE_ABOVE_GROUND ? plane_work_ground(work, c) : 0));
    if (status || known) return status;
    status = plane_place_find(work, &place, failure);
    for (size_t c = 0; !status && c < work->columns.count; c++)
        values[c] = (float)plane_work_height(work, c, place.uniform ? place.k : (double)place.at[c]);
    free(place.at);
    return status;
}

int plane_make_height(const struct plane_maker *maker, const struct field_ref *field, const struct surface *surface, struct plane **plane,
                      struct failure *failure) {
    struct plane_work work;
    float *values;
    int status = work_begin(&work, maker, field, surface, &values, failure);
    if (status) return work_end(&work, status, values, false, plane, failure);
    const bool levels = variable_of(field)->vertical;
    if (surface_gives_heights(surface)) status = plane_column_values(&work, values, failure);
    else if (!levels || of_columns(surface)) status = ground_heights(&work, values, failure);
    else status = surface_heights(&work, values, failure);
    return work_end(&work, status, values, false, plane, failure);
}

// --- What there is.

bool plane_offers(const struct field_ref *field, enum surface_kind kind) {
    struct level_coordinate coordinate;
    if (check_field(field, NULL) || kind >= SURFACE_KINDS) return false;
    const struct catalog_variable *v = variable_of(field);
    if (kind == SURFACE_OWN || !v->vertical) return kind == SURFACE_OWN;
    if (kind == SURFACE_LEVEL) return true;
    if (!v->level_map || field_level_coordinate(field, &coordinate, NULL)) return false;
    return kind != SURFACE_THETA || coordinate.theta.there || coordinate.temperature.there;
}
