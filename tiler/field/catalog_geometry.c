// SPDX-License-Identifier: Apache-2.0
// The geometry document: JSON, then float32 arrays that it names (server/PROTOCOL.md, "Geometry").
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "field/catalog_private.h"

enum { ARRAYS_MAX = 12 };
static const uint32_t document_version = 2;

struct arrays {
    size_t count, numbers;
    struct { const float *floats; const double *doubles; size_t count; } list[ARRAYS_MAX];
};

static json_t *name_array(struct arrays *a, const float *floats, const double *doubles, size_t count) {
    json_t *o = json_object();
    json_object_set_new(o, "offset", json_integer((json_int_t)(a->numbers * sizeof(float))));
    json_object_set_new(o, "count", json_integer((json_int_t)count));
    a->list[a->count].floats = floats;
    a->list[a->count].doubles = doubles;
    a->list[a->count++].count = count;
    a->numbers += count;
    return o;
}

static json_t *two(double a, double b) {
    json_t *list = json_array();
    json_array_append_new(list, json_real(a));
    json_array_append_new(list, json_real(b));
    return list;
}

static json_t *axis_json(struct arrays *arrays, const struct grid_axis *axis) {
    json_t *o = json_object();
    json_object_set_new(o, "n", json_integer((json_int_t)axis->n));
    if (axis->regular) {
        json_object_set_new(o, "start", json_real(axis->start));
        json_object_set_new(o, "step", json_real(axis->step));
    } else {
        json_object_set_new(o, "values", name_array(arrays, NULL, axis->values, axis->n));
    }
    return o;
}

// Longitude and latitude of every column, where there is no projection.
static json_t *lonlat_json(struct arrays *arrays, const struct grid *grid) {
    if (!grid_is_curvilinear(grid)) return json_null();
    json_t *list = json_array();
    json_array_append_new(list, name_array(arrays, NULL, grid->lon, grid->x.n * grid->y.n));
    json_array_append_new(list, name_array(arrays, NULL, grid->lat, grid->x.n * grid->y.n));
    return list;
}

static json_t *same_or_array(struct arrays *arrays, const float *array, const float *ground, size_t count) {
    if (!array) return json_null();
    return array == ground ? json_string("ground") : name_array(arrays, array, NULL, count);
}

static json_t *map_json(struct arrays *arrays, const struct level_map *map, const float *ground) {
    static const char *const kinds[] = {"flat", "by_surface", "coarse"};
    if (!map) return json_null();
    json_t *o = json_object(), *columns = json_array(), *nominal = json_array();
    json_array_append_new(columns, json_integer((json_int_t)map->columns_x));
    json_array_append_new(columns, json_integer((json_int_t)map->columns_y));
    for (size_t k = 0; k < map->level_count; k++) json_array_append_new(nominal, json_real(map->nominal[k]));
    json_object_set_new(o, "kind", json_string(kinds[map->kind]));
    json_object_set_new(o, "datum", json_string(map->datum == DATUM_SEA ? "sea" : "ground"));
    json_object_set_new(o, "method", json_string(map->method));
    json_object_set_new(o, "coordinate", json_string(map->coordinate));
    json_object_set_new(o, "level_count", json_integer((json_int_t)map->level_count));
    json_object_set_new(o, "bottom", json_real(map->bottom));
    json_object_set_new(o, "top", json_real(map->top));
    json_object_set_new(o, "scale", json_real(map->scale));
    json_object_set_new(o, "height_count", json_integer((json_int_t)map->height_count));
    json_object_set_new(o, "columns", columns);
    json_object_set_new(o, "coarse_step", json_integer((json_int_t)map->coarse_step));
    json_object_set_new(o, "parameter_start", json_real(map->parameter_start));
    json_object_set_new(o, "parameter_step", json_real(map->parameter_step));
    json_object_set_new(o, "table", name_array(arrays, map->table, NULL, map->table_count));
    json_object_set_new(o, "base", same_or_array(arrays, map->base, ground, map->nx * map->ny));
    json_object_set_new(o, "stretch", same_or_array(arrays, map->stretch, ground, map->nx * map->ny));
    json_object_set_new(o, "parameter", same_or_array(arrays, map->parameter, ground, map->nx * map->ny));
    json_object_set_new(o, "nominal", nominal);
    json_object_set_new(o, "max_error", json_real(map->max_error));
    json_object_set_new(o, "error_low", json_real(map->error_low));
    json_object_set_new(o, "error_high", json_real(map->error_high));
    json_object_set_new(o, "lowest", json_real(map->lowest));
    json_object_set_new(o, "highest", json_real(map->highest));
    return o;
}

