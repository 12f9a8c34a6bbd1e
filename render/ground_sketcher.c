// SPDX-License-Identifier: Apache-2.0
#include "render/ground_sketcher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/multiversion.h"
#include "render/basemap_private.h"
#include "render/ground_place.h"
#include "render/line_draw.h"

enum { PATCH = 16, SAMPLES_MAX = GROUND_ACROSS * GROUND_ACROSS, ROWS = 8 };
// Nearest and farthest samples of a pixel that differ by more than this are of different places.
static const float one_surface = 0.97f;

static const struct line_style styles[MAP_LINES] = {
    [MAP_OUTER] = {{0.75f, 0.82f, 0.88f, 0.28f}, 1},
    [MAP_GRATICULE] = {{0.80f, 0.87f, 0.95f, 0.20f}, 1},
    [MAP_BORDER] = {{0.75f, 0.78f, 0.80f, 0.38f}, 1},
    [MAP_COAST] = {{0.80f, 0.86f, 0.90f, 0.85f}, 1.5f},
    [MAP_BOX] = {{0.80f, 0.87f, 0.95f, 0.30f}, 1},
};

// Cells of the mesh, or quads of the sides, and the rectangle of the picture around them.
struct patch {
    size_t first[2], last[2];
    bool side;
    double low[2], high[2];
};

// The world around: 1 / depth is near + x near_x + y near_y at pixel (x, y). km of the scene.
struct level {
    float near, near_x, near_y, change;  // change: most of it over a pixel, from the middle
    float nearest, farthest;             // of 1 / depth
    float middle[2], reach[2], margin;
};

// One thread's room.
struct workplace {
    struct ground_raster samples, middles;  // middles: where no sample is in the middle of a pixel
    struct ground_tile tile;                // with room for any
    float *share, *ink;
};

struct ground_sketcher {
    const struct basemap *map;
    struct basemap_show show;
    double exaggeration;
    size_t width, height;
    struct ground_camera camera;
    struct level around;
    struct ground_sight sight;
    size_t across, edge_count;
    struct ground_point *points;  // of the mesh's corners
    struct ground_point *feet;    // of the sides' feet, along the edge
    size_t *edge;                 // corners along the edge, around the domain; the first one is the last too
    size_t patch_count;
    struct patch *patches;
    struct shown_lines lines[MAP_LINES];
    size_t tiles_x, threads;
    struct workplace *workplaces;
};

// --- corners and patches -----------------------------------------------------------------------------------------------

static void find_edge(struct ground_sketcher *d) {
    size_t nx = d->map->ground.nx, ny = d->map->ground.ny, n = 0;
    for (size_t x = 0; x < nx; x++) d->edge[n++] = x;
    for (size_t y = 1; y < ny; y++) d->edge[n++] = y * nx + nx - 1;
    for (size_t x = nx - 1; x-- > 0;) d->edge[n++] = (ny - 1) * nx + x;
    for (size_t y = ny - 1; y-- > 0;) d->edge[n++] = y * nx;
    d->edge_count = n;
}

static void place_corner(const struct ground_sketcher *d, size_t corner, bool foot, struct ground_point *point) {
    const struct ground_mesh *mesh = &d->map->ground;
    const double at[] = {
        mesh->low[0] + mesh->step[0] * (double)(corner % mesh->nx),
        mesh->low[1] + mesh->step[1] * (double)(corner / mesh->nx),
        foot ? -d->map->depth : (double)mesh->corners[corner].height * d->exaggeration,
    };
    ground_camera_point(&d->camera, at, point);
}

static void place_rows(void *argument, size_t index, size_t thread) {
    struct ground_sketcher *d = argument;
    size_t nx = d->map->ground.nx, first = index * ROWS * nx, last = first + ROWS * nx, all = nx * d->map->ground.ny;
    (void)thread;
    for (size_t n = first; n < last && n < all; n++) place_corner(d, n, false, &d->points[n]);
    if (index) return;
    for (size_t n = 0; n < d->edge_count; n++) place_corner(d, d->edge[n], true, &d->feet[n]);
}

