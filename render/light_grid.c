// SPDX-License-Identifier: Apache-2.0
#include "render/light_grid.h"

#include <math.h>
#include <stdlib.h>

#include "render/ray_marcher_private.h"

enum { BAND = 20, ROW = LIGHT_CELLS_X, SLICE = LIGHT_CELLS_X * LIGHT_CELLS_Y };  // BAND: rows of a slice that are one piece of work

struct casting {
    struct march march;
    unsigned slice;
    float shift[2];  // where the ray to the sun passes the slice above, in shares of the box
};

// What a slice lets through does not depend on the others: all rows at once.
static void pass_row(void *argument, size_t index, size_t thread) {
    (void)thread;
    const struct casting *c = argument;
    c->march.code->light_row(&c->march, (unsigned)(index % LIGHT_CELLS_Y), (unsigned)(index / LIGHT_CELLS_Y));
}

// Along one axis: the two cells around a share of the box, and the share of the second; held at the edges.
static void between(float at, int cells, int *low, int *high, float *f) {
    float x = at * (float)cells - 0.5f;
    x = x > 0 ? x < (float)(cells - 1) ? x : (float)(cells - 1) : 0;
    *low = (int)x;
    *high = *low + 1 < cells ? *low + 1 : *low;
    *f = x - (float)*low;
}

// Between four cells of a slice.
static float slice_at(const float *slice, const int low[2], const int high[2], const float f[2]) {
    const float *near = slice + low[1] * ROW, *far = slice + high[1] * ROW;
    const float a = near[low[0]] + (near[high[0]] - near[low[0]]) * f[0], b = far[low[0]] + (far[high[0]] - far[low[0]]) * f[0];
    return a + (b - a) * f[1];
}

// Between two rows of the slice above, with one more cell at both ends.
static void blend_rows(const float *restrict near, const float *restrict far, float f, float blended[ROW + 2]) {
    for (size_t x = 0; x < ROW; x++) blended[x + 1] = near[x] + (far[x] - near[x]) * f;
    blended[0] = blended[1];
    blended[ROW + 1] = blended[ROW];
}

// All rays of a slice pass the one above equally far along: by `cells`. Those that come in through a side have lost nothing.
static void arrive_row(float *restrict row, const float *restrict blended, float cells) {
    if (!isfinite(cells)) return;
    const float whole = floorf(cells), f = cells - whole;
    const ptrdiff_t to = (ptrdiff_t)fmaxf(-ROW - 1, fminf(ROW + 1, whole));
    const float first = ceilf(-0.5f - cells), last = floorf(ROW - 0.5f - cells);
    for (ptrdiff_t x = (ptrdiff_t)fmaxf(0, first), end = (ptrdiff_t)fminf(ROW - 1, last); x <= end; x++) {
        const float here = blended[x + to + 1], next = blended[x + to + 2];
        row[x] *= here + (next - here) * f;
    }
}

static void arrive_band(void *argument, size_t index, size_t thread) {
    (void)thread;
    const struct casting *c = argument;
    float *slice = c->march.share + (size_t)c->slice * SLICE, blended[ROW + 2];
    const float *above = slice + SLICE;
    for (unsigned y = (unsigned)index * BAND; y < (index + 1) * BAND; y++) {
        const float from = ((float)y + 0.5f) / LIGHT_CELLS_Y + c->shift[1];
        int low, high;
        float f;
        if (!(from >= 0 && from <= 1)) continue;
        between(from, LIGHT_CELLS_Y, &low, &high, &f);
        blend_rows(above + low * ROW, above + high * ROW, f, blended);
        arrive_row(slice + y * ROW, blended, c->shift[0] * LIGHT_CELLS_X);
    }
}

int light_grid_cast(struct render_team *team, const struct scene *scene, struct light_grid *grid) {
    struct casting c = {.slice = LIGHT_CELLS_Z - 1};
    const bool any = march_init(&c.march, scene);
    *grid = (struct light_grid){.share = malloc((size_t)SLICE * LIGHT_CELLS_Z * sizeof *grid->share)};
    if (!grid->share) return VIRGA_NO_MEMORY;
    const double stretch[3] = {1, 1, scene->exaggeration};
    for (int a = 0; a < 3; a++) {
        const double size = (scene->box.high[a] - scene->box.low[a]) * stretch[a];
        grid->low[a] = scene->box.low[a] * stretch[a];
        grid->rate[a] = size > 0 ? 1 / size : 0;
    }
    if (!any) {
        for (size_t n = 0; n < (size_t)SLICE * LIGHT_CELLS_Z; n++) grid->share[n] = 1;
        return VIRGA_OK;
    }
    c.march.share = grid->share;
    render_team_run(team, LIGHT_CELLS_Y * LIGHT_CELLS_Z, pass_row, &c);
    const double way = (scene->box.high[2] - scene->box.low[2]) * scene->exaggeration / LIGHT_CELLS_Z / (double)c.march.light[2];
    for (int a = 0; a < 2; a++) c.shift[a] = (float)(scene->light.direction[a] * way * grid->rate[a]);
    while (c.slice-- > 0) render_team_run(team, LIGHT_CELLS_Y / BAND, arrive_band, &c);
    return VIRGA_OK;
}

void light_grid_destroy(struct light_grid *grid) {
    free(grid->share);
    grid->share = NULL;
}

float light_grid_at(const struct light_grid *grid, const float shown[3]) {
    int low[3], high[3];
    float f[3];
    const int cells[3] = {LIGHT_CELLS_X, LIGHT_CELLS_Y, LIGHT_CELLS_Z};
    for (int a = 0; a < 3; a++) between((float)(((double)shown[a] - grid->low[a]) * grid->rate[a]), cells[a], &low[a], &high[a], &f[a]);
    const float below = slice_at(grid->share + (size_t)low[2] * SLICE, low, high, f);
    const float above = slice_at(grid->share + (size_t)high[2] * SLICE, low, high, f);
    return below + (above - below) * f[2];
}