int catalog_terrain(const struct catalog_dataset *d, float **result, struct failure *failure) {
    size_t columns = d->grid->x.n * d->grid->y.n;
    struct field_ref field = {.dataset = d, .variable = d->terrain >= 0 ? (size_t)d->terrain : 0, .run = d->run_count - 1};
    struct field_box box = {0, 0, 0, d->grid->x.n, d->grid->y.n, 1};
    *result = NULL;
    if (d->terrain < 0) return VIRGA_OK;
    while (!field_step_of(&field) && field.run > 0) field.run--;
    const struct field_step *step = field_step_of(&field);
    if (!step) return VIRGA_OK;
    double *values = memory_new_aligned(64, columns, sizeof *values);
    float *ground = malloc(columns * sizeof *ground);
    int status = values && ground ? field_read(&field, &box, values, failure) : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
    for (size_t n = 0; !status && n < columns; n++) {
        double height = values[n] * step->variable->helper_scale + step->variable->helper_offset;
        ground[n] = height > -2e4 && height < 2e4 ? (float)height : 0;
    }
    free(values);
    if (status) free(ground);
    else *result = ground;
    return status;
}

static void write_arrays(struct byte_writer *w, const struct arrays *arrays) {
    for (size_t a = 0; a < arrays->count; a++)
        for (size_t n = 0; n < arrays->list[a].count; n++) {
            float value = arrays->list[a].floats ? arrays->list[a].floats[n] : (float)arrays->list[a].doubles[n];
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            bytes_write_u32(w, bits);
        }
}

int catalog_geometry(const struct catalog_dataset *d, const struct level_map *map, uint8_t **bytes, size_t *size) {
    struct arrays arrays = {0};
    const struct grid *grid = d->grid;
    float *terrain = NULL;
    if (!map) catalog_terrain(d, &terrain, NULL);  // a document without a ground is better than none
    const float *ground = map ? map->ground : terrain;
    json_t *o = json_object();
    int status = VIRGA_NO_MEMORY;
    *bytes = NULL;
    json_object_set_new(o, "proj", grid_is_curvilinear(grid) ? json_null() : json_string(grid->proj));
    json_object_set_new(o, "angular", json_boolean(grid->angular));
    json_object_set_new(o, "wraps", json_boolean(grid->wraps));
    json_object_set_new(o, "centre", two(grid->centre[0], grid->centre[1]));
    json_object_set_new(o, "km_per_unit", two(grid->km_per_unit[0], grid->km_per_unit[1]));
    json_object_set_new(o, "x", axis_json(&arrays, &grid->x));
    json_object_set_new(o, "y", axis_json(&arrays, &grid->y));
    json_object_set_new(o, "lonlat", lonlat_json(&arrays, grid));
    json_object_set_new(o, "ground", ground ? name_array(&arrays, ground, NULL, grid->x.n * grid->y.n) : json_null());
    json_object_set_new(o, "level_map", map_json(&arrays, map, ground));
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text) {
        size_t length = strlen(text), head = (12 + length + 3) / 4 * 4;
        *size = head + arrays.numbers * sizeof(float);
        *bytes = calloc(*size, 1);
        if (*bytes) {
            struct byte_writer w = {*bytes, *bytes + *size, false};
            bytes_write(&w, "VGEO", 4);
            bytes_write_u32(&w, document_version);
            bytes_write_u32(&w, (uint32_t)length);
            bytes_write(&w, text, length);
            while ((size_t)(w.at - *bytes) < head) bytes_write_u8(&w, 0);
            write_arrays(&w, &arrays);
            status = w.failed ? VIRGA_INTERNAL : VIRGA_OK;
        }
    }
    free(text);
    json_decref(o);
    free(terrain);
    return status;
}
