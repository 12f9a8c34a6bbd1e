// SPDX-License-Identifier: Apache-2.0
#include "tile/plane_place.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int plane_work_levels(struct plane_work *work, struct failure *failure) {
    if (work->map) return VIRGA_OK;
    int status = field_level_coordinate(work->field, &work->coordinate, failure);
    if (!status) status = catalog_level_map(work->maker->catalog, work->field, &work->map, failure);
    if (!status && !work->map) status = failure_set(failure, VIRGA_INTERNAL, "a variable with levels has no level map");
    return status;
}

void plane_work_close(struct plane_work *work) {
    level_map_unref(work->map);
    work->map = NULL;
}

void plane_work_say(struct plane_work *work, const char *format, ...) {
    const size_t length = strlen(work->method);
    const char *separator = length ? "; " : "";
    va_list arguments;
    char text[PLANE_METHOD];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(work->method + length, sizeof work->method - length, "%s%s", separator, text);
}

struct column { double i, j; };

static struct column column_of(const struct plane_work *work, size_t c) {
    const struct plane_columns *p = &work->columns;
    return (struct column){plane_columns_at(p->scale, c % p->cx, p->nx), plane_columns_at(p->scale, c / p->cx, p->ny)};
}

double plane_work_ground(const struct plane_work *work, size_t c) {
    const struct column at = column_of(work, c);
    return work->map->ground ? (double)work->map->ground[(size_t)at.j * work->columns.nx + (size_t)at.i] : 0;
}

double plane_work_height(const struct plane_work *work, size_t c, double k) {
    const struct column at = column_of(work, c);
    return isnan(k) ? NAN : level_map_height(work->map, work->columns.wraps, at.i, at.j, k);
}

int plane_work_lowest(struct plane_work *work, float **lowest, struct failure *failure) {
    const enum level_quantity q = work->coordinate.quantity;
    *lowest = NULL;
    if ((q != LEVELS_PRESSURE && q != LEVELS_ALTITUDE) || !work->map->ground) return VIRGA_OK;
    if (!(*lowest = malloc(work->columns.count * sizeof **lowest))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t c = 0; c < work->columns.count; c++) {
        const struct column at = column_of(work, c);
        double k = NAN;  // the ground is above all levels
        if (level_map_locate(work->map, work->columns.wraps, at.i, at.j, plane_work_ground(work, c), &k)) k = ceil(k - 1e-4);
        (*lowest)[c] = (float)k;
    }
    return VIRGA_OK;
}

// --- Surfaces of the coordinate's own kind.

// Where a value lies among rising numbers, or falling ones; NaN outside.
static double place_among(const double *numbers, size_t n, double value) {
    for (size_t k = 0; k + 1 < n; k++) {
        const double a = numbers[k], b = numbers[k + 1];
        if (!((value - a) * (value - b) <= 0) || a == b) continue;
        return (double)k + (value - a) / (b - a);
    }
    return n == 1 && value == numbers[0] ? 0 : NAN;
}

static double place_by_pressure(const double *pressures, size_t n, double pressure) {
    double *logs = malloc(n * sizeof *logs), k = NAN;
    for (size_t l = 0; logs && l < n; l++) logs[l] = log(pressures[l]);
    if (logs) k = place_among(logs, n, log(pressure));
    free(logs);
    return k;
}

// True: *k is that of all columns.
static bool own_coordinate(const struct plane_work *work, double *k) {
    const struct level_coordinate *c = &work->coordinate;
    const double pressure = surface_pressure(work->surface), value = work->surface->value;
    if (c->quantity == LEVELS_PRESSURE && !isnan(pressure)) *k = place_by_pressure(c->a, c->count, pressure);
    else if (c->quantity == LEVELS_ALTITUDE && work->surface->kind == SURFACE_HEIGHT) *k = place_among(c->a, c->count, value);
    else if (c->quantity == LEVELS_ABOVE_GROUND && work->surface->kind == SURFACE_ABOVE_GROUND) *k = value < c->a[0] ? 0 : place_among(c->a, c->count, value);
    else return false;
    return true;
}

// --- Heights.

static int by_heights(struct plane_work *work, struct plane_place *place, struct failure *failure) {
    const bool above_ground = work->surface->kind == SURFACE_ABOVE_GROUND;
    for (size_t c = 0; c < work->columns.count; c++) {
        const struct column at = column_of(work, c);
        const double height = work->surface->value + (above_ground ? plane_work_ground(work, c) : 0);
        double k = NAN;
        if (!level_map_locate(work->map, work->columns.wraps, at.i, at.j, height, &k)) k = NAN;
        place->at[c] = (float)k;
        if (c % work->columns.cx == 0 && plane_stopped(work->field, failure)) return VIRGA_CANCELLED;
    }
    plane_work_say(work, "heights: %.120s%s", work->map->method, work->map->datum == DATUM_GROUND ? ", above a ground whose height no file tells" : "");
    return VIRGA_OK;
}

// --- All.

static int level_number(const struct plane_work *work, struct plane_place *place, struct failure *failure) {
    const struct catalog_variable *v = &work->field->dataset->variables[work->field->variable];
    const bool own = work->surface->kind == SURFACE_OWN;
    *place = (struct plane_place){.uniform = true, .k = own ? 0 : work->surface->value};
    if (!own && !v->vertical) return failure_set(failure, VIRGA_INVALID, "%s has no levels: leave \"level\" out", v->id);
    if (place->k < (double)v->nz) return VIRGA_OK;
    return failure_set(failure, VIRGA_INVALID, "%s has model levels k0 to k%zu, and no k%.0f", v->id, v->nz - 1, place->k);
}

static int find_in_columns(struct plane_work *work, struct plane_place *place, struct failure *failure) {
    switch (work->surface->kind) {
        case SURFACE_HEIGHT:
        case SURFACE_ABOVE_GROUND: return by_heights(work, place, failure);
        case SURFACE_PRESSURE:
        case SURFACE_FLIGHT_LEVEL: return plane_crossing_pressure(work, surface_pressure(work->surface), place->at, failure);
        case SURFACE_THETA: return plane_crossing_theta(work, work->surface->value, place->at, failure);
        default: return failure_set(failure, VIRGA_INTERNAL, "no surface");
    }
}

int plane_place_find(struct plane_work *work, struct plane_place *place, struct failure *failure) {
    const struct catalog_variable *v = &work->field->dataset->variables[work->field->variable];
    *place = (struct plane_place){0};
    if (work->surface->kind <= SURFACE_LEVEL) return level_number(work, place, failure);
    if (!v->vertical) return failure_set(failure, VIRGA_INVALID, "%s has no levels: leave \"level\" out", v->id);
    int status = plane_work_levels(work, failure);
    if (status) return status;
    if ((place->uniform = own_coordinate(work, &place->k))) return VIRGA_OK;
    if (!(place->at = memory_new_aligned(64, work->columns.count, sizeof *place->at))) return failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    if ((status = find_in_columns(work, place, failure))) {
        free(place->at);
        place->at = NULL;
    }
    return status;
}
