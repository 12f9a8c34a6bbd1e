// SPDX-License-Identifier: Apache-2.0
// Tile by tile: what the camera sees of ground and lines, sketched now or before; then colours.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/basemap_private.h"
#include "render/ground_shade.h"
#include "render/ground_sketcher.h"

struct drawing {
    const struct scene *scene;
    bool terrain;
    struct ground_sketch *known;        // NULL: tiles are sketched
    struct ground_sketcher *sketcher;
    struct ground_sketch *made;         // NULL: they are not kept
    struct ground_colours *colours;     // one a thread
    float *rgba, *distance;
};

static float held(float v) { return v < 0 ? 0 : v > 1 ? 1 : v; }

// rgba: from the tile's first pixel on.
static void lay_points(const struct ground_tile *tile, const struct ground_colours *colours, float *rgba, size_t stride) {
    const struct ground_points *p = &tile->points;
    for (size_t y = 0; y < tile->height; y++) memset(rgba + 4 * y * stride, 0, 4 * tile->width * sizeof *rgba);
    for (size_t n = 0; n < p->count; n++) {
        float *out = rgba + 4 * (p->pixel[n] / tile->width * stride + p->pixel[n] % tile->width), share = p->weight[n] * colours->alpha[n];
        float left = 1 - p->over[n] * colours->alpha[n];
        for (int c = 0; c < 3; c++) out[c] = out[c] * left + held(colours->colour[c][n]) * share;
        out[3] = out[3] * left + share;
    }
}

static void lay_ink(const struct ground_tile *tile, float *rgba, size_t stride) {
    for (size_t n = 0; n < tile->inked; n++) {
        const struct ground_ink *ink = &tile->ink[n];
        float *out = rgba + 4 * (ink->pixel / tile->width * stride + ink->pixel % tile->width), left = 1 - ink->rgba[3];
        for (int c = 0; c < 4; c++) out[c] = out[c] * left + ink->rgba[c];
    }
}

static void draw_tile(void *argument, size_t index, size_t thread) {
    const struct drawing *d = argument;
    const struct ground_tile *tile = d->known ? &d->known->tiles[index] : ground_sketcher_tile(d->sketcher, index, thread);
    const size_t stride = d->scene->width, first = tile->y * stride + tile->x;
    if (d->made) ground_sketch_put(d->made, index, tile);
    ground_shade(d->scene, d->terrain, &tile->points, &d->colours[thread]);
    lay_points(tile, &d->colours[thread], d->rgba + 4 * first, stride);
    lay_ink(tile, d->rgba + 4 * first, stride);
    for (size_t y = 0; y < tile->height; y++)
        memcpy(d->distance + first + y * stride, tile->distance + y * tile->width, tile->width * sizeof *d->distance);
}

static int make_colours(struct drawing *d, size_t threads, size_t points) {
    d->colours = calloc(threads, sizeof *d->colours);
    for (size_t n = 0; n < threads; n++)
        if (!d->colours || ground_colours_init(&d->colours[n], points)) return VIRGA_NO_MEMORY;
    return VIRGA_OK;
}

static struct ground_sketch_key key_of(const struct scene *scene, const struct basemap_show *show, unsigned samples) {
    struct ground_sketch_key key;
    memset(&key, 0, sizeof key);  // with what lies between members
    key.matrices = scene->matrices;
    key.exaggeration = scene->exaggeration;
    key.width = scene->width;
    key.height = scene->height;
    key.across = samples < 1 ? 1 : samples > GROUND_ACROSS ? GROUND_ACROSS : samples;
    key.show = *show;
    return key;
}

// What the tiles are from: a sketch that is there, or a sketcher, and perhaps a sketch to be kept.
static int find_tiles(struct drawing *d, struct basemap *map, struct render_team *team, const struct ground_sketch_key *key, size_t tiles) {
    bool again;
    if ((d->known = ground_sketches_find(&map->sketches, key, &again))) return VIRGA_OK;
    if (ground_sketcher_new(map, key, d->scene, render_team_threads(team), &d->sketcher)) return VIRGA_NO_MEMORY;
    if (again) d->made = ground_sketch_new(key, tiles);
    ground_sketcher_place(d->sketcher, team);
    return VIRGA_OK;
}

int basemap_draw(struct basemap *map, struct render_team *team, const struct scene *scene, const struct basemap_show *show, unsigned samples, float *rgba,
                 float *distance) {
    const struct ground_sketch_key key = key_of(scene, show, samples);
    const size_t tiles = ((size_t)key.width + GROUND_TILE_X - 1) / GROUND_TILE_X * (((size_t)key.height + GROUND_TILE_Y - 1) / GROUND_TILE_Y);
    const size_t threads = render_team_threads(team);
    struct drawing d = {.scene = scene, .terrain = show->terrain, .rgba = rgba, .distance = distance};
    int status = find_tiles(&d, map, team, &key, tiles);
    if (!status) status = make_colours(&d, threads, d.known ? d.known->points : ground_sketcher_points(d.sketcher));
    if (!status) render_team_run(team, tiles, draw_tile, &d);
    if (!status && d.made) ground_sketches_add(&map->sketches, d.made);
    ground_sketcher_free(d.sketcher);
    ground_sketch_unref(d.made);
    ground_sketch_unref(d.known);
    for (size_t n = 0; d.colours && n < threads; n++) ground_colours_destroy(&d.colours[n]);
    free(d.colours);
    return status;
}
