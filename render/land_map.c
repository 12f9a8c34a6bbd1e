// SPDX-License-Identifier: Apache-2.0
#include "render/land_map.h"

#include <cairo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- rings -------------------------------------------------------------------------------------------------------------

// A ring in the map's pixels, cut off well outside of it: Cairo's numbers end at eight million pixels.
struct outline {
    size_t count, room;
    double (*points)[2], (*spare)[2];
};

static bool outline_room(struct outline *o, size_t room) {
    if (room <= o->room) return true;
    double (*points)[2] = realloc(o->points, room * sizeof *points);
    if (points) o->points = points;
    double (*spare)[2] = realloc(o->spare, room * sizeof *spare);
    if (spare) o->spare = spare;
    if (!points || !spare) return false;
    o->room = room;
    return true;
}

// Cuts by one edge of a rectangle: what lies beyond becomes a line along it. False without memory.
static bool outline_cut(struct outline *o, int axis, double edge, double sign) {
    size_t n = 0;
    if (!outline_room(o, 2 * o->count)) return false;
    for (size_t k = 0; k < o->count; k++) {
        const double *from = o->points[k], *to = o->points[k + 1 == o->count ? 0 : k + 1];
        double a = sign * (from[axis] - edge), b = sign * (to[axis] - edge);
        if (a >= 0) memcpy(o->spare[n++], from, sizeof o->spare[0]);
        if ((a >= 0) == (b >= 0)) continue;
        double share = a / (a - b);
        o->spare[n][axis] = edge;
        o->spare[n][1 - axis] = from[1 - axis] + share * (to[1 - axis] - from[1 - axis]);
        n++;
    }
    double (*swap)[2] = o->points;
    o->points = o->spare, o->spare = swap, o->count = n;
    return true;
}

// A ring whose longitudes run on across the date line. One that goes around a pole is closed along it. Degrees; false without memory.
static bool outline_unroll(struct outline *o, const double (*ring)[2], size_t count) {
    double turned = 0, sum = 0;
    if (!outline_room(o, count + 2)) return false;
    for (size_t n = 0; n < count; n++) {
        double step = n ? ring[n][0] - ring[n - 1][0] : 0;
        if (fabs(step) > 180) turned -= copysign(360, step);
        o->points[n][0] = ring[n][0] + turned, o->points[n][1] = ring[n][1];
        sum += ring[n][1];
    }
    o->count = count;
    if (turned != 0 && count) {
        double pole = sum > 0 ? 90 : sum < 0 ? -90 : 0;
        o->points[count][0] = o->points[count - 1][0], o->points[count][1] = pole;
        o->points[count + 1][0] = o->points[0][0], o->points[count + 1][1] = pole;
        o->count += 2;
    }
    return true;
}

// --- drawing -----------------------------------------------------------------------------------------------------------

struct drawing {
    cairo_t *cairo;
    const struct degree_bounds *bounds;
    double width, height;
    struct outline outline;
};

static bool draw_ring(struct drawing *d, const double (*ring)[2], size_t count, double turn) {
    struct outline *o = &d->outline;
    const struct degree_bounds *of = d->bounds;
    if (!outline_unroll(o, ring, count)) return false;
    for (size_t n = 0; n < o->count; n++) {
        o->points[n][0] = (o->points[n][0] + turn - of->west) * d->width / (of->east - of->west);
        o->points[n][1] = (of->north - o->points[n][1]) * d->height / (of->north - of->south);
    }
    const double margin = 64;
    for (int axis = 0; axis < 2; axis++)
        if (!outline_cut(o, axis, -margin, 1) || !outline_cut(o, axis, (axis ? d->height : d->width) + margin, -1)) return false;
    for (size_t n = 0; n < o->count; n++)
        (n ? cairo_line_to : cairo_move_to)(d->cairo, o->points[n][0], o->points[n][1]);
    if (o->count) cairo_close_path(d->cairo);
    return true;
}

static const double (*ring_of(const struct atlas_lines *rings, size_t ring))[2] {
    return (const double (*)[2])(rings->points + rings->first[ring]);
}

