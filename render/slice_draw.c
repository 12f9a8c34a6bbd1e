// SPDX-License-Identifier: Apache-2.0
#include "render/slice_draw.h"

#include <math.h>
#include <stdlib.h>

#include "render/ground_raster.h"
#include "render/slice_mesh.h"

enum { TILE_X = 64, TILE_Y = 32, PATCH = 16, ACROSS_MAX = 4 };
static const float faintest = 1.0F / 255;  // that still shows
static const float in_front = 1 - 1e-5F;   // of the ground's distance: a sheet that lies on it is seen

struct patch {  // cells of the sheet, and the rectangle of the picture around them
    size_t first[2], last[2];
    double low[2], high[2];
};

struct sheet {  // one that is drawn
    const struct scene *scene;
    const struct scene_slice *slice;
    struct slice_mesh mesh;
    struct ground_camera camera;
    struct ground_point *points;  // of the corners
    struct patch *patches;
    size_t patch_count, tiles_x, across, level;
    struct ground_raster *rasters;  // of each thread
    float light[3];
    float *rgba, *distance;
};

// --- Corners and patches.

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void place_corners(struct sheet *s) {
    const struct slice_mesh *mesh = &s->mesh;
    for (size_t n = 0; n < mesh->nx * mesh->ny; n++) {
        const double at[] = {mesh->low[0] + mesh->step[0] * (double)(n % mesh->nx), mesh->low[1] + mesh->step[1] * (double)(n / mesh->nx),
                             (double)mesh->heights[n] * s->scene->exaggeration};
        ground_camera_point(&s->camera, at, &s->points[n]);
    }
}

static void measure(const struct sheet *s, struct patch *patch) {
    for (int n = 0; n < 2; n++) patch->low[n] = INFINITY, patch->high[n] = -INFINITY;
    for (size_t y = patch->first[1]; y <= patch->last[1]; y++)
        for (size_t x = patch->first[0]; x <= patch->last[0]; x++) {
            const struct ground_point *p = &s->points[y * s->mesh.nx + x];
            if (isnan(s->mesh.heights[y * s->mesh.nx + x])) continue;
            const double at[] = {p->x, p->y};
            for (int n = 0; n < 2; n++) {
                patch->low[n] = p->cut ? -INFINITY : fmin(patch->low[n], at[n]);
                patch->high[n] = p->cut ? INFINITY : fmax(patch->high[n], at[n]);
            }
        }
}

static void cut_patches(struct sheet *s) {
    const size_t cells[] = {s->mesh.nx - 1, s->mesh.ny - 1};
    for (size_t y = 0; y < cells[1]; y += PATCH)
        for (size_t x = 0; x < cells[0]; x += PATCH) {
            struct patch *patch = &s->patches[s->patch_count++];
            *patch = (struct patch){{x, y}, {least(x + PATCH, cells[0]), least(y + PATCH, cells[1])}, {0}, {0}};
            measure(s, patch);
        }
}

static void draw_cell(const struct sheet *s, struct ground_raster *raster, size_t at) {
    const size_t corners[] = {at, at + 1, at + s->mesh.nx, at + s->mesh.nx + 1};
    const struct ground_point *p[4];
    bool there[4];
    for (int n = 0; n < 4; n++) p[n] = &s->points[corners[n]], there[n] = !isnan(s->mesh.heights[corners[n]]);
    if (there[0] && there[1] && there[2]) ground_raster_triangle(raster, &s->camera, p[0], p[1], p[2], GROUND_TOP);
    if (there[1] && there[2] && there[3]) ground_raster_triangle(raster, &s->camera, p[1], p[3], p[2], GROUND_TOP);
}

static void draw_patch(const struct sheet *s, struct ground_raster *raster, const struct patch *patch) {
    const double low[] = {(double)raster->x, (double)raster->y}, high[] = {low[0] + (double)raster->width, low[1] + (double)raster->height};
    for (int n = 0; n < 2; n++)
        if (!(patch->low[n] <= high[n] && patch->high[n] >= low[n])) return;
    for (size_t y = patch->first[1]; y < patch->last[1]; y++)
        for (size_t x = patch->first[0]; x < patch->last[0]; x++) draw_cell(s, raster, y * s->mesh.nx + x);
}

// --- Colours.

// Red, green, blue, and opacity; 0 where nothing is.
static void look_up(const struct sheet *s, double value, float look[4]) {
    const struct transfer *transfer = s->slice->transfer;
    double entry = (value - transfer->low) / (transfer->high - transfer->low) * (TRANSFER_ENTRIES - 1);
    entry = entry > 0 ? entry < TRANSFER_ENTRIES - 1 ? entry : TRANSFER_ENTRIES - 1 : 0;
    const size_t k = least((size_t)entry, TRANSFER_ENTRIES - 2);
    const float share = (float)(entry - (double)k);
    for (int c = 0; c < 4; c++) look[c] = transfer->data[k][c] + (transfer->data[k + 1][c] - transfer->data[k][c]) * share;
    look[3] = 1 - expf(-look[3]);
}

// At a place of the picture: false where there is nothing to see. far: km from the eye.
static bool colour_at(const struct sheet *s, double x, double y, float near, float look[4], float *far) {
    const struct ground_camera *c = &s->camera;
    double at[2], squared = 0;
    for (int n = 0; n < 3; n++) {
        const double ray = c->ray[n] + x * c->ray_x[n] + y * c->ray_y[n];
        if (n < 2) at[n] = c->eye[n] + ray / (double)near;
        squared += ray * ray;
    }
    *far = (float)(sqrt(squared) / (double)near);
    const double value = plane_sample_level(s->slice->values, s->level, slice_mesh_index(&s->mesh, 0, at[0]), slice_mesh_index(&s->mesh, 1, at[1]));
    if (isnan(value)) return false;
    look_up(s, value, look);
    for (int n = 0; n < 3; n++) look[n] = fminf(look[n] * s->light[n], 1);
    return look[3] >= faintest;
}

