// SPDX-License-Identifier: Apache-2.0
#include "render/ray_marcher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/ray_marcher_private.h"

// --- the code for this processor --------------------------------------------------------------------------------------

// Best first.
static const struct march_code *const codes[] = {
#if defined(__x86_64__)
    &march_code_v4, &march_code_v3, &march_code_v2,
#elif defined(__aarch64__)
    &march_code_neon,
#endif
    &march_code_portable,
};

static bool runs(const struct march_code *code) {
#if defined(__x86_64__)
    if (code == &march_code_v4)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (code == &march_code_v3)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    if (code == &march_code_v2) return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
#endif
    (void)code;
    return true;
}

// Looked up each time a picture begins: it costs nothing, and tests change the environment.
const struct march_code *march_code_here(void) {
    const char *wanted = getenv("VIRGA_RENDER_ISA");
    const struct march_code *best = NULL;
    for (size_t n = 0; n < sizeof codes / sizeof *codes; n++) {
        if (!runs(codes[n])) continue;
        if (wanted && !strcmp(wanted, codes[n]->isa)) return codes[n];
        if (!best) best = codes[n];
    }
    return best;
}

const char *ray_marcher_isa(void) {
    return march_code_here()->isa;
}

// --- from the scene to floats -----------------------------------------------------------------------------------------

static void prepare_changes(float rows[TRANSFER_ENTRIES][8], const float (*table)[4]) {
    for (int n = 0; n < TRANSFER_ENTRIES; n++)
        for (int c = 0; c < 4; c++) {
            rows[n][c] = table[n][c];
            rows[n][4 + c] = n + 1 < TRANSFER_ENTRIES ? table[n + 1][c] - table[n][c] : 0;
        }
}

static void prepare_transfer(struct march_volume *v, const struct transfer *transfer) {
    v->data = transfer->data;
    prepare_changes(v->rows, transfer->data);
    prepare_changes(v->integral, transfer->integral);
    const float *low = transfer->data[0], *high = transfer->data[TRANSFER_ENTRIES - 1];
    for (int c = 0; c < 4; c++) {
        v->before_first[c] = low[c] * (c < 3 ? low[3] : 1);
        v->after_last[c] = high[c] * (c < 3 ? high[3] : 1);
    }
    int clear = 0;
    while (clear < TRANSFER_ENTRIES && !(transfer->data[clear][3] > 0)) clear++;
    v->clear = clear == 0 ? -INFINITY : clear == TRANSFER_ENTRIES ? INFINITY : (float)(clear - 1);
}

static void prepare_lines(struct march_volume *v, double exaggeration) {
    const struct layer_geometry *g = v->geometry;
    struct march_lines *l = &v->lines;
    l->apply = g->kind == LAYER_EVEN && !g->x.values && !g->y.values && !g->wraps && !g->column_parts && v->steps[0]->alike;
    if (!l->apply) return;
    const float up = (float)(1000 * (double)g->level_rate / exaggeration);
    const int32_t n[3] = {g->x.n, g->y.n, g->nz};
    const float rate[3] = {g->x.rate, g->y.rate, up}, offset[3] = {g->x.offset, g->y.offset, g->level_offset};
    for (int a = 0; a < 3; a++) {
        const float reach = a == 2 || n[a] > 1 ? 1e-4f : 0.5f;
        l->rate[a] = rate[a];
        l->offset[a] = offset[a];
        l->low[a] = a < 2 ? -reach : g->level_offset - 0.01f * g->level_rate;
        l->last[a] = (float)(n[a] - 1);
        l->high[a] = l->last[a] + reach;
        l->density[a] = fabsf(rate[a]) * v->steps[0]->pages->rate[a];
    }
}

static void prepare_volume(struct march_volume *v, const struct scene_layer *layer, double exaggeration) {
    v->geometry = layer->geometry;
    v->steps[0] = layer->steps[0];
    v->steps[1] = layer->blend > 0 ? layer->steps[1] : NULL;
    v->blend = (float)layer->blend;
    v->shading = layer->shading;
    v->minus = (struct march_minus){layer->minus.geometry == layer->geometry ? NULL : layer->minus.geometry,
                                    {layer->minus.steps[0], layer->blend > 0 ? layer->minus.steps[1] : NULL}, (float)layer->minus.ratio};
    v->gain = (float)(layer->lookup[0] * TRANSFER_ENTRIES);
    v->bias = (float)(layer->lookup[1] * TRANSFER_ENTRIES - 0.5);
    prepare_transfer(v, layer->transfer);
    prepare_lines(v, exaggeration);
}

// Far points of pixels are linear in their place before the division: the matrix at depth 1.
static void prepare_rays(struct march *m, const struct scene *scene) {
    const double *r = scene->matrices.relative;
    for (int c = 0; c < 4; c++) {
        m->corner[c] = (float)(-r[c] + r[4 + c] + r[8 + c] + r[12 + c]);
        m->across[c] = (float)(2 * r[c] / scene->width);
        m->down[c] = (float)(-2 * r[4 + c] / scene->height);
    }
}