static bool draw_polygon(struct drawing *d, const struct world_atlas *atlas, size_t polygon) {
    size_t first = atlas->polygon[polygon], last = atlas->polygon[polygon + 1];
    const struct atlas_lines *rings = &atlas->rings;
    double least = INFINITY, most = -INFINITY;
    if (first == last) return true;
    if (!outline_unroll(&d->outline, ring_of(rings, first), rings->first[first + 1] - rings->first[first])) return false;
    for (size_t n = 0; n < d->outline.count; n++) {
        least = fmin(least, d->outline.points[n][0]), most = fmax(most, d->outline.points[n][0]);
    }
    if (!(most - least <= 3600)) return true;  // no ring of land goes ten times around
    for (double turn = 360 * ceil((d->bounds->west - most) / 360); least + turn <= d->bounds->east; turn += 360) {
        for (size_t r = first; r < last; r++)
            if (!draw_ring(d, ring_of(rings, r), rings->first[r + 1] - rings->first[r], turn)) return false;
        cairo_fill(d->cairo);
    }
    return true;
}

static int level_init(struct land_map *map, size_t width, size_t height) {
    struct land_level *level = &map->levels[map->level_count];
    *level = (struct land_level){width, height, calloc(width, height)};
    if (!level->share) return VIRGA_NO_MEMORY;
    map->level_count++;
    return VIRGA_OK;
}

