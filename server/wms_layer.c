// SPDX-License-Identifier: Apache-2.0
#include "server/wms_layer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field/level_coordinate.h"
#include "field/standard_atmosphere.h"

static const struct catalog_variable *variable_of(const struct wms_layer *layer) { return &layer->dataset->variables[layer->variable]; }

// Names.

static int unknown(struct wms_exception *exception, const char *name) {
    return wms_exception_set(exception, VIRGA_NOT_FOUND, "LayerNotDefined", "LAYERS", "there is no layer \"%.200s\"; GetCapabilities lists those that there are", name);
}

// The part up to the next slash; false where it is too long or there is none.
static bool next_part(const char **rest, char part[WMS_NAME]) {
    if (!*rest) return false;
    size_t size = strcspn(*rest, "/");
    if (!size || size >= WMS_NAME) return false;
    memcpy(part, *rest, size);
    part[size] = '\0';
    *rest = (*rest)[size] ? *rest + size + 1 : NULL;
    return true;
}

int wms_layer_find(const struct catalog *catalog, const char *dataset, const char *name, struct wms_layer *layer, struct wms_exception *exception) {
    char part[WMS_NAME];
    const char *rest = name;
    *layer = (struct wms_layer){.kind = SURFACE_OWN};
    if (!next_part(&rest, part) || (dataset && strcmp(dataset, part) != 0)) return unknown(exception, name);
    layer->dataset = catalog_find_dataset(catalog, part);
    if (!layer->dataset || !next_part(&rest, part)) return unknown(exception, name);
    int variable = catalog_find_variable(layer->dataset, part);
    if (variable < 0 || layer->dataset->variables[variable].hidden) return unknown(exception, name);
    layer->variable = (size_t)variable;
    if (!rest) return VIRGA_OK;
    int kind = next_part(&rest, part) && !rest ? surface_kind_named(part) : -1;
    if (kind <= SURFACE_OWN || !variable_of(layer)->vertical) return unknown(exception, name);
    layer->kind = (enum surface_kind)kind;
    return VIRGA_OK;
}

void wms_layer_name(const struct wms_layer *layer, char name[WMS_NAME]) {
    const char *kind = surface_kind_name(layer->kind);
    snprintf(name, WMS_NAME, "%s/%s%s%s", layer->dataset->id, variable_of(layer)->id, *kind ? "/" : "", kind);
}

// Levels.

// Of any run that has the variable, the latest first: levels are the same in all.
static int own_levels(const struct catalog_dataset *dataset, size_t variable, struct level_coordinate *coordinate) {
    for (size_t back = 0; back <= dataset->run_count; back++) {
        size_t run = back ? dataset->run_count - back : (size_t)(dataset->latest < 0 ? 0 : dataset->latest);
        const struct field_ref field = {.dataset = dataset, .variable = variable, .run = run};
        if (run < dataset->run_count && dataset->runs[run].series[variable].present && field_level_coordinate(&field, coordinate, NULL) == VIRGA_OK) return VIRGA_OK;
    }
    return VIRGA_NOT_FOUND;
}

// A kind whose numbers the variable's own levels are; SURFACE_LEVEL where they are only counted.
static enum surface_kind own_kind(const struct level_coordinate *coordinate) {
    switch (coordinate->quantity) {
        case LEVELS_PRESSURE: return SURFACE_PRESSURE;
        case LEVELS_ALTITUDE: return SURFACE_HEIGHT;
        case LEVELS_ABOVE_GROUND: return SURFACE_ABOVE_GROUND;
        default: return SURFACE_LEVEL;
    }
}

bool wms_layer_kind_at(const struct catalog_dataset *dataset, size_t variable, size_t index, enum surface_kind *kind) {
    const struct catalog_variable *v = &dataset->variables[variable];
    const struct surface top = {.kind = SURFACE_TOP, .value = NAN};
    bool counted = !isnan(surface_threshold(&top, v->units, v->standard_name));  // there is or is not some of it, as of a cloud
    struct level_coordinate coordinate;
    if (!v->vertical) return false;
    for (*kind = SURFACE_LEVEL; *kind < SURFACE_KINDS; (*kind)++) {
        if ((*kind == SURFACE_SUM || *kind == SURFACE_TOP || *kind == SURFACE_BASE) && !counted) continue;
        if (*kind == SURFACE_LEVEL && (own_levels(dataset, variable, &coordinate) || own_kind(&coordinate) == SURFACE_LEVEL)) continue;
        if (!index--) return true;
    }
    return false;
}

