// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <string.h>

#include "render/map_wind.h"

// Which standard names go together. Components along a grid's axes are no pair: speed and direction are derived from them, turned.
static const struct pair { const char *first, *second; enum map_wind_kind kind; } pairs[] = {
    {"wind_speed", "wind_from_direction", MAP_WIND_SPEED_FROM},
    {"wind_speed", "wind_to_direction", MAP_WIND_SPEED_TO},
    {"eastward_wind", "northward_wind", MAP_WIND_COMPONENTS},
};

// How many letters two names share at their ends: wind_speed_10m goes with wind_from_direction_10m.
static size_t likeness(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), same = 0;
    while (same < n && same < m && tolower((unsigned char)a[n - 1 - same]) == tolower((unsigned char)b[m - 1 - same])) same++;
    return same;
}

static bool same_levels(const struct level_map *a, const struct level_map *b) { return a == b || (a && b && strcmp(a->id, b->id) == 0); }

static bool alike(const struct catalog_variable *a, const struct catalog_variable *b) {
    const char *of_a = catalog_statistic(a), *of_b = catalog_statistic(b);
    return a->nz == b->nz && a->vertical == b->vertical && a->member_count == b->member_count && !of_a && !of_b &&
           same_levels(a->level_map, b->level_map);
}

static int find_second(const struct catalog_dataset *dataset, const struct catalog_variable *first, const char *second) {
    int best = -1;
    size_t most = 0;
    for (size_t n = 0; n < dataset->variable_count; n++) {
        const struct catalog_variable *other = &dataset->variables[n];
        if (other->hidden || strcmp(other->standard_name, second) != 0 || !alike(first, other)) continue;
        const size_t score = likeness(first->id, other->id) + 1;
        if (score <= most) continue;
        best = (int)n;
        most = score;
    }
    return best;
}

int map_wind_partner(const struct catalog_dataset *dataset, size_t variable, enum map_wind_kind *kind) {
    const struct catalog_variable *first = &dataset->variables[variable];
    *kind = MAP_WIND_NONE;
    for (size_t n = 0; n < sizeof pairs / sizeof *pairs; n++) {
        if (strcmp(first->standard_name, pairs[n].first) != 0) continue;
        const int second = find_second(dataset, first, pairs[n].second);
        if (second < 0) continue;
        *kind = pairs[n].kind;
        return second;
    }
    return -1;
}