// One pixel: the mean of its samples over what is there.
static void lay_pixel(const struct sheet *s, const struct ground_raster *r, size_t x, size_t y) {
    const size_t row = r->width * r->across, pixel = (r->y + y) * s->scene->width + r->x + x;
    const float step = 1 / (float)r->across, each = step * step, ground = s->distance[pixel];
    float sum[4] = {0}, far_sum = 0;
    size_t shown = 0;
    for (size_t n = 0; n < r->across * r->across; n++) {
        const size_t i = n % r->across, j = n / r->across;
        const float near = r->near[(y * r->across + j) * row + x * r->across + i];
        float look[4], far;
        if (!(near > 0)) continue;
        if (!colour_at(s, (double)(r->x + x) + ((double)i + 0.5) * (double)step, (double)(r->y + y) + ((double)j + 0.5) * (double)step, near, look, &far)) continue;
        if (far * in_front > ground) continue;
        for (int c = 0; c < 3; c++) sum[c] += look[c] * look[3] * each;
        sum[3] += look[3] * each;
        far_sum += far;
        shown++;
    }
    if (!shown) return;
    for (int c = 0; c < 4; c++) s->rgba[4 * pixel + (size_t)c] = s->rgba[4 * pixel + (size_t)c] * (1 - sum[3]) + sum[c];
    if (2 * shown >= r->across * r->across) s->distance[pixel] = far_sum / (float)shown;
}

static void draw_tile(void *argument, size_t index, size_t thread) {
    const struct sheet *s = argument;
    struct ground_raster *raster = &s->rasters[thread];
    const size_t x = index % s->tiles_x * TILE_X, y = index / s->tiles_x * TILE_Y;
    ground_raster_clear(raster, x, y, least(TILE_X, s->scene->width - x), least(TILE_Y, s->scene->height - y));
    for (size_t n = 0; n < s->patch_count; n++) draw_patch(s, raster, &s->patches[n]);
    for (size_t row = 0; row < raster->height; row++)
        for (size_t column = 0; column < raster->width; column++) lay_pixel(s, raster, column, row);
}

// --- Sheets.

static int make_room(struct sheet *s, size_t threads) {
    const struct slice_mesh *mesh = &s->mesh;
    s->points = malloc(mesh->nx * mesh->ny * sizeof *s->points);
    s->patches = malloc((mesh->nx / PATCH + 1) * (mesh->ny / PATCH + 1) * sizeof *s->patches);
    s->rasters = calloc(threads, sizeof *s->rasters);
    int status = s->points && s->patches && s->rasters ? VIRGA_OK : VIRGA_NO_MEMORY;
    for (size_t n = 0; n < threads && !status; n++) status = ground_raster_init(&s->rasters[n], TILE_X, TILE_Y, s->across);
    return status;
}

static void leave_room(struct sheet *s, size_t threads) {
    for (size_t n = 0; s->rasters && n < threads; n++) ground_raster_destroy(&s->rasters[n]);
    free(s->rasters);
    free(s->patches);
    free(s->points);
}

static int draw_sheet(struct render_team *team, struct sheet *s) {
    const size_t threads = render_team_threads(team), tiles_y = (s->scene->height + TILE_Y - 1) / TILE_Y;
    int status = make_room(s, threads);
    if (!status) {
        place_corners(s);
        cut_patches(s);
        render_team_run(team, s->tiles_x * tiles_y, draw_tile, s);
    }
    leave_room(s, threads);
    return status;
}

// How far a sheet is from the eye's height: the farther one is drawn first.
static double away(const struct scene *scene, const struct slice_mesh *mesh) { return fabs(mesh->height * scene->exaggeration - scene->matrices.eye[2]); }

int slice_draw(struct render_team *team, const struct scene *scene, unsigned samples, float *rgba, float *distance) {
    struct slice_mesh meshes[SCENE_SLICES_MAX] = {0};
    bool drawn[SCENE_SLICES_MAX] = {0};
    int status = VIRGA_OK;
    for (size_t n = 0; n < scene->slice_count && !status; n++) status = slice_mesh_init(&meshes[n], scene, &scene->slices[n]);
    for (size_t turn = 0; turn < scene->slice_count && !status; turn++) {
        size_t next = SCENE_SLICES_MAX;
        for (size_t n = 0; n < scene->slice_count; n++)
            if (!drawn[n] && (next == SCENE_SLICES_MAX || away(scene, &meshes[n]) > away(scene, &meshes[next]))) next = n;
        struct sheet s = {.scene = scene, .slice = &scene->slices[next], .mesh = meshes[next], .tiles_x = (scene->width + TILE_X - 1) / TILE_X,
                          .across = samples < 1 ? 1 : samples > ACROSS_MAX ? ACROSS_MAX : samples, .rgba = rgba, .distance = distance};
        s.level = plane_level_of(s.slice->values, SLICE_MOST);
        for (int c = 0; c < 3; c++) s.light[c] = (float)(scene->light.ambient[c] + scene->light.colour[c]);
        ground_camera_init(&s.camera, scene);
        status = draw_sheet(team, &s);
        drawn[next] = true;
    }
    for (size_t n = 0; n < scene->slice_count; n++) slice_mesh_destroy(&meshes[n]);
    return status;
}