// What is offered of kinds that any number may be asked of.
static const double pressures[] = {1000, 925, 850, 700, 600, 500, 400, 300, 250, 200, 150, 100, 70, 50, 30, 20, 10, 5, 2, 1};
static const double heights[] = {100, 200, 300, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 12000, 14000, 16000, 18000, 20000, 25000, 30000, 40000, 50000};
static const double depths[] = {10, 50, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 4000, 5000};
static const double flight_levels[] = {10, 20, 30, 50, 70, 100, 120, 140, 160, 180, 200, 220, 240, 260, 280, 300, 320, 340, 360, 390, 410, 450, 500};
static const double thetas[] = {270, 280, 290, 300, 310, 315, 320, 325, 330, 335, 340, 350, 360, 370, 380, 400, 420, 450, 500, 550, 600, 700, 850};

struct offer {
    const double *values;
    size_t count;
    double usual;
};
#define OFFER(list, usual) {list, sizeof(list) / sizeof *(list), usual}
static const struct offer offers[SURFACE_KINDS] = {
    [SURFACE_HEIGHT] = OFFER(heights, 1000), [SURFACE_ABOVE_GROUND] = OFFER(depths, 100), [SURFACE_PRESSURE] = OFFER(pressures, 850),
    [SURFACE_FLIGHT_LEVEL] = OFFER(flight_levels, 100), [SURFACE_THETA] = OFFER(thetas, 300)};

// Roughly the height of such a surface; NaN where that cannot be said.
static double height_of(enum surface_kind kind, double number) {
    struct surface surface;
    if (kind == SURFACE_HEIGHT || kind == SURFACE_ABOVE_GROUND) return number;
    if (surface_of_number(kind, number, &surface, NULL) != VIRGA_OK) return NAN;
    double pressure = surface_pressure(&surface);
    return isnan(pressure) ? NAN : standard_atmosphere_height(pressure);
}

static bool lies_within(const struct level_map *map, enum surface_kind kind, double number) {
    const double above = 200;  // metres: weather is not the standard atmosphere
    double height = height_of(kind, number);
    return !map || isnan(height) || (height <= map->highest && (kind == SURFACE_ABOVE_GROUND || height >= map->lowest - above));
}

static void offer(struct wms_elevation *elevation, const struct offer *of, enum surface_kind kind, const struct level_map *map) {
    for (size_t n = 0; n < of->count; n++)
        if (lies_within(map, kind, of->values[n])) elevation->values[elevation->count++] = of->values[n];
    elevation->usual = elevation->count ? elevation->values[0] : of->usual;
    for (size_t n = 0; n < elevation->count; n++)
        if (fabs(elevation->values[n] - of->usual) < 1e-9) elevation->usual = of->usual;
}

static void count_levels(struct wms_elevation *elevation, const struct level_coordinate *coordinate, enum surface_kind kind) {
    elevation->only = true;
    elevation->count = coordinate->count;
    for (size_t k = 0; k < coordinate->count; k++)
        elevation->values[k] = kind == SURFACE_LEVEL ? (double)k : kind == SURFACE_PRESSURE ? coordinate->a[k] / 100 : coordinate->a[k];
    elevation->usual = elevation->values[0];
}

static void name_units(struct wms_elevation *elevation, enum surface_kind kind) {
    elevation->name = "elevation";
    elevation->units = kind == SURFACE_LEVEL ? "computational_surface" : surface_kind_units(kind);  // as OGC 12-111r1 calls what has no unit
    elevation->symbol = kind == SURFACE_LEVEL ? "" : elevation->units;
}

static void threshold(const struct wms_layer *layer, struct wms_elevation *elevation) {
    const struct catalog_variable *v = variable_of(layer);
    const struct surface surface = {.kind = layer->kind, .value = NAN};
    elevation->name = "threshold";
    elevation->units = elevation->symbol = v->units;
    elevation->usual = surface_threshold(&surface, v->units, v->standard_name);
    if (!isnan(elevation->usual)) elevation->values[elevation->count++] = elevation->usual;
}

int wms_layer_elevation(const struct wms_layer *layer, struct wms_elevation *elevation) {
    const struct catalog_variable *v = variable_of(layer);
    struct level_coordinate coordinate = {0};
    enum surface_kind kind = layer->kind;
    bool own = kind == SURFACE_OWN || kind == SURFACE_LEVEL;
    *elevation = (struct wms_elevation){.name = "elevation", .units = "", .symbol = ""};
    if (!v->vertical || kind == SURFACE_MAXIMUM || kind == SURFACE_SUM) return VIRGA_OK;
    if (own && own_levels(layer->dataset, layer->variable, &coordinate)) return VIRGA_OK;
    if (kind == SURFACE_OWN) kind = own_kind(&coordinate);
    elevation->there = true;
    elevation->values = calloc((own ? coordinate.count : offers[kind].count) + 1, sizeof *elevation->values);
    if (!elevation->values) return VIRGA_NO_MEMORY;
    if (kind == SURFACE_TOP || kind == SURFACE_BASE) return threshold(layer, elevation), VIRGA_OK;
    name_units(elevation, kind);
    if (own) count_levels(elevation, &coordinate, kind);
    else offer(elevation, &offers[kind], kind, v->level_map);
    return VIRGA_OK;
}