static void prepare_box(struct march *m, const struct scene *scene) {
    const double stretch[3] = {1, 1, scene->exaggeration};
    m->exaggeration = (float)scene->exaggeration;
    m->shrink = 1 / m->exaggeration;
    for (int a = 0; a < 3; a++) {
        const double low = scene->box.low[a] * stretch[a], high = scene->box.high[a] * stretch[a];
        m->low[a] = (float)low;
        m->high[a] = (float)high;
        m->eye[a] = (float)scene->matrices.eye[a];
        m->light[a] = (float)scene->light.direction[a];
        m->colour[a] = (float)scene->light.colour[a];
        m->ambient[a] = (float)scene->light.ambient[a];
        if (!scene->skip) continue;
        m->skip_size[a] = (int32_t)scene->skip->size[a];
        m->skip_low[a] = (float)(scene->skip->low[a] * stretch[a]);
        m->skip_rate[a] = (float)(1 / (scene->skip->cell[a] * stretch[a]));
    }
    if (!(m->light[2] > 0.01f)) m->light[2] = 0.01f;  // light.h keeps the sun above; a slice is crossed in a bounded way
    if (!scene->shade) return;
    m->shade = scene->shade;
    for (int a = 0; a < 3; a++) {
        m->light_low[a] = (float)scene->shade->low[a];
        m->light_rate[a] = (float)scene->shade->rate[a];
    }
}

// Packets rely on a volume's being as large as its geometry says.
static bool fits_geometry(const struct layer_geometry *g, const struct brick_volume *const steps[2]) {
    const int32_t n[3] = {g->x.n, g->y.n, g->nz};
    for (int step = 0; step < 2; step++)
        for (int a = 0; a < 3 && steps[step]; a++)
            if (steps[step]->shape.levels[0].n[a] != (uint32_t)n[a] || steps[step]->shape.wraps_x != g->wraps) return false;
    return steps[0] != NULL;
}

static bool fits(const struct scene_layer *layer) {
    return fits_geometry(layer->geometry, layer->steps) && (!layer->minus.steps[0] || fits_geometry(layer->minus.geometry, layer->minus.steps));
}

bool march_init(struct march *m, const struct scene *scene) {
    *m = (struct march){.code = march_code_here(), .width = scene->width, .height = scene->height, .step = (float)scene->step};
    for (size_t n = 0; n < scene->volume_count && n < SCENE_VOLUMES_MAX; n++)
        if (fits(&scene->volumes[n])) prepare_volume(&m->volumes[m->volume_count++], &scene->volumes[n], scene->exaggeration);
    if (!m->volume_count) return false;
    prepare_rays(m, scene);
    prepare_box(m, scene);
    return true;
}

// --- tiles ------------------------------------------------------------------------------------------------------------

enum { PIECES_EACH = 16 };  // that a thread has at least, so that all end together

// Pieces of `tiles` × `tiles` tiles that a side of a picture has.
static unsigned pieces_along(unsigned pixels, unsigned tiles) {
    return (pixels + MARCH_TILE * tiles - 1) / (MARCH_TILE * tiles);
}

static size_t pieces_of(const struct march *m, unsigned tiles) {
    return (size_t)pieces_along(m->width, tiles) * pieces_along(m->height, tiles);
}

// A thread draws tiles beside each other: voxels that two of them see are still in its processor's own cache.
static unsigned choose_piece(const struct march *m, size_t threads) {
    unsigned tiles = 4;
    while (tiles > 1 && pieces_of(m, tiles) < PIECES_EACH * threads) tiles /= 2;
    return tiles;
}

static void draw_piece(void *argument, size_t index, size_t thread) {
    (void)thread;
    const struct march *m = argument;
    const unsigned across = pieces_along(m->width, m->piece), side = m->piece * MARCH_TILE;
    const unsigned left = (unsigned)(index % across) * side, top = (unsigned)(index / across) * side;
    for (unsigned y = top; y < top + side && y < m->height; y += MARCH_TILE)
        for (unsigned x = left; x < left + side && x < m->width; x += MARCH_TILE) m->code->tile(m, x, y);
}

void ray_marcher_draw(struct render_team *team, const struct scene *scene, const float *distance, float *rgba) {
    struct march m;
    if (!march_init(&m, scene)) {
        memset(rgba, 0, (size_t)scene->width * scene->height * 4 * sizeof *rgba);
        return;
    }
    m.distance = distance;
    m.rgba = rgba;
    uint8_t *skip = NULL;
    if (scene->skip) {  // with room behind it, so that packets may read four bytes at once; without memory nothing is skipped
        const size_t cells = (size_t)scene->skip->size[0] * scene->skip->size[1] * scene->skip->size[2];
        skip = cells && cells < INT32_MAX ? malloc(cells + 3) : NULL;
        if (skip) memcpy(skip, scene->skip->values, cells);
        m.skip = skip;
    }
    m.piece = choose_piece(&m, render_team_threads(team));
    render_team_run(team, pieces_of(&m, m.piece), draw_piece, &m);
    free(skip);
}
