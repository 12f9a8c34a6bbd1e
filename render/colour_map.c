// SPDX-License-Identifier: Apache-2.0
#include "render/colour_map.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "render/render_assets.h"

enum { MAPS_MAX = 64 };

static struct {
    pthread_mutex_t lock;
    bool loaded;
    size_t count;
    struct colour_map maps[MAPS_MAX];  // immutable once loaded
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void copy_text(char *text, size_t room, const json_t *value)
{
    snprintf(text, room, "%s", json_is_string(value) ? json_string_value(value) : "");
}

static bool read_points(struct colour_map *map, const json_t *points)
{
    map->count = json_array_size(points);
    if (map->count == 0 || map->count > COLOUR_MAP_POINTS)
        return false;
    for (size_t n = 0; n < map->count; n++)
        for (size_t c = 0; c < 4; c++)
            map->points[n][c] = json_number_value(json_array_get(json_array_get(points, n), c));
    return true;
}

static json_t *asset(const char *name)
{
    const char *text = embedded_text(render_assets, name);
    return text ? json_loads(text, 0, NULL) : NULL;
}

static bool read_map(struct colour_map *map, const char *name)
{
    char file[80];
    snprintf(file, sizeof file, "%s.json", name);
    json_t *root = asset(file);
    copy_text(map->name, sizeof map->name, json_object_get(root, "name"));
    copy_text(map->title, sizeof map->title, json_object_get(root, "title"));
    bool good = read_points(map, json_object_get(root, "points"));
    json_decref(root);
    return good;
}

// The maps of index.json in its order. They are the program's own: what cannot be read is for want of memory, and is tried again.
static void load(void)
{
    json_t *index = asset("index.json");
    const json_t *names = json_object_get(index, "colour_maps");
    bool good = json_array_size(names) <= MAPS_MAX;
    all.count = 0;
    for (size_t n = 0; good && n < json_array_size(names); n++)
        good = read_map(&all.maps[all.count++], json_string_value(json_array_get(names, n)));
    all.loaded = good && all.count > 0;
    if (!all.loaded)
        all.count = 0;
    json_decref(index);
}

static size_t maps(void)
{
    pthread_mutex_lock(&all.lock);
    if (!all.loaded)
        load();
    size_t count = all.count;
    pthread_mutex_unlock(&all.lock);
    return count;
}

const struct colour_map *colour_map_find(const char *name)
{
    for (size_t n = 0, count = maps(); n < count; n++)
        if (strcmp(all.maps[n].name, name) == 0)
            return &all.maps[n];
    return NULL;
}

const char *colour_map_name(size_t index)
{
    return index < maps() ? all.maps[index].name : NULL;
}

static double between(const struct colour_map *map, double position, size_t column)
{
    const double(*p)[4] = map->points;
    if (!(position > p[0][0]))
        return p[0][column];
    size_t high = 1;
    while (high < map->count && position > p[high][0])
        high++;
    if (high == map->count)
        return p[high - 1][column];
    double span = p[high][0] - p[high - 1][0], share = (position - p[high - 1][0]) / (span > 0 ? span : 1);
    return p[high - 1][column] + share * (p[high][column] - p[high - 1][column]);
}

void colour_map_at(const struct colour_map *map, double position, double rgb[3])
{
    for (size_t c = 0; c < 3; c++)
        rgb[c] = between(map, position, c + 1);
}