void wms_elevation_destroy(struct wms_elevation *elevation) {
    free(elevation->values);
    *elevation = (struct wms_elevation){0};
}

// One level.

static size_t nearest_of(const struct wms_elevation *elevation, double number) {
    size_t best = 0;
    for (size_t n = 1; n < elevation->count; n++)
        if (fabs(elevation->values[n] - number) < fabs(elevation->values[best] - number)) best = n;
    return best;
}

// Between the ends, or beyond them by no more than half of the distance of levels there.
static bool covers(const struct wms_elevation *elevation, double number) {
    size_t n = elevation->count, best = nearest_of(elevation, number), beside = best ? best - 1 : best + 1;
    double same = 1e-6 * fmax(1, fabs(elevation->values[best])), far = n > 1 ? fabs(elevation->values[best] - elevation->values[beside]) / 2 : 0;
    double low = fmin(elevation->values[0], elevation->values[n - 1]), high = fmax(elevation->values[0], elevation->values[n - 1]);
    return (number >= low && number <= high) || fabs(number - elevation->values[best]) <= fmax(same, far);
}

static int own_level(const struct wms_elevation *elevation, double number, struct wms_level *level, struct wms_exception *exception) {
    if (!elevation->count || !covers(elevation, number))
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidDimensionValue", "ELEVATION", "ELEVATION = %g %s lies outside the levels, which go from %g to %g", number, elevation->symbol,
                                 elevation->count ? elevation->values[0] : 0, elevation->count ? elevation->values[elevation->count - 1] : 0);
    size_t best = nearest_of(elevation, number);
    level->nearest = fabs(elevation->values[best] - number) > 1e-6 * fmax(1, fabs(number));
    level->value = elevation->values[best];
    snprintf(level->text, sizeof level->text, "k%zu", best);
    return VIRGA_OK;
}

static int any_level(enum surface_kind kind, const char *name, double number, struct wms_level *level, struct wms_exception *exception) {
    struct surface surface = {.kind = kind, .value = number};
    struct failure failure = {0};
    bool has_threshold = kind == SURFACE_TOP || kind == SURFACE_BASE;
    if (!has_threshold && surface_of_number(kind, number, &surface, &failure) != VIRGA_OK)
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidDimensionValue", name, "%s", failure.message);
    surface_write(&surface, level->text);
    level->value = number;
    return VIRGA_OK;
}

static bool read_number(const char *text, double *number) {
    char *end;
    *number = strtod(text, &end);
    return end != text && !*end && isfinite(*number) && strspn(text, "+-0123456789.eE") == strlen(text);
}

static int level_of(const struct wms_layer *layer, const struct wms_elevation *elevation, const char *text, struct wms_level *level, struct wms_exception *exception) {
    const char *key = strcmp(elevation->name, "elevation") ? "DIM_THRESHOLD" : "ELEVATION";
    double number = elevation->usual;
    *level = (struct wms_level){.there = true, .usual = !*text, .name = elevation->name, .units = elevation->symbol};
    if (!*text && isnan(number)) return wms_exception_set(exception, VIRGA_INVALID, "MissingDimensionValue", key, "%s is missing: this layer has no usual one", key);
    if (*text && !read_number(text, &number))
        return wms_exception_set(exception, VIRGA_INVALID, "InvalidDimensionValue", key, "%s = \"%.40s\" is not a number", key, text);
    return elevation->only ? own_level(elevation, number, level, exception) : any_level(layer->kind, key, number, level, exception);
}

int wms_layer_level(const struct wms_layer *layer, const char *text, struct wms_level *level, struct wms_exception *exception) {
    struct wms_elevation elevation;
    *level = (struct wms_level){0};
    int status = wms_layer_elevation(layer, &elevation);
    if (status) wms_exception_set(exception, status, NULL, NULL, "out of memory");
    else if (elevation.there) status = level_of(layer, &elevation, text, level, exception);
    else if (layer->kind != SURFACE_OWN) surface_write(&(struct surface){.kind = layer->kind}, level->text);
    wms_elevation_destroy(&elevation);
    return status;
}