static void join(struct patch *patch, const struct ground_point *p) {
    const double at[] = {p->x, p->y};
    for (int n = 0; n < 2; n++) {
        patch->low[n] = p->cut ? -INFINITY : at[n] < patch->low[n] ? at[n] : patch->low[n];
        patch->high[n] = p->cut ? INFINITY : at[n] > patch->high[n] ? at[n] : patch->high[n];
    }
}

static void measure_patch(void *argument, size_t index, size_t thread) {
    struct ground_sketcher *d = argument;
    struct patch *patch = &d->patches[index];
    (void)thread;
    for (int n = 0; n < 2; n++) patch->low[n] = INFINITY, patch->high[n] = -INFINITY;
    for (size_t n = patch->first[0]; patch->side && n <= patch->last[0]; n++) {
        join(patch, &d->points[d->edge[n]]);
        join(patch, &d->feet[n]);
    }
    for (size_t y = patch->first[1]; !patch->side && y <= patch->last[1]; y++)
        for (size_t x = patch->first[0]; x <= patch->last[0]; x++) join(patch, &d->points[y * d->map->ground.nx + x]);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void cut_patches(struct ground_sketcher *d) {
    size_t cells[] = {d->map->ground.nx - 1, d->map->ground.ny - 1};
    for (size_t y = 0; y < cells[1]; y += PATCH)
        for (size_t x = 0; x < cells[0]; x += PATCH)
            d->patches[d->patch_count++] = (struct patch){{x, y}, {least(x + PATCH, cells[0]), least(y + PATCH, cells[1])}, .side = false};
    for (size_t n = 0; n + 1 < d->edge_count; n += PATCH)
        d->patches[d->patch_count++] = (struct patch){{n, 0}, {least(n + PATCH, d->edge_count - 1), 0}, .side = true};
}

// --- triangles to samples ----------------------------------------------------------------------------------------------

static void draw_patch(const struct ground_sketcher *d, const struct patch *patch, struct ground_raster *raster) {
    double low[] = {(double)raster->x, (double)raster->y};
    double high[] = {low[0] + (double)raster->width, low[1] + (double)raster->height};
    for (int n = 0; n < 2; n++)
        if (patch->low[n] > high[n] || patch->high[n] < low[n]) return;
    for (size_t n = patch->first[0]; patch->side && n < patch->last[0]; n++) {
        const struct ground_point *a = &d->points[d->edge[n]], *b = &d->points[d->edge[n + 1]];
        ground_raster_triangle(raster, &d->camera, a, &d->feet[n], b, GROUND_SIDE);
        ground_raster_triangle(raster, &d->camera, &d->feet[n], &d->feet[n + 1], b, GROUND_SIDE);
    }
    size_t nx = d->map->ground.nx;
    for (size_t y = patch->first[1]; !patch->side && y < patch->last[1]; y++)
        for (size_t x = patch->first[0]; x < patch->last[0]; x++) {
            const struct ground_point *p = &d->points[y * nx + x];
            ground_raster_triangle(raster, &d->camera, p, p + 1, p + nx, GROUND_TOP);
            ground_raster_triangle(raster, &d->camera, p + 1, p + nx + 1, p + nx, GROUND_TOP);
        }
}

// --- samples to points -------------------------------------------------------------------------------------------------

static void add_point(struct ground_points *points, size_t pixel, int kind, float x, float y, float near, float weight) {
    size_t n = points->count++;
    points->pixel[n] = (uint32_t)pixel;
    points->kind[n] = (uint8_t)kind;
    points->x[n] = x, points->y[n] = y, points->near[n] = near, points->weight[n] = weight, points->over[n] = 0;
}

struct pixel_samples {
    size_t count;
    float x[SAMPLES_MAX], y[SAMPLES_MAX], near[SAMPLES_MAX];
    uint8_t kind[SAMPLES_MAX];
    float low, high;  // of near
    bool one_kind;
};

static void gather(const struct ground_raster *r, size_t x, size_t y, struct pixel_samples *s) {
    size_t across = r->across, row = r->width * across, n = 0;
    float step = 1 / (float)across;
    s->count = across * across, s->low = INFINITY, s->high = 0, s->one_kind = true;
    for (size_t j = 0; j < across; j++)
        for (size_t i = 0; i < across; i++, n++) {
            size_t at = (y * across + j) * row + x * across + i;
            float near = s->near[n] = r->near[at];
            s->kind[n] = r->kind[at];
            s->x[n] = (float)(r->x + x) + ((float)i + 0.5f) * step;
            s->y[n] = (float)(r->y + y) + ((float)j + 0.5f) * step;
            s->one_kind = s->one_kind && s->kind[n] == s->kind[0];
            s->low = near < s->low ? near : s->low;
            s->high = near > s->high ? near : s->high;
        }
}

// One point where a pixel's samples of a surface are of one place, as many as there are samples else. `chosen`: which samples.
static void add_surface(struct ground_points *points, size_t pixel, int kind, const struct pixel_samples *s, const bool *chosen) {
    float low = INFINITY, high = 0, sum[3] = {0}, each = 1 / (float)s->count;
    size_t count = 0;
    for (size_t n = 0; n < s->count; n++) {
        if (!chosen[n]) continue;
        low = s->near[n] < low ? s->near[n] : low;
        high = s->near[n] > high ? s->near[n] : high;
        sum[0] += s->x[n], sum[1] += s->y[n], sum[2] += s->near[n];
        count++;
    }
    if (!count) return;
    if (low >= one_surface * high) {
        float share = 1 / (float)count;
        add_point(points, pixel, kind, sum[0] * share, sum[1] * share, sum[2] * share, (float)count * each);
        return;
    }
    for (size_t n = 0; n < s->count; n++)
        if (chosen[n]) add_point(points, pixel, kind, s->x[n], s->y[n], s->near[n], each);
}

static void find_middle(const struct pixel_samples *s, float middle[2]) {
    middle[0] = 0.5f * (s->x[0] + s->x[s->count - 1]);
    middle[1] = 0.5f * (s->y[0] + s->y[s->count - 1]);
}

static void add_solid(struct ground_points *points, size_t pixel, const struct pixel_samples *s) {
    bool chosen[SAMPLES_MAX];
    if (s->one_kind && s->kind[0] == GROUND_NONE) return;
    if (s->one_kind && s->low >= one_surface * s->high) {
        float sum = 0, middle[2];
        for (size_t n = 0; n < s->count; n++) sum += s->near[n];
        find_middle(s, middle);
        add_point(points, pixel, s->kind[0], middle[0], middle[1], sum / (float)s->count, 1);
        return;
    }
    for (int kind = GROUND_TOP; kind <= GROUND_SIDE; kind++) {
        for (size_t n = 0; n < s->count; n++) chosen[n] = s->kind[n] == kind;
        add_surface(points, pixel, kind, s, chosen);
    }
}

// 1 / depth of the world around, if it is seen at a sample; it has a hole under the domain.
static float around_at(const struct ground_sketcher *d, float x, float y, float nearest) {
    const struct ground_sight *sight = &d->sight;
    const struct level *level = &d->around;
    float near = level->near + x * level->near_x + y * level->near_y;
    if (!(near >= level->farthest && near <= level->nearest && near >= nearest)) return 0;
    bool over = true;
    for (int n = 0; n < 2; n++) {
        float at = fabsf(sight->eye[n] + (sight->ray[n] + x * sight->ray_x[n] + y * sight->ray_y[n]) / near - level->middle[n]);
        if (!(at <= level->reach[n] + level->margin)) return 0;
        over = over && at < level->reach[n];
    }
    return over ? 0 : near;
}

enum { NOT_AROUND, IS_AROUND, MAYBE_AROUND };

// 1 / depth of the world around in the middles of a row of pixels, and whether all of a pixel is around the domain: as far from
// the edges as a pixel reaches.
MULTIVERSION static void find_around(const struct level *level, const struct ground_sight *sight, float left, float y, size_t count,
                                     float *restrict nears, uint8_t *restrict where) {
    const float *eye = sight->eye, *ray = sight->ray, *ray_x = sight->ray_x, *ray_y = sight->ray_y;
    float edge[2], end[2];
    for (int n = 0; n < 2; n++) edge[n] = level->reach[n], end[n] = level->reach[n] + level->margin;
    for (size_t k = 0; k < count; k++) {
        float x = left + (float)k, near = level->near + x * level->near_x + y * level->near_y, depth = 1 / near;
        float ax = (ray[0] + x * ray_x[0] + y * ray_y[0]) * depth, ay = (ray[1] + x * ray_x[1] + y * ray_y[1]) * depth;
        float px = (fabsf(ray_x[0] - ax * level->near_x) + fabsf(ray_y[0] - ax * level->near_y)) * depth;
        float py = (fabsf(ray_x[1] - ay * level->near_x) + fabsf(ray_y[1] - ay * level->near_y)) * depth;
        float dx = fabsf(eye[0] + ax - level->middle[0]), dy = fabsf(eye[1] + ay - level->middle[1]);
        float low = near - level->change, high = near + level->change;
        int in_range = (low > level->farthest) & (high < level->nearest);
        int within = (dx + px < end[0]) & (dy + py < end[1]) & ((dx - px > edge[0]) | (dy - py > edge[1]));
        int elsewhere = (dx - px > end[0]) | (dy - py > end[1]) | ((dx + px < edge[0]) & (dy + py < edge[1]));
        int never = (high < level->farthest) | (low > level->nearest) | (in_range & elsewhere);
        nears[k] = near;
        where[k] = (uint8_t)(never ? NOT_AROUND : in_range & within ? IS_AROUND : MAYBE_AROUND);
    }
}

static void add_around(const struct ground_sketcher *d, struct ground_points *points, size_t pixel, float near, uint8_t where,
                       struct pixel_samples *s) {
    bool chosen[SAMPLES_MAX];
    float middle[2];
    if (where == NOT_AROUND || near + d->around.change < s->low) return;
    if (where == IS_AROUND && near - d->around.change > s->high) {
        find_middle(s, middle);
        add_point(points, pixel, GROUND_AROUND_KIND, middle[0], middle[1], near, 1);
        points->over[points->count - 1] = 1;
        return;
    }
    size_t seen = 0, solid = 0, over = 0, first = points->count;
    for (size_t n = 0; n < s->count; n++) {
        s->near[n] = around_at(d, s->x[n], s->y[n], s->near[n]);
        chosen[n] = s->near[n] > 0;
        seen += chosen[n];
        solid += s->kind[n] != GROUND_NONE;
        over += chosen[n] && s->kind[n] != GROUND_NONE;
    }
    add_surface(points, pixel, GROUND_AROUND_KIND, s, chosen);
    float part = over ? (float)(s->count * over) / (float)(seen * solid) : 0;
    for (size_t n = first; n < points->count; n++) points->over[n] = points->weight[n] * part;
}

static void find_points(const struct ground_sketcher *d, struct workplace *w) {
    const struct ground_raster *r = &w->samples;
    struct pixel_samples s;
    float near[GROUND_TILE_X];
    uint8_t where[GROUND_TILE_X];
    w->tile.points.count = 0;
    for (size_t y = 0; y < r->height; y++) {
        float left = (float)r->x + 0.5f, row = (float)(r->y + y) + 0.5f;
        if (d->map->places.around) find_around(&d->around, &d->sight, left, row, r->width, near, where);
        for (size_t x = 0; x < r->width; x++) {
            gather(r, x, y, &s);
            add_solid(&w->tile.points, y * r->width + x, &s);
            if (d->map->places.around) add_around(d, &w->tile.points, y * r->width + x, near[x], where[x], &s);
        }
    }
}

// --- a tile ------------------------------------------------------------------------------------------------------------

static void find_distance(const struct ground_sketcher *d, const struct workplace *w, float *distance) {
    const struct ground_raster *r = d->across % 2 ? &w->samples : &w->middles;
    const struct ground_camera *c = &d->camera;
    size_t middle = r->across / 2, row = r->width * r->across;
    for (size_t y = 0; y < r->height; y++)
        for (size_t x = 0; x < r->width; x++) {
            float near = r->near[(y * r->across + middle) * row + x * r->across + middle];
            double px = (double)(r->x + x) + 0.5, py = (double)(r->y + y) + 0.5, squared = 0;
            for (int n = 0; n < 3; n++) {
                double ray = c->ray[n] + px * c->ray_x[n] + py * c->ray_y[n];
                squared += ray * ray;
            }
            distance[y * r->width + x] = near > 0 ? (float)(sqrt(squared) / (double)near) : INFINITY;
        }
}

static bool shown(const struct basemap_show *show, int kind) {
    return kind == MAP_GRATICULE ? show->graticule : kind == MAP_BOX ? show->box : show->coastlines;
}

// Lines over one another, and which pixels they touch.
static void find_ink(const struct ground_sketcher *d, struct workplace *w) {
    struct ground_tile *tile = &w->tile;
    bool any = false;
    for (int kind = 0; kind < MAP_LINES; kind++)
        if (shown(&d->show, kind)) any = line_draw(&d->lines[kind], &styles[kind], &d->camera, &w->samples, w->share, w->ink, any) || any;
    tile->inked = 0;
    for (size_t n = 0; any && n < tile->width * tile->height; n++) {
        if (!(w->ink[4 * n + 3] > 0)) continue;
        struct ground_ink *ink = &tile->ink[tile->inked++];
        ink->pixel = (uint32_t)n;
        memcpy(ink->rgba, &w->ink[4 * n], sizeof ink->rgba);
    }
}

static void fill(const struct ground_sketcher *d, struct ground_raster *raster, const struct ground_tile *tile) {
    ground_raster_clear(raster, tile->x, tile->y, tile->width, tile->height);
    for (size_t n = 0; n < d->patch_count; n++) draw_patch(d, &d->patches[n], raster);
}

const struct ground_tile *ground_sketcher_tile(struct ground_sketcher *d, size_t index, size_t thread) {
    struct workplace *w = &d->workplaces[thread];
    struct ground_tile *tile = &w->tile;
    tile->x = index % d->tiles_x * GROUND_TILE_X, tile->y = index / d->tiles_x * GROUND_TILE_Y;
    tile->width = least(GROUND_TILE_X, d->width - tile->x), tile->height = least(GROUND_TILE_Y, d->height - tile->y);
    fill(d, &w->samples, tile);
    if (d->across % 2 == 0) fill(d, &w->middles, tile);
    find_points(d, w);
    ground_place(&d->sight, &tile->points);
    find_ink(d, w);
    find_distance(d, w, tile->distance);
    return tile;
}

// --- the whole ---------------------------------------------------------------------------------------------------------

static void place_lines(void *argument, size_t index, size_t thread) {
    struct ground_sketcher *d = argument;
    (void)thread;
    for (int kind = 0; kind < MAP_LINES; kind++) {
        size_t runs = shown_lines_runs(&d->lines[kind]);
        if (index < runs) {
            shown_lines_place(&d->lines[kind], &d->map->lines[kind], &d->camera, d->exaggeration, index);
            return;
        }
        index -= runs;
    }
}

// A pixel has as many points as samples of the ground, and as many of the world around.
static size_t points_of(size_t across) { return 2 * GROUND_TILE * across * across; }

static int workplace_init(struct workplace *w, size_t across) {
    w->share = malloc(GROUND_TILE * sizeof *w->share);
    w->ink = malloc(4 * GROUND_TILE * sizeof *w->ink);
    w->tile.ink = malloc(GROUND_TILE * sizeof *w->tile.ink);
    w->tile.distance = malloc(GROUND_TILE * sizeof *w->tile.distance);
    int status = w->share && w->ink && w->tile.ink && w->tile.distance ? VIRGA_OK : VIRGA_NO_MEMORY;
    if (status == VIRGA_OK) status = ground_raster_init(&w->samples, GROUND_TILE_X, GROUND_TILE_Y, across);
    if (status == VIRGA_OK && across % 2 == 0) status = ground_raster_init(&w->middles, GROUND_TILE_X, GROUND_TILE_Y, 1);
    return status == VIRGA_OK ? ground_points_init(&w->tile.points, points_of(across)) : status;
}

static void workplace_destroy(struct workplace *w) {
    ground_raster_destroy(&w->samples);
    ground_raster_destroy(&w->middles);
    ground_points_destroy(&w->tile.points);
    free(w->tile.ink);
    free(w->tile.distance);
    free(w->share);
    free(w->ink);
}

static int make_room(struct ground_sketcher *d) {
    const struct ground_mesh *mesh = &d->map->ground;
    size_t edge = 2 * (mesh->nx + mesh->ny), cells = (mesh->nx / PATCH + 1) * (mesh->ny / PATCH + 1);
    d->points = malloc(mesh->nx * mesh->ny * sizeof *d->points);
    d->feet = malloc(edge * sizeof *d->feet);
    d->edge = malloc(edge * sizeof *d->edge);
    d->patches = malloc((cells + edge / PATCH + 1) * sizeof *d->patches);
    d->workplaces = calloc(d->threads, sizeof *d->workplaces);
    int status = d->points && d->feet && d->edge && d->patches && d->workplaces ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (int kind = 0; kind < MAP_LINES && status == VIRGA_OK; kind++)
        if (shown(&d->show, kind)) status = shown_lines_init(&d->lines[kind], &d->map->lines[kind]);
    for (size_t n = 0; n < d->threads && status == VIRGA_OK; n++) status = workplace_init(&d->workplaces[n], d->across);
    return status;
}

static struct level level_around(const struct basemap *map, const struct ground_camera *camera, double exaggeration) {
    double height = GROUND_AROUND_HEIGHT * exaggeration - camera->eye[2];
    if (fabs(height) < 1e-9) height = 1e-9;
    struct level level = {
        .near = (float)(camera->ray[2] / height), .near_x = (float)(camera->ray_x[2] / height), .near_y = (float)(camera->ray_y[2] / height),
        .nearest = (float)camera->nearest, .farthest = (float)camera->farthest,
        .margin = (float)(BASEMAP_AROUND * fmax(map->places.size[0], map->places.size[1])),
    };
    level.change = 0.5f * (fabsf(level.near_x) + fabsf(level.near_y));
    for (int n = 0; n < 2; n++) {
        level.reach[n] = (float)(map->places.size[n] / 2);
        level.middle[n] = (float)(map->places.box.low[n] + map->places.size[n] / 2);
    }
    return level;
}

void ground_sketcher_free(struct ground_sketcher *d) {
    if (!d) return;
    for (size_t n = 0; d->workplaces && n < d->threads; n++) workplace_destroy(&d->workplaces[n]);
    for (int kind = 0; kind < MAP_LINES; kind++) shown_lines_destroy(&d->lines[kind]);
    free(d->workplaces);
    free(d->patches);
    free(d->edge);
    free(d->feet);
    free(d->points);
    free(d);
}

int ground_sketcher_new(const struct basemap *map, const struct ground_sketch_key *key, const struct scene *scene, size_t threads, struct ground_sketcher **result) {
    struct ground_sketcher *d = *result = calloc(1, sizeof *d);
    if (!d) return VIRGA_NO_MEMORY;
    *d = (struct ground_sketcher){
        .map = map, .show = key->show, .exaggeration = key->exaggeration, .width = key->width, .height = key->height, .across = key->across, .threads = threads,
        .tiles_x = (key->width + GROUND_TILE_X - 1) / GROUND_TILE_X,
        .sight = {.ground = &map->ground, .around = &map->around, .land = &map->land, .depth = (float)map->depth,
                  .meridian = (float)map->places.middle[0], .spherical = map->places.spherical},
    };
    ground_camera_init(&d->camera, scene);
    d->around = level_around(map, &d->camera, key->exaggeration);
    ground_sight_init(&d->sight, &d->camera, key->exaggeration);
    if (!make_room(d)) return VIRGA_OK;
    ground_sketcher_free(d);
    *result = NULL;
    return VIRGA_NO_MEMORY;
}

void ground_sketcher_place(struct ground_sketcher *d, struct render_team *team) {
    size_t runs = 0;
    find_edge(d);
    cut_patches(d);
    for (int kind = 0; kind < MAP_LINES; kind++) runs += shown_lines_runs(&d->lines[kind]);
    render_team_run(team, (d->map->ground.ny + ROWS - 1) / ROWS, place_rows, d);
    render_team_run(team, d->patch_count, measure_patch, d);
    render_team_run(team, runs, place_lines, d);
}

size_t ground_sketcher_points(const struct ground_sketcher *d) { return points_of(d->across); }
