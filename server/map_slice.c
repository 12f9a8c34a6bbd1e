// SPDX-License-Identifier: Apache-2.0
#include "server/map_slice.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MARK = 4, HEAD = 12, VERSION = 1 };

static const struct plane_level *level_of(const struct plane *plane, size_t most) { return &plane->levels[plane_level_of(plane, most)]; }

static json_t *array(size_t offset, size_t count) { return json_pack("{s:I, s:I}", "offset", (json_int_t)offset, "count", (json_int_t)count); }

static json_t *range_of(const struct plane *plane) {
    return plane->low <= plane->high ? json_pack("[f, f]", (double)plane->low, (double)plane->high) : json_null();
}

static char *describe(const struct map_layer *layer, const struct plane *values, const struct plane_level *level, bool heights) {
    char text[SURFACE_TEXT], title[SURFACE_TITLE];
    const size_t count = level->nx * level->ny;
    surface_write(&layer->surface, text);
    surface_title(&layer->surface, title);
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:b, s:b, s:o, s:s, s:s, s:o, s:o}", "dataset", layer->field.dataset->id, "variable",
        map_layer_variable(layer)->id, "run", map_layer_run(layer)->iso, "time", map_layer_time(layer)->iso, "member",
        map_layer_variable(layer)->members[layer->field.member], "level", text, "title", title, "units", layer->shown.units, "epsilon", layer->shown.lattice.epsilon, "nx",
        (json_int_t)level->nx, "ny", (json_int_t)level->ny, "scale", (json_int_t)level->scale, "wraps", values->wraps, "degrees", values->degrees, "range", range_of(values), "method", values->method,
        "edition", layer->edition, "values", array(0, count), "heights", heights ? array(count * sizeof(float), count) : json_null());
    char *json = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return json;
}

static uint8_t *put_number(uint8_t *to, size_t number) {
    for (int byte = 0; byte < 4; byte++) to[byte] = (uint8_t)(number >> 8 * byte);
    return to + 4;
}

// As stored here: the machine is little-endian, as bricks ask for, too.
static uint8_t *put_floats(uint8_t *to, const struct plane_level *level) {
    const size_t bytes = level->nx * level->ny * sizeof(float);
    memcpy(to, level->values, bytes);
    return to + bytes;
}

int map_slice_write(const struct map_layer *layer, const struct plane *values, const struct plane *heights, size_t most, struct shared_bytes **bytes, struct failure *failure) {
    const struct plane_level *level = level_of(values, most);
    const size_t floats = level->nx * level->ny * sizeof(float);
    char *json = describe(layer, values, level, heights != NULL);
    uint8_t *fill;
    *bytes = NULL;
    if (json) {
        const size_t length = strlen(json), padded = (length + 3) / 4 * 4;
        if ((*bytes = shared_bytes_new(HEAD + padded + floats * (heights ? 2 : 1), &fill))) {
            memcpy(fill, "VSLC", MARK);
            fill = put_number(put_number(fill + MARK, VERSION), length);
            memset(fill, 0, padded);
            memcpy(fill, json, length);
            fill = put_floats(fill + padded, level);
            if (heights) put_floats(fill, level_of(heights, most));
        }
    }
    free(json);
    return *bytes ? VIRGA_OK : failure_set(failure, VIRGA_NO_MEMORY, "out of memory");
}