static int draw_land(struct land_map *map, const struct world_atlas *atlas) {
    struct land_level *level = &map->levels[0];
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, (int)level->width, (int)level->height);
    struct drawing d = {cairo_create(surface), &map->bounds, (double)level->width, (double)level->height, {0}};
    cairo_set_fill_rule(d.cairo, CAIRO_FILL_RULE_EVEN_ODD);
    bool fine = true;
    for (size_t n = 0; fine && n < atlas->polygon_count; n++) fine = draw_polygon(&d, atlas, n);
    cairo_surface_flush(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    fine = fine && data && cairo_status(d.cairo) == CAIRO_STATUS_SUCCESS;
    for (size_t y = 0; fine && y < level->height; y++)
        memcpy(level->share + y * level->width, data + y * (size_t)cairo_image_surface_get_stride(surface), level->width);
    cairo_destroy(d.cairo);
    cairo_surface_destroy(surface);
    free(d.outline.points);
    free(d.outline.spare);
    return fine ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static void halve(const struct land_level *from, struct land_level *to) {
    for (size_t y = 0; y < to->height; y++)
        for (size_t x = 0; x < to->width; x++) {
            size_t x0 = 2 * x, y0 = 2 * y, x1 = x0 + 1 < from->width ? x0 + 1 : x0, y1 = y0 + 1 < from->height ? y0 + 1 : y0;
            const uint8_t *near = from->share + y0 * from->width, *far = from->share + y1 * from->width;
            unsigned sum = near[x0] + near[x1] + far[x0] + far[x1];
            to->share[y * to->width + x] = (uint8_t)((sum + 2) / 4);
        }
}

// What all texels of a block are, or 1.
static uint8_t block_of(const struct land_level *l, size_t x, size_t y) {
    uint8_t first = l->share[y * LAND_MAP_BLOCK * l->width + x * LAND_MAP_BLOCK];
    if (first != 0 && first != 255) return 1;
    for (size_t j = y * LAND_MAP_BLOCK; j < (y + 1) * LAND_MAP_BLOCK && j < l->height; j++)
        for (size_t i = x * LAND_MAP_BLOCK; i < (x + 1) * LAND_MAP_BLOCK && i < l->width; i++)
            if (l->share[j * l->width + i] != first) return 1;
    return first;
}

static uint8_t even_around(const uint8_t *blocks, const size_t count[2], size_t x, size_t y) {
    uint8_t first = blocks[y * count[0] + x];
    for (size_t j = y ? y - 1 : 0; j <= y + 1 && j < count[1]; j++)
        for (size_t i = x ? x - 1 : 0; i <= x + 1 && i < count[0]; i++)
            if (blocks[j * count[0] + i] != first) return 1;
    return first;
}

static int find_even(struct land_map *map) {
    const struct land_level *l = &map->levels[0];
    size_t wide = map->blocks[0] = (l->width + LAND_MAP_BLOCK - 1) / LAND_MAP_BLOCK;
    size_t count = wide * (map->blocks[1] = (l->height + LAND_MAP_BLOCK - 1) / LAND_MAP_BLOCK);
    uint8_t *blocks = malloc(count);
    map->even = malloc(count);
    for (size_t n = 0; blocks && n < count; n++) blocks[n] = block_of(l, n % wide, n / wide);
    for (size_t n = 0; blocks && map->even && n < count; n++) map->even[n] = even_around(blocks, map->blocks, n % wide, n / wide);
    free(blocks);
    return blocks && map->even ? VIRGA_OK : VIRGA_NO_MEMORY;
}

static size_t map_side(double wanted) {
    return wanted > 16 ? wanted < LAND_MAP_SIZE ? (size_t)lround(wanted) : LAND_MAP_SIZE : 16;
}

int land_map_init(struct land_map *map, const struct world_atlas *atlas, const struct degree_bounds *bounds) {
    double aspect = (bounds->east - bounds->west) / (bounds->north - bounds->south);
    *map = (struct land_map){.bounds = *bounds};
    if (!(aspect > 0 && isfinite(aspect))) return VIRGA_OK;  // no place on Earth: no land
    double width = aspect >= 1 ? LAND_MAP_SIZE : LAND_MAP_SIZE * aspect, height = aspect >= 1 ? LAND_MAP_SIZE / aspect : LAND_MAP_SIZE;
    int status = level_init(map, map_side(width), map_side(height));
    if (status == VIRGA_OK) status = draw_land(map, atlas);
    if (status == VIRGA_OK) status = find_even(map);
    map->texels[0] = (float)((double)map->levels[0].width / (bounds->east - bounds->west));
    map->texels[1] = (float)((double)map->levels[0].height / (bounds->north - bounds->south));
    while (status == VIRGA_OK && map->level_count < LAND_MAP_LEVELS) {
        const struct land_level *last = &map->levels[map->level_count - 1];
        if (last->width == 1 && last->height == 1) break;
        status = level_init(map, last->width > 1 ? last->width / 2 : 1, last->height > 1 ? last->height / 2 : 1);
        if (status == VIRGA_OK) halve(last, &map->levels[map->level_count - 1]);
    }
    return status;
}

void land_map_destroy(struct land_map *map) {
    for (size_t n = 0; n < map->level_count; n++) free(map->levels[n].share);
    free(map->even);
    *map = (struct land_map){0};
}

// --- reading -----------------------------------------------------------------------------------------------------------

// x, y: texels of this level from its north-west corner.
static float level_at(const struct land_level *level, float x, float y) {
    float last_x = (float)(level->width - 1), last_y = (float)(level->height - 1);
    x -= 0.5f, y -= 0.5f;
    x = x > 0 ? x < last_x ? x : last_x : 0, y = y > 0 ? y < last_y ? y : last_y : 0;
    uint32_t x0 = (uint32_t)x, y0 = (uint32_t)y, right = x0 + 1 < level->width;
    uint32_t up = y0 + 1 < level->height ? (uint32_t)level->width : 0;
    const uint8_t *at = level->share + (size_t)y0 * level->width + x0;
    float a = x - (float)x0, b = y - (float)y0;
    float near = (float)at[0] + a * (float)(at[right] - at[0]), far = (float)at[up] + a * (float)(at[up + right] - at[up]);
    return (near + b * (far - near)) * (1 / 255.0f);
}

float land_map_at(const struct land_map *map, float lon, float lat, float pixel) {
    const struct land_level *l = &map->levels[0];
    float x = (float)((double)lon - map->bounds.west) * map->texels[0];
    float y = (float)(map->bounds.north - (double)lat) * map->texels[1];
    if (!(pixel > 1)) return level_at(l, x, y);
    float last = (float)(map->level_count - 1), detail = 0.5f * log2f(pixel);
    detail = detail < last ? detail : last;
    uint32_t n = (uint32_t)detail, next = n + 1 < map->level_count ? n + 1 : n;
    float wide = (float)l->width, tall = (float)l->height;
    float near = level_at(&l[n], x * (float)l[n].width / wide, y * (float)l[n].height / tall);
    float far = level_at(&l[next], x * (float)l[next].width / wide, y * (float)l[next].height / tall);
    return near + (detail - (float)n) * (far - near);
}

float land_map_even(const struct land_map *map, float lon, float lat) {
    float x = (float)((double)lon - map->bounds.west) * map->texels[0] * (1.0f / LAND_MAP_BLOCK);
    float y = (float)(map->bounds.north - (double)lat) * map->texels[1] * (1.0f / LAND_MAP_BLOCK);
    if (!(x >= 0 && x < (float)map->blocks[0] && y >= 0 && y < (float)map->blocks[1])) return -1;
    uint8_t even = map->even[(uint32_t)y * map->blocks[0] + (uint32_t)x];
    return even == 0 ? 0 : even == 255 ? 1 : -1;
}
